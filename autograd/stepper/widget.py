"""The stepper as a Jupyter widget: the page, and its step and leaf values as traits that Python reads and sets."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..names import Names, names_of
from ..op import as_float
from ..replay import replay
from ..reverse import edges, reverse_order
from ..value import Value, topological_order

try:
    import anywidget
    import traitlets
except ImportError:
    raise ImportError("the stepper's widget needs anywidget: pip install anywidget") from None

_NO_LEAVES: Mapping[str, float] = MappingProxyType({})


class _Leaves(traitlets.TraitType[Mapping[str, float], Mapping[str, float]]):
    """The numbers of a widget's leaves by their names; setting some of them keeps the others."""

    default_value: Any = _NO_LEAVES

    def validate(self, widget: Any, value: Any) -> Mapping[str, float]:
        if value is _NO_LEAVES:
            return MappingProxyType({})  # the widget is in the making
        try:
            changed = {name: as_float(x) for name, x in dict(value).items()}
        except (TypeError, ValueError, OverflowError) as error:
            raise traitlets.TraitError(f"leaves is a mapping from names to numbers: {error}") from None
        for name in changed:
            if name not in widget.nodes:
                known = ", ".join(map(repr, widget.nodes))
                raise traitlets.TraitError(f"no leaf is named {name!r}; there are {known:.200}")
        leaves = MappingProxyType({**widget.leaves, **changed})
        widget.compute(leaves)  # it must be defined there
        return leaves


def _to_json(leaves: Mapping[str, float], widget: object) -> dict[str, float | str]:
    # JSON has no infinities and no nan: they travel as text.
    return {name: x if math.isfinite(x) else json.dumps(x) for name, x in leaves.items()}


def _from_json(leaves: Mapping[str, float | str], widget: object) -> dict[str, float]:
    return {name: float(x) for name, x in leaves.items()}


class StepperWidget(anywidget.AnyWidget):
    """The page of the stepper, tied to Python in both directions. Made by ``Stepper.widget``.

    Args:
        loss: the end of the graph that the page shows.
        names: as for ``names_of``.
        page: the page, HTML.

    Attributes:
        step: the step that the page shows: 0 is the start, then comes one for each operation, one for ∂L/∂L = 1, and
            one for each contribution of the backward pass. Set it, and the page follows.
        leaves: the numbers of the leaves by their names, a read-only mapping. Set it to a mapping of those that are to
            change: ``widget.leaves = {"w": 2.0}``.
        page: the page, HTML.

    Raises:
        TraitError: ``step`` is set to what is no step of this graph, or ``leaves`` to a name that no leaf has or to
            what is not a number; nothing is changed then.
        ValueError, ZeroDivisionError, OverflowError: the computation is not defined at the new ``leaves``; likewise.

    >>> from autograd.stepper import Stepper
    >>> x = Value(2.0, "x")
    >>> widget = Stepper(x * x).widget()
    >>> widget.leaves = {"x": 3.0}
    >>> widget.value.data
    9.0
    """

    _esm = Path(__file__).parent / "widget.js"

    step = traitlets.Int().tag(sync=True)
    leaves = _Leaves().tag(sync=True, to_json=_to_json, from_json=_from_json)
    page = traitlets.Unicode().tag(sync=True)

    def __init__(self, loss: Value, names: Names, page: str) -> None:
        self.loss = loss
        self.nodes = {name: node for node, name in names_of(loss, names).items() if node.op is None}
        super().__init__(leaves={name: leaf.data for name, leaf in self.nodes.items()}, page=page)

    def compute(self, leaves: Mapping[str, float]) -> Value:
        """The computation recorded anew at these numbers."""
        return replay(self.loss, {leaf: Value(leaves[name], name) for name, leaf in self.nodes.items()})

    @property
    def value(self) -> Value:
        """The computation recorded anew at ``leaves``: what the page shows, as a graph of Python's own."""
        return self.compute(self.leaves)

    @property
    def last(self) -> int:
        """The last step. It may change with the leaves: nothing flows back into the branch that ``where`` leaves."""
        value = self.value
        forward = sum(node.op is not None for node in topological_order(value))
        return forward + 1 + sum(len(edges(node)) for node in reverse_order(value))

    @traitlets.validate("step")
    def _check_step(self, proposal: Any) -> int:
        step, last = int(proposal["value"]), self.last
        if not 0 <= step <= last:
            raise traitlets.TraitError(f"step is from 0 to {last} for this graph, got {step}")
        return step

    @traitlets.observe("leaves")
    def _stay_within(self, change: Any) -> None:
        self.step = min(self.step, self.last)
