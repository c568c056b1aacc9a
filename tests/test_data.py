"""Data: what is drawn is what the docstrings say; labels; images of scikit-learn and of OpenML."""

import math
import statistics
import urllib.error
import warnings
from fractions import Fraction
from functools import partial
from http.client import IncompleteRead
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets

import nn.data.images as module
from nn.data import blobs, circles, digits, fashion_mnist, line, mnist, moons, one_hot, sin, spirals

CLASSES = {
    line: 2,
    moons: 2,
    circles: 2,
    blobs: 3,
    spirals: 2,
    partial(blobs, classes=5): 5,
    partial(spirals, arms=3): 3,
}

every_maker = pytest.mark.parametrize("make", [sin, line, moons, circles, blobs, spirals])
every_classification = pytest.mark.parametrize(("make", "classes"), CLASSES.items())

# ---- points ----------------------------------------------------------------------------------------------------------


def test_sin_is_sin_on_its_interval():
    xs, ys = sin(500, seed=3)
    assert len(xs) == len(ys) == 500
    assert all(-math.pi <= x <= math.pi for x in xs)
    assert ys == [math.sin(x) for x in xs]
    assert min(xs) < -3
    assert max(xs) > 3


def test_noise_has_its_standard_deviation():
    xs, ys = sin(5000, noise=0.3)
    errors = [y - math.sin(x) for x, y in zip(xs, ys, strict=True)]
    assert statistics.pstdev(errors) == pytest.approx(0.3, rel=5 / math.sqrt(2 * 5000))
    assert abs(statistics.fmean(errors)) < 5 * 0.3 / math.sqrt(5000)


@pytest.mark.parametrize("make", [line, spirals])
def test_noise_on_points_has_its_standard_deviation(make):
    noise = make(5000, noise=0.3)[0] - make(5000)[0]
    assert noise.std() == pytest.approx(0.3, rel=5 / math.sqrt(2 * noise.size))
    assert abs(noise.mean()) < 5 * 0.3 / math.sqrt(noise.size)


@every_classification
@pytest.mark.parametrize("samples", [5, 6, 101])
def test_classes_are_points_in_the_plane_as_many_of_each(make, classes, samples):
    xs, labels = make(samples, noise=0.1)
    assert (xs.shape, xs.dtype, labels.shape, labels.dtype) == ((samples, 2), float, (samples,), int)
    counts = np.bincount(labels, minlength=classes)
    assert len(counts) == classes
    assert counts.max() - counts.min() <= 1


@every_maker
def test_the_seed_decides(make):
    def numbers(seed):
        return [np.asarray(part).tolist() for part in make(20, 0.1, seed)]

    assert numbers(1) == numbers(1) != numbers(2)


@every_maker
@pytest.mark.parametrize("noise", [Fraction(1, 4), np.float32(0.25), 1])
def test_noise_is_a_number_of_any_kind(make, noise):
    xs, others = (np.asarray(make(20, each)[0]) for each in (noise, float(noise)))
    assert xs.dtype == float
    assert (xs == others).all()


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.99), st.integers(1, 50))
def test_a_line_is_between_the_classes_and_far_from_both(seed, margin, samples):
    xs, labels = line(samples, seed=seed, margin=margin)
    angle = np.random.default_rng(seed).uniform(0.0, 2.0 * math.pi)
    along = xs @ [math.cos(angle), math.sin(angle)]
    distance = xs @ [-math.sin(angle), math.cos(angle)]
    rounding = 4 * 2**-53  # of a sum of two products of numbers up to √2
    assert (distance[labels == 1] >= margin - rounding).all()
    assert (distance[labels == 0] <= rounding - margin).all()
    assert np.abs([along, distance]).max() <= 1 + rounding


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(5, 50))
def test_a_spiral_turns_once_and_each_arm_where_no_other_is(seed, arms, samples):
    xs, labels = spirals(samples, seed=seed, arms=arms)
    radius = np.hypot(*xs.T)
    assert radius.min() > 0.0
    assert radius.max() <= 1 + 2**-52
    turns = np.arctan2(xs[:, 1], xs[:, 0]) / (2 * math.pi) - radius - labels / arms
    assert np.abs(turns - turns.round()).max() < 1e-14  # some roundings of numbers up to 2 turns


def test_points_are_those_of_scikit_learn():
    for ours, theirs in [
        (moons(50, 0.2, 3), datasets.make_moons(50, noise=0.2, random_state=3)),
        (circles(50, 0.2, 3), datasets.make_circles(50, noise=0.2, random_state=3, factor=0.5)),
        (blobs(50, 0.2, 3, 4), datasets.make_blobs(50, cluster_std=0.2, random_state=3, centers=4)),
    ]:
        for mine, other in zip(ours, theirs, strict=True):
            assert (mine == other).all()


