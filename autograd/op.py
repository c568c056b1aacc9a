"""What an operation is: one row with all that is known about it, and the one place where it is called.

An operation called on floats computes. Called on anything else it asks the *reading* to which its inputs belong: a
``Value`` records, a dual number propagates, a symbol prints. A reading is a subclass of ``Number`` that says in
``apply`` what an operation means to it; the rows know nothing of the readings ("transform means interpret
differently", autodidax).
"""

from __future__ import annotations

import keyword
import math
import sys
from collections.abc import Callable, Sequence
from itertools import chain
from numbers import Real
from operator import attrgetter
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any, Self

Rule = Callable[..., Any]
Range = tuple[float, float]
Turns = Callable[[float, float], tuple[float, ...]]

REALS: Range = (-math.inf, math.inf)


class Number:
    """A number that operations do not simply compute with: the base of ``Value``, ``Dual`` and ``Symbol``.

    It has the arithmetic operators, the comparisons and one method for every operation of one input; each only calls
    the operation. Equality and hash are by identity.
    """

    __slots__ = ()

    level: int = 0
    """Where readings meet, that of the highest level interprets the operation (a dual number of Values is a dual)."""

    @staticmethod
    def apply(op: Op, inputs: tuple[Any, ...]) -> Any:
        """What ``op`` means to this reading; the inputs are floats and numbers of this or lower readings."""
        raise NotImplementedError

    # fmt: off
    def __neg__(self) -> Any: return OPS["neg"](self)
    def __pos__(self) -> Self: return self
    def __abs__(self) -> Any: return OPS["abs"](self)
    def __add__(self, other: Any) -> Any: return _operate("add", self, other)
    def __radd__(self, other: Any) -> Any: return _operate("add", other, self)
    def __sub__(self, other: Any) -> Any: return _operate("sub", self, other)
    def __rsub__(self, other: Any) -> Any: return _operate("sub", other, self)
    def __mul__(self, other: Any) -> Any: return _operate("mul", self, other)
    def __rmul__(self, other: Any) -> Any: return _operate("mul", other, self)
    def __truediv__(self, other: Any) -> Any: return _operate("div", self, other)
    def __rtruediv__(self, other: Any) -> Any: return _operate("div", other, self)
    def __pow__(self, other: Any) -> Any: return _operate("pow", self, other)
    def __rpow__(self, other: Any) -> Any: return _operate("pow", other, self)
    def __lt__(self, other: Any) -> Any: return _operate("lt", self, other)
    def __le__(self, other: Any) -> Any: return _operate("le", self, other)
    def __gt__(self, other: Any) -> Any: return _operate("gt", self, other)
    def __ge__(self, other: Any) -> Any: return _operate("ge", self, other)
    # fmt: on

    if TYPE_CHECKING:
        # Every operation of one input is a method, those that users define at run time included.
        def __getattr__(self, name: str) -> Callable[[], Self]: ...


def _operate(name: str, x: Any, y: Any) -> Any:
    # NotImplemented lets the other operand's type try (a NumPy array goes elementwise), else Python raises TypeError.
    return OPS[name](x, y) if is_number(x) and is_number(y) else NotImplemented


def is_number(x: object) -> bool:
    """Whether ``x`` is a real number: int, float, bool, a NumPy scalar, or a ``Number`` of some reading."""
    return isinstance(x, (Number, Real)) or _is_numpy_scalar(x)


def _is_numpy_scalar(x: Any) -> bool:
    # NumPy registers its integers and floats as numbers.Real, but neither np.bool_ nor arrays of no dimension.
    return type(x).__module__ == "numpy" and getattr(x, "shape", None) == () and x.dtype.kind in "biuf"


def as_float(x: Any) -> float:
    """``x`` as a float.

    Raises:
        TypeError: ``x`` is not a real number (int, float, bool or NumPy scalar).
        OverflowError: ``x`` is an integer too large for a float.

    >>> as_float(3), as_float(True)
    (3.0, 1.0)
    """
    if type(x) is float:
        return x
    if isinstance(x, Real) or _is_numpy_scalar(x):
        return float(x)
    raise TypeError(
        f"expected a real number (int, float, bool or NumPy scalar), got {shown(x)} of type {type(x).__name__}"
    )


