"""Replay: the same computation again, at other numbers."""

import pytest
from graphs import Recipe, recipes, same
from hypothesis import given, reject
from hypothesis import strategies as st

from autograd import Value, log, topological_order
from autograd.replay import replay

NUMBERS = st.lists(st.floats(-3, 3, width=32), min_size=4, max_size=4)


@given(recipe=recipes(), numbers=NUMBERS)
def test_it_is_what_recording_anew_gives(recipe: Recipe, numbers: list[float]):
    leaves = recipe.values()
    output = recipe.output(*leaves)
    used = {node for node in topological_order(output) if node.op is None}
    data = dict(zip(leaves, numbers, strict=False))
    try:
        expected = recipe.output(*[Value(data[x], x.name) for x in leaves])
    except (ArithmeticError, ValueError):
        reject()  # not defined there, perhaps at a number that the output does not depend on
    again = replay(output, {x: data[x] for x in leaves if x in used})
    pairs = list(zip(topological_order(again), topological_order(expected), strict=True))
    again.backward()
    expected.backward()
    for found, wanted in pairs:
        assert (found.op, found.name) == (wanted.op, wanted.name)
        assert same(found.data, wanted.data)
        assert same(found.grad, wanted.grad)


@given(recipe=recipes())
def test_the_old_graph_is_left_alone_and_shares_no_node(recipe: Recipe):
    output = recipe.output(*recipe.values())
    output.backward()
    order = topological_order(output)
    before = [(node.data, node.grad) for node in order]
    again = topological_order(replay(output, {}))
    assert not set(again) & set(order)
    assert list(map(repr, [(node.data, node.grad) for node in order])) == list(map(repr, before))
    assert all(map(same, [node.data for node in again], [node.data for node in order]))
    assert not any(node.has_grad for node in again)


def test_leaves_that_are_not_given_are_copied_with_their_names():
    x, y = Value(2.0, "x"), Value(5.0, "y")
    output = x * y
    output.name = "area"
    again = replay(output, {x: 3.0})
    assert (again.data, again.name) == (15.0, "area")
    assert [(leaf.data, leaf.name) for leaf in again.inputs] == [(3.0, "x"), (5.0, "y")]
    assert again.inputs[1] is not y


def test_a_value_stands_in_its_place_itself():
    x, new = Value(2.0, "x"), Value(3.0, "new")
    again = replay(x * x, {x: new})
    assert again.inputs == (new, new)


def test_a_leaf_alone_is_a_graph():
    x = Value(2.0, "x")
    again = replay(x, {x: 4.0})
    assert (again.data, again.name, again is x) == (4.0, "x", False)


def test_literals_and_operations_on_lists_are_kept():
    from autograd import dot

    w, x = [Value(1.0), Value(2.0)], [Value(3.0), 4.0]
    again = replay(dot(w, x) ** 2, {w[0]: 5.0})
    assert again.data == (5.0 * 3.0 + 2.0 * 4.0) ** 2
    assert again.inputs[1] == 2.0
    assert again.inputs[0].inputs[3] == 4.0


def test_a_deep_graph_needs_no_recursion():
    x = Value(1.0)
    y = x
    for _ in range(20_000):
        y = y + 1.0
    assert replay(y, {x: 0.5}).data == 20_000.5


def test_a_number_at_which_it_is_not_defined_is_an_error_that_names_it():
    rate = Value(1.0, "rate")
    with pytest.raises(ValueError, match=r"log\(rate=-1.0\): not defined there"):
        replay(log(rate), {rate: -1.0})


def test_what_is_no_leaf_of_the_graph_is_refused():
    x = Value(2.0, "x")
    y = x * x
    for wrong in (y, Value(2.0), "x"):
        with pytest.raises(ValueError, match="expected leaves of the graph, got"):
            replay(y + 1, {wrong: 1.0})
    with pytest.raises(TypeError, match="expected a real number"):
        replay(y, {x: "3"})
    with pytest.raises(TypeError, match="expected a Value"):
        replay(2.0, {})
    for wrong in (None, [x], 3.0):
        with pytest.raises(TypeError, match="leaves is a mapping from leaves to numbers"):
            replay(y, wrong)
