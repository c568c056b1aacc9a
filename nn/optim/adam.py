"""Adam and what came of it: along the mean of the gradients, divided by the size that they have had."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from autograd import Value

from ..ranges import fraction, positive
from .optimizer import Optimizer

if TYPE_CHECKING:
    from .vectors import Vector


class Moments(Optimizer):
    """What this family is made with.

    Args:
        parameters, learning_rate, weight_decay, clip: see ``Optimizer``.
        beta1: how much of the mean of the gradients is kept in a step, in [0, 1).
        beta2: how much of their size is kept, likewise.
        epsilon: keeps the divisor from 0.
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.002,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        clip: Callable[[Vector], Vector] | None = None,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, clip)
        self.beta1 = fraction("beta1", beta1)
        self.beta2 = fraction("beta2", beta2)
        self.epsilon = positive("epsilon", epsilon)

    @property
    def state_names(self) -> tuple[str, ...]:
        """The means of the gradients and of their squares."""
        return ("mean", "mean_square")

    def _mean(self, gradient: Vector, state: Mapping[str, Vector]) -> Vector:
        """m ← beta1 · m + (1 - beta1) · g."""
        mean = state["mean"]
        mean *= self.beta1
        mean += (1 - self.beta1) * gradient
        return mean

    def _mean_square(self, gradient: Vector, state: Mapping[str, Vector]) -> Vector:
        """v ← beta2 · v + (1 - beta2) · g²."""
        square = state["mean_square"]
        square *= self.beta2
        square += (1 - self.beta2) * gradient * gradient
        return square


class Adam(Moments):
    """Adam (Kingma and Ba 2015), or AMSGrad (Reddi et al. 2018).

    With the gradient g, and the means m of g and v of g², which start at 0, at step t:

        m ← beta1 · m + (1 - beta1) · g
        v ← beta2 · v + (1 - beta2) · g²
        p ← p - learning_rate · m̂ / (√v̂ + epsilon),    m̂ = m / (1 - beta1^t),  v̂ = v / (1 - beta2^t)

    AMSGrad takes the largest v so far for v.

    Args:
        parameters, learning_rate, weight_decay, clip: see ``Optimizer``.
        beta1: how much of the mean of the gradients is kept in a step, in [0, 1).
        beta2: how much of that of their squares, likewise.
        epsilon: keeps the divisor from 0.
        amsgrad: whether it is AMSGrad.

    Raises:
        ValueError: there are no parameters, or a setting is out of its range.

    >>> p = Value(1.0)
    >>> optimizer = Adam([p], learning_rate=0.25)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> round(p.data, 6)
    0.75
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        clip: Callable[[Vector], Vector] | None = None,
    ) -> None:
        super().__init__(parameters, learning_rate, beta1, beta2, epsilon, weight_decay, clip)
        self.amsgrad = bool(amsgrad)

    @property
    def state_names(self) -> tuple[str, ...]:
        """The means of the gradients and of their squares; with AMSGrad the largest of the latter."""
        return ("mean", "mean_square", "largest") if self.amsgrad else ("mean", "mean_square")

    def descent(self, parameters: Vector, gradient: Vector, state: Mapping[str, Vector], step: int) -> Vector:
        """Along the mean of the gradients, over their size."""
        import numpy as np

        mean, square = self._mean(gradient, state), self._mean_square(gradient, state)
        if self.amsgrad:
            square = np.maximum(state["largest"], square, out=state["largest"])
        size = np.sqrt(square) / math.sqrt(1 - self.beta2**step) + self.epsilon
        return self.learning_rate / (1 - self.beta1**step) * mean / size


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): it shrinks p, and is no part of the gradient.

        p ← p - learning_rate · (m̂ / (√v̂ + epsilon) + weight_decay · p)

    Args: see ``Adam``.

    Raises:
        ValueError: there are no parameters, or a setting is out of its range.

    >>> p = Value(1.0)
    >>> optimizer = AdamW([p], learning_rate=0.25, weight_decay=0.5)
    >>> optimizer.step()
    >>> p.data
    0.875
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
        clip: Callable[[Vector], Vector] | None = None,
    ) -> None:
        super().__init__(parameters, learning_rate, beta1, beta2, epsilon, weight_decay, amsgrad, clip)

    def decayed(self, parameters: Vector, gradient: Vector) -> Vector:
        """The gradient as it is."""
        return gradient

    def descent(self, parameters: Vector, gradient: Vector, state: Mapping[str, Vector], step: int) -> Vector:
        """Adam's, and a part of the parameters."""
        descent = super().descent(parameters, gradient, state, step)
        return descent + self.learning_rate * self.weight_decay * parameters


class Adamax(Moments):
    """Adamax (Kingma and Ba 2015, section 7.1): Adam by the largest gradient instead of the mean of squares.

    With the gradient g, the mean m and the size u, which start at 0, at step t:

        m ← beta1 · m + (1 - beta1) · g
        u ← max(beta2 · u, |g| + epsilon)
        p ← p - learning_rate / (1 - beta1^t) · m / u

    The paper has no epsilon; this is PyTorch's.

    Args: see ``Adam``.

    Raises:
        ValueError: there are no parameters, or a setting is out of its range.

    >>> p = Value(1.0)
    >>> optimizer = Adamax([p], learning_rate=0.25)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> round(p.data, 6)
    0.75
    """

    @property
    def state_names(self) -> tuple[str, ...]:
        """The mean of the gradients, and the largest, fading."""
        return ("mean", "largest")

    def descent(self, parameters: Vector, gradient: Vector, state: Mapping[str, Vector], step: int) -> Vector:
        """Along the mean of the gradients, over the largest."""
        import numpy as np

        mean, largest = self._mean(gradient, state), state["largest"]
        largest *= self.beta2
        np.maximum(largest, np.abs(gradient) + self.epsilon, out=largest)
        return self.learning_rate / (1 - self.beta1**step) * mean / largest


class Nadam(Moments):
    """Nadam (Dozat 2016): Adam that looks one step ahead, as Nesterov's momentum does.

    With g, m, v, v̂ as in Adam, and a momentum that rises with the step t:

        μ(t) = beta1 · (1 - 0.96^(0.004 t) / 2),    Π(t) = μ(1) · … · μ(t)
        n = (1 - μ(t)) / (1 - Π(t)) · g + μ(t+1) / (1 - Π(t+1)) · m
        p ← p - learning_rate · n / (√v̂ + epsilon)

    Args: see ``Adam``.

    Raises:
        ValueError: there are no parameters, or a setting is out of its range.

    >>> p = Value(1.0)
    >>> optimizer = Nadam([p], learning_rate=0.25)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> 0.6 < p.data < 0.8
    True
    """

    def descent(self, parameters: Vector, gradient: Vector, state: Mapping[str, Vector], step: int) -> Vector:
        """Along the gradient and the mean that comes next, over their size."""
        import numpy as np

        mean, square = self._mean(gradient, state), self._mean_square(gradient, state)
        now, ahead = self._momentum(step), self._momentum(step + 1)
        # Each of the first 60 factors is below 0.51, and Π below 2⁻⁵⁴ after them: 1 - Π is 1, whatever follows.
        product = math.prod(map(self._momentum, range(1, min(step, 60) + 1)))
        along = (1 - now) / (1 - product) * gradient + ahead / (1 - product * ahead) * mean
        size = np.sqrt(square) / math.sqrt(1 - self.beta2**step) + self.epsilon
        return self.learning_rate * along / size

    def _momentum(self, step: int) -> float:
        return self.beta1 * (1 - math.pow(0.96, 0.004 * step) / 2)
