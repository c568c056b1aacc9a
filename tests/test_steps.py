"""Steps: taken one by one they end in the gradients of ``backward``, and each says what it does."""

import math
import xml.etree.ElementTree as ET

import pytest
from graphs import Recipe, large, recipes, same
from hypothesis import given

import autograd as ag
from autograd import Stepper, Value, chain_rule, topological_order
from autograd.reverse import reverse_order
from autograd.steps import forward_steps, steps


@given(recipes())
def test_stepping_by_hand_ends_in_exactly_the_gradients_of_backward(recipe: Recipe):
    loss = recipe.output(*recipe.values())
    by_hand = {loss: 1.0}
    for step in steps(loss):
        assert same(step.before, by_hand.get(step.input, 0.0))
        assert same(step.upstream, by_hand[step.node])
        assert same(step.contribution, step.upstream * step.local)
        by_hand[step.input] = by_hand[step.input] + step.contribution if step.input in by_hand else step.contribution
        assert same(step.after, by_hand[step.input])
    loss.backward()
    assert {node for node in topological_order(loss) if node.has_grad} == by_hand.keys()
    assert all(same(node.grad, by_hand[node]) for node in by_hand)


@given(recipes())
def test_the_order_is_that_of_backward_and_a_node_comes_when_all_its_uses_are_done(recipe: Recipe):
    loss = recipe.output(*recipe.values())
    found = list(steps(loss))
    assert list(dict.fromkeys(step.node for step in found)) == [n for n in reverse_order(loss) if ends_nowhere(n)]
    last_use = {step.input: i for i, step in enumerate(found)}
    received = dict.fromkeys(topological_order(loss), 0)
    for i, step in enumerate(found):
        assert step.node.inputs[step.place] is step.input
        assert step.local == step.node.local_derivatives[step.place] or math.isnan(step.local)
        assert last_use.get(step.node, -1) < i
        assert step.uses == received[step.node]
        received[step.input] += 1


def ends_nowhere(node: Value) -> bool:
    return any(local is not None for local in node.local_derivatives)


@given(recipes())
def test_forward_steps_are_the_operations_inputs_first(recipe: Recipe):
    loss = recipe.output(*recipe.values())
    found = list(forward_steps(loss))
    assert [step.node for step in found] == [node for node in topological_order(loss) if node.op is not None]
    assert all(same(step.data, step.node.data) for step in found)


@given(recipes())
def test_every_step_is_one_line_and_well_formed(recipe: Recipe):
    loss = recipe.output(*recipe.values())
    for step in [*forward_steps(loss), *steps(loss)]:
        assert "\n" not in str(step)
        assert step.numbers in str(step)
        ET.fromstring(step.mathml())
        assert step.latex().count("{") == step.latex().count("}")


def test_what_a_step_says():
    a, b = Value(3.0, "a"), Value(-2.0)
    h = a * b
    loss = (h + a).tanh()
    forward, backward = list(forward_steps(loss, locals())), list(steps(loss, locals()))
    assert [str(step) for step in forward] == [
        "h = a * b = 3 * (-2) = -6",
        "v1 = h + a = (-6) + 3 = -3",
        "loss = tanh(v1) = tanh(-3) = -0.995055",
    ]
    first, *_, last = backward
    assert str(first) == (
        "∂loss/∂v1 += ∂loss/∂loss · ∂(tanh(v1))/∂v1 = 1 · (1 - tanh(v1) ** 2) "
        "= 1 · (1 - tanh(-3) ** 2) = 1 · 0.00986604 "
        "= 0.00986604   (0 → 0.00986604)"
    )
    assert first.reason == "loss is the output, where the pass begins: ∂loss/∂loss = 1"
    assert (last.node_name, last.input_name, last.place, last.formula, last.numbers) == ("h", "a", 0, "b", "-2")
    assert str(last).endswith("= 0.00986604 · b = 0.00986604 · (-2) = -0.0197321   (0.00986604 → -0.00986604)")
    assert last.reason == "the only use of h is done, so ∂loss/∂h is complete"
    assert forward[0]._repr_latex_() == r"$\displaystyle h = a \cdot b = 3 \cdot \left(-2\right) = -6$"
    assert last._repr_latex_().startswith(
        r"$\displaystyle \frac{\partial \mathrm{loss}}{\partial a} \mathrel{+}= "
        r"\frac{\partial \mathrm{loss}}{\partial h} \cdot \frac{\partial h}{\partial a} = 0.00986604 \cdot b"
    )


def test_a_factor_of_two_uses_is_two_contributions():
    a = Value(3.0, "a")
    square = a * a
    both = list(steps(square))
    assert [(step.place, step.before, step.after) for step in both] == [(1, 0.0, 3.0), (0, 3.0, 6.0)]
    (after,) = [step for step in steps(square.exp()) if step.node is square and step.place == 1]
    assert after.reason == "the only use of v1 is done, so ∂L/∂v1 is complete"
    (first, *_) = [step for step in steps((a * 2) * (a * 3)) if step.input is not a]
    assert first.uses == 0
    (twice, *_) = [step for step in steps(square * square) if step.node is square]
    assert twice.reason == "all 2 uses of v1 are done, so ∂L/∂v1 is complete"


