"""Programs: a recorded graph as a function of arrays."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from reprlib import repr as shown
from threading import RLock
from types import MappingProxyType
from typing import Any

import numpy as np

from ..op import as_float
from ..replay import replay
from ..value import Value, topological_order
from .adjoints import Adjoints
from .c import CSource
from .canonical import Canonical
from .explanation import Step, steps
from .layout import Layout
from .native import Native
from .running import Interpreted, Running, Vector
from .source import Source
from .statements import ONES, Ref
from .tangent import tangent
from .values import Values

BACKENDS = ("numpy", "c")
DTYPES = (np.dtype(np.float64), np.dtype(np.float32))
KEPT = 4
"""For so many batch sizes the memory is kept: an epoch has two, its last batch may be smaller."""


@dataclass(frozen=True, repr=False)
class Report:
    """What a program is made of; it prints as a line.

    Attributes:
        nodes: of the recorded graph.
        instructions: NumPy calls of the values, and of the gradient.
        products: those that are matrix products.
        copies: those that only put numbers elsewhere.
        each: the operations that are called number by number, because NumPy lacks them.
        arrays: the shapes that are kept, B for the size of the batch.
        itemsize: the bytes of a number.
        fixed: bytes of parameters, gradient and constants.
    """

    nodes: int
    instructions: tuple[int, int]
    products: int
    copies: int
    each: tuple[str, ...]
    arrays: tuple[tuple[int | str, ...], ...]
    itemsize: int
    fixed: int

    def bytes(self, batch: int) -> int:
        """The memory for a batch."""
        factors = [[factor for size in dims for factor in str(size).split(" * ")] for dims in self.arrays]
        sizes = [math.prod([batch if factor == "B" else int(factor) for factor in each]) for each in factors]
        return sum(sizes) * self.itemsize + self.fixed

    def __str__(self) -> str:
        each = f", {', '.join(self.each)} for each number" if self.each else ""
        forward, reverse = self.instructions
        return (
            f"{self.nodes:,} nodes, {forward} + {reverse} instructions "
            f"({self.products} matrix products, {self.copies} copies{each}), "
            f"{self.bytes(1):,} bytes for one example, {self.bytes(2) - self.bytes(1):,} for each more"
        )

    __repr__ = __str__


class Program:
    """A recorded graph as a function of arrays. Made by ``compile``; it prints as the source that it runs.

    Attributes:
        constants: what the source needs besides its parameters, by name: arrays, and functions called for each number.

    A program has its own memory, so threads wait for each other. A copy, or one that was pickled, has its own too.
    """

    def __init__(
        self,
        output: Value | Sequence[Value],
        inputs: Sequence[Any],
        parameters: Iterable[Value],
        dtype: Any,
        backend: str,
    ) -> None:
        self._dtype = _dtype(dtype)
        if backend not in BACKENDS:
            raise ValueError(f"backend is {' or '.join(map(repr, BACKENDS))}, got {shown(backend)}")
        self._backend = backend
        self._lock = RLock()
        self._one = isinstance(output, Value)
        self._outputs = [output] if isinstance(output, Value) else _list("output", output)
        self._inputs = [
            x if isinstance(x, Value) else _list(f"inputs[{k}]", x) for k, x in enumerate(_list("inputs", inputs))
        ]
        self._values = _list("parameters", parameters)
        self._leaves = [[x] if isinstance(x, Value) else x for x in self._inputs]
        _check(self._outputs, self._leaves, self._values)
        graph = Canonical(self._outputs, self._leaves, self._values)
        if self._values and not any(graph.needed[x] for x in graph.outputs):
            raise ValueError(f"the output depends on none of the {len(self._values)} parameters that were given")
        layout = Layout(graph, len(self._values), [len(x) for x in self._leaves])
        self._forward = Values(layout)
        self._reverse = Adjoints(layout, self._forward)
        self._depends = layout.outputs.array.needed
        self._refusal = None
        if not self._one:
            self._refusal = "the gradient is that of one output: compile one Value, not a list"
        elif not self._depends:
            self._refusal = "this program has no parameters: give them to compile"
        self._varies = layout.outputs.array.varying
        names = [p.name or "" for p in self._values], [_name(x) for x in self._inputs]
        self._source: Source | CSource
        self._engine: Interpreted | Native
        if backend == "c":
            self._source = CSource(self._forward, self._reverse, *names, self.dtype)
            self._engine = Native(self._source, self.dtype)
        else:
            self._source = Source(self._forward, self._reverse, *names)
            self._engine = Interpreted(self._source)
        self._nodes = graph.recorded
        self._parameters: Vector = np.empty(len(self._values), self.dtype)
        self._gradient: Vector = np.zeros(len(self._values), self.dtype)
        self._last_out: Vector | None = None
        self._shapes = [() if isinstance(x, Value) else (len(x),) for x in self._inputs]
        self.constants: Mapping[str, Any] = MappingProxyType(
            {
                name: x.astype(self.dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x
                for name, x in self._source.constants.items()
            }
        )
        self._made: dict[int, Running] = {}
        self._slope: Program | None = None  # the derivative along a vector, compiled when it is asked for
        # Branches that are not taken may overflow. A context of one's own is set once; np.errstate takes 1 µs a call.
        # It cannot be entered twice, so it is entered under the lock only.
        context = copy_context()
        context.run(np.seterr, all="ignore")
        self._quietly = context.run
        self.load()

    # ---- calling ---------------------------------------------------------------------------------------------------

    def __call__(self, *arrays: Any) -> Any:
        """The outputs for a batch.

        Args:
            arrays: one for each input: (B,) for a leaf, (B, n) for a list of n.

        Returns:
            (B,) for one output, (B, n_out) for a list; without inputs a number, or (n_out,).

        Raises:
            TypeError: there are more or fewer arrays than inputs, or one is not of numbers.
            ValueError: an array has another shape, or the batches are not equally large; or what the graph raises.
        """
        batch, given = self._checked(arrays)
        with self._lock:
            try:
                out = np.array(self._quietly(self._memory(batch).value, *given))
            except (ValueError, ArithmeticError):  # of a function that is called for each number
                self._explain_any(given, batch)
                raise
            if not math.isfinite(self._quietly(out.sum)):
                self._explain(given, ~np.isfinite(out).all(axis=0))
        if not self._inputs:
            return out[0, 0] if self._one else out[:, 0]
        if not self._varies:
            out = np.repeat(out, batch, axis=1)
        return out[0] if self._one else out.T

    def value_and_grad(self, *arrays: Any, reduce: str = "mean", out: Vector | None = None) -> tuple[float, Vector]:
        """The mean of the output over a batch, or its sum, and the gradient, shape (P,), aligned with ``parameters``.

        Of no examples both are 0. The gradient is written into ``out``, if that is given: of a large model a new vector
        for each call costs some time.

        Raises:
            TypeError, ValueError: as a call does; there are several outputs, or no parameters; ``reduce`` is neither
                "mean" nor "sum"; ``out`` is no vector (P,) of the program's dtype that can be written.
        """
        if self._refusal is not None:
            raise ValueError(self._refusal)
        if reduce not in ("mean", "sum"):
            raise ValueError(f'reduce is "mean" or "sum", got {shown(reduce)}')
        if out is not None and not (out is self._last_out and out.flags.writeable):
            self._check_out(out)
            self._last_out = out
        batch, given = self._checked(arrays)
        if not batch:
            out = np.empty_like(self._gradient) if out is None else out
            out[:] = 0.0
            return 0.0, out
        gradient = self._gradient if out is None else out
        scale = 1.0 / batch if reduce == "mean" else 1.0
        with self._lock:
            try:
                values, total, finite = self._quietly(self._computed, given, batch, scale, gradient)
            except (ValueError, ArithmeticError):
                self._explain_any(given, batch)
                raise
            if not finite and np.isfinite(values).all():
                self._compute_on_values(given, batch, scale, gradient)
            elif not finite:
                self._explain(given, ~np.isfinite(values[0]))
            return total, gradient.copy() if out is None else out

    def hessian_vector_product(self, vector: Any, *arrays: Any, reduce: str = "mean") -> Vector:
        """The Hessian of the mean of the output over a batch, or of its sum, times a vector (P,); shape (P,).

        It is the gradient of the derivative along the vector (Pearlmutter 1994): a program of its own, compiled at the
        first call, which takes some four to seven times as long as a gradient.

        Raises:
            TypeError, ValueError: as ``value_and_grad`` does; ``vector`` is no vector (P,) of numbers.

        >>> w, x = Value(2.0, "w"), Value(1.0, "x")
        >>> compile(w**3 * x, inputs=[x], parameters=[w]).hessian_vector_product([1.0], [1.0, 3.0])  # 6 w x
        array([24.])
        """
        vector = self._vector("vector", vector)
        with self._lock:
            self.value_and_grad(*arrays, reduce=reduce)  # raises what it has to raise
            if self._slope is None:
                directions = {p: Value(0.0) for p in self._values}
                slope = tangent(self._outputs[0], directions)
                if slope is None:
                    return np.zeros_like(vector)
                self._slope = Program(
                    slope, self._inputs, [*self._values, *directions.values()], self.dtype, self._backend
                )
            self._slope.parameters = np.concatenate([self._parameters, vector])
            return self._slope.value_and_grad(*arrays, reduce=reduce)[1][: len(vector)]

    def _computed(self, given: list[Any], batch: int, scale: float, gradient: Vector) -> tuple[Vector, float, bool]:
        """The outputs, and their sum times ``scale``, whose gradient is written into ``gradient``; are both finite?"""
        memory = self._memory(batch)
        memory.write_into(gradient)
        out = memory.value(*given)
        if not self._varies:  # the same for every example
            scale *= batch
        total = (out.dot(memory.ones).item() if self._varies else out.item()) * scale
        memory.reverse(*given, scale)
        finite = math.isfinite(total + gradient.dot(gradient))  # a square may overflow, so this is not the last word
        return out, total, finite or (math.isfinite(total) and bool(np.isfinite(gradient).all()))

    def _check_out(self, out: Any) -> None:
        if not isinstance(out, np.ndarray) or out.dtype != self.dtype:
            raise TypeError(f"out is an array of {self.dtype}, got {shown(out)}")
        if out.shape != self._gradient.shape or not out.flags.c_contiguous or not out.flags.writeable:
            said = f"{self._gradient.shape} in one piece of memory that can be written"
            but = ", in pieces" * (not out.flags.c_contiguous) + ", read-only" * (not out.flags.writeable)
            raise ValueError(f"out has the shape {said}, got {out.shape}{but}")
        if np.shares_memory(out, self._parameters):
            raise ValueError("out is the memory of the parameters, which the gradient depends on")

    def _checked(self, arrays: tuple[Any, ...]) -> tuple[int, list[Any]]:
        if len(arrays) != len(self._inputs):
            s = "" if len(self._inputs) == 1 else "s"
            raise TypeError(f"this program takes {len(self._inputs)} array{s}, one for each input, got {len(arrays)}")
        batch = None
        given = []
        for k, (array, wanted) in enumerate(zip(arrays, self._shapes, strict=True)):
            if array.__class__ is not np.ndarray or array.dtype is not self.dtype:
                array = self._numbers(f"array {k}", array)
            shape = array.shape
            if not shape or shape[1:] != wanted:
                said = f"(B, {wanted[0]})" if wanted else "(B,)"
                raise ValueError(f"array {k} has the shape {said} for a batch of B examples, got {shape}")
            if batch is None:
                batch = shape[0]
            elif shape[0] != batch:
                raise ValueError(f"array {k} is of {shape[0]} examples, those before it of {batch}")
            given.append(array.T if wanted else array[None])
        return 1 if batch is None else batch, given

    def _numbers(self, what: str, x: Any) -> Vector:
        """An array of real numbers in the program's dtype."""
        try:
            array = np.asarray(x)
            if array.dtype.kind == "O":
                array = np.array([as_float(each) for each in array.ravel()]).reshape(array.shape)
            if array.dtype.kind in "biuf":
                with np.errstate(all="ignore"):
                    return array.astype(self.dtype)
        except (TypeError, ValueError, OverflowError):
            pass
        raise TypeError(f"{what}: expected numbers, got {shown(x)}")

    def _vector(self, what: str, x: Any) -> Vector:
        """A vector (P,) in the program's dtype."""
        vector = self._numbers(what, x)
        if vector.shape != self._parameters.shape:
            raise ValueError(f"{what}: expected the shape {self._parameters.shape}, got {vector.shape}")
        return vector

    def _memory(self, batch: int) -> Running:
        """The functions for a batch size, with their memory."""
        found = self._made.get(batch)
        if found is None:
            found = self._engine.running(batch, self._parameters, self._gradient, self.constants)
            self._made[batch] = found
            if len(self._made) > KEPT:
                del self._made[next(iter(self._made))]
        return found

    def _without_gradient(self, batch: int, given: list[Any]) -> Vector:
        """Which examples have, alone, a gradient that is not finite."""
        bad, gradient = np.zeros(batch, bool), np.zeros_like(self._gradient)
        for i in range(batch):
            self._quietly(self._computed, [array[:, i : i + 1] for array in given], 1, 1.0, gradient)
            bad[i] = not np.isfinite(gradient).all()
        return bad

    def _compute_on_values(self, given: list[Any], batch: int, scale: float, gradient: Vector) -> None:
        """Compute the examples whose gradient is not finite on Values, the others again.

        Behind a branch that ``where`` does not take, an array has 0 · inf; in the graph nothing arrives there.
        """
        bad = self._without_gradient(batch, given)
        self._explain(given, bad)
        rest = int(batch - bad.sum())
        gradient.fill(0.0)
        if rest:
            self._quietly(self._computed, [array[:, ~bad] for array in given], rest, scale, gradient)
        for i in np.flatnonzero(bad).tolist():
            with np.errstate(all="ignore"):
                gradient += scale * np.array(self._replay(given, i))

    def _explain(self, given: list[Any], bad: Vector) -> None:
        """Raise what the recorded graph raises for the first bad example, if it does.

        Of numbers that are not finite themselves it may well be as it is; so others come first.
        """
        candidates = np.flatnonzero(bad).tolist()
        sound = [i for i in candidates if all(np.isfinite(array[:, i]).all() for array in given)]
        for i in (sound or candidates)[:1]:
            self._replay(given, i)

    def _explain_any(self, given: list[Any], batch: int) -> None:
        """Raise what the recorded graph raises for the first example for which it does."""
        for i in range(batch):
            self._replay(given, i)

    def _replay(self, given: list[Any], i: int) -> list[float]:
        """The gradient of an example, computed on Values; what that raises says which example it was."""
        parameters = [Value(x) for x in self._parameters.tolist()]
        numbers: dict[Value, Any] = dict(zip(self._values, parameters, strict=True))
        for leaves, array in zip(self._leaves, given, strict=True):
            numbers.update(zip(leaves, array[:, i].tolist(), strict=True))
        try:
            for output in self._outputs:
                nodes = set(topological_order(output))
                again = replay(output, {leaf: x for leaf, x in numbers.items() if leaf in nodes})
                if self._depends:
                    again.backward()
        except (ValueError, ArithmeticError) as error:
            if given:
                error.add_note(f"in example {i} of the batch")
            raise
        return [p.grad for p in parameters]

    # ---- parameters ------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of all arrays."""
        return self._dtype

    @property
    def parameters(self) -> Vector:
        """The vector (P,) that the program reads; an optimiser may change it in place. What is assigned is copied in.

        Raises:
            TypeError, ValueError: what is assigned is no vector (P,) of numbers.
        """
        return self._parameters

    @parameters.setter
    def parameters(self, x: Any) -> None:
        if x is self._parameters:  # after ``program.parameters -= …``
            return
        self._parameters[:] = self._vector("parameters", x)

    def load(self) -> None:
        """Read the parameters from their Values."""
        self.parameters[:] = [p.data for p in self._values]

    def store(self) -> None:
        """Write the parameters to their Values, to all or, interrupted, to none."""
        before = [p.data for p in self._values]
        try:
            for p, x in zip(self._values, self._parameters.tolist(), strict=True):
                p.data = x
        except BaseException:
            for p, x in zip(self._values, before, strict=True):
                p.data = x
            raise

    # ---- reading ---------------------------------------------------------------------------------------------------

    def report(self) -> Report:
        """What it is made of."""
        forward, reverse = self._forward.statements, self._reverse.statements
        every = [*forward, *reverse]
        copies = [
            it
            for it in every
            if it.function == "take" or (it.function == "copyto" and len(it.args) == 2 and isinstance(it.args[1], Ref))
        ]
        fixed = (
            self.parameters.nbytes
            + self._gradient.nbytes
            + sum(getattr(x, "nbytes", 0) for x in self.constants.values())
        )
        return Report(
            nodes=self._nodes,
            instructions=(len(forward), len(reverse)),
            products=sum(it.function == "dot" and ONES not in {x.buffer.name for x in it.args} for it in every),
            copies=len(copies),
            each=tuple(self._source.called),
            arrays=tuple(self._source.memory),
            itemsize=self.dtype.itemsize,
            fixed=fixed,
        )

    def steps(self) -> list[Step]:
        """The seven steps from the recorded graph to the source; each prints what it found.

        They are taken again, which takes as long as ``compile``. Long lists are cut.

        >>> w, x, b = Value(2.0, "w"), Value(1.0, "x"), Value(0.5, "b")
        >>> print(compile(w * x + b, [x], [w, b]).steps()[1])
        2. Canonical sums
        -----------------
        sums: 1, products in them: 1, other terms: 1
        n2 = w·x + b
        """
        return steps(self._outputs, self._leaves, self._values, self._source.text)

    def __reduce__(self) -> tuple[Any, ...]:
        output = self._outputs[0] if self._one else self._outputs
        return _again, (output, self._inputs, self._values, self.dtype.name, self._backend, self._parameters)

    def __str__(self) -> str:
        return self._source.text

    def __repr__(self) -> str:
        report = self.report()
        forward, reverse = report.instructions
        return f"<program of {report.nodes:,} nodes: {forward} + {reverse} instructions, {report.products} products>"


