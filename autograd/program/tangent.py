"""How a recorded output changes along a direction of its leaves, recorded as well."""

from __future__ import annotations

from collections.abc import Mapping

from ..forward import Dual, new_level, split
from ..value import Value, topological_order


def tangent(output: Value, directions: Mapping[Value, Value]) -> Value | None:
    """The derivative of ``output`` along ``directions``, given for leaves; None if it is 0 whatever these are.

    It is a graph of the same leaves and of the directions, so it can be differentiated, and compiled.

    >>> w, v = Value(3.0), Value(1.0)
    >>> tangent(w * w * w, {w: v}).data
    27.0
    """
    level = new_level()
    new: dict[Value, Dual] = {}
    for node in topological_order(output):
        if node in directions:
            new[node] = Dual(node, directions[node], level)
        elif any(x in new for x in node.inputs if isinstance(x, Value)):
            assert node.op is not None, "a leaf has no inputs"
            inputs = [new.get(x, x) if isinstance(x, Value) else x for x in node.inputs]
            out = Dual.apply(node.op, tuple(inputs))
            if isinstance(out, Dual):
                new[node] = out
    return split(new.get(output), level)[1]  # type: ignore[no-any-return]
