"""Random graphs, many and fast: a graph is named by its number, and has all rows of the table in it sooner or later.

Hypothesis draws graphs that shrink to what is wrong (``graphs.py``); these are drawn in a few milliseconds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograd import OPS, Op, Value
from autograd.op import REALS

MOST_OPERATIONS = 200
SMALL = 30
ROWS = tuple(OPS.values())
ARITHMETIC = tuple(OPS[name] for name in ("add", "sub", "mul", "div")) * 3
TWICE = ("add", "mul", "sum", "dot")  # of which twice the same operand is nothing special: x - x is 0, x < x a tie
WHOLE = (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
SIMPLE = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0)


@dataclass(frozen=True)
class Limits:
    """How bad the numbers of a graph may be."""

    number: float
    slope: float
    """of |d node / d leaf|, summed over all paths"""
    mischief: float
    """how often a literal is next to a node's number, and a large number is added and taken away again"""


TAME = Limits(number=1e3, slope=1e4, mischief=0.0)
WILD = Limits(number=1e12, slope=1e15, mischief=0.1)


def is_wild(number: int) -> bool:
    """Whether graph ``number`` has cancellation, near ties, and leaves from 1e-8 to 1e8: every fourth has."""
    return number % 8 >= 6


def random_graph(number: int) -> Value:
    """The output of graph ``number``: every second one has at most 30 operations, the others up to 200."""
    rng = random.Random(number)
    size = rng.randint(1, SMALL) if number % 2 else rng.randint(SMALL + 1, MOST_OPERATIONS)
    return _Graph(rng, WILD if is_wild(number) else TAME).grown(size)


class _Graph:
    """A graph that grows by one operation at a time; what would leave the limits is drawn again."""

    def __init__(self, rng: random.Random, limits: Limits) -> None:
        self.rng = rng
        self.limits = limits
        self.nodes: list[Value] = []
        self.slopes: dict[Value, float] = {}
        self.unused: dict[Value, None] = {}  # operations that nothing uses yet, the latest last
        self.operations = 0

    def grown(self, size: int) -> Value:
        """The output, after ``size`` operations."""
        for _ in range(self.rng.randint(1, 2 + min(size // 6, 10))):
            self._add_leaf()
        deck: list[Op] = []
        while self.operations < size - 1 or not self.unused:
            if not deck:
                deck = [*ROWS, *ARITHMETIC]
                self.rng.shuffle(deck)
            op = deck.pop()
            for _ in range(8):
                if self._add(op, self._operands(op)):
                    break
            if self.rng.random() < self.limits.mischief and self.operations < size - 3:
                self._cancel()
        last, *others = list(self.unused)
        if others and self._add(OPS["sum"], [last, *others]):
            last = self.nodes[-1]
        return last

    def _add_leaf(self) -> None:
        rng = self.rng
        if rng.random() < 0.2:
            number = rng.choice(SIMPLE)
        elif self.limits is TAME:
            number = rng.uniform(-3.0, 3.0)
        else:
            number = rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-8.0, 8.0)
        leaf = Value(number)
        self.nodes.append(leaf)
        self.slopes[leaf] = 1.0

    def _add(self, op: Op, operands: list[Any]) -> bool:
        """Record ``op``, unless its numbers leave the limits."""
        try:
            node = op(*_in_lists(op, operands))
        except (ArithmeticError, ValueError):
            return False
        slope = 0.0
        for x, local in zip(node.inputs, node.local_derivatives, strict=True):
            if local is not None:
                slope += abs(local) * self.slopes[x]
        if not (abs(node.data) <= self.limits.number and slope <= self.limits.slope):
            return False
        if slope < 1e-6 and any(op.rules) and self.rng.random() < 0.8:
            return False  # what is behind it would hardly be seen
        self.slopes[node] = slope
        self.nodes.append(node)
        self.operations += 1
        for x in operands:
            self.unused.pop(x, None)
        self.unused[node] = None
        return True

    def _operands(self, op: Op) -> list[Any]:
        rng = self.rng
        if op.lists:
            size = op.lists * rng.randint(1, 4)
            domain: Sequence[tuple[float, float]] = op.domain[:1] * size
            rules = op.rules * size
        else:
            size, domain, rules = len(op.rules), op.domain, op.rules
        operands: list[Any] = []
        for (low, high), rule in zip(domain, rules, strict=True):
            if rule is None and (low, high) != REALS:  # an order
                operands.append(float(rng.randint(int(low), int(high))))
            else:
                operands.append(self._node(low, high))
                if op.name not in TWICE and self.limits is TAME and operands[-1] in operands[:-1]:
                    operands[-1] = rng.choice([x for x in self.nodes if x not in operands] or SIMPLE)
        if op.name in ("pow", "power_derivative") and rng.random() < 0.4:  # whole powers, of any number
            operands[:2] = self._node(*REALS), rng.choice(WHOLE)
        elif size > 1 and rng.random() < 0.25:
            i = rng.randrange(size)
            if isinstance(operands[i], Value) and isinstance(operands[i - 1], Value):
                operands[i] = self._literal(operands[i - 1].data)
        return operands

    def _node(self, low: float, high: float) -> Value:
        """A node in a range, if one is found: often one that nothing uses yet, else rather a late one."""
        rng = self.rng
        for _ in range(6):
            if self.unused and rng.random() < 0.4:
                node = next(reversed(self.unused))
            else:
                node = self.nodes[-1 - int(rng.random() ** 2 * len(self.nodes))]
            if low <= node.data <= high:
                break
        return node

    def _literal(self, beside: float) -> float:
        rng = self.rng
        if rng.random() < self.limits.mischief:
            return rng.choice((beside, math.nextafter(beside, math.inf), beside * (1.0 - 1e-12)))
        return rng.choice(SIMPLE)

    def _cancel(self) -> None:
        """A large number comes and goes, and takes digits with it."""
        large = 10.0 ** self.rng.uniform(4.0, 11.0)
        if self._add(OPS["add"], [self._node(*REALS), large]):
            self._add(OPS["sub"], [self.nodes[-1], large])


def _in_lists(op: Op, operands: list[Any]) -> list[Any]:
    if not op.lists:
        return operands
    size = len(operands) // op.lists
    return [operands[i * size : (i + 1) * size] for i in range(op.lists)]
