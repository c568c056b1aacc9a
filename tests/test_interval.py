"""Certificates: what is enclosed, how tightly, and what is said where nothing can be."""

import math
import operator
from fractions import Fraction

import numpy as np
import pytest
from graphs import call, micrograds_expression, recipes, same
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath import mp

import autograd as ag
from autograd import OPS, Interval, Value, certify
from autograd.interval import enclosure, linearised
from autograd.reverse import reverse_order
from autograd.testing import points as sampling
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
    free = len(point) - sampling.parameters(op)
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
    free = len(domain) - sampling.parameters(op)
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
    free = len(box) - sampling.parameters(op)
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
    free = len(point) - sampling.parameters(op)
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

ROUNDING = Fraction(1, 2**53)
SLACK = 1 + Fraction(1, 2**46)
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


def check_bound(found, exactly, smallest, extra=0):
    """``exactly`` are the extremes of the exact values; a radius of about ``smallest`` is enough."""
    assume(math.isfinite(found.midpoint) and found.radius < math.inf)
    assert all(abs(each - Fraction(found.midpoint)) <= found.radius for each in exactly)
    assert found.radius <= smallest * SLACK + extra


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
    needed = farthest + ROUNDING * abs(Fraction(found.midpoint) if math.isfinite(found.midpoint) else 0)
    check_bound(found, corners, needed, UNDERFLOW * (needed < Fraction(1, 2**959)) * any(corners))


@given(balls(), balls())
@settings(max_examples=4 * settings().max_examples)
def test_quotients_are_bounded_exactly(x, y):
    nearest = abs(Fraction(y.midpoint)) - Fraction(y.radius)
    found = x / y
    if nearest <= 0:
        assert found.radius == math.inf
        return
    assume(nearest > ROUNDING * 8 * abs(Fraction(y.midpoint)))
    corners = [a / b for a in ends(x) for b in ends(y)]
    moved = Fraction(x.radius) + abs(Fraction(x.midpoint) / Fraction(y.midpoint)) * Fraction(y.radius)
    needed = moved / nearest
    needed += ROUNDING * abs(Fraction(x.midpoint) / Fraction(y.midpoint))
    extra = UNDERFLOW / min(nearest, 1) * (min(moved, needed) < Fraction(1, 2**958)) * any(corners)
    check_bound(found, corners, needed, extra)


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


@given(st.lists(balls(), min_size=1, max_size=6))
@settings(max_examples=4 * settings().max_examples)
def test_lists_are_bounded_exactly(xs):
    found = ag.sum(xs)
    needed = sum(Fraction(x.radius) for x in xs) + ROUNDING * abs(Fraction(found.midpoint))
    check_bound(found, [sum(each) for each in zip(*map(ends, xs), strict=True)], needed)

    ys = xs[::-1]
    found = ag.dot(xs, ys)
    corners = [[a * b for a in ends(x) for b in ends(y)] for x, y in zip(xs, ys, strict=True)]
    products = [x * y for x, y in zip(xs, ys, strict=True)]
    assume(all(math.isfinite(each.midpoint) and each.radius < math.inf for each in (found, *products)))
    needed = sum(Fraction(each.radius) for each in products) + ROUNDING * abs(Fraction(found.midpoint))
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
        with pytest.raises(TypeError):
            operate(x, wrong)
        with pytest.raises(TypeError):
            operate(wrong, x)


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


@st.composite
def polynomials(draw):
    """Graphs of + - * on floats with all their digits."""
    nodes = [Value(draw(st.floats(-2.0, 2.0)) + 2.0**-40 / 3.0) for _ in range(draw(st.integers(1, 3)))]
    for _ in range(draw(st.integers(1, 12))):
        operands = [draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes) | st.sampled_from([1.0, 0.1, -3.3]))]
        x, y = operands if draw(st.booleans()) else operands[::-1]
        nodes.append(
            draw(st.sampled_from([Value.__add__, Value.__sub__, Value.__mul__]))(x, y)
            if isinstance(x, Value)
            else x * y
        )
    return nodes[-1]


