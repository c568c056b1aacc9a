"""Every row of the table against the promise of docs/design.md, over the whole double domain.

Every value and every local derivative is within 4·max(1, κ) ULP, κ being the condition number of the quantity itself;
within plain 4 ULP where ``PLAIN`` says so; sums and dots within 4 ULP of the sum of their terms' magnitudes. What is
true comes from ``oracle.py``, which shares no rule with the engine. ``CHAINRULE_DEEP=1`` looks at 20 times the points.
"""

from __future__ import annotations

import math
import os
import random
import struct
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import oracle
import pytest
from mpmath import mp, mpf

import autograd
from autograd.op import Op

BOUND = 4.0  # ULP
POINTS = 120 * (20 if os.environ.get("CHAINRULE_DEEP") else 1)

ROWS = list(autograd.OPS)
PLAIN = {"add", "sub", "mul", "div", "neg", "pow", "sqrt", "exp", "expm1", "log", "log1p"}
PLAIN |= {"sin", "cos", "tan", "tanh", "sigmoid", "softplus"}
SUMS = {"sum", "dot"}

COSTLY = {
    "logsumexp": 12,
    "erf": 4,
    "normal_cdf": 4,
    "power_derivative": 4,
    "atan2_derivative": 4,
    "gelu_derivative": 4,
}
COSTLY |= {
    "erfc": 2,
    "logaddexp": 3,
    "hypot_derivative": 2,
    "sigmoid_derivative": 2,
    "tanh_derivative": 2,
    "silu_derivative": 2,
}  # fewer points

Point = tuple[float, ...]
Orders = tuple[int, ...]

# ---- points --------------------------------------------------------------------------------------------------------

SMALLEST, SMALLEST_NORMAL, LARGEST = 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308
CORNERS = [0.0, SMALLEST, 1.5e-323, SMALLEST_NORMAL, 1e-300, 1e-155, 1e-17, 1e-8, 0.5, 1.0, 1.0 + 2**-52, 1.0 - 2**-53]
CORNERS += [2.0, 20.0, 40.0, 700.0, 1e8, 1e17, 1e155, 1e300, LARGEST]


def any_float(rng: random.Random) -> float:
    """Uniform over the bit patterns of finite floats."""
    while True:
        (x,) = struct.unpack("d", rng.randbytes(8))
        if math.isfinite(x):
            return x


def _signed(rng: random.Random, x: float) -> float:
    return rng.choice((-1.0, 1.0)) * x


WAYS: list[Callable[[random.Random], float]] = [
    any_float,
    lambda rng: _signed(rng, 10.0 ** rng.uniform(-20.0, 20.0)),
    lambda rng: _signed(rng, 10.0 ** rng.uniform(-3.0, 3.0)),
    lambda rng: rng.uniform(-5.0, 5.0),
    lambda rng: rng.uniform(-5.0, 5.0),
    lambda rng: rng.uniform(-40.0, 40.0),
    lambda rng: rng.uniform(-760.0, 760.0),  # where e^x leaves the range
    lambda rng: _signed(rng, rng.choice(CORNERS)),
    lambda rng: float(rng.randint(-4, 4)),
]


def one_number(rng: random.Random, low: float, high: float) -> float:
    """A float in [low, high], from the whole range or next to its ends."""
    if math.isfinite(low) and rng.random() < 0.2:
        return beside(rng, low, high)
    if math.isfinite(high) and rng.random() < 0.2:
        return beside(rng, high, low)
    while True:
        x = rng.choice(WAYS)(rng)
        if low <= x <= high:
            return x
        if math.isfinite(low) and math.isfinite(high) and rng.random() < 0.5:
            return rng.uniform(low, high)


def beside(rng: random.Random, end: float, towards: float) -> float:
    """``end``, or one of the floats next to it, or a little further in."""
    x = end
    for _ in range(rng.randint(0, 3)):
        x = math.nextafter(x, towards)
    if rng.random() < 0.5 and end:
        x = end - end * 10.0 ** rng.uniform(-16.0, -1.0)
    return x


def parameters(op: Op) -> int:
    """How many of the last inputs are whole numbers that select a member of a family."""
    return sum(rule is None and math.isfinite(high) for rule, (_, high) in zip(op.rules, op.domain, strict=False))


def near(rng: random.Random, x: float) -> float:
    """A number whose relation to x is likely to matter: equal, opposite, close, or of similar size."""
    factor = rng.choice((1.0, -1.0, 1.0 + 2**-52, 1.0 + 10.0 ** rng.uniform(-15, 0), 10.0 ** rng.uniform(-10, 10)))
    return max(min(x * factor, LARGEST), -LARGEST)


