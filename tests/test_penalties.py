"""Penalties against their closed forms, on graphs and by programs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import check

import autograd as ag
from autograd import Value
from autograd.testing import check_gradients
from nn import MLP, Module, fit
from nn.optim import SGD
from nn.penalties import l1, l2

NUMBERS = st.floats(-1e100, 1e100)

# fmt: off
PENALTIES = [
    # penalty  closed form                     gradient
    (l1,       lambda w: np.abs(w).sum(),      np.sign),
    (l2,       lambda w: (w**2).sum(),         lambda w: 2 * w),
]
# fmt: on

every_penalty = pytest.mark.parametrize(("penalty", "closed_form", "gradient"), PENALTIES)


class Weights(Module):
    """Nothing but parameters."""

    def __init__(self, weight, bias=()):
        self.weight, self.bias = list(map(Value, weight)), list(map(Value, bias))


@every_penalty
@given(weight=st.lists(NUMBERS, min_size=1, max_size=8), bias=st.lists(NUMBERS, max_size=3))
def test_penalties_and_their_gradients_are_those_of_the_closed_form(penalty, closed_form, gradient, weight, bias):
    model = Weights(weight, bias)
    out = penalty(model)
    out.backward()
    assert out.data == pytest.approx(closed_form(np.array(weight)), rel=1e-15)  # few roundings, of positive terms
    assert [w.grad for w in model.weight] == gradient(np.array(weight)).tolist()
    assert all(b.grad == 0.0 for b in model.bias)


@every_penalty
@settings(max_examples=settings().max_examples // 4)
@given(weight=st.lists(st.floats(-10, 10), min_size=1, max_size=4))
def test_gradients_pass_the_check(penalty, closed_form, gradient, weight):
    def of(weight):
        model = Weights([0.0])
        model.weight = weight
        return penalty(model)

    check_gradients(of, weight)


@every_penalty
@pytest.mark.parametrize("sizes", [(1, [1]), (3, [4, 2])])
def test_programs_give_the_numbers_of_the_graph(penalty, closed_form, gradient, sizes):
    model = MLP(*sizes, seed=0)
    parameters = model.parameters()
    check(penalty(model), ag.compile(penalty(model), (), parameters), (), parameters)


@every_penalty
def test_every_weight_of_every_layer_counts_and_no_bias(penalty, closed_form, gradient):
    model = MLP(3, [4, 2], seed=0)
    for name, parameter in model.named_parameters():
        parameter.data = 1.0 if "weight" in name else 100.0
    assert penalty(model).data == 3 * 4 + 4 * 2


@every_penalty
def test_a_shared_weight_counts_once(penalty, closed_form, gradient):
    model = Weights([2.0])
    model.other_weight = model.weight
    assert penalty(model).data == closed_form(np.array([2.0]))


def test_l2_is_a_weight_decay_of_weights():
    xs, ys = [[1.0, -1.0], [0.5, 2.0], [0.0, 1.0]], [1.0, 0.0, -1.0]
    trained = []
    for eager in (False, True):
        model = MLP(2, [3, 1], activation="tanh", seed=0)
        by_hand = MLP(2, [3, 1], activation="tanh", seed=0)
        history = fit(
            model, xs, ys, epochs=1, optimizer=SGD(model.parameters(), 0.1), penalty=lambda m: 0.05 * l2(m), eager=eager
        )
        assert history.engine.partition(":")[0] == ("graph" if eager else "program")
        decay = SGD(
            by_hand.parameters(), 0.1, weight_decay=0.1
        )  # biases start at 0: the first step does not decay them
        fit(by_hand, xs, ys, epochs=1, optimizer=decay, eager=eager)
        assert [p.data for p in model.parameters()] == pytest.approx([p.data for p in by_hand.parameters()], rel=1e-13)
        trained.append([p.data for p in model.parameters()])
    assert trained[0] == pytest.approx(trained[1], rel=1e-13)  # one step, some ten roundings


@every_penalty
def test_a_model_without_weights_is_named(penalty, closed_form, gradient):
    class Line(Module):
        """y = slope · x."""

        def __init__(self):
            self.slope = Value(1.0)

    with pytest.raises(ValueError, match="no weights to penalise, only: slope"):
        penalty(Line())
    with pytest.raises(ValueError, match="no weights to penalise, only: nothing"):
        penalty(Module())
    with pytest.raises(TypeError, match=r"a penalty is that of a model, an nn\.Module, got 3"):
        penalty(3)
