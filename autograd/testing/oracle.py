"""What the operations are, by another road: mpmath values, and derivatives as differences of those values.

Nothing here knows a rule of the engine. Every number is computed twice, at different precisions and with different
steps, and is used only if both agree to far more digits than a float has. Otherwise ``UndecidedError`` is raised: the
oracle never guesses. It answers at floats and at mpmath's numbers, and to the precision at which mpmath works
(``mp.workdps(120)``) if that is more than its own.

An operation that is not in ``VALUES`` is its own truth, if its forward function is written with operators, so that it
takes numbers of any precision. If it calls ``math``, it is a black box, unless its exact function is added here:
``VALUES["cbrt"] = lambda x: mp.sign(x) * mp.cbrt(abs(x))``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, reduce
from itertools import accumulate, product
from typing import Any, NoReturn

import mpmath
from mpmath import MPContext, libmp, mp, mpf

from ..op import Op
from .errors import BlackBoxError, UndecidedError, UndefinedError

Orders = tuple[int, ...]
Function = Callable[..., mpf]

AGREEMENT = mpf(2) ** -80  # relative; a float has 53 bits
NEGLIGIBLE = mpf(2) ** -1200  # absolute; the smallest float is 2^-1074
SMALLEST_FLOAT = mpf(2) ** -1074
END_OF_FLOATS = mpf(2) ** 1024


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


def _exp(x: mpf) -> mpf:
    return mp.exp(x) if x > -(2**20) else mpf(0)  # else it is nothing beside the smallest float, to any of its digits


def _sigmoid(x: mpf) -> mpf:
    return 1 / (1 + _exp(-x)) if x > 0 else _exp(x) / (1 + _exp(x))


def _erfc(x: mpf) -> mpf:
    if abs(x) > 64:  # as e^(-64²) is
        return mpf(0 if x > 0 else 2)
    with mp.extraprec(2 * max(0, mp.mag(x))):
        return mp.erfc(x)


def _gelu(x: mpf) -> mpf:
    with mp.extraprec(2 * max(0, mp.mag(x))):
        return x / 2 * _erfc(-x / mp.sqrt(2))


def _logsumexp(*xs: mpf) -> mpf:
    greatest = max(xs)
    return greatest + mp.log(mp.fsum(_exp(x - greatest) for x in xs))


def _dot(*xs_then_ys: mpf) -> mpf:
    half = len(xs_then_ys) // 2
    return mp.fdot(xs_then_ys[:half], xs_then_ys[half:])


def _atan2(y: mpf, x: mpf) -> mpf:
    return mp.atan2(y, x)


VALUES: dict[str, Function] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": _div,
    "neg": lambda x: -x,
    "abs": abs,
    "pow": _pow,
    "exp": _exp,
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
    "softplus": lambda x: max(x, mpf(0)) + mp.log1p(_exp(-abs(x))),
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
    "erf_derivative": lambda x: 2 * _exp(-x * x) / mp.sqrt(mp.pi),
    "normal_cdf": lambda x: _erfc(-x / mp.sqrt(2)) / 2,
    "normal_density": lambda x: _exp(-x * x / 2) / mp.sqrt(2 * mp.pi),
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


def value(op: Op, inputs: Sequence[Any]) -> mpf:
    """The exact value of ``op`` at ``inputs``, floats or mpmath's numbers; those of a list operation in one row.

    Raises:
        UndefinedError: it has no real value there.
        UndecidedError: two precisions do not agree.
        BlackBoxError: the forward function of the user's own operation computes in floats only.
    """
    return exact(op, inputs)


def derivative(op: Op, inputs: Sequence[Any], i: int) -> mpf:
    """The exact ∂op/∂input of the i-th input, at ``inputs``. Raises what ``value`` raises."""
    return exact(op, inputs, once(i, len(inputs)))


def once(i: int, size: int, times: int = 1) -> Orders:
    """The orders of the derivative in the i-th of so many inputs only."""
    return tuple([times * (i == j) for j in range(size)])


def exact(op: Op, inputs: Sequence[Any], orders: Orders | None = None) -> mpf:
    """The derivative of ``op`` at ``inputs``, as often in each input as ``orders`` says; its value for none.

    Raises what ``value`` raises.
    """
    return with_error(op, inputs, orders)[0]


def with_error(op: Op, inputs: Sequence[Any], orders: Orders | None = None) -> tuple[mpf, mpf]:
    """What ``exact`` gives, and a bound on its error: how far two precisions are apart, of which it is the better."""
    if op.name in AFFINE:
        orders = orders or (0,) * len(inputs)
        return _constant(op.name, orders) if op.name in LINEAR and any(orders) else _of_affine(op.name, inputs, orders)
    function, exact_inputs, orders = _by_definition(op, inputs, orders)
    last = None
    for level in LEVELS:
        if last == 0 and level < FAR:
            continue
        found, noise = _difference(function, exact_inputs, orders, level)
        # 0 is an answer only where a number too small for a float would have been seen.
        tolerance = max(AGREEMENT * abs(found), NEGLIGIBLE)
        if last is not None and abs(found - last) <= tolerance and noise <= tolerance:
            return found, abs(found - last) + noise
        last = found
    shown = ", ".join(mpmath.nstr(x, 17) for x in exact_inputs)
    raise UndecidedError(f"{op.name}({shown}), derivative {orders}: about 2^{mp.mag(last)} at the last precision")


Raw = Any
"""What mpmath's numbers are made of."""

