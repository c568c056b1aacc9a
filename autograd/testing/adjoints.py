"""The whole graph: does ``backward`` sum the products of the local derivatives rightly?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from ..certificate import Certificate, certify
from ..interval import COMPARISONS, Interval
from ..op import Op, is_built_in
from ..value import Value, topological_order
from .local import CONVENTIONS
from .report import compare, name_of, only
from .truth import Found, asked, exactly, local_oracle, terms_that_matter, value_oracle

ACCUMULATION = "the accumulation: all local derivatives are right, and backward() sums their products wrongly"
MOST_LOOKED_AT = 300


def check_adjoints(output: Value, nodes: list[Value], certificate: Certificate) -> None:
    """Compare the exact value of every node, and its adjoint as ``backward`` sums it, twice."""
    values, adjoints = _exact(nodes)
    between_sides = bool(certificate.kinks)  # where what was computed, on one side, need not lie
    for node, truth in values.items():
        bound = certificate.value(node)
        got = bound.midpoint if between_sides else node.data
        if node.op is not None and not _is_unknown(got, bound):
            accuracy = f"{node.op.name}, which is less accurate than its row says (ulps={node.op.ulps:g})"
            compare(f"the certified value of {name_of(node)}", got, truth, bound, accuracy, only(node))
    wrong_part = partial(_to_blame, output, nodes)
    with _grads_kept(output, nodes):
        output.zero_grad()
        output.backward()
        first = [node.grad for node in nodes]
        output.backward()
        second = [node.grad for node in nodes]
    for node, got, twice in zip(nodes, first, second, strict=True):
        exact, bound = adjoints.get(node), certificate[node]
        sum_of_products = bound.midpoint if between_sides else got
        if exact is not None and not _is_unknown(sum_of_products, bound):
            compare(f"the gradient of {name_of(node)}", sum_of_products, exact, bound, ACCUMULATION, wrong_part)
        if twice != got + got and got == got:
            expected = Found(got + got, 0.0, "twice what one backward() adds")
            what = f"the gradient of {name_of(node)} after a second backward()"
            compare(what, twice, expected, got + got, ACCUMULATION, wrong_part)


def _is_unknown(got: float, bound: Interval) -> bool:
    """Whether there is no number, and nothing was promised of it."""
    return not math.isfinite(got) and not bound.radius < math.inf


def _exact(nodes: list[Value]) -> tuple[dict[Value, Found], dict[Value, Found]]:
    """The exact value of each node, and its exact adjoint; nodes that depend on what is not known are left out."""
    values: dict[Value, Found] = {}
    slopes: dict[Value, list[Found | None]] = {}
    for node in nodes:
        if node.op is None:
            if math.isfinite(node.data):
                values[node] = Found(exactly(node.data), 0.0, "as given")
            continue
        if any(isinstance(x, Value) and x not in values for x in node.inputs):
            continue
        point = [values[x].value if isinstance(x, Value) else exactly(x) for x in node.inputs]
        found = asked(value_oracle, node.op, point)
        if found is not None:
            values[node] = found
        terms = terms_that_matter(node.op, point)
        slopes[node] = [
            _slope(node.op, point, i, terms[i]) if isinstance(x, Value) else None for i, x in enumerate(node.inputs)
        ]
    adjoints: dict[Value, Found | None] = dict.fromkeys(nodes, Found(exactly(0.0), 0.0, ""))
    adjoints[nodes[-1]] = Found(exactly(1.0), 0.0, "")
    for node in reversed(nodes):
        if node.op is None:
            continue
        upstream = adjoints[node]
        for i, x in enumerate(node.inputs):
            if isinstance(x, Value):
                adjoints[x] = _plus(adjoints[x], upstream, slopes[node][i] if node in slopes else None)
    return values, {node: found for node, found in adjoints.items() if found is not None}


def _slope(op: Op, point: Sequence[Any], i: int, terms: tuple[Sequence[Any], int]) -> Found | None:
    """The exact local derivative at exact inputs, by convention at a kink, which of one's own only its author knows."""
    if i >= len(point) - op.orders or op in COMPARISONS:
        return Found(exactly(0.0), 0.0, "")
    if not is_built_in(op) and not op.smooth(*point):
        return None
    found = asked(local_oracle, op, *terms)
    if found is not None and op.name in CONVENTIONS and not op.smooth(*point):
        return Found(exactly(CONVENTIONS[op.name]), 0.0, found.how)
    return found


def _plus(adjoint: Found | None, upstream: Found | None, slope: Found | None) -> Found | None:
    """The sum with one more contribution; None if a part of it is not known."""
    if adjoint is None or upstream is None or slope is None:
        return None
    contribution = upstream.value * slope.value
    error = upstream.error * abs(slope.value)
    if slope.error:
        error += slope.error * (abs(upstream.value) + upstream.error)
    if isinstance(contribution, float):  # without mpmath the products are rounded too
        error += math.ulp(contribution) + math.ulp(adjoint.value + contribution)
    how = max(adjoint.how, slope.how, upstream.how, key=len)
    return Found(adjoint.value + contribution, adjoint.error + error, how)


@contextmanager
def _grads_kept(output: Value, nodes: list[Value]) -> Iterator[None]:
    """What is done inside leaves no trace in the gradients."""
    kept = [(node, node.grad) for node in nodes if node.has_grad]
    try:
        yield
    finally:
        output.zero_grad()
        for node, before in kept:
            node.grad = before


def _to_blame(output: Value, nodes: list[Value]) -> list[Value]:
    """The smallest part of the graph whose gradients are wrong, as far as it can be found in reasonable time."""
    for node in nodes[:MOST_LOOKED_AT]:
        if node.op is not None and _sums_wrongly(node):
            return topological_order(node)
    return nodes


def _sums_wrongly(output: Value) -> bool:
    nodes = topological_order(output)
    certificate: Certificate = certify(output)
    with _grads_kept(output, nodes):
        output.zero_grad()
        output.backward()
        first = [node.grad for node in nodes]
        output.backward()
        return any(
            got not in certificate[node] or node.grad != got + got for node, got in zip(nodes, first, strict=True)
        )
