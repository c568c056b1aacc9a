"""How weights start: each initialiser draws one weight of a layer of n_in inputs and n_out outputs.

A layer should neither shrink nor blow up what passes through it; the right spread depends on the activation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from .choices import choose

Initializer = Callable[[Random, int, int], float]


def glorot(rng: Random, n_in: int, n_out: int) -> float:
    """Uniform in ±√(6 / (n_in + n_out)): for tanh and its like (Glorot and Bengio 2010).

    >>> abs(glorot(Random(0), 12, 12)) <= 0.5
    True
    """
    bound = math.sqrt(6.0 / (n_in + n_out))
    return rng.uniform(-bound, bound)


def he(rng: Random, n_in: int, n_out: int) -> float:
    """Normal with variance 2 / n_in: for relu and its like (He et al. 2015).

    >>> he(Random(0), 8, 1) == Random(0).gauss(0.0, 0.5)
    True
    """
    return rng.gauss(0.0, math.sqrt(2.0 / n_in))


def lecun(rng: Random, n_in: int, n_out: int) -> float:
    """Normal with variance 1 / n_in (LeCun et al. 1998).

    >>> lecun(Random(0), 4, 1) == Random(0).gauss(0.0, 0.5)
    True
    """
    return rng.gauss(0.0, math.sqrt(1.0 / n_in))


def uniform(rng: Random, n_in: int, n_out: int) -> float:
    """Uniform in ±1, as micrograd draws them (Karpathy 2020).

    >>> uniform(Random(0), 4, 1) == Random(0).uniform(-1.0, 1.0)
    True
    """
    return rng.uniform(-1.0, 1.0)


INITIALIZERS: dict[str, Initializer] = {"glorot": glorot, "he": he, "lecun": lecun, "uniform": uniform}


def by_name(name: str) -> Initializer:
    """The initialiser of this name. Raises ValueError, with the names there are, if there is none.

    >>> by_name("he") is he
    True
    """
    return choose(INITIALIZERS, name, "initialiser")


def default_for(activation: str | None) -> Initializer:
    """The initialiser that fits an activation: ``he`` for those like relu, else ``glorot``."""
    return he if activation in {"relu", "leaky_relu", "elu", "silu", "gelu", "softplus"} else glorot
