"""Functions of floats that the standard library lacks, accurate over the whole double domain.

Every function here takes and returns plain floats. Infinities and nan travel through as IEEE 754
says; a result too large for a float is inf, unless the docstring says that it raises. The rows of
``ops.py`` are built on these and on ``math``.

Sources: Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed. (scaling, two-sum,
log-sum-exp); Muller et al., *Handbook of Floating-Point Arithmetic*, 2nd ed.
"""

from __future__ import annotations

import math
from functools import cache
from math import comb, copysign, exp, expm1, frexp, fsum, inf, isfinite, isinf, log1p, nan
from operator import mul

LOG_2 = math.log(2.0)
SQRT_HALF = math.sqrt(0.5)
SQRT_HALF_REST = -4.833646656726457e-17  # √½ - SQRT_HALF
TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
ONE_OVER_SQRT_PI = 1.0 / math.sqrt(math.pi)
ONE_OVER_SQRT_TAU = 1.0 / math.sqrt(2.0 * math.pi)
ONE_OVER_SQRT_TAU_REST = -2.49232720227773e-17  # 1/√(2π) - ONE_OVER_SQRT_TAU
SMALLEST_NORMAL = 2.0**-1022
HIGHEST_ORDER = 100  # of a derivative of pow, hypot and atan2: a form of order k takes k² steps, and recurses k deep
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


def turns_of_sin(low: float, high: float) -> tuple[float, ...]:
    """Where sin is as great, or as small, as anywhere between ``low`` and ``high``, if it turns there."""
    if high - low >= 3.0:
        return (-math.pi / 2.0, math.pi / 2.0)
    before, after = cos(low), cos(high)  # so near to each other there is at most one turn between
    return () if before * after > 0.0 else (copysign(math.pi / 2.0, before),)


def turns_of_cos(low: float, high: float) -> tuple[float, ...]:
    """Where cos is as great, or as small, as anywhere between ``low`` and ``high``, if it turns there."""
    if high - low >= 3.0:
        return (0.0, math.pi)
    before, after = sin(low), sin(high)
    return () if before * after > 0.0 else (math.pi if before > 0.0 else 0.0,)


def turns_of_tan(low: float, high: float) -> tuple[float, ...]:
    """nan, where tan is anything, if there may be a pole between ``low`` and ``high``."""
    return () if high - low < 3.0 and tan(low) <= tan(high) else (nan,)


def turns_of_atan2(low: float, high: float) -> tuple[float, ...]:
    """0, from both sides: where the angle is π on one and -π on the other."""
    return (0.0, -0.0) if low <= 0.0 <= high else ()


def sigmoid(x: float) -> float:
    """1 / (1 + e^-x), without overflow and without losing the left tail."""
    z = exp(-abs(x))
    return (1.0 if x >= 0.0 else z) / (1.0 + z)


def sigmoid_derivative(x: float) -> float:
    """e^-|x| / (1 + e^-|x|)², which is sigmoid(x) · sigmoid(-x) with fewer roundings: at most 3.5 ULP."""
    z = exp(-abs(x))
    return z / (1.0 + z * (2.0 + z))


def tanh_derivative(x: float) -> float:
    """1 - tanh(x)², as 4 · sigmoid'(2x), of which no digit cancels."""
    return 4.0 * sigmoid_derivative(2.0 * x)


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


def silu_derivative(x: float) -> float:
    """sigmoid(x) · (1 + x · sigmoid(-x)), on one denominator: only 1 + x + e^x is left to cancel."""
    if isinf(x):
        return 1.0 if x > 0.0 else 0.0
    z = exp(-abs(x))
    numerator = z * ((1.0 + x) + z) if x < 0.0 else 1.0 + z * (1.0 + x)
    return numerator / (1.0 + z * (2.0 + z))


def gelu(x: float) -> float:
    """x · Φ(x), Φ the standard normal distribution."""
    return x * normal_cdf(x)


def gelu_derivative(x: float) -> float:
    """Φ(x) + x · φ(x). The terms cancel in part, so they are added as unrounded pieces, and rounded once."""
    if not abs(x) < 40.0:
        return normal_cdf(x)
    density, rest = _density_pieces(x)
    product, error = _product(x, density)
    return fsum((*_cdf_pieces(x), product, error + x * rest))


def erf_derivative(x: float) -> float:
    """2/√π · e^(-x²); of x² only the square of the first half of x is exact."""
    if not abs(x) < 40.0:
        return exp(-x * x)  # 0, or nan
    first, second = _halves(x)
    return TWO_OVER_SQRT_PI * exp(-first * first) * exp(-second * (first + x))


