"""A random expression: a function that can be called on any kind of number, and prints as a person would write it."""

from __future__ import annotations

import inspect
import itertools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ..op import OPS, Number, Op
from ..symbol import PYTHON, Symbol

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    "abs": operator.abs,
    "pow": operator.pow,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
"""The operations that a person writes with an operator, or with a function that Python has without an import."""


COMPARISONS = {"lt", "le", "gt", "ge"}
LOOSEST = 0
"""How tightly a comparison binds: less than all else that has an operator."""


class Step(NamedTuple):
    """An operation and its operands: each the place of an earlier number, inputs first (an int), or a literal."""

    op: Op
    operands: tuple[int | float, ...]


class Expression:
    """A function that was drawn: it takes floats, Values, duals or any other ``Number``, and returns one number.

    It prints as the Python that a person would write for it.

    Attributes:
        inputs: the numbers at which it was drawn, and where it is defined.
        steps: the operations in order; the last one gives the result, and all others lead to it.

    >>> from autograd import OPS, Value
    >>> f = Expression([3.0], [Step(OPS["sub"], (2.0, 0)), Step(OPS["tanh"], (1,)), Step(OPS["mul"], (1, 2))])
    >>> f
    def f(x):  # at x = 3.0
        a = 2 - x
        return a * tanh(a)
    >>> f(2.0), f(Value(2.0))
    (0.0, Value(data=0.0, grad=0.0))
    """

    def __init__(self, inputs: Sequence[float], steps: Sequence[Step]) -> None:
        self.inputs = list(inputs)
        self.steps = list(steps)
        names = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in self._parameters()]
        self.__signature__ = inspect.Signature(names)

    @property
    def ops(self) -> int:
        """How many operations it has."""
        return len(self.steps)

    def __call__(self, *inputs: Any) -> Any:
        """The number that it computes from ``inputs``. Raises what its operations raise where they are not defined."""
        if len(inputs) != len(self.inputs):
            raise TypeError(f"this expression takes {len(self.inputs)} number(s), got {len(inputs)}")
        numbers = list(inputs)
        for op, operands in self.steps:
            numbers.append(call(op, [numbers[x] if x.__class__ is int else x for x in operands]))
        return numbers[-1]

    def __repr__(self) -> str:
        head, names, lines = self._source()
        at = ", ".join(f"{name} = {x!r}" for name, x in zip(names, self.inputs, strict=True))
        return "\n    ".join([f"def {head}:  # at {at}", *lines])

    def program(self, *by: int) -> str:
        """A complete program that computes the value and the gradient at ``inputs``, and prints them.

        The user's own operations have to be defined before its first line. With places of inputs, it prints the
        derivative by all of these instead.

        >>> from autograd import OPS
        >>> print(Expression([3.0], [Step(OPS["tanh"], (0,))]).program())
        from autograd import Value, tanh
        <BLANKLINE>
        <BLANKLINE>
        def f(x):
            return tanh(x)
        <BLANKLINE>
        <BLANKLINE>
        x = Value(3.0)
        out = f(x)
        out.backward()
        print(out.data, x.grad)
        >>> print(Expression([3.0], [Step(OPS["tanh"], (0,))]).program(0, 0).splitlines()[-1])
        print(grad(lambda x: grad(f)(x))(3.0))
        """
        head, names, lines = self._source()
        called = {op.name for op, _ in self.steps} - OPERATORS.keys()
        function = "\n    ".join([f"def {head}:", *lines])
        at = [repr(x) if math.isfinite(x) else _number(x).text for x in self.inputs]
        if by:
            name, arguments = head.partition("(")[0], ", ".join(names)
            places = [f"[{i}]" if len(names) > 1 else "" for i in by]
            for place in places[:-1]:
                name = f"lambda {arguments}: grad({name})({arguments}){place}"
            imported, main = "grad", [f"print(grad({name})({', '.join(at)}){places[-1]})"]
        else:
            leaves = [f"{name} = Value({x})" for name, x in zip(names, at, strict=True)]
            gradient = ", ".join(f"{name}.grad" for name in names)
            imported, main = "Value", [*leaves, f"out = {head}", "out.backward()", f"print(out.data, {gradient})"]
        return "\n".join([f"from autograd import {', '.join(sorted([imported, *called]))}\n\n\n{function}\n\n", *main])

    def _source(self) -> tuple[str, list[str], list[str]]:
        """The function as it is called, its parameters, and the lines of its body."""
        uses = [0] * (len(self.inputs) + len(self.steps))
        for _, operands in self.steps:
            for x in operands:
                if isinstance(x, int):
                    uses[x] += 1
        parameters = self._parameters()
        variables = _names("abcdeghijkmnopqrstuvw")
        symbols = [Symbol(name) for name in parameters]
        lines = []
        for i, (op, operands) in enumerate(self.steps, len(symbols)):
            symbol = _written(op, [symbols[x] if isinstance(x, int) else _number(x) for x in operands])
            if uses[i] > 1 or (uses[i] and len(symbol.text) > LONGEST):
                name = next(variables)
                lines.append(f"{name} = {symbol.text}")
                symbol = Symbol(name)
            symbols.append(symbol)
        head = f"{next(_names('f'))}({', '.join(parameters)})"
        return head, parameters, [*lines, f"return {symbols[-1].text}"]

    def _parameters(self) -> list[str]:
        letters = "xyz" if len(self.inputs) <= 3 else "x"
        return list(itertools.islice(_names(letters), len(self.inputs)))


LONGEST = 60
"""The longest formula that is not given a name, in characters."""


def _names(letters: str) -> Iterator[str]:
    """The letters, then the letters with numbers; none is the name of an operation."""
    every = (f"{letter}{i}" if i else letter for i in itertools.count() for letter in letters)
    return (name for name in every if name not in OPS)


def _number(x: float) -> Symbol:
    return PYTHON.number(x) if math.isfinite(x) else Symbol(f'float("{x}")')


def _written(op: Op, operands: Sequence[Symbol]) -> Symbol:
    """The call of ``op`` that records ``op`` and no other: with its operator, else by its name."""
    if op.name in COMPARISONS:  # a < (b < c) is not a < b < c; but a < b stands alone without parentheses
        grouped = [Symbol(f"({x.text})") if x.precedence == LOOSEST else x for x in operands]
        return Symbol(PYTHON.write(op, grouped).text[1:-1], LOOSEST)
    if op.lists or op.name in OPERATORS:
        return PYTHON.write(op, operands)
    return Symbol(f"{op.name}({', '.join(x.text for x in operands)})")


def call(op: Op, inputs: Sequence[Any]) -> Any:
    """``op`` on its inputs in a row, as a person would call it: with its operator, or on lists."""
    if op.lists:
        size = len(inputs) // op.lists
        return op(*[inputs[i * size : (i + 1) * size] for i in range(op.lists)])
    if op.name in OPERATORS and any(isinstance(x, Number) for x in inputs):
        return OPERATORS[op.name](*inputs)
    return op(*inputs)  # floats: Python's own operators give complex numbers and bools
