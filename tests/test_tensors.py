"""Tensors: shapes, indices and maps of nested lists and arrays."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from nn.tensors import flatten, floats, is_list, map_tensor, shape

ARRAYS = st.lists(st.integers(1, 3), max_size=3).map(lambda size: np.arange(float(np.prod(size))).reshape(size))


@given(ARRAYS)
def test_lists_and_arrays_are_read_alike(array):
    nested = array.tolist()
    assert shape(nested) == shape(array) == array.shape
    assert is_list(nested) == is_list(array) == (array.ndim > 0)
    assert [number for _, number in flatten(nested)] == array.ravel().tolist()
    assert map_tensor(lambda x: 2 * x, nested) == (2 * array).tolist()


@given(ARRAYS)
def test_an_index_leads_to_its_number(array):
    nested = array.tolist()
    for index, number in flatten(nested):
        assert eval(f"nested{index}") == number


def test_a_ragged_list_has_no_length_where_it_is_ragged():
    assert shape([[1.0], [2.0, 3.0]]) == (2, -1)
    assert shape([]) == (0,)


@given(ARRAYS)
def test_floats_are_the_numbers_whatever_they_are_in(array):
    nested = array.tolist()
    for tensor in (array, array.astype(int), *(map_tensor(kind, nested) for kind in (float, int, Value, Fraction))):
        found = floats(tensor)
        assert found.dtype == float
        assert found.tolist() == nested


@pytest.mark.parametrize("tensor", [[1j], np.array([1j]), [np.complex128(1j)], [[1.0], [2.0, 3.0]], ["a"], {}])
def test_what_is_no_tensor_of_real_numbers_has_no_floats(tensor):
    with pytest.raises((TypeError, ValueError)):
        floats(tensor)
