"""``chainrule train``: train a model from the shell."""

from __future__ import annotations

import enum
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import data
from ..history import History
from ..losses import mse
from ..networks import MLP
from ..optim import SGD
from ..training import fit
from .arguments import UsageError

TEST_SAMPLES = 200
WIDEST = 10_000  # neurons of a layer; more would be a slip of the keyboard, and take the machine's memory


class Task(enum.StrEnum):
    """What can be trained."""

    sin = "sin"


def train(
    task: Annotated[Task, typer.Argument(help="What to learn: sin, y = sin x on [-π, π].")],
    layers: Annotated[str, typer.Option(help="Neurons of each hidden layer, separated by commas.")] = "16,16",
    activation: Annotated[str, typer.Option(help="Of the hidden layers: any operation of one input.")] = "tanh",
    epochs: Annotated[int, typer.Option(help="How often all samples are seen.")] = 120,
    batch_size: Annotated[str, typer.Option(help="Samples a step; 1 is stochastic, full is full batch.")] = "10",
    learning_rate: Annotated[float, typer.Option(help="Step size of SGD.")] = 0.03,
    momentum: Annotated[float, typer.Option(help="Momentum of SGD, in [0, 1).")] = 0.9,
    samples: Annotated[int, typer.Option(help="Training samples.")] = 100,
    noise: Annotated[float, typer.Option(help="Standard deviation of the noise on the targets.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Same seed, same numbers.")] = 0,
    eager: Annotated[bool, typer.Option("--eager", help="Record each batch as a graph, instead of a program.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("out"),
) -> None:
    """Train a multi-layer perceptron by mini-batch SGD and draw what it learned."""
    try:
        xs, ys = data.sin(samples, noise, seed)
        # With smaller weights the first layer is all but linear on [-π, π], and SGD takes long to bend it.
        model = MLP(1, [*_sizes(layers), 1], activation=activation, init="uniform", seed=seed)
        optimizer = SGD(model.parameters(), learning_rate, momentum)
        size = _batch_size(batch_size)
        if epochs < 1:
            raise ValueError(f"epochs must be a positive whole number, got {epochs}")
        out.mkdir(parents=True, exist_ok=True)
    except ValueError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"--out takes a folder that can be written, got {out}: {error.strerror}") from None
    print(f"{model}: {samples} samples, batches of {min(size or samples, samples)}")
    history = _fit_with_progress(model, xs, ys, epochs, optimizer, batch_size=size, seed=seed, eager=eager)
    # The test points are evenly spread, and free of noise: what is asked of the model is sin itself.
    grid = [math.pi * (2 * (i + 0.5) / TEST_SAMPLES - 1) for i in range(TEST_SAMPLES)]
    test = mse([float(model([x])) for x in grid], [math.sin(x) for x in grid])
    if history.interrupted:
        print(f"stopped after {history.epochs} of {epochs} epochs; this is what was reached")
    print(f"train MSE {history.loss[-1]:.3g}" if history.epochs else "no epoch completed", end=", ")
    print(f"test MSE {test:.3g}")
    from ..plots import save_sin

    picture = out / "sin.png"
    save_sin(picture, model, xs, ys, history)
    print(f"picture: {picture}")


def _fit_with_progress(
    model: MLP, xs: list[float], ys: list[float], epochs: int, optimizer: SGD, **options: Any
) -> History:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns: list[Any] = [
        TextColumn("epoch {task.completed:.0f}/{task.total:.0f}"),
        BarColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TextColumn("learning rate {task.fields[rate]:g}"),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    ]
    with Progress(*columns) as progress:
        bar = progress.add_task("", total=epochs, loss="-", rate=optimizer.learning_rate, speed="")

        def show(history: History) -> None:
            speed = progress.tasks[0].speed
            progress.update(
                bar,
                advance=1,
                loss=f"{history.loss[-1]:.2e}",
                rate=history.learning_rate[-1],
                speed=f"{speed:.0f} epochs/s" if speed else "",
            )

        return fit(model, xs, ys, epochs=epochs, optimizer=optimizer, callbacks=[show], **options)


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"--layers takes whole numbers separated by commas, such as 16,16, got {text!r}") from None
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
