"""What a recorded graph needs besides its examples: random numbers before a step, and statistics handed back after it.

Modules that draw (Dropout) or watch (BatchNorm) do so at once while a plain graph is recorded. When the graph becomes a
program, which runs many times, they leave word here instead of what is to be done at each run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autograd import Value

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


@contextmanager
def recording() -> Iterator[Recording]:
    """Collect what the graphs recorded inside need."""
    found = Recording()
    token = _current.set(found)
    try:
        yield found
    finally:
        _current.reset(token)


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
