"""Layers: neurons, activations, dropout, batch normalisation; what each computes, and what it refuses."""

import json
import math
from pathlib import Path
from random import Random

import numpy as np
import pytest
from graphs import python
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import OPS, Value, dot
from autograd.testing import check_gradients
from autograd.testing.strategies import reals
from nn import MLP, Activation, BatchNorm, Dropout, Layer, Neuron

OTHERS = json.loads((Path(__file__).parent / "fixtures" / "batch_norm.json").read_text(encoding="utf-8"))

every_activation = pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.arity == 1])
few = settings(max_examples=settings().max_examples // 4)  # a check of a batch takes a second


# ---- neurons ---------------------------------------------------------------------------------------------------------


def test_a_neuron_draws_as_w_dot_x_plus_b():
    neuron = Neuron(2, activation=None)
    out = neuron([Value(1.0, "x0"), Value(2.0, "x1")])
    assert autograd.formula(out) == "dot([w0, w1], [x0, x1]) + b"


@every_activation
def test_every_operation_of_one_input_is_an_activation(name):
    neuron = Neuron(1, activation=name)
    neuron.w[0].data = 0.5
    out = neuron([0.5])
    assert out.op is OPS[name]
    assert out.data == OPS[name](0.25)


@pytest.mark.parametrize("activation", [None, "linear"])
def test_a_linear_neuron_has_none(activation):
    assert Neuron(2, activation)([1.0, 2.0]).op is OPS["add"]


def test_without_a_seed_no_two_start_alike():
    one, other = Neuron(3), Neuron(3)
    assert one.state_dict() != other.state_dict()


def test_a_seed_may_be_a_generator_that_goes_on():
    rng = Random(1)
    one, other = Layer(3, 2, seed=rng), Layer(3, 2, seed=rng)
    assert one.state_dict() != other.state_dict()
    assert one.state_dict() == Layer(3, 2, seed=1).state_dict()


@given(n_in=st.integers(1, 4), n_out=st.integers(1, 4), seed=st.integers(0, 9))
def test_a_layer_is_its_neurons_side_by_side(n_in, n_out, seed):
    layer = Layer(n_in, n_out, "tanh", seed=seed)
    x = [0.5 - i for i in range(n_in)]
    out = layer(x)
    expected = [neuron(x).data for neuron in layer.neurons]
    assert [float(each) for each in ([out] if n_out == 1 else out)] == expected
    assert np.shape(layer.state_dict()["weight"]) == (n_out, n_in)
    assert np.shape(layer.state_dict()["bias"]) == (n_out,)


def test_names_of_a_layer_are_those_of_pytorchs_linear():
    assert [name for name, _ in Layer(2, 1).named_parameters()] == ["weight[0][0]", "weight[0][1]", "bias[0]"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Neuron(2, activation="swoosh"), "unknown activation 'swoosh'.*relu"),
        (lambda: Neuron(2, activation="add"), "unknown activation"),
        (lambda: Neuron(2, activation="tahn"), "did you mean 'tan' or 'tanh'"),
        (lambda: Neuron(2, init="magic"), "unknown initialiser 'magic'.*glorot"),
        (lambda: Neuron(2, seed=-1), "a seed must be a whole number"),
        (lambda: Neuron(2, seed="a"), "a seed must be a whole number"),
        (lambda: Neuron(2)([1.0]), "this neuron takes a list of 2 number\\(s\\), got 1$"),
        (lambda: Neuron(2)(1.0), "this neuron takes a list of 2 number\\(s\\), got 1.0$"),
        (lambda: Layer(2, 3)([1.0, 2.0, 3.0]), "takes a list of 2 number\\(s\\), got 3$"),
        (lambda: Layer(0, 1), "the number of inputs must be a whole number of at least 1, got 0"),
        (lambda: Layer(1, 0), "the number of outputs must be a whole number of at least 1, got 0"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("wrong", [0, -2, 1.0, "2", None, True])
def test_a_neuron_is_part_of_a_layer_of_positive_size(wrong):
    with pytest.raises(ValueError, match="the number of outputs must be a whole number of at least 1"):
        Neuron(2, n_out=wrong)


@pytest.mark.parametrize("make", [lambda: Neuron(10**9), lambda: Layer(10**4, 10**4), lambda: BatchNorm(10**400)])
def test_a_layer_beyond_the_memory_is_refused_before_anything_is_made(make):
    with pytest.raises(ValueError, match="more than 10,000,000 weights"):
        make()


# ---- activations -----------------------------------------------------------------------------------------------------


@every_activation
def test_an_activation_is_of_each_number_by_itself(name):
    x = Value(0.25)
    out = Activation(name)([x, 0.5])
    assert out[0].op is OPS[name]
    assert out[0].inputs == (x,)
    assert out[1] == OPS[name](0.5)


@pytest.mark.parametrize("name", [None, "linear"])
def test_none_leaves_the_numbers_as_they_are(name):
    x = Value(2.0)
    assert Activation(name)([x, -1.0]) == [x, -1.0]
    assert repr(Activation(name)) == "Activation(linear, 0 parameters)"


@pytest.mark.parametrize("wrong", [b"tanh", 1.0, ["tanh"], len, "dot", "Tanh", ""])
@pytest.mark.parametrize("make", [Activation, lambda name: Neuron(1, name), lambda name: MLP(1, [2, 1], name)])
def test_an_activation_is_a_name(make, wrong):
    with pytest.raises(ValueError, match="unknown activation"):
        make(wrong)


@pytest.mark.parametrize("wrong", [1.0, None, Value(1.0)])
def test_lists_are_taken_and_nothing_else(wrong):
    for module, what in ((Activation("tanh"), "an activation"), (Dropout(0.5), "dropout"), (Dropout(0.0), "dropout")):
        with pytest.raises(ValueError, match=f"{what} takes a list of numbers, got "):
            module(wrong)


# ---- dropout ---------------------------------------------------------------------------------------------------------

PROBABILITIES = st.one_of(st.sampled_from([0.0, 0.5, 0.2]), st.floats(0.0, 0.99))


def factors(dropout):
    """What it draws next."""
    return dropout.draw(64).tolist()


@given(probability=PROBABILITIES, x=st.lists(reals(), max_size=20), seed=st.integers(0, 99))
def test_each_number_is_dropped_or_scaled(probability, x, seed):
    scale = 1.0 / (1.0 - probability)
    for number, out in zip(x, Dropout(probability, seed)(x), strict=True):
        assert out in (number * scale, 0.0 * number)


@pytest.mark.parametrize("probability", [0.01, 0.2, 0.5, 0.9])
def test_so_many_are_dropped_and_the_expectation_stays(probability):
    n = 100_000
    drawn = Dropout(probability, seed=1).draw(n)
    # Of n draws np are expected, with the standard deviation √(np(1 - p)); the seed is fixed, so five are ample.
    deviation = math.sqrt(n * probability * (1.0 - probability))
    assert abs((drawn == 0.0).sum() - n * probability) < 5 * deviation
    assert abs(drawn.sum() - n) < 5 * deviation / (1.0 - probability)


def test_neighbours_are_dropped_independently():
    dropped = Dropout(0.5, seed=2).draw(100_000) == 0.0
    for lag in (1, 2, 3, 16):
        both = (dropped[lag:] & dropped[:-lag]).mean()
        assert abs(both - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 100_000)


@given(probability=PROBABILITIES, x=st.lists(reals(), max_size=5))
def test_in_evaluation_it_is_the_identity_and_draws_nothing(probability, x):
    dropout, other = Dropout(probability, seed=1), Dropout(probability, seed=1)
    assert dropout.eval()(x) == x
    assert factors(dropout) == factors(other)


def test_a_probability_of_0_is_the_identity():
    x = [Value(1.0), 2.0]
    assert Dropout(0.0)(x) == x


@given(sizes=st.lists(st.integers(0, 7), min_size=1, max_size=6), probability=PROBABILITIES)
def test_the_same_is_drawn_in_one_call_or_in_several(sizes, probability):
    one, several = Dropout(probability, seed=3), Dropout(probability, seed=3)
    parts = [factor for size in sizes for factor in several.draw(size).tolist()]
    assert parts == one.draw(sum(sizes)).tolist()
    parts = [factor for size in sizes for factor in several([1.0] * size)]
    assert parts == one([1.0] * sum(sizes))


def test_the_same_seed_draws_the_same_and_another_others():
    assert factors(Dropout(0.5, seed=1)) == factors(Dropout(0.5, seed=1)) != factors(Dropout(0.5, seed=2))
    rng = Random(1)
    assert factors(Dropout(0.5, rng)) == factors(Dropout(0.5, seed=1)) != factors(Dropout(0.5, rng))
    assert factors(Dropout(0.5)) != factors(Dropout(0.5))


def test_reseeding_determines_what_is_drawn():
    one, other = Dropout(0.5, seed=1), Dropout(0.5, seed=2)
    factors(one)
    drawn = []
    for seeds in [(), (1,), (2,), (1, 2), (2, 1), (1, 2, 3)]:
        one.reseed(*seeds)
        other.reseed(*seeds)
        drawn.append(factors(one))
        assert drawn[-1] == factors(other)
    assert len({tuple(each) for each in drawn}) == len(drawn)


def test_what_is_dropped_gets_no_gradient():
    dropout = Dropout(0.5, seed=1)
    scales = dropout.draw(8).tolist()
    dropout.reseed(Random(1).getrandbits(64))
    x = [Value(float(i)) for i in range(8)]
    autograd.sum(dropout(x)).backward()
    assert [each.grad for each in x] == scales
    assert set(scales) == {0.0, 2.0}


@few
@given(x=st.lists(reals(-3, 3), min_size=1, max_size=4), seed=st.integers(0, 9))
def test_the_gradient_of_dropout_is_right(x, seed):
    dropout = Dropout(0.4)

    def f(x):
        dropout.reseed(seed)
        return dot(dropout(x), [math.sin(i) for i in range(len(x))]) + x[0]

    check_gradients(f, x)


@pytest.mark.parametrize("wrong", [1.0, -0.1, 1, math.nan, math.inf, "0.5", None, True, [0.5], 0.5j])
def test_a_probability_is_below_1(wrong):
    with pytest.raises(ValueError, match=r"probability must be a number in \[0, 1\), got"):
        Dropout(wrong)


@pytest.mark.parametrize("wrong", [-1, 0.5, "a", None, True])
def test_seeds_are_whole_and_a_wrong_one_changes_nothing(wrong):
    dropout = Dropout(0.5, seed=1)
    with pytest.raises(ValueError, match="a seed must be a whole number of at least 0, got"):
        dropout.reseed(1, wrong)
    assert factors(dropout) == factors(Dropout(0.5, seed=1))


def test_numpy_loads_when_something_is_drawn():
    run = python("import sys, nn; nn.Dropout(0.5).eval()([1.0]); print('numpy' in sys.modules)")
    assert run.stdout == "False\n"


# ---- batch normalisation ---------------------------------------------------------------------------------------------


def close(found, expected):
    """Whether lists agree to 1e-12, of the greatest number in them or of 1."""
    found, expected = np.array(found, dtype=float), np.array(expected)
    assert found.shape == expected.shape
    return np.abs(found - expected).max() <= 1e-12 * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: f"{case['features']} features, {case['options']}")
def test_batch_normalisation_is_pytorchs(case):
    norm = BatchNorm(case["features"], **case["options"])
    norm.load_state_dict(case["start"])
    for step in case["steps"]:
        norm.train(step["training"])
        norm.zero_grad()
        samples = [[Value(x) for x in row] for row in step["samples"]]
        outputs = norm.batch(samples)
        dot([x for row in outputs for x in row], [x for row in step["targets"] for x in row]).backward()
        assert close(outputs, step["outputs"])
        assert close([[x.grad for x in row] for row in samples], step["gradient"])
        assert close([p.grad for p in norm.weight], step["weight_gradient"])
        assert close([p.grad for p in norm.bias], step["bias_gradient"])
        state = norm.state_dict()
        assert state.keys() == step["state"].keys()
        assert all(close(state[name], expected) for name, expected in step["state"].items())


BATCHES = st.integers(1, 3).flatmap(
    lambda features: st.lists(st.lists(reals(-10, 10), min_size=features, max_size=features), min_size=2, max_size=5)
)


@given(xs=BATCHES)
def test_a_feature_has_mean_0_and_but_for_epsilon_variance_1_over_the_batch(xs):
    norm = BatchNorm(len(xs[0]))
    outputs, xs = np.array(norm.batch(xs), dtype=float), np.array(xs)
    variance = xs.var(axis=0)
    # To the rounding of numbers up to 10, times 1 / √epsilon = 316 at most, some times over.
    assert np.abs(outputs.mean(axis=0)).max() <= 1e-11
    assert np.abs(outputs.var(axis=0) - variance / (variance + norm.epsilon)).max() <= 1e-11


@given(xs=BATCHES, momentum=st.sampled_from([0.1, 0.5, 1.0]))
def test_running_statistics_follow_those_of_the_batch(xs, momentum):
    norm = BatchNorm(len(xs[0]), momentum)
    means, variances = np.zeros(len(xs[0])), np.ones(len(xs[0]))
    for count in (1, 2, 3):
        norm.batch(xs)
        means += momentum * (np.mean(xs, axis=0) - means)
        variances += momentum * (np.var(xs, axis=0, ddof=1) - variances)
        state = norm.state_dict()
        assert close(state["running_mean"], means)
        assert close(state["running_var"], variances)
        assert state["num_batches_tracked"] == count


@given(xs=BATCHES)
def test_in_evaluation_each_sample_is_by_itself_and_nothing_follows(xs):
    norm = BatchNorm(len(xs[0]))
    norm.batch(xs)
    norm.eval()
    before = norm.state_dict()
    alone = [list(map(float, norm(x))) for x in xs]
    assert [list(map(float, row)) for row in norm.batch(xs)] == alone
    assert norm.batch([]) == []
    scales = np.array(before["weight"]) / np.sqrt(np.array(before["running_var"]) + norm.epsilon)
    assert close(alone, (np.array(xs) - before["running_mean"]) * scales)
    assert norm.state_dict() == before


@given(xs=BATCHES)
def test_what_is_added_to_a_feature_changes_nothing_and_so_gradients_sum_to_0(xs):
    norm = BatchNorm(len(xs[0]))
    samples = [[Value(x) for x in row] for row in xs]
    outputs = [x for row in norm.batch(samples) for x in row]
    dot(outputs, [math.sin(i) for i in range(len(outputs))]).backward()
    gradient = np.array([[x.grad for x in row] for row in samples])
    size = 1.0 / math.sqrt(norm.epsilon)  # of the greatest gradient there can be
    assert np.abs(gradient.sum(axis=0)).max() <= 1e-13 * size * len(xs)


@few
@given(xs=BATCHES, weight=reals(-2, 2), bias=reals(-2, 2), training=st.booleans())
def test_the_gradient_of_batch_normalisation_is_right(xs, weight, bias, training):
    features = len(xs[0])

    def f(xs, weights, biases):
        norm = BatchNorm(features).train(training)
        norm.weight, norm.bias = weights, biases
        outputs = [x for row in norm.batch(xs) for x in row]
        return dot(outputs, [math.sin(i) for i in range(len(outputs))])

    check_gradients(f, xs, [weight] * features, [bias] * features)


def test_running_statistics_are_of_the_state_and_not_trained():
    norm = BatchNorm(2)
    assert list(norm.tensors()) == ["weight", "bias"]
    assert list(norm.buffers()) == ["running_mean", "running_var", "num_batches_tracked"]
    assert list(norm.state_dict()) == [*norm.tensors(), *norm.buffers()]
    assert len(norm.parameters()) == 4
    assert repr(norm) == "BatchNorm(2, 4 parameters)"


def test_a_constant_feature_is_its_offset():
    norm = BatchNorm(1)
    norm.bias[0].data = 0.5
    assert [row[0].data for row in norm.batch([[3.0], [3.0], [3.0]])] == [0.5, 0.5, 0.5]


def test_samples_may_be_arrays():
    xs = np.array([[1.0, 2.0], [3.0, 5.0]])
    assert close(BatchNorm(2).batch(xs), [[-1.0, -1.0], [1.0, 1.0]] / np.sqrt(1.0 + 1e-5 / np.array([1.0, 2.25])))


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (
            lambda norm: norm([1.0, 2.0]),
            r"takes a batch in training, model\.batch\(xs\), .*; for single .* eval",
        ),
        (lambda norm: norm.batch([[1.0, 2.0]]), "takes at least 2 samples in training, got 1"),
        (lambda norm: norm.batch([]), "takes at least 2 samples in training, got 0"),
        (lambda norm: norm.batch([[1.0, 2.0], [1.0]]), r"takes a list of 2 number\(s\), got 1$"),
        (lambda norm: norm.batch([1.0, 2.0]), r"takes a list of 2 number\(s\), got 1\.0$"),
        (lambda norm: norm.eval()([1.0]), r"takes a list of 2 number\(s\), got 1$"),
        (lambda norm: norm.eval().batch([[1.0, 2.0], 3.0]), r"takes a list of 2 number\(s\), got 3\.0$"),
    ],
)
def test_a_batch_that_cannot_be_normalised_is_named_and_changes_nothing(attempt, message):
    norm = BatchNorm(2)
    before = norm.state_dict()
    with pytest.raises(ValueError, match=message):
        attempt(norm)
    assert norm.state_dict() == before


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf, "a", None])
def test_settings_of_batch_normalisation_are_in_their_ranges(wrong):
    with pytest.raises(ValueError, match=r"momentum must be a number in \(0, 1\], got"):
        BatchNorm(1, momentum=wrong)
    with pytest.raises(ValueError, match="epsilon must be a number greater than 0, got"):
        BatchNorm(1, epsilon=wrong)
    with pytest.raises(ValueError, match="momentum"):
        BatchNorm(1, momentum=1.5)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "a", None, True])
def test_the_number_of_features_is_positive(wrong):
    with pytest.raises(ValueError, match="must be a whole number of at least 1"):
        BatchNorm(wrong)
