"""The history of a training."""

import numpy as np
import pytest

from nn import History

ROWS = [{"loss": 0.5, "learning_rate": 0.1}, {"loss": 0.25, "learning_rate": 0.05}]


def test_a_history_is_arrays_by_name():
    history = History(ROWS)
    assert history.epochs == 2
    assert isinstance(history["loss"], np.ndarray)
    assert history["loss"].tolist() == history.loss.tolist() == [0.5, 0.25]
    assert history.learning_rate.tolist() == [0.1, 0.05]


def test_without_epochs_it_is_empty():
    assert History().loss.shape == (0,)
    assert History().epochs == 0
    assert repr(History()) == "<history of 0 epochs, by graph>"


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(KeyError, match="'accuracy' is not among what this history has: loss, learning_rate"):
        History(ROWS)["accuracy"]
    with pytest.raises(KeyError, match="validation_loss"):
        _ = History(ROWS).validation_loss


def test_no_name_is_too_long_or_too_deep_to_be_answered():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    for name in (deep, "x" * 1_000_000):
        with pytest.raises(KeyError, match="is not among what this history has: loss, learning_rate") as caught:
            History(ROWS)[name]
        assert len(str(caught.value)) < 200


def test_the_validation_loss_is_what_is_monitored_if_there_is_one():
    assert History(ROWS).monitored == [0.5, 0.25]
    assert History([{**row, "validation_loss": 1.0} for row in ROWS]).monitored == [1.0, 1.0]
