"""Value: what it takes, what it records, and what it keeps when copied, pickled and freed."""

import copy
import gc
import io
import itertools
import math
import operator
import pickle
from fractions import Fraction

import numpy as np
import pytest
from graphs import Recipe, large, recipes, same
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import OPS, Value, topological_order
from autograd.reverse import adjoints

FLOATS = st.floats(allow_nan=True, allow_infinity=True)

# ---- making one ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "data"),
    [
        (3, 3.0),
        (-2.5, -2.5),
        (True, 1.0),
        (Fraction(1, 4), 0.25),
        (np.float64(1.5), 1.5),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.float16(0.5), 0.5),
        (np.int64(-7), -7.0),
        (np.uint8(200), 200.0),
        (np.bool_(True), 1.0),
        (np.array(2.5), 2.5),
        (np.array(3), 3.0),
        (np.array(False), 0.0),
        (math.inf, math.inf),
        (5e-324, 5e-324),
    ],
    ids=repr,
)
def test_every_real_number_is_taken_as_a_float(given_, data):
    x = Value(given_)
    assert type(x.data) is float
    assert x.data == data
    assert (Value(1.0) * given_).data == data
    assert (given_ + Value(0.0)).data == data


NOT_NUMBERS = ["3", b"3", None, 1j, [1], (1,), {}, np.array([1.0]), np.array("3"), np.complex128(1), object(), Fraction]


@pytest.mark.parametrize("wrong", NOT_NUMBERS)
def test_what_is_no_real_number_is_refused_by_name(wrong):
    with pytest.raises(TypeError, match=r"real number \(int, float, bool or NumPy scalar\), got .* of type"):
        Value(wrong)


def test_a_value_of_a_value_is_refused_with_a_way_out():
    with pytest.raises(TypeError, match=r"got a Value: use it as it is, or float\(v\)"):
        Value(Value(1.0))


@pytest.mark.parametrize("wrong", ["3", None, 1j, [1]], ids=repr)
@pytest.mark.parametrize("operate", [operator.add, operator.mul, operator.truediv, operator.pow, operator.lt])
def test_operators_refuse_what_is_no_number(operate, wrong):
    with pytest.raises(TypeError):
        operate(Value(1.0), wrong)
    with pytest.raises(TypeError):
        operate(wrong, Value(1.0))


def test_an_integer_beyond_the_floats_overflows():
    with pytest.raises(OverflowError):
        Value(10**400)
    with pytest.raises(OverflowError):
        Value(1.0) + 10**400


@pytest.mark.parametrize("wrong", [5, b"x", ["x"]], ids=repr)
def test_a_name_is_a_string(wrong):
    with pytest.raises(TypeError, match="name of a Value is a string"):
        Value(1.0, wrong)
    x = Value(1.0, "x")
    with pytest.raises(TypeError, match="name of a Value is a string"):
        x.name = wrong
    assert x.name == "x"


def test_names_can_be_given_later_to_recorded_nodes_too():
    h = Value(1.0) + 1
    assert h.name is None
    h.name = "h"
    assert h.name == "h"
    h.name = None
    assert h.name is None


# ---- what is recorded ------------------------------------------------------------------------------------------------


def test_a_leaf_has_nothing_behind_it():
    x = Value(2.0)
    assert (x.op, x.inputs, x.local_derivatives, x.grad, x.has_grad) == (None, (), (), 0.0, False)


def test_inputs_are_ordered_and_keep_repeats():
    a, b = Value(5.0), Value(3.0)
    assert (a - b).inputs == (a, b)
    assert (b - a).inputs == (b, a)
    assert (a * a).inputs == (a, a)
    assert ag.dot([a, b], [b, 2.0]).inputs == (a, b, b, 2.0)
    assert ag.sum([a]).inputs == (a,)
    assert ag.where(a, b, 1.0).inputs == (a, b, 1.0)


def test_literals_stay_floats_and_are_no_nodes():
    x = Value(-2.0)
    y = 3 - x**2
    assert y.inputs[0] == 3.0
    assert type(y.inputs[0]) is float
    assert topological_order(y) == [x, y.inputs[1], y]
    assert y.local_derivatives == (None, -1.0)


