"""The steps reading: in what order does the chain rule visit a graph, and with what numbers?

Forward, a step is one operation. Backward, a step is one *contribution*: what one use of a node adds to its gradient,
the adjoint of the user times the local derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from .names import Names, names_of
from .notation import LATEX, MATHML, TEXT, printable
from .reverse import check_current, reverse_order
from .symbol import Notation, Symbol, formulas_are_defined, local_symbols, operation_symbol
from .value import Value


class Formulas:
    """The formulas of one node, in the names of a graph or with its numbers, in any notation."""

    def __init__(self, node: Value, names: Mapping[Value, str]) -> None:
        self.node = node
        self.names = names
        self._operation: dict[tuple[int, bool], Symbol] = {}
        self._locals: dict[tuple[int, bool], list[Symbol | None]] = {}
        self._defined: list[bool] = []

    # All are found once for all inputs: an operation on a list may have thousands, and each asks.

    def operation(self, notation: Notation, numbers: bool = False) -> Symbol:
        """The operation that made the node: w * x, or 2 * 3."""
        known = (id(notation), numbers)
        if known not in self._operation:
            self._operation[known] = operation_symbol(self.node, self._symbols(notation, numbers))
        return self._operation[known]

    def local(self, place: int, notation: Notation, numbers: bool = False) -> Symbol:
        """The local derivative with respect to the input at ``place``."""
        known = (id(notation), numbers)
        if known not in self._locals:
            self._locals[known] = local_symbols(self.node, self._symbols(notation, numbers))
        found = self._locals[known][place]
        assert found is not None, "nothing flows back to this input"
        return found

    def is_defined(self, place: int) -> bool:
        """Whether the formula of the local derivative is defined at the numbers of the graph."""
        self._defined = self._defined or formulas_are_defined(self.node)
        return self._defined[place]

    def _symbols(self, notation: Notation, numbers: bool) -> dict[Value, Symbol]:
        write: Callable[[Value], Symbol] = (
            (lambda x: notation.number(x.data)) if numbers else (lambda x: notation.name(self.names[x]))
        )
        return {x: write(x) for x in (self.node, *self.node.inputs) if isinstance(x, Value)}


class ForwardStep(NamedTuple):
    """One operation of the forward pass.

    Attributes:
        node: what the operation made.
        data: its number.
        formulas: its formulas, which the step prints.
    """

    node: Value
    data: float
    formulas: Formulas

    @property
    def name(self) -> str:
        """What the node is called."""
        return self.formulas.names[self.node]

    @property
    def formula(self) -> str:
        """The operation in the names of its inputs: ``w * x``."""
        return self.formulas.operation(TEXT).text

    @property
    def numbers(self) -> str:
        """The operation on the numbers of its inputs: ``2 * 3``."""
        return self.formulas.operation(TEXT, numbers=True).text

    def __repr__(self) -> str:
        return " = ".join(self._sides(TEXT))

    def latex(self) -> str:
        """The step in LaTeX, without dollar signs."""
        return " = ".join(self._sides(LATEX))

    def mathml(self) -> str:
        """The step as a ``<math>`` element."""
        return _math("<mo>=</mo>".join(self._sides(MATHML)))

    def _repr_html_(self) -> str:
        return self.mathml()

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _sides(self, notation: Notation) -> list[str]:
        operation, numbers = [self.formulas.operation(notation, numbers).text for numbers in (False, True)]
        # Of -x, the operation on numbers may be the number that it comes to.
        return [notation.name(self.name).text, *dict.fromkeys([operation, numbers, notation.number(self.data).text])]


class Step(NamedTuple):
    """One contribution of the backward pass: ∂L/∂input += ∂L/∂node · ∂node/∂input.

    Attributes:
        node: the user of ``input``, whose own gradient is complete.
        input: the node that gets the contribution.
        place: which of ``node.inputs`` it is: ``a * a`` makes two contributions to a.
        local: ∂node/∂input, a number; ``formula`` is the same in symbols.
        upstream: ∂L/∂node.
        contribution: upstream · local.
        before: ∂L/∂input so far, in this pass; 0 before the first contribution.
        after: before + contribution.
        uses: how many contributions made ``upstream``; 0 for the output, where the pass begins with 1.
        formulas: the formulas of the node, which the step prints.
        output: L.
    """

    node: Value
    input: Value
    place: int
    local: float
    upstream: float
    contribution: float
    before: float
    after: float
    uses: int
    formulas: Formulas
    output: Value

    @property
    def node_name(self) -> str:
        """What the node is called."""
        return self.formulas.names[self.node]

    @property
    def input_name(self) -> str:
        """What the input is called."""
        return self.formulas.names[self.input]

    @property
    def formula(self) -> str:
        """The local derivative in symbols: ``1 - tanh(h) ** 2``."""
        return self.rule(TEXT).text

    @property
    def numbers(self) -> str:
        """The local derivative with the numbers filled in: ``1 - tanh(0.88) ** 2``."""
        return self.rule(TEXT, numbers=True).text

    @property
    def reason(self) -> str:
        """Why this node comes now."""
        name, output = [printable(self.formulas.names[node]) for node in (self.node, self.output)]
        if self.node is self.output:
            return f"{name} is the output, where the pass begins: ∂{output}/∂{name} = 1"
        uses = "the only use" if self.uses == 1 else f"all {self.uses} uses"
        return f"{uses} of {name} {'is' if self.uses == 1 else 'are'} done, so ∂{output}/∂{name} is complete"

    @property
    def by_convention(self) -> bool:
        """Whether ``local`` is a convention or a limit, for the formula of the local derivative is not defined here."""
        return not self.formulas.is_defined(self.place)

    def rule(self, notation: Notation, numbers: bool = False) -> Symbol:
        """``formula``, or ``numbers``, in any notation; ``local`` itself if it is a convention."""
        if self.by_convention:
            return notation.number(self.local)
        return self.formulas.local(self.place, notation, numbers)

    def link(self, notation: Notation) -> Symbol:
        """∂node/∂input, by name."""
        return notation.ratio(self.node_name, self.input_name)

    def local_link(self, notation: Notation) -> Symbol:
        """``link``; but of the output's own operation, ∂(operation)/∂input, for ∂L/∂input means all of the gradient."""
        if self.node is not self.output:
            return self.link(notation)
        operation, by = notation.group.format(self.formulas.operation(notation).text), notation.name(self.input_name)
        return Symbol(notation.derivative.format(operation, by.text), notation=notation)

    def __repr__(self) -> str:
        target, *sides = self._sides(TEXT)
        before, after = TEXT.write_number(self.before), TEXT.write_number(self.after)
        convention = ", by convention" if self.by_convention else ""
        return f"{target} += {' = '.join(sides)}   ({before} → {after}{convention})"

    def latex(self) -> str:
        """The step in LaTeX, without dollar signs."""
        target, *sides = self._sides(LATEX)
        return f"{target} \\mathrel{{+}}= {' = '.join(sides)}"

    def mathml(self) -> str:
        """The step as a ``<math>`` element."""
        target, *sides = self._sides(MATHML)
        return _math(f"{target}<mo>+=</mo>{'<mo>=</mo>'.join(sides)}")

    def _repr_html_(self) -> str:
        return self.mathml()

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _sides(self, notation: Notation) -> list[str]:
        """∂L/∂x, and then all that is added to it: in symbols, by the rule, with its numbers, and what it comes to."""
        output = self.formulas.names[self.output]
        upstream, local, contribution = [notation.number(x) for x in (self.upstream, self.local, self.contribution)]
        factors = [self.rule(notation), self.rule(notation, numbers=True), local]
        products = [notation.product([upstream, factor]) for factor in factors]
        return [
            notation.ratio(output, self.input_name).text,
            notation.product([notation.ratio(output, self.node_name), self.local_link(notation)]),
            *dict.fromkeys(products),  # a rule may be a number, or one of the inputs
            contribution.text,
        ]


