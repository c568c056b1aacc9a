"""Losses: functions of predictions and targets that say with one number how wrong a model is.

Predictions are n numbers, or n lists of k numbers, and targets are of the same shape; a class is a list with a
single 1. The loss of n examples is the mean of theirs; only ``half_squared_error`` is the sum. Losses are written with
operations, and never look at a number by ``if``, so ``autograd.compile`` makes array programs of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from numbers import Real
from reprlib import repr as shown
from typing import Any

from autograd import (
    abs,
    div,
    dot,
    log,
    log1p,
    log_softmax,
    maximum,
    mean,
    minimum,
    norm,
    relu,
    softplus,
    sum,
    where,
)

from .ranges import positive
from .tensors import LABELS_ALONE, flatten, shape

Loss = Callable[[Sequence[Any], Sequence[Any]], Any]

# ---- of numbers ------------------------------------------------------------------------------------------------------


def mse(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The mean squared error, Σ (prediction - target)² / n, over all numbers.

    Goodfellow et al., *Deep Learning*, eq. 5.4. The best constant is the mean of the targets.

    Args:
        predictions: n numbers, or n lists of k numbers.
        targets: of the same shape.

    Raises:
        ValueError: they are empty, or their shapes differ.

    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    return mean([(p - t) ** 2 for p, t in _numbers(predictions, targets)])


def half_squared_error(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """Half the sum of squared errors, ½ Σ (prediction - target)², over all numbers.

    Bishop, *Pattern Recognition and Machine Learning* (PRML), eq. 5.11. The gradient of an example is prediction -
    target. Being a sum, it grows with the batch, and the step with it.

    Args:
        predictions: n numbers, or n lists of k numbers.
        targets: of the same shape.

    Raises:
        ValueError: they are empty, or their shapes differ.

    >>> half_squared_error([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    return 0.5 * sum([(p - t) ** 2 for p, t in _numbers(predictions, targets)])


def mae(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The mean absolute error, Σ |prediction - target| / n, over all numbers; where it is 0, so is its derivative.

    Goodfellow et al., *Deep Learning*, eq. 6.16. The best constant is the median of the targets.

    Args:
        predictions: n numbers, or n lists of k numbers.
        targets: of the same shape.

    Raises:
        ValueError: they are empty, or their shapes differ.

    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    return mean([abs(p - t) for p, t in _numbers(predictions, targets)])


def huber(predictions: Sequence[Any], targets: Sequence[Any], delta: float = 1.0) -> Any:
    """Huber's loss: squared where the error e is small, absolute where it is large (Huber 1964).

        ½ e²               for e = |prediction - target| ≤ δ
        δ (e - ½ δ)        above

    which is a (e - ½ a) with a = min(e, δ); the mean over all numbers.

    Args:
        predictions: n numbers, or n lists of k numbers.
        targets: of the same shape.
        delta: δ, greater than 0. As a loss of its own: ``functools.partial(huber, delta=0.1)``.

    Raises:
        ValueError: predictions are empty, or the shapes differ, or δ is not a finite number greater than 0.

    >>> huber([1.0, 2.0], [1.5, 12.0])
    4.8125
    """
    delta = positive("delta", delta)
    errors = [abs(p - t) for p, t in _numbers(predictions, targets)]
    small = [minimum(e, delta) for e in errors]
    return mean([a * (e - 0.5 * a) for a, e in zip(small, errors, strict=True)])


# ---- of probabilities, and of logits ---------------------------------------------------------------------------------


def binary_cross_entropy(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The cross-entropy of two classes, -(t log p + (1 - t) log(1 - p)), the mean over all numbers (PRML, eq. 5.21).

    0 · log 0 is 0: where p is 0 and t is 0, or both are 1, the loss is 0 and its derivative 1, or -1, as their limits
    are. From logits, ``binary_cross_entropy_with_logits`` loses no digits where p is close to 0 or 1.

    Args:
        predictions: the probabilities p of the class 1, in [0, 1]: n numbers, or n lists of k numbers.
        targets: 0 or 1, or between: a probability itself; of the same shape.

    Raises:
        ValueError: they are empty, or their shapes differ, or a target is not from 0 to 1. Or, from ``log`` or
            ``log1p``, which the message names: the loss is infinite, for what has the probability 0 is the case; or p
            is outside [0, 1].

    >>> import math
    >>> binary_cross_entropy([0.5, 1.0], [0.0, 1.0]) == math.log(2) / 2
    True
    >>> binary_cross_entropy([0.0], [1.0])
    Traceback (most recent call last):
        ...
    ValueError: log(0.0): not defined there
    """
    return mean([_two_terms(p, t) for p, t in _probable(_numbers(predictions, targets))])


def binary_cross_entropy_with_logits(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The binary cross-entropy of p = sigmoid(z), from the logits z: t softplus(-z) + (1 - t) softplus(z), the mean.

    No logit is too large, and no digit is lost: softplus(-z) is -log p, softplus(z) is -log(1 - p) (Goodfellow et al.,
    *Deep Learning*, eq. 6.26). The gradient of one number is p - t.

    Args:
        predictions: the logits z: n numbers, or n lists of k numbers.
        targets: 0 or 1, or between; of the same shape.

    Raises:
        ValueError: they are empty, or their shapes differ, or a target is not from 0 to 1.

    >>> binary_cross_entropy_with_logits([1000.0, 1000.0], [1.0, 0.0])
    500.0
    """
    return mean([_two_terms_of_logit(z, t) for z, t in _probable(_numbers(predictions, targets))])


def multilabel_cross_entropy(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The cross-entropy of k classes with both terms, -Σ_k (t log p + (1 - t) log(1 - p)); the mean over n examples.

    The sum of k binary cross-entropies (PRML, eq. 5.22): each class is one of its own, and an example may be of
    several. Where it is of one, and the p of a softmax, ``softmax_cross_entropy`` has the first term only.

    Args:
        predictions: probabilities in [0, 1], n lists of k; 0 and 1 as for ``binary_cross_entropy``.
        targets: 0 or 1, or between; of the same shape.

    Raises:
        ValueError: as of ``binary_cross_entropy``; or the predictions are no lists.

    >>> import math
    >>> multilabel_cross_entropy([[0.5, 0.5, 0.0]], [[1.0, 0.0, 0.0]]) == 2 * math.log(2)
    True
    """
    return mean([sum([_two_terms(p, t) for p, t in _probable(row)]) for row in _rows(predictions, targets)])


def multilabel_cross_entropy_with_logits(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The cross-entropy of k classes with both terms, of p = sigmoid(z), from the logits z; the mean over n examples.

    Σ_k (t softplus(-z) + (1 - t) softplus(z)): PRML, eq. 5.22, each as ``binary_cross_entropy_with_logits`` has it.

    Args:
        predictions: the logits z, n lists of k.
        targets: 0 or 1, or between; of the same shape.

    Raises:
        ValueError: they are empty, or their shapes differ, or the predictions are no lists, or a target is not from 0
            to 1.

    >>> import math
    >>> multilabel_cross_entropy_with_logits([[1000.0, -1000.0, 0.0]], [[1.0, 0.0, 1.0]]) == math.log(2)
    True
    """
    rows = map(_probable, _rows(predictions, targets))
    return mean([sum([_two_terms_of_logit(z, t) for z, t in row]) for row in rows])


def softmax_cross_entropy(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The cross-entropy of k classes that exclude each other, -Σ_k t log softmax(z); the mean over n examples.

    PRML, eq. 5.24. The gradient of an example is softmax(z) - t, where the targets sum to 1.

    Args:
        predictions: the logits z, n lists of k; none is too large.
        targets: a single 1, or probabilities; of the same shape. Times a weight, the loss of that example has it.

    Raises:
        ValueError: they are empty, or their shapes differ, or the predictions are no lists, or a target is
            negative.

    >>> softmax_cross_entropy([[1000.0, 0.0], [0.0, 1000.0]], [[1.0, 0.0], [1.0, 0.0]])
    500.0
    """
    rows = [_checked(row, lambda t: t >= 0.0, "of at least 0") for row in _rows(predictions, targets)]
    return mean([-dot(t, log_softmax(z)) for z, t in (zip(*row, strict=True) for row in rows)])


def kl_divergence(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """How far the distribution q is from p, Σ_k p log(p / q); the mean over n examples (Kullback and Leibler 1951).

    0 · log 0 is 0, and where p is 0, so is the derivative. From logits, ``softmax_cross_entropy`` is this and the
    entropy of p, which is constant, so it has the same gradient.

    Args:
        predictions: q, probabilities (and not their logarithms), n lists of k that sum to 1.
        targets: p, likewise; of the same shape.

    Raises:
        ValueError: they are empty, or their shapes differ, or the predictions are no lists. Or, from ``log``, which the
            message names: the divergence is infinite, for q is 0 where p is not; or one of them is negative.

    >>> import math
    >>> kl_divergence([[0.5, 0.5]], [[1.0, 0.0]]) == math.log(2)
    True
    """
    rows = _rows(predictions, targets)
    return mean([sum([_times_log(p, p) - _times_log(p, q) for q, p in row]) for row in rows])


# ---- of margins and of directions ------------------------------------------------------------------------------------


def hinge(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The hinge loss of two classes, max(0, 1 - t z), the mean over all numbers (Cortes and Vapnik 1995).

    At the hinge, t z = 1, the derivative is 0.

    Args:
        predictions: the scores z: n numbers, or n lists of k numbers.
        targets: -1 or 1 (of labels that are 0 or 1: 2 · label - 1); of the same shape.

    Raises:
        ValueError: they are empty, or their shapes differ, or a target is neither -1 nor 1.

    >>> hinge([2.0, 0.5, 1.0], [1.0, 1.0, -1.0]) == (0.0 + 0.5 + 2.0) / 3
    True
    """
    return mean([relu(1.0 - t * z) for z, t in _signed(_numbers(predictions, targets))])


def squared_hinge(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The squared hinge loss of two classes, max(0, 1 - t z)², the mean over all numbers (Tang 2013): it has no kink.

    Args:
        predictions: the scores z: n numbers, or n lists of k numbers.
        targets: -1 or 1; of the same shape.

    Raises:
        ValueError: they are empty, or their shapes differ, or a target is neither -1 nor 1.

    >>> squared_hinge([2.0, 0.5, 1.0], [1.0, 1.0, -1.0]) == (0.0 + 0.25 + 4.0) / 3
    True
    """
    return mean([relu(1.0 - t * z) ** 2 for z, t in _signed(_numbers(predictions, targets))])


def multiclass_hinge(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The hinge loss of k classes, max(0, 1 + the greatest other score - the right class's) (Crammer and Singer 2001).

    That is max_k(z + 1 - t) - Σ_k t z; the mean over n examples. Greatest scores that tie share the derivative.

    Args:
        predictions: the scores z, n lists of k.
        targets: a single 1; of the same shape.

    Raises:
        ValueError: they are empty, or their shapes differ, or the predictions are no lists, or a target is not from 0
            to 1.

    >>> multiclass_hinge([[3.0, 0.5, 1.0], [0.0, 0.5, 2.0]], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    1.25
    """
    rows = [tuple(zip(*_probable(row), strict=True)) for row in _rows(predictions, targets)]
    return mean([reduce(maximum, [a + (1.0 - b) for a, b in zip(z, t, strict=True)]) - dot(t, z) for z, t in rows])


def cosine_distance(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """1 - cos of the angle between two vectors, whatever their lengths: 0 to 2; the mean over n examples.

    The measure is that of Salton et al. 1975. Computed as ½ |u - v|² of the vectors u, v of length 1: that is the same,
    and exact where they are close.

    Args:
        predictions: n lists of k numbers.
        targets: of the same shape.

    Raises:
        ValueError: they are empty, or their shapes differ, or the predictions are no lists.
        ZeroDivisionError: from ``div``, which the message names: a vector is zero, so it has no direction.

    >>> cosine_distance([[3.0, 0.0], [1.0, 0.0]], [[2.0, 0.0], [0.0, 5.0]])
    0.5
    """
    rows = [tuple(map(_direction, zip(*row, strict=True))) for row in _rows(predictions, targets)]
    return mean([0.5 * sum([(a - b) ** 2 for a, b in zip(u, v, strict=True)]) for u, v in rows])


# fmt: off
LOSSES: dict[str, Loss] = {
    loss.__name__: loss
    for loss in (
        mse, half_squared_error, mae, huber,
        binary_cross_entropy, binary_cross_entropy_with_logits,
        multilabel_cross_entropy, multilabel_cross_entropy_with_logits,
        softmax_cross_entropy, kl_divergence,
        hinge, squared_hinge, multiclass_hinge, cosine_distance,
    )
}
# fmt: on

# ---- parts -----------------------------------------------------------------------------------------------------------


def _two_terms(p: Any, t: Any) -> Any:
    """-(t log p + (1 - t) log(1 - p)); log1p does not round p away where it is small."""
    return -(_times_log(t, p) + (1.0 - t) * log1p(-where(_is_zero(1.0 - t, 1.0 - p), 0.0, p)))


def _two_terms_of_logit(z: Any, t: Any) -> Any:
    return t * softplus(-z) + (1.0 - t) * softplus(z)


def _times_log(x: Any, y: Any) -> Any:
    """x log y, and 0 if both are 0: then ``log`` never sees the 0, and nothing flows, so there is no 0 · inf."""
    return x * log(where(_is_zero(x, y), 1.0, y))


def _is_zero(x: Any, y: Any) -> Any:
    """1 where both numbers are 0, else 0; an operation, where ``if`` would be frozen into a program."""
    return abs(x) + abs(y) <= 0.0


def _direction(vector: Sequence[Any]) -> list[Any]:
    length = norm(vector)
    return [div(x, length) for x in vector]


def _numbers(predictions: Any, targets: Any) -> list[tuple[Any, Any]]:
    """Each number with its target."""
    sizes = shape(predictions)
    if sizes != (others := shape(targets)):
        hint = LABELS_ALONE if len(sizes) == 2 and len(others) == 1 else ""
        raise ValueError(f"predictions and targets must have the same shape, got {sizes} and {others}{hint}")
    if not all(size > 0 for size in sizes):
        raise ValueError(f"predictions are n numbers, or n lists of k numbers, got the shape {sizes}")
    return [(p, t) for (_, p), (_, t) in zip(flatten(predictions), flatten(targets), strict=True)]


def _probable(pairs: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """The same. Raises ValueError if a target, as far as it is no Value, is not from 0 to 1."""
    return _checked(pairs, lambda t: 0.0 <= t <= 1.0, "from 0 to 1")


def _signed(pairs: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Likewise, if one is not -1 or 1."""
    return _checked(pairs, lambda t: t in (-1.0, 1.0), "-1 and 1 (of labels that are 0 and 1, 2 * label - 1)")


def _checked(pairs: list[tuple[Any, Any]], good: Callable[[Any], bool], said: str) -> list[tuple[Any, Any]]:
    for _, t in pairs:
        if isinstance(t, Real) and not good(t):
            raise ValueError(f"this loss takes targets {said}, got {shown(t)}")
    return pairs


def _rows(predictions: Any, targets: Any) -> list[list[tuple[Any, Any]]]:
    """The numbers of each example, each with its target."""
    pairs, sizes = _numbers(predictions, targets), shape(predictions)
    if len(sizes) != 2:
        raise ValueError(f"this loss takes a list of k numbers for each example, got the shape {sizes}")
    return [pairs[i : i + sizes[1]] for i in range(0, len(pairs), sizes[1])]
