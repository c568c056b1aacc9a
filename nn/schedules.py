"""Schedules: how the learning rate changes from epoch to epoch.

A schedule is a function of the epoch t, counted from 0, and of the t losses so far, those of the validation data if
there are any. It gives the factor by which the optimiser's learning rate is multiplied in that epoch. It remembers
nothing, so that a training that is resumed goes on as if it had not stopped.

>>> schedule = WarmUp(2, then=Step(every=3, factor=0.5))
>>> [round(schedule(epoch), 3) for epoch in range(9)]
[0.333, 0.667, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from reprlib import repr as shown

from .choices import choose
from .ranges import fraction, nonnegative, number, whole
from .tensors import is_list

Schedule = Callable[[int, Sequence[float]], float]


@dataclass(frozen=True)
class Constant:
    """1: the learning rate stays as it is.

    >>> Constant()(7)
    1.0
    """

    def __call__(self, epoch: int, losses: Sequence[float] = ()) -> float:
        """The factor of this epoch."""
        return 1.0


@dataclass(frozen=True)
class Step:
    """factor^⌊t / every⌋: times ``factor`` after every so many epochs (He et al. 2016).

    Args:
        every: a number of epochs.
        factor: in (0, 1].

    Raises:
        ValueError: ``every`` is not positive and whole, or ``factor`` not in (0, 1].

    >>> [Step(every=2, factor=0.5)(epoch) for epoch in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        whole("every", self.every, least=1)
        _share("factor", self.factor)

    def __call__(self, epoch: int, losses: Sequence[float] = ()) -> float:
        """The factor of this epoch."""
        return float(self.factor) ** (_checked(epoch, losses) // self.every)


@dataclass(frozen=True)
class Exponential:
    """factor^t: times ``factor`` after every epoch (Senior et al. 2013).

    Args:
        factor: in (0, 1].

    Raises:
        ValueError: ``factor`` is not in (0, 1].

    >>> [Exponential(0.5)(epoch) for epoch in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """

    factor: float

    def __post_init__(self) -> None:
        _share("factor", self.factor)

    def __call__(self, epoch: int, losses: Sequence[float] = ()) -> float:
        """The factor of this epoch."""
        return float(self.factor) ** _checked(epoch, losses)


@dataclass(frozen=True)
class InverseTime:
    """1 / (1 + decay · t): the 1/t schedule, whose sum is infinite and whose squares' is not (Robbins and Monro 1951).

    Args:
        decay: per epoch, at least 0.

    Raises:
        ValueError: ``decay`` is negative.

    >>> [InverseTime(1.0)(epoch) for epoch in (0, 1, 3)]
    [1.0, 0.5, 0.25]
    """

    decay: float

    def __post_init__(self) -> None:
        nonnegative("decay", self.decay)

    def __call__(self, epoch: int, losses: Sequence[float] = ()) -> float:
        """The factor of this epoch."""
        return 1.0 / (1.0 + self.decay * _checked(epoch, losses))


@dataclass(frozen=True)
class Cosine:
    """floor + (1 - floor) · (1 + cos(π t / epochs)) / 2, from then on ``floor`` (Loshchilov and Hutter 2017, eq. 5).

    Args:
        epochs: how long it falls.
        floor: where it ends, in [0, 1).

    Raises:
        ValueError: ``epochs`` is not positive and whole, or ``floor`` not in [0, 1).

    >>> [round(Cosine(4)(epoch), 3) for epoch in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    epochs: int
    floor: float = 0.0

    def __post_init__(self) -> None:
        whole("epochs", self.epochs, least=1)
        fraction("floor", self.floor)

    def __call__(self, epoch: int, losses: Sequence[float] = ()) -> float:
        """The factor of this epoch."""
        done = min(_checked(epoch, losses), self.epochs) / self.epochs
        return self.floor + (1.0 - self.floor) * (1.0 + math.cos(math.pi * done)) / 2.0


@dataclass(frozen=True)
class WarmUp:
    """(t + 1) / (epochs + 1) for so many epochs, and after them the schedule ``then`` (Goyal et al. 2017).

    The rise goes on in even steps to the 1 at which another schedule begins; that one counts its epochs, and is given
    the losses, from there on.

    Args:
        epochs: how long it rises.
        then: a schedule; by default the learning rate stays at 1.

    Raises:
        ValueError: ``epochs`` is not positive and whole.
        TypeError: ``then`` is no function.

    >>> [WarmUp(3)(epoch) for epoch in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    epochs: int
    then: Schedule = Constant()

    def __post_init__(self) -> None:
        whole("epochs", self.epochs, least=1)
        if not callable(self.then):
            raise TypeError(f"what comes after WarmUp is a schedule, such as Cosine(100), got {shown(self.then)}")

    def __call__(self, epoch: int, losses: Sequence[float] = ()) -> float:
        """The factor of this epoch."""
        if _checked(epoch, losses) < self.epochs:
            return (epoch + 1) / (self.epochs + 1)
        return self.then(epoch - self.epochs, losses[self.epochs :])


@dataclass(frozen=True)
class OnPlateau:
    """Times ``factor``, down to ``floor``, each time that the loss has not fallen for a while (Krizhevsky et al. 2012).

    The loss of an epoch has fallen if it is below (1 - threshold) · the least so far. After more than ``patience``
    epochs in a row that are not so, the learning rate is multiplied, and the count starts again.

    Args:
        factor: in (0, 1].
        patience: a number of epochs, at least 0.
        threshold: a share of the loss, in [0, 1).
        floor: the least that it gives, in [0, 1).

    Raises:
        ValueError: ``factor`` is not in (0, 1], ``patience`` no whole number of at least 0, or ``threshold`` or
            ``floor`` not in [0, 1); when called: there is not one loss for each epoch before this one.

    >>> schedule = OnPlateau(factor=0.5, patience=1)
    >>> [schedule(epoch, [3.0, 2.0, 2.0, 2.0][:epoch]) for epoch in range(5)]
    [1.0, 1.0, 1.0, 1.0, 0.5]
    """

    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    floor: float = 0.0

    def __post_init__(self) -> None:
        _share("factor", self.factor)
        whole("patience", self.patience, least=0)
        fraction("threshold", self.threshold)
        fraction("floor", self.floor)

    def __call__(self, epoch: int, losses: Sequence[float] = ()) -> float:
        """The factor of this epoch."""
        if len(losses) != _checked(epoch, losses):
            raise ValueError(f"OnPlateau needs the loss of each of the {epoch} epochs so far, got {len(losses)}")
        rate, least, waited = 1.0, math.inf, 0
        for loss in losses:
            waited += 1
            if loss < least * (1.0 - self.threshold):
                least, waited = loss, 0
            elif waited > self.patience:
                rate, waited = max(rate * self.factor, self.floor), 0
        return rate


def _share(name: str, value: float) -> None:
    number(name, value, lambda x: 0 < x <= 1, "in (0, 1]")


def _checked(epoch: int, losses: Sequence[float]) -> int:
    if not is_list(losses):
        raise TypeError(f"a schedule takes the losses so far as a list, got {shown(losses)}")
    return whole("the epoch", epoch, least=0)


SCHEDULES: dict[str, Callable[[int], Schedule]] = {
    "constant": lambda epochs: Constant(),
    "step": lambda epochs: Step(every=math.ceil(epochs / 3)),
    "exponential": lambda epochs: Exponential(0.01 ** (1 / epochs)),
    "inverse_time": lambda epochs: InverseTime(9 / epochs),
    "cosine": lambda epochs: Cosine(epochs),
    "warm_up": lambda epochs: WarmUp(warm := math.ceil(epochs / 10), then=Cosine(max(epochs - warm, 1))),
    "plateau": lambda epochs: OnPlateau(patience=math.ceil(epochs / 10)),
}
"""Each schedule by name, as a function of the number of epochs that training takes: two steps down, by ``exponential``
to a hundredth and by ``inverse_time`` to a tenth, a tenth of the epochs to warm up in or to wait for a lower loss."""


def by_name(name: str) -> Callable[[int], Schedule]:
    """The schedule of this name, as a function of the number of epochs. Raises ValueError, with the names there are.

    >>> by_name("cosine")(epochs=100)
    Cosine(epochs=100, floor=0.0)
    """
    return choose(SCHEDULES, name, "schedule")
