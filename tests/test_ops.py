"""The table: one property test for every row, and one that adds a row at run time and finds it everywhere."""

import copy
import itertools
import math
import pickle

import pytest
from graphs import call, is_defined, points, same
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import OPS, Op, Value, derivative, formula, grad, jvp
from autograd.op import everywhere
from autograd.symbol import rules_of

ROWS = list(OPS.values())
FAILURES = (ValueError, ZeroDivisionError, OverflowError)


# ---- what holds for every row: each check is a function of an operation and a point ----------------------------------


def function_of(op: Op):
    """``op`` as a function of single numbers, also if it takes lists."""
    return lambda *inputs: call(op, inputs)


def check_records_what_it_computes(op: Op, point: list[float]) -> None:
    x = [Value(each) for each in point]
    recorded = Op.__call__(op, *([x[: len(x) // op.lists], x[len(x) // op.lists :]][: op.lists] if op.lists else x))
    assert same(recorded.data, call(op, point))
    assert recorded.op is op
    assert recorded.inputs == tuple(x)
    assert all(local is None or type(local) is float for local in recorded.local_derivatives)


def check_reverse_equals_forward(op: Op, point: list[float], places: tuple[int, ...]) -> None:
    """The partial derivative with respect to the inputs at ``places``, one after another, both ways."""
    reverse = forward = function_of(op)
    scale = abs(forward(*point))
    for place in places:
        reverse, forward = reverse_partial(reverse, place), forward_partial(forward, place, len(point))
        one, other = reverse(*point), forward(*point)
        scale = max(scale, abs(one))
        assert math.isfinite(one)
        assert abs(one - other) <= 1e-10 * (1.0 + scale)


def reverse_partial(f, place: int):
    def partial(*inputs):
        gradient = grad(f)(*inputs)
        return gradient[place] if len(inputs) > 1 else gradient

    return partial


def forward_partial(f, place: int, size: int):
    direction = [float(i == place) for i in range(size)]
    return lambda *inputs: jvp(f, inputs, direction)[1]


def check_is_the_truth(op: Op, point: list[float]) -> None:
    """Where the operation is smooth, small steps of its value follow its derivative (a guard against wrong rules)."""
    for place, rule in enumerate(op.rules * (len(point) if op.lists else 1)):
        if rule is None:
            continue
        step = 1e-5
        beside = [[x + sign * step * (i == place) for i, x in enumerate(point)] for sign in (1, -1)]
        if not all(is_defined(op, each) for each in beside):
            continue
        slope = (call(op, beside[0]) - call(op, beside[1])) / (2 * step)
        bend = abs(
            derivative(lambda x, place=place: call(op, [*point[:place], x, *point[place + 1 :]]), 3)(point[place])
        )
        found = reverse_partial(function_of(op), place)(*point)
        assert abs(slope - found) <= 1e-5 * (1.0 + abs(found)) + step**2 * bend


def check_row(op: Op, data) -> None:
    """The generic property test: all that holds for a row at one point that hypothesis draws."""
    point = data.draw(points(op), label="point")
    places = data.draw(st.tuples(*[st.integers(0, len(point) - 1)] * 3), label="places")
    check_records_what_it_computes(op, point)
    check_reverse_equals_forward(op, point, places)
    check_is_the_truth(op, point)


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
@given(data=st.data())
@settings(max_examples=settings().max_examples // 2)
def test_every_row(op: Op, data):
    check_row(op, data)


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_special_points_raise_nothing_unexpected(op: Op):
    for point in op.special:
        check_records_what_it_computes(op, list(point))
        f = function_of(op)
        for _ in range(2):
            f = reverse_partial(f, 0)
            if op.rules[0] is not None:
                assert isinstance(float(f(*point)), float)


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_nan_travels_through(op: Op):
    size = (op.arity or 2 * op.lists) if not op.lists else 2 * op.lists
    point = [math.nan if rule is not None else 1.0 for rule in (op.rules * size)[:size]]
    point = point if any(x != x for x in point) else [math.nan] * size  # comparisons
    check_records_what_it_computes(op, point)
    is_comparison = op.name in ("lt", "le", "gt", "ge")
    assert call(op, point) == 0.0 if is_comparison else math.isnan(call(op, point))


INTERESTING = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    5e-324,
    -5e-324,
    1e-308,
    1e308,
    -1e308,
    710.0,
    -745.0,
    math.inf,
    -math.inf,
]


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_extreme_inputs_raise_only_what_is_documented(op: Op):
    size = op.arity or 2 * op.lists
    whole = [1.0, 2.0]
    rules = op.rules * (size if op.lists else 1)
    for point in itertools.product(*[INTERESTING if rule is not None or size == 2 else whole for rule in rules]):
        if not is_defined(op, list(point)):
            with pytest.raises(FAILURES, match=rf"^{op.name}\(.*: (not defined there|the result is too large)"):
                call(op, [Value(x) for x in point])
        else:
            check_records_what_it_computes(op, list(point))


# ---- what each row says of itself ------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_a_row_is_documented_and_printed(op: Op):
    assert op.__doc__
    assert op.__doc__.endswith((".", ")"))
    assert getattr(ag, op.name) is op
    assert op.name in dir(ag)
    assert len(rules_of(op)) == (op.arity or 2 * op.lists)
    assert len(op.domain) == (op.arity or op.lists)
    assert all(low < high for low, high in op.domain)
    assert repr(op) == f"<operation {op.name}>"


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_a_row_is_one_object_and_hashes_by_identity(op: Op):
    assert pickle.loads(pickle.dumps(op)) is op
    assert copy.copy(op) is op
    assert copy.deepcopy(op) is op
    assert op == op
    assert hash(op) == object.__hash__(op)


def test_the_names_that_users_look_for_are_there():
    names = (
        "add sub mul div neg abs pow exp log sqrt sin cos tan tanh sigmoid relu softplus maximum minimum where sum dot"
    )
    assert set(names.split()) <= OPS.keys()


NEARLY_1 = math.nextafter(1.0, 0.0)
KINKS = {  # where an operation is smooth, as near as floats come to where it is not, and where it is not
    "abs softsign relu leaky_relu elu": ([(5e-324,), (-5e-324,)], [(0.0,), (-0.0,)]),
    "sqrt": ([(5e-324,)], [(0.0,)]),
    "asin acos": ([(NEARLY_1,), (-NEARLY_1,)], [(1.0,), (-1.0,)]),
    "pow": ([(5e-324, -2.0)], [(0.0, 2.0)]),
    "power_derivative": ([(5e-324, 2.5, 1.0, 0.0)], [(0.0, 2.5, 1.0, 0.0)]),
    "maximum minimum lt le gt ge": ([(1.0, NEARLY_1), (NEARLY_1, 1.0)], [(1.0, 1.0), (0.0, -0.0)]),
    "hypot": ([(5e-324, 0.0), (0.0, 5e-324)], [(0.0, 0.0)]),
    "hypot_derivative": ([(5e-324, 0.0, 1.0, 0.0), (0.0, 5e-324, 1.0, 0.0)], [(0.0, 0.0, 1.0, 0.0)]),
    "atan2": ([(0.0, 5e-324), (5e-324, -1.0), (-5e-324, -1.0)], [(0.0, 0.0), (0.0, -1.0)]),
    "atan2_derivative": ([(0.0, 5e-324, 1.0, 0.0), (5e-324, -1.0, 1.0, 0.0)], [(0.0, 0.0, 1.0, 0.0)]),
    "where": ([(5e-324, 1.0, 2.0)], [(0.0, 1.0, 2.0)]),
    "quotient": ([(0.0, 5e-324, 1.0)], [(1.0, 0.0, 1.0)]),
}


@pytest.mark.parametrize("names", KINKS)
def test_an_operation_is_smooth_up_to_its_kinks(names: str):
    smooth, not_smooth = KINKS[names]
    for name in names.split():
        assert all(OPS[name].smooth(*point) for point in smooth)
        assert not any(OPS[name].smooth(*point) for point in not_smooth)


def test_what_has_no_kink_says_so():
    kinks = {name for names in KINKS for name in names.split()}
    assert {op.name for op in ROWS if op.smooth is not everywhere} == kinks


ENDS = [(op, end, towards) for op in ROWS for end, towards in zip(op.domain[0], op.domain[0][::-1], strict=True)]


@pytest.mark.parametrize(
    ("op", "end", "towards"),
    [(op, *ends) for op, *ends in ENDS if op.arity == 1 and math.isfinite(ends[0])],
    ids=lambda each: getattr(each, "name", None),
)
def test_a_domain_is_as_large_as_it_can_be(op: Op, end: float, towards: float):
    assert is_defined(op, [math.nextafter(end, towards)])
    assert not is_defined(op, [math.nextafter(end, math.copysign(math.inf, end - towards))])


@pytest.mark.parametrize("name", ["power_derivative", "hypot_derivative", "atan2_derivative"])
def test_the_domain_of_a_family_begins_at_the_lowest_orders(name: str):
    k, j = [low for low, _ in OPS[name].domain[2:]]
    assert is_defined(OPS[name], [1.0, 1.0, k, j])
    assert not is_defined(OPS[name], [1.0, 1.0, k - 1, j])
    assert not is_defined(OPS[name], [1.0, 1.0, k, j - 1])


@pytest.mark.parametrize("name", ["abs", "cosh", "hypot", "tanh_derivative", "erf_derivative", "normal_density"])
def test_what_turns_at_zero_says_so(name: str):
    turns = OPS[name].turns
    assert turns(-0.25, 0.5) == (0.0,)
    assert turns(-5e-324, 5e-324) == (0.0,)
    assert turns(0.0, 2.0) == turns(-2.0, 0.0) == ()


# ---- the one-row test ------------------------------------------------------------------------------------------------


@given(data=st.data())
def test_one_row_is_all_there_is_to_adding_an_operation(own_operations, data):
    if "cubed" not in OPS:
        ag.operation("cubed", lambda x: x * x * x, lambda x, out: 3 * x**2, doc="x³.", prints="{}**3", precedence=4)
    cubed = ag.cubed
    x = Value(2.0, "x")

    # it is called as a function and as a method, and recorded
    assert cubed(2.0) == 8.0
    assert cubed(x).data == x.cubed().data == 8.0
    assert x.cubed().op is OPS["cubed"] is cubed

    # it is differentiated to third order, in reverse and forward mode, and that is the truth
    for order, truth in enumerate([8.0, 12.0, 12.0, 6.0]):
        f = cubed
        for _ in range(order):
            f = grad(f)
        assert f(2.0) == derivative(cubed, order)(2.0) == truth
    y = 5 * x.cubed() + x
    y.backward()
    assert x.grad == 61.0

    # it is printed, documented and pickled
    assert formula((x + 1).cubed() * 2) == "(x + 1)**3 * 2"
    assert rules_of(cubed) == ["3 * x ** 2"]
    assert cubed.__doc__ == Value.cubed.__doc__ == "x³."
    assert "cubed" in dir(ag)
    assert pickle.loads(pickle.dumps(y)).inputs[0].inputs[1].op is cubed

    # and it passes the test that every row passes
    check_row(cubed, data)


def test_a_row_with_a_wrong_rule_fails_the_test_that_every_row_passes(own_operations):
    wrong = ag.operation("wrong", lambda x: x * x * x, lambda x, out: 3.001 * x**2)

    @given(data=st.data())
    def check(data):
        check_row(wrong, data)

    with pytest.raises(AssertionError):
        check()


@given(data=st.data())
def test_a_row_of_two_inputs_and_a_row_of_a_list(own_operations, data):
    if "mix" not in OPS:
        ag.operation("mix", lambda x, y: x * x * y, lambda x, y, out: 2 * x * y, lambda x, y, out: x * x, doc="x²y.")
        ag.operation(
            "sumsq",
            lambda *xs: math.fsum(x * x for x in xs),
            lambda xs, out: [2 * x for x in xs],
            lists=1,
            doc="Σ x².",
        )
    check_row(ag.mix, data)
    check_row(ag.sumsq, data)
    a, b = Value(2.0, "a"), Value(3.0, "b")
    assert formula(ag.mix(a + b, b)) == "mix(a + b, b)"
    assert formula(ag.sumsq([a, b * 2])) == "sumsq([a, b * 2])"
    assert grad(grad(lambda x: ag.sumsq([x, x * x])))(2.0) == 2 + 12 * 4.0
    assert rules_of(ag.sumsq) == ["2 * x1", "2 * x2"]
    assert not hasattr(Value, "mix")


@pytest.mark.parametrize("name", ["power_derivative", "hypot_derivative", "atan2_derivative"])
@pytest.mark.parametrize("wrong", [-1.0, 0.5, 101.0, 1e300, math.inf, math.nan])
def test_an_order_that_is_not_whole_or_too_high_is_refused(name, wrong):
    for order in ((wrong, 0.0), (0.0, wrong)):
        with pytest.raises(ValueError, match=f"{name}.*: not defined there"):
            OPS[name](1.0, 2.0, *order)
    assert math.isfinite(OPS[name](1.0, 2.0, 100.0, 0.0))
