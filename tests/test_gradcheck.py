"""@gradcheck: a function becomes a test that fails for a wrong derivative, and shrinks its inputs."""

import inspect
import math
import re
from functools import reduce

import pytest
from graphs import python
from hypothesis import assume, example, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from autograd.testing import GradientError, gradcheck
from autograd.testing.strategies import positive, reals

lists = st.lists(reals(-3, 3), min_size=1, max_size=3)


@pytest.fixture
def wrong(own_operations):
    """A cube with a derivative that is wrong by one part in 1e12 above 1."""
    return ag.operation("wrong", lambda x: x * x * x, lambda x, out: ag.where(x > 1, 1 + 1e-12, 1) * 3 * x * x)


# ---- what it makes of a function -------------------------------------------------------------------------------------


@gradcheck(x=reals(-3, 3), y=positive())
def test_a_right_function_passes(x, y):
    """Has a docstring."""
    return ag.atan2(y, x) * ag.log(y)


@settings(max_examples=5)
@gradcheck(xs=st.lists(lists, min_size=1, max_size=2), order=2)
def test_nested_lists_and_second_derivatives(xs):
    return ag.tanh(ag.sum(ag.logsumexp(row) for row in xs))


@gradcheck(x=reals())
def test_a_function_may_leave_out_what_it_does_not_take(x):
    assume(abs(x) > 0.5)
    return 1 / x


@gradcheck(y=reals(), x=reals())
def test_keywords_and_defaults(x, *, y, power=2):  # noqa: PT028
    assert power == 2
    return (x - y) ** power


class TestOfClass:  # noqa: D101
    factor = 3

    @gradcheck(x=reals())
    def test_method(self, x):  # noqa: D102
        return x * self.factor


@pytest.fixture(scope="module")
def scale():
    return 3.0


@pytest.mark.parametrize("power", [1, 2, 3])
@gradcheck(x=positive(), y=reals())
def test_what_is_not_drawn_comes_from_pytest(y, power, x, scale):
    assert (type(power), scale) == (int, 3.0)
    return scale * ag.tanh(y) * x**power


@gradcheck(y=reals())
def test_what_is_drawn_may_come_after_a_default_and_have_one(x=2, y=None):  # noqa: PT028
    assert x == 2
    return x * y


@gradcheck(self=reals())
def test_an_argument_named_self_may_be_drawn(self):
    return 2 * self


def test_the_name_and_place_of_the_function_stay():
    made = test_a_right_function_passes
    assert made.__name__ == "test_a_right_function_passes"
    assert made.__doc__ == "Has a docstring."
    assert made.__module__ == __name__
    assert made.__qualname__ == "test_a_right_function_passes"
    assert list(inspect.signature(made).parameters) == []
    assert list(inspect.signature(TestOfClass.test_method).parameters) == ["self"]
    assert inspect.getsourcefile(made) == __file__
    assert made.__code__.co_firstlineno == inspect.getsourcelines(test_a_right_function_passes)[1]


# ---- what it finds ---------------------------------------------------------------------------------------------------


def falsified(test) -> str:
    """The message of a test that fails, with what hypothesis adds to it."""
    with pytest.raises(GradientError) as caught:
        test()
    return "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])


def test_a_wrong_rule_is_found_at_the_simplest_input(wrong):
    @gradcheck(x=reals(-1000, 1000), y=positive())
    def product(x, y):
        return y * wrong(x)

    message = falsified(product)
    assert message.startswith("the local derivative of wrong by its input x is wrong\n  at         x = 2.0\n")
    assert "to blame   wrong, its rule for that input" in message
    assert re.search(r"product\(\n    x=2\.0,.*\n    y=1\.0,.*\n\)", message)


def test_a_list_shrinks_to_one_number(wrong):
    @gradcheck(xs=lists)
    def total(xs):
        return ag.sum(wrong(x) for x in xs)

    assert "total(\n    xs=[2.0],\n)" in falsified(total)


def test_order_two_finds_what_order_one_cannot(own_operations):
    # The rule's value is right, but it is an operation whose own rule is not.
    slope = ag.operation("slope", lambda x: 3 * x * x, lambda x, out: 5 * x)
    cube = ag.operation("cube", lambda x: x * x * x, lambda x, out: slope(x))
    gradcheck(x=reals(1, 3))(lambda x: cube(x))()
    message = falsified(gradcheck(x=reals(1, 3), order=2)(lambda x: cube(x)))
    assert "slope, its rule for that input" in message


