"""Random graphs, many and fast: a graph is named by its number, and has all rows of the table in it sooner or later.

Hypothesis draws graphs that shrink to what is wrong (``graphs.py``); these are drawn in a few milliseconds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

from autograd import OPS, Op, Value
from autograd.op import REALS
from autograd.testing.points import LARGEST, SMALLEST, Point, one_number, points, unit_sum

MOST_OPERATIONS = 200
SMALL = 30
MOST_AT_EXTREMES = 12
ROWS = tuple(OPS.values())
ARITHMETIC = tuple(OPS[name] for name in ("add", "sub", "mul", "div")) * 3
TWICE = ("add", "mul", "sum", "dot")  # of which twice the same operand is nothing special: x - x is 0, x < x a tie
WHOLE = (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
SIMPLE = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0)


@dataclass(frozen=True)
class Kind:
    """How bad the numbers of a graph may be."""

    number: float
    slope: float
    """of |d node / d leaf|, summed over all paths"""
    faint: float
    """below such a slope most nodes are drawn again: what is behind them would hardly be seen"""
    mischief: float
    """how often a literal is next to a node's number, and a large number is added and taken away again"""


TAME = Kind(number=1e3, slope=1e4, faint=1e-6, mischief=0.0)
WILD = Kind(number=1e12, slope=1e15, faint=1e-6, mischief=0.1)
EXTREME = Kind(number=LARGEST, slope=LARGEST, faint=0.0, mischief=0.1)


def kind_of(number: int) -> Kind:
    """Every fifth graph is extreme: on numbers of the whole range of floats. Every fourth of the others is wild.

    A wild graph has cancellation, near ties, and leaves from 1e-8 to 1e8.
    """
    if number % 5 == 4:
        return EXTREME
    return WILD if number % 8 >= 6 else TAME


def random_graph(number: int) -> Value:
    """The output of graph ``number``: every second one has at most 30 operations, the others up to 200.

    Those that are extreme have few: behind many such operations rarely is anything certain.
    """
    rng, kind = random.Random(number), kind_of(number)
    if kind is EXTREME:
        return _ExtremeGraph(rng, kind).grown(rng.randint(1, MOST_AT_EXTREMES))
    return _Graph(rng, kind).grown(rng.randint(1, SMALL) if number % 2 else rng.randint(SMALL + 1, MOST_OPERATIONS))


class _Graph:
    """A graph that grows by one operation at a time; what would leave the limits of its kind is drawn again."""

    def __init__(self, rng: random.Random, kind: Kind) -> None:
        self.rng = rng
        self.kind = kind
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
            if self.rng.random() < self.kind.mischief and self.operations < size - 3:
                self._lose_digits(10.0 ** self.rng.uniform(4.0, 11.0), self._node(*REALS))
        last, *others = list(self.unused)
        if others and self._add(OPS["sum"], [last, *others]):
            last = self.nodes[-1]
        return last

    def _add_leaf(self) -> None:
        rng = self.rng
        if rng.random() < 0.2:
            number = rng.choice(SIMPLE)
        elif self.kind is TAME:
            number = rng.uniform(-3.0, 3.0)
        else:
            number = rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-8.0, 8.0)
        self._leaf(number)

    def _leaf(self, number: float) -> Value:
        leaf = Value(number)
        self.nodes.append(leaf)
        self.slopes[leaf] = 1.0
        return leaf

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
        if not (abs(node.data) <= self.kind.number and slope <= self.kind.slope):
            return False
        if slope < self.kind.faint and any(op.rules) and self.rng.random() < 0.8:
            return False
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
        else:
            size, domain = len(op.rules), op.domain
        operands: list[Any] = []
        for i, (low, high) in enumerate(domain):
            if i >= size - op.orders:
                operands.append(float(rng.randint(int(low), int(high))))
            else:
                operands.append(self._node(low, high))
                if op.name not in TWICE and self.kind is TAME and operands[-1] in operands[:-1]:
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
        if rng.random() < self.kind.mischief:
            return rng.choice((beside, math.nextafter(beside, math.inf), beside * (1.0 - 1e-12)))
        return rng.choice(SIMPLE)

    def _lose_digits(self, large: float, node: Value) -> None:
        """A large number comes and goes, and takes digits of a node with it."""
        if self._add(OPS["add"], [node, large]):
            self._add(OPS["sub"], [self.nodes[-1], large])


class _ExtremeGraph(_Graph):
    """A graph on numbers of the whole range of floats, of which some are uncertain, and some are literals."""

    def _add_leaf(self) -> None:
        self._leaf(one_number(self.rng, *REALS))

    def _operands(self, op: Op) -> list[Any]:
        rng = self.rng
        if rng.random() < 0.5:
            return super()._operands(op)
        if op.name in PARTICULAR and rng.random() < 0.5:
            point = PARTICULAR[op.name](rng)
        else:
            anywhere, near_the_ends = _points(op)
            point = rng.choice(near_the_ends if near_the_ends and rng.random() < 0.4 else anywhere)
        free = len(point) - op.orders
        node = rng.randrange(free)  # the others may be literals
        return [self._made(x) if i == node or (i < free and rng.random() < 0.7) else x for i, x in enumerate(point)]

    def _made(self, number: float) -> Value:
        """A leaf, or what is computed from one and is ``number`` but for some digits."""
        rng = self.rng
        way = rng.random()
        if way < 0.5:
            self._leaf(number)
        elif way < 0.75:
            self._add(OPS["mul"], [self._leaf(number / 3.0), 3.0])
        else:
            self._lose_digits(number * 10.0 ** rng.uniform(0.0, 15.0), self._leaf(number))
        return self.nodes[-1]


@cache
def _points(op: Op) -> tuple[list[Point], list[Point]]:
    """Points of a row's whole domain, and those of them whose results nearly underflow or overflow."""
    anywhere = list(islice(points(op), 2000))
    return anywhere, [point for point in anywhere if _is_near_the_ends(op, point)]


def _is_near_the_ends(op: Op, point: Point) -> bool:
    try:
        out = abs(op.evaluate(point))
    except (ArithmeticError, ValueError):
        return False
    return 0.0 < out < 1e-289 or out > 1e289


def _underflowing(rng: random.Random) -> Point:
    """A numerator of a few bits: a part of it underflows."""
    return rng.randint(1, 9) * SMALLEST, 10.0 ** rng.uniform(-320.0, -20.0)


def _overflowing(rng: random.Random) -> Point:
    """Terms whose sum overflows on the way, and is small in the end."""
    huge = rng.uniform(0.5, 1.0) * LARGEST
    return huge, huge, -huge, -huge, 10.0 ** rng.uniform(-320.0, -280.0)


PARTICULAR = {"div": _underflowing, "sum": _overflowing, "logaddexp": unit_sum, "logsumexp": unit_sum}


def _in_lists(op: Op, operands: list[Any]) -> list[Any]:
    if not op.lists:
        return operands
    size = len(operands) // op.lists
    return [operands[i * size : (i + 1) * size] for i in range(op.lists)]
