"""Labels: classes as numbers from 0 on, and as rows with a single 1."""

from __future__ import annotations

from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from ..ranges import whole

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

MOST_NUMBERS = 1_000_000_000
"""The most numbers that labels become; more would be a slip of the keyboard, and take the machine's memory."""


def one_hot(labels: Any, classes: int | None = None) -> Array:
    """A row for each label, 1 in the label's column and else 0, shape (n, classes).

    Args:
        labels: whole numbers from 0 on, shape (n,).
        classes: how many there are; by default as many as the greatest label says.

    Raises:
        TypeError: the labels are no whole numbers.
        ValueError: they are no list of n, or none and ``classes`` is not given; one is negative, or not below
            ``classes``; there would be more than a billion numbers.

    >>> one_hot([0, 2, 1])
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]])
    """
    import numpy as np

    found = np.asarray(labels)
    if found.ndim != 1:
        raise ValueError(f"labels are a list of n numbers, got the shape {found.shape}")
    if not found.size and classes is None:
        raise ValueError("of no labels, the number of classes must be given")
    if found.size and found.dtype.kind not in "iu":
        raise TypeError(f"labels are whole numbers from 0 on, got {shown(labels)}")
    count = int(found.max()) + 1 if classes is None else whole("the number of classes", classes, least=1)
    if found.size and not 0 <= found.min() <= found.max() < count:
        raise ValueError(f"labels of {count} classes are 0 to {count - 1}, got {found.min()} to {found.max()}")
    if found.size * count > MOST_NUMBERS:
        raise ValueError(f"{found.size} rows of {count} numbers are more than {MOST_NUMBERS:,}, which is the most")
    rows = np.zeros((found.size, count))
    rows[np.arange(found.size), found.astype(int)] = 1.0
    return rows