def normal_cdf(x: float) -> float:
    """Φ(x), the standard normal distribution; by erfc, so that the left tail survives."""
    if not abs(x) < 40.0:
        return 0.5 * math.erfc(-x)  # 0 or 1, or nan
    value, rest = _cdf_pieces(x)
    return value + rest


def normal_density(x: float) -> float:
    """φ(x) = e^(-x²/2) / √(2π), the standard normal density."""
    if not abs(x) < 40.0:
        return exp(-x * x)  # 0, or nan
    value, rest = _density_pieces(x)
    return value + rest


def _cdf_pieces(x: float) -> tuple[float, float]:
    """Φ(x) = ½ erfc(-x/√2) as a float and its correction: for the rounding of -x/√2, which would cost x² ULP."""
    t, error = _product(-SQRT_HALF, x)
    return 0.5 * math.erfc(t), -ONE_OVER_SQRT_PI * exp(-t * t) * (error - SQRT_HALF_REST * x)


def _density_pieces(x: float) -> tuple[float, float]:
    """φ(x) as a float and its correction; of x² only the square of the first half of x is exact."""
    first, second = _halves(x)
    power = exp(-0.5 * first * first)
    value, error = _product(ONE_OVER_SQRT_TAU, power)
    return value, error + ONE_OVER_SQRT_TAU_REST * power + value * expm1(-0.5 * second * (first + x))


def _product(x: float, y: float) -> tuple[float, float]:
    """x · y as a float and its rounding error, exactly (Dekker 1971)."""
    product = x * y
    (a, b), (c, d) = _halves(x), _halves(y)
    return product, ((a * c - product) + a * d + b * c) + b * d


def _halves(x: float) -> tuple[float, float]:
    """x as the sum of two floats of half as many digits, whose products are exact (Veltkamp)."""
    shifted = 134217729.0 * x  # 2^27 + 1
    first = shifted - (shifted - x)
    return first, x - first


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
    greatest = max(xs)
    return greatest + log1p(fsum([-1.0, *[exp(difference(x, greatest)) for x in xs]]))


def total(*terms: float) -> float:
    """Σ terms, rounded once."""
    try:
        return fsum(terms)
    except OverflowError:  # a partial sum overflowed, though the sum may not
        if all(map(isfinite, terms)):
            return _exact_dot(terms, (1.0,) * len(terms))
        return total(*[x for x in terms if isinf(x)])
    except ValueError:  # inf - inf
        return nan


def dot(*xs_then_ys: float) -> float:
    """Σ x·y over the first and the second half of the arguments, as if rounded once a product and once in all."""
    half = len(xs_then_ys) // 2
    xs, ys = xs_then_ys[:half], xs_then_ys[half:]
    products = list(map(mul, xs, ys))
    result = total(*products)
    if DOT_SAFE < abs(result) < inf:
        return result
    # Some product may have overflowed, or lost digits to underflow: such sums are rare, so they are done exactly.
    lost = any(abs(p) < SMALLEST_NORMAL and x and y for p, x, y in zip(products, xs, ys, strict=True))
    return _exact_dot(xs, ys) if (lost or not isfinite(result)) and all(map(isfinite, xs_then_ys)) else result


def _exact_dot(xs: tuple[float, ...], ys: tuple[float, ...]) -> float:
    """Σ x·y of finite numbers, rounded once."""
    from fractions import Fraction

    result = sum(Fraction(x) * Fraction(y) for x, y in zip(xs, ys, strict=True))
    try:
        return float(result)
    except OverflowError:
        return inf if result > 0 else -inf


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
    if n == 2.0:
        return x / y / y  # where x / y leaves the range, so does x / y²
    x_mantissa, x_exponent = frexp(x)
    y_mantissa, y_exponent = frexp(y)
    return _ldexp(x_mantissa / y_mantissa**n, x_exponent - int(n) * y_exponent)


def hypot_derivative(x: float, y: float, k: float, j: float) -> float:
    """∂^(k+j) √(x² + y²) / ∂x^k ∂y^j; at the origin 0 for k + j = 1, else nan."""
    in_x, in_y = _order(k), _order(j)
    if x == y == 0.0:
        return 0.0 if in_x + in_y == 1 else nan
    return _planar(*differentiated((1.0,), -1, in_x, in_y), x, y)


def atan2_derivative(y: float, x: float, k: float, j: float) -> float:
    """∂^(k+j) of the angle of (x, y) / ∂y^k ∂x^j; at the origin nan."""
    in_y, in_x = _order(k), _order(j)
    if in_y == in_x == 0:
        return math.atan2(y, x)
    if x == y == 0.0:
        return nan
    return _planar(*derivative_of_angle(in_y, in_x), x, y)


