"""SGD steps of one MLP on one batch, by a program and by its peers: in one process, in turn, round by round.

Run as ``python benchmarks/program_peers.py TASK DTYPE ROUNDS``: it prints, as JSON, the seconds a step by engine and
round, and how far each engine's parameters are from the program's after the same first steps. An engine is a function
that runs a number of steps (value, gradient, update), as ``engines.timed`` makes it. ``programs.py`` runs this for each
task and dtype.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import engines
import numpy as np

HERE = Path(__file__).resolve().parent
FIRST_STEPS = 3  # after them all engines must agree; they also warm up and compile
SECONDS_A_ROUND = 0.02  # of each engine, and at least so many steps:
STEPS_A_ROUND = 5  # what a graph leaves to the collector is paid for in later steps
PYTHON_THRESHOLDS = (700, 10, 10)  # of the cyclic collector, where chainrule is not imported
COMPILED = ["gcc", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]

Array = Any
Engine = Callable[[int], dict[str, list[float]]]


@dataclass(frozen=True)
class Task:
    """An MLP, a batch and a learning rate; all engines start from these numbers."""

    layers: list[tuple[Array, Array]]
    """Weights, shape (n_out, n_in), and biases, shape (n_out,)."""
    x: Array
    """The samples, shape (B, n_in)."""
    y: Array
    """Numbers, for the mean squared error of the only output, or classes, for softmax cross-entropy; shape (B,)."""
    activation: str
    rate: float

    @property
    def sizes(self) -> list[int]:
        """The inputs, and the neurons of each layer."""
        return [self.x.shape[1], *(len(b) for _, b in self.layers)]

    @property
    def classifies(self) -> bool:
        """Whether the loss is softmax cross-entropy."""
        return self.y.dtype.kind == "i"

    def of(self, dtype: str) -> Task:
        """The same in another dtype."""
        layers = [(w.astype(dtype), b.astype(dtype)) for w, b in self.layers]
        return Task(
            layers,
            self.x.astype(dtype),
            self.y if self.classifies else self.y.astype(dtype),
            self.activation,
            self.rate,
        )


def tanh_task() -> Task:
    """1-16-16-1 tanh on 32 samples: the numbers of ``engines.py``."""
    start, xs, ys = engines.initial()
    layers = [(np.array([w for w, _ in layer]), np.array([b for _, b in layer])) for layer in start]
    return Task(layers, np.array(xs)[:, None], np.array(ys), "tanh", engines.LEARNING_RATE)


def relu_task(sizes: list[int], batch: int, rate: float) -> Task:
    """A relu MLP on normal numbers; with several outputs, on classes."""
    rng = np.random.default_rng(0)
    layers = [(rng.normal(0.0, (2 / n) ** 0.5, (m, n)), np.zeros(m)) for n, m in pairwise(sizes)]
    x = rng.normal(size=(batch, sizes[0]))
    y = np.sin(x.sum(axis=1)) if sizes[-1] == 1 else rng.integers(sizes[-1], size=batch)
    return Task(layers, x, y, "relu", rate)


TASKS = {
    "1-16-16-1": tanh_task,
    "2-64-64-1": lambda: relu_task([2, 64, 64, 1], 128, 0.01),
    "784-128-32-10": lambda: relu_task([784, 128, 32, 10], 64, 0.01),
}


def flat(layers: Sequence[tuple[Array, Array]]) -> Array:
    """All parameters as a vector, as PyTorch orders them: weights, then biases, layer by layer."""
    return np.concatenate([np.ravel(part) for layer in layers for part in layer])


def by_layer(vector: Sequence[float], sizes: Sequence[int]) -> Array:
    """A vector ordered as micrograd's, the weights and bias of one neuron after another, as ``flat`` orders it."""
    parts = np.split(np.asarray(vector), np.cumsum([(n + 1) * m for n, m in pairwise(sizes)])[:-1])
    rows = [part.reshape(m, n + 1) for part, (n, m) in zip(parts, pairwise(sizes), strict=True)]
    return flat([(each[:, :-1], each[:, -1]) for each in rows])


