"""Mistakes that other engines made, a test for each class of them.

The numbers are the classes; where several ways lead to the same mistake there are several tests.
"""

import math

import numpy as np
import pytest
from graphs import micrograds_expression, python

import autograd as ag
from autograd import OPS, Value, derivative, grad, jvp


def gradients(f, *data):
    """The gradient by backward, having checked that forward mode says the same."""
    leaves = [Value(x) for x in data]
    f(*leaves).backward()
    found = [leaf.grad for leaf in leaves]
    for i, each in enumerate(found):
        tangent = jvp(f, data, [float(i == j) for j in range(len(data))])[1]
        assert repr(float(tangent)) == repr(each)
    return found[0] if len(found) == 1 else tuple(found)


# 1. Aliasing: an operand that stands on both sides was counted once, or its slot overwritten.


@pytest.mark.parametrize("x", [3.0, -0.25, 1e150])
def test_01_aliasing(x):
    assert gradients(lambda x: x + x, x) == 2.0
    assert gradients(lambda x: x * x, x) == 2 * x
    assert abs(gradients(lambda x: x / x, x)) <= 4e-16 / abs(x)
    assert gradients(lambda x: x - x, x) == 0.0
    assert gradients(lambda x: ag.dot([x, x], [x, x]), x) == 4 * x
    assert gradients(lambda x: ag.sum([x, x, x]), x) == 3.0
    assert gradients(lambda x: ag.maximum(x, x), x) == 1.0
    assert gradients(lambda x: ag.where(x, x, x), x) == 1.0


def test_01_aliasing_in_a_power():
    assert gradients(lambda x: x**x, 2.0) == pytest.approx(4 * (1 + math.log(2)), rel=1e-15)


# 2. A node used by an activation and beside it: the gradient was set where it is to be added.


@pytest.mark.parametrize(("x", "gradient"), [(2.0, 2.0), (-2.0, 1.0), (0.0, 1.0)])
def test_02_relu_plus_its_input(x, gradient):
    assert gradients(lambda x: ag.relu(x) + x, x) == gradient
    assert gradients(lambda x: x + ag.relu(x), x) == gradient


# 3. Diamonds: a node was swept before all its uses were done, or once per path.


def test_03_diamonds():
    def f(x):
        a = x * 2
        b = a + 1
        c = a * b  # a is used at two depths
        return c * a + b

    assert gradients(f, 3.0) == 24 * 9 + 8 * 3 + 2


def test_03_many_diamonds_take_linear_time():
    def f(x):
        for _ in range(60):
            x = x + x
        return x

    assert gradients(f, 1.0) == 2.0**60


# 4. Repeated backward: 108 for 72, because old gradients were propagated again.


def test_04_a_second_backward_adds_the_same_again():
    x = Value(2.0)
    h = x * 3
    y = h * h
    for times in (1, 2, 3):
        y.backward()
        assert (x.grad, h.grad) == (36.0 * times, 12.0 * times)


# 5. Two heads on a shared node.


def test_05_two_heads_on_a_shared_node():
    x = Value(2.0)
    h = x * x
    one, two = h * 3, h + x
    one.backward()
    two.backward()
    assert (x.grad, h.grad) == (12.0 + 5.0, 4.0)


# 6. Powers at zero: 0 · 0**-1 raised, or gave nan, at every order of the derivative.


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 5, 0.0, 2.0])
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_06_powers_at_zero(zero, exponent):
    for order in range(7):
        truth = math.perm(int(exponent), order) * float(exponent == order)
        assert derivative(lambda x: x**exponent, order)(zero) == truth
        f = lambda x: x**exponent  # noqa: E731
        for _ in range(order):
            f = grad(f)
        assert f(zero) == truth


def test_06_zero_to_a_power_that_is_a_variable():
    assert gradients(lambda x, y: x**y, 0.0, 2.0) == (0.0, 0.0)
    assert gradients(lambda y: 0.0**y, 2.0) == 0.0
    assert gradients(lambda x: x**0.5, 0.0) == math.inf


# 7. Negative bases.


