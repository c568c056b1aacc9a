"""Penalties: numbers that grow with the weights of a model, added to its loss to keep them small.

They are of weights only, for biases need less data to be fitted well, and little is gained by shrinking them
(Goodfellow et al., *Deep Learning*, 7.1). That is, of the tensors whose names end in ``weight``, as in
``layers.0.weight``; the scales of a BatchNorm are among them.
"""

from __future__ import annotations

from reprlib import repr as shown
from typing import Any

from autograd import Value, abs, dot, sum

from .modules import Module
from .tensors import flatten


def l1(model: Module) -> Any:
    """Σ |w| over all weights: it makes many of them 0 (*Deep Learning*, 7.1.2). At 0 its derivative is 0.

    Returns:
        A Value that depends on the weights.

    Raises:
        TypeError: the model is no module.
        ValueError: it has no weights.

    >>> from nn import Neuron
    >>> neuron = Neuron(2)
    >>> neuron.load_state_dict({"weight": [3.0, -4.0], "bias": 5.0})
    >>> l1(neuron).data
    7.0
    """
    return sum([abs(w) for w in _weights(model)])


def l2(model: Module) -> Any:
    """Σ w² over all weights: it shrinks them, the large ones most (*Deep Learning*, 7.1.1). Its gradient is 2 w.

    Added as λ · l2 it is a weight decay of 2 λ, but for the biases, which an optimiser's decay shrinks too.

    Returns:
        A Value that depends on the weights.

    Raises:
        TypeError: the model is no module.
        ValueError: it has no weights.

    >>> import nn
    >>> model = nn.Neuron(2, activation=None)
    >>> model.load_state_dict({"weight": [3.0, -4.0], "bias": 5.0})
    >>> l2(model).data
    25.0
    >>> history = nn.fit(model, [[1.0, 2.0]], [0.0], epochs=100, penalty=lambda model: 0.01 * l2(model))
    >>> l2(model).data < 25.0
    True
    """
    weights = _weights(model)
    return dot(weights, weights)


def _weights(model: Module) -> list[Value]:
    """Each weight, once, also where tensors share it."""
    if not isinstance(model, Module):
        raise TypeError(f"a penalty is that of a model, an nn.Module, got {shown(model)}")
    tensors = model.tensors()
    weights = {w: None for name in tensors if name.endswith("weight") for _, w in flatten(tensors[name])}
    if not weights:
        raise ValueError(f"the model has no weights to penalise, only: {', '.join(tensors) or 'nothing'}")
    return list(weights)
