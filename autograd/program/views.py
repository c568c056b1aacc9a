"""Step 5 in text: which views of an array need no copy, and how they are written."""

from __future__ import annotations

import re

from .arrays import Array, View
from .statements import Ref
from .tracing import Dims


def dims_of(array: Array) -> Dims:
    """The shape of an array: what varies has a row for each node, and a column for each example."""
    return (array.size, "B") if array.varying else array.shape


def shape_of(view: View) -> Dims:
    """The shape of what a view shows, if nothing is left out that repeats."""
    return (view.places.size, "B") if view.array.varying else view.shape


def written(view: View, ones: bool = False) -> tuple[str, Dims] | None:
    """What is written behind an array for a view of it, and its shape: 1 where the view would only repeat.

    None if it is no view. With ``ones`` a row of ones follows the array.
    """
    return _rows(view, ones) if view.array.varying else _matrix(view, ones)


def _rows(view: View, ones: bool) -> tuple[str, Dims] | None:
    steps = View(view.array, view.places.reshape(-1, 1)).steps
    if steps is None:
        return None
    first, step, _ = steps
    size, count = view.array.size, view.places.size if step else 1
    if (first, count) == (0, size) and (step == 1 or size == 1):
        return "[:-1]" if ones else "", (count, "B")
    if (first, count, step) == (0, size + 1, 1):
        return "", (count, "B")
    return _run(first, count, step), (count, "B")


def _matrix(view: View, ones: bool) -> tuple[str, Dims] | None:
    if view.steps is None:
        return None
    first, down, across = view.steps
    rows, columns = view.shape[0] if down else 1, view.shape[1] if across else 1
    height, width = view.array.shape[0] + ones, view.array.shape[1]
    size = height * width
    dims: Dims = rows, columns
    flat = "" if view.array.flat else ".reshape(-1)"
    if not view.array.flat:
        is_whole_rows = (
            columns == width and first % width == 0 and (down == width or rows == 1) and (across == 1 or columns == 1)
        )
        if is_whole_rows and rows == height:
            return "", dims
        if is_whole_rows:
            top = first // width
            return ("[:-1]" if ones and (top, rows) == (0, height - 1) else f"[{top}:{top + rows}]"), dims
        if (
            (columns, rows, first) == (height, width, 0)
            and (down == 1 or rows == 1)
            and (across == width or columns == 1)
        ):
            return ".T", dims
    if columns == 1:
        return f"{flat}{_run(first, rows, down)}[:, None]", dims
    if rows == 1:
        return f"{flat}{_run(first, columns, across)}[None]", dims
    if across == 1 and down >= columns and first + rows * down <= size:
        return f"{flat}{_run(first, rows * down, 1)}.reshape({rows}, {down})" + (
            f"[:, :{columns}]" if down > columns else ""
        ), dims
    if down == 1 and across >= rows and first + columns * across <= size:
        return f"{flat}{_run(first, columns * across, 1)}.reshape({columns}, {across})" + (
            f"[:, :{rows}]" if across > rows else ""
        ) + ".T", dims
    return None


def _run(first: int, count: int, step: int) -> str:
    """The slice of ``count`` entries."""
    last = first + step * (count - 1)
    if count > 1 and step < 0:
        return f"[{first}:{last - 1 if last else ''}:{step}]"
    return f"[{first}:{last + 1}:{step}]" if count > 1 and step > 1 else f"[{first}:{last + 1}]"


def is_stepped(text: str) -> bool:
    """Whether a view leaves out what lies between, so that its memory is not in one piece."""
    return re.search(r":\d*:", text) is not None


def columns_of(columns: int) -> str:
    """The number of columns of a matrix of nodes that vary: they go over the batch too."""
    return "B" if columns == 1 else f"{columns} * B"


def as_matrix(ref: Ref, rows: int, columns: int) -> Ref:
    """Rows for each of rows · columns nodes as a matrix of them."""
    return ref if columns == 1 else ref.then(f".reshape({rows}, {columns_of(columns)})")


def flat(ref: Ref, array: Array) -> Ref:
    """The nodes of an array, one after the other."""
    return ref if array.varying or array.flat else ref.then(".reshape(-1)")
