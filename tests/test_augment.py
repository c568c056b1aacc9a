"""Augmentation: what changes, what does not, and how often."""

import math
import pickle
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from nn.augment import Jitter, Mirror, Shift

SIZES = st.tuples(st.integers(0, 5), st.integers(1, 5), st.integers(1, 5))


def drawn(size, seed):
    """Images of numbers that are all different and not 0, in rows; they must not be written to."""
    images = np.random.default_rng(seed).permutation(math.prod(size)).reshape(size) + 1.0
    images.setflags(write=False)
    return images, images.reshape(size[0], size[1] * size[2])


@given(size=SIZES, seed=st.integers(0, 99), data=st.data())
def test_a_shifted_image_is_a_window_on_the_image_in_a_frame_of_zeros(size, seed, data):
    images, xs = drawn(size, seed)
    _, height, width = size
    pixels = data.draw(st.integers(0, min(height, width) - 1))
    found = Shift(height, width, pixels)(xs, np.random.default_rng(seed))
    assert (found.shape, found.dtype) == (xs.shape, xs.dtype)
    for image, moved in zip(images, found.reshape(size), strict=True):
        frame = np.pad(image, pixels)
        windows = np.lib.stride_tricks.sliding_window_view(frame, (height, width)).reshape(-1, height, width)
        assert sum((window == moved).all() for window in windows) == 1


def test_all_ways_are_as_likely_and_each_image_goes_its_own():
    image = np.zeros((5, 5))
    image[2, 2] = 1.0
    found = Shift(5, 5, 2)(np.tile(image.ravel(), (50_000, 1)), np.random.default_rng(0))
    share = found.mean(axis=0)  # of images that moved to each of 25 places
    assert np.abs(share - 1 / 25).max() < 5 * math.sqrt(1 / 25 / 50_000)  # five standard deviations


@given(size=SIZES, seed=st.integers(0, 99))
def test_an_image_is_mirrored_or_as_it_was(size, seed):
    images, xs = drawn(size, seed)
    found = Mirror(*size[1:])(xs, np.random.default_rng(seed))
    assert (found.shape, found.dtype) == (xs.shape, xs.dtype)
    for image, turned in zip(images, found.reshape(size), strict=True):
        assert (turned == image).all() or (turned == image[:, ::-1]).all()


def test_half_of_the_images_are_mirrored():
    found = Mirror(1, 2)(np.tile([0.0, 1.0], (10_000, 1)), np.random.default_rng(0))
    assert abs(found[:, 0].mean() - 0.5) < 5 * 0.5 / math.sqrt(10_000)


@pytest.mark.parametrize("deviation", [0.0, 0.3])
def test_jitter_has_its_standard_deviation(deviation):
    xs = np.random.default_rng(1).normal(size=(500, 20))
    noise = Jitter(deviation)(xs, np.random.default_rng(0)) - xs
    assert noise.std() == pytest.approx(deviation, rel=5 / math.sqrt(2 * noise.size))
    assert abs(noise.mean()) <= 5 * deviation / math.sqrt(noise.size)


every_maker = pytest.mark.parametrize(
    ("augment", "text"),
    [
        (Jitter(0.5), "Jitter(deviation=0.5)"),
        (Shift(2, 3, 1), "Shift(height=2, width=3, pixels=1)"),
        (Mirror(2, 3), "Mirror(height=2, width=3)"),
    ],
)


@every_maker
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_generator_decides_and_the_kind_of_numbers_stays(augment, text, dtype):
    xs = np.arange(60, dtype=dtype).reshape(10, 6)
    before = xs.copy()
    found = augment(xs, np.random.default_rng(1))
    assert found.dtype == dtype
    assert (found == augment(xs, np.random.default_rng(1))).all()
    assert (found != augment(xs, np.random.default_rng(2))).any()
    assert (xs == before).all()


@every_maker
def test_makers_say_what_they_are_and_are_pickled(augment, text):
    assert repr(augment) == text
    assert pickle.loads(pickle.dumps(augment)) == augment


@every_maker
@pytest.mark.parametrize("xs", [np.zeros(6), np.zeros((2, 2, 3)), [[0.0] * 6], np.zeros((2, 6), int), None])
def test_samples_are_an_array_of_floats(augment, text, xs):
    with pytest.raises(ValueError, match=r"samples are an array of floats \(B, n\), got"):
        augment(xs, np.random.default_rng(0))


@pytest.mark.parametrize("augment", [Shift(2, 3, 1), Mirror(2, 3)])
def test_images_have_their_size(augment):
    with pytest.raises(ValueError, match="images of 2 × 3 pixels are samples of 6 numbers, got 5"):
        augment(np.zeros((4, 5)), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        *[(partial(Jitter, x), "at least 0, got") for x in (-0.1, math.nan, math.inf, "0.1", None)],
        *[(partial(Shift, x, 3, 0), "the height of an image must be a whole number") for x in (0, -1, 2.0, "2")],
        *[(partial(Shift, 3, x, 0), "the width of an image must be a whole number") for x in (0, -1, 2.0, "2")],
        *[
            (partial(Shift, 2, 3, x), "the number of pixels that an image moves must be a whole number from 0 to 1")
            for x in (-1, 2, 1.0, "1", 10**9)
        ],
        (partial(Mirror, 0, 3), "height"),
        (partial(Mirror, 3, None), "width"),
    ],
)
def test_bad_settings_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_training_on_shifted_images_is_compiled():
    images, labels = np.eye(9), np.eye(3)[np.arange(9) // 3]
    losses = []
    for eager in (False, True):
        model = nn.MLP(9, [6, 3], activation="tanh", seed=0)
        settings = {"augment": Shift(3, 3, 1), "loss": nn.losses.softmax_cross_entropy, "epochs": 3, "eager": eager}
        history = nn.fit(model, images, labels, batch_size=4, **settings)
        assert history.engine.partition(":")[0] == ("graph" if eager else "program")
        losses.append(history.loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)  # 9 steps, each of which rounds otherwise
