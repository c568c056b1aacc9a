"""Step 7: a program as NumPy source."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..op import Op
from .adjoints import Adjoints
from .buffers import shared
from .statements import Buffer, Ref, Statement
from .values import Values

USED = frozenset(
    [
        "np",
        "B",
        "parameters",
        "gradient",
        "seed",
        "ones",
        "value",
        "reverse",
        "program",
        "empty",
        "full",
        "inf",
        "nan",
        *dir(np),
    ]
)


class Source:
    """The text of a program, and what its names stand for.

    Attributes:
        text: a function that makes the memory for a batch of ``B`` examples, and returns two functions: of the inputs,
            which are (n, B), and of the inputs and the seed.
        constants: what the text needs besides NumPy, by name.
        called: the operations that are called for each number.
        memory: the shapes of all arrays of numbers.
    """

    def __init__(self, values: Values, adjoints: Adjoints, parameters: Sequence[str], inputs: Sequence[str]) -> None:
        self._taken = set(USED)
        self._counts: Counter[str] = Counter()
        self._parameters = parameters
        self._values, self._adjoints = values, adjoints
        self._memory = shared([*values.statements, *adjoints.statements])
        self._names: dict[Buffer, str] = {x: x.name for x in (values.parameters, adjoints.gradient, adjoints.ones)}
        for buffer, name in zip(values.inputs, inputs, strict=True):
            self._names[buffer] = self._once(identifier(name) or buffer.name)
        self._views: dict[tuple[Buffer, str], str] = {}
        self._lines: list[str] = []  # that make memory and views
        self.constants: dict[str, Any] = {}
        self.called: list[str] = []
        self.memory: list[tuple[int | str, ...]] = []
        forward = [self._line(it) for it in values.statements]
        result = self._ref(values.result)
        reverse = ["gradient.fill(0.0)"] * adjoints.clears + [self._line(it) for it in adjoints.statements]
        given = [self._names[x] for x in values.inputs]
        lines = [
            "def program(parameters, gradient, B):",
            *_indented(self._lines, 4),
            "",
            f"    def value({', '.join(given)}):",
            *_indented(forward, 8),
            f"        return {result}",
            "",
            f"    def reverse({', '.join([*given, 'seed'])}):",
            *_indented(reverse or ["pass"], 8),
            "",
            "    return value, reverse",
        ]
        self.text = "\n".join(lines) + "\n"

    def _line(self, it: Statement) -> str:
        args = [self._ref(x) if isinstance(x, Ref) else repr(x) for x in it.args]
        out = self._ref(it.out)
        if isinstance(it.function, Op):
            if it.function.name not in self.called:
                self.called.append(it.function.name)
                self.constants[f"each_{it.function.name}"] = np.frompyfunc(it.function.forward, len(args), 1)
            return f"{out}[...] = each_{it.function.name}({', '.join(args)})"
        if it.function == "copyto":
            return f"copyto({', '.join(args[:2])}{f', where={args[2]}' if len(args) > 2 else ''})"
        if it.function == "add.at":
            return f"add.at({', '.join(args)})"
        return f"{it.function}({', '.join([*args, *filter(None, [it.options]), f'out={out}'])})"

    def _ref(self, ref: Ref) -> str:
        """The name of a view, which is made once; of an input it is made at every call."""
        name = self._name(self._memory.get(ref.buffer, ref.buffer))
        buffer = self._memory.get(ref.buffer, ref.buffer)
        if not ref.suffix:
            return name
        if buffer in self._values.inputs:
            return name + ref.suffix
        if (buffer, ref.suffix) not in self._views:
            text = name + ref.suffix
            if ref.suffix.endswith(".T") and ref.suffix != ".T":
                text = self._ref(ref.transposed) + ".T"
            stem = self._view_name(buffer, name, ref.suffix)
            view = self._views[buffer, ref.suffix] = (
                self._unique(stem) if buffer is self._values.parameters else self._once(stem)
            )
            self._lines.append(f"{view} = {text}")
        return self._views[buffer, ref.suffix]

    def _view_name(self, buffer: Buffer, name: str, suffix: str) -> str:
        if suffix.endswith(".T"):
            return f"{self._ref(Ref(buffer, suffix.removesuffix('.T')))}_T"
        if buffer is self._values.parameters:
            view = self._values.parameter_views[suffix]
            stems = {re.sub(r"[\d\[\]]*$", "", self._parameters[i]) for i in view.places.ravel().tolist()}
            return (identifier(stems.pop()) if len(stems) == 1 else None) or "w"
        if buffer is self._adjoints.gradient:
            for ending in (suffix, suffix + "[:, None]"):
                if (self._values.parameters, ending) in self._views:
                    return f"d{self._views[self._values.parameters, ending]}"
        return f"{name}_view"

    def _name(self, buffer: Buffer) -> str:
        """The name of a buffer, which is made when it is first named."""
        if buffer not in self._names:
            name = self._names[buffer] = self._unique(
                "t" if buffer.shared and not buffer.mask else re.sub(r"\d+$", "", buffer.name)
            )
            if buffer.numbers is not None:
                self.constants[name] = buffer.numbers
            elif buffer.made:
                if buffer.ones:
                    self._lines.append(f"{name} = full(({', '.join(map(str, buffer.dims))}), 1.0)")
                else:
                    self._lines.append(
                        f"{name} = empty(({', '.join(map(str, buffer.dims))}){', bool' if buffer.mask else ''})"
                    )
                self.memory.append(buffer.dims)
        elif buffer is self._adjoints.ones and "ones = full(B, 1.0)" not in self._lines:
            self._lines.append("ones = full(B, 1.0)")
        return self._names[buffer]

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


def identifier(name: str) -> str | None:
    """The name as a name in the text: letters, digits and underscores of it; None if nothing is left."""
    found = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    return found if found.isidentifier() and not keyword.iskeyword(found) else None


def _indented(lines: list[str], by: int) -> list[str]:
    return [" " * by + line for line in lines]
