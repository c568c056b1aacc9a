"""Exports: PyTorch and ONNX compute what the model computes, under the same names."""

import copy
import importlib
import io
import math
import pickle
import sys

import numpy as np
import pytest
from browser import missing
from graphs import python
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import OPS, Value, derivative, dot
from nn import MLP, Activation, BatchNorm, Dropout, Layer, Module, Neuron, Sequential
from nn.exports.chain import chain
from nn.exports.formulas import FORMULAS
from nn.exports.onnx import OPERATORS
from nn.exports.pytorch import FUNCTIONAL, TORCH
from nn.tensors import flatten

ACTIVATIONS = [name for name, op in OPS.items() if op.arity == 1]
EXPORTED = {*TORCH, *FUNCTIONAL, *OPERATORS, *FORMULAS}
POINTS = sorted(
    {
        *np.linspace(-0.98, 0.98, 15).tolist(),
        *np.linspace(-6.0, 6.0, 31).tolist(),
        *(sign * x for sign in (-1, 1) for x in (0.0, 1e-300, 1e-12, 1e-5, 2.0, 9.0, 20.0, 22.0, 27.0, 37.0, 80.0)),
    }
)
FAR = [-1000.0, -700.0, -300.0, 300.0, 700.0, 1000.0]


def imported(name, extra):
    """A library that the tests need; without it they skip, or in CI fail."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return missing(f"{name} is not installed (pip install -e '.[{extra}]')")


@pytest.fixture(scope="module")
def torch():
    torch = imported("torch", "torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # for so few numbers others would only wait
    yield torch
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def onnx():
    return imported("onnx", "onnx")


@pytest.fixture(scope="module")
def run(onnx):
    """What onnxruntime computes of a sound ONNX model."""
    onnxruntime = imported("onnxruntime", "onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1

    def run(exported, xs):
        onnx.checker.check_model(exported, full_check=True)
        session = onnxruntime.InferenceSession(exported.SerializeToString(), options)
        return session.run(["y"], {"x": xs})[0]

    return run


# ---- models, and what they compute -----------------------------------------------------------------------------------


@st.composite
def models(draw, smooth=False):
    """Any model that can be exported, of random numbers, in training or in evaluation, layer by layer."""
    names = ["tanh", "sigmoid", "softplus", "gelu", "sin", None] + ([] if smooth else ["relu", "leaky_relu"])
    seed = draw(st.integers(0, 99))
    width = draw(st.integers(1, 3))
    layers = []
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["layer", "layer", "neuron", "norm", "dropout", "activation", "nested"]))
        name = draw(st.sampled_from(names))
        if kind == "layer":
            n_out = draw(st.integers(1, 3))
            layers.append(Layer(width, n_out, name, seed=seed))
            width = n_out
        elif kind == "neuron":
            layers.append(Neuron(width, name, seed=seed))
            width = 1
        elif kind == "nested":
            layers.append(MLP(width, [2, width], name, seed=seed, batch_norm=draw(st.booleans())))
        else:
            layers.append({"norm": BatchNorm(width), "dropout": Dropout(0.5), "activation": Activation(name)}[kind])
    model = layers[0] if len(layers) == 1 else Sequential(*layers)
    for norm in model.modules():
        if isinstance(norm, BatchNorm):
            norm.epsilon = 0.25  # with 1e-5, features that hardly vary lose the digits that are to be compared
    rng = np.random.default_rng(seed)
    state = {name: rng.uniform(0.2, 1.5, np.shape(x)).tolist() for name, x in model.state_dict().items()}
    model.load_state_dict({name: 3.0 if name.endswith("tracked") else x for name, x in state.items()})
    return model.train(draw(st.booleans()))


def samples(model, count=4, seed=0):
    """A batch that the model takes, shape (count, n_in)."""
    widths = [width for link in chain(model) for width in (link.n_in, link.n_out) if width]
    return np.random.default_rng(seed).normal(size=(count, widths[0] if widths else 3))


def array(outputs):
    """What a model gives for a batch, as an array of floats."""
    return np.array([[float(x) for x in each] if isinstance(each, list) else float(each) for each in outputs])


def same_to(digits, found, expected):
    """Whether two arrays agree, by the size of the numbers that are expected, or of 1 if they are smaller."""
    assert found.shape == expected.shape
    assert np.isfinite(expected).all()
    return np.abs(found - expected).max(initial=0.0) <= digits * max(1.0, np.abs(expected).max(initial=0.0))


def without_chance(model):
    """The model, where Dropout does not draw: in evaluation, the others as they are."""
    for module in model.modules():
        if isinstance(module, Dropout):
            module.eval()
    return model


def points(name, most=math.inf, dtype=float):
    """Numbers up to some size at which an operation is defined, its values and its slopes there, shapes (n, 1)."""
    op, rows = OPS[name], []
    for x in np.array([*POINTS, *FAR]).astype(dtype).tolist():
        if abs(x) <= most:
            try:
                rows.append((x, op(x), derivative(op)(x)))
            except (ValueError, ArithmeticError):
                continue
    return np.array(rows).T[:, :, None]


def close_to(digits, found, xs, ys, slopes):
    """Whether values agree, each by its own size, or within what 4 ULP of the input do to it.

    In single precision those below 1 by that of 1: its operators lose the digits of tails.
    """
    sizes = np.abs(ys) if found.dtype == np.float64 else np.maximum(1.0, np.abs(ys))
    with np.errstate(invalid="ignore"):
        conditioned = np.nan_to_num(np.abs(xs * slopes), nan=0.0, posinf=0.0)
    return bool((np.abs(found - ys) <= digits * sizes + 4 * np.finfo(found.dtype).eps * conditioned).all())


def refused(name, export):
    """Whether an operation, a row that was added, has no counterpart, so that it must be refused by name."""
    if name in EXPORTED:
        return False
    with pytest.raises(ValueError, match=f"has no counterpart of the operation '{name}'"):
        export(Activation(name))
    return True


# ---- PyTorch ---------------------------------------------------------------------------------------------------------


@given(model=models())
def test_pytorch_computes_what_the_model_computes(torch, model):
    without_chance(model)
    xs = samples(model)
    net = nn.to_torch(model)
    expected = array(model.batch(xs.tolist()))
    found = net(torch.tensor(xs))
    assert found.dtype == torch.float64
    assert same_to(1e-12, found.detach().numpy(), expected)
    # and the running statistics have followed alike
    assert_states_agree(net, model)


def assert_states_agree(net, model, digits=1e-12):
    state = net.state_dict()
    assert state.keys() == model.state_dict().keys()
    for name, tensor in model.state_dict().items():
        assert same_to(digits, state[name].double().numpy(), np.array(tensor)), name


@given(model=models(smooth=True))
def test_pytorchs_gradients_are_the_graphs(torch, model):
    without_chance(model)
    xs = samples(model)
    net = nn.to_torch(model)
    outputs = [x for _, x in flatten(model.batch(xs.tolist()))]
    weights = np.random.default_rng(1).normal(size=len(outputs)).tolist()
    if not any(isinstance(x, Value) for x in outputs):
        return  # there is nothing to learn in it
    dot(weights, outputs).backward()
    inputs = torch.tensor(xs, requires_grad=True)
    (net(inputs).flatten() * torch.tensor(weights, dtype=torch.float64)).sum().backward()
    found = {name: parameter.grad.numpy() for name, parameter in net.named_parameters()}
    expected = {name: _grads(tensor) for name, tensor in model.tensors().items()}
    assert found.keys() == expected.keys()
    size = max(np.abs(each).max() for each in expected.values())
    for name, gradient in expected.items():
        assert found[name].shape == gradient.shape
        assert np.abs(found[name] - gradient).max() <= 1e-12 * max(size, 1.0)


def _grads(tensor):
    return np.array([_grads(part) for part in tensor]) if isinstance(tensor, list) else np.array(tensor.grad)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_pytorch_has_every_activation_with_its_slope(torch, name):
    if refused(name, nn.to_torch):
        return
    xs, ys, slopes = points(name)
    inputs = torch.tensor(xs, requires_grad=True)
    outputs = nn.to_torch(Activation(name))(inputs)
    assert close_to(1e-12, outputs.detach().numpy(), xs, ys, slopes)
    outputs.sum().backward()
    found = inputs.grad.numpy()
    with np.errstate(invalid="ignore"):  # inf, where it is inf
        assert ((np.abs(found - slopes) <= 1e-12 * np.maximum(1.0, np.abs(slopes))) | (found == slopes)).all()


@pytest.mark.parametrize(("batch_norm", "momentum"), [(False, 0.0), (True, 0.0), (True, 0.9)])
def test_training_in_pytorch_takes_the_same_steps(torch, batch_norm, momentum):
    model = MLP(2, [4, 3, 1], "gelu", seed=3, batch_norm=batch_norm)
    net = nn.to_torch(model)
    ours = nn.optim.SGD(model.parameters(), 0.05, momentum)
    theirs = torch.optim.SGD(net.parameters(), 0.05, momentum)
    rng = np.random.default_rng(0)
    for _ in range(20):
        xs, ys = rng.normal(size=(5, 2)), rng.normal(size=5)
        loss = nn.losses.mse(model.batch(xs.tolist()), ys.tolist())
        ours.zero_grad()
        loss.backward()
        ours.step()
        theirs.zero_grad()
        torch.nn.functional.mse_loss(net(torch.tensor(xs)), torch.tensor(ys)).backward()
        theirs.step()
    assert_states_agree(net, model)
    xs = rng.normal(size=(6, 2))
    model.eval(), net.eval()
    assert same_to(1e-12, net(torch.tensor(xs)).detach().numpy(), array(model.batch(xs.tolist())))


def test_weights_go_to_pytorch_and_back_by_files(torch, tmp_path):
    safetensors = importlib.import_module("safetensors.torch")
    model, other = (MLP(2, [3, 2], batch_norm=True, seed=seed) for seed in (1, 2))
    model.batch([[1.0, 2.0], [3.0, 5.0]])  # so that its statistics are no longer those of the beginning
    model.save(tmp_path / "ours.safetensors")
    net = nn.to_torch(other)
    assert net.load_state_dict(safetensors.load_file(tmp_path / "ours.safetensors"))  # strictly
    assert_states_agree(net, model, digits=0.0)
    safetensors.save_file(net.state_dict(), tmp_path / "theirs.safetensors")
    other.load(tmp_path / "theirs.safetensors")
    assert other.state_dict() == model.state_dict()


def test_single_precision_comes_back_too(torch, tmp_path):
    model = MLP(2, [3, 1], seed=1)
    net = nn.to_torch(model).float()
    importlib.import_module("safetensors.torch").save_file(net.state_dict(), tmp_path / "single.safetensors")
    expected = {name: np.float32(x).astype(float).tolist() for name, x in model.state_dict().items()}
    model.load(tmp_path / "single.safetensors")
    assert model.state_dict() == expected


def test_pytorch_has_the_mode_of_each_layer(torch):
    model = Sequential(Layer(2, 3), BatchNorm(3), Dropout(0.5), Layer(3, 1)).eval()
    model.layers[2].train()
    net = nn.to_torch(model)
    assert [net.get_submodule(f"layers.{i}").training for i in range(4)] == [False, False, True, False]
    assert not net.training
    net.train()
    assert all(module.training for module in net.modules())
    assert nn.to_torch(Dropout(0.5).eval()).training is False


def test_dropout_draws_in_pytorchs_training(torch):
    net = nn.to_torch(Sequential(Dropout(0.25)))
    outputs = net(torch.ones(100, 100, dtype=torch.float64))
    assert set(outputs.flatten().tolist()) == {0.0, 1.0 / 0.75}
    assert 2500 - 300 < (outputs == 0).sum() < 2500 + 300  # the standard deviation is 43


def test_exporting_changes_neither_the_model_nor_what_pytorch_draws(torch):
    model = MLP(2, [3, 1], batch_norm=True, dropout=0.5, seed=1)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    before = model.state_dict()
    net = nn.to_torch(model)
    assert torch.equal(torch.rand(3), expected)
    net(torch.ones(4, 2, dtype=torch.float64)).sum().backward()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(1.0)
    assert model.state_dict() == before
    assert model.training
    assert not any(p.has_grad for p in model.parameters())


def test_the_source_is_shown(torch):
    code = nn.to_torch(MLP(2, [3, 1], "tanh", seed=1)).code
    for line in ('getattr(self.layers, "0")(x)', "torch.tanh(", 'getattr(self.layers, "1")(tanh)', ".squeeze(-1)"):
        assert line in code


def test_the_module_is_copied_and_pickled_and_then_needs_nothing_of_ours(torch):
    needed = set()

    class Unpickler(pickle.Unpickler):
        def find_class(self, module, name):
            needed.add(module.partition(".")[0])
            return super().find_class(module, name)

    net = nn.to_torch(Sequential(MLP(2, [3, 1], "gelu", batch_norm=True, dropout=0.5), Neuron(1, "silu_derivative")))
    net.eval()
    xs = torch.tensor([[0.5, -1.0], [2.0, 3.0]], dtype=torch.float64)
    again = Unpickler(io.BytesIO(pickle.dumps(net))).load()
    assert torch.equal(again(xs), net(xs))
    assert needed <= {"torch", "builtins", "collections"}
    assert torch.equal(copy.deepcopy(net)(xs), net(xs))


def test_a_layer_in_two_places_is_one_in_pytorch_too(torch):
    twice = Layer(2, 2, "tanh", seed=1)
    net = nn.to_torch(Sequential(twice, twice))
    assert list(net.state_dict()) == ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
    assert len(list(net.parameters())) == 2


def test_a_value_in_two_places_is_refused():
    model = MLP(2, [2, 1], seed=1)
    model.layers[1].neurons[0].b = model.layers[0].neurons[0].b
    with pytest.raises(ValueError, match="one Value is a parameter in two places"):
        nn.to_torch(model)


# ---- ONNX ------------------------------------------------------------------------------------------------------------


@given(model=models())
def test_onnx_computes_what_the_model_computes(run, model):
    training = [module.training for module in model.modules()]
    exported = nn.to_onnx(model)
    assert [module.training for module in model.modules()] == training
    xs = samples(model)
    found = run(exported, xs)
    assert found.dtype == np.float64
    assert same_to(1e-12, found, array(model.eval().batch(xs.tolist())))


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu", "sigmoid", "elu", "silu", "sin", None])
def test_onnx_computes_it_in_single_precision_too(run, activation, batch_norm):
    model = MLP(3, [16, 16, 2], activation, seed=1, batch_norm=batch_norm, dropout=0.2)
    # What is rounded before anything is computed is no error of the export.
    model.load_state_dict({name: np.float32(x).astype(float).tolist() for name, x in model.state_dict().items()})
    xs = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    found = run(nn.to_onnx(model, dtype="float32"), xs)
    assert found.dtype == np.float32
    assert same_to(1e-6, found, array(model.eval().batch(xs.astype(float).tolist())))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_onnx_has_every_activation(run, name):
    if refused(name, nn.to_onnx):
        return
    xs, ys, slopes = points(name)
    assert close_to(1e-12, run(nn.to_onnx(Activation(name)), xs), xs, ys, slopes)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_onnx_has_every_activation_in_single_precision(run, name):
    if refused(name, nn.to_onnx):
        return
    xs, ys, slopes = points(name, most=80.0, dtype=np.float32)
    found = run(nn.to_onnx(Activation(name), dtype="float32"), xs.astype(np.float32))
    assert close_to(1e-6, found, xs, ys, slopes)


@pytest.mark.parametrize(
    ("model", "n_in", "n_out"),
    [
        (MLP(2, [3, 1]), 2, None),
        (MLP(2, [3, 4]), 2, 4),
        (Neuron(3), 3, None),
        (Layer(3, 1), 3, None),
        (BatchNorm(1), 1, 1),
        (Sequential(Dropout(0.5), Layer(2, 1), Activation("tanh")), 2, 1),
        (Activation("tanh"), "n", "n"),
    ],
    ids=repr,
)
def test_the_shapes_of_input_and_output_are_said(onnx, model, n_in, n_out):
    graph = nn.to_onnx(model).graph

    def shape(info):
        return [each.dim_param or each.dim_value for each in info.type.tensor_type.shape.dim]

    assert [info.name for info in (*graph.input, *graph.output)] == ["x", "y"]
    assert shape(graph.input[0]) == ["B", n_in]
    assert shape(graph.output[0]) == (["B"] if n_out is None else ["B", n_out])


@given(model=models())
def test_initialisers_are_the_state_under_its_names(onnx, model):
    found = {each.name: onnx.numpy_helper.to_array(each) for each in nn.to_onnx(model).graph.initializer}
    expected = {name: x for name, x in model.state_dict().items() if not name.endswith("num_batches_tracked")}
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == np.float64
        assert found[name].tolist() == tensor


@pytest.mark.parametrize("count", [1, 7])
def test_a_batch_may_have_any_size(torch, run, count):
    for model in (MLP(2, [3, 1], "gelu", seed=1), Neuron(2, "asin"), BatchNorm(2)):
        model.eval()
        xs = np.full((count, 2), 0.25)
        expected = (count,) if not isinstance(model, BatchNorm) else (count, 2)
        assert run(nn.to_onnx(model), xs).shape == nn.to_torch(model)(torch.tensor(xs)).shape == expected


def test_the_file_is_what_is_returned(run, onnx, tmp_path):
    model = MLP(2, [3, 1], seed=1)
    exported = nn.to_onnx(model, tmp_path / "model.onnx")
    assert onnx.load(tmp_path / "model.onnx") == exported
    assert [each.name for each in tmp_path.iterdir()] == ["model.onnx"]


def test_a_file_that_cannot_be_written_is_named(onnx, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nn.to_onnx(Layer(1, 1), tmp_path / "nowhere" / "model.onnx")
    with pytest.raises(TypeError):
        nn.to_onnx(Layer(1, 1), 1)


@pytest.mark.parametrize("dtype", ["float16", "int64", "double", None, float])
def test_other_types_of_numbers_are_refused(dtype):
    with pytest.raises(ValueError, match=r"unknown dtype .*hoose one of: float64, float32"):
        nn.to_onnx(Layer(1, 1), dtype=dtype)


def test_a_number_too_large_for_single_precision_is_named(onnx):
    model = MLP(1, [1, 1], seed=1)
    model.layers[1].neurons[0].b.data = 1e39
    with pytest.raises(ValueError, match=r"layers\.1\.bias has a number that is too large for float32"):
        nn.to_onnx(model, dtype="float32")
    model.layers[1].neurons[0].b.data = math.inf  # which float32 has
    nn.to_onnx(model, dtype="float32")


# ---- what cannot be exported -----------------------------------------------------------------------------------------


class Own(Sequential):
    """A class of somebody's own, which may compute anything."""


