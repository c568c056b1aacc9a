"""One SGD step of a 1-16-16-1 tanh MLP on 32 samples, written with explicit products and sums, for one engine.

Run as ``python benchmarks/engines.py ENGINE STEPS [no-collector]``: it prints, as JSON, the seconds of each step (build
the graph, backward, update all 321 parameters) and the parameters after them. With ``no-collector``, Python's cyclic
garbage collector runs between the steps, off the clock. ``sgd_step.py`` runs this for each engine in turn.
"""

from __future__ import annotations

import gc
import itertools
import json
import math
import random
import sys
import time
from collections.abc import Callable
from typing import Any

SIZES = [1, 16, 16, 1]
SAMPLES = 32
LEARNING_RATE = 0.05

Number = Any
Layers = list[list[tuple[list[Number], Number]]]


def initial() -> tuple[list[list[tuple[list[float], float]]], list[float], list[float]]:
    """The same parameters and data for every engine."""
    rng = random.Random(1)
    layers = [
        [([rng.uniform(-1, 1) / math.sqrt(n_in) for _ in range(n_in)], 0.0) for _ in range(n_out)]
        for n_in, n_out in itertools.pairwise(SIZES)
    ]
    xs = [rng.uniform(-3, 3) for _ in range(SAMPLES)]
    return layers, xs, [math.sin(x) for x in xs]


def loss_of(layers: Layers, xs: list[float], ys: list[float], tanh: Callable[[Number], Number]) -> Number:
    """The mean squared error, in products and sums: 19,000 operations."""
    total = 0.0
    for x, y in zip(xs, ys, strict=True):
        units = [x]
        for i, layer in enumerate(layers):
            outputs = []
            for weights, bias in layer:
                activation = bias
                for w, u in zip(weights, units, strict=True):
                    activation = activation + w * u
                outputs.append(tanh(activation) if i < len(layers) - 1 else activation)
            units = outputs
        error = units[0] - y
        total = total + error * error
    return total * (1.0 / SAMPLES)


def rebuilt(layers: Layers, make: Callable[[Number], Number]) -> Layers:
    """The layers with ``make`` of every parameter."""
    return [[([make(w) for w in weights], make(bias)) for weights, bias in layer] for layer in layers]


def parameters(layers: Layers) -> list[Number]:
    """All parameters, in order."""
    return [p for layer in layers for weights, bias in layer for p in (*weights, bias)]


def graph_engine(value: Callable[[float], Number], tanh: Callable[[Number], Number]) -> Callable[[int], Any]:
    """An engine with micrograd's conventions: ``data``, ``grad``, ``backward()``."""
    start, xs, ys = initial()
    layers = rebuilt(start, value)
    flat = parameters(layers)

    def step() -> None:
        loss = loss_of(layers, xs, ys, tanh)
        for p in flat:
            p.grad = 0.0
        loss.backward()
        for p in flat:
            p.data -= LEARNING_RATE * p.grad

    return timed(step, lambda: [p.data for p in flat])


def chainrule() -> Callable[[int], Any]:
    """This project."""
    from autograd import Value

    return graph_engine(Value, lambda v: v.tanh())


def micrograd() -> Callable[[int], Any]:
    """micrograd 0.1.0, which has no tanh: added in its own style."""
    from micrograd.engine import Value

    def tanh(self: Any) -> Any:
        out = Value(math.tanh(self.data), (self,), "tanh")

        def backward() -> None:
            self.grad += (1 - out.data**2) * out.grad

        out._backward = backward
        return out

    return graph_engine(Value, tanh)


def xad() -> Callable[[int], Any]:
    """xad's adjoint mode, recorded in C++; its numbers are immutable, so an update makes new ones.

    The tape is reused, as its documentation advises. A new one for every step, the pairs of methods it offers for the
    same thing, and properties in place of methods all take as long, to within a few per cent.
    """
    import xad.adj_1st as adjoint
    from xad.math import tanh

    start, xs, ys = initial()
    state = {"layers": rebuilt(start, adjoint.Real)}
    tape = adjoint.Tape()
    tape.activate()

    def step() -> None:
        tape.clearAll()
        layers = state["layers"]
        tape.registerInputs(parameters(layers))
        tape.newRecording()
        loss = loss_of(layers, xs, ys, tanh)
        tape.registerOutput(loss)
        loss.derivative = 1.0
        tape.computeAdjoints()
        state["layers"] = rebuilt(layers, lambda p: adjoint.Real(p.getValue() - LEARNING_RATE * p.getDerivative()))

    return timed(step, lambda: [p.getValue() for p in parameters(state["layers"])])


def timed(step: Callable[[], None], read: Callable[[], list[float]]) -> Callable[[int], Any]:
    """Run ``step`` a number of times; the seconds of each, and the parameters at the end."""

    def run(steps: int) -> dict[str, list[float]]:
        seconds = []
        for _ in range(steps):
            start = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - start)
            if not gc.isenabled():
                gc.collect()
        return {"seconds": seconds, "parameters": read()}

    return run


def main() -> None:
    """Run one engine, as the command line says."""
    engine = {"chainrule": chainrule, "micrograd": micrograd, "xad": xad}[sys.argv[1]]
    run = engine()
    if sys.argv[3:] == ["no-collector"]:
        gc.disable()
    print(json.dumps(run(int(sys.argv[2]))))


if __name__ == "__main__":
    main()
