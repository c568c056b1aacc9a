"""Ranges: numbers that are taken become Python's own, and others are named."""

import math

import numpy as np
import pytest

from nn.ranges import fraction, nonnegative, positive, whole


@pytest.mark.parametrize("three", [3, np.int64(3), np.uint8(3)])
def test_a_whole_number_becomes_an_int(three):
    assert (whole("n", three, least=3), type(whole("n", three, 0, 3))) == (3, int)


@pytest.mark.parametrize("wrong", [2, 3.0, "3", None, True, np.float64(3.0), math.nan])
def test_what_is_no_whole_number_of_the_range_is_named(wrong):
    with pytest.raises(ValueError, match=r"n must be a whole number of at least 3, got"):
        whole("n", wrong, least=3)
    with pytest.raises(ValueError, match=r"n must be a whole number from 3 to 1,000, got"):
        whole("n", wrong, 3, 1000)


def test_the_greatest_is_in_the_range():
    assert whole("n", 5, 0, 5) == 5
    with pytest.raises(ValueError, match="from 0 to 5, got 6"):
        whole("n", 6, 0, 5)


@pytest.mark.parametrize(
    ("take", "good", "bad"),
    [
        (positive, [1, 0.5, np.float32(2.0), 5e-324], [0, -1.0]),
        (nonnegative, [0, 0.5, np.int64(2)], [-1, -5e-324]),
        (fraction, [0, 0.5, math.nextafter(1.0, 0.0)], [1, -0.1]),
    ],
)
def test_a_number_of_the_range_becomes_a_float_and_others_are_named(take, good, bad):
    assert [take("x", each) for each in good] == [float(each) for each in good]
    assert all(type(take("x", each)) is float for each in good)
    for wrong in [*bad, math.nan, math.inf, "1", None, 1j]:
        with pytest.raises(ValueError, match=r"x must be a number .*, got"):
            take("x", wrong)
