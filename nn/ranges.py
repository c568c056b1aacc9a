"""Ranges: what a setting that is a number may be, and the error where it is not."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral, Real
from reprlib import repr as shown


def positive(name: str, value: float) -> float:
    """``value`` as a float. Raises ValueError unless it is a finite number greater than 0.

    >>> positive("learning_rate", 1)
    1.0
    """
    return number(name, value, lambda x: x > 0, "greater than 0")


def nonnegative(name: str, value: float) -> float:
    """``value`` as a float. Raises ValueError unless it is a finite number of at least 0."""
    return number(name, value, lambda x: x >= 0, "of at least 0")


def fraction(name: str, value: float) -> float:
    """``value`` as a float. Raises ValueError unless it is a number in [0, 1)."""
    return number(name, value, lambda x: 0 <= x < 1, "in [0, 1)")


def number(name: str, value: float, good: Callable[[float], bool], what: str) -> float:
    """``value`` as a float. Raises ValueError, in the words of ``what``, unless it is a finite number and ``good``."""
    if not isinstance(value, Real) or not math.isfinite(value) or not good(float(value)):
        raise ValueError(f"{name} must be a number {what}, got {shown(value)}")
    return float(value)


def whole(name: str, value: int, least: int, most: int | None = None) -> int:
    """``value`` as an int. Raises ValueError unless it is a whole number, also one of NumPy's, in this range.

    >>> whole("batch_size", 32, least=1)
    32
    """
    good = isinstance(value, Integral) and not isinstance(value, bool)
    if not good or value < least or (most is not None and value > most):
        range_ = f"of at least {least}" if most is None else f"from {least} to {most:,}"
        raise ValueError(f"{name} must be a whole number {range_}, got {shown(value)}")
    return int(value)
