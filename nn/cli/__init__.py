"""The command ``chainrule``: see the chain rule at work on an expression, and train a model, from the shell."""

from __future__ import annotations

import io
import sys

import typer

from .arguments import ExpressionCommand
from .draw import draw
from .step import step
from .train import DEFAULTS, train

app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.command(cls=ExpressionCommand)(step)
app.command(cls=ExpressionCommand)(draw)
app.command(epilog=DEFAULTS)(train)


@app.callback()
def chainrule() -> None:
    """Understand and trust backpropagation."""


def main() -> None:
    """Run the command; every error that a user can cause is one line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # not every console, or file on Windows, has a sign for → or ∂
    try:
        status = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except typer.TyperException as error:
        print(f"chainrule: {' '.join(error.format_message().replace('Value error, ', '').split())}", file=sys.stderr)
        sys.exit(error.exit_code)
    except (ArithmeticError, ValueError, OSError) as error:  # a training that diverged, log of a negative, a full disk
        print(f"chainrule: {error}", file=sys.stderr)
        sys.exit(1)
    except (KeyboardInterrupt, typer.Abort):
        print("chainrule: stopped", file=sys.stderr)
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)
