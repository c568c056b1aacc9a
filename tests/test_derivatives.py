"""grad and its relatives: structure, nesting, errors."""

import math

import numpy as np
import pytest
from graphs import Recipe, recipes
from hypothesis import assume, given
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, derivative, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

NUMBERS = st.floats(-2, 2)


def f(x, y):
    return ag.sin(x * y) + x**3 * ag.exp(y)


# ---- structure -------------------------------------------------------------------------------------------------------


def test_numbers_in_numbers_out():
    assert grad(lambda x: x**2)(3) == 6.0
    assert type(grad(lambda x: x**2)(3)) is float
    assert grad(lambda x, y: x * y)(2, 5.0) == (5.0, 2.0)
    assert value_and_grad(lambda x: x**2)(np.float32(3)) == (9.0, 6.0)
    assert type(value_and_grad(lambda x: x * 1)(3)[0]) is float


def test_a_derivative_has_the_structure_of_the_arguments():
    def g(a, b, c):
        return a * b[0] * c[0][1] + c[1][0] * c[0][0] + ag.sum(b)

    assert grad(g)(2, [3, 4], ((5, 6), [7])) == (18.0, [13.0, 1.0], ((7.0, 6.0), [5.0]))
    assert grad(lambda w: w[0] * w[1])([2, 3]) == [3.0, 2.0]
    assert grad(lambda w: w[0] * w[1])((2, 3)) == (3.0, 2.0)
    assert grad(lambda w: 1.0)([]) == []


def test_numpy_arrays_are_lists_of_numbers():
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert grad(lambda w: w[0][1] * w[1][0])(a) == [[0.0, 3.0], [2.0, 0.0]]
    assert grad(lambda x: x * x)(np.array(3.0)) == 6.0
    assert grad(lambda w: ag.dot(w, w))(np.array([1, 2])) == [2.0, 4.0]
    assert a.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_function_that_ignores_its_inputs_has_derivative_zero():
    assert grad(lambda x, y: x * 2)(1.0, 2.0) == (2.0, 0.0)
    assert value_and_grad(lambda x: 7)(1.0) == (7, 0.0)
    assert grad(lambda x: [1.0, 2.0][0])([1.0, 2.0]) == [0.0, 0.0]
    assert jacobian(lambda x: [x, 3.0])(1.0) == [1.0, 0.0]
    assert jvp(lambda x: 7.0, (1.0,), (1.0,)) == (7.0, 0.0)
    assert derivative(lambda x: 7.0)(1.0) == 0.0
    assert grad(grad(lambda x: 3 * x))(1.0) == 0.0
    assert hvp(lambda x: 2 * x, (1.0,), (1.0,)) == 0.0


def test_the_identity():
    assert value_and_grad(lambda x: x)(3) == (3.0, 1.0)
    assert jvp(lambda x: x, (3,), (np.float32(0.1),)) == (3.0, float(np.float32(0.1)))
    assert jacobian(lambda x: x)([1.0, 2.0]) == [[1.0, 0.0], [0.0, 1.0]]


def test_the_same_value_as_two_arguments_counts_for_each():
    x = Value(3.0)
    assert [float(g) for g in grad(lambda a, b: a * a * b)(x, x)] == [18.0, 9.0]


# ---- jacobian, vjp, jvp, hessian, hvp --------------------------------------------------------------------------------


def test_jacobian_of_several_arguments_and_nested_results():
    found = jacobian(lambda x, w: {"a": [x * w[0], (w[1], x)]}["a"])(2.0, [3.0, 4.0])
    assert found == [(3.0, [2.0, 0.0]), ((0.0, [0.0, 1.0]), (1.0, [0.0, 0.0]))]


