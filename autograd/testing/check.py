"""``check_gradients``: is every number right that a function's graph holds, to the last digit that can be promised?

Values and local derivatives are checked node by node, so that a wrong one is blamed and no other; then the adjoints of
the whole graph; then whether the graph is what the function computes. What is right comes from ``truth.py``, which
shares no rule with the engine; how far a computed number may be from it comes from the certificate. No tolerance is
chosen anywhere.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from reprlib import repr as shown
from typing import Any

from ..certificate import certify
from ..derivatives import map_numbers
from ..op import as_float
from ..value import Value, topological_order
from .adjoints import check_adjoints
from .local import check_higher, check_node, partial_derivative
from .recording import check_recording
from .truth import many_digits


def check_gradients(f: Callable[..., Any], *inputs: Any, order: int = 1) -> None:
    """Check every value, local derivative and adjoint of the graph that ``f`` records at ``inputs``.

    All must lie within the certified bound of the exact number, which is found from values alone: with mpmath at 120
    digits, differenced; without it by the complex step, or by central differences, as for an operation of your own
    that computes in floats only. Where no exact derivative exists (at a pole, or where numbers are not finite) there
    is nothing to compare. What ``f`` closes over is left as it was.

    Args:
        f: a function that returns one Value.
        inputs: its arguments, each a number or a list of numbers (nested as deep as you like).
        order: 2 also checks the derivatives of each partial derivative, and so on.

    Raises:
        GradientError: a number is wrong. The message says which, where, what it should be, how far it may be off, which
            operation is to blame (or the accumulation), and has a program that shows it.
        TypeError: ``f`` is no function, does not return a Value, or an input is not a number.
        ValueError: ``order`` is not a whole number >= 1, or ``f`` gives another number each time.

    >>> from autograd import tanh
    >>> check_gradients(lambda x, y: tanh(x * y) / y, 0.3, 2.0, order=2)
    """
    if not callable(f):
        raise TypeError(f"check_gradients takes a function and its inputs, got {type(f).__name__}")
    if type(order) is not int or order < 1:
        raise ValueError(f"order is a whole number >= 1, got {shown(order)}")
    floats = [map_numbers(_as_input, x) for x in inputs]
    with many_digits():
        _check(f, floats, _names(f, floats), order)


def _check(f: Callable[..., Any], inputs: list[Any], names: list[str], order: int) -> None:
    leaves = _as_leaves(inputs, names)
    output = f(*leaves)
    if not isinstance(output, Value):
        got = "None (is a return missing?)" if output is None else type(output).__name__
        raise TypeError(
            f"f must return one Value that depends on its inputs, got {got}; of several, check each or their sum"
        )
    again = f(*_as_leaves(inputs, names))
    if repr(float(again)) != repr(output.data):
        raise ValueError(f"f is not the same from call to call: it gave {output.data!r}, then {float(again)!r}")
    nodes = topological_order(output)
    for node in nodes:
        if node.op is not None:
            check_node(node, node.op)
    certificate = certify(output)
    check_adjoints(output, nodes, certificate)
    check_recording(f, inputs, output, certificate, leaves)
    if order > 1:
        for i in range(len(names)):
            if isinstance(partial_derivative(f, i)(*_as_leaves(inputs, names)), Value):
                _check(partial_derivative(f, i), inputs, names, order - 1)
        for node in nodes:  # last, for a wrong rule of an operation that a rule uses has been blamed by now
            for n in range(2, order + 1):
                if node.op is not None:
                    check_higher(node, node.op, n)


# ---- inputs --------------------------------------------------------------------------------------------------------


def _as_input(x: Any) -> float:
    if isinstance(x, Value):
        raise TypeError(
            f"check_gradients makes Values of its inputs, got {x!r:.60}: pass its data, {x.data!r}; Values that f "
            "closes over, such as the weights of a model, are checked as they are"
        )
    return as_float(x)


def _as_leaves(inputs: list[Any], names: list[str]) -> list[Any]:
    """New leaves in the structure of the inputs."""
    left = iter(names)
    return [map_numbers(lambda x: Value(x, next(left)), x) for x in inputs]


def _names(f: Callable[..., Any], inputs: list[Any]) -> list[str]:
    """A name for every number: that of the argument of ``f``, with its place in a list."""
    try:
        parameters = [p.name for p in inspect.signature(f).parameters.values() if p.kind is not p.VAR_POSITIONAL]
    except (TypeError, ValueError):
        parameters = []
    if len(parameters) < len(inputs):
        parameters = [f"x{i}" for i in range(len(inputs))]

    def named(name: str, x: Any) -> list[str]:
        return (
            [n for i, part in enumerate(x) for n in named(f"{name}[{i}]", part)]
            if isinstance(x, (list, tuple))
            else [name]
        )

    return [name for parameter, x in zip(parameters, inputs, strict=False) for name in named(parameter, x)]
