"""Certificates: what is enclosed, how tightly, and what is said where nothing can be."""

import math
import operator
import random
from fractions import Fraction

import numpy as np
import pytest
from bounds import SLACK, check_bound, half_ulp
from graphs import call, same
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from mpmath import mp

import autograd as ag
from autograd import OPS, Interval, Value, certify
from autograd.interval import displacement, distance_to_kink, enclosure, linearised
from autograd.testing.errors import UndecidedError, UndefinedError
from autograd.testing.oracle import derivative, value

ROWS = [op for op in OPS.values() if op.name not in ("lt", "le", "gt", "ge", "where")]
RADII = [0.0, 1e-17, 1e-9, 0.01, 0.7, 4.0]

# ---- intervals -------------------------------------------------------------------------------------------------------


def test_an_interval_prints_its_midpoint_and_its_radius_rounded_up():
    assert str(Interval(3.25, 4e-16)) == "3.25 ± 4e-16"
    assert str(Interval(3.25, 4.1e-16)) == "3.25 ± 5e-16"
    assert str(Interval(3.25, 9.5e-16)) == "3.25 ± 1e-15"
    assert str(Interval(1.0, 2.0)) == "1.0 ± 2"
    shown = {9e-5: "9e-05", 1e-4: "0.0001", 2e-4: "0.0002", 5e4: "50000", 1e5: "1e+05", 1.5e5: "2e+05"}
    assert {radius: str(Interval(0.0, radius)) for radius in shown} == {r: f"0.0 ± {text}" for r, text in shown.items()}
    assert str(Interval(0.0)) == "0.0 ± 0"
    assert str(Interval(1.0, math.inf)) == "1.0 ± inf"
    assert str(Interval(1.0, math.nan)) == "1.0 ± inf"


@given(st.floats(-1e300, 1e300), st.floats(0.0, 1e300))
def test_ends_are_rounded_outward_by_less_than_an_ulp(midpoint, radius):
    interval = Interval(midpoint, radius)
    lower, upper = Fraction(midpoint) - Fraction(radius), Fraction(midpoint) + Fraction(radius)
    assert interval.lower <= lower
    assert upper <= interval.upper
    assert math.nextafter(interval.lower, math.inf) > lower or interval.lower == lower
    assert math.nextafter(interval.upper, -math.inf) < upper or interval.upper == upper
    assert lower in interval
    assert upper in interval
    assert math.nextafter(interval.upper, math.inf) not in interval
    assert math.nextafter(interval.lower, -math.inf) not in interval


@given(st.floats(0.0, 1e300, allow_subnormal=False))
def test_the_radius_that_is_printed_is_not_below_the_radius(radius):
    shown = float(str(Interval(1.0, radius)).rpartition(" ")[2])
    assert radius <= shown <= 2 * radius


@pytest.mark.parametrize(
    ("midpoint", "radius", "digits"),
    [
        (3.25, 4e-16, 15),
        (1.0, 1e-3, 3),
        (1.0, 1.1e-3, 2),
        (-5.0, 5e-10, 10),
        (1.0, 0.5, 0),
        (1.0, 1.0, 0),
        (0.0, 1e-300, 0),
        (0.0, 0.0, 17),
        (2.5, 0.0, 17),
        (1.0, 1.1e-17, 16),
        (1.0, 5e-324, 17),
        (1e300, 5e-324, 17),
        (math.nan, math.inf, 0),
        (1.0, math.nan, 0),
        (math.inf, 0.0, 0),
    ],
)
def test_digits(midpoint, radius, digits):
    assert Interval(midpoint, radius).digits == digits


def test_an_interval_without_a_bound_contains_everything():
    for interval in (Interval(math.nan, math.inf), Interval(1.0, math.nan), Interval(1e308, 1e308)):
        assert interval.upper == math.inf
        assert 1.7e308 in interval
    assert Interval(1.0, math.nan).lower == -math.inf


def test_an_interval_is_of_two_floats():
    assert repr(Interval(3, True)) == "3.0 ± 1"
    assert {type(each) for each in (Interval(3, True).midpoint, Interval(3, True).radius)} == {float}
    for wrong in (("3",), (None,), (1.0, "3")):
        with pytest.raises(TypeError, match="expected a real number"):
            Interval(*wrong)
    with pytest.raises(ValueError, match=r"the radius of an Interval is not negative, got -0\.5"):
        Interval(1.0, -0.5)


