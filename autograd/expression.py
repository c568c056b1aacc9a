"""Read an expression: text in, recorded graph out. It is ``formula`` the other way round."""

from __future__ import annotations

import ast
import difflib
import math
import operator
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable
from reprlib import repr as shown
from typing import Any

from .op import OPS
from .value import Value

LONGEST = 4000
"""The longest expression that is read, in characters."""

CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
"""Names that stand for a number where no leaf has them."""

_Function = Callable[..., Any]

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
}

_HINTS: dict[type[ast.AST], str] = {
    ast.Call: "; operations are called as in tanh(x)",
    ast.Compare: "; one of < <= > >= compares two numbers",
    ast.IfExp: "; write where(condition, x, y)",
    ast.List: "; lists are inputs of sum, dot and logsumexp",
}

_FOREIGN = re.compile(r"[^\w \t.,+\-*/<>=()\[\]]")
"""A character that no expression has: quotes, line ends, comments and the like."""


class ExpressionError(ValueError):
    """An expression that cannot be read. As text it is one line that says where and why.

    Attributes:
        reason: what is wrong.
        text: the expression, without white space around it.
        column: where in ``text``, counted from 1; None if it is no one place.
    """

    def __init__(self, reason: str, text: str, column: int | None = None) -> None:
        super().__init__(reason, text, column)
        self.reason, self.text, self.column = reason, text, column

    def __str__(self) -> str:
        return self.reason if self.column is None else f"column {self.column}: {self.reason}"


def parse(text: str, /, **leaves: float | Value) -> Value:
    """The Value that the expression ``text`` computes from ``leaves``, recorded.

    It is read as Python reads it, of which it may have: numbers, the names of ``leaves``, ``+ - * / **``, one of
    ``< <= > >=``, parentheses, and calls of operations, yours included: ``tanh(x)``, ``dot([w, 2], [x, y])``. ``pi``,
    ``e``, ``inf`` and ``nan`` are numbers unless a leaf is called so. Nothing is ever run but operations.

    Args:
        text: up to 4000 characters, one line.
        leaves: a number, which becomes a leaf of that name, or a Value, which is used as it is.

    Returns:
        The output of the graph; a leaf, if there is nothing to compute (``"x"``) or to differentiate (``"2 + 3"``).

    Raises:
        ExpressionError: the text is no such expression, or a leaf is not in it; ``column`` says where.
        TypeError: ``text`` is no string, or a leaf no real number.
        ValueError, ZeroDivisionError, OverflowError: an operation is not defined at its inputs; the message says where.

    >>> y = parse("where(x > 0, w * x, 0)", w=-3, x=2)
    >>> y.backward()
    >>> y
    Value(data=-6.0, grad=1.0)
    >>> parse("tanh(w * y)", w=1, x=2)
    Traceback (most recent call last):
        ...
    autograd.expression.ExpressionError: column 10: 'y' has no value; give it one, as in y=1
    """
    if not isinstance(text, str):
        raise TypeError(f"an expression is a string, got {shown(text)}")
    text = text.strip()
    # Python takes letters that look alike for one, such as the two Greek mu; so must the names of leaves.
    values = {
        unicodedata.normalize("NFKC", name): x if isinstance(x, Value) else Value(x, name) for name, x in leaves.items()
    }
    names = {**CONSTANTS, **values}
    tree = _tree(text)
    order: list[tuple[ast.expr, _Function, list[ast.expr]]] = []  # each before its operands
    pending = [tree]
    while pending:  # nothing is computed before everything is known to be allowed
        node = pending.pop()
        function, operands = _meaning(node, names, text)
        order.append((node, function, operands))
        pending.extend(reversed(operands))
    used = {node.id for node, _, _ in order if isinstance(node, ast.Name)}
    for name in values:
        if name not in used:
            raise ExpressionError(f"{name!r} has a value, but is not in the expression", text)
    numbers: dict[ast.expr, Any] = {}
    for node, function, operands in reversed(order):
        try:
            numbers[node] = function(*[numbers[x] for x in operands])
        except (ArithmeticError, ValueError) as error:  # not defined at these numbers, or 9**9**9
            raise type(error)(f"column {_column(node, text)}: {error}") from None
    output = numbers[tree]
    return output if isinstance(output, Value) else Value(output)


