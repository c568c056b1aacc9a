"""The symbol reading: what is the formula?

An operation called on symbols prints. So the formula of a local derivative is its rule, called on symbols; the formula
of a Value is its graph, read with symbols for the leaves. How things are spelled is a ``Notation``: Python's is here,
those for people are in ``notation.py``.
"""

from __future__ import annotations

import itertools
import keyword
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from reprlib import repr as shown
from typing import Any, NamedTuple

from .names import unique
from .op import OPS, Number, Op
from .value import Value, topological_order

PRODUCT, NEGATIVE, POWER, ATOM = 2, 3, 4, 9
"""How tightly a product, a negative number, a power and a name bind; ``operation`` has the scale."""


class Symbol(Number):
    """A text that stands for a number, and how tightly its outermost operation binds.

    >>> x, y = Symbol("x"), Symbol("y")
    >>> (x + y) * -x**2
    (x + y) * -x ** 2
    """

    __slots__ = ("notation", "precedence", "text")

    level = 1_000_000_000  # above every other reading: whatever meets a symbol is printed

    def __init__(self, text: str, precedence: int = ATOM, notation: Notation | None = None) -> None:
        self.text = text
        self.precedence = precedence
        self.notation = notation or PYTHON

    @staticmethod
    def apply(op: Op, inputs: tuple[Any, ...]) -> Symbol:
        """Print ``op``: by its template, or by the expression that it prints as."""
        notation = next(x.notation for x in inputs if isinstance(x, Symbol))
        if callable(op.prints):
            try:
                spelled = op.prints(*inputs)
            except (ArithmeticError, ValueError):
                spelled = None  # a literal such as the -2 in log(-2): it prints as a call
            if spelled is not None:
                return notation.symbol(spelled)
        return notation.write(op, [notation.symbol(x) for x in inputs])

    def __repr__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        raise TypeError(f"whether {self.text} is true cannot be said of a symbol: use where(...) for a choice")


class Form(NamedTuple):
    """How one operation is spelled: a template, how tightly it binds, and how tightly each operand must."""

    template: str
    precedence: int
    needs: tuple[int, ...]


def _digits(x: float) -> str:
    """``x`` to all its digits, as Python reads it."""
    if x and float(f"{x:g}") == x:
        return min(f"{x:g}", repr(x), key=len)  # 2 for 2.0, and 5e-324 for what %g would write with six digits
    return "0" if repr(x) == "0.0" else repr(x)


class Notation(NamedTuple):
    """How formulas are spelled: for Python, for people, for a page.

    Rows say how they print in Python, as a template such as ``"{} ** {}"``. A notation says how it spells the templates
    that it spells otherwise, and how it writes names, numbers, signs and calls; so no row knows of notations.
    """

    forms: Mapping[str, Form] = {}
    write_name: Callable[[str], str] = str
    write_number: Callable[[float], str] = _digits
    write_sign: Callable[[str], str] = str
    write_function: Callable[[str], str] = str
    call: str = "{}({})"
    list: str = "[{}]"
    group: str = "({})"
    between: str = ", "
    times: str = " · "
    derivative: str = "∂{}/∂{}"
    negative: int = NEGATIVE
    power_of_ten: int = ATOM
    longest_list: int | None = None

    def name(self, name: str) -> Symbol:
        """The symbol of a variable; ``name`` may be any text."""
        return Symbol(self.write_name(name), ATOM, self)

    def number(self, x: float) -> Symbol:
        """The symbol of a number."""
        positive = self.power_of_ten if "e" in f"{x:.6g}" else ATOM
        return Symbol(self.write_number(x), self.negative if repr(x).startswith("-") else positive, self)

    def symbol(self, x: Any) -> Symbol:
        """``x`` itself if it is a symbol, else that of the number ``x``."""
        return x if isinstance(x, Symbol) else self.number(float(x))

    def write(self, op: Op, operands: Sequence[Symbol]) -> Symbol:
        """An operation on ``operands``, which are grouped where they bind less tightly than it needs."""
        texts = [x.text for x in operands]
        if op.lists:
            size = len(texts) // op.lists
            texts = [self.list.format(self._join(texts[i * size : (i + 1) * size])) for i in range(op.lists)]
        template = "" if callable(op.prints) else op.prints
        form = self.forms.get(template)
        if form is None and (op.lists or not template or template.startswith(f"{op.name}(")):
            return Symbol(self.call.format(self.write_function(op.name), self._join(texts)), ATOM, self)
        form = form or _form_of(op, self.write_sign)
        grouped = [
            text if x.precedence >= need else self.group.format(text)
            for x, text, need in zip(operands, texts, form.needs, strict=True)
        ]
        return Symbol(form.template.format(*grouped), form.precedence, self)

    def ratio(self, of: str, by: str) -> Symbol:
        """∂of/∂by, of two variables."""
        return Symbol(self.derivative.format(self.name(of).text, self.name(by).text), ATOM, self)

    def product(self, factors: Sequence[Symbol]) -> str:
        """The text of a product of formulas, each grouped unless it binds more tightly than a product."""
        return self.times.join([self.group.format(x.text) if x.precedence <= PRODUCT else x.text for x in factors])

    def _join(self, texts: Sequence[str]) -> str:
        if self.longest_list is not None and len(texts) > self.longest_list:
            texts = [*texts[: self.longest_list - 2], self.write_sign("…"), texts[-1]]
        return self.between.join(texts)


