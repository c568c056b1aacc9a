"""What a model says about samples: by a program, many at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from autograd import Value, sum, topological_order

from .comparison import agree, nearby, spread
from .modules import Module, evaluating
from .recording import Example, NotCompiledError, recording
from .tensors import flatten, floats, map_tensor, sample, sequence, shape

if TYPE_CHECKING:
    import numpy as np

    from autograd import Program

    Array = np.ndarray[Any, np.dtype[Any]]

TOGETHER = 1000
"""So many samples are computed at once: the memory of a program grows with them."""


def predict(model: Any, xs: Iterable[Any]) -> Array:
    """The predictions of a model for n samples, in evaluation mode: an array, shape (n,), or (n, k) for lists of k.

    The graph of one sample is compiled (``autograd.compile``), which is far quicker than calling the model n times,
    with the same numbers to rounding. The graph is used where Python looks at a number (``if``, ``max``), and where the
    program gives other numbers for some samples.

    Args:
        model: called on each sample, a list of numbers (a sample that is one number is put in a list).
        xs: the samples, each a number or a list of numbers; also a table, or a generator.

    Raises:
        TypeError, ValueError: what the model raises for such samples.

    >>> from nn import MLP
    >>> predict(MLP(2, [3, 1], seed=0), [[0.0, 0.0], [1.0, 2.0]]).shape
    (2,)
    """
    return Predictor(model)(xs)


class Predictor:
    """The predictions of a model, whose program is made at the first call, and kept for those that follow.

    Args:
        model: see ``predict``.
        eager: whether to predict by graphs always.
        parameters: what will change between calls; meanwhile the program is compared with graphs at other numbers in
            them.

    >>> from nn import MLP
    >>> predictor = Predictor(MLP(2, [3, 1], seed=0))
    >>> predictor([[0.0, 0.0], [1.0, 2.0]]).shape, predictor([[3.0, 4.0]]).shape
    ((2,), (1,))
    """

    def __init__(self, model: Any, eager: bool = False, parameters: Sequence[Value] = ()) -> None:
        self.model, self.parameters = model, parameters
        self._eager = eager
        self._program: Program | None = None
        self._shape: tuple[int, ...] = ()

    def __call__(self, xs: Iterable[Any]) -> Array:
        """Those for n samples, shape (n,) or (n, k), by what the model's parameters are now."""
        import numpy as np

        samples = sequence(xs)
        if not len(samples):
            return np.empty(0)
        rows = None if self._eager else _rows(samples)
        with evaluating(self.model):
            if rows is not None and self._program is None:
                try:
                    self._program = self._compiled(samples, rows)
                except (NotCompiledError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
                    self._eager = True
            if rows is None or self._program is None:
                return self._recorded(samples)
        return self._computed(self._program, rows)

    def _recorded(self, xs: Sequence[Any]) -> Array:
        import numpy as np

        return np.array([map_tensor(float, self.model(sample(x))) for x in xs])

    def _computed(self, program: Program, rows: Array) -> Array:
        import numpy as np

        program.load()
        parts = [program(rows[i : i + TOGETHER]) for i in range(0, len(rows), TOGETHER)]
        return np.concatenate(parts).reshape(len(rows), *self._shape)

    def _compiled(self, xs: Sequence[Any], rows: Array) -> Program:
        """The program of the model's outputs. Raises NotCompiledError unless a sample's graph is that of all."""
        from autograd import compile

        example = map_tensor(Example, sample(xs[0]))
        inputs = [leaf for _, leaf in flatten(example)]
        with recording():
            found = self.model(example)
        outputs = [output for _, output in flatten(found)]
        if not all(isinstance(output, Value) for output in outputs):
            raise NotCompiledError("an output is no Value")
        self._shape = shape(found)
        # A model's own order of its parameters is the one in which they are matrices.
        own = self.model.parameters() if isinstance(self.model, Module) else []
        nodes = topological_order(sum(outputs))
        given = set(inputs)
        others = [leaf for leaf in dict.fromkeys([*own, *nodes]) if leaf.op is None and leaf not in given]
        program = compile(outputs, [inputs], others)
        some = spread(len(xs), len(nodes))
        with nearby(self.parameters):
            if not agree(self._computed(program, rows[some]), self._recorded([xs[i] for i in some])):
                raise NotCompiledError("the graph of a sample is not that of all")
        return program


def _rows(xs: Sequence[Any] | Array) -> Array | None:
    """The samples as an array, shape (n, k), if they are numbers of one shape."""
    try:
        return floats(xs).reshape(len(xs), -1)
    except (TypeError, ValueError):
        return None
