"""A model of one number, as a curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..prediction import Predictor
from .style import DATA, MODEL, TRUTH, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_curve(
    model: Any,
    xs: Sequence[float],
    ys: Sequence[float],
    axes: Axes | None = None,
    truth: Callable[[float], float] | None = None,
    interval: tuple[float, float] | None = None,
) -> Axes:
    """What a model of one number says, beside the data and, dashed, the truth.

    Args:
        model: called on lists of one number; or its ``Predictor``, whose program is made only once.
        xs: the data, n numbers.
        ys: likewise.
        axes: to draw on.
        truth: the function that the model is to be.
        interval: from where to where; by default that of the data.

    >>> from matplotlib.figure import Figure
    >>> plot_curve(lambda x: x[0] ** 2, [0.0, 1.0], [0.0, 1.0], Figure().subplots()).get_xlabel()
    'x'
    """
    import numpy as np

    axes = new_axes() if axes is None else axes
    grid: Any = np.linspace(*(interval or (min(xs), max(xs))), 201)
    axes.plot(xs, ys, "o", ms=4, color=DATA, label=f"data ({len(xs)} points)")
    if truth is not None:
        axes.plot(grid, [truth(x) for x in grid], "--", lw=2, color=TRUTH, label=f"{truth.__name__} x")
    predictor = model if isinstance(model, Predictor) else Predictor(model)
    axes.plot(grid, predictor(grid), lw=2, color=MODEL, alpha=0.85, label="model")
    axes.set(xlabel="x", ylabel="y")
    axes.legend()
    axes.grid(True, alpha=0.3)
    return axes
