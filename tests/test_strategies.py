"""Strategies: what is drawn is inside the domains, far from kinks or on them, prints as Python, and shrinks well."""

import io
import math
import sys
from contextlib import redirect_stdout

import pytest
from graphs import python, same
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from autograd import OPS, Dual, Value, operation, topological_order
from autograd.op import Number, everywhere
from autograd.testing import oracle
from autograd.testing.draft import DISTANCE, MOST_MOVED
from autograd.testing.expressions import Expression, Step
from autograd.testing.strategies import SIMPLE, _default_ops, expressions, positive, reals, specials, values

EITHER = expressions() | expressions(kinks="hit")


def points(f):
    """Each operation of an expression, with the numbers that it is called on."""
    order = topological_order(f(*map(Value, f.inputs)))
    return [(node.op, [float(x) for x in node.inputs]) for node in order if node.op is not None]


def smallest(condition, shrink=True, **options):
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    profile = settings(max_examples=2000, derandomize=True, database=None, deadline=None, phases=phases)
    return find(expressions(**options), condition, settings=profile)


def test_they_load_when_first_used():
    code = "import sys, autograd.testing as t; print('hypothesis' in sys.modules); print(t.strategies.specials)"
    run = python(code)
    assert run.stdout.startswith("False\n<function specials at ")


# ---- numbers -------------------------------------------------------------------------------------------------------


@given(st.data(), st.floats(-1e300, 1e300), st.floats(0, 1e300))
def test_reals_lie_between_their_bounds(data, low, width):
    assert low <= data.draw(reals(low, low + width)) <= low + width


@given(reals(-math.inf, math.inf))
def test_reals_are_finite(x):
    assert math.isfinite(x)


@given(positive())
def test_positive_numbers_are_positive(x):
    assert x > 0


def test_specials_are_all_drawn():
    for wanted in (0.0, -0.0, 5e-324, sys.float_info.max, math.inf, -math.inf, math.nan):
        assert same(find(specials(), lambda x, wanted=wanted: same(x, wanted)), wanted)


