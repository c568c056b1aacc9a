"""Tensors: shapes, indices and maps of nested lists and arrays."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nn.tensors import flatten, is_list, map_tensor, shape

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
