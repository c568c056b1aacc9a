"""A model as a chain: its layers in the order in which they are computed, whatever they were nested in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from reprlib import repr as shown
from typing import Any

from ..layers import Activation, BatchNorm, Dropout, Layer, Neuron, is_linear
from ..modules import Module
from ..networks import MLP, Sequential


@dataclass(frozen=True)
class Link:
    """One layer of a chain.

    Attributes:
        prefix: what its tensors' names begin with in the model's state, such as "layers.0."; "" if it is the model.
        layer: a Neuron, Layer, Activation, Dropout or BatchNorm.
        n_in: how many numbers it takes; None if any number.
        n_out: how many it gives; None for as many as it takes.
        activation: the operation at its end; None for none.
    """

    prefix: str
    layer: Module
    n_in: int | None = None
    n_out: int | None = None
    activation: str | None = None

    @property
    def path(self) -> str:
        """Where it stands in the model, such as "layers.0"."""
        return self.prefix.removesuffix(".")

    @property
    def gives_a_number(self) -> bool:
        """Whether its output is a number, where others give a list."""
        return self.n_out == 1 and not isinstance(self.layer, BatchNorm)


def chain(model: Module) -> list[Link]:
    """The layers of a model, in the order in which they are computed.

    Raises:
        TypeError: it is no module, or a part of it is none of ``nn.layers`` and ``nn.networks``.
        ValueError: a layer takes another number of inputs than the one before it gives, the neurons of a layer are
            unlike each other, or the model has tensors besides those of its layers.

    >>> [(link.path, link.n_in, link.n_out) for link in chain(MLP(2, [3, 1], dropout=0.5))]
    [('layers.0', 2, 3), ('layers.1', None, None), ('layers.2', 3, 1)]
    """
    links = list(_links("", model))
    width = None
    for link in links:
        if width and link.n_in and width != link.n_in:
            raise ValueError(f"{link.path} takes {link.n_in} number(s), and gets {width}")
        width = link.n_out or width
    names = {link.prefix + name for link in links for name in _names(link.layer)}
    if others := sorted(_names(model) - names):
        raise ValueError(f"the model has tensors that are of none of its layers: {', '.join(others)}")
    return links


def _links(prefix: str, module: Any) -> Iterator[Link]:
    # A class of somebody's own may compute anything, also one that is derived from ours.
    kind = type(module)
    if kind in (Sequential, MLP):
        for i, layer in enumerate(module.layers):
            yield from _links(f"{prefix}layers.{i}.", layer)
    elif kind is Neuron:
        yield Link(prefix, module, len(module.w), 1, _name(module.activation))
    elif kind is Layer:
        neurons = [link for neuron in module.neurons for link in _links(prefix, neuron)]
        alike = {(link.n_in, link.activation) for link in neurons}
        if len(alike) > 1:
            raise ValueError(f"the neurons of {prefix.removesuffix('.') or 'the layer'} are not all alike")
        yield Link(prefix, module, neurons[0].n_in, len(neurons), neurons[0].activation)
    elif kind is Activation:
        yield Link(prefix, module, activation=_name(module.activation))
    elif kind is BatchNorm:
        yield Link(prefix, module, len(module.weight), len(module.weight))
    elif kind is Dropout:
        yield Link(prefix, module)
    else:
        place = f"{prefix.removesuffix('.')} is" if prefix else "got"
        what = f"a module of the class {kind.__name__}" if isinstance(module, Module) else shown(module)
        raise TypeError(
            f"a model is exported if it is made of Neuron, Layer, Activation, Dropout, BatchNorm, Sequential and MLP; "
            f"{place} {what}"
        )


def _name(activation: str | None) -> str | None:
    return None if is_linear(activation) else activation


def _names(module: Module) -> set[str]:
    return {*module.tensors(), *module.buffers()}
