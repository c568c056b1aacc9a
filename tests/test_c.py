"""Programs in C: the numbers of the graph, as NumPy's; what the text is, and what is refused."""

import copy
import math
import pickle
import random
import re
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import NEEDS_COMPILER, check, mlp_loss, random_network, recorded

import autograd as ag
from autograd import Value, compile
from autograd.program.c import SPELLED
from autograd.program.native import COMPILERS, OPTIONS
from autograd.program.tracing import NAMESAKES, OTHERWISE
from autograd.testing.strategies import expressions

pytestmark = NEEDS_COMPILER


def compiled(*arguments, **options):
    """A program in C; None if an operation in it is Python."""
    each = compile(*arguments, **options).report().each
    if not each:
        return compile(*arguments, **options, backend="c")
    with pytest.raises(ValueError, match=f"'({'|'.join(each)})' is called for each number, in Python"):
        compile(*arguments, **options, backend="c")
    return None


@pytest.fixture
def quickly_built(monkeypatch):
    """The text is what is tested; gcc -O3 takes seconds for what is drawn."""
    monkeypatch.setattr("autograd.program.native.OPTIONS", ["-O1" if x == "-O3" else x for x in OPTIONS])


# ---- the same numbers as the graph -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("quickly_built")
@given(expressions(max_ops=10), st.data())
def test_a_program_gives_the_numbers_of_the_graph(f, data):
    values = [Value(float(x)) for x in f.inputs]
    k = data.draw(st.integers(0, len(values) - 1))
    output = recorded(f, values[:k], values[k:])
    program = compiled(output, values[:k], values[k:])
    batch = data.draw(st.integers(1, 3))
    if program is not None:
        check(output, program, [np.full(batch, x.data) for x in values[:k]], values[k:])


