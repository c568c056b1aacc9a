"""The progress bar."""

import re

import pytest

from nn import MLP, History, fit
from nn.progress import progress_bar


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"loss": 0.5, "learning_rate": 0.1}, "loss 0.5"),
        ({"loss": 0.5, "learning_rate": 0.1, "accuracy": 0.75}, "loss 0.5, accuracy 0.75"),
        (
            {"loss": 0.5, "learning_rate": 0.1, "accuracy": 0.75, "validation_loss": 0.25, "validation_accuracy": 1.0},
            "loss 0.5, val. loss 0.25, val. accuracy 1",
        ),
    ],
)
def test_it_says_which_epoch_it_is_and_what_was_measured_in_80_columns(capsys, row, said):
    with progress_bar(1000) as show:
        show(History([row] * 300))
    line = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(rf"epoch 300/1000 .* {re.escape(said)} -:--:--", line.strip())
    assert len(line) <= 80


def test_the_epoch_stays_where_there_are_too_many_metrics(capsys):
    with progress_bar(1000) as show:
        show(History([{"loss": 0.5, **{f"metric_{i}": 1.0 for i in range(20)}}]))
    assert capsys.readouterr().out.splitlines()[-1].startswith("epoch 1/1000")


def test_fit_shows_it_if_asked(capsys):
    fit(MLP(1, [1], seed=0), [1.0], [1.0], epochs=3)
    assert not capsys.readouterr().out
    fit(MLP(1, [1], seed=0), [1.0], [1.0], epochs=3, progress=True)
    assert "epoch 3/3" in capsys.readouterr().out
