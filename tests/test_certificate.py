"""Certificates: what is enclosed in a graph, how tightly, and what is said where nothing can be."""

import math
from fractions import Fraction

import pytest
from bounds import check_bound, half_ulp
from graphs import micrograds_expression, recipes
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath import mp

import autograd as ag
from autograd import OPS, Value, certify
from autograd.reverse import reverse_order
from autograd.testing.oracle import value

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


@pytest.mark.parametrize("x", [0.1, 3.0])
def test_literals_are_exact_numbers_to_calculate_with(x):
    leaf = Value(x)
    assert Fraction(1, 3) in certify(leaf / 3.0)[leaf]
    third = leaf / 3.0
    assert certify(third).value(third).radius <= 0.51 * math.ulp(third.data)
    assert -2 / Fraction(x) ** 2 in certify(2.0 / leaf)[leaf]
    slope = ag.grad(lambda v: 2.0 / v)(leaf)  # of quotient, with an order
    assert 4 / Fraction(x) ** 3 in certify(slope)[leaf]
    second = ag.grad(ag.grad(lambda v: v**2.5))(leaf)
    with mp.workprec(200):
        slope = mp.mpf(15) / 8 * mp.mpf(x) ** -0.5
        assert certify(second)[leaf].lower <= slope <= certify(second)[leaf].upper
    assert certify(second)[leaf].digits >= 14


def test_a_node_through_which_nothing_flows_has_gradient_0():
    x = Value(2.0)
    y = (x > 1.0) + 0.0
    assert certify(y)[x] == 0.0
    assert certify(x)[x] == 1.0


def test_a_node_of_another_graph_is_refused():
    x, other = Value(2.0), Value(2.0)
    assert x in certify(x * 2)
    assert other not in certify(x * 2)
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


def test_a_chain_of_a_hundred_thousand_operations():
    x = Value(1.0)
    y = x
    for _ in range(50_000):
        y = y * 0.5 + 0.25
    certificate = certify(y)
    assert len(certificate) == 100_001
    assert 0.5 in certificate.value(y)


# ---- sums and products, exactly --------------------------------------------------------------------------------------


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
                radius[node] = abs(x0) * ry + rx * abs(y0) + rx * ry + half_ulp(node.data)
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
                error += 0 if abs(up) == 1 and not spread[node] else half_ulp(contribution)
            total = midpoint[x] + contribution
            spread[x] += error + abs(Fraction(midpoint[x]) + Fraction(contribution) - Fraction(total))
            midpoint[x] = total


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


@pytest.mark.parametrize("y", [-3, -1, 0, 1, 2, 3])
def test_whole_powers_of_negative_numbers_have_no_kink(y):
    x = Value(-2.0)
    assert certify(x**y).kinks == []
    assert (-2.0) ** (y - 1) * y in certify(x**y)[x]
    assert certify(x**y)[x].digits >= 15


def test_a_negative_power_of_what_may_be_0_is_reported_with_its_distance():
    h = nearly_zero(Value(8.0))
    y = h**-1
    assert [(kink.node, kink.distance) for kink in certify(y).kinks] == [(y, abs(h.data))]
    assert certify(y)[h].radius == math.inf


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


def test_a_kink_of_the_second_derivative_alone_is_none_of_these(own_operations):
    ag.operation("signed_square", lambda x: x * abs(x), lambda x, out: 2 * abs(x), smooth=lambda x: x != 0.0, ulps=0)
    x = Value(0.0)
    certificate = certify(ag.signed_square(x))
    assert (certificate[x], certificate.kinks) == (0.0, [])


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


def test_an_exact_zero_that_cancels_is_no_kink_of_a_product():
    x = Value(3.0)
    certificate = certify((x - x) * x)
    assert certificate.kinks == []
    assert certificate[x] == 0.0


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
    outputs = [abs(x), x * y, y * x, ag.sum([y, x * y])]
    x.data = 1.0
    for output in outputs:
        with pytest.raises(ValueError, match="the data of a leaf was changed"):
            certify(output)


def test_a_jump_of_an_operation_has_no_bound(own_operations):
    ag.operation("step", lambda x: float(x > 0.0), lambda x, out: 0.0 * x, smooth=lambda x: x != 0.0)
    x = Value(8.0)
    y = ag.step(nearly_zero(x))
    assert certify(y).value(y).radius == math.inf
    assert [kink.node for kink in certify(y).kinks] == [y]
    sure = ag.step(x)
    assert 1.0 in certify(sure).value(sure)
    assert certify(sure).kinks == []


