"""Estimators: networks by scikit-learn's conventions, for its pipelines, searches, cross-validation and ensembles.

A search spreads over processes and machines inside ``joblib.parallel_config("dask")``. Nothing is lost with a worker
that dies if what all tasks read, the examples and the splits, is on several of them: joblib puts it on one, unless told
to ``scatter`` it, and the scheduler's memory manager drops the other copies, unless stopped. Then what that worker was
doing, and what it had done, is done by another, to the same numbers:

    splits = list(StratifiedKFold(5).split(X, y))
    search = GridSearchCV(MLPClassifier(random_state=0), {"l2": [0.0, 0.001, 0.01]}, cv=splits)
    with dask.distributed.Client("scheduler:8786") as client:
        client.amm.stop()
        with joblib.parallel_config("dask", scatter=[X, y, *itertools.chain(*splits)]):
            search.fit(X, y)
"""
# Samples are X, by scikit-learn's conventions. It has no types. Its imports come after what says how to install it.
# ruff: noqa: E402, N803, N806
# mypy: disable-error-code="import-untyped"

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from . import optim, penalties, schedules
from .choices import choose
from .extras import scikit_learn
from .losses import LOSSES, Loss
from .modules import Module
from .networks import MLP
from .objectives import Objective, objective
from .optim import Optimizer
from .prediction import predict
from .ranges import fraction, nonnegative, positive, whole
from .schedules import Schedule
from .training import fit