def compile(
    output: Value | Sequence[Value],
    inputs: Sequence[Any] = (),
    parameters: Iterable[Value] = (),
    dtype: Any = "float64",
    backend: str = "numpy",
) -> Program:
    """A recorded graph as a function of arrays: the matrices in it are found, and computed by NumPy.

    Args:
        output: the Value to compute, or a list of some.
        inputs: what an array is given for at every call: a leaf, for an array (B,), or a list of n leaves, for an array
            (B, n). Other leaves are constants.
        parameters: the P leaves that gradients are wanted of; their vector belongs to the program.
        dtype: of all arrays, float64 or float32.
        backend: what computes: NumPy; or "c", loops that the machine's C compiler makes a library of, which takes it
            some tenths of a second for a small network. Up to some thirty neurons a layer that is the quicker.

    Raises:
        TypeError: an output, input or parameter is no Value.
        ValueError: an input or parameter is no leaf, or there twice; the output depends on no parameter, though there
            are some; there is no output; ``dtype`` or ``backend`` is another; an operation has no C.
        RuntimeError: there is no C compiler, or it fails.

    A graph is what was recorded: a Python ``if`` on data was decided then; ``where``, comparisons, ``maximum`` and
    ``relu`` decide for each example.

    >>> w, x = Value(2.0, "w"), Value(1.0, "x")
    >>> program = compile((w * x).tanh(), inputs=[x], parameters=[w])
    >>> program([0.0, 0.5]).round(3)
    array([0.   , 0.762])
    >>> program.value_and_grad([0.0, 0.5], reduce="sum")[1].round(3)
    array([0.21])
    """
    return Program(output, inputs, parameters, dtype, backend)