class Twice(Neuron):
    """Likewise."""


def unlike():
    layer = Layer(2, 2, seed=1)
    layer.neurons[1].activation = "tanh"
    return layer


def with_more():
    model = MLP(2, [1], seed=1)
    model.temperature = Value(1.0)
    return model


def with_a_neuron_of_another_class():
    layer = Layer(2, 2, seed=1)
    layer.neurons = [Twice(2), Twice(2)]
    return layer


def with_a_function():
    model = Sequential(Layer(2, 2))
    model.layers.append(math.sin)
    return model


REFUSED = [
    (lambda: Own(Layer(2, 1)), TypeError, "it is made of Neuron, .* MLP; got a module of the class Own"),
    (lambda: Sequential(Layer(1, 1), Own(Layer(1, 1))), TypeError, r"layers\.1 is a module of the class Own"),
    (with_a_neuron_of_another_class, TypeError, "got a module of the class Twice"),
    (with_a_function, TypeError, r"layers\.1 is <built-in function sin>"),
    (Module, TypeError, "class Module"),
    (lambda: None, TypeError, "got None"),
    (lambda: MLP, TypeError, "got <class 'nn.networks.MLP'>"),
    (lambda: Sequential(Layer(2, 3), Layer(2, 1)), ValueError, r"layers\.1 takes 2 number\(s\), and gets 3"),
    (lambda: Sequential(Layer(2, 3), Dropout(), BatchNorm(2)), ValueError, r"layers\.2 takes 2 .*, and gets 3"),
    (lambda: Sequential(Sequential(Neuron(2)), Neuron(2)), ValueError, r"layers\.1 takes 2 .*, and gets 1"),
    (lambda: Sequential(unlike()), ValueError, r"the neurons of layers\.0 are not all alike"),
    (unlike, ValueError, "the neurons of the layer are not all alike"),
    (with_more, ValueError, "tensors that are of none of its layers: temperature"),
]