@cache
def _form_of(op: Op, write_sign: Callable[[str], str]) -> Form:
    """The form that a row's own template comes to, the signs in it written as a notation writes them."""
    assert isinstance(op.prints, str)
    signs = [write_sign(sign).replace("{", "{{").replace("}", "}}") if sign else "" for sign in op.prints.split("{}")]
    # Python reads x - y - z as (x - y) - z, but x ** y ** z as x ** (y ** z): a tie needs a group on one side.
    tie = 0 if op.precedence == POWER else 1
    needs = [0 if op.precedence == ATOM else op.precedence + (place == tie) for place in range(len(op.rules))]
    return Form("{}".join(signs), op.precedence, tuple(needs))


PYTHON = Notation()


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
        raise TypeError(f"expected a Value, whose formula was recorded, got {shown(value)}")
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
        symbol = operation_symbol(node, symbols)
        if uses[node] > 1 or len(symbol.text) > LONGEST:
            name = next(names)
            lines.append(f"{name} = {symbol.text}")
            symbol = Symbol(name)
        symbols[node] = symbol
    return "\n".join([*lines, symbols[value].text])


def _leaf_symbols(order: list[Value]) -> dict[Value, Symbol]:
    """A symbol for each leaf: its name where that can be a name in Python, with a number where another has it."""
    symbols: dict[Value, Symbol] = {}
    taken = dict.fromkeys(OPS, 1)
    for leaf in [node for node in order if node.op is None]:
        name = leaf.name
        if name is None or not name.isidentifier() or keyword.iskeyword(name):
            symbols[leaf] = PYTHON.number(leaf.data)
            continue
        symbols[leaf] = Symbol(unique(name, taken))
    return symbols


LONGEST = 200
"""The longest formula that ``formula`` puts on one line: it keeps a chain of a million operations linear to print."""


def operation_symbol(node: Value, symbols: Mapping[Value, Symbol]) -> Symbol:
    """The operation that made ``node``, on the symbols of its inputs; literals print as they are.

    >>> w, x = Value(2.0), Value(3.0)
    >>> operation_symbol(w * x, {w: Symbol("w"), x: Symbol("x")})
    w * x
    """
    assert node.op is not None, "a leaf was made by no operation"
    return Symbol.apply(node.op, _operands(node, symbols))


def local_symbols(node: Value, symbols: Mapping[Value, Symbol]) -> list[Symbol | None]:
    """The formula of ∂node/∂input for each input, in the symbols of the inputs and of ``node`` itself.

    None stands where nothing flows back. With numbers for symbols, these are the formulas with the numbers filled in.

    >>> x = Value(3.0)
    >>> y = x**2
    >>> local_symbols(y, {x: Symbol("x"), y: Symbol("y")})
    [2 * x, None]
    """
    assert node.op is not None, "a leaf was made by no operation"
    found = local_formulas(node.op, _operands(node, symbols), symbols[node])
    return [None if local is None else formula for formula, local in zip(found, node.local_derivatives, strict=True)]


