"""MNIST from scalar code: a 784-128-32-10 relu MLP, recorded on one image, compiled, and trained beside PyTorch.

Run as ``python benchmarks/program_mnist.py FOLDER``, a folder with the four IDX files: it prints, as JSON, the seconds
of recording, of compiling and of each epoch, the accuracy on the test images after it, and how far apart the parameters
are. Both start from the same parameters and take the same batches in the same order; their epochs are run in turn.
``programs.py`` runs this.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Value

DTYPES = ("float64", "float32")
EPOCHS, BATCH, RATE = 5, 64, 0.2
FIRST_STEPS = 100  # after them the parameters are compared

Array = Any


def idx(path: Path) -> Array:
    """The array in an IDX file: two zeros, the type (8: bytes), the number of axes, their sizes, the numbers."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    zeros, kind, axes = int.from_bytes(content[:2], "big"), content[2], content[3]
    if (zeros, kind) != (0, 8):
        sys.exit(f"{path} is no IDX file of bytes")
    sizes = [int.from_bytes(content[4 + 4 * i : 8 + 4 * i], "big") for i in range(axes)]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(sizes)


def images(folder: Path, part: str) -> tuple[Array, Array]:
    """The images of a part ("train" or "t10k"), shape (N, 784), in [0, 1], and their digits, shape (N,)."""
    found = [sorted(folder.glob(f"{part}-{kind}*")) for kind in ("images", "labels")]
    if not all(found):
        sys.exit(f"{folder} lacks {part}-images-idx3-ubyte or {part}-labels-idx1-ubyte, as they are or with .gz")
    pixels, digits = (idx(paths[0]) for paths in found)
    return pixels.reshape(len(pixels), -1) / 255.0, digits.astype(np.int64)


def recorded() -> tuple[list[Value], Value, list[Value], list[Value], nn.MLP]:
    """The scalar code: the inputs, the loss of one image, its target, the model's outputs, the model."""
    model = nn.MLP(784, [128, 32, 10], activation="relu", seed=0)
    x = [Value(0.0, f"x{i}") for i in range(784)]
    target = [Value(0.0, f"t{i}") for i in range(10)]
    outputs = model(x)
    return x, -autograd.dot(target, autograd.log_softmax(outputs)), target, outputs, model


class WithProgram:
    """The program that was compiled from the loss of one image, and one of the outputs, for the accuracy."""

    def __init__(self, dtype: str, x: Array, digits: Array) -> None:
        inputs, loss, target, outputs, model = recorded()
        self.loss = autograd.compile(loss, [inputs, target], model.parameters(), dtype)
        self.outputs = autograd.compile(outputs, [inputs], model.parameters(), dtype)
        self.x, self.targets = x.astype(dtype), np.eye(10, dtype=dtype)[digits]

    def epoch(self, order: Array) -> None:
        """One step for each batch of the images, in this order."""
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            _, gradient = self.loss.value_and_grad(self.x[batch], self.targets[batch])
            self.loss.parameters -= RATE * gradient

    def load(self, parameters: Array) -> None:
        """Start again from these."""
        self.loss.parameters[:] = parameters

    def parameters(self) -> Array:
        """All parameters, as PyTorch orders them."""
        return self.loss.parameters.copy()

    def accuracy(self, x: Array, digits: Array) -> float:
        """The share of images whose greatest output is that of their digit."""
        self.outputs.parameters[:] = self.loss.parameters
        return float((self.outputs(x).argmax(axis=1) == digits).mean())


class WithTorch:
    """PyTorch's tensors, with the update by hand: it takes less time than ``optim.SGD``."""

    def __init__(self, dtype: str, x: Array, digits: Array) -> None:
        import torch
        from torch.nn import Linear, ReLU, Sequential

        torch.set_num_threads(1)
        self.torch = torch
        self.model = Sequential(Linear(784, 128), ReLU(), Linear(128, 32), ReLU(), Linear(32, 10))
        self.model.to(getattr(torch, dtype))
        self.x, self.digits = torch.tensor(x.astype(dtype)), torch.tensor(digits)

    def epoch(self, order: Array) -> None:
        """One step for each batch of the images, in this order."""
        torch = self.torch
        parameters = list(self.model.parameters())
        indices = torch.tensor(order)
        for start in range(0, len(order), BATCH):
            batch = indices[start : start + BATCH]
            loss = torch.nn.functional.cross_entropy(self.model(self.x[batch]), self.digits[batch])
            gradient = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                for p, d in zip(parameters, gradient, strict=True):
                    p.sub_(d, alpha=RATE)

    def load(self, parameters: Array) -> None:
        """Start again from these."""
        self.torch.nn.utils.vector_to_parameters(self.torch.tensor(parameters), self.model.parameters())

    def parameters(self) -> Array:
        """All parameters."""
        return self.torch.nn.utils.parameters_to_vector(self.model.parameters()).detach().numpy()

    def accuracy(self, x: Array, digits: Array) -> float:
        """The share of images whose greatest output is that of their digit."""
        with self.torch.no_grad():
            outputs = self.model(self.torch.tensor(x, dtype=self.x.dtype)).numpy()
        return float((outputs.argmax(axis=1) == digits).mean())


def trained(dtype: str, training: tuple[Array, Array], test: tuple[Array, Array]) -> dict[str, Any]:
    """The seconds and the accuracy of each epoch, with both, and how far apart their parameters are.

    They are compared after the first steps, then both start again. After an epoch of float32 they need not agree: where
    the input of a relu is within rounding of 0 they may take different sides, and part.
    """
    ours, torchs = WithProgram(dtype, *training), WithTorch(dtype, *training)
    both = {"program": ours, "torch": torchs}
    start = ours.parameters()

    def apart() -> float:
        expected = torchs.parameters()
        return float(np.abs(ours.parameters() - expected).max() / np.abs(expected - start).max())

    rng = np.random.default_rng(0)
    order = rng.permutation(len(training[0]))
    for each in both.values():
        each.load(start)
        each.epoch(order[: FIRST_STEPS * BATCH])
    found: dict[str, Any] = {"steps": FIRST_STEPS, "apart": apart()}
    for each in both.values():
        each.load(start)
    seconds: dict[str, list[float]] = {engine: [] for engine in both}
    accuracy: dict[str, list[float]] = {engine: [] for engine in both}
    found |= {"seconds": seconds, "accuracy": accuracy, "apart by epoch": []}
    for _ in range(EPOCHS):
        for engine, each in both.items():
            begin = time.perf_counter()
            each.epoch(order)
            seconds[engine].append(time.perf_counter() - begin)
            accuracy[engine].append(each.accuracy(*test))
        found["apart by epoch"].append(apart())
        order = rng.permutation(len(order))
    return found


def main() -> None:
    """Measure, as the command line says."""
    folder = Path(sys.argv[1])
    start = time.perf_counter()
    x, loss, target, _, model = recorded()
    middle = time.perf_counter()
    program = autograd.compile(loss, [x, target], model.parameters())
    end = time.perf_counter()
    found: dict[str, Any] = {"nodes": program.report().nodes, "record": middle - start, "compile": end - middle}
    del x, loss, target, model, program
    training, test = images(folder, "train"), images(folder, "t10k")
    print(json.dumps(found | {dtype: trained(dtype, training, test) for dtype in DTYPES}))


if __name__ == "__main__":
    main()
