"""Neurons: which nodes of a graph make up one neuron, so that a diagram can show it as one box.

They are found by their structure alone, whichever code recorded them: ``tanh(dot(w, x) + b)`` is a neuron, and so is
the sum of explicit products of micrograd.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from .op import OPS
from .value import Value, topological_order

_ADD, _MUL, _SUM, _DOT = (OPS[name] for name in ("add", "mul", "sum", "dot"))
# Patterns are compiled at their first use: that takes longer than to import the rest of this module.
_INDEXED = r"(?:(?P<module>.*)\.)?(?P<tensor>[^.\[]+)(?P<index>\[\d+\])?(?:\[\d+\])*"
_NUMBERED = r"(?P<list>.+)\.\d+"


class Neuron(NamedTuple):
    """The operations of one neuron on one sample.

    Attributes:
        nodes: its operations, inputs first; the last is its output.
        parameters: its weights and biases, as far as nothing but neurons uses them.
        label: what to call it, such as ``layers.0[2]``; ``neuron 1`` where the names of its parameters do not say.
        layer: the layer it belongs to, such as ``layers.0``; None where the names do not say.
    """

    nodes: list[Value]
    parameters: list[Value]
    label: str
    layer: str | None


def neurons(output: Value, names: Mapping[Value, str]) -> list[Neuron]:
    """The neurons of the graph of ``output``, in topological order, no node in two.

    A neuron is a weighted sum (a ``dot``, or a sum of products and leaves) and the activation, an operation of one
    input, if it alone uses the sum. Every product has a weight: a leaf in the first list of a ``dot``, or in a product;
    of two leaves in a product, the one whose name begins with w. A bias is a leaf that is added. Parameters may be
    shared, as those of a model are by many samples.

    Args:
        output: the end of the graph.
        names: a name for every node, as ``names_of`` gives them.

    >>> from autograd import Value, dot, tanh
    >>> from autograd.names import names_of
    >>> w, x, b = [Value(1.0, "w[0]"), Value(2.0, "w[1]")], [Value(3.0, "x0"), Value(4.0, "x1")], Value(0.5, "b")
    >>> y = tanh(dot(w, x) + b)
    >>> [neuron] = neurons(y, names_of(y))
    >>> [node.op.name for node in neuron.nodes], [leaf.name for leaf in neuron.parameters]
    (['dot', 'add', 'tanh'], ['w[0]', 'w[1]', 'b'])
    """
    order = topological_order(output)
    uses = dict.fromkeys(order, 0)
    for node in order:
        for x in _values(node.inputs):
            uses[x] += 1
    inner = _inner_nodes(order, uses, names)
    joined = {x for parts in inner.values() for x in parts}
    top = {x: node for node in order if node.op and node.op.arity == 1 for x in _values(node.inputs) if uses[x] == 1}
    found = []
    for root in inner:
        if root not in joined and root.op is not _MUL:
            nodes = _tree(root, inner)
            parameters = [leaf for node in nodes for leaf in _parameters(node, names)]
            found.append(([*nodes, top[root]] if root in top else nodes, parameters))

    for _, parameters in found:
        for leaf in parameters:
            uses[leaf] -= 1  # what is left are the uses that are not those of a parameter
    labelled = [_label([names[leaf] for leaf in parameters]) for _, parameters in found]
    return [
        Neuron(nodes, [x for x in dict.fromkeys(parameters) if not uses[x]], label or f"neuron {number}", layer)
        for number, ((nodes, parameters), (label, layer)) in enumerate(zip(found, labelled, strict=True), 1)
    ]


def _values(inputs: Iterable[Value | float]) -> Iterator[Value]:
    return (x for x in inputs if isinstance(x, Value))


def _parameters(node: Value, names: Mapping[Value, str]) -> list[Value]:
    """The leaves that this node of a neuron uses as weights or biases."""
    inputs = node.inputs[: len(node.inputs) // 2] if node.op is _DOT else node.inputs
    leaves = [x for x in _values(inputs) if x.op is None]
    if node.op is _MUL and len(leaves) > 1:  # which of them is the weight, their names may tell
        leaves = [leaf for leaf in leaves if names[leaf].rpartition(".")[2].startswith("w")]
        return leaves if len(leaves) == 1 else []
    return leaves


def _inner_nodes(order: list[Value], uses: Mapping[Value, int], names: Mapping[Value, str]) -> dict[Value, list[Value]]:
    """The nodes that weighted sums are made of, each with those that it joins: the ones that nothing else uses."""
    inner: dict[Value, list[Value]] = {}
    for node in order:
        if node.op in (_DOT, _MUL):
            if _parameters(node, names):
                inner[node] = []
        elif node.op in (_ADD, _SUM):
            terms = [x for x in _values(node.inputs) if x.op is not None]
            parts = [x for x in terms if x in inner and uses[x] == 1]
            # Two sums under a sum are two neurons, whose outputs are added.
            if terms and parts == terms and len([x for x in parts if x.op in (_ADD, _SUM)]) <= 1:
                inner[node] = parts
    return inner


def _tree(root: Value, inner: Mapping[Value, list[Value]]) -> list[Value]:
    """``root`` and all that it joins, inputs first."""
    nodes = []
    stack = [root]
    while stack:
        node = stack.pop()
        nodes.append(node)
        stack.extend(inner[node])
    return nodes[::-1]


def _label(names: list[str]) -> tuple[str | None, str | None]:
    """What the names of its parameters say of a neuron: its label and its layer.

    >>> _label(["layers.0.weight[2][0]", "layers.0.weight[2][1]", "layers.0.bias[2]"])
    ('layers.0[2]', 'layers.0')
    >>> _label(["model.layers.0.neurons.2.w[0]", "model.layers.0.neurons.2.w[1]", "model.layers.0.neurons.2.b"])
    ('model.layers.0.neurons.2', 'model.layers.0.neurons')
    >>> _label(["w0", "w1", "b"])
    (None, None)
    """
    parts = [match.group("module", "index") for name in names if (match := re.fullmatch(_INDEXED, name))]
    modules, indices = {module for module, _ in parts}, {index for _, index in parts}
    if len(parts) < len(names) or len(modules) != 1:
        return None, None
    module, index = modules.pop(), indices.pop()
    if module is None:
        return None, None
    if not indices and index is not None:
        return f"{module}{index}", module
    numbered = re.fullmatch(_NUMBERED, module)
    return module, numbered["list"] if numbered else None
