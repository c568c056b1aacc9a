"""Tensors as this package has them: a number, or lists of numbers nested to some depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

DEEPEST = 100
"""Lists may be nested so deep."""

LABELS_ALONE = ": class labels become rows by nn.data.one_hot(labels)"
"""What is to be said where labels are given for rows."""

Tensor = Any
"""A number, or lists (or an array) of numbers nested to some depth, all lists of a depth equally long."""


def is_list(x: Any) -> bool:
    """Whether ``x`` is a list, a tuple, or an array of at least one dimension."""
    return isinstance(x, (list, tuple)) or getattr(x, "ndim", 0) > 0


def shape(x: Tensor, depth: int = DEEPEST) -> tuple[int, ...]:
    """The lengths of the nested lists; -1 where lists of one depth differ.

    Raises:
        ValueError: they are nested more than ``depth`` deep.

    >>> shape([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), shape(1.0)
    ((3, 2), ())
    """
    if not is_list(x):
        return ()
    if not depth:
        raise ValueError(f"lists are nested more than {DEEPEST} deep (is one inside itself?)")
    inner = {shape(part, depth - 1) for part in x}
    return (len(x), *(inner.pop() if len(inner) == 1 else (-1,) if inner else ()))


def flatten(x: Tensor, index: str = "") -> Iterator[tuple[str, Any]]:
    """Each number with its index.

    >>> list(flatten([[1.0, 2.0]]))
    [('[0][0]', 1.0), ('[0][1]', 2.0)]
    """
    if not is_list(x):
        yield index, x
        return
    for i, part in enumerate(x):
        yield from flatten(part, f"{index}[{i}]")


def map_tensor(function: Callable[[Any], Any], x: Tensor) -> Tensor:
    """``function`` of every number, in nested lists of the same shape."""
    return [map_tensor(function, part) for part in x] if is_list(x) else function(x)


def floats(x: Tensor) -> Array:
    """The numbers as an array of floats, of the tensor's shape.

    Raises:
        TypeError, ValueError: they are no real numbers, or lists of a depth differ in length. Of complex numbers NumPy
            would drop a part.
    """
    import numpy as np

    found = np.asarray(x)
    if found.dtype.kind == "c":
        raise TypeError("real numbers are taken, got complex ones")
    return np.asarray(found, dtype=float)


def sample(x: Any) -> list[Any]:
    """A sample as a model takes it: a number is put in a list."""
    return list(x) if is_list(x) else [x]


def sequence(xs: Any) -> Any:
    """A list, tuple or array of what was given: also of a generator, or of a table."""
    if isinstance(xs, (list, tuple)):
        return xs
    if not is_list(xs):
        return list(xs)
    import numpy as np

    return np.asarray(xs)
