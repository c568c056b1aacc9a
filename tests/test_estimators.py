"""Estimators: scikit-learn's conventions, the numbers of ``fit`` and of closed forms, and what is built on them."""

import copy
import pickle
from functools import partial
from unittest import SkipTest

import numpy as np
import pytest
from graphs import python
from hypothesis import settings
from sklearn.base import clone
from sklearn.datasets import load_iris, make_blobs, make_friedman1, make_moons
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import nn
from nn.estimators import MLPClassifier, MLPRegressor
from nn.losses import LOSSES
from nn.objectives import objective
from nn.schedules import Cosine, Step

# ---- conventions -----------------------------------------------------------------------------------------------------

# Small networks that learn quickly: the checks are of conventions, and of sound predictions after 20 epochs. The deep
# run checks the estimators as they are.
SETTINGS = {"hidden_layer_sizes": (10,), "learning_rate_init": 0.03, "max_iter": 20}
CHECKED = {} if settings.get_current_profile_name() == "deep" else SETTINGS


@parametrize_with_checks([MLPClassifier(**CHECKED), MLPRegressor(**CHECKED)])
def test_scikit_learns_checks(estimator, check, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # without it the check of array_api_dispatch is skipped
    try:
        check(estimator)
    except SkipTest as error:
        pytest.fail(f"skipped: {error}")


def test_nn_needs_no_scikit_learn_and_the_estimators_say_that_they_do():
    without = "sys.modules['sklearn'] = None"  # as if it were not installed
    run = python(f"import sys, nn; assert 'sklearn' not in sys.modules; {without}; import nn.estimators")
    assert run.returncode == 1
    assert "ImportError: this needs scikit-learn, which is not installed: pip install 'chainrule[learn]'" in run.stderr


def test_they_load_when_they_are_asked_for():
    run = python("import sys, nn; assert 'sklearn' not in sys.modules; nn.estimators.MLPClassifier; nn.nope")
    assert run.returncode == 1
    assert "AttributeError: module 'nn' has no attribute 'nope'" in run.stderr


# ---- settings --------------------------------------------------------------------------------------------------------

X, Y = make_friedman1(60, 5, random_state=0)
Y = (Y - Y.mean()) / Y.std()


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("hidden_layer_sizes", (4, 0), "each of hidden_layer_sizes must be a whole number of at least 1, got 0"),
        ("hidden_layer_sizes", "4", "each of hidden_layer_sizes must be a whole number of at least 1, got '4'"),
        ("activation", "rele", "unknown activation 'rele': did you mean 'relu'"),
        ("loss", "mes", "unknown loss 'mes': did you mean 'mse'"),
        ("optimizer", "adan", "unknown optimiser 'adan': did you mean 'adam"),
        ("learning_rate_init", 0.0, "learning_rate_init must be a number greater than 0, got 0.0"),
        ("schedule", "cosin", "unknown schedule 'cosin': did you mean 'cosine'"),
        ("batch_size", 0, "batch_size must be a whole number of at least 1, got 0"),
        ("max_iter", 1.5, "max_iter must be a whole number of at least 1, got 1.5"),
        ("l1", -1.0, "l1 must be a number of at least 0, got -1.0"),
        ("l2", "x", "l2 must be a number of at least 0, got 'x'"),
        ("dropout", 1.0, r"dropout must be a number in \[0, 1\), got 1.0"),
        ("patience", 0, "patience must be a whole number of at least 1, got 0"),
        ("validation_fraction", 1, r"validation_fraction must be a number in \[0, 1\), got 1"),
        ("random_state", "x", "'x' cannot be used to seed"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_by_fit_which_changes_nothing(setting, value, said):
    for estimator, others in (
        (MLPRegressor(max_iter=1).fit(X, Y), Y[::-1]),
        (MLPClassifier(max_iter=1).fit(X, Y > 0), X[:, 0] > 0.5),
    ):
        learned = {name: each for name, each in vars(estimator).items() if name.endswith("_")}
        estimator.set_params(**{setting: value})
        with pytest.raises(ValueError, match=said):
            estimator.fit(X, others)
        assert all(getattr(estimator, name) is each for name, each in learned.items())


def test_numbers_of_numpy_as_grids_have_them_are_numbers():
    plain = MLPRegressor((4, 3), batch_size=20, max_iter=5, patience=2, l2=0.5, random_state=0)
    arrays = clone(plain).set_params(
        hidden_layer_sizes=np.array([4, 3]),
        batch_size=np.int64(20),
        max_iter=np.int32(5),
        patience=np.int8(2),
        l2=np.float32(0.5),
    )
    assert plain.fit(X, Y).history_.rows == arrays.fit(X, Y).history_.rows


@pytest.mark.parametrize("hidden", [3, (3,), [3], np.array([3])])
def test_one_hidden_layer_may_be_a_number(hidden):
    assert repr(MLPRegressor(hidden, max_iter=1).fit(X, Y).model_) == "MLP(5 → 3 relu → 1, 22 parameters)"


def test_no_setting_is_checked_or_changed_before_fit():
    regressor = MLPRegressor(hidden_layer_sizes="x", optimizer=3, random_state=())
    assert (regressor.hidden_layer_sizes, regressor.optimizer, regressor.random_state) == ("x", 3, ())
    assert repr(regressor) == "MLPRegressor(hidden_layer_sizes='x', optimizer=3, random_state=())"


@pytest.mark.parametrize("samples", [33, 65, 31 * 32 + 1])
def test_batch_norm_never_meets_a_batch_of_one(samples):
    sizes = []

    def loss(predictions, targets):
        sizes.append(len(targets))
        return nn.losses.mse(predictions, targets)

    rng = np.random.default_rng(0)
    xs = rng.normal(size=(samples, 1))
    MLPRegressor((1,), batch_norm=True, max_iter=1, loss=loss, random_state=0).fit(xs, xs[:, 0])
    assert min(sizes) > 1


# ---- the numbers of fit ----------------------------------------------------------------------------------------------


def drawn_seed(random_state: int) -> int:
    """The seed of the parameters and the shuffling that an estimator draws from its random state."""
    return int(np.random.RandomState(random_state).randint(2**31))


def test_a_regressor_is_a_network_and_fit():
    regressor = MLPRegressor(
        (7, 4),
        activation="tanh",
        loss="huber",
        optimizer=partial(nn.optim.SGD, momentum=0.5),
        learning_rate_init=0.05,
        schedule=Step(3),
        batch_size=16,
        max_iter=8,
        l1=0.001,
        l2=0.01,
        dropout=0.2,
        random_state=5,
    ).fit(X, Y)
    seed = drawn_seed(5)
    model = nn.MLP(5, [7, 4, 1], "tanh", seed=seed, dropout=0.2)
    history = nn.fit(
        model,
        X,
        Y,
        epochs=8,
        batch_size=16,
        loss=nn.losses.huber,
        optimizer=nn.optim.SGD(model.parameters(), 0.05, momentum=0.5),
        schedule=Step(3),
        penalty=lambda model: 0.001 * nn.penalties.l1(model) + 0.01 * nn.penalties.l2(model),
        seed=seed,
    )
    assert regressor.history_.rows == history.rows
    assert regressor.model_.state_dict() == model.state_dict()
    assert np.array_equal(regressor.predict(X), nn.predict(model, X))
    assert regressor.n_iter_ == 8


def test_a_classifier_is_a_network_and_fit_with_a_target_of_ones_and_zeros():
    iris = load_iris()
    names = iris.target_names[iris.target]
    classifier = MLPClassifier((3,), schedule="cosine", batch_norm=True, max_iter=4, random_state=1)
    classifier.fit(iris.data, names)
    seed = drawn_seed(1)
    model = nn.MLP(4, [3, 3], seed=seed, batch_norm=True)
    history = nn.fit(
        model,
        iris.data,
        np.eye(3)[iris.target],
        epochs=4,
        loss=nn.losses.softmax_cross_entropy,
        optimizer=nn.optim.Adam(model.parameters()),
        schedule=Cosine(4),
        seed=seed,
    )
    assert classifier.history_.rows == history.rows
    assert classifier.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    outputs = nn.predict(model, iris.data)
    assert np.array_equal(classifier.decision_function(iris.data), outputs)
    assert np.array_equal(classifier.predict(iris.data), iris.target_names[outputs.argmax(axis=1)])


def test_the_same_state_gives_the_same_numbers_and_another_others():
    def losses(random_state):
        return MLPRegressor(**SETTINGS, random_state=random_state).fit(X, Y).history_.loss.tolist()

    assert losses(0) == losses(0) == losses(np.random.RandomState(0)) != losses(1)
    shared = np.random.RandomState(0)
    assert losses(shared) != losses(shared)
    assert losses(None) != losses(None)


def test_a_share_is_held_out_and_the_best_epoch_is_restored():
    regressor = MLPRegressor(
        (20,), learning_rate_init=0.1, max_iter=300, patience=10, validation_fraction=0.25, random_state=0
    ).fit(X, Y)
    history = regressor.history_
    assert history.best_epoch == 1 + history.validation_loss.argmin()
    assert regressor.n_iter_ == history.epochs == history.best_epoch + 10 < 300
    # Predicted again, the 15 samples that were held out have the best loss.
    errors = (regressor.predict(X) - Y) ** 2
    best = history.validation_loss.min()
    held_out = train_test_split(errors, test_size=0.25, random_state=drawn_seed(0))[1]
    assert len(held_out) == 15
    assert held_out.mean() == pytest.approx(best, rel=1e-12)  # sums of 15 numbers, in another order


def test_each_class_has_its_share_of_what_is_held_out():
    xs, labels = np.arange(41.0).reshape(-1, 1), [0] * 40 + [1]
    classifier = MLPClassifier(**SETTINGS, validation_fraction=0.2)
    with pytest.raises(ValueError, match="only 1 member"):
        classifier.fit(xs, labels)
    assert len(classifier.fit(xs, [0] * 39 + [1] * 2).history_.validation_loss) == 20


def test_copies_predict_what_the_original_does_and_clones_nothing():
    xs, labels = make_moons(50, noise=0.1, random_state=0)
    classifier = MLPClassifier(**SETTINGS, batch_norm=True, dropout=0.1).fit(xs, labels)
    expected = classifier.predict_proba(xs)
    for same in (copy.deepcopy(classifier), pickle.loads(pickle.dumps(classifier))):
        assert np.array_equal(same.predict_proba(xs), expected)
    with pytest.raises(NotFittedError):
        clone(classifier).predict(xs)


# ---- outputs ---------------------------------------------------------------------------------------------------------


def test_the_decision_of_two_classes_is_the_log_odds():
    xs, labels = make_moons(50, noise=0.3, random_state=0)
    classifier = MLPClassifier(**SETTINGS, random_state=0).fit(xs, labels)
    odds = classifier.predict_proba(xs)
    # The ratio of two probabilities is right to some ulp, of 2e-16, and its logarithm to as much, not relatively.
    assert np.abs(classifier.decision_function(xs) - np.log(odds[:, 1] / odds[:, 0])).max() < 1e-14


@pytest.mark.parametrize("loss", LOSSES)
def test_any_loss_classifies_and_tells_probabilities_where_the_outputs_stand_for_some(loss):
    xs, labels = make_blobs(60, 2, centers=3, cluster_std=0.5, random_state=3)
    classifier = MLPClassifier(**SETTINGS | {"max_iter": 60}, activation="tanh", loss=loss, random_state=0)
    classifier = make_pipeline(StandardScaler(), classifier).fit(xs, labels)
    assert classifier.score(xs, labels) == 1.0
    if objective(loss).probabilities is None:
        assert not hasattr(classifier, "predict_proba")
        with pytest.raises(AttributeError) as caught:
            classifier[-1].predict_proba(xs)
        assert f"with the loss {loss} a network's outputs stand for no probabilities" in str(caught.value.__cause__)
    else:
        found = classifier.predict_proba(xs)
        assert np.array_equal(found.argmax(axis=1), labels)
        assert found.sum(axis=1) == pytest.approx(np.ones(60), rel=1e-15)


@pytest.mark.parametrize("loss", ["cosine_distance", "softmax_cross_entropy"])
def test_a_regressor_of_several_targets_takes_any_loss_of_lists(loss):
    shares = np.column_stack([np.full(60, 0.25), np.full(60, 0.75)])
    regressor = MLPRegressor(**SETTINGS, activation="tanh", loss=loss, random_state=0).fit(X, shares)
    assert regressor.history_.loss[-1] < regressor.history_.loss[0]


def test_a_regressor_takes_no_loss_of_classes():
    with pytest.raises(ValueError, match="the loss hinge is for classes; to fit numbers, choose one of: mse, "):
        MLPRegressor(loss="hinge").fit(X, Y)


def test_a_loss_is_the_same_by_name_and_as_a_function():
    xs, labels = make_moons(50, noise=0.3, random_state=0)
    by_name = MLPClassifier(**SETTINGS, random_state=0).fit(xs, labels)
    function = clone(by_name).set_params(loss=nn.losses.softmax_cross_entropy).fit(xs, labels)
    assert np.array_equal(by_name.predict_proba(xs), function.predict_proba(xs))


def test_a_single_class_is_refused():
    with pytest.raises(ValueError, match="labels of 2 classes or more, got 1 class"):
        MLPClassifier().fit([[0.0], [1.0]], ["a", "a"])


def test_a_regressor_takes_targets_of_any_shape():
    assert get_tags(MLPRegressor()).target_tags.multi_output
    network = MLPRegressor(max_iter=1, random_state=0)
    assert network.fit(X, np.column_stack([Y, Y])).predict(X).shape == (60, 2)
    single = network.fit(X, Y).predict(X)
    assert single.shape == (60,)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        column = network.fit(X, Y.reshape(-1, 1)).predict(X)
    assert np.array_equal(column, single)


# ---- closed forms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("targets", [1, 3])
def test_without_hidden_layers_it_is_ridge_regression(targets):
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(80, 6))
    ys = xs @ rng.normal(size=(6, targets)) + rng.normal(size=(80, targets))
    ys = ys[:, 0] if targets == 1 else ys
    l2, rate, epochs = 0.1, 0.3, 250
    linear = MLPRegressor(
        (), optimizer="sgd", learning_rate_init=rate, batch_size=None, max_iter=epochs, l2=l2, random_state=0
    ).fit(xs, ys)
    # The mean of squares and the penalty make a quadratic, of which each step shrinks the error at least so much. All
    # numbers being of the order of 1, nothing is left of it but rounding.
    columns = np.column_stack([xs, np.ones(80)])
    curvature = np.linalg.eigvalsh(2 * (columns.T @ columns / (80 * targets) + l2 * np.diag([1.0] * 6 + [0.0])))
    assert max(abs(1 - rate * curvature)) ** epochs < 1e-14
    ridge = Ridge(alpha=l2 * 80 * targets).fit(xs, ys)  # Σ error² + alpha Σ w²: 80 targets times ours
    assert np.abs(linear.predict(xs) - ridge.predict(xs)).max() < 1e-12
    state = linear.model_.state_dict()
    assert np.abs(np.array(state["layers.0.weight"]) - ridge.coef_).max() < 1e-12
    assert np.abs(np.array(state["layers.0.bias"]) - ridge.intercept_).max() < 1e-12


@pytest.mark.parametrize("classes", [2, 3])
def test_without_hidden_layers_it_is_logistic_regression(classes):
    xs, labels = make_blobs(90, 3, centers=classes, cluster_std=3.0, center_box=(-3, 3), random_state=0)
    xs = StandardScaler().fit_transform(xs)
    l2 = 0.01
    linear = MLPClassifier(
        (), optimizer="nesterov", learning_rate_init=0.5, batch_size=None, max_iter=600, l2=l2, random_state=0
    ).fit(xs, labels)
    # C Σ loss + ½ Σ w² is 2 l2 C n times ours. Of two classes scikit-learn has one row of weights, the difference of
    # our two, whose squares sum to half of its.
    c = 1 / (2 * l2 * 90) * (2 if classes == 2 else 1)
    expected = LogisticRegression(C=c, tol=1e-12, solver="newton-cg", max_iter=1000).fit(xs, labels)
    assert np.abs(linear.predict_proba(xs) - expected.predict_proba(xs)).max() < 1e-9
    assert np.array_equal(linear.predict(xs), expected.predict(xs))


# ---- what is built on them -------------------------------------------------------------------------------------------


def test_cross_validation_is_a_loop():
    folds = KFold(3, shuffle=True, random_state=0)
    regressor = MLPRegressor(**SETTINGS, random_state=0)
    expected = [clone(regressor).fit(X[a], Y[a]).score(X[b], Y[b]) for a, b in folds.split(X)]
    assert cross_val_score(regressor, X, Y, cv=folds).tolist() == expected


def test_a_search_through_a_pipeline_finds_what_is_best():
    xs, labels = make_moons(80, noise=0.2, random_state=0)
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**SETTINGS, random_state=0))
    grid = {"mlpclassifier__hidden_layer_sizes": [(), (8,)], "mlpclassifier__optimizer": ["adam", "sgd"]}
    search = GridSearchCV(pipeline, grid, cv=2, scoring="neg_log_loss").fit(xs, labels)
    expected = [
        cross_val_score(clone(pipeline).set_params(**each), xs, labels, cv=2, scoring="neg_log_loss").mean()
        for each in search.cv_results_["params"]
    ]
    assert search.cv_results_["mean_test_score"].tolist() == expected
    assert search.best_params_ == search.cv_results_["params"][int(np.argmax(expected))]
    again = clone(pipeline).set_params(**search.best_params_).fit(xs, labels)
    assert np.array_equal(search.predict_proba(xs), again.predict_proba(xs))


