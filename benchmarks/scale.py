"""Time and memory a node, from a thousand nodes to a million: recording, ``backward()`` and freeing the graph.

Two shapes: a chain (x = x·c + d over and over, as deep as can be) and a wide graph (the products and sums of the
1-16-16-1 tanh MLP of ``engines.py`` on as many samples as it takes). Run as

    python benchmarks/scale.py

Times are the least of several runs; bytes are those that Python allocated (tracemalloc), and the growth of the process
(resident memory) where it is large enough to tell. Every row is a process of its own. Needs this project, installed or
on the path, and nothing outside the standard library. The exit status is 1 if a target is missed.
"""

from __future__ import annotations

import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engines import initial, loss_of, rebuilt  # noqa: E402
from machine import described, output_of, stay_on_one_processor, table, verdicts  # noqa: E402

from autograd import Value, topological_order  # noqa: E402

SIZES = (1_000, 10_000, 100_000, 1_000_000)
LEAST_NODES_FOR_RESIDENT = 100_000
BYTES_TARGET, LINEAR_TARGET = 250, 2.0


def chain(size: int) -> Callable[[], Value]:
    """What builds a chain of ``size`` operations."""
    start, factor, term = Value(0.5), Value(0.999), Value(0.001)

    def build() -> Value:
        x = start
        for _ in range(size // 2):
            x = x * factor + term
        return x

    return build


def wide(size: int) -> Callable[[], Value]:
    """What builds the loss of an MLP on enough samples for about ``size`` operations."""
    layers, xs, _ = initial()
    values = rebuilt(layers, Value)
    samples = max(1, round(size / 611))
    xs = [xs[i % len(xs)] for i in range(samples)]
    return lambda: loss_of(values, xs, xs, lambda v: v.tanh())


SHAPES = {"chain": chain, "wide": wide}


def resident() -> int:
    """The bytes of this process that are in memory; 0 where the system does not say."""
    try:
        fields = Path("/proc/self/statm").read_text().split()
    except OSError:
        return 0
    import resource

    return int(fields[1]) * resource.getpagesize()


def measured(shape: str, size: int) -> dict[str, float]:
    """All figures of one row."""
    build = SHAPES[shape](size)

    before = resident()
    output = build()
    output.backward()
    grown = resident() - before
    operations = sum(node.op is not None for node in topological_order(output))
    del output

    best = [float("inf")] * 3
    for _ in range(max(6, 3_000_000 // size)):  # long enough to meet a quiet moment of the machine
        times = [time.perf_counter()]
        output = build()
        times.append(time.perf_counter())
        output.backward()
        times.append(time.perf_counter())
        del output
        times.append(time.perf_counter())
        best = [min(old, after - start) for old, start, after in zip(best, times, times[1:], strict=False)]

    build = SHAPES[shape](size)  # leaves without gradients
    tracemalloc.start()
    output = build()
    built = tracemalloc.get_traced_memory()[0]
    output.backward()
    swept, peak = tracemalloc.get_traced_memory()
    figures = [*(1e9 * seconds for seconds in best), built, swept, peak, grown]
    names = ["build", "backward", "free", "built", "swept", "peak", "grown"]
    return {"operations": operations} | {name: figure / operations for name, figure in zip(names, figures, strict=True)}


def main() -> int:
    """Measure and print; the exit status."""
    if len(sys.argv) == 3:
        print(json.dumps(measured(sys.argv[1], int(sys.argv[2]))))
        return 0
    stay_on_one_processor()
    found = {
        (shape, size): json.loads(output_of([sys.executable, Path(__file__).resolve(), shape, str(size)]))
        for shape in SHAPES
        for size in SIZES
    }
    print(f"{described()}\n")
    rows = [
        [
            shape,
            f"{row['operations']:,}",
            *(f"{row[name]:.0f}" for name in ("build", "backward", "free", "built", "swept", "peak")),
            f"{row['grown']:.0f}" if size >= LEAST_NODES_FOR_RESIDENT and row["grown"] else "-",
        ]
        for (shape, size), row in found.items()
    ]
    head = ["graph", "nodes", "ns build", "ns backward", "ns free", "bytes built", "bytes after backward", "peak"]
    print(table([*head, "resident"], rows))
    print()
    heaviest = max(row["swept"] for row in found.values())
    targets = [(f"under {BYTES_TARGET} bytes a node after backward: {heaviest:.0f} at most", heaviest < BYTES_TARGET)]
    for shape in SHAPES:
        small, large = (
            sum(found[shape, size][name] for name in ("build", "backward", "free")) for size in (SIZES[0], SIZES[-1])
        )
        targets.append(
            (
                f"{shape}: linear time, a node of {SIZES[-1]:,} takes at most {LINEAR_TARGET:g} times as long as one "
                f"of {SIZES[0]:,}: {large / small:.2f}",
                large <= LINEAR_TARGET * small,
            )
        )
    return verdicts(targets)


if __name__ == "__main__":
    sys.exit(main())
