"""Networks: modules one after another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from reprlib import repr as shown
from typing import Any

from .layers import Activation, BatchNorm, Dropout, Layer, check_sizes, generator
from .modules import Module
from .ranges import fraction
from .tensors import is_list, sample


class Sequential(Module):
    """Modules one after another, each on the outputs of the one before.

    Raises:
        ValueError: there are none.
        TypeError: one of them is no module.

    >>> model = Sequential(Layer(2, 3, None), BatchNorm(3), Activation("relu"), Dropout(0.2), Layer(3, 1, None))
    >>> [name for name in model.tensors()]
    ['layers.0.weight', 'layers.0.bias', 'layers.1.weight', 'layers.1.bias', 'layers.4.weight', 'layers.4.bias']
    """

    def __init__(self, *layers: Module) -> None:
        if not layers:
            raise ValueError("Sequential takes one module or more, such as Layer(2, 1)")
        for layer in layers:
            if not isinstance(layer, Module):
                raise TypeError(f"Sequential takes modules, such as Layer(2, 1), got {shown(layer)}")
        self.layers = list(layers)

    def __call__(self, x: Sequence[Any]) -> Any:
        """The outputs of the last module for one sample: a list, or a number if it is a layer of one neuron."""
        for layer in self.layers[:-1]:
            x = sample(layer(x))
        return self.layers[-1](x)

    def batch(self, xs: Sequence[Any]) -> list[Any]:
        """The outputs for a list of samples, each module on all of them before the next."""
        for layer in self.layers[:-1]:
            xs = [sample(out) for out in layer.batch(xs)]
        return self.layers[-1].batch(xs)

    def _summary(self) -> str:
        return f"{', '.join(map(repr, self.layers))}, "


class MLP(Sequential):
    """A multi-layer perceptron: layers one after another, the last without an activation.

    Args:
        n_in: the number of inputs.
        n_outs: the number of neurons of each layer.
        activation: of all layers but the last; the name of any operation of one input, or None.
        init: see ``Neuron``.
        seed: see ``Neuron``; the same int gives the same parameters.
        batch_norm: whether to normalise the sums of each layer but the last over the batch, see ``BatchNorm``.
        dropout: the probability of 0 for each output of a layer but the last in training, see ``Dropout``.

    Called on a list of ``n_in`` numbers (or Values) it gives a list, or one Value if the last layer has one neuron.

    Raises:
        ValueError: there is no layer, a size is not positive, a name is unknown, or the probability is out of range.

    >>> model = MLP(2, [16, 16, 1], activation="tanh")
    >>> model
    MLP(2 → 16 tanh → 16 tanh → 1, 337 parameters)
    >>> model([1.0, -2.0]).op
    <operation add>
    >>> MLP(2, [16, 1], batch_norm=True, dropout=0.2)
    MLP(2 → 16 batch norm relu dropout 0.2 → 1, 97 parameters)
    """

    def __init__(
        self,
        n_in: int,
        n_outs: Sequence[int],
        activation: str | None = "relu",
        init: str | None = None,
        seed: int | Random | None = None,
        batch_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        listed = is_list(n_outs) or (isinstance(n_outs, Sequence) and not isinstance(n_outs, (str, bytes)))
        if not listed or not len(n_outs):
            raise ValueError(f"n_outs is a list with the size of each layer, such as [16, 16, 1], got {shown(n_outs)}")
        fraction("dropout", dropout)  # also where there is no place for it
        rng = generator(seed)
        sizes = [check_sizes(*each) for each in pairwise([n_in, *n_outs])]  # before any layer is made
        self.n_in = sizes[0][0]
        layers: list[Module] = []
        for a, b in sizes[:-1]:
            if batch_norm:
                layers += [Layer(a, b, None, init, rng), BatchNorm(b), Activation(activation)]
            else:
                layers.append(Layer(a, b, activation, init, rng))
            if dropout:
                layers.append(Dropout(dropout, rng))
        super().__init__(*layers, Layer(*sizes[-1], None, init, rng))

    def _summary(self) -> str:
        parts = [f"{' → ' if isinstance(layer, Layer) else ' '}{layer.shown()}" for layer in self.layers]
        return f"{self.n_in}{''.join(parts)}, "
