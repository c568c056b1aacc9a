"""How a step of training is computed: on the graph of the batch, or on arrays by a program."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextvars import ContextVar
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any, NoReturn

from autograd import Value, looked_at, topological_order

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


class NotCompiledError(Exception):
    """Why a training is computed on graphs."""


class ForeignParametersError(ValueError):
    """The loss depends on none of the optimiser's parameters."""


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
    """Steps on arrays, by a program of the loss of one example; ``reduce`` is what makes a batch's loss of those.

    Raises:
        NotCompiledError: the program of the first example is not that of others, as far as can be seen.
    """

    def __init__(self, recorded: Recorded) -> None:
        import numpy as np

        self.recorded, self.optimizer = recorded, recorded.optimizer
        if any(
            getattr(getattr(self.optimizer, f), "__func__", None) is not getattr(SGD, f) for f in ("step", "zero_grad")
        ):
            raise NotCompiledError("the optimiser steps in a way of its own")
        try:
            xs, ys = (np.array(each, dtype=float) for each in (recorded.xs, recorded.ys))
        except (TypeError, ValueError):
            raise NotCompiledError("the examples are not numbers of one shape") from None
        self.xs, self.ys = xs.reshape(len(xs), -1), ys.reshape(len(ys), -1)
        self.program = self._program()
        self._gradient = np.zeros_like(self.program.parameters)
        # What else the loss depends on, as numbers of the program; somebody may change them between epochs.
        mine = set(self.optimizer.parameters)
        self._fixed = [(leaf, leaf.data) for leaf in self._leaves if leaf not in mine]
        self.reduce = self._reduction()

    def _program(self) -> Program:
        from autograd import compile

        model, loss, (x, y) = self.recorded.model, self.recorded.loss, self._example()
        token = _recording.set(True)
        try:
            with looked_at() as values:
                output = loss([model(x)], [y])
        finally:
            _recording.reset(token)
        if values:
            raise NotCompiledError("Python looked at a number while the first example was recorded (if, max, float)")
        if not isinstance(output, Value):
            raise NotCompiledError("the loss is no Value")
        inputs = [[leaf for _, leaf in flatten(tensor)] for tensor in (x, y)]
        nodes = topological_order(output)
        if set(nodes).isdisjoint(self.optimizer.parameters):
            raise ForeignParametersError(
                "the loss depends on none of the optimiser's parameters: are they this model's?"
            )
        given = {leaf for leaves in inputs for leaf in leaves}
        self._leaves = [node for node in nodes if node.op is None and node not in given]
        return compile(output, inputs, self.optimizer.parameters)

    def _example(self) -> tuple[Any, Any]:
        return map_tensor(_Example, sample(self.recorded.xs[0])), map_tensor(_Example, self.recorded.ys[0])

    def _reduction(self) -> str:
        """How the losses of some examples make that of the batch, compared with their graph."""
        import numpy as np

        count = max(2, COMPARED // self.program.report().nodes)
        some = list(range(0, len(self.xs), math.ceil(len(self.xs) / count)))
        before = [p.grad for p in self.optimizer.parameters]
        try:
            expected = [self.recorded.backward(some), *[p.grad for p in self.optimizer.parameters]]
        finally:
            for p, grad in zip(self.optimizer.parameters, before, strict=True):
                p.grad = grad
        for reduce in ("mean", "sum"):
            value, gradient = self.program.value_and_grad(self.xs[some], self.ys[some], reduce=reduce)
            error = np.abs(np.array([value, *gradient]) - expected)
            if any(expected) and (error <= 1e-9 * np.abs(expected).max()).all():
                return reduce
        raise NotCompiledError("the loss of a batch is neither the mean nor the sum of what the first example shows")

    def step(self, batch: Sequence[int]) -> float:
        """One step on the examples of these numbers; their loss. Raises OverflowError if something is not finite."""
        examples = self.xs[batch], self.ys[batch]
        value, gradient = self.program.value_and_grad(*examples, reduce=self.reduce, out=self._gradient)
        if not math.isfinite(value):
            raise OverflowError(f"the loss is {value}")
        self.optimizer.update(self.program.parameters, gradient)
        return value

    def load(self) -> None:
        """Take the parameters from the model, and what else its loss depends on."""
        if any(leaf.data != data for leaf, data in self._fixed):
            self.program = self._program()
            mine = set(self.optimizer.parameters)
            self._fixed = [(leaf, leaf.data) for leaf in self._leaves if leaf not in mine]
        self.program.load()

    def store(self) -> None:
        """Give the parameters to the model, with the gradients of the last step."""
        self.program.store()
        for p, grad in zip(self.optimizer.parameters, self._gradient.tolist(), strict=True):
            p.grad = grad


_recording: ContextVar[bool] = ContextVar("recording", default=False)


class _Example(Value):
    """A number of the example that is recorded. In a graph it would be a plain float; so it is not to be compared."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other if not _recording.get() else _refuse()

    def __hash__(self) -> int:
        return Value.__hash__(self) if not _recording.get() else _refuse()


def _refuse() -> NoReturn:
    raise NotCompiledError("Python compared a number of the first example while it was recorded (==, in, a dict)")


def engine(
    model: Module, xs: Sequence[Any], ys: Sequence[Any], loss: Loss, optimizer: SGD, eager: bool
) -> tuple[Recorded | Compiled, str]:
    """A program where that computes the same, unless ``eager``; else the graph. Which one, and why, in words.

    Raises:
        ForeignParametersError: the loss depends on none of the optimiser's parameters.
    """
    recorded = Recorded(model, xs, ys, loss, optimizer)
    if eager:
        return recorded, "graph: eager=True"
    try:
        return Compiled(recorded), "program"
    except NotCompiledError as error:
        return recorded, f"graph: {error}"
    except ForeignParametersError:
        raise
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        return recorded, f"graph: the first example cannot be recorded by itself ({error})"


def sample(x: Any) -> list[Any]:
    """A sample as a model takes it: a number is put in a list."""
    return list(x) if is_list(x) else [x]
