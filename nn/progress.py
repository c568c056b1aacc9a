"""A bar that shows how far a training is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import shorten
from typing import Any

from .history import History


@contextmanager
def progress_bar(epochs: int) -> Iterator[Callable[[History], None]]:
    """A bar in the terminal or the notebook, and the function that moves it to what a history has seen."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns: list[Any] = [
        TextColumn("epoch {task.completed:.0f}/{task.total:.0f}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[seen]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    ]
    with Progress(*columns, expand=True) as progress:
        bar = progress.add_task("", total=epochs, seen="loss -")
        # Where there are too many metrics for a line, the last of them are cut off, and not what is beside them.
        room = max(20, progress.console.width - len(f"epoch {epochs}/{epochs} ━ 0:00:00 "))

        def show(history: History) -> None:
            row = history.rows[-1]
            held_out = "validation_loss" in row  # where there are such data, their metrics say more
            names = [name for name in row if name == "loss" or held_out == name.startswith("validation_")]
            shown = {name.replace("validation_", "val. "): row[name] for name in names if name != "learning_rate"}
            seen = ", ".join(f"{name.replace('_', ' ')} {x:.3g}" for name, x in shown.items())
            progress.update(bar, completed=history.epochs, seen=shorten(seen, room, placeholder=" …"))

        yield show
