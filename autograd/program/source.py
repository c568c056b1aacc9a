"""Step 7: a program as NumPy source."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ..op import OPS, Op
from .adjoints import Adjoints
from .buffers import shared
from .names import Names
from .statements import PYTHON, Buffer, Ref, Statement
from .tracing import Expr, Tracer, Unless
from .values import Values

IMPORTED = {name for name, each in vars(np).items() if isinstance(each, np.ufunc)}  # getattr would load all of NumPy
IMPORTED |= {"copyto", "empty", "flatnonzero", "full", "inf", "nan", "take", "where"}
GIVEN = ("parameters", "gradient", "B", "dtype")
"""What the text needs besides: the vectors (P,), the size of the batch, the kind of numbers."""
TAKEN = frozenset([*GIVEN, "seed", "ones", "small", "value", "reverse", *dir(np), *OPS])

SMALL = 1e-3
"""Below it a difference 1 - … has lost more than 3 digits: 4e-13 of it may be wrong."""


class Source:
    """The text of a program, and what its names stand for.

    Attributes:
        text: memory for a batch of ``B`` examples, views of it and of the parameters, and two functions: ``value`` of
            the inputs, which are (n, B), and ``reverse`` of the inputs and the seed, which writes the gradient.
        gradient_views: the lines of it that are views of the gradient.
        constants: what the text needs besides NumPy and ``GIVEN``, by name.
        called: the operations that are called for each number.
        memory: the shapes of all arrays of numbers.
    """

    def __init__(self, values: Values, adjoints: Adjoints, parameters: Sequence[str], inputs: Sequence[str]) -> None:
        self._values, self._adjoints = values, adjoints
        self._memory = shared(values.statements, adjoints.statements, values.result)
        self._names = Names(values, adjoints, parameters, inputs, self._memory, TAKEN)
        self._met = {values.parameters, adjoints.gradient, *values.inputs}
        self._views: dict[Ref, str] = {}
        # What the text begins with: views of the parameters, of the gradient, memory, and views of that.
        self._heads: tuple[list[str], ...] = [], [], [], []
        self._functions: dict[str, list[str]] = {}
        self.constants: dict[str, Any] = {}
        self.called: list[str] = []
        self._called: dict[Op, str] = {}
        self.memory: list[tuple[int | str, ...]] = []
        forward = [line for it in values.statements for line in self._lines(it)]
        result = self._ref(values.result)
        reverse = ["gradient.fill(0.0)"] * adjoints.clears
        reverse += [line for it in adjoints.statements for line in self._lines(it)]
        given = [self._names.of(x) for x in values.inputs]
        self.gradient_views = "\n".join(self._heads[1])
        head = "\n".join(chain(*self._heads))
        functions = [*self._functions.values()]
        functions.append([f"def value({', '.join(given)}):", *_indented(forward), f"    return {result}"])
        functions.append([f"def reverse({', '.join([*given, 'seed'])}):", *_indented(reverse or ["pass"])])
        text = "\n\n\n".join([head] * bool(head) + ["\n".join(lines) for lines in functions])
        used = sorted(set(re.findall(r"(?<![.\w])[a-z]\w*", text)) & IMPORTED)
        vector = f"({values.parameters.dims[0]},)"
        needed = [f"parameters {vector}", f"gradient {vector}", "B", "dtype", *map(_described, self.constants.items())]
        comment = textwrap.wrap(f"given: {', '.join(needed)}", 118, initial_indent="# ", subsequent_indent="# ")
        imports = [f"from numpy import {', '.join(used)}"] * bool(used)
        self.text = "\n".join([*comment, *imports, "", text])

    def _lines(self, it: Statement) -> list[str]:
        if not isinstance(it.function, Unless):
            return [self._line(it)]
        op = it.function.op
        if op.name not in self._functions:
            self._functions[op.name] = function_text(op)
        difference, *inputs = [self._ref(x) for x in it.args]
        inside, out = ", ".join(f"{x}.flat[small]" for x in inputs), self._ref(it.out)
        return [
            f"if not {difference}.item({difference}.argmin()) >= {SMALL}:",  # nan too: the others may be small
            f"    small = flatnonzero({difference} < {SMALL})",
            f"    {out}.flat[small] = {op.name}({inside})",
        ]

    def _line(self, it: Statement) -> str:
        args = [self._ref(x) if isinstance(x, Ref) else repr(x) for x in it.args]
        out = self._ref(it.out)
        if isinstance(it.function, Op):
            return f"{out}[...] = {self._each(it.function, len(args))}({', '.join(args)})"
        if it.function == "copyto":
            return f"copyto({', '.join(args[:2])}{f', where={args[2]}' if len(args) > 2 else ''})"
        if it.function == "dot":
            return f"{args[0]}.dot({args[1]}, out={out})"  # a method is called sooner than a function of NumPy
        if it.function == "add.at":
            return f"add.at({', '.join(args)})"
        return f"{it.function}({', '.join([*args, *filter(None, [it.options]), f'out={out}'])})"

    def _each(self, op: Op, arity: int) -> str:
        """The name of an operation that is called for each number; two may have the same, if one was defined again."""
        if op not in self._called:
            self._called[op] = self._names.once(f"each_{op.name}")
            self.called.append(op.name)
            self.constants[self._called[op]] = np.frompyfunc(op.forward, arity, 1)
        return self._called[op]

    def _ref(self, ref: Ref) -> str:
        """The name of a view, which is made once; of an input it is made at every call."""
        ref = Ref(self._memory.get(ref.buffer, ref.buffer), ref.suffix)
        name = self._name(ref.buffer)
        if not ref.suffix or ref.buffer in self._values.inputs:
            return name + ref.suffix
        if ref not in self._views:
            text = f"{self._ref(ref.transposed)}.T" if ref.suffix.endswith(".T") else name + ref.suffix
            self._views[ref] = self._names.of_view(ref)
            of = {self._values.parameters: 0, self._adjoints.gradient: 1}.get(ref.buffer, 3)
            self._heads[of].append(f"{self._views[ref]} = {text}")
        return self._views[ref]

    def _name(self, buffer: Buffer) -> str:
        """The name of a buffer, which is made when it is first named."""
        name = self._names.of(buffer)
        if buffer in self._met:
            return name
        self._met.add(buffer)
        shape = f"({', '.join(map(str, buffer.dims))}{',' * (len(buffer.dims) == 1)})"
        if buffer.numbers is not None:
            self.constants[name] = buffer.numbers
        elif buffer.ones:
            self._heads[2].append(f"{name} = full({shape}, 1.0, dtype)")
        else:
            self._heads[2].append(f"{name} = empty({shape}, {'bool' if buffer.mask else 'dtype'})")
        if buffer.made:
            self.memory.append(buffer.dims)
        return name


def function_text(op: Op) -> list[str]:
    """An operation of one input as a function of an array, in lines."""
    parts, found = formula(op, _spelled, repr)
    return [f"def {op.name}(x):", *[f"    {name} = {part}" for name, part in parts], f"    return {found}"]


def formula(
    op: Op, spelled: Callable[[Any, int], str], number: Callable[[float], str]
) -> tuple[list[tuple[str, str]], str]:
    """An operation of ``x``: named parts, for what is used twice, and the result.

    ``spelled`` says how a function of so many arguments is written, with ``{}`` for each of them.
    """
    tracer = Tracer()
    out = tracer.operation(op, [tracer.operand("x", ("B", 1))])
    uses: Counter[Expr] = Counter()
    pending = [out]
    while pending:
        expr = pending.pop()
        uses[expr] += 1
        if uses[expr] == 1:
            pending.extend([x for x in expr.args if isinstance(x, Expr)])
    names: dict[Expr, str] = {}

    parts: list[tuple[str, str]] = []

    def text(x: Any) -> str:
        if not isinstance(x, Expr):
            return number(x)
        if x.function is None:
            return str(x.args[0])
        if x in names:
            return names[x]
        template = spelled(x.function, len(x.args))
        args = map(text, x.args)
        found = template.format(*(args if template.startswith("(") else map(bare, args)))
        if uses[x] > 1:
            names[x] = f"t{len(names) + 1}"
            parts.append((names[x], found))
        return names.get(x, found)

    return parts, bare(text(out))


def bare(text: str) -> str:
    """The same without the parentheses around it."""
    return text[1:-1] if text.startswith("(") else text


def _spelled(function: str, arity: int) -> str:
    return PYTHON.get(function) or f"{function}({', '.join(['{}'] * arity)})"


def _described(constant: tuple[str, Any]) -> str:
    name, x = constant
    return f"{name} {x.shape}" if isinstance(x, np.ndarray) else name


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]
