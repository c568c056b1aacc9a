"""The oracle, and what stands in for it: what is known comes out, bounds hold, and nothing is guessed."""

import math
from itertools import islice

import pytest
from graphs import python
from hypothesis import settings
from mpmath import mp, mpf

import autograd as ag
from autograd import OPS, Op
from autograd.testing import oracle, truth
from autograd.testing.differences import COMPLEX, central, complex_step
from autograd.testing.errors import BlackBoxError, UndecidedError, UndefinedError
from autograd.testing.points import points
from autograd.testing.truth import local_oracle, value_oracle

POINTS = 20 + settings().max_examples
ROWS = list(OPS.values())


def smooth_points(op: Op, count: int = POINTS):
    """Points at which the row is defined and smooth, and its inputs that have a derivative."""
    for point in islice(points(op), count):
        try:
            op.evaluate(point)
        except (ArithmeticError, ValueError):
            continue
        if op.smooth(*point):
            yield point, range(len(point) - op.orders)


# ---- mpmath ----------------------------------------------------------------------------------------------------------


def test_every_row_has_an_exact_function():
    assert {op.name for op in ROWS} == oracle.VALUES.keys() | oracle.DERIVATIVES.keys()


def test_it_knows_what_is_known():
    assert float(oracle.derivative(ag.tanh, (20.0,), 0)) == 1.6993417021166355e-17
    assert float(oracle.exact(ag.exp, (1.0,), (3,))) == math.e
    assert float(oracle.exact(ag.pow, (2.0, 3.0), (3, 0))) == 6.0
    assert float(oracle.exact(ag.pow, (2.0, 3.0), (1, 1))) == pytest.approx(4.0 + 12.0 * math.log(2.0), rel=1e-15)
    assert float(oracle.exact(ag.hypot, (3.0, 4.0), (1, 1))) == -12.0 / 125.0
    assert float(oracle.value(ag.softplus, (-700.0,))) == math.exp(-700.0)
    assert float(oracle.derivative(ag.sigmoid, (700.0,), 0)) == math.exp(-700.0)
    assert oracle.derivative(ag.maximum, (1.0, 2.0), 0) == 0.0
    assert oracle.spread(ag.exp, (3.0,)) == pytest.approx(3.0 * math.exp(3.0))


def test_it_does_not_guess(monkeypatch):
    monkeypatch.setitem(oracle.VALUES, "exp", lambda x: mp.exp(x) * (1 + mp.rand() / 2**60))
    with pytest.raises(UndecidedError, match=r"exp\(1\.0\), derivative \(0,\)"):
        oracle.value(ag.exp, (1.0,))


def test_what_is_not_there_is_undefined():
    for op, point in [(ag.log, (-1.0,)), (ag.div, (1.0, 0.0)), (ag.exp, (math.nan,)), (ag.add, (1.0, math.inf))]:
        with pytest.raises(UndefinedError):
            oracle.value(op, point)


def test_its_digits_are_those_of_mpmath():
    with mp.workdps(120):
        x = mp.sqrt(2)
        assert abs(oracle.value(ag.exp, (x,)) - mp.exp(x)) < mpf(10) ** -119
        for op, slope in [(ag.exp, mp.exp(x)), (ag.log, 1 / x), (ag.tanh, mp.sech(x) ** 2)]:
            found, error = oracle.with_error(op, (x,), (1,))
            assert abs(found - slope) <= error < mpf(10) ** -36
        assert oracle.derivative(ag.mul, (x, 1.5), 0) == 1.5
        assert oracle.derivative(ag.mul, (1.5, x), 0) == x


def test_numbers_between_floats_are_told_apart():
    with mp.workdps(120):
        tiny = mpf(10) ** -100
        assert oracle.value(ag.sub, (1 + tiny, 1.0)) == (1 + tiny) - 1


def test_sums_and_products_are_exact():
    assert oracle.value(ag.sum, (1e308, 5e-324, -1e308)) == 5e-324
    assert oracle.value(ag.dot, (1e300, 2.0**-500, 1e300, 1e300, 2.0**-500, -1e300)) == 2.0**-1000
    assert oracle.with_error(ag.mul, (0.1, 0.3), (1, 0)) == (0.3, 0)
    assert oracle.exact(ag.mul, (0.1, 0.3), (1, 1)) == 1
    assert oracle.exact(ag.mul, (0.1, 0.3), (2, 0)) == 0
    assert oracle.exact(ag.dot, (0.1, 0.2, 0.3, 0.4), (0, 1, 0, 1)) == 1
    assert oracle.exact(ag.sub, (1e300, 1e-300), (0, 1)) == -1
    with mp.workdps(50):
        x, y = mpf(10) ** 60, mpf(1) / 3
        found, error = oracle.with_error(ag.add, (x, y))
        assert 0 < abs(found - mp.fadd(x, y, exact=True)) <= error < mp.ldexp(x, 1 - mp.prec)


@pytest.mark.parametrize("op", [op for op in ROWS if op.lists], ids=lambda op: op.name)
def test_terms_that_matter_have_the_derivative_of_the_whole(op: Op):
    for point, free in smooth_points(op):
        terms = truth.terms_that_matter(op, point)
        for i in free:
            whole, part = local_oracle(op, point, i), local_oracle(op, *terms[i])
            assert abs(whole.value - part.value) <= whole.error + part.error + 1e-30 * abs(whole.value)


