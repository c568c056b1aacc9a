"""Objectives: what each loss takes for the outputs of a network, and for targets.

The outputs are one for each class, or the numbers to be fitted. The command and the estimators train by them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from autograd import sigmoid, softmax

from . import losses
from .choices import choose
from .data import one_hot
from .losses import Loss

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Objective:
    """A loss of the outputs of a network.

    Attributes:
        loss: of the outputs as they are: a loss of probabilities is given those that they stand for.
        probabilities: of the classes by the outputs, both (n, k); None if outputs stand for none.
        otherwise: the target where an example is not of a class; where it is, it is 1.
        numeric: whether any numbers may be fitted.
    """

    loss: Loss
    probabilities: Callable[[Array], Array] | None = None
    otherwise: float = 0.0
    numeric: bool = False

    def targets(self, ys: Any, classes: int) -> Any:
        """A row for each label, shape (n, classes); numbers to be fitted, if there are no classes, stay as they are."""
        return self.otherwise + (1.0 - self.otherwise) * one_hot(ys, classes) if classes else ys


def probabilities_of_logits(outputs: Array) -> Array:
    """The softmax of n rows of k logits, shape (n, k); of n logits of the second of two classes, shape (n, 2)."""
    import numpy as np

    logits = outputs if outputs.ndim == 2 else np.column_stack([np.zeros_like(outputs), outputs])
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Array = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def _after(link: Callable[[Any], Any], loss: Loss) -> Loss:
    """A loss of what ``link`` makes of the outputs for an example."""

    @wraps(loss)
    def of_outputs(outputs: Any, targets: Any) -> Any:
        return loss([link(row) for row in outputs], targets)

    return of_outputs


def _sigmoids(row: Any) -> Any:
    return [sigmoid(z) for z in row]


def _shares(outputs: Array) -> Array:
    """The probability that each class has against all others, over their sum."""
    import numpy as np

    return probabilities_of_logits(-np.logaddexp(0.0, -outputs))  # by the logarithms, of which none is too small


# fmt: off
_ROWS = (
    #         the loss of outputs                                      probabilities           otherwise  numeric
    Objective(losses.mse,                                              None,                     0.0, True),
    Objective(losses.half_squared_error,                               None,                     0.0, True),
    Objective(losses.mae,                                              None,                     0.0, True),
    Objective(losses.huber,                                            None,                     0.0, True),
    Objective(_after(_sigmoids, losses.binary_cross_entropy),          _shares),
    Objective(losses.binary_cross_entropy_with_logits,                 _shares),
    Objective(_after(_sigmoids, losses.multilabel_cross_entropy),      _shares),
    Objective(losses.multilabel_cross_entropy_with_logits,             _shares),
    Objective(losses.softmax_cross_entropy,                            probabilities_of_logits),
    Objective(_after(softmax, losses.kl_divergence),                   probabilities_of_logits),
    Objective(losses.hinge,                                            None,                    -1.0),
    Objective(losses.squared_hinge,                                    None,                    -1.0),
    Objective(losses.multiclass_hinge),
    Objective(losses.cosine_distance),
)
# fmt: on
OBJECTIVES = {row.loss.__name__: row for row in _ROWS}
"""Each loss, by its name, as it is used for the outputs of a network."""


def objective(loss: str | Loss, numeric: bool = False) -> Objective:
    """How a loss is used, given by its name, or as a function of outputs and targets.

    Args:
        loss: a function that is none of ``nn.losses`` is given the outputs as they are, and targets of 0 and 1.
        numeric: whether numbers are to be fitted, and not classes.

    Raises:
        ValueError: there is none of this name, or it is for classes only.

    >>> objective("hinge").targets([0, 1], 2).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    if callable(loss):
        named = [OBJECTIVES[name] for name, each in losses.LOSSES.items() if each is loss]
        found = named[0] if named else Objective(loss, numeric=True)
    else:
        found = choose(OBJECTIVES, loss, "loss")
    if numeric and not found.numeric:
        fitting = ", ".join(name for name, each in OBJECTIVES.items() if each.numeric)
        raise ValueError(f"the loss {found.loss.__name__} is for classes; to fit numbers, choose one of: {fitting}")
    return found