def test_vjp_pulls_back_more_than_once():
    value, pull_back = vjp(lambda x, y: [x * y, ag.sum([x, y])], 2.0, 3.0)
    assert value == [6.0, 5.0]
    assert pull_back([1.0, 0.0]) == (3.0, 2.0)
    assert pull_back([0.0, 1]) == (1.0, 1.0)
    value, pull_back = vjp(lambda x: x * x, 3.0)
    assert (value, pull_back(2.0)) == (9.0, 12.0)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_vjp_and_jvp_are_adjoint(x, y, s, t):
    def g(x, y):
        return [f(x, y), x * ag.tanh(y)]

    _, tangents = jvp(g, (x, y), (s, t))
    _, pull_back = vjp(g, x, y)
    a, b = pull_back([0.3, -0.7])
    assert 0.3 * tangents[0] - 0.7 * tangents[1] == pytest.approx(a * s + b * t, rel=1e-11, abs=1e-11)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_the_hessian_is_symmetric_and_times_a_vector_is_hvp(x, y, s, t):
    (xx, xy), (yx, yy) = hessian(f)(x, y)
    assert xy == pytest.approx(yx, rel=1e-12, abs=1e-12)
    assert xx == pytest.approx(-y * y * math.sin(x * y) + 6 * x * math.exp(y), rel=1e-11, abs=1e-11)
    found = hvp(f, (x, y), (s, t))
    assert found == pytest.approx((xx * s + xy * t, yx * s + yy * t), rel=1e-11, abs=1e-11)


@given(recipes(most_steps=6), st.lists(NUMBERS, min_size=4, max_size=4))
def test_forward_over_reverse_is_reverse_over_forward(recipe: Recipe, direction):
    tangents = direction[: len(recipe.leaves)]
    one = jvp(grad(recipe.output), recipe.leaves, tangents)[1]
    other = grad(lambda *x: jvp(recipe.output, x, tangents)[1])(*recipe.leaves)
    scale = 1.0 + math.fsum(abs(x) for row in hessian(recipe.output)(*recipe.leaves) for x in row)
    assume(math.isfinite(scale))  # it is not at the tip of a cone
    for a, b in zip(one, other, strict=True):
        assert float(a) == pytest.approx(float(b), rel=1e-9, abs=1e-9 * scale)


# ---- nesting ---------------------------------------------------------------------------------------------------------


def test_grad_of_grad_on_values():
    x = Value(2.0, "x")
    second = grad(grad(lambda x: x**4))(x)
    assert isinstance(second, Value)
    second.backward()
    assert (second.data, x.grad) == (48.0, 48.0)


def test_a_derivative_that_depends_on_a_value_is_a_value():
    w = Value(3.0, "w")
    slope = grad(lambda x: w * x**2)(5.0)
    assert isinstance(slope, Value)
    slope.backward()
    assert (slope.data, w.grad) == (30.0, 10.0)
    value, _ = value_and_grad(lambda x: w * x)(2.0)
    assert isinstance(value, Value)
    assert isinstance(grad(lambda x: x + w)(2.0), float)


def test_a_function_that_closes_over_its_argument():
    x = Value(3.0)
    assert float(grad(lambda a: a * x)(x)) == 3.0
    assert float(grad(lambda a: grad(lambda b: a * b * b)(a))(x)) == 12.0


def test_grad_leaves_no_gradients_behind():
    x, w = Value(3.0), Value(2.0)
    grad(lambda a: a * w)(x)
    assert not x.has_grad
    assert not w.has_grad


def test_jvp_of_grad_and_grad_of_jvp():
    assert jvp(grad(lambda x: x**4), (2.0,), (1.0,)) == (32.0, 48.0)
    assert grad(lambda x: jvp(lambda y: y**4, (x,), (1.0,))[1])(2.0) == 48.0
    assert hessian(lambda x: jvp(lambda y: y**5, (x,), (1.0,))[1])(2.0) == 5 * 4 * 3 * 4.0
    assert derivative(grad(grad(lambda x: x**5)), 2)(2.0) == 240.0
    assert jacobian(jacobian(lambda x: [x[0] ** 2 * x[1]]))([3.0, 5.0]) == [[[10.0, 6.0], [6.0, 0.0]]]


def test_vjp_of_values_is_a_graph():
    x, c = Value(2.0), Value(3.0)
    _, pull_back = vjp(lambda a: a * a, x)
    slope = pull_back(c)
    slope.backward()
    assert (float(slope), x.grad, c.grad) == (12.0, 6.0, 4.0)


@pytest.mark.parametrize("order", range(5))
def test_derivative_of_an_order(order):
    assert derivative(lambda x: x**4, order)(2.0) == [16.0, 32.0, 48.0, 48.0, 24.0][order]


