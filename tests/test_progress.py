"""The progress bar."""

from nn import MLP, History, fit
from nn.progress import progress_bar


def test_it_says_which_epoch_it_is_and_all_that_was_measured(capsys):
    with progress_bar(4) as show:
        show(History([{"loss": 0.5, "learning_rate": 0.1, "validation_loss": 0.25}] * 3))
    said = " ".join(capsys.readouterr().out.split())
    assert "epoch 3/4" in said
    assert "loss 0.5, validation loss 0.25" in said


def test_fit_shows_it_if_asked(capsys):
    fit(MLP(1, [1], seed=0), [1.0], [1.0], epochs=3)
    assert not capsys.readouterr().out
    fit(MLP(1, [1], seed=0), [1.0], [1.0], epochs=3, progress=True)
    assert "epoch 3/3" in capsys.readouterr().out
