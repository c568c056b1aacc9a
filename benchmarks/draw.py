"""How long a diagram takes: a network of 2,900 nodes to SVG, and 20,000 nodes to DOT and to whatever becomes of them.

The graphs are the losses of 1-16-16-1 tanh MLPs on several samples, in products and sums (``engines.py``), and that of
a wide MLP of ``nn`` on one sample. Run as

    python benchmarks/draw.py

Needs this project, and the packages graphviz and graphviz-pure; ``dot`` is measured where it is on the path. Times are
the least of several runs. The exit status is 1 if a target is missed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engines import initial, loss_of, rebuilt  # noqa: E402
from machine import described, stay_on_one_processor, table, verdicts  # noqa: E402

import nn  # noqa: E402
from autograd import Value, render  # noqa: E402
from autograd.draw import Diagram, draw  # noqa: E402

ROUNDS = 3
SVG_TARGET, DOT_TARGET = 2.0, 1.0


def unrolled(samples: int) -> Value:
    """The loss of the 1-16-16-1 MLP in products and sums."""
    layers, xs, _ = initial()
    xs = [xs[i % len(xs)] for i in range(samples)]
    return backed(loss_of(rebuilt(layers, Value), xs, xs, lambda v: v.tanh()))


def wide() -> Value:
    """The loss of a 20-41-41-1 MLP on one sample."""
    model = nn.MLP(20, [41, 41, 1], "tanh", seed=1)
    return backed((model([Value(i / 20) for i in range(20)]) - 1) ** 2)


def backed(loss: Value) -> Value:
    """``loss`` after backward."""
    loss.backward()
    return loss


def seconds(work: Callable[[], object]) -> float:
    """The least time that ``work`` takes."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def renderers() -> dict[str, str]:
    """The programs there are by name: the system's dot, and that of graphviz-pure."""
    first = render.find_renderer()
    with mock.patch.dict("os.environ", {"PATH": ""}):
        second = render.find_renderer()
    return {Path(program).stem: program for program in (first, second)}


def drawn(diagram: Diagram, program: str) -> float | None:
    """The seconds to SVG; None if the renderer had to be ended."""
    with mock.patch.object(render, "find_renderer", return_value=program):
        try:
            return seconds(diagram.svg)
        except TimeoutError:
            return None


def main() -> int:
    """Measure and print; the exit status."""
    stay_on_one_processor()
    programs = renderers()
    print(f"{described()}\n")
    rows, targets = [], []
    for name, loss, target in [
        ("unrolled, 4 samples", unrolled(4), SVG_TARGET),
        ("wide", wide(), SVG_TARGET),
        ("unrolled, 32 samples", unrolled(32), None),
    ]:
        for collapse in (True, False):
            diagram = draw(loss, collapse=collapse)
            source = seconds(lambda loss=loss, collapse=collapse: draw(loss, collapse=collapse))
            taken = {program: drawn(diagram, path) for program, path in programs.items()}
            shown = ["no end" if each is None else f"{each:.2f}" for each in taken.values()]
            rows.append([name, f"{diagram.nodes:,}", f"{diagram.boxes:,}", f"{source:.3f}", *shown])
            if target is None:
                targets.append(
                    (f"{diagram.nodes:,} nodes, {diagram.boxes:,} boxes: DOT in {source:.2f} s", source < DOT_TARGET)
                )
            elif collapse:
                for program, each in taken.items():
                    total = source + (each or float("inf"))
                    targets.append((f"{name}, {diagram.nodes:,} nodes: {program} in {total:.2f} s", total < target))
    print(table(["graph", "nodes", "boxes", "s to DOT", *[f"s {program}" for program in programs]], rows))
    print()
    return verdicts(targets)


if __name__ == "__main__":
    sys.exit(main())
