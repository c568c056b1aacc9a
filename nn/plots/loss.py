"""The loss, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..history import History
from .style import DATA, MODEL, TRUTH, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_loss(history: History, axes: Axes | None = None) -> Axes:
    """The loss of each epoch, and dashed that of the validation data, if there are any.

    On a log axis, unless a loss is 0. A dotted line marks the epoch whose parameters the model was given in the end.

    Args:
        history: of a training.
        axes: to draw on.

    >>> from matplotlib.figure import Figure
    >>> plot_loss(History([{"loss": 0.5}, {"loss": 0.25}]), Figure().subplots()).get_yscale()
    'log'
    """
    from matplotlib.ticker import MaxNLocator

    axes = new_axes() if axes is None else axes
    epochs = range(1, history.epochs + 1)
    curves = [("training", history.loss, "-", MODEL)]
    if history.rows and "validation_loss" in history.rows[0]:
        curves.append(("validation", history.validation_loss, "--", TRUTH))
    for label, losses, style, color in curves:
        point = "o" if history.epochs == 1 else None  # which would have no line
        axes.plot(epochs, losses, style, marker=point, color=color, label=label)
    if all((losses > 0.0).all() for _, losses, _, _ in curves):
        axes.set_yscale("log")
    axes.set(title="Training loss" if len(curves) == 1 else "Loss", xlabel="epoch", ylabel="loss")
    if history.best_epoch is not None:
        axes.axvline(history.best_epoch, linestyle=":", color=DATA, label=f"best epoch, {history.best_epoch}")
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend()
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True, min_n_ticks=1))
    axes.grid(True, which="major", alpha=0.3)
    return axes
