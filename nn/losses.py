"""Losses: functions of predictions and targets that say with one number how wrong a model is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd import mean

from .tensors import flatten, shape

Loss = Callable[[Sequence[Any], Sequence[Any]], Any]


def mse(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The mean squared error, Σ (prediction - target)² / n, over all numbers.

    Args:
        predictions: n numbers, or n lists of k numbers.
        targets: of the same shape.

    Raises:
        ValueError: they are empty, or their shapes differ.

    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    return mean([(p - t) ** 2 for p, t in _pairs(predictions, targets)])


def _pairs(predictions: Any, targets: Any) -> list[tuple[Any, Any]]:
    """Each prediction with its target."""
    if shape(predictions) != shape(targets):
        raise ValueError(
            f"predictions and targets must have the same shape, got {shape(predictions)} and {shape(targets)}"
        )
    return [(p, t) for (_, p), (_, t) in zip(flatten(predictions), flatten(targets), strict=True)]