@pytest.mark.parametrize(("make", "error", "message"), REFUSED)
@pytest.mark.parametrize("export", [nn.to_torch, nn.to_onnx])
def test_what_has_no_counterpart_is_refused_by_name(export, make, error, message):
    with pytest.raises(error, match=message):
        export(make())


@pytest.mark.parametrize("export", [nn.to_torch, nn.to_onnx])
def test_an_operation_of_ones_own_is_refused_by_name(torch, onnx, own_operations, export):
    autograd.operation("cube", lambda x: x**3, lambda x, out: 3 * x**2, doc="x³.")
    for model in (Activation("cube"), Neuron(1, "cube"), MLP(1, [2, 1], "cube")):
        with pytest.raises(ValueError, match="has no counterpart of the operation 'cube'"):
            export(model)


@pytest.mark.parametrize(
    "name", ["tanh", "sigmoid", "softplus", "softsign", "relu", "leaky_relu", "elu", "silu", "gelu"]
)
def test_the_activations_of_networks_are_among_those_that_are_exported(name):
    assert name in EXPORTED


@pytest.mark.parametrize(
    ("export", "library", "message"),
    [
        (nn.to_torch, "torch", r"to_torch needs PyTorch: pip install 'chainrule\[torch\]'"),
        (nn.to_onnx, "onnx", r"to_onnx needs the package onnx: pip install 'chainrule\[onnx\]'"),
    ],
)
def test_a_missing_library_is_named(monkeypatch, export, library, message):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=message):
        export(MLP(1, [1]))


def test_importing_nn_loads_neither():
    run = python("import sys, nn; print({'torch', 'onnx', 'numpy'} & sys.modules.keys())")
    assert run.stdout == "set()\n"


# ---- formulas --------------------------------------------------------------------------------------------------------

IN_FLOATS = FORMULAS.keys() - {"asin", "acos", "atan", "erf", "erfc"}  # those are written with what only ONNX has


@pytest.mark.parametrize("name", sorted(IN_FLOATS))
@given(x=st.floats(-700.0, 700.0))
def test_formulas_are_right_to_the_last_digits(name, x):
    # By this package's own operations: so it is the formula that is tested, and no other library.
    op = OPS[name]
    lowest = op.domain[0][0]
    x = max(x, lowest + 2.0**-20)
    expected, slope = op(x), derivative(op)(x)
    found = FORMULAS[name](autograd, x)
    assert abs(found - expected) <= 1e-12 * abs(expected) + 8 * np.spacing(1.0) * abs(x * slope) + 1e-320
