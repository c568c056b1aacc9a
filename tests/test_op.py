"""Op: how an operation is called, how it is defined, and what its errors say."""

import math

import pytest

import autograd as ag
from autograd import OPS, Op, Value, operation

# ---- calling ---------------------------------------------------------------------------------------------------------


def test_floats_in_a_float_out():
    for out in (
        ag.exp(0.0),
        ag.exp(0),
        ag.exp(False),
        ag.add(1, 2),
        ag.sum([1, 2]),
        ag.dot([1, 2], (3, 4)),
        ag.lt(1, 2),
    ):
        assert type(out) is float
    assert ag.dot([1, 2], (3, 4)) == 11.0


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (lambda: ag.exp(), "exp takes 1 input(s), got 0"),
        (lambda: ag.exp(1, 2), "exp takes 1 input(s), got 2"),
        (lambda: ag.maximum(1), "maximum takes 2 input(s), got 1"),
        (lambda: ag.where(1, 2), "where takes 3 input(s), got 2"),
        (lambda: ag.sum(Value(1.0)), "sum takes 1 list(s) of numbers"),
        (lambda: ag.sum(1, 2), "sum takes 1 list(s) of numbers"),
        (lambda: ag.dot([1]), "dot takes 2 list(s) of numbers"),
        (lambda: ag.exp("1"), "got '1' of type str"),
        (lambda: ag.exp(None), "got None of type NoneType"),
        (lambda: ag.maximum(Value(1.0), [1]), "got [1] of type list"),
        (lambda: ag.sum([1, "2"]), "got '2' of type str"),
        (lambda: ag.exp("x" * 100), "got 'xxxxxxxxxxxx...xxxxxxxxxxxxx' of type str"),
    ],
)
def test_wrong_inputs_are_refused(attempt, said):
    with pytest.raises(TypeError) as error:
        attempt()
    assert said in str(error.value)


def test_lists_must_be_equally_long():
    with pytest.raises(ValueError, match="dot takes lists of equal length, got 1 and 2"):
        ag.dot([Value(1.0)], [1, 2])


def test_lists_may_be_any_iterable_and_of_any_length():
    x = Value(2.0)
    assert ag.sum(x * i for i in range(4)).data == 12.0
    assert ag.sum(()) == ag.dot([], []) == 0.0
    assert ag.sum([x]).data == 2.0
    assert ag.logsumexp(iter([x])).data == 2.0
    with pytest.raises(ValueError, match="logsumexp"):
        ag.logsumexp([])


def test_an_error_inside_a_generator_is_not_hidden():
    with pytest.raises(TypeError, match="unsupported operand"):
        ag.sum(x + "a" for x in [1.0])


@pytest.mark.parametrize(
    ("kind", "attempt", "said"),
    [
        (ValueError, lambda x: ag.log(x), "log(x=-1.0): not defined there"),
        (ValueError, lambda x: x**0.5, "pow(x=-1.0, 0.5): not defined there"),
        (ZeroDivisionError, lambda x: x / 0, "div(x=-1.0, 0.0): not defined there (division by zero)"),
        (OverflowError, lambda x: ag.exp(x * -1000), "exp(1000.0): the result is too large for a float"),
        (OverflowError, lambda x: (x * 2) ** 1024, "pow(-2.0, 1024.0): the result is too large for a float"),
        (ValueError, lambda x: ag.log(-1), "log(-1.0): not defined there"),
        (ValueError, lambda x: x.sqrt(), "sqrt(x=-1.0): not defined there"),
    ],
)
def test_errors_name_the_operation_the_value_and_the_node(kind, attempt, said):
    with pytest.raises(kind) as error:
        attempt(Value(-1.0, "x"))
    assert str(error.value).startswith(said)