def _again(output: Any, inputs: Any, parameters: Any, dtype: str, backend: str, vector: Vector) -> Program:
    """A copied or pickled program."""
    program = Program(output, inputs, parameters, dtype, backend)
    program.parameters = vector
    return program


def _dtype(dtype: Any) -> np.dtype[Any]:
    for found in DTYPES:
        try:
            if found == dtype:
                return found
        except TypeError:
            break
    raise ValueError(f"dtype is float64 or float32, got {shown(dtype)}")


def _name(leaves: Any) -> str:
    if isinstance(leaves, Value):
        return leaves.name or ""
    return re.sub(r"[\d\[\]]*$", "", leaves[0].name or "") if leaves else ""


def _list(what: str, x: Any) -> list[Any]:
    if not isinstance(x, Iterable):
        one = "a Value, or " * (what == "output")
        raise TypeError(f"{what}: expected {one}a list of Values, got {shown(x)}")
    return list(x)


def _check(outputs: list[Value], inputs: list[list[Value]], parameters: list[Value]) -> None:
    if not outputs:
        raise ValueError("compile takes an output, or a list of some, got none")
    met: dict[Value, str] = {}
    places = [
        ("output", outputs),
        *[(f"inputs[{k}]", leaves) for k, leaves in enumerate(inputs)],
        ("parameters", parameters),
    ]
    for what, values in places:
        for x in values:
            if not isinstance(x, Value):
                raise TypeError(f"{what}: expected a Value, got {shown(x)}")
            if what == "output":
                continue
            if x.op is not None:
                raise ValueError(f"{what}: expected a leaf, got the result of {x.op.name!r}: {shown(x)}")
            if x in met:
                raise ValueError(f"{what}: {shown(x)} is there already, in {met[x]}")
            met[x] = what
