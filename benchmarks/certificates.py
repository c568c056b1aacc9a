"""Certificates on random graphs: does every exact number lie in its interval, how wide are they, what do they cost?

Run as

    python benchmarks/certificates.py --graphs 50000 --jobs 2

Every value and gradient that ``certify`` gives for a random graph (``tests/random_graphs.py``) is held against exact
numbers of two witnesses that share no rule with the engine (``tests/exact.py``): Arb's balls, and differences in
mpmath. Then, in one process on one processor, ``certify`` is timed beside recording and ``backward()``.

Needs python-flint and mpmath (the extra ``dev``). The exit status is 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import random
import sys
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from engines import initial, loss_of, rebuilt  # noqa: E402
from exact import Finding, by_balls, by_difference, steps_of  # noqa: E402
from machine import described, stay_on_one_processor, table, verdicts  # noqa: E402
from random_graphs import EXTREME, ROWS, SMALL, TAME, kind_of, random_graph  # noqa: E402
from scale import chain  # noqa: E402

from autograd import OPS, Interval, Value, certify  # noqa: E402

INTERIOR = 8  # nodes of a large graph whose gradient is checked, besides the leaves
WIDTH_TARGET, DIGITS_TARGET, CERTIFIED_TARGET, COST_TARGET = 20.0, 12, 0.95, 10.0
SHOWN = 20  # violations
DEAREST = "chain of silu"
KINDS = ("at most 30 operations", "31 to 200", "at most 30, wild", "31 to 200, wild", "extreme")
WITNESSES = (("Arb", "value"), ("Arb", "gradient"), ("mpmath", "gradient"))
KEYS = tuple((kind, which) for kind in KINDS for which in ("all nodes", "leaves"))


@dataclass
class Tally:
    """What was found on some graphs."""

    graphs: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str, str, bool | None]] = field(default_factory=Counter)
    widths: dict[tuple[str, str], array[float]] = field(default_factory=lambda: {key: array("d") for key in KEYS})
    digits: dict[tuple[str, str], Counter[int]] = field(default_factory=lambda: {key: Counter() for key in KEYS})
    violations: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count what another tally has."""
        self.graphs += other.graphs
        self.rows += other.rows
        self.outcomes += other.outcomes
        self.violations += other.violations
        for key in KEYS:
            self.widths[key] += other.widths[key]
            self.digits[key] += other.digits[key]


def tally_of(numbers: Iterable[int]) -> Tally:
    """Certify some random graphs, and look where the exact numbers lie."""
    tally = Tally()
    for number in numbers:
        output = random_graph(number)
        nodes, steps = steps_of(output)
        certificate = certify(output)
        leaves = [i for i, node in enumerate(nodes) if node.op is None]
        operations = len(nodes) - len(leaves)
        extreme = kind_of(number) is EXTREME
        small = operations <= SMALL
        kind = "extreme" if extreme else KINDS[(not small) + 2 * (kind_of(number) is not TAME)]
        tally.graphs[kind] += 1
        tally.rows.update(node.op.name for node in nodes if node.op is not None)
        for node in nodes:
            if node is not output:  # whose gradient is 1, exactly
                _add_width(certificate[node], tally, (kind, "all nodes"))
            if node.op is None:
                _add_width(certificate[node], tally, (kind, "leaves"))

        rng = random.Random(number)
        asked = range(len(nodes)) if small else {*leaves, *rng.sample(range(len(nodes)), INTERIOR)}
        intervals = {("value", i): certificate.value(node) for i, node in enumerate(nodes)}
        intervals |= {("gradient", i): certificate[nodes[i]] for i in asked}
        found = list(by_balls(steps, intervals))
        if not extreme:  # there the numbers are so far apart that two precisions may lose the same digits
            some = leaves if small else rng.sample(leaves, 1)
            found += [by_difference(steps, i, certificate[nodes[i]]) for i in some]
        for finding in found:
            tally.outcomes[kind, finding.witness, finding.quantity, finding.inside] += 1
            if finding.inside is False:
                tally.violations.append(_shown(number, finding, nodes[finding.node]))
    return tally


def _add_width(interval: Interval, tally: Tally, key: tuple[str, str]) -> None:
    if interval.midpoint:
        width = 2.0 * interval.radius / math.ulp(interval.midpoint)
        tally.widths[key].append(width if width < math.inf else math.inf)
        tally.digits[key][interval.digits] += 1


