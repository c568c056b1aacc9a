"""Names: one for every node, none twice, and the user's own where there is one."""

import pytest
from graphs import Recipe, recipes
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, steps, topological_order
from autograd.names import names_of
from nn import MLP


@given(recipes(), st.lists(st.sampled_from(["x0", "v1", "v2", "L", "w", "w_2", "", "_", "<b>"]), max_size=12))
def test_every_node_has_a_name_and_no_two_share_one(recipe: Recipe, own: list[str]):
    output = recipe.output(*recipe.values())
    order = topological_order(output)
    for node, name in zip(order, own, strict=False):
        node.name = name
    names = names_of(output)
    assert list(names) == order
    assert all(names.values())
    assert len(set(names.values())) == len(order)
    for node in order:
        if node.name:
            assert names[node] == node.name or names[node].startswith(f"{node.name}_")


def test_who_names_a_node():
    x, w, b = Value(1.0, "x"), Value(2.0), Value(3.0)
    h = w * x
    y = h + b
    assert list(names_of(y).values()) == ["v1", "x", "v2", "v3", "L"]
    assert list(names_of(y, {"w": w, "x2": x, "again": w, "_h": h}).values()) == ["w", "x2", "v1", "v2", "L"]
    assert names_of(y, locals())[h] == "h"
    h.name = "own"
    assert names_of(y)[h] == "own"
    assert names_of(y, {"given": h})[h] == "given"


def test_an_output_that_cannot_be_called_by_a_taken_name():
    x = Value(1.0, "L")
    assert list(names_of(x * 2).values()) == ["L", "L_2"]
    assert list(names_of(x).values()) == ["L"]
    assert list(names_of(Value(1.0)).values()) == ["L"]


def test_lists_and_models_are_looked_into():
    model = MLP(2, [2, 1], seed=0)
    xs = [[Value(0.5), Value(1.5)], [Value(2.5), Value(3.5)]]
    loss = model(xs[0])
    names = set(names_of(loss, locals()).values())
    assert {"xs[0][0]", "xs[0][1]", "model.layers.0.weight[1][0]", "model.layers.1.bias[0]"} <= names
    assert "xs[1][0]" not in names
    assert "layers.0.weight[1][0]" in names_of(loss, model.named_parameters()).values()


def test_a_name_of_its_own_comes_before_a_place_in_a_list():
    pair = [Value(1.0), Value(2.0)]
    w = pair[0]
    loss = w * pair[1]
    step = next(steps(loss))
    assert list(names_of(loss, locals()).values()) == ["w", "pair[1]", "loss"]
    assert step.node is loss  # a record in locals() names nothing


def test_a_list_that_contains_itself_is_looked_into_once():
    x = Value(1.0)
    first, last = [], [x]
    first.append(first)
    last.append(last)
    assert list(names_of(x * 2, {"first": first, "last": last}).values()) == ["last[0]", "L"]


def test_deeply_nested_lists_are_looked_into_once_and_not_too_far():
    x, y = Value(1.0), Value(2.0)
    deep, wide = [x], [y]
    for _ in range(5_000):
        deep = [x, deep]
    for _ in range(60):
        wide = [wide, wide]
    wide = [y, wide]
    assert list(names_of(x * y, {"deep": deep, "wide": wide}).values()) == ["deep[0]", "wide[0]", "L"]


def test_an_object_that_answers_no_question_is_passed_over():
    class Proxy:
        def __getattr__(self, name):
            raise RuntimeError("outside of a request")

    assert list(names_of(Value(1.0) * 2, {"request": Proxy()}).values()) == ["v1", "L"]


def test_an_error_of_the_users_own_names_is_not_hidden():
    def broken():
        yield "x", Value(1.0)
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        names_of(Value(1.0) * 2, broken())


def test_data_in_locals_is_not_walked():
    class Untouchable(list):
        def __iter__(self):
            raise AssertionError("a list of plain numbers was walked")

    names_of(Value(1.0) * 2, {"data": Untouchable([1.0, 2.0]), "rows": [[1.0], [2.0]], "empty": [], "class": MLP})


@pytest.mark.parametrize("names", [3, [1, 2], ["ab"], [("a", 1.0)], [(1, Value(1.0))], "x", {Value(1.0): "x"}])
def test_what_are_no_names(names):
    with pytest.raises(TypeError, match=r"names is a mapping such as locals\(\), or pairs"):
        names_of(Value(1.0) * 2, names)


def test_what_is_no_graph():
    with pytest.raises(TypeError, match=r"expected a Value, the end of a graph, got 3\.0"):
        names_of(3.0)


def test_a_million_nodes_of_one_name_are_told_apart_in_linear_time():
    y = Value(1.0, "x")
    for _ in range(20_000):
        y = y * 1.0
        y.name = "h"
    assert len(set(names_of(y).values())) == 20_001
