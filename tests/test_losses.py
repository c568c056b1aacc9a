"""Losses against their closed forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, grad
from nn.losses import mse

NUMBERS = st.floats(-100, 100)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8)


@given(PAIRS)
def test_mse_and_its_gradient_are_those_of_the_closed_form(pairs):
    predictions, targets = map(list, zip(*pairs, strict=True))
    n = len(pairs)
    expected = sum((p - t) ** 2 for p, t in pairs) / n
    assert mse(predictions, targets) == pytest.approx(expected, rel=1e-12, abs=1e-300)
    gradient = grad(lambda ps: mse(ps, targets))(predictions)
    assert gradient == pytest.approx([2 * (p - t) / n for p, t in pairs], rel=1e-12, abs=1e-300)


def test_mse_takes_lists_of_lists():
    assert mse([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [3.0, 4.0]]) == 1.0
    assert mse([Value(1.0)], [3.0]).data == 4.0


@pytest.mark.parametrize(
    ("predictions", "targets"), [([1.0], []), ([1.0], [[1.0]]), ([[1.0, 2.0]], [[1.0]]), ([[1.0]], [1.0]), ([], [])]
)
def test_shapes_must_fit(predictions, targets):
    with pytest.raises(ValueError, match=r"same shape|no numbers"):
        mse(predictions, targets)


def test_a_list_inside_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        mse(endless, [1.0])
