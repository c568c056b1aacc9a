"""``check_gradients``: what is wrong is found and blamed, what is right passes."""

import contextlib
import io
import math
from concurrent.futures import ThreadPoolExecutor

import mpmath
import pytest
from hypothesis import given, settings
from random_graphs import random_graph

import autograd as ag
from autograd import OPS, Value
from autograd.testing import GradientError, check_gradients, local, report, strategies, truth
from autograd.testing.expressions import call

ROWS = [op for op in OPS.values() if any(op.rules)]


def wrong_rules(monkeypatch, op, change):
    """``op`` with each of its rules changed, for as long as the test runs."""

    def changed(rule):
        def wrong(*inputs):
            out = rule(*inputs)
            return [change(x) for x in out] if isinstance(out, (list, tuple)) else change(out)

        return wrong

    monkeypatch.setattr(op, "rules", tuple([rule and changed(rule) for rule in op.rules]))


def function_and_point(op, scale=1.0):
    """A function that is ``op`` at ordinary points, and a point at which each of its local derivatives is not 0."""
    free = 3 if op.lists == 1 else 4 if op.lists else len(op.rules) - op.orders
    orders = [1.0] * (0 if op.lists else len(op.rules) - free)
    if op.name == "where":
        return lambda x, y: op(1.0, x, 3.0 * y) * scale + op(0.0, x, y) * scale, (0.3, 0.7)

    def f(*xs):
        if op.lists == 2:
            return op(xs[:2], xs[2:]) * scale
        return op(xs) * scale if op.lists else op(*xs, *orders) * scale

    return f, (0.3, 0.7, 0.45, 1.2)[:free]


