"""The arithmetic of the page: in a real browser it computes what Python computes, and raises where Python raises."""

import contextlib
import functools
import itertools
import json
import linecache
import math
import random
import re
from fractions import Fraction

import pytest
from browser import watched
from graphs import same
from hypothesis import settings

import autograd as ag
from autograd import OPS, Op, Value, grad
from autograd.op import REALS
from autograd.stepper.javascript import script
from autograd.symbol import formulas_are_defined
from autograd.value import topological_order

ROWS = list(OPS.values())
FAILURES = (ValueError, ZeroDivisionError, OverflowError)
EXACT = "add sub mul div neg abs sqrt lt le gt ge where maximum minimum difference relu leaky_relu softsign sum dot"

# Math.exp, Math.sin and so on of the browser and Python's libm are both within an ULP of the truth; what is written
# with them is within 4 ULP of each other, times the condition number where that is above 1.
ULPS = 4

SPECIAL = [0.0, 5e-324, 1e-310, 1e-308, 0.5, 1.0, 3.0, 20.0, 710.0, 745.0, 1000.0, 1e16, 1e308, math.inf]
SPECIAL = [sign * x for x in SPECIAL for sign in (1.0, -1.0)] + [math.nan]


# ---- asking the page -------------------------------------------------------------------------------------------------

# Numbers travel as text, because JSON has neither nan, infinities nor -0.
CALLS = """
const show = (x) => x === null ? null : Object.is(x, -0) ? '-0.0' : String(x);
const attempt = (f) => {
  try { return f(); } catch (error) { return [error.name, error.message]; }
};
const called = ([key, texts]) => {
  const operation = operations[key];
  const inputs = texts.map(Number);
  const out = attempt(() => operation.forward(...inputs));
  if (typeof out !== 'number') return [out, null];
  return [show(out), attempt(() => ({
    locals: operation.locals(...inputs, out).map((x) => operation.selects && x === 0 ? null : show(x)),
  }))];
};
"""


@pytest.fixture(scope="module")
def page(offline):
    """One page for all tests of this file: they leave nothing in it."""
    with watched(offline) as page:
        yield page


def text(x: float) -> str:
    return repr(float(x)).replace("inf", "Infinity").replace("nan", "NaN")


def number(text: str | None) -> float | None:
    return None if text is None else float(text.replace("Infinity", "inf").replace("NaN", "nan"))


def in_page(page, written, code: str, data):
    """The JSON that the JavaScript expression ``code`` makes of ``data``."""
    function = f"(text) => {{ {written.text} {CALLS} const data = JSON.parse(text); return JSON.stringify({code}); }}"
    return json.loads(page.evaluate(function, json.dumps(data)))


def call_in_page(page, calls: list[tuple[Op, list[float]]]) -> list:
    written = script((op, len(point)) for op, point in calls)
    assert not written.missing
    data = [[written.keys[op, len(point)], list(map(text, point))] for op, point in calls]
    return in_page(page, written, "data.map(called)", data)


def attempt(f):
    """The result of ``f``, or the name and the reason of its error, as the page gives them."""
    try:
        return f()
    except FAILURES as error:
        return [type(error).__name__, str(error).split(": ", 1)[1]]


def check(op: Op, point: list[float], answer: list) -> None:
    """The answer of the page is Python's: the number and the local derivatives, or the error."""
    out, locals_ = answer
    expected = attempt(lambda: op.evaluate(tuple(point)))
    if isinstance(expected, list):
        assert out == expected
        return
    assert_close(op.name in EXACT.split(), number(out), expected, op, point)
    expected = attempt(lambda: op.local_derivatives(tuple(point), op.evaluate(tuple(point)), [True] * len(point)))
    if expected and isinstance(expected[0], str):
        kind, reason = locals_
        assert kind == expected[0]
        assert reason.startswith("the local derivative failed: ")
        return
    for place, (local, other) in enumerate(zip(locals_["locals"], expected, strict=True)):
        if other is None or local is None:
            assert local is other
        else:
            rule = op.rules[0 if op.lists else place]

            def derivative(*xs, rule=rule, place=place):
                return rule(xs, op(*halves(op, xs)))[place] if op.lists else rule(*xs, op(*xs))

            assert_close(op.name in ("add", "sub", "mul", "dot", "sum"), number(local), float(other), derivative, point)


