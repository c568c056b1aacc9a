"""The recording: is the graph what the function computes, and does all of it flow through the graph?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..certificate import Certificate, certify
from ..derivatives import map_numbers, numbers_of
from ..interval import Interval
from ..op import as_float
from ..value import Value
from .errors import GradientError
from .report import certified, report

GROUPS = 4  # numbers are nudged in so many groups, for f is called four times for each
LONG_NUDGE = 2.0**-17
SHORT_NUDGE = 2.0**-27
FARTHEST = 2.0**20  # beyond, a nudge that floats can tell is a long way for a function such as sin
NEAREST = 2.0**-960  # nearer to 0, floats cannot tell a nudge

NO_NUMBER = (TypeError, AttributeError, ArithmeticError, ValueError)
"""What f may raise at inputs that it was not called with."""


def check_recording(
    f: Callable[..., Any], inputs: list[Any], output: Value, certificate: Certificate, leaves: list[Any]
) -> None:
    """Compare the graph to ``f`` on plain floats, where it takes them, and to what ``f`` records beside its inputs."""
    bound = certificate.value(output)
    if bound.radius < math.inf:
        _check_value(f, inputs, output, bound)
        if not certificate.kinks and all(map(_is_smooth, certificate)):
            _check_flow(f, output, certificate, leaves)


def _check_value(f: Callable[..., Any], inputs: list[Any], output: Value, bound: Interval) -> None:
    """A float has no method ``tanh``, so ``f`` need not take floats."""
    try:
        out = f(*inputs)
        plain = float(out) if isinstance(out, Value) else as_float(out)
    except NO_NUMBER:
        return
    # Both were computed at a distance of at most the radius from the exact number of f.
    if math.isfinite(plain) and abs(plain - output.data) > 2.0 * bound.radius:
        blame = "the recording: the graph below is not what f computes (was an operand swapped or left out?)"
        expected = f"{plain!r} (f on floats)"
        raise GradientError(report("the value of f", output.data, expected, certified(bound), blame, [output]))


def _check_flow(f: Callable[..., Any], output: Value, certificate: Certificate, leaves: list[Any]) -> None:
    """What does not flow through the graph is seen when the inputs are nudged, and ``f`` is recorded again."""
    numbers = numbers_of(leaves)
    for k in range(min(GROUPS, len(numbers))):
        group = numbers[k::GROUPS]
        slope, error = _nudged(f, leaves, group, output.data)
        slopes = [certificate[leaf] * _reach(leaf) for leaf in group if leaf in certificate]
        low, high = sum(x.lower for x in slopes), sum(x.upper for x in slopes)
        if not low - error <= slope <= high + error:
            names = ", ".join(str(leaf.name) for leaf in group[:3]) + (", …" if len(group) > 3 else "")
            raise GradientError(
                f"f leaves the graph: when {names} is nudged, f changes {slope:.6g} times as much, and the graph says "
                f"{(low + high) / 2:.6g}. Functions of math, float() and .data give plain numbers, to which nothing "
                "flows: take functions from autograd"
            )


def _is_smooth(node: Value) -> bool:
    return node.op is None or node.op.smooth(*map(float, node.inputs))


def _reach(leaf: Value) -> float:
    """How far a number is nudged, in units of the nudge."""
    x = abs(leaf.data)
    return min(x, 1.0) or 1.0 if x == 0.0 or NEAREST < x < FARTHEST else 0.0


def _nudged(f: Callable[..., Any], leaves: list[Any], group: list[Value], here: float) -> tuple[float, float]:
    """How fast f changes as a group of numbers is nudged, by central differences, and a generous bound on the error.

    What is looked for is gross.
    """
    moved = {leaf: _reach(leaf) for leaf in group}

    def at(offset: float) -> tuple[float, float]:
        """The value of ``f``, and how far rounding may have moved it."""
        out = f(*[map_numbers(lambda x: Value(x.data + offset * moved.get(x, 0.0), x.name), x) for x in leaves])
        return (out.data, certify(out).value(out).radius) if isinstance(out, Value) else (as_float(out), 0.0)

    try:
        ends = [(step, at(step), at(-step)) for step in (SHORT_NUDGE, LONG_NUDGE)]
    except NO_NUMBER:
        return 0.0, math.inf
    near, far = [(above - below) / (2 * step) for step, (above, _), (below, _) in ends]
    rounding = max(radius for _, *both in ends for _, radius in both)
    _, (above, _), (below, _) = ends[0]
    bend = abs((above - here) - (here - below)) / SHORT_NUDGE  # a graph has one side only of an ``if`` in Python
    error = 16.0 * (abs(near - far) + rounding / SHORT_NUDGE) + bend + 1e-3 * abs(near)
    return near, error if math.isfinite(error) else math.inf
