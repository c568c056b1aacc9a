"""A picture of a training as it goes on, frame by frame, in a file that any browser shows."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograd import files

from ..history import History
from ..ranges import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

LASTS = 6.0
"""Seconds that an animation takes, about; no frame takes longer than one of them."""

HELD = 3.0
"""Seconds that the last frame is shown."""


class Animation:
    """A callback of ``fit`` that draws a figure anew after some of the epochs, and keeps it as a frame of a GIF.

    Args:
        figure: with its axes, which are cleared before each frame.
        draw: a function of the history so far that draws on them.
        every: a frame is added after so many epochs.

    Raises:
        ValueError: ``every`` is not a positive whole number.

    Attributes:
        frames: images of Pillow.

    >>> import nn
    >>> from matplotlib.figure import Figure
    >>> figure = Figure(figsize=(4, 3))
    >>> axes = figure.subplots()
    >>> animation = Animation(figure, lambda history: history.plot(axes), every=2)
    >>> history = nn.fit(nn.MLP(1, [1]), [0.0, 1.0], [1.0, 3.0], epochs=6, callbacks=[animation])
    >>> len(animation.frames)
    3
    """

    def __init__(self, figure: Figure, draw: Callable[[History], Any], every: int = 1) -> None:
        self.figure, self.draw, self.every = figure, draw, whole("every", every, least=1)
        self.frames: list[Image] = []

    def __call__(self, history: History) -> None:
        """Add a frame, if it is time for one. Called by ``fit`` after each epoch."""
        if history.epochs % self.every == 0:
            self.add(history)

    def add(self, history: History) -> None:
        """Add a frame, such as that before the first epoch, with ``History()``."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from PIL import Image

        for axes in self.figure.axes:
            axes.clear()
        self.draw(history)
        shown = self.figure.canvas
        canvas: Any = FigureCanvasAgg(self.figure)  # savefig would draw everything twice
        canvas.draw()
        self.figure.set_canvas(shown)
        self.frames.append(Image.frombytes("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB"))
        if history.epochs:
            self.figure.set_layout_engine("none")  # what has been placed stays where it is, and takes no more time

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the frames to a GIF, which repeats; whole or not at all.

        Raises:
            ValueError: there are no frames.
            OSError: it cannot be written.
        """
        if not self.frames:
            raise ValueError("an animation needs a frame at least")
        from PIL.Image import Dither

        palette = _shared_palette(self.frames)
        frames = [frame.quantize(palette=palette, dither=Dither.NONE) for frame in self.frames]
        seconds = min(1.0, LASTS / len(frames))
        durations = [round(1000 * each) for each in [seconds] * (len(frames) - 1) + [HELD]]
        content = io.BytesIO()
        frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)
        files.write_whole(path, content.getvalue())


def _shared_palette(frames: list[Image]) -> Image:
    """256 colours for all frames: with the same ones in all of them, what does not change takes no room in the file."""
    from PIL import Image

    width, height = frames[0].size
    together = Image.new("RGB", (width, height * len(frames)))
    for i, frame in enumerate(frames):
        together.paste(frame, (0, i * height))
    palette = together.quantize(256, Image.Quantize.MAXCOVERAGE)
    # Pillow looks colours up in steps of 8, so that the background would take one that is nearly its own.
    background: Any = together.getpixel((0, 0))
    numbers: Any = palette.getpalette()
    for i in range(0, len(numbers), 3):
        if max(abs(a - b) for a, b in zip(numbers[i : i + 3], background, strict=True)) < 8:
            numbers[i : i + 3] = background
    palette.putpalette(numbers)
    return palette
