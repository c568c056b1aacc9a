"""Data: what is drawn is what the docstring says."""

import math
import statistics

import pytest

from nn.data import sin


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


def test_the_seed_decides():
    assert sin(5, seed=1) == sin(5, seed=1) != sin(5, seed=2)


@pytest.mark.parametrize(
    ("samples", "noise"),
    [(0, 0.0), (-1, 0.0), (2.5, 0.0), ("5", 0.0), (10**9, 0.0), (5, -0.1), (5, math.nan), (5, math.inf)],
)
def test_bad_input_is_named(samples, noise):
    with pytest.raises(ValueError, match=r"samples must be positive|noise is a standard deviation"):
        sin(samples, noise)
