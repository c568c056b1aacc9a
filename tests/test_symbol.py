"""Formulas: they are Python, and computing them again gives the same number."""

import itertools
import math

import pytest
from graphs import Recipe, recipes, same
from hypothesis import given

import autograd as ag
from autograd import OPS, Symbol, Value, formula
from autograd.symbol import LONGEST, input_names, rules_of

X, Y, Z = (Value(data, name) for data, name in ((2.0, "x"), (3.0, "y"), (0.5, "z")))


def compute(text: str, **leaves: object) -> float:
    """What ``text``, lines of Python of which the last is an expression, comes to."""
    names = {**OPS, "inf": math.inf, "nan": math.nan, **leaves}
    *lines, last = text.split("\n")
    for line in lines:
        name, _, expression = line.partition(" = ")
        names[name] = eval(expression, {}, names)
    return eval(last, {}, names)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (X + Y + Z, "x + y + z"),
        (X + (Y + Z), "x + (y + z)"),
        (X - (Y - Z), "x - (y - z)"),
        (X - Y - Z, "x - y - z"),
        (X / (Y / Z), "x / (y / z)"),
        (X / (Y * Z), "x / (y * z)"),
        (X * Y / Z, "x * y / z"),
        ((X + Y) * Z, "(x + y) * z"),
        (X * -Y, "x * -y"),
        (-(X * Y), "-(x * y)"),
        (-X * Y, "-x * y"),
        (-(X**2), "-x ** 2"),
        ((-X) ** 2, "(-x) ** 2"),
        (X**Y**Z, "x ** y ** z"),
        ((X**Y) ** Z, "(x ** y) ** z"),
        ((-2.0) ** X, "(-2) ** x"),
        (X**-2, "x ** (-2)"),
        (X**-Y, "x ** (-y)"),
        (X ** (Y + 1), "x ** (y + 1)"),
        (X - -2.0, "x - -2"),
        (-2 * X, "-2 * x"),
        (0.1 + X, "0.1 + x"),
        (X * 1e-300, "x * 1e-300"),
        (X * -0.0, "x * -0.0"),
        (X + 123456789.0, "x + 123456789.0"),
        (X * 0.0, "x * 0"),
        (ag.where(X > Y, X, ag.exp(Y)), "where((x > y), x, exp(y))"),
        (ag.dot([X, Y], [Y, 2.0]), "dot([x, y], [y, 2])"),
        (ag.sum([X + 1, Y]), "sum([x + 1, y])"),
        (abs(X), "abs(x)"),
        (Value(-1.5) ** 2, "(-1.5) ** 2"),
        (Value(1.5), "1.5"),
        (X, "x"),
    ],
)
def test_parentheses_where_python_needs_them(value, text):
    assert formula(value) == text
    assert same(float(compute(text, x=X, y=Y, z=Z)), value.data)


def test_a_power_of_ones_own_is_grouped_as_a_power(own_operations):
    cubed = ag.operation("cubed", lambda x: x * x * x, lambda x, out: 3 * x**2, prints="{}**3", precedence=4)
    for value, text in [(cubed(X**Y), "(x ** y)**3"), (cubed(X) ** Y, "(x**3) ** y"), (X ** cubed(Y), "x ** y**3")]:
        assert formula(value) == text
        assert compute(text, x=X, y=Y).data == value.data


@given(recipes())
def test_computing_the_formula_again_gives_the_same_number(recipe: Recipe):
    leaves = recipe.values()
    value = recipe.output(*leaves)
    again = compute(formula(value), **{leaf.name: leaf for leaf in leaves})
    assert same(float(again), value.data)


def test_a_node_that_is_used_twice_has_a_line_of_its_own():
    h = X * Y
    assert formula(h * h + h) == "v1 = x * y\nv1 * v1 + v1"
    assert formula(X * X) == "x * x"


def test_names_of_lines_are_not_those_of_leaves():
    v1, h = Value(3.0, "v1"), X * 2
    text = formula(v1 * h + h)
    assert text == "v2 = x * 2\nv1 * v2 + v2"
    assert float(compute(text, v1=v1, x=X)) == 16.0


def test_a_diamond_prints_in_a_line_a_node():
    y = X
    for _ in range(60):
        y = y + y
    assert len(formula(y).split("\n")) == 60


def test_a_long_chain_prints_in_linear_length():
    def length(n: int) -> int:
        y = Value(1.0, "x")
        for _ in range(n):
            y = y * 0.5 + 1
        return len(formula(y))

    assert length(20_000) < 2.2 * length(10_000) < 2.2 * 10_000 * (20 + LONGEST / 10)


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_the_rules_of_every_row_print(op):
    texts = rules_of(op)
    assert len(texts) == (op.arity or 2 * op.lists)
    assert all(isinstance(text, str) and text for text in texts)
    names = [f"{letter}{i}" for letter in "xy"[: op.lists] for i in (1, 2)] if op.lists else input_names(op)
    rules = op.rules * (len(names) if op.lists else 1)
    inputs = {name: 0.25 + 0.25 * i if rules[i] else 1.0 for i, name in enumerate(names)}  # an order is whole
    for text in texts:
        assert math.isfinite(float(compute(text, **{name: Value(x) for name, x in inputs.items()}, out=Value(0.5))))


@pytest.mark.parametrize("name", ["sin", "tan", "sqrt", "log", "tanh", "sigmoid", "gelu", "mul", "div", "pow", "hypot"])
def test_a_printed_rule_is_the_rule(name):
    op = OPS[name]
    data = dict(zip(input_names(op), (0.75, 0.5), strict=False))
    recorded = op(*[Value(x) for x in data.values()])
    for text, local in zip(rules_of(op), recorded.local_derivatives, strict=True):
        assert compute(text, **data, out=recorded.data) == pytest.approx(local, rel=1e-14)


