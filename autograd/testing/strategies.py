"""What hypothesis draws to check derivatives on: numbers, Values, and random expressions that print as Python.

Everything shrinks to what a person would have tried first: few operations, the simple ones, on small whole numbers.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from reprlib import repr as shown
from typing import Any, Literal, NamedTuple

from ..op import OPS, Op, Range, as_float, everywhere, is_built_in
from ..value import Value
from .draft import LARGEST, Draft
from .expressions import Expression

try:
    from hypothesis import reject
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError(
        "autograd.testing.strategies draws with hypothesis, which is not installed: pip install 'chainrule[test]'"
    ) from error

SIMPLE = (1.0, 2.0, 3.0, 0.5, -1.0, -2.0, 0.0, 10.0)
"""The numbers to try first, the simplest first."""

END = sys.float_info.max

SPECIAL = (0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, END, -END, math.inf, -math.inf, math.nan)
"""Where arithmetic has its edges: few enough that two draws often tie."""


# ---- numbers -------------------------------------------------------------------------------------------------------


def reals(low: float = -1e3, high: float = 1e3) -> st.SearchStrategy[float]:
    """Real numbers from ``low`` to ``high``, both included, simple ones often; they shrink to whole numbers.

    Raises:
        TypeError: a bound is no real number.
        ValueError: there is no finite number between the bounds.

    >>> from hypothesis import find
    >>> find(reals(-3, 3), lambda x: x * x > 2)
    2.0
    """
    low, high = as_float(low), as_float(high)
    if not (low <= high and low < math.inf and high > -math.inf):
        raise ValueError(f"reals are drawn from low to high, got low={shown(low)} and high={shown(high)}")
    return _simple_first(low, high)


def positive(low: float = 1e-3, high: float = 1e3) -> st.SearchStrategy[float]:
    """Positive numbers from ``low`` to ``high``, both included.

    Raises:
        TypeError: a bound is no real number.
        ValueError: ``low`` is not positive, or above ``high``.

    >>> from hypothesis import find
    >>> find(positive(), lambda x: True)
    1.0
    """
    if not as_float(low) > 0:
        raise ValueError(f"positive numbers are drawn from a low above 0, got low={shown(low)}")
    return reals(low, high)


def specials() -> st.SearchStrategy[float]:
    """±0.0, the smallest and the largest floats, ±inf, nan and ±1: so few numbers that two of them often tie."""
    return st.sampled_from(SPECIAL)


def values(numbers: st.SearchStrategy[float] | None = None) -> st.SearchStrategy[Value]:
    """Leaves of a graph, new at every draw, with data from ``numbers``: ``reals()`` if not given.

    >>> from hypothesis import find
    >>> find(values(reals(2, 5)), lambda v: v.grad == 0.0)
    Value(data=2.0, grad=0.0)
    """
    return (reals() if numbers is None else numbers).map(Value)


def _simple_first(low: float, high: float) -> st.SearchStrategy[float]:
    floats = st.floats(max(low, -END), min(high, END))
    simple = [x for x in SIMPLE if low <= x <= high]
    return st.one_of(st.sampled_from(simple), floats) if simple else floats


# ---- expressions ---------------------------------------------------------------------------------------------------

REACH = 10.0
"""Inputs and literals are drawn from ±10, in so far as the domain allows."""

LONGEST_LIST = 3
"""How many numbers are in a list at most."""


def expressions(
    ops: Iterable[str | Op] | None = None,
    max_ops: int = 20,
    inputs: int = 3,
    kinks: Literal["avoid", "hit"] = "avoid",
) -> st.SearchStrategy[Expression]:
    """Random expressions with shared parts, each drawn with inputs at which all its operations are defined.

    They shrink to few operations, the first of ``ops``, on one small whole number.

    Args:
        ops: operations or their names, the simplest first; by default the user's own and all of the table but those
            that only rules are written with.
        max_ops: the greatest number of operations.
        inputs: the greatest number of inputs.
        kinks: "avoid" keeps so far away from kinks, ties, poles and ends of domains that rounding cannot bridge the
            distance. "hit" draws from few numbers, on which kinks, ties and ends are met exactly, and often.

    Raises:
        TypeError: ``ops`` are not operations, or a number is no integer.
        ValueError: there is no such operation, a number is below 1, ``kinks`` is something else, or an operation is not
            defined on the few numbers that "hit" draws from.

    >>> from hypothesis import find
    >>> find(expressions(["mul", "tanh"]), lambda f: abs(f(*f.inputs)) > 0.5)
    def f(x):  # at x = 1.0
        return x * x
    """
    if kinks not in ("avoid", "hit"):
        raise ValueError(f'kinks is "avoid" or "hit", got {shown(kinks)}')
    for name, number in [("max_ops", max_ops), ("inputs", inputs)]:
        if not isinstance(number, int):
            raise TypeError(f"{name} is an integer, got {number!r:.40}")
        if number < 1:
            raise ValueError(f"{name} is at least 1, got {number}")
    known = None if ops is None else _operations([ops] if isinstance(ops, str | Op) else ops)
    if known == []:
        raise ValueError("expressions need an operation, got none")
    for op in known or []:
        if kinks == "hit" and any(low > LARGEST or high < -LARGEST for low, high in op.domain):
            raise ValueError(f'kinks="hit" draws from ±{LARGEST:g}, where {op.name} is not defined: {op.domain}')
    # The table is read when something is drawn: by then it may have more rows.
    return st.deferred(lambda: _expressions(_Choices(known or _default_ops(), inputs, kinks == "hit"), max_ops))


def _default_ops() -> list[Op]:
    """What people call: what only rules are written with prints as something else."""
    return [op for op in OPS.values() if not (is_built_in(op) and callable(op.prints))]


def _operations(ops: Any) -> list[Op]:
    if not isinstance(ops, Iterable):
        raise TypeError(f"ops are operations or their names, got {ops!r:.40}")
    known = []
    for op in ops:
        if not isinstance(op, str | Op):
            raise TypeError(f"ops are operations or their names, got {op!r:.40}")
        if isinstance(op, str) and op not in OPS:
            raise ValueError(f"there is no operation {op!r:.40}")
        known.append(OPS[op] if isinstance(op, str) else op)
    return known


FIRST_LITERAL = 192
"""A quarter of the bytes, the last, choose literals: the same ones wherever the operation comes to stand."""


class _Input(NamedTuple):
    """What an input of an operation may be besides an earlier number: a literal."""

    simple: Sequence[float]
    reals: st.SearchStrategy[float] | None
    is_order: bool  # a whole number that chooses a function, such as the order of a derivative: always a literal

    def choose(self, byte: int, reach: Sequence[int], draw: st.DrawFn) -> int | float:
        """The place of a number within ``reach``, or a literal."""
        if self.is_order:
            return self.simple[byte % len(self.simple)]
        if byte < FIRST_LITERAL:
            return reach[byte % len(reach)]
        literal = byte - FIRST_LITERAL
        if self.reals is not None and literal >= len(self.simple):
            return draw(self.reals)
        return self.simple[literal % len(self.simple)]


class _Choices:
    """What there is to choose from: inputs, operations and literals."""

    def __init__(self, ops: list[Op], inputs: int, hit: bool) -> None:
        kinks = [x for op in ops for point in op.special if not op.smooth(*point) for x in point]
        ends = [x for op in ops for domain in op.domain for x in domain]
        # On few numbers there are many ties, and sums and products of them are exact.
        edges = [x for x in dict.fromkeys([*SIMPLE, *kinks, *ends]) if abs(x) <= LARGEST] if hit else []
        self.of = {op: [_literals(op, i, edges) for i in range(len(op.domain))] for op in ops}
        free = [domain for op in ops for domain, each in zip(op.domain, self.of[op], strict=True) if not each.is_order]
        near = dict.fromkeys(map(_near_zero, free))
        numbers = [st.sampled_from(edges)] if hit else [_simple_first(*domain) for domain in near]
        # Operations of several inputs are drawn twice as often, so that graphs are no chains; those with kinks three
        # times as often if kinks are to be hit.
        joins = [op for op in ops if op.arity != 1]
        kinked = [op for op in ops if op.smooth is not everywhere]
        size = 4 + max(op.arity or LONGEST_LIST * op.lists for op in ops)
        self.hit = hit
        self.inputs = st.lists(st.one_of(numbers), min_size=1, max_size=inputs)
        self.ops = [*ops, *joins, *(2 * kinked if hit else [])]
        self.step = st.binary(min_size=size, max_size=size)


def _literals(op: Op, i: int, edges: Sequence[float]) -> _Input:
    low, high = op.domain[i]
    if i >= len(op.domain) - op.orders:
        return _Input([*map(float, range(math.ceil(low), math.floor(high) + 1))], None, is_order=True)
    if edges:
        return _Input(edges, None, is_order=False)
    low, high = _near_zero((low, high))
    return _Input([x for x in SIMPLE if low <= x <= high], st.floats(low, high), is_order=False)


def _near_zero(domain: Range) -> Range:
    """The part of ``domain`` that is within REACH of 0, or of its end that is nearest to 0."""
    low, high = domain
    nearest = max(low, min(0.0, high))
    return max(low, nearest - REACH), min(high, nearest + REACH)


@st.composite
def _expressions(draw: st.DrawFn, choices: _Choices, max_ops: int) -> Expression:
    # A step is one choice, of a few bytes, the first of which says whether another step follows; an operand is chosen
    # by how far back it is. So a step can be deleted, and those after it keep their meaning. 0 is always the simplest.
    draft = Draft(draw(choices.inputs), choices.hit)
    for _ in range(max_ops):
        more, high, low, longer, *rest = draw(choices.step)
        op = choices.ops[(256 * high + low) * len(choices.ops) // 2**16]  # in order, so that less is simpler
        length = 1 + longer % LONGEST_LIST if op.lists else 1
        reach = draft.reach()
        kinds = [each for each in choices.of[op] for _ in range(length)]
        operands = [each.choose(byte, reach, draw) for each, byte in zip(kinds, rest, strict=False)]
        if not any(isinstance(x, int) for x in operands):
            operands[[each.is_order for each in kinds].index(False)] = reach[0]
        draft.take(op, operands, reach)
        if more * (max_ops + 1) < 256:
            break
    if not draft.steps:
        reject()
    return draft.expression()
