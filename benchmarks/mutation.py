"""Mutation testing: is every change of the engine's code noticed by a test?

mutmut 2.5.1 changes one thing at a time (an operator, a number, a condition, an assignment, a rule) in the modules
that the gradients and their certificates rest on. A mutant that passes all tests is killed by a new test, or is
equivalent: then ``equivalent_mutants.toml`` says why. The script makes a virtual environment of its own. Run as

    python benchmarks/mutation.py [--jobs N] [--venv FOLDER] [--only PLACE]

``--venv`` keeps the environment in a folder, for the next run. ``--only`` is for a part, such as ``interval`` or
``value.Value.apply``. The exit status is 1 if a mutant survives that is not in
the list, or one is in the list that is killed. Needs a system that can fork.

mutmut 3 is not used because it mutates only what is inside functions: neither the rows of the table nor decorated
methods. Not mutated are strings (messages and documentation) and annotations, which no computation depends on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

from machine import described, table, verdicts

HERE = Path(__file__).resolve().parent
LIST = HERE / "equivalent_mutants.toml"
TESTS = {
    "ops": ["tests/test_ops.py", "tests/test_accuracy.py", "tests/test_edge_cases.py", "tests/test_past_bugs.py"],
    "value": ["tests/test_value.py", "tests/test_reverse.py", "tests/test_past_bugs.py"],
    "reverse": ["tests/test_reverse.py", "tests/test_value.py", "tests/test_derivatives.py"],
    "interval": ["tests/test_interval.py", "tests/test_certificate.py", "autograd/interval.py"],
    "certificate": ["tests/test_certificate.py", "autograd/certificate.py"],
}
TESTS["ops"] += ["tests/test_interval.py", "tests/test_certificate.py", "tests/test_symbol.py", "tests/test_docs.py"]


def installed(folder: Path) -> Path:
    """The Python of an environment in ``folder`` that has mutmut and what the tests need."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "mutmut==2.5.1", "pytest", "hypothesis", "mpmath", "python-flint", "numpy"], check=True)
    return python


def judged(python: Path, module: str, only: str, jobs: int) -> tuple[set[str], dict[str, int], float]:
    """The mutants of a module that pass its tests, how many there were of each fate, and the seconds it took."""
    command = [python, HERE / "mutants.py", module, only, str(jobs), *TESTS[module]]
    survived, said = set(), {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                said = json.loads(line)
                if "survived" in said:
                    survived.add(said["survived"])
                    print(f"survived: {said['survived']}", file=sys.stderr)
    if process.returncode:
        sys.exit(f"{module}: the tests fail as they are")
    return survived, said["counts"], said["seconds"]


def main() -> int:
    """Install, mutate, print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--venv", type=Path, metavar="FOLDER", help="where the environment is, or is to be kept")
    parser.add_argument("--only", metavar="PLACE", default="", help="a module, or a row, class or function in one")
    arguments = parser.parse_args()
    chosen, _, only = arguments.only.partition(".")
    modules = [chosen] if chosen else list(TESTS)
    groups = tomllib.loads(LIST.read_text(encoding="utf-8"))["group"]
    listed = {mutant for group in groups for mutant in group["mutants"] if mutant.startswith(arguments.only)}
    rows, found = [], set()
    with tempfile.TemporaryDirectory() as temporary:
        python = installed((arguments.venv or Path(temporary)).resolve())
        for module in modules:
            survived, counts, seconds = judged(python, module, only, arguments.jobs)
            found |= survived
            killed = [counts.get("killed", 0), counts.get("out of time", 0)]
            figures = [sum(counts.values()), *killed, len(survived & listed), len(survived - listed)]
            rows.append([f"`autograd/{module}.py`", *map(str, figures), f"{seconds / 60:.0f}"])
    print(f"{described()}; {arguments.jobs} at a time\n")
    print(table(["module", "mutants", "killed", "out of time", "equivalent", "not killed", "minutes"], rows) + "\n")
    for title, mutants in (("Not killed", found - listed), ("In the list, but killed or gone", listed - found)):
        if mutants:
            print(f"{title}:\n\n" + "\n".join(f"    {mutant}" for mutant in sorted(mutants)) + "\n")
    return verdicts(
        [
            ("every mutant that is not equivalent is killed", found <= listed),
            ("every mutant in the list of equivalents survives", listed <= found),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
