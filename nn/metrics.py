"""Metrics: what people ask of a classifier, of outputs that are logits. scikit-learn has all the others, of labels."""

from __future__ import annotations

from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from .tensors import LABELS_ALONE, floats

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


def accuracy(predictions: Any, targets: Any, threshold: float | None = None) -> float:
    """The share of examples whose class is predicted.

    Args:
        predictions: (n, k) scores of k classes, the greatest of which is predicted (the first, if some tie); or (n,)
            scores of two classes, of which the second is predicted above the threshold. (n, 1) is taken as (n,).
        targets: of the same shape; (n, k) rows with a single 1 (or another number above the others: the most probable
            class), or (n,) labels, 0 and 1 or -1 and 1.
        threshold: of (n,) scores. With labels -1 and 1 it is 0 if not given. Labels 0 and 1 (or 1 alone) do not say
            what the scores are, so it must be: 0 for logits, 0.5 for probabilities and for numbers that are fitted to
            the labels. As a metric of ``fit``, ``functools.partial(accuracy, threshold=0.5)``.

    Raises:
        TypeError: they are no real numbers.
        ValueError: the shapes differ, or there are no examples; a prediction is nan, or a target no such class; there
            is no threshold where there must be one.

    >>> accuracy([[2.0, 1.0], [0.0, 3.0]], [[1, 0], [1, 0]])
    0.5
    >>> accuracy([2.0, -1.0, 0.5], [1, -1, -1]) == accuracy([2.0, -1.0, 0.5], [1, 0, 0], threshold=0.0) == 2 / 3
    True
    """
    predicted, true, _ = _classes(predictions, targets, threshold)
    return float((predicted == true).mean())


def confusion_matrix(predictions: Any, targets: Any, threshold: float | None = None) -> Array:
    """How many examples of each class (row) are predicted to be of each class (column), whole numbers, (k, k).

    Args:
        predictions: as of ``accuracy``.
        targets: likewise.
        threshold: likewise.

    Raises:
        TypeError, ValueError: likewise.

    >>> confusion_matrix([2.0, -1.0, 0.5], [1, 0, 0], threshold=0.0)
    array([[1, 1],
           [0, 1]])
    """
    import numpy as np

    predicted, true, k = _classes(predictions, targets, threshold)
    return np.bincount(k * true + predicted, minlength=k * k).reshape(k, k)


def _classes(predictions: Any, targets: Any, threshold: float | None) -> tuple[Array, Array, int]:
    """The class that is predicted of each example, (n,), the true one, (n,), and how many classes there are."""
    import numpy as np

    scores, truth = floats(predictions), floats(targets)
    scores, truth = (each[:, 0] if each.ndim == 2 and each.shape[1] == 1 else each for each in (scores, truth))
    if scores.shape != truth.shape or scores.ndim not in (1, 2) or not scores.size:
        labels_alone = scores.ndim == 2 and truth.ndim == 1
        raise ValueError(
            "predictions and targets are n scores, or n rows of k scores, and as many labels, got the shapes "
            f"{np.shape(predictions)} and {np.shape(targets)}{LABELS_ALONE if labels_alone else ''}"
        )
    if np.isnan(scores).any():
        raise ValueError("a prediction is nan")
    if scores.ndim == 1:
        labels = np.unique(truth).tolist()
        if not any(set(labels) <= pair for pair in ({0.0, 1.0}, {-1.0, 1.0})):
            raise ValueError(
                f"with one score each, targets are of two classes, 0 and 1, or -1 and 1, got {shown(labels)}; of k "
                "classes, give rows of k"
            )
        if threshold is None and -1.0 not in labels:
            raise ValueError(
                "with one score each and targets 0 and 1 a threshold must be given: 0 for logits, 0.5 for "
                "probabilities and for numbers fitted to the targets, functools.partial(accuracy, threshold=0.5)"
            )
        return (scores > (threshold or 0.0)).astype(int), (truth > 0.0).astype(int), 2
    greatest = truth == truth.max(axis=1, keepdims=True)
    if not (greatest.sum(axis=1) == 1).all():
        raise ValueError("a target of k classes is a row with a single 1, or at least with one number above the others")
    return scores.argmax(axis=1), greatest.argmax(axis=1), scores.shape[1]
