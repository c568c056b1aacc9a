"""A classifier of two numbers, as a map."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..objectives import probabilities_of_logits
from ..prediction import Predictor
from .style import CLASSES, MARKERS, TRUTH, new_axes, tint

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

    Array = np.ndarray[Any, np.dtype[Any]]

SIDE = 150
"""A model is asked at so many places each way."""

BELOW = 0.4
"""Inches from the axes down to the legend: room for the name of the axis, however small the picture."""

SHADES = 5
"""Of a class: how much more probable it is than the next."""


def decision_boundary(
    model: Any,
    xs: Any,
    labels: Any,
    axes: Axes | None = None,
    test: tuple[Any, Any] | None = None,
    probabilities: Callable[[Array], Array] | None = probabilities_of_logits,
) -> Axes:
    """The classes that a model gives to the plane, and the data in it.

    The colour is that of the most probable class, and the darker, the more probable it is than the next: a shade is a
    fifth, so of two classes one has 50, 60, ... 100 %. Black is where two classes are equally probable.

    Args:
        model: called on lists of two numbers; gives a list of k outputs, or one output, of the second of two classes.
            Or its ``Predictor``, whose program is made only once.
        xs: the data, shape (n, 2).
        labels: their classes, whole numbers from 0 on, shape (n,).
        axes: to draw on.
        test: data that were not learned from, and their labels, likewise; drawn hollow.
        probabilities: what makes probabilities, (n, k), of outputs, (n, k) or (n,); None if outputs are only scores,
            the greatest of which is taken: then classes have a single shade.

    >>> from matplotlib.figure import Figure
    >>> from nn import MLP, data
    >>> axes = decision_boundary(MLP(2, [2], seed=0), *data.line(20), Figure().subplots())
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['class 0', 'class 1']
    """
    import numpy as np
    from matplotlib.transforms import ScaledTranslation

    axes = new_axes() if axes is None else axes
    parts = [(np.asarray(xs), np.asarray(labels))]
    if test is not None:
        parts.append((np.asarray(test[0]), np.asarray(test[1])))
    places = np.concatenate([points for points, _ in parts])
    low, high = places.min(axis=0), places.max(axis=0)
    edge = 0.1 * (high - low).max() or 1.0
    across, up = (np.linspace(a - edge, b + edge, SIDE) for a, b in zip(low, high, strict=True))
    grid: Any = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    predictor = model if isinstance(model, Predictor) else Predictor(model)
    outputs = predictor(grid)
    shares = probabilities_of_logits(outputs) if probabilities is None else probabilities(outputs)
    levels = np.linspace(0.0, 1.0, 2 if probabilities is None else SHADES + 1)
    for k in range(shares.shape[1]):
        color, marker = CLASSES[k % len(CLASSES)], MARKERS[k % len(MARKERS)]
        margin = (shares[:, k] - np.delete(shares, k, axis=1).max(axis=1)).reshape(SIDE, SIDE)
        if margin.max() > 0.0:
            colors = [tint(color, 0.2 + 0.5 * level) for level in levels[:-1]]
            axes.contourf(across, up, margin, levels, colors=colors).set_rasterized(True)  # as paths, it is large
        if margin.min() < 0.0 < margin.max():
            axes.contour(across, up, margin, [0.0], colors=TRUTH, linewidths=1.0)
        for (points, classes), face, ring in zip(parts, (color, "white"), ("white", color), strict=False):
            axes.plot(*points[classes == k].T, marker, mfc=face, mec=ring)
        axes.plot([], [], marker, color=color, label=f"class {k}")
    if test is not None:
        axes.plot([], [], "o", color=TRUTH, label="training")
        axes.plot([], [], "o", color=TRUTH, mfc="white", label="test")
    axes.set(aspect="equal", title="Decision boundary", xlabel="x₁", ylabel="x₂")
    axes.grid(False)  # whatever the style: its lines would be taken for edges of classes
    columns: dict[str, Any] = {"ncols": shares.shape[1] + 2, "columnspacing": 1.0, "handletextpad": 0.2}
    below = axes.transAxes + ScaledTranslation(0.0, -BELOW, axes.figure.dpi_scale_trans)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), bbox_transform=below, frameon=False, **columns)
    return axes
