"""The table of operations: one row an operation, with all that is known about it.

A row is ``operation(name, forward on floats, one local derivative ∂out/∂input per input, ...)``. The local derivatives
are written with the operations themselves, in terms of the inputs and ``out``: so the same rule gives the first
derivative (on floats), any higher derivative (on Values), forward mode (on duals) and the formula (on symbols). Rules
are straight lines: every choice between cases is made in a forward function, in ``elementary.py``.

Rules are written for accuracy, not only for algebra: tanh' is computed as 4·sigmoid'(2x), because 1 - tanh(x)² is 0 at
x = 20, where the truth is 1.7e-17. docs/design.md states what is promised; tests/test_accuracy.py holds every row to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

from . import elementary as el
from .op import REALS, nowhere, operation, seal

POSITIVE = (0.0, math.inf)
UNIT = (-1.0, 1.0)
HALF_LINE = (-1.0, math.inf)


def nonzero(x: float) -> bool:
    """Smooth everywhere but at 0."""
    return x != 0.0


def distinct(x: float, y: float) -> bool:
    """Smooth everywhere but at a tie."""
    return x != y


def off_origin(x: float, y: float) -> bool:
    """Smooth everywhere but at (0, 0)."""
    return bool(x or y)


def inside_unit(x: float) -> bool:
    """Smooth in the open interval (-1, 1)."""
    return -1.0 < x < 1.0


def positive(x: float, *others: float) -> bool:
    """Smooth where the first input is positive."""
    return x > 0.0


def at_zero(low: float, high: float) -> tuple[float, ...]:
    """It turns at 0."""
    return (0.0,) if low < 0.0 < high else ()


# The names are those of the mathematics, some of them Python's own: abs, pow and sum are operations from here on.
# fmt: off

# ---- arithmetic ----------------------------------------------------------------------------------------------------
#                name   forward                  ∂out/∂x                  ∂out/∂y
add = operation("add",  lambda x, y: x + y,      lambda x, y, out: 1.0,   lambda x, y, out: 1.0,
                doc="x + y.", prints="{} + {}", precedence=1)
sub = operation("sub",  lambda x, y: x - y,      lambda x, y, out: 1.0,   lambda x, y, out: -1.0,
                doc="x - y.", prints="{} - {}", precedence=1)
mul = operation("mul",  lambda x, y: x * y,      lambda x, y, out: y,     lambda x, y, out: x,
                doc="x · y.", prints="{} * {}", precedence=2)
div = operation("div",  lambda x, y: x / y,      lambda x, y, out: 1 / y, lambda x, y, out: -quotient(x, y, 2.0),
                doc="x / y.", prints="{} / {}", precedence=2)
neg = operation("neg",  lambda x: -x,            lambda x, out: -1.0,
                doc="-x.", prints="-{}", precedence=3)
abs = operation("abs",  math.fabs,               lambda x, out: gt(x, 0.0) - lt(x, 0.0),
                ulps=0, turns=at_zero, doc="|x|; its derivative at 0 is 0.", smooth=nonzero, special=((0.0,),))
pow = operation("pow",  math.pow,
                lambda x, y, out: power_derivative(x, y, 1.0, 0.0),
                lambda x, y, out: power_derivative(x, y, 0.0, 1.0),
                ulps=0.6, turns=at_zero, doc="x ** y, for x > 0, or whole y.", prints="{} ** {}", precedence=4,
                domain=(POSITIVE, REALS), smooth=positive,
                special=((0.0, 0.0), (0.0, 0.5), (0.0, 1.0), (0.0, 2.0), (-2.0, 3.0), (-2.0, 2.0)))

# ---- exponentials and logarithms -----------------------------------------------------------------------------------
exp   = operation("exp",   math.exp,   lambda x, out: out,         ulps=0.6, turns=nowhere, doc="e to the power x.")
expm1 = operation("expm1", math.expm1, lambda x, out: exp(x),      ulps=0.95, turns=nowhere, doc="e^x - 1, accurate near 0.")
log   = operation("log",   math.log,   lambda x, out: 1 / x,       ulps=0.6, turns=nowhere, doc="The natural logarithm.", domain=(POSITIVE,))
log1p = operation("log1p", math.log1p, lambda x, out: 1 / (1 + x), ulps=0.95, turns=nowhere, doc="log(1 + x), accurate near 0.",
                  domain=(HALF_LINE,))
sqrt  = operation("sqrt",  math.sqrt,  lambda x, out: quotient(0.5, out, 1.0), ulps=0.5, turns=nowhere, doc="√x; its derivative at 0 is inf.",
                  domain=(POSITIVE,), smooth=positive, special=((0.0,), (5e-324,)))

# ---- trigonometric and hyperbolic ----------------------------------------------------------------------------------
sin  = operation("sin",  el.sin,    lambda x, out: cos(x),               ulps=0.85, turns=el.turns_of_sin, doc="sin x, x in radians.")
cos  = operation("cos",  el.cos,    lambda x, out: -sin(x),              ulps=0.85, turns=el.turns_of_cos, doc="cos x, x in radians.")
tan  = operation("tan",  el.tan,    lambda x, out: 1 + out * out,        ulps=1, turns=el.turns_of_tan, doc="tan x, x in radians.")
asin = operation("asin", math.asin, lambda x, out: quotient(1.0, sqrt((1 - x) * (1 + x)), 1.0),
                 ulps=0.95, turns=nowhere, doc="The angle in [-π/2, π/2] whose sine is x.", domain=(UNIT,), smooth=inside_unit,
                 special=((-1.0,), (1.0,)))
acos = operation("acos", math.acos, lambda x, out: -quotient(1.0, sqrt((1 - x) * (1 + x)), 1.0),
                 ulps=0.95, turns=nowhere, doc="The angle in [0, π] whose cosine is x.", domain=(UNIT,), smooth=inside_unit,
                 special=((-1.0,), (1.0,)))
atan = operation("atan", math.atan, lambda x, out: atan2_derivative(x, 1.0, 1.0, 0.0),
                 ulps=0.95, turns=nowhere, doc="The angle in (-π/2, π/2) whose tangent is x.")
sinh = operation("sinh", math.sinh, lambda x, out: cosh(x),              ulps=2, turns=nowhere, doc="(e^x - e^-x) / 2.")
cosh = operation("cosh", math.cosh, lambda x, out: sinh(x),              ulps=2, turns=at_zero, doc="(e^x + e^-x) / 2.")
tanh = operation("tanh", math.tanh, lambda x, out: tanh_derivative(x),
                 ulps=2.3, turns=nowhere, doc="(e^x - e^-x) / (e^x + e^-x).", special=((20.0,), (1000.0,), (-1000.0,)))

# ---- activations ---------------------------------------------------------------------------------------------------
sigmoid    = operation("sigmoid", el.sigmoid,   lambda x, out: sigmoid_derivative(x),
                       ulps=2.6, turns=nowhere, doc="1 / (1 + e^-x).", special=((40.0,), (1000.0,), (-1000.0,)))
softplus   = operation("softplus", el.softplus, lambda x, out: sigmoid(x),
                       ulps=1.6, turns=nowhere, doc="log(1 + e^x).", special=((1000.0,), (-1000.0,)))
softsign   = operation("softsign", el.softsign, lambda x, out: quotient(1.0, 1 + abs(x), 2.0),
                       ulps=1.5, turns=nowhere, doc="x / (1 + |x|).", smooth=nonzero, special=((0.0,),))
relu       = operation("relu", el.relu,         lambda x, out: gt(x, 0.0),
                       ulps=0, turns=nowhere, doc="max(x, 0); its derivative at 0 is 0 (Nair and Hinton 2010).",
                       smooth=nonzero, special=((0.0,), (-0.0,)))
leaky_relu = operation("leaky_relu", el.leaky_relu, lambda x, out: where(gt(x, 0.0), 1.0, 0.01),
                       ulps=0.5, turns=nowhere, doc="x for x > 0, else 0.01·x; its derivative at 0 is 0.01 (Maas et al. 2013).",
                       smooth=nonzero, special=((0.0,),))
elu        = operation("elu", el.elu,           lambda x, out: exp(minimum(x, 0.0)),
                       ulps=0.95, turns=nowhere, doc="x for x > 0, else e^x - 1 (Clevert et al. 2016).", smooth=nonzero, special=((0.0,),))
silu       = operation("silu", el.silu,         lambda x, out: silu_derivative(x),
                       ulps=2.2, doc="x · sigmoid(x), also called swish (Elfwing et al. 2018).")
gelu       = operation("gelu", el.gelu,         lambda x, out: gelu_derivative(x),
                       ulps=2.5, doc="x · Φ(x), Φ the standard normal distribution (Hendrycks and Gimpel 2016).")
erf        = operation("erf", math.erf,         lambda x, out: erf_derivative(x),
                       ulps=1.5, turns=nowhere, doc="The error function, 2/√π ∫₀ˣ e^(-t²) dt.")
erfc       = operation("erfc", math.erfc,       lambda x, out: -erf_derivative(x),
                       ulps=5.5, turns=nowhere, doc="1 - erf(x), accurate for large x.")

# ---- two inputs ----------------------------------------------------------------------------------------------------
maximum   = operation("maximum", el.maximum,
                      lambda x, y, out: 0.5 * (gt(x, y) + ge(x, y)), lambda x, y, out: 0.5 * (lt(x, y) + le(x, y)),
                      ulps=0, turns=nowhere, doc="The greater of x and y; at a tie the derivative is 1/2 to each.",
                      smooth=distinct, special=((1.0, 1.0), (0.0, -0.0)))
minimum   = operation("minimum", el.minimum,
                      lambda x, y, out: 0.5 * (lt(x, y) + le(x, y)), lambda x, y, out: 0.5 * (gt(x, y) + ge(x, y)),
                      ulps=0, turns=nowhere, doc="The smaller of x and y; at a tie the derivative is 1/2 to each.",
                      smooth=distinct, special=((1.0, 1.0), (0.0, -0.0)))
hypot     = operation("hypot", math.hypot,      lambda x, y, out: hypot_derivative(x, y, 1.0, 0.0), lambda x, y, out: hypot_derivative(x, y, 0.0, 1.0),
                      ulps=1, turns=at_zero, doc="√(x² + y²), without overflow; its derivative at (0, 0) is 0.",
                      smooth=off_origin, special=((0.0, 0.0), (3.0, 0.0)))
atan2     = operation("atan2", math.atan2,      lambda y, x, out: atan2_derivative(y, x, 1.0, 0.0), lambda y, x, out: atan2_derivative(y, x, 0.0, 1.0),
                      ulps=1.6, turns=el.turns_of_atan2, doc="The angle in [-π, π] of the point (x, y), called as atan2(y, x).",
                      smooth=lambda y, x: y != 0.0 or x > 0.0, special=((0.0, 0.0), (0.0, 1.0)))
logaddexp = operation("logaddexp", el.logaddexp,
                      lambda x, y, out: sigmoid(difference(x, y)), lambda x, y, out: sigmoid(difference(y, x)),
                      ulps=1.2, doc="log(e^x + e^y), without overflow.",
                      special=((1.0, 1.0), (-math.inf, -math.inf), (1000.0, -1000.0)))

# ---- choices -------------------------------------------------------------------------------------------------------
lt    = operation("lt", lambda x, y: float(x < y),  None, None, doc="1 where x < y, else 0.", smooth=distinct,
                  prints="({} < {})", special=((1.0, 1.0),))
le    = operation("le", lambda x, y: float(x <= y), None, None, doc="1 where x <= y, else 0.", smooth=distinct,
                  prints="({} <= {})", special=((1.0, 1.0),))
gt    = operation("gt", lambda x, y: float(x > y),  None, None, doc="1 where x > y, else 0.", smooth=distinct,
                  prints="({} > {})", special=((1.0, 1.0),))
ge    = operation("ge", lambda x, y: float(x >= y), None, None, doc="1 where x >= y, else 0.", smooth=distinct,
                  prints="({} >= {})", special=((1.0, 1.0),))
where = operation("where", lambda c, x, y: x if c else y,
                  None, lambda c, x, y, out: where(c, 1.0, 0.0), lambda c, x, y, out: where(c, 0.0, 1.0),
                  doc="x where c is not 0, else y; the branch not taken gets no contribution.", selects=True,
                  smooth=lambda c, x, y: c != 0.0, special=((0.0, 1.0, 2.0), (1.0, 1.0, 2.0)))

# ---- lists of any length, one node each ----------------------------------------------------------------------------
sum       = operation("sum", el.total,          lambda xs, out: [1.0] * len(xs),
                      doc="Σ x, rounded once.", lists=1)
dot       = operation("dot", el.dot,            lambda inputs, out: inputs[len(inputs) // 2:] + inputs[:len(inputs) // 2],
                      doc="Σ x·y over two lists of equal length.", lists=2)
logsumexp = operation("logsumexp", el.logsumexp, lambda xs, out: shares(xs, out),
                      ulps=1.2, doc="log Σ e^x, without overflow; its local derivatives are the softmax.", lists=1,
                      special=((-math.inf, -math.inf), (1000.0, -1000.0)))

# ---- what the rules above are written with -------------------------------------------------------------------------
# Families that are closed under differentiation, so that every order is accurate and no rule divides by zero.
difference = operation("difference", el.difference, lambda x, y, out: 1.0, lambda x, y, out: -1.0,
                       doc="x - y, and 0 where x = y even if both are infinite.", prints=lambda x, y: x - y,
                       special=((math.inf, math.inf), (-math.inf, -math.inf)))
quotient   = operation("quotient", el.quotient,
                       lambda x, y, n, out: quotient(1.0, y, n), lambda x, y, n, out: -n * quotient(x, y, n + 1), None,
                       doc="x / y ** n for whole n >= 1, and ±inf at y = 0: the pole of a derivative.",
                       domain=(REALS, REALS, (1.0, 2.0)), orders=1, smooth=lambda x, y, n: y != 0.0,
                       prints=lambda x, y, n: x / y if n == 1 else x / y**n)
power_derivative = operation("power_derivative", el.power_derivative,
                       lambda x, y, k, j, out: power_derivative(x, y, k + 1, j),
                       lambda x, y, k, j, out: power_derivative(x, y, k, j + 1), None, None,
                       doc="∂^(k+j) x ** y / ∂x^k ∂y^j, for whole k and j.",
                       domain=(POSITIVE, REALS, (0.0, 2.0), (0.0, 1.0)), orders=2, smooth=positive,
                       prints=lambda x, y, k, j: _power_formula(x, y, k, j))
hypot_derivative = operation("hypot_derivative", el.hypot_derivative,
                       lambda x, y, k, j, out: hypot_derivative(x, y, k + 1, j),
                       lambda x, y, k, j, out: hypot_derivative(x, y, k, j + 1), None, None,
                       doc="∂^(k+j) hypot(x, y) / ∂x^k ∂y^j, for whole k and j.",
                       domain=(REALS, REALS, (0.0, 2.0), (0.0, 1.0)), orders=2, smooth=lambda x, y, k, j: off_origin(x, y),
                       special=((3.0, 0.0, 1.0, 0.0),), prints=lambda x, y, k, j: _hypot_formula(x, y, k, j))
atan2_derivative = operation("atan2_derivative", el.atan2_derivative,
                       lambda y, x, k, j, out: atan2_derivative(y, x, k + 1, j),
                       lambda y, x, k, j, out: atan2_derivative(y, x, k, j + 1), None, None,
                       doc="∂^(k+j) atan2(y, x) / ∂y^k ∂x^j, for whole k and j.",
                       domain=(REALS, REALS, (0.0, 2.0), (0.0, 1.0)), orders=2, smooth=lambda y, x, k, j: y != 0.0 or x > 0.0,
                       special=((0.0, 1.0, 1.0, 0.0),), prints=lambda y, x, k, j: _atan2_formula(y, x, k, j))
sigmoid_derivative = operation("sigmoid_derivative", el.sigmoid_derivative,
                       lambda x, out: -out * tanh(0.5 * x),
                       ulps=2.6, turns=at_zero, doc="sigmoid(x) · sigmoid(-x), the logistic density.", prints=lambda x: sigmoid(x) * (1 - sigmoid(x)))
tanh_derivative = operation("tanh_derivative", el.tanh_derivative,
                       lambda x, out: -2 * tanh(x) * out,
                       ulps=2.6, turns=at_zero, doc="1 - tanh(x)², accurate in the tails.", prints=lambda x: 1 - tanh(x) ** 2)
erf_derivative = operation("erf_derivative", el.erf_derivative,
                       lambda x, out: -2 * (x * out),
                       ulps=2.8, turns=at_zero, doc="2/√π · e^(-x²), the derivative of erf.",
                       prints=lambda x: el.TWO_OVER_SQRT_PI * exp(-(x * x)))
silu_derivative = operation("silu_derivative", el.silu_derivative,
                       lambda x, out: sigmoid_derivative(x) * (2 - x * tanh(0.5 * x)),
                       ulps=2.2, doc="The derivative of silu.", prints=lambda x: sigmoid(x) * (1 + x * sigmoid(-x)))
gelu_derivative = operation("gelu_derivative", el.gelu_derivative,
                       lambda x, out: 2 * normal_density(x) - x * (x * normal_density(x)),
                       ulps=2.3, doc="The derivative of gelu.", prints=lambda x: normal_cdf(x) + x * normal_density(x))
normal_cdf     = operation("normal_cdf", el.normal_cdf, lambda x, out: normal_density(x),
                       ulps=6, turns=nowhere, doc="Φ(x), the standard normal distribution.")
normal_density = operation("normal_density", el.normal_density, lambda x, out: -x * out,
                       ulps=1.5, turns=at_zero, doc="φ(x) = e^(-x²/2) / √(2π), the standard normal density.")
# fmt: on


def shares(xs: Sequence[Any], out: Any) -> list[Any]:
    """The softmax of ``xs``, given ``out``, their logsumexp. The rounding of ``out`` cancels in the division."""
    terms = [exp(difference(x, out)) for x in xs]
    total = sum(terms)
    return [term / total for term in terms]


def _power_formula(x: Any, y: Any, k: Any, j: Any) -> Any:
    """The formula of ``power_derivative``; None, and it prints as a call, where the orders are not known numbers."""
    if (k, j) == (1, 0):
        return y * x if y == 2 else 0.0 if y == 0 else y * x ** (y - 1)
    if k == 0:
        return x**y * (log(x) if j == 1 else log(x) ** j)
    if not isinstance(k, float) or not isinstance(j, float):
        return None
    # y(y-1)…(y-k+1) and its derivatives in y, the i-th divided by i!
    falling: list[Any] = [1.0] + [0.0] * int(j)
    for m in range(int(k)):
        factor = y - m if m else y
        falling = [_plus(_times(c, factor), before) for c, before in zip(falling, [0.0, *falling], strict=False)]
    terms = [
        _times(_times(float(math.perm(int(j), i)), c), log(x) ** (j - i) if i < j - 1 else log(x) if i < j else 1.0)
        for i, c in enumerate(falling)
    ]
    return _times(reduce(_plus, terms), x ** (y - k))


def _hypot_formula(x: Any, y: Any, k: Any, j: Any) -> Any:
    """The formula of ``hypot_derivative``, likewise."""
    if not isinstance(k, float) or not isinstance(j, float):
        return None
    return _planar_formula(*el.differentiated((1.0,), -1, int(k), int(j)), x, y)


def _atan2_formula(y: Any, x: Any, k: Any, j: Any) -> Any:
    """The formula of ``atan2_derivative``, likewise."""
    if not isinstance(k, float) or not isinstance(j, float):
        return None
    return _planar_formula(*el.derivative_of_angle(int(k), int(j)), x, y) if k or j else atan2(y, x)


def _planar_formula(form: tuple[float, ...], n: int, x: Any, y: Any) -> Any:
    """Σ c_i x^i y^(m-i) / h^n, h = √(x² + y²)."""
    m = len(form) - 1
    terms = [_times(c, _times(_power(x, i), _power(y, m - i))) for i, c in enumerate(form)]
    power = _power(x**2 + y**2, n // 2) if n % 2 == 0 else _power(hypot(x, y), n)
    return reduce(_plus, reversed(terms)) / power


def _power(x: Any, n: int) -> Any:
    return 1.0 if n == 0 else x if n == 1 else x**n


def _plus(x: Any, y: Any) -> Any:
    """x + y, as a person would write it; 0 and 1 below are of the formula, not numbers that happen to be."""
    return y if x == 0.0 else x if y == 0.0 else x + y


def _times(x: Any, y: Any) -> Any:
    if x == 0.0 or y == 0.0:
        return 0.0
    return y if x == 1.0 else -y if x == -1.0 else x if y == 1.0 else x * y


seal()
