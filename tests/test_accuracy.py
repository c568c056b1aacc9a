"""Derivatives of every row to third order against mpmath; and what finds wrong rows, on rows that are a little wrong.

Values and first derivatives are held to the promise in ``test_operations.py``.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest

import autograd
from autograd.op import Op
from autograd.testing import oracle
from autograd.testing.accuracy import PROMISE, local_deviations, value_deviation
from autograd.testing.points import Point, points

ROWS = list(autograd.OPS)

# ---- derivatives of higher order -----------------------------------------------------------------------------------

ORDERS = (1, 2, 3)
SMOOTH_AT_0 = {"asin", "acos", "atan", "cos", "cosh", "erf", "erfc", "exp", "expm1", "gelu", "log1p", "normal_cdf"}
SMOOTH_AT_0 |= {
    "gelu_derivative",
    "normal_density",
    "sigmoid_derivative",
    "tanh_derivative",
    "silu_derivative",
    "sigmoid",
    "silu",
    "sin",
    "sinh",
    "softplus",
    "tan",
    "tanh",
}
ORDINARY: dict[str, list[Point]] = {
    "atan2": [(0.0, 1.0), (2.0, 0.0)],
    "hypot": [(3.0, 0.0), (0.0, -2.0)],
    "logaddexp": [(1.0, 1.0)],
    "logsumexp": [(1.0, 1.0, 1.0)],
    "mul": [(0.0, 0.0)],
    "pow": [(2.0, 0.0), (1.0, 1.0), (1.0, 2.5)],
    **{name: [(0.0,)] for name in SMOOTH_AT_0},
}


def moderate_points(op: Op) -> list[Point]:
    """Ordinary smooth points: some at random, away from the ends of the domain, and those where rules like to break."""
    rng = random.Random(op.name)
    found = [*ORDINARY.get(op.name, []), *[p for p in op.special if all(x == 0.0 or 0.1 < abs(x) < 50.0 for x in p)]]
    free = len(op.domain) - op.orders
    for _ in range(3):
        domain = [op.domain[0]] * 4 if op.lists else op.domain[:free]
        family = [] if op.lists else op.domain[free:]
        point = [rng.uniform(max(low + 0.2, -3.0), min(high - 0.2, 3.0)) for low, high in domain]
        found.append((*point, *[float(rng.randint(int(low), int(high))) for low, high in family]))
    return [point for point in found if op.smooth(*point)]


def along(op: Op, point: Point, i: int) -> Callable[[Any], Any]:
    """``op`` as a function of its i-th input."""

    def function(x: Any) -> Any:
        inputs = (*point[:i], x, *point[i + 1 :])
        size = len(point) // op.lists if op.lists else 0
        return op(*[inputs[k * size : (k + 1) * size] for k in range(op.lists)]) if op.lists else op(*inputs)

    return function


def backwards(function: Callable[[Any], Any], order: int) -> Callable[[Any], Any]:
    return backwards(autograd.grad(function), order - 1) if order else function


@pytest.mark.parametrize("name", ROWS)
def test_derivatives_of_order_1_to_3(name: str) -> None:
    # A higher derivative is a sum of products of the derivatives of lower order of what the rules are made of; these
    # have the size of the derivatives of the operation itself up to one order more, at lengths of about 1. So its
    # rounding errors are some dozens of 1e-16 of the greatest of those, and a wrong rule is not.
    op = autograd.OPS[name]
    for point in moderate_points(op):
        for i in range(len(point) - op.orders):
            truth = {n: oracle.exact(op, point, oracle.once(i, len(point), n)) for n in range(1, max(ORDERS) + 2)}
            for n in ORDERS:
                scale = float(max(abs(truth[m]) for m in range(1, n + 2)))
                reverse = backwards(along(op, point, i), n)(point[i])
                forward = autograd.derivative(along(op, point, i), order=n)(point[i])
                assert abs(reverse - forward) <= 1e-12 * scale, (point, i, n, reverse, forward)
                assert abs(reverse - float(truth[n])) <= 1e-12 * scale, (point, i, n, reverse, truth[n])


# ---- the tests tested ----------------------------------------------------------------------------------------------


def altered(op: Op, **fields: Any) -> Op:
    """A copy of ``op`` with other fields, outside the table."""
    return Op(**{**vars(op), **fields})


def off(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, wrong by one part in 1e12."""

    def wrong(*inputs: Any) -> Any:
        out = function(*inputs)
        return [x * (1 + 1e-12) for x in out] if isinstance(out, (list, tuple)) else out * (1 + 1e-12)

    return wrong


@pytest.mark.parametrize("name", ROWS)
def test_a_wrong_forward_is_caught(name: str) -> None:
    op = altered(autograd.OPS[name], forward=off(autograd.OPS[name].forward))
    found = (value_deviation(op, point) for point in islice(points(op), 100))
    assert any(each is not None and each.error > PROMISE for each in found)


@pytest.mark.parametrize("name", [name for name in ROWS if any(autograd.OPS[name].rules)])
def test_a_wrong_rule_is_caught(name: str) -> None:
    op = autograd.OPS[name]
    for k, rule in enumerate(op.rules):
        if rule is not None:
            wrong = altered(op, rules=(*op.rules[:k], off(rule), *op.rules[k + 1 :]))
            sample = islice(points(op), 100)
            assert any(each is not None and each.error > PROMISE for p in sample for each in local_deviations(wrong, p))
