"""What ``chainrule train`` learns: data, settings that suit them, and a picture; a row of a table each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from .. import data
from ..data.points import MOST_SAMPLES
from ..ranges import whole
from .pictures import Curve, Images, Picture, Plane

TEST_SAMPLES = 200


class Examples(NamedTuple):
    """Samples, and a number or a label for each."""

    xs: Any
    ys: Any


class Data(NamedTuple):
    """What is learned from, what is tested on in the end, and what is measured meanwhile."""

    train: Examples
    test: Examples
    validation: Examples | None = None


@dataclass(frozen=True)
class Settings:
    """What options change.

    Attributes:
        learning_rate: None is the optimiser's own.
        samples: how many are learned from; None is all there are.
        noise: None where there is none to set.
    """

    layers: str
    activation: str
    loss: str
    optimizer: str
    learning_rate: float | None
    schedule: str
    epochs: int
    batch_size: str
    samples: int | None = None
    noise: float | None = None

    def changed(self, **options: Any) -> Settings:
        """These, but for the options that are given, that is not None. Raises ValueError if there is nothing to set."""
        given = {name: option for name, option in options.items() if option is not None}
        if self.noise is None and "noise" in given:
            raise ValueError("--noise is for data that are drawn, and these are not")
        if given.get("optimizer", self.optimizer) != self.optimizer:
            given.setdefault("learning_rate", None)
        return replace(self, **given)

    def __str__(self) -> str:
        rate = "" if self.learning_rate is None else f" {self.learning_rate:g}"
        network = "no hidden layers" if self.layers == "none" else f"{self.layers} {self.activation}"
        return f"{network}, {self.loss}, {self.optimizer}{rate}, {self.schedule}, {self.epochs} epochs"


@dataclass(frozen=True)
class Task:
    """One thing to learn.

    Attributes:
        about: what it is, in a few words.
        load: its data, by the settings, the seed and the folder of files.
        inputs: how many numbers a sample has.
        classes: their names; none for a number that is to be fitted.
        picture: what was learned.
        settings: those that suit it.
        init: the initialiser of the weights, if it is not that of the activation.
        files: whether there is a folder of files.
    """

    about: str
    load: Callable[[Settings, int, Path | None], Data]
    inputs: int
    classes: tuple[str, ...]
    picture: type[Picture]
    settings: Settings
    init: str | None = None
    files: bool = False

    def examples(self, settings: Settings, seed: int, folder: Path | None) -> Data:
        """The data. Raises ValueError, OSError, or ImportError if the library that has them is missing."""
        if folder is not None and not self.files:
            raise ValueError(f"--data is for {' and '.join(name for name, task in TASKS.items() if task.files)}")
        return self.load(settings, seed, folder)


def _sin(settings: Settings, seed: int, folder: Path | None) -> Data:
    # The test points are evenly spread, and free of noise: what is asked of the model is sin itself.
    grid = [math.pi * (2 * (i + 0.5) / TEST_SAMPLES - 1) for i in range(TEST_SAMPLES)]
    train = data.sin(settings.samples or 0, settings.noise or 0.0, seed)
    return Data(Examples(*train), Examples(grid, [math.sin(x) for x in grid]))


def _points(draw: Callable[..., Any], settings: Settings, seed: int, folder: Path | None) -> Data:
    """Three parts of as many points, drawn together, for the seed says where the classes are."""
    n = whole("the number of samples", settings.samples or 0, 1, MOST_SAMPLES // 3)
    xs, labels = draw(3 * n, settings.noise, seed)
    train, validation, test = (Examples(xs[i : i + n], labels[i : i + n]) for i in (0, n, 2 * n))
    return Data(train, test, validation)


def _digits(settings: Settings, seed: int, folder: Path | None) -> Data:
    """A fifth, drawn by the seed, to test on."""
    images, labels = data.digits()
    order = Random(seed).sample(range(len(labels)), len(labels))
    test, train = order[: len(order) // 5], order[len(order) // 5 :]
    return _held_out(settings, Examples(images[train], labels[train]), Examples(images[test], labels[test]))


def _images(load: Callable[..., data.Split], settings: Settings, seed: int, folder: Path | None) -> Data:
    train, test = load(folder)
    return _held_out(settings, Examples(*train), Examples(*test))


def _held_out(settings: Settings, train: Examples, test: Examples) -> Data:
    """The last tenth of what there is to learn from is for validation."""
    rest = len(train.ys) - math.ceil(len(train.ys) / 10)
    n = rest if settings.samples is None else settings.samples
    if not 1 <= n <= rest:
        raise ValueError(f"there are {rest} samples to learn from, besides those for validation, got --samples {n}")
    return Data(Examples(train.xs[:n], train.ys[:n]), test, Examples(train.xs[rest:], train.ys[rest:]))


TWO, THREE, DIGITS = [tuple(map(str, range(k))) for k in (2, 3, 10)]
CLOTHES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")

# fmt: off
# With smaller weights than uniform ones the first layer is all but linear on [-π, π], and it takes long to bend it.
TASKS = {
    "sin": Task("y = sin x on [-π, π]", _sin, 1, (), Curve,
        Settings("16,16",  "tanh",   "mse",                   "momentum", 0.03, "constant", 120, "10", 100, 0.0),
        "uniform"),
    "line": Task("two classes on both sides of a straight line", partial(_points, data.line), 2, TWO, Plane,
        Settings("none",   "linear", "softmax_cross_entropy", "momentum", 0.1,  "constant",  60, "10", 100, 0.0)),
    "moons": Task("two half circles that reach into each other", partial(_points, data.moons), 2, TWO, Plane,
        Settings("16,16",  "tanh",   "softmax_cross_entropy", "adam",     0.01, "cosine",   100, "20", 200, 0.2)),
    "circles": Task("a circle within another", partial(_points, data.circles), 2, TWO, Plane,
        Settings("16,16",  "tanh",   "softmax_cross_entropy", "adam",     0.01, "cosine",   100, "20", 200, 0.1)),
    "spirals": Task("two spiral arms", partial(_points, data.spirals), 2, TWO, Plane,
        Settings("32,32",  "tanh",   "softmax_cross_entropy", "adam",     0.01, "cosine",   150, "20", 200, 0.03)),
    "blobs": Task("three clouds of points", partial(_points, data.blobs), 2, THREE, Plane,
        Settings("16",     "tanh",   "softmax_cross_entropy", "adam",     0.01, "cosine",    60, "10", 150, 1.0)),
    "digits": Task("handwritten digits of 8 × 8 pixels", _digits, 64, DIGITS, Images,
        Settings("128",    "relu",   "softmax_cross_entropy", "adam",     0.003, "cosine",   20, "32")),
    "mnist": Task("handwritten digits of 28 × 28 pixels", partial(_images, data.mnist), 784, DIGITS, Images,
        Settings("128,32", "relu",   "softmax_cross_entropy", "momentum", 0.05, "cosine",     6, "64"), files=True),
    "fashion": Task("clothes of 28 × 28 pixels", partial(_images, data.fashion_mnist), 784, CLOTHES, Images,
        Settings("128,32", "relu",   "softmax_cross_entropy", "momentum", 0.05, "cosine",     8, "64"), files=True),
}
# fmt: on
