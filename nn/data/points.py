"""Points that are drawn: a curve to fit, and classes in the plane to tell apart."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Any

from ..extras import scikit_learn
from ..ranges import fraction, nonnegative, whole

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

MOST_SAMPLES = 10_000_000
"""More would be a slip of the keyboard, and take the machine's memory."""

LARGEST_SEED = 2**32 - 1
"""NumPy's older generators, which scikit-learn draws from, take no greater ones."""


def sin(samples: int, noise: float = 0.0, seed: int = 0) -> tuple[list[float], list[float]]:
    """Points (x, sin x + noise), x uniform in [-π, π], the noise normal with standard deviation ``noise``.

    Args:
        samples: how many points.
        noise: the standard deviation of the noise on y, at least 0.
        seed: the same gives the same points.

    Returns:
        x and y, a list of ``samples`` numbers each.

    Raises:
        ValueError: ``samples`` is not positive and whole, or more than ten million; ``noise`` is negative or not
            finite; ``seed`` is not a whole number from 0 to 2³² - 1.

    >>> xs, ys = sin(100)
    >>> len(xs), max(abs(y - math.sin(x)) for x, y in zip(xs, ys))
    (100, 0.0)
    """
    samples, noise, seed = _checked(samples, noise, seed)
    rng = Random(seed)
    xs = [rng.uniform(-math.pi, math.pi) for _ in range(samples)]
    return xs, [math.sin(x) + rng.gauss(0.0, noise) for x in xs]


def line(samples: int, noise: float = 0.0, seed: int = 0, margin: float = 0.1) -> tuple[Array, Array]:
    """Two classes on both sides of a straight line through 0, none closer to it than the margin.

    The line has any direction; points are uniform in the square of side 2 that it halves, but for the margin. Noise may
    carry some over it.

    Args:
        samples: how many points, about half of each class.
        noise: the standard deviation of the normal noise on both coordinates.
        seed: the same gives the same points.
        margin: at least 0 and less than 1.

    Returns:
        Points, shape (samples, 2), and labels 0 and 1, shape (samples,).

    Raises:
        ValueError: as of ``sin``; or the margin is not in its range.

    >>> xs, labels = line(100)
    >>> xs.shape, labels.tolist().count(1)
    ((100, 2), 50)
    """
    import numpy as np

    samples, noise, seed = _checked(samples, noise, seed)
    margin = fraction("the margin", margin)
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0.0, 2.0 * math.pi)
    along, across = [math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]
    labels = rng.permutation(np.arange(samples) % 2)
    distances = rng.uniform(margin, 1.0, samples) * (2 * labels - 1)
    xs = np.outer(rng.uniform(-1.0, 1.0, samples), along) + np.outer(distances, across)
    return xs + noise * rng.standard_normal(xs.shape), labels


def moons(samples: int, noise: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """Two half circles that reach into each other: ``sklearn.datasets.make_moons``.

    Args:
        samples: how many points, half of each class.
        noise: the standard deviation of the normal noise on both coordinates.
        seed: the same gives the same points, those of scikit-learn with this ``random_state``.

    Returns:
        Points, shape (samples, 2), and labels 0 and 1, shape (samples,).

    Raises:
        ValueError: as of ``sin``.
        ImportError: scikit-learn is not installed.

    >>> xs, labels = moons(100)
    >>> xs.shape, labels.tolist().count(1)
    ((100, 2), 50)
    """
    samples, noise, seed = _checked(samples, noise, seed)
    xs, labels = scikit_learn("datasets").make_moons(samples, noise=noise, random_state=seed)
    return xs, labels


def circles(samples: int, noise: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """A circle of radius ½, the class 1, in one of radius 1, the class 0: ``sklearn.datasets.make_circles``.

    Args:
        samples: how many points, half of each class.
        noise: the standard deviation of the normal noise on both coordinates.
        seed: the same gives the same points, those of scikit-learn with this ``random_state``.

    Returns:
        Points, shape (samples, 2), and labels 0 and 1, shape (samples,).

    Raises:
        ValueError: as of ``sin``.
        ImportError: scikit-learn is not installed.

    >>> xs, labels = circles(100)
    >>> sorted({round(math.hypot(*x), 9) for x in xs.tolist()})
    [0.5, 1.0]
    """
    samples, noise, seed = _checked(samples, noise, seed)
    xs, labels = scikit_learn("datasets").make_circles(samples, noise=noise, random_state=seed, factor=0.5)
    return xs, labels


def blobs(samples: int, noise: float = 1.0, seed: int = 0, classes: int = 3) -> tuple[Array, Array]:
    """Normal clouds around centres that are uniform in [-10, 10]²: ``sklearn.datasets.make_blobs``.

    Args:
        samples: how many points, as many of each class.
        noise: the standard deviation of a cloud, in both coordinates.
        seed: the same gives the same points, those of scikit-learn with this ``random_state``.
        classes: how many clouds; no more than points.

    Returns:
        Points, shape (samples, 2), and labels from 0 on, shape (samples,).

    Raises:
        ValueError: as of ``sin``; or there are more classes than samples, or none.
        ImportError: scikit-learn is not installed.

    >>> xs, labels = blobs(90)
    >>> xs.shape, labels.tolist().count(2)
    ((90, 2), 30)
    """
    samples, noise, seed = _checked(samples, noise, seed)
    classes = whole("the number of classes", classes, 1, samples)
    datasets = scikit_learn("datasets")
    xs, labels = datasets.make_blobs(samples, centers=classes, cluster_std=noise, random_state=seed)
    return xs, labels


def spirals(samples: int, noise: float = 0.0, seed: int = 0, arms: int = 2) -> tuple[Array, Array]:
    """Spiral arms that each turn once around 0: r (cos φ, sin φ), φ = 2π (r + arm / arms), 0 < r ≤ 1.

    Each arm is a class. r is √u, u uniform, which spreads points about evenly along an arm. Two arms are a classic
    (Lang and Witbrock 1988).

    Args:
        samples: how many points, as many of each class.
        noise: the standard deviation of the normal noise on both coordinates.
        seed: the same gives the same points.
        arms: how many; no more than points.

    Returns:
        Points, shape (samples, 2), and labels from 0 on, shape (samples,).

    Raises:
        ValueError: as of ``sin``; or there are more arms than samples, or none.

    >>> xs, labels = spirals(90, arms=3)
    >>> xs.shape, labels.tolist().count(2)
    ((90, 2), 30)
    """
    import numpy as np

    samples, noise, seed = _checked(samples, noise, seed)
    arms = whole("the number of arms", arms, 1, samples)
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(samples) % arms)
    radius = np.sqrt(1.0 - rng.random(samples))  # not 0, where all arms meet
    angle = 2.0 * math.pi * (radius + labels / arms)
    xs = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return xs + noise * rng.standard_normal(xs.shape), labels


def _checked(samples: int, noise: float, seed: int) -> tuple[int, float, int]:
    return (
        whole("the number of samples", samples, 1, MOST_SAMPLES),
        nonnegative("the noise, a standard deviation,", noise),
        whole("the seed", seed, 0, LARGEST_SEED),
    )
