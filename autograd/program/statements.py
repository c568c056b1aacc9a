"""Statements: calls of NumPy on buffers, and how an expression becomes some of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

from .tracing import MASKS, Dims, Expr, Tracer, Unless

PYTHON = {
    "add": "({} + {})",
    "divide": "({} / {})",
    "multiply": "({} * {})",
    "negative": "(-{})",
    "subtract": "({} - {})",
}
"""How Python spells functions of numbers."""


@dataclass(eq=False)
class Buffer:
    """Memory for an array.

    Attributes:
        name: what it is called, unless that is taken.
        dims: its shape.
        mask: whether it holds truth values.
        ones: whether its last row is ones.
        shared: whether it may have the memory of another whose last use is over.
        made: whether it is made for a batch size, and not given.
        numbers: what is in it, if that never changes.
    """

    name: str
    dims: tuple[int | str, ...]
    mask: bool = False
    ones: bool = False
    shared: bool = False
    made: bool = True
    numbers: Any = None


class Ref(NamedTuple):
    """A view of a buffer: the buffer, and what is written behind its name, such as ``.T``."""

    buffer: Buffer
    suffix: str = ""

    def then(self, suffix: str) -> Ref:
        """A view of this view."""
        return Ref(self.buffer, self.suffix + suffix)

    @property
    def transposed(self) -> Ref:
        """The transpose of a matrix."""
        return Ref(self.buffer, self.suffix.removesuffix(".T")) if self.suffix.endswith(".T") else self.then(".T")


class Text(str):
    """An expression of Python that is a number."""

    __slots__ = ()
    __repr__ = str.__str__


SEED = Text("seed")
"""The adjoint of the output."""


@dataclass(eq=False)
class Statement:
    """A call: ``function(*args, options, out=out)``.

    ``args`` are views, numbers and texts. An ``Op`` as function is called for each number, ``Unless`` where the first
    of ``args`` is small.
    """

    function: Any
    args: tuple[Any, ...]
    out: Ref
    options: str = ""


ONES = "ones"
"""The name of buffers of nothing but ones."""


class Writer:
    """Writes statements, one after the other."""

    def __init__(self, tracer: Tracer, rows_of_ones: dict[int, Ref] | None = None) -> None:
        self.tracer = tracer
        self.statements: list[Statement] = []
        self.rows_of_ones = {} if rows_of_ones is None else rows_of_ones

    def call(self, function: Any, *args: Any, out: Ref, options: str = "") -> None:
        """Write a call."""
        self.statements.append(Statement(function, args, out, options))

    def copy(self, x: Any, out: Ref) -> None:
        """Write that ``out`` is ``x``."""
        self.call("copyto", out, x, out=out)

    def sum_of_rows(self, x: Ref, rows: int, out: Ref) -> None:
        """Write that ``out`` is the sum of the rows of ``x``: the product with ones is the quickest."""
        if rows not in self.rows_of_ones:
            self.rows_of_ones[rows] = Ref(Buffer(ONES, (1, rows), ones=True))
        self.call("dot", self.rows_of_ones[rows], x, out=out)

    def temporary(self, dims: Dims, mask: bool = False) -> Ref:
        """Memory that is not looked at again after its last use."""
        return Ref(Buffer("mask" if mask else "t", dims, mask=mask, shared=True))

    def compute(self, expr: Any, out: Ref) -> None:
        """Write that ``out`` is an expression."""
        value = self.value(expr, out)
        if value != out:
            self.copy(value, out)

    def value(self, expr: Any, out: Ref | None = None) -> Any:
        """Where the value of an expression is, once what is written is done; ``out``, if it is computed at all."""
        uses: Counter[Expr] = Counter()
        pending = [expr]
        while pending:
            x = pending.pop()
            if isinstance(x, Expr):
                uses[x] += 1
                if uses[x] == 1:
                    pending.extend(x.args)
        return self._value(expr, {}, uses, out)

    def _value(
        self, expr: Any, known: dict[Expr, Any], uses: Counter[Expr], out: Ref | None = None, truth: bool = False
    ) -> Any:
        """The same of a part; ``truth``: of a mask that stands for numbers the mask is enough."""
        if not isinstance(expr, Expr):
            return expr
        function, args, dims = expr.function, expr.args, expr.dims
        if function is None:
            return args[0]
        if expr in known:
            return known[expr]

        def value(x: Any, out: Ref | None = None, truth: bool = False) -> Any:
            return self._value(x, known, uses, out, truth)

        if function == "float" and truth:
            return value(args[0])
        if is_number(expr):
            found: Any = Text(PYTHON[function].format(*map(value, args)))
        elif function in ("max", "sum"):
            terms, axis = args
            operand, found = value(terms), out or self.temporary(dims)
            if function == "sum" and axis == 0:
                self.sum_of_rows(operand, terms.dims[0], found)
            else:
                name = "maximum" if function == "max" else "add"
                self.call(f"{name}.reduce", operand, out=found, options=f"axis={axis}, keepdims=True")
        elif function == "where":
            condition, yes = value(_mask(args[0]), truth=True), value(args[1])
            no = args[2]
            found = out or self.temporary(dims)
            is_free = (
                isinstance(no, Expr)
                and uses[no] == 1
                and no not in known
                and no.function is not None
                and no.dims == dims
            )
            before = value(no, found if is_free else None)
            if before != found:
                self.copy(before, found)
            self.call("copyto", found, yes, condition, out=found)
        elif isinstance(function, Unless):
            found = value(args[0], out)
            self.call(function, value(args[1]), *map(value, args[2:]), out=found)
        elif function == "float":
            mask = value(args[0])
            found = out or self.temporary(dims)
            self.copy(mask, found)
        else:
            one_mask = (
                function == "multiply"
                and [isinstance(x, Expr) and x.function == "float" for x in args].count(True) == 1
            )
            operands = [value(x, truth=one_mask and all(isinstance(y, Expr) for y in args)) for x in args]
            found = self.temporary(dims, mask=function in MASKS) if out is None or function in MASKS else out
            self.call(function, *operands, out=found)
        known[expr] = found
        return found


def is_number(x: Any) -> bool:
    """Whether an expression is of nothing but the seed and numbers."""
    if not isinstance(x, Expr):
        return x.__class__ is float
    return x.args[0] is SEED if x.function is None else x.function in PYTHON and all(map(is_number, x.args))


def _mask(condition: Any) -> Any:
    """A condition as truth values."""
    if isinstance(condition, Expr) and condition.function not in MASKS and condition.function != "float":
        return condition.tracer.call("not_equal", condition, 0.0)
    return condition
