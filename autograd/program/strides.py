"""Where the entries of a view lie in memory, said in the size of the batch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .statements import Buffer, Ref

BATCHES = 2, 3
"""All sizes and strides are linear in the size of the batch, so that two say which."""

Sizes = tuple[int, ...]
"""A number, for each of ``BATCHES``."""


class Strides(NamedTuple):
    """The entries of a view: their number along each axis, the way to the next one, and to the first."""

    dims: tuple[Sizes, ...]
    strides: tuple[Sizes, ...]
    offset: Sizes

    def like(self, dims: tuple[Sizes, ...]) -> Strides:
        """The same repeated to another shape, by the rules of broadcasting."""
        missing = ((1, 1),) * (len(dims) - len(self.dims))
        mine = [*missing, *self.dims]
        steps = zip(mine, dims, [*missing, *self.strides], strict=True)
        return Strides(dims, tuple([(0, 0) if size != wanted else step for size, wanted, step in steps]), self.offset)


def strides_of(ref: Ref) -> Strides:
    """The entries of a view, in the row-major memory of its buffer."""
    found = [_found(ref, batch) for batch in BATCHES]
    shapes, steps, offsets = zip(*found, strict=True)
    return Strides(tuple(zip(*shapes, strict=True)), tuple(zip(*steps, strict=True)), offsets)


def _found(ref: Ref, batch: int) -> tuple[Sizes, Sizes, int]:
    whole = np.empty(shape_for(ref.buffer, batch), np.int8)  # of one byte, so that NumPy counts entries
    view = seen(whole, ref.suffix, batch)
    return view.shape, view.strides, view.__array_interface__["data"][0] - whole.__array_interface__["data"][0]


def seen(array: Any, suffix: str, batch: int) -> Any:
    """The view of an array that is written so."""
    return eval(f"array{suffix}", {"array": array, "B": batch})


def shape_for(buffer: Buffer, batch: int) -> Sizes:
    """The shape of a buffer for a size of the batch."""
    if buffer.numbers is not None:
        return buffer.numbers.shape  # type: ignore[no-any-return]
    return tuple([x if isinstance(x, int) else eval(x, {"B": batch}) for x in buffer.dims])


def text_of(sizes: Sizes) -> str:
    """A size, as C and Python write it."""
    slope = (sizes[1] - sizes[0]) // (BATCHES[1] - BATCHES[0])
    number = sizes[0] - slope * BATCHES[0]
    batches = "B" if slope == 1 else f"{slope} * B"
    return str(number) if not slope else batches if not number else f"{batches} + {number}"
