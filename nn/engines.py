"""How a step of training is computed: on the graph of the batch, or on arrays by a program."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from autograd import Value, sum, topological_order

from .comparison import agree, nearby, spread, unchanged
from .layers import Dropout
from .losses import Loss
from .modules import Module
from .optim import Optimizer
from .recording import Example, NotCompiledError, Recording, recording
from .tensors import flatten, floats, map_tensor, sample

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

MOST_UNROLLED = 2_000_000
"""The most nodes of a batch whose examples are related; its program would take more than the machine has."""


class RelatedError(NotCompiledError):
    """The loss of a batch is not made of those of its examples, each by itself."""


class ForeignParametersError(ValueError):
    """The loss depends on none of the optimiser's parameters."""


@dataclass(frozen=True)
class Problem:
    """What is minimised, and by what: the loss of a model on a batch of its examples, and a penalty on the model."""

    model: Any
    xs: Sequence[Any]
    ys: Sequence[Any]
    loss: Loss
    optimizer: Optimizer
    penalty: Callable[[Any], Any] | None = None
    augment: Callable[[Array, np.random.Generator], Array] | None = None

    @cached_property
    def arrays(self) -> tuple[Array, Array] | None:
        """The examples as arrays, a row each, shapes (n, k) and (n, m); None if they are not numbers of one shape."""
        try:
            xs, ys = floats(self.xs), floats(self.ys)
        except (TypeError, ValueError):
            return None
        return xs.reshape(len(xs), -1), ys.reshape(len(ys), -1)

    def augmented(self, xs: Array, rng: np.random.Generator) -> Array:
        """The samples of a batch, shape (B, k), as ``augment`` changes them."""
        if self.augment is None:
            return xs
        found = self.augment(xs, rng)
        if getattr(found, "shape", None) != xs.shape:
            raise ValueError(f"augment must give an array of the shape it was given, {xs.shape}, got {shown(found)}")
        return found

    def recorded(self, xs: Sequence[Any], ys: Sequence[Any]) -> Value:
        """The loss of a batch, as a graph."""
        xs = [sample(x) for x in xs]
        batch = self.model.batch(xs) if isinstance(self.model, Module) else [self.model(x) for x in xs]
        return self._value("loss", self.loss(batch, ys))

    def recorded_penalty(self) -> Value:
        """The penalty, as a graph."""
        assert self.penalty is not None
        return self._value("penalty", self.penalty(self.model))

    def _value(self, what: str, x: Any) -> Value:
        if not isinstance(x, Value):
            raise TypeError(f"the {what} must return a Value that depends on the model, got {shown(x)}")
        return x

    @cached_property
    def buffers(self) -> list[Value]:
        """The model's running statistics."""
        if not isinstance(self.model, Module):
            return []
        return [value for buffer in self.model.buffers().values() for _, value in flatten(buffer)]

    @cached_property
    def _dropouts(self) -> list[Dropout]:
        modules = self.model.modules() if isinstance(self.model, Module) else []
        return [each for each in modules if isinstance(each, Dropout)]

    def reseed(self, *seeds: int) -> None:
        """Let all that the model draws be determined by these whole numbers."""
        for i, dropout in enumerate(self._dropouts):
            dropout.reseed(*seeds, i + 1)  # for NumPy, seeds that end in 0 are the same without it


def check_dependence(nodes: Sequence[Value], parameters: Sequence[Value]) -> None:
    """Raise ForeignParametersError if none of the parameters is in a graph."""
    if set(nodes).isdisjoint(parameters):
        raise ForeignParametersError(
            "the loss depends on none of the optimiser's parameters: are they this model's, and is nothing taken out "
            "of the graph by .data?"
        )


