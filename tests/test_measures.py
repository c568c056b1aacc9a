"""What is measured after an epoch: the same numbers by a program and on graphs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from nn import MLP, fit, predict
from nn.losses import LOSSES, mse
from nn.measures import LossMeter, Measure
from nn.objectives import OBJECTIVES
from nn.prediction import Predictor


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_measured_by_a_program_as_on_graphs(name):
    rng = np.random.default_rng(0)
    predictions = rng.uniform(0.1, 0.9, size=(250, 3))
    predictions /= predictions.sum(axis=1, keepdims=True)
    targets = OBJECTIVES[name].targets(rng.integers(0, 3, size=250), 3)
    by_program, on_graphs = LossMeter(LOSSES[name]), LossMeter(LOSSES[name], eager=True)
    assert by_program(predictions, targets) == pytest.approx(on_graphs(predictions, targets), rel=1e-12)
    assert on_graphs(predictions, targets) == float(LOSSES[name](predictions.tolist(), targets.tolist()))


@pytest.mark.parametrize(
    "loss",
    [
        lambda ps, ts: ag.sqrt(mse(ps, ts)),  # not made of the examples' losses
        lambda ps, ts: ag.mean([p * (2.0 if t == 1.0 else 1.0) for p, t in zip(ps, ts, strict=True)]),
        lambda ps, ts: ag.mean([p if p > 0.0 else p * p for p in ps]),
        lambda ps, ts: ag.mean([(p - t).exp() for p, t in zip(ps, ts, strict=True)]),  # a method of a Value
    ],
)
def test_what_a_program_would_measure_otherwise_is_measured_on_graphs(loss):
    predictions, targets = np.array([1.0, -2.0, 3.0]), np.array([0.0, 0.0, 1.0])
    expected = float(loss([ag.Value(p) for p in predictions.tolist()], targets.tolist()))
    assert LossMeter(loss)(predictions, targets) == pytest.approx(expected, rel=1e-12)


def test_a_loss_that_depends_on_parameters_is_measured_by_what_they_are_now():
    w = ag.Value(1.0)
    meter = LossMeter(lambda ps, ts: mse(ps, ts) + w**2)
    numbers = np.array([1.0, 2.0]), np.array([1.0, 2.0])
    assert meter(*numbers) == 1.0
    w.data = 3.0
    assert meter(*numbers) == 9.0


def test_a_parameter_that_was_taken_out_of_the_loss_is_noticed():
    w = ag.Value(1.0)
    meter = LossMeter(lambda ps, ts: mse(ps, ts) * w.data, parameters=[w])
    numbers = np.array([1.0, 2.0]), np.array([2.0, 2.0])
    assert meter(*numbers) == 0.5
    w.data = 4.0
    assert meter(*numbers) == 2.0


def test_a_loss_that_is_not_finite_is_said():
    with pytest.raises(OverflowError, match="the validation loss is nan"):
        LossMeter(mse)(np.array([math.nan]), np.array([1.0]))


@given(n=st.integers(1, 5), held_out=st.integers(1, 5), eager=st.booleans())
def test_metrics_are_of_the_training_data_and_of_those_held_out(n, held_out, eager):
    model = MLP(1, [2, 1], activation="tanh", seed=0)
    xs, others = np.linspace(-1, 1, n), np.linspace(2, 3, held_out)
    worst = {"worst": lambda ps, ts: np.abs(ps - ts).max()}
    measure = Measure(Predictor(model, eager), mse, (xs, xs), (others, others), worst, eager)
    errors = [np.abs(predict(model, each) - each) for each in (xs, others)]
    assert measure() == pytest.approx(
        {"worst": errors[0].max(), "validation_loss": (errors[1] ** 2).mean(), "validation_worst": errors[1].max()},
        rel=1e-9,
        abs=1e-15,
    )


def test_with_neither_nothing_is_measured():
    model = MLP(1, [1], seed=0)
    assert Measure(Predictor(model), mse, ([1.0], [1.0]), None, {}, False)() == {}
    assert list(fit(model, [1.0], [1.0], epochs=1).rows[0]) == ["loss", "learning_rate"]