WRONG = {
    "one part in 1e12": (lambda d: d * (1 + 1e-12), 1.0),
    "one part in 1e12, behind an output of 1e-6": (lambda d: d * (1 + 1e-12), 1e-6),
    "zero, behind an output of 1e-6": (lambda d: 0.0 * d, 1e-6),
    "the wrong sign": (lambda d: -d, 1.0),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_a_wrong_rule_is_found_and_blamed_for_every_row(op, wrong, monkeypatch):
    change, scale = WRONG[wrong]
    f, point = function_and_point(op, scale)
    check_gradients(f, *point)
    wrong_rules(monkeypatch, op, change)
    with pytest.raises(GradientError, match=f"to blame   {op.name}, its rule") as caught:
        check_gradients(f, *point)
    assert f"the local derivative of {op.name} by its input" in str(caught.value)


@pytest.mark.parametrize("op", [op for op in ROWS if op.name != "neg"], ids=lambda op: op.name)
def test_a_wrong_value_is_found_and_blamed_for_every_row(op, monkeypatch):
    f, point = function_and_point(op)
    forward = op.forward
    monkeypatch.setattr(op, "forward", lambda *inputs: forward(*inputs) * (1 + 1e-12))
    for short_cut in ("__add__", "__sub__", "__mul__"):  # past the row
        monkeypatch.delattr(Value, short_cut)
    with pytest.raises(GradientError, match=f"the value of {op.name} is wrong"):
        check_gradients(f, *point)


def test_sound_gradients_raise_no_alarm():
    gradients = 0
    for number in range(10**6):
        output = random_graph(2 * number + 1)
        nodes = ag.topological_order(output)
        leaves = [node for node in nodes if node.op is None]

        def again(*inputs, nodes=nodes, leaves=leaves):
            made = dict(zip(leaves, inputs, strict=True))
            for node in nodes:
                if node.op is not None:
                    made[node] = call(node.op, [made[x] if isinstance(x, Value) else x for x in node.inputs])
            return made[nodes[-1]]

        check_gradients(again, *[leaf.data for leaf in leaves])
        gradients += len(nodes)
        if gradients >= 250 * settings().max_examples:
            return


@given(strategies.expressions(max_ops=6))
@settings(max_examples=20)
def test_second_derivatives_of_drawn_expressions_are_right(expression):
    check_gradients(expression, *expression.inputs, order=2)


RIGHT_AT_1 = {
    "a square whose rule is constant": (lambda x: x * x, [lambda x, out: 2.0], 2, "x, x"),
    "a square whose rule is steeper": (lambda x: x * x, [lambda x, out: 3 * x - 1], 2, "x, x"),
    "a product whose rules disagree": (
        lambda x, y: x * y,
        [lambda x, y, out: y, lambda x, y, out: 2 * x - 1],
        2,
        "y, x",
    ),
    "a cube whose rule has the right slope": (lambda x: x * x * x, [lambda x, out: 6 * x - 3], 3, "x, x, x"),
}


@pytest.mark.parametrize("case", RIGHT_AT_1)
def test_a_rule_that_is_right_at_the_point_and_wrong_beside_it_is_found(own_operations, case):
    forward, rules, order, names = RIGHT_AT_1[case]
    op = ag.operation("beside", forward, *rules)
    point = (1.0, 2.0)[: len(rules)]
    check_gradients(op, *point, order=order - 1)
    says = f"the derivative of order {order} of beside by its inputs {names} is wrong(.|\n)*to blame   beside, its rule"
    for higher in (order, 3):
        with pytest.raises(GradientError, match=says):
            check_gradients(op, *point, order=higher)


def test_second_derivatives_of_lists_are_checked(own_operations):
    def squares(*xs):
        return sum(x * x for x in xs)

    op = ag.operation("squares", squares, lambda xs, out: [2 * x for x in xs], lists=1)
    check_gradients(op, [1.0, 1.0, 1.0], order=2)
    op = ag.operation("squares", squares, lambda xs, out: [xs[0] + x for x in xs], lists=1)
    check_gradients(op, [1.0, 1.0, 1.0])
    with pytest.raises(GradientError, match="the derivative of order 2 of squares by its inputs 2, 1 is wrong"):
        check_gradients(op, [1.0, 1.0, 1.0], order=2)


def test_the_program_for_a_second_derivative_shows_the_same_number(own_operations):
    op = ag.operation("beside", lambda x, y: x * y, lambda x, y, out: y, lambda x, y, out: 2 * x - 1)
    with pytest.raises(GradientError) as caught:
        check_gradients(op, 1.0, 2.0, order=2)
    said, _, program = str(caught.value).partition("reproduce:\n")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec("\n".join(line[4:] for line in program.splitlines()), {})
    assert printed.getvalue() == "2.0\n"
    assert "  got        2.0\n  expected   1.0 " in said


@given(strategies.expressions(max_ops=8, kinks="hit"))
def test_the_conventions_at_kinks_are_right(expression):
    check_gradients(expression, *expression.inputs)


# ---- what is said ----------------------------------------------------------------------------------------------------


def test_the_message_names_all_there_is_to_know(monkeypatch):
    wrong_rules(monkeypatch, OPS["tanh"], lambda d: d * 1.01)
    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x, y: ag.tanh(x * y), 0.25, 2.0)
    lines = [line.strip() for line in str(caught.value).splitlines()]
    assert lines[0] == "the local derivative of tanh by its input x1 is wrong"
    got = 1.01 * (1 - math.tanh(0.5) ** 2)
    assert float(lines[2].split()[1]) == pytest.approx(got, rel=1e-15)
    assert float(lines[3].split()[1]) == pytest.approx(got / 1.01, rel=1e-15)
    radius = float(lines[4].removeprefix("rounding   accounts for ").removesuffix(" at most (certified)"))
    assert 0.0 < radius < 1e-15
    assert lines[5] == "to blame   tanh, its rule for that input"


def test_the_program_in_the_message_shows_the_same_number(monkeypatch):
    wrong_rules(monkeypatch, OPS["tanh"], lambda d: d * 1.01)
    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x, y: ag.tanh(x * y) + ag.exp(y), 0.25, 2.0)
    said, _, program = str(caught.value).partition("reproduce:\n")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec("\n".join(line[4:] for line in program.splitlines()), {})
    got = next(line.split()[1] for line in said.splitlines() if line.strip().startswith("got"))
    assert printed.getvalue().split()[1] == got
    assert "exp(" not in program