def recorded(task: Task) -> tuple[Any, list[Any], list[Any]]:
    """The task in scalar code, as a user writes it: the loss of one sample, the inputs, the parameters."""
    import autograd
    import nn
    from autograd import Value

    n_in, *n_outs = task.sizes
    model = nn.MLP(n_in, n_outs, activation=task.activation)
    x = [Value(0.0, f"x{i}") for i in range(n_in)]
    out = model(x)
    if task.classifies:
        target: Any = [Value(0.0, f"t{i}") for i in range(len(out))]
        loss = -autograd.dot(target, autograd.log_softmax(out))
    else:
        target = Value(0.0, "y")
        loss = (out - target) ** 2
    for p, number in zip(model.parameters(), flat(task.layers).tolist(), strict=True):
        p.data = number
    return loss, [x, target], model.parameters()


def program_of_model(task: Task, backend: str = "numpy") -> Engine:
    """This project: ``nn.MLP`` recorded on one sample, compiled, and called on the batch."""
    import autograd

    loss, inputs, parameters = recorded(task)
    compiled = autograd.compile(loss, inputs, parameters, task.x.dtype, backend)
    x = task.x
    y = np.eye(task.sizes[-1], dtype=x.dtype)[task.y] if task.classifies else task.y

    memory = np.empty_like(compiled.parameters)

    def step() -> None:
        _, gradient = compiled.value_and_grad(x, y, out=memory)
        gradient *= task.rate
        compiled.parameters -= gradient

    return engines.timed(step, lambda: compiled.parameters.tolist())


def program_of_loop(task: Task, backend: str = "numpy") -> Engine:
    """This project: the scalar code that micrograd runs, loops over samples, neurons and weights, compiled."""
    import autograd
    from autograd import Value

    start, xs, ys = engines.initial()
    layers = engines.rebuilt(start, Value)
    loss = engines.loss_of(layers, xs, ys, lambda v: v.tanh())
    compiled = autograd.compile(loss, parameters=engines.parameters(layers), dtype=task.x.dtype, backend=backend)

    memory = np.empty_like(compiled.parameters)

    def step() -> None:
        _, gradient = compiled.value_and_grad(out=memory)
        gradient *= task.rate
        compiled.parameters -= gradient

    return engines.timed(step, lambda: by_layer(compiled.parameters, task.sizes).tolist())


def numpy(task: Task) -> Engine:
    """NumPy by hand, straightforward: what a person writes who knows the chain rule of an MLP."""
    x, y, batch = task.x, task.y, len(task.x)
    layers = [(w.T.copy(), b.copy()) for w, b in task.layers]
    samples = np.arange(batch)

    def step() -> Any:
        activations = [x]
        for w, b in layers[:-1]:
            z = activations[-1] @ w + b
            activations.append(np.tanh(z) if task.activation == "tanh" else np.maximum(z, 0.0))
        w, b = layers[-1]
        out = activations[-1] @ w + b
        if task.classifies:
            delta = np.exp(out - out.max(axis=1, keepdims=True))
            delta /= delta.sum(axis=1, keepdims=True)
            loss = -np.log(delta[samples, y]).mean()
            delta[samples, y] -= 1.0
            delta /= batch
        else:
            error = out[:, 0] - y
            loss = (error**2).mean()
            delta = (2.0 / batch * error)[:, None]
        for i in reversed(range(len(layers))):
            w, b = layers[i]
            h = activations[i]
            dw, db = h.T @ delta, delta.sum(axis=0)
            if i:
                delta = (delta @ w.T) * (1.0 - h**2 if task.activation == "tanh" else h > 0.0)
            w -= task.rate * dw
            b -= task.rate * db
        return loss

    return engines.timed(step, lambda: flat([(w.T, b) for w, b in layers]).tolist())


