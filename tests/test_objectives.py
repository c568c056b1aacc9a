"""Objectives: how each loss is used for the outputs of a network."""

import math

import numpy as np
import pytest

from autograd import Value, sigmoid, softmax
from nn.losses import LOSSES, hinge, mse
from nn.objectives import OBJECTIVES, objective, probabilities_of_logits


def test_every_loss_has_one_by_its_name_and_as_a_function():
    assert OBJECTIVES.keys() == LOSSES.keys()
    assert all(objective(name) is objective(LOSSES[name]) is OBJECTIVES[name] for name in LOSSES)
    with pytest.raises(ValueError, match=r"unknown loss 'cross_entropy': did you mean .*softmax_cross_entropy"):
        objective("cross_entropy")


def test_a_function_is_given_the_outputs_and_targets_of_0_and_1():
    def own(outputs, targets):
        return mse(outputs, targets)

    found = objective(own, numeric=True)
    assert found.loss is own
    assert found.probabilities is None
    assert found.targets([1], 2).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("loss", ["hinge", hinge])
def test_a_loss_for_classes_fits_no_numbers(loss):
    assert objective("mae", numeric=True).loss([1.0], [3.0]) == 2.0
    with pytest.raises(ValueError, match="the loss hinge is for classes; to fit numbers, choose one of: mse, "):
        objective(loss, numeric=True)


CHOSEN = [0, 2]


@pytest.mark.parametrize("name", LOSSES)
def test_targets_are_what_the_loss_takes(name):
    targets = OBJECTIVES[name].targets(np.array(CHOSEN), 3)
    assert targets.argmax(axis=1).tolist() == CHOSEN
    assert set(targets.ravel()) == ({-1.0, 1.0} if name in ("hinge", "squared_hinge") else {0.0, 1.0})


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("binary_cross_entropy", "sigmoid"),
        ("multilabel_cross_entropy", "sigmoid"),
        ("kl_divergence", "softmax"),
    ],
)
def test_a_loss_of_probabilities_is_given_those_of_the_outputs(name, link):
    rows = [[0.5, -1.0, 2.0], [0.0, 1.0, -3.0]]
    probabilities = [softmax(row) if link == "softmax" else [sigmoid(z) for z in row] for row in rows]
    targets = OBJECTIVES[name].targets(np.array(CHOSEN), 3).tolist()
    assert OBJECTIVES[name].loss(rows, targets) == LOSSES[name](probabilities, targets)


@pytest.mark.parametrize("name", [name for name, each in OBJECTIVES.items() if each.probabilities])
def test_what_is_drawn_are_probabilities_by_which_the_loss_is_least(name):
    """With the targets between 0 and 1 that such a probability is, the loss changes with no output."""
    found = OBJECTIVES[name]
    outputs = [Value(z) for z in (0.5, -1.0, 2.0)]
    [shares] = found.probabilities(np.array([[z.data for z in outputs]]))
    assert abs(shares.sum() - 1.0) <= 4 * np.spacing(1.0)
    each = [sigmoid(z.data) for z in outputs]
    proper = shares if name in ("softmax_cross_entropy", "kl_divergence") else each
    np.testing.assert_allclose(shares, np.array(proper) / np.sum(proper), rtol=1e-15)
    found.loss([outputs], [[float(p) for p in proper]]).backward()
    assert max(abs(z.grad) for z in outputs) <= 8 * np.spacing(1.0)


def test_probabilities_of_far_outputs_are_finite():
    far = np.array([[2.0, -1.0, 0.5], [0.0, -3.0, -1.0], [-1.0, -1.0, -1.0]]) * 1e5
    for each in OBJECTIVES.values():
        if each.probabilities:
            shares = each.probabilities(far)
            assert shares[1:].round(3).tolist() == [[1.0, 0.0, 0.0], [0.333, 0.333, 0.333]]
            assert abs(shares.sum(axis=1) - 1.0).max() <= 4 * np.spacing(1.0)


def test_probabilities_of_logits():
    logits = np.array([[1000.0, -1000.0, 1000.0], [0.0, math.log(2.0), 0.0]])
    np.testing.assert_allclose(probabilities_of_logits(logits), [[0.5, 0.0, 0.5], [0.25, 0.5, 0.25]], rtol=1e-15)
    two = probabilities_of_logits(np.array([-1000.0, 0.0, math.log(3.0)]))
    np.testing.assert_allclose(two, [[1.0, 0.0], [0.5, 0.5], [0.25, 0.75]], rtol=1e-15)
