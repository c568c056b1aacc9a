"""Steps 1 and 2: a graph as numbers, what is computed twice found once; and its sums, however they were written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from ..op import OPS, Op
from ..value import Value

ADD, MUL, SUM, DOT, POW = (OPS[name] for name in ("add", "mul", "sum", "dot", "pow"))
PARAMETERS = -1
"""The source of a leaf that is a parameter; that of one of an input is the input's number."""


class Leaf(NamedTuple):
    """A leaf: its source, and its place there; without a source, a constant."""

    source: int | None
    place: float


class Sum(NamedTuple):
    """Σ left · right + Σ alone, of nodes."""

    left: list[int]
    right: list[int]
    alone: list[int]


def by_depth(outputs: Sequence[Value]) -> list[Value]:
    """All nodes that ``outputs`` depend on, each after its operands: a use of a node is deeper than the node."""
    levels: list[list[Value]] = [[] for _ in range(1 + max([output._depth for output in outputs]))]
    met = set(outputs)
    pending = list(met)
    while pending:
        node = pending.pop()
        levels[node._depth].append(node)
        if node.op is not None:
            x, y = node._x, node._y
            for operand in x if x.__class__ is tuple else (x, y):
                if operand is not None and operand.__class__ is not float and operand not in met:
                    met.add(operand)
                    pending.append(operand)
    return list(chain.from_iterable(map(reversed, levels)))  # they were met from the last operand to the first


class Canonical:
    """A graph as numbers 0, 1, 2, …, operands first.

    Attributes:
        ops: of each node its operation; None for a leaf.
        operands: of each operation its operands; of a leaf its ``Leaf``.
        sums: of each sum its terms: nested sums that nothing else uses are one, and their products are its products.
        varying: whether a node depends on an input, so that it has a value for each example.
        needed: whether it depends on a parameter, so that it has an adjoint.
        outputs: the outputs.
        recorded: how many nodes were recorded.
    """

    def __init__(
        self, outputs: Sequence[Value], inputs: Sequence[Sequence[Value]], parameters: Sequence[Value]
    ) -> None:
        self.ops: list[Op | None] = []
        self.operands: list[Any] = []
        self.varying: list[bool] = []
        self.needed: list[bool] = []
        self.sums: dict[int, Sum] = {}
        self._constants: dict[float | str, int] = {}
        number: dict[Value, int] = {}
        for source, leaves in [(PARAMETERS, parameters), *enumerate(inputs)]:
            for place, leaf in enumerate(leaves):
                number[leaf] = self._new(None, Leaf(source, place), source != PARAMETERS, source == PARAMETERS)
        order = by_depth(outputs)
        self.one, self._zero = self.constant(1.0), self.constant(0.0)
        self._number(order, number)
        self.recorded = len(order)
        self.outputs = [number[output] for output in outputs]
        self._collect_sums()

    def constant(self, x: float) -> int:
        """The node of a constant."""
        key = x if x == x and x else repr(x)  # nan is one, 0.0 and -0.0 are two
        found = self._constants.get(key)
        if found is None:
            found = self._constants[key] = self._new(None, Leaf(None, x), False, False)
        return found

    def _new(self, op: Op | None, operands: Any, varying: bool, needed: bool) -> int:
        self.ops.append(op)
        self.operands.append(operands)
        self.varying.append(varying)
        self.needed.append(needed)
        return len(self.ops) - 1

    def _number(self, order: list[Value], number: dict[Value, int]) -> None:
        ops, all_operands, varying, needed = self.ops, self.operands, self.varying, self.needed
        constant, one = self.constant, self.one
        met: dict[tuple[Op, tuple[int, ...]], int] = {}
        for node in order:
            op = node.op
            if op is None:
                if node not in number:
                    number[node] = self.constant(node._data)
                continue
            x, y = node._x, node._y
            if x.__class__ is tuple:
                operands = tuple([number[each] if each.__class__ is not float else constant(each) for each in x])
            elif y is None:
                operands = (number[x],)
            else:
                operands = (
                    number[x] if x.__class__ is not float else constant(x),
                    number[y] if y.__class__ is not float else constant(y),
                )
            if op is POW and y.__class__ is float and y == 2.0:
                op, operands = MUL, (operands[0], operands[0])  # a square is a product, and may be part of a sum
            elif op is SUM and len(operands) == 1:
                number[node] = operands[0]
                continue
            elif op is DOT and len(operands) == 2:
                op = MUL
            if op is MUL and one in operands:  # as derivatives of sums have it
                number[node] = operands[operands[0] == one]
                continue
            key = op, operands
            found = met.get(key)
            if found is None:
                found = met[key] = len(ops)
                ops.append(op)
                all_operands.append(operands)
                varies = needs = False
                for operand in operands:
                    varies = varies or varying[operand]
                    needs = needs or needed[operand]
                varying.append(varies)
                needed.append(needs)
            number[node] = found

    def _collect_sums(self) -> None:
        uses = [0] * len(self.ops)
        for op, operands in zip(self.ops, self.operands, strict=True):
            if op is not None:
                for x in operands:
                    uses[x] += 1
        for x in self.outputs:
            uses[x] += 2  # it is seen from outside
        # In a product a parameter comes first, else what does not vary, else it stays as it was written.
        parameters = [
            op is None and leaf.source == PARAMETERS for op, leaf in zip(self.ops, self.operands, strict=True)
        ]
        rank = [2 if varies else 0 if first else 1 for varies, first in zip(self.varying, parameters, strict=True)]
        inner = bytearray(len(self.ops))
        for node in range(len(self.ops) - 1, -1, -1):
            op = self.ops[node]
            if (op is ADD or op is SUM or op is DOT) and not inner[node]:
                terms = Sum([], [], [])
                pending = [node]
                while pending:
                    part = pending.pop()
                    operands = self.operands[part]
                    if self.ops[part] is DOT:
                        half = len(operands) // 2
                        pairs = [*zip(operands[:half], operands[half:], strict=True)]
                    else:
                        pairs = []
                        for x in operands:
                            if uses[x] > 1 or (kind := self.ops[x]) is None:
                                terms.alone.append(x)
                            elif kind is MUL:
                                pairs.append(self.operands[x])
                            elif kind is ADD or kind is SUM or kind is DOT:
                                inner[x] = True
                                pending.append(x)
                            else:
                                terms.alone.append(x)
                    for left, right in pairs:
                        if rank[right] < rank[left]:
                            left, right = right, left
                        terms.left.append(left)
                        terms.right.append(right)
                if self._zero in terms.alone and len(terms.left) + len(terms.alone) > 2:
                    terms.alone.remove(self._zero)  # many a loop starts with it
                self.sums[node] = terms

    def levels(self) -> list[list[int]]:
        """The operations that the outputs need, level by level: each depends on lower levels only."""
        behind: list[Any] = [None] * len(self.ops)
        wanted = set(self.outputs)
        for node in range(len(self.ops) - 1, -1, -1):
            if node in wanted and self.ops[node] is not None:
                terms = self.sums.get(node)
                behind[node] = self.operands[node] if terms is None else list(chain(*terms))
                wanted.update(behind[node])
        depth = [0] * len(self.ops)
        levels: list[list[int]] = []
        for node, operands in enumerate(behind):
            if operands is not None:
                depth[node] = 1 + max([depth[x] for x in operands])
                if depth[node] > len(levels):
                    levels.append([])
                levels[depth[node] - 1].append(node)
        return levels
