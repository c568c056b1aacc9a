"""The seven steps of a program: what they say is so."""

import re

import numpy as np
import pytest
from graphs import large
from hypothesis import given
from hypothesis import strategies as st
from test_program import mlp_loss, recorded

import autograd as ag
from autograd import Value, compile, topological_order
from autograd.program.explanation import LINES, SOURCE_LINES
from autograd.testing.strategies import expressions
from nn import MLP

TITLES = ["Record", "Canonical sums", "Levels", "Matrices", "Layout", "Reverse", "Source"]


def texts(program):
    """The text of each step, by its title."""
    return {step.title: step.text for step in program.steps()}


def products(text):
    """The shapes of each matrix product: result, left, right."""
    shape = r"\((\S+), ([^)]+)\)"
    lines = re.findall(rf"^\S+ {shape} = .*? {shape} @ .*? {shape}", text, re.M)
    return [(line[0:2], line[2:4], line[4:6]) for line in lines]


def by_hand(n_in=2, hidden=3):
    """A network whose leaves have names of their own: parameters, inputs, target and squared error."""
    w = [[Value(0.1 * i - 0.2 * j, f"w[{i}][{j}]") for j in range(n_in)] for i in range(hidden)]
    b = [Value(0.1 * i, f"b[{i}]") for i in range(hidden)]
    v, c = [Value(0.3 - 0.2 * i, f"v[{i}]") for i in range(hidden)], Value(0.5, "c")
    x, y = [Value(0.4 + j, f"x[{j}]") for j in range(n_in)], Value(0.3, "y")
    h = [ag.sin(ag.dot(row, x) + bias) for row, bias in zip(w, b, strict=True)]
    return [*[p for row in w for p in row], *b, *v, c], x, y, (ag.dot(v, h) + c - y) ** 2


# ---- any graph -------------------------------------------------------------------------------------------------------


@given(expressions(max_ops=12), st.data())
def test_every_graph_has_seven_steps_of_text(f, data):
    values = [Value(float(x)) for x in f.inputs]
    k = data.draw(st.integers(0, len(values) - 1))
    output = recorded(f, values[:k], values[k:])
    program = compile(output, values[:k], values[k:])
    steps = program.steps()
    assert [(step.number, step.title) for step in steps] == list(enumerate(TITLES, start=1))
    for step in steps:
        heading, line, *text = str(step).splitlines()
        assert (heading, line) == (f"{step.number}. {step.title}", "-" * len(heading))
        assert text == step.text.splitlines()
        assert step.text.strip()
        assert step.text.replace("\n", "").isprintable()
    found = {step.title: step.text.splitlines() for step in steps}
    kinds = re.findall(r"([\d,]+) × (\w+)", found["Record"][0])
    nodes = topological_order(output)
    assert found["Record"][0].startswith(f"{len(nodes)} nodes")
    assert all([node.op.name if node.op else "leaf" for node in nodes].count(kind) == int(n) for n, kind in kinds)
    assert found["Reverse"][0].startswith(f"statements: {program.report().instructions[1]},")
    assert found["Source"] == str(program).splitlines()[:SOURCE_LINES]


