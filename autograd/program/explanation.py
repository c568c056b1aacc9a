"""The seven steps from a recorded graph to a program, as text: what each of them found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice
from typing import Any

from ..names import unique
from ..notation import printable
from ..op import Op
from ..value import Value
from .adjoints import Adjoints
from .arrays import Array, Instruction, Join, Listwise, Operand, Pairs, Product, View
from .canonical import PARAMETERS, Canonical, Leaf, by_depth
from .layout import Layout
from .statements import Ref, Statement
from .tracing import Dims, Unless
from .values import Values
from .views import dims_of, written

LINES = 24
"""So many lines of a list are written: a graph may have a million nodes."""
TERMS = 6
"""So many terms of a line."""
SOURCE_LINES = 200
"""So many lines of the source."""


@dataclass(frozen=True, repr=False)
class Step:
    """One of the seven steps.

    Attributes:
        number: from 1 to 7.
        title: what is looked for.
        text: what was found, in lines.
    """

    number: int
    title: str
    text: str

    def __str__(self) -> str:
        heading = f"{self.number}. {self.title}"
        return f"{heading}\n{'-' * len(heading)}\n{self.text}"

    __repr__ = __str__


def steps(
    outputs: Sequence[Value], inputs: Sequence[Sequence[Value]], parameters: Sequence[Value], source: str
) -> list[Step]:
    """The steps from a graph to its ``source``, taken again to be looked at.

    This takes as long as compiling. Long lists are cut.
    """
    graph = Canonical(outputs, inputs, parameters)
    layout = Layout(graph, len(parameters), [len(leaves) for leaves in inputs])
    values = Values(layout)
    adjoints = Adjoints(layout, values)
    nodes = NodeNames(graph, inputs, parameters)
    arrays = ArrayNames(layout, values, source)
    found = {
        "Record": recorded(outputs, graph, nodes),
        "Canonical sums": canonical_sums(graph, nodes),
        "Levels": levels(graph),
        "Matrices": matrices(layout, arrays),
        "Layout": placed(layout, values, nodes, arrays),
        "Reverse": reverse(adjoints, arrays),
        "Source": listed(source.splitlines(), str, SOURCE_LINES),
    }
    return [Step(number, title, "\n".join(lines)) for number, (title, lines) in enumerate(found.items(), start=1)]


# ---- lists -----------------------------------------------------------------------------------------------------------


def listed(items: Sequence[Any], line: Callable[[Any], str], most: int = LINES) -> list[str]:
    """A line for each item; after ``most``, one that says how many more there are.

    >>> listed(range(1000), str, most=2)
    ['0', '1', '… and 998 more']
    """
    return [*map(line, items[:most])] + [f"… and {len(items) - most:,} more"] * (len(items) > most)


def some(items: Iterable[str], count: int, separator: str = ", ") -> str:
    """The first of ``count`` items in a line, and how many more there are.

    >>> some(map(str, range(1000)), 1000, " + ")
    '0 + 1 + 2 + 3 + 4 + 5 + … (994 more)'
    """
    return separator.join([*islice(items, TERMS)] + [f"… ({count - TERMS:,} more)"] * (count > TERMS))


def counted(kinds: Iterable[str]) -> str:
    """How many there are of each kind, the most frequent first.

    >>> counted(["mul", "add", "mul"])
    '2 × mul, 1 × add'
    """
    counts = Counter(kinds).most_common()
    return some((f"{count:,} × {kind}" for kind, count in counts), len(counts))


def shaped(name: str, dims: Dims) -> str:
    """An array with its shape.

    >>> shaped("x", (2, "B"))
    'x (2, B)'
    """
    return f"{name} ({dims[0]}, {dims[1]})"


# ---- names -----------------------------------------------------------------------------------------------------------


class NodeNames:
    """What nodes are called: leaves as their Values are, else by their place; operations n1, n2, … in order."""

    def __init__(self, graph: Canonical, inputs: Sequence[Sequence[Value]], parameters: Sequence[Value]) -> None:
        self._graph = graph
        self._number = list(accumulate(op is not None for op in graph.ops))
        taken: dict[str, int] = {}
        self._leaves: dict[Any, str] = {}
        for source, leaves in [*enumerate(inputs), (PARAMETERS, parameters)]:
            for place, leaf in enumerate(leaves):
                x = f"x{source}" if len(leaves) == 1 else f"x{source}[{place}]"
                name = leaf.name or (f"p{place}" if source == PARAMETERS else x)
                self._leaves[source, place] = unique(printable(name), taken)

    def __call__(self, node: int) -> str:
        """The name of a node; a constant is its number."""
        if self._graph.ops[node] is not None:
            return f"n{self._number[node]}"
        leaf: Leaf = self._graph.operands[node]
        return repr(leaf.place) if leaf.source is None else self._leaves[leaf]

    def parameters(self, view: View) -> str:
        """The parameters from the first of a view to the last."""
        places = view.places.ravel()
        return " … ".join(dict.fromkeys([self._leaves[PARAMETERS, place] for place in (places[0], places[-1])]))


class ArrayNames:
    """What arrays are called: inputs and views of the parameters as in the source, others as in the layout."""

    def __init__(self, layout: Layout, values: Values, source: str) -> None:
        views = re.findall(r"^ *(\w+) = ((?:parameters|gradient)\[.*)$", source, re.M)
        self._views: dict[str, str] = {text: name for name, text in views}
        inputs: list[str] = re.findall(r"\w+", re.findall(r"def value\((.*)\):$", source, re.M)[0])
        self._arrays = dict(zip(layout.inputs, inputs, strict=True))
        self._buffers = dict(zip(values.inputs, inputs, strict=True))
        self._taken = dict.fromkeys(inputs, 1)
        self._shared = 0

    def array(self, array: Array) -> str:
        """The name of an array."""
        return self._arrays.get(array, array.name)

    def view(self, text: str) -> str:
        """The name of a view; the source may have none for it."""
        return self._views.get(text, text)

    def operand(self, x: Operand) -> str:
        """The name of an operand; a number is its own."""
        if not isinstance(x, View):
            return repr(x)
        name, found = self.array(x.array), written(x, ones=int(x.places.max()) >= x.array.size)
        return f"{x.places.size} places of {name}" if found is None else self.view(name + found[0])

    def ref(self, ref: Ref) -> str:
        """The name of a view of a buffer; no two buffers share one."""
        if ref.suffix.endswith(".T"):
            return f"{self.ref(ref.transposed)}.T"
        if ref.buffer not in self._buffers:
            name = ref.buffer.name
            if ref.buffer.shared:
                self._shared += 1
                name += str(self._shared)
            self._buffers[ref.buffer] = unique(name, self._taken)
        return self.view(self._buffers[ref.buffer] + ref.suffix)


# ---- steps -----------------------------------------------------------------------------------------------------------


def recorded(outputs: Sequence[Value], graph: Canonical, nodes: NodeNames) -> list[str]:
    """Step 1: the operations, each once."""

    def line(node: int) -> str:
        op: Any = graph.ops[node]
        operands = graph.operands[node]
        size = len(operands) // op.lists if op.lists else len(operands)
        lists = [some(map(nodes, operands[i : i + size]), size) for i in range(0, len(operands), size)]
        return f"{nodes(node)} = {op.name}({', '.join([f'[{x}]' if op.lists else x for x in lists])})"

    order = by_depth(outputs)
    kept = [node for node, op in enumerate(graph.ops) if op is not None]
    again = sum([node.op is not None for node in order]) - len(kept)
    return [
        f"{len(order):,} nodes: {counted([node.op.name if node.op else 'leaf' for node in order])}",
        f"operations that were there already: {again:,}",
        *listed(kept, line),
    ]


def canonical_sums(graph: Canonical, nodes: NodeNames) -> list[str]:
    """Step 2: the sums, products first."""

    def line(node: int) -> str:
        left, right, alone = graph.sums[node]
        products = (f"{nodes(x)}·{nodes(y)}" for x, y in sorted(zip(left, right, strict=True)))
        return f"{nodes(node)} = {some(chain(products, map(nodes, sorted(alone))), len(left) + len(alone), ' + ')}"

    products = sum([len(terms.left) for terms in graph.sums.values()])
    others = sum([len(terms.alone) for terms in graph.sums.values()])
    return [
        f"sums: {len(graph.sums):,}, products in them: {products:,}, other terms: {others:,}",
        *listed(sorted(graph.sums), line),
    ]


def levels(graph: Canonical) -> list[str]:
    """Step 3: how many operations of each kind are at each depth."""

    def kind(node: int) -> str:
        terms = graph.sums.get(node)
        op: Any = graph.ops[node]
        return str(op.name) if terms is None else f"sum (products: {len(terms.left):,}, others: {len(terms.alone):,})"

    found = graph.levels()
    return [
        f"operations: {sum(map(len, found)):,}, levels: {len(found):,}",
        *listed([*enumerate(found, start=1)], lambda level: f"level {level[0]}: {counted(map(kind, level[1]))}"),
    ]


def matrices(layout: Layout, arrays: ArrayNames) -> list[str]:
    """Step 4: the instructions, each of which computes an array."""

    def matrix(view: View) -> Dims:
        rows, columns = view.shape
        return rows, columns if not view.array.varying else "B" if columns == 1 else f"{columns} * B"

    def line(it: Instruction) -> str:
        dims = dims_of(it.out)
        if isinstance(it, Product):
            dims = matrix(it.left)[0], matrix(it.right)[1]
            found = " @ ".join([shaped(arrays.operand(x), matrix(x)) for x in (it.left, it.right)])
        elif isinstance(it, Pairs):
            found = f"sum of {arrays.operand(it.left)} * {arrays.operand(it.right)}"
        elif isinstance(it, Listwise):
            found = f"{it.op.name} of {arrays.operand(it.terms)}"
        else:
            function, operands = ("join", it.pieces) if isinstance(it, Join) else (it.op.name, it.operands)
            found = f"{function}({', '.join(map(arrays.operand, operands))})"
        if isinstance(it, (Product, Pairs)):
            found = " + ".join([found, *[addend(x) for x in it.addends]])
        return f"{shaped(it.out.name, dims)} = {found}"

    def addend(x: Operand) -> str:
        found = written(x) if isinstance(x, View) else None
        return shaped(arrays.operand(x), found[1]) if found else arrays.operand(x)

    products = sum([isinstance(it, Product) for it in layout.instructions])
    return [
        f"array instructions: {len(layout.instructions):,}, matrix products among them: {products:,}",
        *listed(layout.instructions, line),
    ]


def placed(layout: Layout, values: Values, nodes: NodeNames, arrays: ArrayNames) -> list[str]:
    """Step 5: where everything is, and what has to be put elsewhere."""

    def of_parameters(found: tuple[str, View]) -> str:
        text = f"parameters{found[0]}"
        return f"    {arrays.view(text)} = {text}  # {nodes.parameters(found[1])}"

    def of_batch(array: Array) -> str:
        rows, columns = dims_of(array)
        name = shaped(arrays.array(array), (int(rows) + array.ones, columns))
        return f"    {name}, its last row is ones" if array.ones else f"    {name}"

    computed = [it.out for it in layout.instructions]
    copies = [it for it in values.statements if is_copy(it)]
    return [
        f"parameters: {layout.parameters.size:,} in one vector, and its views",
        *listed([*values.parameter_views.items()], of_parameters),
        "arrays",
        *listed([*layout.inputs, *layout.constants, *computed], of_batch),
        f"copies: {len(copies):,}",
        *listed(copies, lambda it: f"    {statement(it, arrays)}"),
    ]


def reverse(adjoints: Adjoints, arrays: ArrayNames) -> list[str]:
    """Step 6: the statements of the gradient, before any array shares memory with another."""
    products = sum([it.function == "dot" and it.args[1] != Ref(adjoints.ones) for it in adjoints.statements])
    return [
        f"statements: {len(adjoints.statements):,}, matrix products among them: {products:,}",
        *["gradient = 0.0"] * adjoints.clears,
        *listed(adjoints.statements, lambda it: statement(it, arrays)),
    ]


def is_copy(it: Statement) -> bool:
    """Whether a statement only puts numbers elsewhere."""
    return it.function == "take" or (it.function == "copyto" and len(it.args) == 2 and isinstance(it.args[1], Ref))


def statement(it: Statement, arrays: ArrayNames) -> str:
    """A statement, what it computes on the left."""
    out, *args = [arrays.ref(x) if isinstance(x, Ref) else repr(x) for x in (it.out, *it.args)]
    if it.function == "copyto":
        return f"{out} = where({args[2]}, {args[1]}, {out})" if len(args) > 2 else f"{out} = {args[1]}"
    if it.function == "add.at":
        return f"{out}[{args[1]}] += {args[2]}"
    if isinstance(it.function, Unless):
        return f"{out} = {it.function.op.name}({', '.join(args[1:])}) where {args[0]} is small"
    name = it.function.name if isinstance(it.function, Op) else it.function
    return f"{out} = {name}({', '.join([*args, *filter(None, [it.options])])})"