def test_intervals_are_equal_by_value():
    assert Interval(1.0, 0.5) == Interval(1.0, 0.5)
    assert Interval(1.0, 0.5) not in (Interval(1.0), 1.0, "1.0")
    assert Interval(2.0) == 2
    assert hash(Interval(2.0)) == hash(2.0)


def test_an_interval_is_neither_true_nor_a_float():
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(Interval(1.0))
    with pytest.raises(TypeError):
        float(Interval(1.0))


# ---- every row -------------------------------------------------------------------------------------------------------


def boxes(op, draw):
    """A box of Intervals in the domain of ``op``, and a point of it."""
    point = draw(points_of(op))
    free = len(point) - op.orders
    radii = [draw(st.sampled_from(RADII)) for _ in range(free)] + [0.0] * (len(point) - free)
    inside = [x + r * draw(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])) for x, r in zip(point, radii, strict=True)]
    box = [Interval(x, r) if i < free else x for i, (x, r) in enumerate(zip(point, radii, strict=True))]
    # lower and upper are rounded outward: a float may lie between them, and yet outside.
    assume(
        all(abs(Fraction(y) - Fraction(x.midpoint)) <= x.radius for x, y in zip(box[:free], inside[:free], strict=True))
    )
    return tuple(box), tuple(inside)


@st.composite
def points_of(draw, op):
    """Floats at which ``op`` may be tried: of moderate size, its special points among them."""
    domain = [*op.domain] * 3 if op.lists == 1 else [*op.domain] * 2 if op.lists else list(op.domain)
    free = len(domain) - op.orders
    point = []
    for i, (low, high) in enumerate(domain):
        if i >= free:
            point.append(float(draw(st.integers(int(low), int(high)))))
        else:
            low, high = max(low, -6.0), min(high, 6.0)
            special = [low, high, 0.0, 1.0, -1.0, 0.5]
            point.append(draw(st.floats(low, high) | st.sampled_from([x for x in special if low <= x <= high])))
    return point


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
@given(data=st.data())
def test_every_row_encloses_its_values_and_local_derivatives_in_a_box(op, data):
    box, inside = boxes(op, data.draw)
    free = len(box) - op.orders
    out, slopes = linearised(op, box, [i < free for i in range(len(box))])
    with mp.workprec(300):
        try:
            truth = value(op, inside)
        except (UndefinedError, UndecidedError):
            return
        assert out.lower <= truth <= out.upper
        assert enclosure(op, box).lower <= truth <= enclosure(op, box).upper
        if not op.smooth(*inside):
            return
        for i in range(free):
            try:
                slope = derivative(op, inside, i)
            except (UndefinedError, UndecidedError):
                continue
            bound = slopes[i] if isinstance(slopes[i], Interval) else Interval(slopes[i] or 0.0)
            assert bound.lower <= slope <= bound.upper


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
@given(data=st.data())
def test_the_midpoint_is_what_floats_give(op, data):
    point = data.draw(points_of(op))
    try:
        expected = op.evaluate(tuple(point))
    except (ValueError, ArithmeticError):
        assume(False)
    free = len(point) - op.orders
    found = enclosure(op, tuple([Interval(x) if i < free else x for i, x in enumerate(point)]))
    if found.radius < 0.5:  # a tie has both answers
        assert found.midpoint == expected


@pytest.mark.parametrize("op", [op for op in ROWS if op.turns], ids=lambda op: op.name)
@given(data=st.data())
def test_a_narrow_input_gives_a_narrow_result(op, data):
    point = data.draw(points_of(op))
    assume(op.smooth(*point))
    try:
        out = op.evaluate(tuple(point))
    except (ValueError, ArithmeticError):
        assume(False)
    assert enclosure(op, tuple(map(Interval, point))).radius <= op.ulps * math.ulp(out * (1 + 2**-49)) * 1.001 + 5e-324


# ---- arithmetic, exactly ---------------------------------------------------------------------------------------------
# In fractions: every bound holds, and is hardly greater than the smallest that does.

