"""What a training has seen, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

    Array = np.ndarray[Any, np.dtype[Any]]


def counted(n: int, thing: str) -> str:
    """So many of them, in words.

    >>> counted(1, "epoch"), counted(2, "epoch")
    ('1 epoch', '2 epochs')
    """
    return f"{n} {thing}{'' if n == 1 else 's'}"


@dataclass(repr=False)
class History:
    """What a training has seen, epoch by epoch.

    ``history["loss"]`` is an array, shape (epochs,), and likewise for every name in a row: "loss" (the mean over the
    epoch's batches, as they were met), "learning_rate", "validation_loss", the name of each metric on the training
    data, and behind "validation_" on the validation data.

    Attributes:
        rows: what was seen in each epoch, by name.
        engine: "program", or "graph" with the reason: on what the steps were computed.
        interrupted: whether it was stopped (Ctrl-C) before its last epoch.
        best_epoch: the epoch, counted from 1, whose parameters the model was given at the end, if ``patience`` was set.

    >>> History([{"loss": 0.5}, {"loss": 0.25}]).loss
    array([0.5 , 0.25])
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    engine: str = "graph"
    interrupted: bool = False
    best_epoch: int | None = None

    def __repr__(self) -> str:
        losses = f", loss {self.rows[0]['loss']:.3g} to {self.rows[-1]['loss']:.3g}" if self.rows else ""
        return f"<history of {counted(self.epochs, 'epoch')}{losses}, by {self.engine}>"

    def __getitem__(self, name: str) -> Array:
        import numpy as np

        names = list(self.rows[0]) if self.rows else []
        if self.rows and name not in names:
            raise KeyError(f"{shown(name)} is not among what this history has: {', '.join(names)}")
        return np.array([row[name] for row in self.rows])

    @property
    def epochs(self) -> int:
        """The number of epochs completed."""
        return len(self.rows)

    @property
    def loss(self) -> Array:
        """The mean loss of each epoch, shape (epochs,)."""
        return self["loss"]

    @property
    def learning_rate(self) -> Array:
        """The learning rate of each epoch, shape (epochs,)."""
        return self["learning_rate"]

    @property
    def validation_loss(self) -> Array:
        """The loss on the validation data after each epoch, shape (epochs,). Raises KeyError if there were none."""
        return self["validation_loss"]

    @property
    def monitored(self) -> list[float]:
        """What schedules and early stopping go by: the validation loss, or without validation data the loss."""
        return [row.get("validation_loss", row["loss"]) for row in self.rows]

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the losses by epoch on a log axis; on new axes unless some are given."""
        from .plots import plot_loss

        return plot_loss(self, axes)