scikit_learn("base")

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(eq=False, repr=False)
class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What both estimators share: the settings, which ``dataclass`` stores as they are given, and the training."""

    hidden_layer_sizes: int | Sequence[int] = (100,)
    activation: str | None = "relu"
    loss: str | Loss = "mse"
    optimizer: str | Callable[..., Optimizer] = "adam"
    learning_rate_init: float | None = None
    schedule: str | Schedule | None = None
    batch_size: int | None = 32
    max_iter: int = 200
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    batch_norm: bool = False
    patience: int | None = None
    validation_fraction: float = 0.0
    random_state: Any = None
    verbose: bool = False

    def _train(self, xs: Any, ys: Any, outputs: int, loss: Loss, labels: Array | None = None) -> Self:
        """Train a network of so many outputs; of examples with labels, the same share of each is held out."""
        seed = int(check_random_state(self.random_state).randint(2**31))
        held_out = None
        if share := fraction("validation_fraction", self.validation_fraction):
            parts = train_test_split(xs, ys, test_size=share, random_state=seed, stratify=labels)
            xs, ys, held_out = parts[0], parts[2], (parts[1], parts[3])
        hidden = np.atleast_1d(self.hidden_layer_sizes).tolist()
        sizes = [whole("each of hidden_layer_sizes", size, least=1) for size in hidden]
        model = MLP(
            xs.shape[1],
            [*sizes, outputs],
            self.activation,
            seed=seed,
            batch_norm=self.batch_norm,
            dropout=self.dropout,
        )
        epochs = whole("max_iter", _plain(self.max_iter), least=1)
        self.history_ = fit(
            model,
            xs,
            ys,
            epochs=epochs,
            batch_size=self._batch_size(len(xs)),
            loss=loss,
            optimizer=self._optimizer(model),
            schedule=schedules.by_name(self.schedule)(epochs) if isinstance(self.schedule, str) else self.schedule,
            penalty=self._penalty(),
            validation=held_out,
            patience=_plain(self.patience),
            progress=bool(self.verbose),
            seed=seed,
        )
        self.model_, self.n_iter_ = model, self.history_.epochs
        return self

    def _batch_size(self, samples: int) -> int:
        size = samples if self.batch_size is None else whole("batch_size", _plain(self.batch_size), least=1)
        while self.batch_norm and 1 < size < samples and samples % size == 1:  # one sample has no variance
            size += 1
        return size

    def _optimizer(self, model: MLP) -> Optimizer:
        make = self.optimizer if callable(self.optimizer) else optim.by_name(self.optimizer)
        if self.learning_rate_init is None:
            return make(model.parameters())
        return make(model.parameters(), learning_rate=positive("learning_rate_init", self.learning_rate_init))

    def _penalty(self) -> Callable[[Module], Any] | None:
        factors = (nonnegative("l1", self.l1), penalties.l1), (nonnegative("l2", self.l2), penalties.l2)
        terms = [(factor, penalty) for factor, penalty in factors if factor]
        return (lambda model: sum(factor * penalty(model) for factor, penalty in terms)) if terms else None

    def _outputs(self, X: Any) -> Array:
        """What the network says of n samples, shape (n,) or (n, k)."""
        check_is_fitted(self)
        return predict(self.model_, validate_data(self, X, dtype=np.float64, reset=False))


@dataclass(eq=False, repr=False)
class MLPClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A classifier: a network with an output for each class, the greatest of which is predicted.

    The settings have scikit-learn's names where it has the same, and those of ``nn`` otherwise. They are stored as they
    are given; ``fit`` raises TypeError or ValueError for what it cannot use.

    Args:
        hidden_layer_sizes: the number of neurons of each hidden layer, or of the only one; () is a linear model.
        activation: see ``nn.MLP``.
        loss: a loss by name, which is given what it takes: of the outputs of the network the probabilities, if it is
            ``binary_cross_entropy``, ``multilabel_cross_entropy`` or ``kl_divergence``, and targets of 1 and -1, if it
            is ``hinge`` or ``squared_hinge``; or that function. Or another function of n lists of outputs, and of
            targets with a single 1.
        optimizer: an optimiser by name, or a function that makes one of ``(parameters, learning_rate=...)``, such as
            ``functools.partial(nn.optim.SGD, momentum=0.9)``.
        learning_rate_init: the learning rate, which the schedule multiplies; by default the optimiser's own.
        schedule: a schedule by name, or one such as ``nn.schedules.Step(50)``.
        batch_size: samples a step; None is all of them. With ``batch_norm`` it is the next size that leaves no
            single sample over, which could not be normalised.
        max_iter: the number of epochs.
        l1: the factor of Σ |w| over all weights, which is added to the loss of a batch.
        l2: likewise of Σ w².
        dropout: see ``nn.MLP``.
        batch_norm: likewise.
        patience: epochs without a smaller validation loss (or loss, if nothing is held out) after which the training
            ends, with the parameters of the best one; None trains ``max_iter`` epochs, and keeps the last ones.
        validation_fraction: the share of the samples that is held out, in [0, 1).
        random_state: an int, a ``numpy.random.RandomState``, or None for numbers that differ from run to run.
        verbose: whether to show a progress bar.

    Attributes:
        model_: the network, an ``nn.MLP``.
        history_: what ``nn.fit`` returned.
        classes_: the labels, sorted, shape (k,).
        n_iter_: the number of epochs that were made.
        n_features_in_, feature_names_in_: of the samples; the names if they have some.

    >>> from sklearn.datasets import make_moons
    >>> X, y = make_moons(200, noise=0.1, random_state=0)
    >>> classifier = MLPClassifier((16,), learning_rate_init=0.03, max_iter=30, random_state=0).fit(X, y)
    >>> classifier.model_, classifier.n_iter_
    (MLP(2 → 16 relu → 2, 82 parameters), 30)
    >>> classifier.score(X, y) > 0.95
    True
    """

    loss: str | Loss = "softmax_cross_entropy"

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from samples, shape (n, features), with labels of any kind, shape (n,).

        Raises:
            TypeError, ValueError: samples or labels are not of these shapes or not finite, the labels are all the same,
                or a setting cannot be used.
            nn.DivergedError: the loss is no longer finite.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        classes, labels = np.unique(y, return_inverse=True)
        k = len(classes)
        if k < 2:
            raise ValueError(f"a classifier takes labels of 2 classes or more, got {k} class")
        goal = self._objective()
        self._train(X, goal.targets(labels, k), k, goal.loss, labels)
        self.classes_ = classes
        return self

    def decision_function(self, X: Any) -> Array:
        """The outputs for n samples, shape (n, k); of 2 classes the second less the first, (n,), predicted if positive.

        With the loss ``softmax_cross_entropy`` they are logits, and their difference the log-odds.
        """
        outputs = self._outputs(X)
        return outputs[:, 1] - outputs[:, 0] if len(self.classes_) == 2 else outputs

    def predict(self, X: Any) -> Array:
        """The label of the greatest output for each of n samples, shape (n,)."""
        greatest = self._outputs(X).argmax(axis=1)
        labels: Array = self.classes_[greatest]
        return labels

    def _objective(self) -> Objective:
        return objective(self.loss)

    def _knows_probabilities(self) -> bool:
        goal = self._objective()
        if goal.probabilities is None:
            raise AttributeError(f"with the loss {goal.loss.__name__} a network's outputs stand for no probabilities")
        return True

    @available_if(_knows_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class for n samples, shape (n, k), that the loss takes the outputs for.

        With ``softmax_cross_entropy`` that is their softmax. With a loss that asks of each class whether it is the one,
        such as ``multilabel_cross_entropy_with_logits``, it is the answer's share in the sum of all.

        Raises:
            AttributeError: the outputs stand for no probabilities, such as with the loss ``hinge``.
        """
        goal = self._objective()
        assert goal.probabilities is not None
        return goal.probabilities(self._outputs(X))


@dataclass(eq=False, repr=False)
class MLPRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A regressor: a network with an output for each number to be predicted.

    Args: see ``MLPClassifier``; the loss is one of numbers, by default the mean squared error. With several targets it
        is any loss of lists, given the outputs as they are.

    Attributes:
        model_, history_, n_iter_, n_features_in_, feature_names_in_: see ``MLPClassifier``.

    >>> from sklearn.datasets import make_regression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = make_regression(100, 3, random_state=0)
    >>> regressor = MLPRegressor((), optimizer="sgd", learning_rate_init=0.1, max_iter=10, random_state=0)
    >>> make_pipeline(StandardScaler(), regressor).fit(X, y).score(X, y) > 0.999
    True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from samples, shape (n, features), with targets, shape (n,) or (n, k).

        Raises:
            TypeError, ValueError: samples or targets are not of these shapes or not finite, or a setting cannot be
                used.
            nn.DivergedError: the loss is no longer finite.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if y.ndim == 1:
            return self._train(X, y, 1, objective(self.loss, numeric=True).loss)
        return self._train(X, y, y.shape[1], self.loss if callable(self.loss) else choose(LOSSES, self.loss, "loss"))

    def predict(self, X: Any) -> Array:
        """The predictions for n samples, of the shape of the targets."""
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn is to know: it takes several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _plain(x: Any) -> Any:
    """A number of NumPy's, as grids have them, as one of Python's."""
    return x.item() if isinstance(x, np.generic) else x