UNDERFLOW = Fraction(1, 2**1069)
NUMBERS = st.builds(math.ldexp, st.integers(-(2**53), 2**53), st.sampled_from([-1126, -1074, -600, -53, -52, 0, 400]))


@st.composite
def balls(draw):
    """Intervals, exact ones and such as are wider than their midpoints among them."""
    midpoint = draw(NUMBERS)
    kind = draw(st.sampled_from(["exact", "exact", "exact", "narrow", "any", "around 0"]))
    if kind == "exact":
        return Interval(midpoint)
    if kind == "narrow":
        return Interval(midpoint, abs(midpoint) * draw(st.floats(2**-54, 2**-40)))
    return Interval(midpoint if kind == "any" else 0.0, abs(draw(NUMBERS)))


def ends(x):
    return Fraction(x.midpoint) - Fraction(x.radius), Fraction(x.midpoint) + Fraction(x.radius)


@given(balls(), balls(), st.booleans())
@settings(max_examples=4 * settings().max_examples)
def test_sums_are_bounded_exactly(x, y, minus):
    found = x - y if minus else x + y
    low, high = ends(-y if minus else y)
    error = abs(Fraction(x.midpoint) + (-1) ** minus * Fraction(y.midpoint) - Fraction(found.midpoint))
    check_bound(
        found,
        [sum(pair) for pair in zip(ends(x), (low, high), strict=True)],
        Fraction(x.radius) + Fraction(y.radius) + error,
    )


@given(balls(), balls())
@settings(max_examples=4 * settings().max_examples)
def test_products_are_bounded_exactly(x, y):
    found = x * y
    corners = [a * b for a in ends(x) for b in ends(y)]
    farthest = max(abs(a - Fraction(x.midpoint) * Fraction(y.midpoint)) for a in corners)
    needed = farthest + (half_ulp(found.midpoint) if math.isfinite(found.midpoint) else 0)
    check_bound(found, corners, needed, UNDERFLOW * (needed < Fraction(1, 2**959)) * any(corners))


@given(balls(), balls())
@settings(max_examples=4 * settings().max_examples)
def test_quotients_are_bounded_exactly(x, y):
    nearest = abs(Fraction(y.midpoint)) - Fraction(y.radius)
    found = x / y
    if nearest <= 0:
        assert found.radius == math.inf
        return
    assume(nearest > abs(Fraction(y.midpoint)) / 2**50)
    corners = [a / b for a in ends(x) for b in ends(y)]
    moved = Fraction(x.radius) + abs(Fraction(x.midpoint) / Fraction(y.midpoint)) * Fraction(y.radius)
    needed = moved / nearest
    needed += half_ulp(found.midpoint) if math.isfinite(found.midpoint) else 0
    extra = UNDERFLOW / min(nearest, 1) * (min(moved, needed) < Fraction(1, 2**958)) * any(corners)
    check_bound(found, corners, needed, extra)


@given(st.integers(1, 50), st.floats(1e-305, 1e-295))
def test_a_quotient_of_numbers_that_underflow_is_enclosed(x, y):
    found = Interval(x * 5e-324) / Interval(y, 0.1 * y)
    assert found.lower <= Fraction(x * 5e-324) / (Fraction(y) - Fraction(0.1 * y)) <= found.upper


def test_what_underflows_is_bounded_too():
    tiny, third = Fraction(5e-324), Fraction(0.3)
    for found, exactly in ((Interval(5e-324) / 3.0, tiny / 3), (Interval(5e-324) * 0.3, tiny * third)):
        assert found.lower < exactly < found.upper
        assert found.radius < 1e-320
    x, y = Interval(math.ldexp(11.0, -1063)), Interval(2.0**-100, 2.0**-114)
    assert max(Fraction(x.midpoint) / each for each in ends(y)) - Fraction((x / y).midpoint) <= (x / y).radius


def test_an_ulp_is_that_of_the_greatest_number_that_may_be_meant():
    found = enclosure(OPS["exp"], (Interval(-(2.0**-53)),))
    assert found.midpoint < 1.0
    assert found.radius >= OPS["exp"].ulps * 2.0**-52


