"""Clipping: a gradient that is too large is made smaller, before it moves anything (Pascanu et al. 2013)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..ranges import positive
from .vectors import check_vector

if TYPE_CHECKING:
    from .vectors import Vector


@dataclass(frozen=True)
class ClipByNorm:
    """g · min(1, max_norm / ‖g‖): the same direction, no longer than ``max_norm`` (Pascanu et al. 2013, algorithm 1).

    PyTorch's ``clip_grad_norm_`` adds 1e-6 to the norm, and so makes it shorter still. The norm is that of all P
    numbers; it is computed without overflow. A gradient that is not finite stays as it is: the step refuses it.

    Raises:
        ValueError: ``max_norm`` is not greater than 0.

    >>> import numpy as np
    >>> ClipByNorm(1.0)(np.array([3.0, -4.0]))
    array([ 0.6, -0.8])
    """

    max_norm: float

    def __post_init__(self) -> None:
        positive("max_norm", self.max_norm)

    def __call__(self, gradient: Vector) -> Vector:
        """The gradient (P,), shortened if need be."""
        import numpy as np

        check_vector("ClipByNorm takes a gradient", gradient)
        largest = float(np.abs(gradient).max(initial=0.0))
        if largest == 0.0 or not math.isfinite(largest):
            return gradient
        scaled = gradient / largest
        norm = math.sqrt(scaled @ scaled)  # over ``largest``; between 1 and √P
        return scaled * float(self.max_norm / norm) if norm > self.max_norm / largest else gradient


@dataclass(frozen=True)
class ClipByValue:
    """Each number of the gradient, but at most ``max_value`` and at least -max_value (Mikolov 2012).

    Raises:
        ValueError: ``max_value`` is not greater than 0.

    >>> import numpy as np
    >>> ClipByValue(1.0)(np.array([3.0, -4.0, 0.5]))
    array([ 1. , -1. ,  0.5])
    """

    max_value: float

    def __post_init__(self) -> None:
        positive("max_value", self.max_value)

    def __call__(self, gradient: Vector) -> Vector:
        """The gradient (P,), each number in its bounds."""
        import numpy as np

        check_vector("ClipByValue takes a gradient", gradient)
        return np.clip(gradient, -float(self.max_value), float(self.max_value))
