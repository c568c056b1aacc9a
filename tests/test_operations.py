"""check_operation: every row against the promise of docs/design.md over the whole double domain, and the C library.

What is true comes from ``autograd/testing/oracle.py``, which shares no rule with the engine.
"""

import math
import random
import re
from itertools import islice

import pytest
from graphs import python
from hypothesis import settings

import autograd as ag
from autograd import OPS, Op
from autograd.testing import GradientError, check_operation, oracle
from autograd.testing.accuracy import PROMISE, local_deviation, value_deviation
from autograd.testing.points import anywhere, points

POINTS = 3 * settings().max_examples
COSTLY = {"power_derivative": 6, "logsumexp": 6, "erf": 3, "erfc": 3, "gelu_derivative": 3, "atan2_derivative": 2}
ROWS = list(OPS.values())

by_name = pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)


# ---- the promise -----------------------------------------------------------------------------------------------------


@by_name
def test_every_row_keeps_the_promise(op: Op):
    report = check_operation(op, points=POINTS // COSTLY.get(op.name, 1))
    assert report.value.error <= PROMISE
    assert all(worst.error <= PROMISE for worst in report.local_derivatives.values())


@pytest.mark.parametrize("op", [op for op in ROWS if not op.lists], ids=lambda op: op.name)
def test_values_beyond_the_domain(op: Op):
    for point in islice(anywhere(op), POINTS // 4):
        deviation = value_deviation(op, point)
        assert deviation is None or deviation.error <= PROMISE, deviation


def test_powers_of_negative_numbers():
    # Smooth in the base, though not in the exponent.
    rng = random.Random(0)
    for _ in range(POINTS):
        x, y = -(2.0 ** rng.uniform(-40.0, 40.0)), float(rng.randint(-60, 60))
        assert value_deviation(ag.pow, (x, y)).error <= PROMISE
        out = ag.pow(x, y) if abs(y * math.log2(-x)) < 1020.0 else math.inf
        local, _ = ag.pow.local_derivatives((x, y), out, [True, False])
        assert local_deviation(ag.pow, local, (x, y), 0).error <= PROMISE, (x, y)


# ---- what is assumed of the C library --------------------------------------------------------------------------------


@by_name
def test_the_forward_function_is_as_accurate_as_the_row_says(op: Op):
    for point in islice(points(op), 2 * POINTS // COSTLY.get(op.name, 1)):
        deviation = value_deviation(op, point)
        if deviation is not None:
            error, unit = oracle.error(deviation.got, deviation.expected), oracle.ulp(deviation.expected)
            if error > op.ulps * unit and op.turns is None:  # then it is times the condition number
                unit = max(unit, oracle.spread(op, point) * unit / abs(deviation.expected))
            assert error <= op.ulps * unit, f"{float(error / unit)} ULP at {point}"


# ---- operations of one's own -----------------------------------------------------------------------------------------


def test_a_right_operation_is_reported(own_operations):
    bump = ag.operation(
        "bump", lambda x: 1 / (1 + x * x), lambda x, out: -2 * (x * out) * out, domain=((-1e100, 1e100),)
    )
    report = check_operation(bump, points=40)
    assert (report.name, report.points, report.unit) == ("bump", 40, "ULP·max(1, κ)")
    assert 0.0 < report.value.error <= PROMISE
    assert 0.0 < report.local_derivatives["x"].error <= PROMISE
    assert str(report).splitlines()[0] == "bump at 40 points, greatest errors:"
    assert str(report).splitlines()[2].startswith("    ∂x: ")
    assert str(report) == str(check_operation(bump, points=40))


def test_what_is_wrong_is_said(own_operations):
    wrong = ag.operation(
        "wrong", lambda x, y: x * y, lambda x, y, out: y, lambda x, y, out: -x, domain=((1.0, 2.0), (1.0, 2.0))
    )
    with pytest.raises(
        GradientError, match=r"^∂wrong/∂y at \(.*\) is off by .* ULP·max\(1, κ\), 4 are promised"
    ) as error:
        check_operation(wrong)
    got, expected = [line.split()[1] for line in str(error.value).splitlines()[1:]]
    assert float(got) == -float(expected) < 0.0


def test_an_inaccurate_forward_function_is_caught(own_operations):
    cancelling = ag.operation("cancelling", lambda x: (1 + x) - 1, lambda x, out: 1.0)
    with pytest.raises(GradientError, match=r"^cancelling at "):
        check_operation(cancelling)


def test_numbers_far_beyond_floats_can_be_shown(own_operations):
    # e^1e300 has an exponent of 300 digits
    flat = ag.operation("flat", lambda x: 1.0, lambda x, out: 0.0, domain=((1e300, 2e300),))
    for op, exact in [(flat, oracle.mp.exp), (flat, lambda x: -oracle.mp.exp(-x))]:
        deviation = value_deviation(op, (1e300,))._replace(expected=exact(oracle.mpf(1e300)))
        assert re.fullmatch(r"got       1\.0\nexpected  -?2\^-?1442695\d{294,}, nearly", str(deviation))


def test_a_rule_that_fails_where_the_derivative_is_too_large_for_a_float_is_right(own_operations):
    cube = ag.operation("cube", lambda x: x * x * x, lambda x, out: 3 * x**2)  # 3 * 1e300**2 raises OverflowError
    assert check_operation(cube).local_derivatives["x"].error <= PROMISE


def test_a_rule_that_fails_elsewhere_is_wrong(own_operations):
    fails = ag.operation("fails", lambda x: x * x, lambda x, out: 2 * x + 0.0 * ag.log(abs(x - 1.0)), special=((1.0,),))
    with pytest.raises(GradientError, match=r"∂fails/∂x at \(1.0,\) is off by inf"):
        check_operation(fails)


def test_a_kink_must_be_declared(own_operations):
    def hinge(**fields):
        return ag.operation(
            "hinge", lambda x: x if x > 0 else 0.0, lambda x, out: ag.gt(x, 0.0), special=((0.0,),), **fields
        )

    with pytest.raises(GradientError, match=r"∂hinge/∂x at \(0.0,\)"):
        check_operation(hinge())
    assert check_operation(hinge(smooth=lambda x: x != 0.0)).local_derivatives["x"].error == 0.0


def test_a_list_operation(own_operations):
    squares = ag.operation("squares", lambda *xs: sum(x * x for x in xs), lambda xs, out: [2 * x for x in xs], lists=1)
    assert check_operation(squares, points=30).local_derivatives["xs"].error == 0.0
    wrong = ag.operation(
        "squares", lambda *xs: sum(x * x for x in xs), lambda xs, out: [2 * xs[0] for x in xs], lists=1
    )
    with pytest.raises(GradientError, match=r"∂squares/∂xs"):
        check_operation(wrong, points=30)


def test_a_black_box_is_checked_by_central_differences(own_operations):
    box = ag.operation("box", lambda x: math.exp(x) * x, lambda x, out: out + ag.exp(x), domain=((-3.0, 3.0),))
    report = check_operation(box)
    assert report.value is None
    assert report.local_derivatives == {"x": None}
    assert [line.strip() for line in str(report).splitlines()[1:]] == [
        "value: not known exactly",
        "∂x: not known exactly",
    ]
    wrong = ag.operation("box", lambda x: math.exp(x) * x, lambda x, out: out, domain=((-3.0, 3.0),))
    with pytest.raises(GradientError, match="∂box/∂x"):
        check_operation(wrong)


def test_a_black_box_whose_exact_function_is_stated_is_held_to_it(own_operations, monkeypatch):
    monkeypatch.setitem(oracle.VALUES, "box", lambda x: x * oracle.mp.exp(x))
    box = ag.operation("box", lambda x: math.exp(x) * x, lambda x, out: out + ag.exp(x), domain=((-3.0, 3.0),))
    assert 0.0 < check_operation(box).value.error <= PROMISE
    off = ag.operation("box", lambda x: math.exp(x) * x * (1 + 1e-12), lambda x, out: out, domain=((-3.0, 3.0),))
    with pytest.raises(GradientError, match=r"^box at "):
        check_operation(off)


# ---- wrong calls -----------------------------------------------------------------------------------------------------


def test_wrong_arguments_are_refused():
    with pytest.raises(TypeError, match=r"takes an operation, such as autograd\.exp, got a function"):
        check_operation(lambda x: x)
    for points_ in (0, -1, 2.0, True, "3"):
        with pytest.raises(ValueError, match="points must be a whole number, at least 1"):
            check_operation(ag.exp, points=points_)


def test_without_mpmath_it_says_what_to_install():
    run = python(
        "import sys; sys.modules['mpmath'] = None; from autograd import exp, testing; testing.check_operation(exp)"
    )
    said = "ImportError: check_operation needs mpmath: pip install 'chainrule[test]'"
    assert run.stderr.strip().splitlines()[-1] == said