def _tree(text: str) -> ast.expr:
    """What Python's parser makes of ``text``."""
    if not text:
        raise ExpressionError("the expression is empty", text)
    if len(text) > LONGEST:
        raise ExpressionError(f"the expression has {len(text)} characters; at most {LONGEST} are read", text)
    foreign = _FOREIGN.search(text)
    if foreign:
        hint = "; a power is x ** 2" if foreign[0] == "^" else ""
        raise ExpressionError(f"{foreign[0]!r} cannot be in an expression{hint}", text, foreign.start() + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of "1if", which is refused in any case
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        column = error.offset or len(text) + 1
        place = f"at {text[column - 1 :]!r:.40}" if column <= len(text) else "at the end"
        # Python's hints, after a full stop, are about programs.
        raise ExpressionError(f"{error.msg.partition('. ')[0]} {place}", text, column) from None
    except (MemoryError, RecursionError):
        raise ExpressionError("the expression is nested too deeply", text) from None


def _meaning(node: ast.expr, names: dict[str, Any], text: str) -> tuple[_Function, list[ast.expr]]:
    """How the number of ``node`` comes from the numbers of its operands; all that may stand in an expression."""
    match node:
        case ast.Constant(value=int() | float() as x) if type(x) is not bool:
            return _constant(_number(x, node, text)), []
        case ast.Name(id=name):
            return _constant(_named(name, names, node, text)), []
        case ast.UnaryOp(op=ast.UAdd(), operand=x):
            return operator.pos, [x]
        case ast.UnaryOp(op=ast.USub(), operand=x):
            return OPS["neg"], [x]
        case ast.BinOp(left=x, op=sign, right=y) if type(sign) in _OPERATORS:
            return OPS[_OPERATORS[type(sign)]], [x, y]
        case ast.Compare(left=x, ops=[sign], comparators=[y]) if type(sign) in _OPERATORS:
            return OPS[_OPERATORS[type(sign)]], [x, y]
        case ast.Call(func=ast.Name(id=name), args=inputs, keywords=[]):
            return _call(name, inputs, node, text)
    hint = next((hint for kind, hint in _HINTS.items() if isinstance(node, kind)), "")
    raise _error(f"{_piece(node, text)} cannot be in an expression{hint}", node, text)


def _constant(number: Any) -> _Function:
    return lambda: number


def _number(x: int | float, node: ast.expr, text: str) -> float:
    try:
        number = float(x)
    except OverflowError:
        number = math.inf
    if number == math.inf:
        raise _error(f"{_piece(node, text)} is too large for a float", node, text)
    return number


def _named(name: str, names: dict[str, Any], node: ast.expr, text: str) -> Any:
    if name in names:
        return names[name]
    if name in OPS:
        raise _error(f"{name!r} is an operation; call it, as in {name}(...)", node, text)
    raise _error(f"{name!r} has no value; give it one, as in {name}=1{_similar(name, names)}", node, text)


def _call(name: str, inputs: list[ast.expr], node: ast.expr, text: str) -> tuple[_Function, list[ast.expr]]:
    op = OPS.get(name)
    if op is None:
        raise _error(f"there is no operation {name!r}{_similar(name, OPS)}", node, text)
    wanted = op.lists or len(op.rules)
    what = "list" if op.lists else "input"
    if len(inputs) != wanted:
        raise _error(f"{name} takes {wanted} {what}{'s' * (wanted > 1)}, got {len(inputs)}", node, text)
    if not op.lists:
        return op, inputs
    lists = [x for x in inputs if isinstance(x, ast.List)]
    if len(lists) < wanted or len({len(each.elts) for each in lists}) > 1:
        raise _error(f"{name} takes {wanted} list{'s of equal length' * (wanted > 1)}, such as [x, y]", node, text)
    size = len(lists[0].elts)
    operands = [x for each in lists for x in each.elts]
    return lambda *numbers: op(*[numbers[i * size : (i + 1) * size] for i in range(wanted)]), operands


def _error(reason: str, node: ast.expr, text: str) -> ExpressionError:
    return ExpressionError(reason, text, _column(node, text))


def _column(node: ast.expr, text: str) -> int:
    # The parser counts columns in bytes of UTF-8.
    return len(text.encode()[: node.col_offset].decode()) + 1


def _piece(node: ast.expr, text: str) -> str:
    piece = text.encode()[node.col_offset : node.end_col_offset].decode()
    return repr(piece if len(piece) <= 40 else piece[:37] + "...")


def _similar(name: str, known: Iterable[str]) -> str:
    found = [each for each in known if name and each.startswith(name)] or difflib.get_close_matches(name, known, n=1)
    return f" (or is it {found[0]!r}?)" if found else ""
