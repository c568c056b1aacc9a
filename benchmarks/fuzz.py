"""Fuzzing: every public entry of ``autograd`` and ``nn``, and the command, called with what they do not take.

    python benchmarks/fuzz.py                                        all of it, counted
    python benchmarks/fuzz.py --entry autograd.grad --seed 7         one call again, with its traceback

What is called with what, and what counts as a violation, is said in ``tests/fuzzer.py``; ``tests/test_fuzz.py`` runs a
slice of it. Needs the extra ``dev``. The exit status is 1 if there is a violation, or a target is missed.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import fuzzer  # noqa: E402
from machine import described, stay_on_one_processor, table, verdicts  # noqa: E402

from autograd import Op  # noqa: E402

TARGET = 100_000
MEMORY = 8 << 30  # bytes of address space; who takes more meets a MemoryError, which is a violation


def again(name: str, seed: int) -> int:
    """One trial, told in full."""
    entry = next(entry for entry in fuzzer.entries() if entry.name == name)
    try:
        print(fuzzer.trial(entry, seed))
    except fuzzer.Violation as violation:
        traceback.print_exception(violation)
        return 1
    return 0


def group(entry: fuzzer.Entry) -> str:
    """The row of the table in which an entry is counted: its function or class, or that of all operations."""
    if isinstance(entry.function, Op):
        return "operations, called"
    if entry.name.startswith("Value."):
        return "operations, as methods"
    words = entry.name.split(" ")[0].split(".")
    modules = sum(word[0].islower() for word in words[:-1])  # what follows is a function, or a class and its method
    return ".".join(words[: modules + 1])


def main() -> int:
    """Fuzz and print; the exit status."""
    parser = argparse.ArgumentParser(description="Call everything with what nobody should call it with.")
    parser.add_argument("--trials", type=int, default=600, help="calls an entry; a tenth of slow ones")
    parser.add_argument("--entry", help="one entry, by its name")
    parser.add_argument("--seed", type=int, default=0, help="the call of --entry")
    options = parser.parse_args()
    if options.entry:
        return again(options.entry, options.seed)
    stay_on_one_processor()
    with contextlib.suppress(ImportError):  # not every system has it
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.RLIM_INFINITY))
    start = time.perf_counter()
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    violations = []
    entries = fuzzer.entries()
    for entry in entries:
        ends, found = fuzzer.run(entry, options.trials)
        counts[group(entry)].update(ends)
        violations += found
    seconds = time.perf_counter() - start
    print(f"{described()}\n")
    counts["all"] = sum(counts.values(), collections.Counter())
    shown = ["returned", "TypeError", "ValueError"]
    rows = []
    for name, ends in counts.items():
        others = ", ".join(f"{kind} {count:,}" for kind, count in ends.most_common() if kind not in shown)
        rows.append([name, *[f"{number:,}" for number in (ends.total(), *map(ends.__getitem__, shown))], others or "-"])
    print(table(["entry", "inputs", *shown, "other ends"], rows), end="\n\n")
    print(f"{len(entries)} entries, {seconds:.0f} s", end="\n\n")
    print("\n".join(violations))
    inputs = counts["all"].total()
    return verdicts(
        [
            (f"at least {TARGET:,} inputs: {inputs:,}", inputs >= TARGET),
            (f"no violation: {len(violations)}", not violations),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
