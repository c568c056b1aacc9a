"""Write docs/operations.md from the table of operations: ``python docs/make_operations.py``. It takes two minutes."""

import platform
from pathlib import Path

import autograd
from autograd import Op
from autograd.symbol import input_names, rules_of
from autograd.testing import OperationReport, check_operation

HEAD = """# Operations

Made from the table in `autograd/ops.py` by `python docs/make_operations.py`; do not edit.

Each row is a function of `autograd` that takes floats, Values and dual numbers; those of one input are methods of
`Value` too. The local derivatives are the rules themselves, printed; `out` is the operation's result. 0 means that
nothing flows back. How each behaves at its kinks and ends is in [edge-cases.md](edge-cases.md).

| operation | what it is | local derivatives |
| --- | --- | --- |
"""


def row(op: Op) -> str:
    """One line of the table."""
    if op.lists:
        letters = "xy"[: op.lists]
        called = f"{op.name}({', '.join(f'[{x}1, {x}2]' for x in letters)})"
        names, shown = [f"{x}1" for x in letters], rules_of(op)[::2]
    else:
        names, shown = input_names(op), rules_of(op)
        called = f"{op.name}({', '.join(names)})"
    rules = "<br>".join(f"∂{name}: `{rule}`" for name, rule in zip(names, shown, strict=True))
    return f"| `{called}` | {op.__doc__} | {rules} |".replace("|x|", "\\|x\\|")


ASSUMED = """
## What certificates assume

`certify` takes the values of these operations, at floats, to be within so much of the exact ones. For `exp` that is an
assumption about the C library, and the tests measure it on the machine at hand; κ is the condition number. Arithmetic
is rounded as IEEE 754 says, and of all other rows no more is assumed than what is promised below.

| error | operations |
| --- | --- |
"""


def assumed() -> str:
    """The second table."""
    rows: dict[str, list[str]] = {}
    for op in sorted(autograd.OPS.values(), key=lambda op: (op.turns is None, op.ulps)):
        if op.ulps != 4.0:
            error = f"{op.ulps:g} ULP" + "·max(1, κ)" * (op.turns is None)
            rows.setdefault(error, []).append(f"`{op.name}`")
    return ASSUMED + "\n".join(f"| {error} | {', '.join(names)} |" for error, names in rows.items()) + "\n"


def table() -> str:
    """The part of the page that is the same on every machine."""
    return HEAD + "\n".join(row(op) for op in autograd.OPS.values()) + "\n" + assumed()


# ---- how accurate ----------------------------------------------------------------------------------------------------

POINTS = 200
MEASURED = f"""
## How accurate

The greatest errors of the value and of the local derivatives against numbers of many digits, found by
`autograd.testing.check_operation` at {POINTS} points of each row's whole domain: its ends, its special points, and
floats of all sizes. The unit is an ULP, the distance between neighbouring floats. Where the table says so, errors above
4 ULP are divided by the condition number κ of what is computed, or those of values are in ULP of the sum of the terms'
magnitudes. At most 4 are promised, and the tests hold every row to it.
The figures are those of one machine (they depend on its C library): {{}}.

| operation | unit | value | local derivatives |
| --- | --- | --- | --- |
"""


def measured() -> str:
    """The rest of the page."""
    library = f"Python {platform.python_version()}, {' '.join(platform.libc_ver()) or platform.system()}"
    lines = [figures(check_operation(op, points=POINTS)) for op in autograd.OPS.values()]
    return MEASURED.format(library) + "\n".join(lines) + "\n"


def figures(report: OperationReport) -> str:
    """One line of the last table."""
    local = max(worst.error for worst in report.local_derivatives.values())
    return f"| `{report.name}` | {report.unit} | {report.value.error:.2f} | {local:.2f} |"


if __name__ == "__main__":
    Path(__file__).with_name("operations.md").write_text(table() + measured(), encoding="utf-8")
