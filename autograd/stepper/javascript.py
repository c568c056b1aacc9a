"""The arithmetic of a page: the operations that a graph uses, written from the table of operations as JavaScript.

A page that recomputes a graph needs, for each operation, its forward function and its local derivatives. Local
derivatives are straight lines of operations, so they are read by calling the rules, like every reading. Forward
functions choose and loop, so their source is translated, by ``translation.py``. What Python has and JavaScript lacks is
in ``runtime.js``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..names import unique
from ..op import REASONS, Number, Op, is_number
from .translation import RUNTIME, Program, UntranslatableError, number

MOST_INPUTS = 10_000
"""An operation of more inputs would not find room on the stack of a browser, on which the inputs of a call are put."""


@dataclass(frozen=True)
class Script:
    """Operations as JavaScript.

    Attributes:
        text: defines ``const operations``, and nothing else: for each key an object with ``forward(...inputs)``,
            ``locals(...inputs, out, wanted)``, ``areDefined(...inputs, out)`` and ``selects``. ``wanted`` says for
            which inputs a local derivative is wanted, of all unless given; null stands for the others, and where
            nothing flows back. The first two raise an Error whose name is that of Python's error and whose message is
            the reason that Python gives. ``areDefined`` says, for each input, whether the formula of the local
            derivative, as it prints, is defined there.
        keys: the key of each operation and number of inputs.
        missing: why an operation of that many inputs cannot be had.
    """

    text: str
    keys: dict[tuple[Op, int], str]
    missing: dict[tuple[Op, int], str]


def script(uses: Iterable[tuple[Op, int]]) -> Script:
    """The operations of ``uses``, each with how many inputs it has there, as JavaScript.

    >>> import autograd
    >>> bump = autograd.operation("bump", lambda x: 1 / (1 + x * x), lambda x, out: -2 * x * out * out)
    >>> written = script([(bump, 1), (autograd.mul, 2)])
    >>> written.keys
    {(<operation bump>, 1): 'bump', (<operation mul>, 2): 'mul'}
    >>> print(written.text[written.text.index("function $bump") :])
    function $bump(x_) {
      return divide(1, add(1, multiply(x_, x_)));
    }
    <BLANKLINE>
    function $mul(x_, y_) {
      return multiply(x_, y_);
    }
    <BLANKLINE>
    return {
      "bump": operation($bump, 1, [
        (x0, out) => {
          const t1 = $mul((-2.0), x0);
          const t2 = $mul(t1, out);
          const t3 = $mul(t2, out);
          return t3;
        },
      ], false),
      "mul": operation($mul, 2, [
        (x0, x1, out) => x1,
        (x0, x1, out) => x0,
      ], false),
    };
    })();
    <BLANKLINE>
    """
    program = Program()
    entries: dict[str, str] = {}
    keys: dict[tuple[Op, int], str] = {}
    missing: dict[tuple[Op, int], str] = {}
    for op, size in dict.fromkeys(uses):
        try:
            with program.all_or_nothing():
                entry = _entry(program, op, size)
        except UntranslatableError as error:
            missing[op, size] = str(error)
        else:
            keys[op, size] = key = unique(f"{op.name}[{size}]" if op.lists else op.name, dict.fromkeys(entries, 1))
            entries[key] = f"  {json.dumps(key)}: {entry},\n"
    reasons = ", ".join(f"[{kind.__name__}, {json.dumps(reason)}]" for kind, reason in REASONS.items())
    functions_text = "".join(f"{function.text}\n" for function in program.functions.values())
    text = (
        f'const operations = (() => {{\n"use strict";\n{RUNTIME}\nconst reasons = new Map([{reasons}]);\n\n'
        f"{functions_text}return {{\n{''.join(entries.values())}}};\n}})();\n"
    )
    return Script(text, keys, missing)


# ---- local derivatives: the rules, called on readings ----------------------------------------------------------------


class _Reading(Number):
    """A number in JavaScript; each operation on it is written down as one line of ``rule``."""

    __slots__ = ("rule", "text")

    level = 1_000_000_000  # above every other reading, as a symbol is

    def __init__(self, rule: _Rule, text: str) -> None:
        self.rule = rule
        self.text = text

    @staticmethod
    def apply(op: Op, inputs: tuple[Any, ...]) -> Any:
        rule = next(x.rule for x in inputs if isinstance(x, _Reading))
        return rule.call(rule.program.reference(op), inputs)

    def __pow__(self, other: Any) -> _Reading:
        return self.rule.call("power", (self, other))  # on floats, a rule's ** is Python's and not the row of pow

    def __rpow__(self, other: Any) -> _Reading:
        return self.rule.call("power", (other, self))


class _Printed(_Reading):
    """The same of what is printed: a row that prints as an expression is written as that expression."""

    __slots__ = ()

    __eq__ = object.__eq__  # as a symbol's, by which the row chose what to print
    __ne__ = object.__ne__
    __hash__ = object.__hash__

    @staticmethod
    def apply(op: Op, inputs: tuple[Any, ...]) -> Any:
        try:
            printed = op.prints(*inputs) if callable(op.prints) else None
        except (ArithmeticError, ValueError):
            printed = None  # as a symbol: a literal for which it is not defined
        return _Reading.apply(op, inputs) if printed is None else printed


class _Rule:
    """The lines of one rule: a name for each call, which is written once."""

    def __init__(self, program: Program, size: int, reading: type[_Reading] = _Reading) -> None:
        self.program = program
        self.reading = reading
        self.lines: dict[str, str] = {}
        self.inputs = tuple([reading(self, f"x{i}") for i in range(size)])
        self.out = reading(self, "out")

    def call(self, function: str, inputs: Sequence[Any]) -> _Reading:
        text = f"{function}({', '.join(map(_operand, inputs))})"
        return self.reading(self, self.lines.setdefault(text, f"t{len(self.lines) + 1}"))

    def function(self, result: str) -> str:
        """The rule as a function of JavaScript."""
        parameters = ", ".join([x.text for x in (*self.inputs, self.out)])
        if not self.lines:
            return f"({parameters}) => {result}"
        lines = "".join(f"      const {name} = {call};\n" for call, name in self.lines.items())
        return f"({parameters}) => {{\n{lines}      return {result};\n    }}"


def _operand(x: Any) -> str:
    if isinstance(x, _Reading):
        return x.text
    if isinstance(x, Number) or not is_number(x):
        raise UntranslatableError("its local derivative is not written with floats and operations")
    return number(x)


def _entry(program: Program, op: Op, size: int) -> str:
    """The entry of ``op`` on ``size`` inputs in the table of the page."""
    if size > MOST_INPUTS:
        raise UntranslatableError(f"{size} inputs are more than the {MOST_INPUTS} that a function in a page takes")
    forward = program.reference(op)
    try:
        rules = _rules(program, op, size, _Reading)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise UntranslatableError(f"its local derivative cannot be read: {error}") from error
    try:
        with program.all_or_nothing():
            printed = _rules(program, op, size, _Printed)
    except (UntranslatableError, TypeError, ValueError, ArithmeticError):
        printed = rules
    others = "" if printed == rules else f", {printed}"
    return f"operation({forward}, {size}, {rules}, {number(op.selects)}{others})"


def _rules(program: Program, op: Op, size: int, reading: type[_Reading]) -> str:
    """The rules of ``op``, or its one rule of lists, as functions."""
    if not op.lists:
        rules = "".join([f"    {_rule(program, size, each, reading)},\n" for each in op.rules])
        return f"[\n{rules}  ]"
    rule = _Rule(program, size, reading)
    found = list(op.rules[0](rule.inputs, rule.out))  # type: ignore[misc]  # a list operation has a rule
    if len(found) != size:
        raise UntranslatableError(f"its rule returns {len(found)} local derivatives for {size} inputs")
    return rule.function(f"[{', '.join(map(_operand, found))}]")


def _rule(program: Program, size: int, rule: Callable[..., Any] | None, reading: type[_Reading]) -> str:
    if rule is None:
        return "null"
    lines = _Rule(program, size, reading)
    return lines.function(_operand(rule(*lines.inputs, lines.out)))