def balanced_power(rng: random.Random) -> Point:
    """A base and an exponent of all sizes whose power is a float, or nearly."""
    x = rng.choice((abs(any_float(rng)), 1.0 + _signed(rng, 10.0 ** rng.uniform(-16.0, -0.01)), rng.uniform(0.0, 5.0)))
    if x in (0.0, 1.0):
        return 1.0, any_float(rng)
    return x, rng.choice((-1.0, 1.0, 0.1)) * rng.uniform(-750.0, 720.0) / math.log(x)


def unit_sum(rng: random.Random) -> Point:
    """x and y with e^x + e^y near 1: a zero of logaddexp."""
    p = rng.choice((rng.random(), 10.0 ** rng.uniform(-16.0, -0.3)))
    return (math.log(p), math.log1p(-p)) if 0.0 < p < 1.0 else (-math.log(2.0), -math.log(2.0))


PARTICULAR: dict[str, Callable[[random.Random], Point]] = {
    "pow": balanced_power,
    "power_derivative": balanced_power,
    "logaddexp": unit_sum,
    "logsumexp": unit_sum,
}


def points(op: Op) -> Iterator[Point]:
    """Points of the row's domain without end, the same in every run."""
    rng = random.Random(op.name)
    yield from (tuple(float(x) for x in point) for point in op.special if all(map(math.isfinite, point)))
    if op.arity == 1:
        (low, high), *_ = op.domain
        for x in [s * c for c in CORNERS for s in (1.0, -1.0)]:
            if low <= x <= high:
                yield (x,)
    while True:
        if op.lists:
            size = op.lists * rng.choice((1, 2, 2, 3, 7))
            domain = [op.domain[0]] * size
        else:
            domain = list(op.domain)
        free = len(domain) - parameters(op)
        point = [one_number(rng, *ends) for ends in domain[:free]]
        if op.name in PARTICULAR and rng.random() < 0.4:
            point = list(PARTICULAR[op.name](rng))
        elif free > 1 and rng.random() < 0.3:
            i, j = rng.sample(range(free), 2)
            point[j] = near(rng, point[i])
        elif free > 1 and rng.random() < 0.2:
            size = rng.uniform(-1074.0, 1023.0)
            point = [_signed(rng, 2.0 ** max(-1074.0, min(size + rng.uniform(-50.0, 50.0), 1023.9))) for _ in point]
        point += [float(rng.randint(int(low), int(high))) for low, high in domain[free:]]
        if op.lists or all(low <= x <= high for x, (low, high) in zip(point, domain, strict=True)):
            yield tuple(point)


def anywhere(op: Op) -> Iterator[Point]:
    """Points that ignore the domain of the row."""
    rng = random.Random(f"{op.name} anywhere")
    family = parameters(op)
    while True:
        point = [one_number(rng, -math.inf, math.inf) for _ in op.rules[: len(op.rules) - family]]
        yield (*point, *[float(rng.randint(int(low), int(high))) for low, high in op.domain[len(point) :]])


# ---- the comparison ------------------------------------------------------------------------------------------------


def error_in_units(op: Op, computed: float, point: Point, orders: Orders | None = None) -> float:
    """The error of ``computed`` in the unit in which the promise is made: at most ``BOUND``, if it is kept.

    The unit is an ULP of the exact value, or κ of them; for the value of a sum, an ULP of its terms' magnitudes.
    """
    truth = oracle.exact(op.name, point, orders)
    unit = oracle.ulp(truth)
    if op.name in SUMS and orders is None:
        unit = oracle.ulp(magnitude_of_terms(op, point))
    found = oracle.error(computed, truth)
    if BOUND * unit < found < mp.inf and op.name not in PLAIN | SUMS and op.smooth(*point):
        # κ ULP are spread · ulp(f) / |f|. That quotient is between 2^-53 and 2^-52; where f is 0, we take the less.
        spread = oracle.spread(op.name, point, orders)
        unit = max(unit, spread * unit / abs(truth) if truth else mp.ldexp(spread, -53))
    return float(found / unit)


def magnitude_of_terms(op: Op, point: Point) -> mpf:
    half = len(point) // 2
    pairs = zip(point[:half], point[half:], strict=True) if op.name == "dot" else [(x, 1.0) for x in point]
    return mp.fsum(abs(mpf(x) * y) for x, y in pairs)


def error_of_value(op: Op, point: Point) -> float:
    """Of the value; inf if it exists and is not given, or is given and does not exist."""
    if op.name in {*oracle.DERIVATIVES, "atan2"} and point[0] == 0.0 and not op.smooth(*point):
        return 0.0  # a derivative at a kink or an end of the domain, or a cut whose side depends on the sign of a zero
    try:
        exact = oracle.exact(op.name, point)
    except oracle.UndefinedError:
        exact = None
    try:
        out = op.evaluate(point)
    except OverflowError:
        return 0.0 if exact is not None and abs(exact) > LARGEST else math.inf
    except (ValueError, ZeroDivisionError):
        return 0.0 if exact is None else math.inf
    if exact is None:
        return math.inf if math.isfinite(out) else 0.0
    return error_in_units(op, out, point)


