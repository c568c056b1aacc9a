"""Training: the mini-batch loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from random import Random
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from .checkpoints import Checkpoint, fingerprint
from .checks import check_callable, listed_callbacks, named_metrics, paired, paired_validation
from .engines import Compiled, Problem, Recorded, engine
from .history import History
from .losses import Loss, mse
from .measures import Measure, Metrics
from .modules import Module
from .optim import SGD, Optimizer
from .prediction import Predictor
from .progress import progress_bar
from .ranges import nonnegative, whole
from .schedules import Schedule
from .stopping import Best

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

Steps = Recorded | Compiled


class DivergedError(ArithmeticError):
    """The loss is no longer finite.

    The parameters are those before the batch that showed it; if it is the validation loss, those after the epoch.

    Attributes:
        epoch: the epoch in which it happened, counted from 1.

    >>> str(DivergedError(3, learning_rate=0.5, why="the loss is inf"))[:66]
    'training diverged in epoch 3: the loss is inf. Try a smaller learn'
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


def fit(
    model: Module,
    xs: Iterable[Any],
    ys: Iterable[Any],
    *,
    epochs: int = 100,
    batch_size: int | None = 32,
    loss: Loss = mse,
    optimizer: Optimizer | None = None,
    schedule: Schedule | None = None,
    penalty: Callable[[Module], Any] | None = None,
    augment: Callable[[Array, np.random.Generator], Array] | None = None,
    validation: tuple[Iterable[Any], Iterable[Any]] | None = None,
    metrics: Metrics | None = None,
    patience: int | None = None,
    callbacks: Iterable[Callable[[History], Any]] = (),
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    seed: int = 0,
    eager: bool = False,
) -> History:
    """Train ``model`` by mini-batch gradient descent (Goodfellow et al., *Deep Learning*, alg. 8.1).

    Each epoch shuffles the n samples and walks through them in ⌈n / batch_size⌉ batches, the last of which may be
    smaller; each batch makes one step. The model is in training meanwhile, and in evaluation afterwards.

    Args:
        model: called on each sample, a list of numbers (a sample that is one number is put in a list).
        xs: n samples, each a number or a list of numbers.
        ys: n targets, each as the model gives them.
        epochs: how often all samples are seen.
        batch_size: samples a step; 1 is stochastic, None (all of them) is full batch.
        loss: a function of a batch's predictions and targets.
        optimizer: moves the parameters; ``SGD(model.parameters())`` by default.
        schedule: a function of the epoch, counted from 0, and of the losses so far (the validation loss of each epoch
            if there are validation data), by which the optimiser's learning rate is multiplied in that epoch.
        penalty: a function of the model that is added to the loss of every batch, such as
            ``lambda model: 0.001 * nn.penalties.l2(model)``.
        augment: a function of the samples of a batch, an array (B, k), and a NumPy generator, that gives samples to be
            learned from in their place.
        validation: samples and targets that are not learned from; their loss is measured after every epoch.
        metrics: functions of predictions and targets, arrays (n,) or (n, k), by name; measured after every epoch on the
            training data and on the validation data.
        patience: end the training when the validation loss (the loss, if there are no validation data) has not been
            smaller than ever for so many epochs; in the end the model is given the parameters of the best epoch
            (early stopping; Prechelt 1998).
        callbacks: called after each epoch with the history so far; one that returns True ends the training.
        progress: whether to show a progress bar.
        checkpoint: a file that is written after every epoch; if it is there, the training goes on where it ended, to
            the same numbers. It holds parameters, optimiser, learning rate and history; give the same data and settings
            again (only ``epochs`` may be others), and callbacks that keep nothing to themselves. A training that a
            callback has ended stays ended.
        seed: of the shuffling, of dropout, and of the generator that ``augment`` is given.
        eager: record the graph of every batch. By default that of one example is compiled (``autograd.compile``) and
            trained on arrays, which is far quicker, with the same numbers to rounding; where a batch relates its
            examples (BatchNorm), that of a whole batch. The graph is used where neither gives its numbers (compared on
            some examples, spread over all, with other parameters), where Python looks at a number (``if``, ``max``,
            ``==``), and where the optimiser steps in a way of its own: ``history.engine`` says. What a callback changes
            besides Values that the loss depends on, the examples included, is not seen; then pass ``eager=True``.

    Returns:
        The history. Ctrl-C ends the training, and drops the step at hand: the model keeps what it has learned, and
        the history says so.

    Raises:
        TypeError: ``xs`` or ``ys`` is no list, ``model`` or ``loss`` no function, ``optimizer`` no ``Optimizer``.
        ValueError: there are no samples, or not one target a sample, or a number is not finite, or a size not
            positive; the loss depends on none of the optimiser's parameters; the checkpoint is damaged, or of another
            training.
        DivergedError: the loss is no longer finite.

    >>> from nn import MLP
    >>> model = MLP(1, [1])
    >>> history = fit(model, [0.0, 1.0, 2.0], [1.0, 3.0, 5.0], epochs=200, optimizer=SGD(model.parameters(), 0.1))
    >>> round(model([10.0]).data, 3)
    21.0
    """
    functions = {"schedule": schedule, "penalty": penalty, "augment": augment}
    given = {what: function for what, function in functions.items() if function is not None}
    for what, function in {"model": model, "loss": loss, **given}.items():
        check_callable(what, function)
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise TypeError(f"fit takes an optimiser, such as Adam(model.parameters()), got {shown(optimizer)}")
    callbacks, metrics = listed_callbacks(callbacks), named_metrics(metrics)
    examples, held_out = paired("", xs, ys), paired_validation(validation)
    epochs, seed = whole("epochs", epochs, 1), whole("seed", seed, 0)
    patience = None if patience is None else whole("patience", patience, 1)
    size = len(examples[0]) if batch_size is None else min(whole("batch_size", batch_size, 1), len(examples[0]))
    if optimizer is None:
        if not isinstance(model, Module):
            raise TypeError(f"fit needs an optimiser for a model that is no nn.Module, got {shown(model)}")
        optimizer = SGD(model.parameters())
    problem = Problem(model, *examples, loss, optimizer, penalty, augment)
    if augment is not None and problem.arrays is None:
        raise ValueError("augment is given arrays, so fit takes samples that are numbers of one shape with it")
    if problem.buffers and len(examples[0]) % size == 1 % size:
        raise ValueError(
            f"batch normalisation takes at least 2 samples a batch, and the last batch of {size} of "
            f"{len(examples[0])} samples has one: choose another batch_size"
        )
    predictor = Predictor(model, eager, optimizer.parameters)
    measure = Measure(predictor, loss, examples, held_out, metrics, eager, optimizer.parameters)
    values = [*optimizer.parameters, *problem.buffers]
    best = Best(values, patience)
    history, rate, ended, file = History(), optimizer.learning_rate, False, None
    if checkpoint is not None:
        settings = {"model": model, "optimizer": optimizer, "loss": loss, "schedule": schedule, "penalty": penalty}
        settings |= {"samples": len(examples[0]), "batch_size": size, "augment": augment, "patience": patience}
        settings |= {"seed": seed, "metrics": [*metrics], "checksum of the examples": fingerprint(examples)}
        settings |= {"checksum of the validation data": fingerprint(held_out)}
        file = Checkpoint(checkpoint, values, optimizer, best, settings)
        ended = file.resume(history)
    rng, order = Random(seed), list(range(len(examples[0])))
    try:
        with _training(model), progress_bar(epochs) if progress else nullcontext() as show:
            if show is not None and history.rows:
                show(history)  # what a checkpoint has seen
            steps, history.engine = engine(problem, size, eager)
            for _ in range(history.epochs):  # what is resumed goes on shuffling as if it had never ended
                rng.shuffle(order)
            while history.epochs < epochs and not ended and not best.is_over(history):
                epoch = history.epochs + 1
                rng.shuffle(order)
                if schedule is not None:
                    factor = schedule(epoch - 1, history.monitored)
                    optimizer.learning_rate = rate * nonnegative("what a schedule gives", factor)
                try:
                    mean = _epoch(problem, steps, order, size, (seed, epoch))
                    row = {"loss": mean, "learning_rate": float(optimizer.learning_rate), **measure()}
                except OverflowError as error:
                    raise DivergedError(epoch, optimizer.learning_rate, str(error)) from error
                history.rows.append(row)
                best.see(history)
                stops = [callback(history) is True for callback in callbacks]
                ended = any(stops)
                if file is not None:
                    file.save(history, ended)
                if show is not None:
                    show(history)
                steps.load()  # what a callback has changed
    except KeyboardInterrupt:
        history.interrupted = True
    finally:
        optimizer.learning_rate = rate
    best.restore(history)
    return history


def _epoch(problem: Problem, steps: Steps, order: list[int], size: int, seeds: tuple[int, int]) -> float:
    """One step for each batch of the samples, in this order; the mean of the losses."""
    import numpy as np

    problem.reseed(*seeds)
    rng = np.random.default_rng(seeds)
    total = 0.0
    try:
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            total += steps.step(batch, rng) * len(batch)
    finally:
        steps.store()
    return total / len(order)


@contextmanager
def _training(model: Any) -> Iterator[None]:
    """Put a module in training for a while, and in evaluation afterwards."""
    if isinstance(model, Module):
        model.train()
    try:
        yield
    finally:
        if isinstance(model, Module):
            model.eval()
