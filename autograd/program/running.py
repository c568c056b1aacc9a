"""Running a program's NumPy source."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from .source import Source

Vector = np.ndarray[Any, np.dtype[Any]]


class Running(Protocol):
    """A program for one batch size, with its memory.

    Attributes:
        ones: (B,) ones, whose product with a row is its sum.
    """

    ones: Vector

    @property
    def value(self) -> Callable[..., Vector]:
        """The function from the inputs, (n, B), to the outputs, (n_out, B), which the next call overwrites."""

    @property
    def reverse(self) -> Callable[..., None]:
        """The function of the inputs and the seed that writes the gradient."""

    def write_into(self, gradient: Vector) -> None:
        """Let ``reverse`` write into ``gradient``, in place of what it wrote into before."""


class Interpreted:
    """What makes a program run for a batch size: Python executes its source."""

    def __init__(self, source: Source) -> None:
        self._code, self._views = (
            builtins.compile(text, "<program>", "exec") for text in (source.text, source.gradient_views)
        )

    def running(self, batch: int, parameters: Vector, gradient: Vector, constants: Mapping[str, Any]) -> Running:
        """The functions for a batch size."""
        given = {"parameters": parameters, "gradient": gradient, "B": batch, "dtype": parameters.dtype}
        return _Functions(self._code, self._views, {**given, **constants})


class _Functions:
    """What the source defines."""

    def __init__(self, code: Any, views: Any, names: dict[str, Any]) -> None:
        self._names, self._views = names, views
        exec(code, names)
        self.value: Callable[..., Vector] = names["value"]
        self.reverse: Callable[..., None] = names["reverse"]
        self.ones: Vector = np.ones(names["B"], names["dtype"])
        self._gradient: Vector | None = names["gradient"]

    def write_into(self, gradient: Vector) -> None:
        if self._gradient is not gradient:
            self._gradient = None  # interrupted, the views are of neither
            self._names["gradient"] = gradient
            exec(self._views, self._names)
            self._gradient = gradient

    def __del__(self) -> None:
        self._names.clear()  # functions and their globals are a cycle, which would keep the arrays for the collector
