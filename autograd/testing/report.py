"""What is said of a number that is wrong: which, what it should be, who is to blame, and a program that shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..interval import Interval
from ..op import is_built_in
from ..value import Value, topological_order
from .errors import GradientError
from .expressions import Expression, Step
from .truth import Found, mpmath_oracle

Part = Callable[[], list[Value]]
"""Finds the nodes that a report is about: it may take long, and is asked only when something is wrong."""


def compare(what: str, got: float, truth: Found, bound: Any, blame: str, part: Part, by: Sequence[int] = ()) -> None:
    """Raise GradientError unless both ``got`` and the truth lie within the certified bound."""
    if not isinstance(bound, Interval):
        bound = Interval(bound)
    low, high = bound.lower, bound.upper
    if low <= got <= high and (low < float(truth.value) < high or low <= truth.value <= high):
        return  # the first is quick, and suffices, for rounding to a float keeps the order
    low, high = low - truth.error, high + truth.error
    if not (low <= truth.value <= high and low <= got <= high):
        raise GradientError(report(what, got, expected_from(truth), certified(bound), blame, part(), by))


def report(
    what: str, got: float, expected: str, rounding: str, blame: str, nodes: list[Value], by: Sequence[int] = ()
) -> str:
    """The message of an error about ``nodes``, the last of which is their output; ``by`` as for a program."""
    leaves = [node for node in topological_order(nodes[-1]) if node.op is None] if len(nodes) > 1 else []
    if len(nodes) == 1:
        leaves = list(dict.fromkeys([x for x in nodes[0].inputs if isinstance(x, Value)]))
    program = f"{_expression(nodes, leaves).program(*by)}\n# expected: {expected}"
    own = sorted({node.op.name for node in nodes if node.op is not None and not is_built_in(node.op)})
    if own:
        program = f"# first, your own: {', '.join(own)} = operation(...)\n{program}"
    at = ", ".join(f"{name_of(x)} = {x.data!r}" for x in leaves[:8])
    rows = {"at": at, "got": repr(got), "expected": expected, "rounding": rounding, "to blame": blame}
    lines = [f"{what} is wrong", *[f"  {key:<10} {text}" for key, text in rows.items()], "  reproduce:"]
    return "\n".join([*lines, "", *[f"    {line}".rstrip() for line in program.splitlines()]])


def expected_from(truth: Found) -> str:
    """What a number should be, and who says so."""
    return f"{_shown(truth.value)} ({truth.how})" if truth.how else _shown(truth.value)


def certified(bound: Interval) -> str:
    """How much of a difference may be rounding."""
    return f"accounts for {str(bound).partition(' ± ')[2]} at most (certified)"


def name_of(node: Value) -> str:
    """What a report calls a node."""
    return node.name or ("a leaf" if node.op is None else f"a node {node.op.name}")


def only(node: Value) -> Part:
    """A report about one node."""
    return lambda: [node]


def _expression(nodes: list[Value], leaves: list[Value]) -> Expression:
    """What was recorded, as a function of its leaves."""
    places = {leaf: i for i, leaf in enumerate(leaves)}
    steps = []
    for node in nodes:
        if node.op is not None and node not in places:
            steps.append(Step(node.op, tuple([places[x] if isinstance(x, Value) else x for x in node.inputs])))
            places[node] = len(places)
    return Expression([leaf.data for leaf in leaves], steps)


def _shown(x: Any) -> str:
    oracle = mpmath_oracle()
    return repr(x) if oracle is None else str(oracle.mp.nstr(x, 25))
