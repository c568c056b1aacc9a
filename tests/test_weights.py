"""Weights on disk: what is saved is loaded, and what does not fit changes nothing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save, save_file

from nn import MLP
from nn.tensors import flatten
from nn.weights import load_tensors, save_tensors


def test_weights_go_round_bit_for_bit(tmp_path):
    one, other = MLP(2, [3, 1], seed=1), MLP(2, [3, 1], seed=2)
    one.save(tmp_path / "m.safetensors")
    other.load(tmp_path / "m.safetensors")
    assert [p.data for p in one.parameters()] == [p.data for p in other.parameters()]


def test_the_file_holds_pytorchs_names_and_shapes(tmp_path):
    MLP(2, [3, 1]).save(tmp_path / "m.safetensors")
    shapes = {name: tensor.shape for name, tensor in load_file(tmp_path / "m.safetensors").items()}
    assert shapes == {
        "layers.0.weight": (3, 2), "layers.0.bias": (3,), "layers.1.weight": (1, 3), "layers.1.bias": (1,),
    }  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [b"", b"not a safetensors file", b"\x80\x04N.", (10**6).to_bytes(8, "little") + b"{}"],
    ids=["empty", "text", "pickle", "short"],
)
def test_a_damaged_file_is_named_and_changes_nothing(tmp_path, content):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    model = MLP(1, [1])
    before = model.state_dict()
    with pytest.raises(ValueError, match="not a sound safetensors file"):
        model.load(path)
    assert model.state_dict() == before


def small() -> MLP:
    """A model with parameters and running statistics."""
    return MLP(1, [2, 1], seed=3, batch_norm=True)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The bytes of its file."""
    path = tmp_path_factory.mktemp("weights") / "sound.safetensors"
    small().save(path)
    return path.read_bytes()


def is_loaded_whole_or_not_at_all(path, content):
    """Whether a file of these bytes was loaded; if not, the error must name it, and the model be as before."""
    path.write_bytes(content)
    model = small()
    before = model.state_dict()
    try:
        model.load(path)
    except ValueError as error:
        assert str(path) in str(error)  # noqa: PT017  # it is loaded, or this
        assert model.state_dict() == before
        return False
    assert repr(model.state_dict()) == repr({name: load_tensors(path)[name] for name in before})  # nan is nan
    return True


def test_a_file_cut_short_anywhere_changes_nothing(tmp_path, sound):
    path = tmp_path / "m.safetensors"
    assert is_loaded_whole_or_not_at_all(path, sound)
    assert not any(is_loaded_whole_or_not_at_all(path, sound[:size]) for size in range(len(sound)))


@given(data=st.data())
def test_a_file_with_other_bytes_is_loaded_whole_or_not_at_all(tmp_path, sound, data):
    content = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        what = data.draw(st.sampled_from(["replace", "insert", "delete"]))
        content[place : place + (what != "insert")] = data.draw(st.binary(max_size=2)) if what != "delete" else b""
    is_loaded_whole_or_not_at_all(tmp_path / "m.safetensors", bytes(content))


@given(data=st.data())
def test_a_flipped_bit_of_a_number_changes_that_number_alone(tmp_path, sound, data):
    start = 8 + int.from_bytes(sound[:8], "little")  # the numbers begin after the header
    place, bit = data.draw(st.integers(start, len(sound) - 1)), data.draw(st.integers(0, 7))
    content = bytearray(sound)
    content[place] ^= 1 << bit
    path = tmp_path / "m.safetensors"
    assert is_loaded_whole_or_not_at_all(path, bytes(content))
    before, after = small().state_dict(), load_tensors(path)
    pairs = [zip(flatten(before[name]), flatten(after[name]), strict=True) for name in before]
    assert sum(repr(x) != repr(y) for each in pairs for x, y in each) == 1


def test_what_is_no_number_is_loaded_as_such(tmp_path):
    numbers = [math.nan, math.inf, -math.inf, -0.0, 5e-324]
    save_tensors({"a": numbers}, tmp_path / "m.safetensors")
    assert repr(load_tensors(tmp_path / "m.safetensors")["a"]) == repr(numbers)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.int64, np.bool_])
def test_real_numbers_of_any_type_are_taken(tmp_path, dtype):
    (tmp_path / "m.safetensors").write_bytes(save({"a": np.array([0, 1], dtype)}))
    assert load_tensors(tmp_path / "m.safetensors") == {"a": [0.0, 1.0]}


def test_numbers_of_other_types_are_refused_by_name(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(save({"a": np.array([1j], np.complex64)}))
    with pytest.raises(ValueError, match=r"m\.safetensors has numbers of the type complex64 in a"):
        load_tensors(path)
    header = b'{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\x80\x3f")
    with pytest.raises(ValueError, match=r"m\.safetensors has numbers of the type BF16: save them in float64"):
        load_tensors(path)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"weight": np.zeros((1, 1))}, "missing.*unknown weight"),
        ({"layers.0.weight": np.zeros((2, 1)), "layers.0.bias": np.zeros(1)}, r"shape \(1, 1\).*got \(2, 1\)"),
    ],
)
def test_a_file_of_another_model_is_named_and_changes_nothing(tmp_path, tensors, message):
    path = tmp_path / "other.safetensors"
    save_file(tensors, path)
    model = MLP(1, [1])
    before = model.state_dict()
    with pytest.raises(ValueError, match=message):
        model.load(path)
    assert model.state_dict() == before


def test_weights_in_single_precision_are_taken(tmp_path):
    path = tmp_path / "single.safetensors"
    save_file({"layers.0.weight": np.full((1, 1), 0.5, np.float32), "layers.0.bias": np.ones(1, np.float32)}, path)
    model = MLP(1, [1])
    model.load(path)
    assert [p.data for p in model.parameters()] == [0.5, 1.0]


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        MLP(1, [1]).load(tmp_path / "none.safetensors")


def test_a_save_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "m.safetensors"
    save_tensors({"a": [1.0]}, path)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save_tensors({"a": [2.0]}, path)
    assert load_file(path)["a"].tolist() == [1.0]
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]


def test_a_file_is_readable_like_any_other(tmp_path):
    (tmp_path / "other").write_text("")
    MLP(1, [1]).save(tmp_path / "m.safetensors")
    assert (tmp_path / "m.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        MLP(1, [1]).save(tmp_path / "nowhere" / "m.safetensors")


@pytest.mark.parametrize("wrong", [0, True, None, 1.5])
def test_a_path_is_no_number_of_an_open_file(wrong):
    model = MLP(1, [1], seed=0)
    for attempt in (model.save, model.load):
        with pytest.raises(TypeError):
            attempt(wrong)


@pytest.mark.parametrize("wrong", [1j, [1.0, 2j], "1", [None]])
def test_what_stands_for_a_number_is_one(tmp_path, wrong):
    with pytest.raises(TypeError, match="Cannot cast"):
        save_tensors({"weight": wrong}, tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", [None, [1.0], "weight"])
def test_tensors_are_saved_by_name(tmp_path, wrong):
    with pytest.raises(TypeError, match="by name, in a mapping, got"):
        save_tensors(wrong, tmp_path / "m.safetensors")
