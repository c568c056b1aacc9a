"""Derivatives of functions: ``grad`` and its relatives, each a thin function over one reverse or forward pass.

They take a function of several numbers or of lists of numbers (nested as deep as you like) and give back derivatives of
the same structure: for one argument its derivative, for several a tuple. Numbers in, numbers out; where a derivative
depends on a Value (an argument or one that the function closes over) it is a Value, a graph, so that derivatives nest
to any order, forward over reverse and reverse over forward included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from reprlib import repr as shown
from typing import Any

from .forward import Dual, new_level, split
from .op import Number, as_float, is_number
from .ops import dot
from .reverse import adjoints
from .value import Value, topological_order

Function = Callable[..., Any]

DEEPEST = 100
"""Lists may be nested so deep."""

HIGHEST = 100
"""The highest order of ``derivative``; each takes about twice the time of the one below."""


def grad(f: Function) -> Function:
    """The gradient of ``f``: a function of the same arguments.

    Raises:
        TypeError: an argument is not a number or a list of numbers, or ``f`` does not return one number.

    >>> grad(lambda x, y: x * y + y**3)(2.0, 3.0)
    (3.0, 29.0)
    >>> grad(lambda w: w[0] * w[1])([2.0, 3.0])
    [3.0, 2.0]
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    """
    both = value_and_grad(f)
    return lambda *args: both(*args)[1]


def value_and_grad(f: Function) -> Function:
    """The value and the gradient of ``f`` together: a function of the same arguments that returns the pair.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """
    _check_function(f)

    def evaluate(*args: Any) -> tuple[Any, Any]:
        inputs = _Inputs(args)
        out = f(*inputs.variables)
        if not is_number(out):
            raise TypeError(
                f"grad takes a function that returns one number, got {_kind(out)}; for several use jacobian"
            )
        return inputs.value(out), inputs.gradient(out)

    return evaluate


def jacobian(f: Function) -> Function:
    """All partial derivatives of ``f``, which returns a list of numbers: that list with a gradient for each number.

    >>> jacobian(lambda x, y: [x * y, x + y])(2.0, 3.0)
    [(3.0, 2.0), (1.0, 1.0)]
    >>> jacobian(lambda x: [3 * x[0], x[0] * x[1]])([2.0, 5.0])
    [[3.0, 0.0], [5.0, 2.0]]
    """
    _check_function(f)

    def evaluate(*args: Any) -> Any:
        inputs = _Inputs(args)
        return map_numbers(inputs.gradient, f(*inputs.variables))

    return evaluate


def hessian(f: Function) -> Function:
    """The second derivatives of ``f``, which returns one number: ``jacobian(grad(f))``.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """
    return jacobian(grad(f))


def vjp(f: Function, *args: Any) -> tuple[Any, Function]:
    """``f(*args)``, and the function that pulls a cotangent of it back: v ↦ vᵀ · J (one reverse pass).

    >>> value, pull_back = vjp(lambda x: [x[0] * x[1], x[0]], [2.0, 3.0])
    >>> value, pull_back([1.0, 10.0])
    ([6.0, 2.0], [13.0, 2.0])
    """
    _check_function(f)
    inputs = _Inputs(args)
    out = f(*inputs.variables)

    def pull_back(cotangent: Any) -> Any:
        return inputs.gradient(dot(numbers_of(out), _aligned(cotangent, out, "the cotangent", "the value of f")))

    return map_numbers(inputs.value, out), pull_back


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """``f(*primals)``, and its derivative along ``tangents``: J · v (one forward pass, no graph).

    Args:
        f: any function of ``len(primals)`` arguments.
        primals: the arguments, each a number or a list of numbers.
        tangents: the direction, of the same structure.

    Raises:
        TypeError: ``primals`` or ``tangents`` is no list or tuple.
        ValueError: ``tangents`` has not the structure of ``primals``.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    """
    _check_function(f)
    if not (_is_list(primals) and _is_list(tangents)):
        raise TypeError("primals and tangents have one entry per argument of f: for one argument, jvp(f, (x,), (v,))")
    level = new_level()
    directions = iter(_aligned(list(tangents), list(primals), "the tangents", "the primals"))
    out = f(*[map_numbers(lambda x: _along(_plain(x), _plain(next(directions)), level), x) for x in primals])
    # A number that does not depend on the inputs has the tangent 0.
    return map_numbers(lambda y: split(y, level)[0], out), map_numbers(lambda y: _or_zero(split(y, level)[1]), out)


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian of ``f`` times a vector, without the Hessian: forward over reverse (Pearlmutter 1994).

    >>> hvp(lambda x: x[0] ** 2 * x[1], ([3.0, 5.0],), ([1.0, 0.0],))
    [10.0, 6.0]
    """
    return jvp(grad(f), primals, tangents)[1]


