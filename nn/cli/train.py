"""``chainrule train``: train a model from the shell."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import optim, penalties, schedules
from ..choices import choose
from ..history import History, counted
from ..losses import LOSSES, mse
from ..metrics import accuracy
from ..networks import MLP
from ..objectives import objective
from ..prediction import Predictor
from ..ranges import nonnegative, whole
from ..training import fit
from .arguments import UsageError, writing
from .pictures import Picture
from .tasks import TASKS

WIDEST = 10_000  # neurons of a layer; more would be a slip of the keyboard, and take the machine's memory

DEFAULTS = "\n\n".join(  # what begins with \b is printed line by line
    ["Tasks, and what they take for options that are not given:"]
    + [f"\b\n{name:10}{task.about}\n{'':10}{task.settings}" for name, task in TASKS.items()]
)


def train(
    task: Annotated[str, typer.Argument(metavar="TASK", help=f"What to learn: {', '.join(TASKS)}.")],
    layers: Annotated[
        str | None, typer.Option(help="Neurons of each hidden layer, separated by commas, such as 16,16; or none.")
    ] = None,
    activation: Annotated[
        str | None, typer.Option(help="Of the hidden layers: any operation of one input, or linear.")
    ] = None,
    batch_norm: Annotated[
        bool, typer.Option("--batch-norm", help="Normalise the hidden layers over the batch.")
    ] = False,
    dropout: Annotated[float, typer.Option(help="Probability that a hidden neuron is left out, in [0, 1).")] = 0.0,
    loss: Annotated[str | None, typer.Option(help=f"One of: {', '.join(LOSSES)}.")] = None,
    l2: Annotated[float, typer.Option(help="Add so many times the sum of the squared weights to the loss.")] = 0.0,
    optimizer: Annotated[str | None, typer.Option(help=f"One of: {', '.join(optim.OPTIMIZERS)}.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Step size; by default the task's, or with another optimiser that one's own.")
    ] = None,
    momentum: Annotated[
        float | None, typer.Option(help="Of the optimisers that have one, in [0, 1); by default their own.")
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(help=f"Of the learning rate; one of: {', '.join(schedules.SCHEDULES)}.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="How often all samples are seen.")] = None,
    batch_size: Annotated[str | None, typer.Option(help="Samples a step; 1 is stochastic, full is full batch.")] = None,
    patience: Annotated[
        int | None, typer.Option(help="End after so many epochs without a smaller validation loss; keep the best.")
    ] = None,
    samples: Annotated[
        int | None, typer.Option(help="Training samples; of points, as many again to validate and to test.")
    ] = None,
    noise: Annotated[float | None, typer.Option(help="Standard deviation of the noise in what is drawn.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with the files of mnist or fashion; by default they are fetched.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same numbers.")] = 0,
    eager: Annotated[bool, typer.Option("--eager", help="Record each batch as a graph, instead of a program.")] = False,
    checkpoint: Annotated[
        Path | None, typer.Option(help="File that is written after every epoch; if it is there, go on from it.")
    ] = None,
    save: Annotated[Path | None, typer.Option(help="File for the weights, in the format safetensors.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Write an animated picture of the training, too.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("out"),
) -> None:
    """Train a multi-layer perceptron by mini-batch gradient descent and draw what it learned."""
    # NumPy reads this when it loads. Small batches gain little by more threads, and lose much where cores are shared.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        chosen = choose(TASKS, task, "task")
        settings = chosen.settings.changed(
            layers=layers,
            activation=activation,
            loss=loss,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            epochs=epochs,
            batch_size=batch_size,
            samples=samples,
            noise=noise,
        )
        classes = len(chosen.classes)
        goal = objective(settings.loss, numeric=not classes)
        sizes = [*_sizes(settings.layers), classes or 1]
        model = MLP(chosen.inputs, sizes, settings.activation, chosen.init, seed, batch_norm, dropout)
        options: dict[str, Any] = {
            "loss": goal.loss,
            "optimizer": _optimizer(settings.optimizer, model, settings.learning_rate, momentum),
            "epochs": whole("epochs", settings.epochs, least=1),
            "schedule": schedules.by_name(settings.schedule)(settings.epochs),
            "batch_size": _batch_size(settings.batch_size),
            "penalty": _penalty(nonnegative("l2", l2)),
            "patience": None if patience is None else whole("patience", patience, least=1),
        }
        examples = chosen.examples(settings, seed, data)
    except ConnectionError as error:
        raise typer.TyperException(f"{error}; --data gives that folder") from None
    except ImportError as error:
        raise typer.TyperException(f"{error}{', or give --data' if chosen.files else ''}") from None
    except (ValueError, OSError) as error:
        raise UsageError(str(error)) from None
    if save is not None and not save.parent.is_dir():
        raise UsageError(f"--save takes a file in a folder that is there, got {save}")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out takes a folder that can be written, got {out}: {error.strerror}") from None
    train, _, validation = examples
    size = options["batch_size"] or len(train.ys)
    print(f"{model}: {counted(len(train.ys), 'sample')}, batches of {min(size, len(train.ys))}")
    if checkpoint is not None and checkpoint.exists():
        print(f"going on from {checkpoint}")
    picture = chosen.picture(Predictor(model), examples, goal, chosen.classes, settings.epochs)
    animation = picture.animation() if live else None
    if animation is not None:
        animation.add(History())
    with nullcontext() if checkpoint is None else writing(checkpoint):
        history = fit(
            model,
            train.xs,
            goal.targets(train.ys, classes),
            validation=validation and (validation.xs, goal.targets(validation.ys, classes)),
            callbacks=[] if animation is None else [animation],
            progress=True,
            checkpoint=checkpoint,
            seed=seed,
            eager=eager,
            **options,
        )
    picture.ended = True
    _report(picture, history)
    if save is not None:
        with writing(save):
            model.save(save)
        print(f"weights: {save}")
    with writing(out):
        picture.save(out / f"{task}.png", history)
        print(f"picture: {out / f'{task}.png'}")
        if animation is not None:
            animation.add(history)
            animation.save(out / f"{task}.gif")
            print(f"animation: {out / f'{task}.gif'}")


def _report(picture: Picture, history: History) -> None:
    """Print what was reached; the test data are looked at here, and in the picture, for the first time."""
    if history.interrupted:
        print(f"stopped after {history.epochs} of {picture.epochs} epochs; this is what was reached")
    best = history.best_epoch or history.epochs
    if best < history.epochs:
        print(f"the best of {history.epochs} epochs was epoch {best}; this is what it reached")
    train, test, _ = picture.data
    goal = picture.objective
    if picture.classes:
        shares = [accuracy(picture.predictor(xs), goal.targets(ys, len(picture.classes))) for xs, ys in (train, test)]
        print("train accuracy {:.2%}, test accuracy {:.2%}".format(*shares))
    else:
        name = "MSE" if goal.loss is mse else goal.loss.__name__
        print(f"train {name} {history.loss[best - 1]:.3g}" if history.epochs else "no epoch completed", end=", ")
        print(f"test {name} {float(goal.loss(picture.predictor(test.xs).tolist(), test.ys)):.3g}")


def _sizes(text: str) -> list[int]:
    if text == "none":
        return []
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(
            f"--layers takes whole numbers separated by commas, such as 16,16, or none, got {text!r}"
        ) from None
    if not 1 <= min(sizes) <= max(sizes) <= WIDEST:
        raise ValueError(f"--layers takes positive numbers up to {WIDEST}, got {text!r}")
    return sizes


def _batch_size(text: str) -> int | None:
    """The number of samples a batch; None for all."""
    if text == "full":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"--batch-size takes a positive whole number or 'full', got {text!r}")
    return int(text)


def _optimizer(name: str, model: MLP, learning_rate: float | None, momentum: float | None) -> optim.Optimizer:
    """The optimiser of this name; None is what it has by default."""
    make = optim.by_name(name)
    if momentum is not None and "momentum" not in inspect.signature(make).parameters:
        raise ValueError(f"--momentum is for optimisers that have one, and {name} has none")
    given = {"learning_rate": learning_rate, "momentum": momentum}
    return make(model.parameters(), **{name: x for name, x in given.items() if x is not None})


def _penalty(l2: float) -> Callable[[Any], Any] | None:
    return (lambda model: l2 * penalties.l2(model)) if l2 else None