def torch(task: Task) -> Engine:
    """PyTorch's tensors, updated by hand: less time than ``optim.SGD`` takes."""
    import torch
    from torch.nn.functional import cross_entropy, linear, mse_loss

    torch.set_num_threads(1)
    activation = getattr(torch, task.activation)
    layers = [[torch.tensor(part, requires_grad=True) for part in layer] for layer in task.layers]
    parameters = [part for layer in layers for part in layer]
    x, y = torch.tensor(task.x), torch.tensor(task.y)

    def step() -> None:
        h = x
        for w, b in layers[:-1]:
            h = activation(linear(h, w, b))
        out = linear(h, *layers[-1])
        loss = cross_entropy(out, y) if task.classifies else mse_loss(out[:, 0], y)
        gradient = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for p, d in zip(parameters, gradient, strict=True):
                p.sub_(d, alpha=task.rate)

    return engines.timed(step, lambda: flat([[p.detach().numpy() for p in layer] for layer in layers]).tolist())


def jax(task: Task) -> Engine:
    """JAX's jit of the whole step; synchronous and with donated parameters, which takes the least time."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import jax
    from jax import numpy as jnp

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    activation = {"tanh": jnp.tanh, "relu": jax.nn.relu}[task.activation]

    def loss(layers: Any, x: Any, y: Any) -> Any:
        h = x
        for w, b in layers[:-1]:
            h = activation(h @ w + b)
        w, b = layers[-1]
        out = h @ w + b
        if task.classifies:
            return -(y * jax.nn.log_softmax(out)).sum(axis=1).mean()
        return ((out[:, 0] - y) ** 2).mean()

    @partial(jax.jit, donate_argnums=0)
    def update(layers: Any, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(layers, x, y)
        return value, jax.tree.map(lambda p, d: p - task.rate * d, layers, gradient)

    x = jnp.array(task.x)
    y = jnp.array(np.eye(task.sizes[-1], dtype=x.dtype)[task.y] if task.classifies else task.y)
    layers = [(jnp.array(w.T), jnp.array(b)) for w, b in task.layers]

    def step() -> None:
        nonlocal layers
        _, layers = update(layers, x, y)
        jax.block_until_ready(layers)

    return engines.timed(step, lambda: flat([(np.asarray(w).T, b) for w, b in layers]).tolist())


def c(task: Task) -> Engine:
    """``sgd_step.c``, compiled by gcc: one call a step."""
    real = ctypes.c_float if task.x.dtype == np.float32 else ctypes.c_double
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "sgd_step.so"
        kind = f"-DREAL={'float' if real is ctypes.c_float else 'double'}"
        subprocess.run([*COMPILED, kind, HERE / "sgd_step.c", "-o", library, "-lm"], check=True)
        fused = ctypes.CDLL(str(library)).step
    fused.restype = real
    parameters, x, y = flat(task.layers), np.ascontiguousarray(task.x), np.ascontiguousarray(task.y)
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (parameters, x, y)]
    rate = real(task.rate)

    return engines.timed(lambda: fused(*pointers, rate), parameters.tolist)


def casadi(task: Task, by_gcc: bool = False) -> Engine:
    """CasADi's SX function of the loss and its gradient, in its virtual machine or as C; called through buffers."""
    import casadi

    start, xs, ys = engines.initial()
    symbols = casadi.SX.sym("p", sum((n + 1) * m for n, m in pairwise(task.sizes)))
    each = iter(casadi.vertsplit(symbols))
    loss = engines.loss_of(engines.rebuilt(start, lambda _: next(each)), xs, ys, casadi.tanh)
    function = casadi.Function("loss", [symbols], [loss, casadi.gradient(loss, symbols)])
    if by_gcc:
        generated = casadi.CodeGenerator("loss.c")
        generated.add(function)
        with tempfile.TemporaryDirectory() as folder:
            source = generated.generate(f"{folder}/")
            library = f"{folder}/loss.so"
            subprocess.run([*COMPILED, source, "-o", library, "-lm"], check=True)
            function = casadi.external("loss", library)
    parameters = np.array(engines.parameters(start))
    value, gradient = np.zeros(1), np.zeros_like(parameters)
    buffer, evaluate = function.buffer()
    buffer.set_arg(0, memoryview(parameters))
    buffer.set_res(0, memoryview(value))
    buffer.set_res(1, memoryview(gradient))

    def step(_kept: Any = (buffer, value)) -> None:  # CasADi only points at them
        evaluate()
        np.subtract(parameters, task.rate * gradient, out=parameters)

    return engines.timed(step, lambda: by_layer(parameters, task.sizes).tolist())