@given(polynomials())
@settings(max_examples=4 * settings().max_examples)
def test_certificates_of_polynomials_are_bounded_exactly(output):
    """Against the same in fractions: exact numbers, and balls about the recorded ones, of which none is rounded."""
    certificate = certify(output)
    output.backward()
    exact, radius, order = {}, {}, reverse_order(output)
    for node in reversed(order):
        operands = [
            (exact[x], Fraction(x.data), radius[x]) if isinstance(x, Value) else (Fraction(x), Fraction(x), 0)
            for x in node.inputs
        ]
        exact[node], radius[node] = Fraction(node.data), Fraction(0)
        if operands:
            (x, x0, rx), (y, y0, ry) = operands
            sign = -1 if node.op is ag.sub else 1
            exact[node] = x * y if node.op is ag.mul else x + sign * y
            if node.op is ag.mul:
                radius[node] = abs(x0) * ry + rx * abs(y0) + rx * ry + ROUNDING * abs(Fraction(node.data))
            else:
                radius[node] = rx + ry + abs(x0 + sign * y0 - Fraction(node.data))
        check_bound(certificate.value(node), [exact[node]], radius[node])
    gradient = dict.fromkeys(order, Fraction(0)) | {output: Fraction(1)}
    midpoint, spread = dict.fromkeys(order, 0.0) | {output: 1.0}, dict.fromkeys(order, Fraction(0))
    for node in order:
        check_bound(certificate[node], [gradient[node]], spread[node])
        for i in reversed(range(len(node.inputs))):
            x, other = node.inputs[i], node.inputs[1 - i]
            if not isinstance(x, Value):
                continue
            local, reach = Fraction(node.local_derivatives[i]), 0
            slope = local
            if node.op is ag.mul and isinstance(other, Value):
                slope, reach = exact[other], radius[other]
            elif node.op is ag.mul:
                slope = Fraction(other)
            gradient[x] += gradient[node] * slope
            up, contribution = Fraction(midpoint[node]), midpoint[node] * float(local)
            error = abs(up) * reach + spread[node] * abs(local) + spread[node] * reach
            if abs(local) != 1 or reach:
                error += 0 if abs(up) == 1 and not spread[node] else ROUNDING * abs(Fraction(contribution))
            total = midpoint[x] + contribution
            spread[x] += error + abs(Fraction(midpoint[x]) + Fraction(contribution) - Fraction(total))
            midpoint[x] = total


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


def test_a_formula_that_overflows_has_no_bound():
    found = enclosure(OPS["quotient"], (Interval(1.0), 1e300, 2.0))
    assert (found.lower, found.upper) == (-math.inf, math.inf)


FAR = [5e-324, 1e-310, 1e-200, 0.01, 7.0, 38.5, 300.0, 709.5, 745.1, 746.0, 1e4, 1e200, 1e300]


@pytest.mark.parametrize("op", [op for op in ROWS if not sampling.parameters(op)], ids=lambda op: op.name)
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


# ---- graphs ----------------------------------------------------------------------------------------------------------


@given(recipes())
def test_midpoints_are_the_numbers_of_backward(recipe):
    output = recipe.output(*recipe.values())
    output.backward()
    certificate = certify(output)
    assume(not certificate.kinks)
    for node in certificate:
        assert certificate.value(node).midpoint == node.data
        assert certificate[node].midpoint == node.grad


@given(recipes(most_steps=12))
def test_derivatives_of_derivatives_are_enclosed_too(recipe):
    def f(x):
        return recipe.output(x, *recipe.leaves[1:])

    x = Value(recipe.leaves[0])
    slope = ag.grad(f)(x)
    assume(isinstance(slope, Value))
    again, certificate = certify(slope), certify(f(x))
    assume(x in set(certificate) and not certificate.kinks and not again.kinks)
    # Two enclosures of one number, by different graphs, overlap.
    assert again.value(slope).lower <= certificate[x].upper
    assert certificate[x].lower <= again.value(slope).upper


def test_the_example_that_no_other_engine_sees():
    x = Value(0.75, "x")
    y = ((x + 1e16) - 1e16) ** 2
    y.backward()
    assert x.grad == 0.0
    assert 1.5 in certify(y)[x]
    assert certify(y)[x].digits == 0
    assert 0.5625 in certify(y).value(y)
    assert certify(y).kinks == []


def test_micrograds_example_is_certified_to_14_digits():
    a, b = Value(-4.0), Value(2.0)
    certificate = certify(micrograds_expression(a, b))
    assert (certificate[a].digits, certificate[b].digits) == (14, 14)


def test_what_is_exact_is_said_to_be():
    x, y = Value(3.0), Value(0.5)
    certificate = certify(x + y - 2.0)
    assert certificate[x] == certificate[y] == 1.0
    assert certificate.value(x) == 3.0
    assert certify(-x)[x] == -1.0
    assert certify(ag.sum([x, y, x]))[x] == 2.0