def test_the_partial_of_a_literal_is_never_evaluated(own_operations):
    evaluated = []

    def rule(x, y, out):
        evaluated.append((x, y))
        return x

    times = ag.operation("times", lambda x, y: x * y, lambda x, y, out: y, rule)
    evaluated.clear()  # defining it tries the rule out
    assert times(Value(2.0), 3.0).local_derivatives == (3.0, None)
    assert evaluated == []
    assert times(Value(2.0), Value(3.0)).local_derivatives == (3.0, 2.0)
    assert evaluated == [(2.0, 3.0)]
    x = Value(-2.0)
    (x**2).backward()  # in the exponent it would be log(-2)
    assert x.grad == -4.0


OPERATORS = [
    (operator.add, "add"),
    (operator.sub, "sub"),
    (operator.mul, "mul"),
    (operator.truediv, "div"),
    (operator.pow, "pow"),
    (operator.lt, "lt"),
    (operator.le, "le"),
    (operator.gt, "gt"),
    (operator.ge, "ge"),
]


@pytest.mark.parametrize(("operate", "name"), OPERATORS)
@pytest.mark.parametrize(
    "other", [3, 3.0, True, np.float64(3.0), np.float32(3.0), np.int64(3), np.bool_(True)], ids=repr
)
def test_operators_take_numbers_on_both_sides(operate, name, other):
    x = Value(1.5)
    y, z = operate(x, other), operate(other, x)
    assert isinstance(y, Value)
    assert isinstance(z, Value)
    assert y.data == float(operate(1.5, float(other)))
    assert z.data == float(operate(float(other), 1.5))
    assert y.op is OPS[name]
    assert type(y.inputs[1]) is float
    # Python turns the comparison 3 < x around into x > 3.
    mirrored = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}.get(name, name)
    assert z.op in (OPS[name], OPS[mirrored])


@pytest.mark.parametrize(("operate", "name"), OPERATORS)
def test_a_numpy_array_goes_elementwise(operate, name):
    x, array = Value(1.5), np.array([1.0, 2.0])
    for found, expected in ((operate(x, array), operate(1.5, array)), (operate(array, x), operate(array, 1.5))):
        assert found.shape == (2,)
        assert [float(each) for each in found] == expected.tolist()


def test_unary_operators():
    x = Value(-1.5)
    assert (-x).data == 1.5
    assert (+x) is x
    assert abs(x).data == 1.5
    assert (-x).op is OPS["neg"]
    assert abs(x).op is OPS["abs"]


def test_augmented_assignment_records_and_leaves_the_old_node_alone():
    x = y = Value(2.0)
    y += 1.0
    y *= x
    assert (x.data, y.data) == (2.0, 6.0)


