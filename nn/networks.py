"""Networks: layers one after another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from reprlib import repr as shown
from typing import Any

from .layers import Layer, check_sizes, generator
from .modules import Module


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
