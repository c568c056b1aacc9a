"""Pictures of a training. Matplotlib loads when the first one is drawn."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .modules import Module

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .history import History

DATA, TRUTH, MODEL = "#9aa5b1", "#1b1f24", "#d1495b"  # grey points, black truth, red model; told apart without colour


def plot_loss(history: History, axes: Axes | None = None) -> Axes:
    """The loss of each epoch, on a log axis."""
    if axes is None:
        import matplotlib.pyplot as plt

        _, axes = plt.subplots(figsize=(5, 3.5), layout="constrained")
    axes.semilogy(range(1, history.epochs + 1), history.loss, color=MODEL)
    axes.set(title="Training loss", xlabel="epoch", ylabel="loss")
    axes.grid(True, which="major", alpha=0.3)
    return axes


def save_sin(
    path: str | os.PathLike[str], model: Module, xs: Sequence[float], ys: Sequence[float], history: History
) -> None:
    """Write the picture of a sin regression: the data, the fit against sin, and the loss by epoch."""
    from matplotlib.figure import Figure

    grid = [math.pi * (i / 100 - 1) for i in range(201)]
    figure = Figure(figsize=(10, 4), layout="constrained", dpi=150)
    left, right = figure.subplots(1, 2)
    left.plot(xs, ys, "o", ms=4, color=DATA, label=f"data ({len(xs)} points)")
    left.plot(grid, [math.sin(x) for x in grid], "--", lw=2, color=TRUTH, label="sin x")
    left.plot(grid, [float(model([x])) for x in grid], lw=2, color=MODEL, alpha=0.85, label="model")
    left.set(title=f"Fit after {history.epochs} epochs", xlabel="x (radians)", ylabel="y")
    left.set_xticks([-math.pi, -math.pi / 2, 0, math.pi / 2, math.pi], ["-π", "-π/2", "0", "π/2", "π"])
    left.legend()
    left.grid(True, alpha=0.3)
    if history.epochs:
        plot_loss(history, right).set_ylabel("mean squared error")
    figure.savefig(path)
