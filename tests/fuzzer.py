"""A fuzzer: every public entry of ``autograd`` and ``nn``, and the command, called with what they do not take.

Entries are found by looking: a new public function, class, method or operation is fuzzed because it is there. What it
takes is told by the names of its parameters, each of which has sound inputs in ``SOUND``; a name without any is an
error. A trial draws some inputs that are sound and some that are nasty, and calls. An entry may return or raise an
error of a kind that it documents; all else is a violation: another kind, an error without words, a warning, more than
``LIMIT`` seconds, or an error that left an input or the table of operations changed.

``tests/test_fuzz.py`` runs a slice of it, ``benchmarks/fuzz.py`` all of it and counts.
"""

from __future__ import annotations

import atexit
import collections
import contextlib
import copy
import functools
import gzip
import importlib
import inspect
import io
import itertools
import math
import operator
import pickle
import pkgutil
import shutil
import signal
import struct
import sys
import tempfile
import threading
import types
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from numbers import Real
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import sklearn.datasets

import autograd
import autograd.program
import autograd.testing
import nn
from autograd import OPS, Dual, Op, Symbol, Value
from autograd.op import Number
from autograd.testing.errors import BlackBoxError, UndecidedError
from nn.cli import main

with contextlib.suppress(ImportError):  # extras; what takes seconds to load is not to load in a call that has two
    import onnx  # noqa: F401
    import torch.fx  # noqa: F401

LIMIT = 2.0
"""The seconds of processor time that one call may take; the other processes of a busy machine do not count."""

DEEP = 100_000
"""A list is nested so deep, far beyond what Python lets a function recurse."""

FOLDER = Path(tempfile.mkdtemp(prefix="fuzz"))
"""Where entries that take a path may write; every call is made there."""

atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


# ---- nasty inputs ----------------------------------------------------------------------------------------------------


class HostileError(Exception):
    """What hostile inputs raise: it is the caller's own, and may come through."""


class Unfloatable:
    """Says that it is a real number, and is none."""

    def __float__(self) -> float:
        raise HostileError("no float")


class Misfloating:
    """Says that it is a real number, and gives a text."""

    def __float__(self) -> float:
        return "1.0"  # type: ignore[return-value]


Real.register(Unfloatable)
Real.register(Misfloating)


class Unprintable:
    """Cannot be shown in an error."""

    def __repr__(self) -> str:
        raise HostileError("no repr")


class Untouchable:
    """Raises at everything that is asked of it."""

    def __getattr__(self, name: str) -> Any:
        raise HostileError(name)

    def __iter__(self) -> Iterator[Any]:
        raise HostileError("no iterator")

    def __len__(self) -> int:
        raise HostileError("no length")

    def __eq__(self, other: object) -> bool:
        raise HostileError("no equality")

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise HostileError("no truth")


class Text(str):
    """A string of another class."""


class Whole(int):
    """An int of another class."""


class Leaf(Value):
    """A Value of another class."""


def nested(depth: int, inside: Any = 1.0) -> list[Any]:
    """``inside`` in so many lists."""
    for _ in range(depth):
        inside = [inside]
    return inside  # type: ignore[no-any-return]


ABYSS = nested(DEEP)
"""The deep list, made once: it takes as long as a thousand other inputs."""


def endless() -> list[Any]:
    """A list that is its own first entry."""
    found: list[Any] = []
    found.append(found)
    return found


def failing() -> Iterator[float]:
    """A generator that fails on the way."""
    yield 1.0
    raise HostileError("no more")


def refuse(*args: Any, **kwargs: Any) -> Any:
    """A function that fails."""
    raise HostileError("refused")


def outdated() -> Value:
    """A recorded node, a leaf of which was changed since."""
    x = Value(2.0, "x")
    y = x * x
    x.data = 3.0
    return y


def recorded() -> Value:
    """A small graph with a shared node, and gradients."""
    x, w = Value(0.5, "x"), Value(-2.0, "w")
    h = (w * x).tanh()
    y = h * h + x
    y.backward()
    return y


def _undefined() -> Value:
    return Value(math.nan, "n") * 2.0


NASTY: list[Callable[[], Any]] = [
    # nothing, texts, bytes
    *(lambda x=x: x for x in (None, "", "x", "1.0", "nan", "\0", "\ud800", "x" * 100_000, "{}{", "µ", Text("relu"))),
    *(lambda x=x: x for x in (b"", b"\xff", bytearray(b"x"), memoryview(b"xy"), Path("x"), Ellipsis, NotImplemented)),
    # numbers that are none, odd or large
    *(
        lambda x=x: x
        for x in (1j, Decimal("1"), Decimal("sNaN"), Fraction(1, 3), Fraction(10**400), Fraction(1, 10**400))
    ),
    *(lambda x=x: x for x in (math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, -1e-300, 1e308, -1e308, 0.5, 2.5)),
    *(lambda x=x: x for x in (True, False, 0, 1, 2, 3, -1, 2**63, -(2**63), 10**400, -(10**400), 10**5000, Whole(2))),
    *(lambda x=x: x for x in (np.float32(1.5), np.float64(math.nan), np.int8(3), np.uint64(2**63), np.bool_(True))),
    *(lambda x=x: x for x in (np.longdouble(2.0), np.complex128(1j), np.str_("x"), np.datetime64("2020-01-01"))),
    # arrays
    lambda: np.array(1.0),
    lambda: np.array([]),
    lambda: np.zeros((0, 3)),
    lambda: np.array([1.0, 2.0]),
    lambda: np.array([[1.0], [2.0]]),
    lambda: np.array([1, None], dtype=object),
    lambda: np.array(None, dtype=object),
    lambda: np.array(["a", "b"]),
    lambda: np.array([True, False]),
    lambda: np.zeros(2, dtype=[("a", float)]),
    # containers
    *(lambda kind=kind: kind() for kind in (list, tuple, dict, set, frozenset, object)),
    *(lambda depth=depth: nested(depth) for depth in (2, 10)),
    lambda: nested(10, "x"),
    lambda: ABYSS,
    endless,
    lambda: [None],
    lambda: [1.0, "x"],
    lambda: [1.0, [2.0]],
    lambda: (1.0, 2.0),
    lambda: {"a": 1.0},
    lambda: {1: 2},
    lambda: {"x": "y"},
    lambda: range(3),
    lambda: iter([1.0]),
    lambda: (x for x in [1.0, 2.0]),
    failing,
    # what can be called
    *(lambda x=x: x for x in (lambda: 0.0, lambda *args: None, lambda x, out: x, lambda x: "x", refuse, math.sin, len)),
    *(lambda x=x: x for x in (int, float, list, type, Value, Number, autograd.exp, autograd.dot, math)),
    # objects with a will of their own
    *(lambda kind=kind: kind() for kind in (Unfloatable, Misfloating, Unprintable, Untouchable)),
    lambda: [Unprintable()],
    lambda: {"x": Unprintable()},
    # the engine's own numbers
    lambda: Value(1.0),
    lambda: Value(math.nan, "n"),
    lambda: Value(math.inf, "a b\n\0\ud800"),
    lambda: Leaf(2.0, "x"),
    lambda: [Value(1.0), Value(2.0)],
    lambda: [Value(1.0), None],
    recorded,
    outdated,
    _undefined,
    lambda: autograd.Interval(1.0, 0.5),
    lambda: Dual(2.0, 1.0, level=1),
    lambda: Dual(Value(2.0), Value(1.0), level=2),
    lambda: Symbol("x"),
    lambda: nn.Neuron(2, seed=0),
    lambda: nn.Dropout(0.5, seed=0),
    lambda: nn.losses.mse,
    lambda: nn.optim.Adam([Value(1.0)]),
    lambda: np.random.default_rng(0),
]


