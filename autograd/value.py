"""A number that remembers how it was computed.

A ``Value`` records the operation and the inputs that made it. Everything else in this package is a reading of that
record.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from reprlib import repr as shown
from typing import Any

from . import ops
from .op import Number, Op, _operate, as_float

_PLAIN = {float, type(None)}
_looked_at: ContextVar[list[Any] | None] = ContextVar("looked_at", default=None)
_COPIED = "the Values that this deepcopy has copied"


class Value(Number):
    """A real number in a graph: a leaf that you make, or the recorded result of an operation.

    Attributes:
        data: the number, a float. Only a leaf's may be set; what was recorded before keeps its derivatives.
        grad: ∂L/∂self, summed over the calls of ``backward`` since it was last zeroed; 0.0 before.
        op: the operation that made it; None for a leaf.
        inputs: its ordered operands, Values and floats: ``a - b`` and ``b - a`` differ, ``a * a`` has two, and a
            literal such as the 2 in ``x ** 2`` is a float and no node.
        local_derivatives: ∂self/∂input for each input, taken when it was recorded; None where nothing flows back: at a
            literal, through a comparison, into the branch that ``where`` did not take.
        name: what errors, prints and drawings call it, or None.

    Operators and the functions of ``autograd`` record; comparisons give a Value 1.0 or 0.0 that is true or false by its
    data; equality and hash are by identity. ``float(v)`` leaves the graph.

    Raises:
        TypeError: ``data`` is not a real number (int, float, bool or NumPy scalar), or ``name`` is not a string.

    >>> a, b = Value(-4.0, "a"), Value(2.0, "b")
    >>> c = a * b + b**3
    >>> c.backward()
    >>> c.data, a.grad, b.grad
    (0.0, 2.0, 8.0)
    """

    # The hot loops of the engine live on these slots. An operation has nearly always one or two inputs, so two inputs
    # (_x, _y) and two local derivatives (_dx, _dy) have a slot each; an operation of more keeps a tuple of inputs in _x
    # and a tuple of derivatives in _y. That is one object a node for the collector to look at. A derivative is None
    # where no adjoint flows. _depth is the length of the longest path to a leaf. _pass is the last backward pass that
    # came here, None before the first; until then _grad is unset, and so is _name until somebody names the node.
    __slots__ = ("_data", "_depth", "_dx", "_dy", "_grad", "_name", "_pass", "_x", "_y", "op")

    def __init__(self, data: Any, name: str | None = None) -> None:
        if isinstance(data, Value):
            raise TypeError("expected a real number, got a Value: use it as it is, or float(v) for a new leaf")
        if self.__class__ is Value:
            self.__class__ = _Node
        self._data: float = as_float(data)
        self._depth: int = 0
        self._dx: float | None = None
        self._dy: float | None = None
        self._pass: object = None
        self._x: Any = None
        self._y: Any = None
        self.op: Op | None = None
        if name is not None:
            self.name = name

    @property
    def data(self) -> float:
        """The number. Raises AttributeError when it is set on a recorded node, TypeError when set to no number."""
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        if self.op is not None:
            raise AttributeError(
                f"this Value was recorded as the result of {self.op.name!r}: its data follows from its inputs. "
                "Set the data of leaves, and compute it again"
            )
        self._data = as_float(data)

    @property
    def grad(self) -> float:
        """The sum of this node's adjoints over the backward passes so far. Raises TypeError when set to no number."""
        return 0.0 if self._pass is None else self._grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        self._grad: float = as_float(grad)
        self._pass = "set"

    @property
    def has_grad(self) -> bool:
        """Whether ``grad`` was computed or set since it was last zeroed: 0.0 may be a gradient, or none yet."""
        return self._pass is not None

    @property
    def name(self) -> str | None:
        """What errors, prints and drawings call it. Raises TypeError when set to anything but a string or None."""
        return getattr(self, "_name", None)

    @name.setter
    def name(self, name: str | None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"the name of a Value is a string, got {shown(name)}")
        self._name = name

    @property
    def inputs(self) -> tuple[Value | float, ...]:
        """The ordered operands; () for a leaf."""
        if self._x.__class__ is tuple:
            inputs: tuple[Value | float, ...] = self._x
            return inputs
        if self._y is not None:
            return self._x, self._y
        return () if self._x is None else (self._x,)

    @property
    def local_derivatives(self) -> tuple[float | None, ...]:
        """∂self/∂input for each input, as recorded."""
        if self._x.__class__ is tuple:
            derivatives: tuple[float | None, ...] = self._y
            return derivatives
        return (self._dx, self._dy)[: len(self.inputs)]

    # ---- recording -------------------------------------------------------------------------------------------------

    @staticmethod
    def apply(op: Op, inputs: tuple[Any, ...]) -> Value:
        """Record ``op`` on ``inputs``, Values and floats of which one at least is a Value."""
        out: Value = _Node()
        out._pass = None
        out.op = op
        if len(inputs) == 1 and not op.lists:
            x = inputs[0]
            try:
                out._data = data = op.forward(x._data)
                out._dx = local = op.rules[0](x._data, data)  # type: ignore[misc]  # without a rule: TypeError
                quick = data.__class__ is float and local.__class__ is float and (local or not op.selects)
            except (ArithmeticError, TypeError, ValueError):
                quick = False  # the general path says what is wrong
            if quick:
                out._x = x
                out._y = out._dy = None
                out._depth = x._depth + 1
                return out
        if float in set(map(type, inputs)):
            recorded = tuple([x.__class__ is not float for x in inputs])
            operands = tuple([x if x.__class__ is float else x._data for x in inputs])
            out._depth = 1 + max([x._depth for x in inputs if x.__class__ is not float])
        else:
            recorded = (True,) * len(inputs)
            operands = tuple([x._data for x in inputs])
            out._depth = 1 + max([x._depth for x in inputs])
        out._data = data = op.evaluate(operands, inputs)
        derivatives = tuple(op.local_derivatives(operands, data, recorded))
        if not _PLAIN.issuperset(map(type, derivatives)):
            derivatives = tuple([None if local is None else as_float(local) for local in derivatives])
        if len(inputs) > 2:
            out._x, out._y = inputs, derivatives
            out._dx = out._dy = None
        else:
            out._x, out._y = (*inputs, None)[:2]
            out._dx, out._dy = (*derivatives, None)[:2]
        return out

    # Sums and products are most of every graph, so + - * have a short cut past ``apply``. The rows still define them:
    # tests/test_value.py holds the two equal.

    def __add__(self, other: Any) -> Any:
        if other.__class__ is _Node:
            out = _Node()
            out._data = self._data + other._data
            depth, other_depth = self._depth, other._depth
            out._depth = depth + 1 if depth > other_depth else other_depth + 1
            out._dy = 1.0
        elif other.__class__ is float:
            out = _Node()
            out._data = self._data + other
            out._depth = self._depth + 1
            out._dy = None
        else:
            return _operate("add", self, other)
        out._pass = None
        out.op = ops.add
        out._x = self
        out._y = other
        out._dx = 1.0
        return out

    def __sub__(self, other: Any) -> Any:
        if other.__class__ is _Node:
            out = _Node()
            out._data = self._data - other._data
            depth, other_depth = self._depth, other._depth
            out._depth = depth + 1 if depth > other_depth else other_depth + 1
            out._dy = -1.0
        elif other.__class__ is float:
            out = _Node()
            out._data = self._data - other
            out._depth = self._depth + 1
            out._dy = None
        else:
            return _operate("sub", self, other)
        out._pass = None
        out.op = ops.sub
        out._x = self
        out._y = other
        out._dx = 1.0
        return out

    def __mul__(self, other: Any) -> Any:
        if other.__class__ is _Node:
            out = _Node()
            out._dy = x = self._data
            out._dx = y = other._data
            out._data = x * y
            depth, other_depth = self._depth, other._depth
            out._depth = depth + 1 if depth > other_depth else other_depth + 1
        elif other.__class__ is float:
            out = _Node()
            out._data = self._data * other
            out._depth = self._depth + 1
            out._dx = other
            out._dy = None
        else:
            return _operate("mul", self, other)
        out._pass = None
        out.op = ops.mul
        out._x = self
        out._y = other
        return out

    # ---- reading ---------------------------------------------------------------------------------------------------

    def backward(self) -> None:
        """Add ∂self/∂node to the ``grad`` of every node that self depends on, itself included.

        A call propagates only its own adjoints: two calls give twice the gradients, two losses that share a node the
        sum of theirs.

        >>> x = Value(2.0)
        >>> h = x * 3
        >>> y = h * h
        >>> y.backward(); x.grad
        36.0
        >>> y.backward(); x.grad
        72.0
        """
        from .reverse import backward

        backward(self)

    def zero_grad(self) -> None:
        """Set the ``grad`` of every node of this graph to 0.0."""
        for node in topological_order(self) if self.op is not None else (self,):
            node._pass = None

    def __float__(self) -> float:
        _look_at(self)
        return self._data

    def __bool__(self) -> bool:
        _look_at(self)
        return self._data != 0.0

    def __repr__(self) -> str:
        name = "" if self.name is None else f", name={self.name!r}"
        return f"Value(data={self._data!r}, grad={self.grad!r}{name})"

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else repr(self)

    # ---- copying and pickling, without recursion: a chain of a million operations works ----------------------------

    def _fields(self) -> tuple[Any, ...]:
        grad = self._grad if self.has_grad else None
        return self.op, self.inputs, self.local_derivatives, self._depth, self._data, grad, self.name

    def __copy__(self) -> Value:
        return _restore(None, *self._fields())

    def __deepcopy__(self, memo: dict[Any, Any]) -> Value:
        copied = memo.setdefault(_COPIED, set())  # what this deepcopy has met, so that nothing is walked twice
        for node in topological_order(self, done=copied):
            op, inputs, *fields = node._fields()
            copies = tuple([memo[id(x)] if isinstance(x, Value) else x for x in inputs])
            memo[id(node)] = _restore(None, op, copies, *fields)
        copy: Value = memo[id(self)]
        return copy

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # A pickler would recurse from a node into its inputs. So the first node that it meets puts all that it
        # depends on ahead of itself, inputs first; by the time a node's own inputs are pickled, they are known already.
        pending = _pickling.nodes
        ancestors = None if self.op is None or self in pending else _Ancestors(self)
        return _restore, (ancestors, *self._fields())


