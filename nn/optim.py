"""Optimisers: how the parameters move, given their gradients."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real

from autograd import Value


class SGD:
    """Stochastic gradient descent, with momentum, Nesterov's variant and weight decay.

    With g = p.grad + weight_decay · p and the velocity v, which starts at 0:

        v ← momentum · v + g
        p ← p - learning_rate · v                      (Polyak 1964)
        p ← p - learning_rate · (g + momentum · v)     (with nesterov; Sutskever et al. 2013)

    the conventions of PyTorch's SGD.

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
    ) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("an optimiser needs parameters, got none")
        _check("learning_rate", learning_rate, learning_rate > 0, "greater than 0")
        _check("momentum", momentum, 0 <= momentum < 1, "in [0, 1)")
        _check("weight_decay", weight_decay, weight_decay >= 0, "at least 0")
        if nesterov and not momentum:
            raise ValueError("nesterov needs a momentum greater than 0")
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self._velocity = [0.0] * len(self.parameters)

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for p in self.parameters:
            p.zero_grad()

    def step(self) -> None:
        """Move every parameter once."""
        gradients = [p.grad + self.weight_decay * p.data for p in self.parameters]
        self._velocity = [self.momentum * v + g for v, g in zip(self._velocity, gradients, strict=True)]
        directions = self._velocity
        if self.nesterov:
            directions = [g + self.momentum * v for g, v in zip(gradients, self._velocity, strict=True)]
        moved = [p.data - self.learning_rate * d for p, d in zip(self.parameters, directions, strict=True)]
        for p, data in zip(self.parameters, moved, strict=True):
            p.data = data


def _check(name: str, value: float, good: bool, what: str) -> None:
    if not isinstance(value, Real) or not good:
        raise ValueError(f"{name} must be {what}, got {value!r}")
