"""Programs side by side with array libraries, compilers and hand-written code: does scalar code reach their speed?

Four parts, each with its own tables and targets:

- ``step``: an SGD step of the 1-16-16-1 tanh MLP of ``engines.py`` on 32 samples, beside micrograd, xad, CasADi,
  PyTorch, JAX, NumPy by hand and C fused by hand (``program_peers.py``, ``sgd_step.c``);
- ``wide``: the same for 2-64-64-1 relu on 128 samples, and 784-128-32-10 with softmax cross-entropy on 64;
- ``mnist``: epochs of MNIST beside PyTorch's, and the accuracy (``program_mnist.py``); needs ``--data``;
- ``compile``: the time of ``autograd.compile``, from a thousand nodes to a million (``program_compile.py``).

The script makes a virtual environment of its own, and installs the peers and this project in it. All engines of a table
take turns in one process, in one thread, on one processor; the update of the parameters is part of a step. Run as

    python benchmarks/programs.py [--only PART ...] [--rounds N] [--data FOLDER] [--venv FOLDER]

``--venv`` keeps the environment in a folder, for the next run. ``--data`` is a folder with the four IDX files of MNIST.
Needs gcc. The exit status is 1 if a target is missed, or if engines disagree.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path
from statistics import median
from typing import Any

from machine import described, output_of, stay_on_one_processor, table, verdicts

HERE = Path(__file__).resolve().parent
PEERS = {"numpy": "", "torch": "==2.13.0", "jax": "", "casadi": "", "xad": "", "micrograd": "==0.1.0"}
DTYPES = ("float64", "float32")
PART_OF_TASK = {"1-16-16-1": "step", "2-64-64-1": "wide", "784-128-32-10": "wide"}
AGREE = {"float64": 1e-9, "float32": 1e-4}  # of the largest move of a parameter

# The most of an engine's time that a program may take, a limit below one half said as "so many times as fast". CasADi's
# and C's are those of the program that is C itself: NumPy's functions alone take more than five times C's whole step.
ON_ARRAYS = {"micrograd": 1 / 2000, "torch": 1 / 5, "jax": 1.0, "numpy by hand": 0.75}
LIMITS = {
    "step": {"program": ON_ARRAYS, "program, as C": ON_ARRAYS | {"casadi": 1 / 5, "C": 5.0}},
    "wide": {"program": {"numpy by hand": 1.0, "torch": 0.9}},
}
EPOCH_LIMIT, ACCURACY, COMPILE_SECONDS = 0.9, 0.97, 10.0

SIZES = {  # of the graphs of program_compile.py: about 1,000 to 1,000,000 nodes
    "unrolled": (2, 16, 32, 164, 1637),
    "wide": (333, 3_333, 33_333, 333_333),
    "irregular": (100, 1_000),
    "residual": (250, 2_500),
}
LINEAR = ("unrolled", "wide")  # where the targets hold
BATCH_OF_GRAPH = 32  # the samples of the unrolled graph of 20,000 nodes
MICROSECONDS_A_NODE, UNROLLED_SECONDS, LINEAR_TARGET = 10.0, 0.3, 2.0

Targets = list[tuple[str, bool]]


def installed(folder: Path) -> Path:
    """The Python of an environment in ``folder`` that has the peers and this project."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
    pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *map("".join, PEERS.items())], check=True)
    subprocess.run([*pip, "--no-deps", "-e", HERE.parent], check=True)
    return python


def child(python: Path, script: str, *arguments: object) -> Any:
    """What one of the other scripts measures, in a process of its own."""
    return json.loads(output_of([python, HERE / script, *map(str, arguments)]))


def shares(seconds: dict[str, list[float]], engine: str, program: str = "program") -> list[float]:
    """A program's time as a share of an engine's, in each round."""
    return [ours / theirs for ours, theirs in zip(seconds[program], seconds[engine], strict=True)]


def limit(engine: str, most: float, found: Sequence[float], where: str) -> tuple[str, bool]:
    """A target: a program takes at most so much of an engine's time, in the median of the rounds."""
    share = median(found)
    said = (
        f"at least {1 / most:,.0f} times as fast as {engine}: {1 / share:,.2f}"
        if most < 0.5
        else f"at most {most:g} of the time of {engine}: {share:.2f}"
    )
    return f"{where}: {said}", share <= most


def agreement(where: str, dtype: str, apart: float) -> tuple[str, bool]:
    """A target: all engines arrive at the same parameters, relative to the largest move of one."""
    return f"{where}: the same parameters, to {AGREE[dtype]:g}: {apart:.0e} apart", apart <= AGREE[dtype]