class Recorded:
    """Steps on the graph of each batch, which is recorded anew."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.optimizer = problem, problem.optimizer
        self._checked = False

    def step(self, batch: Sequence[int], rng: np.random.Generator) -> float:
        """One step on the examples of these numbers; their loss. Raises OverflowError if something is not finite."""
        problem = self.problem
        xs = [problem.xs[i] for i in batch]
        if problem.augment is not None and problem.arrays is not None:
            xs = problem.augmented(problem.arrays[0][batch], rng).tolist()
        before = [(buffer, buffer.data) for buffer in problem.buffers]
        try:
            value = problem.recorded(xs, [problem.ys[i] for i in batch])
            if problem.penalty is not None:
                value = value + problem.recorded_penalty()
            self.differentiate(value)
            self.optimizer.step()
        except BaseException:  # a step is whole, or has not happened
            for buffer, data in before:
                buffer.data = data
            raise
        return value.data

    def differentiate(self, value: Value) -> list[float]:
        """The data of a loss and its gradient, which is left in the parameters. Raises OverflowError if not finite."""
        if not math.isfinite(value):
            raise OverflowError(f"the loss is {value.data}")
        if not self._checked:
            check_dependence(topological_order(value), self.optimizer.parameters)
            self._checked = True
        self.optimizer.zero_grad()
        value.backward()
        return [value.data, *[p.grad for p in self.optimizer.parameters]]

    def load(self) -> None:
        """Take the parameters from the model: they are its Values."""

    def store(self) -> None:
        """Give the parameters to the model, likewise."""


class Compiled:
    """Steps on arrays, by a program of the loss of one example, or of a whole batch where that relates its examples.

    Args:
        recorded: the same steps on graphs.
        size: how many examples a batch has.
        whole: whether the program is of a whole batch.

    Raises:
        NotCompiledError: the program would not compute what the graph does, as far as can be seen.
    """

    def __init__(self, recorded: Recorded, size: int, whole: bool = False) -> None:
        import numpy as np

        self.recorded, self.problem, self.optimizer = recorded, recorded.problem, recorded.optimizer
        if any(getattr(type(self.optimizer), f) is not getattr(Optimizer, f) for f in ("step", "zero_grad")):
            raise NotCompiledError("the optimiser steps in a way of its own")
        if self.problem.arrays is None:
            raise NotCompiledError("the examples are not numbers of one shape")
        self.xs, self.ys = self.problem.arrays
        self.whole = whole
        self.parameters = np.array([p.data for p in self.optimizer.parameters])
        self._gradient = np.zeros_like(self.parameters)
        self._programs: dict[int, LossProgram] = {}
        program = self._program(size)
        self._penalty = PenaltyProgram(self.problem) if self.problem.penalty is not None else None
        with unchanged(self.problem.buffers), nearby(self.optimizer.parameters):
            self.load()
            self.reduce = self._reduction(program, size)
            if self._penalty is not None:
                self._compare(self._penalty)
        self.load()

    def _program(self, size: int) -> LossProgram:
        """That of a batch of so many, or of one example."""
        size = size if self.whole else 1
        if size not in self._programs:
            self._programs[size] = LossProgram(self.problem, size)
        return self._programs[size]

    def _reduction(self, program: LossProgram, size: int) -> str:
        """How the losses of some examples make that of the batch, compared with their graph."""
        import numpy as np

        last = len(self.xs) - 1
        some = [last - i for i in range(size)] if self.whole else spread(len(self.xs), program.nodes)
        self.problem.reseed(0)
        graph = self.problem.recorded([self.problem.xs[i] for i in some], [self.problem.ys[i] for i in some])
        expected = np.array(self.recorded.differentiate(graph))
        for reduce in ("mean", "sum"):
            self.problem.reseed(0)
            value = program.value_and_grad(self.parameters, self.xs[some], self.ys[some], reduce, self._gradient)
            if expected.any() and agree(np.array([value, *self._gradient]), expected):
                return reduce
        raise RelatedError(
            "the loss of a batch is neither the mean nor the sum of what the first example shows, or depends on a "
            "number that was taken out of the graph (.data)"
        )

    def _compare(self, penalty: PenaltyProgram) -> None:
        """Raise NotCompiledError unless this gives the numbers of the graph."""
        import numpy as np

        expected = np.array(self.recorded.differentiate(self.problem.recorded_penalty()))
        self._gradient[:] = 0.0
        value = penalty.add_to(self._gradient, self.parameters)
        if not agree(np.array([value, *self._gradient]), expected):
            raise NotCompiledError("the penalty depends on a number that is not in its graph (.data)")

    def step(self, batch: Sequence[int], rng: np.random.Generator) -> float:
        """One step on the examples of these numbers; their loss. Raises OverflowError if something is not finite."""
        program = self._program(len(batch))
        xs, ys = self.problem.augmented(self.xs[batch], rng), self.ys[batch]
        value = program.value_and_grad(self.parameters, xs, ys, self.reduce, self._gradient)
        if self._penalty is not None:
            value += self._penalty.add_to(self._gradient, self.parameters)
        if not math.isfinite(value):
            raise OverflowError(f"the loss is {value}")
        statistics = program.statistics()
        self.optimizer.update(self.parameters, self._gradient)
        for take, numbers in statistics:
            take(numbers)
        return value

    def load(self) -> None:
        """Take the parameters from the model, and what else its loss depends on."""
        if any(program.outdated() for program in self._programs.values()):
            self._programs.clear()
        if self._penalty is not None and self._penalty.outdated():
            self._penalty = PenaltyProgram(self.problem)
        self.parameters[:] = [p.data for p in self.optimizer.parameters]

    def store(self) -> None:
        """Give the parameters to the model, with the gradients of the last step."""
        parameters = self.optimizer.parameters
        for p, data, grad in zip(parameters, self.parameters.tolist(), self._gradient.tolist(), strict=True):
            p.data, p.grad = data, grad


class LossProgram:
    """The program of the loss of so many examples, with the random numbers and the statistics that its graph needs.

    With one example it takes batches of any size, and reduces their losses.
    """

    def __init__(self, problem: Problem, size: int) -> None:
        from autograd import compile

        xs = [map_tensor(Example, x) for x in problem.xs[:size]]
        ys = [map_tensor(Example, y) for y in problem.ys[:size]]
        with recording() as found:
            output = problem.recorded(xs, ys)
        nodes = topological_order(output)
        if len(nodes) > MOST_UNROLLED:
            raise NotCompiledError(f"a batch whose examples are related makes {len(nodes):,} nodes")
        parameters = problem.optimizer.parameters
        check_dependence(nodes, parameters)
        inputs = [[leaf for _, leaf in flatten(tensors)] for tensors in (xs, ys)] + list(found.noise.values())
        self.program = compile(output, inputs, parameters)
        self.nodes = len(nodes)
        self._fixed = _fixed(nodes, parameters, inputs)
        self._size, self._noise = size, found.noise
        self._statistics = Statistics(found, inputs, parameters) if found.statistics else None

    def value_and_grad(self, parameters: Array, xs: Array, ys: Array, reduce: str, out: Array) -> float:
        """The loss of a batch at these parameters (P,), whose gradient is written into ``out``, (P,)."""
        rows = len(xs) // self._size
        noise = [draw(rows * len(leaves)).reshape(rows, -1) for draw, leaves in self._noise.items()]
        self._arrays = [xs.reshape(rows, -1), ys.reshape(rows, -1), *noise]
        self.program.parameters[:] = parameters
        return self.program.value_and_grad(*self._arrays, reduce=reduce, out=out)[0]

    def statistics(self) -> list[tuple[Callable[[list[float]], None], list[float]]]:
        """Those of the batch that was computed last, with the functions that take them."""
        return [] if self._statistics is None else self._statistics(self.program.parameters, self._arrays)

    def outdated(self) -> bool:
        """Whether somebody has changed what the program took for constant."""
        return any(leaf.data != data for leaf, data in self._fixed)


class PenaltyProgram:
    """The program of the penalty, which no example changes."""

    def __init__(self, problem: Problem) -> None:
        from autograd import compile

        with recording():
            output = problem.recorded_penalty()
        parameters = problem.optimizer.parameters
        self._program = compile(output, (), parameters)
        self._fixed = _fixed(topological_order(output), parameters, [])

    def add_to(self, gradient: Array, parameters: Array) -> float:
        """The penalty at these parameters (P,), whose gradient is added to ``gradient``, (P,)."""
        self._program.parameters[:] = parameters
        value, slope = self._program.value_and_grad()
        gradient += slope
        return value

    def outdated(self) -> bool:
        """Whether somebody has changed what the program took for constant."""
        return any(leaf.data != data for leaf, data in self._fixed)


class Statistics:
    """The program of what modules watch in a batch: means and variances."""

    def __init__(self, found: Recording, inputs: list[list[Value]], parameters: list[Value]) -> None:
        from autograd import compile

        nodes = [node for watched, _ in found.statistics for node in watched]
        below = set(topological_order(sum(nodes)))
        self._used = [i for i, p in enumerate(parameters) if p in below]
        self._program = compile(nodes, inputs, [parameters[i] for i in self._used])
        self._takers = [(take, len(watched)) for watched, take in found.statistics]

    def __call__(
        self, parameters: Array, arrays: list[Array]
    ) -> list[tuple[Callable[[list[float]], None], list[float]]]:
        """The statistics of a batch at these parameters (P,), each with the function that takes it."""
        self._program.parameters[:] = parameters[self._used]
        numbers = iter(self._program(*arrays)[0].tolist())
        return [(take, list(islice(numbers, count))) for take, count in self._takers]


def _fixed(nodes: list[Value], parameters: list[Value], inputs: list[list[Value]]) -> list[tuple[Value, float]]:
    """The leaves that are neither parameters nor inputs, with their data; somebody may change them between epochs."""
    given = {leaf for leaves in [parameters, *inputs] for leaf in leaves}
    return [(node, node.data) for node in nodes if node.op is None and node not in given]


def engine(problem: Problem, size: int, eager: bool = False) -> tuple[Recorded | Compiled, str]:
    """A program where that computes the same, unless ``eager``; else the graph. Which one, and why, in words.

    Raises:
        ForeignParametersError: the loss depends on none of the optimiser's parameters.
    """
    recorded = Recorded(problem)
    if eager:
        return recorded, "graph: eager=True"
    try:
        try:
            return Compiled(recorded, size), "program"
        except (RelatedError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            if isinstance(error, ForeignParametersError) or size < 2:
                raise
            return Compiled(recorded, size, whole=True), "program of whole batches"
    except NotCompiledError as error:
        return recorded, f"graph: {error}"
    except ForeignParametersError:
        raise
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        return recorded, f"graph: no program can be made of it ({error})"
