"""Write docs/operations.md from the table of operations: ``python docs/make_operations.py``."""

from pathlib import Path

import autograd
from autograd import Op
from autograd.symbol import input_names, rules_of

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


def table() -> str:
    """The whole page."""
    return HEAD + "\n".join(row(op) for op in autograd.OPS.values()) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("operations.md").write_text(table(), encoding="utf-8")
