"""Functions of floats that the standard library lacks, accurate over the whole double domain.

Every function here takes and returns plain floats. Infinities and nan travel through as IEEE 754
says; a result too large for a float is inf, unless the docstring says that it raises. The rows of
``ops.py`` are built on these and on ``math``.

Sources: Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed. (scaling, two-sum,
log-sum-exp); Muller et al., *Handbook of Floating-Point Arithmetic*, 2nd ed.
"""

from __future__ import annotations

import math
from math import comb, copysign, exp, expm1, frexp, fsum, inf, isfinite, isinf, log1p, nan

LOG_2 = math.log(2.0)
SMALLEST_NORMAL = 2.0**-1022
DOT_SAFE = 2.0**-960  # above this a product that underflowed cannot matter to a sum of products


def sin(x: float) -> float:
    """sin x; nan at ±inf, where ``math.sin`` raises."""
    return math.sin(x) if isfinite(x) else nan


def cos(x: float) -> float:
    """cos x; nan at ±inf, where ``math.cos`` raises."""
    return math.cos(x) if isfinite(x) else nan


def tan(x: float) -> float:
    """tan x; nan at ±inf, where ``math.tan`` raises."""
    return math.tan(x) if isfinite(x) else nan


def sigmoid(x: float) -> float:
    """1 / (1 + e^-x), without overflow and without losing the left tail."""
    if x >= 0.0:
        return 1.0 / (1.0 + exp(-x))
    z = exp(x)
    return z / (1.0 + z)


def softplus(x: float) -> float:
    """log(1 + e^x), without overflow and without losing the left tail."""
    return x + log1p(exp(-x)) if x > 0.0 else log1p(exp(x))


def softsign(x: float) -> float:
    """x / (1 + |x|)."""
    return x / (1.0 + abs(x))


def relu(x: float) -> float:
    """max(x, 0); nan stays nan."""
    return 0.0 if x <= 0.0 else x


def leaky_relu(x: float) -> float:
    """x for x > 0, else 0.01 x."""
    return x if x > 0.0 else 0.01 * x


def elu(x: float) -> float:
    """x for x > 0, else e^x - 1."""
    return x if x > 0.0 else expm1(x)


def silu(x: float) -> float:
    """x · sigmoid(x)."""
    return x * sigmoid(x)


def gelu(x: float) -> float:
    """x · Φ(x), Φ the standard normal distribution; by erfc, so that the left tail survives."""
    return 0.5 * x * math.erfc(-x * math.sqrt(0.5))


def maximum(x: float, y: float) -> float:
    """The greater of x and y, x at a tie; nan if either is nan."""
    return x if x >= y or x != x else y


def minimum(x: float, y: float) -> float:
    """The smaller of x and y, x at a tie; nan if either is nan."""
    return x if x <= y or x != x else y


def difference(x: float, y: float) -> float:
    """x - y, and 0 where x = y even if both are infinite."""
    return 0.0 if x == y else x - y


def logaddexp(x: float, y: float) -> float:
    """log(e^x + e^y)."""
    if x == y:
        return x + LOG_2
    if x < y:
        x, y = y, x
    return x + log1p(exp(y - x))


def logsumexp(*xs: float) -> float:
    """log(Σ e^x), the greatest term taken out first."""
    if any(x != x for x in xs):
        return nan
    greatest = max(xs)
    if isinf(greatest):
        return greatest
    others = list(xs)
    others.remove(greatest)
    return greatest + log1p(fsum(exp(x - greatest) for x in others))


def total(*terms: float) -> float:
    """Σ terms, rounded once."""
    try:
        return fsum(terms)
    except OverflowError:  # a partial sum overflowed, though the sum may not
        return fsum(term * 2.0**-64 for term in terms) * 2.0**64
    except ValueError:  # inf - inf
        return nan


def dot(*xs_then_ys: float) -> float:
    """Σ x·y over the first and the second half of the arguments, as if rounded once a product and once in all."""
    half = len(xs_then_ys) // 2
    xs, ys = xs_then_ys[:half], xs_then_ys[half:]
    products = [x * y for x, y in zip(xs, ys, strict=True)]
    result = total(*products)
    if abs(result) < DOT_SAFE and any(
        abs(p) < SMALLEST_NORMAL and x and y for p, x, y in zip(products, xs, ys, strict=True)
    ):
        # Some product lost digits to underflow: such sums are rare and tiny, so they are done exactly.
        from fractions import Fraction

        return float(sum(Fraction(x) * Fraction(y) for x, y in zip(xs, ys, strict=True)))
    return result