class _Node(Value):
    """What every Value is once it is made.

    It has no initialiser, for making a Value is most of what recording costs. Leaves are of this class too, because
    Python looks longer for an operator between a class and its subclass.
    """

    __slots__ = ()
    __init__ = object.__init__


_Node.__name__ = "Value"  # for what messages say about types


def _restore(
    ancestors: Any,
    op: Op | None,
    inputs: tuple[Any, ...],
    derivatives: tuple[Any, ...],
    depth: int,
    data: float,
    grad: float | None,
    name: str | None,
) -> Value:
    """A node with these fields; ``ancestors`` only had to be unpickled first."""
    out: Value = _Node()
    out._data = data
    out._dx = out._dy = out._pass = None
    out.op = op
    out._depth = depth
    if len(inputs) > 2:
        out._x, out._y = inputs, derivatives
    else:
        out._x, out._y = (*inputs, None, None)[:2]
        out._dx, out._dy = (*derivatives, None, None)[:2]
    if grad is not None:
        out.grad = grad
    if name is not None:
        out.name = name
    return out


class _Pickling(threading.local):
    """The nodes that this thread is pickling after their inputs."""

    def __init__(self) -> None:
        self.nodes: set[Value] = set()


_pickling = _Pickling()


class _Ancestors:
    """What a node depends on, pickled as a list, inputs first."""

    def __init__(self, node: Value) -> None:
        self.nodes = topological_order(node)[:-1]

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (), None, self._each()

    def _each(self) -> Iterator[Value]:
        _pickling.nodes.update(self.nodes)
        try:
            yield from self.nodes
        finally:
            _pickling.nodes.difference_update(self.nodes)


