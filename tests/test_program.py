"""Programs: the same numbers as the recorded graph, the matrices that were found, and what is refused."""

import ast
import builtins
import copy
import gc
import math
import pickle
import re
import threading
from itertools import pairwise

import numpy as np
import pytest
from graphs import large
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import BACKENDS, check, mlp_loss, near, random_network, recorded

import autograd as ag
from autograd import Value, compile, replay, topological_order
from autograd.testing.strategies import expressions
from nn import MLP

# ---- the same numbers as the graph -----------------------------------------------------------------------------------


@given(expressions(max_ops=12), st.data())
@settings(max_examples=5 * settings().max_examples)
def test_a_program_gives_the_numbers_of_the_graph(f, data):
    values = [Value(float(x)) for x in f.inputs]
    k = data.draw(st.integers(0, len(values) - 1))
    output = recorded(f, values[:k], values[k:])
    program = compile(output, values[:k], values[k:])
    batch = data.draw(st.integers(1, 3))
    check(output, program, [np.full(batch, x.data) for x in values[:k]], values[k:])


@given(expressions(max_ops=10), st.data())
@settings(max_examples=3 * settings().max_examples)
def test_a_batch_gives_the_numbers_of_a_loop_that_is_unrolled(f, data):
    k = data.draw(st.integers(0, len(f.inputs) - 1))
    batch = data.draw(st.integers(1, 5))
    parameters = [Value(float(x)) for x in f.inputs[k:]]
    xs = np.array([[float(x) + 0.01 * i * (j + 1) for j, x in enumerate(f.inputs[:k])] for i in range(batch)])
    loss = ag.mean([recorded(f, row, parameters) for row in xs.reshape(batch, k).tolist()])
    check(loss, compile(loss, [], parameters), [], parameters)
    leaves = [Value(float(x)) for x in f.inputs[:k]]
    batched = compile(recorded(f, leaves, parameters), [leaves] if k else [], parameters)
    check(loss, batched, [xs] if k else [], parameters)


def micrograd_loss(sizes, xs, ys):
    """The parameters and the mean squared error of an MLP in sums and products, neuron by neuron, on some examples."""
    rng = np.random.default_rng(0)
    layers = [
        [([Value(w) for w in rng.normal(size=n_in).tolist()], Value(0.1)) for _ in range(n_out)]
        for n_in, n_out in pairwise(sizes)
    ]
    total = 0.0
    for x, y in zip(xs, ys, strict=True):
        units = x
        for i, layer in enumerate(layers):
            sums = [sum((w * u for w, u in zip(ws, units, strict=True)), b) for ws, b in layer]
            units = [s.tanh() for s in sums] if i < len(layers) - 1 else sums
        error = units[0] - y
        total = total + error * error
    return [p for layer in layers for ws, b in layer for p in (*ws, b)], total * (1.0 / len(xs))


@pytest.mark.parametrize("sizes", [[1, 1], [1, 1, 1], [3, 4, 1], [2, 5, 5, 1]])
@pytest.mark.parametrize("batch", [1, 2, 7])
def test_an_mlp_written_neuron_by_neuron_and_unrolled(sizes, batch):
    rng = np.random.default_rng(1)
    xs, ys = rng.normal(size=(batch, sizes[0])), rng.normal(size=batch)
    parameters, loss = micrograd_loss(sizes, xs.tolist(), ys.tolist())
    check(loss, compile(loss, [], parameters), [], parameters)


@given(
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    batch=st.integers(1, 4),
    activation=st.sampled_from(["tanh", "relu", "sigmoid"]),
    order=st.randoms(use_true_random=False),
    by_neuron=st.booleans(),
)
def test_parameters_in_any_order(sizes, batch, activation, order, by_neuron):
    model = MLP(sizes[0], sizes[1:], activation=activation, init="uniform", seed=0)
    parameters = model.parameters()
    if by_neuron:
        parameters = [p for layer in model.layers for neuron in layer.neurons for p in (*neuron.w, neuron.b)]
    else:
        order.shuffle(parameters)
    xs = np.random.default_rng(0).normal(size=(batch, sizes[0]))
    x = [Value(0.1) for _ in range(sizes[0])]
    outs = model(x) if sizes[-1] > 1 else [model(x)]
    program = compile(ag.dot(outs, outs), [x], parameters)
    rows = [model(row) if sizes[-1] > 1 else [model(row)] for row in xs.tolist()]
    loss = ag.mean([ag.dot(row, row) for row in rows])
    check(loss, program, [xs], parameters)
    check(loss, compile(loss, [], parameters), [], parameters)