@pytest.mark.usefixtures("quickly_built")
@given(st.integers(0, 10**6).map(random.Random))
@settings(max_examples=settings().max_examples // 2)
def test_networks_of_any_kind(rng):
    loss, arrays, parameters = random_network(rng)
    inputs = [Value(0.3) for _ in arrays[0].T], Value(0.2), [Value(1.0) for _ in arrays[2].T]
    rows = zip(*[array.tolist() for array in arrays], strict=True)
    unrolled = ag.mean([loss(*row) for row in rows])
    program = compiled(loss(*inputs), inputs, parameters)
    if program is not None:
        check(unrolled, program, arrays, parameters)


@pytest.mark.usefixtures("quickly_built")
@given(st.integers(0, 10**6).map(random.Random))
@settings(max_examples=settings().max_examples // 2)
def test_unrolled_loops(rng):
    loss, arrays, parameters = random_network(rng)
    rows = zip(*[array.tolist() for array in arrays], strict=True)
    unrolled = ag.mean([loss(*row) for row in rows])
    program = compiled(unrolled, [], parameters)
    if program is not None:
        check(unrolled, program, [], parameters)


SPECIAL = [0.0, -0.0, 1e-320, 1e-9, 0.3, 1.0, 2.5, 30.0, 700.0, 1e200, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_operation_of_one_number_is_numpys(dtype):
    x = Value(0.5)
    operations = [
        op for op in ag.OPS.values() if op.arity == 1 and not op.lists and not compile(op(x), [x]).report().each
    ]
    assert len(operations) > 25
    points = np.array([sign * z for z in SPECIAL for sign in (1.0, -1.0)])
    values = [op(x) for op in operations]
    programs = [compile(values, [x], dtype=dtype, backend=backend) for backend in ("numpy", "c")]
    with np.errstate(all="ignore"):
        rows = points.astype(dtype)[None]
        expected, found = (program._memory(len(points)).value(rows) for program in programs)
    finite = np.isfinite(expected)
    assert np.array_equal(finite, np.isfinite(found))
    assert np.array_equal(expected[~finite], found[~finite], equal_nan=True)
    tiny = np.finfo(dtype).smallest_normal
    np.testing.assert_allclose(found[finite], expected[finite], rtol=8 * np.finfo(dtype).eps, atol=tiny)


def test_one_example_that_is_nan_costs_the_others_no_digits():
    x = Value(0.5)
    derivative = ag.OPS["sigmoid_derivative"]
    for backend in ("numpy", "c"):
        program = compile(derivative(x), [x], backend=backend)
        with np.errstate(invalid="ignore"):
            found = program._memory(2).value(np.array([[40.0, math.nan]]))
        assert found[0, 0] == pytest.approx(derivative.forward(40.0), rel=1e-15)


def test_what_is_read_in_another_order_than_it_is_written_is_copied():
    w, x = Value(0.3, "w"), [Value(1.0), Value(2.0)]
    out = ag.logsumexp([ag.relu(w * x[1] + x[0]), w * x[0]][::-1]) - ag.logsumexp([w * x[0], w * x[1]])
    program = compiled(out, [x], [w])
    check(out, program, [[[1.0, 2.0]]], [w])


# ---- the text --------------------------------------------------------------------------------------------------------


def test_the_text_of_an_mlp_has_the_products_of_numpys_and_no_copy():
    model, x, y, loss = mlp_loss([4, 8, 8, 1])
    program, others = (compile(loss, [x, y], model.parameters(), backend=b) for b in ("c", "numpy"))
    assert len(re.findall(r"^    product\(", str(program), re.M)) == str(others).count(".dot(")
    assert program.report() == others.report()
    assert program.report().copies == 0
    assert {"w1", "b1", "dw1", "db1"} <= set(re.findall(r"\w+", str(program)))


def test_the_compiler_warns_of_nothing(tmp_path):
    model, x, y, loss = mlp_loss([2, 4, 4, 1])
    loss = loss + ag.logsumexp([*model.parameters()[:5], y]) + ag.silu(y) * ag.maximum(x[0], x[1])
    text = tmp_path / "program.c"
    for dtype in ("float64", "float32"):
        text.write_text(str(compile(loss, [x, y], model.parameters(), dtype, "c")), encoding="utf-8")
        compiler = next(filter(shutil.which, COMPILERS))
        command = [compiler, *OPTIONS, "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", str(text)]
        done = subprocess.run([*command, "-o", str(tmp_path / "program.so"), "-lm"], capture_output=True, text=True)
        assert not done.returncode, done.stderr


def test_any_name_will_do():
    names = ["I", "NAN", "int", "fabs", "tanh", "exp", "B", "x", "i", "j", "memory", "real", "product", "value", "seed"]
    names += [
        "reverse",
        "complex",
        "main",
        "y0",
        "gamma",
        "1",
        "é",
        ";",
        "*/",
        "",
        "expf",
        "cexp",
        "FP_NAN",
        "HUGE_VALL",
    ]
    names += ["FP_ILOGB", "math_errhandling", "linux", "unix", "ptrdiff_t", "VECTORIZED", "value_0", "x_1"]
    values = [Value(0.1 * k, name) for k, name in enumerate(names)]
    others = [Value(0.2, f"{name}{k}") for k, name in enumerate(names)]
    out = ag.tanh(ag.dot(values, others)) + ag.maximum(ag.exp(values[0]), ag.abs(values[1]))
    check(out, compiled(out, values, others), [[x.data] for x in values], others)
    check(out, compiled(out, others, values), [[x.data] for x in others], values)


# ---- calling ---------------------------------------------------------------------------------------------------------


def test_batches_of_any_size_and_arrays_of_any_make():
    model, x, y, loss = mlp_loss([2, 3, 1])
    program, other = (compile(loss, [x, y], model.parameters(), backend=b) for b in ("c", "numpy"))
    xs, ys = np.random.default_rng(0).normal(size=(7, 2)), np.linspace(0.0, 1.0, 7)
    for batch in (7, 1, 0, 3):
        rows = xs[:batch]
        for each in (rows, np.asfortranarray(rows), rows[::-1][::-1], np.reshape(rows.tolist(), (batch, 2))):
            value, gradient = program.value_and_grad(each, ys[:batch])
            expected, wanted = other.value_and_grad(each, ys[:batch])
            assert value == pytest.approx(expected, rel=1e-14)
            np.testing.assert_allclose(gradient, wanted, rtol=1e-12, atol=1e-15)
    out = np.empty_like(gradient)
    assert program.value_and_grad(xs, ys, out=out)[1] is out
    assert np.array_equal(out, program.value_and_grad(xs, ys)[1])


@pytest.mark.usefixtures("quickly_built")
def test_long_programs_are_several_functions():
    w, x = Value(0.7, "w"), Value(0.5, "x")
    out = x
    for k in range(80):
        out = ag.sin(w * out) + 0.01 * k
    program = compiled(out, [x], [w])
    assert {"value_0(B, memory);", "reverse_1(B, memory, seed);"} <= set(map(str.strip, str(program).splitlines()))
    check(out, program, [[0.5]], [w])


def test_numbers_that_are_not_finite_are_written_as_c_does():
    w, x = Value(2.0), Value(0.5)
    for number in (math.inf, -math.inf, math.nan):
        for backend in ("numpy", "c"):
            program = compile(w * number * x, [x], [w], backend=backend)
            value, gradient = program.value_and_grad([1.0])
            assert repr(value) == repr(2.0 * number)
            assert repr(gradient.item()) == repr(number)


def test_what_is_not_finite_raises_what_the_graph_raises():
    x, w = Value(1.0), Value(1.0)
    program = compile(ag.log(w * x), [x], [w], backend="c")
    with pytest.raises(ValueError, match="log") as error:
        program.value_and_grad([1.0, -2.0])
    assert error.value.__notes__ == ["in example 1 of the batch"]


def test_copies_are_in_c_as_well():
    model, x, y, loss = mlp_loss([2, 3, 1])
    program = compile(loss, [x, y], model.parameters(), "float32", "c")
    program.parameters *= 2.0
    expected = program.value_and_grad([[1.0, 2.0]], [0.5])
    for made in (copy.deepcopy(program), pickle.loads(pickle.dumps(program))):
        assert str(made) == str(program)
        found = made.value_and_grad([[1.0, 2.0]], [0.5])
        assert found[0] == expected[0]
        assert np.array_equal(found[1], expected[1])


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_another_backend_is_refused():
    w = Value(1.0)
    with pytest.raises(ValueError, match="backend is 'numpy' or 'c', got 'rust'"):
        compile(w * w, [], [w], backend="rust")


def test_an_operation_in_python_is_refused(own_operations):
    own = ag.operation("own", lambda x: float(repr(x)), lambda x, out: 1.0 + 0.0 * x)
    w = Value(1.0)
    assert compiled(own(w * w), [], [w]) is None


def test_whatever_of_math_numpy_has_c_has():
    names = {NAMESAKES.get(name, name) for name in dir(math)}
    both = {name for name in names if getattr(getattr(np, name, None), "nout", 0) == 1}
    assert len(both) > 35
    assert both - OTHERWISE <= SPELLED.keys()


@pytest.mark.parametrize(
    ("compiler", "message"),
    [
        ("false", "the C compiler failed: false -std"),
        ("no-such", "does not run: no-such"),
        ("true", "does not run: true"),
        ("gcc '", r"\$CC is no command: .gcc '.: No closing quotation"),
    ],
)
def test_a_compiler_that_fails_is_named(monkeypatch, compiler, message):
    monkeypatch.setenv("CC", compiler)
    w = Value(1.0)
    with pytest.raises(RuntimeError, match=message):
        compile(w * w, [], [w], backend="c")


def test_without_a_compiler_it_is_said_what_is_needed(monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", "")
    w = Value(1.0)
    with pytest.raises(RuntimeError, match=r"needs a C compiler: cc, gcc, clang, or what \$CC says; none was found"):
        compile(w * w, [], [w], backend="c")