def nasty(rng: Random) -> Any:
    """One of all that nobody expects."""
    return rng.choice(NASTY)()


def spoiled(rng: Random, x: Any) -> Any:
    """``x``, a part of it nasty where it has parts."""
    if isinstance(x, (list, tuple)) and x:
        parts = list(x)
        place = rng.randrange(len(parts))
        parts[place] = spoiled(rng, parts[place])
        return tuple(parts) if isinstance(x, tuple) else parts
    if isinstance(x, dict) and x:
        name = rng.choice(list(x))
        return {**x, name: spoiled(rng, x[name])} if rng.random() < 0.8 else {**x, "other": x[name]}
    return nasty(rng)


# ---- sound inputs, by the name of the parameter ----------------------------------------------------------------------


def some(*choices: Any) -> Callable[[Random], Any]:
    """One of ``choices``; functions among them are called for it."""

    def draw(rng: Random) -> Any:
        choice = rng.choice(choices)
        return choice(rng) if isinstance(choice, types.FunctionType) else choice

    return draw


def given(x: Any) -> Callable[[Random], Any]:
    """Always ``x``, which may be a function."""
    return lambda rng: x


def number(rng: Random) -> Any:
    return rng.choice([rng.uniform(-3, 3), rng.randint(-3, 3), Value(rng.uniform(-3, 3), "v"), 0.0, 1.0])


def numbers(rng: Random) -> Any:
    return [number(rng) for _ in range(rng.randint(1, 3))]


def pairs(rng: Random) -> Any:
    return [[number(rng), number(rng)] for _ in range(rng.randint(1, 3))]


def graph(rng: Random) -> Value:
    x, w = Value(rng.uniform(0.1, 2.0), rng.choice([None, "x"])), Value(rng.uniform(-2.0, 2.0), "w")
    y = autograd.dot([x, w, 2.0], [w, w, x]) + (x * w).tanh() - x.log()
    if rng.random() < 0.5:
        y.backward()
    _latest["nodes"] = autograd.topological_order(y)
    return y


_latest: dict[str, Any] = {}
"""What was drawn for this call: the nodes of the graph, the model, and the instance whose method is called."""


def node(rng: Random) -> Value:
    """One of the nodes of the latest graph."""
    return rng.choice(_latest["nodes"]) if "nodes" in _latest else graph(rng)


def leaves(rng: Random) -> list[Value]:
    """Those of the latest graph, of which there are two."""
    nodes = _latest["nodes"] if "nodes" in _latest else autograd.topological_order(graph(rng))
    return [each for each in nodes if each.op is None]


def function(rng: Random) -> Any:
    return rng.choice(
        [
            autograd.sin,
            lambda *xs: 1.0,
            lambda *xs: autograd.sum(_flat(xs)),
            lambda x, *_: x,
            lambda *xs: list(_flat(xs)),
        ]
    )


def _flat(x: Any) -> list[Any]:
    return [inner for part in x for inner in _flat(part)] if isinstance(x, (list, tuple)) else [x]


def model(rng: Random) -> Any:
    """A model of one input and one output."""
    found: Any = nn.MLP(1, [2, 1], "tanh", seed=0, batch_norm=rng.random() < 0.3, dropout=rng.choice([0.0, 0.0, 0.5]))
    if rng.random() < 0.2:
        found = nn.Sequential(nn.Layer(1, 2, None, seed=0), nn.Activation("relu"), nn.Neuron(2, None, seed=0))
    _latest["model"] = found.train(rng.random() < 0.5)
    return found


def optimized(kind: Callable[..., Any], **settings: Any) -> Callable[[Random], Any]:
    """How an optimiser of two parameters is made, which has made a step or none."""

    def make(rng: Random) -> Any:
        x, w = Value(1.0, "x"), Value(-1.0)
        found = kind([x, w], learning_rate=0.1, **settings)
        (x * w).backward()
        if rng.random() < 0.5:
            found.step()
        return found

    return make


def optimizer(rng: Random) -> Any:
    """An optimiser of the latest model."""
    parameters = _latest.get("model", nn.Neuron(1, seed=0)).parameters()
    return rng.choice([nn.optim.SGD, nn.optim.Adam, nn.optim.RMSprop])(parameters, clip=rng.choice([None, CLIP]))


CLIP = nn.optim.ClipByNorm(1.0)


def state(rng: Random) -> Any:
    """That of the module or optimiser whose method is called, or of a model."""
    return _stateful(rng).state_dict()


