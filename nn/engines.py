"""How a step of training is computed: on the graph of the batch, or on arrays by a program."""

from __future__ import annotations

import math
from collections.abc import Sequence
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from autograd import Value

from .losses import Loss
from .modules import Module
from .optim import SGD
from .tensors import flatten, is_list, map_tensor

if TYPE_CHECKING:
    import numpy as np

    from autograd import Program

    Array = np.ndarray[Any, np.dtype[Any]]

COMPARED = 20_000
"""A program is compared with the graph on as many examples as make so many nodes, and on two at least."""


class Recorded:
    """Steps on the graph of each batch, which is recorded anew."""

    def __init__(self, model: Module, xs: Sequence[Any], ys: Sequence[Any], loss: Loss, optimizer: SGD) -> None:
        self.model, self.xs, self.ys, self.loss, self.optimizer = model, xs, ys, loss, optimizer

    def step(self, batch: Sequence[int]) -> float:
        """One step on the examples of these numbers; their loss. Raises OverflowError if something is not finite."""
        value = self.backward(batch)
        self.optimizer.step()
        return value

    def backward(self, batch: Sequence[int]) -> float:
        """The loss of these examples; the gradients are in the parameters."""
        value = self.loss([self.model(sample(self.xs[i])) for i in batch], [self.ys[i] for i in batch])
        if not isinstance(value, Value):
            raise TypeError(f"the loss must return a Value that depends on the model, got {shown(value)}")
        if not math.isfinite(value):
            raise OverflowError(f"the loss is {value.data}")
        self.optimizer.zero_grad()
        value.backward()
        return value.data

    def load(self) -> None:
        """Take the parameters from the model: they are its Values."""

    def store(self) -> None:
        """Give the parameters to the model, likewise."""


class Compiled:
    """Steps on arrays, by a program of the loss of one example; ``reduce`` is what makes a batch's loss of those."""

    def __init__(self, program: Program, xs: Array, ys: Array, optimizer: SGD) -> None:
        self.program, self.xs, self.ys, self.optimizer = program, xs, ys, optimizer
        self.reduce = "mean"
        self._gradient = program.parameters.copy()  # memory for it
        self.load, self.store = program.load, program.store

    def step(self, batch: Sequence[int]) -> float:
        """One step on the examples of these numbers; their loss. Raises OverflowError if something is not finite."""
        examples = self.xs[batch], self.ys[batch]
        value, gradient = self.program.value_and_grad(*examples, reduce=self.reduce, out=self._gradient)
        if not math.isfinite(value):
            raise OverflowError(f"the loss is {value}")
        self.optimizer.update(self.program.parameters, gradient)
        return value

    def agrees(self, recorded: Recorded) -> bool:
        """Whether some examples have the same loss and gradient on their graph, as a mean or as a sum."""
        import numpy as np

        count = max(2, COMPARED // self.program.report().nodes)
        some = list(range(0, len(self.xs), math.ceil(len(self.xs) / count)))
        before = [p.grad for p in self.optimizer.parameters]
        expected = [recorded.backward(some), *[p.grad for p in self.optimizer.parameters]]
        for p, grad in zip(self.optimizer.parameters, before, strict=True):
            p.grad = grad
        for self.reduce in ("mean", "sum"):
            value, gradient = self.program.value_and_grad(self.xs[some], self.ys[some], reduce=self.reduce)
            error = np.abs(np.array([value, *gradient]) - expected)
            if (error <= 1e-9 * np.abs(expected).max()).all():
                return True
        return False


def engine(
    model: Module, xs: Sequence[Any], ys: Sequence[Any], loss: Loss, optimizer: SGD, eager: bool
) -> Recorded | Compiled:
    """A program where that computes the same, unless ``eager``; else the graph."""
    recorded = Recorded(model, xs, ys, loss, optimizer)
    moves_vectors = getattr(type(optimizer), "step", None) is SGD.step  # an optimiser of one's own may not
    compiled = None if eager or not moves_vectors else _compiled(recorded)
    return recorded if compiled is None else compiled


def _compiled(recorded: Recorded) -> Compiled | None:
    """None if the examples are no numbers of one shape, or the loss of a batch is not made of theirs."""
    import numpy as np

    from autograd import compile

    try:
        xs, ys = (np.array(each, dtype=float).reshape(len(each), -1) for each in (recorded.xs, recorded.ys))
        x, y = map_tensor(Value, sample(recorded.xs[0])), map_tensor(Value, recorded.ys[0])
        leaves = [[leaf for _, leaf in flatten(tensor)] for tensor in (x, y)]
        loss = recorded.loss([recorded.model(x)], [y])
        found = Compiled(compile(loss, leaves, recorded.optimizer.parameters), xs, ys, recorded.optimizer)
        return found if found.agrees(recorded) else None
    except (TypeError, ValueError, ArithmeticError):
        return None  # what is wrong is said where a batch is recorded


def sample(x: Any) -> list[Any]:
    """A sample as a model takes it: a number is put in a list."""
    return list(x) if is_list(x) else [x]
