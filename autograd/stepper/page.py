"""The stepper's page: one HTML file with the graph, its formulas and its arithmetic in it. It asks for nothing else."""

from __future__ import annotations

import base64
import html
import json
import math
import os
import re
from collections.abc import Hashable, Mapping
from importlib import resources
from typing import TYPE_CHECKING, Any

from ..draw import COLLAPSE_ABOVE, draw
from ..files import write_whole
from ..groups import neurons
from ..names import Names
from ..notation import MATHML, digits, printable
from ..op import Op
from ..steps import current_names, forward_steps, steps
from ..symbol import Symbol, local_formulas
from ..value import Value
from .javascript import Script, script

if TYPE_CHECKING:
    from .widget import StepperWidget

_PICTURE = ("boxes.js", "shapes.js", "texts.js", "view.js", "stage.js", "pointer.js", "picture.js")
SCRIPTS = ("engine.js", "layout.js", "formulas.js", *_PICTURE, "panel.js", "page.js")
HEIGHT = 720  # pixels, in a notebook
MOST_BOXES = 300  # a picture of more would take seconds and megabytes in every notebook, and could not be read

# Operands are filled in by the page: names, or numbers. They bind less tightly than anything, so that a formula groups
# them wherever a negative number needs it; the page drops the groups of all others.
_OPERANDS = MATHML._replace(group='<mrow class="group"><mo>(</mo>{}<mo>)</mo></mrow>')


class Stepper:
    """An interactive page of the forward and the backward pass that made ``loss``, one step at a time.

    As the last expression of a notebook cell it shows itself. The numbers are those recorded, until a leaf is edited in
    the page, which then computes both passes anew; the graph in Python stays as it is.

    Args:
        loss: the end of the graph.
        names: what nodes are called: ``locals()``, ``model.named_parameters()``, or other pairs of a name and a Value.

    Attributes:
        html: the page, a complete HTML document that requests nothing from anywhere.

    Raises:
        TypeError: ``loss`` is no Value, or ``names`` names none.
        ValueError: the data of a leaf was changed since ``loss`` was computed.

    >>> w, x = Value(2.0, "w"), Value(3.0, "x")
    >>> stepper = Stepper((w * x - 5) ** 2)
    >>> stepper.html[:15]
    '<!doctype html>'
    """

    def __init__(self, loss: Value, names: Names = None) -> None:
        self.loss = loss
        self.names = current_names(loss, names)
        self.html = _page(loss, self.names)

    def __repr__(self) -> str:
        return f"<stepper of {printable(self.names[self.loss])}: {len(self.names)} nodes>"

    def save_html(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, which appears whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        write_whole(path, self.html.encode())

    def widget(self) -> StepperWidget:
        """The page as a Jupyter widget: Python reads and sets its ``step`` and ``leaves``, and computes its ``value``.

        Raises:
            ImportError: anywidget is not installed.
        """
        from .widget import StepperWidget

        return StepperWidget(self.loss, self._named(), self.html)

    def _repr_html_(self) -> str:
        # The page lies over the picture. A notebook that is not trusted takes the iframe away, and the picture stays.
        place = "grid-area: 1 / 1; width: 100%"
        return (
            f'<div style="display: grid; height: {HEIGHT}px; overflow: hidden">'
            f'<div style="{place}; min-height: 0">{self._picture()}</div>'
            f'<iframe title="Backpropagation, step by step" sandbox="allow-scripts" srcdoc="{html.escape(self.html)}" '
            f'style="{place}; height: {HEIGHT}px; border: 0; background: Canvas"></iframe></div>'
        )

    def _picture(self) -> str:
        """What is seen where no script may run: the diagram; else words, for a graph that cannot be drawn at once."""
        graph = html.escape(f"The graph of {printable(self.names[self.loss])}")
        diagram = draw(self.loss, self._named())
        if diagram.boxes > MOST_BOXES:
            return f"<p>{graph} has {diagram.boxes:,} boxes. Trust this notebook to step through it.</p>"
        try:
            picture = diagram.svg()
        except (RuntimeError, TimeoutError):
            return f"<pre>{html.escape(self._passes())}</pre>"
        encoded = base64.b64encode(picture.encode()).decode()
        return (
            f'<img alt="{graph}" src="data:image/svg+xml;base64,{encoded}" style="max-width: 100%; max-height: 100%">'
        )

    def _passes(self) -> str:
        try:
            return "\n".join(map(str, [*forward_steps(self.loss, self._named()), *steps(self.loss, self._named())]))
        except ValueError as error:  # a leaf was changed since
            return str(error)

    def _named(self) -> list[tuple[str, Value]]:
        return [(name, node) for node, name in self.names.items()]


def _page(loss: Value, names: Mapping[Value, str]) -> str:
    folder = resources.files(__package__)
    read = {name: (folder / name).read_text(encoding="utf-8") for name in ("page.html", "page.css", *SCRIPTS)}
    operations = script(dict.fromkeys((node.op, len(node.inputs)) for node in names if node.op is not None))
    parts = {
        "title": html.escape(f"Backpropagation of {printable(names[loss])}, step by step"),
        "style": read["page.css"],
        "data": _json(_graph(loss, names, operations)),
        "operations": operations.text,
        "scripts": "\n".join(read[name] for name in SCRIPTS),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], read["page.html"])


