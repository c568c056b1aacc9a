"""Neurons: found by structure, whoever wrote them, with their parameters and what to call them."""

import pytest
from graphs import large, recipes
from hypothesis import given

import autograd as ag
from autograd import Value, topological_order
from autograd.groups import neurons
from autograd.names import names_of
from nn import MLP, Layer, Neuron


def found(output, names=None):
    return neurons(output, names_of(output, names))


def leaves(*names):
    return [Value(0.5 + i, name) for i, name in enumerate(names)]


@given(recipes())
def test_no_node_is_in_two_neurons_and_parameters_are_leaves_that_only_neurons_use(recipe):
    output = recipe.output(*recipe.values())
    order = topological_order(output)
    place = {node: i for i, node in enumerate(order)}
    groups = found(output)
    members = [node for group in groups for node in group.nodes]
    assert len(members) == len(set(members))
    for group in groups:
        places = [place[node] for node in group.nodes]
        assert places[-1] == max(places)
        for node in group.nodes[:-1]:  # what is inside is used inside, by one other
            assert [user for user in order for x in user.inputs if x is node] == [
                user for user in group.nodes for x in user.inputs if x is node
            ]
        users = {user for user in order for x in user.inputs if x in group.parameters}
        assert users <= set(members)
        assert all(leaf.op is None for leaf in group.parameters)
    assert [place[group.nodes[-1]] for group in groups] == sorted(place[group.nodes[-1]] for group in groups)


def explicit(w, x, b):
    return sum((wi * xi for wi, xi in zip(w, x, strict=True)), b)


SUMS = {
    "dot": lambda w, x, b: ag.dot(w, x) + b,
    "bias first": lambda w, x, b: b + ag.dot(w, x),
    "micrograd": explicit,
    "one by one": lambda w, x, b: w[0] * x[0] + w[1] * x[1] + b,
    "sum": lambda w, x, b: ag.sum([w[0] * x[0], w[1] * x[1], b]),
    "sum of products": lambda w, x, b: ag.sum([w[0] * x[0], w[1] * x[1]]) + b,
    "two dots": lambda w, x, b: ag.dot(w[:1], x[:1]) + ag.dot(w[1:], x[1:]) + b,
}


@pytest.mark.parametrize("write", SUMS.values(), ids=SUMS)
@pytest.mark.parametrize("activation", [None, "tanh", "relu"])
@pytest.mark.parametrize("data", [False, True], ids=["inputs are Values", "inputs are numbers"])
def test_a_neuron_is_found_however_it_is_written(write, activation, data):
    w0, w1, x0, x1, b = leaves("w0", "w1", "x0", "x1", "b")
    out = write([w0, w1], [0.5, 2.0] if data else [x0, x1], b)
    out = out if activation is None else getattr(out, activation)()
    loss = (out - 1) ** 2
    [group] = found(loss)
    assert set(group.parameters) == {w0, w1, b}
    assert group.nodes[-1] is out
    assert set(group.nodes) == {node for node in topological_order(out) if node.op}


@pytest.mark.parametrize("write", [SUMS["dot"], SUMS["micrograd"]])
def test_a_neuron_ends_where_something_else_uses_it(write):
    w0, w1, x0, x1, b = leaves("w0", "w1", "x0", "x1", "b")
    sum_ = write([w0, w1], [x0, x1], b)
    out = sum_.tanh()
    [group] = found(out * sum_)
    assert group.nodes[-1] is sum_
    inner = sum_.inputs[0]
    groups = found(out + inner.exp())
    assert any(group.nodes[-1] is inner for group in groups)
    assert all(inner not in group.nodes[:-1] for group in groups)


def test_samples_share_parameters_and_are_neurons_of_their_own():
    w, b, x, z = leaves("w", "b", "x", "z")
    first, second = ag.dot([w], [x]) + b, ag.dot([w], [z]) + b
    groups = found((first - second) ** 2)
    assert [group.nodes[-1] for group in groups] == [first, second]
    assert [group.parameters for group in groups] == [[w, b], [w, b]]


def test_a_sum_of_neurons_is_no_neuron():
    layer = Layer(2, 2, None)
    outputs = layer([Value(1.0), Value(2.0)])
    groups = found(outputs[0] + outputs[1])
    assert [group.nodes[-1] for group in groups] == outputs


