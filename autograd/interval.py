"""The interval reading: between which two numbers does the exact value lie, or the exact gradient?

A computed number is rounded at every operation. Here it carries along how far it may be from the number that exact
arithmetic would give: the midpoint is what the engine computes, to the bit, and the radius a bound on its error (ball
arithmetic: van der Hoeven 2009; Johansson, *Arb*, 2017). The same rows give values and local derivatives, and the
chain rule in balls gives gradients with a guarantee, and no tolerance to choose.

What the bounds rest on: IEEE arithmetic rounds to nearest; a row's forward function is as accurate as the row says
(``ulps``); it is monotone along each input but where the row says that it ``turns``. A row that says neither is
enclosed by its formula, if it prints as one, else by the mean value theorem (Moore, Kearfott and Cloud, *Introduction
to Interval Analysis*, ch. 6).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf, isfinite, nan, nextafter, ulp
from operator import attrgetter
from typing import Any

from . import ops
from .op import Number, Op, as_float, everywhere, is_built_in
from .reverse import check_current
from .value import Value

UNIT = 2.0**-53  # the relative error of one rounding
SMALL = 2.0**-960  # below, a product may be rounded by more than that
TINY = 2.0**-1070
SMALLEST = 2.0**-1074
INFLATE = 1.0 + 2.0**-49  # outweighs the roundings of a radius itself
WIDE = 2.0**-20


class Interval(Number):
    """All numbers within ``radius`` of ``midpoint``.

    Operators and the functions of ``autograd`` take Intervals, and enclose what they would give for every number in
    them. ``number in interval`` asks whether it lies between the ends, which are rounded outward.

    Raises:
        TypeError: the midpoint or the radius is not a real number.
        ValueError: the radius is negative.

    >>> Interval(3.25, 4e-16)
    3.25 ± 4e-16
    >>> Interval(3.25, 0.5).lower, 3 in Interval(3.25, 0.5)
    (2.75, True)
    """

    __slots__ = ("midpoint", "radius")

    def __init__(self, midpoint: float, radius: float = 0.0) -> None:
        self.midpoint = midpoint if midpoint.__class__ is float else as_float(midpoint)
        self.radius = radius if radius.__class__ is float else as_float(radius)
        if self.radius < 0.0:
            raise ValueError(f"the radius of an Interval is not negative, got {radius!r}")

    @staticmethod
    def apply(op: Op, inputs: tuple[Any, ...]) -> Interval:
        """An Interval that contains what ``op`` gives for all numbers in ``inputs``, Intervals and floats."""
        return enclosure(op, inputs)

    # Sums and products are most of every rule, so they have a short cut past ``apply``.
    # fmt: off
    def __add__(self, y: Any) -> Any: return _add(self, y) if y.__class__ in OPERANDS else super().__add__(y)
    def __radd__(self, x: Any) -> Any: return _add(x, self) if x.__class__ in OPERANDS else super().__radd__(x)
    def __sub__(self, y: Any) -> Any: return _sub(self, y) if y.__class__ in OPERANDS else super().__sub__(y)
    def __rsub__(self, x: Any) -> Any: return _sub(x, self) if x.__class__ in OPERANDS else super().__rsub__(x)
    def __mul__(self, y: Any) -> Any: return _mul(self, y) if y.__class__ in OPERANDS else super().__mul__(y)
    def __rmul__(self, x: Any) -> Any: return _mul(x, self) if x.__class__ in OPERANDS else super().__rmul__(x)
    def __truediv__(self, y: Any) -> Any: return _div(self, y) if y.__class__ in OPERANDS else super().__truediv__(y)
    def __rtruediv__(self, x: Any) -> Any: return _div(x, self) if x.__class__ in OPERANDS else super().__rtruediv__(x)
    def __neg__(self) -> Any: return _neg(self)
    # fmt: on

    @property
    def lower(self) -> float:
        """The lower end, -inf if there is none."""
        return self.midpoint if not self.radius else -_above(self.radius, -self.midpoint)

    @property
    def upper(self) -> float:
        """The upper end, inf if there is none."""
        return self.midpoint if not self.radius else _above(self.radius, self.midpoint)

    @property
    def digits(self) -> int:
        """How many decimal digits of the midpoint can be trusted: 17, which is all of a float, if it is exact.

        >>> Interval(3.25, 4e-16).digits, Interval(0.0, 1.0).digits
        (15, 0)
        """
        if not self.radius < abs(self.midpoint) < inf:
            return 0 if self.radius or not isfinite(self.midpoint) else 17
        return math.floor(-math.log10(max(self.radius / abs(self.midpoint), 1e-17)))

    def __contains__(self, number: Any) -> bool:
        return bool(self.lower <= number <= self.upper)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (float, int)):
            return not self.radius and self.midpoint == other
        return isinstance(other, Interval) and (self.midpoint, self.radius) == (other.midpoint, other.radius)

    def __hash__(self) -> int:
        return hash(self.midpoint)

    def __bool__(self) -> bool:
        raise TypeError("an Interval is neither true nor false: compare its lower and upper ends")

    def __repr__(self) -> str:
        return f"{self.midpoint!r} ± {_rounded_up(self.radius)}"


UNKNOWN = Interval(nan, inf)
OPERANDS = {float, Interval}


def _above(x: float, y: float) -> float:
    """x + y, or the next float above it if the sum was rounded; inf if there is no sum."""
    total, error = _sum(x, y)
    if error > 0.0:
        return nextafter(total, inf)
    return total if error <= 0.0 else inf


def _rounded_up(x: float) -> str:
    """x with one digit, not below x."""
    if not 0.0 < x < inf:
        return f"{x:g}" if x == x else "inf"
    shown = f"{x:.0e}"
    if float(shown) < x:
        digit, _, exponent = shown.partition("e")
        shown = f"{float(f'{int(digit) + 1}e{exponent}'):.0e}"
    return f"{float(shown):g}" if 1e-4 <= x < 1e5 else shown


# ---- arithmetic ----------------------------------------------------------------------------------------------------
# On midpoints and radii as plain floats: most of every graph is sums and products.


def _sum(x: float, y: float) -> tuple[float, float]:
    """x + y as a float and its rounding error, exactly (Knuth's two-sum)."""
    total = x + y
    back = total - x
    return total, (x - (total - back)) + (y - back)


def _product(x: float, rx: float, y: float, ry: float) -> tuple[float, float]:
    """The ball of the products of two balls."""
    midpoint = x * y
    radius = ((abs(x) + rx) * ry + rx * abs(y) + UNIT * abs(midpoint)) * INFLATE
    if radius < SMALL and (x or rx) and (y or ry):
        radius += TINY
    return midpoint, radius


def _ball(x: Any) -> tuple[float, float]:
    if x.__class__ is float:
        return x, 0.0
    return (x.midpoint, x.radius) if isinstance(x, Interval) else (as_float(x), 0.0)


def _add(x: Any, y: Any) -> Interval:
    (x, rx), (y, ry) = _ball(x), _ball(y)
    midpoint, error = _sum(x, y)
    return Interval(midpoint, (rx + ry + abs(error)) * INFLATE)


def _sub(x: Any, y: Any) -> Interval:
    return _add(x, _neg(y))


def _neg(x: Any) -> Interval:
    x, rx = _ball(x)
    return Interval(-x, rx)


def _mul(x: Any, y: Any) -> Interval:
    return Interval(*_product(*_ball(x), *_ball(y)))


def _div(x: Any, y: Any) -> Interval:
    (x, rx), (y, ry) = _ball(x), _ball(y)
    nearest = (abs(y) - ry) * (1.0 - 2.0 * UNIT)
    midpoint = x / y if y else nan
    if not nearest > 0.0:
        return Interval(midpoint, inf)
    # x' / y' - x / y = ((x' - x) + (x / y)·(y - y')) / y'
    moved = rx + abs(midpoint) * ry * INFLATE
    if moved < SMALL and ry and x:
        moved += TINY
    radius = (moved / nearest + UNIT * abs(midpoint)) * INFLATE
    if radius < SMALL and (x or rx):
        radius += TINY
    return Interval(midpoint, radius)


def _list_sum(*xs: Any) -> Interval:
    balls = [_ball(x) for x in xs]
    midpoint = ops.sum.forward(*[x for x, _ in balls])
    return Interval(midpoint, _total([UNIT * abs(midpoint), *[radius for _, radius in balls]]))


def _dot(*inputs: Any) -> Interval:
    balls = [_ball(x) for x in inputs]
    half = len(balls) // 2
    midpoint = ops.dot.forward(*[x for x, _ in balls])
    products = [_product(*x, *y) for x, y in zip(balls[:half], balls[half:], strict=True)]
    return Interval(midpoint, _total([UNIT * abs(midpoint), *[radius for _, radius in products]]))


def _total(radii: list[float]) -> float:
    """An upper bound of the sum of numbers that are not negative."""
    return sum(radii) * (1.0 + (len(radii) + 2) * 2.0 * UNIT)


def _where(condition: Any, x: Any, y: Any) -> Interval:
    midpoint, radius = _ball(condition)
    if radius < abs(midpoint):
        return Interval(*_ball(x))
    if not radius and midpoint == 0.0:
        return Interval(*_ball(y))
    return _hull(Interval(*_ball(x)), Interval(*_ball(y)))


def _hull(x: Interval, y: Interval) -> Interval:
    low, high = min(x.lower, y.lower), max(x.upper, y.upper)
    return _reaching(0.5 * low + 0.5 * high, low, high)


def _reaching(midpoint: float, low: float, high: float) -> Interval:
    """The Interval around ``midpoint`` that contains ``low`` and ``high``."""
    return Interval(midpoint, max(_above(high, -midpoint), _above(midpoint, -low)))


def _around(midpoint: float, enclosed: Any) -> Interval:
    """The Interval around ``midpoint`` that contains another, or a float."""
    y, radius = _ball(enclosed)
    return Interval(midpoint, (abs(y - midpoint) + radius) * INFLATE if radius < inf else inf)


def _comparison(op: Op) -> Callable[[Any, Any], Interval]:
    """``op`` where the order of its inputs is certain, else both answers."""

    def compare(x: Any, y: Any) -> Interval:
        (x, rx), (y, ry) = _ball(x), _ball(y)
        return Interval(op.forward(x, y)) if abs(x - y) > (rx + ry) * INFLATE else Interval(0.5, 0.5)

    return compare


COMPARISONS = (ops.lt, ops.le, ops.gt, ops.ge)

ARITHMETIC: dict[Op, Callable[..., Interval]] = {
    ops.add: _add,
    ops.sub: _sub,
    ops.difference: _sub,
    ops.mul: _mul,
    ops.div: _div,
    ops.neg: _neg,
    ops.sum: _list_sum,
    ops.dot: _dot,
    ops.where: _where,
    **{op: _comparison(op) for op in COMPARISONS},
}
"""The operations that intervals are made of; every other row is enclosed by what it says of itself."""


# ---- operations ----------------------------------------------------------------------------------------------------


def enclosure(op: Op, inputs: tuple[Any, ...]) -> Interval:
    """An Interval that contains what ``op`` gives for all numbers in ``inputs``, Intervals and floats."""
    if op in ARITHMETIC:
        return ARITHMETIC[op](*inputs)
    midpoint = _evaluate(op, inputs)
    if op.turns is not None:
        return Interval(midpoint, _reach(op, midpoint, inputs))
    if callable(op.prints):
        return _around(midpoint, _formula(op, inputs))
    return _by_mean_value(op, midpoint, inputs, [isinstance(x, Interval) for x in inputs])[0]


def _evaluate(op: Op, inputs: Sequence[Any]) -> float:
    """What the engine computes; nan where it refuses."""
    try:
        return op.evaluate(tuple([x if x.__class__ is float else x.midpoint for x in inputs]))
    except (ArithmeticError, ValueError):
        return nan


def _formula(op: Op, inputs: tuple[Any, ...]) -> Any:
    """What a row prints as, evaluated; UNKNOWN if it is not defined there."""
    assert callable(op.prints)
    try:
        found = op.prints(*inputs)
    except (ArithmeticError, ValueError):
        found = None
    return UNKNOWN if found is None else found


def _reach(op: Op, midpoint: float, inputs: Sequence[Any]) -> float:
    """How far ``op`` goes from ``midpoint``: looked up at the ends, and where it turns."""
    assert op.turns is not None
    places: list[tuple[float, ...]] = []
    for i, x in enumerate(inputs):
        if x.__class__ is float or not x.radius:
            exact = _ball(x)[0]
            places.append((exact, *op.turns(exact, exact)) if exact == 0.0 and len(inputs) > 1 else (exact,))
        else:
            low, high = x.lower, x.upper
            if op.arity == 1:
                low, high = max(low, op.domain[i][0]), min(high, op.domain[i][1])
            places.append((low, high, *op.turns(low, high)))
    greatest, farthest = abs(midpoint), 0.0
    for place in product(*places):
        try:
            out = op.forward(*place)
        except (ArithmeticError, ValueError):
            return inf
        farthest = max(farthest, abs(out - midpoint)) if out == out else inf
        greatest = max(greatest, abs(out))
    return (farthest + _rounding(op, greatest)) * INFLATE


Local = Interval | float | None


class _Guesses(threading.local):
    """The enclosures that this thread has guessed and not yet confirmed."""

    def __init__(self) -> None:
        self.made: dict[Op, tuple[tuple[Any, ...], Interval]] = {}


_guesses = _Guesses()


def _by_mean_value(
    op: Op, midpoint: float, inputs: tuple[Any, ...], wanted: Sequence[bool]
) -> tuple[Interval, list[Local]]:
    """The value and the local derivatives of a row of which nothing is known but its rules.

    The value moves by no more than the greatest local derivative times how far the inputs may move. A rule may ask for
    the value itself, or for an operation whose rule does (as sin and cos do): so an enclosure is guessed, and is right
    if what follows from it lies within it (functions that never move fast enough to leave their guesses do not).
    """
    unbounded = Interval(midpoint, inf)
    if op in _guesses.made:
        guessed_at, guess = _guesses.made[op]
        return guess if guessed_at == inputs else unbounded, [UNKNOWN] * len(inputs)
    at_midpoint = _local_derivatives(op, [_ball(x)[0] for x in inputs], midpoint, wanted)
    needed = _moved(op, midpoint, inputs, at_midpoint)
    try:
        for guess in (Interval(midpoint, 1.001 * needed), Interval(midpoint, 2.0 * needed)):
            _guesses.made[op] = inputs, guess
            local_derivatives = _local_derivatives(op, inputs, guess, wanted)
            radius = _moved(op, midpoint, inputs, local_derivatives)
            if radius <= guess.radius and (_is_smooth(op, inputs) or not any(_ball(x)[1] for x in inputs)):
                return Interval(midpoint, radius), local_derivatives
        _guesses.made[op] = inputs, UNKNOWN
        return unbounded, _local_derivatives(op, inputs, UNKNOWN, wanted)
    finally:
        _guesses.made.pop(op, None)


def _moved(op: Op, midpoint: float, inputs: Sequence[Any], local_derivatives: Sequence[Local]) -> float:
    """How far the value may be from ``midpoint``, by the mean value theorem and the accuracy of the row."""
    rounding, terms = _rounding(op, midpoint), []
    for x, local in zip(inputs, local_derivatives, strict=True):
        if local is not None:
            (_, radius), (slope, spread) = _ball(x), _ball(local)
            terms.append((abs(slope) + spread) * radius if radius else 0.0)
    if op.turns is None:
        rounding = max(rounding, op.ulps * 2.0 * UNIT * _condition(op, midpoint, inputs))
        if abs(midpoint) < SMALL:  # it may have underflowed before a last product with an input
            terms.append(op.ulps * SMALLEST * _total([1.0, *[abs(_ball(x)[0]) for x in inputs]]))
    return _total([rounding, *terms]) * INFLATE


def _condition(op: Op, midpoint: float, inputs: Sequence[Any]) -> float:
    """Σ |x · ∂f/∂x| at the midpoints: |f| times its condition number."""
    point = [_ball(x)[0] for x in inputs]
    slopes = _local_derivatives(op, point, midpoint, [True] * len(point))
    return _total(
        [
            abs(x) * sum(map(abs, _ball(slope)))
            for x, slope in zip(point, slopes, strict=True)
            if x and slope is not None
        ]
    )


def _rounding(op: Op, out: float) -> float:
    """How far ``out`` may be from the exact value at the same inputs."""
    return max(op.ulps * ulp(out * INFLATE), SMALLEST if op.ulps else 0.0)


def _local_derivatives(op: Op, inputs: Sequence[Any], out: Any, wanted: Sequence[bool]) -> list[Local]:
    """∂out/∂input for each input that is wanted; None where nothing flows back."""
    found: list[Local]
    try:
        if op.lists:
            found = op.rules[0](tuple(inputs), out)  # type: ignore[misc]  # a list operation has a rule
        else:
            found = [
                rule(*inputs, out) if want and rule is not None else None
                for rule, want in zip(op.rules, wanted, strict=True)
            ]
    except (ArithmeticError, ValueError):  # not defined there
        return [UNKNOWN] * len(inputs)
    if not is_built_in(op):
        found = [None if local is None else _widened(op, local) for local in found]
    return found


def _widened(op: Op, local: Any) -> Interval:
    """A local derivative by a user's rule, in which constants such as math.pi may be rounded."""
    midpoint, radius = _ball(local)
    return Interval(midpoint, (radius + op.ulps * ulp(midpoint)) * INFLATE)


# ---- kinks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kink:
    """A node at whose inputs, as far as they are certain, its operation has a kink, a jump or a pole.

    The local derivatives there are the hull of both sides. ``distance`` is how far the computed inputs are from it.
    """

    node: Value
    distance: float

    def __str__(self) -> str:
        name = "" if self.node.name is None else f" {self.node.name}"
        return f"the{name} {self.node.op.name} is {self.distance:.3g} from a kink, within the rounding of its inputs"  # type: ignore[union-attr]


class _Place(Number):
    """An input at which ``smooth`` is asked: a comparison is true if it is so for the whole Interval.

    It can be compared, and nothing else: what ``smooth`` makes of ``abs(x)`` or ``math.floor(x)`` is not certain.
    """

    __slots__ = ("midpoint", "radius", "uncertain")

    def __init__(self, midpoint: float, radius: float, uncertain: list[float]) -> None:
        self.midpoint = midpoint
        self.radius = radius
        self.uncertain = uncertain

    @staticmethod
    def apply(op: Op, inputs: tuple[Any, ...]) -> Any:
        raise TypeError("smooth may only compare its inputs")

    def _compared(self, other: Any) -> int:
        """-1 if it is certainly less than ``other``, 1 if it is certainly greater, else 0."""
        y, reach = (other.midpoint, other.radius) if isinstance(other, _Place) else (as_float(other), 0.0)
        distance = abs(self.midpoint - y)
        if distance > (self.radius + reach) * INFLATE:
            return 1 if self.midpoint > y else -1
        self.uncertain.append(distance)
        return 0

    # fmt: off
    def __bool__(self) -> bool: return self._compared(0.0) != 0
    def __ne__(self, other: object) -> bool: return self._compared(other) != 0
    def __lt__(self, other: Any) -> bool: return self._compared(other) < 0
    def __le__(self, other: Any) -> bool: return self._compared(other) < 0
    def __gt__(self, other: Any) -> bool: return self._compared(other) > 0
    def __ge__(self, other: Any) -> bool: return self._compared(other) > 0
    # fmt: on

    def __eq__(self, other: object) -> bool:
        raise TypeError("whether two numbers are equal is not certain: ask with !=")

    __hash__ = Number.__hash__


def _is_smooth(op: Op, inputs: Sequence[Any]) -> bool:
    return _distance_to_kink(op, inputs) is None


def _distance_to_kink(op: Op, inputs: Sequence[Any]) -> float | None:
    """How far the midpoints are from where ``op`` is not smooth; None if that is beyond the radii."""
    if op.smooth is everywhere or (op is ops.pow and _is_natural(*_ball(inputs[1]))):
        return None
    uncertain: list[float] = []
    try:
        certain = op.smooth(*[_Place(*_ball(x), uncertain) for x in inputs])
    except (TypeError, AttributeError):  # it does more than compare
        certain = not any(_ball(x)[1] for x in inputs) and op.smooth(*[_ball(x)[0] for x in inputs])
    return None if certain else max(uncertain, default=0.0)


def _is_natural(y: float, radius: float) -> bool:
    """Whether x ** y is a polynomial; the row's own ``smooth`` speaks for all powers."""
    return not radius and y >= 0.0 and y.is_integer()


# ---- graphs --------------------------------------------------------------------------------------------------------


class Certificate:
    """What ``certify`` found: for every node of a graph where its exact value and its exact gradient lie.

    Attributes:
        kinks: the nodes at which a local derivative is the hull of both sides of a kink.
    """

    def __init__(self, places: dict[Value, int], values: Balls, gradients: Balls, kinks: list[Kink]) -> None:
        self.kinks = kinks
        self._places = places
        self._values = values
        self._gradients = gradients

    def __getitem__(self, node: Value) -> Interval:
        """An Interval that contains ∂output/∂node exactly. Raises KeyError if ``node`` is not in the graph."""
        return self._at(node, self._gradients)

    def value(self, node: Value) -> Interval:
        """An Interval that contains the exact value of ``node``. Raises KeyError if it is not in the graph."""
        return self._at(node, self._values)

    def __repr__(self) -> str:
        return f"<certificate of {len(self)} nodes, {len(self.kinks)} of them at a kink>"

    def __iter__(self) -> Iterator[Value]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def _at(self, node: Value, balls: Balls) -> Interval:
        if node not in self._places:
            raise KeyError(f"{node!r} is not in the graph that this certificate is for")
        midpoints, radii = balls
        place = self._places[node]
        radius = radii[place]
        return Interval(midpoints[place], radius if radius == radius else inf)


def certify(output: Value) -> Certificate:
    """Enclose the exact value and the exact gradient of every node that ``output`` depends on.

    Exact means: as if what was recorded had been computed in real numbers, from the leaves as they are. The midpoints
    are the numbers that ``backward`` gives, but behind a kink, where they are in the middle between its sides. Nothing
    of the graph is changed.

    Raises:
        TypeError: ``output`` is no Value.
        ValueError: a number that was recorded is not what its operation gives now: the data of a leaf was changed.

    >>> x = Value(0.75, "x")
    >>> certify(x**2)[x]
    1.5 ± 2e-16
    >>> y = ((x + 1e16) - 1e16) ** 2
    >>> y.backward()
    >>> x.grad, certify(y)[x], certify(y)[x].digits
    (0.0, 0.0 ± 2, 0)
    """
    if not isinstance(output, Value):
        raise TypeError(f"certify takes a Value, the output of a graph, got {type(output).__name__}")
    nodes = _inputs_first(output)
    places = {node: i for i, node in enumerate(nodes)}
    midpoints: list[float] = []
    radii: list[float] = []
    edges: list[Sequence[Edge]] = []
    kinks: list[Kink] = []
    for node in nodes:
        op, current = node.op, True
        if op is ops.add or op is ops.sub or op is ops.mul:  # most of every graph
            x: Any
            y: Any
            x, y = node.inputs
            i = j = -1
            if x.__class__ is float:
                rx = 0.0
            else:
                i = places[x]
                x, rx = midpoints[i], radii[i]
            if y.__class__ is float:
                ry = 0.0
            else:
                j = places[y]
                y, ry = midpoints[j], radii[j]
            if op is ops.mul:
                midpoint, radius = _product(x, rx, y, ry)
                edges.append(((j, x, rx), (i, y, ry)))
                current = (node._dx == y or i < 0) and (node._dy == x or j < 0)
            else:
                sign = 1.0 if op is ops.add else -1.0
                midpoint, error = _sum(x, sign * y)
                radius = (rx + ry + abs(error)) * INFLATE
                edges.append(((j, sign, 0.0), (i, 1.0, 0.0)))
        elif op is None:
            midpoint, radius = node._data, 0.0
            edges.append(())
        else:
            indices = [-1 if x.__class__ is float else places[x] for x in node.inputs]  # type: ignore[index]
            inputs = [
                Interval(midpoints[i], radii[i]) if i >= 0 else x if _is_order(op, k) else Interval(x)  # type: ignore[arg-type]
                for k, (x, i) in enumerate(zip(node.inputs, indices, strict=True))
            ]
            out, local_derivatives = linearised(op, tuple(inputs), [i >= 0 for i in indices])
            distance = _distance_to_kink(op, inputs)
            if distance is not None and _matters(op, inputs, out, local_derivatives):
                kinks.append(Kink(node, distance))
            midpoint, radius = out.midpoint, out.radius
            recorded = zip(local_derivatives, node.local_derivatives, strict=True)
            current = all(known is None or local is None or _ball(local)[0] == known for local, known in recorded)
            pairs = zip(indices, local_derivatives, strict=True)
            taken = [
                (i, *_ball(local)) for i, local in pairs if local is not None and not (op.selects and local == 0.0)
            ]
            edges.append(taken[::-1])
        if midpoint != node._data or not current:
            check_current(
                node
            )  # if no leaf was changed there is a kink behind it, and the midpoint is between its sides
        midpoints.append(midpoint)
        radii.append(radius)
    return Certificate(places, (midpoints, radii), _adjoints(nodes, edges), kinks)


Balls = tuple[list[float], list[float]]
Edge = tuple[int, float, float]


def _is_order(op: Op, i: int) -> bool:
    """Whether the i-th input selects a member of a family; other literals are exact numbers to calculate with."""
    return not op.lists and op.rules[i] is None


def linearised(op: Op, inputs: tuple[Any, ...], wanted: Sequence[bool]) -> tuple[Interval, list[Local]]:
    """The value of an operation, and its local derivatives for the inputs that are wanted."""
    if op.turns is None and op not in ARITHMETIC and not callable(op.prints):
        return _by_mean_value(op, _evaluate(op, inputs), inputs, wanted)
    if op in COMPARISONS and not any(_ball(x)[1] for x in inputs):
        return Interval(_evaluate(op, inputs)), [None, None]  # nothing is uncertain, at a tie neither
    out = enclosure(op, inputs)
    local_derivatives = _local_derivatives(op, inputs, out, wanted)
    if op not in ARITHMETIC and _is_smooth(op, inputs):  # the ends of inputs were rounded outward, their radii are not
        out.radius = min(out.radius, _moved(op, out.midpoint, inputs, local_derivatives))
    return out, local_derivatives


def _matters(op: Op, inputs: Sequence[Any], out: Interval, local_derivatives: Sequence[Local]) -> bool:
    """Whether a kink is one of the value or of the first derivative: of those of higher order nothing is seen here."""
    explained = 2.0 * _moved(op, out.midpoint, inputs, local_derivatives)
    return not out.radius <= explained < inf or any(map(_is_wide, local_derivatives))


def _is_wide(x: Local) -> bool:
    return isinstance(x, Interval) and not x.radius <= WIDE * abs(x.midpoint) < inf


def _inputs_first(output: Value) -> list[Value]:
    """All nodes, the shallow ones first."""
    nodes, met = [output], {output}
    for node in nodes:
        for x in node.inputs:
            if isinstance(x, Value) and x not in met:
                met.add(x)
                nodes.append(x)
    return sorted(nodes, key=attrgetter("_depth"))


def _adjoints(nodes: list[Value], edges: list[Sequence[Edge]]) -> Balls:
    """∂output/∂node for each node, summed in the order of ``backward``: so the midpoints are what it computes."""
    midpoints, radii = [0.0] * len(nodes), [0.0] * len(nodes)
    depths = [node._depth for node in nodes]
    met = [False] * len(nodes)
    levels: list[list[int]] = [[] for _ in range(depths[-1] + 1)]
    levels[-1].append(len(nodes) - 1)
    midpoints[-1] = 1.0
    while levels:
        for place in levels.pop():
            upstream, spread = midpoints[place], radii[place]
            exact = not spread and abs(upstream) == 1.0
            for i, local, reach in edges[place]:
                if i < 0:
                    continue
                if exact:
                    midpoint, radius = upstream * local, reach
                elif reach or (local != 1.0 and local != -1.0):
                    midpoint, radius = _product(upstream, spread, local, reach)
                else:
                    midpoint, radius = upstream * local, spread
                if met[i]:
                    midpoints[i], error = _sum(midpoints[i], midpoint)
                    radii[i] = (radii[i] + radius + abs(error)) * INFLATE
                else:
                    met[i] = True
                    midpoints[i], radii[i] = midpoint, radius
                    levels[depths[i]].append(i)
    return midpoints, radii
