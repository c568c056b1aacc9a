"""``check_gradients``: is every number right that a function's graph holds, to the last digit that can be promised?

Values and local derivatives are checked operation by operation, so that a wrong one is blamed and no other; then the
adjoints of the whole graph. What is right comes from ``truth.py``, which shares no rule with the engine; how far a
computed number may be from it comes from the certificate (``interval.py``). No tolerance is chosen anywhere.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial, reduce
from itertools import product
from typing import Any

from ..certificate import Certificate, certify
from ..derivatives import grad, map_numbers, numbers_of
from ..interval import COMPARISONS, Interval, linearised
from ..op import Op, as_float, is_built_in
from ..symbol import input_names
from ..value import Value, topological_order
from . import points as sampling
from .errors import GradientError, UndecidedError, UndefinedError
from .expressions import Expression, Step, call
from .truth import Found, local_oracle, mpmath_oracle, terms_that_matter, value_oracle

Part = Callable[[], list[Value]]
"""Finds the nodes that a report is about: it may take long, and is asked only when something is wrong."""

BITS = 400  # 120 digits
CONVENTIONS = {"relu": 0.0, "leaky_relu": 0.01}
"""The derivatives at a kink that are not the mean of both sides."""


def check_gradients(f: Callable[..., Any], *inputs: Any, order: int = 1) -> None:
    """Check every value, local derivative and adjoint of the graph that ``f`` records at ``inputs``.

    All must lie within the certified bound of the exact number, which is found from values alone: with mpmath at 120
    digits, differenced; without it by the complex step, or by central differences, as for an operation of your own
    that computes in floats only. Where no exact derivative exists (at a pole, or where numbers are not finite) there
    is nothing to compare. What ``f`` closes over is left as it was.

    Args:
        f: a function that returns one Value.
        inputs: its arguments, each a number or a list of numbers (nested as deep as you like).
        order: 2 also checks the derivatives of each partial derivative, and so on.

    Raises:
        GradientError: a number is wrong. The message says which, where, what it should be, how far it may be off, which
            operation is to blame (or the accumulation), and has a program that shows it.
        TypeError: ``f`` is no function, does not return a Value, or an input is not a number.
        ValueError: ``order`` is not a whole number >= 1, or ``f`` gives another number each time.

    >>> from autograd import tanh
    >>> check_gradients(lambda x, y: tanh(x * y) / y, 0.3, 2.0, order=2)
    """
    if not callable(f):
        raise TypeError(f"check_gradients takes a function and its inputs, got {type(f).__name__}")
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"order is a whole number >= 1, got {order!r}")
    floats = [map_numbers(as_float, x) for x in inputs]
    with _many_digits():
        _check(f, floats, _names(f, floats), order)


def _check(f: Callable[..., Any], inputs: list[Any], names: list[str], order: int) -> None:
    leaves = _as_leaves(inputs, names)
    output = f(*leaves)
    if not isinstance(output, Value):
        got = "None (is a return missing?)" if output is None else type(output).__name__
        raise TypeError(
            f"f must return one Value that depends on its inputs, got {got}; of several, check each or their sum"
        )
    again = f(*_as_leaves(inputs, names))
    if repr(float(again)) != repr(output.data):
        raise ValueError(f"f is not the same from call to call: it gave {output.data!r}, then {float(again)!r}")
    nodes = topological_order(output)
    for node in nodes:
        if node.op is not None:
            _check_operation(node, node.op)
    certificate = certify(output)
    _check_adjoints(output, nodes, certificate)
    _check_recording(f, inputs, output, certificate, leaves)
    if order > 1:
        for i in range(len(names)):
            if isinstance(_partial(f, i)(*_as_leaves(inputs, names)), Value):
                _check(_partial(f, i), inputs, names, order - 1)
        for node in nodes:  # last, for a wrong rule of an operation that a rule uses has been blamed by now
            for n in range(2, order + 1):
                if node.op is not None:
                    _check_higher(node, node.op, n)


def _partial(f: Callable[..., Any], i: int) -> Callable[..., Any]:
    """∂f/∂(the i-th number of its inputs), a function of the same inputs."""
    return lambda *inputs: numbers_of(grad(f)(*inputs))[i]


# ---- one operation -------------------------------------------------------------------------------------------------


def _check_operation(node: Value, op: Op) -> None:
    """Compare the value and the local derivatives of a node, at the inputs that it was recorded at."""
    point = [x.data if isinstance(x, Value) else x for x in node.inputs]
    if not all(map(math.isfinite, point)):
        return
    free = len(point) - sampling.parameters(op)  # the others select a member of a family
    wanted = [isinstance(x, Value) and i < free for i, x in enumerate(node.inputs)]
    exact_inputs = tuple([Interval(x) if op.lists or op.rules[i] else x for i, x in enumerate(point)])
    value, slopes = linearised(op, exact_inputs, wanted)
    smooth = op.smooth(*point)
    truth = _asked(value_oracle, op, point)
    if truth is not None and smooth:
        blame = f"{op.name}, its forward function"
        what = f"the value of {op.name}"
        _compare(what, node.data, truth, value, blame, _only(node))
        _check_promise(what, node.data, truth, node, op, None, blame)
    terms = terms_that_matter(op, point)
    for i, local in enumerate(node.local_derivatives):
        truth = _asked(local_oracle, op, *terms[i]) if wanted[i] else None
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
        blame = f"{op.name}, its rule for that input"
        _compare(what, local or 0.0, truth, bound, blame, _only(node))
        if smooth:
            _check_promise(what, local or 0.0, truth, node, op, i, blame)


def _input(op: Op, i: int) -> str:
    """What its row calls an input; those of a list are numbered."""
    return str(i + 1) if op.lists else input_names(op)[i]


SHORT = 8  # the condition number of a longer list takes too long


def _check_promise(what: str, got: float, truth: Found, node: Value, op: Op, i: int | None, blame: str) -> None:
    """Compare to what every row promises; ``i`` is the input, or None for the value.

    A rule that loses digits in floats loses them in its certificate too.
    """
    expected, point = float(truth.value), tuple(map(float, node.inputs))
    if abs(got - expected) <= 4.0 * math.ulp(expected) or mpmath_oracle() is None or len(point) > SHORT:
        return
    from .accuracy import PROMISE, local_deviation, unit_of, value_deviation

    deviation = value_deviation(op, point) if i is None else local_deviation(op, got, point, i)
    promise = max(PROMISE, op.ulps) if i is None else PROMISE
    if deviation is not None and deviation.error > promise:
        rounding = f"is {deviation.error:.3g} {unit_of(op)}, and {promise:g} are promised"
        raise GradientError(_report(what, got, _expected(truth), rounding, blame, [node]))


def _sample(op: Op, size: int) -> list[int]:
    """The inputs by which derivatives of higher order are taken: a few of each list, for their pairs are many."""
    if not op.lists:
        return [*range(size - sampling.parameters(op))]
    length = size // op.lists
    return [k * length + i for k in range(op.lists) for i in range(min(length, 2))]


def _check_higher(node: Value, op: Op, order: int) -> None:
    """Compare the derivatives of this order of ``op`` alone, which its rules give when they are differentiated."""
    point = [*map(float, node.inputs)]
    if not (all(map(math.isfinite, point)) and op.smooth(*point)):
        return
    free = len(point) if op.lists else len(point) - sampling.parameters(op)
    sample = [i for i in _sample(op, len(point)) if isinstance(node.inputs[i], Value)]
    names = [f"x{i + 1}" for i in range(free)] if op.lists else input_names(op)

    def function(*inputs: Any) -> Any:
        return call(op, [*inputs, *point[free:]])

    for by in product(sample, repeat=order - 1):
        leaves = [Value(x) for x in point[:free]]
        try:
            out = reduce(_partial, by, function)(*leaves)
        except (ArithmeticError, ValueError):
            continue  # it has a pole there
        bounds = dict.fromkeys(leaves, Interval(0.0))
        if isinstance(out, Value):
            certificate = certify(out)
            bounds |= {leaf: certificate[leaf] for leaf in leaves if leaf in certificate}
            out.backward()
        for i in sample:
            truth = _asked(local_oracle, op, point, *by, i)
            if truth is None:
                continue
            bound = bounds[leaves[i]]
            if not is_built_in(op):  # there may be rounded constants in it
                bound = Interval(bound.midpoint, bound.radius + op.ulps * math.ulp(bound.midpoint))
            by_all = ", ".join(_input(op, k) for k in (*by, i))
            what = f"the derivative of order {order} of {op.name} by its inputs {by_all}"
            blame = f"{op.name}, its rule, which is differentiated for this"
            part = partial(_call_of, function, map(Value, point[:free], names))
            _compare(what, leaves[i].grad, truth, bound, blame, part, (*by, i))


def _call_of(function: Callable[..., Any], leaves: Iterable[Value]) -> list[Value]:
    return topological_order(function(*leaves))


def _only(node: Value) -> Part:
    return lambda: [node]


def _asked(oracle: Callable[..., Found], *question: Any) -> Found | None:
    """What the oracle knows, if it knows anything."""
    try:
        found = oracle(*question)
    except (UndefinedError, UndecidedError):
        return None
    return found if found.error < math.inf else None


def _compare(what: str, got: float, truth: Found, bound: Any, blame: str, part: Part, by: Sequence[int] = ()) -> None:
    """Raise GradientError unless both ``got`` and the truth lie within the certified bound."""
    if not isinstance(bound, Interval):
        bound = Interval(bound)
    low, high = bound.lower, bound.upper
    if low <= got <= high and (low < float(truth.value) < high or low <= truth.value <= high):
        return  # the first is quick, and suffices, for rounding to a float keeps the order
    low, high = low - truth.error, high + truth.error
    if not (low <= truth.value <= high and low <= got <= high):
        raise GradientError(_report(what, got, _expected(truth), _certified(bound), blame, part(), by))


def _expected(truth: Found) -> str:
    return f"{_shown(truth.value)} ({truth.how})"


def _certified(bound: Interval) -> str:
    return f"accounts for {str(bound).partition(' ± ')[2]} at most (certified)"


# ---- the whole graph -----------------------------------------------------------------------------------------------


def _check_adjoints(output: Value, nodes: list[Value], certificate: Certificate) -> None:
    """Compare the exact value of every node, and its adjoint as ``backward`` sums it, twice."""
    values, adjoints = _exact(nodes)
    for node, truth in values.items():
        if node.op is not None and not _is_unknown(node.data, certificate.value(node)):
            accuracy = f"{node.op.name}, which is less accurate than its row says (ulps={node.op.ulps:g})"
            _compare(
                f"the certified value of {_name(node)}",
                node.data,
                truth,
                certificate.value(node),
                accuracy,
                _only(node),
            )
    wrong_part = partial(_to_blame, output, nodes)
    with _grads_kept(output, nodes):
        output.zero_grad()
        output.backward()
        first = [node.grad for node in nodes]
        output.backward()
        second = [node.grad for node in nodes]
    for node, got, twice in zip(nodes, first, second, strict=True):
        exact = adjoints.get(node)
        if exact is not None and not _is_unknown(got, certificate[node]):
            _compare(f"the gradient of {_name(node)}", got, exact, certificate[node], ACCUMULATION, wrong_part)
        if twice != got + got and got == got:
            expected = Found(got + got, 0.0, "twice what one backward() adds")
            what = f"the gradient of {_name(node)} after a second backward()"
            _compare(what, twice, expected, got + got, ACCUMULATION, wrong_part)


def _is_unknown(got: float, bound: Interval) -> bool:
    """Whether there is no number, and nothing was promised of it."""
    return not math.isfinite(got) and not bound.radius < math.inf


ACCUMULATION = "the accumulation: all local derivatives are right, and backward() sums their products wrongly"


def _exact(nodes: list[Value]) -> tuple[dict[Value, Found], dict[Value, Found]]:
    """The exact value of each node, and its exact adjoint; nodes that depend on what is not known are left out."""
    values: dict[Value, Found] = {}
    slopes: dict[Value, list[Found | None]] = {}
    for node in nodes:
        if node.op is None:
            if math.isfinite(node.data):
                values[node] = Found(_exactly(node.data), 0.0, "as given")
            continue
        if any(isinstance(x, Value) and x not in values for x in node.inputs):
            continue
        point = [values[x].value if isinstance(x, Value) else _exactly(x) for x in node.inputs]
        found = _asked(value_oracle, node.op, point)
        if found is not None:
            values[node] = found
        terms = terms_that_matter(node.op, point)
        slopes[node] = [
            _slope(node.op, point, i, terms[i]) if isinstance(x, Value) else None for i, x in enumerate(node.inputs)
        ]
    adjoints: dict[Value, Found | None] = dict.fromkeys(nodes, Found(_exactly(0.0), 0.0, ""))
    adjoints[nodes[-1]] = Found(_exactly(1.0), 0.0, "")
    for node in reversed(nodes):
        if node.op is None:
            continue
        upstream = adjoints[node]
        for i, x in enumerate(node.inputs):
            if isinstance(x, Value):
                adjoints[x] = _plus(adjoints[x], upstream, slopes[node][i] if node in slopes else None)
    return values, {node: found for node, found in adjoints.items() if found is not None}


def _slope(op: Op, point: Sequence[Any], i: int, terms: tuple[Sequence[Any], int]) -> Found | None:
    """The exact local derivative at exact inputs, by convention at a kink."""
    if i >= len(point) - sampling.parameters(op) or op in COMPARISONS:
        return Found(_exactly(0.0), 0.0, "")
    found = _asked(local_oracle, op, *terms)
    if found is not None and op.name in CONVENTIONS and not op.smooth(*point):
        return Found(_exactly(CONVENTIONS[op.name]), 0.0, found.how)
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


def _exactly(x: float) -> Any:
    oracle = mpmath_oracle()
    return x if oracle is None else oracle.mpf(x)


def _many_digits() -> AbstractContextManager[Any]:
    oracle = mpmath_oracle()
    return nullcontext() if oracle is None else oracle.mp.workprec(BITS)


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


def _check_recording(
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
        raise GradientError(_report("the value of f", output.data, expected, _certified(bound), blame, [output]))
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


GROUPS = 4  # numbers are nudged in so many groups, for f is called four times for each
LONG_NUDGE = 2.0**-17
FARTHEST = 2.0**20  # beyond, a nudge that floats can tell is a long way for a function such as sin


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


# ---- what is said --------------------------------------------------------------------------------------------------


def _to_blame(output: Value, nodes: list[Value]) -> list[Value]:
    """The smallest part of the graph whose gradients are wrong, as far as it can be found in reasonable time."""
    for node in nodes[:MOST_LOOKED_AT]:
        if node.op is not None and _sums_wrongly(node):
            return topological_order(node)
    return nodes


MOST_LOOKED_AT = 300


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


def _report(
    what: str, got: float, expected: str, rounding: str, blame: str, nodes: list[Value], by: Sequence[int] = ()
) -> str:
    leaves = [node for node in topological_order(nodes[-1]) if node.op is None] if len(nodes) > 1 else []
    if len(nodes) == 1:
        leaves = list(dict.fromkeys([x for x in nodes[0].inputs if isinstance(x, Value)]))
    program = f"{_expression(nodes, leaves).program(*by)}\n# expected: {expected}"
    own = sorted({node.op.name for node in nodes if node.op is not None and not is_built_in(node.op)})
    if own:
        program = f"# first, your own: {', '.join(own)} = operation(...)\n{program}"
    at = ", ".join(f"{_name(x)} = {x.data!r}" for x in leaves[:8])
    rows = {"at": at, "got": repr(got), "expected": expected, "rounding": rounding, "to blame": blame}
    lines = [f"{what} is wrong", *[f"  {key:<10} {text}" for key, text in rows.items()], "  reproduce:"]
    return "\n".join([*lines, "", *[f"    {line}".rstrip() for line in program.splitlines()]])


def _expression(nodes: list[Value], leaves: list[Value]) -> Expression:
    """What was recorded, as a function of its leaves."""
    places = {leaf: i for i, leaf in enumerate(leaves)}
    steps = []
    for node in nodes:
        if node.op is not None and node not in places:
            steps.append(Step(node.op, tuple([places[x] if isinstance(x, Value) else x for x in node.inputs])))
            places[node] = len(places)
    return Expression([leaf.data for leaf in leaves], steps)


def _name(node: Value) -> str:
    return node.name or ("a leaf" if node.op is None else f"a node {node.op.name}")


def _shown(x: Any) -> str:
    oracle = mpmath_oracle()
    return repr(x) if oracle is None else str(oracle.mp.nstr(x, 25))


# ---- inputs --------------------------------------------------------------------------------------------------------


def _as_leaves(inputs: list[Any], names: list[str]) -> list[Any]:
    """New leaves in the structure of the inputs."""
    left = iter(names)
    return [map_numbers(lambda x: Value(x, next(left)), x) for x in inputs]


def _names(f: Callable[..., Any], inputs: list[Any]) -> list[str]:
    """A name for every number: that of the argument of ``f``, with its place in a list."""
    try:
        parameters = [p.name for p in inspect.signature(f).parameters.values() if p.kind is not p.VAR_POSITIONAL]
    except (TypeError, ValueError):
        parameters = []
    if len(parameters) < len(inputs):
        parameters = [f"x{i}" for i in range(len(inputs))]

    def named(name: str, x: Any) -> list[str]:
        return (
            [n for i, part in enumerate(x) for n in named(f"{name}[{i}]", part)]
            if isinstance(x, (list, tuple))
            else [name]
        )

    return [name for parameter, x in zip(parameters, inputs, strict=False) for name in named(parameter, x)]
