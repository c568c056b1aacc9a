"""Whether a program computes what the graph does: compared on other numbers than those that it was recorded on.

Python may have taken a number out of the graph (``value.data``), which is then a constant of the program. At the
numbers at which it was recorded that does not show.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

from autograd import Value

COMPARED = 20_000
"""So many nodes are recorded to compare with."""


def spread(total: int, nodes: int) -> list[int]:
    """The numbers of some examples, spread over all: as many as make so many nodes, and two at least.

    >>> spread(10, nodes=5_000)
    [0, 3, 6, 9]
    """
    count = max(2, COMPARED // nodes)
    return list(range(0, total, math.ceil(total / count)))


def agree(found: Any, expected: Any) -> bool:
    """Whether two numbers, or arrays of one shape, are the same up to rounding."""
    import numpy as np

    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape:
        return False
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    return np.allclose(found, expected, rtol=0.0, atol=1e-9 * largest, equal_nan=True)


@contextmanager
def unchanged(values: Sequence[Value]) -> Iterator[None]:
    """Put back the data and the gradients of these in the end."""
    before = [(value, value.data, value.grad) for value in values]
    try:
        yield
    finally:
        for value, data, grad in before:
            value.data, value.grad = data, grad


@contextmanager
def nearby(values: Sequence[Value]) -> Iterator[None]:
    """Other data in these for a while, each by up to a thousandth."""
    draw = Random(0)
    with unchanged(values):
        for value in values:
            value.data += draw.uniform(-0.001, 0.001) * (value.data or 1.0)
        yield
