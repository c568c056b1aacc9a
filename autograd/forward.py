"""The forward reading: how do outputs change along one direction?

A dual number is a primal with a tangent (Clifford 1873; Wengert 1964). It needs no record and shares nothing with the
reverse reading but the rules, so it is that reading's independent witness. Nested derivatives carry a level
each, so that the perturbation of an outer one is never taken for that of an inner one (Siskind and Pearlmutter 2008).
"""

from __future__ import annotations

import itertools
from functools import reduce
from operator import add
from typing import Any

from .op import Number, Op

_levels = itertools.count(1)


def new_level() -> int:
    """A level above all that are in use."""
    return next(_levels)


class Dual(Number):
    """primal + tangent·ε with ε² = 0, at one level of nesting; primal and tangent may be numbers of lower levels.

    >>> x = Dual(3.0, 1.0, level=1)
    >>> y = x * x
    >>> y.primal, y.tangent
    (9.0, 6.0)
    """

    __slots__ = ("level", "primal", "tangent")

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        self.primal = primal
        self.tangent = tangent
        self.level = level

    @staticmethod
    def apply(op: Op, inputs: tuple[Any, ...]) -> Any:
        """The chain rule along one direction: the tangent of the result is Σ local derivative · tangent."""
        level = max([x.level for x in inputs if isinstance(x, Number)])
        primals, tangents = zip(*[split(x, level) for x in inputs], strict=True)
        out = op(*_as_called(op, primals))
        derivatives = op.local_derivatives(primals, out, [tangent is not None for tangent in tangents])
        terms = [local * tangent for local, tangent in zip(derivatives, tangents, strict=True) if local is not None]
        return Dual(out, reduce(add, terms), level) if terms else out

    def __float__(self) -> float:
        return float(self.primal)

    def __bool__(self) -> bool:
        return bool(self.primal)

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r}, level={self.level})"


def split(x: Any, level: int) -> tuple[Any, Any]:
    """The primal and the tangent of ``x`` at this level; the tangent is None if ``x`` does not depend on it."""
    return (x.primal, x.tangent) if isinstance(x, Dual) and x.level == level else (x, None)


def _as_called(op: Op, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """``inputs`` as ``op`` takes them when it is called: a list operation takes them in lists."""
    if not op.lists:
        return inputs
    size = len(inputs) // op.lists
    return tuple([inputs[i * size : (i + 1) * size] for i in range(op.lists)])
