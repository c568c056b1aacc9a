"""Networks: Sequential and MLP, one by one and in batches; micrograd's conventions."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value
from nn import MLP, Activation, BatchNorm, Dropout, Layer, Module, Neuron, Sequential

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=3)


def numbers(outputs):
    """What a model gives, as floats in lists."""
    return [numbers(each) for each in outputs] if isinstance(outputs, list) else float(outputs)


# ---- Sequential ------------------------------------------------------------------------------------------------------


def test_each_module_is_called_on_the_outputs_of_the_one_before():
    first, second = Layer(2, 3, "tanh", seed=1), Layer(3, 2, "sigmoid", seed=2)
    model = Sequential(first, Activation("exp"), second)
    x = [0.5, -1.0]
    assert numbers(model(x)) == numbers(second([autograd.exp(each) for each in first(x)]))


@pytest.mark.parametrize("last", [Layer(1, 1, None, seed=1), Neuron(1, None, seed=1)])
def test_a_number_between_modules_is_a_list_of_one(last):
    model = Sequential(Layer(2, 1, None, seed=1), Neuron(1, None, seed=2), last)
    out = model([1.0, 2.0])
    assert isinstance(out, Value)
    assert [each.data for each in model.batch([[1.0, 2.0]])] == [out.data]
    assert len(Sequential(last, Activation("exp"))([0.5])) == 1


@pytest.mark.parametrize("kind", [tuple, np.array, list])
def test_a_module_of_ones_own_may_give_any_list(kind):
    class Both(Module):
        def __call__(self, x):
            return kind([x[0], 2.0 * x[0]])

    last = Layer(2, 1, None, seed=1)
    assert Sequential(Both(), last)([3.0]).data == last([3.0, 6.0]).data
    assert [each.data for each in Sequential(Both(), last).batch([[3.0]])] == [last([3.0, 6.0]).data]


def test_names_of_nested_networks_are_those_of_pytorch():
    model = Sequential(Layer(1, 2), Sequential(BatchNorm(2), Neuron(2)))
    assert list(model.state_dict()) == [
        "layers.0.weight", "layers.0.bias", "layers.1.layers.0.weight", "layers.1.layers.0.bias",
        "layers.1.layers.1.weight", "layers.1.layers.1.bias", "layers.1.layers.0.running_mean",
        "layers.1.layers.0.running_var", "layers.1.layers.0.num_batches_tracked",
    ]  # fmt: skip


def test_a_network_shows_its_modules():
    model = Sequential(Layer(2, 3, "tanh"), BatchNorm(3), Dropout(0.5), Activation("relu"))
    assert repr(model) == (
        "Sequential(Layer(2 → 3 tanh, 9 parameters), BatchNorm(3, 6 parameters), Dropout(0.5, 0 parameters), "
        "Activation(relu, 0 parameters), 15 parameters)"
    )


def test_a_layer_in_two_places_is_there_once():
    twice = Layer(2, 2, seed=1)
    model = Sequential(twice, twice)
    assert len(model.parameters()) == 6
    assert model.modules() == [model, twice, *twice.neurons]
    assert model.state_dict().keys() == {f"layers.{i}.{name}" for i in (0, 1) for name in ("weight", "bias")}


def test_a_network_has_one_module_at_least():
    with pytest.raises(ValueError, match="Sequential takes one module or more"):
        Sequential()


@pytest.mark.parametrize("wrong", [None, 1.0, "relu", Layer, [Layer(1, 1)], autograd.tanh])
def test_a_network_is_made_of_modules(wrong):
    with pytest.raises(TypeError, match=r"Sequential takes modules, such as Layer\(2, 1\), got "):
        Sequential(Layer(1, 1), wrong)


# ---- batches ---------------------------------------------------------------------------------------------------------

OPTIONS = st.fixed_dictionaries(
    {
        "activation": st.sampled_from(["tanh", "relu", "gelu", None]),
        "batch_norm": st.booleans(),
        "dropout": st.sampled_from([0.0, 0.3, 0.9]),
        "seed": st.integers(0, 9),
    }
)


@given(n_in=st.integers(1, 3), n_outs=SIZES, options=OPTIONS, count=st.integers(0, 4))
def test_in_evaluation_a_batch_is_its_samples_one_by_one(n_in, n_outs, options, count):
    model = MLP(n_in, n_outs, **options).eval()
    xs = np.random.default_rng(0).normal(size=(count, n_in)).tolist()
    assert numbers(model.batch(xs)) == [numbers(model(x)) for x in xs]


@given(n_in=st.integers(1, 3), n_outs=st.lists(st.integers(1, 4), min_size=2, max_size=2), options=OPTIONS)
def test_dropout_draws_for_one_sample_after_the_other(n_in, n_outs, options):
    one, other = (MLP(n_in, n_outs, **{**options, "batch_norm": False}) for _ in range(2))
    xs = np.random.default_rng(0).normal(size=(3, n_in)).tolist()
    assert numbers(one.batch(xs)) == [numbers(other(x)) for x in xs]


def test_batch_normalisation_relates_the_samples_of_a_batch():
    model = MLP(2, [3, 1], "tanh", seed=1, batch_norm=True)
    xs = [[0.5, 1.0], [-1.0, 2.0], [3.0, 0.0]]
    together = numbers(model.batch(xs))
    assert together != numbers(model.batch([*xs[:2], [4.0, 0.0]]))[:1] + together[1:]
    first, norm, activation, last = model.layers
    rows = np.array(numbers([first(x) for x in xs]))
    normalised = (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + norm.epsilon)
    assert together == pytest.approx([last(activation(row)).data for row in normalised.tolist()], rel=1e-12)
    with pytest.raises(ValueError, match=r"takes a batch in training, model\.batch\(xs\)"):
        model(xs[0])


# ---- MLP -------------------------------------------------------------------------------------------------------------


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


@given(n_in=st.integers(1, 3), n_outs=SIZES, options=OPTIONS)
def test_between_sums_and_outputs_stand_norm_activation_and_dropout_in_this_order(n_in, n_outs, options):
    model = MLP(n_in, n_outs, **options)
    expected = []
    for _ in n_outs[:-1]:
        expected += [Layer, BatchNorm, Activation] if options["batch_norm"] else [Layer]
        expected += [Dropout] if options["dropout"] else []
    assert [type(layer) for layer in model.layers] == [*expected, Layer]
    sizes = [(len(layer.neurons[0].w), len(layer.neurons)) for layer in model.layers if isinstance(layer, Layer)]
    assert sizes == list(pairwise([n_in, *n_outs]))
    assert all(neuron.activation is None for neuron in model.layers[-1].neurons)


def test_options_are_shown():
    assert repr(MLP(2, [16, 1])) == "MLP(2 → 16 relu → 1, 65 parameters)"
    assert repr(MLP(2, [4, 3, 1], "tanh", batch_norm=True, dropout=0.25)) == (
        "MLP(2 → 4 batch norm tanh dropout 0.25 → 3 batch norm tanh dropout 0.25 → 1, 45 parameters)"
    )
    assert repr(MLP(2, [3], None, dropout=0.5)) == "MLP(2 → 3, 9 parameters)"


def test_names_are_those_of_pytorch():
    assert list(MLP(2, [3, 1]).tensors()) == ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
    assert list(MLP(1, [2, 1], batch_norm=True).state_dict()) == [
        "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "layers.3.weight", "layers.3.bias",
        "layers.1.running_mean", "layers.1.running_var", "layers.1.num_batches_tracked",
    ]  # fmt: skip


def test_the_same_seed_gives_the_same_parameters_and_another_others():
    def data(seed):
        return [p.data for p in MLP(2, [3, 1], seed=seed).parameters()]

    assert data(1) == data(1) != data(2)
    assert data(1) == data(random.Random(1))


def test_the_same_seed_drops_the_same():
    one, other, third = (MLP(1, [8, 8], "exp", seed=seed, dropout=0.5) for seed in (1, 1, 2))
    assert numbers(one([1.0])) == numbers(other([1.0])) != numbers(third([1.0]))


def test_the_dropouts_of_a_network_draw_each_its_own():
    dropouts = [layer for layer in MLP(1, [9, 9, 9, 1], seed=1, dropout=0.5).layers if isinstance(layer, Dropout)]
    assert len({tuple(dropout.draw(64).tolist()) for dropout in dropouts}) == 3


@pytest.mark.parametrize("sizes", [np.array([3, 2]), (np.int64(3), 2), range(3, 1, -1)])
def test_sizes_and_seeds_of_numpy_are_taken(sizes):
    expected = MLP(4, [3, 2], batch_norm=True, seed=5)
    found = MLP(np.int64(4), sizes, batch_norm=True, seed=np.int64(5))
    assert repr(found) == repr(expected)
    assert found.state_dict() == expected.state_dict()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MLP(2, []), "list with the size"),
        (lambda: MLP(2, "16"), "list with the size"),
        (lambda: MLP(2, None), "list with the size"),
        (lambda: MLP(0, [1]), "number of inputs"),
        (lambda: MLP(2, [0]), "number of outputs"),
        (lambda: MLP(2, [1.5]), "number of outputs"),
        (lambda: MLP(1, [10**7, 10]), "more than 10,000,000 weights"),
        (lambda: MLP(10**400, [10**400]), "more than 10,000,000 weights"),
        (lambda: MLP(2, [2, 1], "nope"), "unknown activation 'nope'"),
        (lambda: MLP(2, [2, 1], init="nope"), "unknown initialiser 'nope'"),
        (lambda: MLP(2, [2, 1], seed=-1), "a seed must be a whole number"),
        (lambda: MLP(2, [2, 1], dropout=1.0), r"dropout must be a number in \[0, 1\), got 1\.0"),
        (lambda: MLP(2, [1], dropout="much"), r"dropout must be a number in \[0, 1\), got 'much'"),
        (lambda: MLP(2, [2, 1])([1.0]), r"takes a list of 2 number\(s\), got 1"),
        (lambda: MLP(2, [2, 1])([[1.0, 2.0]] * 3), r"takes one sample, and got a list of 3: nn\.predict\(model, xs\)"),
        (lambda: MLP(2, [2, 1], autograd.tanh), "unknown activation .*: did you mean 'tanh'"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_micrograds_training_code_runs_with_the_imports_changed():
    # The code of micrograd's demo notebook, on two moons, line for line but for the imports and fewer steps.
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
