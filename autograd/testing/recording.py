"""The recording: is the graph what the function computes, and does all of it flow through the graph?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..certificate import Certificate
from ..derivatives import map_numbers, numbers_of
from ..op import as_float
from ..value import Value
from .errors import GradientError
from .report import certified, report

GROUPS = 4  # numbers are nudged in so many groups, for f is called four times for each
LONG_NUDGE = 2.0**-17
FARTHEST = 2.0**20  # beyond, a nudge that floats can tell is a long way for a function such as sin


def check_recording(
    f: Callable[..., Any], inputs: list[Any], output: Value, certificate: Certificate, leaves: list[Any]
) -> None:
    """Compare the recorded value to ``f`` on plain floats, where it takes them (a float has no method ``tanh``)."""
    try:
        plain = _number(f(*inputs))
    except (TypeError, AttributeError, ArithmeticError, ValueError):
        return
    bound = certificate.value(output)
    if not (math.isfinite(plain) and bound.radius < math.inf):
        return
    # Both were computed at a distance of at most the radius from the exact number of f.
    if abs(plain - output.data) > 2.0 * bound.radius:
        blame = "the recording: the graph below is not what f computes (was an operand swapped or left out?)"
        expected = f"{plain!r} (f on floats)"
        raise GradientError(report("the value of f", output.data, expected, certified(bound), blame, [output]))
    if certificate.kinks or not all(map(_is_smooth, certificate)):
        return
    numbers, recorded = numbers_of(leaves), set(certificate)
    for k in range(min(GROUPS, len(numbers))):
        group = numbers[k::GROUPS]
        slope, error = _nudged(f, leaves, group, bound.radius)
        slopes = [certificate[leaf] * _reach(leaf) for leaf in group if leaf in recorded]
        low, high = sum(x.lower for x in slopes), sum(x.upper for x in slopes)
        if not low - error <= slope <= high + error:
            names = ", ".join(str(leaf.name) for leaf in group[:3]) + (", …" if len(group) > 3 else "")
            raise GradientError(
                f"f leaves the graph: when {names} is nudged, f on floats changes {slope:.6g} times as much, and "
                f"the graph says {(low + high) / 2:.6g}. Functions of math, float() and .data give plain numbers, to "
                "which nothing flows: take functions from autograd"
            )


def _is_smooth(node: Value) -> bool:
    return node.op is None or node.op.smooth(*map(float, node.inputs))


def _number(x: Any) -> float:
    return float(x) if isinstance(x, Value) else as_float(x)


def _reach(leaf: Value) -> float:
    """How far a number is nudged, in units of the nudge."""
    x = abs(leaf.data)
    return 0.0 if x > FARTHEST else min(x, 1.0) or 1.0


def _nudged(f: Callable[..., Any], leaves: list[Any], group: list[Value], rounding: float) -> tuple[float, float]:
    """How fast f changes as a group of numbers is nudged, by central differences, and a generous bound on the error.

    What is looked for is gross.
    """
    moved = {leaf: _reach(leaf) for leaf in group}

    def at(offset: float) -> float:
        return _number(f(*[map_numbers(lambda x: x.data + offset * moved.get(x, 0.0), x) for x in leaves]))

    long, short = LONG_NUDGE, LONG_NUDGE / 1024.0
    try:
        near, far = [(at(step) - at(-step)) / (2 * step) for step in (short, long)]
    except (TypeError, AttributeError, ArithmeticError, ValueError):
        return 0.0, math.inf
    error = 16.0 * (abs(near - far) + rounding / short) + 1e-3 * abs(near)
    return near, error if math.isfinite(error) else math.inf
