"""The best independent knowledge there is of an operation at a point: mpmath's, else that of differences of floats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from ..op import Op
from .differences import COMPLEX, central, complex_step
from .errors import BlackBoxError, UndefinedError
from .points import parameters

EXACT_VALUES = "mpmath values at two precisions"
EXACT_SLOPES = "mpmath differences at two precisions"
FORWARD_ITSELF = "the forward function itself"


@dataclass(frozen=True)
class Found:
    """A number that the engine had no part in.

    Args:
        value: the number, mpmath's or a float.
        error: a bound on its distance to the exact one, likewise; inf if nothing is known.
        how: where it comes from, in words.
    """

    value: Any
    error: Any
    how: str


@cache
def mpmath_oracle() -> ModuleType | None:
    """The module ``oracle``, or None where mpmath is missing."""
    try:
        from . import oracle
    except ImportError:
        return None
    return oracle


def local_oracle(op: Op, inputs: Sequence[Any], i: int) -> Found:
    """∂op/∂input of the i-th input at ``inputs``, floats or mpmath's numbers (rounded to floats where it is missing).

    Raises:
        UndefinedError: the operation has no real value there.
        UndecidedError: two precisions do not agree.

    >>> from autograd import OPS
    >>> found = local_oracle(OPS["tanh"], [0.0], 0)
    >>> float(found.value)
    1.0
    """
    inputs, i = _terms_that_matter(op, inputs, i)
    oracle = mpmath_oracle()
    if oracle is not None:
        try:
            slope, error = oracle.with_error(op, inputs, oracle.once(i, len(inputs)))
            return Found(slope, error, EXACT_SLOPES)
        except BlackBoxError:
            pass
    floats = [float(x) for x in inputs]
    if oracle is None and op.name in COMPLEX and op.smooth(*floats):
        slope, error = complex_step(op, floats, i)
        if math.isfinite(error):
            return Found(slope, error, "complex step")
    slope, error = central(op, floats, i)
    return Found(slope, error, "central differences")


def _terms_that_matter(op: Op, inputs: Sequence[Any], i: int) -> tuple[Sequence[Any], int]:
    """What ∂op/∂input depends on: of a sum of many terms only one, so that long lists take no quadratic time."""
    if op.name == "sum":
        return inputs[i : i + 1], 0
    if op.name == "dot":
        half = len(inputs) // 2
        return inputs[i % half :: half], i // half
    return inputs, i


def value_oracle(op: Op, inputs: Sequence[Any]) -> Found:
    """The value of ``op`` at ``inputs``, likewise, and raising the same.

    Where nothing better is known it is that of the forward function, and the bound what every row promises:
    4·max(1, κ) ULP, κ being the condition number.
    """
    oracle = mpmath_oracle()
    if oracle is not None:
        try:
            out, error = oracle.with_error(op, inputs)
            return Found(out, error, EXACT_VALUES)
        except BlackBoxError:
            pass
    floats = tuple([float(x) for x in inputs])
    try:
        out = op.evaluate(floats)
    except (ValueError, ArithmeticError) as error:
        raise UndefinedError(str(error)) from error
    slopes = [central(op, floats, i) for i in range(len(floats) - parameters(op))]
    spread = math.fsum(abs(x) * (abs(slope) + error) for x, (slope, error) in zip(floats, slopes, strict=False) if x)
    return Found(out, 4.0 * (math.ulp(out) + math.ulp(1.0) * spread), FORWARD_ITSELF)
