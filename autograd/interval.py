"""The interval reading: between which two numbers does the exact value lie, and the exact local derivatives?

A computed number is rounded at every operation. Here it carries along how far it may be from the number that exact
arithmetic would give: the midpoint is what the engine computes, to the bit, and the radius a bound on its error (ball
arithmetic: van der Hoeven 2009; Johansson, *Arb*, 2017). The same rows give values and local derivatives.

What the bounds rest on: IEEE arithmetic rounds to nearest; a row's forward function is as accurate as the row says
(``ulps``); it is monotone along each input but where the row says that it ``turns``. A row that says neither is
enclosed by its formula, if it prints as one, else by the mean value theorem (Moore, Kearfott and Cloud, *Introduction
to Interval Analysis*, ch. 6).
"""

from __future__ import annotations

import itertools
import math
import operator
import threading
from collections.abc import Callable, Iterable, Sequence
from math import inf, isfinite, nan, nextafter, ulp
from typing import Any

from . import ops
from .op import Number, Op, as_float, everywhere, is_built_in

UNIT = 2.0**-53  # the relative error of one rounding
SMALLEST = 2.0**-1074
SMALL = 2.0**-960  # a product below may be rounded by more than its relative error, because it or a factor underflows,
TINY = 2.0**-1070  # but by less than this
INFLATE = 1.0 + 2.0**-49  # outweighs the roundings of a radius itself, up to 15 of them


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
OPERANDS = {float, int, Interval}


def _above(x: float, y: float) -> float:
    """x + y, or the next float above it if the sum was rounded; inf if there is no sum."""
    total, error = two_sum(x, y)
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


def two_sum(x: float, y: float) -> tuple[float, float]:
    """x + y as a float and its rounding error, exactly (Knuth's two-sum)."""
    total = x + y
    back = total - x
    return total, (x - (total - back)) + (y - back)


def product(x: float, rx: float, y: float, ry: float) -> tuple[float, float]:
    """The ball of the products of two balls."""
    midpoint = x * y
    radius = ((abs(x) + rx) * ry + rx * abs(y) + 0.5 * ulp(midpoint)) * INFLATE
    if radius < SMALL and (x or rx) and (y or ry):
        radius += TINY
    return midpoint, radius


def ball(x: Any) -> tuple[float, float]:
    """The midpoint and the radius of a float or an Interval."""
    if x.__class__ is Interval:
        return x.midpoint, x.radius
    return (x if x.__class__ is float else as_float(x)), 0.0


def _add(x: Any, y: Any) -> Interval:
    (x, rx), (y, ry) = ball(x), ball(y)
    midpoint, error = two_sum(x, y)
    return Interval(midpoint, (rx + ry + abs(error)) * INFLATE)


def _sub(x: Any, y: Any) -> Interval:
    return _add(x, _neg(y))


def _neg(x: Any) -> Interval:
    x, rx = ball(x)
    return Interval(-x, rx)


def _mul(x: Any, y: Any) -> Interval:
    return Interval(*product(*ball(x), *ball(y)))


def _div(x: Any, y: Any) -> Interval:
    (x, rx), (y, ry) = ball(x), ball(y)
    nearest = abs(y) - ry
    midpoint = x / y if y else nan
    if not nearest > 0.0:
        return Interval(midpoint, inf)
    # x' / y' - x / y = ((x' - x) + (x / y)·(y - y')) / y', and x / y is rounded too.
    moved = rx + (abs(midpoint) + ulp(midpoint)) * ry if x else rx
    if moved < SMALL and ry and x:
        moved += TINY
    radius = (moved / nearest + 0.5 * ulp(midpoint)) * INFLATE
    if radius < SMALL and (x or rx):
        radius += TINY
    return Interval(midpoint, radius)


def _list_sum(*xs: Any) -> Interval:
    balls = [ball(x) for x in xs]
    midpoint = ops.sum.forward(*[x for x, _ in balls])
    return Interval(midpoint, _total([0.5 * ulp(midpoint), *[radius for _, radius in balls]]))


def _dot(*inputs: Any) -> Interval:
    balls = [ball(x) for x in inputs]
    half = len(balls) // 2
    midpoint = ops.dot.forward(*[x for x, _ in balls])
    products = [product(*x, *y) for x, y in zip(balls[:half], balls[half:], strict=True)]
    return Interval(midpoint, _total([0.5 * ulp(midpoint), *[radius for _, radius in products]]))


