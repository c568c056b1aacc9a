"""Initialisers: the spread of what they draw."""

import math
import statistics
from random import Random

import pytest

from nn import MLP
from nn.initializers import INITIALIZERS, by_name, default_for

SPREAD = {
    "glorot": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "he": lambda n_in, n_out: math.sqrt(2 / n_in),
    "lecun": lambda n_in, n_out: math.sqrt(1 / n_in),
    "uniform": lambda n_in, n_out: math.sqrt(1 / 3),
}


def test_every_initialiser_is_tested():
    assert SPREAD.keys() == INITIALIZERS.keys()


@pytest.mark.parametrize("name", INITIALIZERS)
@pytest.mark.parametrize(("n_in", "n_out"), [(1, 1), (10, 30), (300, 7)])
def test_mean_and_spread_are_those_of_the_paper(name, n_in, n_out):
    rng = Random(7)
    draws = [by_name(name)(rng, n_in, n_out) for _ in range(20_000)]
    spread = SPREAD[name](n_in, n_out)
    # Five standard errors: of the mean, and of the standard deviation (at most that of a normal distribution).
    assert abs(statistics.fmean(draws)) < 5 * spread / math.sqrt(len(draws))
    assert statistics.pstdev(draws) == pytest.approx(spread, rel=5 / math.sqrt(2 * len(draws)))


def test_relu_starts_by_he_and_tanh_by_glorot():
    assert default_for("relu") is INITIALIZERS["he"]
    assert default_for("tanh") is INITIALIZERS["glorot"]
    named = MLP(3, [4, 1], activation="tanh", init="glorot", seed=0).state_dict()
    assert MLP(3, [4, 1], activation="tanh", seed=0).state_dict() == named


def test_a_misspelt_name_is_answered_with_the_right_one():
    with pytest.raises(ValueError, match="unknown initialiser 'glorto': did you mean 'glorot'"):
        by_name("glorto")
