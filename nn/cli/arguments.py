"""What the commands take: an expression and the numbers of its leaves, with one line for what is wrong with them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from autograd import ExpressionError, Value, parse

Expression = Annotated[
    str,
    typer.Argument(metavar="EXPRESSION", help='In quotes, such as "tanh(w*x + b)": Python with operations as calls.'),
]
Leaves = Annotated[
    list[str] | None, typer.Argument(metavar="NAME=NUMBER", help="A number for each name in it, such as x=-0.5.")
]


class UsageError(typer.TyperException):
    """Wrong options: one line, and exit status 2."""

    exit_code = 2


class ExpressionCommand(TyperCommand):
    """A command whose expression may begin with a minus sign."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put a space before such an expression: then it is the same, but does not look like an option."""
        options = {
            name: not getattr(each, "is_flag", False)
            for each in self.params
            if each.param_type_name == "option"
            for name in each.opts
        }
        spaced = [
            f" {arg}" if arg.startswith("-") and not (arg.startswith("--") or arg in options or is_value) else arg
            for arg, is_value in zip(args, [False, *[options.get(arg, False) for arg in args]], strict=False)
        ]
        return super().parse_args(ctx, spaced)


def recorded(expression: str, leaves: list[str] | None) -> Value:
    """The Value of an expression, from leaves such as ``"x=2"``. Raises UsageError."""
    numbers: dict[str, float] = {}
    for leaf in leaves or []:
        name, _, number = [unicodedata.normalize("NFKC", part.strip()) for part in leaf.partition("=")]
        if name in numbers:
            raise UsageError(f"{name} is given twice")
        try:
            numbers[name] = float(number)
        except ValueError:
            raise UsageError(f"{leaf}: a leaf is given as name=number, such as x=-0.5") from None
    try:
        return parse(expression, **numbers)
    except ExpressionError as error:
        raise UsageError(str(error)) from None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in one line why ``path`` cannot be written."""
    try:
        yield
    except TimeoutError:  # of the renderer, which is no fault of the path
        raise
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
