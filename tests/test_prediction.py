"""Predictions: those of the model, sample by sample."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from nn import MLP, BatchNorm, Dropout, Layer, Module, Sequential, predict
from nn.prediction import TOGETHER, Predictor


@given(n_in=st.integers(1, 3), n_outs=st.lists(st.integers(1, 3), min_size=1, max_size=3), n=st.integers(1, 4))
def test_they_are_what_the_model_gives_for_each_sample(n_in, n_outs, n):
    model = MLP(n_in, n_outs, activation="tanh", seed=0)
    xs = np.random.default_rng(0).normal(size=(n, n_in))
    expected = [model(x) for x in xs.tolist()]
    found = predict(model, xs)
    assert found.shape == ((n,) if n_outs[-1] == 1 else (n, n_outs[-1]))
    flat = [float(v) for out in expected for v in (out if isinstance(out, list) else [out])]
    assert found.ravel().tolist() == pytest.approx(flat, rel=1e-12, abs=1e-12)
    assert Predictor(model, eager=True)(xs).ravel().tolist() == flat


def test_more_samples_than_are_computed_at_once():
    model = MLP(1, [3, 1], activation="tanh", seed=0)
    xs = np.linspace(-1, 1, TOGETHER + 5)
    some = [0, TOGETHER - 1, TOGETHER, TOGETHER + 4]
    assert predict(model, xs)[some].tolist() == pytest.approx([float(model([x])) for x in xs[some]], rel=1e-12)
    assert predict(model, []).shape == (0,)


def test_a_model_predicts_in_evaluation_and_stays_in_training():
    model = Sequential(Layer(2, 3, None, seed=0), BatchNorm(3), Dropout(0.9), Layer(3, 1, None, seed=1))
    model.layers[2].eval()
    xs = [[1.0, 2.0], [0.5, -1.0]]
    found = predict(model, xs)
    assert [each.training for each in model.modules()].count(False) == 1
    assert found.tolist() == pytest.approx([float(model.eval()(x)) for x in xs], rel=1e-12)


def test_a_predictor_sees_parameters_and_statistics_change():
    model = Sequential(Layer(1, 2, None, seed=0), BatchNorm(2), Layer(2, 1, None, seed=1))
    predictor = Predictor(model)
    before = predictor([1.0])
    for p in model.parameters():
        p.data += 0.25
    model.batch([[1.0], [5.0]])  # the running statistics follow
    assert predictor([1.0]) != before
    assert predictor([1.0]).tolist() == pytest.approx([float(model.eval()([1.0]))], rel=1e-12)


class Branching(Module):
    """It has a Python ``if``."""

    def __init__(self):
        self.w = ag.Value(0.5)

    def __call__(self, x):
        """A number."""
        return self.w * x[0] if x[0] > 0 else self.w


class Comparing(Branching):
    """It compares a number."""

    def __call__(self, x):
        """A number."""
        return self.w * 3.0 if x[0] == 1.0 else self.w


class Constant(Branching):
    """It depends on nothing."""

    def __call__(self, x):
        """A number."""
        return 2.0


class Detaching(Branching):
    """It takes a number out of the graph."""

    def __call__(self, x):
        """A number."""
        return x[0] * float((self.w * x[0]).data) if isinstance(x[0], ag.Value) else self.w * x[0] * x[0]


class Asking(Branching):
    """It calls a method that floats have, and Values have not."""

    def __call__(self, x):
        """A number."""
        return self.w * float(x[0].is_integer())


@pytest.mark.parametrize("model", [Branching(), Comparing(), Constant(), Detaching(), Asking()])
def test_what_decides_by_numbers_is_asked_for_each_sample(model):
    xs = [2.0, -1.0, 1.0]
    assert predict(model, xs).tolist() == [float(model([x])) for x in xs]


def test_any_function_predicts():
    assert predict(lambda x: [ag.exp(x[0]), 2.0 * x[0]], [0.0, 1.0]).tolist() == [[1.0, 0.0], [np.e, 2.0]]
    assert predict(lambda x: ag.mean(x), [[1.0], [1.0, 3.0]]).tolist() == [1.0, 2.0]  # no array


def test_a_parameter_that_was_taken_out_of_the_model_is_noticed_if_it_will_change():
    w = ag.Value(2.0)
    predictor = Predictor(lambda x: x[0] * float(w.data), parameters=[w])
    assert predictor([1.0, 3.0]).tolist() == [2.0, 6.0]
    w.data = 4.0
    assert predictor([1.0, 3.0]).tolist() == [4.0, 12.0]


def test_predicting_touches_no_parameter():
    """Another thread may be predicting with the same ones."""

    class Watched(ag.Value):
        def __setattr__(self, name, value):
            if name == "data" and hasattr(self, "data"):
                raise AssertionError("the parameter was changed")
            super().__setattr__(name, value)

    w = Watched(2.0)
    assert predict(lambda x: w * x[0], [1.0, 3.0]).tolist() == [2.0, 6.0]


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_a_sample_that_is_not_finite_costs_no_program(odd):
    model = MLP(1, [2, 1], activation="softsign", seed=0)
    predictor = Predictor(model)
    found = predictor([odd, 1.0])
    assert predictor._program is not None
    assert found[1] == pytest.approx(model([1.0]).data, rel=1e-12)


def test_tables_and_generators_are_taken():
    pandas = pytest.importorskip("pandas")
    model = MLP(2, [3, 1], seed=0)
    rows = [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    expected = predict(model, rows).tolist()
    assert predict(model, pandas.DataFrame(rows, columns=["a", "b"], index=[7, 8, 9])).tolist() == expected
    assert predict(model, iter(rows)).tolist() == expected


def test_what_the_model_raises_is_raised():
    with pytest.raises(ValueError, match="takes a list of 2"):
        predict(MLP(2, [1]), [[1.0, 2.0, 3.0]])
    for complex_ones in ([1j], np.array([1j]), [np.complex128(1j)]):
        with pytest.raises(TypeError):
            predict(MLP(1, [1]), complex_ones)