def _stateful(rng: Random) -> Any:
    instance = _latest.get("instance")
    return instance if isinstance(instance, (nn.Module, nn.optim.Optimizer)) else model(rng)


def path(rng: Random) -> Any:
    name = rng.choice(
        ["a.svg", "a.dot", "a.gv", "a.html", "a.safetensors", "a", "missing/a.dot", "a.gif", "\0.dot", "."]
    )
    return rng.choice([FOLDER / name, str(FOLDER / name)])


def weights(rng: Random) -> Any:
    file = FOLDER / "sound.safetensors"
    kind = rng.randrange(3)
    if kind == 0:
        _stateful(rng).save(file)
    else:
        file.write_bytes(
            rng.randbytes(rng.randint(0, 40)) if kind == 1 else b"\x10\0\0\0\0\0\0\0" + b'{"weight":1}    '
        )
    return file


def idx(rng: Random, array: Any) -> bytes:
    """An IDX file of bytes: plain or zipped, whole or cut."""
    content = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    content = gzip.compress(content, 1) if rng.random() < 0.5 else content
    return content[: rng.randrange(len(content))] if rng.random() < 0.2 else content


def idx_file(rng: Random) -> Path:
    file = FOLDER / "sound.idx"
    file.write_bytes(idx(rng, np.ones((1, 2, 3), np.uint8)))
    return file


def idx_folder(rng: Random) -> Path:
    """A folder with the files of MNIST, of two images each; now and then one is damaged, or missing."""
    folder = FOLDER / "mnist"
    folder.mkdir(exist_ok=True)
    for part in ("train", "t10k"):
        for name, array in (("images-idx3", np.ones((2, 28, 28), np.uint8)), ("labels-idx1", np.arange(2, dtype="u1"))):
            file = folder / f"{part}-{name}-ubyte"
            file.write_bytes(idx(rng, array))
            if rng.random() < 0.02:
                file.unlink()
    return folder


def checkpoint(rng: Random) -> Path:
    """A file that is there, of this training or of none, or is not."""
    file = FOLDER / "sound.checkpoint"
    file.unlink(missing_ok=True)
    if rng.random() < 0.3:
        file.write_bytes(rng.randbytes(100))
    elif rng.random() < 0.5:
        found = copy.deepcopy(_latest["model"]) if "model" in _latest else model(rng)
        nn.fit(found, [0.0, 1.0, 2.0], [1.0, 2.0, 3.0], epochs=1, checkpoint=file)
    return file


_names = iter(range(10**9))


def fresh(rng: Random) -> str:
    return f"fuzzed{next(_names)}"


def program(rng: Random) -> autograd.Program:
    """A program of one input, or of a list of two and another."""
    w, x, xs = Value(0.5, "w"), Value(1.0, "x"), [Value(1.0), Value(2.0)]
    return rng.choice([autograd.compile(w.tanh() * x, [x], [w]), autograd.compile([w * x, xs[0] / w], [x, xs], [w])])


METRICS = ("accuracy", "confusion_matrix")