def test_a_comparison_is_not_certain_because_its_distance_was_rounded_up():
    x, y = Interval(1.0 + 2.0**-52, 1.0), Interval(-(2.0**-53), 1.6 * 2.0**-52)
    assert Fraction(x.midpoint) - Fraction(y.midpoint) < Fraction(x.radius) + Fraction(y.radius)
    assert (x < y) == Interval(0.5, 0.5)


def test_the_roundings_of_many_radii_are_outweighed():
    small = Interval(0.0, 2.0**-53)  # which added to 1 is rounded away, each time
    found = ag.sum([Interval(0.0, 1.0), *[small] * 1000])
    assert found.radius >= 1 + 1000 * Fraction(small.radius)


@given(st.lists(balls(), min_size=1, max_size=6))
@settings(max_examples=4 * settings().max_examples)
def test_lists_are_bounded_exactly(xs):
    found = ag.sum(xs)
    needed = sum(Fraction(x.radius) for x in xs) + half_ulp(found.midpoint)
    check_bound(found, [sum(each) for each in zip(*map(ends, xs), strict=True)], needed)

    ys = xs[::-1]
    found = ag.dot(xs, ys)
    corners = [[a * b for a in ends(x) for b in ends(y)] for x, y in zip(xs, ys, strict=True)]
    products = [x * y for x, y in zip(xs, ys, strict=True)]
    assume(all(math.isfinite(each.midpoint) and each.radius < math.inf for each in (found, *products)))
    needed = sum(Fraction(each.radius) for each in products) + half_ulp(found.midpoint)
    check_bound(found, [sum(map(min, corners)), sum(map(max, corners))], needed)


@given(balls(), balls(), st.sampled_from(["lt", "le", "gt", "ge"]))
@settings(max_examples=4 * settings().max_examples)
def test_a_comparison_is_certain_where_its_inputs_do_not_meet(x, y, name):
    distance = abs(Fraction(x.midpoint) - Fraction(y.midpoint))
    reach = Fraction(x.radius) + Fraction(y.radius)
    found = OPS[name](x, y)
    if distance <= reach:
        assert found == Interval(0.5, 0.5)
    elif distance > reach * SLACK:
        assert found == OPS[name](x.midpoint, y.midpoint)


@given(balls(), balls(), st.sampled_from(["maximum", "minimum"]))
@example(Interval(0.0, 5e-324), Interval(5e-324, 0.0), "maximum")
@settings(max_examples=4 * settings().max_examples)
def test_a_tie_is_no_kink_where_its_inputs_do_not_meet(x, y, name):
    distance = abs(Fraction(x.midpoint) - Fraction(y.midpoint))
    reach = Fraction(x.radius) + Fraction(y.radius)
    found = distance_to_kink(OPS[name], [x, y])
    if distance <= reach:
        assert found == abs(x.midpoint - y.midpoint)
    elif distance > reach * SLACK:
        assert found is None


@pytest.mark.parametrize("y", [0.0, 1.0, 2.0])
def test_a_whole_power_that_is_not_negative_has_no_kink(y):
    assert distance_to_kink(OPS["pow"], [Interval(0.0, 1.0), y]) is None
    assert distance_to_kink(OPS["pow"], [Interval(0.0, 1.0), -1.0 - y]) == 0.0


@given(balls(), balls(), balls())
@settings(max_examples=4 * settings().max_examples)
def test_a_choice_is_certain_where_its_condition_is(c, x, y):
    found = ag.where(c, x, y)
    if c.radius < abs(c.midpoint):
        assert found == x
    elif c == 0.0:
        assert found == y
    else:
        low, high = min(x.lower, y.lower), max(x.upper, y.upper)
        check_bound(
            found, [*ends(x), *ends(y)], (Fraction(high) - Fraction(low)) / 2 + Fraction(math.ulp(found.midpoint))
        )


