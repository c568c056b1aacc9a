"""Modules: parameters, names, state, training and evaluation, batches; micrograd's conventions."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from nn import MLP, BatchNorm, Dropout, Layer, Module, Neuron, Sequential
from nn.modules import evaluating

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=3)


class Scaled(Module):
    """Parameters and modules in all places where they may be."""

    def __init__(self):
        self.scale = Value(2.0)
        self.table = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
        self.parts = [Neuron(1), (Neuron(2), BatchNorm(2))]
        self.head = Dropout(0.5)
        self.tied = self.scale
        self.same = self.head
        self.title = "no parameter"
        self.empty = []
        self._hidden = Value(5.0)
        self._hidden_module = Neuron(1)

    def __call__(self, x):
        """A number."""
        return self.scale * x


# ---- parameters and names --------------------------------------------------------------------------------------------


def test_a_module_finds_parameters_in_attributes_lists_and_modules():
    module = Scaled()
    assert list(module.tensors()) == [
        "scale", "table", "parts.0.weight", "parts.0.bias", "parts.1.0.weight", "parts.1.0.bias", "parts.1.1.weight",
        "parts.1.1.bias", "tied",
    ]  # fmt: skip
    assert len(module.parameters()) == 1 + 4 + 2 + 3 + 4  # the tied one once
    assert "14 parameters" in repr(module)


def test_each_parameter_has_the_index_in_its_tensor():
    module = Scaled()
    named = dict(module.named_parameters())
    assert list(named)[:5] == ["scale", "table[0][0]", "table[0][1]", "table[1][0]", "table[1][1]"]
    assert named["table[1][0]"] is module.table[1][0]
    assert list(named.values()) == module.parameters()


def test_one_parameter_is_one():
    class One(Module):
        def __init__(self):
            self.x = Value(1.0)

    assert repr(One()) == "One(1 parameter)"
    assert repr(Module()) == "Module(0 parameters)"


def test_modules_in_attributes_and_lists_are_children_and_those_inside_them_too_are_modules():
    module = Scaled()
    (first, (second, norm)), head = module.parts, module.head
    assert list(module.children()) == [
        ("parts.0", first), ("parts.1.0", second), ("parts.1.1", norm), ("head", head), ("same", head),
    ]  # fmt: skip
    assert module.modules() == [module, first, second, norm, head]  # each once
    assert Sequential(module).modules()[1:] == module.modules()


def test_a_module_that_knows_where_it_is_is_found_once():
    parent, child = Scaled(), Scaled()
    parent.child, child.parent = child, parent
    assert parent.modules().count(parent) == parent.modules().count(child) == 1
    assert not any(modes(parent.eval()))


def test_running_statistics_are_found_likewise():
    module = Scaled()
    assert list(module.buffers()) == [
        "parts.1.1.running_mean", "parts.1.1.running_var", "parts.1.1.num_batches_tracked",
    ]  # fmt: skip
    assert list(module.state_dict()) == [*module.tensors(), *module.buffers()]
    assert not {id(x) for x in module.parameters()} & {id(x) for x in module.buffers()["parts.1.1.running_mean"]}


def test_zero_grad_clears_the_parameters():
    model = MLP(2, [2, 1])
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad or p.has_grad for p in model.parameters())


def test_what_a_module_computes_each_says_by_itself():
    with pytest.raises(NotImplementedError):
        Module()(1.0)


# ---- state -----------------------------------------------------------------------------------------------------------


@given(n_in=st.integers(1, 3), n_outs=SIZES, batch_norm=st.booleans())
def test_a_state_dict_goes_round(n_in, n_outs, batch_norm):
    one, other = (MLP(n_in, n_outs, seed=seed, batch_norm=batch_norm) for seed in (1, 2))
    one.batch(np.random.default_rng(0).normal(size=(3, n_in)).tolist())
    state = one.state_dict()
    other.load_state_dict(state)
    assert other.state_dict() == one.state_dict() == state
    assert [p.data for p in one.parameters()] == [p.data for p in other.parameters()]


def test_a_state_is_numbers_not_parameters():
    model = MLP(1, [1], seed=1)
    state = model.state_dict()
    model.layers[0].neurons[0].b.data = 5.0
    assert state["layers.0.bias"] == [0.0]


def test_a_state_may_be_of_arrays():
    model, other = MLP(2, [3, 1], seed=1, batch_norm=True), MLP(2, [3, 1], seed=2, batch_norm=True)
    other.load_state_dict({name: np.array(tensor) for name, tensor in model.state_dict().items()})
    assert other.state_dict() == model.state_dict()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: s.pop("layers.0.bias"), ValueError, "missing layers.0.bias"),
        (lambda s: s.pop("layers.1.running_var"), ValueError, "missing layers.1.running_var"),
        (lambda s: s.update(extra=1.0), ValueError, "unknown extra"),
        (lambda s: s.update({"layers.3.bias": [1.0, 2.0]}), ValueError, r"shape \(1,\).*got \(2,\)"),
        (lambda s: s.update({"layers.1.running_mean": [1.0]}), ValueError, r"shape \(2,\).*got \(1,\)"),
        (lambda s: s.update({"layers.0.weight": [[1.0], [2.0, 3.0]]}), ValueError, "shape"),
        (lambda s: s.update({"layers.3.bias": ["nine"]}), TypeError, "real number"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, error, message):
    model = MLP(1, [2, 1], batch_norm=True)
    before = model.state_dict()
    state = MLP(1, [2, 1], seed=5, batch_norm=True).state_dict()
    change(state)
    with pytest.raises(error, match=message):
        model.load_state_dict(state)
    assert model.state_dict() == before


@pytest.mark.parametrize("wrong", [None, [1.0], "weight"])
def test_a_state_is_a_mapping(wrong):
    with pytest.raises(TypeError, match="a state is a mapping from names to tensors"):
        Neuron(1, seed=0).load_state_dict(wrong)


def test_a_model_is_pickled_with_its_mode_and_what_it_draws():
    model = MLP(2, [8, 1], seed=1, batch_norm=True, dropout=0.5)
    model.batch([[1.0, 2.0], [3.0, 5.0]])
    model.layers[3].eval()
    again = pickle.loads(pickle.dumps(model))
    assert again.state_dict() == model.state_dict()
    assert [module.training for module in again.modules()] == [module.training for module in model.modules()]
    assert again.layers[3].draw(9).tolist() == model.layers[3].draw(9).tolist()


# ---- training and evaluation -----------------------------------------------------------------------------------------


def modes(module):
    return [each.training for each in module.modules()]


def test_a_module_is_in_training_until_it_is_told():
    module = Scaled()
    assert all(modes(module))
    assert module.eval() is module
    assert not any(modes(module))
    assert module.train() is module
    assert all(modes(module))
    assert not any(modes(module.train(False)))
    assert Module.training  # of the class, which new ones have
    assert Scaled().training


def test_a_part_may_be_in_another_mode():
    model = Sequential(Layer(1, 2), Dropout(0.5), Layer(2, 1))
    model.layers[1].eval()
    assert model.training
    assert model([1.0]).data == model([1.0]).data


@pytest.mark.parametrize("wrong", [None, 1, 0, "eval", [True]])
def test_a_mode_is_true_or_false(wrong):
    module = Scaled()
    with pytest.raises(TypeError, match="a module is in training or not, True or False, got"):
        module.train(wrong)
    assert all(modes(module))


def test_a_model_is_in_evaluation_for_a_while():
    module = Scaled()
    module.head.eval()
    before = modes(module)
    with evaluating(module):
        assert not any(modes(module))
    assert modes(module) == before
    with pytest.raises(KeyError), evaluating(module):
        raise KeyError
    assert modes(module) == before
    with evaluating(len):  # a function has no mode
        pass


# ---- batches ---------------------------------------------------------------------------------------------------------


def test_a_batch_is_its_samples_one_by_one():
    module = Scaled()
    assert [each.data for each in module.batch([1.0, 2.0, -1.0])] == [2.0, 4.0, -2.0]
    assert module.batch([]) == []


def test_whoever_says_anew_what_is_done_with_a_sample_says_it_for_batches_too():
    class Negated(MLP):
        def __call__(self, x):
            return -super().__call__(x)

    class NegatedInBatches(MLP):
        def batch(self, xs):
            return [-out for out in super().batch(xs)]

    class Both(Negated):
        def batch(self, xs):
            return [0.0 for _ in xs]

    x, plain = [1.0, 2.0], MLP(2, [3, 1], seed=1)
    expected = plain(x).data
    for kind, alone, together in [
        (Negated, -expected, -expected), (NegatedInBatches, expected, -expected), (Both, -expected, 0.0),
    ]:  # fmt: skip
        model = kind(2, [3, 1], seed=1)
        assert model(x).data == alone
        assert [float(out) for out in model.batch([x])] == [together]