def test_the_midpoint_of_a_node_with_many_uses_is_summed_in_the_order_of_backward():
    x = Value(1.0)
    y = ag.dot([x, x, x], [0.1, 0.2, 0.3])
    y.backward()
    assert certify(y)[x].midpoint == x.grad != 0.1 + 0.2 + 0.3


def test_nothing_of_the_graph_changes():
    x = Value(2.0)
    y = x * x
    y.backward()
    certify(y)
    assert (x.grad, y.grad) == (4.0, 1.0)


def test_a_node_through_which_nothing_flows_has_gradient_0():
    x = Value(2.0)
    y = (x > 1.0) + 0.0
    assert certify(y)[x] == 0.0
    assert certify(x)[x] == 1.0


def test_a_node_of_another_graph_is_refused():
    x, other = Value(2.0), Value(2.0)
    for ask in (lambda: certify(x * 2)[other], lambda: certify(x * 2).value(other)):
        with pytest.raises(KeyError, match="is not in the graph"):
            ask()


def test_what_is_no_graph_is_refused():
    with pytest.raises(TypeError, match="certify takes a Value, the output of a graph, got float"):
        certify(1.0)


def test_a_leaf_that_was_changed_is_noticed():
    x = Value(2.0)
    y = ag.exp(x) * 3.0
    x.data = 2.5
    with pytest.raises(ValueError, match="the data of a leaf was changed"):
        certify(y)


def test_the_smallest_change_of_a_leaf_is_noticed():
    for f in (lambda x: x * x, lambda x: x**2, lambda x: 3.0 * x):
        x = Value(0.7)
        y = f(x)
        x.data = math.nextafter(x.data, 1.0)
        with pytest.raises(ValueError, match="the data of a leaf was changed"):
            certify(y)


def test_what_the_engine_refuses_has_no_bound(own_operations):
    for name, x in (("log", -1.0), ("exp", 1000.0), ("gelu", -math.inf)):
        found = enclosure(OPS[name], (Interval(x),))
        assert math.isnan(found.midpoint)
        assert found.radius == math.inf
    op = ag.operation("overflows", lambda x, y: x, lambda x, y, out: ag.exp(y), lambda x, y, out: 0.0 * x)
    out, slopes = linearised(op, (Interval(1.0), 1000.0), [True, False])
    assert 1.0 in out
    assert [slope.radius for slope in slopes] == [math.inf, math.inf]


def test_a_chain_of_a_hundred_thousand_operations():
    x = Value(1.0)
    y = x
    for _ in range(50_000):
        y = y * 0.5 + 0.25
    certificate = certify(y)
    assert len(certificate) == 100_001
    assert 0.5 in certificate.value(y)


# ---- kinks, poles, ends ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "low", "high"),
    [
        (ag.OPS["relu"], 0.0, 0.0, 1.0),
        (ag.OPS["abs"], 0.0, -1.0, 1.0),
        (ag.OPS["leaky_relu"], 0.0, 0.01, 1.0),
        (lambda x: ag.maximum(x, 1.0), 1.0, 0.0, 1.0),
        (lambda x: ag.minimum(x, 1.0), 1.0, 0.0, 1.0),
    ],
)
def test_a_kink_is_reported_with_the_hull_of_both_sides(f, x, low, high):
    leaf = Value(x)
    y = f(leaf)
    certificate = certify(y)
    assert [(kink.node, kink.distance) for kink in certificate.kinks] == [(y, 0.0)]
    assert (certificate[leaf].lower, certificate[leaf].upper) == (pytest.approx(low, abs=1e-14), pytest.approx(high))
    assert low in certificate[leaf]
    assert high in certificate[leaf]
    assert certificate[leaf].digits == 0


def nearly_zero(x):
    """A number that is not 0, though it may be, for all that its rounding says; x is 8.0."""
    h = x * 2.3 * 3.4 - 62.56
    assert 0.0 < abs(h.data) < certify(h).value(h).radius
    return h


def test_a_kink_within_rounding_is_reported_with_its_distance():
    x = Value(8.0)
    h = nearly_zero(x)
    y = h.relu()
    y.name = "y"
    certificate = certify(y)
    assert [(kink.node, kink.distance) for kink in certificate.kinks] == [(y, abs(h.data))]
    said = f"the y relu is {abs(h.data):.3g} from a kink, within the rounding of its inputs"
    assert str(certificate.kinks[0]) == said
    with pytest.raises(AttributeError):
        certificate.kinks[0].distance = 0.0
    assert 0.0 in certificate[x]
    assert 2.3 * 3.4 in certificate[x]


