"""One gradient checker, on functions in which the derivative of one operation is wrong by a known factor.

Run as ``python benchmarks/checkers.py CHECKER POINTS SOUND_POINTS``: it prints, as JSON, the version, the values and
gradients of all functions with a right derivative and with a halved one, and of how many checks the checker complained.
``gradient_checks.py`` runs this for each checker in turn, in an environment of its own, and compares.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

SEED = 1

Number = Any
Operation = Callable[..., Number]
Point = tuple[float, ...]


class Example(NamedTuple):
    """A function of the operation ``op``, which may be wrong, and of sound ones ``o``; the range of each input."""

    op: str
    of: Callable[..., Number]
    ranges: Sequence[tuple[float, float]]


REAL, POSITIVE = (-2.0, 2.0), (0.2, 2.0)

# Each operation alone, then within a function.
# fmt: off
EXAMPLES = [
    Example("add",      lambda op, o, x, y: op(x, y),                           [REAL, REAL]),
    Example("mul",      lambda op, o, x, y: op(x, y),                           [REAL, REAL]),
    Example("div",      lambda op, o, x, y: op(x, y),                           [REAL, POSITIVE]),
    Example("pow",      lambda op, o, x, y: op(x, y),                           [POSITIVE, REAL]),
    Example("sqrt",     lambda op, o, x: op(x),                                 [POSITIVE]),
    Example("exp",      lambda op, o, x: op(x),                                 [REAL]),
    Example("log",      lambda op, o, x: op(x),                                 [POSITIVE]),
    Example("sin",      lambda op, o, x: op(x),                                 [REAL]),
    Example("cos",      lambda op, o, x: op(x),                                 [REAL]),
    Example("tanh",     lambda op, o, x: op(x),                                 [REAL]),
    Example("sigmoid",  lambda op, o, x: op(x),                                 [REAL]),
    Example("softplus", lambda op, o, x: op(x),                                 [REAL]),
    Example("erf",      lambda op, o, x: op(x),                                 [REAL]),
    Example("add",      lambda op, o, x, y, z: o.tanh(op(x * y, z)),            [REAL, REAL, REAL]),
    Example("mul",      lambda op, o, x, y, z: o.sin(op(x, y)) + z,             [REAL, REAL, REAL]),
    Example("div",      lambda op, o, x, y: op(x, 1.0 + y * y),                 [REAL, REAL]),
    Example("pow",      lambda op, o, x, y, z: op(x, y) * o.log(z),             [POSITIVE, REAL, POSITIVE]),
    Example("sqrt",     lambda op, o, x, y: op(x * x + y * y),                  [REAL, REAL]),
    Example("exp",      lambda op, o, x, y: y * op(-(x * x)),                   [REAL, REAL]),
    Example("log",      lambda op, o, x: op(1.0 + o.exp(x)),                    [REAL]),
    Example("sin",      lambda op, o, x, y, z: op(x) * o.exp(y) / z,            [REAL, REAL, POSITIVE]),
    Example("cos",      lambda op, o, x, y: o.sqrt(2.0 + op(x * y)),            [REAL, REAL]),
    Example("tanh",     lambda op, o, x, w, b: op(w * x + b),                   [REAL, REAL, REAL]),
    Example("sigmoid",  lambda op, o, x, b: x * op(b * x),                      [REAL, REAL]),
    Example("softplus", lambda op, o, x, y, z: z * op(x - y),                   [REAL, REAL, REAL]),
    Example("erf",      lambda op, o, x: 0.5 * x * (1.0 + op(x / 2.0**0.5)),    [REAL]),
]

# Right rules where differences are hard to take: large and small inputs, steep functions, flat ones, cancellation.
HARD = [
    Example("add",      lambda op, o, x: op(x, 1e8) - 1e8,                      [(0.5, 1.0)]),
    Example("mul",      lambda op, o, x: op((x + 1e8) - 1e8, (x + 1e8) - 1e8),  [(0.5, 1.0)]),
    Example("mul",      lambda op, o, x, y: op(x, x) - y * y,                   [(1e4, 1.001e4), (1e4, 1.001e4)]),
    Example("mul",      lambda op, o, x, y: op(x, y),                           [(1e7, 1e8), (1e7, 1e8)]),
    Example("div",      lambda op, o, x, y: op(x, y),                           [REAL, (1e-4, 1e-3)]),
    Example("pow",      lambda op, o, x, y: op(x, y),                           [(20.0, 40.0), (5.0, 8.0)]),
    Example("sqrt",     lambda op, o, x: op(x),                                 [(1e-6, 1e-4)]),
    Example("sqrt",     lambda op, o, x: op(x),                                 [(1e8, 1e10)]),
    Example("exp",      lambda op, o, x: op(x),                                 [(19.0, 21.0)]),
    Example("exp",      lambda op, o, x: op(x),                                 [(-21.0, -19.0)]),
    Example("log",      lambda op, o, x: op(x),                                 [(1e-6, 1e-4)]),
    Example("log",      lambda op, o, x: op(x),                                 [(1.0 - 1e-6, 1.0 + 1e-6)]),
    Example("sin",      lambda op, o, x: op(x),                                 [(math.pi - 1e-6, math.pi + 1e-6)]),
    Example("sin",      lambda op, o, x: op(x),                                 [(1e6, 1e7)]),
    Example("tanh",     lambda op, o, x: op(x),                                 [(14.0, 16.0)]),
    Example("sigmoid",  lambda op, o, x: op(x),                                 [(28.0, 32.0)]),
    Example("softplus", lambda op, o, x: op(x),                                 [(28.0, 32.0)]),
    Example("erf",      lambda op, o, x: op(x),                                 [(5.0, 6.0)]),
]
# fmt: on

# What the derivative of the operation is multiplied by, and the output of the function.
WRONG = {f"1e-{n}": (1.0 + 10.0**-n, 1.0) for n in range(14, 1, -1)} | {
    "rule = 0": (0.0, 1.0),
    "rule = 0, output × 1e-6": (0.0, 1e-6),
}


def points(example: Example, count: int) -> list[Point]:
    """The same points for every checker."""
    rng = random.Random(SEED)
    return [tuple(rng.uniform(*each) for each in example.ranges) for _ in range(count)]


class Checker(NamedTuple):
    """What a library has to say about a function of several numbers, in float64 and with its default tolerances."""

    package: str
    operations: Any
    """A namespace that has every operation by its name."""
    spoiled: Callable[[str, float], Operation]
    """An operation with its derivative multiplied by a factor, as a user of the library writes a custom rule."""
    gradient: Callable[[Callable[..., Number], Point], list[float]]
    """The value of a function and its gradient."""
    complains: Callable[[Callable[..., Number], Point], bool]


def chainrule() -> Checker:
    """This project's ``check_gradients``; the wrong operation is a row of the table with other rules."""
    import autograd

    def spoiled(name: str, factor: float) -> Operation:
        row = autograd.OPS[name]
        if factor == 1.0:
            return row
        return autograd.Op(**vars(row) | {"rules": multiplied(row.rules, factor)})

    return ours(spoiled)


