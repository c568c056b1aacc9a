"""The best independent knowledge there is of an operation at a point: mpmath's, else that of differences of floats."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from threading import RLock
from types import ModuleType
from typing import Any, NamedTuple

from ..op import Op
from .differences import COMPLEX, central, complex_step
from .errors import BlackBoxError, UndecidedError, UndefinedError

EXACT_VALUES = "mpmath values at two precisions"
EXACT_SLOPES = "mpmath differences at two precisions"
BITS = 400  # 120 digits
FORWARD_ITSELF = "the forward function itself"


class Found(NamedTuple):
    """A number that the engine had no part in.

    Args:
        value: the number, mpmath's or a float.
        error: a bound on its distance to the exact one, likewise; inf if nothing is known.
        how: where it comes from, in words.
    """

    value: Any
    error: Any
    how: str


UNKNOWN = Found(math.nan, math.inf, "")


@cache
def mpmath_oracle() -> ModuleType | None:
    """The module ``oracle``, or None where mpmath is missing."""
    try:
        from . import oracle
    except ImportError:
        return None
    return oracle


def asked(oracle: Callable[..., Found], *question: Any) -> Found | None:
    """What one of the two functions below knows, if it knows anything."""
    try:
        found = oracle(*question)
    except (UndefinedError, UndecidedError):
        return None
    return found if found.error < math.inf else None


def exactly(x: float) -> Any:
    """``x`` as the number that the truth is computed with."""
    oracle = mpmath_oracle()
    return x if oracle is None else oracle.mpf(x)


ONE_AT_A_TIME = RLock()
"""The precision of mpmath is the same for all threads."""


@contextmanager
def many_digits() -> Iterator[None]:
    """What is computed inside has 120 digits, if mpmath is there; meanwhile, other threads wait here."""
    oracle = mpmath_oracle()
    with ONE_AT_A_TIME, nullcontext() if oracle is None else oracle.mp.workprec(BITS):
        yield


def local_oracle(op: Op, inputs: Sequence[Any], *by: int) -> Found:
    """∂op/∂input of the input at that place, at floats or mpmath's numbers (rounded to floats where it is missing).

    Several places give a derivative of higher order, which only mpmath knows.

    Raises:
        UndefinedError: the operation has no real value there.
        UndecidedError: two precisions do not agree.

    >>> from autograd import OPS
    >>> found = local_oracle(OPS["tanh"], [0.0], 0)
    >>> float(found.value)
    1.0
    """
    oracle = mpmath_oracle()
    if oracle is not None:
        try:
            slope, error = oracle.with_error(op, inputs, tuple([by.count(i) for i in range(len(inputs))]))
            return Found(slope, error, EXACT_SLOPES)
        except BlackBoxError:
            pass
    if len(by) > 1:
        return UNKNOWN
    floats = [float(x) for x in inputs]
    if oracle is None and op.name in COMPLEX and op.smooth(*floats):
        slope, error = complex_step(op, floats, *by)
        if math.isfinite(error):
            return Found(slope, error, "complex step")
    slope, error = central(op, floats, *by)
    return Found(slope, error, "central differences")


def terms_that_matter(op: Op, inputs: Sequence[Any]) -> list[tuple[Sequence[Any], int]]:
    """For each input, what ∂op/∂input depends on, and its place therein.

    Of a long list that is one term of a sum, and for logsumexp one number that stands for all others: so that all
    derivatives together take linear time.
    """
    if op.name == "sum":
        return [((x,), 0) for x in inputs]
    if op.name == "dot":
        half = len(inputs) // 2
        return [(inputs[i % half :: half], i // half) for i in range(len(inputs))]
    oracle = mpmath_oracle()
    if op.name == "logsumexp" and oracle is not None:
        return [((x, rest), 0) for x, rest in zip(inputs, oracle.rests(inputs), strict=True)]
    return [(inputs, i) for i in range(len(inputs))]


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
    slopes = [central(op, floats, i) for i in range(len(floats) - op.orders)]
    spread = math.fsum(abs(x) * (abs(slope) + error) for x, (slope, error) in zip(floats, slopes, strict=False) if x)
    return Found(out, 4.0 * (math.ulp(out) + math.ulp(1.0) * spread), FORWARD_ITSELF)
