"""Step 7: a program as NumPy source."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ..op import OPS, Op
from .adjoints import Adjoints
from .buffers import shared
from .statements import PYTHON, Buffer, Ref, Statement
from .tracing import Expr, Tracer, Unless
from .values import Values

IMPORTED = {name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)}
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
        self._taken = set(TAKEN)
        self._counts: Counter[str] = Counter()
        self._parameters = parameters
        self._values, self._adjoints = values, adjoints
        self._memory = shared(values.statements, adjoints.statements, values.result)
        self._users = Counter(self._memory.values())
        self._names: dict[Buffer, str] = {x: x.name for x in (values.parameters, adjoints.gradient)}
        for buffer, name in zip(values.inputs, inputs, strict=True):
            self._names[buffer] = self._once(identifier(name) or buffer.name)
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
        given = [self._names[x] for x in values.inputs]
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
            f"if {difference}.item({difference}.argmin()) < {SMALL}:",
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
            self._called[op] = self._once(f"each_{op.name}")
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
            text = name + ref.suffix
            if ref.suffix.endswith(".T"):
                text = self._ref(ref.transposed) + ".T"
            self._views[ref] = self._view_name(ref, name)
            of = {self._values.parameters: 0, self._adjoints.gradient: 1}.get(ref.buffer, 3)
            self._heads[of].append(f"{self._views[ref]} = {text}")
        return self._views[ref]

    def _view_name(self, ref: Ref, name: str) -> str:
        if ref.suffix.endswith(".T"):
            return self._once(f"{self._ref(ref.transposed)}_T")
        if ref.buffer is self._values.parameters:
            view = self._values.parameter_views[ref.suffix]
            stems = {re.sub(r"[\d\[\]]*$", "", self._parameters[i]) for i in view.places.ravel().tolist()}
            return self._unique((identifier(stems.pop()) if len(stems) == 1 else None) or "w")
        if ref.buffer is self._adjoints.gradient:
            for ending in (ref.suffix, ref.suffix + "[:, None]"):
                if Ref(self._values.parameters, ending) in self._views:
                    return self._once(f"d{self._views[Ref(self._values.parameters, ending)]}")
        return self._once(f"{name}_view")

    def _name(self, buffer: Buffer) -> str:
        """The name of a buffer, which is made when it is first named."""
        if buffer in self._names:
            return self._names[buffer]
        if buffer is self._adjoints.ones:
            self._names[buffer] = buffer.name
        else:
            several = self._users[buffer] > 1 and not buffer.mask
            self._names[buffer] = self._unique("t" if several else buffer.name.rstrip("0123456789"))
        name, shape = self._names[buffer], f"({', '.join(map(str, buffer.dims))}{',' * (len(buffer.dims) == 1)})"
        if buffer.numbers is not None:
            self.constants[name] = buffer.numbers
        elif buffer.ones:
            self._heads[2].append(f"{name} = full({shape}, 1.0, dtype)")
        else:
            self._heads[2].append(f"{name} = empty({shape}, {'bool' if buffer.mask else 'dtype'})")
        if buffer.made:
            self.memory.append(buffer.dims)
        return name

    def _unique(self, stem: str) -> str:
        """The stem with a number behind it, that no other name has."""
        while True:
            self._counts[stem] += 1
            found = f"{stem}{self._counts[stem]}"
            if found not in self._taken:
                self._taken.add(found)
                return found

    def _once(self, name: str) -> str:
        """The name, if no other has it; else with a number."""
        if name in self._taken:
            return self._unique(name + "_")
        self._taken.add(name)
        return name


def function_text(op: Op) -> list[str]:
    """An operation of one input as a function of an array, in lines; what is used twice has a line of its own."""
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
    lines = []

    def text(x: Any) -> str:
        if not isinstance(x, Expr):
            return repr(x)
        if x.function is None:
            return str(x.args[0])
        if x in names:
            return names[x]
        if x.function in PYTHON:
            found = PYTHON[x.function].format(*map(text, x.args))
        else:
            found = f"{x.function}({', '.join(map(bare, x.args))})"
        if uses[x] > 1:
            names[x] = f"t{len(names) + 1}"
            lines.append(f"    {names[x]} = {found}")
        return names.get(x, found)

    def bare(x: Any) -> str:
        """The same without the parentheses around it."""
        found = text(x)
        return found[1:-1] if found.startswith("(") else found

    found = bare(out)
    return [f"def {op.name}(x):", *lines, f"    return {found}"]


def identifier(name: str) -> str | None:
    """The name as a name in the text: letters, digits and underscores of it; None if nothing is left."""
    found = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    return found if found.isidentifier() and not keyword.iskeyword(found) else None


def _described(constant: tuple[str, Any]) -> str:
    name, x = constant
    return f"{name} {x.shape}" if isinstance(x, np.ndarray) else name


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]
