"""``chainrule draw``: the graph of an expression as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from autograd import draw as diagram_of

from .arguments import Expression, Leaves, UsageError, recorded, writing


def draw(
    expression: Expression,
    leaves: Leaves = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The file: .svg, .png or .pdf, or .dot for the DOT text.")
    ] = Path("graph.svg"),
    rankdir: Annotated[
        Literal["LR", "TB", "RL", "BT"], typer.Option(help="The direction: LR is from left to right, TB from the top.")
    ] = "LR",
    color: Annotated[Literal["data", "grad"] | None, typer.Option(help="What the boxes are coloured by.")] = None,
) -> None:
    """Draw the graph of an expression.

    Each node shows its value and its gradient.

    Example: chainrule draw "tanh(w*x + b)" w=-3 x=2 b=6.5 -o graph.svg
    """
    value = recorded(expression, leaves)
    value.backward()
    diagram = diagram_of(value, rankdir=rankdir, color=color)
    try:
        with writing(out):
            diagram.save(out)
    except ValueError as error:  # the ending of its name
        raise UsageError(str(error)) from None
    except RuntimeError as error:  # no renderer
        raise typer.TyperException(str(error)) from None
    print(f"diagram: {out}")
