"""Points at which to look at an operation: over the whole double range, and where rules and roundings like to break."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterator

from ..op import Op

Point = tuple[float, ...]

SMALLEST, SMALLEST_NORMAL, LARGEST = 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308
CORNERS = [0.0, SMALLEST, 1.5e-323, SMALLEST_NORMAL, 1e-300, 1e-155, 1e-17, 1e-8, 0.5, 1.0, 1.0 + 2**-52, 1.0 - 2**-53]
CORNERS += [2.0, 20.0, 40.0, 700.0, 1e8, 1e17, 1e155, 1e300, LARGEST]


def any_float(rng: random.Random) -> float:
    """Uniform over the bit patterns of finite floats."""
    while True:
        x: float = struct.unpack("d", rng.randbytes(8))[0]
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


def quarter_turn(rng: random.Random) -> Point:
    """A multiple of π/2, or a little beside one: a zero of sin or cos, or a pole of tan."""
    turns = rng.randint(-(10 ** rng.randint(1, 15)), 10 ** rng.randint(1, 15))
    return (turns * math.pi / 2.0 * (1.0 + rng.choice((0.0, 1.0)) * 10.0 ** rng.uniform(-16.0, -1.0)),)


PARTICULAR: dict[str, Callable[[random.Random], Point]] = {
    "pow": balanced_power,
    "power_derivative": balanced_power,
    "logaddexp": unit_sum,
    "logsumexp": unit_sum,
    **dict.fromkeys(("sin", "cos", "tan"), quarter_turn),
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
        free = len(domain) - op.orders
        point = [one_number(rng, *ends) for ends in domain[:free]]
        if op.name in PARTICULAR and rng.random() < 0.4:
            point = list(PARTICULAR[op.name](rng))
        elif free > 1 and rng.random() < 0.3:
            i, j = rng.sample(range(free), 2)
            point[j] = near(rng, point[i])
        elif free > 1 and rng.random() < 0.2:
            about = rng.uniform(-1074.0, 1023.0)
            point = [_signed(rng, 2.0 ** max(-1074.0, min(about + rng.uniform(-50.0, 50.0), 1023.9))) for _ in point]
        point += [float(rng.randint(int(low), int(high))) for low, high in domain[free:]]
        if op.lists or all(low <= x <= high for x, (low, high) in zip(point, domain, strict=True)):
            yield tuple(point)


def anywhere(op: Op) -> Iterator[Point]:
    """Points that ignore the domain of the row."""
    rng = random.Random(f"{op.name} anywhere")
    family = op.orders
    while True:
        point = [one_number(rng, -math.inf, math.inf) for _ in op.rules[: len(op.rules) - family]]
        yield (*point, *[float(rng.randint(int(low), int(high))) for low, high in op.domain[len(point) :]])
