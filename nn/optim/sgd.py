"""Gradient descent, plain and with momentum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from autograd import Value

from ..ranges import fraction
from .optimizer import Optimizer

if TYPE_CHECKING:
    from .vectors import Vector


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, Nesterov's variant and weight decay.

    With g = p.grad + weight_decay · p and the velocity v, which starts at 0:

        v ← momentum · v + g
        p ← p - learning_rate · v                      (Polyak 1964)
        p ← p - learning_rate · (g + momentum · v)     (with nesterov; Sutskever et al. 2013)

    the conventions of PyTorch's SGD.

    Args:
        parameters, learning_rate, weight_decay, clip: see ``Optimizer``.
        momentum: how much of the velocity is kept in a step, in [0, 1).
        nesterov: whether to step from where the velocity leads.

    Raises:
        ValueError: there are no parameters, a rate is out of its range, or Nesterov's variant has no momentum.

    >>> p = Value(1.0)
    >>> optimizer = SGD([p], learning_rate=0.1)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> p.data
    0.8
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        clip: Callable[[Vector], Vector] | None = None,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, clip)
        self.momentum = fraction("momentum", momentum)
        if nesterov and not momentum:
            raise ValueError("nesterov needs a momentum greater than 0")
        self.nesterov = bool(nesterov)

    @property
    def state_names(self) -> tuple[str, ...]:
        """The velocity, if there is a momentum."""
        return ("velocity",) if self.momentum else ()

    def descent(self, parameters: Vector, gradient: Vector, state: Mapping[str, Vector], step: int) -> Vector:
        """Along the gradient, or the velocity."""
        if not self.momentum:
            return self.learning_rate * gradient
        velocity = state["velocity"]
        velocity *= self.momentum
        velocity += gradient
        return self.learning_rate * (gradient + self.momentum * velocity if self.nesterov else velocity)
