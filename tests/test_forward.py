"""Forward mode: dual numbers, levels that are not confused, duals of Values."""

import math

import pytest
from graphs import Recipe, recipes
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import Dual, Value, derivative, grad, jvp
from autograd.forward import new_level, split


def test_a_dual_number_is_a_primal_with_a_tangent():
    x = Dual(3.0, 1.0, level=1)
    y = 2 * x**2 - x / 2 + 1
    assert (y.primal, y.tangent) == (17.5, 11.5)
    assert float(y) == 17.5
    assert repr(x) == "Dual(3.0, 1.0, level=1)"


def test_duals_have_every_operator_and_method():
    x = Dual(0.5, 1.0, level=1)
    assert (-x).tangent == -1.0
    assert abs(-x).tangent == 1.0
    assert (+x) is x
    assert (2.0 - x).tangent == (2.0 - Value(0.5)).local_derivatives[1] == -1.0
    assert (1.0 / x).tangent == -4.0
    assert (2.0**x).tangent == math.log(2.0) * 2.0**0.5
    assert x.tanh().tangent == pytest.approx(1 - math.tanh(0.5) ** 2, rel=1e-15)
    assert bool(x > 0.2)
    assert not Dual(0.0, 1.0, level=1)
    assert max(x, Dual(1.0, 0.0, level=1)).primal == 1.0


def test_a_comparison_has_no_tangent():
    assert (Dual(1.0, 1.0, level=1) < 2.0) == 1.0


def test_a_number_that_does_not_depend_on_the_input_has_no_tangent():
    assert split(3.0, 1) == (3.0, None)
    assert split(Dual(3.0, 1.0, level=1), 2)[1] is None
    assert new_level() < new_level()


def test_the_branch_not_taken_has_no_tangent():
    assert jvp(lambda x: ag.where(x > 0, ag.sqrt(x), x), (0.0,), (1.0,)) == (0.0, 1.0)


def test_lists():
    x, y = Dual(1.0, 1.0, level=1), Dual(2.0, 10.0, level=1)
    assert ag.sum([x, y, 3.0]).tangent == 11.0
    assert ag.dot([x, 2.0], [y, x]).tangent == 2.0 + 10.0 + 2.0
    assert ag.logsumexp([x, x]).tangent == 1.0


# ---- perturbation confusion ------------------------------------------------------------------------------------------


def by_forward(f):
    return lambda x: jvp(f, (x,), (1.0,))[1]


MODES = [by_forward, grad]
CONFUSING = [  # Siskind and Pearlmutter (2005): d/dx [x · d/dy (x + y)] = 1, and 2 for those who mix up the levels
    (lambda d, e: d(lambda x: x * e(lambda y: x + y)(1.0)), 1.0, 1.0),
    (lambda d, e: d(lambda x: e(lambda y: x * y)(2.0)), 3.0, 1.0),
    (lambda d, e: d(lambda x: e(lambda y: x * x * y)(x)), 3.0, 6.0),
    (lambda d, e: d(lambda x: x * e(lambda y: x * y)(x)), 3.0, 6.0),
    (lambda d, e: d(lambda x: e(lambda y: x + 0 * y)(x)), 3.0, 0.0),
    (lambda d, e: d(lambda x: e(lambda y: ag.dot([x, y], [y, x]))(x)), 3.0, 2.0),
]


@pytest.mark.parametrize("outer", MODES, ids=["forward", "reverse"])
@pytest.mark.parametrize("inner", MODES, ids=["forward", "reverse"])
@pytest.mark.parametrize(("build", "at", "truth"), CONFUSING)
def test_perturbations_are_not_confused(outer, inner, build, at, truth):
    assert float(build(outer, inner)(at)) == truth


@pytest.mark.parametrize("modes", [(a, b, c) for a in MODES for b in MODES for c in MODES])
def test_three_levels_in_any_mixture(modes):
    a, b, c = modes
    assert float(a(b(c(lambda x: x**4)))(2.0)) == 48.0
    mixed = a(lambda x: x * b(lambda y: y * c(lambda z: x * y * z)(y))(x))  # x · d/dy (x·y²) at y = x: 2x³
    assert float(mixed(3.0)) == 54.0


# ---- duals of Values -------------------------------------------------------------------------------------------------


def test_duals_of_values_record_their_tangents():
    w = Value(2.0, "w")
    value, tangent = jvp(lambda x: w * x**3, (5.0,), (1.0,))
    assert isinstance(value, Value)
    assert isinstance(tangent, Value)
    tangent.backward()
    assert (float(tangent), w.grad) == (150.0, 75.0)


def test_a_dual_is_above_a_value_whichever_comes_first():
    w, x = Value(2.0), Dual(3.0, 1.0, level=new_level())
    for y in (w * x, x * w, ag.dot([w], [x]), ag.dot([x], [w])):
        assert isinstance(y, Dual)
        assert float(y.tangent) == 2.0


@given(recipes(most_steps=10), st.integers(0, 1))
def test_duals_of_values_equal_duals_of_floats(recipe: Recipe, place: int):
    direction = [float(i == place) for i in range(len(recipe.leaves))]
    floats = jvp(recipe.output, recipe.leaves, direction)
    values = jvp(recipe.output, recipe.values(), direction)
    assert [float(x) for x in values] == list(floats)


@pytest.mark.parametrize("order", range(7))
def test_high_orders(order):
    assert derivative(ag.exp, order)(1.0) == pytest.approx(math.e, rel=1e-15)
    assert derivative(ag.sin, order)(0.5) == pytest.approx(math.sin(0.5 + order * math.pi / 2), rel=1e-15)
    assert derivative(lambda x: x**5, order)(2.0) == math.perm(5, order) * 2.0 ** (5 - order) * (order <= 5)