def _shown(number: int, finding: Finding, node: Value) -> str:
    made = "leaf" if node.op is None else f"{node.op.name}{tuple(float(x) for x in node.inputs)}"
    return (
        f"graph {number}, node {finding.node}, {made}: the {finding.quantity} is {finding.exact} by {finding.witness}, "
        f"not in {finding.interval}"
    )


# ---- cost ------------------------------------------------------------------------------------------------------------


def mlp() -> Callable[[], list[Value]]:
    """What records the loss of the 1-16-16-1 MLP of ``engines.py``, in products and sums."""
    layers, xs, ys = initial()
    values = rebuilt(layers, Value)
    return lambda: [loss_of(values, xs, ys, lambda v: v.tanh())]


def dots() -> Callable[[], list[Value]]:
    """What records the same loss with one ``dot`` a neuron."""
    layers, xs, ys = initial()
    values = rebuilt(layers, Value)
    dot, total = OPS["dot"], OPS["sum"]

    def record() -> list[Value]:
        errors = []
        for x, y in zip(xs, ys, strict=True):
            units = [x]
            for i, layer in enumerate(values):
                sums = [dot(weights, units) + bias for weights, bias in layer]
                units = [v.tanh() for v in sums] if i < len(values) - 1 else sums
            errors.append((units[0] - y) ** 2)
        return [total(errors) * (1.0 / len(xs))]

    return record