def test_nothing_flows_where_nothing_flows():
    x = Value(-1.0, "x")
    loss = ag.where(x > 0, x.exp(), x * 3)
    assert [(step.input_name, step.local) for step in steps(loss)] == [("v3", 1.0), ("x", 3.0)]
    assert list(steps(Value(2.0))) == []
    assert list(forward_steps(Value(2.0))) == []


def test_stepping_changes_nothing():
    x = Value(2.0, "x")
    loss = x * x
    loss.backward()
    list(steps(loss))
    assert (x.grad, loss.grad) == (4.0, 1.0)


def test_a_user_defined_operation_steps(own_operations):
    cube = ag.operation("cube", lambda x: x * x * x, lambda x, out: 3 * x**2)
    (step,) = steps(cube(Value(2.0, "x")))
    assert str(step) == "∂L/∂x += ∂L/∂L · ∂(cube(x))/∂x = 1 · (3 * x ** 2) = 1 · (3 * 2 ** 2) = 1 · 12 = 12   (0 → 12)"


def test_a_long_chain_and_a_wide_list_step_in_linear_time():
    y, length = Value(1.0, "x"), large(100_000)
    for _ in range(length):
        y = y * 1.0
    assert sum(step.contribution for step in steps(y)) == length
    wide = ag.dot([Value(1.0)] * 2000, [Value(2.0)] * 2000)
    assert sum(len(step.formula) for step in steps(wide)) == 4000 * len("v1")
    weights = [Value(1.0) for _ in range(4000)]
    assert max(len(str(step)) for step in steps(ag.dot(weights, weights))) < 1000


@pytest.mark.parametrize(
    ("text", "numbers", "name"),
    [
        ("hypot(x, y)", {"x": 0, "y": 0}, "x"),
        ("x ** y", {"x": 0, "y": 2}, "y"),
        ("sqrt(x)", {"x": 0}, "x"),
        ("logsumexp([x, y])", {"x": -math.inf, "y": -math.inf}, "x"),
    ],
)
def test_no_formula_is_printed_that_is_not_defined_at_its_numbers(text, numbers, name):
    loss = ag.parse(text, **numbers)
    [step] = [step for step in steps(loss) if step.input_name == name]
    assert step.by_convention
    assert step.formula == step.numbers == ag.digits(step.local)
    assert str(step).endswith(", by convention)")
    assert chain_rule(loss, step.input).factors == [[step.formula]]


def test_a_formula_that_is_too_large_for_a_float_is_defined(own_operations):
    printed = ag.operation(
        "softplus_derivative", ag.sigmoid.forward, None, prints=lambda x: ag.exp(x) / (1 + ag.exp(x))
    )
    own = ag.operation("own", ag.softplus.forward, lambda x, out: printed(x))
    [step] = steps(own(Value(1000.0, "x")))
    assert not step.by_convention
    assert step.formula == "exp(x) / (1 + exp(x))"


@given(recipes())
def test_a_formula_that_is_defined_is_printed(recipe):
    for step in steps(recipe.output(*recipe.values())):
        if math.isfinite(step.local) and all(x.data for x in (step.node, *step.node.inputs) if isinstance(x, Value)):
            assert not step.by_convention


def test_a_name_with_line_breaks_and_control_characters_is_one_line_all_the_same():
    x = Value(2.0, "a\n\nb\x1b[31m")
    h = x * 2
    loss = h.exp()
    names = {"h\n": h, "\x00": loss}
    for step in [*forward_steps(loss, names), *steps(loss, names)]:
        assert str(step).isprintable()
        assert step.latex().isprintable()
        ET.fromstring(step.mathml())
    assert [step.reason for step in steps(loss, names)] == [
        r"\x00 is the output, where the pass begins: ∂\x00/∂\x00 = 1",
        r"the only use of h\n is done, so ∂\x00/∂h\n is complete",
    ]


def test_a_number_is_not_said_twice():
    x = Value(3.0, "x")
    assert str(next(forward_steps(-x))) == "L = -x = -3"


@pytest.mark.parametrize("function", [steps, forward_steps])
def test_what_has_no_steps(function):
    with pytest.raises(TypeError, match="expected a Value"):
        function(3.0)


@pytest.mark.parametrize("function", [steps, forward_steps, Stepper, lambda loss: chain_rule(loss, loss)])
def test_numbers_of_before_and_after_a_change_are_not_mixed(function):
    w, x = Value(2.0, "w"), Value(3.0, "x")
    loss = (w * x - 5) ** 2
    function(loss)
    w.data = 1.4
    with pytest.raises(ValueError, match=r"changed after 'mul' was recorded from it.*compute the output again"):
        function(loss)
    w.data = 2.0
    function(loss)
