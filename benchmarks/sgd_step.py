"""A whole SGD step, side by side with micrograd 0.1.0 and xad: build the graph, backward, update.

The model is a 1-16-16-1 tanh MLP on 32 samples, written with explicit products and sums (``engines.py``). The script
makes a virtual environment of its own, installs the engines and this project in it, runs every engine in a fresh
process, in turn, several rounds, all on one processor, and checks that all arrive at the same parameters. Run as

    python benchmarks/sgd_step.py [--rounds N] [--steps N] [--venv FOLDER]

``--venv`` keeps the environment in a folder, for the next run. The exit status is 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import distributions
from pathlib import Path
from statistics import median

from machine import described, output_of, stay_on_one_processor, table, verdicts

HERE = Path(__file__).resolve().parent
ENGINES = ("chainrule", "micrograd", "xad")
MODES = {"as installed": [], "without the collector": ["no-collector"]}
WARM_UP = 3  # steps at the start of a process that do not count
MICROGRAD_TARGET, XAD_TARGET = 3.5, 1.0
TOLERANCE = 1e-9

Runs = dict[str, list[list[float]]]


def installed(folder: Path) -> Path:
    """The Python of an environment in ``folder`` that has all three engines."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
    pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "micrograd==0.1.0", "xad"], check=True)
    subprocess.run([*pip, "--no-deps", "-e", HERE.parent], check=True)
    return python


def measured(python: Path, rounds: int, steps: int, mode: list[str]) -> Runs:
    """The seconds of each step, by engine and round; every process must arrive at the same parameters."""
    runs: Runs = {engine: [] for engine in ENGINES}
    expected: list[float] | None = None
    for _ in range(rounds):
        for engine in ENGINES:
            result = json.loads(output_of([python, "-I", HERE / "engines.py", engine, str(WARM_UP + steps), *mode]))
            runs[engine].append(result["seconds"][WARM_UP:])
            expected = expected or result["parameters"]
            apart = max(abs(x - y) for x, y in zip(expected, result["parameters"], strict=True))
            if not apart <= TOLERANCE:
                sys.exit(f"{engine} arrives at other parameters: {apart} apart")
    return runs


def ratios(runs: Runs, engine: str) -> list[float]:
    """How many times chainrule's time an engine takes, in each round."""
    return [median(other) / median(ours) for other, ours in zip(runs[engine], runs["chainrule"], strict=True)]


def shown(runs: Runs, versions: dict[str, str]) -> str:
    """The table of one mode."""
    rows = []
    for engine in ENGINES:
        each = ratios(runs, engine)
        rows.append(
            [
                f"{engine} {versions[engine]}",
                f"{1e3 * median([median(seconds) for seconds in runs[engine]]):.2f}",
                f"{1e3 * min(map(min, runs[engine])):.2f}",
                f"{median(each):.2f}",
                f"{min(each):.2f} to {max(each):.2f}",
            ]
        )
    return table(["engine", "median ms a step", "least ms", "times chainrule's", "by round"], rows)


def main() -> int:
    """Install, measure, print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--venv", type=Path, metavar="FOLDER", help="where the environment is, or is to be kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.venv or Path(temporary)).resolve()
        python = installed(folder)
        stay_on_one_processor()
        packages = [str(path) for path in folder.glob("[Ll]ib/**/site-packages")]
        versions = {found.name: found.version for found in distributions(path=packages)}
        results = {mode: measured(python, arguments.rounds, arguments.steps, extra) for mode, extra in MODES.items()}
    print(f"{described()}; {arguments.rounds} rounds of {arguments.steps} steps an engine")
    for mode, runs in results.items():
        print(f"\n{mode[0].upper()}{mode[1:]}:\n\n{shown(runs, versions)}")
    print(f"\nAll arrive at the same parameters, to {TOLERANCE:g}.\n")
    micrograd, xad = (median(ratios(results["as installed"], engine)) for engine in ("micrograd", "xad"))
    return verdicts(
        [
            (f"at least {MICROGRAD_TARGET} times as fast as micrograd: {micrograd:.2f}", micrograd >= MICROGRAD_TARGET),
            (f"no slower than xad: {xad:.2f}", xad >= XAD_TARGET),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
