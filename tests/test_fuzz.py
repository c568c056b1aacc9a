"""A slice of the fuzzer, which calls every public entry with what nobody should; and the fuzzer itself can fail."""

import pkgutil
from random import Random

import fuzzer
import numpy as np
import pytest
from fuzzer import Entry, Violation, entries, run, trial
from hypothesis import settings

import autograd
import nn
from autograd import Value


@pytest.fixture(autouse=True)
def _shared_generator():
    """Modules without a seed draw from one generator: the tests that come later find it as if this file were none."""
    before = nn.layers._shared.getstate()
    yield
    nn.layers._shared.setstate(before)


TRIALS = settings().max_examples // 4


def test_every_public_entry_returns_or_raises_what_it_says():
    found = [violation for entry in entries() for violation in run(entry, TRIALS)[1]]
    assert not found, "\n".join(found)


# ---- the fuzzer ------------------------------------------------------------------------------------------------------


def test_public_names_are_entries_because_they_are_there(monkeypatch):
    names = {entry.name for entry in entries()}
    assert {"autograd.grad", "autograd.dot", "Value.tanh", "autograd.Value", "autograd.Value.data set"} <= names
    assert {"autograd.Value.__radd__", "nn.MLP", "nn.optim.SGD.step", "nn.fit", "chainrule"} <= names
    assert {"nn.losses.huber", "nn.schedules.Cosine.__call__", "nn.augment.Shift", "nn.data.moons"} <= names

    def halved(data):
        return data / 2

    halved.__module__ = "autograd"
    monkeypatch.setattr(autograd, "halved", halved, raising=False)
    assert {entry.name for entry in entries()} - names == {"autograd.halved"}


def test_what_nobody_knows_how_to_call_is_an_error(monkeypatch):
    def halved(unheard_of):
        return unheard_of / 2

    halved.__module__ = "nn"
    monkeypatch.setattr(nn, "halved", halved, raising=False)
    with pytest.raises(LookupError, match=r"nn\.halved takes 'unheard_of': give SOUND"):
        entries()


def test_a_class_that_nobody_knows_how_to_make_is_an_error(monkeypatch):
    monkeypatch.delitem(fuzzer.MADE, nn.MLP)
    with pytest.raises(LookupError, match=r"nn\.MLP: say in MADE"):
        entries()


def test_what_is_left_out_is_still_there():
    words = {word for module in fuzzer.modules() for word in dir(module)}
    for kind in fuzzer.MADE:
        words |= set(dir(kind)) | {f"{kind.__name__}.{name}" for name in dir(kind)}
    assert fuzzer.LEFT_OUT.keys() <= words
    assert fuzzer.ROOMS.keys() <= {found.name for found in pkgutil.iter_modules(nn.__path__)}


def test_every_sound_input_is_that_of_an_entry():
    taken = {f".{entry.name}.{parameter.strip('*=')}" for entry in entries() for parameter in entry.parameters}
    assert not [key for key in fuzzer.SOUND if not any(each.endswith(f".{key}") for each in taken)]


def test_a_sound_input_is_that_of_the_longest_name(monkeypatch):
    def drawn(name):
        return fuzzer._sound(name, "data")(Random(0))

    for key in ("data", "halved.data", "nn.halved.data"):
        monkeypatch.setitem(fuzzer.SOUND, key, lambda rng, key=key: key)
    assert [drawn(name) for name in ("nn.other", "autograd.halved", "nn.halved")] == [
        "data",
        "halved.data",
        "nn.halved.data",
    ]


def hang(data):
    while True:
        pass


def change_and_raise(data):
    data.grad = 1.0
    raise ValueError("too late")


def define_and_raise(data):
    autograd.operation("half_defined", abs, lambda x, out: 1.0)
    raise ValueError("too late")


def raising(error):
    def function(data):
        raise error

    return function


class SilentError(ValueError):
    """Cannot say what it is about."""

    def __str__(self):
        raise KeyError("text")


def write_and_raise(array):
    array[0] += 1.0
    raise ValueError("too late")


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (raising(KeyError("k")), "KeyError: 'k'"),
        (raising(IndexError("i")), "IndexError: i"),
        (raising(AttributeError("a")), "AttributeError: a"),
        (raising(RecursionError("r")), "RecursionError: r"),
        (raising(AssertionError("e")), "AssertionError: e"),
        (raising(MemoryError()), "MemoryError"),
        (raising(SystemExit(1)), "SystemExit: 1"),
        (raising(UserWarning("w")), "UserWarning: w"),
        (raising(ValueError(" ")), "ValueError without a word"),
        (raising(SilentError()), "whose text cannot be had"),
        (hang, "of processor time"),
        (change_and_raise, "an input was changed, and then ValueError raised"),
        (define_and_raise, "the table of operations was changed"),
        (lambda data: np.array([0.5], dtype=object), "floats in an array of objects"),
        (lambda data: (np.array([None, 0.5]), 1), "floats in an array of objects"),
    ],
)
def test_a_violation_is_found(monkeypatch, function, said):
    monkeypatch.setattr(fuzzer, "LIMIT", 0.1)
    monkeypatch.setitem(fuzzer.SOUND, "data", lambda rng: Value(1.0))
    monkeypatch.setattr(fuzzer, "NASTY", [lambda: Value(2.0)])
    with pytest.raises(Violation, match=said):
        trial(Entry("halved", function, ("data",), ()), seed=0)
    assert "half_defined" not in autograd.OPS


def test_an_array_that_is_half_written_is_found(monkeypatch):
    monkeypatch.setitem(fuzzer.SOUND, "array", lambda rng: np.ones(2))
    monkeypatch.setattr(fuzzer, "NASTY", [lambda: np.ones(1)])
    with pytest.raises(Violation, match="an input was changed, and then ValueError raised"):
        trial(Entry("halved", write_and_raise, ("array",), ()), seed=0)


@pytest.mark.parametrize("load", [nn.data.mnist, nn.data.fashion_mnist])
def test_nothing_is_fetched(monkeypatch, load):
    monkeypatch.setitem(fuzzer.SOUND, "folder", lambda rng: None)
    monkeypatch.setattr(fuzzer, "NASTY", [lambda: None])
    assert trial(Entry("load", load, ("folder",), (ConnectionError,)), seed=0) == "ConnectionError"


def test_sound_ends_are_no_violations():
    assert trial(Entry("halved", lambda data: 0.5, ("data",), ()), seed=0) == "returned"
    assert trial(Entry("halved", raising(TypeError("wrong")), ("data",), ()), seed=0) == "TypeError"
    assert trial(Entry("halved", raising(OSError("full")), ("data",), (OSError,)), seed=0) == "OSError"
    assert trial(Entry("halved", lambda data: np.array([Value(0.5)]), ("data",), ()), seed=0) == "returned"


def test_the_same_seed_draws_the_same_inputs():
    entry = Entry("halved", lambda data: 0.5, ("data", "*xs"), ())
    drawn = [[list(map(type, fuzzer._drawn(entry, Random(seed))[0])) for seed in range(50)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len(set(map(str, drawn[0]))) > 10
