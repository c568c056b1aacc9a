"""The reverse reading: how does an output change with each node it depends on?

An adjoint ∂L/∂node is the sum, over the uses of the node, of the user's adjoint times its local derivative: the chain
rule, applied from the output back (Griewank and Walther, *Evaluating Derivatives*, 2nd ed., ch. 3).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .value import Value


def backward(output: Value) -> None:
    """Add this pass's adjoints to ``grad`` of every node that ``output`` depends on. See ``Value.backward``.

    It is all or nothing: interrupted, it leaves every ``grad`` as it was. One thread at a time may sweep a graph.
    """
    # The order is that of ``reverse_order``, found on the way; tests/test_reverse.py holds the two to it. This pass's
    # adjoints are summed in place; what earlier passes left is put aside when a node is first met, and added at last.
    this_pass = object()
    earlier: list[tuple[Value, float]] = []
    levels: list[list[Value] | None] = [None] * (output._depth + 1)

    def meet(node: Value, adjoint: float) -> None:
        if node._pass is not None:
            earlier.append((node, node._grad))
        node._pass = this_pass
        node._grad = adjoint
        level = levels[node._depth]
        if level is None:
            levels[node._depth] = [node]
        else:
            level.append(node)

    try:
        meet(output, 1.0)
        while levels:
            for node in levels.pop() or ():
                upstream = node._grad
                local = node._dy
                if local is not None:
                    x = node._y
                    if x._pass is this_pass:
                        x._grad += upstream * local
                    elif x._pass is None:  # meet(x, upstream * local), for by far the most
                        x._pass = this_pass
                        x._grad = upstream * local
                        level = levels[x._depth]
                        if level is None:
                            levels[x._depth] = [x]
                        else:
                            level.append(x)
                    else:
                        meet(x, upstream * local)
                local = node._dx
                if local is not None:
                    x = node._x
                    if x._pass is this_pass:
                        x._grad += upstream * local
                    elif x._pass is None:  # likewise
                        x._pass = this_pass
                        x._grad = upstream * local
                        level = levels[x._depth]
                        if level is None:
                            levels[x._depth] = [x]
                        else:
                            level.append(x)
                    else:
                        meet(x, upstream * local)
                elif node._x.__class__ is tuple:
                    for x, local in zip(reversed(node._x), reversed(node._y), strict=True):
                        if local is not None:
                            if x._pass is this_pass:
                                x._grad += upstream * local
                            else:
                                meet(x, upstream * local)
        for node, grad in earlier:
            node._grad += grad
    except BaseException:
        for node in reverse_order(output):
            if node._pass is this_pass:
                node._pass = None
        for node, grad in earlier:
            node.grad = grad
        raise


def edges(node: Value) -> list[tuple[Any, float]]:
    """The inputs of ``node`` to which an adjoint flows, each with its local derivative."""
    return [edge for edge in zip(node.inputs, node.local_derivatives, strict=True) if edge[1] is not None]  # type: ignore[misc]


def reverse_order(output: Value) -> list[Value]:
    """The nodes that adjoints flow to, each after all its uses: the deepest first, then as they are met.

    A use of a node is deeper than the node. So when the turn of a depth comes, the adjoints of its nodes are complete.
    The last operand is met first.

    >>> x = Value(3.0, "x")
    >>> [node.op and node.op.name for node in reverse_order(x * x + 1)]
    ['add', 'mul', None]
    """
    levels: list[list[Value]] = [[] for _ in range(output._depth + 1)]
    levels[output._depth].append(output)
    met = {output}
    for level in reversed(levels):
        for node in level:
            for x, _ in reversed(edges(node)):
                if x not in met:
                    met.add(x)
                    levels[x._depth].append(x)
    return [node for level in reversed(levels) for node in level]


def adjoints(output: Value, wanted: Collection[Value]) -> dict[Value, Any]:
    """∂output/∂node for each node of ``wanted`` that ``output`` depends on, as numbers of the fitting kind.

    They are floats if the graph rests on nothing but ``wanted``. If other leaves take part, they may be what somebody
    differentiates next: then the adjoints are Values, graphs themselves, recorded by the same rules.

    Raises:
        ValueError: an adjoint is to be a graph, but the data of a leaf was changed since ``output`` was recorded.
    """
    order = reverse_order(output)
    leads = set(wanted)  # the nodes from which a wanted one can be reached
    floats = True
    for node in reversed(order):
        if node.op is None:
            floats = floats and node in leads
        elif any(x in leads for x in node.inputs):
            leads.add(node)
    found: dict[Value, Any] = {output: 1.0}
    for node in order:
        if node not in leads or node.op is None:
            continue
        upstream = found[node]
        derivatives = node.local_derivatives if floats else _as_graph(node)
        for x, local in reversed([*zip(node.inputs, derivatives, strict=True)]):  # in the order of ``backward``
            if local is not None and x in leads:
                contribution = upstream * local
                found[x] = found[x] + contribution if x in found else contribution
    return {node: found[node] for node in wanted if node in found}


def _as_graph(node: Value) -> list[Any]:
    """The local derivatives of a node as Values (or literals), by its rule; None as recorded."""
    assert node.op is not None
    check_current(node)
    return node.op.local_derivatives(node.inputs, node, [local is not None for local in node.local_derivatives])


def check_current(*nodes: Value) -> None:
    """Raise ValueError if a node was recorded at other numbers than its inputs have now."""
    for node in nodes:
        if not is_current(node):
            assert node.op is not None
            raise ValueError(
                f"the data of a leaf was changed after {node.op.name!r} was recorded from it, so old and new numbers "
                "would be mixed: compute the output again"
            )


def is_current(node: Value) -> bool:
    """Whether a node was recorded at the numbers that its inputs have now; only the data of leaves can be changed.

    >>> x = Value(2.0)
    >>> y = x * x
    >>> x.data = 3.0
    >>> is_current(y)
    False
    """
    if node.op is None or not any(isinstance(x, Value) and x.op is None for x in node.inputs):
        return True
    recorded = node.local_derivatives
    operands = tuple([float(x) for x in node.inputs])
    try:
        data = node.op.evaluate(operands)
        now = [data, *node.op.local_derivatives(operands, data, [local is not None for local in recorded])]
    except (ArithmeticError, ValueError):
        return False  # not defined at the new number
    return all(map(_same, now, [node.data, *recorded]))


def _same(x: float | None, y: float | None) -> bool:
    return x == y or (x != x and y != y)
