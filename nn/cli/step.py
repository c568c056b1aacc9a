"""``chainrule step``: the forward and the backward pass of an expression, as tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograd import Step, Stepper, Value, digits, forward_steps, steps, topological_order

from .arguments import Expression, Leaves, recorded, writing

if TYPE_CHECKING:
    from rich.table import Table

UNBROKEN = 10_000  # columns of what is not a terminal: no row is broken


def step(
    expression: Expression,
    leaves: Leaves = None,
    html: Annotated[Path | None, typer.Option(help="Write a page that steps through it to this file.")] = None,
) -> None:
    """Show backpropagation, step by step.

    Prints the forward pass, each contribution of the backward pass, and the gradients of the leaves.

    Example: chainrule step "tanh(w*x + b)" w=-3 x=2 b=6.5
    """
    value = recorded(expression, leaves)
    value.backward()
    if html:
        page = Stepper(value)
        with writing(html):
            page.save_html(html)
    _print_tables(value)
    if html:
        print(f"page: {html}")


def _print_tables(value: Value) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else UNBROKEN)
    forward, backward = [*forward_steps(value)], [*steps(value)]
    if forward:
        rows = [(each.name, each.formula, each.numbers, digits(each.data)) for each in forward]
        table = _table(["node", "formula", "numbers", "value"], rows, numbered=True)
        console.print(Text("forward", "bold"), table, "", sep="\n")
    if backward:
        columns = ["from", "to", "local derivative", "upstream", "contribution", "gradient"]
        table = _table([*columns, "why"], _backward_rows(backward), numbered=True)
        needed = console.measure(table, options=console.options.update(max_width=UNBROKEN)).maximum
        if needed > console.width:
            table = _table(columns, [row[:-1] for row in _backward_rows(backward)], numbered=True)
        console.print(Text("backward", "bold"), table, "", sep="\n")
    name = forward[-1].name if forward else value.name or "L"
    leaves = [node for node in topological_order(value) if node.op is None]
    table = _table(
        ["leaf", "data", "gradient"], [(leaf.name or name, repr(leaf.data), repr(leaf.grad)) for leaf in leaves]
    )
    console.print(Text(f"{name} = {value.data!r}", "bold"), table, sep="\n")


def _backward_rows(backward: list[Step]) -> Iterator[Sequence[str]]:
    """The cells of each step, last of all why its node comes now, which is said once a node."""
    node = None
    for step in backward:
        yield (
            step.node_name,
            step.input_name,
            _local(step),
            digits(step.upstream),
            digits(step.contribution),
            f"{digits(step.before)} → {digits(step.after)}",
            "" if step.node is node else step.reason,
        )
        node = step.node


def _local(step: Step) -> str:
    local = digits(step.local)
    if step.by_convention:
        return f"{local}, by convention"
    return local if step.formula == local else f"{step.formula} = {local}"


def _table(columns: list[str], rows: Iterable[Sequence[str]], numbered: bool = False) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    if numbered:
        table.add_column("#", justify="right", style="dim")
    for name in columns:
        table.add_column(name, overflow="fold")  # a cell may take two lines, but never loses a digit
    for i, row in enumerate(rows, start=1):
        table.add_row(*[str(i)] * numbered, *map(Text, row))  # a Text, for rich takes [x, y] in a string for a style
    return table