def halves(op: Op, xs):
    size = len(xs) // op.lists
    return [xs[i * size : (i + 1) * size] for i in range(op.lists)]


def assert_close(exact: bool, found: float, expected: float, function, point: list[float]) -> None:
    if exact or not math.isfinite(expected):
        assert same(found, expected), point
    elif abs(found - expected) > ULPS * math.ulp(expected):
        assert abs(found - expected) <= ULPS * math.ulp(expected) * condition(function, point), point


def condition(function, point: list[float]) -> float:
    """How much larger the relative error of the result may be than that of the inputs: Σ|x·∂f/∂x / f|."""
    if isinstance(function, Op) and function.lists:
        op = function

        def function(*xs):
            return op(*halves(op, xs))

    gradient = grad(function)(*point)
    gradient = gradient if isinstance(gradient, tuple) else (gradient,)
    return sum(abs(x * float(dx)) for x, dx in zip(point, gradient, strict=True)) / abs(float(function(*point)))


# ---- every row of the table ------------------------------------------------------------------------------------------


def points(op: Op) -> list[list[float]]:
    """Special numbers in all combinations, and random ones over the whole domain."""
    chance = random.Random(op.name)

    def anywhere(low: float, high: float) -> float:
        draws = [
            lambda: chance.uniform(-3.0, 3.0),
            lambda: chance.uniform(-40.0, 40.0),
            lambda: math.ldexp(chance.uniform(-1.0, 1.0), chance.randint(-1074, 1024)),
        ]
        return next(x for x in iter(lambda: chance.choice(draws)(), None) if low <= x <= high)

    if op.lists:
        mixed = [lambda: anywhere(*REALS), lambda: chance.choice(SPECIAL), lambda: chance.uniform(-3.0, 3.0)]
        return [
            [chance.choice(mixed[start:])() for _ in range(size * op.lists)]
            for size in (1, 2, 3, 8)
            for start in range(3)
            for _ in range(3 * settings().max_examples // 2)
        ]
    # An input without a rule is an order, or a choice; but a comparison has none at all.
    free = [rule is not None or not any(op.rules) for rule in op.rules]
    axes = [SPECIAL if each else [0.0, -0.0, 1.0, math.nan] if op.selects else [1.0, 2.0] for each in free]
    found = [*map(list, itertools.product(*axes)), *map(list, op.special)]
    for _ in range(15 * settings().max_examples // 2):
        found.append(
            [anywhere(*ends) if each else chance.choice([1.0, 2.0]) for each, ends in zip(free, op.domain, strict=True)]
        )
    return found


@pytest.fixture(scope="module")
def answers(page) -> dict[Op, list]:
    """For each row, its points with the answers of the page."""
    calls = [(op, point) for op in ROWS for point in points(op)]
    found: dict[Op, list] = {op: [] for op in ROWS}
    for (op, point), answer in zip(calls, call_in_page(page, calls), strict=True):
        found[op].append((point, answer))
    return found


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_every_row_computes_and_raises_in_the_page_as_in_python(op: Op, answers):
    for point, answer in answers[op]:
        check(op, point, answer)


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_the_page_knows_as_python_where_a_formula_is_not_defined(op: Op, page):
    nodes = []
    for point in [*map(list, op.special), *points(op)[: 5 * settings().max_examples]]:
        with contextlib.suppress(ArithmeticError, ValueError):
            nodes.append(Value.apply(op, tuple(map(Value, point))))
    written = script((op, len(node.inputs)) for node in nodes)
    data = [
        [written.keys[op, len(node.inputs)], [*map(text, map(float, node.inputs)), text(node.data)]] for node in nodes
    ]
    asked = "data.map(([key, given]) => operations[key].areDefined(...given.map(Number)))"
    answers = in_page(page, written, asked, data)
    for node, answer in zip(nodes, answers, strict=True):
        for local, here, there in zip(node.local_derivatives, formulas_are_defined(node), answer, strict=True):
            assert local is None or local != local or here == there, node.inputs


# ---- graphs ----------------------------------------------------------------------------------------------------------

# The two passes in a few lines. A node is [key, inputs], a leaf is its number; an input is [index] or a literal.
PASSES = """
data.map((nodes) => {
  const numbers = [], locals = [];
  for (const node of nodes) {
    if (typeof node === 'string') { numbers.push(Number(node)); locals.push([]); continue; }
    const [key, inputs] = node;
    const operands = inputs.map((x) => typeof x === 'string' ? Number(x) : numbers[x[0]]);
    const wanted = inputs.map((x) => typeof x !== 'string');
    const out = operations[key].forward(...operands);
    const found = operations[key].locals(...operands, out, wanted);
    numbers.push(out);
    locals.push(found.map((x) => operations[key].selects && x === 0 ? null : x));
  }
  const gradients = nodes.map(() => 0);
  gradients[nodes.length - 1] = 1;
  for (let i = nodes.length - 1; i >= 0; i--) {
    locals[i].forEach((local, place) => {
      if (local !== null) gradients[nodes[i][1][place][0]] += gradients[i] * local;
    });
  }
  return [numbers.map(show), gradients.map(show)];
})
"""


def random_graph(seed: int, steps: int = 40) -> Value:
    """A graph of all rows of the table, whose numbers and local derivatives stay below 1000."""
    chance = random.Random(seed)
    nodes = [Value(chance.uniform(-3.0, 3.0), f"x{i}") for i in range(4)]
    while len(nodes) < steps:
        op = chance.choice(ROWS)
        size = len(op.rules) if not op.lists else op.lists * chance.randint(1, 4)
        recent = nodes[-8:]
        inputs = [chance.choice(recent) if chance.random() < 0.8 else chance.uniform(-3.0, 3.0) for _ in range(size)]
        if any(op.rules) and not op.selects:
            rules = op.rules * (size if op.lists else 1)
            inputs = [chance.choice([1.0, 2.0]) if rule is None else x for x, rule in zip(inputs, rules, strict=True)]
        try:
            node = Op.__call__(op, *(halves(op, inputs) if op.lists else inputs))
        except FAILURES:
            continue
        if isinstance(node, Value):
            numbers = [x for x in (node.data, *node.local_derivatives) if x is not None]
            if all(abs(x) < 1000.0 for x in numbers):
                nodes.append(node)
    return ag.sum(nodes[-8:]) * nodes[-1]


def test_python_and_the_page_agree_on_random_graphs(page):
    orders = [topological_order(random_graph(seed)) for seed in range(5 * settings().max_examples)]
    written = script((node.op, len(node.inputs)) for order in orders for node in order if node.op)
    assert not written.missing
    graphs = []
    for order in orders:
        order[-1].backward()
        index = {node: i for i, node in enumerate(order)}
        graph = []
        for node in order:
            inputs = [[index[x]] if isinstance(x, Value) else text(x) for x in node.inputs]
            graph.append([written.keys[node.op, len(inputs)], inputs] if node.op else text(node.data))
        graphs.append(graph)
    answers = in_page(page, written, PASSES, graphs)
    for order, (data, gradients) in zip(orders, answers, strict=True):
        for node, found, gradient in zip(order, map(number, data), map(number, gradients), strict=True):
            assert abs(found - node.data) <= 1e-12 * abs(node.data)
            assert abs(gradient - node.grad) <= 1e-12 * abs(node.grad)


# ---- operations of users ---------------------------------------------------------------------------------------------

HALF = 0.5
COEFFICIENTS = (1.0, -0.5, [0.25, -0.125])


def horner(x):
    """A table of numbers, unpacking, a loop, augmented assignments."""
    (first, second, rest), out = COEFFICIENTS, 0.0
    for c in (first, second, *rest):
        out *= x
        out += c
    return out


def newton(x, steps=40):
    """A loop with break and continue, chained comparisons, a default, an error raised."""
    if x < 0:
        raise ValueError("no square root")
    guess, i = max(x, 1.0), 0
    while True:
        i += 1
        if not 0 <= i < steps:
            break
        if i % 2 == 5:
            continue
        guess = (guess + x / guess) * HALF
    return guess


def fibonacci(x):
    """A function that calls itself, and integer division."""
    return x if x < 2 or x != x or x > 12 else fibonacci(x // 1 - 1) + fibonacci(x // 1 - 2)


def careful(x):
    """Errors caught by kind, and by a kind above."""
    try:
        return math.exp(x) / (x - 1.0)
    except (ZeroDivisionError, ValueError):
        return math.inf
    except ArithmeticError:
        return -math.inf


def truths(x):
    """nan is true, 0.0 and an empty list are not; and, or give operands."""
    kept = [y for y in (x, -x, 0.0) if y]
    return (kept and kept[-1]) or (not kept and 7) or None


def builtin_functions(x):
    rows = list(zip(range(3), [x, 2 * x, x / 2], strict=True))
    best = max([y for i, y in rows if i], default=0.0) + min(x, 1.0) + min((abs(y) for _, y in rows), default=1.0)
    flags = any(y > 3 for _, y in rows) + all(map(math.isfinite, (x, x))) + bool(x) + (x == True)  # noqa: E712
    reverse = sum(i * y for i, y in enumerate(reversed([x, 1.0, -x]), 1))
    return best + flags + reverse + len(rows) + int(min(max(x, -9.0), 9.0) if x == x else 1) + pow(2.0, 3)


def scopes(x):
    """A name of a comprehension that means something else outside of it; names assigned at once, and imported."""
    from math import exp as power
    from math import tau

    first = second = x
    inner = sum(x * y for x in (x, 2 * x) for y in [x, 1.0] if x) + max([-x for x in [x]])
    return inner + x + first * second + power(-abs(x)) * tau


def reserved(new, /):
    """Names that mean something in JavaScript."""
    var, function, this, operations, List, t1, math = 1.0, new, 2.0, new, 3.0, 4.0, 5.0  # noqa: N806
    return var * function + this * operations + List + t1 + math


@functools.cache
def cached(x):
    return x * HALF


def of_floats(x):
    """Python's remainder and floor, powers and their precedence, signs."""
    return -(x**2) + (-x) ** 2 + 2**-1 + x % 3.0 + x % -3.0 + x // 0.7 + abs(-x) - +x


def exact(x):
    """Sums and products of fractions are rounded once."""
    return float(Fraction(x) * Fraction(x) + Fraction(-0.01))


ONE_INPUT = [
    horner,
    newton,
    fibonacci,
    careful,
    truths,
    builtin_functions,
    scopes,
    reserved,
    cached,
    of_floats,
    exact,
    ag.tanh,
    ag.sigmoid.forward,
    math.erf,
    lambda x: ag.tanh(x) + ag.sum([x, 1.0]) + ag.dot([x, 1.0], (2.0, 3.0)),
    lambda x: x > HALF,
    lambda x: 3,
    lambda x: float("-inf") if x < 0 else float(1),
    lambda x: 1e400 * x,
    lambda x: x**0.5 if x >= 0 else x**-1,
    lambda x: (lambda y: y * x)(x + 1),
]
POINTS = [-1000.0, -3.0, -1.0, -0.5, -0.0, 0.0, 5e-324, 0.1, 0.5, 1.0, 2.5, 7.0, 20.0, 800.0, 1e300, math.inf, math.nan]


@pytest.mark.parametrize("forward", ONE_INPUT, ids=lambda f: getattr(f, "__name__", repr(f)))
def test_a_forward_function_of_a_user_is_translated(forward, own_operations, page):
    op = ag.operation("own", forward, lambda x, out: 2 * x**2 / (1 + abs(x)) - out)
    calls = []
    for x in POINTS:
        try:
            op.evaluate((x,))
        except TypeError:  # a complex number, None: no graph can hold it
            continue
        except FAILURES:
            pass
        calls.append((op, [x]))
    for (_, point), answer in zip(calls, call_in_page(page, calls), strict=True):
        check(op, point, answer)


@pytest.mark.parametrize(
    "forward",
    [
        lambda *xs: math.fsum([*map(abs, xs), xs[-1], *xs[:1], *xs[-1:]]),
        lambda *xs: math.prod(xs),
        lambda *xs: max(xs) - min(xs),
        lambda *xs: sum(x * y for i, x in enumerate(xs) for y in xs[i:] if x < y),
        lambda *xs: math.hypot(*xs),
        lambda first, *others: first / len(others),
    ],
)
def test_a_forward_function_of_a_list_is_translated(forward, own_operations, page):
    op = ag.operation("own", forward, lambda xs, out: [x * out for x in xs], lists=1)
    chance = random.Random(1)
    calls = [(op, [chance.uniform(-3.0, 3.0) for _ in range(size)]) for size in (1, 2, 3, 10)]
    calls += [(op, [math.nan, 1.0]), (op, [math.inf])]
    for (_, point), answer in zip(calls, call_in_page(page, calls), strict=True):
        check(op, point, answer)


def test_two_lambdas_on_one_line_are_told_apart(own_operations, page):
    lambdas = [lambda x: x + 1, lambda x: x + 2, (lambda y: lambda x: x * y)(3), lambda x: (lambda y: y + x)(4 * x)]
    operations = [ag.operation("own", each, lambda x, out: 1.0) for each in lambdas]
    answers = call_in_page(page, [(op, [5.0]) for op in operations])
    assert [number(out) for out, _ in answers] == [6.0, 7.0, 15.0, 25.0]


def test_operations_of_the_same_name_are_told_apart(own_operations, page):
    first = ag.operation("own", lambda x: x + 1, lambda x, out: 1.0)
    x = Value(2.0)
    y = x.own()
    second = ag.operation("own", lambda x: x * 10, lambda x, out: first(x) * 0.0 + 10.0)
    third = ag.operation("own_2", lambda x: -x, lambda x, out: -1.0)
    assert [y.op, y.own().op] == [first, second]
    answers = call_in_page(page, [(op, [5.0]) for op in (first, second, third)])
    assert answers == [[out, {"locals": [local]}] for out, local in (("6", "1"), ("50", "10"), ("-5", "-1"))]


def test_an_operation_of_a_notebook_cell_is_translated(own_operations, page, monkeypatch):
    cell = 'scale = 3\nown = operation("own", lambda x: scale * x, lambda x, out: scale)\n'
    name = "/tmp/ipykernel_1/2.py"  # no such file: IPython leaves the source of its cells with linecache
    monkeypatch.setitem(linecache.cache, name, (len(cell), None, cell.splitlines(keepends=True), name))
    names = {"operation": ag.operation}
    exec(compile(cell, name, "exec"), names)
    assert call_in_page(page, [(names["own"], [2.0])]) == [["6", {"locals": ["3"]}]]


def test_only_wanted_local_derivatives_are_evaluated(own_operations, page):
    # As for x ** 2 at x = -2, whose exponent is a literal: Python does not ask for log(-2).
    op = ag.operation("own", lambda x, y: x * y, lambda x, y, out: y, lambda x, y, out: ag.log(x))
    written = script([(op, 2)])
    calls = "data.map((wanted) => attempt(() => operations.own.locals(-2, 3, -6, ...wanted)))"
    answers = in_page(page, written, calls, [[[True, False]], []])
    assert answers == [[3, None], ["ValueError", "the local derivative failed: not defined there"]]


def test_shared_parts_of_a_rule_are_written_once(own_operations):
    def rule(x, out):
        for _ in range(50):
            x = x * x
        return x

    op = ag.operation("own", lambda x: x, rule)
    assert script([(op, 1)]).text.count("$mul(") == 51  # with the definition


def test_a_number_is_written_to_the_bit(own_operations, page):
    numbers = [0.1, -0.0, 1e-310, 1.7976931348623157e308, math.inf, -math.inf, math.nan, -3, True]
    operations = [ag.operation("own", lambda x, c=c: c, lambda x, out, c=c: c + 0 * x) for c in numbers]
    assert [number(out) for out, _ in call_in_page(page, [(op, [1.0]) for op in operations])] == pytest.approx(
        list(map(float, numbers)), rel=0, abs=0, nan_ok=True
    )


# ---- what cannot be translated ---------------------------------------------------------------------------------------


def with_keywords(x, *, y=1.0):
    return x * y


def with_text(x):
    return float(str(x))


def with_state(x):
    global HALF
    HALF = x
    return x


def with_context(x):
    import contextlib

    with contextlib.suppress(ValueError):
        return x
    return x


UNTRANSLATABLE = [
    (with_keywords, r"^with_keywords, line \d+: keyword parameters cannot be translated to a page$"),
    (with_text, "it uses str, which a page does not have"),
    (with_state, "Global"),
    (with_context, "With"),
    (lambda x: x + random.random(), "random, which a page does not have"),
    (lambda x: x + math.gamma(x), "it uses gamma, which a page does not have"),
    (lambda x: {1.0: x}.get(1.0, x), "the method get"),
    (lambda x: int(x) & 3, r"`int\(x\) & 3`"),
    (lambda x: x + 2**53 + 9007199254740993, "an integer that a float cannot hold"),
    (lambda x: x if "a" in "abc" else 1.0, "`'a' in 'abc'`"),
    (functools.partial(max, 1.0), "it uses partial"),
    (eval("lambda x: x + 1"), "the source of <lambda> is not available"),
]


@pytest.mark.parametrize(("forward", "reason"), UNTRANSLATABLE)
def test_what_cannot_be_translated_is_reported(forward, reason, own_operations):
    op = ag.operation("own", forward, lambda x, out: 1.0)
    other = ag.operation("other", lambda x: x, lambda x, out: op(x))
    written = script([(ag.tanh, 1), (op, 1), (other, 1)])
    assert list(written.keys) == [(ag.tanh, 1)]
    assert list(written.missing) == [(op, 1), (other, 1)]
    for each in written.missing.values():
        assert re.search(reason, each)
        assert "\n" not in each
    assert "own" not in written.text


def test_a_formula_that_cannot_be_translated_leaves_its_operation_whole_and_no_trace(own_operations):
    table = {2.0: 5.0}
    looked_up = ag.operation("looked_up", lambda x: table[x], lambda x, out: 1.0)
    slope = ag.operation("slope", lambda x: 2 * x, None, prints=lambda x: looked_up(x))
    own = ag.operation("own", lambda x: x * x, lambda x, out: slope(x))
    written = script([(own, 1), (looked_up, 1)])
    assert written.keys == {(own, 1): "own"}
    assert written.missing.keys() == {(looked_up, 1)}
    assert "looked_up" not in written.text


def test_a_rule_that_does_not_return_what_it_should_is_reported(own_operations):
    short = ag.operation("own_3", lambda *xs: xs[0], lambda xs, out: [1.0], lists=1)
    nothing = ag.operation("own_4", lambda x: x, lambda x, out: None)
    missing = script([(short, 2), (nothing, 1)]).missing
    assert [reason.partition(":")[0] for reason in missing.values()] == [
        "its rule returns 1 local derivatives for 2 inputs",
        "its local derivative is not written with floats and operations",
    ]


def test_too_many_inputs_are_reported(page):
    size = 10_000
    assert list(script([(ag.sum, size + 1), (ag.sum, 2)]).missing) == [(ag.sum, size + 1)]
    numbers = [random.Random(3).uniform(-1.0, 1.0) for _ in range(size)]
    calls = [(op, numbers) for op in (ag.sum, ag.dot, ag.logsumexp)]
    for (op, point), answer in zip(calls, call_in_page(page, calls), strict=True):
        check(op, point, answer)


def test_source_that_has_changed_is_reported(own_operations, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "own_functions.py"
    file.write_text("def f(x):\n    return x + 1\n")
    import own_functions

    op = ag.operation("own", own_functions.f, lambda x, out: 1.0)
    assert not script([(op, 1)]).missing
    file.write_text("def f(x):\n    return x + 2\n\n")
    assert script([(op, 1)]).missing == {(op, 1): "the source of f has changed since it was run"}


# ---- the runtime -----------------------------------------------------------------------------------------------------


ONE_FLOAT = (
    "acos acosh asin asinh atan atanh cbrt ceil cos cosh degrees erf erfc exp exp2 expm1 fabs floor isfinite isinf "
    "isnan log log10 log1p log2 radians sin sinh sqrt tan tanh trunc"
)
TWO_FLOATS = "atan2 copysign fmod hypot log pow"
FUNCTIONS = [
    *[(getattr(math, name), 1) for name in ONE_FLOAT.split()],
    *[(getattr(math, name), 2) for name in TWO_FLOATS.split()],
    (lambda x: math.frexp(x)[0], 1),
    (lambda x: math.frexp(x)[1], 1),
    (lambda x, y: math.ldexp(x, int(y)), 2),
    (lambda x, y: math.fsum([x, y, 1e16, 1.0, -y, 1e-16, -x]), 2),
    (lambda x: math.factorial(int(abs(x)) if abs(x) < 171 else 3), 1),
    (lambda x, y: math.comb(int(min(abs(x), 90.0)), int(min(abs(y), 90.0))) if x == x and y == y else 0, 2),
    (lambda x, y: x % y, 2),
    (lambda x, y: x // y, 2),
    (lambda x, y: x**y if x > 0 or y == y // 1 else 0.0, 2),
    (lambda x: int(x), 1),
    (lambda x: x.is_integer(), 1),
    (lambda x, y: max(x, y, 1.0) - min([y, x]), 2),
]


@pytest.mark.parametrize(("function", "size"), FUNCTIONS, ids=lambda f: getattr(f, "__name__", None))
def test_the_runtime_computes_and_raises_as_cpython(function, size, own_operations, page):
    op = ag.operation("own", function, *[lambda *inputs: 1.0] * size)
    chance = random.Random(2)
    calls = [(op, list(point)) for point in itertools.product(SPECIAL, repeat=size)]
    for _ in range(300):
        calls.append((op, [chance.choice([-1, 1]) * 10.0 ** chance.uniform(-6, 3) for _ in range(size)]))
    for (_, point), (out, _) in zip(calls, call_in_page(page, calls), strict=True):
        expected = attempt(lambda point=point: op.evaluate(tuple(point)))
        if isinstance(expected, list) or isinstance(out, list):
            assert out == expected, point
        else:
            assert abs(number(out) - expected) <= ULPS * math.ulp(expected) or same(number(out), expected), point


def test_the_script_defines_operations_alone_and_ends_no_element(page):
    written = script((op, op.arity or 2) for op in ROWS)
    assert "</script" not in written.text.lower()
    assert in_page(page, written, "[Object.keys(operations).length, typeof truth, typeof List]", []) == [
        len(ROWS),
        "undefined",
        "undefined",
    ]


def test_the_same_uses_give_the_same_text():
    uses = [(op, op.arity or 2) for op in ROWS]
    assert script(uses) == script(uses + uses)
