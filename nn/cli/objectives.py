"""What each loss takes for the outputs of a network, and for targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from autograd import sigmoid, softmax

from .. import losses
from ..data import one_hot
from ..losses import Loss
from ..plots import probabilities_of_logits

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Objective:
    """A loss of the outputs of a network, of which there is one for each class, or a single number to be fitted.

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
