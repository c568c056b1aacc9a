"""What four gradient checkers detect: this project's, PyTorch's, JAX's and HIPS autograd's, on the same functions.

In each function the derivative of one operation is wrong by a known factor, or right (``checkers.py``). The script
makes a virtual environment for each checker, runs it there with its default tolerances, and makes sure that all compute
the same functions. Run as

    python benchmarks/gradient_checks.py [--points N] [--sound-points N] [--venvs FOLDER]

``--venvs`` keeps the environments in a folder, for the next run. The exit status is 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

from checkers import EXAMPLES, HARD, WRONG
from machine import described, output_of, table, verdicts

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = {
    "chainrule": ["mpmath"],
    "torch": ["torch==2.13.0", "numpy"],
    "jax": ["jax"],
    "autograd": ["autograd", "scipy"],
}
CHECKERS = {  # what runs in which environment, named by its package, and the head of its column
    "chainrule": ("chainrule", "check_gradients"),
    "chainrule-own": ("chainrule", "a user's operation"),
    "torch": ("torch", "torch gradcheck"),
    "jax": ("jax", "jax check_grads"),
    "hips": ("autograd", "HIPS check_grads"),
}
TARGETS = [f"1e-{n}" for n in range(12, 1, -1)] + [row for row in WRONG if row.startswith("rule")]
SAME = 1e-12

Results = dict[str, dict[str, Any]]


def installed(name: str, folder: Path) -> Path:
    """The Python of an environment in ``folder`` that has what one checker needs."""
    python = folder / name / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(folder / name, with_pip=True)
    pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *ENVIRONMENTS[name]], check=True)
    if name == "chainrule":
        subprocess.run([*pip, "--no-deps", "-e", HERE.parent], check=True)
    return python


def measured(folder: Path, points: int, sound_points: int) -> Results:
    """What each checker found, and the seconds it took; all must compute the same values and gradients."""
    pythons = {name: installed(name, folder) for name in ENVIRONMENTS}
    results: Results = {}
    for checker, (environment, _) in CHECKERS.items():
        command = [pythons[environment], "-I", HERE / "checkers.py", checker, str(points), str(sound_points)]
        start = time.perf_counter()
        results[checker] = json.loads(output_of(command)) | {"seconds": time.perf_counter() - start}
        expected = next(iter(results.values()))["gradients"]
        if not all(same(xs, ys) for xs, ys in zip(expected, results[checker]["gradients"], strict=True)):
            sys.exit(f"{checker} computes other values or gradients")
    return results


def same(xs: list[float], ys: list[float]) -> bool:
    """Whether two lists of numbers agree, to ``SAME`` of the number or of 1."""
    return all(abs(x - y) <= SAME * max(1.0, abs(x), abs(y)) for x, y in zip(xs, ys, strict=True))


def shown(results: Results, checks: int, sound: int, hard: int) -> str:
    """The table: errors down, checkers across."""
    found = results.values()
    rows = [[row, *(percent(each["detected"][row], checks) for each in found)] for row in WRONG]
    rows.append(["no error: false alarms", *(f"{each['alarms']:,} of {sound:,}" for each in found)])
    rows.append(["no error, hard points", *(f"{each['hard alarms']:,} of {hard:,}" for each in found)])
    total = len(WRONG) * checks + sound + hard
    rows.append(["ms a check", *(f"{1e3 * each['seconds'] / total:.1f}" for each in found)])
    return table(["error in one rule", *(CHECKERS[checker][1] for checker in results)], rows)


def percent(part: int, whole: int) -> str:
    """A share of the checks: 100% are all of them, and 0% none."""
    return f"{part / whole:.0%}" if part in (0, whole) else f"{min(max(100 * part / whole, 0.1), 99.9):.1f}%"


def main() -> int:
    """Install, measure, print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=20, help="at which each function is checked, for each error")
    parser.add_argument("--sound-points", type=int, default=50, help="at which each function is checked without one")
    parser.add_argument("--venvs", type=Path, metavar="FOLDER", help="where the environments are, or are to be kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.venvs or Path(temporary)).resolve()
        results = measured(folder, arguments.points, arguments.sound_points)
    checks = arguments.points * len(EXAMPLES)
    sound, hard = (arguments.sound_points * len(examples) for examples in (EXAMPLES, HARD))
    versions = {CHECKERS[checker][0]: each["version"] for checker, each in results.items()}
    print(f"{described()}; {', '.join(map(' '.join, versions.items()))}; {checks} checks of each error\n")
    print(f"{shown(results, checks, sound, hard)}\n")
    print(f"All compute the same values and gradients, to {SAME:g}, with a right derivative and with a halved one.\n")
    missed = [row for row in TARGETS if results["chainrule"]["detected"][row] < checks]
    alarms = [results[ours]["alarms"] + results[ours]["hard alarms"] for ours in ("chainrule", "chainrule-own")]
    return verdicts(
        [
            (
                f"every error of 1e-12 and more is detected, and every rule that is 0; missed: {missed or 'none'}",
                not missed,
            ),
            (f"no false alarm in {sound + hard:,} checks, nor of a user's operation: {alarms}", not any(alarms)),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
