"""Training: the mini-batch loop, and what it has seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from .engines import engine
from .losses import Loss, mse
from .modules import Module
from .optim import SGD
from .tensors import is_list

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes


class DivergedError(ArithmeticError):
    """The loss is no longer finite. The parameters are those before the batch that showed it.

    Attributes:
        epoch: the epoch in which it happened, counted from 1.
    """

    def __init__(self, epoch: int, learning_rate: float, why: str) -> None:
        super().__init__(epoch, learning_rate, why)
        self.epoch = epoch
        self._message = (
            f"training diverged in epoch {epoch}: {why}. Try a smaller learning rate than {learning_rate:g}, "
            "less momentum, inputs and targets scaled to about ±1, or another initialisation"
        )

    def __str__(self) -> str:
        return self._message


@dataclass(repr=False)
class History:
    """What a training has seen, epoch by epoch.

    Attributes:
        loss: the mean loss over each epoch's batches, as they were met; an array, shape (epochs,).
        learning_rate: the learning rate of each epoch, likewise.
        interrupted: whether it was stopped (Ctrl-C) before its last epoch.
        engine: "program", or "graph" with the reason: on what the steps were computed.
    """

    _losses: list[float] = field(default_factory=list)
    _learning_rates: list[float] = field(default_factory=list)
    interrupted: bool = False
    engine: str = "graph"

    def __repr__(self) -> str:
        losses = f", loss {self._losses[0]:.3g} to {self._losses[-1]:.3g}" if self._losses else ""
        return f"<history of {self.epochs} epochs{losses}, by {self.engine}>"

    def add(self, loss: float, learning_rate: float) -> None:
        """Take note of an epoch."""
        self._losses.append(loss)
        self._learning_rates.append(learning_rate)

    @property
    def epochs(self) -> int:
        """The number of epochs completed."""
        return len(self._losses)

    @property
    def loss(self) -> np.ndarray[Any, Any]:
        """The mean loss of each epoch, shape (epochs,)."""
        import numpy as np

        return np.asarray(self._losses)

    @property
    def learning_rate(self) -> np.ndarray[Any, Any]:
        """The learning rate of each epoch, shape (epochs,)."""
        import numpy as np

        return np.asarray(self._learning_rates)

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the loss by epoch on a log axis; on new axes unless some are given."""
        from .plots import plot_loss

        return plot_loss(self, axes)


def fit(
    model: Module,
    xs: Sequence[Any],
    ys: Sequence[Any],
    *,
    epochs: int = 100,
    batch_size: int | None = 32,
    loss: Loss = mse,
    optimizer: SGD | None = None,
    seed: int = 0,
    on_epoch: Callable[[History], None] | None = None,
    eager: bool = False,
) -> History:
    """Train ``model`` by mini-batch gradient descent (Goodfellow et al., *Deep Learning*, alg. 8.1).

    Each epoch shuffles the n samples and walks through them in ⌈n / batch_size⌉ batches, the last of which may be
    smaller; each batch makes one step.

    Args:
        model: called on each sample, a list of numbers (a sample that is one number is put in a list).
        xs: n samples, each a number or a list of numbers.
        ys: n targets, each as the model gives them.
        epochs: how often all samples are seen.
        batch_size: samples a step; 1 is stochastic, None (all of them) is full batch.
        loss: a function of a batch's predictions and targets.
        optimizer: moves the parameters; ``SGD(model.parameters())`` by default.
        seed: of the shuffling.
        on_epoch: called after each epoch with the history so far.
        eager: record the graph of every batch. By default that of one example is compiled (``autograd.compile``) and
            trained on arrays, which is far quicker, with the same numbers to rounding. The graph is used where the loss
            of a batch is neither the mean nor the sum of its examples' (some of them, spread over all, are computed in
            both ways), where Python looks at a number (``if``, ``max``, ``==``), and where the optimiser steps in a way
            of its own: ``history.engine`` says. What a callback changes besides Values that the loss depends on, the
            examples included, is not seen; then pass ``eager=True``.

    Returns:
        The history. Ctrl-C ends the training, and drops the step at hand: the model keeps what it has learned, and
        the history says so.

    Raises:
        TypeError: ``xs`` or ``ys`` is no list, or ``model`` or ``loss`` no function.
        ValueError: there are no samples, or not one target a sample, or a size is not positive; the loss depends on
            none of the optimiser's parameters.
        DivergedError: the loss is no longer finite.

    >>> from nn import MLP
    >>> model = MLP(1, [1])
    >>> history = fit(model, [0.0, 1.0, 2.0], [1.0, 3.0, 5.0], epochs=200, optimizer=SGD(model.parameters(), 0.1))
    >>> round(model([10.0]).data, 3)
    21.0
    """
    for what, function in (("model", model), ("loss", loss)):
        if not callable(function):
            raise TypeError(f"fit takes a {what} that can be called, got {shown(function)}")
    for what, each in (("samples", xs), ("targets", ys)):
        if not isinstance(each, Iterable):
            raise TypeError(f"fit takes a list of {what}, got {shown(each)}")
    samples, targets = map(_sequence, (xs, ys))
    if not len(samples) or len(samples) != len(targets):
        raise ValueError(f"fit needs samples and one target for each, got {len(samples)} and {len(targets)}")
    size = len(samples) if batch_size is None else batch_size
    for what, number in (("epochs", epochs), ("batch_size", size)):
        if not isinstance(number, int) or number < 1:
            raise ValueError(f"{what} must be a positive whole number, got {shown(number)}")
    if optimizer is None:
        if not isinstance(model, Module):
            raise TypeError(f"fit needs an optimiser for a model that is no nn.Module, got {shown(model)}")
        optimizer = SGD(model.parameters())
    rng = Random(seed)
    order = list(range(len(samples)))
    history = History()
    try:
        steps, history.engine = engine(model, samples, targets, loss, optimizer, eager)
        for epoch in range(1, epochs + 1):
            rng.shuffle(order)
            total = 0.0
            try:
                for start in range(0, len(order), size):
                    batch = order[start : start + size]
                    total += steps.step(batch) * len(batch)
            except OverflowError as error:
                raise DivergedError(epoch, optimizer.learning_rate, str(error)) from error
            finally:
                steps.store()
            history.add(total / len(samples), optimizer.learning_rate)
            if on_epoch is not None:
                on_epoch(history)
                steps.load()
    except KeyboardInterrupt:
        history.interrupted = True
    return history


def _sequence(xs: Any) -> Any:
    """A list, tuple or array of what was given: also of a generator, or of a table."""
    if isinstance(xs, (list, tuple)):
        return xs
    if not is_list(xs):
        return list(xs)
    import numpy as np

    return np.asarray(xs)