@pytest.mark.parametrize("f", [ag.OPS["softsign"], ag.OPS["elu"], lambda x: x**2, lambda x: x**0, lambda x: x**3])
def test_what_has_a_derivative_at_0_has_no_kink_there(f):
    x = Value(0.0)
    certificate = certify(f(x))
    assert certificate.kinks == []
    assert certificate[x].radius < 1e-15


def test_a_kink_of_the_second_derivative_is_reported_once_the_first_is_vague():
    for lost, large, kinks in ((7e-7, 1e10, 0), (2e-6, 1e11, 1)):
        x = Value(lost)
        h = (x + large) - large
        assert h.data == 0.0
        assert lost in certify(h).value(h)
        assert len(certify(ag.elu(h)).kinks) == kinks


@pytest.mark.parametrize("f", [ag.OPS["sqrt"], lambda x: x**0.5, lambda x: ag.hypot(x, x), lambda x: ag.asin(1.0 - x)])
def test_a_pole_has_no_bound_and_is_reported(f):
    x = Value(0.0)
    certificate = certify(f(x))
    assert len(certificate.kinks) == 1
    assert certificate[x].radius == math.inf


def test_an_uncertain_choice_has_both_answers():
    x = Value(8.0)
    y = ag.where(nearly_zero(x) > 0.0, 5.0, x)
    certificate = certify(y)
    assert 5.0 in certificate.value(y)
    assert 8.0 in certificate.value(y)
    assert 0.0 in certificate[x]
    assert 1.0 in certificate[x]
    assert {kink.node for kink in certificate.kinks} == {y, y.inputs[0]}


def test_a_certain_choice_has_one():
    x = Value(0.1)
    for condition, flows in ((Value(1.0), 0.0), (Value(0.0), 1.0)):
        certificate = certify(ag.where(condition, 5.0, x))
        assert certificate[x] == flows
        assert certificate.kinks == []


def test_the_branch_that_is_not_taken_contributes_nothing():
    x = Value(0.0)
    y = ag.where(x > 1.0, ag.sqrt(x), x)
    assert certify(y)[x] == 1.0


def test_the_angle_beside_its_cut_has_both_ends():
    for y in (Interval(0.0, 1e-17), Interval(-1e-17, 1e-17), Interval(1e-17, 1e-17)):
        found = enclosure(OPS["atan2"], (y, Interval(-1.0)))
        assert found.lower <= -math.pi
        assert math.pi <= found.upper


def test_an_exact_zero_that_cancels_is_no_kink_of_a_product():
    x = Value(3.0)
    certificate = certify((x - x) * x)
    assert certificate.kinks == []
    assert certificate[x] == 0.0


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


def test_an_operation_of_ones_own_that_is_not_rounded_is_exact(own_operations):
    same_again = ag.operation("same_again", lambda x: x, lambda x, out: 1.0, ulps=0)
    assert enclosure(same_again, (Interval(2.0),)) == 2.0


def test_a_value_that_is_sensitive_to_its_input_is_less_certain(own_operations):
    sinpi = ag.operation("sinpi", lambda x: math.sin(math.pi * x), lambda x, out: math.pi * ag.cos(math.pi * x), ulps=1)
    for x in (1.0 - 2.0**-20, 3.0 + 2.0**-30, 7.0 - 2.0**-25):
        found = enclosure(sinpi, (Interval(x),))
        with mp.workprec(200):
            assert found.lower <= mp.sinpi(x) <= found.upper
        assert found.radius < 2.0**-50 * x


def test_an_operation_whose_rules_never_end_has_no_bound(own_operations):
    ag.operation("first", math.sin, lambda x, out: ag.cos(x))
    ag.operation("second", math.cos, lambda x, out: ag.first(2.0 * x))
    ag.operation("first", math.sin, lambda x, out: ag.second(2.0 * x))
    x = Value(0.3)
    assert certify(ag.first(x * 1.1))[x].radius == math.inf


def test_a_jump_of_an_operation_has_no_bound(own_operations):
    ag.operation("step", lambda x: float(x > 0.0), lambda x, out: 0.0 * x, smooth=lambda x: x != 0.0)
    x = Value(8.0)
    y = ag.step(nearly_zero(x))
    assert certify(y).value(y).radius == math.inf
    assert [kink.node for kink in certify(y).kinks] == [y]
    sure = ag.step(x)
    assert 1.0 in certify(sure).value(sure)
    assert certify(sure).kinks == []


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


