"""Models as PyTorch computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..layers import Activation, BatchNorm, Dropout, Layer, Neuron
from ..modules import Module
from ..tensors import flatten
from .chain import Link, chain
from .formulas import FORMULAS

if TYPE_CHECKING:
    import torch

# fmt: off
TORCH = {
    "neg", "abs", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh",
    "tanh", "sigmoid", "relu", "erf", "erfc",
}
"""Operations that are functions of torch under the same names."""

FUNCTIONAL = {"softsign", "leaky_relu", "elu", "silu"}
"""Likewise of torch.nn.functional; its gelu loses the left tail, its softplus is x from 20 on, 2e-9 too little."""
# fmt: on


def to_torch(model: Module) -> torch.nn.Module:
    """The model as a module of PyTorch, in float64: the same numbers, gradients and names.

    It is a ``torch.fx.GraphModule`` of PyTorch's own modules (a BatchNorm or a Dropout alone is PyTorch's): ``print``
    shows its source, it can be copied and pickled, and it needs nothing of this package. Its ``state_dict()`` has the
    names and shapes of the model's, so that each loads the other's safetensors files. The numbers are copies: training
    one leaves the other as it is.

    The module takes batches, shape (B, n_in), and gives what ``model.batch`` does: an array of shape (B, n_out), or
    (B,) where the model gives a number for a sample. It is in training or in evaluation as the model is, and trains
    to the same numbers; only what Dropout draws is another. Where an operation is not defined (the logarithm of -1),
    it gives nan as PyTorch does.

    Args:
        model: made of Neuron, Layer, Activation, Dropout, BatchNorm, Sequential and MLP.

    Raises:
        ImportError: PyTorch is not installed.
        TypeError: a part of the model is something else.
        ValueError: the sizes of two layers do not fit, an activation is an operation of somebody's own, or one Value
            is in two places, which the tensors of PyTorch cannot be.

    With PyTorch installed::

        model = nn.MLP(2, [16, 1], activation="tanh")
        model.save("model.safetensors")
        net = nn.to_torch(model)
        net.load_state_dict(safetensors.torch.load_file("model.safetensors"))
        net(torch.tensor([[0.5, -1.0]], dtype=torch.float64))  # shape (1,), the number that model([0.5, -1.0]) is
        print(net.code)

    gives::

        def forward(self, x):
            layers_0 = getattr(self.layers, "0")(x);  x = None
            tanh = torch.tanh(layers_0);  layers_0 = None
            layers_1 = getattr(self.layers, "1")(tanh);  tanh = None
            squeeze = layers_1.squeeze(-1);  layers_1 = None
            return squeeze
    """
    links = chain(model)
    _check_ties(links)
    try:
        import torch
    except ImportError as error:
        raise ImportError("to_torch needs PyTorch: pip install 'chainrule[torch]'") from error
    modules = {link.layer: _counterpart(torch, link) for link in links}
    # A layer of statistics or chance that is the whole model has no name by which a graph could call it.
    lone = isinstance(model, (BatchNorm, Dropout))
    net: torch.nn.Module = modules[model] if lone else _graph_module(torch, type(model).__name__, links, modules)
    net.load_state_dict({name: torch.tensor(x, dtype=torch.float64) for name, x in model.state_dict().items()})
    net.train(model.training)
    for link in links:
        modules[link.layer].train(link.layer.training)
    return net


def _counterpart(torch: Any, link: Link) -> Any:
    """PyTorch's module for a layer, without its activation; its numbers are still to be set."""
    layer, float64 = link.layer, torch.float64
    if isinstance(layer, BatchNorm):
        return torch.nn.BatchNorm1d(link.n_in, layer.epsilon, layer.momentum, dtype=float64)
    if isinstance(layer, Dropout):
        return torch.nn.Dropout(layer.probability)
    if isinstance(layer, Layer):
        # What is drawn for numbers that are set anyway would be missing from what PyTorch draws next.
        return torch.nn.utils.skip_init(torch.nn.Linear, link.n_in, link.n_out, dtype=float64)
    module = torch.nn.Module()
    if isinstance(layer, Neuron):
        module.weight = torch.nn.Parameter(torch.empty(link.n_in, dtype=float64))
        module.bias = torch.nn.Parameter(torch.empty((), dtype=float64))
    return module


def _graph_module(torch: Any, name: str, links: list[Link], modules: dict[Module, Any]) -> Any:
    """The modules one after another, with their activations, as a graph of PyTorch's."""
    from torch import fx

    graph = fx.Graph()
    tracer = fx.proxy.GraphAppendingTracer(graph)
    owned: dict[str, Any] = {}

    def parameter(link: Link, name: str) -> Any:
        owned[link.prefix + name] = getattr(modules[link.layer], name)
        return fx.Proxy(graph.get_attr(link.prefix + name), tracer)

    x = fx.Proxy(graph.placeholder("x"), tracer)
    for link in links:
        if isinstance(link.layer, Neuron):  # from (B, n_in) to (B,)
            x = x @ parameter(link, "weight") + parameter(link, "bias")
        elif link.n_out is not None and not link.path:
            x = torch.nn.functional.linear(x, parameter(link, "weight"), parameter(link, "bias"))
        elif not isinstance(link.layer, Activation):
            owned[link.path] = modules[link.layer]
            x = fx.Proxy(graph.call_module(link.path, (x.node,)), tracer)
        if link.activation is not None:
            x = _activated(torch, link.activation, x)
        if link.gives_a_number and link is links[-1]:
            x = x if isinstance(link.layer, Neuron) else x.squeeze(-1)
        elif isinstance(link.layer, Neuron):
            x = x.unsqueeze(-1)
    graph.output(x.node)
    return fx.GraphModule(owned, graph, name)


def _activated(torch: Any, name: str, x: Any) -> Any:
    if name in TORCH:
        return getattr(torch, name)(x)
    if name in FUNCTIONAL:
        return getattr(torch.nn.functional, name)(x)
    if name == "softplus":
        return torch.logaddexp(x, torch.zeros_like(x))
    if name in FORMULAS:
        return FORMULAS[name](torch, x)
    raise ValueError(f"PyTorch has no counterpart of the operation {name!r}")


def _check_ties(links: list[Link]) -> None:
    """Raise ValueError if one Value is two parameters; a layer may be in several places, as a whole."""
    layers = dict.fromkeys(link.layer for link in links)
    values = [value for layer in layers for tensor in layer.tensors().values() for _, value in flatten(tensor)]
    if len(set(values)) < len(values):
        raise ValueError("one Value is a parameter in two places, which the tensors of PyTorch cannot be")