@given(values(specials()), values(specials()))
def test_values_are_new_leaves(x, y):
    assert x is not y
    assert (x.op, x.grad, x.has_grad) == (None, 0.0, False)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: reals(1, 0), ValueError, "low=1.0 and high=0.0"),
        (lambda: reals(math.nan), ValueError, "low=nan"),
        (lambda: reals("0"), TypeError, "real number"),
        (lambda: positive(0.0), ValueError, "low above 0"),
        (lambda: positive(2.0, 1.0), ValueError, "low=2.0 and high=1.0"),
        (lambda: expressions(["tanhh"]), ValueError, "no operation 'tanhh'"),
        (lambda: expressions([math.sin]), TypeError, "operations or their names"),
        (lambda: expressions(3), TypeError, "operations or their names"),
        (lambda: expressions([]), ValueError, "got none"),
        (lambda: expressions(max_ops=0), ValueError, "max_ops is at least 1"),
        (lambda: expressions(inputs=1.5), TypeError, "inputs is an integer"),
        (lambda: expressions(kinks="both"), ValueError, '"avoid" or "hit"'),
        (lambda: Expression([1.0], [Step(OPS["neg"], (0,))])(1.0, 2.0), TypeError, "takes 1 number"),
    ],
)
def test_bad_arguments_are_named(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_without_hypothesis_it_says_what_to_install():
    run = python("import sys; sys.modules['hypothesis'] = None; import autograd.testing.strategies")
    assert "ImportError: autograd.testing.strategies draws with hypothesis" in run.stderr
    assert "pip install 'chainrule[test]'" in run.stderr


# ---- where expressions are drawn -----------------------------------------------------------------------------------


@given(expressions(max_ops=5, inputs=2))
def test_expressions_are_no_larger_than_asked_for(f):
    assert 1 <= f.ops <= 5
    assert 1 <= len(f.inputs) <= 2


@given(expressions())
def test_kinks_are_avoided(f):
    for op, point in points(f):
        assert op.smooth(*point)
        if op.name in ("abs", "relu", "leaky_relu", "elu", "softsign"):
            assert abs(point[0]) >= DISTANCE / 2
        if op.name in ("maximum", "minimum", "lt", "le", "gt", "ge"):
            assert abs(point[0] - point[1]) >= DISTANCE / 2
        for i, x in enumerate(point):
            low, high = op.domain[i * len(op.domain) // len(point)]
            assert low <= x <= high


@given(expressions(["add", "sub", "mul", "div", "exp", "log", "sin", "tanh", "pow", "sqrt", "dot"], max_ops=12))
def test_rounding_moves_no_number_as_far_as_a_kink(f):
    with oracle.mp.workdps(60):
        exact = [oracle.mpf(x) for x in f.inputs]
        for op, operands in f.steps:
            exact.append(oracle.VALUES[op.name](*[exact[x] if isinstance(x, int) else oracle.mpf(x) for x in operands]))
        assert abs(exact[-1] - f(*f.inputs)) <= MOST_MOVED


def test_kinks_are_hit_often():
    met = []

    @settings(max_examples=200)
    @given(expressions(kinks="hit"))
    def draw(f):
        met.append(any(not op.smooth(*point) for op, point in points(f)))

    draw()
    assert sum(met) > len(met) / 4


# At the pole of a quotient there is no finite value to go on with.
@pytest.mark.parametrize(
    "name", [op.name for op in OPS.values() if op.smooth is not everywhere and op.name != "quotient"]
)
def test_every_kink_can_be_hit(name):
    def hits(f):
        return any(not op.smooth(*point) for op, point in points(f))

    assert smallest(hits, shrink=False, ops=[name], kinks="hit").ops >= 1


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("kinks", ["avoid", "hit"])
def test_every_row_is_drawn(name, kinks):
    f = smallest(lambda f: True, ops=[name], kinks=kinks)
    assert {step.op.name for step in f.steps} == {name}


@pytest.mark.usefixtures("own_operations")
def test_operations_of_the_user_are_drawn_where_they_are_defined():
    operation("far", lambda x: math.sqrt(x - 100), lambda x, out: 0.5 / out, domain=((100.0, 200.0),))
    f = smallest(lambda f: "far" in [step.op.name for step in f.steps], shrink=False)
    assert all(100 <= point[0] <= 200 for op, point in points(f) if op.name == "far")


@pytest.mark.usefixtures("own_operations")
def test_a_domain_is_kept_to_at_kinks_too():
    unit = operation("unit", lambda x: x * x, lambda x, out: 2 * x, domain=((0.25, 0.75),))

    @given(expressions([unit, "mul"], max_ops=4, kinks="hit"))
    def test(f):
        assert all(0.25 <= point[0] <= 0.75 for op, point in points(f) if op is unit)

    test()


@pytest.mark.usefixtures("own_operations")
def test_a_domain_that_is_never_reached_is_named():
    far = operation("far", lambda x: x / 1e4, lambda x, out: 1e-4, domain=((1e4, 2e4),))
    assert smallest(lambda f: True, ops=[far]).inputs[0] >= 1e4
    with pytest.raises(ValueError, match=r'kinks="hit" draws from ±1000, where far is not defined'):
        expressions([far], kinks="hit")


@given(expressions(max_ops=200))
def test_every_step_leads_to_the_result(f):
    used = {x for step in f.steps for x in step.operands if isinstance(x, int)}
    assert used == set(range(len(f.inputs) + f.ops - 1))


# ---- calling and printing ------------------------------------------------------------------------------------------


@given(EITHER)
def test_floats_values_and_duals_give_the_same_number(f):
    out = f(*f.inputs)
    assert same(f(*map(Value, f.inputs)), out)
    assert same(f(*[Dual(x, 1.0, level=1) for x in f.inputs]), out)


@given(EITHER)
def test_what_it_prints_records_the_same_graph(f):
    leaves, again = [*map(Value, f.inputs)], [*map(Value, f.inputs)]
    names = dict(OPS)
    exec(repr(f), names)
    recorded, printed = topological_order(f(*leaves)), topological_order(names["f"](*again))
    assert [node.op for node in recorded] == [node.op for node in printed]
    assert [node.data for node in recorded] == [node.data for node in printed]
    recorded[-1].backward()
    printed[-1].backward()
    assert all(same(x.grad, y.grad) for x, y in zip(recorded, printed, strict=True))


@given(EITHER)
def test_its_program_prints_the_value_and_the_gradient(f):
    leaves = [*map(Value, f.inputs)]
    out = f(*leaves)
    out.backward()
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(f.program(), {})
    numbers = [float(x) for x in printed.getvalue().split()]
    assert [*map(repr, numbers)] == [repr(x) for x in (out.data, *[leaf.grad for leaf in leaves])]


def test_a_program_runs_where_numbers_are_not_finite():
    steps = [Step(OPS["mul"], (0, math.nan)), Step(OPS["sub"], (-math.inf, 1))]
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(Expression([math.inf], steps).program(), {})
    assert printed.getvalue() == "nan nan\n"


@pytest.mark.usefixtures("own_operations")
def test_it_prints_as_a_person_would_write_it():
    cube = operation("cube", lambda x: x**3, lambda x, out: 3 * x**2, prints="{} cubed")
    operation("a", lambda x: x, lambda x, out: 1.0)
    steps = [
        Step(OPS["sub"], (2.0, 0)),
        Step(OPS["pow"], (2, 2.0)),
        Step(OPS["lt"], (1, 3)),
        Step(cube, (4,)),
        Step(OPS["dot"], (2, 0.5, 4, 5)),
        Step(OPS["difference"], (6, -1.0)),
        Step(OPS["ge"], (4, 7)),
    ]
    assert repr(Expression([1.0, -2.5], steps)) == (
        "def f(x, y):  # at x = 1.0, y = -2.5\n"
        "    b = 2 - x\n"
        "    c = y < b ** 2\n"
        "    return c >= difference(dot([b, 0.5], [c, cube(c)]), -1)"
    )


# ---- shrinking -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "ops"),
    [
        (lambda f: True, 1),
        (lambda f: f.ops >= 3, 3),
        (lambda f: len(f.inputs) == 2, 1),
        (lambda f: "tanh" in [step.op.name for step in f.steps], 1),
        (lambda f: f(*f.inputs) < 0, 1),
        (lambda f: any(isinstance(x, float) for step in f.steps for x in step.operands), 1),
    ],
)
def test_expressions_shrink_to_what_is_simple(condition, ops):
    f = smallest(condition)
    assert f.ops == ops
    assert {*f.inputs} <= {*SIMPLE}
    assert {x for step in f.steps for x in step.operands if isinstance(x, float)} <= {*SIMPLE}


def test_the_simplest_expression_is_a_sum():
    assert repr(smallest(lambda f: True)) == "def f(x):  # at x = 1.0\n    return x + x"


def test_what_only_rules_are_written_with_is_drawn_when_it_is_asked_for(own_operations):
    own = operation("own", lambda x: x, lambda x, out: 1.0, prints=lambda x: x)
    drawn = set(_default_ops())
    assert own in drawn
    assert {"add", "div", "dot", "where", "normal_cdf"} <= {op.name for op in drawn}
    assert not {"power_derivative", "quotient", "difference", "tanh_derivative"} & {op.name for op in drawn}
    assert smallest(lambda f: True, ops="tanh_derivative").steps[0].op.name == "tanh_derivative"


def test_two_hundred_operations_can_be_drawn():
    assert smallest(lambda f: f.ops >= 100, shrink=False, max_ops=200).ops >= 100


def test_the_table_is_left_alone():
    before = dict(OPS), dict(vars(Number))
    find(EITHER, lambda f: f.ops > 2)
    assert (dict(OPS), dict(vars(Number))) == before
