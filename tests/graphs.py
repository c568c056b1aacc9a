"""What several test files need: random graphs, points at which to try an operation, naive references."""

from __future__ import annotations

import math
import operator
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st

from autograd import OPS, Op, Value

ROOT = Path(__file__).resolve().parent.parent
BESIDE = ROOT.parent / "shared" / "data" / "mnist"
MNIST = BESIDE if BESIDE.is_dir() else ROOT / "notebooks" / "mnist"
NO_MNIST = "there is no folder notebooks/mnist with the files of MNIST"
OPERATORS = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv}
OPERATORS |= {"neg": operator.neg, "pow": operator.pow, "lt": operator.lt, "ge": operator.ge}


# ---- how much is tested ----------------------------------------------------------------------------------------------


QUICK = settings.get_current_profile_name() == "quick"


def large(size: int) -> int:
    """``size``, or a tenth of it in the quick profile, which is still far beyond what recursion would reach."""
    return size // 10 if QUICK else size


def not_quick(why: str) -> None:
    """Skip the test in the quick profile; CI does not."""
    if QUICK:
        pytest.skip(f"{why}: CHAINRULE_PROFILE=full")


# ---- calling operations ----------------------------------------------------------------------------------------------


def call(op: Op, inputs: Any) -> Any:
    """``op`` on a flat row of inputs, whether it takes single inputs or lists; by its operator if it has one."""
    if op.lists:
        size = len(inputs) // op.lists
        return op(*[inputs[i * size : (i + 1) * size] for i in range(op.lists)])
    if any(isinstance(x, Value) for x in inputs):
        return OPERATORS.get(op.name, op)(*inputs)
    return op(*inputs)


def same(x: float, y: float) -> bool:
    """Equal to the bit, the sign of a zero included; nan is nan."""
    return repr(float(x)) == repr(float(y))


# ---- a graph that everybody knows ------------------------------------------------------------------------------------


def micrograds_expression(a: Value, b: Value) -> Value:
    """The example of micrograd's README."""
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


# ---- random graphs ---------------------------------------------------------------------------------------------------

_UNARY = "neg abs exp log1p sqrt sin cos tanh atan sigmoid softplus softsign relu leaky_relu elu silu gelu erf erfc"
_BINARY = "add sub mul div pow maximum minimum hypot logaddexp lt ge"
_STEPS = [OPS[name] for name in f"{_UNARY} {_BINARY} {_BINARY} where sum dot logsumexp".split()]


@dataclass
class Recipe:
    """How to compute numbers from numbers: it runs on floats, Values and duals alike.

    A step is an operation with its operands, each the index of an earlier number or a literal.
    """

    leaves: list[float]
    steps: list[tuple[Op, list[int | float]]]

    def run(self, leaves: list[Any]) -> list[Any]:
        """All numbers, the leaves first."""
        numbers = list(leaves)
        for op, operands in self.steps:
            numbers.append(call(op, [numbers[x] if isinstance(x, int) else x for x in operands]))
        return numbers

    def output(self, *leaves: Any) -> Any:
        """The sum of the last two numbers, so that there is a node of two uses at the end."""
        numbers = self.run(list(leaves))
        return numbers[-1] * 0.5 + numbers[-2] * numbers[-1]

    def values(self) -> list[Value]:
        """The leaves as Values, named x0, x1 and so on."""
        return [Value(x, f"x{i}") for i, x in enumerate(self.leaves)]


@st.composite
def recipes(draw: Any, most_steps: int = 25) -> Recipe:
    """Random computations whose numbers, and local derivatives, stay below about 1000."""
    leaves = draw(st.lists(st.floats(-3, 3, width=32), min_size=2, max_size=4))
    recipe = Recipe(leaves, [])
    numbers = list(leaves)
    literals = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0])
    for _ in range(draw(st.integers(2, most_steps))):
        op = draw(st.sampled_from(_STEPS))
        arity = op.arity or op.lists * draw(st.integers(1, 3))
        operands = [draw(st.integers(-4, -1)) % len(numbers) for _ in range(arity)]
        if arity > 1 and draw(st.booleans()):
            operands[draw(st.integers(0, arity - 1))] = draw(literals)
        inputs = [numbers[x] if isinstance(x, int) else x for x in operands]
        if not _is_tame(op, inputs):
            op, operands = OPS["tanh"], [len(numbers) - 1]
            inputs = [numbers[-1]]
        recipe.steps.append((op, operands))
        numbers.append(call(op, inputs))
    return recipe


def _is_tame(op: Op, inputs: list[float]) -> bool:
    try:
        value = Op.__call__(op, *_in_lists(op, [Value(x) for x in inputs]))
    except (ValueError, ArithmeticError):
        return False
    return all(abs(x) < 1000 for x in (value.data, *value.local_derivatives) if x is not None)


def _in_lists(op: Op, inputs: list[Any]) -> list[Any]:
    if not op.lists:
        return inputs
    size = len(inputs) // op.lists
    return [inputs[i * size : (i + 1) * size] for i in range(op.lists)]


def naive_adjoints(output: Value, magnitude: Any = float) -> dict[Value, float]:
    """∂output/∂node by recursion over all paths with memory: a second implementation, with nothing of the engine's.

    With ``magnitude=abs`` it is the sum of the magnitudes of all contributions, which bounds the rounding.
    """
    uses: dict[Value, list[tuple[Value, float]]] = {output: []}
    pending = [output]
    while pending:
        node = pending.pop()
        for x, local in zip(node.inputs, node.local_derivatives, strict=True):
            if isinstance(x, Value):
                if x not in uses:
                    uses[x] = []
                    pending.append(x)
                if local is not None:
                    uses[x].append((node, magnitude(local)))
    known = {output: 1.0}

    def adjoint(node: Value) -> float:
        if node not in known:
            known[node] = math.fsum(adjoint(user) * local for user, local in uses[node])
        return known[node]

    return {node: adjoint(node) for node in uses}


# ---- points of an operation ------------------------------------------------------------------------------------------


@st.composite
def points(draw: Any, op: Op) -> list[float]:
    """Inputs in the domain of ``op`` where it is smooth; an input without a rule is drawn whole (an order, a choice).

    They are multiples of 1/64, so that rounding does not blow up next to a kink or a pole.
    """
    domain = op.domain if not op.lists else [each for each in op.domain for _ in range(3)]
    rules = op.rules * (len(domain) if op.lists else 1)
    point = []
    for (lowest, highest), rule in zip(domain, rules, strict=True):
        step = 64 if rule is not None else 1
        low, high = max(lowest, -3.0) * step, min(highest, 3.0) * step
        point.append(draw(st.integers(math.ceil(low), math.floor(high))) / step)
    assume(op.smooth(*point) and is_defined(op, point))
    return point


def is_defined(op: Op, point: list[float]) -> bool:
    try:
        call(op, point)
    except (ValueError, ZeroDivisionError, OverflowError):
        return False
    return True


# ---- other processes -------------------------------------------------------------------------------------------------


def python(code: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a Python of its own, with this repository first on its path."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True, env=env, check=False)
