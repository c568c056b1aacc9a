"""Layers: the modules that networks are made of."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from reprlib import repr as shown
from typing import Any

from autograd import OPS, Value, dot

from .initializers import Initializer, by_name, default_for
from .modules import Module
from .tensors import Tensor, is_list

MOST_WEIGHTS = 10_000_000
"""The most weights of a layer; more would be a slip of the keyboard, and take the machine's memory."""

_shared = Random(0)  # what modules draw from that get no seed: each other numbers, the same ones in every run


class Neuron(Module):
    """activation(w · x + b): one ``dot`` node, one sum, one activation.

    Args:
        n_in: the number of inputs.
        activation: the name of any operation of one input; None (or "linear") for none.
        init: the name of an initialiser of the weights ("glorot", "he", "lecun", "uniform"); by default the one that
            fits the activation. The bias starts at 0.
        seed: an int, or a ``random.Random`` to draw from; None is a generator that all modules share, so that no two
            start alike, and a program starts alike in every run.
        n_out: the neurons of the layer that it is part of; the spread of some initialisers depends on it.

    Raises:
        ValueError: a size is not positive, or a name is unknown; when called: x is not of length ``n_in``.

    >>> neuron = Neuron(2, activation="tanh")
    >>> neuron
    Neuron(2 → tanh, 3 parameters)
    >>> from autograd import formula
    >>> formula(neuron([Value(1.0, "x0"), Value(2.0, "x1")]))
    'tanh(dot([w0, w1], [x0, x1]) + b)'
    """

    def __init__(
        self,
        n_in: int,
        activation: str | None = "relu",
        init: str | None = None,
        seed: int | Random | None = None,
        n_out: int = 1,
    ) -> None:
        check_sizes(n_in, n_out)
        check_activation(activation)
        draw: Initializer = by_name(init) if init is not None else default_for(activation)
        rng = generator(seed)
        self.w = [Value(draw(rng, n_in, n_out), f"w{i}") for i in range(n_in)]
        self.b = Value(0.0, "b")
        self.activation = activation

    def __call__(self, x: Sequence[Any]) -> Any:
        """The neuron's output, a number, for ``n_in`` numbers. Raises ValueError if there are more or fewer."""
        if not is_list(x) or len(x) != len(self.w):
            given = len(x) if is_list(x) else shown(x)
            raise ValueError(f"this neuron takes a list of {len(self.w)} number(s), got {given}")
        out = dot(self.w, x) + self.b
        return out if is_linear(self.activation) else OPS[str(self.activation)](out)

    def tensors(self) -> dict[str, Tensor]:
        """The weights, shape (n_in,), and the bias."""
        return {"weight": self.w, "bias": self.b}

    def _summary(self) -> str:
        return f"{len(self.w)} → {self.activation or 'linear'}, "


class Layer(Module):
    """``n_out`` neurons side by side on the same inputs.

    >>> Layer(3, 2)
    Layer(3 → 2 relu, 8 parameters)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        activation: str | None = "relu",
        init: str | None = None,
        seed: int | Random | None = None,
    ) -> None:
        check_sizes(n_in, n_out)
        rng = generator(seed)
        self.neurons = [Neuron(n_in, activation, init, rng, n_out) for _ in range(n_out)]

    def __call__(self, x: Sequence[Any]) -> Any:
        """The outputs for ``n_in`` numbers: a list of ``n_out``, or the number itself if there is one neuron."""
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def tensors(self) -> dict[str, Tensor]:
        """The weights, shape (n_out, n_in), and the biases, shape (n_out,), as PyTorch's Linear has them."""
        return {"weight": [neuron.w for neuron in self.neurons], "bias": [neuron.b for neuron in self.neurons]}

    def _summary(self) -> str:
        return f"{len(self.neurons[0].w)} → {self.shown()}, "

    def shown(self) -> str:
        """The outputs and the activation, as in ``16 tanh``."""
        activation = self.neurons[0].activation
        return f"{len(self.neurons)}" if is_linear(activation) else f"{len(self.neurons)} {activation}"


def generator(seed: int | Random | None) -> Random:
    """The generator that ``seed`` stands for. Raises ValueError unless it is an int of at least 0, or a generator."""
    if seed is None:
        return _shared
    if isinstance(seed, Random):
        return seed
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"a seed is a whole number of at least 0, or a random.Random, got {shown(seed)}")
    return Random(seed)


def is_linear(activation: str | None) -> bool:
    """Whether this names no activation."""
    return activation is None or (isinstance(activation, str) and activation == "linear")


def check_activation(activation: str | None) -> None:
    """Raise ValueError unless ``activation`` names an operation of one input, or none."""
    known = [name for name, op in OPS.items() if op.arity == 1]
    if is_linear(activation) or (isinstance(activation, str) and activation in known):
        return
    from difflib import get_close_matches

    close = get_close_matches(activation, known, n=2) if isinstance(activation, str) else []
    hint = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    raise ValueError(
        f"unknown activation {shown(activation)}: {hint}It is the name of an operation of one input, such as tanh, "
        "relu, sigmoid, gelu, or linear for none"
    )


def check_sizes(n_in: int, n_out: int) -> None:
    """Raise ValueError unless both are positive ints, and make no more than ``MOST_WEIGHTS``."""
    for size, what in ((n_in, "inputs"), (n_out, "outputs")):
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ValueError(f"the number of {what} is a positive whole number, got {shown(size)}")
    if n_in * n_out > MOST_WEIGHTS:
        raise ValueError(
            f"{shown(n_in)} inputs to {shown(n_out)} neurons are more than {MOST_WEIGHTS:,} weights, which is the most"
        )