def _math(row: str) -> str:
    return f'<math display="block"><mrow>{row}</mrow></math>'


def current_names(loss: Value, names: Names) -> dict[Value, str]:
    """``names_of``, of a graph in which no leaf was changed: else formulas would not fit their numbers.

    Raises:
        TypeError: see ``names_of``.
        ValueError: the data of a leaf was changed since ``loss`` was computed.
    """
    called = names_of(loss, names)
    check_current(*called)
    return called


def forward_steps(loss: Value, names: Names = None) -> Iterator[ForwardStep]:
    """The forward pass of the graph of ``loss``, one operation at a time, inputs first.

    Args:
        loss: the end of the graph.
        names: what nodes are called: ``locals()``, ``model.named_parameters()``, or other pairs of a name and a Value.

    Raises:
        TypeError: ``loss`` is no Value, or ``names`` names none.
        ValueError: the data of a leaf was changed since ``loss`` was computed.

    >>> w, x = Value(2.0, "w"), Value(3.0, "x")
    >>> for step in forward_steps((w * x - 5) ** 2):
    ...     print(step)
    v1 = w * x = 2 * 3 = 6
    v2 = v1 - 5 = 6 - 5 = 1
    L = v2 ** 2 = 1 ** 2 = 1
    """
    called = current_names(loss, names)
    return (ForwardStep(node, node.data, Formulas(node, called)) for node in called if node.op is not None)