def errors_of_locals(op: Op, point: Point) -> list[float]:
    """Of each local derivative, where they exist; what does not flow back counts as 0."""
    try:
        out = op.evaluate(point)
    except (ArithmeticError, ValueError):
        return [0.0]
    if not op.smooth(*point) and op.name != "where":  # where has a kink in c only, to which nothing flows
        return [0.0]
    wanted = [i < len(point) - parameters(op) for i in range(len(point))]
    found = op.local_derivatives(point, out, wanted)
    return [error_in_units(op, found[i] or 0.0, point, once(i, point)) for i, want in enumerate(wanted) if want]


def once(i: int, point: Point, times: int = 1) -> Orders:
    """The derivative in the i-th input only."""
    return tuple(times * (i == j) for j in range(len(point)))


def error_of_locals(op: Op, point: Point) -> float:
    return max(errors_of_locals(op, point))


def worst(error: Callable[[Op, Point], float], op: Op, sample: Iterator[Point], count: int) -> tuple[float, Point]:
    """The greatest error over the first points of a sample, and where it is."""
    count = max(1, count // COSTLY.get(op.name, 1))
    return max(((error(op, point), point) for point in islice(sample, count)), key=lambda found: found[0])


# ---- values and local derivatives ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROWS)
def test_value(name: str) -> None:
    error, point = worst(error_of_value, autograd.OPS[name], points(autograd.OPS[name]), POINTS)
    assert error <= BOUND, f"{name}{point} is off by {error} units"


@pytest.mark.parametrize("name", ROWS)
def test_local_derivatives(name: str) -> None:
    error, point = worst(error_of_locals, autograd.OPS[name], points(autograd.OPS[name]), POINTS)
    assert error <= BOUND, f"a local derivative of {name}{point} is off by {error} units"


@pytest.mark.parametrize("name", [name for name in ROWS if not autograd.OPS[name].lists])
def test_value_beyond_the_domain(name: str) -> None:
    error, point = worst(error_of_value, autograd.OPS[name], anywhere(autograd.OPS[name]), POINTS // 4)
    assert error <= BOUND, f"{name}{point} is off by {error} units"


def test_powers_of_negative_numbers() -> None:
    # Smooth in the base, though not in the exponent.
    rng = random.Random(0)
    for _ in range(POINTS):
        x, y = -(2.0 ** rng.uniform(-40.0, 40.0)), float(rng.randint(-60, 60))
        assert error_of_value(autograd.ops.pow, (x, y)) <= BOUND
        out = autograd.pow(x, y) if abs(y * math.log2(-x)) < 1020.0 else math.inf
        local, _ = autograd.ops.pow.local_derivatives((x, y), out, [True, False])
        assert error_in_units(autograd.ops.pow, local, (x, y), (1, 0)) <= BOUND, (x, y)


# ---- derivatives of higher order -----------------------------------------------------------------------------------

ORDERS = (1, 2, 3)
SMOOTH_AT_0 = {"asin", "acos", "atan", "cos", "cosh", "erf", "erfc", "exp", "expm1", "gelu", "log1p", "normal_cdf"}
SMOOTH_AT_0 |= {
    "gelu_derivative",
    "normal_density",
    "sigmoid_derivative",
    "tanh_derivative",
    "silu_derivative",
    "sigmoid",
    "silu",
    "sin",
    "sinh",
    "softplus",
    "tan",
    "tanh",
}
ORDINARY: dict[str, list[Point]] = {
    "atan2": [(0.0, 1.0), (2.0, 0.0)],
    "hypot": [(3.0, 0.0), (0.0, -2.0)],
    "logaddexp": [(1.0, 1.0)],
    "logsumexp": [(1.0, 1.0, 1.0)],
    "mul": [(0.0, 0.0)],
    "pow": [(2.0, 0.0), (1.0, 1.0), (1.0, 2.5)],
    **{name: [(0.0,)] for name in SMOOTH_AT_0},
}


def moderate_points(op: Op) -> list[Point]:
    """Ordinary smooth points: some at random, away from the ends of the domain, and those where rules like to break."""
    rng = random.Random(op.name)
    found = [*ORDINARY.get(op.name, []), *[p for p in op.special if all(x == 0.0 or 0.1 < abs(x) < 50.0 for x in p)]]
    free = len(op.domain) - parameters(op)
    for _ in range(3):
        domain = [op.domain[0]] * 4 if op.lists else op.domain[:free]
        family = [] if op.lists else op.domain[free:]
        point = [rng.uniform(max(low + 0.2, -3.0), min(high - 0.2, 3.0)) for low, high in domain]
        found.append((*point, *[float(rng.randint(int(low), int(high))) for low, high in family]))
    return [point for point in found if op.smooth(*point)]


def along(op: Op, point: Point, i: int) -> Callable[[Any], Any]:
    """``op`` as a function of its i-th input."""

    def function(x: Any) -> Any:
        inputs = (*point[:i], x, *point[i + 1 :])
        size = len(point) // op.lists if op.lists else 0
        return op(*[inputs[k * size : (k + 1) * size] for k in range(op.lists)]) if op.lists else op(*inputs)

    return function


def backwards(function: Callable[[Any], Any], order: int) -> Callable[[Any], Any]:
    return backwards(autograd.grad(function), order - 1) if order else function


@pytest.mark.parametrize("name", ROWS)
def test_derivatives_of_order_1_to_3(name: str) -> None:
    # A higher derivative is a sum of products of the derivatives of lower order of what the rules are made of; these
    # have the size of the derivatives of the operation itself up to one order more, at lengths of about 1. So its
    # rounding errors are some dozens of 1e-16 of the greatest of those, and a wrong rule is not.
    op = autograd.OPS[name]
    for point in moderate_points(op):
        for i in range(len(point) - parameters(op)):
            truth = {n: oracle.exact(name, point, once(i, point, n)) for n in range(1, max(ORDERS) + 2)}
            for n in ORDERS:
                scale = float(max(abs(truth[m]) for m in range(1, n + 2)))
                reverse = backwards(along(op, point, i), n)(point[i])
                forward = autograd.derivative(along(op, point, i), order=n)(point[i])
                assert abs(reverse - forward) <= 1e-12 * scale, (point, i, n, reverse, forward)
                assert abs(reverse - float(truth[n])) <= 1e-12 * scale, (point, i, n, reverse, truth[n])


# ---- the tests tested ----------------------------------------------------------------------------------------------


def altered(op: Op, **fields: Any) -> Op:
    """A copy of ``op`` with other fields, outside the table."""
    return Op(**{**vars(op), **fields})


def off(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, wrong by one part in 1e12."""

    def wrong(*inputs: Any) -> Any:
        out = function(*inputs)
        return [x * (1 + 1e-12) for x in out] if isinstance(out, (list, tuple)) else out * (1 + 1e-12)

    return wrong


@pytest.mark.parametrize("name", ROWS)
def test_a_wrong_forward_is_caught(name: str) -> None:
    op = altered(autograd.OPS[name], forward=off(autograd.OPS[name].forward))
    assert any(error_of_value(op, point) > BOUND for point in islice(points(op), 100))


@pytest.mark.parametrize("name", [name for name in ROWS if any(autograd.OPS[name].rules)])
def test_a_wrong_rule_is_caught(name: str) -> None:
    op = autograd.OPS[name]
    for k, rule in enumerate(op.rules):
        if rule is not None:
            wrong = altered(op, rules=(*op.rules[:k], off(rule), *op.rules[k + 1 :]))
            assert any(error_of_locals(wrong, point) > BOUND for point in islice(points(op), 100))


def test_the_oracle_knows_what_is_known() -> None:
    assert float(oracle.exact("tanh", (20.0,), (1,))) == 1.6993417021166355e-17
    assert float(oracle.exact("exp", (1.0,), (3,))) == math.e
    assert float(oracle.exact("pow", (2.0, 3.0), (3, 0))) == 6.0
    assert float(oracle.exact("pow", (2.0, 3.0), (1, 1))) == pytest.approx(4.0 + 12.0 * math.log(2.0), rel=1e-15)
    assert float(oracle.exact("hypot", (3.0, 4.0), (1, 1))) == -12.0 / 125.0
    assert float(oracle.exact("softplus", (-700.0,))) == math.exp(-700.0)
    assert float(oracle.exact("sigmoid", (700.0,), (1,))) == math.exp(-700.0)
    assert oracle.exact("maximum", (1.0, 2.0), (1, 0)) == 0.0
    assert oracle.spread("exp", (3.0,)) == pytest.approx(3.0 * math.exp(3.0))


def test_the_oracle_does_not_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(oracle.VALUES, "exp", lambda x: mp.exp(x) * (1 + mp.rand() / 2**60))
    with pytest.raises(oracle.UndecidedError):
        oracle.exact("exp", (1.0,))
    with pytest.raises(oracle.UndefinedError):
        oracle.exact("log", (-1.0,))
