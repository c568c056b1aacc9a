"""Eleven bugs that engines have had: planted in this one, each is found by checking random expressions, and shrinks."""

import pytest
from hypothesis import Phase, find, given, settings

import autograd.reverse
from autograd import OPS, Value, exp, ge, lt, sin, topological_order
from autograd.op import Number
from autograd.ops import quotient
from autograd.testing import GradientError, check_gradients
from autograd.testing.strategies import expressions

# Few, so that each is met often in a thousand expressions.
OPERATIONS = ["add", "mul", "sub", "neg", "div", "pow", "exp", "log", "sqrt", "sin", "cos", "tanh", "erf", "relu"]
OPERATIONS += ["maximum", "where", "sum", "dot"]


def is_wrong(f) -> bool:
    try:
        check_gradients(f, *f.inputs)
    except GradientError:
        return True
    return False


def smallest(kinks):
    """The smallest expression that hypothesis finds on which the check fails, the same in every run."""
    phases = [Phase.generate, Phase.shrink]
    profile = settings(max_examples=1000, derandomize=True, database=None, deadline=None, phases=phases)
    return find(expressions(OPERATIONS, max_ops=6, kinks=kinks), is_wrong, settings=profile)


# ---- wrong rules -----------------------------------------------------------------------------------------------------

RULES = {
    "wrong sign": ("cos", "avoid", [lambda x, out: sin(x)]),
    "missing factor": ("erf", "avoid", [lambda x, out: exp(-(x * x))]),
    "swapped partials": ("div", "avoid", [*reversed(OPS["div"].rules)]),
    "1 - t * t": ("tanh", "avoid", [lambda x, out: 1 - out * out]),
    "one part in 1e12": ("exp", "avoid", [lambda x, out: out * (1 + 1e-12)]),
    "wrong tie": ("maximum", "hit", [lambda x, y, out: ge(x, y), lambda x, y, out: lt(x, y)]),
    "wrong power at zero": ("pow", "hit", [lambda x, y, out: y * quotient(out, x, 1.0), OPS["pow"].rules[1]]),
}


@pytest.mark.parametrize("bug", RULES)
def test_a_wrong_rule_is_found_in_at_most_two_operations(bug, monkeypatch):
    name, kinks, rules = RULES[bug]
    monkeypatch.setattr(OPS[name], "rules", tuple(rules))
    found = smallest(kinks)
    assert found.ops <= 2
    assert OPS[name] in {step.op for step in found.steps}


def test_a_wrong_reflected_operator_is_found_in_at_most_two_operations(monkeypatch):
    monkeypatch.setattr(Number, "__rsub__", lambda self, other: self - other)
    found = smallest("avoid")
    assert found.ops <= 2
    assert any(step.op is OPS["sub"] and isinstance(step.operands[0], float) for step in found.steps)


# ---- wrong sweeps ----------------------------------------------------------------------------------------------------


def assigning(output: Value) -> None:
    """``=`` for ``+=``: of several uses of a node, one counts."""
    adjoint = dict.fromkeys(topological_order(output), 0.0) | {output: 1.0}
    for node in reversed(adjoint):
        for x, local in zip(node.inputs, node.local_derivatives, strict=True):
            if local is not None:
                adjoint[x] = adjoint[node] * local
        node.grad += adjoint[node]


def without_duplicates(output: Value) -> None:
    """Operands are kept in a set: ``x * x`` has one."""
    adjoint = dict.fromkeys(topological_order(output), 0.0) | {output: 1.0}
    for node in reversed(adjoint):
        for x, local in dict(zip(node.inputs, node.local_derivatives, strict=True)).items():
            if local is not None:
                adjoint[x] += adjoint[node] * local
        node.grad += adjoint[node]


def stale(output: Value) -> None:
    """What an interior node is left with by the first pass is propagated by the second: 108 for 72."""
    earlier, output.grad = output.grad, 1.0
    for node in reversed(topological_order(output)):
        for x, local in zip(node.inputs, node.local_derivatives, strict=True):
            if local is not None:
                x.grad += node.grad * local
    output.grad += earlier


@pytest.mark.parametrize("backward", [assigning, without_duplicates, stale])
def test_a_wrong_sweep_is_found_in_at_most_two_operations(backward, monkeypatch):
    monkeypatch.setattr(autograd.reverse, "backward", backward)
    assert smallest("avoid").ops <= 2


# ---- no bug ----------------------------------------------------------------------------------------------------------


@given(expressions(OPERATIONS, max_ops=6) | expressions(OPERATIONS, max_ops=6, kinks="hit"))
def test_nothing_is_found_where_no_bug_is_planted(f):
    check_gradients(f, *f.inputs)
