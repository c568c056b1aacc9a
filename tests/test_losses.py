"""Losses: against other libraries, on graphs and by programs, at edges; their gradients by ``autograd.testing``."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import check

import autograd as ag
from autograd import Value
from autograd.testing import check_gradients
from autograd.testing.strategies import reals
from nn import MLP, Module, fit
from nn.losses import (
    LOSSES,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cosine_distance,
    half_squared_error,
    hinge,
    huber,
    kl_divergence,
    mae,
    mse,
    multiclass_hinge,
    multilabel_cross_entropy,
    multilabel_cross_entropy_with_logits,
    softmax_cross_entropy,
    squared_hinge,
)
from nn.optim import SGD
from nn.tensors import flatten, map_tensor

OTHERS = json.loads((Path(__file__).parent / "fixtures" / "losses.json").read_text(encoding="utf-8"))

every_loss = pytest.mark.parametrize("name", LOSSES)
few = settings(max_examples=settings().max_examples // 4)  # for each loss

ROWS = [multilabel_cross_entropy, multilabel_cross_entropy_with_logits, softmax_cross_entropy, kl_divergence]
ROWS += [multiclass_hinge, cosine_distance]
"""Losses of lists of k numbers; the others take numbers too."""

PROBABILITIES = {binary_cross_entropy, multilabel_cross_entropy, kl_divergence}


def predictions_of(loss):
    """What to draw the predictions from; probabilities of 0 and 1 have their rows in the table of edges."""
    return reals(0.001, 0.999) if loss in PROBABILITIES else reals(-40, 40)


def targets_of(loss, k):
    """What to draw a row of targets from."""
    if loss in (softmax_cross_entropy, multiclass_hinge, kl_divergence):
        return st.sampled_from(np.eye(k).tolist())
    labels = {hinge: st.sampled_from([-1.0, 1.0]), squared_hinge: st.sampled_from([-1.0, 1.0])}
    probabilities = st.sampled_from([0.0, 1.0, 0.25])
    cross = PROBABILITIES | {binary_cross_entropy_with_logits, multilabel_cross_entropy_with_logits}
    return st.lists(labels.get(loss, probabilities if loss in cross else reals(-40, 40)), min_size=k, max_size=k)


@st.composite
def batches(draw, loss, most=3):
    """Predictions and targets: n lists of k numbers, or n numbers where the loss takes such."""
    n, k = draw(st.integers(1, most)), draw(st.integers(1 if loss is not multiclass_hinge else 2, 3))
    predictions = draw(st.lists(st.lists(predictions_of(loss), min_size=k, max_size=k), min_size=n, max_size=n))
    targets = draw(st.lists(targets_of(loss, k), min_size=n, max_size=n))
    if loss is cosine_distance:
        for row in [*predictions, *targets]:
            row[0] = row[0] or 1.0  # no vector is zero
    flat = loss not in ROWS and draw(st.booleans())
    return ([row[0] for row in predictions], [row[0] for row in targets]) if flat else (predictions, targets)


# ---- values and gradients --------------------------------------------------------------------------------------------


def gradient(loss, predictions, targets, **options):
    """The loss and its derivative by each prediction."""
    leaves = map_tensor(Value, predictions)
    out = loss(leaves, targets, **options)
    out.backward()
    return out.data, [leaf.grad for _, leaf in flatten(leaves)]


def numbers(tensor):
    """All of them, in one list."""
    return [number for _, number in flatten(tensor)]


def test_every_loss_is_compared_with_another_library():
    assert {case["loss"] for case in OTHERS} == LOSSES.keys()


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case["loss"])
def test_values_and_gradients_are_those_of_other_libraries(case):
    predictions, targets = case["predictions"], case["targets"]
    value, found = gradient(LOSSES[case["loss"]], predictions, targets, **case["options"])
    # Both round some numbers of about these sizes, 8 times at most in a chain: the sums have few terms, and far from
    # all roundings go the same way.
    largest = max(map(abs, [1.0, case["value"], *numbers([predictions, targets, case["gradient"]])]))
    rounding = 8 * 2**-53 * largest
    assert abs(value - case["value"]) <= rounding
    assert np.abs(np.subtract(found, numbers(case["gradient"]))).max() <= rounding
    assert LOSSES[case["loss"]](predictions, targets, **case["options"]) == value  # also of floats


@every_loss
@few
@given(data=st.data())
def test_gradients_pass_the_check(name, data):
    loss = LOSSES[name]
    predictions, targets = data.draw(batches(loss, most=2))
    check_gradients(lambda predictions: loss(predictions, targets), predictions)


@every_loss
@few
@given(data=st.data())
def test_the_loss_of_a_batch_is_the_mean_of_its_examples(name, data):
    loss = LOSSES[name]
    predictions, targets = data.draw(batches(loss))
    each = [loss([p], [t]) for p, t in zip(predictions, targets, strict=True)]
    total = math.fsum(each) / (1 if loss is half_squared_error else len(each))
    assert loss(predictions, targets) == pytest.approx(total, rel=1e-14, abs=1e-300)  # some roundings of positive terms


@given(batches(mse))
def test_squared_errors_are_those_of_the_closed_form(batch):
    differences = np.subtract(*batch).ravel()
    value, found = gradient(mse, *batch)
    assert value == pytest.approx((differences**2).mean(), rel=1e-14, abs=1e-300)
    assert found == pytest.approx(2 * differences / len(differences), rel=1e-14, abs=1e-300)
    value, found = gradient(half_squared_error, *batch)
    assert value == pytest.approx((differences**2).sum() / 2, rel=1e-14, abs=1e-300)
    assert found == pytest.approx(differences, rel=1e-14)
    assert huber(*batch, delta=100.0) * 2 == pytest.approx(mse(*batch), rel=1e-14, abs=1e-300)


@given(batches(softmax_cross_entropy))
def test_divergence_of_a_softmax_is_its_cross_entropy(batch):
    logits, targets = batch  # a single 1, whose entropy is 0
    probabilities = [ag.softmax(row) for row in logits]
    # A logit of 40 is rounded by 2**-48 before its logarithm is taken.
    assert kl_divergence(probabilities, targets) == pytest.approx(softmax_cross_entropy(logits, targets), abs=1e-13)


# ---- both engines ----------------------------------------------------------------------------------------------------


def compiled(loss, predictions, targets):
    """The graph of a batch, each column shifted by a parameter; the program of an example; arrays, parameters."""
    k = np.array(predictions).reshape(len(predictions), -1).shape[1]
    shifts = [Value(0.0, f"shift{i}") for i in range(k)]

    def shifted(p):
        return [a + b for a, b in zip(p, shifts, strict=True)] if isinstance(p, list) else p + shifts[0]

    graph = loss(list(map(shifted, predictions)), targets)
    p, t = map_tensor(Value, predictions[0]), map_tensor(Value, targets[0])
    with ag.looked_at() as values:
        output = loss([shifted(p)], [t])
    assert not values
    program = ag.compile(output, [p, t], shifts)
    return graph, program, (np.array(predictions), np.array(targets)), shifts


@every_loss
@few
@given(data=st.data())
def test_programs_give_the_numbers_of_the_graph(name, data):
    loss = LOSSES[name]
    graph, program, arrays, shifts = compiled(loss, *data.draw(batches(loss)))
    if loss is half_squared_error:
        graph = graph / len(arrays[0])
    check(graph, program, arrays, shifts)


class Classifier(Module):
    """A perceptron with an output for each class, which gives logits or probabilities."""

    def __init__(self, head):
        self.mlp = MLP(2, [4, 3], activation="tanh", seed=0)
        self._head = head

    def __call__(self, x):
        """Three numbers."""
        return self._head(self.mlp(x))


HEADS = {
    binary_cross_entropy: lambda zs: [ag.sigmoid(z) for z in zs],
    multilabel_cross_entropy: lambda zs: [ag.sigmoid(z) for z in zs],
    kl_divergence: ag.softmax,
}


@every_loss
def test_training_is_compiled_and_gives_the_same_numbers(name):
    loss = LOSSES[name]
    rng = np.random.default_rng(0)
    xs, labels = rng.normal(size=(12, 2)), np.eye(3)[rng.integers(3, size=12)]
    targets = 2 * labels - 1 if loss in (hinge, squared_hinge) else labels
    trained = []
    for eager in (False, True):
        model = Classifier(HEADS.get(loss, list))
        optimizer = SGD(model.parameters(), 0.1, momentum=0.5)
        history = fit(model, xs, targets, loss=loss, optimizer=optimizer, epochs=6, batch_size=5, eager=eager)
        assert history.engine.partition(":")[0] == ("graph" if eager else "program")
        assert history.loss[-1] < history.loss[0]
        trained.append((history.loss, [p.data for p in model.parameters()]))
    (losses, parameters), (expected, others) = trained
    assert losses == pytest.approx(expected, rel=1e-12)  # 18 steps, each of which rounds otherwise
    assert parameters == pytest.approx(others, rel=1e-12, abs=1e-12)


# ---- edges -----------------------------------------------------------------------------------------------------------

TINY, LOG_2 = math.exp(-40), math.log(2)
ROUNDED = (1000 + LOG_2) - 1000  # as logits of 1000 are, and what is added to them

# fmt: off
EDGES = [
    # loss                                  predictions           targets           value         gradient
    (binary_cross_entropy,                 [0.0],               [0.0],           0.0,         [1.0]),
    (binary_cross_entropy,                 [1.0],               [1.0],           0.0,         [-1.0]),
    (binary_cross_entropy,                 [1e-300],            [0.0],           1e-300,      [1.0]),
    (binary_cross_entropy,                 [2**-999],           [1.0],           999 * LOG_2, [-(2.0**999)]),
    (multilabel_cross_entropy,             [[0.0, 1.0]],        [[0.0, 1.0]],    0.0,         [1.0, -1.0]),
    (kl_divergence,                        [[0.0, 1.0]],        [[0.0, 1.0]],    0.0,         [0.0, -1.0]),
    (kl_divergence,                        [[0.5, 0.5]],        [[0.0, 1.0]],    LOG_2,       [0.0, -2.0]),
    (binary_cross_entropy_with_logits,     [1000.0],            [1.0],           0.0,         [0.0]),
    (binary_cross_entropy_with_logits,     [1000.0],            [0.0],           1000.0,      [1.0]),
    (binary_cross_entropy_with_logits,     [-1000.0],           [1.0],           1000.0,      [-1.0]),
    (binary_cross_entropy_with_logits,     [-1000.0],           [0.0],           0.0,         [0.0]),
    (binary_cross_entropy_with_logits,     [40.0],              [1.0],           TINY,        [-TINY]),
    (binary_cross_entropy_with_logits,     [-40.0],             [0.0],           TINY,        [TINY]),
    (multilabel_cross_entropy_with_logits, [[1000.0, -1000.0]], [[0.0, 0.0]],    1000.0,      [1.0, 0.0]),
    (softmax_cross_entropy,                [[1000.0, -1000.0]], [[1.0, 0.0]],    0.0,         [0.0, 0.0]),
    (softmax_cross_entropy,                [[1000.0, -1000.0]], [[0.0, 1.0]],    2000.0,      [1.0, -1.0]),
    (softmax_cross_entropy,                [[1000.0, 1000.0]],  [[0.5, 0.5]],    ROUNDED,     [0.0, 0.0]),
    (mse,                                  [1.0],               [1.0],           0.0,         [0.0]),
    (mae,                                  [1.0],               [1.0],           0.0,         [0.0]),
    (mae,                                  [1e300],             [-1e300],        2e300,       [1.0]),
    (huber,                                [1.0],               [1.0],           0.0,         [0.0]),
    (huber,                                [2.0],               [1.0],           0.5,         [1.0]),
    (huber,                                [1e300],             [0.0],           1e300,       [1.0]),
    (huber,                                [-1e300],            [0.0],           1e300,       [-1.0]),
    (hinge,                                [1.0],               [1.0],           0.0,         [0.0]),
    (hinge,                                [1000.0, 1000.0],    [1.0, -1.0],     500.5,       [0.0, 0.5]),
    (squared_hinge,                        [1.0],               [1.0],           0.0,         [0.0]),
    (multiclass_hinge,                     [[1000.0, -1000.0]], [[1.0, 0.0]],    0.0,         [0.0, 0.0]),
    (multiclass_hinge,                     [[1000.0, -1000.0]], [[0.0, 1.0]],    2001.0,      [1.0, -1.0]),
    (multiclass_hinge,                     [[0.0, 2.0, 2.0]],   [[1, 0, 0]],     3.0,         [-1, 0.5, 0.5]),
    (cosine_distance,                      [[1e200, 0.0]],      [[1e-200, 0.0]], 0.0,         [0.0, 0.0]),
    (cosine_distance,                      [[2.0, 0.0]],        [[-1.0, 0.0]],   2.0,         [0.0, 0.0]),
]

UNDEFINED = [
    (binary_cross_entropy,     [0.0],         [1.0],         ValueError,        r"log\(0\.0\): not defined"),
    (binary_cross_entropy,     [1.0],         [0.0],         ValueError,        r"log1p\(-1\.0\): not defined"),
    (binary_cross_entropy,     [0.0],         [0.5],         ValueError,        r"log\(0\.0\): not defined"),
    (binary_cross_entropy,     [-0.5],        [0.0],         ValueError,        r"log\(-0\.5\): not defined"),
    (binary_cross_entropy,     [1.5],         [1.0],         ValueError,        r"log1p\(-1\.5\): not defined"),
    (multilabel_cross_entropy, [[0.5, 0.0]],  [[0.0, 1.0]],  ValueError,        r"log\(0\.0\): not defined"),
    (kl_divergence,            [[0.0, 1.0]],  [[1.0, 0.0]],  ValueError,        r"log\(0\.0\): not defined"),
    (kl_divergence,            [[-0.5, 1.5]], [[0.0, 1.0]],  ValueError,        r"log\(-0\.5\): not defined"),
    (cosine_distance,          [[0.0, 0.0]],  [[1.0, 0.0]],  ZeroDivisionError, r"div\(0\.0, 0\.0\): not defined"),
    (cosine_distance,          [[1.0, 0.0]],  [[0.0, 0.0]],  ZeroDivisionError, r"div\(0\.0, 0\.0\): not defined"),
]
# fmt: on


@pytest.mark.parametrize(("loss", "predictions", "targets", "value", "expected"), EDGES)
def test_edges_are_what_the_docstrings_say(loss, predictions, targets, value, expected):
    assert gradient(loss, predictions, targets) == (value, expected)
    graph, program, arrays, shifts = compiled(loss, predictions, targets)
    check(graph, program, arrays, shifts)


@pytest.mark.parametrize(("loss", "predictions", "targets", "error", "message"), UNDEFINED)
def test_what_is_not_defined_is_refused_by_name(loss, predictions, targets, error, message):
    for numbers in (predictions, map_tensor(Value, predictions), np.array(predictions)):
        with pytest.raises(error, match=message):
            loss(numbers, targets)
    half = [[0.5, 0.5]] if loss in ROWS else [0.5]
    _, program, _, _ = compiled(loss, half, half)
    with pytest.raises(error, match=message.partition(r"\(")[0]):
        program.value_and_grad(np.array(predictions), np.array(targets))


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf, "1", None])
def test_delta_is_positive(wrong):
    with pytest.raises(ValueError, match="delta must be a number greater than 0"):
        huber([1.0], [2.0], delta=wrong)


@every_loss
@pytest.mark.parametrize(
    ("predictions", "targets", "message"),
    [
        ([1.0], [], r"same shape, got \(1,\) and \(0,\)"),
        ([1.0], [[1.0]], "same shape"),
        ([[1.0, 2.0]], [[1.0]], "same shape"),
        ([[1.0]], [1.0], "same shape"),
        ([], [], r"n numbers, or n lists of k numbers, got the shape \(0,\)"),
        ([[]], [[]], r"n numbers, or n lists of k numbers, got the shape \(1, 0\)"),
        ([[1.0], [2.0, 3.0]], [[1.0, 2.0], [3.0]], r"n numbers, or n lists of k numbers, got the shape \(2, -1\)"),
    ],
)
def test_shapes_must_fit(name, predictions, targets, message):
    with pytest.raises(ValueError, match=message):
        LOSSES[name](predictions, targets)


@pytest.mark.parametrize("loss", ROWS)
def test_losses_of_vectors_take_vectors(loss):
    with pytest.raises(ValueError, match=r"a list of k numbers for each example, got the shape \(2,\)"):
        loss([0.5, 0.5], [1.0, 0.0])


@pytest.mark.parametrize("name", [name for name in LOSSES if "hinge" in name or "entropy" in name])
def test_targets_that_the_loss_does_not_take_are_named(name):
    """Labels of 0 and 1 for a hinge, or of -1 and 1 for a cross-entropy, would train another function silently."""
    loss = LOSSES[name]
    if name in ("hinge", "squared_hinge"):
        wrong, said = (
            [[0.0, 1.0]],
            r"targets -1 and 1 \(of labels that are 0 and 1, 2 \* label - 1\), got 0\.0",
        )
    else:
        wrong, said = [[-1.0, 1.0]], r"this loss takes targets (from 0 to 1|of at least 0), got -1\.0"
    with pytest.raises(ValueError, match=said):
        loss([[Value(0.5), Value(0.25)]], wrong)


def test_a_weight_of_a_class_is_one_of_its_examples_loss():
    logits, targets = [[1.0, 2.0], [0.5, -1.0]], [[1.0, 0.0], [0.0, 3.0]]
    alone = [softmax_cross_entropy(logits[i : i + 1], [[1.0, 0.0], [0.0, 1.0]][i : i + 1]) for i in (0, 1)]
    assert softmax_cross_entropy(logits, targets) == pytest.approx((alone[0] + 3.0 * alone[1]) / 2.0, rel=1e-15)


def test_labels_in_place_of_rows_are_told_what_makes_rows():
    with pytest.raises(ValueError, match=r"got \(2, 3\) and \(2,\): class labels become rows by nn\.data\.one_hot"):
        softmax_cross_entropy([[1.0, 2.0, 3.0]] * 2, [0, 2])


def test_a_list_inside_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        mse(endless, [1.0])
