"""Expressions: what ``formula`` prints is read back, and whatever else is said to be wrong, in one line."""

import math
import pickle
import re

import pytest
from graphs import Recipe, recipes, same
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import OPS, Value, formula, topological_order
from autograd.expression import LONGEST, ExpressionError, parse

NAMED_ERRORS = (ValueError, ZeroDivisionError, OverflowError)


def read(formula: str, leaves: list[Value]) -> Value:
    """What the lines of a formula compute, each read as an expression."""
    known = {leaf.name: leaf for leaf in leaves}
    for line in formula.split("\n"):
        name, _, text = line.rpartition(" = ")
        used = set(re.findall(r"[^\W\d]\w*", text))
        known[name] = parse(text, **{name: value for name, value in known.items() if name in used})
    return known[""]


def structure(value: Value) -> list[tuple[object, ...]]:
    """The graph of ``value``, without its Values: for each node its operation, its inputs and its name if a leaf."""
    order = topological_order(value)
    place = {node: i for i, node in enumerate(order)}
    return [
        (node.op, [place[x] if isinstance(x, Value) else ("literal", repr(x)) for x in node.inputs], node.name)
        for node in order
    ]


# ---- the inverse of formula ------------------------------------------------------------------------------------------


@given(recipes())
def test_a_formula_is_read_back_as_the_same_graph(recipe: Recipe):
    first, second = recipe.values(), recipe.values()
    value = recipe.output(*first)
    again = read(formula(value), second)
    assert same(again.data, value.data)
    assert structure(again) == structure(value)
    value.backward()
    again.backward()
    assert all(same(x.grad, y.grad) for x, y in zip(first, second, strict=True))


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_every_operation_can_be_called(op):
    names = [f"x{i}" for i in range(2 * op.lists or op.arity)]
    inputs = {name: 0.25 + i / 4 if i < 2 else 1.0 for i, name in enumerate(names)}
    lists = [names[i * 2 : i * 2 + 2] for i in range(op.lists)]
    text = ", ".join(f"[{', '.join(each)}]" for each in lists) or ", ".join(names)
    value = parse(f"{op.name}({text})", **inputs)
    assert value.op is op
    assert value.inputs == tuple(sorted(set(value.inputs), key=lambda x: x.name))  # each once, in order
    assert {x.name: x.data for x in value.inputs} == inputs


def test_an_operation_of_the_user_can_be_called():
    cube = ag.operation("cube", lambda x: x * x * x, lambda x, out: 3 * x**2)
    value = parse("cube(x) + 1", x=2)
    assert value.inputs[0].op is cube
    value.backward()
    assert value.data == 9.0


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("-x ** 2", -9.0),
        ("(-x) ** 2", 9.0),
        ("2 ** x ** 2", 512.0),
        ("x - 1 - 1", 1.0),
        ("x / 2 / 2", 0.75),
        ("x ** -1", 1 / 3),
        ("+x", 3.0),
        ("-+-x", 3.0),
        ("x < 3", 0.0),
        ("x <= 3", 1.0),
        ("x > 3", 0.0),
        ("x >= 3", 1.0),
        ("(x >= 4) * 5", 0.0),
        ("x + 1 <= x * 2", 1.0),
        ("where((x > 0), x, 0)", 3.0),
        ("1_000 * x", 3000.0),
        ("0x10 * x", 48.0),
        ("1e-3 * x", 0.003),
        (" \tx\t ", 3.0),
        ("x * pi", 3 * math.pi),
        ("x * e", 3 * math.e),
        ("x * inf", math.inf),
        ("dot([x, 2], [x, x + 1])", 17.0),
        ("sum([x])", 3.0),
        ("sum([]) + x", 3.0),
    ],
)
def test_expressions_mean_what_they_mean_in_python(text, number):
    assert parse(text, x=3).data == number


# ---- leaves ----------------------------------------------------------------------------------------------------------


def test_a_leaf_is_one_node_of_its_name():
    value = parse("x * x", x=3)
    assert value.inputs[0] is value.inputs[1]
    assert value.inputs[0].name == "x"


def test_a_value_is_used_as_it_is():
    x, h = Value(3.0), Value(2.0, "w") * 2
    value = parse("x * h", x=x, h=h)
    assert value.inputs == (x, h)
    assert (x.name, h.name) == (None, None)
    assert parse("x", x=x) is x


def test_an_expression_without_leaves_is_a_leaf_of_its_number():
    value = parse("2 + 3 * -1")
    assert (value.data, value.op, value.name) == (-1.0, None, None)