def _ldexp(x: float, exponent: int) -> float:
    """x · 2^exponent; ±inf where ``math.ldexp`` raises."""
    try:
        return math.ldexp(x, exponent)
    except OverflowError:
        return copysign(inf, x)


def quotient(x: float, y: float, n: float = 1.0) -> float:
    """x / y^n for whole n >= 1, no overflow or underflow on the way.

    At y = 0 it is ±inf with the sign of x: a derivative may have a pole where its function is still defined, and a
    pole is approached from inside that function's domain, so the sign of the zero is not looked at.
    """
    if y == 0.0:
        return copysign(inf, x) if x else nan
    if n == 1.0:
        return x / y
    x_mantissa, x_exponent = frexp(x)
    y_mantissa, y_exponent = frexp(y)
    return _ldexp(x_mantissa / y_mantissa**n, x_exponent - int(n) * y_exponent)


def _to_unit_scale(x: float, y: float) -> tuple[float, float, int]:
    """x and y times one power of two that brings the greater into [1/2, 1), and its exponent."""
    exponent = frexp(max(abs(x), abs(y)))[1]
    return _ldexp(x, -exponent), _ldexp(y, -exponent), exponent


def cosine(x: float, y: float) -> float:
    """x / hypot(x, y): the cosine of the direction (x, y); 0 at the origin."""
    x, y, _ = _to_unit_scale(x, y)
    return x / math.hypot(x, y) if x or y else 0.0


def inversion(x: float, y: float) -> float:
    """x / (x² + y²): the first coordinate of (x, y) mirrored in the unit circle; nan at the origin."""
    x, y, exponent = _to_unit_scale(x, y)
    return _ldexp(x / (x * x + y * y), -exponent) if x or y else nan


def power_derivative(x: float, y: float, k: float, j: float) -> float:
    """∂^(k+j) x^y / ∂x^k ∂y^j: the derivative of a power, k times in the base and j times in the exponent.

    With p(y) = y(y-1)…(y-k+1) it is dʲ/dyʲ of p(y)·x^(y-k), that is j! times the coefficient of eʲ in
    p(y+e)·e^(e·log x), times x^(y-k). The points where that formula breaks down are decided here, once:

    - p(y) = 0 and j = 0: 0, at x = 0 too (a constant or a polynomial has been differentiated away);
    - x = 0 < y - k: 0;  x = 0, y = k, j = 0: p(y), since 0^0 = 1;  x = 0 > y - k, j = 0: ±inf;
    - otherwise, for j > 0 and x <= 0, there is no derivative in the exponent: nan.
    """
    if x == 0.0 and y > k:
        return 0.0
    order = int(j)
    taylor = [1.0] + [0.0] * order  # coefficients of p(y + e) in powers of e
    for m in range(int(k)):
        for i in range(order, 0, -1):
            taylor[i] = (y - m) * taylor[i] + taylor[i - 1]
        taylor[0] *= y - m
    if order == 0:
        if taylor[0] == 0.0:
            return 0.0
        if x == 0.0:
            return taylor[0] if y == k else copysign(inf, taylor[0])
        return _scaled_power(taylor[0], x, y, k)
    if not x > 0.0:
        return nan
    log_x = math.log(x)
    # Σ_i j!/(j-i)! · taylor[i] · log(x)^(j-i)
    coefficient = fsum(comb(order, i) * math.factorial(i) * c * log_x ** (order - i) for i, c in enumerate(taylor))
    return _scaled_power(coefficient, x, y, k)


def _scaled_power(factor: float, x: float, y: float, k: float) -> float:
    """factor · x^(y-k) for x ≠ 0 (y whole where x < 0), accurate also where x^(y-k) alone would leave the range."""
    exponent = y - k
    magnitude = abs(x)
    if k and isfinite(exponent) and magnitude != inf:
        # y - k may have been rounded; the exact error (two-sum) is worth a factor e^(error · log x).
        back = exponent - y
        error = (y - (exponent - back)) - (k + back)
        if error:
            factor *= 1.0 + error * math.log(magnitude)
    if x < 0.0 and math.fmod(exponent, 2.0):
        factor = -factor
    result = _pow(magnitude, exponent)
    if factor == 0.0 or isinf(factor) or isinf(exponent) or SMALLEST_NORMAL <= result < inf:
        return factor * result
    root = _pow(magnitude, 0.5 * exponent)
    return factor * root * root


def _pow(x: float, y: float) -> float:
    """x^y for x > 0; inf where ``math.pow`` raises."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return inf