def test_07_negative_bases():
    assert gradients(lambda x: x**2, -3.0) == -6.0
    assert gradients(lambda x: x**3, -2.0) == 12.0
    assert gradients(lambda x: x**-1, -2.0) == -0.25
    base, exponent = gradients(lambda x, y: x**y, -2.0, 2.0)
    assert base == -4.0
    assert math.isnan(exponent)
    with pytest.raises(ValueError, match="pow"):
        Value(-1.0) ** 0.5


# 8. A constant exponent: its partial, log(x), was evaluated though nobody asked.


@pytest.mark.parametrize("x", [0.0, -2.0, 2.0])
def test_08_constant_exponents(x):
    y = Value(x) ** 2
    assert y.local_derivatives == (2 * x, None)
    assert derivative(lambda x: x**2, 2)(x) == 2.0
    assert derivative(lambda x: x**2, 3)(x) == 0.0


# 9. sqrt at the ends: an exception at 0, an overflow at the smallest float.


def test_09_sqrt_at_zero_and_at_the_smallest_float():
    assert gradients(ag.sqrt, 0.0) == math.inf
    assert gradients(ag.sqrt, 5e-324) == 0.5 / math.sqrt(5e-324)
    assert derivative(ag.sqrt, 2)(5e-324) == -math.inf
    assert gradients(lambda x: ag.sqrt(x * x), 3.0) == 1.0


# 10. Signed zeros.


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_10_signed_zeros(zero):
    assert gradients(ag.relu, zero) == 0.0
    assert gradients(abs, zero) == 0.0
    assert math.copysign(1.0, (-Value(zero)).data) == -math.copysign(1.0, zero)
    assert gradients(ag.sqrt, zero) == math.inf
    assert gradients(ag.maximum, zero, 0.0) == (0.5, 0.5)
    assert gradients(ag.leaky_relu, zero) == 0.01


# 11. Ties: the gradient was given to both, or to the first.


def test_11_ties():
    assert gradients(ag.maximum, 2.0, 2.0) == (0.5, 0.5)
    assert gradients(ag.minimum, 2.0, 2.0) == (0.5, 0.5)
    assert gradients(lambda x: ag.maximum(x, 2.0), 2.0) == 0.5


# 12. Saturation: 1 - tanh(x)**2 is 0 at 20, exp overflows at 1000.


def test_12_saturation():
    assert gradients(ag.tanh, 20.0) == 1.6993417021166355e-17
    assert gradients(ag.sigmoid, 40.0) == gradients(ag.sigmoid, -40.0) == 4.248354255291589e-18
    assert gradients(ag.sigmoid, -745.0) == 5e-324
    for x, value, gradient in ((1000.0, 1000.0, 1.0), (-1000.0, 0.0, 0.0)):
        assert ag.softplus(x) == value
        assert gradients(ag.softplus, x) == gradient
        assert ag.tanh(x) == math.copysign(1.0, x)
        assert gradients(ag.tanh, x) == 0.0
        assert ag.sigmoid(x) == gradient
        assert gradients(ag.sigmoid, x) == 0.0
    assert gradients(ag.expm1, -40.0) == math.exp(-40.0)
    assert gradients(lambda x, y: ag.logsumexp([x, y]), 1000.0, -1000.0) == (1.0, 0.0)


# 13. where with a nan or an inf in the branch not taken: 0 · inf became nan.


def test_13_where_ignores_the_branch_not_taken():
    assert gradients(lambda x: ag.where(x > 0, ag.sqrt(x), x), 0.0) == 1.0
    assert gradients(lambda x: ag.where(x < 0, x, ag.sqrt(x)), 0.0) == math.inf
    assert gradients(lambda x, y: ag.where(x > 0, y * math.nan, x), -1.0, 2.0) == (1.0, 0.0)
    assert gradients(lambda x, y: ag.where(1.0, x, y / 1e-320), 1.0, 2.0) == (1.0, 0.0)
    assert derivative(lambda x: ag.where(x > 0, ag.sqrt(x), x * x), 2)(0.0) == 2.0
    assert grad(grad(lambda x: ag.where(x > 0, ag.sqrt(x), x * x)))(0.0) == 2.0


def test_13_where_of_nan_takes_the_branch_whose_gradient_it_gives():
    x, y = Value(1.0), Value(2.0)
    out = ag.where(Value(math.nan), x, y)
    out.backward()
    assert (out.data, x.grad, y.grad) == (1.0, 1.0, 0.0)


