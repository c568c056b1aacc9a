"""The chain rule written out: every path once, the numbers those of backward, and never an explosion."""

import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from graphs import Recipe, naive_adjoints, recipes, same
from hypothesis import given

import autograd as ag
from autograd import Value
from autograd.paths import MOST_FACTORS, MOST_PATHS, chain_rule


def two_layers():
    x, w1, w2, y = Value(2.0, "x"), Value(0.5, "w1"), Value(-1.0, "w2"), Value(1.0, "y")
    h = (w1 * x).tanh()
    o = (w2 * h).sigmoid()
    return (o - y) ** 2, w1, {"h": h, "o": o}


def test_the_five_factors_of_the_slide():
    loss, w1, names = two_layers()
    rule = chain_rule(loss, w1, names)
    assert rule.factors == [["2 * v3", "sigmoid(v2) * (1 - sigmoid(v2))", "w2", "1 - tanh(v1) ** 2", "x"]]
    first, second, third, fourth = str(rule).split("\n")
    assert first == "∂L/∂w1 = ∂L/∂v3 · ∂v3/∂o · ∂o/∂v2 · ∂v2/∂h · ∂h/∂v1 · ∂v1/∂w1"
    assert second == "       = (2 * v3) · (sigmoid(v2) * (1 - sigmoid(v2))) · w2 · (1 - tanh(v1) ** 2) · x"
    numbers = [float(factor.strip("()")) for factor in third.strip(" =").split(" · ")]
    assert math.prod(numbers) == pytest.approx(rule.value, rel=1e-5)
    assert float(fourth.strip(" =")) == pytest.approx(rule.value, rel=1e-5)


@given(recipes())
def test_the_sum_over_paths_is_the_gradient(recipe: Recipe):
    leaves = recipe.values()
    loss = recipe.output(*leaves)
    magnitude = naive_adjoints(loss, magnitude=abs)
    loss.backward()
    for leaf in [leaf for leaf in leaves if leaf in magnitude]:
        rule = chain_rule(loss, leaf)
        assert same(rule.value, leaf.grad)
        *_, last = rule.equations
        assert last.node is leaf
        adjoints = {equation.node: equation.chains[-1][-1].after for equation in rule.equations if equation.chains}
        adjoints[loss] = 1.0
        terms = [adjoints[chain[0].node] * math.prod(step.local for step in chain) for chain in last.chains]
        assert math.fsum(terms) == pytest.approx(leaf.grad, rel=1e-12, abs=1e-12 * magnitude[leaf])
        for chain in last.chains:
            assert all(a.input is b.node for a, b in pairwise(chain))
            assert chain[-1].input is leaf
        if len(rule.equations) == 1 and rule.paths <= MOST_PATHS:
            assert len(last.chains) == rule.paths == len(set(map(tuple, last.chains)))
        ET.fromstring(rule.mathml())
        assert rule._repr_latex_().count("{") == rule._repr_latex_().count("}")


def test_a_sum_of_paths():
    a = Value(3.0, "a")
    assert str(chain_rule(a * a, a)) == "∂L/∂a = ∂(a * a)/∂a + ∂(a * a)/∂a\n      = a + a\n      = 3 + 3\n      = 6"
    h = a.exp()
    h.name = "h"
    first, second, *_ = str(chain_rule(h * a + h, a)).split("\n")
    assert first == "∂L/∂a = ∂L/∂v1 · ∂v1/∂a + ∂L/∂h · ∂h/∂a + ∂L/∂v1 · ∂v1/∂h · ∂h/∂a"
    assert second == "      = h + h + a · h"


def test_the_derivative_of_one_operation_is_no_tautology():
    x = Value(2.0, "x")
    assert str(chain_rule(x.relu(), x)).splitlines()[0] == "∂L/∂x = ∂(relu(x))/∂x"


def test_sixty_diamonds_stay_printable():
    x = Value(1.5, "x")
    y = x
    for _ in range(60):
        y = y + y
    rule = chain_rule(y, x)
    assert rule.paths == 2**60
    assert rule.value == 2.0**60
    assert len(rule.equations) == 60
    assert str(rule).startswith("1,152,921,504,606,846,976 paths, grouped where they meet or part:\n∂L/∂v59 = ")
    assert len(str(rule)) < 60 * 300


def test_every_equation_rests_on_earlier_ones():
    w = Value(1.5, "w")
    y = w
    for _ in range(5):
        y = y + y
    rule = chain_rule(y * w, w)  # the pass comes to w first by its use beside the diamonds, and completes it last
    known = {rule.output}
    for equation in rule.equations:
        assert known >= {chain[0].node for chain in equation.chains}
        known.add(equation.node)
    assert rule.equations[-1].node is w
    assert rule.factors == [["v5"], [], []]


def test_a_shared_weight_costs_no_more_than_the_graph():
    x = Value(1.0001, "x")
    y = x
    for _ in range(2000):
        y = y * x  # each of 2001 paths takes another way out of the one before
    rule = chain_rule(y, x)
    assert rule.paths == 2001
    y.backward()
    assert rule.value == x.grad
    steps = sum(len(chain) for equation in rule.equations for chain in equation.chains)
    assert steps <= MOST_FACTORS * 4001  # the contributions of the pass


def test_as_many_paths_as_are_written_and_one_more():
    x = Value(1.0, "x")
    for n in (MOST_PATHS, MOST_PATHS + 1):
        rule = chain_rule(ag.sum([x * i for i in range(1, n + 1)]), x)
        assert (rule.paths, len(rule.equations), len(rule.equations[0].chains)) == (n, 1, n)
    doubled = (x + x + x) * 2.0
    assert len(chain_rule(doubled + doubled + doubled, x).equations) == 2  # nine paths meet in the middle


def test_long_sums_and_long_products_are_shortened():
    x = Value(1.0, "x")
    wide = str(chain_rule(ag.sum([x * 2.0 for _ in range(500)]), x))
    assert "…" in wide
    assert len(wide) < 3000
    y = x
    for _ in range(50_000):
        y = y * 1.0001
    long = str(chain_rule(y, x))
    assert "…" in long
    assert len(long) < 3000


def test_the_number_of_paths_is_not_counted_for_ever():
    x = Value(1.0, "x")
    y = x
    for _ in range(3000):
        y = y * y
    text = str(chain_rule(y, x))
    assert text.startswith("more than 10^30 paths")


def test_where_nothing_flows():
    x, y = Value(1.0, "x"), Value(2.0, "y")
    assert str(chain_rule(ag.where(x > 0, y, x), x)) == "∂L/∂x = 0"
    assert str(chain_rule(y, y)) == "∂y/∂y = 1"
    inner = x * y
    assert chain_rule(inner * 3, inner).value == 3.0


def test_what_has_no_chain_rule():
    x = Value(1.0, "x")
    with pytest.raises(ValueError, match="is not in the graph of the output"):
        chain_rule(x * 2, Value(3.0))
    with pytest.raises(TypeError, match="expected a Value, a node of the graph"):
        chain_rule(x * 2, 3.0)
    with pytest.raises(TypeError, match="expected a Value, the end of a graph"):
        chain_rule(3.0, x)


def test_thousands_of_equations_are_shortened():
    x = Value(1.0, "x")
    y = x
    for _ in range(2000):
        y = y + y
    rule = chain_rule(y, x)
    assert len(rule.equations) == 2000
    assert len(str(rule)) < 64 * 300
    assert len(rule.latex()) < 64 * 1000
    assert "\n…\n" in str(rule)
    ET.fromstring(rule.mathml())
