"""Derivatives from values alone, in floats: for where there is no mpmath, or a function that computes in floats only.

Each comes with a bound on its error. That of the complex step is near the rounding of a float. That of central
differences rests on what they show of themselves, and is about 1e-10 of the derivative at best.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from ..op import Op

Estimate = tuple[float, float]
"""A derivative, and a bound on its error; the bound is inf if nothing is known."""

NOTHING: Estimate = (math.nan, math.inf)

# ---- the complex step ----------------------------------------------------------------------------------------------


def _sigmoid(z: complex) -> complex:
    if z.real > 0.0:
        return 1.0 / (1.0 + cmath.exp(-z))
    return cmath.exp(z) / (1.0 + cmath.exp(z))


def _softplus(z: complex) -> complex:
    return z + cmath.log(1.0 + cmath.exp(-z)) if z.real > 0.0 else cmath.log(1.0 + cmath.exp(z))


def _logsumexp(*zs: complex) -> complex:
    greatest = max(z.real for z in zs)
    return greatest + cmath.log(sum(cmath.exp(z - greatest) for z in zs))


def _hypot(x: complex, y: complex) -> complex:
    greatest = max(abs(x.real), abs(y.real))
    return greatest * cmath.sqrt((x / greatest) ** 2 + (y / greatest) ** 2)


def _quotient(x: complex, y: complex, n: float) -> complex:
    for _ in range(int(n)):  # no power of y on the way that leaves the range
        x = x / y
    return x


def _dot(*xs_then_ys: complex) -> complex:
    half = len(xs_then_ys) // 2
    return sum((x * y for x, y in zip(xs_then_ys[:half], xs_then_ys[half:], strict=True)), 0j)


# The imaginary part of each is right to some ULP beside the real axis: no digit of it cancels.
COMPLEX: dict[str, Callable[..., complex]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg": lambda x: -x,
    "abs": lambda x: x if x.real > 0.0 else -x,
    "pow": lambda x, y: x**y,
    "exp": cmath.exp,
    "expm1": lambda x: cmath.exp(x) - 1.0,
    "log": cmath.log,
    "log1p": lambda x: cmath.log(1.0 + x),
    "sqrt": cmath.sqrt,
    "sin": cmath.sin,
    "cos": cmath.cos,
    "tan": cmath.tan,
    "asin": cmath.asin,
    "acos": cmath.acos,
    "atan": cmath.atan,
    "sinh": cmath.sinh,
    "cosh": cmath.cosh,
    "tanh": cmath.tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "softsign": lambda x: 1.0 - 1.0 / (1.0 + x) if x.real > 0.0 else 1.0 / (1.0 - x) - 1.0,
    "relu": lambda x: x if x.real > 0.0 else 0j,
    "leaky_relu": lambda x: x if x.real > 0.0 else 0.01 * x,
    "elu": lambda x: x if x.real > 0.0 else cmath.exp(x) - 1.0,
    "maximum": lambda x, y: x if x.real > y.real else y,
    "minimum": lambda x, y: x if x.real < y.real else y,
    "hypot": _hypot,
    "logaddexp": _logsumexp,
    "where": lambda c, x, y: x if c.real else y,
    "sum": lambda *xs: sum(xs, 0j),
    "dot": _dot,
    "logsumexp": _logsumexp,
    "difference": lambda x, y: x - y,
    "quotient": _quotient,
    "tanh_derivative": lambda x: 1.0 / cmath.cosh(x) ** 2,
}
"""The rows that are analytic wherever they are smooth, and whose complex form the standard library has."""

STEP = -200  # so small, as a power of 2, that its square is nothing beside 1
ROUNDINGS = 1024.0  # ULP: the worst of them round exponents of up to 745
LEAST, MOST = 2.0**-150, 2.0**150  # outside, products with the step may leave the range of floats


def complex_step(op: Op, inputs: Sequence[float], i: int) -> Estimate:
    """∂op/∂input of the i-th input, as the imaginary part of the operation beside the real axis.

    f(x + ih) = f(x) + ih·f′(x) - …, and nothing is subtracted (Squire and Trapp, *SIAM Review* 40, 1998).

    Raises:
        KeyError: ``COMPLEX`` has no such row.
    """
    function = COMPLEX[op.name]
    if not all(LEAST < abs(x) < MOST for x in inputs if x):
        return NOTHING
    step = math.ldexp(_size(inputs, i), STEP)
    moved: list[complex] = [complex(x, step) if j == i else x for j, x in enumerate(inputs)]
    try:
        found = function(*moved).imag / step
    except (ValueError, ArithmeticError):
        return NOTHING
    return (found, ROUNDINGS * (math.ulp(found) + SMALLEST_NORMAL / step)) if math.isfinite(found) else NOTHING


def _size(inputs: Sequence[float], i: int) -> float:
    """min(1, |x|), over which functions bend; where x is 0, of the least of the others."""
    sizes = [abs(x) for x in inputs if x]
    return min(1.0, abs(inputs[i]) if inputs[i] else min(sizes, default=1.0))


# ---- central differences -------------------------------------------------------------------------------------------

SMALLEST, SMALLEST_NORMAL = 2.0**-1074, 2.0**-1022
NOISE = 2.0**-49  # 4·max(1, κ) ULP at each end, as the rows promise


def central(op: Op, inputs: Sequence[float], i: int) -> Estimate:
    """∂op/∂input of the i-th input, by central differences of many steps, extrapolated to step 0 (Richardson 1911).

    The bound is how far neighbouring steps are apart, and what rounding may do. Longer steps are tried until they
    contradict the shorter, or show nothing but a bend, so that no kink is missed that the shorter see. It is not
    proved: a kink may be nearer than the shortest step, and a function may wriggle between the points.
    """
    if _size(inputs, i) < LEAST:
        return NOTHING
    best = NOTHING
    for found, bound in _extrapolated(list(_slopes(op, inputs, i))):
        if abs(found - best[0]) > bound + best[1] or bound > 100.0 * best[1]:
            break
        if bound < best[1]:
            best = found, bound
    return best


def _extrapolated(slopes: list[Estimate]) -> Iterator[Estimate]:
    """Slopes without their error of second order, the next three of each compared."""
    richer = [(fine + (fine - coarse) / 3.0, noise) for (fine, noise), (coarse, _) in pairwise(slopes)]
    for (one, most), (found, _), (other, _) in zip(richer, richer[1:], richer[2:], strict=False):
        yield found, 2.0 * (abs(found - one) + abs(found - other) + most)


def _slopes(op: Op, inputs: Sequence[float], i: int) -> Iterator[Estimate]:
    """Slopes over ever longer steps, from 2^-24 of what matters to 1/4, with what rounding may do to each."""
    x = inputs[i]
    for exponent in range(math.frexp(_size(inputs, i))[1] - 24, -1):
        step = math.ldexp(1.0, exponent)
        up, down = x + step, x - step
        try:
            above, below = (op.evaluate((*inputs[:i], end, *inputs[i + 1 :])) for end in (up, down))
            slope = (above - below) / (up - down)
        except (ValueError, ArithmeticError):
            continue
        if math.isfinite(slope):
            rounding = NOISE * (max(abs(above), abs(below)) + abs(x * slope)) + SMALLEST
            yield slope, rounding / (up - down)