# 14. logaddexp: inf - inf.


def test_14_logaddexp():
    assert ag.logaddexp(1.0, 1.0) == 1.0 + math.log(2.0)
    assert gradients(ag.logaddexp, 1.0, 1.0) == (0.5, 0.5)
    assert gradients(ag.logaddexp, -math.inf, -math.inf) == (0.5, 0.5)
    assert ag.logaddexp(-math.inf, -math.inf) == -math.inf
    assert gradients(ag.logaddexp, -math.inf, 1.0) == (0.0, 1.0)
    assert gradients(ag.logaddexp, 1e308, -1e308) == (1.0, 0.0)


# 15. Division: y * y in the derivative over- or underflowed.


def test_15_division_near_the_ends():
    assert gradients(lambda x, y: x / y, 1e200, 1e200) == (1e-200, -1e-200)
    assert gradients(lambda x, y: x / y, 1e-200, 1e-200) == (1e200, -1e200)
    assert gradients(lambda y: 1.0 / y, 1e300) == 0.0
    assert gradients(lambda x, y: x / y, 1e-300, 1e-5)[1] == pytest.approx(-1e-290, rel=1e-15)
    with pytest.raises(ZeroDivisionError, match="div"):
        1 / Value(0.0)


# 16. Input types: integers that stayed integers, NumPy scalars that took over, strings that were let in.


def test_16_input_types():
    for three in (3, np.int64(3), np.float32(3), np.float64(3), np.array(3)):
        x = Value(three)
        for y in (x * three, three * x, x / 2, 2 / x, x**2, x - three, three - x):
            assert isinstance(y, Value)
            assert type(y.data) is float
    assert (Value(7) / 2).data == 3.5
    for wrong in ("3", None, 1j, [3]):
        with pytest.raises(TypeError):
            Value(wrong)


# 17. What was left: unused inputs, higher order, determinism, reflected operators.


def test_17_unused_inputs_have_gradient_zero():
    assert gradients(lambda x, y: x * 1.0, 2.0, 3.0) == (1.0, 0.0)
    assert grad(
        lambda x, y: x,
    )(2.0, 3.0) == (1.0, 0.0)


@pytest.mark.parametrize("f", [ag.tanh, ag.sigmoid, ag.exp, ag.sin, ag.softplus, lambda x: x**3 / (1 + x * x)])
def test_17_higher_orders_agree(f):
    reverse = f
    for order in range(1, 5):
        reverse = grad(reverse)
        assert reverse(0.7) == pytest.approx(derivative(f, order)(0.7), rel=1e-11)


def test_17_two_runs_are_bit_identical():
    code = "import autograd as ag; x = [ag.Value(i / 7) for i in range(30)];"
    code += "y = ag.logsumexp([a * b for a in x for b in x]); y.backward(); print([a.grad.hex() for a in x])"
    assert python(code, PYTHONHASHSEED="1").stdout == python(code, PYTHONHASHSEED="2").stdout != ""


@pytest.mark.parametrize(
    ("f", "truth"),
    [
        (lambda x: 5 - x, -1.0),
        (lambda x: 5 / x, -1.25),
        (lambda x: 2**x, 4 * math.log(2.0)),
        (lambda x: 5 + x, 1.0),
        (lambda x: 5 * x, 5.0),
        (lambda x: np.float64(5) - x, -1.0),
        (lambda x: sum([x, x]), 2.0),
    ],
)
def test_17_reflected_operators(f, truth):
    assert gradients(f, 2.0) == truth


# micrograd's own example, to the last digit.


def test_the_expression_in_micrograds_readme():
    a, b = Value(-4.0), Value(2.0)
    g = micrograds_expression(a, b)
    g.backward()
    assert (g.data, a.grad, b.grad) == (24.70408163265306, 138.83381924198252, 645.5772594752187)


def test_a_name_for_each_class_is_in_the_table():
    assert {"relu", "tanh", "exp", "log", "sigmoid"} <= OPS.keys()
    for name in ("data", "grad", "backward", "relu", "tanh", "exp", "log"):  # micrograd's names
        assert hasattr(Value, name)