def _total(radii: list[float]) -> float:
    """An upper bound of the sum of numbers that are not negative."""
    return sum(radii) * (1.0 + (len(radii) + 2) * 2.0 * UNIT)


def _where(condition: Any, x: Any, y: Any) -> Interval:
    midpoint, radius = ball(condition)
    chosen, other = Interval(*ball(x)), Interval(*ball(y))
    if radius < abs(midpoint):
        return chosen
    return other if not radius and midpoint == 0.0 else _hull(chosen, other)


def _hull(x: Interval, y: Interval) -> Interval:
    low, high = min(x.lower, y.lower), max(x.upper, y.upper)
    midpoint = 0.5 * low + 0.5 * high
    return Interval(midpoint, max(_above(high, -midpoint), _above(midpoint, -low)))


def _around(midpoint: float, enclosed: Any) -> Interval:
    """The Interval around ``midpoint`` that contains another, or a float."""
    y, radius = ball(enclosed)
    return Interval(midpoint, (abs(y - midpoint) + radius) * INFLATE if radius < inf else inf)


def _comparison(op: Op) -> Callable[[Any, Any], Interval]:
    """``op`` where the order of its inputs is certain, else both answers."""

    def compare(x: Any, y: Any) -> Interval:
        (x, rx), (y, ry) = ball(x), ball(y)
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

Local = Interval | float | None


def linearised(op: Op, inputs: tuple[Any, ...], wanted: Sequence[bool]) -> tuple[Interval, list[Local]]:
    """The value of an operation, and its local derivatives for the inputs that are wanted."""
    if op in COMPARISONS and not any(ball(x)[1] for x in inputs):
        return Interval(_evaluate(op, inputs)), [None, None]  # nothing is uncertain, at a tie neither
    if _is_known_by_its_rules_alone(op):
        return _by_mean_value(op, inputs, wanted)
    out = enclosure(op, inputs)
    local_derivatives = _local_derivatives(op, inputs, out, wanted)
    if op.turns is not None and distance_to_kink(op, inputs) is None:
        # The ends of inputs were rounded outward; their radii are not.
        radius = displacement(rounding_of(op, out.midpoint), inputs, local_derivatives)
        if radius < out.radius:
            out = Interval(out.midpoint, radius)
    return out, local_derivatives


def enclosure(op: Op, inputs: tuple[Any, ...]) -> Interval:
    """An Interval that contains what ``op`` gives for all numbers in ``inputs``, Intervals and floats."""
    if op in ARITHMETIC:
        return ARITHMETIC[op](*inputs)
    if op.turns is not None:
        return _looked_up(op, inputs)
    if _has_formula(op):
        return _around(_evaluate(op, inputs), _formula(op, inputs))
    return _by_mean_value(op, inputs, [False] * len(inputs))[0]


def _is_known_by_its_rules_alone(op: Op) -> bool:
    return op.turns is None and op not in ARITHMETIC and not _has_formula(op)


def _has_formula(op: Op) -> bool:
    """Whether it prints as an expression that equals it: a user's may hold rounded constants."""
    return callable(op.prints) and is_built_in(op)


def _evaluate(op: Op, inputs: Sequence[Any]) -> float:
    """What the engine computes; nan where it refuses."""
    try:
        return as_float(op.forward(*[x if x.__class__ is float else x.midpoint for x in inputs]))
    except (ArithmeticError, ValueError):
        return nan


def _formula(op: Op, inputs: Sequence[Any]) -> Any:
    """What a row prints as, evaluated; UNKNOWN if it is not defined there."""
    assert callable(op.prints)
    try:
        found = op.prints(*inputs)
    except (ArithmeticError, ValueError):
        found = None
    return UNKNOWN if found is None else found