@pytest.mark.parametrize(
    "write",
    [
        lambda a, b, c: a * b,
        lambda a, b, c: (a * b).tanh(),
        lambda a, b, c: a + b,
        lambda a, b, c: a * b - c,
        lambda a, b, c: (a + b) * (b + c),
        lambda a, b, c: ag.sum([a, b, c]),
        lambda a, b, c: ag.dot([a + b], [c]),
        lambda a, b, c: a,
    ],
)
def test_other_expressions_are_not_taken_for_neurons(write):
    assert found(write(*leaves("a", "b", "c"))) == []


def test_a_parameter_that_is_used_elsewhere_is_not_inside():
    w, x, b = leaves("w", "x", "b")
    loss = ag.dot([w], [x]) + b + 0.0
    penalised = (loss - 1) ** 2 + w**2
    [group] = found(penalised)
    assert group.parameters == [b]
    residual = ag.dot([w], [x]) + x
    assert found(residual)[0].parameters == [w]


# ---- labels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "prefix"), [(None, ""), ("model", "model.")])
def test_the_neurons_of_an_mlp_are_called_by_layer_and_place(key, prefix):
    model = MLP(3, [4, 4, 1], "tanh")
    output = model([Value(1.0), Value(2.0), Value(3.0)])
    groups = found(output, {key: model} if key else model.named_parameters())
    expected = [(layer, place) for layer, size in enumerate([4, 4, 1]) for place in range(size)]
    assert [group.label for group in groups] == [f"{prefix}layers.{layer}[{place}]" for layer, place in expected]
    assert [group.layer for group in groups] == [f"{prefix}layers.{layer}" for layer, _ in expected]
    assert {p for group in groups for p in group.parameters} == set(model.parameters())


def test_a_neuron_by_itself_is_called_by_its_name():
    neuron = Neuron(2)
    [group] = found(neuron([1.0, 2.0]), {"neuron": neuron})
    assert (group.label, group.layer) == ("neuron", None)


def test_without_such_names_neurons_are_counted():
    model = MLP(2, [2, 1], "tanh")
    groups = found(model([1.0, 2.0]))
    assert [(group.label, group.layer) for group in groups] == [(f"neuron {i}", None) for i in (1, 2, 3)]


def test_names_may_be_any_text():
    w, x, b = Value(1.0, "\n[<"), Value(2.0), Value(3.0, "a..[0]")
    [group] = found(ag.dot([w], [x]) + b)
    assert (group.label, group.layer) == ("neuron 1", None)


def test_a_sum_of_a_hundred_thousand_products_is_one_neuron():
    weights = [Value(1.0) for _ in range(large(50_000))]
    total = Value(0.0)
    for w in weights:
        total = total + w * 0.5
    [group] = found(total.tanh())
    assert len(group.nodes) == 2 * len(weights) + 1
    assert set(group.parameters) > set(weights)


def test_a_sum_of_a_list_of_a_hundred_thousand_products_is_one_neuron():
    weights = [Value(1.0) for _ in range(large(100_000))]
    [group] = found(ag.sum([w * 0.5 for w in weights]))
    assert set(group.parameters) == set(weights)


@pytest.mark.parametrize("weight_first", [True, False])
def test_of_two_leaves_in_a_product_the_name_tells_the_weight(weight_first: bool):
    x1, w1, x2, w2, b = [Value(1.0, name) for name in ("x1", "w1", "x2", "w2", "b")]
    products = [w * x if weight_first else x * w for w, x in ((w1, x1), (w2, x2))]
    y = ag.tanh(products[0] + products[1] + b)
    (neuron,) = neurons(y, names_of(y))
    assert set(neuron.parameters) == {w1, w2, b}


@pytest.mark.parametrize(
    "write",
    [
        lambda p, q, r, s: p * q + r * s,
        lambda p, q, r, s: p * q + q,
        lambda p, q, r, s: p * 2 + r * s,
        lambda p, q, r, s: p * p + q * q,
        lambda p, q, r, s: (p * 2 + r.exp()).tanh(),
    ],
)
def test_where_names_do_not_tell_the_weights_there_is_no_neuron(write):
    assert found(write(*leaves("p", "q", "r", "s"))) == []


def test_a_penalty_is_no_neuron():
    w, x, b = leaves("w", "x", "b")
    [group] = found((w * x + b - 1) ** 2 + 0.01 * (w * w + b * b))
    assert len(group.nodes) == 2
