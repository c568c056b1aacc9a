"""Metrics: what people ask of a classifier, of outputs that are logits. scikit-learn has all the others, of labels."""

from __future__ import annotations

from collections.abc import Callable
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from .tensors import floats

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

Metric = Callable[[Any, Any], float]


def accuracy(predictions: Any, targets: Any, threshold: float = 0.0) -> float:
    """The share of examples whose class is predicted.

    Args:
        predictions: (n, k) scores of k classes, the greatest of which is predicted (the first, if some tie); or (n,)
            scores of two classes, of which the second is predicted above the threshold. (n, 1) is taken as (n,).
        targets: of the same shape; (n, k) rows with a single 1 (or another number above the others: the most probable
            class), or (n,) labels, 0 and 1 or -1 and 1.
        threshold: 0 for logits; 0.5 for probabilities: ``functools.partial(accuracy, threshold=0.5)``.

    Raises:
        TypeError: they are no real numbers.
        ValueError: the shapes differ, or there are no examples; a prediction is nan, or a target no such class.

    >>> accuracy([[2.0, 1.0], [0.0, 3.0]], [[1, 0], [1, 0]])
    0.5
    >>> accuracy([2.0, -1.0, 0.5], [1, -1, -1]) == accuracy([2.0, -1.0, 0.5], [1, 0, 0]) == 2 / 3
    True
    """
    predicted, true, _ = _classes(predictions, targets, threshold)
    return float((predicted == true).mean())


def confusion_matrix(predictions: Any, targets: Any, threshold: float = 0.0) -> Array:
    """How many examples of each class (row) are predicted to be of each class (column), whole numbers, (k, k).

    Args:
        predictions: as of ``accuracy``.
        targets: likewise.
        threshold: likewise.

    Raises:
        TypeError, ValueError: likewise.

    >>> confusion_matrix([2.0, -1.0, 0.5], [1, 0, 0])
    array([[1, 1],
           [0, 1]])
    """
    import numpy as np

    predicted, true, k = _classes(predictions, targets, threshold)
    return np.bincount(k * true + predicted, minlength=k * k).reshape(k, k)


def _classes(predictions: Any, targets: Any, threshold: float) -> tuple[Array, Array, int]:
    """The class that is predicted of each example, (n,), the true one, (n,), and how many classes there are."""
    import numpy as np

    scores, truth = floats(predictions), floats(targets)
    scores, truth = (each[:, 0] if each.ndim == 2 and each.shape[1] == 1 else each for each in (scores, truth))
    if scores.shape != truth.shape or scores.ndim not in (1, 2) or not scores.size:
        raise ValueError(
            "predictions and targets are n scores, or n rows of k scores, and as many labels, "
            f"got the shapes {np.shape(predictions)} and {np.shape(targets)}"
        )
    if np.isnan(scores).any():
        raise ValueError("a prediction is nan")
    if scores.ndim == 1:
        labels = np.unique(truth).tolist()
        if not any(set(labels) <= pair for pair in ({0.0, 1.0}, {-1.0, 1.0})):
            raise ValueError(f"targets of two classes are 0 and 1, or -1 and 1, got {shown(labels)}")
        return (scores > threshold).astype(int), (truth > 0.0).astype(int), 2
    greatest = truth == truth.max(axis=1, keepdims=True)
    if not (greatest.sum(axis=1) == 1).all():
        raise ValueError("a target of k classes is a row with a single 1, or at least with one number above the others")
    return scores.argmax(axis=1), greatest.argmax(axis=1), scores.shape[1]