@pytest.mark.parametrize("size", [1_000, large(30_000)])
def test_a_large_graph_has_no_more_lines_than_a_small_one(size):
    deep, w, x = Value(0.5), Value(0.01), [Value(1.0 / (1 + i)) for i in range(size)]
    for _ in range(size // 20):
        deep = deep + w * ag.tanh(deep)
    wide = ag.dot([Value(0.1) for _ in x], x)
    for step in compile(deep * wide * ag.exp(w), [x], [w]).steps():
        lines = step.text.splitlines()
        assert len(lines) <= (SOURCE_LINES if step.title == "Source" else 3 * LINES + 6) + 1
        assert max(map(len, lines)) < 200


def test_what_is_cut_is_counted():
    w, xs = Value(0.1, "w"), [Value(float(i)) for i in range(100)]
    record, *_ = compile([ag.sin(w * x) for x in xs], [xs], [w]).steps()
    assert len(record.text.splitlines()) == 2 + LINES + 1
    assert record.text.endswith(f"\n… and {200 - LINES} more")


# ---- what each step says ---------------------------------------------------------------------------------------------


def test_the_record_names_leaves_and_numbers_operations():
    w, x, y = Value(2.0, "w"), [Value(1.0, "x"), Value(3.0)], Value(4.0)
    found = texts(compile(ag.exp(ag.logsumexp([x[1], y, ag.dot([w, 0.5], x)]) + 2), [x, y], [w]))["Record"]
    assert found.splitlines() == [
        "8 nodes: 4 × leaf, 1 × dot, 1 × logsumexp, 1 × add, 1 × exp",
        "operations that were there already: 0",
        "n1 = dot([w, 0.5], [x, x0[1]])",
        "n2 = logsumexp([x0[1], x1, n1])",
        "n3 = add(n2, 2.0)",
        "n4 = exp(n3)",
    ]


def test_the_record_says_what_is_there_twice():
    x, y = Value(2.0, "x"), Value(3.0, "y")
    assert "were there already: 0\n" in texts(compile(x * y + x, [x], [y]))["Record"]
    found = texts(compile(x * y + ag.sin(x * y) + ag.sin(x * y), [x], [y]))["Record"]
    assert "were there already: 3\n" in found
    assert found.count("mul(x, y)") == found.count("sin") - 1 == 1


def test_leaves_of_one_name_are_numbered_and_those_of_none_have_their_place():
    a, b, c, d = Value(1.0, "w"), Value(2.0, "w"), Value(3.0), Value(4.0, "a\nb")
    found = texts(compile(a * b + c * d, [d], [a, b, c]))["Record"]
    assert "mul(w, w_2)" in found
    assert "mul(p2, a\\nb)" in found


def test_a_sum_is_one_however_it_was_written():
    w, x, b = [Value(0.1 * i, f"w{i}") for i in range(3)], [Value(1.0 + i, f"x{i}") for i in range(3)], Value(0.5, "b")
    expected = "sums: 1, products in them: 3, other terms: 1"
    for total in (
        ag.dot(w, x) + b,
        b + (x[0] * w[0] + (x[1] * w[1] + x[2] * w[2])),
        ag.sum([b, w[0] * x[0], ag.dot(w[1:], x[1:])]),
    ):
        lines = texts(compile(total, [x], [*w, b]))["Canonical sums"].splitlines()
        assert lines[0] == expected
        assert set(lines[1].partition(" = ")[2].split(" + ")) == {"w0·x0", "w1·x1", "w2·x2", "b"}


def test_the_levels_of_a_network():
    parameters, x, y, loss = by_hand()
    assert texts(compile(loss, [x, y], parameters))["Levels"].splitlines() == [
        "operations: 9, levels: 5",
        "level 1: 3 × sum (products: 2, others: 1)",
        "level 2: 3 × sin",
        "level 3: 1 × sum (products: 3, others: 1)",
        "level 4: 1 × sub",
        "level 5: 1 × mul",
    ]


@given(st.lists(st.integers(2, 6), min_size=1, max_size=3))
def test_the_matrices_multiply_and_are_as_many_as_in_the_source(sizes):
    model, x, y, loss = mlp_loss([*sizes, 1])
    program = compile(loss, [x, y], model.parameters())
    found = products(texts(program)["Matrices"])
    assert len(found) == len(sizes) == str(program).partition("def reverse")[0].count("dot(")
    for (result, left, right), n_in, n_out in zip(found, sizes, [*sizes[1:], 1], strict=True):
        assert left[1] == right[0]
        assert result == (left[0], right[1]) == (str(n_out), "B")
        assert int(left[1]) in (n_in, n_in + 1)  # a bias may be one more weight


def test_the_matrices_of_a_loop_that_is_unrolled():
    model = MLP(3, [4, 1], activation="sin", seed=0)
    xs = np.random.default_rng(0).normal(size=(5, 3)).tolist()
    program = compile(ag.mean([model(x) ** 2 for x in xs]), [], model.parameters())
    assert [shapes[0] for shapes in products(texts(program)["Matrices"])] == [("4", "5"), ("1", "5")]


def test_a_convolution_is_a_product_with_what_is_gathered():
    k, x = [Value(0.5, f"k{j}") for j in range(3)], [Value(float(i), f"x{i}") for i in range(8)]
    rows = [ag.tanh(ag.dot(k, x[i : i + 3])) for i in range(6)]
    found = texts(compile(ag.mean(rows), [x], k))
    assert "sum1 (1, 6 * B) = k1 (1, 3) @ 18 places of x (3, 6 * B)\n" in found["Matrices"]
    assert "    sum1 (6, B)\n" in found["Layout"]


def test_products_that_make_no_matrix():
    w, x, y = Value(2.0, "w"), [Value(1.0, "x0"), Value(2.0, "x1")], [Value(3.0, "y0"), Value(4.0, "y1")]
    found = texts(compile(w * ag.dot(x, y), [x, y], [w]))["Matrices"].splitlines()
    assert found[:2] == ["array instructions: 2, matrix products among them: 0", "sum1 (1, B) = sum of x * y"]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=3))
