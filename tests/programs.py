"""What tests of programs need: drawn networks, and whether a program gives the numbers of a graph."""

import functools
import math
import shutil
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume

import autograd as ag
from autograd import Value, certify, topological_order
from autograd.program.native import COMPILERS
from nn import MLP

NEEDS_COMPILER = pytest.mark.skipif(not any(map(shutil.which, COMPILERS)), reason="there is no C compiler")
BACKENDS = ["numpy", pytest.param("c", marks=NEEDS_COMPILER)]


def near(found: float, expected: float, radius: float = 0.0) -> bool:
    """Whether two ways of rounding the same number agree: to 1e-12, or as far as the number is certain at all."""
    both_nan = found != found and expected != expected
    return both_nan or found == expected or abs(found - expected) <= 1e-12 * abs(expected) + 4 * radius


def check(output, program, arrays, parameters):
    """A program gives the value and the gradient of a graph."""
    value, gradient = program.value_and_grad(*arrays, out=np.full_like(program.parameters, math.nan))
    nodes = set(topological_order(output))
    output.zero_grad()
    output.backward()
    certificate = functools.cache(lambda: certify(output))  # takes longer than all else, and is seldom needed
    assert near(value, output.data) or near(value, output.data, certificate().value(output).radius)
    for p, found in zip(parameters, gradient.tolist(), strict=True):
        if p in nodes:
            assert near(found, p.grad) or near(found, p.grad, certificate()[p].radius)
        else:
            assert found == 0.0


def recorded(f, inputs, parameters):
    """The Value of a drawn function at numbers and Values; the example is dropped where it is none."""
    try:
        output = f(*inputs, *parameters)
    except (ValueError, ArithmeticError):
        output = None
    assume(isinstance(output, Value) and output.op is not None)
    return output


def mlp_loss(sizes, activation="tanh", seed=0):
    """A model, its input, its target, and its squared error on one example."""
    model = MLP(sizes[0], sizes[1:], activation=activation, seed=seed)
    x, y = [Value(0.1 * i, f"x[{i}]") for i in range(sizes[0])], Value(0.3, "y")
    return model, x, y, (model(x) - y) ** 2


def random_network(rng):
    """A loss of drawn layers, with skips, shared parameters, masks and penalties; a batch; the parameters."""
    n_in = rng.randint(1, 4)
    sizes = [rng.randint(1, 4) for _ in range(rng.randint(1, 3))]
    activation = rng.choice([ag.tanh, ag.relu, ag.sigmoid, ag.softplus, ag.silu, lambda v: v])
    parameters = [Value(rng.uniform(-0.8, 0.8)) for _ in range(4 * n_in + 60)]
    if rng.random() < 0.3:
        rng.shuffle(parameters)
    kinds = [(n, rng.random() < 0.3, rng.choice(["dot", "loop", "no bias"])) for n in sizes]
    masked, shared, repeats = rng.random() < 0.3, rng.random() < 0.4, rng.choice([1, 1, 2, 3])
    head = rng.choice(["squares", "sum", "logsumexp", "cross-entropy", "product", "norm", "maximum"])
    penalty = rng.choice([None, "dot", "loop", "abs", "mixed"])

    def layer(units, n, skip, kind, place):
        out = []
        for i in range(n):
            w = [parameters[(place + j) % len(parameters)] for j in range(len(units))]
            place += len(units) + 1
            total = sum((a * b for a, b in zip(w, units, strict=True)), 0.0) if kind == "loop" else ag.dot(w, units)
            if kind != "no bias":
                total = total + parameters[(place - 1) % len(parameters)]
            out.append(activation(total) + (units[i] if skip and i < len(units) else 0.0))
        return out, place

    def loss(x, y, mask):
        units, place = [a * m for a, m in zip(x, mask, strict=True)] if masked else list(x), 0
        for _ in range(repeats):
            for n, skip, kind in kinds:
                units, place = layer(units, n, skip, kind, 0 if shared else place)
        if head == "squares":
            out = ag.sum([(u - y) ** 2 for u in units])
        elif head == "sum":
            out = ag.sum(units) * y
        elif head == "logsumexp":
            out = ag.logsumexp([*units, y])
        elif head == "cross-entropy":
            out = -ag.dot([y] * len(units), ag.log_softmax(units))
        elif head == "product":
            out = math.prod(units, start=y)
        elif head == "norm":
            center = ag.mean(units)
            spread = ag.sqrt(ag.mean([(u - center) ** 2 for u in units]) + 0.1)
            out = ag.sum([(u - center) / spread * w for u, w in zip(units, parameters, strict=False)])
        else:
            out = functools.reduce(ag.maximum, units)
        if penalty == "dot":
            out = out + 0.1 * ag.dot(parameters, parameters)
        elif penalty == "loop":
            out = out + sum(p * p for p in parameters)
        elif penalty == "abs":
            out = out + 0.3 * ag.sum([ag.abs(p) for p in parameters[:5]])
        elif penalty == "mixed":
            out = sum((p * q for p, q in pairwise(parameters[:5])), out)
        return out

    batch = rng.choice([1, 2, 5, len(parameters)])
    draw = np.random.default_rng(rng.randrange(1000))
    arrays = draw.normal(size=(batch, n_in)), draw.normal(size=batch), draw.choice([0.0, 2.0], size=(batch, n_in))
    return loss, arrays, parameters
