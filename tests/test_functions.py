"""mean, softmax, log_softmax and norm."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, derivative, formula, grad, jacobian, log_softmax, mean, norm, softmax

LISTS = st.lists(st.floats(-30, 30), min_size=1, max_size=6)


@pytest.mark.parametrize("function", [mean, softmax, log_softmax, norm])
def test_nothing_of_no_numbers(function):
    with pytest.raises(ValueError, match=f"the {function.__name__} of no numbers is not defined"):
        function([])
    with pytest.raises(ValueError, match="of no numbers"):
        function(iter(()))


@given(LISTS)
def test_mean(xs):
    assert mean(xs) == math.fsum(xs) / len(xs)
    assert grad(mean)(xs) == [1 / len(xs)] * len(xs)
    assert mean(x for x in xs) == mean(xs)


@given(LISTS)
def test_softmax_is_a_distribution(xs):
    shares = softmax(xs)
    assert math.fsum(shares) == pytest.approx(1.0, rel=1e-15)
    assert shares == pytest.approx([math.exp(x) / math.fsum(map(math.exp, xs)) for x in xs], rel=1e-13)
    assert log_softmax(xs) == pytest.approx([math.log(share) for share in shares], rel=1e-13, abs=1e-13)
    rows = jacobian(softmax)(xs)
    for i, row in enumerate(rows):
        expected = [shares[i] * ((i == j) - shares[j]) for j in range(len(xs))]
        assert row == pytest.approx(expected, rel=1e-9, abs=1e-15)


@given(LISTS, st.data())
def test_the_gradient_of_log_softmax_is_one_less_the_softmax(xs, data):
    i = data.draw(st.integers(0, len(xs) - 1))
    expected = [(i == j) - share for j, share in enumerate(softmax(xs))]
    assert grad(lambda xs: log_softmax(xs)[i])(xs) == pytest.approx(expected, rel=1e-9, abs=1e-15)


@given(LISTS)
def test_norm(xs):
    length = math.hypot(*xs)
    assert norm(xs) == pytest.approx(length, rel=1e-14)
    if length > 1e-3:
        assert grad(norm)(xs) == pytest.approx([x / length for x in xs], rel=1e-12, abs=1e-300)


def test_the_ends_of_the_range():
    assert softmax([1000.0, -1000.0]) == [1.0, 0.0]
    assert softmax([-1000.0, -1000.0]) == [0.5, 0.5]
    assert log_softmax([1000.0, -1000.0]) == [0.0, -2000.0]
    assert grad(lambda xs: log_softmax(xs)[1])([1000.0, -1000.0]) == [-1.0, 1.0]
    assert jacobian(softmax)([1000.0, -1000.0]) == [[0.0, 0.0], [0.0, 0.0]]
    assert softmax([math.inf * -1, 0.0]) == [0.0, 1.0]
    assert norm([3e200, 4e200]) == pytest.approx(5e200, rel=1e-15)
    assert norm([3e-200, 4e-200]) == pytest.approx(5e-200, rel=1e-15)
    assert mean([1e308, 1e308]) == math.inf


def test_norm_at_zero_has_the_gradient_zero():
    assert norm([0.0, 0.0]) == 0.0
    assert grad(norm)([0.0]) == [0.0]
    assert grad(norm)([0.0, 0.0, 0.0]) == [0.0, 0.0, 0.0]
    assert grad(norm)([0.0, -2.0]) == [0.0, -1.0]


def test_they_record_few_nodes_and_nest():
    xs = [Value(1.0, "a"), Value(2.0, "b")]
    assert formula(mean(xs)) == "sum([a, b]) / 2"
    assert formula(norm(xs)) == "hypot(abs(a), b)"
    assert derivative(lambda x: norm([x, 4.0]), 2)(3.0) == pytest.approx(16 / 125, rel=1e-15)


@pytest.mark.parametrize("function", [mean, softmax, log_softmax, norm])
def test_a_number_is_no_list(function):
    with pytest.raises(TypeError, match=r"is that of a list of numbers, got 2\.0"):
        function(2.0)
