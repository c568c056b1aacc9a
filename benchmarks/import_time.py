"""How long ``import autograd`` takes, over bare Python, and what it loads outside the standard library: nothing.

Fresh processes, one of each kind in turn, many times. Run as

    python benchmarks/import_time.py [--rounds N]

Needs nothing outside the standard library. The exit status is 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from machine import described, stay_on_one_processor, table, verdicts

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = {
    "bare Python": "",
    "import autograd": f"import sys; sys.path.insert(0, {str(ROOT)!r}); import autograd",
}
TARGET_MS = 50.0


def command(script: str, *options: str) -> list[str]:
    """A fresh Python that runs ``script``, with no settings of the environment or the user, and no site-packages."""
    return [sys.executable, "-I", "-S", *options, "-c", script]


def loaded() -> tuple[list[str], float]:
    """The modules outside the standard library that ``import autograd`` loads, and its own account in ms."""
    script = SCRIPTS["import autograd"]
    report = subprocess.run(command(script, "-X", "importtime"), check=True, stderr=subprocess.PIPE, text=True).stderr
    lines = [line.removeprefix("import time:").split("|") for line in report.splitlines() if "import time:" in line]
    times = {name.strip(): total.strip() for _, total, name in lines}
    own = {"autograd", *sys.stdlib_module_names}
    foreign = [name for name in times if name != "imported package" and name.partition(".")[0] not in own]
    return foreign, int(times["autograd"]) / 1e3


def main() -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    stay_on_one_processor()
    foreign, own_account = loaded()  # this also writes the compiled modules, where that is allowed
    seconds: dict[str, list[float]] = {kind: [] for kind in SCRIPTS}
    for _ in range(rounds):
        for kind, script in SCRIPTS.items():
            start = time.perf_counter()
            subprocess.run(command(script), check=True)
            seconds[kind].append(time.perf_counter() - start)
    more = median([ours - bare for bare, ours in zip(*seconds.values(), strict=True)]) * 1e3
    print(f"{described()}; {rounds} rounds\n")
    rows = [[kind, f"{1e3 * median(each):.1f}", f"{1e3 * min(each):.1f}"] for kind, each in seconds.items()]
    least = 1e3 * (min(seconds["import autograd"]) - min(seconds["bare Python"]))
    print(table(["process", "median ms", "least ms"], [*rows, ["more, by pairs", f"{more:.1f}", f"{least:.1f}"]]))
    print(f"\n-X importtime's own account of the import, tracing included: {own_account:.1f} ms")
    print(f"Loaded outside the standard library: {', '.join(foreign) or 'nothing'}\n")
    return verdicts(
        [
            (f"import autograd takes under {TARGET_MS:g} ms more than bare Python: {more:.1f}", more < TARGET_MS),
            ("it loads nothing outside the standard library", not foreign),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