class Op:
    """One operation: one row of the table.

    Call it on floats to compute, on Values to record. ``name``, ``forward`` and ``rules`` are its definition; the rest
    says how it prints and where tests should look at it. Made by ``operation``, which documents the fields.
    """

    name: str
    forward: Callable[..., float]
    rules: tuple[Rule | None, ...]
    lists: int
    orders: int
    selects: bool
    domain: tuple[Range, ...]
    smooth: Callable[..., bool]
    special: tuple[tuple[float, ...], ...]
    ulps: float
    turns: Turns | None
    prints: str | Rule
    precedence: int

    def __init__(self, **fields: Any) -> None:
        vars(self).update(fields)

    @property
    def arity(self) -> int | None:
        """How many inputs it takes; None if it takes lists of any length."""
        return None if self.lists else len(self.rules)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _by_name, (self.name,)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __call__(self, *inputs: Any) -> Any:
        """The operation on ``inputs``: a float for floats, else what their reading makes of it.

        Raises:
            TypeError: an input is not a number, or there are too many or too few.
            ValueError: lists are not equally long, or the operation is not defined at these inputs.
            ZeroDivisionError: likewise.
            OverflowError: the result is too large for a float.
        """
        if len(inputs) == 1 == len(self.rules) and not self.lists:  # short cuts: this is most of what rules call
            if isinstance(inputs[0], Number):
                return inputs[0].apply(self, inputs)
            if inputs[0].__class__ is float:
                try:
                    out = self.forward(inputs[0])
                except (ArithmeticError, TypeError, ValueError):
                    out = None  # ``evaluate`` says what is wrong
                return out if out.__class__ is float else self.evaluate(inputs)
        if self.lists:
            inputs = self._flatten(inputs)
        elif len(inputs) != len(self.rules):
            raise TypeError(f"{self.name} takes {len(self.rules)} input(s), got {len(inputs)}")
        kinds = set(map(type, inputs))
        readings = {kind.apply for kind in kinds if issubclass(kind, Number)}
        if any(kind is not float and not issubclass(kind, Number) for kind in kinds):
            inputs = tuple([x if isinstance(x, Number) else as_float(x) for x in inputs])
        if not readings:
            return self.evaluate(inputs)
        if len(readings) == 1:
            return readings.pop()(self, inputs)
        numbers = [x for x in inputs if isinstance(x, Number)]
        highest = max(numbers, key=attrgetter("level"))
        for x in numbers:
            if x.level == highest.level and x.apply is not highest.apply:
                raise TypeError(f"{self.name} takes no {type(x).__name__} together with a {type(highest).__name__}")
        return highest.apply(self, inputs)

    def _flatten(self, lists: tuple[Any, ...]) -> tuple[Any, ...]:
        try:
            iterators = list(map(iter, lists))
        except TypeError:
            iterators = []
        if len(iterators) != self.lists:
            raise TypeError(f"{self.name} takes {self.lists} list(s) of numbers")
        rows = [tuple(xs) for xs in iterators]
        if len(set(map(len, rows))) > 1:
            raise ValueError(f"{self.name} takes lists of equal length, got {' and '.join(str(len(r)) for r in rows)}")
        return tuple(chain.from_iterable(rows))

    def evaluate(self, data: tuple[float, ...], inputs: tuple[Any, ...] = ()) -> float:
        """The operation on floats. ``inputs`` are the numbers they came from, for their names in an error.

        Raises:
            ValueError, ZeroDivisionError: it is not defined there.
            OverflowError: the result is too large for a float.
        """
        try:
            out = self.forward(*data)
        except (ValueError, ZeroDivisionError, OverflowError) as error:
            kind = next(kind for kind in REASONS if isinstance(error, kind))
            raise kind(f"{self._called(data, inputs)}: {REASONS[kind]}") from None
        if type(out) is float:
            return out
        try:
            return as_float(out)
        except TypeError as error:
            raise TypeError(f"the forward function of {self.name} must return a float: {error}") from None

    def _called(self, data: tuple[float, ...], inputs: tuple[Any, ...]) -> str:
        if len(data) > 4:
            return f"{self.name} of {len(data)} inputs"
        names = [getattr(x, "name", None) for x in inputs] or [None] * len(data)
        shown = [f"{name}={x!r}" if name else repr(x) for name, x in zip(names, data, strict=True)]
        return f"{self.name}({', '.join(shown)})"

    def local_derivatives(self, inputs: tuple[Any, ...], out: Any, wanted: Sequence[bool]) -> list[Any]:
        """∂out/∂input for each wanted input, floats for float inputs, else numbers of the inputs' reading.

        None stands for an input that is not wanted (its rule is not evaluated), and where nothing can flow back: a
        comparison, the branch that ``where`` did not take.
        """
        try:
            if self.lists:
                found: list[Any] = self.rules[0](inputs, out)  # type: ignore[misc]  # a list operation has a rule
                if len(found) != len(inputs):
                    raise ValueError(f"it returned {len(found)} number(s) for {len(inputs)} input(s)")
                if not all(wanted):
                    found = [local if want else None for local, want in zip(found, wanted, strict=True)]
            else:
                found = [
                    rule(*inputs, out) if want and rule is not None else None
                    for rule, want in zip(self.rules, wanted, strict=True)
                ]
                if any(d is None and want and rule for d, want, rule in zip(found, wanted, self.rules, strict=True)):
                    raise TypeError("it returned None (is a return missing?)")
        except (TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
            shown = self._called(tuple([float(x) for x in inputs]), inputs)
            kind = next(kind for kind in (TypeError, *REASONS) if isinstance(error, kind))
            raise kind(f"the local derivative of {shown} failed: {error}") from error
        if self.selects:
            found = [None if local is None or float(local) == 0.0 else local for local in found]
        return found


REASONS = {
    ValueError: "not defined there",
    ZeroDivisionError: "not defined there (division by zero)",
    OverflowError: "the result is too large for a float (more than 1.8e308)",
}

OPS: dict[str, Op] = {}
"""The table: every operation by its name, those that users define included."""

_built_in: frozenset[str] = frozenset()


def seal() -> None:
    """Make every operation defined so far a built-in, which cannot be replaced."""
    global _built_in
    _built_in = frozenset(OPS)


def is_built_in(op: Op) -> bool:
    """Whether ``op`` is a row of the table as it comes, not one that a user defined."""
    return op.name in _built_in


def _by_name(name: str) -> Op:
    try:
        return OPS[name]
    except KeyError:
        raise ValueError(
            f"this graph uses the operation {name!r}, which is not defined here: "
            f"call autograd.operation({name!r}, ...) as where it was saved, then load it again"
        ) from None


def everywhere(*inputs: float) -> bool:
    """The region of an operation that has no kink."""
    return True


def nowhere(low: float, high: float) -> tuple[float, ...]:
    """The turning points of an operation that is monotone."""
    return ()


def operation(
    name: str,
    forward: Callable[..., float],
    *rules: Rule | None,
    doc: str = "",
    domain: tuple[Range, ...] | None = None,
    smooth: Callable[..., bool] = everywhere,
    special: tuple[tuple[float, ...], ...] = (),
    ulps: float = 4.0,
    turns: Turns | None = None,
    prints: str | Rule | None = None,
    precedence: int = 9,
    lists: int = 0,
    orders: int = 0,
    selects: bool = False,
) -> Op:
    """Define an operation: add one row to the table. This is all there is to adding an operation.

    It can then be called as ``autograd.<name>`` (and, with one input, as a method of ``Value``), is differentiated to
    any order in reverse and forward mode, printed, drawn, documented and property-tested like every other.

    Args:
        name: an identifier that no other operation or attribute of Value has. A user's own operation may be defined
            again (graphs already recorded keep the old one); a built-in may not.
        forward: floats in, a float out. It raises ValueError or ZeroDivisionError where it is not defined.
        rules: one local derivative ∂out/∂input per input, a function of the inputs and then ``out``, written with
            operators and operations, so that it can itself be differentiated; None where nothing flows back. It is
            evaluated when the operation is recorded.
        doc: one sentence, with the formula.
        domain: per input, the (lowest, highest) number at which it is worth trying; all reals unless given.
        smooth: of the inputs, whether all derivatives exist there (false at a kink); written with comparisons only,
            certificates can ask it of intervals.
        special: inputs at which tests should look in particular: kinks, ends of the domain, limits.
        ulps: what certificates assume of ``forward``: at floats it is within so many ULP of the exact value; without
            ``turns``, times the condition number where that is above 1. Likewise of constants in your own rules.
        turns: for an operation that is monotone along each input between turning points: a function of an interval's
            ends that gives numbers inside at which the extremes are taken (none where it is monotone).
        prints: how it prints, as a template such as ``"{} + {}"`` or as an expression in other operations.
        precedence: how tightly the template binds: 1 for +, 2 for *, 3 for unary -, 4 for **, 9 for a call.
        lists: for an operation on lists of any length, how many lists it takes. It then has one rule, a function of
            the tuple of all inputs and ``out`` that returns the local derivatives as a list.
        orders: how many of the last inputs are whole numbers that choose a member of a family, such as the order of a
            derivative; they have no local derivative.
        selects: an input whose local derivative is 0 is not used at all: what is behind it gets no contribution.

    Raises:
        ValueError: the name is taken or is no identifier, or the number of rules does not fit.
        TypeError: ``forward`` or a rule is not callable, or a rule is not a straight line of operations.

    >>> import autograd
    >>> cube = autograd.operation("cube", lambda x: x * x * x, lambda x, out: 3 * x**2, doc="x³.")
    >>> autograd.derivative(cube, order=2)(5.0)
    30.0
    >>> autograd.Value(2.0).cube().data
    8.0
    """
    if not (isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")):
        raise ValueError(f"the name of an operation is an identifier that does not start with '_', got {shown(name)}")
    if name in _built_in:
        raise ValueError(f"{name!r} is a built-in operation; choose another name")
    if name not in OPS and _is_taken(name):
        raise ValueError(f"{name!r} already means something in autograd; choose another name")
    if not callable(forward):
        raise TypeError(f"forward must be a function of floats, got {shown(forward)}")
    for rule in rules:
        if rule is not None and not callable(rule):
            raise TypeError(f"a local derivative must be a function (or None), got {shown(rule)}")
    if lists < 0 or not rules or (lists and (len(rules) != 1 or rules[0] is None)):
        raise ValueError(f"operation {name!r} needs {'one rule' if lists else 'one local derivative per input'}")
    if not 0 <= orders <= len(rules) or any(rules[len(rules) - orders :]):
        raise ValueError(f"operation {name!r}: the last {orders!r} input(s) are orders: their local derivative is None")
    if lists and turns is not None:
        raise ValueError(f"operation {name!r}: turns is for operations of single inputs, not of lists")
    arity = lists or len(rules)
    if domain is not None and len(domain) != arity:
        raise ValueError(f"operation {name!r}: domain needs {arity} range(s) such as ((0, 1),), got {len(domain)}")
    if any(not low <= high for low, high in domain or ()):
        raise ValueError(f"operation {name!r}: a range of the domain is (lowest, highest), got {domain!r}")
    op = Op(
        name=name,
        forward=forward,
        rules=rules,
        lists=lists,
        orders=orders,
        selects=selects,
        domain=domain if domain is not None else (REALS,) * arity,
        smooth=smooth,
        special=special,
        ulps=ulps,
        turns=turns,
        prints=prints if prints is not None else f"{name}({', '.join(['{}'] * arity)})",
        precedence=precedence,
        __doc__=doc or f"{name}.",
    )
    if _built_in:  # the rows of the table refer to rows that come after them
        _probe(op)
    OPS[name] = op
    if op.arity == 1:
        setattr(Number, name, _method(op))
    elif name in vars(Number):
        delattr(Number, name)  # it was defined before, with one input
    return op


class _Probe(Number):
    """A number that only operations can take: what a rule does with it, it can do in every reading."""

    @staticmethod
    def apply(op: Op, inputs: tuple[Any, ...]) -> Any:
        return _Probe()

    def __bool__(self) -> bool:
        raise TypeError("it does not choose with if: use where, or an operation whose forward function chooses")

    def __eq__(self, other: object) -> bool:
        return bool(self)

    __hash__ = Number.__hash__


def _probe(op: Op) -> None:
    """Raise TypeError if a rule leaves the graph, as math.cos(x) does, or chooses: readings could not follow it."""
    inputs = [_Probe() for _ in range(2 * op.lists or len(op.rules))]
    for rule in op.rules:
        try:
            if op.lists and rule is not None:
                list(rule(tuple(inputs), _Probe()))
            elif rule is not None:
                rule(*inputs, _Probe())
        except TypeError as error:
            raise TypeError(
                f"a local derivative of {op.name!r} failed: {error}. It takes the input(s) and out, and is written "
                "with operators and the functions of autograd, not those of math, for it is differentiated itself"
            ) from error


def _is_taken(name: str) -> bool:
    return hasattr(sys.modules[__package__], name) or any(hasattr(kind, name) for kind in Number.__subclasses__())


def _method(op: Op) -> Callable[[Number], Any]:
    def method(self: Number) -> Any:
        return self.apply(op, (self,))

    method.__name__, method.__doc__ = op.name, op.__doc__
    return method
