"""What the operations are, by another road: mpmath values, and derivatives as differences of those values.

Nothing here knows a rule of the engine. Every number is computed twice, at different precisions and with different
steps, and is used only if both agree to far more digits than a float has. Otherwise ``Undecided`` is raised: the
oracle never guesses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product

import mpmath
from mpmath import mp, mpf

Orders = tuple[int, ...]

AGREEMENT = mpf(2) ** -80  # relative; a float has 53 bits
NEGLIGIBLE = mpf(2) ** -1200  # absolute; the smallest float is 2^-1074
SMALLEST_FLOAT = mpf(2) ** -1074
END_OF_FLOATS = mpf(2) ** 1024


class UndefinedError(ArithmeticError):
    """The exact function has no real value there."""


class UndecidedError(AssertionError):
    """Two precisions do not agree: the oracle has no answer."""


# ---- values --------------------------------------------------------------------------------------------------------


def _defined(condition: bool) -> None:
    if not condition:
        raise UndefinedError


def _div(x: mpf, y: mpf) -> mpf:
    _defined(y != 0)
    return x / y


def _log(x: mpf) -> mpf:
    _defined(x > 0)
    return mp.log(x)


def _log1p(x: mpf) -> mpf:
    _defined(x > -1)
    return mp.log1p(x)


def _sqrt(x: mpf) -> mpf:
    _defined(x >= 0)
    return mp.sqrt(x)


def _asin(x: mpf) -> mpf:
    _defined(abs(x) <= 1)
    return mp.asin(x)


def _acos(x: mpf) -> mpf:
    _defined(abs(x) <= 1)
    return mp.acos(x)


def _pow(x: mpf, y: mpf) -> mpf:
    if y == 0:
        return mpf(1)
    if x == 0:
        _defined(y > 0)
        return mpf(0)
    if x < 0:
        _defined(mp.isint(y))
        return -_pow(-x, y) if int(y) % 2 else _pow(-x, y)
    with mp.extraprec(64 + max(0, mp.mag(y)) + max(0, mp.mag(mp.log(x)))):
        return mp.exp(y * mp.log(x))


def _sigmoid(x: mpf) -> mpf:
    return 1 / (1 + mp.exp(-x))


def _erfc(x: mpf) -> mpf:
    if abs(x) > 2**20:  # e^(-2^40) is nothing beside the smallest float, to any of its digits
        return mpf(0 if x > 0 else 2)
    with mp.extraprec(2 * max(0, mp.mag(x))):
        return mp.erfc(x)


def _gelu(x: mpf) -> mpf:
    with mp.extraprec(2 * max(0, mp.mag(x))):
        return x / 2 * _erfc(-x / mp.sqrt(2))


def _logsumexp(*xs: mpf) -> mpf:
    return mp.log(mp.fsum(mp.exp(x) for x in xs))


def _dot(*xs_then_ys: mpf) -> mpf:
    half = len(xs_then_ys) // 2
    return mp.fdot(xs_then_ys[:half], xs_then_ys[half:])


def _atan2(y: mpf, x: mpf) -> mpf:
    return mp.atan2(y, x)


VALUES: dict[str, Callable[..., mpf]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": _div,
    "neg": lambda x: -x,
    "abs": abs,
    "pow": _pow,
    "exp": mp.exp,
    "expm1": mp.expm1,
    "log": _log,
    "log1p": _log1p,
    "sqrt": _sqrt,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": lambda x: mp.sin(x) / mp.cos(x),
    "asin": _asin,
    "acos": _acos,
    "atan": mp.atan,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "sigmoid": _sigmoid,
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "relu": lambda x: max(x, mpf(0)),
    "leaky_relu": lambda x: x if x > 0 else mpf(0.01) * x,
    "elu": lambda x: x if x > 0 else mp.expm1(x),
    "silu": lambda x: x * _sigmoid(x),
    "gelu": _gelu,
    "erf": lambda x: 1 - _erfc(x) if abs(x) > 1 else mp.erf(x),
    "erfc": _erfc,
    "maximum": max,
    "minimum": min,
    "hypot": lambda x, y: mp.sqrt(x * x + y * y),
    "atan2": _atan2,
    "logaddexp": _logsumexp,
    "lt": lambda x, y: mpf(x < y),
    "le": lambda x, y: mpf(x <= y),
    "gt": lambda x, y: mpf(x > y),
    "ge": lambda x, y: mpf(x >= y),
    "where": lambda c, x, y: x if c else y,
    "sum": lambda *xs: mp.fsum(xs),
    "dot": _dot,
    "logsumexp": _logsumexp,
    "difference": lambda x, y: x - y,
    "quotient": lambda x, y, n: _div(x, y**n),
    "normal_cdf": lambda x: _erfc(-x / mp.sqrt(2)) / 2,
    "normal_density": lambda x: mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi),
}

# Rows that are derivatives by definition: of what, and of which orders; None if the row's last inputs say so.
DERIVATIVES: dict[str, tuple[str, Orders | None]] = {
    "power_derivative": ("pow", None),
    "hypot_derivative": ("hypot", None),
    "atan2_derivative": ("atan2", None),
    "sigmoid_derivative": ("sigmoid", (1,)),
    "tanh_derivative": ("tanh", (1,)),
    "silu_derivative": ("silu", (1,)),
    "gelu_derivative": ("gelu", (1,)),
}


# ---- derivatives ---------------------------------------------------------------------------------------------------

LEVELS = (64, 112, 400, 500, 1300, 1450, 2900, 3200, 6000, 6500)  # steps 2^-level
FAR = 1300  # where to look next if nothing is seen


def exact(name: str, inputs: Sequence[float], orders: Orders | None = None) -> mpf:
    """The derivative of the row ``name`` at ``inputs``, as often in each input as ``orders`` says; its value for none.

    Raises:
        UndefinedError: it has no value there.
        UndecidedError: two precisions do not agree.
    """
    name, inputs, orders = _by_definition(name, inputs, orders)
    if name not in VALUES:
        raise LookupError(f"add the exact function of {name!r} to VALUES in {__file__}")
    function = VALUES[name]
    last = None
    for level in LEVELS:
        if last == 0 and level < FAR:
            continue
        found, noise = _difference(function, inputs, orders, level)
        # 0 is an answer only where a number too small for a float would have been seen.
        if last is not None and _agree(found, last) and (found or noise < NEGLIGIBLE):
            return found
        last = found
    raise UndecidedError(f"{name}{tuple(inputs)}, derivative {orders}: {mpmath.nstr(last, 20)} at the last precision")


def _by_definition(name: str, inputs: Sequence[float], orders: Orders | None) -> tuple[str, Sequence[float], Orders]:
    """The same derivative as one of a row with a value of its own."""
    orders = orders or (0,) * len(inputs)
    if name not in DERIVATIVES:
        return name, inputs, orders
    name, taken = DERIVATIVES[name]
    if taken is None:
        half = len(inputs) // 2
        inputs, taken = inputs[:half], tuple(int(k) for k in inputs[half:])
    return name, inputs, tuple(n + k for n, k in zip(orders, taken, strict=False))


def _agree(x: mpf, y: mpf) -> bool:
    return abs(x - y) <= max(AGREEMENT * abs(x), NEGLIGIBLE)


def _difference(function: Callable[..., mpf], inputs: Sequence[float], orders: Orders, level: int) -> tuple[mpf, mpf]:
    """Central differences of step 2^-level, relative to inputs below 1, and what rounding may have done to them.

    The error of the method is of the order of the square of the step.
    """
    precision = 128 + (sum(orders) + 2) * level
    with mp.workprec(precision):
        x = [mpf(v) for v in inputs]
        steps = [mp.ldexp(_scale(inputs, i), -level) for i in range(len(inputs))]
        # (E^½ - E^-½)^n / step^n, E^½ being a step of half the size: places n/2 - r, weights (-1)^r · binomial(n, r)
        stencils = [[(mpf(n) / 2 - r, (-1) ** r * math.comb(n, r)) for r in range(n + 1)] for n in orders]
        terms = []
        for nodes in product(*stencils):
            point = [
                mp.fadd(v, mp.fmul(place, step, exact=True), exact=True) if place else v
                for v, step, (place, _) in zip(x, steps, nodes, strict=True)
            ]
            terms.append(math.prod(weight for _, weight in nodes) * function(*point))
        divisor = mp.fprod(step**n for step, n in zip(steps, orders, strict=True))
        noise = mp.ldexp(max(mpf(1), *map(abs, terms)), 32 - precision)
        return mp.fsum(terms) / divisor, noise / divisor


def _scale(inputs: Sequence[float], i: int) -> mpf:
    """min(1, |x|): functions bend over lengths of 1, or of the distance to a singularity at 0."""
    sizes = [abs(x) for x in (inputs[i], *inputs) if x]
    return mpf(min(1.0, sizes[0] if inputs[i] else min(sizes, default=1.0)))


# ---- what is promised ----------------------------------------------------------------------------------------------


def spread(name: str, inputs: Sequence[float], orders: Orders | None = None) -> mpf:
    """Σ |x_i · ∂f/∂x_i| of the quantity f that ``exact`` gives for the same: |f| times its condition number."""
    name, inputs, orders = _by_definition(name, inputs, orders)
    free = 2 if name == "quotient" else len(inputs)
    raised = [tuple(n + (i == j) for j, n in enumerate(orders)) for i in range(free)]
    return mp.fsum(abs(mpf(x) * exact(name, inputs, up)) for x, up in zip(inputs, raised, strict=False) if x)


def ulp(x: mpf) -> mpf:
    """The distance between neighbouring floats at ``x``: at least 2^-1074, at most that of the largest floats."""
    return mp.ldexp(mpf(1), max(-1074, min(mp.mag(x) - 53, 971))) if x else SMALLEST_FLOAT


def error(computed: float, truth: mpf) -> mpf:
    """|computed - truth|; inf counts as 2^1024, where floats end, and so does all that lies beyond."""
    if math.isnan(computed):
        return mpf("inf")
    with mp.workprec(2200):
        return abs(_within_range(mpf(computed)) - _within_range(truth))


def _within_range(x: mpf) -> mpf:
    return max(-END_OF_FLOATS, min(x, END_OF_FLOATS))