SOUND: dict[str, Callable[[Random], Any]] = {
    # autograd
    "f": function,
    "args": some(number, numbers),
    "inputs": some(number, numbers),
    "primals": lambda rng: [some(number, numbers)(rng)],
    "tangents": lambda rng: [some(number, numbers)(rng)],
    "order": some(0, 1, 2, 3),
    "xs": numbers,
    "names": some(None, {"x": Value(1.0)}, lambda rng: model(rng).named_parameters()),
    "output": graph,
    "value": graph,
    "loss": graph,
    "outputs": graph,
    "w": node,
    "done": given(None),
    "collapse": some(None, True, False),
    "color": some(None, "data", "grad"),
    "rankdir": some("LR", "TB", "RL", "BT"),
    "include": given(None),
    "exclude": given(None),
    "text": some("w * x + 1", "tanh(x)", "dot([w, x], [x, 2])", "x", "2 + 3", "where(x > w, 1/x, x**w)", "1" * 50),
    "leaves": some(number),
    "replay.leaves": lambda rng: {},
    "name": some(None, "x", "a b"),
    "operation.name": fresh,
    "forward": some(math.sin, lambda rng: lambda *xs: 1.0),
    "rules": some(lambda rng: lambda *xs: 1.0, lambda rng: lambda x, *_: x, None),
    "doc": given("A fuzzed operation."),
    "domain": some(None, ((0.0, 1.0),)),
    "smooth": given(lambda *xs: True),
    "special": some((), ((0.0,),)),
    "prints": some(None, "{} ~ {}", "fuzzed({})"),
    "precedence": some(1, 9),
    "lists": some(0, 1, 2),
    "orders": some(0, 1, 2, -1),
    "selects": some(False, True),
    "data": number,
    "grad": number,
    "primal": number,
    "tangent": number,
    "level": some(1, 2),
    "notation": given(None),
    "spec": some("", ".3f", "g"),
    "protocol": some(0, 2, 4, 5),
    "number": number,
    "other": number,
    "x": some(number, numbers),
    "node": node,
    "key": some(node, "loss", "learning_rate"),
    "midpoint": some(0.0, 1.5, -2.0),
    "radius": some(0.0, 1e-16, 0.5),
    "ulps": some(None, 0, 1),
    "turns": some(None, lambda rng: lambda *xs: ()),
    "op": some(*[lambda rng, op=op: op for op in OPS.values()]),
    "points": some(1, 2),
    "timeout": some(30.0, 10.0),
    "path": path,
    # programs
    "compile.output": some(graph, lambda rng: [graph(rng), graph(rng)]),
    "compile.inputs": some([], lambda rng: leaves(rng)[:1], lambda rng: [leaves(rng)[:1], Value(3.0)]),
    "compile.parameters": lambda rng: leaves(rng)[1:],
    "dtype": some("float64", "float32"),
    "arrays": some([1.0, 2.0], np.array([0.5]), []),
    "reduce": some("mean", "sum"),
    "vector": some([1.0], [1.0, 2.0], np.array([0.5])),
    "backend": some("numpy"),  # C takes a compiler a while: tests/test_c.py
    "value_and_grad.out": some(None, lambda rng: np.zeros(1)),
    "batch": some(0, 1, 32),
    # nn
    "activation": some("tanh", "relu", None, "linear"),
    "init": some(None, "glorot", "he"),
    "seed": some(0, 1),
    **{f"{kind}.seed": some(None, 0, 1, lambda rng: Random(0)) for kind in ("Neuron", "Layer", "MLP", "Dropout")},
    "n_in": some(1, 2, 3),
    "n_out": some(1, 2),
    "n_outs": some([1], [2, 1], (3, 2)),
    "layers": some(lambda rng: nn.Layer(1, 1, seed=0), lambda rng: nn.Dropout(seed=0), model),
    "batch_norm": some(False, True),
    "dropout": some(0.0, 0.5),
    "probability": some(0.0, 0.5),
    "features": some(1, 2),
    "epsilon": some(1e-5, 1e-8, 1),
    "mode": some(True, False),
    "seeds": some(0, 1, 2**40),
    "n": some(0, 1, 3),
    "batch.xs": some([[0.5], [-1.0]], [[0.5, 1.0], [2.0, -1.0]], [[0.5, 1.0]]),
    "rng": lambda rng: Random(0),
    "initializers.by_name.name": some("glorot", "he", "lecun", "uniform"),
    "optim.by_name.name": some("sgd", "nesterov", "adamw"),
    "schedules.by_name.name": some("cosine", "plateau", "exponential"),
    "predictions": some(numbers, pairs, [0.25, 1.0], [[0.25, 0.75], [1.0, 0.0]]),
    "targets": some(numbers, pairs, [0.0, 1.0], [[0.0, 1.0], [1.0, 0.0]]),
    **{f"{metric}.predictions": some([1.0, -1.0], [[1.0, 2.0], [3.0, 0.0]]) for metric in METRICS},
    **{f"{metric}.targets": some([1, 0], [-1, 1], [[0.0, 1.0], [1.0, 0.0]]) for metric in METRICS},
    "threshold": some(0.0, 0.5),
    "delta": some(1.0, 0.1),
    "state": state,
    "load.path": weights,
    "load_tensors.path": weights,
    "parameters": lambda rng: [Value(1.0), Value(2.0)],
    "clip": some(None, given(CLIP), lambda rng: nn.optim.ClipByValue(0.1)),
    "max_norm": some(1.0, 0.1),
    "max_value": some(1.0, 0.1),
    "beta1": some(0.0, 0.9),
    "beta2": some(0.0, 0.999),
    "amsgrad": some(False, True),
    "decay": some(0.0, 0.9),
    "update.parameters": lambda rng: np.array([1.0, 2.0]),
    "gradient": lambda rng: np.array([0.5, -0.5]),
    "learning_rate": some(0.1, 1, 1e300),
    "momentum": some(0.0, 0.9),
    "nesterov": some(False, True),
    "weight_decay": some(0.0, 0.1),
    "model": model,
    "fit.xs": some([0.0, 1.0, 2.0], [[0.0], [1.0], [2.0]], np.array([0.0, 1.0, 2.0])),
    "predict.xs": some([0.0, 1.0], [[0.0], [1.0], [2.0]], np.array([[0.5]]), []),
    "ys": some([1.0, 2.0, 3.0], [1.0, 0.0, 1.0]),
    "epochs": some(1, 2),
    "batch_size": some(None, 1, 2, 5),
    "eager": some(False, True),
    "fit.loss": lambda rng: rng.choice([nn.losses.mse, nn.losses.huber, nn.losses.hinge]),
    "optimizer": some(None, optimizer),
    "schedule": some(None, lambda rng: lambda epoch, losses: 0.5, nn.schedules.Cosine(2), nn.schedules.OnPlateau()),
    "penalty": some(None, given(nn.penalties.l1), lambda rng: lambda model: 0.01 * nn.penalties.l2(model)),
    "augment": some(None, nn.augment.Jitter(0.1), lambda rng: lambda xs, rng: xs + rng.random(xs.shape)),
    "validation": some(None, ([0.5], [1.0]), ([[0.5], [1.5]], [1.0, 0.0])),
    "metrics": some(None, {}, {"accuracy": nn.metrics.accuracy}, {"least": lambda predictions, targets: targets.min()}),
    "patience": some(1, 2),
    "fit.patience": some(None, 1, 2),
    "callbacks": some((), [lambda history: None], [lambda history: history.epochs == 1]),
    "progress": some(False, True),
    "checkpoint": some(None, checkpoint),
    # schedules
    "epoch": some(0, 1, 5),
    "losses": some((), [1.0], [3.0, 2.0, 2.0, 2.0, 2.0]),
    "every": some(1, 2),
    "factor": some(0.1, 0.5, 1),
    "floor": some(0.0, 0.01),
    "then": some(lambda rng: nn.schedules.Cosine(2), lambda rng: lambda epoch, losses: 0.5),
    # data, and augmentation
    "samples": some(1, 5),
    "noise": some(0.0, 0.1),
    "margin": some(0.0, 0.1),
    "classes": some(None, 1, 2, 3),
    "blobs.classes": some(1, 2),
    "arms": some(1, 2, 3),
    "labels": some([0, 1], [2, 0, 1], np.array([1])),
    "read_idx.path": idx_file,
    "folder": some(idx_folder, path),
    "deviation": some(0.0, 0.1),
    "height": some(1, 2, 28),
    "width": some(1, 3),
    "pixels": some(0, 1),
    "__call__.xs": some(np.ones((2, 6)), np.ones((1, 6), np.float32), np.ones((0, 6))),
    "__call__.rng": lambda rng: np.random.default_rng(0),
    # files
    "to_onnx.path": some(None, path),
    "tensors": state,
}