def chainrule_own() -> Checker:
    """This project's ``check_gradients``; the wrong operation is a user's own: a black box where it calls math."""
    import autograd

    def spoiled(name: str, factor: float) -> Operation:
        row = autograd.OPS[name]
        return autograd.operation(f"own_{name}", row.forward, *multiplied(row.rules, factor))

    return ours(spoiled)


def multiplied(rules: Sequence[Operation], factor: float) -> tuple[Operation, ...]:
    """Rules of this project's that give ``factor`` times as much."""
    return tuple([lambda *inputs, rule=rule: factor * rule(*inputs) for rule in rules])


def ours(spoiled: Callable[[str, float], Operation]) -> Checker:
    """What the two of this project have in common."""
    import autograd
    from autograd.testing import GradientError, check_gradients

    def gradient(f: Callable[..., Number], point: Point) -> list[float]:
        value, slopes = autograd.value_and_grad(f)(*point)
        return [value, *(slopes if len(point) > 1 else [slopes])]

    def complains(f: Callable[..., Number], point: Point) -> bool:
        try:
            check_gradients(f, *point)
        except GradientError:
            return True
        return False

    return Checker("chainrule", autograd, spoiled, gradient, complains)


def torch() -> Checker:
    """``torch.autograd.gradcheck``; the wrong operation is a ``torch.autograd.Function``."""
    import torch
    from torch.autograd.gradcheck import GradcheckError

    class Operations:
        add, mul, div, pow = torch.add, torch.mul, torch.div, torch.pow
        sqrt, exp, log, sin, cos, tanh = torch.sqrt, torch.exp, torch.log, torch.sin, torch.cos, torch.tanh
        sigmoid, softplus, erf = torch.sigmoid, torch.nn.functional.softplus, torch.erf

    def tensors(point: Point) -> list[torch.Tensor]:
        return [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in point]

    def spoiled(name: str, factor: float) -> Operation:
        op = getattr(Operations, name)

        class Spoiled(torch.autograd.Function):
            @staticmethod
            def forward(context: Any, *inputs: torch.Tensor) -> torch.Tensor:
                context.save_for_backward(*inputs)
                return op(*inputs)

            @staticmethod
            def backward(context: Any, adjoint: torch.Tensor) -> tuple[torch.Tensor, ...]:
                inputs = [x.detach().requires_grad_() for x in context.saved_tensors]
                with torch.enable_grad():
                    out = op(*inputs)
                return tuple(factor * d for d in torch.autograd.grad(out, inputs, adjoint))

        return lambda *inputs: Spoiled.apply(*[torch.as_tensor(x, dtype=torch.float64) for x in inputs])

    def gradient(f: Callable[..., Number], point: Point) -> list[float]:
        inputs = tensors(point)
        value = f(*inputs)
        return [value.item(), *(d.item() for d in torch.autograd.grad(value, inputs))]

    def complains(f: Callable[..., Number], point: Point) -> bool:
        try:
            torch.autograd.gradcheck(f, tensors(point))
        except GradcheckError:
            return True
        return False

    return Checker("torch", Operations, spoiled, gradient, complains)


