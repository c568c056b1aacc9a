"""Metrics against scikit-learn, which has them of labels."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score
from sklearn.metrics import confusion_matrix as matrix_of_labels

import nn
from autograd import Value
from nn.metrics import accuracy, confusion_matrix

SCORES = st.floats(allow_nan=False)


@given(st.data(), st.integers(1, 20), st.integers(2, 5))
def test_the_greatest_score_is_predicted(data, n, k):
    scores = data.draw(arrays(float, (n, k), elements=SCORES))
    labels = data.draw(arrays(int, n, elements=st.integers(0, k - 1)))
    predicted = [row.index(max(row)) for row in scores.tolist()]
    for targets in (np.eye(k)[labels], 2 * np.eye(k)[labels] - 1, (np.eye(k)[labels] + 1) / (k + 1)):
        assert accuracy(scores, targets) == accuracy_score(labels, predicted)
        assert (confusion_matrix(scores, targets) == matrix_of_labels(labels, predicted, labels=range(k))).all()


@given(st.data(), st.integers(1, 20), st.sampled_from([0.0, 0.5]))
def test_the_second_of_two_classes_is_predicted_above_the_threshold(data, n, threshold):
    scores = data.draw(arrays(float, n, elements=st.one_of(SCORES, st.just(threshold))))
    labels = data.draw(arrays(int, n, elements=st.integers(0, 1)))
    predicted = [int(score > threshold) for score in scores.tolist()]
    for targets in (labels, 2 * labels - 1, labels[:, None]):
        assert accuracy(scores, targets, threshold) == accuracy_score(labels, predicted)
        found = confusion_matrix(scores[:, None], targets, threshold=threshold)
        assert (found == matrix_of_labels(labels, predicted, labels=[0, 1])).all()


def test_lists_and_values_are_taken_as_well():
    assert accuracy([[Value(1.0), Value(2.0)], [Value(2.0), Value(1.0)]], [[0, 1], [0, 1]]) == 0.5
    assert accuracy([Value(1.0), 2.0], (1, -1)) == 0.5


def test_training_measures_accuracy_of_logits_and_of_probabilities():
    xs, labels = nn.data.line(40, seed=1, margin=0.3)
    model = nn.Neuron(2, activation="sigmoid", seed=0)
    history = nn.fit(
        model,
        xs,
        labels,
        loss=nn.losses.binary_cross_entropy,
        epochs=50,
        optimizer=nn.optim.SGD(model.parameters(), 1.0),
        metrics={"accuracy": partial(accuracy, threshold=0.5)},
    )
    assert history.rows[-1]["accuracy"] == 1.0
    logits = [math.log(p / (1 - p)) for p in (model(x).data for x in xs.tolist())]
    assert accuracy(logits, labels, threshold=0.0) == 1.0


def test_of_labels_0_and_1_it_must_be_said_what_the_scores_are():
    """Of logits 0 is between the classes, of numbers that are fitted to the labels ½: nothing else tells which."""
    fitted, labels = [0.01, 0.98, 1.01, 0.03], [0.0, 1.0, 1.0, 0.0]
    for metric in (accuracy, confusion_matrix):
        with pytest.raises(ValueError, match=r"a threshold must be given: 0 for logits, 0\.5 for probabilities"):
            metric(fitted, labels)
        with pytest.raises(ValueError, match="a threshold must be given"):
            metric([0.3, 0.2], [1, 1])
    assert accuracy(fitted, labels, threshold=0.5) == 1.0
    assert accuracy([-1.0, 2.0], [-1, 1]) == 1.0


@pytest.mark.parametrize("metric", [accuracy, confusion_matrix])
@pytest.mark.parametrize(
    ("predictions", "targets", "message"),
    [
        ([], [], r"got the shapes \(0,\) and \(0,\)"),
        ([1.0, 2.0], [1.0], r"got the shapes \(2,\) and \(1,\)"),
        ([[1.0, 2.0]], [1.0], r"got the shapes \(1, 2\) and \(1,\)"),
        ([[1.0, 2.0]], [[1.0, 0.0, 0.0]], r"got the shapes \(1, 2\) and \(1, 3\)"),
        (1.0, 1.0, r"got the shapes \(\) and \(\)"),
        ([[[1.0]]], [[[1.0]]], r"got the shapes \(1, 1, 1\)"),
        ([math.nan], [1.0], "a prediction is nan"),
        ([[math.nan, 1.0]], [[0.0, 1.0]], "a prediction is nan"),
        ([1.0], [2.0], r"0 and 1, or -1 and 1, got \[2\.0\]"),
        ([1.0, 1.0, 1.0], [-1.0, 0.0, 1.0], r"got \[-1\.0, 0\.0, 1\.0\]"),
        ([1.0], [math.nan], r"got \[nan\]"),
        ([[1.0, 2.0, 3.0]], [[1.0, 1.0, 0.0]], "a row with a single 1"),
        ([[1.0, 2.0, 3.0]], [[0.0, 0.0, 0.0]], "a row with a single 1"),
        ([[1.0, 2.0, 3.0]], [[math.nan, 1.0, 0.0]], "a row with a single 1"),
    ],
)
def test_what_is_no_class_is_refused(metric, predictions, targets, message):
    with pytest.raises(ValueError, match=message):
        metric(predictions, targets)


@pytest.mark.parametrize("wrong", [[1j], np.array([1j]), [object()]])
def test_what_is_no_number_is_refused(wrong):
    with pytest.raises(TypeError):
        accuracy(wrong, [1.0])
    with pytest.raises(TypeError):
        accuracy([1.0], wrong)