def test_a_leaf_may_be_called_like_anything_else():
    assert parse("pi * e", pi=2, e=3).data == 6.0
    assert parse("text + self", text=1, self=2).data == 3.0
    assert parse("exp(exp)", exp=0).data == 1.0
    micro, mu = "\u00b5", "\u03bc"  # one name to Python
    assert parse(f"{micro} + {mu}", **{micro: 2}).data == 4.0


def test_wrong_types():
    with pytest.raises(TypeError, match="an expression is a string, got 3"):
        parse(3)
    with pytest.raises(TypeError, match="expected a real number"):
        parse("x", x="3")


# ---- what cannot be read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", None, "the expression is empty"),
        (" \n ", None, "the expression is empty"),
        ("x + y", 5, "'y' has no value; give it one, as in y=1"),
        ("x + rate1", 5, "'rate1' has no value; give it one, as in rate1=1 (or is it 'rate'?)"),
        ("é + x", 1, "'é' has no value"),
        ("x * ü", 5, "'ü' has no value"),
        ("x + tahn(x)", 5, "there is no operation 'tahn' (or is it 'tan'?)"),
        ("x + tanh", 5, "'tanh' is an operation; call it, as in tanh(...)"),
        ("min(x, 1)", 1, "there is no operation 'min' (or is it 'minimum'?)"),
        ("eval(x)", 1, "there is no operation 'eval'"),
        ("__import__(x)", 1, "there is no operation '__import__'"),
        ("mean([x])", 1, "there is no operation 'mean'"),
        ("x.tanh()", 1, "'x.tanh()' cannot be in an expression; operations are called as in tanh(x)"),
        ("x + x.__class__", 5, "'x.__class__' cannot be in an expression"),
        ("tanh(x)(x)", 1, "operations are called as in tanh(x)"),
        ("tanh(x=x)", 1, "operations are called as in tanh(x)"),
        ("tanh(*x)", 6, "'*x' cannot be in an expression"),
        ("tanh(**x)", 1, "operations are called as in tanh(x)"),
        ("tanh(x, x)", 1, "tanh takes 1 input, got 2"),
        ("hypot(x)", 1, "hypot takes 2 inputs, got 1"),
        ("sum(x)", 1, "sum takes 1 list, such as [x, y]"),
        ("dot([x])", 1, "dot takes 2 lists, got 1"),
        ("dot([x], [x, x])", 1, "dot takes 2 lists of equal length"),
        ("[x, x]", 1, "lists are inputs of sum, dot and logsumexp"),
        ("(x, x)", 1, "'(x, x)' cannot be"),
        ("x < 1 < 2", 1, "one of < <= > >= compares two numbers"),
        ("x == 1", 1, "one of < <= > >= compares two numbers"),
        ("x in x", 1, "one of < <= > >= compares two numbers"),
        ("x if x else 1", 1, "write where(condition, x, y)"),
        ("1if x else 2", 1, "write where(condition, x, y)"),  # Python would warn of 1if
        ("x and x", 1, "'x and x' cannot be"),
        ("not x", 1, "'not x' cannot be"),
        ("x ^ 2", 3, "'^' cannot be in an expression; a power is x ** 2"),
        ("x // 2", 1, "'x // 2' cannot be"),
        ("x % 2", 3, "'%' cannot be"),
        ("x @ x", 3, "'@' cannot be"),
        ("~x", 1, "'~' cannot be"),
        ("x[0]", 1, "'x[0]' cannot be"),
        ("sum([x for x in x])", 1, "sum takes 1 list"),
        ("(y := x)", 4, "':' cannot be"),
        ("lambda: x", 7, "':' cannot be"),
        ("await x", 1, "'await x' cannot be"),
        ("True * x", 1, "'True' cannot be"),
        ("x * None", 5, "'None' cannot be"),
        ("x + ...", 5, "'...' cannot be"),
        ("x * 1j", 5, "'1j' cannot be"),
        ("'x'", 1, '"\'" cannot be'),
        ("x # y", 3, "'#' cannot be"),
        ("x\n+ x", 2, r"'\n' cannot be"),
        ("x \\", 3, r"'\\' cannot be"),
        ("x\0", 2, r"'\x00' cannot be"),
        ("x\ud800", 2, r"'\ud800' cannot be"),
        ("x; x", 2, "';' cannot be"),
        ("x = 2", 3, "invalid syntax at '= 2'"),
        ("tanh(x x)", 6, "invalid syntax at 'x x)'"),
        ("x +", 4, "invalid syntax at the end"),
        ("(x", 1, "'(' was never closed at '(x'"),
        ("x)", 2, "unmatched ')' at ')'"),
        ("2x", 1, "invalid decimal literal at '2x'"),
        ("1e999 * x", 1, "'1e999' is too large for a float"),
        ("1" * 400, 1, "is too large for a float"),
        ("0x" + "f" * 400, 1, "is too large for a float"),
        ("(" * 300 + "x" + ")" * 300, 201, "too many nested parentheses"),
        ("-" * (LONGEST - 1) + "x", None, "the expression is nested too deeply"),
        ("x" * (LONGEST + 1), None, f"the expression has {LONGEST + 1} characters; at most {LONGEST} are read"),
    ],
)
def test_what_is_not_an_expression_is_said_in_one_line_with_its_place(text, column, said):
    with pytest.raises(ExpressionError) as caught:
        parse(text, x=1.0, rate=2.0)
    error = caught.value
    assert said in str(error)
    assert str(error).startswith(f"column {column}: ") == (column is not None)
    assert (error.column, error.text) == (column, text.strip())
    assert len(str(error).splitlines()) == 1
    assert len(str(error)) < 150