def test_the_views_show_the_parameters_that_they_name(sizes):
    model, x, y, loss = mlp_loss([*sizes, 1])
    parameters = model.parameters()
    for i, p in enumerate(parameters):
        p.name = f"w{i}"
    program = compile(loss, [x, y], parameters)
    views = re.findall(r"^ +(\w+ = (.*))  # (.*)$", texts(program)["Layout"], re.M)
    shown = set()
    for line, view, named in views:
        entries = eval(view, {"parameters": np.array([p.name for p in parameters])}).ravel()
        assert named == (entries[0] if len(entries) == 1 else f"{entries[0]} … {entries[-1]}")
        assert line in str(program).splitlines()
        shown.update(entries)
    assert shown == {p.name for p in parameters}


def test_the_layout_says_what_is_copied():
    parameters, x, y, loss = by_hand()
    assert texts(compile(loss, [x, y], parameters))["Layout"].endswith("\ncopies: 0")
    w, xs = [Value(0.1 * i, f"w{i}") for i in range(4)], [Value(1.0 + i, f"x{i}") for i in range(2)]
    program = compile(ag.logsumexp([xs[0], w[3], w[0], w[1]]), [xs], [*w])
    number, *copies = texts(program)["Layout"].partition("\ncopies: ")[2].splitlines()
    assert int(number) == len(copies) == program.report().copies > 0


def test_the_statements_of_reverse_are_the_gradient():
    parameters, x, y, loss = by_hand()
    program = compile(loss, [x, y], parameters)
    xs, ys = np.random.default_rng(0).normal(size=(2, 7)), np.linspace(-1.0, 1.0, 7)[None]
    found = vars(np) | {"x": xs, "y": ys, "seed": 1.0, "ones": np.ones(7)}
    for name, view in re.findall(r"^ +(\w+) = (parameters.*?)  #", texts(program)["Layout"], re.M):
        found[name] = eval(view, {"parameters": program.parameters})
    w, b, v, c = np.split(program.parameters, [6, 9, 12])
    found["sum1"] = w.reshape(3, 2) @ xs + b[:, None]
    found["sin1"] = np.vstack([np.sin(found["sum1"]), np.ones(7)])
    found["sum2"] = v @ found["sin1"][:-1] + c
    found["sub1"] = found["sum2"][None] - ys
    for line in texts(program)["Reverse"].splitlines()[1:]:  # each is a statement of Python
        exec(line, found)
    gradient = [found[name].ravel() for name, _ in re.findall(r"^ *(\w+) = (gradient.*)$", str(program), re.M)]
    expected = program.value_and_grad(xs.T, ys[0], reduce="sum")[1]
    assert sorted(np.concatenate(gradient)) == pytest.approx(sorted(expected), rel=1e-13)


def test_reverse_numbers_its_arrays_and_counts_its_products():
    parameters, x, y, loss = by_hand()
    program = compile(loss, [x, y], parameters)
    found = texts(program)
    assert set(re.findall(r"^(\w+) = ", found["Reverse"], re.M)) <= {
        *re.findall(r"^\w+(?= = gradient)", str(program), re.M),
        *[f"{name}{k}" for name in ("t", "mask") for k in range(1, 100)],
    }
    products = [int(re.search(r"matrix products among them: (\d+)", found[title])[1]) for title in TITLES[3:6:2]]
    assert sum(products) == program.report().products


def test_what_is_gathered_is_scattered():
    w, x = [Value(0.1 * i, f"w{i}") for i in range(4)], Value(1.0, "x")
    _, *lines = texts(compile(x * ag.logsumexp([w[3], w[0], w[1]]), [x], w))["Reverse"].splitlines()
    assert lines[0] == "gradient = 0.0"
    assert re.fullmatch(r"gradient\[places\w*\] \+= t\d+", lines[-1])


def test_without_parameters_there_is_nothing_to_reverse():
    x = Value(2.0, "x")
    steps = compile([ag.exp(x), x], [x]).steps()
    assert steps[5].text.startswith("statements: 0,")
    assert steps[4].text.startswith("parameters: 0 ")


def test_the_source_is_that_of_the_program():
    parameters, x, y, loss = by_hand()
    program = compile(loss, [x, y], parameters, dtype="float32")
    assert program.steps()[6].text.splitlines() == str(program).splitlines()


def test_an_operation_of_ones_own_is_named(own_operations):
    cube = ag.operation("cube", lambda x: x * x * x, lambda x, out: 3 * x**2)
    each = ag.operation("each", lambda x: float(repr(x)), lambda x, out: 1.0 + 0.0 * x)
    w, x = Value(2.0, "w"), Value(1.0, "x")
    found = texts(compile(each(cube(w * x)), [x], [w]))
    assert "n2 = cube(n1)" in found["Record"]
    assert "level 3: 1 × each" in found["Levels"]
    assert "each1 (1, B) = each(cube1)" in found["Matrices"]