def peers(python: Path, part: str, rounds: int) -> Targets:
    """Measure and print the tables of ``step`` or ``wide``; the targets."""
    targets: Targets = []
    for task in (task for task, its_part in PART_OF_TASK.items() if its_part == part):
        for dtype in DTYPES:
            found = child(python, "program_peers.py", task, dtype, rounds)
            seconds = found["seconds"]
            rows = []
            for engine, each in seconds.items():
                times = [1 / share for share in shares(seconds, engine)]
                numbers = [1e6 * median(each), 1e6 * min(each), median(times)]
                rows.append([engine, *map("{:,.2f}".format, numbers), f"{min(times):,.2f} to {max(times):,.2f}"])
            print(f"\n{task}, {dtype}, {rounds} rounds:\n")
            print(table(["engine", "median µs a step", "least µs", "times the program's", "by round"], rows))
            targets += [
                limit(engine, most, shares(seconds, engine, program), f"{task}, {dtype}, {program}")
                for program, limits in LIMITS[part].items()
                for engine, most in limits.items()
                if engine in seconds
            ]
            targets.append(agreement(f"{task}, {dtype}", dtype, max(found["apart"].values())))
    return targets


def mnist(python: Path, data: Path | None) -> Targets:
    """Measure and print the epochs; the targets, none without the data."""
    if data is None:
        print("\nMNIST is left out: --data FOLDER says where its four IDX files are.")
        return []
    found = child(python, "program_mnist.py", data)
    print(f"\nMNIST: {found['nodes']:,} nodes; {found['record']:.2f} s record, {found['compile']:.2f} s compile")
    together = found["record"] + found["compile"]
    said = f"record and compile take under {COMPILE_SECONDS:g} s together: {together:.2f}"
    targets = [(said, together < COMPILE_SECONDS)]
    for dtype in DTYPES:
        run = found[dtype]
        seconds, (right, right_torch) = run["seconds"], run["accuracy"].values()
        ratios, apart = shares(seconds, "torch"), run["apart by epoch"]
        columns = zip(seconds["program"], seconds["torch"], ratios, right, right_torch, apart, strict=True)
        rows = [
            [str(i), f"{ours:.2f}", f"{torch:.2f}", f"{ratio:.2f}", f"{a:.2%}", f"{b:.2%}", f"{difference:.0e}"]
            for i, (ours, torch, ratio, a, b, difference) in enumerate(columns, 1)
        ]
        print(f"\n{dtype}:\n")
        print(table(["epoch", "program s", "torch s", "ratio", "program, test", "torch, test", "apart"], rows))
        targets += [
            limit("torch", EPOCH_LIMIT, ratios, f"an epoch of MNIST, {dtype}"),
            (f"{dtype}: {ACCURACY:.0%} of the test images at least: {max(right):.2%}", max(right) >= ACCURACY),
            agreement(f"MNIST, {dtype}, {run['steps']} steps", dtype, run["apart"]),
        ]
    return [*targets, agreement("MNIST, float64, all epochs", "float64", max(found["float64"]["apart by epoch"]))]


def compiling(python: Path) -> Targets:
    """Measure and print the time of ``compile``; the targets."""
    found = {
        graph: {size: child(python, "program_compile.py", graph, size) for size in sizes}
        for graph, sizes in SIZES.items()
    }
    cost = {
        graph: {size: 1e6 * row["seconds"] / row["nodes"] for size, row in by_size.items()}
        for graph, by_size in found.items()
    }
    rows = [
        [graph, f"{row['nodes']:,}", f"{row['instructions']:,}", f"{row['seconds']:.3f}", f"{cost[graph][size]:.2f}"]
        for graph, by_size in found.items()
        for size, row in by_size.items()
    ]
    print(f"\nCompiling:\n\n{table(['graph', 'nodes', 'instructions', 's', 'µs a node'], rows)}")
    seconds = found["unrolled"][BATCH_OF_GRAPH]["seconds"]
    targets = [
        (
            f"the unrolled graph of 20,000 nodes in under {UNROLLED_SECONDS:g} s: {seconds:.3f}",
            seconds < UNROLLED_SECONDS,
        )
    ]
    for graph in LINEAR:
        each = list(cost[graph].values())
        targets += [
            (f"{graph}: under {MICROSECONDS_A_NODE:g} µs a node: {max(each):.2f}", max(each) < MICROSECONDS_A_NODE),
            (
                f"{graph}: linear, a node of a million takes at most {LINEAR_TARGET:g} times as long as one of a "
                f"thousand: {each[-1] / each[0]:.2f}",
                each[-1] <= LINEAR_TARGET * each[0],
            ),
        ]
    return targets


def main() -> int:
    """Install, measure, print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ("step", "wide", "mnist", "compile")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts, metavar="PART", help=", ".join(parts))
    parser.add_argument("--rounds", type=int, default=40, help="of step and wide")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where the four IDX files of MNIST are")
    parser.add_argument("--venv", type=Path, metavar="FOLDER", help="where the environment is, or is to be kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.venv or Path(temporary)).resolve()
        python = installed(folder)
        stay_on_one_processor()
        packages = [str(path) for path in folder.glob("[Ll]ib/**/site-packages")]
        versions = {found.name: found.version for found in distributions(path=packages)}
        print(f"{described()}; {', '.join(f'{name} {versions[name]}' for name in PEERS)}")
        targets: Targets = []
        for part in ("step", "wide"):
            if part in arguments.only:
                targets += peers(python, part, arguments.rounds)
        if "mnist" in arguments.only:
            targets += mnist(python, arguments.data)
        if "compile" in arguments.only:
            targets += compiling(python)
    print()
    return verdicts(targets)


if __name__ == "__main__":
    sys.exit(main())