@given(st.randoms(use_true_random=False))
@settings(max_examples=4 * settings().max_examples)
def test_networks_of_any_kind(rng):
    loss, arrays, parameters = random_network(rng)
    inputs = [Value(0.3) for _ in arrays[0].T], Value(0.2), [Value(1.0) for _ in arrays[2].T]
    rows = zip(*[array.tolist() for array in arrays], strict=True)
    unrolled = ag.mean([loss(*row) for row in rows])
    check(unrolled, compile(loss(*inputs), inputs, parameters), arrays, parameters)
    check(unrolled, compile(unrolled, [], parameters), [], parameters)


@given(st.randoms(use_true_random=False))
def test_arrays_that_share_memory_are_never_needed_at_once(rng):
    loss, arrays, parameters = random_network(rng)
    inputs = [Value(0.3) for _ in arrays[0].T], Value(0.2), [Value(1.0) for _ in arrays[2].T]
    output = loss(*inputs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograd.program.source.shared", lambda *_: {})
        apart = compile(output, inputs, parameters)
    program = compile(output, inputs, parameters)
    expected, gradient = apart.value_and_grad(*arrays)
    for _ in range(2):
        found, again = program.value_and_grad(*arrays)
        assert found == expected
        assert np.array_equal(again, gradient)
        for name, each in vars(program._made[len(arrays[1])])["_names"].items():
            if re.fullmatch(r"t\d+", name):  # what is left there is not looked at
                each.fill(math.nan)


def test_residual_chains_of_any_depth():
    w, x = Value(0.001, "w"), Value(0.5, "x")
    h = x
    for _ in range(large(10_000)):
        h = h + w * h.tanh()
    check(h, compile(h, [x], [w]), [np.array([0.5])], [w])


def test_batch_normalisation_over_an_unrolled_batch():
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    xs = np.random.default_rng(0).normal(size=(6, 2)).tolist()
    outs = [model(x) for x in xs]
    center = ag.mean(outs)
    spread = ag.sqrt(ag.mean([(o - center) ** 2 for o in outs]) + 1e-5)
    loss = ag.mean([ag.tanh((o - center) / spread + 0.1 * i) for i, o in enumerate(outs)])
    check(loss, compile(loss, [], model.parameters()), [], model.parameters())


def test_shared_weights_skip_connections_masks_and_several_outputs():
    w = [[Value(0.1 * (i - j), f"w[{i}][{j}]") for j in range(3)] for i in range(3)]
    parameters = [p for row in w for p in row]
    x, mask = [Value(0.2 * i) for i in range(3)], [Value(1.0) for _ in range(3)]
    h = x
    for _ in range(3):  # the same layer three times, with a skip connection and dropout
        h = [a + m * ag.tanh(ag.dot(row, h)) for row, a, m in zip(w, h, mask, strict=True)]
    outputs = [*h, ag.dot(h, x), ag.sum([*h, *x])]
    program = compile(outputs, [x, mask], parameters)
    rng = np.random.default_rng(0)
    xs, masks = rng.normal(size=(4, 3)), (rng.random((4, 3)) < 0.5) * 2.0
    found = program(xs, masks)
    assert found.shape == (4, 5)
    for row, x_row, mask_row in zip(found, xs.tolist(), masks.tolist(), strict=True):
        numbers = dict(zip([*x, *mask], [*x_row, *mask_row], strict=True))
        for output, each in zip(outputs, row.tolist(), strict=True):
            leaves = {leaf: numbers[leaf] for leaf in numbers if leaf in set(topological_order(output))}
            assert near(each, replay(output, leaves).data, 1e-15)


@pytest.mark.parametrize("activation", ["relu", "gelu", "sigmoid", "silu", "softplus", "elu", "leaky_relu", "erf"])
def test_activations(activation):
    model, x, y, loss = mlp_loss([2, 3, 1], activation)
    check(loss, compile(loss, [x, y], model.parameters()), [[[0.0, 0.1]], [0.3]], model.parameters())


def test_softmax_cross_entropy():
    model = MLP(3, [5, 4], activation="relu", seed=0)
    x, y = [Value(0.5), Value(-1.0), Value(2.0)], [Value(0.0), Value(1.0), Value(0.0), Value(0.0)]
    loss = -ag.dot(y, ag.log_softmax(model(x)))
    program = compile(loss, [x, y], model.parameters())
    check(loss, program, [[[0.5, -1.0, 2.0]], [[0.0, 1.0, 0.0, 0.0]]], model.parameters())
    assert program.report().each == ()


# ---- second derivatives ----------------------------------------------------------------------------------------------


@given(st.randoms(use_true_random=False), st.sampled_from(["mean", "sum"]))
def test_a_hessian_times_a_vector(rng, reduce):
    loss, arrays, parameters = random_network(rng)
    inputs = [Value(0.3) for _ in arrays[0].T], Value(0.2), [Value(1.0) for _ in arrays[2].T]
    program = compile(loss(*inputs), inputs, parameters)
    vector = [rng.uniform(-1.0, 1.0) for _ in parameters]
    found = program.hessian_vector_product(vector, *arrays, reduce=reduce)

    def of_batch(numbers):
        parameters[:] = numbers  # the network looks them up there
        losses = [loss(*row) for row in zip(*[array.tolist() for array in arrays], strict=True)]
        return (ag.mean if reduce == "mean" else ag.sum)(losses)

    expected = ag.hvp(of_batch, ([p.data for p in parameters],), (vector,))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * max(map(abs, expected)))


