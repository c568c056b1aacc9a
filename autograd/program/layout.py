"""Steps 3, 4 and 5: what is alike becomes one array, sums of products become matrices, and every node gets its place.

Nodes are placed level by level. Every node has a *position*, a number; an array is a run of positions. Whether a list
of operands is a view of an array, or has to be gathered, is then seen from their positions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np

from ..op import Op
from .arrays import Array, Elementwise, Index, Instruction, Join, Listwise, Operand, Pairs, Product, View
from .canonical import ADD, MUL, PARAMETERS, POW, Canonical

Positions = tuple[int, ...]


class Layout:
    """The instructions that compute a canonical graph, and where everything is.

    Attributes:
        parameters: the array of the parameters, shape (P, 1).
        inputs: the array of each input.
        constants: the arrays of constants.
        instructions: what computes the other arrays, in order.
        outputs: a view, shape (n_out, 1).
    """

    def __init__(self, graph: Canonical, n_parameters: int, n_inputs: Sequence[int]) -> None:
        self.graph = graph
        self.instructions: list[Instruction] = []
        self.constants: list[Array] = []
        self._starts: list[int] = []
        self._arrays: list[Array | None] = []
        self._end = 0
        self._known: dict[Any, Array] = {}
        self._names: dict[str, int] = defaultdict(int)
        self.parameters = self._array("parameters", (n_parameters, 1), False, True)
        self.parameters.flat = True
        self.inputs = [self._array(f"x{k}", (size, 1), True, False) for k, size in enumerate(n_inputs)]
        self._place_leaves()
        for level in graph.levels():
            self._place(level)
        self.outputs = self._view([(self.position[x],) for x in graph.outputs])

    def _array(self, name: str, shape: tuple[int, int], varying: bool, needed: bool, numbers: Any = None) -> Array:
        array = Array(name, shape, varying, needed, self._end, numbers)
        self._starts.append(self._end)
        self._arrays.append(array)
        self._end += array.size
        return array

    def _place_leaves(self) -> None:
        self.position = [-1] * len(self.graph.ops)
        numbers: list[float] = []
        self._first_constant = self._end
        for node, (op, leaf) in enumerate(zip(self.graph.ops, self.graph.operands, strict=True)):
            if op is not None:
                continue
            if leaf.source is None:
                self.position[node] = self._first_constant + len(numbers)
                numbers.append(leaf.place)
            else:
                array = self.parameters if leaf.source == PARAMETERS else self.inputs[leaf.source]
                self.position[node] = array.start + leaf.place
        # Constants have positions, but no array: each list of them that is used becomes one, in the order it is used.
        self._starts.append(self._first_constant)
        self._arrays.append(None)
        self._numbers = np.array(numbers)
        self._end += len(numbers)

    # ---- views -----------------------------------------------------------------------------------------------------

    def _which(self, position: int) -> int:
        """The number of the array at a position."""
        return bisect_right(self._starts, position) - 1

    def _view(self, positions: Any) -> View:
        """A view of the nodes at a matrix of positions; those of several arrays are joined first."""
        at: Index = np.asarray(positions, dtype=np.intp)
        low, high = (int(at[0, 0]),) * 2 if at.size == 1 else (int(at.min()), int(at.max()))
        which = self._which(low)
        if which != self._which(high):
            return self._joined(at)
        array = self._arrays[which]
        if array is not None:
            return View(array, at - array.start)
        numbers = self._numbers[at - self._first_constant]
        key = numbers.shape, numbers.tobytes()
        if key not in self._known:
            self._known[key] = self._array(self._name("constants"), at.shape, False, False, numbers)
            self.constants.append(self._known[key])
        return View(self._known[key], np.arange(at.size).reshape(at.shape))

    def _operand(self, positions: Any) -> Operand:
        """The same, but a number where all are that constant."""
        first = positions[0][0]
        if self._arrays[self._which(first)] is None and all(x == first for row in positions for x in row):
            return float(self._numbers[first - self._first_constant])
        return self._view(positions)

    def _joined(self, at: Index) -> View:
        positions, inverse = np.unique(at, return_inverse=True)
        key = positions.tobytes()
        if key not in self._known:
            which = np.searchsorted(self._starts, positions, side="right")
            pieces = [self._view(run[:, None]) for run in np.split(positions, np.flatnonzero(np.diff(which)) + 1)]
            varying, needed = any(x.array.varying for x in pieces), any(x.array.needed for x in pieces)
            self._known[key] = self._array(self._name("joined"), (len(positions), 1), varying, needed)
            self.instructions.append(Join(self._known[key], pieces))
        return View(self._known[key], inverse.reshape(at.shape))

    def _name(self, name: str) -> str:
        self._names[name] += 1
        return f"{name}{self._names[name]}"

    def _result(self, name: str, shape: tuple[int, int], nodes: Sequence[int]) -> Array:
        """The array of the results ``nodes``, which are placed in it."""
        varying, needed = any(self.graph.varying[x] for x in nodes), any(self.graph.needed[x] for x in nodes)
        array = self._array(self._name(name), (len(nodes), 1) if varying else shape, varying, needed)
        for i, node in enumerate(nodes):
            self.position[node] = array.start + i
        return array

    # ---- levels ----------------------------------------------------------------------------------------------------

    def _place(self, level: list[int]) -> None:
        graph, position = self.graph, self.position
        sums = []
        alike: dict[Any, list[tuple[Positions, int]]] = defaultdict(list)
        for node in level:
            op, terms = graph.ops[node], graph.sums.get(node)
            if terms is None:
                operands = tuple([position[x] for x in graph.operands[node]])
            elif terms.left or len(terms.alone) > 2:
                sums.append(node)
                continue
            else:
                op, operands = ADD, tuple([position[x] for x in terms.alone])
            alike[self._kind(op, operands)].append((operands, node))
        self._place_sums(sums)
        for (op, *_), members in alike.items():
            members.sort()
            if op.lists:
                self._place_lists(op, members)
            else:
                self._place_elementwise(op, members)

    def _kind(self, op: Any, operands: Positions) -> tuple[Any, ...]:
        """What operations must have in common to be one instruction."""
        if op.lists:
            varies = any(map(self._varies, operands))
            return op, len(operands), self._which(min(operands)), self._which(max(operands)), varies
        which = tuple([self._which(x) for x in operands])
        literals = op.orders or op is POW  # a power or an order is part of the formula
        return (
            op,
            which,
            tuple([x for x, k in zip(operands, which, strict=True) if literals and self._arrays[k] is None]),
        )

    def _place_elementwise(self, op: Op, members: list[tuple[Positions, int]]) -> None:
        nodes = [node for _, node in members]
        columns = list(zip(*[operands for operands, _ in members], strict=True))
        shape = len(nodes), 1
        if not self.graph.varying[nodes[0]]:
            for column in columns:  # the shape of an operand that is used as it is
                array = self._arrays[self._which(column[0])]
                if (
                    array is not None
                    and array.size == len(nodes)
                    and column == tuple(range(array.start, array.start + array.size))
                ):
                    shape = array.shape
                    break
        rows, width = shape
        operands = [self._operand([column[i * width : (i + 1) * width] for i in range(rows)]) for column in columns]
        self.instructions.append(Elementwise(self._result(op.name, shape, nodes), op, operands))

    def _place_lists(self, op: Op, members: list[tuple[Positions, int]]) -> None:
        terms = self._view([positions for positions, _ in members])
        out = self._result(op.name, (len(members), 1), [node for _, node in members])
        self.instructions.append(Listwise(out, op, terms))

    # ---- sums of products ------------------------------------------------------------------------------------------

    def _place_sums(self, nodes: list[int]) -> None:
        """Place sums of products: those of p left lists with q right lists, each with each, are a matrix product."""
        lefts: dict[Any, int] = {}
        rights: dict[Any, int] = {}
        table: dict[int, dict[int, tuple[int, list[int]]]] = defaultdict(dict)
        met: dict[Any, int] = {}
        again: list[tuple[int, int]] = []
        for node in nodes:
            left, right, alone = self._terms(node)
            first = met.setdefault((left, right, *alone), node)
            if first != node:
                again.append((node, first))
                continue
            kind: tuple[Any, ...] = (
                *[self._which(x) for x in (left[0], right[0], *alone)],
                *[any(map(self._varies, x)) for x in (left, right, alone)],
            )
            while True:
                row, column = lefts.setdefault((left, kind), len(lefts)), rights.setdefault((right, kind), len(rights))
                if column not in table[row]:
                    break
                kind = (*kind, "the same products, and others alone")
            table[row][column] = node, alone
        left_lists, right_lists = list(lefts), [right for right, _ in rights]
        grids: dict[Positions, list[int]] = defaultdict(list)
        for row, columns in table.items():
            grids[tuple(sorted(columns, key=right_lists.__getitem__))].append(row)
        single: dict[Any, list[Any]] = defaultdict(list)
        for chosen, rows in grids.items():
            rows.sort(key=left_lists.__getitem__)
            cells = [table[row][column] for row in rows for column in chosen]
            xs, ys = [left_lists[row][0] for row in rows], [right_lists[column] for column in chosen]
            if len(cells) > 1 and not any(map(self._varies, xs[0])):
                self._place_grid(xs, ys, cells)
            else:
                for (node, alone), (x, y) in zip(cells, product(xs, ys), strict=True):
                    single[len(x), left_lists[rows[0]][1]].append((x, y, alone, node))
        for (size, _), members in single.items():
            x, y, alone, node = members[0]
            if len(members) > 1 or size == 1 or x == y or any(map(self._varies, x)):
                self._place_pairs(size, sorted(members))
            else:
                self._place_grid([x], [y], [(node, alone)])
        for node, first in again:
            self.position[node] = self.position[first]

    def _varies(self, position: int) -> bool:
        array = self._arrays[self._which(position)]
        return array is not None and array.varying

    def _terms(self, node: int) -> tuple[Positions, Positions, list[int]]:
        """The positions of the terms of a sum, in the order of the right operands, or of the left beside constants."""
        lefts, rights, alone = ([self.position[x] for x in xs] for xs in self.graph.sums[node])
        if self.graph.varying[node]:
            lefts, rights, alone = self._without_fixed(lefts, rights, alone)
        if not lefts:
            varying = [x for x in alone if self._varies(x)] or alone
            alone = [x for x in alone if x not in varying]
            lefts, rights = [self.position[self.graph.one]] * len(varying), varying
        key = lefts if self._arrays[self._which(max(rights))] is None else rights
        if any(x > y for x, y in pairwise(key)):
            order = sorted(range(len(key)), key=key.__getitem__)
            lefts, rights = [lefts[i] for i in order], [rights[i] for i in order]
        return tuple(lefts), tuple(rights), sorted(alone)

    def _without_fixed(
        self, lefts: list[int], rights: list[int], alone: list[int]
    ) -> tuple[list[int], list[int], list[int]]:
        """The terms of a sum that varies. Those products that do not, and many such terms, are summed apart, as one."""
        fixed = [not (self._varies(x) or self._varies(y)) for x, y in zip(lefts, rights, strict=True)]
        few = [x for x in alone if not self._varies(x)]
        if not any(fixed) and len(few) <= 2:
            return lefts, rights, alone
        one = self.position[self.graph.one]
        left = [x for x, apart in zip(lefts, fixed, strict=True) if apart] + [one] * len(few)
        right = [x for x, apart in zip(rights, fixed, strict=True) if apart] + few
        views = self._view([left]), self._view([right])
        total = self._array(self._name("sum"), (1, 1), False, any(view.array.needed for view in views))
        self.instructions.append(Pairs(total, *views, []))
        return (
            [x for x, apart in zip(lefts, fixed, strict=True) if not apart],
            [x for x, apart in zip(rights, fixed, strict=True) if not apart],
            [*[x for x in alone if self._varies(x)], total.start],
        )

    def _place_grid(self, left: list[Positions], right: list[Positions], cells: list[tuple[int, list[int]]]) -> None:
        nodes = [node for node, _ in cells]
        shape = len(left), len(right)
        rows, width = (len(nodes), 1) if self.graph.varying[nodes[0]] else shape
        weights, matrix = self._view(left), self._view(list(zip(*right, strict=True)))
        addends = [
            self._operand([[alone[k] for _, alone in cells[i * width : (i + 1) * width]] for i in range(rows)])
            for k in range(len(cells[0][1]))
        ]
        weights, matrix, addends = self._with_bias(weights, matrix, addends)
        self.instructions.append(Product(self._result("sum", shape, nodes), weights, matrix, addends))

    def _with_bias(self, left: View, right: View, addends: list[Operand]) -> tuple[View, View, list[Operand]]:
        """A bias that lies behind the weights of its row is one more weight, of a row of ones behind the matrix."""
        array, (rows, columns) = right.array, right.shape
        if (
            array is self.parameters
            or array in self.inputs
            or array.shape != right.shape
            or right.steps != View(array, _in_order(array.shape)).steps
        ):
            return left, right, addends
        behind = left.places[:, -1:] + 1
        for bias in addends:
            is_parameter = isinstance(bias, View) and bias.array is left.array is self.parameters
            if is_parameter and (bias.places.reshape(len(behind), -1) == behind).all():  # type: ignore[union-attr]
                array.ones = True
                left = View(left.array, np.hstack([left.places, behind]))
                right = View(array, _in_order((rows + 1, columns)))
                return left, right, [x for x in addends if x is not bias]
        return left, right, addends

    def _place_pairs(self, size: int, members: list[Any]) -> None:
        nodes = [node for *_, node in members]
        left, right = [left for left, *_ in members], [right for _, right, *_ in members]
        addends = [self._operand([[alone[k]] for _, _, alone, _ in members]) for k in range(len(members[0][2]))]
        varying = self.graph.varying[nodes[0]]
        if size > 1 and not (varying and len(nodes) > 1):
            views = self._view(left), self._view(right)
            self.instructions.append(Pairs(self._result("sum", (len(nodes), 1), nodes), *views, addends))
            return
        terms: list[Operand] = []
        for x, y in zip(zip(*left, strict=True), zip(*right, strict=True), strict=True):
            factors = self._operand([[p] for p in x]), self._operand([[p] for p in y])
            is_alone = factors[0] == 1.0 and (size > 1 or addends)
            terms.append(factors[1] if is_alone else self._step(MUL, nodes, *factors))
        terms += addends
        before = terms[0]
        for term in terms[1:]:
            before = self._step(ADD, nodes, before, term)

    def _step(self, op: Op, nodes: list[int], *operands: Operand) -> View:
        """An operation on the way to the nodes."""
        out = self._result(op.name, (len(nodes), 1), nodes)
        self.instructions.append(Elementwise(out, op, list(operands)))
        return View(out, np.arange(out.size)[:, None])


def _in_order(shape: tuple[int, int]) -> Index:
    """The places of a whole matrix."""
    return np.arange(shape[0] * shape[1]).reshape(shape)