def recorded_each_step(run: Engine, task: Task) -> Engine:
    """An engine of ``engines.py``, with Python's own thresholds of the collector, which importing chainrule raises."""

    def timed(steps: int) -> dict[str, list[float]]:
        thresholds = gc.get_threshold()
        gc.set_threshold(*PYTHON_THRESHOLDS)
        try:
            result = run(steps)
        finally:
            gc.set_threshold(*thresholds)
        return result | {"parameters": by_layer(result["parameters"], task.sizes).tolist()}

    return timed


def without_collector(run: Engine) -> Engine:
    """The same with the collector off the clock: it runs between the steps."""

    def timed(steps: int) -> dict[str, list[float]]:
        gc.disable()
        try:
            return run(steps)
        finally:
            gc.enable()

    return timed


ON_ARRAYS = {
    "program": program_of_model,
    "program, as C": partial(program_of_model, backend="c"),
    "numpy by hand": numpy,
    "torch": torch,
    "jax": jax,
}
SMALL = {
    "program": program_of_loop,
    "program, as C": partial(program_of_loop, backend="c"),
    "program, nn.MLP": program_of_model,
} | {name: engine for name, engine in ON_ARRAYS.items() if not name.startswith("program")}
SCALAR = {
    "casadi": casadi,
    "casadi, as C": partial(casadi, by_gcc=True),
    "xad": lambda task: recorded_each_step(engines.xad(), task),
    "micrograd": lambda task: recorded_each_step(engines.micrograd(), task),
    "micrograd, no collector": lambda task: without_collector(recorded_each_step(engines.micrograd(), task)),
}


def engines_for(name: str, dtype: str) -> dict[str, Callable[[Task], Engine]]:
    """Who takes part: in the first task also C, and those that know only float64 numbers."""
    if name != "1-16-16-1":
        return ON_ARRAYS
    return SMALL | {"C": c} | (SCALAR if dtype == "float64" else {})


def apart(x: Sequence[float], y: Sequence[float], start: Sequence[float]) -> float:
    """How far two vectors are apart, relative to the largest move from the start."""
    return float(np.abs(np.subtract(x, y)).max() / np.abs(np.subtract(y, start)).max())


def main() -> None:
    """Measure one task in one dtype, as the command line says."""
    name, dtype, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    task = TASKS[name]().of(dtype)
    running = {engine: make(task) for engine, make in engines_for(name, dtype).items()}
    first = {engine: run(FIRST_STEPS) for engine, run in running.items()}
    steps = {
        engine: max(STEPS_A_ROUND, round(SECONDS_A_ROUND / min(result["seconds"]))) for engine, result in first.items()
    }
    gc.collect()
    gc.freeze()  # so that the collector does not walk what belongs to other engines
    seconds: dict[str, list[float]] = {engine: [] for engine in running}
    for _ in range(rounds):
        for engine, run in running.items():
            run(steps[engine] // 10)  # the engine before has left its own numbers in the cache
            each = run(steps[engine])["seconds"]
            seconds[engine].append(sum(each) / len(each))
            gc.collect()
    expected, start = first["program"]["parameters"], flat(task.layers)
    differences = {engine: apart(result["parameters"], expected, start) for engine, result in first.items()}
    print(json.dumps({"seconds": seconds, "apart": differences}))


if __name__ == "__main__":
    main()