@contextmanager
def looked_at() -> Iterator[list[Value]]:
    """The Values whose numbers Python looks at in the block, by ``if``, ``max``, ``sorted`` or ``float``.

    What it decides from them is frozen in the graph that is recorded there, and in a program of that graph.

    >>> x = Value(2.0, "x")
    >>> with looked_at() as values:
    ...     y = x * x if x > 0 else -x
    >>> len(values), values[0].op.name
    (1, 'gt')
    """
    values: list[Value] = []
    token = _looked_at.set(values)
    try:
        yield values
    finally:
        _looked_at.reset(token)


def _look_at(value: Value) -> None:
    values = _looked_at.get()
    if values is not None:
        values.append(value)


def topological_order(*outputs: Value, done: set[Value] | None = None) -> list[Value]:
    """All nodes that ``outputs`` depend on, each once and after its inputs; the same order in every run.

    Nodes in ``done`` are left out, with what is behind them; those that are found are added to it.

    Raises:
        TypeError: one of ``outputs`` is no Value, or ``done`` is no set.

    >>> x = Value(3.0, "x")
    >>> [node.op and node.op.name for node in topological_order(x * x + 1)]
    [None, 'mul', 'add']
    """
    for output in outputs:
        if not isinstance(output, Value):
            raise TypeError(f"expected a Value, the end of a graph, got {shown(output)}")
    if not (done is None or isinstance(done, set)):
        raise TypeError(f"done is a set of Values, got {shown(done)}")
    order: list[Value] = []
    done = set() if done is None else done
    stack = [*reversed(outputs)]
    while stack:
        node = stack[-1]
        waiting = [] if node in done else [x for x in node.inputs if isinstance(x, Value) and x not in done]
        if waiting:
            stack.extend(reversed(waiting))
            continue
        stack.pop()
        if node not in done:
            done.add(node)
            order.append(node)
    return order
