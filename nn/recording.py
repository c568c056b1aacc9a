"""What a recorded graph needs besides its examples: random numbers before a step, and statistics handed back after it.

Modules that draw (Dropout) or watch (BatchNorm) do so at once while a plain graph is recorded. When the graph becomes a
program, which runs many times, they leave word here instead of what is to be done at each run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from autograd import Value, looked_at

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Recording:
    """The random numbers and the statistics of one recorded graph.

    Attributes:
        noise: functions that draw so many random numbers, with the leaves that those are for.
        statistics: nodes, and the function that is given their data after each step.
    """

    noise: dict[Callable[[int], Array], list[Value]] = field(default_factory=dict)
    statistics: list[tuple[list[Value], Callable[[list[float]], None]]] = field(default_factory=list)


_current: ContextVar[Recording | None] = ContextVar("recording", default=None)


class NotCompiledError(Exception):
    """Why a graph is no program."""


@contextmanager
def recording() -> Iterator[Recording]:
    """Collect what the graphs recorded inside need.

    Raises:
        NotCompiledError: Python looked at a number meanwhile, so that the graph may be another at other numbers.
    """
    found = Recording()
    token = _current.set(found)
    try:
        with looked_at() as values:
            yield found
    finally:
        _current.reset(token)
    if values:
        raise NotCompiledError("Python looked at a number while the graph was recorded (if, max, float)")


class Example(Value):
    """A number of an example that is recorded. In a graph it would be a plain float; so it is not to be compared."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other if _current.get() is None else _refuse()

    def __hash__(self) -> int:
        return Value.__hash__(self) if _current.get() is None else _refuse()


def _refuse() -> NoReturn:
    raise NotCompiledError("Python compared a number of the first example while it was recorded (==, in, a dict)")


def drawn(n: int, draw: Callable[[int], Array]) -> list[Any]:
    """``n`` random numbers; leaves for them, if a program is being made."""
    current = _current.get()
    if current is None:
        numbers: list[Any] = draw(n).tolist()
        return numbers
    leaves = [Value(1.0) for _ in range(n)]
    current.noise.setdefault(draw, []).extend(leaves)
    return leaves


def watched(nodes: list[Any], take: Callable[[list[float]], None]) -> None:
    """Give the data of these nodes to ``take``; after each step, if a program is being made."""
    current = _current.get()
    if current is None:
        take([float(node) for node in nodes])
    else:
        current.statistics.append((nodes, take))