FORMULAS = [op for op in OPS.values() if callable(op.prints)]


@pytest.mark.parametrize("op", FORMULAS, ids=lambda op: op.name)
def test_a_row_that_prints_as_an_expression_is_that_expression(op):
    names = input_names(op)
    free = len(names) - op.orders
    for orders in itertools.product(*[range(int(low), int(low) + 5) for low, _ in op.domain[free:]]):
        for data in ((0.75, 0.5), (1.5, 2.5)):
            inputs = dict(zip(names, data[:free], strict=False))
            text = repr(op(*map(Symbol, inputs), *map(float, orders)))
            assert f"{op.name}(" not in text
            assert compute(text, **inputs) == pytest.approx(op(*inputs.values(), *orders), rel=1e-11), text


@pytest.mark.parametrize(
    ("name", "inputs", "text"),
    [
        ("power_derivative", ("x", "y", 1.0, 0.0), "y * x ** (y - 1)"),
        ("power_derivative", ("x", "y", 0.0, 1.0), "x ** y * log(x)"),
        ("power_derivative", ("x", "y", 0.0, 2.0), "x ** y * log(x) ** 2"),
        ("power_derivative", ("x", "y", 1.0, 1.0), "(y * log(x) + 1) * x ** (y - 1)"),
        ("power_derivative", ("x", "y", 2.0, 1.0), "(y * (y - 1) * log(x) + (y - 1 + y)) * x ** (y - 2)"),
        ("power_derivative", ("x", "y", 1.0, 2.0), "(y * log(x) ** 2 + 2 * log(x)) * x ** (y - 1)"),
        ("power_derivative", ("x", 2.0, 1.0, 0.0), "2 * x"),
        ("power_derivative", ("x", 0.0, 1.0, 0.0), "0"),
        ("power_derivative", ("x", 3.0, 1.0, 0.0), "3 * x ** 2"),
        ("power_derivative", ("x", "y", 0.0, "j"), "x ** y * log(x) ** j"),
        ("power_derivative", ("x", "y", "k", 1.0), "power_derivative(x, y, k, 1)"),
        ("power_derivative", ("x", "y", 1.0, "j"), "power_derivative(x, y, 1, j)"),
        ("hypot_derivative", ("x", "y", 1.0, 0.0), "x / hypot(x, y)"),
        ("hypot_derivative", ("x", "y", 1.0, 1.0), "-(x * y) / hypot(x, y) ** 3"),
        ("hypot_derivative", ("x", "y", 2.0, 1.0), "(2 * (x ** 2 * y) + -y ** 3) / hypot(x, y) ** 5"),
        ("hypot_derivative", ("x", "y", "k", 1.0), "hypot_derivative(x, y, k, 1)"),
        ("hypot_derivative", ("x", "y", 1.0, "j"), "hypot_derivative(x, y, 1, j)"),
        ("atan2_derivative", ("y", "x", 0.0, 0.0), "atan2(y, x)"),
        ("atan2_derivative", ("y", "x", 0.0, 1.0), "-y / (x ** 2 + y ** 2)"),
        ("atan2_derivative", ("y", "x", 1.0, 1.0), "(-x ** 2 + y ** 2) / (x ** 2 + y ** 2) ** 2"),
        ("atan2_derivative", ("y", "x", "k", 1.0), "atan2_derivative(y, x, k, 1)"),
        ("atan2_derivative", ("y", "x", 1.0, "j"), "atan2_derivative(y, x, 1, j)"),
        ("quotient", ("x", "y", 1.0), "x / y"),
        ("quotient", ("x", "y", 2.0), "x / y ** 2"),
    ],
)
def test_formulas_of_derivatives_are_written_as_a_person_would(name, inputs, text):
    assert repr(OPS[name](*[Symbol(x) if isinstance(x, str) else x for x in inputs])) == text


def test_symbols_print_operators_and_methods():
    x, y = Symbol("x"), Symbol("y")
    assert repr((x + y) * -(x**2)) == "(x + y) * -x ** 2"
    assert repr(x.tanh() / 2) == "tanh(x) / 2"
    assert repr(1 - ag.maximum(x, 0.0)) == "1 - maximum(x, 0)"


def test_derivatives_print_as_formulas():
    slope = ag.grad(lambda a: Z * a**3)(X)
    assert "3 * (x * 1) ** 2" in formula(slope)
    assert float(compute(formula(slope), x=X, z=Z)) == slope.data
    assert formula(OPS["power_derivative"](-2.0, X, 0.0, 1.0)) == "power_derivative(-2, x, 0, 1)"


def test_leaves_that_share_a_name_are_told_apart():
    a, b, c = Value(2.0, "w"), Value(3.0, "w"), Value(4.0, "w_2")
    text = formula(a * b + c)
    assert text == "w * w_2 + w_2_2"
    assert len(set(text.replace("*", " ").replace("+", " ").split())) == 3


@pytest.mark.parametrize("name", ["a b", "lambda", "x;y", "", "3"])
def test_a_name_that_python_cannot_read_prints_as_the_number(name):
    assert formula(Value(2.0, name) + Value(3.0, "y")) == "2 + y"


def test_a_leaf_named_like_an_operation_is_told_apart():
    assert formula(Value(2.0, "sin").sin()) == "sin(sin_2)"


@pytest.mark.parametrize(
    ("x", "shown"),
    [(2.0, "2"), (0.1, "0.1"), (5e-324, "5e-324"), (1e16, "1e+16"), (0.0, "0"), (-0.0, "-0.0"), (1 / 3, repr(1 / 3))],
)
def test_a_number_is_as_short_as_it_can_be(x, shown):
    assert formula(Value(2.0, "y") + x).removeprefix("y + ") == shown
