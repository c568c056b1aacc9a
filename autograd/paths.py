"""The chain rule written out: ∂L/∂w as the sum, over the paths from L to w, of products of local derivatives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from reprlib import repr as shown
from typing import NamedTuple, TypeVar

from .names import Names
from .notation import LATEX, MATHML, TEXT
from .reverse import reverse_order
from .steps import Step, contributions, current_names
from .symbol import Notation, Symbol
from .value import Value

MOST_PATHS = 8
"""Up to so many paths are written one by one; more are grouped at the nodes where they meet."""

MOST_FACTORS, MOST_TERMS, MOST_EQUATIONS = 24, 12, 64
"""Longer products, longer sums and longer lists of equations are shortened in the middle."""

LONGEST_LINE = 100
"""A longer sum is printed one term a line."""

UNCOUNTED = 10**30
"""Paths are counted up to here: their number grows exponentially, and its digits would cost more than the graph."""

T = TypeVar("T")
Chain = list[Step]
"""Contributions, each of which leads on from the input of the one before."""


class Equation(NamedTuple):
    """∂L/∂node as a sum of chains, each of which begins at the output or at the node of an earlier equation."""

    node: Value
    chains: list[Chain]


class ChainRule(NamedTuple):
    """The chain rule for one node, written out: print it, or let a notebook show it.

    Attributes:
        output: L.
        node: what L is differentiated by.
        value: ∂L/∂node, to the bit what ``backward`` computes.
        paths: how many paths lead from L to the node.
        equations: one, the sum over all paths; or, where these are many, one for each node where some meet or long ones
            part, in the order of the backward pass, the last of which is that of ``node``.
    """

    output: Value
    node: Value
    value: float
    paths: int
    equations: list[Equation]
    names: Mapping[Value, str]

    @property
    def factors(self) -> list[list[str]]:
        """For each chain of the last equation the local derivatives in symbols, without those that are simply 1."""
        return [[formula for step in chain if (formula := step.formula) != "1"] for chain in self.equations[-1].chains]

    def __repr__(self) -> str:
        count = f"{self.paths:,}" if self.paths < UNCOUNTED else "more than 10^30"
        blocks = [f"{count} paths, grouped where they meet or part:"] if len(self.equations) > 1 else []
        for target, sides in self._shown(TEXT):
            margin = "\n" + " " * len(target)
            rows = [
                row if len(row := " + ".join(side)) <= LONGEST_LINE else f"{margin} + ".join(side) for side in sides
            ]
            blocks.append(target + margin.join(f" = {row}" for row in rows))
        return "\n".join(blocks)

    def latex(self) -> str:
        """The equations in LaTeX, aligned at the equals signs; without dollar signs."""
        rows = []
        for target, sides in self._shown(LATEX):
            rows += [f"{'' if i else target} &= {' + '.join(side)}" for i, side in enumerate(sides)] or [target]
        return "\\begin{aligned}" + " \\\\ ".join(rows) + "\\end{aligned}"

    def mathml(self) -> str:
        """The equations as a ``<math>`` element, one row a line."""
        rows = []
        for target, sides in self._shown(MATHML):
            cells = [("" if i else target, "<mo>=</mo>", "<mo>+</mo>".join(side)) for i, side in enumerate(sides)]
            rows += cells or [(target, "", "")]
        lines = ["".join([f'<mtd style="text-align: left"><mrow>{cell}</mrow></mtd>' for cell in row]) for row in rows]
        table = "".join([f"<mtr>{line}</mtr>" for line in lines])
        return f'<math display="block"><mtable displaystyle="true">{table}</mtable></math>'

    def _repr_html_(self) -> str:
        return self.mathml()

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _shown(self, notation: Notation) -> Iterator[tuple[str, list[list[str]]]]:
        """∂L/∂node of each equation, with what it equals; one without sides stands for those that are left out."""
        equations: list[Equation | None] = _shortened([*self.equations], MOST_EQUATIONS, None)
        for equation in equations:
            if equation is None:
                yield notation.write_sign("…"), []
            else:
                yield (
                    notation.ratio(self.names[self.output], self.names[equation.node]).text,
                    self._sides(equation, notation),
                )

    def _sides(self, equation: Equation, notation: Notation) -> list[list[str]]:
        """All that ∂L/∂node equals, as lists of terms: by the chains, by their rules, in numbers, the sum."""
        terms = [self._term(chain, notation) for chain in _shortened(equation.chains, MOST_TERMS, [])]
        last = equation.chains[-1][-1].after if equation.chains else self.value
        sides = [*[list(side) for side in zip(*terms, strict=True)], [notation.number(last).text]]
        return [side for i, side in enumerate(sides) if i == 0 or side != sides[i - 1]]

    def _term(self, chain: Chain, notation: Notation) -> list[str]:
        """One chain as a product of ∂node/∂input, of the rules for these, and of their numbers."""
        ellipsis = Symbol(notation.write_sign("…"), notation=notation)
        if not chain:  # it stands for those that were left out
            return [ellipsis.text] * 3
        shown: list[Step | None] = _shortened([*chain], MOST_FACTORS, None)
        links = [step.link(notation) if step else ellipsis for step in shown]
        pairs = [(step.rule(notation), notation.number(step.local)) if step else (ellipsis, ellipsis) for step in shown]
        pairs = [(rule, number) for rule, number in pairs if rule.text != notation.number(1.0).text]
        rules, numbers = [rule for rule, _ in pairs], [number for _, number in pairs]
        first = chain[0]
        if first.node is not self.output:
            upstream = notation.ratio(self.names[self.output], first.node_name)
            links, rules = [upstream, *links], [upstream, *rules]
            numbers = [notation.number(first.upstream), *numbers]
        elif len(chain) == 1:
            links = [first.local_link(notation)]
        return [_product(factors, notation) for factors in (links, rules, numbers)]


def _product(factors: list[Symbol], notation: Notation) -> str:
    return notation.product(factors) if len(factors) > 1 else (factors or [notation.number(1.0)])[0].text


def _shortened(parts: list[T], most: int, ellipsis: T) -> list[T]:
    return parts if len(parts) <= most else [*parts[: most // 2], ellipsis, *parts[-(most // 2) :]]


def chain_rule(loss: Value, w: Value, names: Names = None) -> ChainRule:
    """∂loss/∂w written out: the sum over all paths of the product of local derivatives, symbols first, then numbers.

    A local derivative that is simply 1 is left out of the products. Paths that are too many to write one by one are
    grouped at the nodes where they meet.

    Args:
        loss: the end of the graph.
        w: a node of it, a leaf or not.
        names: what nodes are called: ``locals()``, ``model.named_parameters()``, or other pairs of a name and a Value.

    Raises:
        TypeError: ``loss`` or ``w`` is no Value, or ``names`` names none.
        ValueError: ``w`` is not in the graph of ``loss``, or the data of a leaf was changed since it was computed.

    Source: Bauer 1974, *Computational Graphs and Rounding Error* (derivatives as sums over paths).

    >>> x, w1, w2, y = Value(2.0, "x"), Value(0.5, "w1"), Value(-1.0, "w2"), Value(1.0, "y")
    >>> h = (w1 * x).tanh()
    >>> o = (w2 * h).tanh()
    >>> print(chain_rule((o - y) ** 2, w1, {"h": h, "o": o}))
    ∂L/∂w1 = ∂L/∂v3 · ∂v3/∂o · ∂o/∂v2 · ∂v2/∂h · ∂h/∂v1 · ∂v1/∂w1
           = (2 * v3) · (1 - tanh(v2) ** 2) · w2 · (1 - tanh(v1) ** 2) · x
           = (-3.28403) · 0.587817 · (-1) · 0.419974 · 2
           = 1.62144
    >>> a = Value(3.0, "a")
    >>> print(chain_rule(a * a + a, a))
    ∂L/∂a = ∂(v1 + a)/∂a + ∂L/∂v1 · ∂v1/∂a + ∂L/∂v1 · ∂v1/∂a
          = 1 + a + a
          = 1 + 3 + 3
          = 7
    """
    if not isinstance(w, Value):
        raise TypeError(f"expected a Value, a node of the graph, got {shown(w)}")
    called = current_names(loss, names)
    if w not in called:
        raise ValueError(f"{w!r:.80} is not in the graph of the output, so nothing leads from one to the other")
    kept: list[Step] = []
    leads = {w}
    for step in reversed([*contributions(loss, called)]):
        if step.input in leads:
            leads.add(step.node)
            kept.append(step)
    paths = {loss: 1}
    into: dict[Value, list[Step]] = {}
    for step in reversed(kept):
        paths[step.input] = min(paths.get(step.input, 0) + paths[step.node], UNCOUNTED)
        into.setdefault(step.input, []).append(step)
    order = [node for node in reverse_order(loss) if node in into]
    ends = {loss}
    if paths.get(w, 0) > MOST_PATHS:
        parts = Counter([step.node for step in kept])
        length = {loss: 0}
        for node in order:
            uses = into[node]
            length[node] = 1 + (0 if uses[0].node in ends else length[uses[0].node])
            # Where long chains part, they would be followed once for each of their ends, which is quadratic.
            if len(uses) > 1 or (parts[node] > 1 and length[node] >= MOST_FACTORS):
                ends.add(node)
    equations = [Equation(node, _chains(into[node], into, ends)) for node in order if node in ends or node is w]
    value = into[w][-1].after if w in into else float(w is loss)
    return ChainRule(loss, w, value, paths.get(w, 0), equations or [Equation(w, [])], called)


def _chains(uses: list[Step], into: Mapping[Value, list[Step]], ends: Collection[Value]) -> list[Chain]:
    """The chains that end with one of ``uses``, each followed upwards to the first of ``ends``."""
    found: list[Chain] = []
    pending = [[use] for use in reversed(uses)]
    while pending:
        chain = pending.pop()
        while chain[-1].node not in ends:
            use, *others = into[chain[-1].node]
            pending += [[*chain, other] for other in reversed(others)]  # at most MOST_PATHS copies
            chain.append(use)
        found.append(chain[::-1])
    return found
