"""Recording: what is left for programs, and what a program cannot be made of."""

import numpy as np
import pytest

import autograd as ag
from autograd import Value
from nn import MLP, BatchNorm, Dropout
from nn.recording import Example, NotCompiledError, drawn, recording, watched


def ones(n):
    return np.ones(n)


def twos(n):
    return np.full(n, 2.0)


def test_a_plain_graph_draws_at_once():
    assert drawn(3, twos) == [2.0, 2.0, 2.0]
    assert all(type(each) is float for each in drawn(3, twos))


def test_a_program_gets_leaves_for_what_is_drawn_and_the_function_that_draws():
    with recording() as found:
        first, second, third = drawn(2, ones), drawn(1, twos), drawn(3, ones)
    assert all(isinstance(each, Value) and each.op is None for each in first + second + third)
    assert found.noise == {ones: [*first, *third], twos: second}  # in the order in which they are to be drawn
    assert drawn(1, twos) == [2.0]


def test_a_plain_graph_is_watched_at_once():
    seen = []
    watched([Value(1.0), 2, Value(3.0) * 2.0], seen.append)
    assert seen == [[1.0, 2.0, 6.0]]
    assert all(type(each) is float for each in seen[0])


def test_a_program_gets_what_is_watched_and_the_function_that_takes_it():
    seen, nodes = [], [Value(1.0), Value(2.0)]
    with recording() as found:
        watched(nodes, seen.append)
        watched(nodes[:1], seen.append)
    assert not seen
    assert [(each, take) for each, take in found.statistics] == [(nodes, seen.append), (nodes[:1], seen.append)]


def test_recordings_are_nested_and_end_with_an_error():
    with recording() as outer:
        with recording() as inner:
            drawn(1, ones)
        drawn(2, ones)
        with pytest.raises(KeyError), recording():
            raise KeyError
        drawn(1, twos)
    assert [len(leaves) for leaves in inner.noise.values()] == [1]
    assert [len(leaves) for leaves in outer.noise.values()] == [2, 1]
    assert drawn(1, ones) == [1.0]


def test_nothing_is_drawn_and_no_statistics_follow_while_a_program_is_made():
    model = MLP(2, [3, 1], seed=1, batch_norm=True, dropout=0.5)
    norm, dropout = model.layers[1], model.layers[3]
    other = MLP(2, [3, 1], seed=1, batch_norm=True, dropout=0.5).layers[3]
    before = model.state_dict()
    with recording() as found:
        model.batch([[1.0, 2.0], [3.0, 4.0]])
    assert model.state_dict() == before
    assert found.noise.keys() == {dropout.draw}
    assert len(found.noise[dropout.draw]) == 2 * 3
    assert dropout.draw(6).tolist() == other.draw(6).tolist()
    ((nodes, take),) = found.statistics
    assert len(nodes) == 2 * 3  # a mean and a variance of each feature
    take([0.0] * 3 + [1.0] * 3)
    assert norm.state_dict()["num_batches_tracked"] == 1.0


def test_what_is_left_makes_the_same_numbers_as_a_plain_graph():
    plain, left = (BatchNorm(1), Dropout(0.5, seed=1)), (BatchNorm(1), Dropout(0.5, seed=1))
    xs = [Value(1.0), Value(2.0), Value(4.0)]

    def outputs(norm, dropout):
        return [x for row in norm.batch([[x] for x in xs]) for x in dropout(row)]

    expected = [each.data for each in outputs(*plain)]
    with recording() as found:
        nodes = outputs(*left)
    ((draw, leaves),) = found.noise.items()
    program = ag.compile(nodes, [xs, leaves], left[0].parameters())
    assert program([[1.0, 2.0, 4.0]], draw(3)[None])[0].tolist() == pytest.approx(expected, rel=1e-14)
    ((statistics, take),) = found.statistics
    take([node.data for node in statistics])
    assert left[0].state_dict() == plain[0].state_dict()


# ---- what a program cannot be made of --------------------------------------------------------------------------------


@pytest.mark.parametrize("look", [bool, float, lambda x: x > 1.0 or x, lambda x: max(x, 0.5)])
def test_a_number_that_python_looked_at_is_noticed(look):
    with pytest.raises(NotCompiledError, match="Python looked at a number while the graph"), recording():
        look(Example(2.0) * 3.0)


@pytest.mark.parametrize(
    "compare", [lambda x: x == 2.0, lambda x: x in [1.0, 2.0], lambda x: {x: 1}, lambda x: {x}, lambda x: x != 1.0]
)
def test_a_number_of_an_example_that_python_compared_is_noticed(compare):
    x = Example(2.0)
    with pytest.raises(NotCompiledError, match="Python compared a number of the first example"), recording():
        compare(x)


def test_outside_an_example_is_a_value_like_any_other():
    x, y = Example(2.0), Example(2.0)
    assert x == x
    assert x != y
    assert len({x, y, x}) == 2
    out = x * x
    out.backward()
    assert x.grad == 4.0


def test_an_error_meanwhile_comes_through():
    def fail(x):
        raise KeyError(x > 1.0)

    with pytest.raises(KeyError), recording():
        fail(Value(2.0) * 1.0)