MADE: dict[type, Callable[[Random], Any]] = {
    Value: some(graph, lambda rng: Value(1.0, "x"), lambda rng: Value(2.0)),
    Dual: some(lambda rng: Dual(0.5, 1.0, level=1)),
    Symbol: some(lambda rng: Symbol("x")),
    autograd.Diagram: lambda rng: autograd.draw(graph(rng)),
    autograd.ChainRule: lambda rng: autograd.chain_rule(y := graph(rng), y.inputs[1]),
    autograd.Step: lambda rng: rng.choice([*autograd.steps(graph(rng))]),
    autograd.ForwardStep: lambda rng: rng.choice([*autograd.forward_steps(graph(rng))]),
    autograd.Certificate: lambda rng: autograd.certify(graph(rng)),
    autograd.Interval: lambda rng: autograd.Interval(rng.uniform(-2.0, 2.0), rng.choice([0.0, 1e-16, 1.0])),
    autograd.Kink: lambda rng: autograd.certify(autograd.abs(Value(0.0, "x") * 2)).kinks[0],
    autograd.testing.OperationReport: lambda rng: autograd.testing.check_operation(autograd.exp, 1),
    autograd.Program: program,
    autograd.program.Report: lambda rng: program(rng).report(),
    autograd.Stepper: lambda rng: autograd.Stepper(Value(1.0, "x").tanh()),
    Op: SOUND["op"],
    nn.Module: model,
    nn.Neuron: lambda rng: nn.Neuron(2, "tanh", seed=0),
    nn.Layer: lambda rng: nn.Layer(2, 2, "tanh", seed=0),
    nn.MLP: model,
    nn.Sequential: model,
    nn.Predictor: lambda rng: nn.Predictor(model(rng), eager=rng.random() < 0.5),
    nn.Activation: lambda rng: nn.Activation("tanh"),
    nn.Dropout: lambda rng: nn.Dropout(rng.choice([0.0, 0.5]), seed=0).train(rng.random() < 0.5),
    nn.BatchNorm: lambda rng: nn.BatchNorm(rng.choice([1, 2])).train(rng.random() < 0.5),
    nn.optim.Optimizer: optimized(nn.optim.SGD),
    nn.optim.SGD: optimized(nn.optim.SGD, momentum=0.5),
    nn.optim.Adam: optimized(nn.optim.Adam, amsgrad=True),
    nn.optim.RMSprop: optimized(nn.optim.RMSprop, momentum=0.5),
    **{
        kind: optimized(kind, clip=CLIP)
        for kind in (nn.optim.Adagrad, nn.optim.Adadelta, nn.optim.AdamW, nn.optim.Adamax, nn.optim.Nadam)
    },
    nn.optim.ClipByNorm: given(CLIP),
    nn.optim.ClipByValue: given(nn.optim.ClipByValue(0.1)),
    nn.schedules.Constant: given(nn.schedules.Constant()),
    nn.schedules.Step: some(nn.schedules.Step(2), nn.schedules.Step(1, Fraction(1, 3))),
    nn.schedules.Exponential: some(nn.schedules.Exponential(0.5), nn.schedules.Exponential(Fraction(1, 3))),
    nn.schedules.InverseTime: some(nn.schedules.InverseTime(1.0), nn.schedules.InverseTime(Fraction(1, 3))),
    nn.schedules.Cosine: some(nn.schedules.Cosine(2), nn.schedules.Cosine(2, Fraction(1, 3))),
    nn.schedules.WarmUp: given(nn.schedules.WarmUp(2, nn.schedules.OnPlateau())),
    nn.schedules.OnPlateau: given(nn.schedules.OnPlateau(patience=1)),
    nn.augment.Jitter: given(nn.augment.Jitter(0.1)),
    nn.augment.Shift: given(nn.augment.Shift(2, 3, 1)),
    nn.augment.Mirror: given(nn.augment.Mirror(2, 3)),
    nn.data.Images: given(nn.data.Images(np.zeros((1, 4)), np.array([0]))),
    nn.data.Split: given(nn.data.Split(*[nn.data.Images(np.zeros((1, 4)), np.array([0]))] * 2)),
    nn.History: lambda rng: nn.History([{"loss": 0.5, "learning_rate": 0.1}] * rng.choice([0, 2])),
}
"""An instance of each public class, whose methods are then called."""

_BINARY = ["add", "sub", "mul", "truediv", "pow"]


def _reflected(name: str) -> Callable[[Any, Any], Any]:
    return lambda x, y: getattr(operator, name)(y, x)


DUNDERS: dict[str, tuple[Callable[..., Any], list[str]]] = {
    **{f"__{name}__": (getattr(operator, name), ["other"]) for name in [*_BINARY, "lt", "le", "gt", "ge"]},
    **{f"__r{name}__": (_reflected(name), ["other"]) for name in _BINARY},
    **{f"__{name}__": (getattr(operator, name), []) for name in ["neg", "pos", "abs"]},
    **{f"__{kind.__name__}__": (kind, []) for kind in (float, bool, repr, hash)},
    "__contains__": (operator.contains, ["number"]),
    "__getitem__": (operator.getitem, ["key"]),
    "__eq__": (operator.eq, ["other"]),
    "__iter__": (iter, []),
    "__len__": (len, []),
    "__format__": (format, ["spec"]),
    "__copy__": (copy.copy, []),
    "__deepcopy__": (lambda x: copy.deepcopy(x), []),
    "__reduce_ex__": (lambda x, protocol: pickle.loads(pickle.dumps(x, protocol)), ["protocol"]),
}

LEFT_OUT = {
    "apply": "what a reading says to operations, not to people",
    "evaluate": "likewise: inputs are floats already",
    "Op.local_derivatives": "likewise",
    "rule": "takes one of the notations of autograd/notation.py",
    "link": "likewise",
    "local_link": "likewise",
    "ExpressionError": "an error, made by parse",
    "DivergedError": "an error, made by fit",
    "Op": "made by operation",
    "Program": "made by compile",
    "Report": "made by a program",
    "Certificate": "made by certify",
    "Kink": "likewise",
    "OperationReport": "made by check_operation",
    "History": "made by fit",
    "tensors": "what a module of one's own says to the other methods",
    "Module.__call__": "each module says what it is",
    "descent": "an optimiser's equation: step and update give it what they have checked",
    "decayed": "likewise",
    "History.plot": "matplotlib's errors, and half a second a picture",
}
"""What is public by its name and not fuzzed, with the reason."""

