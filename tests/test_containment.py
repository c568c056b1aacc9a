"""No certificate is wrong: exact values and gradients of random graphs lie in their intervals.

This is a slice of what ``benchmarks/certificates.py`` runs on 50,000 graphs; and the exact witnesses are tried
themselves.
"""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from exact import FUNCTIONS, Balls, UndecidedError, by_balls, by_difference, difference, steps_of
from hypothesis import settings
from mpmath import mp, mpf
from random_graphs import EXTREME, MOST_OPERATIONS, ROWS, SMALL, TAME, WILD, kind_of, random_graph

from autograd import OPS, Interval, Value, certify, maximum, relu, sqrt, topological_order, where
from autograd.testing.points import SMALLEST_NORMAL

GRAPHS = range(15 * settings().max_examples // 2)
ARGUMENTS = {"quotient": (0.7, 1.3, 2.0), "power_derivative": (0.7, 1.3, 2.0, 1.0)}
ARGUMENTS |= dict.fromkeys(("hypot_derivative", "atan2_derivative"), (0.7, 1.3, 2.0, 1.0))


def arguments(name: str) -> tuple[float, ...]:
    """Where a row is tried: smooth there, and defined."""
    op = OPS[name]
    return ARGUMENTS.get(name, (0.7, 1.3, 0.4, -0.9)[: 2 * op.lists or op.arity])


# ---- certificates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", GRAPHS)
def test_the_exact_values_and_gradients_of_a_random_graph_lie_in_their_intervals(number: int) -> None:
    output = random_graph(number)
    nodes, steps = steps_of(output)
    certificate = certify(output)
    leaves = [i for i, node in enumerate(nodes) if node.op is None]
    asked = {*leaves, *random.Random(number).choices(range(len(nodes)), k=3)}
    intervals = {("value", i): certificate.value(node) for i, node in enumerate(nodes)}
    intervals |= {("gradient", i): certificate[nodes[i]] for i in asked}
    findings = list(by_balls(steps, intervals))
    if kind_of(number) is not EXTREME:
        findings.append(by_difference(steps, leaves[0], certificate[nodes[leaves[0]]]))
    assert not [finding for finding in findings if finding.inside is False]


def test_nearly_all_of_them_are_decided() -> None:
    decided = Counter[bool]()
    for number in GRAPHS[::4]:
        output = random_graph(number)
        nodes, steps = steps_of(output)
        certificate = certify(output)
        intervals = {("gradient", i): certificate[node] for i, node in enumerate(nodes) if node.op is None}
        decided.update(finding.inside is not None for finding in by_balls(steps, intervals))
    assert decided[True] > 0.9 * decided.total()


# ---- what judges them ------------------------------------------------------------------------------------------------


def test_a_number_outside_its_interval_is_found() -> None:
    x = Value(3.0)
    _, steps = steps_of(x * x / 7.0)
    exact = 6.0 / 7.0
    for interval, inside in (
        (Interval(exact, 2.0**-53), True),
        (Interval(exact), False),
        (Interval(exact + 2.0**-50, 2.0**-51), False),
    ):
        assert [finding.inside for finding in by_balls(steps, {("gradient", 0): interval})] == [inside]
        assert by_difference(steps, 0, interval).inside is inside


@pytest.mark.parametrize("name", [op.name for op in ROWS if any(op.rules)])
def test_both_witnesses_agree_on_every_row(name: str) -> None:
    op = OPS[name]
    numbers = arguments(name)
    free = [i for i in range(len(numbers)) if op.lists or op.rules[i] is not None]
    inputs = [Value(x) if i in free else x for i, x in enumerate(numbers)]
    nodes, steps = steps_of(Value.apply(op, tuple(inputs)))
    balls = Balls(steps, 256)
    for i in range(len(nodes) - 1):
        (ball,) = balls.derivatives(i)
        try:
            expected = difference(steps, i)
        except UndecidedError:  # 0 is what a difference cannot tell from too small
            assert ball.is_zero()
        else:
            with mp.workprec(256):
                assert abs(mpf(ball.mid()) - expected) <= mpf("1e-24") * abs(expected)


def test_every_row_has_an_exact_function() -> None:
    assert {op.name for op in ROWS} <= set(FUNCTIONS)


def test_at_a_kink_there_are_two_derivatives() -> None:
    x = Value(0.0)
    _, steps = steps_of(relu(x) * 3.0)
    assert [float(d) for d in Balls(steps, 256).derivatives(0)] == [3.0, 0.0]
    _, steps = steps_of(maximum(2.0 * x, -x))
    assert [float(d) for d in Balls(steps, 256).derivatives(steps.index((None, [0.0])))] == [2.0, -1.0]


def test_where_there_is_no_derivative_there_is_no_answer() -> None:
    _, steps = steps_of(sqrt(Value(0.0)))
    with pytest.raises(UndecidedError):
        Balls(steps, 256).derivatives(0)
    with pytest.raises(UndecidedError):
        difference(steps, 0)


# ---- random graphs ---------------------------------------------------------------------------------------------------


def test_random_graphs_are_what_their_number_says() -> None:
    for number in GRAPHS[:20]:
        (nodes, steps), (_, again) = steps_of(random_graph(number)), steps_of(random_graph(number))
        assert steps == again
        small = number % 2 or kind_of(number) is EXTREME
        assert 1 <= sum(node.op is not None for node in nodes) <= (SMALL if small else MOST_OPERATIONS)


def test_kinds_of_random_graphs_have_their_share() -> None:
    assert Counter(map(kind_of, range(400))) == {TAME: 240, WILD: 80, EXTREME: 80}


@pytest.mark.parametrize("numbers", [range(0, 500, 5), range(4, 4004, 5)], ids=["tame and wild", "extreme"])
def test_random_graphs_have_every_row_and_share_nodes(numbers: range) -> None:
    rows = Counter[str]()
    shared = 0
    for number in numbers:
        nodes, steps = steps_of(random_graph(number))
        rows.update(node.op.name for node in nodes if node.op is not None)
        uses = Counter(x for _, operands in steps for x in operands if isinstance(x, int))
        shared += max(uses.values(), default=0) > 1
        assert all(math.isfinite(node.data) for node in nodes)
    assert min(rows[op.name] for op in ROWS) > 20
    assert shared > len(numbers) // 3


def test_extreme_graphs_have_what_hides_mistakes() -> None:
    seen = Counter[str]()
    for number in range(4, 4004, 5):
        for node in topological_order(random_graph(number)):
            inputs = [float(x) for x in node.inputs]
            literals = any(isinstance(x, float) for x in node.inputs)
            name = node.op.name if node.op is not None else "leaf"
            seen["subnormal"] += 0.0 < abs(node.data) < SMALLEST_NORMAL
            seen["underflow"] += name in ("mul", "div", "quotient") and not node.data and all(inputs)
            seen["nearly overflow"] += abs(node.data) > 1e300
            seen["overflow on the way"] += name == "sum" and math.isinf(sum(x for x in inputs if x > 0.0))
            seen["cancelled"] += name in ("logaddexp", "logsumexp") and abs(node.data) < 1e-15 < min(map(abs, inputs))
            seen["literal"] += literals and name in ("logaddexp", "atan2", "hypot", "div")
    assert min(seen.values()) >= 5, seen


def test_what_has_no_formula_in_balls_is_undecided():
    for order, decided in [(1.0, True), (2.0, False)]:
        numbers = Balls([(None, [0.7]), (None, [1.3]), ("power_derivative", [0, 1, 2.0, order])], 256).numbers
        assert (numbers[-1] is not None) is decided


def test_a_way_that_is_taken_at_one_point_only_is_undecided_by_differences() -> None:
    x = Value(0.0)
    _, steps = steps_of(where(x, x, 2.0) + x)
    with pytest.raises(UndecidedError):
        difference(steps, 0)
    _, steps = steps_of(where(Value(1.0), x * 3.0, 2.0) + x)
    assert difference(steps, steps.index((None, [0.0]))) == 4