@pytest.mark.parametrize("operate", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_operators_take_numbers_on_both_sides(operate):
    x = Interval(1.5, 0.25)
    for other in (2, True, np.float32(2.0)):
        assert operate(x, other) == operate(x, float(other))
        assert operate(other, x) == operate(float(other), x)
    for wrong in ("3", None, [1.0]):
        for pair in ((x, wrong), (wrong, x)):
            with pytest.raises(TypeError, match="Interval"):  # it is Python who says so, and both types
                operate(*pair)


@pytest.mark.parametrize("operate", [operator.add, operator.sub, operator.mul, operator.truediv])
@given(data=st.data())
def test_short_cuts_equal_the_rows(operate, data):
    name = {"truediv": "div"}.get(operate.__name__, operate.__name__)
    x, y = data.draw(balls()), data.draw(balls() | NUMBERS)
    for a, b in ((x, y), (y, x)):
        short, row = operate(a, b), enclosure(OPS[name], (a, b))
        assert same(short.midpoint, row.midpoint)
        assert same(short.radius, row.radius)
    assert -x == enclosure(OPS["neg"], (x,)) == Interval(-x.midpoint, x.radius)


# ---- operations, how tightly -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", [op for op in ROWS if op.turns and op.arity == 1], ids=lambda op: op.name)
@given(data=st.data())
def test_a_row_that_turns_goes_no_further_than_its_ends_and_turning_points(op, data):
    (x,) = data.draw(points_of(op))
    box = Interval(x, data.draw(st.sampled_from([1e-9, 0.01, 0.7])))
    low, high = max(box.lower, op.domain[0][0]), min(box.upper, op.domain[0][1])
    try:
        outs = [op.forward(each) for each in (low, high, *op.turns(low, high))]
        midpoint = op.forward(x)
    except (ValueError, ArithmeticError):
        assume(False)
    found = enclosure(op, (box,))
    if any(out != out for out in outs):  # there is a pole inside
        assert found.radius == math.inf
        return
    farthest, greatest = max(abs(out - midpoint) for out in outs), max(map(abs, [midpoint, *outs]))
    assert found.midpoint == midpoint
    assert found.radius <= (farthest + op.ulps * math.ulp(greatest * (1 + 2**-49))) * (1 + 2**-40) + 5e-324


@pytest.mark.parametrize("name", ["abs", "relu", "maximum", "minimum", "neg", "difference"])
@given(data=st.data())
def test_what_is_not_rounded_is_exact(name, data):
    op = OPS[name]
    x = [data.draw(st.floats(-1e300, 1e300)) for _ in op.rules]
    x = [each if i == 0 else 0.0 for i, each in enumerate(x)]
    assert enclosure(op, tuple(map(Interval, x))) == op(*x)


@pytest.mark.parametrize("name", ["sqrt", "leaky_relu"])
@given(st.floats(1e-300, 1e300))
def test_what_is_rounded_once_is_within_half_an_ulp(name, x):
    for each in (x, -x) if name == "leaky_relu" else (x,):
        found = enclosure(OPS[name], (Interval(each),))
        assert found.radius <= 0.5 * math.ulp(found.midpoint * (1 + 2**-49)) * (1 + 2**-48)


@pytest.mark.parametrize("name", ["silu", "gelu", "logaddexp", "logsumexp"])
@given(data=st.data())
def test_the_mean_value_theorem_is_used_tightly(name, data):
    op = OPS[name]
    point = data.draw(points_of(op))
    radius = data.draw(st.sampled_from([0.0, 1e-9]))
    found, slopes = linearised(op, tuple(Interval(x, radius) for x in point), [True] * len(point))
    out = Value.apply(op, tuple(map(Value, point)))
    moved = sum(abs(slope) * radius for slope in out.local_derivatives)
    condition = sum(abs(slope * x) for slope, x in zip(out.local_derivatives, point, strict=True))
    rounding = op.ulps * max(math.ulp(out.data * (1 + 2**-49)), 2**-52 * condition)
    assert found.midpoint == out.data
    assert found.radius <= moved * 1.000001 + rounding * 1.000001 + radius * 1e-6 + 5e-323
    for slope, exactly in zip(slopes, out.local_derivatives, strict=True):
        assert slope.midpoint == pytest.approx(exactly, rel=1e-12)
        assert slope.radius <= 1e-6 * radius / 1e-9 + 1e-12


def test_an_uncertain_power_is_bounded_if_its_base_is_not_negative():
    power = OPS["pow"]
    assert enclosure(power, (Interval(0.0), Interval(2.0, 0.5))).radius < 1e-300
    assert enclosure(power, (Interval(0.5), Interval(2.0, 1.0))).radius < 0.4
    for base in (Interval(1.0, 1.5), Interval(-1.0)):
        assert enclosure(power, (base, Interval(2.0, 1.0))).radius == math.inf


def test_a_formula_that_divides_by_what_may_be_0_has_no_bound():
    assert enclosure(OPS["quotient"], (Interval(1.0), Interval(0.0, 1.0), 1.0)).radius == math.inf


def test_a_formula_that_overflows_has_no_bound():
    found = enclosure(OPS["quotient"], (Interval(1.0), 1e300, 2.0))
    assert (found.lower, found.upper) == (-math.inf, math.inf)


FAR = [5e-324, 1e-310, 1e-200, 0.01, 7.0, 38.5, 300.0, 709.5, 745.1, 746.0, 1e4, 1e200, 1e300]


@pytest.mark.parametrize("op", [op for op in ROWS if not op.orders], ids=lambda op: op.name)
@given(data=st.data())
def test_every_row_encloses_its_values_where_floats_end(op, data):
    size = op.arity or 2 * op.lists
    point = tuple([data.draw(st.sampled_from(FAR)) * data.draw(st.sampled_from([1.0, -1.0])) for _ in range(size)])
    try:
        assume(math.isfinite(op.evaluate(point)))
        with mp.workprec(2500):
            truth = value(op, point)
            found = linearised(op, tuple(map(Interval, point)), [True] * size)[0]
            assert found.lower <= truth <= found.upper
    except (UndefinedError, UndecidedError, ValueError, ArithmeticError):
        assume(False)


def test_the_angle_beside_its_cut_has_both_ends():
    for y in (Interval(0.0, 1e-17), Interval(-1e-17, 1e-17), Interval(1e-17, 1e-17)):
        found = enclosure(OPS["atan2"], (y, Interval(-1.0)))
        assert found.lower <= -math.pi
        assert math.pi <= found.upper


def test_what_the_engine_refuses_has_no_bound(own_operations):
    for name, x in (("log", -1.0), ("exp", 1000.0), ("gelu", -math.inf)):
        found = enclosure(OPS[name], (Interval(x),))
        assert math.isnan(found.midpoint)
        assert found.radius == math.inf
    op = ag.operation("overflows", lambda x, y: x, lambda x, y, out: ag.exp(y), lambda x, y, out: 0.0 * x)
    out, slopes = linearised(op, (Interval(1.0), 1000.0), [True, False])
    assert 1.0 in out
    assert slopes[0].radius == math.inf


# ---- operations of one's own -----------------------------------------------------------------------------------------


def test_an_operation_without_turns_is_enclosed_by_its_rules(own_operations):
    ag.operation("my_exp", math.exp, lambda x, out: out)
    ag.operation("sinpi", lambda x: math.sin(math.pi * x), lambda x, out: ag.sin(x))
    ag.operation("cospi", lambda x: math.cos(math.pi * x), lambda x, out: -math.pi * ag.sinpi(x))
    ag.operation("sinpi", lambda x: math.sin(math.pi * x), lambda x, out: math.pi * ag.cospi(x))
    x = Value(0.3)
    for f, slope in (
        (lambda x: ag.my_exp(x * 1.1), lambda x: mp.mpf(1.1) * mp.exp(x * mp.mpf(1.1))),
        (lambda x: ag.sinpi(x * x), lambda x: 2 * x * mp.pi * mp.cos(mp.pi * x * x)),
        (lambda x: ag.cospi(x / 3.0), lambda x: -mp.pi / 3 * mp.sin(mp.pi * x / 3)),
    ):
        with mp.workprec(300):
            truth = slope(mp.mpf(0.3))
        found = certify(f(x))[x]
        assert found.lower <= truth <= found.upper
        assert found.digits >= 14


@pytest.mark.parametrize(("radius", "guess"), [(1e-4, 1.001), (0.3, 2.0)])
def test_a_value_that_its_own_rule_asks_for_is_guessed_closely(radius, guess, own_operations):
    my_exp = ag.operation("my_exp", math.exp, lambda x, out: out)
    found = enclosure(my_exp, (Interval(0.0, radius),))
    assert found.radius == pytest.approx((1.0 + guess * radius) * radius, rel=1e-9)
    assert found.lower <= math.exp(-radius)
    assert math.exp(radius) <= found.upper
    assert enclosure(my_exp, (Interval(0.0, 0.6),)).radius == math.inf


def test_a_guess_may_be_exact(own_operations):
    same = ag.operation("same", lambda x: x, lambda x, out: out / x, ulps=0)
    assert enclosure(same, (Interval(2.0),)) == 2.0


def test_the_roundings_of_the_bound_by_the_condition_number_are_outweighed(own_operations):
    rng = random.Random(2)
    times = ag.operation("times", lambda x: x * 1.7, lambda x, out: 1.7, ulps=3)
    slope = Fraction(1.7) + 3 * Fraction(math.ulp(1.7))
    for _ in range(2000):
        x = rng.uniform(1.0, 2.0)
        assert enclosure(times, (Interval(x),)).radius >= 3 * Fraction(1, 2**52) * Fraction(x) * slope


def test_the_roundings_of_a_displacement_are_outweighed():
    rng = random.Random(1)
    for _ in range(20_000):
        rounding, slope, spread, radius = (rng.uniform(1.0, 2.0) for _ in range(4))
        exact = Fraction(rounding) + (Fraction(slope) + Fraction(spread)) * Fraction(radius)
        assert displacement(rounding, [Interval(0.0, radius)], [Interval(slope, spread)]) >= exact


def test_an_operation_of_ones_own_that_is_not_rounded_is_exact(own_operations):
    same_again = ag.operation("same_again", lambda x: x, lambda x, out: 1.0, ulps=0)
    assert enclosure(same_again, (Interval(2.0),)) == 2.0


def test_a_value_that_is_sensitive_to_its_input_is_less_certain(own_operations):
    sinpi = ag.operation("sinpi", lambda x: math.sin(math.pi * x), lambda x, out: math.pi * ag.cos(math.pi * x), ulps=1)
    for x in (1.0 - 2.0**-20, 3.0 + 2.0**-30, 7.0 - 2.0**-25):
        found = enclosure(sinpi, (Interval(x),))
        with mp.workprec(200):
            assert found.lower <= mp.sinpi(x) <= found.upper
        assert found.radius == pytest.approx(2.0**-52 * math.pi * x, rel=1e-9, abs=0)  # κ = π·x


def test_an_operation_whose_rules_never_end_has_no_bound(own_operations):
    ag.operation("first", math.sin, lambda x, out: ag.cos(x))
    ag.operation("second", math.cos, lambda x, out: ag.first(2.0 * x))
    ag.operation("first", math.sin, lambda x, out: ag.second(2.0 * x))
    x = Value(0.3)
    assert certify(ag.first(x * 1.1))[x].radius == math.inf


def test_an_operation_that_says_where_it_turns_is_enclosed_however_wide(own_operations):
    square = ag.operation(
        "square", lambda x: x * x, lambda x, out: 2 * x, ulps=0.5, turns=lambda low, high: (0.0,) * (low < 0.0 < high)
    )
    found = enclosure(square, (Interval(0.5, 1.0),))
    assert (found.lower, found.upper) == (pytest.approx(-1.75), pytest.approx(2.25))
    assert call(square, [Interval(2.0)]).digits >= 15


def test_constants_in_rules_of_ones_own_may_be_rounded(own_operations):
    ag.operation("tau_times", lambda x: x * (2.0 * math.pi), lambda x, out: 2.0 * math.pi)
    x = Value(1.0)
    with mp.workprec(200):
        found = certify(ag.tau_times(x))[x]
        assert found.lower <= 2 * mp.pi <= found.upper
    assert found.digits == 15


@pytest.mark.parametrize("operate", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_intervals_do_not_mix_with_the_numbers_of_other_readings(operate):
    for pair in ((Interval(1.0), Value(2.0)), (Value(2.0), Interval(1.0))):
        with pytest.raises(TypeError, match=r"takes no \w+ together with a"):
            operate(*pair)