ROOMS = {
    **dict.fromkeys(
        ("exports", "history", "layers", "modules", "networks", "prediction", "training"), "nn exports what is public"
    ),
    **dict.fromkeys(
        ("checkpoints", "checks", "comparison", "engines", "measures", "progress", "recording", "stopping"),
        "what fit is made of",
    ),
    **dict.fromkeys(
        ("choices", "extras", "objectives", "ranges", "tensors"), "what other modules share, and nobody else calls"
    ),
    "plots": "matplotlib's errors, and half a second a picture",
    "cli": "fuzzed as a command",
    "estimators": "scikit-learn's check_estimator is their fuzzer",
}
"""Modules of nn that are not entered, with the reason. A new one is, unless it is put here."""

TOO_MUCH = {
    "order": (11, 100, "each order takes twice the time of the one below; higher ones are refused"),
    "epochs": (64, math.inf, "that many epochs are what was asked for; Ctrl-C ends them"),
    "points": (11, math.inf, "each point is computed with hundreds of digits"),
    "timeout": (1000, math.inf, "seconds that somebody is ready to wait"),
}
"""Numbers from here to there are legitimate and take long, for the reason given: they are not drawn."""

SLOW = (
    "autograd.Diagram._repr",
    "autograd.Diagram.svg",
    "autograd.Stepper",
    "autograd.testing",
    "chainrule",
    "nn.data.digits",
    "nn.to_torch",
)
"""Entries that take 10 ms and more a call, and get a tenth of the trials."""

MAY_RAISE: dict[str, tuple[type[Exception], ...]] = {
    "path": (OSError,),  # of any entry that takes one
    "folder": (OSError,),  # likewise
    "checkpoint": (OSError,),  # likewise
    "timeout": (RuntimeError, TimeoutError),  # of any entry that calls the renderer
    "rng": (AttributeError, np.exceptions.ComplexWarning),  # whatever draws numbers may be given; checked by modules
    "set": (AttributeError,),  # a property that is read only, the data of a recorded node
    "autograd.Certificate.__getitem__": (KeyError,),
    "autograd.Certificate.value": (KeyError,),
    "autograd.testing.check_gradients": (autograd.testing.GradientError,),
    "autograd.testing.check_operation": (autograd.testing.GradientError, UndecidedError, BlackBoxError),
    "nn.fit": (nn.DivergedError, AttributeError),  # a model or optimiser of one's own: what it lacks is named
    "nn.History.__getitem__": (KeyError,),
    "nn.History.validation_loss get": (KeyError,),
    "nn.to_torch": (ImportError,),  # without the extra
    "nn.to_onnx": (ImportError,),  # likewise
}

MAY_CHANGE = {"nn.fit": "the steps before the batch that failed stay, each of them whole"}
"""Entries that may leave an input changed when they raise, with the reason."""

OWN = (HostileError, InvalidOperation)
"""What inputs raise by themselves, such as a Decimal that is not to be compared."""

ERRORS = (TypeError, ValueError, ZeroDivisionError, OverflowError, *OWN)
"""What any entry may raise. ExpressionError is a ValueError."""


