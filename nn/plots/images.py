"""Images, and what is to be said of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .style import new_axes

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

    Array = np.ndarray[Any, np.dtype[Any]]


def plot_images(images: Array, captions: Sequence[str], axes: Axes | None = None) -> Axes:
    """Images side by side, dark on light, each with its caption below.

    Args:
        images: n square images, shape (n, pixels), the rows of each one after another; from 0 to 1.
        captions: n texts.
        axes: to draw on.

    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> axes = plot_images(np.eye(9)[:2], ["top left", "top"], Figure().subplots())
    >>> [text.get_text() for text in axes.texts]
    ['top left', 'top']
    """
    import numpy as np

    axes, images = new_axes() if axes is None else axes, np.asarray(images)
    side = math.isqrt(images.shape[1])
    room = side + side // 7
    if len(images):
        padded = np.pad(images.reshape(-1, side, side), ((0, 0), (0, 0), (0, room - side)))
        axes.imshow(np.hstack([*padded]), cmap="gray_r", vmin=0.0, vmax=1.0)
    for i, caption in enumerate(captions):
        axes.text(i * room + side / 2, side * 1.05, caption, ha="center", va="top", size=8)
    axes.set_axis_off()
    return axes
