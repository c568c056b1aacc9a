"""The symbol reading: what is the formula?

An operation called on symbols prints. So the formula of a local derivative is its rule, called on symbols; the formula
of a Value is its graph, read with symbols for the leaves.
"""

from __future__ import annotations

import itertools
import keyword
from collections import Counter
from typing import Any

from .op import OPS, Number, Op
from .value import Value, topological_order

ATOM = 9
NEGATIVE = 3


class Symbol(Number):
    """A text that stands for a number, and how tightly its outermost operation binds.

    >>> x, y = Symbol("x"), Symbol("y")
    >>> (x + y) * -x**2
    (x + y) * -x ** 2
    """

    __slots__ = ("precedence", "text")

    level = 1_000_000_000  # above every other reading: whatever meets a symbol is printed

    def __init__(self, text: str, precedence: int = ATOM) -> None:
        self.text = text
        self.precedence = precedence

    @staticmethod
    def apply(op: Op, inputs: tuple[Any, ...]) -> Symbol:
        """Print ``op``: by its template, or by the expression that it prints as."""
        if callable(op.prints):
            try:
                spelled = op.prints(*inputs)
            except (ArithmeticError, ValueError):
                spelled = None  # a literal such as the -2 in log(-2): it prints as a call
            if spelled is not None:
                return _symbol(spelled)
        operands = [_symbol(x) for x in inputs]
        if op.lists:
            size = len(operands) // op.lists
            lists = [operands[i * size : (i + 1) * size] for i in range(op.lists)]
            return Symbol(f"{op.name}({', '.join('[' + ', '.join(x.text for x in xs) + ']' for xs in lists)})")
        if callable(op.prints):
            return Symbol(f"{op.name}({', '.join(x.text for x in operands)})")
        if op.precedence == ATOM:
            return Symbol(op.prints.format(*[x.text for x in operands]))
        return Symbol(op.prints.format(*[_operand(x, op, i) for i, x in enumerate(operands)]), op.precedence)

    def __repr__(self) -> str:
        return self.text


def _operand(x: Symbol, op: Op, place: int) -> str:
    # Python reads x - y - z as (x - y) - z, but x ** y ** z as x ** (y ** z): a tie needs parentheses on one side.
    tie = (place == 0) if op.name == "pow" else (place == 1)
    return f"({x.text})" if x.precedence < op.precedence or (x.precedence == op.precedence and tie) else x.text


def _symbol(x: Any) -> Symbol:
    if isinstance(x, Symbol):
        return x
    text = f"{x:g}" if x and float(f"{x:g}") == x else "0" if repr(x) == "0.0" else repr(x)
    return Symbol(text, NEGATIVE if text.startswith("-") else ATOM)


def formula(value: Value) -> str:
    """The formula that made ``value``, as runnable Python; leaves print their name, or their number if they have none.

    Leaves that share a name are told apart by a number: ``w``, ``w_2``, ``w_3``.
    A node that is used more than once is printed at each use if it is a leaf, else named ``v1``, ``v2``, … and
    printed on a line of its own first: the text grows with the graph, not with its paths.

    >>> x, y = Value(2.0, "x"), Value(3.0, "y")
    >>> formula((x + y) ** 2 - 1)
    '(x + y) ** 2 - 1'
    >>> h = x * y
    >>> print(formula(h * h + y))
    v1 = x * y
    v1 * v1 + y
    """
    if not isinstance(value, Value):
        raise TypeError(f"expected a Value, whose formula was recorded, got {value!r:.40}")
    order = topological_order(value)
    uses: dict[Value, int] = dict.fromkeys(order, 0)
    for node in order:
        for x in node.inputs:
            if isinstance(x, Value):
                uses[x] += 1
    symbols = _leaf_symbols(order)
    taken = {symbol.text for symbol in symbols.values()}
    names = (name for i in itertools.count(1) if (name := f"v{i}") not in taken)
    lines: list[str] = []
    for node in order:
        if node.op is None:
            continue
        symbol = Symbol.apply(node.op, tuple([symbols[x] if isinstance(x, Value) else x for x in node.inputs]))
        if uses[node] > 1 or len(symbol.text) > LONGEST:
            name = next(names)
            lines.append(f"{name} = {symbol.text}")
            symbol = Symbol(name)
        symbols[node] = symbol
    return "\n".join([*lines, symbols[value].text])


def _leaf_symbols(order: list[Value]) -> dict[Value, Symbol]:
    """A symbol for each leaf: its name where that can be a name in Python, with a number where another has it."""
    symbols: dict[Value, Symbol] = {}
    uses = Counter(OPS.keys())
    for leaf in [node for node in order if node.op is None]:
        name = leaf.name
        if name is None or not name.isidentifier() or keyword.iskeyword(name):
            symbols[leaf] = _symbol(leaf.data)
            continue
        unique = name
        while uses[unique]:
            uses[name] += 1
            unique = f"{name}_{uses[name]}"
        uses[unique] += 1
        symbols[leaf] = Symbol(unique)
    return symbols


LONGEST = 200
"""The longest formula that ``formula`` puts on one line: it keeps a chain of a million operations linear to print."""


def rules_of(op: Op) -> list[str]:
    """The formula of each local derivative of ``op``, in its inputs and ``out``; "0" where nothing flows back.

    >>> import autograd
    >>> rules_of(autograd.div)
    ['1 / y', '-(x / y ** 2)']
    """
    if op.lists:
        xs = [Symbol(f"{letter}{i}") for letter in "xy"[: op.lists] for i in (1, 2)]
        return [_symbol(local).text for local in op.rules[0](tuple(xs), Symbol("out"))]  # type: ignore[misc]
    names = input_names(op)
    symbols = [Symbol(name) for name in names]
    return ["0" if rule is None else _symbol(rule(*symbols, Symbol("out"))).text for rule in op.rules]


def input_names(op: Op) -> list[str]:
    """What the row of ``op`` calls its inputs: the parameters of its rules, else of its forward function."""
    for function in (*op.rules, op.forward):
        code = getattr(function, "__code__", None)
        if code is not None and code.co_argcount >= len(op.rules):
            return list(code.co_varnames[: len(op.rules)])
    return [f"x{i + 1}" for i in range(len(op.rules))]
