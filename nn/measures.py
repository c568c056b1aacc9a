"""What is measured after an epoch: the loss of held-out examples, and the metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autograd import Value, topological_order

from .comparison import agree, nearby, spread
from .losses import Loss
from .prediction import Predictor
from .recording import Example, NotCompiledError, recording
from .tensors import flatten, floats, map_tensor

if TYPE_CHECKING:
    import numpy as np

    from autograd import Program

    Array = np.ndarray[Any, np.dtype[Any]]

Metrics = Mapping[str, Callable[[Any, Any], float]]


class Measure:
    """The loss of held-out examples, and metrics on these and on the training data, by a model's predictions."""

    def __init__(
        self,
        predictor: Predictor,
        loss: Loss,
        examples: tuple[Any, Any],
        held_out: tuple[Any, Any] | None,
        metrics: Metrics,
        eager: bool = False,
        parameters: Sequence[Value] = (),
    ) -> None:
        self.predictor, self.metrics = predictor, metrics
        self.examples, self.held_out = examples, held_out
        self._loss = LossMeter(loss, eager, parameters)

    def __call__(self) -> dict[str, float]:
        """Each number by its name. Raises OverflowError if the loss is not finite."""
        row = self._measured("", *self.examples) if self.metrics else {}
        return row if self.held_out is None else row | self._measured("validation_", *self.held_out, self._loss)

    def _measured(
        self, part: str, xs: Sequence[Any], ys: Sequence[Any], meter: LossMeter | None = None
    ) -> dict[str, float]:
        predictions, targets = self.predictor(xs), floats(ys)
        row = {} if meter is None else {f"{part}loss": meter(predictions, targets)}
        return row | {part + name: float(metric(predictions, targets)) for name, metric in self.metrics.items()}


class LossMeter:
    """The loss of many predictions: by a program of that of one, where the graph of all gives the same number.

    The parameters are what may change between calls, if the loss depends on some.
    """

    def __init__(self, loss: Loss, eager: bool = False, parameters: Sequence[Value] = ()) -> None:
        self.loss, self.parameters = loss, parameters
        self._reduce: Callable[[Array], Any] | None = None
        self._program: Program | None = None
        self._eager = eager

    def __call__(self, predictions: Array, targets: Array) -> float:
        """The loss of n predictions, (n,) or (n, k), with targets alike. Raises OverflowError if it is not finite."""
        if not self._eager and self._program is None:
            try:
                self._compile(predictions, targets)
            except (NotCompiledError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
                self._eager = True
        if self._program is None or self._reduce is None:
            found = self._recorded(predictions, targets)
        else:
            found = float(self._reduce(self._computed(self._program, predictions, targets)))
        if not math.isfinite(found):
            raise OverflowError(f"the validation loss is {found}")
        return found

    def _compile(self, predictions: Array, targets: Array) -> None:
        import numpy as np

        from autograd import compile

        first = [map_tensor(Example, each[:1]) for each in (predictions, targets)]
        with recording():
            output = self.loss(*first)
        inputs = [[leaf for _, leaf in flatten(each)] for each in first]
        nodes, given = topological_order(output), {leaf for leaves in inputs for leaf in leaves}
        program = compile(output, inputs, [node for node in nodes if node.op is None and node not in given])
        some = spread(len(predictions), len(nodes))
        with nearby(self.parameters):
            expected = self._recorded(predictions[some], targets[some])
            found = self._computed(program, predictions[some], targets[some])
        for reduce in (np.mean, np.sum):
            if expected and agree(reduce(found), expected):
                self._program, self._reduce = program, reduce
                return
        raise NotCompiledError("the loss of a batch is neither the mean nor the sum of what the first example shows")

    def _computed(self, program: Program, predictions: Array, targets: Array) -> Array:
        """The loss of each prediction, shape (n,)."""
        rows = len(predictions)
        program.load()  # a model's parameters, which a loss may depend on too
        losses: Array = program(predictions.reshape(rows, -1), targets.reshape(rows, -1))
        return losses

    def _recorded(self, predictions: Array, targets: Array) -> float:
        return float(self.loss(map_tensor(Value, predictions.tolist()), targets.tolist()))
