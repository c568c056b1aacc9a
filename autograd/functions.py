"""Functions composed of operations, without rows of their own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from reprlib import repr as shown
from typing import Any

from . import ops


def mean(xs: Iterable[Any]) -> Any:
    """The mean of a list of numbers, Σ x / n. Raises ValueError for an empty list.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    xs = _some(xs, "mean")
    return ops.sum(xs) / len(xs)


def softmax(xs: Iterable[Any]) -> list[Any]:
    """The probabilities e^x / Σ e^x, without overflow. Raises ValueError for an empty list.

    >>> softmax([1000.0, 1000.0])
    [0.5, 0.5]
    """
    xs = _some(xs, "softmax")
    return ops.shares(xs, ops.logsumexp(xs))


def log_softmax(xs: Iterable[Any]) -> list[Any]:
    """The logarithms of the softmax, x - log Σ e^x. Raises ValueError for an empty list.

    >>> log_softmax([-1000.0, 0.0])
    [-1000.0, 0.0]
    """
    xs = _some(xs, "log_softmax")
    out = ops.logsumexp(xs)
    return [ops.difference(x, out) for x in xs]


def norm(xs: Iterable[Any]) -> Any:
    """The Euclidean length of a vector, by ``hypot``: no overflow, and the gradient 0 at 0.

    Raises ValueError for an empty list.

    >>> norm([3.0, 4.0, 12.0])
    13.0
    """
    first, *rest = _some(xs, "norm")
    return reduce(ops.hypot, rest, ops.abs(first))


def _some(xs: Iterable[Any], what: str) -> list[Any]:
    if not isinstance(xs, Iterable):
        raise TypeError(f"the {what} is that of a list of numbers, got {shown(xs)}")
    found = list(xs)
    if not found:
        raise ValueError(f"the {what} of no numbers is not defined")
    return found
