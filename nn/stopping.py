"""Early stopping: a training ends when it gets no better, and the model is given what was best (Prechelt 1998)."""

from __future__ import annotations

from collections.abc import Sequence

from autograd import Value

from .history import History


class Best:
    """The numbers of the best epoch so far, which is that of the smallest monitored loss, the first of equals.

    Args:
        values: what a training changes: parameters and running statistics.
        patience: after so many epochs that were not the best the training is over; None is never, and nothing is kept.
    """

    def __init__(self, values: Sequence[Value], patience: int | None) -> None:
        self.values, self.patience = values, patience
        self.numbers: list[float] = []

    def see(self, history: History) -> None:
        """Keep the numbers if the last epoch was the best."""
        if self.patience is not None and self._epoch(history) == history.epochs:
            self.numbers = [value.data for value in self.values]

    def is_over(self, history: History) -> bool:
        """Whether the best epoch is so long ago."""
        return self.patience is not None and history.epochs - self._epoch(history) >= self.patience

    def restore(self, history: History) -> None:
        """Give the values the numbers of the best epoch, and the history its number."""
        if self.patience is not None and history.rows:
            for value, number in zip(self.values, self.numbers, strict=True):
                value.data = number
            history.best_epoch = self._epoch(history)

    def _epoch(self, history: History) -> int:
        losses = history.monitored
        return 1 + min(range(len(losses)), key=losses.__getitem__) if losses else 0