def derivative(f: Function, order: int = 1) -> Function:
    """The ``order``-th derivative of a function of one number, by nested forward passes.

    Raises:
        ValueError: ``order`` is not a whole number from 0 to 100.
        TypeError: ``f`` is no function, or is called on anything but one number.

    >>> derivative(lambda x: x**5, order=3)(2.0)
    240.0
    """
    _check_function(f)
    if not isinstance(order, int) or not 0 <= order <= HIGHEST:
        raise ValueError(f"the order of a derivative is a whole number from 0 to {HIGHEST}, got {shown(order)}")
    if order == 0:
        return f
    lower = derivative(f, order - 1)

    def evaluate(x: Any) -> Any:
        if not is_number(x):
            raise TypeError(
                f"derivative takes a function of one number, got {_kind(x)}; for lists use grad or jacobian"
            )
        return jvp(lower, (x,), (1.0,))[1]

    return evaluate


class _Inputs:
    """The arguments of a function, made variables, and the derivatives with respect to them."""

    def __init__(self, args: tuple[Any, ...]) -> None:
        self.leaves: list[Value] = []
        self.variables: list[Any] = [map_numbers(self._variable, x) for x in args]
        self.args = args

    def _variable(self, x: Any) -> Any:
        if isinstance(x, Dual):
            return Dual(self._variable(x.primal), x.tangent, x.level)
        # A Value gets a node of its own, equal and connected to it: the function may also close over the Value itself,
        # and that use is no use of the argument.
        leaf: Value = x * 1.0 if isinstance(x, Value) else Value(x)
        self.leaves.append(leaf)
        return leaf

    def value(self, out: Any) -> Any:
        """``out`` as the caller should see it: a float if it rests on nothing that the caller could know."""
        if isinstance(out, Dual):
            return Dual(self.value(out.primal), self.value(out.tangent), out.level)
        return float(out) if self._is_ours(out) else out

    def _is_ours(self, out: Any) -> bool:
        if not isinstance(out, Value):
            return False
        leaves = set(self.leaves)
        return all(node in leaves for node in topological_order(out) if node.op is None)

    def gradient(self, out: Any) -> Any:
        """∂out/∂variable for each, in the structure of the arguments."""
        found = iter(self._partials(out))
        parts = [map_numbers(lambda _: next(found), x) for x in self.args]
        return parts[0] if len(parts) == 1 else tuple(parts)

    def _partials(self, out: Any) -> list[Any]:
        if isinstance(out, Dual):  # d(p + tε) = dp + dt·ε
            pairs = zip(self._partials(out.primal), self._partials(out.tangent), strict=True)
            return [Dual(p, t, out.level) for p, t in pairs]
        found = adjoints(out, self.leaves) if isinstance(out, Value) else {}
        return [found.get(leaf, 0.0) for leaf in self.leaves]


def _along(primal: Any, tangent: Any, level: int) -> Any:
    # What does not move is a constant: 0 times a local derivative that is inf or nan is not asked for.
    return primal if isinstance(tangent, float) and tangent == 0.0 else Dual(primal, tangent, level)


def _check_function(f: Any) -> None:
    if not callable(f):
        raise TypeError(f"expected a function to differentiate, got {_kind(f)}; grad(f) is a function: grad(f)(x)")


def _plain(x: Any) -> Any:
    return x if isinstance(x, Number) else as_float(x)


def _or_zero(tangent: Any) -> Any:
    return 0.0 if tangent is None else tangent


def _is_list(x: Any) -> bool:
    return isinstance(x, (list, tuple)) or getattr(x, "ndim", 0) > 0


def map_numbers(function: Function, x: Any, depth: int = DEEPEST) -> Any:
    """``function`` of every number in ``x``, a number or nested lists, in the same structure."""
    if _is_list(x):
        parts = [map_numbers(function, part, depth - 1) for part in _parts(x, depth)]
        return tuple(parts) if isinstance(x, tuple) else parts
    if not is_number(x):
        raise TypeError(f"expected a number or a list of numbers, got {_kind(x)}")
    return function(x)


def numbers_of(x: Any) -> list[Any]:
    """Every number in ``x``, a number or nested lists."""
    found: list[Any] = []
    map_numbers(found.append, x)
    return found


def _aligned(x: Any, model: Any, what: str, model_name: str) -> list[Any]:
    """The numbers of ``x``, which must have the structure of ``model``."""
    if _shape(x) != _shape(model):
        raise ValueError(f"{what} must have the structure of {model_name}: expected {_shape(model)}, got {_shape(x)}")
    return numbers_of(x)


def _shape(x: Any, depth: int = DEEPEST) -> str:
    return f"[{', '.join([_shape(part, depth - 1) for part in _parts(x, depth)])}]" if _is_list(x) else "·"


def _parts(x: Any, depth: int) -> Any:
    if not depth:
        raise ValueError(f"lists are nested more than {DEEPEST} deep (is one inside itself?)")
    return x


def _kind(x: Any) -> str:
    return f"{type(x).__name__} ({shown(x)})" if x is not None else "None (is a return missing?)"
