"""How long ``autograd.compile`` takes, recording not included: the least of several runs, for one graph.

Run as ``python benchmarks/program_compile.py GRAPH SIZE``: it prints, as JSON, the nodes, the instructions and the
seconds. ``programs.py`` runs this for each graph and size in turn.
"""

from __future__ import annotations

import json
import random
import sys
import time

import engines

import autograd
from autograd import Value

LEAST_SECONDS, LEAST_RUNS = 3.0, 3
LEVELS = 10  # of the random graph

Graph = tuple[Value, list[Value]]


def unrolled(samples: int) -> Graph:
    """The loss of the MLP of ``engines.py``, in products and sums, on so many samples: 611 nodes each."""
    start, xs, _ = engines.initial()
    layers = engines.rebuilt(start, Value)
    xs = [xs[i % len(xs)] for i in range(samples)]
    return engines.loss_of(layers, xs, xs, lambda v: v.tanh()), engines.parameters(layers)


def wide(leaves: int) -> Graph:
    """The sum of sin(p) · p."""
    ps = [Value(0.1 + i / leaves) for i in range(leaves)]
    return autograd.sum([autograd.sin(p) * p for p in ps]), ps


def irregular(width: int) -> Graph:
    """Levels of random operations on random nodes of the level before: nothing in it is a matrix."""
    rng = random.Random(0)
    binary, unary = [autograd.add, autograd.sub, autograd.mul, autograd.maximum], [autograd.sin, autograd.tanh]
    ps = level = [Value(rng.uniform(-1.0, 1.0)) for _ in range(width)]
    for _ in range(LEVELS):
        level = [
            rng.choice(unary)(rng.choice(level)) if rng.random() < 0.5 else rng.choice(binary)(*rng.choices(level, k=2))
            for _ in range(width)
        ]
    return autograd.sum(level), ps


def residual(depth: int) -> Graph:
    """A chain h = h + w · tanh(h): as deep as can be."""
    ws = [Value(0.001) for _ in range(depth)]
    h = Value(0.5)
    for w in ws:
        h = h + w * h.tanh()
    return h, ws


GRAPHS = {"unrolled": unrolled, "wide": wide, "irregular": irregular, "residual": residual}


def main() -> None:
    """Measure one graph, as the command line says."""
    output, parameters = GRAPHS[sys.argv[1]](int(sys.argv[2]))
    seconds: list[float] = []
    while len(seconds) < LEAST_RUNS or sum(seconds) < LEAST_SECONDS:
        start = time.perf_counter()
        program = autograd.compile(output, parameters=parameters)
        seconds.append(time.perf_counter() - start)
    report = program.report()
    print(json.dumps({"nodes": report.nodes, "instructions": sum(report.instructions), "seconds": min(seconds)}))


if __name__ == "__main__":
    main()