def test_an_error_of_many_inputs_gives_their_number(own_operations):
    fussy = operation("fussy", lambda *xs: math.log(-len(xs)), lambda xs, out: list(xs), lists=1)
    with pytest.raises(ValueError, match="fussy of 9 inputs: not defined there"):
        fussy([Value(1.0)] * 9)


# ---- defining --------------------------------------------------------------------------------------------------------


def identity(x):
    return x


def one(x, out):
    return 1.0


@pytest.mark.parametrize("name", ["", "2x", "a b", "_hidden", "lambda", None, 3])
def test_a_name_must_be_an_identifier(name):
    with pytest.raises(ValueError, match="is an identifier"):
        operation(name, identity, one)


@pytest.mark.parametrize("name", ["exp", "add", "where", "power_derivative"])
def test_built_ins_are_not_replaced(name):
    before = OPS[name]
    with pytest.raises(ValueError, match="is a built-in operation"):
        operation(name, identity, one)
    assert OPS[name] is before


@pytest.mark.parametrize(
    "name", ["Value", "grad", "data", "name", "op", "inputs", "backward", "value", "mean", "level"]
)
def test_taken_names_are_refused(name):
    with pytest.raises(ValueError, match="already means something"):
        operation(name, identity, one)
    assert name not in OPS


@pytest.mark.parametrize(
    ("kind", "said", "rules", "options"),
    [
        (ValueError, "one local derivative per input", [], {}),
        (ValueError, "one rule", [], {"lists": 1}),
        (ValueError, "one rule", [one, one], {"lists": 1}),
        (ValueError, "one rule", [None], {"lists": 1}),
        (ValueError, "one rule", [one], {"lists": -1}),
        (ValueError, "domain needs 1 range", [one], {"domain": ((0, 1), (0, 1))}),
        (ValueError, "domain needs 2 range", [one], {"domain": ((0, 1),), "lists": 2}),
        (TypeError, "must be a function", [1.0], {}),
    ],
)
def test_a_row_that_does_not_fit_is_refused(kind, said, rules, options):
    with pytest.raises(kind, match=said):
        operation("unfit", identity, *rules, **options)
    assert "unfit" not in OPS


def test_forward_must_be_a_function():
    with pytest.raises(TypeError, match="forward must be a function"):
        operation("unfit", 3.0, one)


def test_a_users_operation_may_be_defined_again(own_operations):
    first = operation("mine", lambda x: 2 * x, lambda x, out: 2.0)
    old = first(Value(1.0))
    second = operation("mine", lambda x: 3 * x, lambda x, out: 3.0)
    assert old.op is first
    assert ag.mine is second
    assert Value(1.0).mine().data == 3.0
    operation("mine", lambda x, y: x * y, lambda x, y, out: y, lambda x, y, out: x)
    assert ag.mine(2.0, 3.0) == 6.0
    assert not hasattr(Value, "mine")


@pytest.mark.parametrize("x", [2.0, Value(2.0)])
@pytest.mark.parametrize("wrong", [None, 1j, "2", [2.0]])
def test_a_forward_function_must_return_a_float(own_operations, x, wrong):
    odd = operation("odd", lambda x: wrong, one)
    with pytest.raises(TypeError, match="forward function of odd must return a float"):
        odd(x)


@pytest.mark.parametrize(("returned", "data"), [(2, 2.0), (True, 1.0)])
def test_numbers_that_are_no_floats_become_floats(own_operations, returned, data):
    loose = operation("loose", lambda x: returned, lambda x, out: returned)
    assert type(loose(1.0)) is float
    y = loose(Value(1.0))
    assert (y.data, y.local_derivatives) == (data, (data,))
    assert type(y.local_derivatives[0]) is float


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (lambda x, out: None, "it returned None (is a return missing?)"),
        (lambda x, out: ag.log(-x), "log(-2.0): not defined there"),
    ],
)
def test_a_rule_that_fails_is_named(own_operations, rule, said):
    broken = operation("broken", identity, rule)
    with pytest.raises((TypeError, ValueError)) as error:
        broken(Value(2.0, "x"))
    assert "the local derivative of broken" in str(error.value)
    assert said in str(error.value)