# ---- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [-1, 1.0, "1", None, 101, 10**400])
def test_an_order_is_a_whole_number(order):
    with pytest.raises(ValueError, match="order of a derivative is a whole number from 0 to 100"):
        derivative(ag.sin, order)


@pytest.mark.parametrize(
    ("returned", "said"),
    [(None, "is a return missing"), ([1.0], "got list.*use jacobian"), ("1", "got str"), (1j, "got complex")],
)
def test_grad_takes_a_function_that_returns_one_number(returned, said):
    for attempt in (grad, value_and_grad, hessian):
        with pytest.raises(TypeError, match=said):
            attempt(lambda x: returned)(1.0)


@pytest.mark.parametrize("wrong", ["1", None, 1j, {"a": 1.0}, iter([1.0]), [1.0, "2"], [[None]]])
def test_arguments_are_numbers_or_lists_of_numbers(wrong):
    for attempt in (grad(lambda x: 1.0), jacobian(lambda x: 1.0), lambda x: vjp(lambda x: 1.0, x)):
        with pytest.raises(TypeError, match="expected a number or a list of numbers, got"):
            attempt(wrong)


def test_results_are_numbers_or_lists_of_numbers():
    for attempt in (
        jacobian(lambda x: "1"),
        lambda x: vjp(lambda x: None, x),
        lambda x: jvp(lambda x: {}, (x,), (1.0,)),
    ):
        with pytest.raises(TypeError, match="expected a number or a list of numbers, got"):
            attempt(1.0)


def test_tangents_and_cotangents_have_the_structure_of_what_they_belong_to():
    with pytest.raises(ValueError, match="the tangents must have the structure of the primals"):
        jvp(lambda x: x[0], ([1.0, 2.0],), ([1.0],))
    with pytest.raises(ValueError, match="the tangents must have the structure of the primals"):
        jvp(lambda x, y: x, (1.0, 2.0), (1.0,))
    _, pull_back = vjp(lambda x: [x, x], 1.0)
    with pytest.raises(ValueError, match="the cotangent must have the structure of the value of f"):
        pull_back(1.0)
    with pytest.raises(TypeError):
        jvp(lambda x: x, (1.0,), ("1",))


def test_errors_inside_a_function_are_its_own():
    with pytest.raises(ValueError, match="log"):
        grad(ag.log)(-1.0)
    with pytest.raises(ZeroDivisionError):
        jvp(lambda x: 1 / x, (0.0,), (1.0,))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: ag.grad(3.0), "expected a function"),
        (lambda: ag.jacobian([1.0]), "expected a function"),
        (lambda: ag.derivative(None), "expected a function"),
        (lambda: ag.jvp(ag.sin, 1.0, 1.0), r"jvp\(f, \(x,\), \(v,\)\)"),
        (lambda: ag.hvp(ag.sin, 1.0, 1.0), "one entry per argument"),
        (lambda: ag.derivative(ag.sin)([1.0]), "a function of one number"),
    ],
)
def test_a_wrong_call_says_what_is_taken(call, said):
    with pytest.raises(TypeError, match=said):
        call()


def test_what_is_no_function_is_refused():
    for attempt in (lambda: vjp(2.0, 1.0), lambda: jvp(2.0, (1.0,), (1.0,)), lambda: hvp(2.0, (1.0,), (1.0,))):
        with pytest.raises(TypeError, match="expected a function to differentiate, got float"):
            attempt()


def nested(depth):
    inside = 1.0
    for _ in range(depth):
        inside = [inside]
    return inside


def test_lists_are_nested_so_deep_and_no_deeper():
    def innermost(x):
        return innermost(x[0]) if isinstance(x, list) else 2 * x

    assert str(grad(innermost)(nested(100))) == "[" * 100 + "2.0" + "]" * 100
    endless = []
    endless.append(endless)
    attempts = [grad(innermost), lambda x: jacobian(lambda y: x)(1.0), lambda x: vjp(innermost, x)]
    attempts += [lambda x: jvp(innermost, (1.0,), (x,)), lambda x: jvp(innermost, (x,), (x,))]
    for wrong in (nested(101), nested(100_000), endless):
        for attempt in attempts:
            with pytest.raises(ValueError, match="nested more than 100 deep"):
                attempt(wrong)