@pytest.mark.parametrize(
    "smooth",
    [
        lambda x: x != math.floor(x),
        lambda x: not (x == 1.0),  # noqa: SIM201
        lambda x: x not in (1.0,),
        lambda x: x not in {1.0},
        lambda x: abs(x) != 1.0,
        lambda x: not x <= 1.0,
        lambda x: not (x <= 1.0 and x >= 1.0),
        lambda x: (x > 1.0) == (x > 1.0),
        lambda x: not x < 1.0 and not x > 1.0,
        lambda x: (x < 1.0) <= (x > 1.0),
        lambda x: (x < 1.0) >= (x > 1.0),
    ],
)
def test_smooth_may_be_written_in_any_way_and_is_believed_where_it_is_certain(smooth, own_operations):
    ag.operation("step", lambda x: float(x >= 1.0), lambda x, out: 0.0 * x, smooth=smooth)
    x = Value(0.1)
    total = Value(0.0)
    for _ in range(10):
        total = total + x
    assert total.data < 1.0 < 10 * Fraction(0.1)
    y = ag.step(total)
    assert encloses(y, 1.0)
    assert [kink.node for kink in certify(y).kinks] == [y]


def test_smooth_may_do_more_than_compare_where_nothing_is_uncertain(own_operations):
    ag.operation("step", lambda x: float(x >= 1.0), lambda x, out: 0.0 * x, smooth=lambda x: x != math.floor(x))
    assert certify(ag.step(Value(0.5))).kinks == []
    y = ag.step(Value(1.0))
    assert [(kink.node, kink.distance) for kink in certify(y).kinks] == [(y, 0.0)]


def test_a_value_does_not_move_freely_where_nothing_flows_back(own_operations):
    for fields in ({}, {"turns": lambda low, high: ()}):
        stop = ag.operation("stop", lambda x: x, None, **fields)
        x = Value(0.75)
        h = (x + 1e16) - 1e16
        assert encloses(stop(x), 0.75)
        assert encloses(stop(h), 0.75)
        assert encloses(stop(h) * x, 0.5625)
        assert 0.75 in certify(stop(h) * x)[x]


def test_an_operation_of_ones_own_may_be_defined_beyond_its_domain(own_operations):
    cube = ag.operation(
        "cube", lambda x: x * x * x, lambda x, out: 3 * x * x, domain=((-1, 1),), turns=lambda *ends: ()
    )
    assert encloses(cube(((Value(0.75) + 1e16) - 1e16) + 1.0), 1.75**3)


def test_how_an_operation_of_ones_own_prints_is_not_believed(own_operations):
    area = ag.operation(
        "area", lambda r: math.pi * r * r, lambda r, out: 2 * math.pi * r, prints=lambda r: 3.14 * r * r
    )
    r = Value(1.5)
    with mp.workprec(200):
        assert encloses(area(r), mp.pi * 2.25)
        assert certify(area(r))[r].lower <= 3 * mp.pi <= certify(area(r))[r].upper


def test_a_constant_in_a_rule_of_ones_own_is_as_uncertain_as_its_row_says(own_operations):
    times = ag.operation("times", lambda x: x * 1.7, lambda x, out: 1.7, ulps=3)
    x = Value(1.3)
    assert certify(times(x))[x].radius >= 3 * math.ulp(1.7)


def test_a_kink_that_is_far_enough_away_is_none(own_operations):
    bend = ag.operation(
        "bend", lambda x: abs(x - 1.0), lambda x, out: ag.gt(x, 1.0) - ag.lt(x, 1.0), smooth=lambda x: x != 1.0
    )
    y = bend(Value(0.5) * 1.1)
    assert certify(y).value(y).radius < 1e-14
    assert certify(y).kinks == []


def test_what_underflows_before_a_last_product_with_any_input_is_enclosed(own_operations):
    slopes = (lambda x, y, out: y * 2.0**-540 * 2.0**-540, lambda x, y, out: x * 2.0**-540 * 2.0**-540)
    scaled = ag.operation("scaled", lambda x, y: (y * 2.0**-540 * 2.0**-540) * x, *slopes)
    exact = Fraction(1.5) * Fraction(10**6) / 2**1080
    assert encloses(scaled(Value(1e6), Value(1.5)), exact)


def test_a_negative_number_has_no_power_that_is_not_whole():
    for base in (Value(-1.0), (Value(1.0) + 1e16) - 1e16):
        y = base ** (Value(2.0**54) + 1.0)
        assert certify(y).value(y).radius == math.inf
    with mp.workprec(200):
        assert encloses(Value(3.0) ** (Value(0.1) * 3.0), mp.mpf(3) ** (3 * mp.mpf(0.1)))


def test_a_quotient_that_underflows_is_uncertain_if_its_divisor_is():
    v, x = Value(1023.0), Value(2.0**-1066)
    y = (2.0**63 - (v + 2.0**63)) + 1025.0
    assert encloses(x / y, 2.0**-1067)
    assert encloses((x / y) * 2.0**1000 * 2.0**60, 2.0**-7)


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
