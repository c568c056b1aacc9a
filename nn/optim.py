"""Optimisers: how the parameters move, given their gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from numbers import Real
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from autograd import Value

if TYPE_CHECKING:
    import numpy as np

    Vector = np.ndarray[Any, np.dtype[Any]]


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
        if not isinstance(parameters, Iterable):
            raise TypeError(
                f"an optimiser takes a list of parameters, such as model.parameters(), got {shown(parameters)}"
            )
        self.parameters = list(parameters)
        if not self.parameters or not all(isinstance(p, Value) for p in self.parameters):
            raise ValueError(
                "an optimiser takes a list of parameters, such as model.parameters(): Values, at least one"
            )
        _check("learning_rate", learning_rate, lambda x: x > 0, "greater than 0")
        _check("momentum", momentum, lambda x: 0 <= x < 1, "in [0, 1)")
        _check("weight_decay", weight_decay, lambda x: x >= 0, "of at least 0")
        if nesterov and not momentum:
            raise ValueError("nesterov needs a momentum greater than 0")
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self._velocity: Any = 0.0  # a vector from the first step on

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for p in self.parameters:
            p.zero_grad()

    def step(self) -> None:
        """Move every parameter once, or, interrupted, none.

        Raises:
            OverflowError: a parameter would no longer be finite; none has moved.
        """
        import numpy as np

        before = [p.data for p in self.parameters]
        vector = np.array(before)
        velocity = self._velocity
        self.update(vector, np.array([p.grad for p in self.parameters]))
        try:
            for p, data in zip(self.parameters, vector.tolist(), strict=True):
                p.data = data
        except BaseException:
            for p, data in zip(self.parameters, before, strict=True):
                p.data = data
            self._velocity = velocity
            raise

    def update(self, parameters: Vector, gradient: Vector) -> None:
        """Move a vector of parameters (P,) in place, given their gradient (P,): a program's, or those of ``step``.

        Raises:
            TypeError: one of them is no array of floats.
            ValueError: it has another shape than (P,).
            OverflowError: a parameter would no longer be finite; none has moved.

        >>> import numpy as np
        >>> vector = np.array([1.0, 2.0])
        >>> SGD([Value(0.0), Value(0.0)], learning_rate=0.5).update(vector, gradient=np.array([2.0, 0.0]))
        >>> vector
        array([0., 2.])
        """
        import numpy as np

        for what, vector in (("parameters", parameters), ("gradient", gradient)):
            if not isinstance(vector, np.ndarray) or vector.dtype.kind != "f":
                raise TypeError(f"update takes the {what} as an array of floats, got {shown(vector)}")
            if vector.shape != (len(self.parameters),):
                raise ValueError(f"update takes the {what} as ({len(self.parameters)},) numbers, got {vector.shape}")
        with np.errstate(all="ignore"):
            g = gradient + self.weight_decay * parameters if self.weight_decay else gradient
            v = self.momentum * self._velocity + g if self.momentum else g
            moved = parameters - self.learning_rate * (g + self.momentum * v if self.nesterov else v)
        if not np.isfinite(moved).all():
            raise OverflowError("a parameter would no longer be finite")
        parameters[:] = moved
        self._velocity = v


def _check(name: str, value: float, good: Callable[[float], bool], what: str) -> None:
    if not isinstance(value, Real) or not math.isfinite(value) or not good(value):
        raise ValueError(f"{name} must be a number {what}, got {shown(value)}")