def test_operators_that_are_not_defined_say_so():
    x = Value(2.0)
    for attempt in (lambda: x // 2, lambda: x % 2, lambda: x @ x, lambda: pow(x, 2, 3), lambda: int(x), lambda: x[0]):
        with pytest.raises(TypeError):
            attempt()


def test_comparisons_are_operations_that_are_true_or_false():
    a, b = Value(1.0), Value(2.0)
    for true, false in ((a < b, a > b), (a <= b, a >= b), (a <= 1, a < 1), (b > 1.5, b < 1.5), (2 >= b, 2 > b)):  # noqa: SIM300
        assert true
        assert not false
        assert (true.data, false.data) == (1.0, 0.0)
        assert isinstance(true, Value)
        assert not any(local is not None for local in true.local_derivatives)
    assert max(a, b) is b
    assert sorted([b, a]) == [a, b]
    y = (a > 0) * a
    y.backward()
    assert a.grad == 1.0


def test_bool_is_that_of_the_data():
    assert Value(0.1)
    assert not Value(-0.0)
    assert bool(Value(math.nan)) == bool(math.nan)


def test_equality_and_hash_are_by_identity():
    a, b = Value(1.0), Value(1.0)
    assert a == a
    assert a != b
    assert len({a, b, a}) == 2
    assert hash(a) != hash(b) or a is b


def test_float_leaves_the_graph():
    x = Value(2.5)
    assert float(x) == 2.5
    assert type(float(x * 2)) is float
    assert math.sqrt(Value(4.0)) == 2.0


def test_every_operation_of_one_input_is_a_method():
    x = Value(0.5)
    for op in OPS.values():
        if op.arity == 1:
            found = getattr(x, op.name)()
            assert found.op is op
            assert same(found.data, op(0.5))


@given(recipes())
def test_depth_is_the_longest_path_to_a_leaf(recipe: Recipe):
    y = recipe.output(*recipe.values())
    for node in topological_order(y):
        below = [x._depth for x in node.inputs if isinstance(x, Value)]
        assert node._depth == (1 + max(below) if below else 0)


# ---- the short cuts of + - * are the rows ----------------------------------------------------------------------------


class Own(Value):
    """A user's subclass."""


SHORT_CUTS = [(operator.add, "add"), (operator.sub, "sub"), (operator.mul, "mul")]
OPERANDS = [Value, Own, lambda x: Value(x) * 1.0, float, np.float64]


@pytest.mark.parametrize(("operate", "name"), SHORT_CUTS)
@given(x=FLOATS, y=FLOATS, kinds=st.tuples(st.sampled_from(OPERANDS), st.sampled_from(OPERANDS)), deep=st.booleans())
def test_short_cuts_equal_the_rows_bit_for_bit(operate, name, x, y, kinds, deep):
    a, b = kinds[0](x), kinds[1](y)
    if not isinstance(a, Value) and not isinstance(b, Value):
        a = Value(x)
    if deep and isinstance(b, Value):
        b = b * 1.0 + 0.0
    if isinstance(a, Value):
        for short, row in ((operate(a, b), OPS[name](a, b)), (operate(a, a), OPS[name](a, a))):
            assert_same_record(short, row)
    else:
        assert_same_record(operate(a, b), OPS[name](a, b))


def assert_same_record(short: Value, row: Value):
    assert same(short.data, row.data)
    assert short.op is row.op
    assert short._depth == row._depth
    assert type(short) is type(row)
    assert (short.grad, short.has_grad, short.name) == (row.grad, row.has_grad, row.name)
    assert len(short.inputs) == len(row.inputs)
    for mine, other in zip(short.inputs, row.inputs, strict=True):
        assert mine is other or (type(mine) is type(other) is float and same(mine, other))
    assert [repr(x) for x in short.local_derivatives] == [repr(x) for x in row.local_derivatives]


@pytest.mark.parametrize(("operate", "name"), SHORT_CUTS)
def test_short_cuts_are_as_deep_as_the_rows(operate, name):
    x = Value(2.0)
    deep = ag.neg(ag.neg(x))
    for a, b in ((deep, x), (x, deep), (deep, deep), (deep, 1.0)):
        assert operate(a, b)._depth == OPS[name](a, b)._depth == 3


@pytest.mark.parametrize(("out", "local"), [(2, 0.5), (2.0, 3)])
def test_a_whole_number_from_an_operation_of_ones_own_is_recorded_as_a_float(out, local, own_operations):
    x = Value(2.0)
    ag.operation("one_input", lambda x: out, lambda x, out: local)
    ag.operation("two_inputs", lambda x, y: out, lambda x, y, out: local, lambda x, y, out: local)
    for y in (x.one_input(), ag.two_inputs(x, x), ag.two_inputs(x, 1.0)):
        assert repr(y.data) == "2.0"
        assert {repr(each) for each in y.local_derivatives} <= {repr(float(local)), "None"}
        assert y.local_derivatives[0] == local


def test_an_operation_of_one_input_may_select_it_or_not(own_operations):
    gate = ag.operation("gate", lambda x: max(x, 0.0), lambda x, out: ag.gt(x, 0.0), selects=True)
    assert gate(Value(2.0)).local_derivatives == (1.0,)
    assert gate(Value(-2.0)).local_derivatives == (None,)
    assert Value(-2.0).relu().local_derivatives == (0.0,)


# ---- data and grad ---------------------------------------------------------------------------------------------------


def test_data_of_a_leaf_can_be_set():
    x = Value(1.0)
    x.data = np.int64(3)
    assert x.data == 3.0
    assert type(x.data) is float


def test_data_of_a_recorded_node_cannot_be_set():
    y = Value(2.0) * 3
    with pytest.raises(AttributeError, match="recorded as the result of 'mul'"):
        y.data = 1.0
    assert y.data == 6.0


@pytest.mark.parametrize("wrong", ["3", None, 1j, [1], 10**400], ids=lambda x: repr(x)[:10])
@pytest.mark.parametrize("attribute", ["data", "grad"])
def test_a_wrong_type_leaves_the_value_as_it_was(attribute, wrong):
    x = Value(1.5, "x")
    x.grad = 2.5
    with pytest.raises((TypeError, OverflowError)):
        setattr(x, attribute, wrong)
    assert (x.data, x.grad, x.has_grad, x.name) == (1.5, 2.5, True, "x")


def test_a_wrong_grad_on_a_fresh_leaf_is_no_grad():
    x = Value(1.0)
    with pytest.raises(TypeError):
        x.grad = "3"
    assert (x.grad, x.has_grad) == (0.0, False)


def test_has_grad_tells_a_gradient_of_zero_from_none():
    x, unused = Value(0.0), Value(1.0)
    (x * 0.0).backward()
    assert (x.grad, x.has_grad) == (0.0, True)
    assert (unused.grad, unused.has_grad) == (0.0, False)
    x.zero_grad()
    assert (x.grad, x.has_grad) == (0.0, False)
    x.grad = 0.0
    assert x.has_grad


def test_derivatives_belong_to_the_recorded_values():
    x, w = Value(3.0), Value(2.0)
    y = x * x * w + ag.sin(x)
    x.data = w.data = 100.0
    y.backward()
    assert x.grad == 12.0 + math.cos(3.0)
    assert w.grad == 9.0


@pytest.mark.parametrize("new", [5.0, -1.0, 0.0, 1000.0])
@pytest.mark.parametrize("function", [ag.sin, ag.cos, ag.exp, ag.log, abs, lambda w: 1 / w, lambda w: w**3])
def test_higher_derivatives_of_changed_leaves_are_refused(function, new):
    # sin has the same derivative at 1 and -1, cos the same value: either alone would not show the change.
    w, other = Value(1.0), Value(2.0)
    y = other * function(w)
    w.data = new
    with pytest.raises(ValueError, match="was changed after"):
        adjoints(y, [w])


def test_a_changed_leaf_behind_a_recorded_node_has_no_effect():
    w = Value(1.0)
    _, pull_back = ag.vjp(lambda x: x * ag.sin(w), Value(2.0))
    w.data = 5.0
    assert float(pull_back(1.0)) == math.sin(1.0)


# ---- text ------------------------------------------------------------------------------------------------------------


def test_repr_and_format():
    x = Value(1.5, "x")
    assert repr(x) == "Value(data=1.5, grad=0.0, name='x')"
    assert repr(x * 2) == "Value(data=3.0, grad=0.0)"
    assert f"{x:.3f} {x}" == "1.500 Value(data=1.5, grad=0.0, name='x')"


# ---- copies ----------------------------------------------------------------------------------------------------------


def assert_equal_graphs(one: Value, other: Value):
    for a, b in zip(topological_order(one), topological_order(other), strict=True):
        assert same(a.data, b.data)
        assert (a.op, a.name, a.has_grad, a._depth, type(a)) == (b.op, b.name, b.has_grad, b._depth, type(b))
        assert same(a.grad, b.grad)
        assert repr(a.local_derivatives) == repr(b.local_derivatives)
        assert len(a.inputs) == len(b.inputs)


def pickled(x, protocol=pickle.HIGHEST_PROTOCOL):
    return pickle.loads(pickle.dumps(x, protocol))


def pickled_in_python(x):
    file = io.BytesIO()
    pickle._Pickler(file).dump(x)
    return pickle._Unpickler(io.BytesIO(file.getvalue())).load()


COPIES = [copy.deepcopy, pickled, lambda x: pickled(x, 0), lambda x: pickled(x, 2), pickled_in_python]


@pytest.mark.parametrize("copied", COPIES, ids=["deepcopy", "pickle", "pickle0", "pickle2", "pickle.py"])
@given(recipes())
def test_copies_are_equal_and_share_nothing(copied, recipe: Recipe):
    y = recipe.output(*recipe.values())
    y.backward()
    y.name = "y"
    z = copied(y)
    assert_equal_graphs(y, z)
    assert not set(topological_order(y)) & set(topological_order(z))
    z.backward()
    for a, b in zip(topological_order(y), topological_order(z), strict=True):
        assert same(a.grad + a.grad, b.grad) or not a.has_grad


@pytest.mark.parametrize("copied", COPIES, ids=["deepcopy", "pickle", "pickle0", "pickle2", "pickle.py"])
def test_copies_keep_what_is_shared(copied):
    x = Value(2.0, "x")
    h = x * x
    loss = h * h + x
    loss.backward()
    h2, loss2, x2 = copied([h, loss, x])
    assert h2.inputs == (x2, x2)
    assert loss2.inputs[0].inputs == (h2, h2)
    assert loss2.inputs[1] is x2
    assert (x2.grad, h2.grad, x2.name) == (33.0, 8.0, "x")
    assert copied([x, loss, h])[0].grad == 33.0
    everything = copied({"loss": loss, "again": [loss]})
    assert everything["loss"] is everything["again"][0]


def test_a_leaf_without_a_gradient_is_copied_without_one():
    for copied in [*COPIES, copy.copy]:
        assert not copied(Value(1.0)).has_grad


def test_copy_is_a_node_of_its_own_on_the_same_inputs():
    x = Value(2.0, "x")
    y = x * x
    y.backward()
    z = copy.copy(y)
    assert z is not y
    assert z.inputs == (x, x)
    z.name = "z"
    assert y.name is None
    z.backward()
    assert (x.grad, y.grad, z.grad) == (8.0, 1.0, 2.0)


def test_a_graph_of_a_users_operation_is_pickled_by_its_name(own_operations):
    thrice = ag.operation("thrice", lambda x: 3 * x, lambda x, out: 3.0)
    saved = pickle.dumps(thrice(Value(2.0)))
    assert pickle.loads(saved).op is thrice
    del OPS["thrice"]
    with pytest.raises(
        ValueError, match=r"uses the operation 'thrice', which is not defined here.*operation\('thrice'"
    ):
        pickle.loads(saved)


# ---- scale and memory ------------------------------------------------------------------------------------------------


def test_a_chain_of_a_million_operations():
    x = Value(1.0, "x")
    y, steps = x, large(500_000)
    for _ in range(steps):
        y = y * 0.999999 + 1e-6
    y.backward()
    assert math.isclose(x.grad, 0.999999**steps, rel_tol=1e-9)
    for copied in (pickled, copy.deepcopy):
        z = copied(y)
        leaf = next(node for node in topological_order(z) if node.op is None)
        assert (z.data, leaf.grad, leaf.name) == (y.data, x.grad, "x")
        del z, leaf
    y.zero_grad()
    assert not x.has_grad
    y = None  # is freed without recursion


def test_sixty_diamonds_are_swept_once_each():
    x = y = Value(1.0)
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60
    assert len(topological_order(y)) == 61
    assert len(pickle.dumps(y)) < 60_000
    assert copy.deepcopy(y).data == 2.0**60


def test_a_sum_of_many_nodes():
    x, numbers = Value(3.0), range(large(200_000))
    y = ag.sum([x * i for i in numbers])
    y.backward()
    assert x.grad == sum(numbers)
    assert y.data == 3.0 * sum(numbers)


def test_two_inputs_take_no_tuple_to_keep():
    x, y = Value(1.0), Value(2.0)
    for node in (x / y, x**2, ag.sum([x, y]), ag.dot([x], [y])):
        for each in (node, copy.copy(node), copy.deepcopy(node)):
            assert not any(isinstance(kept, tuple) for kept in gc.get_referents(each))


def test_nodes_form_no_cycles():
    def build():
        x = Value(2.0, "x")
        h = ag.tanh(x * x - 1) / 3
        loss = ag.dot([h, x], [h, 2.0]) + ag.where(x > 0, h, x) + ag.logsumexp([h, x])
        for _ in range(1000):
            loss = loss * 0.5 + h
        loss.backward()
        loss.backward()
        pickle.dumps(loss)
        copy.deepcopy(loss)
        ag.formula(loss)
        ag.hessian(lambda a, b: ag.sin(a) * b)(1.0, 2.0)
        ag.jvp(ag.grad(ag.tanh), (1.0,), (1.0,))
        return loss

    build()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        loss = build()
        assert len(gc.get_objects()) > before + 1000
        del loss
        assert len(gc.get_objects()) <= before + 10
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_copying_many_nodes_of_one_chain_walks_each_once():
    nodes = [Value(1.0)]
    for _ in range(20_000):  # walked once for each node, this would be 200 million steps
        nodes.append(nodes[-1] + 1.0)
    copies = copy.deepcopy(nodes)
    assert [node.data for node in copies] == [node.data for node in nodes]
    assert all(node.inputs[0] is before for before, node in itertools.pairwise(copies))


@pytest.mark.parametrize("wrong", [1.0, "x", None, [Value(1.0)]])
def test_an_order_is_that_of_values(wrong):
    with pytest.raises(TypeError, match="expected a Value, the end of a graph, got"):
        topological_order(Value(1.0), wrong)
    with pytest.raises(TypeError, match="done is a set of Values, got"):
        topological_order(Value(1.0), done=[])


def test_an_error_shows_what_cannot_be_printed_whole():
    deep = []
    for _ in range(100_000):  # its repr would be a RecursionError
        deep = [deep]
    with pytest.raises(TypeError, match=r"the name of a Value is a string, got \[\[\["):
        Value(1.0, name=deep)


def test_messages_call_every_node_a_value():
    assert {type(node).__name__ for node in (Value(2.0), Value(2.0) * 3.0)} == {"Value"}
