"""The names of the optimisers, as the command line takes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..choices import choose
from .adagrad import Adadelta, Adagrad, RMSprop
from .adam import Adam, Adamax, AdamW, Nadam
from .optimizer import Optimizer
from .sgd import SGD

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": SGD,
    "momentum": partial(SGD, momentum=0.9),
    "nesterov": partial(SGD, momentum=0.9, nesterov=True),
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "rmsprop": RMSprop,
    "adam": Adam,
    "amsgrad": partial(Adam, amsgrad=True),
    "adamw": AdamW,
    "adamax": Adamax,
    "nadam": Nadam,
}
"""Each optimiser by name, as a function of the parameters and of a learning rate, which each has by default."""


def by_name(name: str) -> Callable[..., Optimizer]:
    """The optimiser of this name, as a function. Raises ValueError, with the names there are.

    >>> from autograd import Value
    >>> by_name("adagrad")([Value(1.0)], learning_rate=0.1)
    Adagrad(1 parameter, learning_rate=0.1, weight_decay=0.0, clip=None, epsilon=1e-10)
    """
    return choose(OPTIMIZERS, name, "optimiser")