def local_formulas(op: Op, inputs: tuple[Any, ...], out: Symbol) -> list[Symbol | None]:
    """The formula of each local derivative of ``op``: its rules, called on symbols. Inputs may be floats: literals.

    None stands where there is no rule, and for literals.

    >>> x, y, out = Symbol("x"), Symbol("y"), Symbol("out")
    >>> local_formulas(OPS["pow"], (x, 3.0), out), local_formulas(OPS["sqrt"], (x,), out)
    ([3 * x ** 2, None], [0.5 / out])
    """
    wanted = [isinstance(x, Symbol) for x in inputs]
    if op.lists:
        found = op.rules[0](inputs, out)  # type: ignore[misc]  # a list operation has a rule
    else:
        found = [rule(*inputs, out) if rule and want else None for rule, want in zip(op.rules, wanted, strict=True)]
    return [
        out.notation.symbol(local) if want and local is not None else None
        for local, want in zip(found, wanted, strict=True)
    ]


class _Printed(Number):
    """A number, of which a row that prints as an expression is computed as that expression."""

    __slots__ = ("data",)

    level = 1_000_000_000

    def __init__(self, data: float) -> None:
        self.data = data

    @staticmethod
    def apply(op: Op, inputs: tuple[Any, ...]) -> Any:
        printed = op.prints(*inputs) if callable(op.prints) else None
        return _Printed(op.evaluate(tuple(map(float, inputs)))) if printed is None else printed

    def __float__(self) -> float:
        return self.data

    def __bool__(self) -> bool:
        return self.data != 0.0


def formulas_are_defined(node: Value) -> list[bool]:
    """Whether the formula of ∂node/∂input is defined at the numbers of the graph, in floats, for each input.

    Where it is not, the number is a convention (docs/edge-cases.md), or a limit.

    >>> x, y = Value(0.0), Value(0.0)
    >>> formulas_are_defined(OPS["hypot"](x, y)), formulas_are_defined(x * y)
    ([False, False], [True, True])
    """
    op = node.op
    assert op is not None, "a leaf was made by no operation"
    inputs = tuple([_Printed(x.data) if isinstance(x, Value) else x for x in node.inputs])
    wanted = [local is not None for local in node.local_derivatives]

    def printed(these: list[bool]) -> list[Any]:
        try:
            return op.local_derivatives(inputs, _Printed(node.data), these)
        except OverflowError:
            return [math.inf] * len(these)  # too large for a float, but defined
        except (ArithmeticError, ValueError):
            return [math.nan] * len(these)

    if op.lists:
        found = printed(wanted)
    else:
        places = range(len(wanted))
        found = [printed([want and i == place for i in places])[place] for place, want in enumerate(wanted)]
    return [
        local is None or math.isnan(local) or x is None or not math.isnan(x)
        for x, local in zip(found, node.local_derivatives, strict=True)
    ]


def _operands(node: Value, symbols: Mapping[Value, Symbol]) -> tuple[Any, ...]:
    return tuple([symbols[x] if isinstance(x, Value) else x for x in node.inputs])


def rules_of(op: Op) -> list[str]:
    """The formula of each local derivative of ``op``, in its inputs and ``out``; "0" where nothing flows back.

    >>> import autograd
    >>> rules_of(autograd.div)
    ['1 / y', '-(x / y ** 2)']
    """
    names = [f"{letter}{i}" for letter in "xy"[: op.lists] for i in (1, 2)] or input_names(op)
    found = local_formulas(op, tuple([Symbol(name) for name in names]), Symbol("out"))
    return ["0" if local is None else local.text for local in found]


def input_names(op: Op) -> list[str]:
    """What the row of ``op`` calls its inputs: the parameters of its rules, else of its forward function."""
    for function in (*op.rules, op.forward):
        code = getattr(function, "__code__", None)
        if code is not None and code.co_argcount >= len(op.rules):
            return list(code.co_varnames[: len(op.rules)])
    return [f"x{i + 1}" for i in range(len(op.rules))]