def test_a_hessian_is_refused_where_a_gradient_is():
    w, x = Value(1.0), Value(1.0)
    program = compile(ag.log(w * x), [x], [w])
    with pytest.raises(ValueError, match="log") as error:
        program.hessian_vector_product([1.0], [1.0, -2.0])
    assert error.value.__notes__ == ["in example 1 of the batch"]
    flat = compile((w > x) + x, [x], [w])
    assert flat.hessian_vector_product([1.0], [1.0]) == 0.0
    with pytest.raises(TypeError, match="array 0: expected numbers"):
        flat.hessian_vector_product([1.0], "junk")
    with pytest.raises(ValueError, match='reduce is "mean" or "sum"'):
        flat.hessian_vector_product([1.0], [1.0], reduce="foo")


def test_a_hessian_that_is_0_and_vectors_that_do_not_fit():
    w, x = Value(2.0), Value(1.0)
    for output in (w, w * x, ag.relu(w), (w > x) + w):
        assert compile(output, [x], [w]).hessian_vector_product([3.0], [1.0, 4.0]) == 0.0
    program = compile(w**3 * x, [x], [w])
    assert program.hessian_vector_product([1.0], [1.0, 3.0]) == 24.0
    program.parameters[:] = 1.0
    assert program.hessian_vector_product([1.0], [1.0, 3.0]) == 12.0
    with pytest.raises(ValueError, match=r"vector: expected the shape \(1,\), got \(2,\)"):
        program.hessian_vector_product([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="array 0 has the shape"):
        program.hessian_vector_product([1.0], 1.0)
    with pytest.raises(ValueError, match="compile one Value, not a list"):
        compile([w * x], [x], [w]).hessian_vector_product([1.0], [1.0])


# ---- what is found ---------------------------------------------------------------------------------------------------


def calls(program, function: str) -> dict[str, list[str]]:
    """The lines of a program that call a function, of its values and of its reverse."""
    _, value, reverse = re.split(r"def (?:value|reverse)\(.*\):\n", str(program))
    return {
        "value": re.findall(rf"^.*\b{function}\(.*$", value, re.M),
        "reverse": re.findall(rf"^.*\b{function}\(.*$", reverse, re.M),
    }


def test_the_source_of_an_mlp_has_a_product_a_layer_forward_two_backward_and_no_copy():
    model, x, y, loss = mlp_loss([4, 8, 8, 1])
    program = compile(loss, [x, y], model.parameters())
    products = calls(program, "dot")
    assert len(products["value"]) == 3
    assert len([line for line in products["reverse"] if "ones" not in line]) == 3 + 2  # none for the input
    for function in ("take", "copyto", r"add\.at", "einsum"):
        assert calls(program, function) == {"value": [], "reverse": []}
    assert (program.report().products, program.report().copies) == (8, 0)
    assert "for " not in str(program)


def test_an_unrolled_loop_over_a_batch_is_the_same_program():
    rng = np.random.default_rng(0)
    parameters, loss = micrograd_loss([2, 8, 8, 1], rng.normal(size=(16, 2)).tolist(), rng.normal(size=16).tolist())
    program = compile(loss, [], parameters)
    products = calls(program, "dot")
    assert (len(products["value"]), len(products["reverse"])) == (3 + 1, 3 + 2)  # and the sum of squares
    assert program.report().copies == 0
    assert program.report().instructions[0] < 12


def test_the_names_are_those_of_the_model():
    model, x, y, loss = mlp_loss([2, 3, 1])
    text = str(compile(loss, [x, y], model.parameters()))
    assert "def value(x, y):" in text
    assert "w1.dot(x, out=sum1)" in text
    assert re.search(r"t\d\.dot\(x\.T, out=dw1\)", text)


def test_the_source_runs_by_itself():
    model, x, y, loss = mlp_loss([2, 3, 1])
    program = compile(loss, [x, y], model.parameters())
    gradient = np.zeros_like(program.parameters)
    names = {"parameters": program.parameters, "gradient": gradient, "B": 1, "dtype": float}
    exec(str(program), names)
    xs, ys = np.array([[0.5], [-0.5]]), np.array([[1.0]])
    value, expected = program.value_and_grad(xs.T, ys[0])
    assert names["value"](xs, ys).item() == value
    names["reverse"](xs, ys, 1.0)
    assert np.array_equal(gradient, expected)


def test_the_source_runs_with_its_constants(own_operations):
    slow = ag.operation("slow", lambda x: float(repr(x)), lambda x, out: 1.0 + 0.0 * x)
    parameters, loss = micrograd_loss([2, 3, 1], [[0.5, 1.0], [-1.0, 2.0]], [1.0, -1.0])
    loss = slow(loss) + ag.erf(loss)
    program = compile(loss, [], parameters)
    names = {"parameters": program.parameters, "gradient": np.zeros_like(program.parameters), "B": 1, "dtype": float}
    names |= program.constants
    exec(str(program), names)
    for name in program.constants:
        assert name in str(program).partition("from numpy")[0]
    assert names["value"]().item() == program.value_and_grad()[0]
    assert near(program.value_and_grad()[0], loss.data)


def test_derivatives_of_saturated_units_keep_their_digits():
    w, x = Value(1.0, "w"), Value(0.5, "x")
    for activation in (ag.tanh, ag.sigmoid):
        program = compile(activation(w * x), [x], [w])
        assert "if not t" in str(program)
        for x0 in (0.5, 20.0, -20.0, 300.0):
            w_alone = Value(1.0)
            activation(w_alone * x0).backward()
            assert near(program.value_and_grad([x0])[1][0], w_alone.grad)


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_of_the_users_names_is_in_the_source_but_identifiers(name, other):
    x, w = Value(0.5, name), [Value(0.1, f"{other}{i}") for i in range(2)]
    program = compile(ag.tanh(ag.dot(w, [x, x * x])), [x], w)
    tree = ast.parse(str(program))
    called = {ast.unparse(node.func).rpartition(".")[2] for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert called <= {
        *["absolute", "add", "copyto", "empty", "exp", "full", "multiply", "subtract", "take", "tanh"],  # NumPy's
        *["argmin", "dot", "flatnonzero", "item", "reduce", "reshape", "tanh_derivative"],
    }
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert [node.module for node in imports] == ["numpy"]
    assert program([0.5]).shape == (1,)


# ---- calling ---------------------------------------------------------------------------------------------------------


def test_batches_of_any_size():
    model, x, y, loss = mlp_loss([2, 3, 1])
    program = compile(loss, [x, y], model.parameters())
    rng = np.random.default_rng(0)
    xs, ys = rng.normal(size=(9, 2)), rng.normal(size=9)
    every = program(xs, ys)
    for batch in (0, 1, 2, 9, 3, 0):
        assert program(xs[:batch], ys[:batch]).shape == (batch,)
        assert np.allclose(program(xs[:batch], ys[:batch]), every[:batch], rtol=1e-13, atol=0)
        total, gradient = program.value_and_grad(xs[:batch], ys[:batch], reduce="sum")
        assert total == pytest.approx(every[:batch].sum(), rel=1e-13)
        if batch:
            value, mean = program.value_and_grad(xs[:batch], ys[:batch])
            assert value == pytest.approx(total / batch, rel=1e-13)
            assert np.allclose(mean * batch, gradient, rtol=1e-12, atol=1e-15)
    assert not program.value_and_grad(xs[:0], ys[:0])[1].any()


def test_float32():
    model, x, y, loss = mlp_loss([2, 3, 1])
    program = compile(loss, [x, y], model.parameters(), dtype="float32")
    value, gradient = program.value_and_grad([[0.0, 0.1]], [0.3])
    loss.backward()
    assert gradient.dtype == program.parameters.dtype == program([[0.0, 0.1]], [0.3]).dtype == np.float32
    assert value == pytest.approx(loss.data, rel=1e-5)
    assert gradient.tolist() == pytest.approx([p.grad for p in model.parameters()], rel=1e-4, abs=1e-6)


def test_parameters_are_loaded_and_stored():
    w, x = Value(2.0, "w"), Value(1.0)
    program = compile(w * x, [x], [w])
    program.parameters *= 2.0
    assert (program([3.0])[0], w.data) == (12.0, 2.0)
    program.store()
    assert w.data == 4.0
    w.data = 5.0
    program.load()
    assert program([3.0])[0] == 15.0


def test_a_gradient_is_written_where_one_wants_it():
    model, x, y, loss = mlp_loss([2, 3, 1])
    program = compile(loss, [x, y], model.parameters())
    rng = np.random.default_rng(0)
    mine, other = np.empty(13), np.empty(13)
    for batch, out in ((3, mine), (3, None), (2, mine), (3, mine), (0, mine), (3, other)):
        arrays = rng.normal(size=(batch, 2)), rng.normal(size=batch)
        expected = compile(loss, [x, y], model.parameters()).value_and_grad(*arrays)
        value, gradient = program.value_and_grad(*arrays, out=out)
        assert out is None or gradient is out
        assert (value, gradient.tolist()) == (expected[0], expected[1].tolist())
    kept = program.value_and_grad(*arrays)[1]
    before = kept.copy()
    program.value_and_grad(rng.normal(size=(1, 2)), [1.0])
    assert np.array_equal(kept, before)  # nobody else writes into it
    other.flags.writeable = False
    with pytest.raises(ValueError, match="that can be written"):
        program.value_and_grad(*arrays, out=other)
    for wrong in ([0.0] * 13, np.empty(13, "float32")):
        with pytest.raises(TypeError, match="out is an array of float64"):
            program.value_and_grad(*arrays, out=wrong)
    with pytest.raises(ValueError, match="out is the memory of the parameters"):
        program.value_and_grad(*arrays, out=program.parameters)
    for wrong in (np.empty(12), np.empty((13, 1)), np.empty(26)[::2], np.broadcast_to(0.0, 13)):
        with pytest.raises(ValueError, match=r"out has the shape \(13,\) in one piece"):
            program.value_and_grad(*arrays, out=wrong)


def test_copies_have_memory_of_their_own(own_operations):
    w, x = Value(2.0, "w"), Value(1.0)
    program = compile([ag.tanh(w) * x, w], [x], [w])
    program([1.0])
    program.parameters[:] = 3.0
    for again in (copy.deepcopy(program), copy.copy(program), pickle.loads(pickle.dumps(program))):
        assert again.parameters.tolist() == [3.0]
        again.parameters[:] = 7.0
        assert again([1.0]).tolist() == [[math.tanh(7.0), 7.0]]
        assert program([1.0]).tolist() == [[math.tanh(3.0), 3.0]]


def test_memory_is_freed_at_once():
    model, x, y, loss = mlp_loss([2, 3, 1])
    program = compile(loss, [x, y], model.parameters())
    program.value_and_grad(np.ones((3, 2)), np.ones(3))
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for batch in range(1, 50):
            program.value_and_grad(np.ones((batch, 2)), np.ones(batch))
        few = len(gc.get_objects())
        del program
        assert len(gc.get_objects()) < few < before + 1000
    finally:
        gc.enable()


def test_threads_wait_for_each_other():
    model, x, y, loss = mlp_loss([2, 8, 1])
    program = compile(loss, [x, y], model.parameters())
    rng = np.random.default_rng(0)
    batches = [(rng.normal(size=(n, 2)), rng.normal(size=n)) for n in (3, 4, 5, 6)]
    expected = [program.value_and_grad(*batch) for batch in batches]
    wrong = []

    def run(batch, value, gradient):
        for _ in range(200):
            program(*[array.tolist() for array in batch])
            found = program.value_and_grad(*batch)
            if found[0] != value or not np.array_equal(found[1], gradient):
                wrong.append(found)
                return

    threads = [threading.Thread(target=run, args=(b, *e)) for b, e in zip(batches, expected, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_report_says_how_much_memory_there_is():
    model, x, y, loss = mlp_loss([3, 16, 8, 1])
    program = compile(loss, [x, y], model.parameters())
    batch = 50
    program.value_and_grad(np.ones((batch, 3)), np.ones(batch))
    arrays = [each for each in vars(program._made[batch])["_names"].values() if isinstance(each, np.ndarray)]
    owned = {id(each): each for each in arrays if each.base is None}
    assert program.report().bytes(batch) == builtins.sum(each.nbytes for each in owned.values())
    assert max(each.size for each in owned.values()) == 16 * batch  # the widest layer


def test_parameters_that_are_assigned_are_copied_in():
    w, x = Value(2.0, "w"), Value(1.0)
    program = compile(w * x, [x], [w])
    vector = np.array([3.0])
    program.parameters = vector
    vector[0] = 9.0
    assert program([2.0])[0] == 6.0
    program.parameters += 1.0
    assert program([2.0])[0] == 8.0
    for wrong, error in (([1.0, 2.0], ValueError), (["1"], TypeError), ([1j], TypeError), (1.0, ValueError)):
        with pytest.raises(error, match="parameters"):
            program.parameters = wrong
    assert program.parameters.tolist() == [4.0]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_arrays_of_any_make(dtype):
    model, x, y, loss = mlp_loss([3, 2, 1])
    program = compile(loss, [x, y], model.parameters(), dtype)
    xs, ys = np.arange(12.0).reshape(4, 3) / 8, np.arange(4.0) / 8  # exact in either
    expected = program.value_and_grad(xs, ys)
    read_only = xs.copy()
    read_only.flags.writeable = False
    for same in (np.asfortranarray(xs), np.repeat(xs, 2, axis=0)[::2], read_only, xs.tolist(), xs.astype("float32")):
        value, gradient = program.value_and_grad(same, ys.tolist())
        assert value == pytest.approx(expected[0], rel=1e-6)
        assert gradient.tolist() == pytest.approx(expected[1].tolist(), rel=1e-4, abs=1e-6)
    whole = (xs * 8).astype(int)
    assert program(whole, ys).tolist() == program(whole.astype(dtype), ys).tolist()


def test_an_operation_of_ones_own_compiles(own_operations):
    cube = ag.operation("cube", lambda x: x * x * x if x > 0 else 0.0, lambda x, out: 3 * x**2 * (x > 0))
    slow = ag.operation("slow", lambda x: float(repr(x)), lambda x, out: 1.0 + 0.0 * x)
    w, x = Value(2.0, "w"), Value(1.0)
    quick = compile(cube(w * x), [x], [w])
    assert quick.report().each == ()
    assert quick([1.0, -1.0]).tolist() == [8.0, 0.0]
    called = compile(slow(w * x), [x], [w])
    assert called.report().each == ("slow",)
    assert "slow for each number" in str(called.report())
    value, gradient = called.value_and_grad([1.0, 3.0])
    assert (value, gradient.tolist()) == (4.0, [2.0])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_nothing_arrives_at_a_branch_that_is_not_taken(backend, reduce):
    w, z = Value(2.0, "w"), Value(1.0, "z")
    points = [4.0, 0.0, 1.0, 0.0]
    for f in (
        lambda z: ag.where(z > 0, ag.sqrt(w * z), w),
        lambda z: ag.where(z > 0, (w * z) ** 0.5, w) * w,
        lambda z: ag.where(z > 0, ag.sqrt(w * z), 0.0) + w,
    ):
        batched = compile(f(z), [z], [w], backend=backend)
        value, gradient = batched.value_and_grad(points, reduce=reduce)
        loss = (ag.mean if reduce == "mean" else ag.sum)([f(x) for x in points])
        w.zero_grad()
        loss.backward()
        assert near(value, loss.data)
        assert near(gradient.item(), w.grad)
        assert near(compile(loss, [], [w], backend=backend).value_and_grad()[1].item(), w.grad)
        assert math.isfinite(batched.value_and_grad([0.0])[1].item())


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_whole_numbers_and_truths_in_an_operation_are_numbers(own_operations, backend, dtype):
    w, x = Value(1.0), Value(0.5)
    forwards = [
        lambda x: x * 10**30,
        lambda x: 2 * x + 1,
        lambda x: x * True,
        lambda x: x * np.float64(3.0),
        lambda x: float(math.isinf(x)) + 3 * float(math.isnan(x)) + float(math.isfinite(x)),
        lambda x: x - math.floor(x),
        lambda x: x**3,
    ]
    for i, forward in enumerate(forwards):
        op = ag.operation(f"whole{i}", forward, lambda x, out: 1.0 + 0.0 * x)
        program = compile(op(w * x), [x], [w], dtype, backend)
        assert program.report().each == ()
        points = np.array([0.5, -1.25, 7.0])
        np.testing.assert_allclose(program(points), [forward(z) for z in points.tolist()], rtol=1e-6)
    op = ag.operation("infinite", lambda x: float(math.isinf(x)), lambda x, out: 1.0 + 0.0 * x)
    program = compile(op(w * x), [x], [w], dtype, backend)
    assert program([math.inf, -math.inf, 0.5]).tolist() == [1.0, 1.0, 0.0]


def test_what_is_not_finite_raises_what_the_graph_raises():
    w, x = Value(2.0, "w"), Value(1.0, "x")
    program = compile(ag.log(w * x), [x], [w])
    with pytest.raises(ValueError, match=r"log\(-2\.0\): not defined there"):
        program([1.0, -1.0])
    with pytest.raises(ValueError, match=r"log\(-2\.0\): not defined there"):
        program.value_and_grad([1.0, -1.0])
    with pytest.raises(ValueError, match="log") as caught:
        program([1.0, 1.0, -1.0])
    assert caught.value.__notes__ == ["in example 2 of the batch"]
    with pytest.raises(OverflowError, match=r"exp\(2000\.0\): the result is too large"):
        compile(ag.exp(w * x), [x], [w])([1000.0])
    assert math.isnan(program([math.nan])[0])
    with pytest.raises(ValueError, match=r"log\(-4\.0\)"):  # the first that is wrong by itself
        program([1.0, math.nan, -2.0, -1.0])


def test_a_gradient_that_is_not_finite_is_what_the_graph_has(own_operations):
    w, x = Value(1.0, "w"), Value(1.0, "x")
    assert compile(ag.sqrt(w + x), [x], [w]).value_and_grad([0.0, -1.0])[1].tolist() == [math.inf]
    large = compile(1e200 * w * x, [x], [w])
    assert large.value_and_grad([1.0]) == (1e200, np.array([1e200]))  # its square is not finite, and it is
    slow = ag.operation("slow", lambda x: math.lgamma(float(x)), lambda x, out: 1.0 + 0.0 * x)
    with pytest.raises(ValueError, match=r"slow\(-1\.0\): not defined there"):
        compile(slow(w * x), [x], [w])([1.0, -1.0])
    steep = ag.operation("steep", lambda x: 1.0, lambda x, out: 1 / x)
    program = compile(steep(w * x), [x], [w])
    with pytest.raises(ZeroDivisionError, match=r"the local derivative of steep\(0\.0\) failed"):
        program.value_and_grad([1.0, 2.0, 0.0])


# ---- what is refused -------------------------------------------------------------------------------------------------

X, W = Value(1.0, "x"), Value(2.0, "w")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3.0, [], []), TypeError, "output"),
        (([], [], []), ValueError, "got none"),
        ((W * X, [W * X], [W]), ValueError, r"inputs\[0\]: expected a leaf, got the result of 'mul'"),
        ((W * X, [X], [W + 1]), ValueError, "parameters: expected a leaf, got the result of 'add'"),
        ((W * X, [1.0], [W]), TypeError, "inputs"),
        ((W * X, [X, X], [W]), ValueError, "there already"),
        ((W * X, [X], [X, W]), ValueError, "there already"),
        ((W * X, [X], [W], "int32"), ValueError, "dtype is float64 or float32, got 'int32'"),
    ],
)
def test_what_cannot_be_compiled_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        compile(*arguments)


