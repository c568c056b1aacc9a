"""How far a row's numbers are from the truth, in the unit in which docs/design.md promises: 4 of them at most.

Every value and every local derivative is within 4·max(1, κ) ULP, κ being the condition number of the quantity itself;
within plain 4 ULP where ``PLAIN`` says so; sums and dots within 4 ULP of the sum of their terms' magnitudes.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from mpmath import mp, mpf

from ..op import Op
from . import oracle
from .errors import BlackBoxError, UndefinedError
from .points import Point
from .truth import EXACT_SLOPES, EXACT_VALUES, Found, local_oracle

PROMISE = 4.0
PLAIN = {"add", "sub", "mul", "div", "neg", "pow", "sqrt", "exp", "expm1", "log", "log1p"}
PLAIN |= {"sin", "cos", "tan", "tanh", "sigmoid", "softplus"}
SUMS = {"sum", "dot"}


class Deviation(NamedTuple):
    """How far a number is from the truth.

    Args:
        error: in units of the promise.
        point: the inputs.
        got: the number; inf if it was too large to compute, nan if that failed otherwise.
        expected: the truth, an mpmath number, or None if there is none.
        is_exact: whether the truth is, rather than what central differences show.
    """

    error: float
    point: Point
    got: float
    expected: Any
    is_exact: bool = True

    def __str__(self) -> str:
        if self.expected is None:
            expected = "no real value"
        elif not self.expected or abs(mp.mag(self.expected)) < 2000:
            expected = mp.nstr(self.expected, 20)
        else:  # the decimal digits of its exponent may be too many to find
            expected = f"{'-' if self.expected < 0 else ''}2^{mp.mag(self.expected)}, nearly"
        return f"got       {self.got!r}\nexpected  {expected}"


def unit_of(op: Op) -> str:
    """The unit of the promise, in words."""
    return "ULP of the terms" if op.name in SUMS else "ULP" if op.name in PLAIN else "ULP·max(1, κ)"


def value_deviation(op: Op, point: Point) -> Deviation | None:
    """Of the value; an infinite error if it exists and is not given, or is given and does not exist.

    None where there is nothing to compare: neither exists, or the forward function is a black box.
    """
    if op.name in {*oracle.DERIVATIVES, "atan2"} and point[0] == 0.0 and not op.smooth(*point):
        return None  # a derivative at a kink or an end of the domain, or a cut whose side depends on the sign of a zero
    try:
        truth = oracle.value(op, point)
    except UndefinedError:
        truth = None
    except BlackBoxError:
        return None
    got: float | None
    try:
        got = op.evaluate(point)
    except OverflowError:
        got = None
    except (ValueError, ZeroDivisionError):
        return None if truth is None else Deviation(math.inf, point, math.nan, truth)
    if truth is None:
        return Deviation(math.inf, point, got, None) if got is not None and math.isfinite(got) else None
    return _deviation(op, got, point, (0,) * len(point), Found(truth, mpf(0), EXACT_VALUES))


def local_deviations(op: Op, point: Point) -> list[Deviation | None]:
    """Of the local derivative of each input but those that select a member of a family; no flow back counts as 0.

    None where there is nothing to compare: at a kink, and where the value does not exist.
    """
    free = len(point) - op.orders
    nothing: list[Deviation | None] = [None] * free
    try:
        out = op.evaluate(point)
    except (ArithmeticError, ValueError):
        return nothing
    if not op.smooth(*point) and op.name != "where":  # where has a kink in c only, to which nothing flows
        return nothing
    wanted = [i < free for i in range(len(point))]
    try:
        found = [local or 0.0 for local in op.local_derivatives(point, out, wanted)]
    except OverflowError:
        found = [None] * len(point)
    except (ArithmeticError, ValueError):
        found = [math.nan] * len(point)
    return [local_deviation(op, found[i], point, i) for i in range(free)]


def local_deviation(op: Op, got: float | None, point: Point, i: int) -> Deviation | None:
    """Of ``got`` as the local derivative of the i-th input, None if it overflowed; None if nothing is known of it."""
    truth = local_oracle(op, point, i)
    if truth.error == math.inf:
        return None
    return _deviation(op, got, point, oracle.once(i, len(point)), truth)


def _deviation(op: Op, got: float | None, point: Point, orders: oracle.Orders, truth: Found) -> Deviation:
    expected = mp.convert(truth.value)
    got = math.copysign(math.inf, expected) if got is None else float(got)
    unit = oracle.ulp(expected)
    if op.name in SUMS and not any(orders):
        unit = oracle.ulp(_magnitude_of_terms(op, point))
    error = max(mpf(0), oracle.error(got, expected) - truth.error)
    is_exact = truth.how in (EXACT_VALUES, EXACT_SLOPES)
    depends = is_exact and op.name not in PLAIN | SUMS
    if depends and PROMISE * unit < error < mp.inf and op.smooth(*point):
        # κ is costly, so it is found only where it matters.
        # κ ULP are spread · ulp(f) / |f|. That quotient is between 2^-53 and 2^-52; where f is 0, we take the less.
        spread = oracle.spread(op, point, orders)
        unit = max(unit, spread * unit / abs(expected) if expected else mp.ldexp(spread, -53))
    return Deviation(float(error / unit), point, got, expected, is_exact)


def _magnitude_of_terms(op: Op, point: Point) -> mpf:
    half = len(point) // 2
    pairs = zip(point[:half], point[half:], strict=True) if op.name == "dot" else [(x, 1.0) for x in point]
    return mp.fsum(abs(mpf(x) * y) for x, y in pairs)
