"""What a program is made of: arrays, views of them, and the instructions that compute arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..op import Op

Index = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(eq=False)
class Array:
    """The numbers of many nodes.

    What varies has a row for each node, and a column for each example of the batch; what does not vary is a matrix of
    nodes.

    Attributes:
        name: what it is called, unless that is taken.
        shape: rows and columns of nodes; those that vary are in one column.
        varying: whether it depends on an input.
        needed: whether it depends on a parameter, so that it has adjoints.
        start: the position of its first node among all.
        numbers: those of a constant.
        flat: whether it is a vector rather than a matrix, as the parameters are.
        ones: whether a row of ones follows, which a bias is multiplied by.
    """

    name: str
    shape: tuple[int, int]
    varying: bool
    needed: bool
    start: int
    numbers: Any = None
    flat: bool = False
    ones: bool = False

    @property
    def size(self) -> int:
        """How many nodes it has."""
        return self.shape[0] * self.shape[1]


@dataclass(eq=False)
class View:
    """The entries of an array at ``places``, a matrix."""

    array: Array
    places: Index

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the matrix of places."""
        rows, columns = self.places.shape
        return rows, columns

    @cached_property
    def steps(self) -> tuple[int, int, int] | None:
        """The first place, and how far it is to the next row and to the next column, if that is the same everywhere."""
        places = self.places
        rows, columns = places.shape
        first = int(places[0, 0])
        if places.size == 1:
            return first, 0, 0
        down = int(places[1, 0]) - first if rows > 1 else 0
        across = int(places[0, 1]) - first if columns > 1 else 0
        regular = (places == first + down * np.arange(rows)[:, None] + across * np.arange(columns)).all()
        return (first, down, across) if regular else None

    @cached_property
    def repeats(self) -> bool:
        """Whether a place is there more than once."""
        return self.places.size > 1 and len(np.unique(self.places)) < self.places.size


Operand = View | float


@dataclass(eq=False)
class Product:
    """``out = left @ right + Σ addends``. If it varies, the rows of ``out`` are those of the product, one by one."""

    out: Array
    left: View
    right: View
    addends: list[Operand]


@dataclass(eq=False)
class Pairs:
    """``out[i] = Σ left[i] · right[i] + Σ addends[i]``: sums of products that make no matrix."""

    out: Array
    left: View
    right: View
    addends: list[Operand]


@dataclass(eq=False)
class Elementwise:
    """``out = op(*operands)``."""

    out: Array
    op: Op
    operands: list[Operand]


@dataclass(eq=False)
class Listwise:
    """``out[i] = op(terms[i])``, an operation on lists."""

    out: Array
    op: Op
    terms: View


@dataclass(eq=False)
class Join:
    """``out`` is the pieces, one below the other."""

    out: Array
    pieces: list[View]


Instruction = Product | Pairs | Elementwise | Listwise | Join
