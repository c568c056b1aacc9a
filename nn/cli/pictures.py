"""What ``chainrule train`` draws: what was learned, beside the loss by epoch; once, or again and again meanwhile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from .. import plots
from ..history import History, counted
from ..metrics import accuracy, confusion_matrix
from ..objectives import Objective
from ..prediction import Predictor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .tasks import Data

MOST_FRAMES = 40
WORST = 6
LABELS = {"mse": "mean squared error", "mae": "mean absolute error"}


@dataclass
class Picture:
    """A picture of a training; subclasses say what is on its axes.

    Args:
        predictor: of the model.
        data: what it learns from, and is tested on.
        objective: its loss.
        classes: their names.
        epochs: how many are planned.
        ended: whether the training is over, so that the test data may be looked at.
    """

    predictor: Predictor
    data: Data
    objective: Objective
    classes: tuple[str, ...]
    epochs: int
    ended: bool = False

    size: ClassVar = (10.0, 4.0)
    axes: ClassVar[Any] = [["learned", "loss"]]
    ratios: ClassVar[dict[str, Any]] = {}

    def save(self, path: Path, history: History) -> None:
        """Draw it at the end of the training."""
        figure, axes = self._figure(150)
        self.draw(axes, history)
        figure.savefig(path)

    def animation(self) -> plots.Animation:
        """A callback that draws it after some of the epochs."""
        figure, axes = self._figure(75)

        def draw(history: History) -> None:
            self.draw(axes, history)
            axes["loss"].set_xlim(0, self.epochs + 1)

        return plots.Animation(figure, draw, every=math.ceil(self.epochs / MOST_FRAMES))

    def draw(self, axes: dict[str, Axes], history: History) -> None:
        """Draw it on these axes, by name."""
        self.draw_learned(axes, history)
        loss = self.objective.loss.__name__
        plots.plot_loss(history, axes["loss"]).set_ylabel(LABELS.get(loss, loss.replace("_", " ")))

    def draw_learned(self, axes: dict[str, Axes], history: History) -> None:
        """All but the loss."""
        raise NotImplementedError

    def _figure(self, dpi: int) -> tuple[Figure, dict[str, Axes]]:
        from matplotlib.figure import Figure

        figure = Figure(figsize=self.size, dpi=dpi)
        figure.set_layout_engine("constrained", wspace=0.08)  # an animation's tick labels grow after it was laid out
        axes: dict[str, Axes] = figure.subplot_mosaic(self.axes, **self.ratios)
        return figure, axes


class Curve(Picture):
    """A fit against sin."""

    def draw_learned(self, axes: dict[str, Axes], history: History) -> None:
        """The data, sin and the model."""
        learned = axes["learned"]
        plots.plot_curve(self.predictor, *self.data.train, learned, math.sin, (-math.pi, math.pi))
        learned.set(title=f"Fit after {_epochs(history)}", xlabel="x (radians)")
        learned.set_xticks([-math.pi, -math.pi / 2, 0, math.pi / 2, math.pi], ["−π", "−π/2", "0", "π/2", "π"])


class Plane(Picture):
    """Classes in the plane."""

    size: ClassVar = (10.0, 4.6)

    def draw_learned(self, axes: dict[str, Axes], history: History) -> None:
        """The decision boundary, and the points that were learned from and those that were not."""
        train, test = self.data.train, self.data.test
        plots.decision_boundary(
            self.predictor, *train, axes["learned"], test=test, probabilities=self.objective.probabilities
        )
        axes["learned"].set(title=f"Decision boundary after {_epochs(history)}")


class Images(Picture):
    """Classes of images."""

    size: ClassVar = (10.5, 5.5)
    axes: ClassVar = [["learned", "loss"], ["learned", "worst"]]
    ratios: ClassVar = {"width_ratios": [1.1, 1.0], "height_ratios": [3.0, 1.0]}

    def draw_learned(self, axes: dict[str, Axes], history: History) -> None:
        """The confusion matrix of the test images, meanwhile of those for validation, and the worst mistakes."""
        import numpy as np

        images, labels = self.data.test if self.ended else self.data.validation or self.data.train
        outputs, targets = self.predictor(images), self.objective.targets(labels, len(self.classes))
        plots.confusion(confusion_matrix(outputs, targets), axes["learned"], self.classes)
        right, which = accuracy(outputs, targets), "test" if self.ended else "validation"
        axes["learned"].set_title(f"{right:.2%} of {len(labels):,} {which} images right after {_epochs(history)}")
        margins = outputs.max(axis=1) - outputs[np.arange(len(labels)), labels]
        worst = np.argsort(-margins, kind="stable")[:WORST]
        worst = worst[margins[worst] > 0.0]
        arrow = " → " if max(map(len, self.classes)) < 3 else "\n→ "
        captions = [arrow.join(self.classes[i] for i in (labels[j], outputs[j].argmax())) for j in worst]
        plots.plot_images(images[worst], captions, axes["worst"])
        axes["worst"].set_title("The worst mistakes: true → predicted" if captions else "No mistakes")


def _epochs(history: History) -> str:
    epochs = history.best_epoch or history.epochs  # of the parameters that the model has
    return counted(epochs, "epoch")