def test_inputs_have_the_names_of_the_arguments_and_their_place_in_a_list(monkeypatch):
    def backward(output):
        for node in ag.topological_order(output):
            node.grad += 1.0

    monkeypatch.setattr(Value, "backward", backward)
    with pytest.raises(GradientError, match=r"the gradient of weights\[1\]\[0\] is wrong") as caught:
        check_gradients(lambda x, weights: x + weights[0] + 3.0 * weights[1][0], 1.0, [2.0, [3.0]])
    assert "to blame   the accumulation" in str(caught.value)


def test_a_long_graph_is_cut_down_to_the_part_that_shows_the_mistake(monkeypatch):
    sound = Value.backward

    def backward(output):
        sound(output)
        for node in ag.topological_order(output):
            if node.op is OPS["exp"]:
                node.inputs[0].grad *= 2.0

    monkeypatch.setattr(Value, "backward", backward)

    def f(x):
        y = ag.exp(x)
        for _ in range(20):
            y = ag.sin(y) + x
        return y

    with pytest.raises(GradientError, match="to blame   the accumulation") as caught:
        check_gradients(f, 0.5)
    assert "return exp(x)" in str(caught.value)


def test_a_second_backward_that_adds_another_amount_is_found(monkeypatch):
    sound = Value.backward

    def backward(output):
        sound(output)
        if output.grad > 1.0:
            output.inputs[0].grad += 1.0

    monkeypatch.setattr(Value, "backward", backward)
    with pytest.raises(GradientError, match=r"the gradient of x after a second backward\(\) is wrong"):
        check_gradients(lambda x: ag.exp(x), 0.5)


def test_a_graph_of_something_else_is_found(monkeypatch):
    monkeypatch.setattr(Value, "__rtruediv__", lambda x, y: x / y, raising=False)
    with pytest.raises(GradientError, match="to blame   the recording") as caught:
        check_gradients(lambda x: 3.0 / x, 2.0)
    assert "return x / 3" in str(caught.value)


def test_no_source_is_named_where_there_is_none(monkeypatch):
    def backward(output):
        for node in ag.topological_order(output):
            node.grad += 1.0

    monkeypatch.setattr(Value, "backward", backward)
    with pytest.raises(GradientError, match=r"expected   0\.0\n"):
        check_gradients(lambda x: x < 2.0, 1.0)


# ---- what is left alone, what is refused -----------------------------------------------------------------------------


def test_what_the_function_closes_over_is_left_as_it_was():
    w = Value(3.0)
    h = w * w
    h.backward()
    check_gradients(lambda x: x * h + w, 2.0)
    assert (w.grad, h.grad, w.data) == (6.0, 1.0, 3.0)
    fresh = Value(3.0)
    check_gradients(lambda x: x * fresh, 2.0)
    assert not fresh.has_grad


def test_checks_in_several_threads_leave_the_precision_of_mpmath_as_it_was():
    before = mpmath.mp.prec
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(check_gradients, f, 0.3, 2.0) for _ in range(12)]:
            done.result()
    assert mpmath.mp.prec == before


def test_methods_are_taken_as_functions_are():
    check_gradients(lambda x: (x * 2.0).tanh().exp(), 0.3)


def test_poles_and_numbers_that_are_not_finite_have_nothing_to_compare():
    check_gradients(ag.sqrt, 0.0)
    check_gradients(lambda x: x * 2.0, math.inf)
    check_gradients(lambda x: x * 2.0, math.nan)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3.0, 1.0), TypeError, "check_gradients takes a function and its inputs, got float"),
        ((lambda x: 3.0, 1.0), TypeError, "f must return one Value that depends on its inputs, got float"),
        ((lambda x: [x], 1.0), TypeError, "f must return one Value that depends on its inputs, got list"),
        ((lambda x: x, "1"), TypeError, "expected a number or a list of numbers"),
        ((lambda x: x, 1j), TypeError, "expected a number or a list of numbers"),
        ((lambda x: x, Value(2.0)), TypeError, r"pass its data, 2\.0; Values that f closes over"),
        ((lambda x: x[0], [Value(2.0)]), TypeError, r"pass its data, 2\.0; Values that f closes over"),
    ],
)
def test_what_cannot_be_checked_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        check_gradients(*arguments)


