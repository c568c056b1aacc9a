"""What the benchmarks share: the machine they run on, children on one processor, and tables."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ONE_THREAD = {
    f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "BLIS", "RAYON")
}


def described() -> str:
    """The processor, how many of them, Python and the date, in one line."""
    cores = os.cpu_count()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_processor()}, {cores} core(s), {platform.system()}, {python}, {datetime.date.today()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = facts.get("model name", platform.machine())
    return f"{name} (family {facts['cpu family']}, model {facts['model']})" if "cpu family" in facts else name


def stay_on_one_processor() -> None:
    """Keep this process and its children on one processor, where the system can do that."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def output_of(command: Sequence[str | Path]) -> str:
    """What a command prints, run with one thread and without this process's Python settings."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")} | ONE_THREAD
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its columns aligned: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * widths[0], *["-" * (width - 1) + ":" for width in widths[1:]]]
    cells = [head, rule, *rows]
    return "\n".join(
        "| " + " | ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) + " |" for row in cells
    )


def verdicts(targets: Sequence[tuple[str, bool]]) -> int:
    """Print each target and whether it is met; the exit status."""
    for target, met in targets:
        print(f"- {'met' if met else 'MISSED'}: {target}")
    return 0 if all(met for _, met in targets) else 1
