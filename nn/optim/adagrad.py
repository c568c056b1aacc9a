"""Adagrad and what came of it: the step of each parameter is divided by the size that its gradients have had."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from autograd import Value

from ..ranges import fraction, positive
from .optimizer import Optimizer

if TYPE_CHECKING:
    from .vectors import Vector


class Adagrad(Optimizer):
    """Adagrad (Duchi et al. 2011): the more a parameter has been moved, the less it moves.

    With the gradient g and the sum s, which starts at 0:

        s ← s + g²
        p ← p - learning_rate · g / (√s + epsilon)

    Args:
        parameters, learning_rate, weight_decay, clip: see ``Optimizer``.
        epsilon: keeps the divisor from 0.

    Raises:
        ValueError: there are no parameters, or a setting is out of its range.

    >>> p = Value(1.0)
    >>> optimizer = Adagrad([p], learning_rate=0.25)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> round(p.data, 6)
    0.75
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.01,
        epsilon: float = 1e-10,
        weight_decay: float = 0.0,
        clip: Callable[[Vector], Vector] | None = None,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, clip)
        self.epsilon = positive("epsilon", epsilon)

    @property
    def state_names(self) -> tuple[str, ...]:
        """The sum of the squares of the gradients."""
        return ("sum_of_squares",)

    def descent(self, parameters: Vector, gradient: Vector, state: Mapping[str, Vector], step: int) -> Vector:
        """Along the gradient, over the root of the sum."""
        import numpy as np

        total = state["sum_of_squares"]
        total += gradient * gradient
        return self.learning_rate * gradient / (np.sqrt(total) + self.epsilon)


class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012): steps as large as steps have been, so that the learning rate has no unit.

    With the gradient g, and the means s of g² and d of the squared changes Δ², which start at 0:

        s ← decay · s + (1 - decay) · g²
        Δ = g · √(d + epsilon) / √(s + epsilon)
        d ← decay · d + (1 - decay) · Δ²
        p ← p - learning_rate · Δ

    Args:
        parameters, learning_rate, weight_decay, clip: see ``Optimizer``; the paper has no learning rate, which is 1.
        decay: how much of the means is kept in a step, in [0, 1).
        epsilon: the square of the step at which it starts, about; and keeps the divisor from 0.

    Raises:
        ValueError: there are no parameters, or a setting is out of its range.

    >>> p = Value(1.0)
    >>> optimizer = Adadelta([p], decay=0.75, epsilon=1e-6)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> round(p.data, 6)
    0.998
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 1.0,
        decay: float = 0.9,
        epsilon: float = 1e-6,
        weight_decay: float = 0.0,
        clip: Callable[[Vector], Vector] | None = None,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, clip)
        self.decay = fraction("decay", decay)
        self.epsilon = positive("epsilon", epsilon)

    @property
    def state_names(self) -> tuple[str, ...]:
        """The means of the squares of the gradients and of the changes."""
        return ("mean_square", "mean_square_change")

    def descent(self, parameters: Vector, gradient: Vector, state: Mapping[str, Vector], step: int) -> Vector:
        """Along the gradient, times the usual change over the usual gradient."""
        import numpy as np

        square, squared_change = state["mean_square"], state["mean_square_change"]
        square *= self.decay
        square += (1 - self.decay) * gradient * gradient
        change = np.sqrt(squared_change + self.epsilon) / np.sqrt(square + self.epsilon) * gradient
        squared_change *= self.decay
        squared_change += (1 - self.decay) * change * change
        return self.learning_rate * change


class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton 2012): Adagrad that forgets; a mean takes the place of the sum.

    With the gradient g, the mean s of its square and the velocity v, which start at 0:

        s ← decay · s + (1 - decay) · g²
        v ← momentum · v + g / (√s + epsilon)
        p ← p - learning_rate · v

    Args:
        parameters, learning_rate, weight_decay, clip: see ``Optimizer``.
        decay: how much of the mean is kept in a step, in [0, 1); the lecture has 0.9, PyTorch 0.99.
        epsilon: keeps the divisor from 0.
        momentum: how much of the velocity is kept, in [0, 1).

    Raises:
        ValueError: there are no parameters, or a setting is out of its range.

    >>> p = Value(1.0)
    >>> optimizer = RMSprop([p], learning_rate=0.25, decay=0.75)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> round(p.data, 6)
    0.5
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.01,
        decay: float = 0.99,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        clip: Callable[[Vector], Vector] | None = None,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, clip)
        self.decay = fraction("decay", decay)
        self.epsilon = positive("epsilon", epsilon)
        self.momentum = fraction("momentum", momentum)

    @property
    def state_names(self) -> tuple[str, ...]:
        """The mean of the squares of the gradients; the velocity, if there is a momentum."""
        return ("mean_square", "velocity") if self.momentum else ("mean_square",)

    def descent(self, parameters: Vector, gradient: Vector, state: Mapping[str, Vector], step: int) -> Vector:
        """Along the gradient over its usual size, or along the velocity."""
        import numpy as np

        square = state["mean_square"]
        square *= self.decay
        square += (1 - self.decay) * gradient * gradient
        scaled = gradient / (np.sqrt(square) + self.epsilon)
        if not self.momentum:
            return self.learning_rate * scaled
        velocity = state["velocity"]
        velocity *= self.momentum
        velocity += scaled
        return self.learning_rate * velocity
