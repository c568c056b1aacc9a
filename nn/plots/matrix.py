"""What is taken for what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .style import CLASSES, DATA, TRUTH, new_axes, tint

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

    Array = np.ndarray[Any, np.dtype[Any]]


def confusion(matrix: Array, axes: Axes | None = None, names: Sequence[str] | None = None) -> Axes:
    """How many examples of each class (row) are predicted to be of each class (column), in numbers.

    What is right, on the diagonal, is blue; what is wrong is orange, the more the darker.

    Args:
        matrix: whole numbers, shape (k, k): ``nn.metrics.confusion_matrix``.
        axes: to draw on.
        names: those of the classes; by default 0, 1, ...

    >>> from matplotlib.figure import Figure
    >>> axes = confusion([[3, 1], [0, 4]], Figure().subplots())
    >>> [text.get_text() for text in axes.texts]
    ['3', '1', '0', '4']
    """
    import numpy as np

    axes = new_axes() if axes is None else axes
    matrix, k = np.asarray(matrix), len(matrix)
    names = [str(i) for i in range(k)] if names is None else names
    right = np.eye(k, dtype=bool)
    most = max(matrix[~right].max(initial=0), 1)
    colors = [
        [tint(CLASSES[0], 0.35) if i == j else tint(CLASSES[5], 0.8 * matrix[i, j] / most) for j in range(k)]
        for i in range(k)
    ]
    axes.imshow(colors)
    for i, j in np.ndindex(k, k):
        axes.text(j, i, f"{matrix[i, j]}", ha="center", va="center", size=8, color=TRUTH if matrix[i, j] else DATA)
    slanted: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(k), names, **(slanted if max(map(len, names)) > 2 else {}))
    axes.set_yticks(range(k), names)
    axes.set(title="Confusion matrix", xlabel="predicted", ylabel="true")
    axes.grid(False)
    return axes