def test_orders_are_the_last_inputs_and_have_no_local_derivative(own_operations):
    for orders in (-1, 1, 3):
        with pytest.raises(ValueError, match=r"the last -?\d input\(s\) are orders: their local derivative is None"):
            operation("family", lambda x, n: x, lambda x, n, out: 1.0, lambda x, n, out: 1.0, orders=orders)
    assert operation("family", lambda x, n: x, lambda x, n, out: 1.0, None, orders=1).orders == 1
    assert operation("chooser", lambda x, n: x, None, lambda x, n, out: 1.0, domain=((0, 1), (-1, 1))).orders == 0


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([lambda x, out: math.cos(x)], "not those of math"),
        ([lambda x, out: float(x)], "not those of math"),
        ([lambda x: 1.0], "takes 1 positional argument but 2 were given"),
        ([lambda x, y, out: y, lambda x, y, out: math.exp(x)], "not those of math"),
        ([lambda x, out: 1.0 if x > 0.0 else 2.0], "does not choose with if: use where"),
        ([lambda x, out: 1.0 if x == 0.0 else 2.0], "does not choose with if: use where"),
        ([lambda x, out: 1.0 if x != 0.0 else 2.0], "does not choose with if: use where"),
    ],
)
def test_a_rule_that_leaves_the_graph_or_chooses_is_refused_when_it_is_defined(own_operations, rules, said):
    # Its value would be right, and its own derivative 0, silently, in reverse and forward mode alike.
    with pytest.raises(TypeError, match=said):
        operation("leaver", lambda *xs: 0.0, *rules)
    assert "leaver" not in OPS


def test_a_rule_that_returns_no_number_is_refused(own_operations):
    odd = operation("odd", identity, lambda x, out: "1")
    with pytest.raises(TypeError, match="expected a real number"):
        odd(Value(2.0))


def test_the_rule_of_a_list_must_return_a_derivative_per_input(own_operations):
    short = operation("short", lambda *xs: 0.0, lambda xs, out: [1.0], lists=1)
    assert short([Value(1.0)]).local_derivatives == (1.0,)
    with pytest.raises(ValueError, match=r"short\(1.0, 1.0\) failed: it returned 1 number\(s\) for 2 input"):
        short([Value(1.0), 1.0])


def test_an_error_of_a_users_own_kind_is_named_too(own_operations):
    class OutOfRangeError(ValueError):
        pass

    def forward(x):
        raise OutOfRangeError

    strict = operation("strict", forward, one)
    with pytest.raises(ValueError, match=r"strict\(q=1.0\): not defined there"):
        strict(Value(1.0, "q"))


def test_an_operation_that_selects_ignores_what_is_behind_a_zero(own_operations):
    gate = operation("gate", lambda x: max(x, 0.0), lambda x, out: ag.gt(x, 0.0), selects=True)
    x = Value(0.0)
    gate(ag.sqrt(x) * -1.0).backward()
    assert not x.has_grad
    assert gate(Value(2.0)).local_derivatives == (1.0,)


def test_documentation_defaults_to_the_name(own_operations):
    op = operation("plain", identity, one)
    assert isinstance(op, Op)
    assert (op.__doc__, op.prints, op.domain) == ("plain.", "plain({})", ((-math.inf, math.inf),))


def test_a_domain_goes_from_low_to_high():
    with pytest.raises(ValueError, match=r"a range of the domain is \(lowest, highest\)"):
        ag.operation("turned", lambda x: x, lambda x, out: 1.0, domain=((1.0, 0.0),))


def test_turns_are_not_for_lists():
    with pytest.raises(ValueError, match="turns is for operations of single inputs"):
        ag.operation("listed", max, lambda xs, out: [0.0 for x in xs], lists=1, turns=lambda low, high: ())