def _looked_up(op: Op, inputs: Sequence[Any]) -> Interval:
    """The Interval of a row that says where it turns: its extremes are there, or at the ends of the inputs."""
    assert op.turns is not None
    midpoint = _evaluate(op, inputs)
    if midpoint != midpoint:
        return UNKNOWN
    places: Iterable[tuple[float, ...]]
    if op.arity == 1:
        number, radius = ball(inputs[0])
        low, high = -_above(radius, -number), _above(radius, number)
        if is_built_in(op):  # whose domain is where it is defined; a user's is where it is worth trying
            low, high = max(low, op.domain[0][0]), min(high, op.domain[0][1])
        places = zip((low, high, *op.turns(low, high))) if radius else ()
    elif op is ops.pow and ball(inputs[1])[1] and ball(inputs[0])[0] < ball(inputs[0])[1]:
        return Interval(midpoint, inf)  # a negative number has no power but whole ones
    else:
        places = itertools.product(*[_places(op, *ball(x)) for x in inputs])
    greatest, farthest = abs(midpoint), 0.0
    for place in places:
        try:
            out = op.forward(*place)
        except (ArithmeticError, ValueError):
            return Interval(midpoint, inf)
        if not abs(out - midpoint) <= farthest:
            farthest = abs(out - midpoint) if out == out else inf
        if abs(out) > greatest:
            greatest = abs(out)
    return Interval(midpoint, (farthest + rounding_of(op, greatest)) * INFLATE)


def _places(op: Op, number: float, radius: float) -> tuple[float, ...]:
    """Where one of several inputs is to be looked at: its ends, and where the row turns along it."""
    if not radius and number != 0.0:
        return (number,)
    low, high = -_above(radius, -number), _above(radius, number)
    return (low, high, *op.turns(low, high))  # type: ignore[misc]  # only rows that turn are looked up


class _Guesses(threading.local):
    """The enclosures that this thread has guessed and not yet confirmed."""

    def __init__(self) -> None:
        self.made: dict[Op, tuple[tuple[Any, ...], Interval]] = {}


_guesses = _Guesses()


def _by_mean_value(op: Op, inputs: tuple[Any, ...], wanted: Sequence[bool]) -> tuple[Interval, list[Local]]:
    """The value and the local derivatives of a row of which nothing is known but its rules.

    The value moves by no more than the greatest local derivative times how far the inputs may move. A rule may ask for
    the value itself, or for an operation whose rule does (as sin and cos do). Then an enclosure is guessed, and is
    right if what follows from it lies within it (functions that never move fast enough to leave their guesses do not).
    """
    midpoint = _evaluate(op, inputs)
    unbounded = Interval(midpoint, inf)
    if op in _guesses.made:
        guessed_at, guess = _guesses.made[op]
        return guess if guessed_at == inputs else unbounded, [UNKNOWN] * len(inputs)
    point, every = [ball(x)[0] for x in inputs], [True] * len(inputs)
    smooth = not any(ball(x)[1] for x in inputs) or distance_to_kink(op, inputs) is None

    def within(guess: Interval) -> tuple[float, list[Local]]:
        _guesses.made[op] = inputs, guess
        slopes = _local_derivatives(op, inputs, guess, every)
        rounding = _rounding_by_condition(op, midpoint, point, slopes)
        return displacement(rounding, inputs, slopes) if smooth else inf, slopes

    try:
        radius, slopes = within(unbounded)
        if smooth and not all(ball(slope)[1] < inf for slope in slopes if slope is not None):
            at_midpoint = _local_derivatives(op, point, midpoint, every)
            needed = displacement(_rounding_by_condition(op, midpoint, point, at_midpoint), inputs, at_midpoint)
            for guess in (Interval(midpoint, 1.001 * needed), Interval(midpoint, 2.0 * needed)):
                closer, slopes_there = within(guess)
                if closer <= guess.radius:
                    radius, slopes = closer, slopes_there
                    break
    finally:
        _guesses.made.pop(op, None)
    return Interval(midpoint, radius if radius == radius else inf), [
        slope if want else None for slope, want in zip(slopes, wanted, strict=True)
    ]


def displacement(rounding: float, inputs: Sequence[Any], local_derivatives: Sequence[Local]) -> float:
    """How far a value may be from what is computed at the midpoints with this rounding, by the mean value theorem."""
    total = rounding
    for x, local in zip(inputs, local_derivatives, strict=True):
        radius = ball(x)[1]
        if radius:  # where nothing flows back, nothing is known of how the value moves
            slope, spread = ball(UNKNOWN if local is None else local)
            total += (abs(slope) + spread) * radius
    return total * (1.0 + (len(inputs) + 4) * 2.0 * UNIT)


def rounding_of(op: Op, out: float) -> float:
    """How far ``out`` may be from the exact value at the same inputs."""
    return max(op.ulps * ulp(out * INFLATE), SMALLEST) if op.ulps else 0.0


