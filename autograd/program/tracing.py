"""The array reading of the rows: what NumPy calls is an operation, on arrays?

A forward function is run on array expressions instead of floats, with NumPy's namesakes of the functions that it calls
in ``math``. Where it asks whether a comparison is true, it is run once for each answer, and ``where`` joins the
results. So the rows are not stated again, and a user's own operation becomes array code as well. What cannot be run so
(it asks for a float, or calls what NumPy lacks) is called for each number.
"""

from __future__ import annotations

import builtins
import math
import types
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..op import Number, Op, is_built_in

Dims = tuple[int | str, int | str]
"""The shape of an array; ``"B"`` is the size of the batch, ``"3 * B"`` three times that."""

NAMESAKES = {
    "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan", "atan2": "arctan2",
    "atanh": "arctanh", "fabs": "absolute", "pow": "power",
}  # fmt: skip
MASKS = frozenset(
    ["less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "isfinite", "isinf", "isnan"]
)
OTHERWISE = frozenset(["gcd", "lcm", "ldexp", "remainder"])  # of whole numbers; of the same name, and another function
MOST_QUESTIONS = 8


class UntraceableError(TypeError):
    """A forward function does with its arguments what arrays cannot."""


class Expr:
    """A NumPy function of expressions and numbers; or, without a function, an operand.

    Attributes:
        function: the name of a ufunc, "where", "float" of a mask, "max" or "sum" over a list; an ``Op`` that is called
            for each number; None for an operand.
        args: what it is a function of; of an operand, the operand.
        dims: its shape.
    """

    __slots__ = ("args", "dims", "function", "tracer")

    def __init__(self, tracer: Tracer, function: Any, args: tuple[Any, ...], dims: Dims) -> None:
        self.tracer, self.function, self.args, self.dims = tracer, function, args, dims

    def __bool__(self) -> bool:
        return self.tracer.ask(self)

    def __float__(self) -> float:
        self.tracer.refuse("it needs a float")

    def __int__(self) -> int:
        self.tracer.refuse("it needs a whole number")

    def __hash__(self) -> int:
        if self.tracer.is_running:
            self.tracer.refuse("it looks for its argument in a table")
        return id(self)

    def __repr__(self) -> str:
        if self.tracer.is_running:
            self.tracer.refuse("it prints its argument")
        return f"<{self.function} of {len(self.args)}>"

    def __neg__(self) -> Any:
        return self.tracer.call("negative", self)

    def __abs__(self) -> Any:
        return self.tracer.call("absolute", self)

    def is_integer(self) -> Any:
        """As of floats."""
        return self.tracer.call("equal", self, self.tracer.call("floor", self))

    # fmt: off
    def __add__(self, other: Any) -> Any: return _binary("add", self, other)
    def __sub__(self, other: Any) -> Any: return _binary("subtract", self, other)
    def __mul__(self, other: Any) -> Any: return _binary("multiply", self, other)
    def __truediv__(self, other: Any) -> Any: return _binary("divide", self, other)
    def __pow__(self, other: Any) -> Any: return _binary("power", self, other)
    def __radd__(self, other: Any) -> Any: return _binary("add", other, self)
    def __rsub__(self, other: Any) -> Any: return _binary("subtract", other, self)
    def __rmul__(self, other: Any) -> Any: return _binary("multiply", other, self)
    def __rtruediv__(self, other: Any) -> Any: return _binary("divide", other, self)
    def __rpow__(self, other: Any) -> Any: return _binary("power", other, self)
    def __lt__(self, other: Any) -> Any: return _binary("less", self, other)
    def __le__(self, other: Any) -> Any: return _binary("less_equal", self, other)
    def __gt__(self, other: Any) -> Any: return _binary("greater", self, other)
    def __ge__(self, other: Any) -> Any: return _binary("greater_equal", self, other)
    def __eq__(self, other: Any) -> Any: return _binary("equal", self, other)
    def __ne__(self, other: Any) -> Any: return _binary("not_equal", self, other)
    # fmt: on


def _binary(function: str, x: Any, y: Any) -> Any:
    if not isinstance(x, (Expr, float, int)) or not isinstance(y, (Expr, float, int)):
        return NotImplemented
    tracer: Tracer = x.tracer if isinstance(x, Expr) else y.tracer  # type: ignore[union-attr]
    return tracer.call(function, x, y)


class Traced(Number):
    """An expression on which operations are called: what a rule is run on."""

    level = 2_000_000_000
    __slots__ = ("expr",)

    def __init__(self, expr: Expr) -> None:
        self.expr = expr

    @staticmethod
    def apply(op: Op, inputs: tuple[Any, ...]) -> Any:
        """The expression of an operation on it."""
        args = [x.expr if isinstance(x, Traced) else x for x in inputs]
        tracer = next(x.tracer for x in args if isinstance(x, Expr))
        out = tracer.operation(op, args)
        return Traced(out) if isinstance(out, Expr) else out

    def __bool__(self) -> bool:
        self.expr.tracer.refuse("a rule that asks")


class Unless(NamedTuple):
    """The function of (formula, difference, *inputs): the formula, unless the difference is small; else ``op``."""

    op: Op


class Tracer:
    """Makes expressions; equal ones are one object.

    Attributes:
        known: where the results of operations are, by the operation and its operands.
    """

    def __init__(self) -> None:
        self.known: dict[tuple[Any, ...], Expr] = {}
        self._refused = False
        self._made: dict[Any, Expr] = {}
        self._rebound: dict[Any, Any] = {math.fsum: self._fsum}
        self._decided: dict[int, bool] | None = None
        self._asked: list[Expr] = []
        self._answers: list[bool] = []
        self._entry: Expr | None = None
        self._builtins = {**vars(builtins), "float": self._float, "max": self._max}
        self._builtins |= {
            name: self._for_floats(getattr(builtins, name)) for name in ("any", "all", "len", "sum", "min", "sorted")
        }

    @property
    def is_running(self) -> bool:
        """Whether a forward function is run on expressions just now."""
        return self._decided is not None

    def refuse(self, why: str) -> NoReturn:
        """Say that a forward function is none of arrays, even if it catches what is raised."""
        self._refused = True
        raise UntraceableError(why)

    def operand(self, operand: Any, dims: Dims) -> Expr:
        """The expression of an operand; ``operand`` is hashable, and says which it is."""
        return self._make(None, (operand,), dims, operand)

    def call(self, function: Any, *args: Any) -> Any:
        """The expression of a call, in its simplest form."""
        args = tuple([x if x.__class__ is Expr else float(x) for x in args])
        if function == "multiply":
            x, y = args
            if x.__class__ is float and x in (1.0, -1.0):
                return y if x == 1.0 else self.call("negative", y)
            if y.__class__ is float and y in (1.0, -1.0):
                return x if y == 1.0 else self.call("negative", x)
            for x, y in (args, args[::-1]):
                if _is_reciprocal(y):
                    return self.call("divide", x, y.args[1])
                if y.__class__ is Expr and y.function == "divide" and _is_reciprocal(y.args[0]):
                    return self.call("divide", self.call("divide", x, y.args[0].args[1]), y.args[1])
        elif function == "where":
            condition, x, y = args
            if x is y:
                return x
            if (
                isinstance(condition, Expr)
                and condition.function == "less_equal"
                and condition.args[0] is y
                and x.__class__ is float
                and condition.args[1] == x
            ):
                return self.call("maximum", y, x)
        if function != "float":  # a mask is 1.0 or 0.0, but where it chooses
            args = tuple(
                [
                    self.call("float", x)
                    if x.__class__ is Expr and x.function in MASKS and (i or function != "where")
                    else x
                    for i, x in enumerate(args)
                ]
            )
        rows: int | str = 1
        columns: int | str = 1
        for x in args:
            if x.__class__ is Expr:
                rows = rows if x.dims[0] == 1 else x.dims[0]
                columns = columns if x.dims[1] == 1 else x.dims[1]
        return self._make(function, args, (rows, columns), *args)

    def _make(self, function: Any, args: tuple[Any, ...], dims: Dims, *key: Any) -> Expr:
        keys = (
            function,
            dims,
            *[(x, repr(x)) if x.__class__ is float else id(x) if x.__class__ is Expr else x for x in key],
        )
        if keys not in self._made:
            self._made[keys] = Expr(self, function, args, dims)
        return self._made[keys]

    # ---- operations ------------------------------------------------------------------------------------------------

    def operation(self, op: Op, args: Sequence[Any]) -> Any:
        """The expression of an operation on expressions and floats, each an operand of it."""
        if not any(isinstance(x, Expr) for x in args):
            return op.forward(*args)
        known = self.known.get((op, *args))
        if known is not None:
            return known
        if op.name == "pow" and args[1].__class__ is float and args[1] == 2.0:
            return self.call("multiply", args[0], args[0])
        if op.arity == 1 and callable(op.prints) and is_built_in(op):
            quick = self._quick(op, args[0])
            if quick is not None:
                return quick
        out = self._tried(op, args)
        return self.call(op, *args) if out is None else out

    def _tried(self, op: Op, args: Sequence[Any]) -> Any:
        """What the forward function returns; None if it cannot be run on expressions."""
        self._refused = False
        try:
            out = self._answered(self._with_namesakes(op.forward), args)
            return None if self._refused else out if isinstance(out, Expr) else float(out)
        except Exception:  # whatever a function does with what is not a float
            return None

    def _quick(self, op: Op, x: Expr) -> Any:
        """What an operation prints as, if that is a product of known values and one difference from 1.

        For tanh' that is 1 - tanh². It is quick, and as good as the operation itself unless the difference is small,
        which is for the program to look at.
        """
        formula = op.prints(Traced(x)).expr  # type: ignore[operator]
        pending, differences = [formula], []
        while pending:
            part = pending.pop()
            if not isinstance(part, Expr) or part.function is None:
                continue
            if part.function == "subtract" and part.args[0] == 1.0:
                differences.append(part)
            elif part.function != "multiply":
                return None
            pending.extend(part.args)
        return self.call(Unless(op), formula, *differences, x) if len(differences) == 1 else None

    def of_list(self, op: Op, terms: Expr, axis: int) -> Any:
        """The expression of an operation on lists that lie along an axis; None if it is not a reduction of NumPy.

        Its forward function is run on a list of one expression, which stands for every entry.
        """
        if not is_built_in(op):
            return None
        self._entry, self._axis = terms, axis
        try:
            return self._tried(op, [terms])
        finally:
            self._entry = None

    def slopes_of_list(self, op: Op, terms: Expr, out: Expr, axis: int) -> Any:
        """The local derivatives of the same, one expression for all entries."""
        self._entry, self._axis = terms, axis
        try:
            [slope] = op.rules[0]((Traced(terms),), Traced(out))  # type: ignore[misc]
        finally:
            self._entry = None
        return slope.expr if isinstance(slope, Traced) else slope

    def total(self, x: Expr, axis: int) -> Expr:
        """The sum along an axis, which is kept."""
        self._axis = axis
        return self._reduced("sum", x)

    # ---- questions -------------------------------------------------------------------------------------------------

    def ask(self, condition: Expr) -> bool:
        """Whether it is true, in this run. Raises UntraceableError if nothing is run, or it asks too much."""
        if self._decided is None:
            self.refuse("it asks too late")
        if id(condition) not in self._decided:
            if len(self._asked) == len(self._answers):
                self._answers.append(True)
            if len(self._asked) == MOST_QUESTIONS:
                self.refuse("it asks too much")
            self._decided[id(condition)] = self._answers[len(self._asked)]
            self._asked.append(condition)
        return self._decided[id(condition)]

    def _answered(self, function: Callable[..., Any], args: Sequence[Any]) -> Any:
        """What ``function`` returns, for all answers to what it asks."""
        outside = self._decided, self._asked, self._answers

        def after(answers: list[bool]) -> Any:
            self._decided, self._asked, self._answers = {}, [], list(answers)
            out = function(*args)
            asked, given = self._asked, self._answers
            for i in reversed(range(len(answers), len(asked))):  # these were answered with yes
                out = self.call("where", asked[i], out, after([*given[:i], False]))
            return out

        try:
            return after([])
        finally:
            self._decided, self._asked, self._answers = outside

    # ---- namesakes -------------------------------------------------------------------------------------------------

    def _with_namesakes(self, function: Any) -> Any:
        """The same function, calling NumPy where it is given expressions."""
        if function in self._rebound:
            return self._rebound[function]
        if callable(function) and getattr(math, getattr(function, "__name__", ""), None) is function:
            found: Any = self._namesake(function)  # type: ignore[arg-type]
        elif function is math:
            found = types.SimpleNamespace(
                **{name: self._with_namesakes(x) if callable(x) else x for name, x in vars(math).items()}
            )
        elif isinstance(function, types.FunctionType):
            if function.__code__.co_exceptiontable and not function.__module__.startswith("autograd."):
                raise UntraceableError("it catches what arrays do not raise")
            space: dict[str, Any] = {"__builtins__": self._builtins}
            found = types.FunctionType(
                function.__code__, space, function.__name__, function.__defaults__, function.__closure__
            )
            found.__kwdefaults__ = function.__kwdefaults__
            self._rebound[function] = self._apart(found)
            for name in _names_in(function.__code__):
                if name in function.__globals__:
                    value = function.__globals__[name]
                    space[name] = self._with_namesakes(value) if callable(value) or value is math else value
            return self._rebound[function]
        else:
            found = function
        self._rebound[function] = found
        return found

    def _apart(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """What a function asks is answered within it."""

        def call(*args: Any) -> Any:
            return self._answered(function, args) if any(isinstance(x, Expr) for x in args) else function(*args)

        return call

    def _namesake(self, function: Callable[..., Any]) -> Callable[..., Any]:
        name = NAMESAKES.get(function.__name__, function.__name__)

        def call(*args: Any) -> Any:
            if not any(isinstance(x, Expr) for x in args):
                return function(*args)
            ufunc = getattr(np, name, None)
            if not isinstance(ufunc, np.ufunc) or (ufunc.nin, ufunc.nout) != (len(args), 1) or name in OTHERWISE:
                self.refuse(f"NumPy has no such {name}")
            return self.call(name, *args)

        return call

    def _float(self, x: Any = 0.0) -> Any:
        return self.call("float", x) if isinstance(x, Expr) else float(x)

    def _for_floats(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A builtin that looks at a list as a whole."""

        def call(*args: Any, **options: Any) -> Any:
            lists = [list(x) if isinstance(x, Iterable) else [x] for x in args]
            if any(isinstance(x, Expr) for xs in lists for x in xs):
                self.refuse("it looks at a list as a whole")
            return function(
                *[xs if isinstance(x, Iterable) else x for x, xs in zip(args, lists, strict=True)], **options
            )

        return call

    def _max(self, *xs: Any) -> Any:
        if len(xs) == 1:
            [xs] = xs
        if not any(isinstance(x, Expr) for x in xs):
            return max(xs)
        if len(xs) == 1 and self._entry is not None and xs[0] is self._entry:
            return self._reduced("max", self._entry)
        self.refuse("a maximum of several")

    def _fsum(self, terms: Iterable[Any]) -> Any:
        terms = list(terms)
        entries = [x for x in terms if isinstance(x, Expr)]
        rest = math.fsum([x for x in terms if not isinstance(x, Expr)])
        if not entries:
            return rest
        if len(entries) > 1 or self._entry is None:
            self.refuse("an exact sum")
        # Whole parts are summed apart, and exactly: of 1 + 1e-18 - 1 something is left.
        if rest == 0.0:
            return self._reduced("sum", entries[0])
        whole = self.call("rint", entries[0])
        return (self._reduced("sum", whole) + rest) + self._reduced("sum", entries[0] - whole)

    def _reduced(self, function: str, x: Expr) -> Expr:
        dims = (1, x.dims[1]) if self._axis == 0 else (x.dims[0], 1)
        return self._make(function, (x, self._axis), dims, x)


def _is_reciprocal(x: Any) -> bool:
    return x.__class__ is Expr and x.function == "divide" and x.args[0].__class__ is float and x.args[0] == 1.0


def _names_in(code: types.CodeType) -> Iterable[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from _names_in(each)