@every_maker
@pytest.mark.parametrize(
    ("samples", "noise", "seed"),
    [
        *[(samples, 0.0, 0) for samples in (0, -1, 2.5, "5", 10**9, None)],
        *[(5, noise, 0) for noise in (-0.1, math.nan, math.inf, "0.1", None)],
        *[(5, 0.0, seed) for seed in (-1, 2**32, 0.5, "1", None)],
    ],
)
def test_bad_input_is_named(make, samples, noise, seed):
    with pytest.raises(ValueError, match=r"samples must be a whole|standard deviation, must be|seed must be a whole"):
        make(samples, noise, seed)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        *[(partial(line, 5, margin=x), r"the margin must be a number in \[0, 1\)") for x in (-0.1, 1.0, math.nan, "0")],
        *[(partial(blobs, 5, classes=x), "classes must be a whole number from 1 to 5") for x in (0, 6, 2.0, 10**9)],
        *[(partial(spirals, 5, arms=x), "arms must be a whole number from 1 to 5") for x in (0, 6, "2", None)],
    ],
)
def test_bad_settings_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("make", [sin, line, moons, circles, blobs, spirals])
def test_numbers_of_numpy_are_taken(make):
    found = make(np.int64(12), np.float32(0.5), np.int64(3))
    assert all(np.array_equal(*each) for each in zip(found, make(12, 0.5, 3), strict=True))


# ---- labels ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 6)), st.integers(7, 9))
def test_a_row_has_a_single_1_in_the_column_of_its_label(labels, classes):
    for given_labels in (labels, np.array(labels, dtype=np.uint8)):
        assert one_hot(given_labels, classes).tolist() == [
            [float(i == label) for i in range(classes)] for label in labels
        ]
    if labels:
        assert (one_hot(labels) == one_hot(labels, max(labels) + 1)).all()


@pytest.mark.parametrize(
    ("labels", "classes", "error", "message"),
    [
        ([], None, ValueError, "of no labels, the number of classes must be given"),
        ([[0, 1]], None, ValueError, r"labels are a list of n numbers, got the shape \(1, 2\)"),
        (3, None, ValueError, "labels are a list of n numbers"),
        ([0.0, 1.0], None, TypeError, r"labels are whole numbers from 0 on, got \[0\.0, 1\.0\]"),
        (["a"], None, TypeError, "labels are whole numbers"),
        ([True], None, TypeError, "labels are whole numbers"),
        ([-1, 0], None, ValueError, "labels of 1 classes are 0 to 0, got -1 to 0"),
        ([0, 3], 3, ValueError, "labels of 3 classes are 0 to 2, got 0 to 3"),
        ([0], 0, ValueError, "the number of classes must be a whole number of at least 1, got 0"),
        ([0], 2.0, ValueError, "the number of classes must be a whole number of at least 1"),
        ([10**9], None, ValueError, "1 rows of 1000000001 numbers are more than 1,000,000,000"),
        ([2**64 - 1], None, ValueError, "which is the most"),
        ([0], 10**12, ValueError, "which is the most"),
    ],
)
def test_what_are_no_labels_is_named(labels, classes, error, message):
    with pytest.raises(error, match=message):
        one_hot(labels, classes)


# ---- images ----------------------------------------------------------------------------------------------------------


def test_digits_are_those_of_scikit_learn_from_0_to_1():
    images, labels = digits()
    bunch = datasets.load_digits()
    assert (images * 16 == bunch.data).all()
    assert (labels == bunch.target).all()
    assert (images.min(), images.max()) == (0.0, 1.0)


def test_openml_is_asked_for_the_right_set_and_split_as_it_is_published(monkeypatch):
    assert (module.TRAIN, module.TEST) == (60_000, 10_000)
    monkeypatch.setattr(module, "TRAIN", 60)  # 440 MB are too many for a test
    monkeypatch.setattr(module, "TEST", 10)
    bytes_, labels = np.arange(70 * 784).reshape(70, 784) % 256, [str(i % 10) for i in range(70)]
    asked = []

    def fetch(name, **options):
        asked.append((name, options["version"], options["as_frame"]))
        return SimpleNamespace(data=bytes_, target=np.array(labels, dtype=object))

    monkeypatch.setattr(datasets, "fetch_openml", fetch)
    for function, name in ((mnist, "mnist_784"), (fashion_mnist, "Fashion-MNIST")):
        train, test = function()
        assert asked.pop() == (name, 1, False)
        assert (np.concatenate([train.images, test.images]) == bytes_ / 255).all()
        assert (train.labels.tolist(), test.labels.tolist()) == ([*range(10)] * 6, [*range(10)])
        assert (len(train.images), test.images.dtype, test.labels.dtype) == (60, float, int)


@pytest.mark.parametrize(
    "error",
    [
        urllib.error.URLError("Name or service not known"),
        IncompleteRead(b""),
        ConnectionResetError(104, "reset"),
        TimeoutError(),
    ],
)
@pytest.mark.parametrize(("function", "name"), [(mnist, "mnist_784"), (fashion_mnist, "Fashion-MNIST")])
def test_without_a_network_one_line_says_what_to_do(monkeypatch, function, name, error):
    def fetch(*args, **options):
        warnings.warn("A network error occurred while downloading it. Retrying...", stacklevel=2)
        raise error

    monkeypatch.setattr(datasets, "fetch_openml", fetch)
    with pytest.raises(ConnectionError) as raised:
        function()
    message = str(raised.value)
    assert "\n" not in message
    assert f"{name} cannot be fetched from OpenML" in message
    assert f"give a folder that has the files, {function.__name__}(folder): train-images-idx3-ubyte" in message


def test_what_is_not_the_set_is_refused(monkeypatch):
    found = SimpleNamespace(data=np.zeros((3, 784)), target=np.zeros(3))
    monkeypatch.setattr(datasets, "fetch_openml", lambda *args, **options: found)
    with pytest.raises(ValueError, match=r"mnist_784 from OpenML must have 70000 rows .* got the shapes \(3, 784\)"):
        mnist()