@pytest.mark.parametrize("order", [0, -1, 1.5, "2", None, True])
def test_an_order_is_a_whole_number(order):
    with pytest.raises(ValueError, match="order is a whole number >= 1"):
        check_gradients(ag.exp, 1.0, order=order)


def test_a_rule_that_lets_nothing_flow_where_something_does_is_found(own_operations):
    product = ag.operation("product", lambda x, y: x * y, lambda x, y, out: y, None)
    with pytest.raises(GradientError, match="to blame   product, its rule"):
        check_gradients(product, 1.0, 2.0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * math.sin(x),
        lambda x: ag.exp(x) * float(x),
        lambda x: Value(float(x)) * x,
        lambda x: x * x.data,
        lambda x: x.tanh() * math.sin(x),
        lambda x: x.tanh() * float(x),
    ],
)
def test_a_function_that_leaves_the_graph_is_found(f):
    with pytest.raises(GradientError, match="f leaves the graph: when x is nudged"):
        check_gradients(f, 1.25)


@pytest.mark.parametrize("i", [0, 5, 99])
def test_every_number_of_a_long_list_is_nudged(i):
    with pytest.raises(GradientError, match=rf"f leaves the graph: when x\[{i % 4}\], x\[{i % 4 + 4}\], .* is nudged"):
        check_gradients(lambda x: ag.sum(x) * float(x[i]), [1.0 + 0.5 / (k + 1) for k in range(100)])


def test_a_value_that_is_not_what_its_formula_says_is_found(own_operations):
    op = ag.operation("lost", lambda x: (x + 1e16) - 1e16, lambda x, out: 1.0, prints=lambda x: x)
    with pytest.raises(GradientError, match="the value of lost is wrong"):
        check_gradients(op, 0.75)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (ag.sin, 4e6),
        (lambda x: ag.sin(1e6 * x), 1.0),
        (lambda x: (x + 1e8) - 1e8, 0.7),
        (ag.sqrt, 1e-300),
        (lambda x: 1.0 / x, 1e-5),
        (lambda x: ag.exp(-1e6 * x * x), 1e-3),
        (lambda x: (x + 1e16) - 1e16, 2.0),
        (lambda x: ((x + 1e12) - 1e12) ** 2, 1.0),
        (lambda x: x * 2.0, 5e-324),
    ],
)
def test_what_is_hard_to_nudge_does_not_leave_the_graph(f, x):
    check_gradients(f, x)


@pytest.mark.parametrize(
    ("f", "tie"),
    [
        (lambda x: x if x <= 1 else 2 * x - 1, 1.0),
        (lambda x: max(x, 0.0), 0.0),
        (lambda x: x if x > 0 else -x, 0.0),
        (lambda x: x if x > 0 else 0 * x, 0.0),
    ],
)
def test_one_side_of_a_branch_in_python_does_not_leave_the_graph(f, tie):
    check_gradients(f, tie)


def test_a_function_that_is_another_each_time_is_refused():
    numbers = iter(range(100))
    with pytest.raises(ValueError, match=r"f is not the same from call to call: it gave 0\.0, then 1\.0"):
        check_gradients(lambda x: x * float(next(numbers)), 1.0)


def test_conventions_of_ones_own_at_a_kink_are_ones_own(own_operations):
    hinge = ag.operation(
        "hinge", lambda x: max(x, 0.0), lambda x, out: ag.where(x > 0.0, 1.0, 0.0), smooth=lambda x: x != 0.0
    )
    check_gradients(hinge, 0.0)
    check_gradients(hinge, 1.0)


def test_behind_a_convention_of_ones_own_the_graph_is_not_blamed(own_operations):
    soft = ag.operation(
        "soft", lambda x: x if x > 0 else x / 2, lambda x, out: ag.where(x > 0, 1.0, 0.6), smooth=lambda x: x > 0
    )
    check_gradients(lambda x: soft(x) * x, -1.0)
    soft = ag.operation("soft", soft.forward, soft.rules[0])
    with pytest.raises(GradientError, match="to blame   soft, its rule"):
        check_gradients(soft, -1.0)


