"""Comparisons of programs with graphs: on which examples, at which numbers, and what counts as the same."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from nn.comparison import COMPARED, agree, nearby, spread, unchanged

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5)


@given(total=st.integers(1, 10_000), nodes=st.integers(1, 10**6))
def test_examples_are_spread_evenly_and_as_many_as_make_so_many_nodes(total, nodes):
    some = spread(total, nodes)
    assert some[0] == 0
    assert set(np.diff(some)) <= {some[1] if len(some) > 1 else 0}
    assert some[-1] < total
    assert min(total, 2) <= len(some) <= max(2, COMPARED // nodes)


@given(numbers=NUMBERS, error=st.floats(0.0, 1e-3))
def test_what_differs_by_rounding_of_the_greatest_is_the_same(numbers, error):
    expected = np.array(numbers)
    largest = np.abs(expected).max()
    found = expected + error * largest
    difference = np.abs(found - expected).max()
    assert agree(found, expected) == (difference <= 1e-9 * largest)
    assert agree(expected, expected)
    assert not agree(expected, np.append(expected, 0.0))


def test_what_is_not_finite_agrees_with_its_like():
    assert agree([math.nan, math.inf, 1.0], [math.nan, math.inf, 1.0])
    assert not agree([math.nan, 1.0], [1.0, 1.0])
    assert not agree([math.inf], [-math.inf])


@given(numbers=NUMBERS)
def test_nearby_every_number_is_another_and_afterwards_what_it_was(numbers):
    values = [Value(x) for x in numbers]
    for value in values:
        value.grad = 3.0
    with nearby(values):
        for value, x in zip(values, numbers, strict=True):
            assert abs(value.data - x) <= 0.001 * abs(x or 1.0) * (1 + 1e-9)
            assert value.data != x or abs(x) < 1e-300
            value.grad = 5.0
    assert [(value.data, value.grad) for value in values] == [(x, 3.0) for x in numbers]


def test_an_error_changes_nothing_either():
    value = Value(2.0)
    with pytest.raises(ZeroDivisionError), unchanged([value]):
        value.data = 1 / 0
    with pytest.raises(ZeroDivisionError), nearby([value]):
        value.grad = 1 / 0
    assert (value.data, value.grad) == (2.0, 0.0)