def _order(k: float) -> int:
    """``k`` as an order of differentiation. Raises ValueError unless it is whole, and from 0 to ``HIGHEST_ORDER``."""
    if not (0.0 <= k <= HIGHEST_ORDER and k == int(k)):
        raise ValueError("the order of a derivative is whole, and not that high")
    return int(k)


def derivative_of_angle(k: int, j: int) -> tuple[tuple[float, ...], int]:
    """∂^(k+j) of the angle of (x, y) / ∂y^k ∂x^j, for k + j > 0, as ``differentiated`` gives it."""
    if k:  # ∂/∂y is x / h², and ∂/∂x is -y / h²
        return differentiated((0.0, 1.0), 2, j, k - 1)
    return differentiated((-1.0, 0.0), 2, j - 1, 0)


@cache
def differentiated(form: tuple[float, ...], n: int, k: int, j: int) -> tuple[tuple[float, ...], int]:
    """∂^(k+j) (P / h^n) / ∂x^k ∂y^j, again as the coefficients of a form P and a power n; h = √(x² + y²).

    A form is Σ c_i x^i y^(m-i). Since ∂h/∂x = x/h, ∂(P/h^n)/∂x = ((x² + y²)·∂P/∂x - n·x·P) / h^(n+2).
    """
    if k == j == 0:
        return form, n
    up = [0.0] * (len(form) + 1)
    for i, c in enumerate(form):
        power, step = (i, 1) if k else (len(form) - 1 - i, 0)  # of the variable that is differentiated
        up[i + step] += (power - n) * c
        if power:
            up[i - 1 if k else i + 2] += power * c
    return differentiated(tuple(up), n + 2, *((k - 1, j) if k else (k, j - 1)))


def _planar(form: tuple[float, ...], n: int, x: float, y: float) -> float:
    """Σ c_i x^i y^(m-i) / √(x² + y²)^n; powers of two are kept apart, so that nothing overflows on the way."""
    m = len(form) - 1
    if isinf(x) or isinf(y):  # only the direction is left
        if n > m:
            return 0.0
        x, y = (copysign(1.0, v) if isinf(v) else 0.0 for v in (x, y))
    (x, x_exponent), (y, y_exponent) = frexp(x), frexp(y)
    greatest = max(x_exponent if x else y_exponent, y_exponent if y else x_exponent)
    x_exponent -= greatest
    y_exponent -= greatest
    square = _ldexp(x, x_exponent) ** 2 + _ldexp(y, y_exponent) ** 2
    terms = [(c * x**i * y ** (m - i), i * x_exponent + (m - i) * y_exponent) for i, c in enumerate(form)]
    shift = max([exponent for term, exponent in terms if term], default=0)
    numerator = fsum([_ldexp(term, exponent - shift) for term, exponent in terms if term])
    return _ldexp(numerator / square ** (0.5 * n), shift + (m - n) * greatest)


def power_derivative(x: float, y: float, k: float, j: float) -> float:
    """∂^(k+j) x^y / ∂x^k ∂y^j: the derivative of a power, k times in the base and j times in the exponent.

    With p(y) = y(y-1)…(y-k+1) it is dʲ/dyʲ of p(y)·x^(y-k), that is j! times the coefficient of eʲ in
    p(y+e)·e^(e·log x), times x^(y-k). The points where that formula breaks down are decided here, once:

    - p(y) = 0 and j = 0: 0, at x = 0 too (a constant or a polynomial has been differentiated away);
    - x = 0 < y - k: 0;  x = 0, y = k, j = 0: p(y), since 0^0 = 1;  x = 0 > y - k, j = 0: ±inf;
    - otherwise, for j > 0 and x <= 0, there is no derivative in the exponent: nan; nor is there a power if x < 0 and
      y is not whole.
    """
    whole, order = _order(k), _order(j)
    if x < 0.0 and not y.is_integer():
        return nan
    if x == 0.0 and y > k:
        return 0.0
    taylor = [1.0] + [0.0] * order  # coefficients of p(y + e) in powers of e
    for m in range(whole):
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
    terms = [
        comb(order, i) * math.factorial(i) * c * log_x ** (order - i)
        for i, c in enumerate(taylor)
        if log_x or i == order
    ]
    # Where terms overflow, |y| > 1e100, and the first outweighs the others.
    return _scaled_power(fsum(terms) if isfinite(terms[0]) else terms[0], x, y, k)


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
    if isinf(factor) and result == 0.0:
        return 0.0  # a factor overflows only for |y| > 1e100, where a power that is 0 is so by far
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