def jax() -> Checker:
    """``jax.test_util.check_grads`` in reverse mode; the wrong operation is a ``jax.custom_vjp``."""
    import jax
    import jax.test_util
    from jax import numpy as jnp

    jax.config.update("jax_enable_x64", True)

    class Operations:
        add, mul, div, pow = jnp.add, jnp.multiply, jnp.divide, jnp.power
        sqrt, exp, log, sin, cos, tanh = jnp.sqrt, jnp.exp, jnp.log, jnp.sin, jnp.cos, jnp.tanh
        sigmoid, softplus, erf = jax.nn.sigmoid, jax.nn.softplus, jax.scipy.special.erf

    def spoiled(name: str, factor: float) -> Operation:
        op = getattr(Operations, name)

        def backward(inputs: Any, adjoint: Number) -> tuple[Number, ...]:
            return tuple(factor * d for d in jax.vjp(op, *inputs)[1](adjoint))

        wrong = jax.custom_vjp(lambda *inputs: op(*inputs))
        wrong.defvjp(lambda *inputs: (op(*inputs), inputs), backward)
        return wrong

    def gradient(f: Callable[..., Number], point: Point) -> list[float]:
        value, slopes = jax.value_and_grad(f, argnums=tuple(range(len(point))))(*point)
        return [float(value), *map(float, slopes)]

    def complains(f: Callable[..., Number], point: Point) -> bool:
        try:
            jax.test_util.check_grads(f, tuple(map(jnp.asarray, point)), order=1, modes=["rev"])
        except AssertionError:
            return True
        return False

    return Checker("jax", Operations, spoiled, gradient, complains)


def hips() -> Checker:
    """HIPS's ``autograd.test_util.check_grads`` in reverse mode; the wrong operation is a ``primitive``."""
    import numpy
    from autograd.extend import defvjp, primitive
    from autograd.scipy import special
    from autograd.test_util import check_grads

    from autograd import numpy as anp
    from autograd import value_and_grad

    numpy.random.seed(SEED)  # it looks in random directions

    class Operations:
        add, mul, div, pow = anp.add, anp.multiply, anp.divide, anp.power
        sqrt, exp, log, sin, cos, tanh = anp.sqrt, anp.exp, anp.log, anp.sin, anp.cos, anp.tanh
        sigmoid, erf = special.expit, special.erf

        @staticmethod
        def softplus(x: Number) -> Number:
            return anp.logaddexp(0.0, x)

    def spoiled(name: str, factor: float) -> Operation:
        op = getattr(Operations, name)
        wrong = primitive(lambda *inputs: op(*inputs))

        def rule(argument: int) -> Callable[..., Any]:
            local = value_and_grad(op, argument)
            return lambda out, *inputs: lambda adjoint: adjoint * factor * local(*inputs)[1]

        defvjp(wrong, rule(0), rule(1))
        return wrong

    def gradient(f: Callable[..., Number], point: Point) -> list[float]:
        value, slopes = value_and_grad(f, tuple(range(len(point))))(*point)
        return [float(value), *map(float, slopes)]

    def complains(f: Callable[..., Number], point: Point) -> bool:
        try:
            check_grads(f, tuple(range(len(point))), modes=["rev"], order=1)(*point)
        except AssertionError:
            return True
        return False

    return Checker("autograd", Operations, spoiled, gradient, complains)


CHECKERS = {"chainrule": chainrule, "chainrule-own": chainrule_own, "torch": torch, "jax": jax, "hips": hips}


def function(checker: Checker, example: Example, factor: float, scale: float = 1.0) -> Callable[..., Number]:
    """The example's function in a library, with a derivative multiplied by ``factor`` and the output by ``scale``."""
    op, o = checker.spoiled(example.op, factor), checker.operations
    return lambda *inputs: scale * example.of(op, o, *inputs)


def complaints(checker: Checker, examples: list[Example], count: int, factor: float, scale: float) -> int:
    """Of how many checks, at so many points an example, it complains."""
    functions = [(function(checker, example, factor, scale), example) for example in examples]
    return sum(checker.complains(f, point) for f, example in functions for point in points(example, count))


def main() -> None:
    """Run one checker, as the command line says."""
    checker, few, many = CHECKERS[sys.argv[1]](), int(sys.argv[2]), int(sys.argv[3])
    functions = [(function(checker, each, factor), each) for each in EXAMPLES + HARD for factor in (1.0, 0.5)]
    result = {
        "version": version(checker.package),
        "gradients": [checker.gradient(f, point) for f, example in functions for point in points(example, few)],
        "detected": {row: complaints(checker, EXAMPLES, few, *wrong) for row, wrong in WRONG.items()},
        "alarms": complaints(checker, EXAMPLES, many, 1.0, 1.0),
        "hard alarms": complaints(checker, HARD, many, 1.0, 1.0),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