def _rounding_by_condition(op: Op, out: float, inputs: Sequence[float], local_derivatives: Sequence[Local]) -> float:
    """The same where ``ulps`` is times the condition number, Σ |x · ∂out/∂x| / |out|, where that is above 1."""
    condition = share = 0.0
    for x, local in zip(inputs, local_derivatives, strict=True):
        if x and local is not None:
            slope, spread = ball(local)
            condition += abs(x) * (abs(slope) + spread)
            share += abs(x)
    rounding = max(op.ulps * 2.0 * UNIT * condition, rounding_of(op, out))  # in this order nan stays nan
    if abs(out) < SMALL:  # it may have underflowed before a last product with an input
        rounding += op.ulps * SMALLEST * (1.0 + share)
    return rounding * (1.0 + (len(inputs) + 4) * 2.0 * UNIT)


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
    midpoint, radius = ball(local)
    return Interval(midpoint, (radius + op.ulps * ulp(midpoint)) * INFLATE)


# ---- where an operation is smooth ----------------------------------------------------------------------------------


MOST_ANSWERS = 8


class _Place(Number):
    """An input at which ``smooth`` is asked. It can only be compared, and some comparisons have both answers."""

    __slots__ = ("midpoint", "questions", "radius")

    def __init__(self, midpoint: float, radius: float, questions: _Questions) -> None:
        self.midpoint = midpoint
        self.radius = radius
        self.questions = questions

    @staticmethod
    def apply(op: Op, inputs: tuple[Any, ...]) -> Any:
        raise TypeError("smooth may only compare its inputs")

    def _is(self, compare: Callable[[float, float], bool], other: Any) -> bool:
        y, reach = (other.midpoint, other.radius) if isinstance(other, _Place) else (as_float(other), 0.0)
        if abs(self.midpoint - y) > (self.radius + reach) * INFLATE:
            return compare(self.midpoint, y)
        return self.questions.ask(abs(self.midpoint - y))

    # fmt: off
    def __bool__(self) -> bool: return self._is(operator.ne, 0.0)
    def __eq__(self, other: object) -> bool: return self._is(operator.eq, other)
    def __ne__(self, other: object) -> bool: return self._is(operator.ne, other)
    def __lt__(self, other: Any) -> bool: return self._is(operator.lt, other)
    def __le__(self, other: Any) -> bool: return self._is(operator.le, other)
    def __gt__(self, other: Any) -> bool: return self._is(operator.gt, other)
    def __ge__(self, other: Any) -> bool: return self._is(operator.ge, other)
    # fmt: on

    __hash__ = None  # type: ignore[assignment]  # a set would find it by its hash, or not, without a comparison


class _Questions:
    """Comparisons whose answer is not certain: the first are answered as told, the others with no."""

    def __init__(self, answers: list[bool]) -> None:
        self.answers = answers
        self.distances: list[float] = []

    def ask(self, distance: float) -> bool:
        if len(self.distances) == len(self.answers):
            self.answers.append(False)
        self.distances.append(distance)
        return self.answers[len(self.distances) - 1]


def distance_to_kink(op: Op, inputs: Sequence[Any]) -> float | None:
    """How far the midpoints are from where ``op`` is not smooth; None if that is beyond the radii.

    It is smooth if it says so whatever the answers of the uncertain comparisons.
    """
    smooth = op.smooth
    if op is ops.pow and _is_whole(inputs[1]):  # the row's own ``smooth`` speaks for all powers
        smooth = everywhere if ball(inputs[1])[0] >= 0.0 else lambda x, y: ops.nonzero(x)
    if smooth is everywhere:
        return None
    waiting: list[list[bool]] = [[]]
    while waiting:
        answers = waiting.pop()
        told, questions = len(answers), _Questions(answers)
        try:
            certain = smooth(*[_Place(*ball(x), questions) for x in inputs])
        except (TypeError, AttributeError):  # it does more than compare
            certain = not any(ball(x)[1] for x in inputs) and smooth(*[ball(x)[0] for x in inputs])
        if not certain or len(answers) > MOST_ANSWERS:
            return max(questions.distances, default=0.0)
        waiting += [[*answers[:i], True] for i in range(told, len(answers))]
    return None


def _is_whole(x: Any) -> bool:
    midpoint, radius = ball(x)
    return not radius and midpoint.is_integer()
