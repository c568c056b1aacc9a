"""Optimisers: how the parameters move, given their gradients."""

from collections.abc import Callable as _Callable
from functools import partial as _partial

from ..choices import choose as _choose
from .adagrad import Adadelta as Adadelta
from .adagrad import Adagrad as Adagrad
from .adagrad import RMSprop as RMSprop
from .adam import Adam as Adam
from .adam import Adamax as Adamax
from .adam import AdamW as AdamW
from .adam import Nadam as Nadam
from .clipping import ClipByNorm as ClipByNorm
from .clipping import ClipByValue as ClipByValue
from .optimizer import Optimizer as Optimizer
from .sgd import SGD as SGD

OPTIMIZERS: dict[str, _Callable[..., Optimizer]] = {
    "sgd": SGD,
    "momentum": _partial(SGD, momentum=0.9),
    "nesterov": _partial(SGD, momentum=0.9, nesterov=True),
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "rmsprop": RMSprop,
    "adam": Adam,
    "amsgrad": _partial(Adam, amsgrad=True),
    "adamw": AdamW,
    "adamax": Adamax,
    "nadam": Nadam,
}
"""Each optimiser by name, as a function of the parameters and of the learning rate."""


def by_name(name: str) -> _Callable[..., Optimizer]:
    """The optimiser of this name, as a function. Raises ValueError, with the names there are.

    >>> from autograd import Value
    >>> by_name("adagrad")([Value(1.0)], learning_rate=0.1)
    Adagrad(1 parameter, learning_rate=0.1, weight_decay=0.0, clip=None, epsilon=1e-10)
    """
    return _choose(OPTIMIZERS, name, "optimiser")