def steps(loss: Value, names: Names = None) -> Iterator[Step]:
    """The backward pass of ``loss``, one contribution at a time, in the order of ``backward``.

    It changes nothing: what it adds up is kept in the steps. The last step of a node leaves in ``after`` exactly what
    ``loss.backward()`` adds to its ``grad``.

    Args:
        loss: the end of the graph.
        names: what nodes are called: ``locals()``, ``model.named_parameters()``, or other pairs of a name and a Value.

    Raises:
        TypeError: ``loss`` is no Value, or ``names`` names none.
        ValueError: the data of a leaf was changed since ``loss`` was computed.

    Source: Griewank and Walther, *Evaluating Derivatives*, 2nd ed., section 3.2 (the incremental reverse mode).

    >>> w, x = Value(2.0, "w"), Value(3.0, "x")
    >>> for step in steps((w * x - 5) ** 2):
    ...     print(step)
    ∂L/∂v2 += ∂L/∂L · ∂(v2 ** 2)/∂v2 = 1 · (2 * v2) = 1 · (2 * 1) = 1 · 2 = 2   (0 → 2)
    ∂L/∂v1 += ∂L/∂v2 · ∂v2/∂v1 = 2 · 1 = 2   (0 → 2)
    ∂L/∂x += ∂L/∂v1 · ∂v1/∂x = 2 · w = 2 · 2 = 4   (0 → 4)
    ∂L/∂w += ∂L/∂v1 · ∂v1/∂w = 2 · x = 2 · 3 = 6   (0 → 6)
    >>> step.reason
    'the only use of v1 is done, so ∂L/∂v1 is complete'
    """
    return contributions(loss, current_names(loss, names))


def contributions(loss: Value, names: Mapping[Value, str]) -> Iterator[Step]:
    """``steps``, where the nodes have their names already."""
    adjoints: dict[Value, float] = {loss: 1.0}
    uses: dict[Value, int] = {loss: 0}
    for node in reverse_order(loss):
        upstream = adjoints[node]
        formulas = Formulas(node, names)
        edges = [*enumerate(zip(node.inputs, node.local_derivatives, strict=True))]
        for place, (x, local) in reversed(edges):
            if local is None or not isinstance(x, Value):
                continue
            contribution = upstream * local
            before = adjoints.get(x, 0.0)
            adjoints[x] = before + contribution if x in adjoints else contribution
            yield Step(node, x, place, local, upstream, contribution, before, adjoints[x], uses[node], formulas, loss)
            uses[x] = uses.get(x, 0) + 1
