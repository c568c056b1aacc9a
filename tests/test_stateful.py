"""All that can be done to Values, in any order, against a reference model of plain dictionaries.

Hypothesis makes up programs that record, set data, sweep, zero, copy, pickle and draw; after every statement each Value
must be what the model says. Numbers are small multiples of a power of two, so every sum is exact in whatever order it
is made, and so is the comparison.
"""

import copy
import operator
import pickle
from dataclasses import dataclass, replace
from fractions import Fraction

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

import autograd as ag
from autograd import Value, chain_rule, draw, forward_steps, names_of, steps
from autograd.reverse import adjoints

GREATEST = 2**24
FINEST = 2**24
"""A number of the model is a multiple of 1 / FINEST below GREATEST, so that a float holds it and sums of its like."""


# ---- the model -------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Expected:
    """What a Value should be: its number, its gradient (None before the first), and how it was recorded."""

    data: Fraction
    op: str | None = None
    inputs: tuple = ()  # Values and floats
    local: tuple = ()
    grad: Fraction | None = None
    name: str | None = None


def half(x, y):
    """The share of x in the greater of x and y."""
    return Fraction((x > y) + (x >= y), 2)


# Of each operation the value and the local derivatives, in exact arithmetic; None where nothing flows back.
OPERATIONS = {
    "add": lambda x, y: (x + y, (1, 1)),
    "sub": lambda x, y: (x - y, (1, -1)),
    "mul": lambda x, y: (x * y, (y, x)),
    "neg": lambda x: (-x, (-1,)),
    "abs": lambda x: (abs(x), ((x > 0) - (x < 0),)),
    "relu": lambda x: (max(x, 0), (int(x > 0),)),
    "maximum": lambda x, y: (max(x, y), (half(x, y), half(y, x))),
    "lt": lambda x, y: (int(x < y), (None, None)),
    "where": lambda c, x, y: (x if c else y, (None, 1 if c else None, None if c else 1)),
    "sum": lambda *xs: (sum(xs), (1,) * len(xs)),
    "dot": lambda *xs: (sum(x * y for x, y in halves(xs)), (*[y for _, y in halves(xs)], *[x for x, _ in halves(xs)])),
}