AFFINE: dict[str, Callable[..., Raw]] = {
    "add": libmp.mpf_add,
    "sub": libmp.mpf_sub,
    "difference": libmp.mpf_sub,
    "neg": libmp.mpf_neg,
    "mul": libmp.mpf_mul,
    "sum": lambda *xs: reduce(libmp.mpf_add, xs, libmp.fzero),
    "dot": lambda *xs: reduce(libmp.mpf_add, map(libmp.mpf_mul, xs[: len(xs) // 2], xs[len(xs) // 2 :]), libmp.fzero),
}
"""What is affine along each input, so that its differences are its derivatives, whatever the step and wherever taken.

Most of every graph is that. So it has a short cut: without mpmath's objects, and without any rounding.
"""

LINEAR = {"add", "sub", "difference", "neg", "sum"}
"""Of these the derivatives are the same everywhere."""

NOT_FINITE = (libmp.finf, libmp.fninf, libmp.fnan)


@lru_cache(maxsize=1024)
def _constant(name: str, orders: Orders) -> tuple[mpf, mpf]:
    return _of_affine(name, [0.0] * len(orders), orders)


def _of_affine(name: str, inputs: Sequence[Any], orders: Orders) -> tuple[mpf, mpf]:
    """The derivative as a difference of step 1 from 0, rounded once; the value for no orders."""
    numbers = [libmp.from_float(x) if x.__class__ is float else mp.convert(x)._mpf_ for x in inputs]
    found = _step(AFFINE[name], numbers, [i for i, n in enumerate(orders) for _ in range(n)])
    if found in NOT_FINITE:
        raise UndefinedError("at an input that is not a real number")
    precision = max(128, mp.prec)
    rounded = libmp.mpf_pos(found, precision, "n")
    error = libmp.fzero if rounded == found else libmp.mpf_shift(libmp.mpf_abs(rounded), -precision)
    return mp.make_mpf(rounded), mp.make_mpf(error)


def _step(function: Callable[..., Raw], numbers: list[Raw], by: list[int]) -> Raw:
    """How much more ``function`` is at 1 than at 0 of an input; likewise of that, for each input in ``by``."""
    if not by:
        return function(*numbers)
    i, *others = by
    ends = [[*numbers[:i], end, *numbers[i + 1 :]] for end in (libmp.fone, libmp.fzero)]
    return libmp.mpf_sub(*[_step(function, each, others) for each in ends])


def _by_definition(op: Op, inputs: Sequence[Any], orders: Orders | None) -> tuple[Function, list[mpf], Orders]:
    """The same derivative as one of a function that has a value of its own."""
    exact_inputs = [mp.convert(x) for x in inputs]
    if not all(map(mp.isfinite, exact_inputs)):
        raise UndefinedError(f"{op.name} at an input that is not a real number")
    orders = orders or (0,) * len(inputs)
    if op.name not in DERIVATIVES:
        return VALUES.get(op.name) or _own(op), exact_inputs, orders
    name, taken = DERIVATIVES[op.name]
    if taken is None:
        half = len(inputs) // 2
        exact_inputs, taken = exact_inputs[:half], tuple([int(k) for k in exact_inputs[half:]])
    return VALUES[name], exact_inputs, tuple([n + k for n, k in zip(orders, taken, strict=False)])


def _difference(function: Function, inputs: list[mpf], orders: Orders, level: int) -> tuple[mpf, mpf]:
    """Central differences of step 2^-level, relative to inputs below 1, and what rounding may have done to them.

    The error of the method is of the order of the square of the step.
    """
    sizes = [mp.mag(x) for x in inputs if x]
    precision = max(128, mp.prec) + (sum(orders) + 2) * level + max([0, *sizes])
    exponents = [_scale(x, sizes) - level for x in inputs]
    with mp.workprec(precision):
        terms = [
            weight
            * function(
                *[
                    mp.fadd(x, mp.ldexp(place, exponent - 1), exact=True) if place else x
                    for x, exponent, place in zip(inputs, exponents, places, strict=True)
                ]
            )
            for places, weight in _stencil(orders)
        ]
        divisor = sum(exponent * n for exponent, n in zip(exponents, orders, strict=True))
        noise = mp.ldexp(max(1, *map(abs, terms)), 32 - precision - divisor)
        return mp.ldexp(mp.fsum(terms), -divisor), noise


@lru_cache(maxsize=1024)
def _stencil(orders: Orders) -> list[tuple[tuple[int, ...], int]]:
    """The places, in half steps, and weights of a difference: (E^½ - E^-½)^n in each input, E being a step."""
    lines = [[(n - 2 * r, (-1) ** r * math.comb(n, r)) for r in range(n + 1)] for n in orders]
    return [(tuple([place for place, _ in nodes]), math.prod([w for _, w in nodes])) for nodes in product(*lines)]


def _scale(x: mpf, sizes: list[int]) -> int:
    """log2 of about min(1, |x|): functions bend over lengths of 1, or of the distance to a singularity at 0."""
    return min(0, (mp.mag(x) if x else min(sizes, default=1)) - 1)


def rests(xs: Sequence[Any]) -> list[mpf]:
    """The logsumexp of all but each: with it for the others, the derivatives of long lists take no quadratic time."""
    xs = [mp.convert(x) for x in xs]
    greatest = max(xs)
    with mp.extraprec(64 + max([0, *[mp.mag(x) for x in xs if x]])):
        terms = [_exp(x - greatest) for x in xs]
        before = accumulate(terms, initial=mpf(0))
        after = [*accumulate(reversed(terms), initial=mpf(0))][-2::-1]
        sums = [x + y for x, y in zip(before, after, strict=False)]
        # Where all others are nothing beside the greatest, ``_exp`` says so again.
        return [greatest + (mp.log(total) if total else -(2**21)) for total in sums]


# ---- the user's own operations -------------------------------------------------------------------------------------


def _refuse(number: Any) -> NoReturn:
    raise BlackBoxError


# Numbers that cannot be made floats, so that ``x * math.exp(x)`` does not pass for exact.
STRICT = MPContext()
STRICT.mpf.__float__ = _refuse


def _own(op: Op) -> Function:
    """The forward function of the user's own operation, as a function of mpmath's numbers."""

    def function(*inputs: mpf) -> mpf:
        STRICT.prec = mp.prec
        try:
            out = op.forward(*[STRICT.make_mpf(x._mpf_) for x in inputs])
        except TypeError as error:
            raise BlackBoxError(f"the forward function of {op.name} computes in floats only") from error
        except (ValueError, ArithmeticError) as error:
            raise UndefinedError from error
        if isinstance(out, STRICT.mpc):
            raise UndefinedError
        return mp.make_mpf(STRICT.convert(out)._mpf_)

    return function


# ---- what is promised ----------------------------------------------------------------------------------------------


def spread(op: Op, inputs: Sequence[float], orders: Orders | None = None) -> mpf:
    """Σ |x_i · ∂f/∂x_i| of the quantity f that ``exact`` gives for the same: |f| times its condition number."""
    orders = orders or (0,) * len(inputs)
    free = range(len(inputs) - op.orders)
    raised = [tuple([n + (i == j) for j, n in enumerate(orders)]) for i in free]
    return mp.fsum(abs(mp.convert(x) * exact(op, inputs, up)) for x, up in zip(inputs, raised, strict=False) if x)


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
