"""Certificates: the interval reading of a recorded graph, once forward and once in reverse.

The chain rule in balls (``interval.py``) gives gradients with a guarantee, and no tolerance to choose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from operator import attrgetter
from typing import Any

from . import ops
from .interval import (
    INFLATE,
    Interval,
    Local,
    ball,
    displacement,
    distance_to_kink,
    linearised,
    product,
    rounding_of,
    two_sum,
)
from .op import Op
from .reverse import check_current
from .value import Value

Balls = tuple[list[float], list[float]]
"""The midpoints and the radii of all nodes, in the order of the graph."""
Edge = tuple[int, float, float]
"""To which node, and the local derivative: its midpoint and its radius."""

VAGUE = 2.0**-20
"""A local derivative that is known to no more than this, relative to itself, spans a kink rather than roundings."""


@dataclass(frozen=True)
class Kink:
    """A node at whose inputs, as far as they are certain, its operation has a kink, a jump or a pole.

    The local derivatives there are the hull of both sides. ``distance`` is how far the computed inputs are from it.
    """

    node: Value
    distance: float

    def __str__(self) -> str:
        name = "" if self.node.name is None else f" {self.node.name}"
        return f"the{name} {self.node.op.name} is {self.distance:.3g} from a kink, within the rounding of its inputs"  # type: ignore[union-attr]


class Certificate:
    """What ``certify`` found: for every node of a graph where its exact value and its exact gradient lie.

    Attributes:
        kinks: the nodes at which a local derivative is the hull of both sides of a kink.
    """

    def __init__(self, places: dict[Value, int], values: Balls, gradients: Balls, kinks: list[Kink]) -> None:
        self.kinks = kinks
        self._places = places
        self._values = values
        self._gradients = gradients

    def __getitem__(self, node: Value) -> Interval:
        """An Interval that contains ∂output/∂node exactly. Raises KeyError if ``node`` is not in the graph."""
        return self._at(node, self._gradients)

    def value(self, node: Value) -> Interval:
        """An Interval that contains the exact value of ``node``. Raises KeyError if it is not in the graph."""
        return self._at(node, self._values)

    def __repr__(self) -> str:
        return f"<certificate of {len(self)} nodes, {len(self.kinks)} of them at a kink>"

    def __contains__(self, node: object) -> bool:
        return node in self._places

    def __iter__(self) -> Iterator[Value]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def _at(self, node: Value, balls: Balls) -> Interval:
        if node not in self._places:
            raise KeyError(f"{node!r} is not in the graph that this certificate is for")
        midpoints, radii = balls
        place = self._places[node]
        radius = radii[place]
        return Interval(midpoints[place], radius if radius == radius else inf)


def certify(output: Value) -> Certificate:
    """Enclose the exact value and the exact gradient of every node that ``output`` depends on.

    Exact means: as if what was recorded had been computed in real numbers, from the leaves as they are. The midpoints
    are the numbers that ``backward`` gives, but behind a kink, where they are in the middle between its sides. Nothing
    of the graph is changed.

    Raises:
        TypeError: ``output`` is no Value.
        ValueError: a number that was recorded is not what its operation gives now: the data of a leaf was changed.

    >>> x = Value(0.75, "x")
    >>> certify(x**2)[x]
    1.5 ± 2e-16
    >>> y = ((x + 1e16) - 1e16) ** 2
    >>> y.backward()
    >>> x.grad, certify(y)[x], certify(y)[x].digits
    (0.0, 0.0 ± 2, 0)
    """
    if not isinstance(output, Value):
        raise TypeError(f"certify takes a Value, the output of a graph, got {type(output).__name__}")
    nodes = _inputs_first(output)
    places = {node: i for i, node in enumerate(nodes)}
    midpoints: list[float] = []
    radii: list[float] = []
    edges: list[Sequence[Edge]] = []
    kinks: list[Kink] = []
    for node in nodes:
        op, current = node.op, True
        if op is ops.add or op is ops.sub or op is ops.mul:  # most of every graph
            x: Any
            y: Any
            x, y = node.inputs
            i = j = -1
            if x.__class__ is float:
                rx = 0.0
            else:
                i = places[x]
                x, rx = midpoints[i], radii[i]
            if y.__class__ is float:
                ry = 0.0
            else:
                j = places[y]
                y, ry = midpoints[j], radii[j]
            if op is ops.mul:
                midpoint, radius = product(x, rx, y, ry)
                edges.append(((j, x, rx), (i, y, ry)))
                current = (node._dx == y or i < 0) and (node._dy == x or j < 0)
            else:
                sign = 1.0 if op is ops.add else -1.0
                midpoint, error = two_sum(x, sign * y)
                radius = (rx + ry + abs(error)) * INFLATE
                edges.append(((j, sign, 0.0), (i, 1.0, 0.0)))
        elif op is None:
            midpoint, radius = node._data, 0.0
            edges.append(())
        else:
            free = len(node.inputs) - op.orders  # literals are exact numbers to calculate with, but for orders
            inputs: list[Interval | float] = []
            indices: list[int] = []
            for k, x in enumerate(node.inputs):
                i = -1 if x.__class__ is float else places[x]
                indices.append(i)
                inputs.append(Interval(midpoints[i], radii[i]) if i >= 0 else Interval(x) if k < free else x)
            out, local_derivatives = linearised(op, tuple(inputs), [i >= 0 for i in indices])
            distance = distance_to_kink(op, inputs)
            if distance is not None and _matters(op, inputs, out, local_derivatives):
                kinks.append(Kink(node, distance))
            taken: list[Edge] = []
            for i, local, recorded in zip(indices, local_derivatives, node.local_derivatives, strict=True):
                if local is not None:
                    slope, spread = ball(local)
                    current = current and (recorded is None or slope == recorded)
                    if i >= 0 and not (op.selects and local == 0.0):
                        taken.append((i, slope, spread))
            taken.reverse()
            edges.append(taken)
            midpoint, radius = out.midpoint, out.radius
        if midpoint != node._data or not current:
            check_current(node)  # if it is, there is a kink behind the node, and the midpoint is between its sides
        midpoints.append(midpoint)
        radii.append(radius)
    return Certificate(places, (midpoints, radii), _adjoints(nodes, edges), kinks)


def _inputs_first(output: Value) -> list[Value]:
    """All nodes, the shallow ones first."""
    nodes, met = [output], {output}
    for node in nodes:
        for x in node.inputs:
            if isinstance(x, Value) and x not in met:
                met.add(x)
                nodes.append(x)
    return sorted(nodes, key=attrgetter("_depth"))


def _matters(op: Op, inputs: Sequence[Any], out: Interval, local_derivatives: Sequence[Local]) -> bool:
    """Whether a kink is one of the value or of the first derivative: of those of higher order nothing is seen here."""
    explained = 2.0 * displacement(rounding_of(op, out.midpoint), inputs, local_derivatives)
    return not out.radius <= explained or any(map(_is_vague, local_derivatives))


def _is_vague(x: Local) -> bool:
    return isinstance(x, Interval) and not x.radius <= VAGUE * abs(x.midpoint) < inf


def _adjoints(nodes: list[Value], edges: list[Sequence[Edge]]) -> Balls:
    """∂output/∂node for each node, summed in the order of ``backward``: so the midpoints are what it computes."""
    midpoints, radii = [0.0] * len(nodes), [0.0] * len(nodes)
    depths = [node._depth for node in nodes]
    met = [False] * len(nodes)
    levels: list[list[int]] = [[] for _ in range(depths[-1] + 1)]
    levels[-1].append(len(nodes) - 1)
    midpoints[-1] = 1.0
    while levels:
        for place in levels.pop():
            upstream, spread = midpoints[place], radii[place]
            exact = not spread and abs(upstream) == 1.0
            for i, local, reach in edges[place]:
                if i < 0:
                    continue
                if exact:
                    midpoint, radius = upstream * local, reach
                elif reach or (local != 1.0 and local != -1.0):
                    midpoint, radius = product(upstream, spread, local, reach)
                else:
                    midpoint, radius = upstream * local, spread
                if met[i]:
                    midpoints[i], error = two_sum(midpoints[i], midpoint)
                    radii[i] = (radii[i] + radius + abs(error)) * INFLATE
                else:
                    met[i] = True
                    midpoints[i], radii[i] = midpoint, radius
                    levels[depths[i]].append(i)
    return midpoints, radii