def test_a_function_that_is_not_defined_at_a_drawn_input_fails(own_operations):
    @gradcheck(x=reals(-2, 2))
    def logarithm(x):
        return ag.log(x)

    with pytest.raises(ValueError, match=r"log\(x=-1\.0\): not defined there"):
        logarithm()


# ---- with hypothesis' own decorators ---------------------------------------------------------------------------------


@pytest.mark.parametrize("outside", [True, False])
def test_settings_stack(outside):
    drawn = []
    set_by_hand = settings(max_examples=7)

    def linear(x):
        return 2 * x

    check = gradcheck(x=st.integers(0, 10**9).map(lambda x: drawn.append(x) or x))
    (set_by_hand(check(linear)) if outside else check(set_by_hand(linear)))()
    assert len(drawn) == 7


DEADLINES = """
from datetime import timedelta
from hypothesis import settings
from autograd.testing import gradcheck
from autograd.testing.strategies import reals

def deadline():
    return gradcheck(x=reals())(lambda x: 2 * x)._hypothesis_internal_use_settings.deadline

name = settings.get_current_profile_name()
assert deadline() is None
settings.register_profile("quick", max_examples=7)
settings.load_profile("quick")
assert deadline() is None and settings.default.max_examples == 7
assert settings.get_current_profile_name() == "quick"
settings.register_profile("strict", deadline=77)
settings.load_profile("strict")
assert deadline() == timedelta(milliseconds=77)
"""


def test_there_is_no_deadline_unless_a_profile_has_one():
    run = python(DEADLINES)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("outside", [True, False])
def test_examples_stack(wrong, outside):
    by_hand = example(x=123.0)
    check = gradcheck(x=reals(-1, 1))

    def cube(x):
        return wrong(x)

    message = falsified(by_hand(check(cube)) if outside else check(by_hand(cube)))
    assert "cube(\n    x=123.0,\n)" in message


# ---- what it refuses -------------------------------------------------------------------------------------------------


def two(x, y): ...


def positional(x, /): ...


@pytest.mark.parametrize(
    ("inputs", "f", "message"),
    [
        ({"x": reals(), "y": reals(), "z": reals()}, two, r"two\(x, y\): it has no argument named z"),
        ({"x": reals(), "z": reals(), "u": reals()}, two, r"two\(x, y\): it has no argument named u, z"),
        ({"x": reals()}, positional, r"positional\(x, /\): it has no argument named x"),
        ({}, two, r"two\(x, y\): no strategies are given"),
        ({}, lambda: 1, "no strategies are given"),
        ({"x": reals()}, ag.exp, "gradcheck decorates a function, got <operation exp>"),
        ({"x": reals()}, TestOfClass, "gradcheck decorates a function, got <class"),
        ({"x": reals()}, reduce(lambda inner, _: [inner], range(10_000)), r"got \[+\.\.\.\]+$"),
    ],
)
def test_arguments_that_do_not_fit(inputs, f, message):
    with pytest.raises(TypeError, match=message):
        gradcheck(**inputs)(f)


def test_what_is_neither_drawn_nor_given_is_missing():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'y'"):
        gradcheck(x=reals())(lambda x, y: x * y)()


@pytest.mark.parametrize("x", [1.0, [reals()], reals, None, Value(1.0)])
def test_what_is_no_strategy(x):
    with pytest.raises(TypeError, match=r"gradcheck takes strategies, such as x=reals\(-3, 3\), got x="):
        gradcheck(x=x)


def test_without_parentheses_it_says_how_it_is_used():
    with pytest.raises(TypeError, match=r"for each argument by its name: @gradcheck\(x=reals\(-3, 3\)\)"):

        @gradcheck
        def square(x):
            return x * x


@pytest.mark.parametrize("order", [0, -1, 1.0, True, "2", math.nan, None, reals()])
def test_what_is_no_order(order):
    with pytest.raises(ValueError, match="order is a whole number >= 1, got "):
        gradcheck(x=reals(), order=order)


# ---- without hypothesis ----------------------------------------------------------------------------------------------


def test_importing_the_checks_loads_neither_hypothesis_nor_mpmath():
    code = "import sys, autograd.testing; print(*{'hypothesis', 'mpmath', 'pytest'} & set(sys.modules))"
    run = python(code)
    assert (run.stdout, run.stderr) == ("\n", "")


def test_the_error_without_hypothesis_says_what_to_install():
    run = python("import sys; sys.modules['hypothesis'] = None; from autograd.testing import gradcheck; gradcheck(x=1)")
    last = run.stderr.splitlines()[-1]
    assert last == "ImportError: gradcheck draws with hypothesis, which is not installed: pip install 'chainrule[test]'"
