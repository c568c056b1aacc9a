"""An expression that grows step by step, each operation at a point that is fit for it: far from kinks, or anywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..op import Op, Range
from .expressions import Expression, Step

# What is drawn with kinks="avoid" stays this far away from every kink, pole and end of a domain, ...
DISTANCE = 2.0**-20
# ... which is a thousand times more than rounding may have moved any number, with 4·max(1, κ) ULP an operation.
MOST_MOVED = 2.0**-30
ROUNDING = 2.0**-50

LARGEST = 1000.0
"""No number is larger; with kinks="avoid", neither is a slope."""

BENT = 4 * LARGEST * DISTANCE**2
"""How far a smooth function may be from a straight line at this distance: more is a kink."""

LOOSE = 4
"""How many numbers that nothing uses so far are kept in reach: the last ones."""

BACK = (1, 2, 4, 16, 64)
"""How many steps back an operand may be besides."""


class Draft:
    """An expression that is being drawn: its numbers so far, and how far rounding may have moved each."""

    def __init__(self, inputs: list[float], hit: bool) -> None:
        self.inputs = inputs
        self.hit = hit
        self.steps: list[Step] = []
        self.numbers = list(inputs)
        self.moved = [0.0] * len(inputs)
        self.loose: list[int] = []

    def reach(self) -> list[int]:
        """The places from which operands are taken, the last one first, the inputs last."""
        first, end = len(self.inputs), len(self.numbers)
        return [*self.loose[::-1], *(end - back for back in BACK if end - back >= first), *range(first)]

    def take(self, op: Op, operands: Sequence[int | float], reach: Sequence[int]) -> None:
        """Add a step if the operation can be used on these operands; else on others, else leave it out."""
        for shift in range(len(reach)):
            shifted = [reach[(reach.index(x) + shift) % len(reach)] if isinstance(x, int) else x for x in operands]
            point = [self.numbers[x] if isinstance(x, int) else x for x in shifted]
            if not _is_inside(op, point):
                continue
            if self.hit:
                out, moved = _computed(op, point), 0.0
            else:
                out, moved = _clear(op, point, [self.moved[x] if isinstance(x, int) else None for x in shifted])
            if out is not None:
                self.loose = [*(place for place in self.loose if place not in shifted), len(self.numbers)][-LOOSE:]
                self.steps.append(Step(op, tuple(shifted)))
                self.numbers.append(out)
                self.moved.append(moved)
                return

    def expression(self) -> Expression:
        """The largest part that leads to one number."""
        needed = max(map(self._needed, reversed(self.loose)), key=len)
        new = {place: i for i, place in enumerate(needed)}
        steps = [
            Step(op, tuple([new[x] if isinstance(x, int) else x for x in operands]))
            for place, (op, operands) in enumerate(self.steps, len(self.inputs))
            if place in new
        ]
        return Expression([x for place, x in enumerate(self.inputs) if place in new], steps)

    def _needed(self, output: int) -> list[int]:
        """The places of the numbers on which that of ``output`` depends, in order, itself included."""
        first = len(self.inputs)
        needed = [False] * output + [True]
        for place in range(output, first - 1, -1):
            if needed[place]:
                for x in self.steps[place - first].operands:
                    if isinstance(x, int):
                        needed[x] = True
        return [place for place, need in enumerate(needed) if need]


def _domain(op: Op, i: int, size: int) -> Range:
    """Of the i-th of so many inputs in a row; all of a list have one."""
    return op.domain[i * len(op.domain) // size]


def _is_inside(op: Op, point: Sequence[float]) -> bool:
    domain = [_domain(op, i, len(point)) for i in range(len(point))]
    return all(low <= x <= high for x, (low, high) in zip(point, domain, strict=True))


def _computed(op: Op, point: Sequence[float]) -> float | None:
    """The value of ``op`` at ``point``; None where it has none, or a large one."""
    try:
        out = float(op.forward(*point))
    except (ArithmeticError, ValueError):
        return None
    return out if math.fabs(out) <= LARGEST else None


def _clear(op: Op, point: Sequence[float], moved: Sequence[float | None]) -> tuple[float | None, float]:
    """The value of ``op``, and how far rounding may have moved it; None near a kink, a pole or an end of its domain.

    ``moved`` says how far rounding may have moved the inputs; None is for literals, which do not move. The rules of
    ``op`` are not asked: they may be what is checked.
    """
    nothing = None, 0.0
    out = _computed(op, point)
    # Numbers that nearly tie are equal when they are rounded, or else when they are rounded down. So are those near 0.
    rounded, down = [[DISTANCE * whole(x / DISTANCE) for x in point] for whole in (round, math.floor)]
    if out is None or not (op.smooth(*point) and op.smooth(*rounded) and op.smooth(*down)):
        return nothing
    total = ROUNDING * math.fabs(out)
    for i, x in enumerate(point):
        by = moved[i]
        low, high = _domain(op, i, len(point))
        if by is None:
            continue
        before = _computed(op, [*point[:i], x - DISTANCE, *point[i + 1 :]])
        after = _computed(op, [*point[:i], x + DISTANCE, *point[i + 1 :]])
        if before is None or after is None or not low <= x - DISTANCE < x + DISTANCE <= high:
            return nothing
        slope = max(math.fabs(after - out), math.fabs(out - before)) / DISTANCE
        if slope > LARGEST or math.fabs(after - 2 * out + before) > BENT:
            return nothing
        total += slope * (by + ROUNDING * math.fabs(x))
    return (out, total) if total <= MOST_MOVED else nothing