def test_columns_are_those_of_characters():
    with pytest.raises(ExpressionError, match="'ü' has no value") as caught:
        parse("é + ü", é=1)
    assert caught.value.column == 5


def test_a_leaf_that_is_not_in_the_expression_is_an_error():
    with pytest.raises(ExpressionError, match="'rat' has a value, but is not in the expression"):
        parse("x * 2", x=1, rat=2)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("log(x)", ValueError, "log(x=-2.0): not defined there"),
        ("x ** 0.5", ValueError, "pow(x=-2.0, 0.5): not defined there"),
        ("1 / (x + 2)", ZeroDivisionError, "div(1.0, 0.0): not defined there (division by zero)"),
        ("x + 1 / 0", ZeroDivisionError, "div(1.0, 0.0): not defined there (division by zero)"),
        ("exp(x * -1e9)", OverflowError, "the result is too large for a float"),
        ("x + 9 ** 9 ** 9", OverflowError, "pow(9.0, 387420489.0): the result is too large for a float"),
        ("x * 2 ** 999999999999", OverflowError, "pow(2.0, 999999999999.0): the result is too large for a float"),
    ],
)
def test_where_an_operation_is_not_defined_its_own_error_says_so(text, kind, said):
    with pytest.raises(kind, match=re.escape(said)) as caught:
        parse(text, x=-2)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("text", "column"), [("x + 9 ** 9 ** 9", 5), ("µ + x + log(0 * x)", 9), ("2 * (1 / (x + 2))", 6)]
)
def test_the_error_of_an_operation_points_at_its_place(text, column):
    with pytest.raises((ValueError, ArithmeticError), match=f"^column {column}: "):
        parse(text, x=-2, **({"µ": 1} if "µ" in text else {}))


def test_nothing_is_computed_before_all_is_read():
    with pytest.raises(ExpressionError, match="'y' has no value"):
        parse("1 / 0 + y")


def test_a_long_sum_is_read():
    assert parse("+".join(["x"] * 900), x=1).data == 900.0


def test_the_error_can_be_pickled():
    with pytest.raises(ExpressionError) as caught:
        parse("x + y", x=1)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.column, again.text) == (str(caught.value), 5, "x + y")


# ---- hostile text ----------------------------------------------------------------------------------------------------

TOKENS = [*"xy0123.,()[]+-*/<>=", " ", "**", "tanh(", "dot(", "where(", "1e9", " if ", " else ", " and ", "lambda "]


@st.composite
def mutated_formulas(draw) -> str:
    recipe = draw(recipes(most_steps=5))
    text = formula(recipe.run(recipe.values())[-1]).rpartition("\n")[2]
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(start + 3, len(text))))
        text = text[:start] + draw(st.sampled_from(TOKENS) | st.text(max_size=2)) + text[end:]
    return text


@given(st.text() | st.lists(st.sampled_from(TOKENS)).map("".join) | mutated_formulas())
def test_no_text_raises_anything_but_named_errors(text):
    used = [name for name in ("x", "y", "x0", "x1", "x2", "x3", "v1", "v2") if re.search(rf"\b{name}\b", text)]
    try:
        found = parse(text, **dict.fromkeys(used, 0.5))
    except (ValueError, ArithmeticError) as error:
        found = error
    if isinstance(found, ExpressionError):
        assert len(str(found).splitlines()) == 1
        assert found.column is None or 1 <= found.column <= len(found.text) + 1
    elif not isinstance(found, Value):
        assert type(found) in NAMED_ERRORS
        assert re.match(r"[\w ]+(\(.*\)| of \d+ inputs)", str(found))