# ---- entries ---------------------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """One thing that can be called.

    ``parameters`` are the names of what it takes: ``*args`` for any number of them, ``**leaves`` for keywords,
    ``name=`` for one by keyword. ``made`` makes the instance of a method.
    """

    name: str
    function: Callable[..., Any]
    parameters: tuple[str, ...]
    errors: tuple[type[Exception], ...]
    made: Callable[[Random], Any] | None = None


def modules() -> Iterator[Any]:
    """The packages and modules whose public names are entries."""
    yield autograd
    for found in pkgutil.iter_modules(autograd.__path__):
        if found.ispkg:  # the modules are rooms of autograd, which exports what is public
            yield importlib.import_module(f"autograd.{found.name}")
    yield nn
    for found in pkgutil.iter_modules(nn.__path__):
        if found.name not in ROOMS:
            yield importlib.import_module(f"nn.{found.name}")


def entries() -> list[Entry]:
    """All that is public and can be called, each once."""
    found: dict[int, Iterator[Entry]] = {}
    for module in modules():
        for name in dir(module):
            public = getattr(module, name)
            # A package exports what its modules define; a module has imported what others do.
            here = hasattr(module, "__path__") or getattr(public, "__module__", None) == module.__name__
            if not name.startswith("_") and here and _is_ours(public) and callable(public):
                found.setdefault(id(public), _entries_of(f"{module.__name__}.{name}", public))
    return [*itertools.chain.from_iterable(found.values()), *commands()]


def _is_ours(x: Any) -> bool:
    return str(getattr(x, "__module__", "")).partition(".")[0] in ("autograd", "nn")


def _entries_of(name: str, public: Any) -> Iterator[Entry]:
    short = name.rpartition(".")[2]
    if isinstance(public, Op):
        yield Entry(name, public, ("*xs",) if public.lists else ("*other",), ())
        if public.arity == 1:
            yield Entry(f"Value.{short}", getattr(Value, short), (), (), MADE[Value])
    elif isinstance(public, type):
        if short not in LEFT_OUT and not issubclass(public, (tuple, Exception)):
            yield _entry(name, public, _parameters(public))
        if public in MADE:
            yield from _methods(name, public)
        elif not issubclass(public, Exception):
            raise LookupError(f"{name}: say in MADE how one is made, so that its methods can be fuzzed")
    elif short not in LEFT_OUT:
        yield _entry(name, public, _parameters(public))


def _methods(name: str, kind: type) -> Iterator[Entry]:
    for attribute in dir(kind):
        label = f"{name}.{attribute}"
        method = getattr(kind, attribute)
        if any(left in LEFT_OUT for left in (attribute, ".".join(label.split(".")[-2:]))) or attribute in OPS:
            continue
        if isinstance(method, property):
            yield _entry(f"{label} get", operator.attrgetter(attribute), [], MADE[kind])
            yield _entry(f"{label} set", _setter(attribute), [_last(label)], MADE[kind])
        elif attribute in DUNDERS and _is_ours(next(each for each in kind.__mro__ if attribute in vars(each))):
            function, parameters = DUNDERS[attribute]
            yield _entry(label, function, parameters, MADE[kind])
        elif isinstance(method, types.FunctionType) and (
            not attribute.startswith("_") or attribute == "__call__" or attribute.startswith("_repr_")
        ):
            yield _entry(label, method, _parameters(method)[1:], MADE[kind])


def _setter(attribute: str) -> Callable[[Any, Any], None]:
    return lambda self, x: setattr(self, attribute, x)


def _last(label: str) -> str:
    name = label.rpartition(".")[2]
    return name if name in SOUND else "other"


def _parameters(function: Any) -> list[str]:
    signs = {inspect.Parameter.VAR_POSITIONAL: "*{}", inspect.Parameter.VAR_KEYWORD: "**{}"}
    signs[inspect.Parameter.KEYWORD_ONLY] = "{}="
    return [signs.get(each.kind, "{}").format(each.name) for each in inspect.signature(function).parameters.values()]


def _entry(name: str, function: Any, parameters: list[str], made: Callable[[Random], Any] | None = None) -> Entry:
    errors: tuple[type[Exception], ...] = MAY_RAISE.get(name, ())
    for parameter in (*parameters, name.rpartition(" ")[2]):
        errors += MAY_RAISE.get(parameter.strip("*="), ())
    for parameter in parameters:
        _sound(name, parameter.strip("*="))
    return Entry(name, function, tuple(parameters), errors, made)


def _sound(name: str, parameter: str) -> Callable[[Random], Any]:
    words = f"{name}.{parameter}".split(".")
    for start in range(len(words)):  # the longest name is the most special
        if (key := ".".join(words[start:])) in SOUND:
            return SOUND[key]
    raise LookupError(f"{name} takes {parameter!r}: give SOUND some inputs of that name, so that it can be fuzzed")


# ---- the command -----------------------------------------------------------------------------------------------------

# fmt: off
WORDS = [
    "x=1", "x=1", "w=-2", "w=-2", "x=nan", "x=inf", "x=1e400", "x=" + "9" * 5000, "w=", "=1", "x", "µ=2", "x=1\n2",
    "w * x", "-x", "1/x", "(", "(" * 300, "-" * 500 + "x", "x" * 5000, "__import__(0)", "\ud800", "", " ", "\0", "--",
    "--out=a.dot", "--out=a.gif", "--out=missing/a.dot", "--out=/dev/null/a.dot", "--out=\0", "--out=", "-o", "--help",
    "--html=a.html", "--html=/dev/null/a.html", "--rankdir=TB", "--rankdir=up", "--color=grad", "--color=red",
    "--epochs=0", "--epochs=x", "--samples=0", "--samples=-1", "--noise=nan", "--noise=1e400", "--noise=0.1",
    "--layers=2,2", "--layers=0", "--layers=1,x", "--layers=", "--layers=99999999999", "--batch-size=full",
    "--batch-size=0", "--learning-rate=nan", "--learning-rate=1e300", "--momentum=1", "--seed=-1",
    "--activation=relu", "--activation=nope", "--activation=dot", "--eager", "--nope", "--live", "--loss=huber",
    "--loss=hinge", "--loss=nope", "--optimizer=adam", "--optimizer=nope", "--schedule=cosine", "--schedule=",
    "--l2=0.1", "--l2=nan", "--dropout=0.5", "--dropout=1", "--batch-norm", "--patience=1", "--patience=0",
    "--data=missing", "--data=.", "--checkpoint=a.checkpoint", "--checkpoint=/dev/null/a", "--checkpoint=.",
    "--save=a.safetensors", "--save=missing/a", "--save=.",
]
# fmt: on
SOUND["words"] = some(*WORDS)
SHORT = ["--epochs=1", "--samples=3", "--layers=2"]
COMMANDS = {
    "chainrule": [],
    "chainrule step": ["step", "w * x + 1", "w=-2", "x=1"],
    "chainrule draw": ["draw", "tanh(w * x)", "w=-2", "x=1", "--out=b.dot"],
    "chainrule train": ["train"],
    "chainrule train sin": ["train", "sin", *SHORT],
    "chainrule train moons": ["train", "moons", *SHORT],
    "chainrule train mnist": ["train", "mnist", *SHORT],
}
"""Each command with words that come before those that are drawn; a training of the usual length takes seconds."""


def commands() -> list[Entry]:
    """The command line, an entry for each command."""
    return [Entry(name, functools.partial(command, *words), ("*words",), ()) for name, words in COMMANDS.items()]


def command(*words: Any) -> None:
    """``chainrule`` with these words: it must end with status 0, 1 or 2, and say in one line what was wrong."""
    words = tuple(word for word in words if isinstance(word, str))
    out, err, argv = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["chainrule", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        said = err.getvalue()
        if end.code not in (0, 1, 2) or (end.code != 0 and not said.startswith("chainrule: ")) or said.count("\n") > 1:
            raise Violation(f"status {end.code!r}, said {said[:300]!r}") from None
        if end.code:
            raise ValueError(said) from None
    finally:
        sys.argv = argv


# ---- one trial -------------------------------------------------------------------------------------------------------


class Violation(Exception):  # noqa: N818  # it is a finding
    """What no entry may do."""


class _Hang(BaseException):
    """The time is up."""


def trial(entry: Entry, seed: int) -> str:
    """Call ``entry`` once; "returned", or the name of the error that it raised.

    Raises:
        Violation: it did what it may not do.
    """
    rng = Random(f"{entry.name} {seed}")
    args, kwargs, later = _drawn(entry, rng)
    inputs = [args, kwargs]
    before, table = frozen(inputs), _table()
    try:
        # NumPy warns of the processor's flags, also of those that were set and dealt with in a call that it made.
        with (
            warnings.catch_warnings(action="error"),
            np.errstate(all="ignore"),
            contextlib.chdir(FOLDER),
            contextlib.redirect_stdout(io.StringIO()),
            mock.patch.object(sklearn.datasets, "fetch_openml", _unreachable),
            _time_limit(),
        ):
            warnings.filterwarnings("ignore", "NotImplemented should not be used")  # Python's word, as others' truth is
            _used(entry.function(*args, **kwargs), later)
    except Violation:
        raise
    except _Hang:
        raise Violation(f"more than {LIMIT:g} s of processor time") from None
    except BaseException as error:
        if not isinstance(error, (*ERRORS, *entry.errors)):
            raise Violation(f"{type(error).__name__}: {_words(error)}") from error
        if not _words(error).strip() and not isinstance(error, OWN):
            raise Violation(f"{type(error).__name__} without a word") from error
        if _table() != table:
            raise Violation("the table of operations was changed, and then an error raised") from error
        if entry.name not in MAY_CHANGE and frozen(inputs) != before:
            raise Violation(f"an input was changed, and then {type(error).__name__} raised: {_words(error)}") from error
        kinds = (*ERRORS, *entry.errors)
        return next(kind.__name__ for kind in type(error).__mro__ if kind in kinds)
    finally:
        _forget(table)
    return "returned"


def _unreachable(*args: Any, **kwargs: Any) -> Any:
    raise ConnectionError("no network in tests")


def _drawn(entry: Entry, rng: Random) -> tuple[list[Any], dict[str, Any], list[Any]]:
    """What to call ``entry`` with, and what to call that with which it may return."""
    _latest.clear()
    args: list[Any] = []
    if entry.made:
        args.append(entry.made(rng))
        _latest["instance"] = args[0]
    kwargs: dict[str, Any] = {}
    # How many inputs are sound: with all nasty ones, few calls get far; the fewer, the more parameters there are.
    care = rng.choice([0.3, 0.7, 0.9]) ** min(1.0, 4 / max(len(entry.parameters), 1))
    for parameter in entry.parameters:
        name = parameter.strip("*=")
        sound = _sound(entry.name, name)
        if parameter.startswith("**"):
            kwargs |= {rng.choice(["x", "w", "µ"]): _one(sound, name, care, rng) for _ in range(rng.randint(0, 3))}
        elif parameter.startswith("*"):
            args += [_one(sound, name, care, rng) for _ in range(rng.randint(0, 4))]
        elif parameter.endswith("="):
            if rng.random() < 0.5:
                kwargs[name] = _one(sound, name, care, rng)
        else:
            args.append(_one(sound, name, care, rng))
    if rng.random() < 0.02:
        args.append(nasty(rng))
    if rng.random() < 0.02:
        kwargs["nonsense"] = nasty(rng)
    later = [_one(SOUND["args"], "args", care, rng) for _ in range(rng.choice([1, 1, 1, 2, 0]))]
    return args, kwargs, later


def _one(sound: Callable[[Random], Any], name: str, care: float, rng: Random) -> Any:
    while True:
        x = sound(rng) if rng.random() < care else nasty(rng) if rng.random() < 0.7 else spoiled(rng, sound(rng))
        if not (name in TOO_MUCH and _is_too_much(x, *TOO_MUCH[name][:2])):
            return x


def _is_too_much(x: Any, least: float, most: float) -> bool:
    return isinstance(x, (int, float, Fraction, np.number)) and bool(least <= x <= most)


def _used(result: Any, later: list[Any]) -> None:
    """Do with ``result`` what a caller would."""
    if isinstance(result, types.FunctionType):
        result(*later)
    elif isinstance(result, Iterator):
        for _, part in zip(range(20), result, strict=False):
            _used(part, later)
    elif isinstance(result, tuple) and result and isinstance(result[-1], types.FunctionType):
        result[-1](*later)
    elif _is_ours(type(result)) and not isinstance(result, Dual):
        repr(result)
    elif any(map(_is_misfit, result if type(result) is tuple else [result])):
        raise Violation(f"floats in an array of objects: {result!r}")


def _is_misfit(x: Any) -> bool:
    """Whether this is an array of floats whose type does not say so; arrays of Values are meant."""
    return isinstance(x, np.ndarray) and x.dtype == object and any(isinstance(part, float) for part in x.flat)


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as worse:
        raise Violation(f"{type(error).__name__}, whose text cannot be had: {worse!r}") from error


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: Any) -> None:
        raise _Hang

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def frozen(x: Any) -> Any:
    """All that can change in ``x``: of Values every field, of lists, dictionaries and our own objects their parts."""
    found: list[Any] = []
    pending = [x]
    met = {id(ABYSS)}
    while pending:
        x = pending.pop()
        if id(x) in met:
            continue
        met.add(id(x))
        if isinstance(x, Value):
            inputs = tuple(map(id, x.inputs))
            fields = (x.data, x.grad, x.has_grad, x.name, x.local_derivatives)
            found.append((id(x), id(x.op), inputs, repr(fields)))
            pending += x.inputs
        elif type(x) in (list, tuple):
            found.append((id(x), tuple(map(id, x))))
            pending += x
        elif type(x) is dict:
            found.append((id(x), tuple((name, id(part)) for name, part in x.items())))
            pending += x.values()
        elif type(x) is np.ndarray:
            found.append((id(x), x.dtype, x.shape, x.tobytes()))
        elif isinstance(x, (nn.Module, nn.optim.Optimizer, nn.History)):
            parts = {**({"training": x.training} if isinstance(x, nn.Module) else {}), **vars(x)}
            parts.pop("_rng", None)  # what is drawn from moves on, whatever comes of what it gave
            found.append((id(x), tuple((name, id(part)) for name, part in parts.items())))
            pending += parts.values()
    return found


def _table() -> dict[str, Op]:
    return dict(OPS)


def _forget(table: dict[str, Op]) -> None:
    """Forget the operations that a trial defined."""
    for name in OPS.keys() - table.keys():
        del OPS[name]
        if name in vars(Number):
            delattr(Number, name)


def run(entry: Entry, trials: int) -> tuple[collections.Counter[str], list[str]]:
    """So many trials of ``entry``, a tenth of a slow one: how many ended how, and the violations."""
    ends: collections.Counter[str] = collections.Counter()
    violations = []
    for seed in range(-(-trials // 10) if entry.name.startswith(SLOW) else trials):
        try:
            ends[trial(entry, seed)] += 1
        except Violation as violation:
            ends["violation"] += 1
            violations.append(f"{entry.name}, seed {seed}: {violation}")
    return ends, violations
