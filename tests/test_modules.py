"""Modules: parameters, names, state, calls, and micrograd's conventions."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value
from nn import MLP, Layer, Module, Neuron

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=3)


@given(n_in=st.integers(1, 4), n_outs=SIZES)
def test_an_mlp_has_a_weight_per_edge_and_a_bias_per_neuron(n_in, n_outs):
    model = MLP(n_in, n_outs)
    expected = sum((a + 1) * b for a, b in zip([n_in, *n_outs], n_outs, strict=False))
    assert len(model.parameters()) == expected == len(dict(model.named_parameters()))
    assert f"{expected} parameter" in repr(model)


@given(n_in=st.integers(1, 4), n_outs=SIZES, seed=st.integers(0, 9))
def test_an_mlp_computes_what_its_equation_says(n_in, n_outs, seed):
    model = MLP(n_in, n_outs, activation="tanh", seed=seed)
    x = [0.5 - i for i in range(n_in)]
    units = x
    for i, layer in enumerate(model.layers):
        sums = [sum(w.data * u for w, u in zip(n.w, units, strict=True)) + n.b.data for n in layer.neurons]
        units = sums if i == len(n_outs) - 1 else [autograd.tanh(s) for s in sums]
    out = model(x)
    assert [float(v) for v in (out if len(n_outs) and n_outs[-1] > 1 else [out])] == pytest.approx(units, rel=1e-12)


def test_a_neuron_draws_as_w_dot_x_plus_b():
    neuron = Neuron(2, activation=None)
    out = neuron([Value(1.0, "x0"), Value(2.0, "x1")])
    assert autograd.formula(out) == "dot([w0, w1], [x0, x1]) + b"


def test_the_same_seed_gives_the_same_parameters_and_another_others():
    def data(seed):
        return [p.data for p in MLP(2, [3, 1], seed=seed).parameters()]

    assert data(1) == data(1) != data(2)
    assert data(1) == data(random.Random(1))


def test_without_a_seed_no_two_start_alike():
    one, other = Neuron(3), Neuron(3)
    assert one.state_dict() != other.state_dict()


def test_names_are_those_of_pytorch():
    assert list(MLP(2, [3, 1]).tensors()) == ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
    names = [name for name, _ in Layer(2, 1).named_parameters()]
    assert names == ["weight[0][0]", "weight[0][1]", "bias[0]"]


def test_a_module_finds_parameters_in_attributes_lists_and_modules():
    class Scaled(Module):
        def __init__(self):
            self.scale = Value(2.0)
            self.table = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
            self.parts = [Neuron(1), Neuron(2)]
            self.tied = self.scale
            self.title = "no parameter"
            self._hidden = Value(5.0)

        def __call__(self, x):
            return self.scale * x

    module = Scaled()
    assert list(module.tensors()) == [
        "scale", "table", "parts.0.weight", "parts.0.bias", "parts.1.weight", "parts.1.bias", "tied",
    ]  # fmt: skip
    assert len(module.parameters()) == 1 + 4 + 2 + 3  # the tied one once
    assert "10 parameters" in repr(module)


def test_zero_grad_clears_the_parameters():
    model = MLP(2, [2, 1])
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad or p.has_grad for p in model.parameters())


@given(n_in=st.integers(1, 3), n_outs=SIZES)
def test_a_state_dict_goes_round(n_in, n_outs):
    one, other = MLP(n_in, n_outs, seed=1), MLP(n_in, n_outs, seed=2)
    other.load_state_dict(one.state_dict())
    assert [p.data for p in one.parameters()] == [p.data for p in other.parameters()]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: s.pop("layers.0.bias"), ValueError, "missing layers.0.bias"),
        (lambda s: s.update(extra=1.0), ValueError, "unknown extra"),
        (lambda s: s.update({"layers.1.bias": [1.0, 2.0]}), ValueError, r"shape \(1,\).*got \(2,\)"),
        (lambda s: s.update({"layers.0.weight": [[1.0], [2.0, 3.0]]}), ValueError, "shape"),
        (lambda s: s.update({"layers.1.bias": ["nine"]}), TypeError, "real number"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, error, message):
    model = MLP(1, [2, 1])
    before = [p.data for p in model.parameters()]
    state = MLP(1, [2, 1], seed=5).state_dict()
    change(state)
    with pytest.raises(error, match=message):
        model.load_state_dict(state)
    assert [p.data for p in model.parameters()] == before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MLP(2, []), "list with the size"),
        (lambda: MLP(2, "16"), "list with the size"),
        (lambda: MLP(0, [1]), "number of inputs"),
        (lambda: MLP(2, [0]), "number of outputs"),
        (lambda: MLP(2, [1.5]), "number of outputs"),
        (lambda: Neuron(2, activation="swoosh"), "unknown activation 'swoosh'.*relu"),
        (lambda: Neuron(2, activation="add"), "unknown activation"),
        (lambda: Neuron(2, init="magic"), "unknown initialiser 'magic'.*glorot"),
        (lambda: Neuron(2)([1.0]), "takes a list of 2 number\\(s\\), got 1"),
        (lambda: Neuron(2)(1.0), "takes a list of 2 number"),
        (lambda: Neuron(2, activation="tahn"), "did you mean 'tan' or 'tanh'"),
        (lambda: Neuron(2, seed=-1), "a seed is a whole number"),
        (lambda: Neuron(2, seed="a"), "a seed is a whole number"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", [name for name, op in autograd.OPS.items() if op.arity == 1])
def test_every_operation_of_one_input_is_an_activation(name):
    neuron = Neuron(1, activation=name)
    neuron.w[0].data = 0.5
    out = neuron([0.5])
    assert out.op is autograd.OPS[name]
    assert out.data == autograd.OPS[name](0.25)


def test_micrograds_training_code_runs_with_the_imports_changed():
    # The code of micrograd's demo notebook, on two moons, line for line but for the imports and fewer steps.
    import numpy as np

    rng = np.random.default_rng(1337)
    angle = np.pi * rng.random(40)
    X = np.concatenate(  # noqa: N806
        [np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1)]
    )
    y = np.repeat([-1, 1], 40)
    model = MLP(2, [16, 16, 1], seed=1337)

    def loss():
        inputs = [list(map(Value, xrow)) for xrow in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in model.parameters())
        total_loss = data_loss + reg_loss
        accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores, strict=True)]
        return total_loss, sum(accuracy) / len(accuracy)

    start, _ = loss()
    for k in range(20):
        total_loss, acc = loss()
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
    assert total_loss.data < 0.5 * start.data
    assert acc > 0.85


def test_a_layer_beyond_the_memory_is_refused_before_anything_is_made():
    for attempt in (
        lambda: Neuron(10**9),
        lambda: Layer(10**4, 10**4),
        lambda: MLP(1, [10**7, 10]),
        lambda: MLP(10**400, [10**400]),
    ):
        with pytest.raises(ValueError, match="more than 10,000,000 weights"):
            attempt()


@pytest.mark.parametrize("wrong", [0, -2, 1.0, "2", None, True])
def test_a_neuron_is_part_of_a_layer_of_positive_size(wrong):
    with pytest.raises(ValueError, match="the number of outputs is a positive whole number"):
        Neuron(2, n_out=wrong)


@pytest.mark.parametrize("wrong", [None, [1.0], "weight"])
def test_a_state_is_a_mapping(wrong):
    with pytest.raises(TypeError, match="a state is a mapping from names to tensors"):
        Neuron(1, seed=0).load_state_dict(wrong)


@pytest.mark.parametrize("wrong", [b"tanh", 1.0, ["tanh"], len])
def test_an_activation_is_a_name(wrong):
    with pytest.raises(ValueError, match="unknown activation"):
        Neuron(1, wrong)