def test_bagging_lowers_the_error_on_noisy_data():
    """Breiman 1996: a network that learns its noise by heart is bettered by the mean of several, each on a sample."""
    xs, ys = make_friedman1(260, 10, random_state=0)
    xs, ys = 2 * xs - 1, (ys - 14) / 5
    noise = np.random.default_rng(0).normal(0, 0.8, 60)
    network = MLPRegressor((20,), learning_rate_init=0.03, max_iter=80)
    single = clone(network).set_params(random_state=0).fit(xs[:60], ys[:60] + noise)
    bagged = BaggingRegressor(network, n_estimators=8, random_state=0).fit(xs[:60], ys[:60] + noise)
    test, truth = xs[60:], ys[60:]
    error = mean_squared_error(truth, bagged.predict(test))
    assert error < mean_squared_error(truth, single.predict(test))
    # The error of a mean is the mean of the errors less the variance (Krogh and Vedelsby 1995).
    each = np.array([network.predict(test) for network in bagged.estimators_])
    assert error == pytest.approx(((each - truth) ** 2).mean() - each.var(axis=0).mean(), rel=1e-12)


def test_bagged_classifiers_vote_with_their_probabilities():
    xs, labels = make_moons(80, noise=0.3, random_state=0)
    bagged = BaggingClassifier(MLPClassifier(**SETTINGS), n_estimators=4, random_state=0).fit(xs, labels)
    each = [network.predict_proba(xs) for network in bagged.estimators_]
    # Two sums of four, in some order: each is right to three halves of an ulp.
    assert np.allclose(bagged.predict_proba(xs), np.mean(each, axis=0), rtol=1e-15, atol=0.0)
    # -log is convex.
    assert log_loss(labels, bagged.predict_proba(xs)) < np.mean([log_loss(labels, p) for p in each])


def test_self_training_learns_from_what_has_no_label():
    """Of features whose network is less sure the farther it is from labels, these spread along the moons."""
    xs, labels = make_moons(150, noise=0.05, random_state=1)
    test, truth = make_moons(500, noise=0.05, random_state=101)
    features = Nystroem(gamma=5, n_components=40, random_state=0).fit(xs)
    xs, test = features.transform(xs), features.transform(test)
    rng = np.random.default_rng(1)
    few = np.concatenate([rng.choice(np.flatnonzero(labels == c), 3, replace=False) for c in (0, 1)])
    partial_labels = np.full(150, -1)
    partial_labels[few] = labels[few]
    network = MLPClassifier(
        (), optimizer="momentum", learning_rate_init=5.0, batch_size=None, max_iter=150, l2=2e-4, random_state=0
    )
    supervised = clone(network).fit(xs[few], labels[few])
    trained = SelfTrainingClassifier(network, threshold=0.9, max_iter=None).fit(xs, partial_labels)
    assert (trained.labeled_iter_ > 0).sum() > 100
    assert trained.score(test, truth) > supervised.score(test, truth) + 0.1