def test_an_operation_of_ones_own_is_its_own_truth(own_operations):
    cube = ag.operation("cube", lambda x: x**3 if x > 0 else 0.0, lambda x, out: 3 * x * x)
    with mp.workdps(120):
        x = mp.sqrt(2)
        assert abs(oracle.value(cube, (x,)) - x**3) < mpf(10) ** -118
        assert abs(oracle.derivative(cube, (x,), 0) - 6) < mpf(10) ** -36
        assert oracle.derivative(cube, (-1.0,), 0) == 0


@pytest.mark.parametrize("forward", [math.exp, lambda x: x * math.exp(x), lambda x: math.fsum([x, 1.0]), ag.exp])
def test_a_forward_function_that_computes_in_floats_is_a_black_box(own_operations, forward):
    box = ag.operation("box", lambda x: forward(x), lambda x, out: out)
    with pytest.raises(BlackBoxError, match="the forward function of box computes in floats only"):
        oracle.value(box, (1.0,))


def test_an_operation_of_ones_own_has_ends(own_operations):
    root = ag.operation("root", lambda x: x**0.5, lambda x, out: 0.5 / out)
    inverse = ag.operation("inverse", lambda x: 1 / x, lambda x, out: -out * out)
    for op, x in [(root, -2.0), (inverse, 0.0)]:
        with pytest.raises(UndefinedError):
            oracle.value(op, (x,))


# ---- differences of floats -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", [op for op in ROWS if op.name in COMPLEX], ids=lambda op: op.name)
def test_the_complex_step_is_within_its_bound(op: Op):
    known = 0
    for point, free in smooth_points(op):
        for i in free:
            found, error = complex_step(op, point, i)
            if error < math.inf:
                known += 1
                assert abs(found - oracle.derivative(op, point, i)) <= error, point
                assert error <= 1e-12 * abs(found) + 1e-200
    assert known


# A kink that is nearer than the shortest step is not seen: of these rows, two inputs may be neighbours.
@pytest.mark.parametrize("op", [op for op in ROWS if op.name not in ("maximum", "minimum")], ids=lambda op: op.name)
def test_central_differences_are_within_their_bound(op: Op):
    known = 0
    for point, free in smooth_points(op, POINTS // 2):
        for i in free:
            found, error = central(op, point, i)
            if error < math.inf:
                known += 1
                assert abs(found - oracle.derivative(op, point, i)) <= error, point
    assert known


def test_central_differences_are_worth_having():
    for op, point in [(ag.tanh, (0.7,)), (ag.exp, (3.0,)), (ag.gelu, (-1.0,)), (ag.hypot, (3.0, 4.0))]:
        found, error = central(op, point, 0)
        assert error < 1e-9 * abs(found)


def test_a_kink_is_not_stepped_over():
    found, error = central(ag.relu, (1e-9,), 0)
    assert abs(found - 1.0) <= error < 0.1


# ---- the best that is known ------------------------------------------------------------------------------------------


@pytest.fixture
def no_mpmath(monkeypatch):
    monkeypatch.setattr(truth, "mpmath_oracle", lambda: None)


def test_mpmath_is_asked_first():
    found = local_oracle(ag.erf, (0.5,), 0)
    assert found.how == "mpmath differences at two precisions"
    assert abs(found.value - 2 / mp.sqrt(mp.pi) * mp.exp(-0.25)) < mpf(10) ** -14
    assert value_oracle(ag.erf, (0.5,)).how == "mpmath values at two precisions"


def test_without_it_the_complex_step_or_central_differences(no_mpmath):
    for op, how in [(ag.tanh, "complex step"), (ag.erf, "central differences")]:
        found = local_oracle(op, (0.5,), 0)
        assert found.how == how
        assert abs(found.value - oracle.derivative(op, (0.5,), 0)) <= found.error < 1e-9
    assert local_oracle(ag.tanh, (1e-200,), 0).how == "central differences"
    assert local_oracle(ag.abs, (0.0,), 0).how == "central differences"


def test_a_black_box_gets_central_differences_and_its_own_value(own_operations):
    box = ag.operation("box", lambda x: math.exp(x) * x, lambda x, out: out + ag.exp(x))
    found = local_oracle(box, (mpf(2),), 0)
    assert found.how == "central differences"
    assert abs(found.value - 3 * math.exp(2.0)) <= found.error < 1e-9
    value = value_oracle(box, (mpf(2),))
    assert value.how == "the forward function itself"
    assert abs(value.value - 2 * mp.exp(2)) <= value.error < 1e-13


def test_a_black_box_is_undefined_where_it_raises(own_operations):
    box = ag.operation("box", lambda x: math.log(x), lambda x, out: 1 / x)
    with pytest.raises(UndefinedError, match=r"box\(-1\.0\): not defined there"):
        value_oracle(box, (-1.0,))
    assert local_oracle(box, (-1.0,), 0).error == math.inf


def test_mpmath_loads_only_when_it_is_asked():
    assert python("import sys, autograd.testing; print('mpmath' in sys.modules)").stdout == "False\n"
    code = "import sys; sys.modules['mpmath'] = None; from autograd.testing.truth import *; import autograd as ag\n"
    code += "print(local_oracle(ag.tanh, (0.5,), 0).how, value_oracle(ag.tanh, (0.5,)).how, sep=', ')"
    assert python(code).stdout == "complex step, the forward function itself\n"