CLIP = (lambda x: max(0.0, min(1.0, x)), lambda x, out: (x > 0) * (x < 1))


def test_a_kink_that_was_not_declared_is_suggested(own_operations):
    clip = ag.operation("clip", *CLIP)
    check_gradients(clip, 0.5)
    says = r"to blame   clip, .*; there may be a kink at 1\.0, which smooth=lambda x: x != 1\.0 would declare"
    with pytest.raises(GradientError, match=says):
        check_gradients(clip, 1.0)
    check_gradients(ag.operation("clip", *CLIP, smooth=lambda x: x not in (0.0, 1.0)), 1.0)


def test_no_kink_is_suggested_where_there_is_none(own_operations):
    square = ag.operation("square", lambda x: x * x, lambda x, out: 2 * x + 1)
    for x in (0.0, 1.0):
        with pytest.raises(GradientError, match=r"to blame   square, its rule for that input\n"):
            check_gradients(square, x)


@given(strategies.reals(0.1, 10.0), strategies.reals(0.1, 10.0))
def test_what_is_computed_on_one_side_of_an_uncertain_jump_need_not_lie_between_both(v, u):
    check_gradients(lambda x, v, u: (ag.where((x + 1e16) - 1e16 > 0.0, v, u) + 1e10) - 1e10, 0.75, v, u)


@pytest.mark.parametrize(
    ("f", "inputs"), [(ag.OPS["hypot"], (0.0, 0.0)), (ag.OPS["atan2"], (-0.0, -1.0)), (lambda x: x / x, (5e-324,))]
)
def test_where_there_is_no_derivative_there_is_no_alarm(f, inputs):
    check_gradients(f, *inputs, order=2)


def test_long_lists_take_linear_time():
    check_gradients(ag.logsumexp, [0.01 * i for i in range(200)])
    check_gradients(ag.sum, [0.1 * i for i in range(400)])
    check_gradients(lambda x: ag.dot(x, x), [0.1 * i for i in range(200)])


# ---- other sources of truth ------------------------------------------------------------------------------------------


@pytest.fixture
def no_mpmath(monkeypatch):
    """As if mpmath were not installed."""
    for module in (truth, local, report):
        monkeypatch.setattr(module, "mpmath_oracle", lambda: None)


def f(x, y):
    return ag.tanh(x * y) / y + ag.exp(x).relu() + ag.erf(y) * ag.hypot(x, y)


def test_without_mpmath_the_complex_step_says_what_is_right(no_mpmath, monkeypatch):
    check_gradients(f, 0.3, 2.0, order=2)
    wrong_rules(monkeypatch, OPS["tanh"], lambda d: d * (1 + 1e-11))
    with pytest.raises(GradientError, match=r"\(complex step\)"):
        check_gradients(f, 0.3, 2.0)


def test_a_black_box_is_compared_to_central_differences_and_it_says_so(own_operations):
    ag.operation("box", lambda x: math.sin(math.exp(x)), lambda x, out: ag.exp(x) * ag.cos(ag.exp(x)))
    check_gradients(lambda x: ag.box(x * x) * 2.0, 0.7)
    ag.operation("box", lambda x: math.sin(math.exp(x)), lambda x, out: ag.exp(x) * ag.cos(ag.exp(x)) * (1 + 1e-7))
    with pytest.raises(GradientError, match=r"\(central differences\)"):
        check_gradients(lambda x: ag.box(x * x) * 2.0, 0.7)


def test_an_operation_of_ones_own_written_with_operators_is_known_to_all_digits(own_operations):
    ag.operation("cube", lambda x: x * x * x, lambda x, out: 3 * x * x)
    check_gradients(lambda x: ag.cube(x * 1.1), 0.7, order=2)
    ag.operation("cube", lambda x: x * x * x, lambda x, out: 3 * x * x * (1 + 1e-13))
    with pytest.raises(GradientError, match=r"to blame   cube, its rule(.|\n)*"):
        check_gradients(lambda x: ag.cube(x * 1.1), 0.7)