def wide(size: int) -> Callable[[], list[Value]]:
    """What records the sum of sin(x)·y over as many pairs as ``size`` operations take."""
    rng = random.Random(1)
    pairs = [(Value(rng.uniform(-3, 3)), Value(rng.uniform(-3, 3))) for _ in range(size // 2)]
    return lambda: [OPS["sum"]([x.sin() * y for x, y in pairs])]


def silus(size: int) -> Callable[[], list[Value]]:
    """What records a chain of silu, the row whose enclosure takes longest beside how fast it is recorded."""

    def record() -> list[Value]:
        x = Value(0.3)
        for _ in range(size // 2):
            x = x.silu() + 0.3
        return [x]

    return record


def random_graphs(count: int) -> Callable[[], list[Value]]:
    """What records some random graphs."""
    recipes = []
    for number in range(count):
        nodes, steps = steps_of(random_graph(number))
        recipes.append([(node.op, operands) for node, (_, operands) in zip(nodes, steps, strict=True)])

    def record() -> list[Value]:
        outputs = []
        for recipe in recipes:
            numbers: list[Any] = []
            for op, operands in recipe:
                if op is None:
                    numbers.append(Value(operands[0]))
                else:
                    numbers.append(Value.apply(op, tuple([numbers[x] if x.__class__ is int else x for x in operands])))
            outputs.append(numbers[-1])
        return outputs

    return record


def costs(rounds: int) -> dict[str, tuple[int, list[float], list[float]]]:
    """For each graph its operations, and the seconds of recording with ``backward()``, and of ``certify``, by round.

    They are those of the processor: other processes cannot fall upon one side only.
    """
    graphs = {
        "MLP, products and sums": mlp(),
        "MLP, a dot a neuron": dots(),
        "chain": (lambda build: lambda: [build()])(chain(20_000)),
        "wide": wide(20_000),
        "300 random graphs": random_graphs(300),
        DEAREST: silus(20_000),
    }
    found: dict[str, tuple[int, list[float], list[float]]] = {}
    for name, record in graphs.items():
        operations = sum(node.op is not None for output in record() for node in steps_of(output)[0])
        found[name] = operations, [], []
    for i in range(rounds + 1):
        for name, record in graphs.items():
            start = time.process_time()
            outputs = record()
            for output in outputs:
                output.backward()
            swept = time.process_time()
            certificates = [certify(output) for output in outputs]
            end = time.process_time()
            del outputs, certificates
            if i:  # the first round warms up
                found[name][1].append(swept - start)
                found[name][2].append(end - swept)
    return found


# ---- report ----------------------------------------------------------------------------------------------------------


def certified(digits: Counter[int]) -> float:
    """The share of gradients with at least so many digits as the target says."""
    return sum(count for digit, count in digits.items() if digit >= DIGITS_TARGET) / max(1, digits.total())


def containment_table(tally: Tally) -> str:
    """How many exact numbers lie inside, outside, or could not be told."""
    rows = []
    for kind in KINDS:
        cells = [kind]
        for witness, quantity in WITNESSES:
            counts = [tally.outcomes[kind, witness, quantity, inside] for inside in (True, False, None)]
            share = counts[-1] / max(1, sum(counts))
            cells.append(" / ".join(f"{count:,}" for count in counts) + f" ({share:.1%})" if any(counts) else "")
        rows.append(cells)
    witnesses = [f"{quantity}s, {witness}" for witness, quantity in WITNESSES]
    return table(["inside / outside / undecided", *witnesses], rows)


def width_table(tally: Tally) -> str:
    """How wide the gradients are that are not 0."""
    rows = []
    for key in KEYS:
        widths = sorted(tally.widths[key])
        if widths:
            places = [widths[int(share * (len(widths) - 1))] for share in (0.5, 0.9)]
            figures = [f"{place:,.1f}" if place < 1e6 else f"{place:.0e}" for place in places]
            kind, which = key
            count = f"{tally.graphs[kind]:,}"
            rows.append(
                [f"{kind}, {which}", count, f"{len(widths):,}", *figures, f"{certified(tally.digits[key]):.1%}"]
            )
    head = ["graphs", "number", "gradients not 0", "median ULP", "9 of 10 under", f"{DIGITS_TARGET} digits"]
    return table(head, rows)


def cost_table(found: dict[str, tuple[int, list[float], list[float]]]) -> str:
    """How much ``certify`` costs."""
    rows = []
    for name, (operations, swept, spent) in found.items():
        ratios = [b / a for a, b in zip(swept, spent, strict=True)]
        rows.append(
            [
                name,
                f"{operations:,}",
                f"{1e6 * median(swept) / operations:.2f}",
                f"{1e6 * median(spent) / operations:.2f}",
                f"{median(ratios):.2f}",
                f"{min(ratios):.2f} to {max(ratios):.2f}",
            ]
        )
    return table(["graph", "operations", "µs record, backward", "µs certify", "ratio", "by round"], rows)


def main() -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=50_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first graph")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9, help="of timing")
    arguments = parser.parse_args()

    start = time.perf_counter()
    numbers = range(arguments.first, arguments.first + arguments.graphs)
    chunks = [numbers[i : i + 50] for i in range(0, len(numbers), 50)]
    tally = Tally()
    with multiprocessing.Pool(arguments.jobs) as pool:
        for part in pool.imap_unordered(tally_of, chunks):
            tally.add(part)
    seconds = time.perf_counter() - start
    stay_on_one_processor()
    spent = costs(arguments.rounds)

    print(f"{described()}; {arguments.graphs:,} graphs in {seconds / 60:.1f} minutes, {arguments.jobs} job(s)\n")
    print(containment_table(tally), width_table(tally), cost_table(spent), sep="\n\n")
    counts = sorted((tally.rows[op.name], op.name) for op in ROWS)
    print("\nEvery row, by how often: " + ", ".join(f"{name} {count:,}" for count, name in counts) + "\n")
    for violation in tally.violations[:SHOWN]:
        print(violation)

    outside = len(tally.violations)
    small = KEYS[0]
    width, share = median(tally.widths[small]), certified(tally.digits[small])
    ratios = {name: median(b / a for a, b in zip(*times, strict=True)) for name, (_, *times) in spent.items()}
    worst = ratios.pop(DEAREST)
    dearest = max(ratios.values())
    return verdicts(
        [
            (f"no exact number outside its interval: {outside}", outside == 0),
            (f"every row was seen: {counts[0][0]:,} times or more", counts[0][0] > 0),
            (f"median width under {WIDTH_TARGET:g} ULP in small graphs: {width:.1f}", width < WIDTH_TARGET),
            (
                f"at least {CERTIFIED_TARGET:.0%} certified to {DIGITS_TARGET} digits in small graphs: {share:.1%}",
                share >= CERTIFIED_TARGET,
            ),
            (
                f"at most {COST_TARGET:g} times forward and backward: {dearest:.2f} ({worst:.2f} for a {DEAREST})",
                dearest <= COST_TARGET,
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