# ---- what was once outside -------------------------------------------------------------------------------------------


def encloses(output, exact):
    found = certify(output).value(output)
    return found.lower <= exact <= found.upper


def test_a_result_of_0_may_have_lost_all_its_digits():
    x, y = -0.013544338921063553, -4.308551136518183
    with mp.workprec(200):
        assert encloses(ag.logaddexp(Value(x), Value(y)), mp.log(mp.exp(x) + mp.exp(y)))
        assert encloses(ag.logsumexp([Value(x), Value(y)]), mp.log(mp.exp(x) + mp.exp(y)))


@pytest.mark.parametrize("name", ["silu", "gelu", "gelu_derivative", "silu_derivative", "normal_cdf"])
@given(st.floats(-745.0, -1.0))
def test_results_near_the_end_of_floats_are_enclosed(name, x):
    with mp.workprec(300):
        assert encloses(OPS[name](Value(x)), value(OPS[name], [x]))


@given(st.floats(-8.0, 0.0), st.floats(-1e-9, 1e-9))
def test_a_literal_has_its_share_of_the_condition_number(x, off):
    y = math.log1p(-math.exp(x)) + off if x < -1e-3 else -1.0
    with mp.workprec(200):
        assert encloses(ag.logaddexp(Value(x), y), mp.log(mp.exp(x) + mp.exp(y)))


@given(st.integers(1, 50), st.floats(1e-305, 1e-295))
def test_a_quotient_of_numbers_that_underflow_is_enclosed(x, y):
    found = Interval(x * 5e-324) / Interval(y, 0.1 * y)
    assert found.lower <= Fraction(x * 5e-324) / (Fraction(y) - Fraction(0.1 * y)) <= found.upper


def test_a_sum_of_terms_that_overflow_is_rounded_once():
    terms = [Value(x) for x in (1e308, 1e308, -1e308, -1e308, 1e-310)]
    assert encloses(ag.sum(terms), Fraction(1e-310))
    assert ag.sum(terms).data == 1e-310


def test_roundings_behind_a_kink_are_no_change_of_a_leaf():
    t = (Value(1e16) + 1.0) - 1e16
    h = Value(2**-53 * 1.0001)
    certificate = certify((ag.where(t > 0.0, -h, h) + 1.0) + (1.0 + 2**-51))
    assert len(certificate.kinks) == 2


def test_a_leaf_that_was_changed_is_noticed_even_if_the_value_is_the_same():
    x, y = Value(-1.0), Value(0.0)
    products = [abs(x), x * y]
    x.data = 1.0
    for output in products:
        with pytest.raises(ValueError, match="the data of a leaf was changed"):
            certify(output)


@pytest.mark.parametrize(
    "smooth",
    [
        lambda x: x != math.floor(x),
        lambda x: not (x == 1.0),  # noqa: SIM201
        lambda x: x not in (1.0,),
        lambda x: abs(x) != 1.0,
    ],
)
def test_smooth_may_do_more_than_compare_and_is_then_not_trusted(smooth, own_operations):
    ag.operation("step", lambda x: float(x >= 1.0), lambda x, out: 0.0 * x, smooth=smooth)
    x = Value(0.1)
    total = Value(0.0)
    for _ in range(10):
        total = total + x
    assert total.data < 1.0 < 10 * Fraction(0.1)
    y = ag.step(total)
    assert encloses(y, 1.0)
    assert [kink.node for kink in certify(y).kinks] == [y]


def test_rules_may_return_whole_numbers(own_operations):
    same = ag.operation("same", lambda x: x, lambda x, out: 1)
    x = Value(2.0)
    assert 1.0 in certify(same(x))[x]


def test_the_cut_of_the_angle_is_reported_exactly_on_it():
    y = ag.atan2(Value(0.0), Value(-1.0))
    certificate = certify(y)
    assert [kink.node for kink in certificate.kinks] == [y]
    assert encloses(y, -3.14)


def test_a_comparison_of_exact_numbers_is_certain_at_a_tie_too():
    x = Value(1.0)
    certificate = certify(ag.where(x >= 1.0, 2.0 * x, 3.0 * x))
    assert (certificate[x], certificate.kinks) == (2.0, [])
    zero = Value(0.0)
    assert certify(ag.where(zero > 0.0, ag.sqrt(zero), zero))[zero] == 1.0