def _json(data: Any) -> str:
    """JSON that can stand in a script element: no text in it can end the element."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _number(x: float) -> float | str:
    return x if math.isfinite(x) else repr(x)  # JSON has no inf and no nan


def _graph(loss: Value, names: Mapping[Value, str], operations: Script) -> dict[str, Any]:
    """The graph as the page reads it, inputs first; see readGraph in engine.js."""
    index = {node: i for i, node in enumerate(names)}
    templates: list[dict[str, Any]] = []
    known: dict[Hashable, int] = {}
    nodes = []
    for node, name in names.items():
        record: dict[str, Any] = {"name": name, "data": _number(node.data)}
        if node.op is not None:
            # Nodes of one operation share a template, unless their literals differ.
            form = (node.op, tuple(None if isinstance(x, Value) else repr(x) for x in node.inputs))
            if form not in known:
                known[form] = len(templates)
                templates.append(_template(node.op, node.inputs))
            record |= {
                "op": node.op.name,
                "label": _label(node.op, node.inputs),
                "template": known[form],
                "inputs": [index[x] if isinstance(x, Value) else [_number(x)] for x in node.inputs],
                "locals": [None if local is None else _number(local) for local in node.local_derivatives],
            }
            use = (node.op, len(node.inputs))
            record |= (
                {"missing": operations.missing[use]} if use in operations.missing else {"key": operations.keys[use]}
            )
        nodes.append(record)
    groups = [
        {
            "label": neuron.label,
            "nodes": [index[node] for node in neuron.nodes],
            "parameters": [index[leaf] for leaf in neuron.parameters],
        }
        for neuron in neurons(loss, names)
    ]
    return {"nodes": nodes, "templates": templates, "neurons": groups, "collapsed": len(nodes) > COLLAPSE_ABOVE}


def _template(op: Op, inputs: tuple[Value | float, ...]) -> dict[str, Any]:
    """An operation and its local derivatives in MathML, with places for the operands; null where nothing flows back."""
    operands = tuple([_place(i) if isinstance(x, Value) else x for i, x in enumerate(inputs)])
    formulas = local_formulas(op, operands, _place("out"))
    return {"operation": Symbol.apply(op, operands).text, "locals": [None if x is None else x.text for x in formulas]}


def _place(name: int | str) -> Symbol:
    return Symbol(f'<mi class="operand">{name}</mi>', 0, _OPERANDS)


def _label(op: Op, inputs: tuple[Value | float, ...]) -> str:
    """What stands in a node's box for its operation: its sign, with a literal if it has one, or its name."""
    if callable(op.prints) or op.lists or op.prints.startswith(f"{op.name}("):
        return op.name
    text = op.prints.format(*["" if isinstance(x, Value) else digits(x) for x in inputs]).strip(" ()")
    for python, sign in {"**": "^", "*": "×", "/": "÷", "-": "−"}.items():
        text = text.replace(python, sign)
    return text
