"""Activations as formulas of others: for frameworks that lack some of them, or compute them with fewer digits.

``m`` is what has the functions of the framework, by the names of PyTorch; ``x`` is a tensor of it. Like the rows of
``autograd``'s table, whose numbers these are, they neither overflow on the way nor lose the digits of a tail.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

Formula = Callable[[Any, Any], Any]

HALF_ROOT = math.sqrt(0.5)
TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)
ONE_OVER_ROOT_TAU = 1.0 / math.sqrt(2.0 * math.pi)

FAR = 2.0
"""From here on erfc is computed by itself, and below as 1 - erf."""


def _log1p(m: Any, x: Any) -> Any:
    """log u for u = 1 + x, corrected by the rounding error of u, which is exact where it matters."""
    u = 1.0 + x
    return m.log(u) + m.where(m.abs(x) < 0.5, (x - (u - 1.0)) / u, 0.0)


def _sigmoid(m: Any, x: Any) -> Any:
    z = m.exp(-m.abs(x))
    return m.where(x >= 0.0, 1.0, z) / (1.0 + z)


def _sigmoid_derivative(m: Any, x: Any) -> Any:
    z = m.exp(-m.abs(x))
    return z / ((1.0 + z) * (1.0 + z))


def _cosh(m: Any, x: Any) -> Any:
    """½ e^|x| + ½ e^-|x|, by their roots, which do not overflow before cosh does."""
    root = m.exp(0.5 * m.abs(x))
    return 0.5 * root * root + 0.5 / root / root


def _angle(m: Any, s: Any, c: Any) -> Any:
    """The angle of the point (c, s), c >= 0: in single precision, and one step of Newton's, which squares its error.

    The tangent of what is missing is the step itself, to its third power.
    """
    guess = m.atan_in_single_precision(s / c)
    sin, cos = m.sin(guess), m.cos(guess)
    return guess + (s * cos - c * sin) / (c * cos + s * sin)


@cache
def _nodes() -> tuple[Array, Array]:
    """-t² and 2/√π · weight of Gauss and Legendre's quadrature over t in [0, 1], shapes (16,)."""
    import numpy as np

    t, weights = np.polynomial.legendre.leggauss(16)
    return -((0.5 + 0.5 * t) ** 2), 0.5 * TWO_OVER_ROOT_PI * weights


def _near(m: Any, x: Any) -> Any:
    """erf x = x · 2/√π ∫₀¹ e^(-x²t²) dt for |x| < 2: the rule of 16 nodes is right to the last digits."""
    squares, weights = _nodes()
    return x * m.sum(m.exp(m.unsqueeze(x * x, -1) * squares) * weights, -1)


@cache
def _terms() -> tuple[Array, Array]:
    """(kh)² and the factors of the sum over k in ``_far``, shapes (21,)."""
    import numpy as np

    h = 0.3
    k = np.arange(21.0)
    return (k * h) ** 2, np.where(k, 2.0, 1.0) * h / math.pi * np.exp(-((k * h) ** 2))


def _far(m: Any, x: Any) -> Any:
    """erfc |x| = |x|/π e^(-x²) ∫ e^(-t²) / (x² + t²) dt for |x| >= 2, by the trapezoidal rule.

    Its error is e^(-2π|x|/h), below the last digit (Matta and Reichel 1971). Beyond 30 it is 0, as it is at 30.
    """
    squares, factors = _terms()
    a = m.minimum(m.abs(x), 30.0)
    return m.exp(-(a * a)) * a * m.sum(factors / (m.unsqueeze(a * a, -1) + squares), -1)


def _erf(m: Any, x: Any) -> Any:
    far = 1.0 - _far(m, x)
    return m.where(m.abs(x) < FAR, _near(m, x), m.where(x > 0.0, far, -far))


def _erfc(m: Any, x: Any) -> Any:
    far = _far(m, x)
    return m.where(m.abs(x) < FAR, 1.0 - _near(m, x), m.where(x > 0.0, far, 2.0 - far))


# fmt: off
FORMULAS: dict[str, Formula] = {
    "expm1":              lambda m, x: m.tanh(0.5 * x) * (m.exp(x) + 1.0),
    "log1p":              _log1p,
    "tan":                lambda m, x: m.sin(x) / m.cos(x),
    "asin":               lambda m, x: _angle(m, x, m.sqrt((1.0 - x) * (1.0 + x))),
    "acos":               lambda m, x: 2.0 * _angle(m, m.sqrt(1.0 - x), m.sqrt(1.0 + x)),
    "atan":               lambda m, x: _angle(m, x, 1.0),
    "sinh":               lambda m, x: m.tanh(x) * m.cosh(x),
    "cosh":               _cosh,
    "sigmoid":            _sigmoid,
    "softplus":           lambda m, x: m.relu(x) + m.log1p(m.exp(-m.abs(x))),
    "softsign":           lambda m, x: x / (1.0 + m.abs(x)),
    "leaky_relu":         lambda m, x: m.where(x > 0.0, x, 0.01 * x),
    "elu":                lambda m, x: m.where(x > 0.0, x, m.expm1(x)),
    "silu":               lambda m, x: x * m.sigmoid(x),
    "gelu":               lambda m, x: x * FORMULAS["normal_cdf"](m, x),
    "erf":                _erf,
    "erfc":               _erfc,
    "sigmoid_derivative": _sigmoid_derivative,
    "tanh_derivative":    lambda m, x: 4.0 * _sigmoid_derivative(m, 2.0 * x),
    "erf_derivative":     lambda m, x: TWO_OVER_ROOT_PI * m.exp(-(x * x)),
    "silu_derivative":    lambda m, x: m.sigmoid(x) * (1.0 + x * m.sigmoid(-x)),
    "gelu_derivative":    lambda m, x: FORMULAS["normal_cdf"](m, x) + x * FORMULAS["normal_density"](m, x),
    "normal_cdf":         lambda m, x: 0.5 * m.erfc(-HALF_ROOT * x),
    "normal_density":     lambda m, x: ONE_OVER_ROOT_TAU * m.exp(-0.5 * (x * x)),
}
# fmt: on
