"""Diagrams: a recorded graph as a picture, each node a box with its name, operation, value and gradient."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from reprlib import repr as shown
from typing import Any, NamedTuple

from .files import write_whole
from .groups import Neuron, neurons
from .names import Names, names_of
from .notation import TEXT, digits, escaped, printable
from .reverse import is_current
from .symbol import Symbol, operation_symbol
from .value import Value

COLLAPSE_ABOVE = 100
"""Above this many nodes, neurons are drawn as one box each unless told otherwise.

A diagram of that size no longer fits a screen: the 70 nodes of ``nn.MLP(3, [4, 4, 1])`` take 3,400 by 1,800 pixels.
"""

LONGEST = 52
"""The most characters of a name, or of an operation, that a box shows."""

LARGE = 1000
"""Above this many boxes, the layout is told to search less long for shorter edges."""

TIMEOUT = 30.0
"""The seconds that a renderer gets, unless told otherwise."""

# Each with the sides at which edges leave a box and enter one.
RANKDIRS = {"LR": ("e", "w"), "TB": ("s", "n"), "RL": ("w", "e"), "BT": ("n", "s")}
COLORS = ("data", "grad")
PICTURES, SOURCES = ("svg", "png", "pdf"), ("dot", "gv")

# Boxes are light and their text is dark, edges are of a grey between: they can be read on white and on black pages.
INK, FAINT, EDGE = "#1b1f24", "#424a53", "#76808c"
LEAF, OPERATION, NEURON = "#e3eefb", "#ffffff", "#f3ecfb"
POSITIVE, NEGATIVE, UNDEFINED = (0x8C, 0xC0, 0xE4), (0xFD, 0xB9, 0x7D), "#d0d4d9"  # blue and orange: for every eye


def draw(
    value: Value,
    names: Names = None,
    *,
    collapse: bool | None = None,
    color: str | None = None,
    rankdir: str = "LR",
) -> Diagram:
    """A diagram of the graph of ``value`` as it is now: a box a node, an edge for each operand.

    A node that was computed before a leaf behind it was given other data says that it is outdated.

    Leaves are rounded, operations square, the output has a double border, and a neuron that is drawn as one box looks
    like a block. It shows itself in a notebook; ``.save("graph.svg")`` writes it.

    Args:
        value: the end of the graph.
        names: what nodes are called: ``locals()``, ``model.named_parameters()``, or pairs of a name and a Value.
        collapse: whether each neuron is one box with its parameters inside, and each layer is framed; unless told, in
            graphs of more than ``COLLAPSE_ABOVE`` nodes.
        color: what fills the boxes, ``"data"`` or ``"grad"``: blue where it is positive, orange where it is negative,
            the stronger the larger; the numbers are in the boxes all the same.
        rankdir: from where to where the graph is laid out: ``"LR"`` from left to right, ``"TB"`` from top to bottom,
            ``"RL"`` or ``"BT"``.

    Raises:
        TypeError: ``value`` is no Value, or ``names`` names none.
        ValueError: ``collapse``, ``color`` or ``rankdir`` is something else.

    >>> w, x = Value(2.0, "w"), Value(3.0, "x")
    >>> diagram = draw(w * x + 1)
    >>> diagram
    <diagram of L: 4 nodes in 4 boxes>
    >>> "no gradient yet" in diagram.source
    True
    """
    named = names_of(value, names)
    if collapse not in (None, True, False):
        raise ValueError(f"collapse is True, False or None, got {shown(collapse)}")
    if color is not None and color not in COLORS:
        raise ValueError(f"color is 'data', 'grad' or None, got {shown(color)}")
    if rankdir not in tuple(RANKDIRS):
        raise ValueError(f"rankdir is one of {', '.join(RANKDIRS)}, got {shown(rankdir)}")
    if collapse is None:
        collapse = len(named) > COLLAPSE_ABOVE
    groups = neurons(value, named) if collapse else []
    boxes = _boxes(named, groups)
    source = _source(boxes, value, color, rankdir, collapsed=bool(groups))
    return Diagram(source, named[value], len(named), len(boxes))


class Diagram(NamedTuple):
    """A picture of a graph, made by ``draw``.

    Attributes:
        source: the graph in the DOT language; the same graph has the same source in every run.
        name: what the output is called.
        nodes: the number of nodes of the graph.
        boxes: the number of boxes that are drawn.
    """

    source: str
    name: str
    nodes: int
    boxes: int

    def __repr__(self) -> str:
        size = f"{_count(self.nodes, 'node', 'nodes')} in {_count(self.boxes, 'box', 'boxes')}"
        return f"<diagram of {printable(self.name)}: {size}>"

    def svg(self, *, timeout: float = TIMEOUT) -> str:
        """The picture as SVG, which needs no other file.

        Raises:
            RuntimeError: there is no renderer, or it failed.
            TimeoutError: it took longer than ``timeout`` seconds.
        """
        svg = self._rendered("svg", timeout).decode(errors="replace")
        if "<svg" not in svg:
            raise RuntimeError(f"the renderer made no picture: {svg!r:.80}")
        # Without the DOCTYPE, which names another site, nor the numbers of boxes as their tooltips; but with a title.
        head, _, body = re.sub("<title>.*?</title>\n", "", svg[svg.index("<svg") :]).partition(">")
        title = escaped(f"Graph of {printable(self.name)}, {_count(self.nodes, 'node', 'nodes')}")
        return f'{head} role="img">\n<title>{title}</title>{body}'

    def save(self, path: str | os.PathLike[str], *, timeout: float = TIMEOUT) -> None:
        """Write the diagram; the ending says as what: .svg, .png, .pdf, or .dot or .gv for the source.

        The file appears whole or not at all.

        Raises:
            ValueError: the ending is none of these.
            RuntimeError: there is no renderer, it cannot write this, or it failed.
            TimeoutError: it took longer than ``timeout`` seconds.
        """
        ending = os.path.splitext(path)[1][1:].lower()
        if ending not in (*PICTURES, *SOURCES):
            raise ValueError(f"a diagram is saved as .{', .'.join((*PICTURES, *SOURCES))}, got {os.fspath(path)!r}")
        if ending in SOURCES:
            content = self.source.encode()
        elif ending == "svg":
            content = self.svg(timeout=timeout).encode()
        else:
            content = self._rendered(ending, timeout)
        write_whole(path, content)

    def _rendered(self, ending: str, timeout: float) -> bytes:
        from .render import render

        try:
            return render(self.source, ending, timeout)
        except TimeoutError as error:
            raise TimeoutError(
                f"{error}, not done with {self.boxes:,} boxes: save with a longer timeout=, draw with collapse=True, "
                "or draw a smaller part, such as one of the nodes within"
            ) from None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except (RuntimeError, OSError) as error:  # in a notebook a line says more than a traceback
            return {"text/plain": f"{self!r}: {error}"}


class _Box(NamedTuple):
    """What is drawn as one: a node, or the nodes of a neuron."""

    number: int
    node: Value  # the output, if it is a neuron
    heading: str
    inputs: list[int]
    neuron: Neuron | None
    outdated: bool  # a leaf that it depends on was changed since


def _boxes(names: Mapping[Value, str], groups: Sequence[Neuron]) -> list[_Box]:
    """The boxes in topological order, each with its operands in order. Numbers are places in ``names``."""
    number_of = {node: number for number, node in enumerate(names)}
    symbols = {node: TEXT.name(name) for node, name in names.items()}
    neuron_at = {group.nodes[-1]: group for group in groups}
    outdated: set[Value | float] = set()
    for node in names:
        if not (outdated.isdisjoint(node.inputs) and is_current(node)):
            outdated.add(node)
    inside = {node for group in groups for node in (*group.nodes[:-1], *group.parameters)}
    boxes = []
    for node, name in names.items():
        if node in inside:
            continue
        group = neuron_at.get(node)
        heading = f"<B>{_text(name)} </B>"  # the space is here because browsers drop it at the head of a text
        if group:
            heading += f"= {_text(group.label)}"
            own = set(group.nodes)
            inputs = [x for part in group.nodes for x in part.inputs if x not in own]
        else:
            if node.op is not None:
                heading += f"= {_text(_operation(node, symbols))}"
            inputs = list(node.inputs)
        operands = [number_of[x] for x in inputs if isinstance(x, Value) and x not in inside]
        boxes.append(_Box(number_of[node], node, heading, operands, group, node in outdated))
    return boxes


def _operation(node: Value, symbols: Mapping[Value, Symbol]) -> str:
    """The operation that made ``node``, of long lists the first entries."""
    text = operation_symbol(node, symbols).text
    if len(text) <= LONGEST or node.op is None or not node.op.lists:
        return text
    firsts = node.inputs[:: len(node.inputs) // node.op.lists]
    shown = [symbols[x].text if isinstance(x, Value) else digits(x) for x in firsts]
    return f"{node.op.name}({', '.join([f'[{first}, ...]' for first in shown])})"


def _source(boxes: Sequence[_Box], output: Value, color: str | None, rankdir: str, collapsed: bool) -> str:
    from graphviz import Digraph  # type: ignore[import-untyped]  # it has no types

    attributes = {"rankdir": rankdir, "bgcolor": "transparent", "nodesep": "0.2", "pad": "0.1"}
    attributes |= {"fontname": "Courier", "fontsize": "11", "fontcolor": EDGE}
    if collapsed:  # between layers all edges cross anyhow: a search for fewer crossings only shuffles the neurons
        attributes |= {"ranksep": "1.0", "mclimit": "0.01"}
    else:
        attributes |= {"ranksep": "0.6"}
    if len(boxes) > LARGE:
        attributes |= {"nslimit": "0.5", "nslimit1": "0.5"}  # 4,600 boxes: 14 s in place of 30
    if color:
        attributes["label"] = f"<fill: {color}, orange is negative, blue is positive>"
    node = {"shape": "box", "style": "filled", "fillcolor": OPERATION, "color": FAINT, "margin": "0.12,0.07"}
    node |= {"fontname": "Courier", "fontsize": "11", "fontcolor": INK}
    tail, head = RANKDIRS[rankdir]
    edge = {"color": EDGE, "arrowsize": "0.6", "tailport": tail, "headport": head}
    fills = _fills([getattr(box.node, color) for box in boxes]) if color else [None] * len(boxes)
    graph = Digraph("graph", graph_attr=attributes, node_attr=node, edge_attr=edge)
    # The library quotes what needs it. Nodes and edges are all numbers and markup, and lines by the ten thousand.
    lines: dict[str | None, list[str]] = {None: []}
    for box, fill in zip(boxes, fills, strict=True):
        layer = box.neuron.layer if box.neuron else None
        lines.setdefault(layer, []).append(_line(box, output, fill))
    for number, (layer, inner) in enumerate(lines.items()):
        if layer is None:
            graph.body.extend(inner)
            continue
        frame = {"label": f"<{_text(layer)}>", "style": "rounded", "color": EDGE, "id": f"layer{number}"}
        with graph.subgraph(name=f"cluster_{number}", graph_attr=frame) as cluster:
            cluster.body.extend(inner)
    edges = [(x, box.number) for box in boxes for x in box.inputs]
    graph.body.extend([f"\t{x} -> {y} [id=edge{number}]\n" for number, (x, y) in enumerate(edges)])
    return str(graph.source)


def _line(box: _Box, output: Value, fill: str | None) -> str:
    """The box in DOT."""
    node, group = box.node, box.neuron
    rows = [box.heading]
    if group:
        if group.parameters:
            rows.append(f'<FONT COLOR="{FAINT}">{_count(len(group.parameters), "parameter", "parameters")}</FONT>')
        look = f'shape=box3d margin="0.14,0.1" fillcolor="{fill or NEURON}"'
    elif node.op is None:
        look = f'style="filled,rounded" fillcolor="{fill or LEAF}"'
    else:
        look = f'ordering=in fillcolor="{fill or OPERATION}"'
    outdated = f'<FONT COLOR="{FAINT}"> outdated</FONT>' if box.outdated else ""
    rows.append(f'<FONT COLOR="{FAINT}">data </FONT>{digits(node.data)}{outdated}')
    if node.has_grad:
        rows.append(f'<FONT COLOR="{FAINT}">grad </FONT>{digits(node.grad)}')
    else:
        rows.append(f'<FONT COLOR="{FAINT}">no gradient{"" if output.has_grad else " yet"}</FONT>')
    if node is output:
        look += f' peripheries=2 penwidth=1.5 color="{EDGE}"'
    label = "".join([f'{row}<BR ALIGN="LEFT"/>' for row in rows])
    return f"\t{box.number} [id=node{box.number} {look} label=<{label}>]\n"


def _fills(numbers: Sequence[float]) -> list[str]:
    """The fill of each number: its sign and its size beside the median size, so that one outlier outshines nothing."""
    sizes = sorted([abs(x) for x in numbers if x and math.isfinite(x)])
    median = sizes[len(sizes) // 2] if sizes else 1.0
    return [_fill(x, 1 / (1 + median / abs(x)) if x else 0.0) for x in numbers]


def _fill(x: float, strength: float) -> str:
    if x != x:
        return UNDEFINED
    return "#" + "".join([f"{round(255 - strength * (255 - c)):02x}" for c in (POSITIVE if x > 0 else NEGATIVE)])


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _text(text: str) -> str:
    """``text`` as markup that shows it as it is, shortened where it is long."""
    text = printable(text)
    if len(text) > LONGEST:
        text = f"{text[: LONGEST - 11]}...{text[-8:]}"
    return _SPECIAL.sub(lambda match: _MARKUP[match[0]], text)


# A backslash before these would come out as the name of something, or as one of two; spaces at the ends and in rows
# would be dropped; and dot 2.43 takes a lone ] for a mistake.
_SPECIAL = re.compile(r"[&<>\]]|\\(?=[EGHLNT\\])|^ | $|(?<= ) ")
_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "]": "&#93;", "\\": "<FONT>\\</FONT>", " ": "&#160;"}
