"""Modules: what has parameters, and the multi-layer perceptron made of them.

A module is a function of lists of numbers whose parameters are Values. Nothing here computes derivatives: calling a
module records a graph, and the engine reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from random import Random
from reprlib import repr as shown
from typing import Any

from autograd import OPS, Value, dot

from .initializers import Initializer, by_name, default_for
from .tensors import Tensor, flatten, is_list, map_tensor, shape
from .weights import load_tensors, save_tensors

MOST_WEIGHTS = 10_000_000
"""The most weights of a layer; more would be a slip of the keyboard, and take the machine's memory."""

_shared = Random(0)  # what modules draw from that get no seed: each other numbers, the same ones in every run


class Module:
    """The base of all that has parameters.

    A parameter is a Value in an attribute whose name does not begin with an underscore, by itself, in (nested) lists,
    or inside another module.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.slope * x + self.offset
    >>> [name for name, _ in Line().named_parameters()]
    ['slope', 'offset']
    """

    def __call__(self, x: Any) -> Any:
        """The output for one sample; each module says which."""
        raise NotImplementedError

    def tensors(self) -> dict[str, Tensor]:
        """The parameters by name, each a Value or nested lists of Values. The other methods all read this one."""
        found: dict[str, Tensor] = {}
        for name, attribute in vars(self).items():
            if not name.startswith("_"):
                found.update(_tensors_in(name, attribute))
        return found

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Each parameter, once, with a name such as ``layers.0.weight[2][1]``."""
        seen: set[Value] = set()
        for name, tensor in self.tensors().items():
            for index, parameter in flatten(tensor):
                if parameter not in seen:
                    seen.add(parameter)
                    yield name + index, parameter

    def parameters(self) -> list[Value]:
        """All parameters, each once."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def state_dict(self) -> dict[str, Tensor]:
        """The data of the parameters by name, as floats in lists shaped as PyTorch shapes them.

        >>> Neuron(2).state_dict().keys()
        dict_keys(['weight', 'bias'])
        """
        return {name: map_tensor(float, tensor) for name, tensor in self.tensors().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Set the data of all parameters. Names and shapes must fit; if they do not, nothing is changed.

        Raises:
            ValueError: a name is missing or unknown, or a tensor has another shape.
            TypeError: ``state`` is no mapping, or what stands for a number is none.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"a state is a mapping from names to tensors, as state_dict() gives it, got {shown(state)}")
        tensors = self.tensors()
        missing, unknown = sorted(tensors.keys() - state.keys()), sorted(state.keys() - tensors.keys())
        if missing or unknown:
            said = [
                f"{what} {', '.join(names)}" for what, names in (("missing", missing), ("unknown", unknown)) if names
            ]
            raise ValueError(f"the names do not fit this model: {'; '.join(said)}")
        data: list[tuple[Value, float]] = []
        for name, tensor in tensors.items():
            expected, got = shape(tensor), shape(state[name])
            if expected != got:
                raise ValueError(f"{name} has the shape {expected} in this model, got {got}")
            numbers = [Value(number).data for _, number in flatten(state[name])]  # a Value takes numbers only
            data.extend(zip([parameter for _, parameter in flatten(tensor)], numbers, strict=True))
        for parameter, number in data:
            parameter.data = number

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to a safetensors file (never pickle), whole or not at all."""
        save_tensors(self.state_dict(), path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Set the parameters from a safetensors file; if names or shapes do not fit, nothing is changed.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is no safetensors file, or does not fit this model.
        """
        state = load_tensors(path)
        try:
            self.load_state_dict(state)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from None

    def _summary(self) -> str:
        return ""

    def __repr__(self) -> str:
        count = len(self.parameters())
        return f"{type(self).__name__}({self._summary()}{count} parameter{'s' if count != 1 else ''})"


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


class MLP(Module):
    """A multi-layer perceptron: layers one after another, the last without an activation.

    Args:
        n_in: the number of inputs.
        n_outs: the number of neurons of each layer.
        activation: of all layers but the last; the name of any operation of one input, or None.
        init: see ``Neuron``.
        seed: see ``Neuron``; the same int gives the same parameters.

    Called on a list of ``n_in`` numbers (or Values) it gives a list, or one Value if the last layer has one neuron.

    >>> model = MLP(2, [16, 16, 1], activation="tanh")
    >>> model
    MLP(2 → 16 tanh → 16 tanh → 1, 337 parameters)
    >>> model([1.0, -2.0]).op
    <operation add>
    """

    def __init__(
        self,
        n_in: int,
        n_outs: Sequence[int],
        activation: str | None = "relu",
        init: str | None = None,
        seed: int | Random | None = None,
    ) -> None:
        if isinstance(n_outs, (str, bytes)) or not isinstance(n_outs, Sequence) or not n_outs:
            raise ValueError(f"n_outs is a list with the size of each layer, such as [16, 16, 1], got {shown(n_outs)}")
        rng = generator(seed)
        sizes = list(pairwise([n_in, *n_outs]))
        for each in sizes:  # before any layer is made
            check_sizes(*each)
        activations = [activation] * (len(sizes) - 1) + [None]
        self.layers = [Layer(a, b, act, init, rng) for (a, b), act in zip(sizes, activations, strict=True)]

    def __call__(self, x: Sequence[Any]) -> Any:
        """The outputs of the last layer for ``n_in`` numbers: a list, or the number itself if it has one neuron."""
        for layer in self.layers[:-1]:
            out = layer(x)
            x = out if isinstance(out, list) else [out]
        return self.layers[-1](x)

    def _summary(self) -> str:
        n_in = len(self.layers[0].neurons[0].w)
        return " → ".join([str(n_in), *[layer.shown() for layer in self.layers]]) + ", "


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


def _tensors_in(name: str, x: Any) -> dict[str, Tensor]:
    if isinstance(x, Value):
        return {name: x}
    if isinstance(x, Module):
        return {f"{name}.{inner}": tensor for inner, tensor in x.tensors().items()}
    if not isinstance(x, (list, tuple)) or not x:
        return {}
    if _is_tensor(x):
        return {name: x}
    parts = [_tensors_in(f"{name}.{i}", part) for i, part in enumerate(x)]
    return {inner: tensor for part in parts for inner, tensor in part.items()}


def _is_tensor(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return bool(x) and all(map(_is_tensor, x)) and len({shape(part) for part in x}) == 1
    return isinstance(x, Value)
