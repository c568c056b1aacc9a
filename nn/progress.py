"""A bar that shows how far a training is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        TimeRemainingColumn(),
    ]
    with Progress(*columns, expand=True) as progress:
        bar = progress.add_task("", total=epochs, seen="loss -")

        def show(history: History) -> None:
            # A terminal has 80 columns, and the learning rate is what was asked for.
            measured = {name: number for name, number in history.rows[-1].items() if name != "learning_rate"}
            seen = ", ".join(f"{name.replace('_', ' ')} {number:.3g}" for name, number in measured.items())
            progress.update(bar, completed=history.epochs, seen=seen)

        yield show
