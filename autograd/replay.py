"""Replay: the same computation again, at other numbers."""

from __future__ import annotations

from collections.abc import Mapping
from reprlib import repr as shown

from .value import Value, topological_order


def replay(output: Value, leaves: Mapping[Value, float | Value]) -> Value:
    """Record again what made ``output``, with ``leaves`` in place of its leaves; returns the new output.

    A number makes a new leaf of the same name, a Value is taken as it is; leaves that are not given are copied. Nothing
    of the old graph is changed, no node is shared with it, and what was used twice is used twice again.

    Args:
        output: the end of a graph.
        leaves: from leaves of that graph to what stands in their place.

    Raises:
        TypeError: ``output`` is no Value, ``leaves`` is no mapping, or what is given for a leaf is not a number.
        ValueError: a key is not a leaf of this graph, or the computation is not defined at the new numbers.
        ZeroDivisionError, OverflowError: likewise.

    >>> x = Value(2.0, "x")
    >>> again = replay(x * x + 1, {x: 3.0})
    >>> again.backward()
    >>> again.data, again.inputs[0].inputs[0].grad, x.grad
    (10.0, 6.0, 0.0)
    """
    if not isinstance(output, Value):
        raise TypeError(f"expected a Value, the end of a graph, got {shown(output)}")
    if not isinstance(leaves, Mapping):
        raise TypeError(f"leaves is a mapping from leaves to numbers, such as {{x: 3.0}}, got {shown(leaves)}")
    order = topological_order(output)
    for leaf in leaves.keys() - {node for node in order if node.op is None}:
        raise ValueError(f"expected leaves of the graph, got {shown(leaf)}")
    new: dict[Value, Value] = {}
    for node in order:
        if node.op is None:
            number = leaves.get(node, node.data)
            new[node] = number if isinstance(number, Value) else Value(number, node.name)
        else:
            new[node] = Value.apply(node.op, tuple([new[x] if isinstance(x, Value) else x for x in node.inputs]))
            if node.name is not None:
                new[node].name = node.name
    return new[output]