def halves(xs):
    """The pairs of the first and the second half."""
    return list(zip(xs[: len(xs) // 2], xs[len(xs) // 2 :], strict=True))


def is_exact(*numbers):
    return all(abs(x) < GREATEST and FINEST % Fraction(x).denominator == 0 for x in numbers if x is not None)


class Model(dict):
    """What each Value should be."""

    def number(self, x):
        """The number of an input, a Value or a literal."""
        return self[x].data if isinstance(x, Value) else Fraction(x)

    def computed(self, op, inputs):
        """The value and the local derivatives of an operation at the numbers that its inputs have now."""
        data, local = OPERATIONS[op](*map(self.number, inputs))
        return data, tuple(d if isinstance(x, Value) else None for x, d in zip(inputs, local, strict=True))

    def edges(self, node):
        """The inputs of a node to which an adjoint flows, with their local derivatives."""
        known = self[node]
        return [(x, d) for x, d in zip(known.inputs, known.local, strict=True) if d is not None]

    def graph(self, *outputs):
        """All nodes that ``outputs`` depend on, inputs first."""
        found = {}

        def visit(node):
            if node not in found:
                for x in self[node].inputs:
                    if isinstance(x, Value):
                        visit(x)
                found[node] = None

        for output in outputs:
            visit(output)
        return list(found)

    def adjoints(self, output):
        """∂output/∂node for the nodes that it flows back to; None if a float could not hold some number on the way."""
        found, sizes = {output: Fraction(1)}, {output: Fraction(1)}
        for node in reversed(self.graph(output)):
            for x, local in self.edges(node) if node in found else ():
                found[x] = found.get(x, 0) + found[node] * local
                sizes[x] = sizes.get(x, 0) + sizes[node] * abs(local)
        return found if is_exact(*found.values(), *sizes.values()) else None

    def is_current(self, node):
        """Whether the operation would give the same again; only leaves can have changed."""
        known = self[node]
        return known.op is None or self.computed(known.op, known.inputs) == (known.data, known.local)


# ---- the machine -----------------------------------------------------------------------------------------------------

NUMBERS = st.integers(-12, 12).map(lambda n: n / 4)
OPERATORS = {"add": operator.add, "sub": operator.sub, "mul": operator.mul}


def is_small(machine):
    """Whether there is room for more copies; each may double what there is to look at after every statement."""
    return len(machine.model) < 60


class Statements(RuleBasedStateMachine):
    """A program of random statements."""

    values = Bundle("values")
    leaves = Bundle("leaves")

    def __init__(self):
        super().__init__()
        self.model = Model()

    # ---- recording

    @rule(targets=[values, leaves], data=NUMBERS, name=st.sampled_from([None, "x", "w"]))
    def leaf(self, data, name):
        """Make a leaf."""
        value = Value(data, name)
        self.model[value] = Expected(Fraction(data), name=name)
        return value

    @rule(target=values, op=st.sampled_from(["add", "sub", "mul", "maximum", "lt"]), x=values, y=values | NUMBERS)
    def binary(self, op, x, y):
        """Record an operation on two Values, or a Value and a literal."""
        return self.record(op, x, y)

    @rule(target=values, op=st.sampled_from(["add", "sub", "mul", "maximum", "lt"]), x=NUMBERS, y=values)
    def binary_on_a_literal(self, op, x, y):
        """Record an operation whose first input is a literal."""
        return self.record(op, x, y)

    @rule(target=values, op=st.sampled_from(["neg", "abs", "relu"]), x=values)
    def unary(self, op, x):
        """Record an operation on one Value."""
        return self.record(op, x)

    @rule(target=values, c=values, x=values | NUMBERS, y=values | NUMBERS)
    def where(self, c, x, y):
        """Record a choice."""
        return self.record("where", c, x, y)

    @rule(target=values, first=values, others=st.lists(values | NUMBERS, max_size=3))
    def total(self, first, others):
        """Record a sum over a list."""
        return self.record("sum", first, *others)

    @rule(target=values, x=values, pairs=st.lists(st.tuples(values | NUMBERS, values | NUMBERS), max_size=2), y=values)
    def dot(self, x, pairs, y):
        """Record a dot over two lists."""
        return self.record("dot", x, *[a for a, _ in pairs], y, *[b for _, b in pairs])

    def record(self, op, *inputs):
        """Record an operation, and expect what it should have recorded."""
        data, local = self.model.computed(op, inputs)
        if not is_exact(data, *local):
            return multiple()
        if op in ("sum", "dot"):
            size = len(inputs) // (1 if op == "sum" else 2)
            value = getattr(ag, op)(*[list(inputs[i : i + size]) for i in range(0, len(inputs), size)])
        else:
            value = OPERATORS.get(op, getattr(ag, op))(*inputs)
        self.model[value] = Expected(data, op, inputs, local)
        return value

    # ---- changing

    @rule(leaf=leaves, data=NUMBERS)
    def set_data(self, leaf, data):
        """Set the data of a leaf."""
        leaf.data = data
        self.model[leaf].data = Fraction(data)

    @rule(x=values, wrong=st.sampled_from(["1", None, [1.0], 1j]))
    def set_what_is_refused(self, x, wrong):
        """The data of a recorded node, and what is no number."""
        with pytest.raises(TypeError, match="expected a real number"):
            x.grad = wrong
        with pytest.raises(TypeError if self.model[x].op is None else AttributeError):
            x.data = wrong

    @rule(x=values, grad=NUMBERS)
    def set_grad(self, x, grad):
        """Set a gradient."""
        x.grad = grad
        self.model[x].grad = Fraction(grad)

    @rule(x=values, name=st.sampled_from([None, "a", "w"]))
    def set_name(self, x, name):
        """Set or take away a name."""
        x.name = name
        self.model[x].name = name

    # ---- sweeping

    @rule(output=values)
    def backward(self, output):
        """Add the adjoints of a pass to all gradients that it reaches."""
        found = self.model.adjoints(output)
        if found is None:
            return
        sums = {node: (self.model[node].grad or 0) + adjoint for node, adjoint in found.items()}
        if is_exact(*sums.values()):
            output.backward()
            for node, grad in sums.items():
                self.model[node].grad = grad

    @rule(output=values)
    def zero_grad(self, output):
        """Forget the gradients of a whole graph."""
        output.zero_grad()
        for node in self.model.graph(output):
            self.model[node].grad = None

    @rule(output=values, data=st.data())
    def gradient_as_a_graph(self, output, data):
        """A gradient that somebody may differentiate again, which is refused where a leaf was changed since."""
        order = self.model.graph(output)
        wanted = data.draw(st.sampled_from(order))
        known = self.model.adjoints(output)
        if known is None:
            return
        reached = [node for node in order if node in known]
        floats = all(node is wanted for node in reached if self.model[node].op is None)
        try:
            found = adjoints(output, [wanted])
        except ValueError:
            assert not floats
            assert not all(map(self.model.is_current, reached))
            return
        assert {node: float(adjoint) for node, adjoint in found.items()} == {
            node: float(known[node]) for node in [wanted] if node in known
        }
        through = {wanted}  # the nodes by which an adjoint flows to it
        for node in reached:
            if any(x in through for x, _ in self.model.edges(node)):
                through.add(node)
        assert floats or all(map(self.model.is_current, through - {wanted}))

    # ---- reading

    @rule(output=values)
    def walk(self, output):
        """Both passes in steps: they end in the gradients of backward, or refuse a graph whose leaf was changed."""
        if not all(map(self.model.is_current, self.model.graph(output))):
            for reading in (steps, forward_steps, lambda y: chain_rule(y, y)):
                with pytest.raises(ValueError, match="was changed after"):
                    reading(output)
            return
        found = {output: 1.0} | {step.input: step.after for step in steps(output)}
        known = self.model.adjoints(output)
        if known is not None:
            assert found == known
        recorded = [node for node in self.model.graph(output) if self.model[node].op]
        assert {step.node: step.data for step in forward_steps(output)} == {x: self.model[x].data for x in recorded}

    @rule(output=values)
    def draw(self, output):
        """The diagram has a box for every node, and says which are older than a leaf behind them."""
        source = draw(output, collapse=False).source
        order = self.model.graph(output)
        outdated = set()
        for node in order:
            if not (self.model.is_current(node) and outdated.isdisjoint(self.model[node].inputs)):
                outdated.add(node)
        assert source.count("> outdated<") == len(outdated)
        assert source.count("[id=node") == len(order)
        assert source.count("[id=edge") == sum(isinstance(x, Value) for node in order for x in self.model[node].inputs)
        assert source.count(">no gradient") == sum(self.model[node].grad is None for node in order)
        assert len(set(names_of(output).values())) == len(order)

    # ---- copying

    @rule(target=values, x=values)
    def copy(self, x):
        """A node of its own on the same inputs."""
        twin = copy.copy(x)
        assert twin is not x
        self.model[twin] = replace(self.model[x])
        return twin

    @precondition(is_small)
    @rule(target=values, outputs=st.lists(values, min_size=1, max_size=2))
    def deepcopy(self, outputs):
        """Copy one or two graphs at once."""
        return self.copied(outputs, copy.deepcopy(outputs))

    @precondition(is_small)
    @rule(target=values, outputs=st.lists(values, min_size=1, max_size=2), protocol=st.integers(0, 5))
    def pickle(self, outputs, protocol):
        """Pickle one or two graphs at once."""
        return self.copied(outputs, pickle.loads(pickle.dumps(outputs, protocol)))

    def copied(self, outputs, twins):
        """Expect of the twins what was expected of the originals, with sharing as it was, and nothing shared."""
        twin_of = {}
        pending = list(zip(outputs, twins, strict=True))
        while pending:
            node, twin = pending.pop()
            if node not in twin_of:
                assert twin not in self.model
                twin_of[node] = twin
                pairs = zip(self.model[node].inputs, twin.inputs, strict=True)
                pending += [pair for pair in pairs if isinstance(pair[0], Value)]
            assert twin_of[node] is twin
        assert len(set(twin_of.values())) == len(twin_of)
        for node, twin in twin_of.items():
            inputs = tuple(twin_of.get(x, x) for x in self.model[node].inputs)
            self.model[twin] = replace(self.model[node], inputs=inputs)
        return multiple(*twin_of.values())

    # ---- what holds after every statement

    @invariant()
    def every_value_is_as_expected(self):
        """Every Value ever made is what the model says."""
        for value, known in self.model.items():
            assert value.data == known.data
            assert value.grad == (known.grad or 0)
            assert value.has_grad == (known.grad is not None)
            assert (value.op and value.op.name) == known.op
            assert all(x is y for x, y in zip(value.inputs, known.inputs, strict=True) if isinstance(y, Value))
            assert [x for x in value.inputs if type(x) is float] == [x for x in known.inputs if type(x) is float]
            assert value.local_derivatives == known.local
            assert value.name == known.name


PROGRAMS = settings(stateful_step_count=50)

TestStatements = Statements.TestCase
TestStatements.settings = PROGRAMS


# ---- the machine finds planted bugs ----------------------------------------------------------------------------------


def overwriting(output):
    """Backward with = for +=."""
    adjoint = {output: 1.0}
    for node in ag.topological_order(output)[::-1]:
        for x, local in zip(node.inputs, node.local_derivatives, strict=True):
            if local is not None and node in adjoint:
                adjoint[x] = adjoint.get(x, 0.0) + adjoint[node] * local
    for node, grad in adjoint.items():
        node.grad = grad


def propagating(output):
    """Backward that hands on what earlier passes left, so that a second pass gives three times the gradient."""
    output.grad += 1.0
    for node in ag.topological_order(output)[::-1]:
        for x, local in zip(node.inputs, node.local_derivatives, strict=True):
            if local is not None:
                x.grad += node.grad * local


def zero_self(self):
    """Zeroing that forgets what is behind the node."""
    self._pass = None


PLANTED = {
    "= for +=": ("autograd.reverse.backward", overwriting),
    "old gradients are propagated": ("autograd.reverse.backward", propagating),
    "zeroing forgets the graph": ("autograd.value.Value.zero_grad", zero_self),
    "a deep copy shares its inputs": ("autograd.value.Value.__deepcopy__", lambda self, memo: copy.copy(self)),
    "outdated nodes are taken": ("autograd.reverse.is_current", lambda node: True),
    "a copy loses its gradient": (
        "autograd.value.Value._fields",
        lambda self: (self.op, self.inputs, self.local_derivatives, self._depth, self._data, None, self.name),
    ),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_the_machine_finds_a_planted_bug(monkeypatch, bug):
    monkeypatch.setattr(*PLANTED[bug])
    unshrunk = settings(
        PROGRAMS, max_examples=200, derandomize=True, phases=[Phase.generate], report_multiple_bugs=False
    )
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run_state_machine_as_test(Statements, settings=unshrunk)