@pytest.mark.parametrize(
    ("arrays", "error", "message"),
    [
        ([], TypeError, "takes 2 arrays, one for each input, got 0"),
        ([[1.0]], TypeError, "takes 2 arrays, one for each input, got 1"),
        ([[[1.0]], [[1.0, 2.0]]], ValueError, r"array 0 has the shape \(B,\) for a batch of B examples, got \(1, 1\)"),
        ([[1.0], [[1.0]]], ValueError, r"array 1 has the shape \(B, 2\) for a batch of B examples, got \(1, 1\)"),
        ([1.0, [[1.0, 2.0]]], ValueError, r"array 0 has the shape \(B,\)"),
        ([[1.0], [[1.0, 2.0]] * 2], ValueError, "array 1 is of 2 examples, those before it of 1"),
        ([["a"], [[1.0, 2.0]]], TypeError, "array 0: expected numbers"),
        ([["1"], [[1.0, 2.0]]], TypeError, "array 0: expected numbers"),
        ([[None], [[1.0, 2.0]]], TypeError, "array 0: expected numbers"),
        ([[10**400], [[1.0, 2.0]]], TypeError, "array 0: expected numbers"),
        ([[1j], [[1.0, 2.0]]], TypeError, "array 0: expected numbers"),
        ([[[1.0], [1.0, 2.0]], [[1.0, 2.0]]], TypeError, "array 0: expected numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_named(arrays, error, message):
    x, ys = Value(1.0), [Value(1.0), Value(2.0)]
    program = compile(W * x * ag.dot(ys, ys), [x, ys], [W])
    with pytest.raises(error, match=message):
        program(*arrays)
    with pytest.raises(error, match=message):
        program.value_and_grad(*arrays)


def test_gradients_that_there_are_not():
    x, other = Value(1.0), Value(1.0)
    with pytest.raises(ValueError, match="depends on none of the 1 parameters"):
        compile(x * x, [x], [other])
    with pytest.raises(ValueError, match="no parameters: give them to compile"):
        compile(x * x, [x]).value_and_grad([1.0])
    with pytest.raises(ValueError, match="compile one Value, not a list"):
        compile([W * x], [x], [W]).value_and_grad([1.0])
    with pytest.raises(ValueError, match='reduce is "mean" or "sum", got \'max\''):
        compile(W * x, [x], [W]).value_and_grad([1.0], reduce="max")
