"""One node at a time: are its value and its local derivatives those of its operation at the recorded inputs?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial, reduce
from itertools import product
from typing import Any

from ..certificate import certify
from ..derivatives import grad, numbers_of
from ..interval import COMPARISONS, Interval, linearised
from ..op import Op, is_built_in
from ..symbol import input_names
from ..value import Value, topological_order
from .errors import GradientError, UndecidedError
from .expressions import call
from .report import compare, expected_from, only, report
from .truth import Found, asked, local_oracle, mpmath_oracle, terms_that_matter, value_oracle

CONVENTIONS = {"relu": 0.0, "leaky_relu": 0.01}
"""The derivatives at a kink that are not the mean of both sides."""
SHORT = 8
"""The condition number of a longer list takes too long."""


def check_node(node: Value, op: Op) -> None:
    """Compare the value and the local derivatives of a node, at the inputs that it was recorded at."""
    point = [x.data if isinstance(x, Value) else x for x in node.inputs]
    if not all(map(math.isfinite, point)):
        return
    free = len(point) - op.orders
    wanted = [isinstance(x, Value) and i < free for i, x in enumerate(node.inputs)]
    exact_inputs = (*map(Interval, point[:free]), *point[free:])
    value, slopes = linearised(op, exact_inputs, wanted)
    smooth = op.smooth(*point)
    truth = asked(value_oracle, op, point)
    if truth is not None and smooth:
        blame = f"{op.name}, its forward function"
        what = f"the value of {op.name}"
        compare(what, node.data, truth, value, blame, only(node))
        with suppress(UndecidedError):
            _check_promise(what, node.data, truth, node, op, None, blame)
    terms = terms_that_matter(op, point)
    for i, local in enumerate(node.local_derivatives):
        truth = asked(local_oracle, op, *terms[i]) if wanted[i] else None
        if truth is None:
            continue
        bound = slopes[i] if slopes[i] is not None else 0.0
        if not smooth and op.name != "where":
            if free < len(point) or not is_built_in(op) or op in COMPARISONS:
                continue  # there is no derivative, or only its author knows the convention
            expected = CONVENTIONS.get(op.name, truth.value)
            truth = Found(expected, truth.error, "the convention at a kink")
            bound = Interval(float(expected), 4.0 * math.ulp(float(expected)))
        what = f"the local derivative of {op.name} by its input {_input(op, i)}"
        kink = _undeclared_kink(op, point, i)
        blame = f"{op.name}, its rule for that input{kink}"
        compare(what, local or 0.0, truth, bound, blame, only(node))
        if not smooth:
            continue
        try:
            _check_promise(what, local or 0.0, truth, node, op, i, blame)
        except UndecidedError as error:
            if kink:
                said = report(what, local or 0.0, expected_from(truth), "is not known", blame, [node])
                raise GradientError(said) from error


def _input(op: Op, i: int) -> str:
    """What its row calls an input; those of a list are numbered."""
    return str(i + 1) if op.lists else input_names(op)[i]


def _undeclared_kink(op: Op, point: list[float], i: int) -> str:
    """That ``smooth`` of one's own operation may have been forgotten, if its slopes to both sides differ, else "".

    What is no kink bends less over a shorter distance.
    """
    if is_built_in(op) or op.lists or not op.smooth(*point):
        return ""
    try:
        wide, narrow = (_bend(op, point, i, step) for step in (2.0**-14, 2.0**-18))
    except (ArithmeticError, ValueError):
        return ""
    if not abs(narrow) > max(abs(wide) / 2.0, 2.0**-20):
        return ""
    names = input_names(op)
    smooth = f"smooth=lambda {', '.join(names)}: {names[i]} != {point[i]!r}"
    return f"; there may be a kink at {point[i]!r}, which {smooth} would declare"


def _bend(op: Op, point: list[float], i: int, step: float) -> float:
    """How much more the slope to the right is than to the left, over a short distance."""
    left, here, right = (
        op.evaluate((*point[:i], x, *point[i + 1 :])) for x in (point[i] - step, point[i], point[i] + step)
    )
    return ((right - here) - (here - left)) / step


def _check_promise(what: str, got: float, truth: Found, node: Value, op: Op, i: int | None, blame: str) -> None:
    """Compare to what every row promises; ``i`` is the input, or None for the value.

    A rule that loses digits in floats loses them in its certificate too. Raises UndecidedError if it has no condition
    number there.
    """
    expected, point = float(truth.value), tuple(map(float, node.inputs))
    if abs(got - expected) <= 4.0 * math.ulp(expected) or mpmath_oracle() is None or len(point) > SHORT:
        return
    from .accuracy import PROMISE, local_deviation, unit_of, value_deviation

    deviation = value_deviation(op, point) if i is None else local_deviation(op, got, point, i)
    promise = max(PROMISE, op.ulps) if i is None else PROMISE
    if deviation is not None and deviation.error > promise:
        rounding = f"is {deviation.error:.3g} {unit_of(op)}, and {promise:g} are promised"
        raise GradientError(report(what, got, expected_from(truth), rounding, blame, [node]))


def check_higher(node: Value, op: Op, order: int) -> None:
    """Compare the derivatives of this order of ``op`` alone, which its rules give when they are differentiated."""
    point = [*map(float, node.inputs)]
    if not (all(map(math.isfinite, point)) and op.smooth(*point)):
        return
    free = len(point) - op.orders
    sample = [i for i in _sample(op, len(point)) if isinstance(node.inputs[i], Value)]
    names = [f"x{i + 1}" for i in range(free)] if op.lists else input_names(op)

    def function(*inputs: Any) -> Any:
        return call(op, [*inputs, *point[free:]])

    for by in product(sample, repeat=order - 1):
        leaves = [Value(x) for x in point[:free]]
        try:
            out = reduce(partial_derivative, by, function)(*leaves)
        except (ArithmeticError, ValueError):
            continue  # it has a pole there
        bounds = dict.fromkeys(leaves, Interval(0.0))
        if isinstance(out, Value):
            certificate = certify(out)
            bounds |= {leaf: certificate[leaf] for leaf in leaves if leaf in certificate}
            out.backward()
        for i in sample:
            truth = asked(local_oracle, op, point, *by, i)
            if truth is None:
                continue
            bound = bounds[leaves[i]]
            if not is_built_in(op):  # there may be rounded constants in it
                bound = Interval(bound.midpoint, bound.radius + op.ulps * math.ulp(bound.midpoint))
            by_all = ", ".join(_input(op, k) for k in (*by, i))
            what = f"the derivative of order {order} of {op.name} by its inputs {by_all}"
            blame = f"{op.name}, its rule, which is differentiated for this"
            part = partial(_call_of, function, map(Value, point[:free], names))
            compare(what, leaves[i].grad, truth, bound, blame, part, (*by, i))


def partial_derivative(f: Callable[..., Any], i: int) -> Callable[..., Any]:
    """∂f/∂(the i-th number of its inputs), a function of the same inputs."""
    return lambda *inputs: numbers_of(grad(f)(*inputs))[i]


def _sample(op: Op, size: int) -> list[int]:
    """The inputs by which derivatives of higher order are taken: a few of each list, for their pairs are many."""
    if not op.lists:
        return [*range(size - op.orders)]
    length = size // op.lists
    return [k * length + i for k in range(op.lists) for i in range(min(length, 2))]


def _call_of(function: Callable[..., Any], leaves: Iterable[Value]) -> list[Value]:
    return topological_order(function(*leaves))
