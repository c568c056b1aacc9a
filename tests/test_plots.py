"""Pictures: what they show, read back from matplotlib, and that they are written without a window."""

import matplotlib.figure
import pytest

from nn import MLP, fit
from nn.data import sin
from nn.plots import plot_loss, save_sin


@pytest.fixture(scope="module")
def trained():
    xs, ys = sin(10)
    model = MLP(1, [3, 1], activation="tanh")
    return model, xs, ys, fit(model, xs, ys, epochs=4)


def test_the_loss_is_drawn_by_epoch_on_a_log_axis(trained):
    *_, history = trained
    axes = plot_loss(history, matplotlib.figure.Figure().subplots())
    assert axes.get_yscale() == "log"
    x, y = axes.lines[0].get_data()
    assert list(x) == [1, 2, 3, 4]
    assert list(y) == history.loss.tolist()


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_picture_of_sin_is_written_in_the_format_of_its_ending(tmp_path, trained, ending):
    model, xs, ys, history = trained
    path = tmp_path / f"sin.{ending}"
    save_sin(path, model, xs, ys, history)
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(start)


def test_the_picture_of_sin_shows_data_truth_model_and_loss(tmp_path, trained, monkeypatch):
    model, xs, ys, history = trained
    figures = []
    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", lambda figure, path: figures.append(figure))
    save_sin(tmp_path / "sin.png", model, xs, ys, history)
    left, right = figures[0].axes
    data, truth, fitted = left.lines
    assert list(data.get_xdata()) == xs
    assert list(data.get_ydata()) == ys
    assert max(abs(truth.get_ydata())) == pytest.approx(1.0)
    assert [float(model([x])) for x in fitted.get_xdata()] == list(fitted.get_ydata())
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["data (10 points)", "sin x", "model"]
    assert left.get_xlabel() == "x (radians)"
    assert right.get_ylabel() == "mean squared error"
