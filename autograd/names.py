"""Names: what each node of a graph is called in diagrams, steps and formulas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from reprlib import repr as shown
from typing import Any

from .value import Value, topological_order

Names = Mapping[str, Any] | Iterable[tuple[str, Value]] | None
"""What may be given as names: ``locals()``, ``model.named_parameters()``, or nothing."""

DEEPEST = 32
"""Values are looked for in lists that are nested so deep."""


def names_of(output: Value, names: Names = None) -> dict[Value, str]:
    """A name for every node that ``output`` depends on, no two alike, inputs first.

    A node is called as ``names`` says, else by its own name; an output that has none is L, as in ∂L/∂w, and the other
    nodes are v1, v2, … in topological order. Where two share a name, the later one gets a number: w, w_2.

    Args:
        output: the end of the graph.
        names: pairs of a name and a Value, such as ``model.named_parameters()``; or a mapping from names, such as
            ``locals()``, whose lists of Values and modules are looked into (``xs[0]``, ``model.layers.0.bias[1]``), and
            whose names that begin with an underscore are passed over. The first name of a Value counts, and one of its
            own before a place in a list.

    Raises:
        TypeError: ``output`` is no Value, or ``names`` is neither.

    >>> x, w = Value(2.0, "x"), Value(3.0)
    >>> list(names_of((w * x + 1).tanh(), {"w": w}).values())
    ['w', 'x', 'v1', 'v2', 'L']
    """
    if not isinstance(output, Value):
        raise TypeError(f"expected a Value, the end of a graph, got {shown(output)}")
    order = topological_order(output)
    wanted = dict.fromkeys(order, "")
    for name, value in _pairs(names):
        if value in wanted and not wanted[value]:
            wanted[value] = name
    for node in order:
        wanted[node] = wanted[node] or node.name or ""
    taken = {name: 1 for name in wanted.values() if name}
    wanted[output] = wanted[output] or unique("L", taken)
    taken.setdefault(wanted[output], 1)
    met: set[str] = set()
    number = 0
    for node, name in wanted.items():
        if not name:
            while (name := f"v{(number := number + 1)}") in taken:
                pass
        elif name in met:
            name = unique(name, taken)
        met.add(name)
        wanted[node] = name
    return wanted


def unique(name: str, taken: dict[str, int]) -> str:
    """``name``, with a number behind it if it is taken; it is taken from now on.

    >>> taken = {"w": 1}
    >>> unique("w", taken), unique("w", taken), unique("b", taken)
    ('w_2', 'w_3', 'b')
    """
    found = name
    while found in taken:
        taken[name] += 1
        found = f"{name}_{taken[name]}"
    taken[found] = 1
    return found


def _pairs(names: Names) -> Iterator[tuple[str, Value]]:
    if names is None:
        return
    if isinstance(names, Mapping):
        if not all(isinstance(name, str) for name in names):
            raise _no_names(names)
        given = [(name, x) for name, x in names.items() if not name.startswith("_")]
        yield from ((name, x) for name, x in given if isinstance(x, Value))
        met: set[int] = set()
        for name, x in given:
            yield from _values_in(name, x, met)
        return
    for pair in names if isinstance(names, Iterable) else [names]:
        if not (isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], Value)):
            raise _no_names(names)
        yield pair


def _no_names(names: Any) -> TypeError:
    return TypeError(
        "names is a mapping such as locals(), or pairs of a name and a Value such as "
        f"model.named_parameters(), got {shown(names)}"
    )


def _values_in(name: str, x: Any, met: set[int], depth: int = 0) -> Iterator[tuple[str, Value]]:
    """The Values in ``x``, and in the lists and modules that are in it; ``met`` are lists that were looked into."""
    if isinstance(x, Value):
        yield name, x
    elif type(x) in (list, tuple):  # and no named tuple, which is a thing of its own
        if id(x) not in met and depth < DEEPEST and _leads_to_values(x):
            met.add(id(x))
            for i, part in enumerate(x):
                yield from _values_in(f"{name}[{i}]", part, met, depth + 1)
    elif _is_module(x):
        for inner, parameter in x.named_parameters():
            yield f"{name}.{inner}", parameter


def _leads_to_values(x: Any) -> bool:
    # locals() may hold a whole data set: lists of plain numbers are told by their first entry, not walked.
    for _ in range(DEEPEST):
        if type(x) not in (list, tuple) or not x:
            break
        x = x[0]
    return isinstance(x, Value) or _is_module(x)


def _is_module(x: Any) -> bool:
    # The class is asked, for an object in locals() may do anything when it is asked for an attribute.
    return callable(getattr(type(x), "named_parameters", None))
