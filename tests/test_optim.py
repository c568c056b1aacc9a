"""SGD against the recurrences that define it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from nn.optim import SGD

GRADIENTS = st.lists(st.floats(-10, 10), min_size=1, max_size=10)


def steps(optimizer, parameter, gradients):
    for g in gradients:
        parameter.grad = g
        optimizer.step()
        yield parameter.data


@given(GRADIENTS, st.floats(0.001, 1))
def test_plain_sgd_subtracts_the_gradients(gradients, rate):
    p = Value(1.0)
    *_, last = steps(SGD([p], rate), p, gradients)
    assert last == pytest.approx(1.0 - rate * sum(gradients), abs=1e-9)


@pytest.mark.parametrize("nesterov", [False, True])
@given(gradients=GRADIENTS, rate=st.floats(0.001, 1), momentum=st.floats(0.01, 0.99))
def test_momentum_weighs_a_gradient_by_its_age(gradients, rate, momentum, nesterov):
    # The closed form: a gradient that is k steps old has moved the parameter by rate · (1 + m + … + m^k) · g. Nesterov
    # looks one step ahead: a gradient counts at once as it would one step later.
    p = Value(0.0)
    *_, last = steps(SGD([p], rate, momentum, nesterov=nesterov), p, gradients)
    ages = range(len(gradients) - 1 + nesterov, -1 + nesterov, -1)
    moved = sum(g * sum(momentum**i for i in range(age + 1)) for g, age in zip(gradients, ages, strict=True))
    assert last == pytest.approx(-rate * moved, rel=1e-9, abs=1e-9)


@given(st.floats(0.001, 0.1), st.floats(0.001, 0.9))
def test_weight_decay_alone_shrinks_geometrically(rate, decay):
    p = Value(3.0)
    *_, last = steps(SGD([p], rate, weight_decay=decay), p, [0.0] * 5)
    assert last == pytest.approx(3.0 * (1 - rate * decay) ** 5, rel=1e-12)


def test_zero_grad_clears():
    p = Value(1.0)
    p.grad = 2.0
    SGD([p]).zero_grad()
    assert p.grad == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be a number greater than 0"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate must be a number"),
        ({"momentum": 1.0}, "momentum must be a number in"),
        ({"weight_decay": -0.1}, "weight_decay must be a number of at least 0"),
        ({"nesterov": True}, "nesterov needs a momentum"),
    ],
)
def test_bad_settings_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SGD([Value(1.0)], **arguments)


@pytest.mark.parametrize("parameters", [[], [1.0], [Value(1.0), None]])
def test_parameters_are_values(parameters):
    with pytest.raises(ValueError, match=r"model\.parameters\(\)"):
        SGD(parameters)


def test_a_model_is_no_list_of_parameters():
    with pytest.raises(TypeError, match=r"model\.parameters\(\)"):
        SGD(object())


def test_a_step_out_of_range_moves_nothing():
    p, q = Value(1.0), Value(2.0)
    p.grad, q.grad = 1.0, 1e308
    with pytest.raises(OverflowError, match="no longer be finite"):
        SGD([p, q], 1e10).step()
    assert (p.data, q.data) == (1.0, 2.0)


def test_an_interrupted_step_moves_nothing():
    class Interrupting(Value):
        @property
        def data(self):
            return self._data

        @data.setter
        def data(self, data):
            if data != 2.0:
                raise KeyboardInterrupt

    p, q = Value(1.0), Interrupting(2.0)
    p.grad, q.grad = 1.0, 1.0
    optimizer = SGD([p, q], 0.1, momentum=0.9)
    with pytest.raises(KeyboardInterrupt):
        optimizer.step()
    assert (p.data, q.data) == (1.0, 2.0)
    assert {name: np.asarray(x).tolist() for name, x in optimizer.state_dict().items()} == {
        "velocity": [0.0, 0.0],
        "steps": 0,
    }
