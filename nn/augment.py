"""Augmentation: functions that change a batch of samples a little, so that a model learns what does not matter.

Each takes samples, an array (B, n), and a NumPy generator, and gives new samples of the same shape and kind, as any
function that you write may. ``nn.fit(..., augment=Shift(28, 28, 2))`` calls it on each batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from .ranges import nonnegative, whole

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Jitter:
    """Adds normal noise to every number (Bishop 1995: for squared errors, much like a penalty on the slopes).

    Args:
        deviation: the standard deviation of the noise, at least 0.

    Raises:
        ValueError: the deviation is negative or not finite; when called: the samples are no array (B, n).

    >>> import numpy as np
    >>> Jitter(0.1)(np.zeros((2, 3)), np.random.default_rng(0)).shape
    (2, 3)
    """

    deviation: float

    def __post_init__(self) -> None:
        nonnegative("the standard deviation", self.deviation)

    def __call__(self, xs: Array, rng: np.random.Generator) -> Array:
        """Samples (B, n), each number of which has moved a little."""
        xs = _samples(xs)
        return (xs + self.deviation * rng.standard_normal(xs.shape)).astype(xs.dtype)


@dataclass(frozen=True)
class Shift:
    """Moves every image up or down and left or right, by whole pixels; zeros come in at the edges (Simard et al. 2003).

    Args:
        height: pixels of an image.
        width: likewise; a sample is its rows one after another, height · width numbers.
        pixels: the farthest that an image moves each way, at least 0 and less than its height and width; all ways from
            -pixels to pixels are as likely.

    Raises:
        ValueError: a size is not a whole number in its range; when called: the samples are no such images.

    >>> import numpy as np
    >>> image = np.arange(1.0, 7.0)
    >>> Shift(2, 3, 1)(image[None], np.random.default_rng(0)).reshape(2, 3)
    array([[0., 0., 0.],
           [1., 2., 3.]])
    """

    height: int
    width: int
    pixels: int

    def __post_init__(self) -> None:
        _check_image(self.height, self.width)
        whole("the number of pixels that an image moves", self.pixels, 0, min(self.height, self.width) - 1)

    def __call__(self, xs: Array, rng: np.random.Generator) -> Array:
        """Samples (B, height · width), each moved in its own way."""
        import numpy as np

        images, edge = _images(xs, self.height, self.width), self.pixels
        framed = np.pad(images, ((0, 0), (edge, edge), (edge, edge)))
        down, right = rng.integers(-edge, edge, (2, len(images)), endpoint=True)
        rows = np.arange(self.height) + edge - down[:, None]
        columns = np.arange(self.width) + edge - right[:, None]
        moved = framed[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]]
        return np.reshape(moved, xs.shape)


@dataclass(frozen=True)
class Mirror:
    """Mirrors each image left to right, or does not, which is as likely. Not for digits: a mirrored 3 is none.

    Krizhevsky et al. 2012, section 4.1.

    Args:
        height: pixels of an image.
        width: likewise; a sample is its rows one after another, height · width numbers.

    Raises:
        ValueError: a size is not a positive whole number; when called: the samples are no such images.

    >>> import numpy as np
    >>> Mirror(1, 3)(np.array([[1.0, 2.0, 3.0]] * 4), np.random.default_rng(0))
    array([[1., 2., 3.],
           [3., 2., 1.],
           [3., 2., 1.],
           [3., 2., 1.]])
    """

    height: int
    width: int

    def __post_init__(self) -> None:
        _check_image(self.height, self.width)

    def __call__(self, xs: Array, rng: np.random.Generator) -> Array:
        """Samples (B, height · width), about half of them mirrored."""
        import numpy as np

        images = _images(xs, self.height, self.width)
        turned = rng.random(len(images)) < 0.5
        return np.where(turned[:, None, None], images[:, :, ::-1], images).reshape(xs.shape)


def _check_image(height: int, width: int) -> None:
    whole("the height of an image", height, least=1)
    whole("the width of an image", width, least=1)


def _samples(xs: Array) -> Array:
    if getattr(xs, "ndim", 0) != 2 or xs.dtype.kind != "f":
        raise ValueError(f"samples are an array of floats (B, n), got {shown(xs)}")
    return xs


def _images(xs: Array, height: int, width: int) -> Array:
    if _samples(xs).shape[1] != height * width:
        raise ValueError(
            f"images of {height} × {width} pixels are samples of {height * width} numbers, got {xs.shape[1]}"
        )
    return xs.reshape(len(xs), height, width)
