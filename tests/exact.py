"""What the values and gradients of a recorded graph are exactly: two witnesses that know no rule of the engine.

``Balls`` evaluates the graph in Arb's balls (python-flint): a truncated power series x + t goes in at a node, and the
coefficient of t that comes out is the derivative. A ball contains the exact number, so it decides without a tolerance;
one that is too thick to decide is asked for again with more bits. ``difference`` computes the graph twice more in
mpmath, beside a leaf, at two precisions, and has an answer only if both agree.

An operation on series is composed of those that Arb has. Where a function is steep or cancels, its first coefficient
is Arb's own, and the second that of the composition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add, mul
from typing import Any

import mpmath
from flint import arb, arb_series, ctx
from mpmath import mp, mpf

from autograd import Interval, Value, topological_order
from autograd.testing.oracle import DERIVATIVES, VALUES

BITS = (256, 1024, 4096)  # of the balls, tried in turn
DIFFERENCE_BITS = (200, 400)
AGREEMENT = mpf("1e-25")

Step = tuple[str | None, list[int | float]]


class UndecidedError(ArithmeticError):
    """The exact number does not exist, or this precision cannot tell which it is."""


def steps_of(output: Value) -> tuple[list[Value], list[Step]]:
    """The nodes of a graph, inputs first, and how each is made: its row and operands, which are positions or literals.

    A leaf has no row, and its number for an operand.
    """
    nodes = topological_order(output)
    position = {node: i for i, node in enumerate(nodes)}
    steps: list[Step] = []
    for node in nodes:
        if node.op is None:
            steps.append((None, [node.data]))
        else:
            steps.append((node.op.name, [position[x] if isinstance(x, Value) else x for x in node.inputs]))
    return nodes, steps


def _affected(steps: Sequence[Step], start: int) -> list[int]:
    """The positions of what depends on node ``start``, in order."""
    seen = {start}
    for i in range(start + 1, len(steps)):
        name, operands = steps[i]
        if name is not None and any(x.__class__ is int and x in seen for x in operands):
            seen.add(i)
    return sorted(seen)[1:]


# ---- balls -----------------------------------------------------------------------------------------------------------


class Balls:
    """The exact values of a graph, and its exact derivatives, as balls of ``bits`` bits."""

    def __init__(self, steps: Sequence[Step], bits: int) -> None:
        self.steps = steps
        self.bits = bits
        self.numbers: list[arb_series | None] = []  # None: undecided
        self.at_kink = False
        with ctx.workprec(bits):
            for name, operands in steps:
                try:
                    self.numbers.append(self._evaluated(name, operands, self.numbers))
                    self.at_kink = self.at_kink or self._has_kink(name, operands)
                except UndecidedError:
                    self.numbers.append(None)

    def value(self, i: int) -> arb:
        """The exact value of node ``i``. Raises UndecidedError if there is none, or more bits are needed."""
        number = self.numbers[i]
        if number is None:
            raise UndecidedError
        return number[0]

    def derivatives(self, i: int) -> list[arb]:
        """∂output/∂node ``i``: one number, or two, those to its right and its left, if some node is at a kink exactly.

        Raises:
            UndecidedError: there is no derivative, or more bits are needed.
        """
        self.value(-1)
        with ctx.workprec(self.bits):
            return [self._derivative(i, 1)] + ([-self._derivative(i, -1)] if self.at_kink else [])

    def _derivative(self, i: int, direction: int) -> arb:
        numbers = list(self.numbers)
        numbers[i] = _series(self.value(i), direction)
        for k in _affected(self.steps, i):
            numbers[k] = self._evaluated(*self.steps[k], numbers)
        return numbers[-1][1]

    def _evaluated(self, name: str | None, operands: list[int | float], numbers: list[Any]) -> arb_series:
        if name is None:
            return _series(operands[0], 0)
        inputs = [numbers[x] if x.__class__ is int else _series(x, 0) for x in operands]
        if None in inputs:
            raise UndecidedError
        try:
            out = FUNCTIONS[name](*inputs)
        except (ValueError, ZeroDivisionError):  # of a ball that contains 0
            raise UndecidedError from None
        if not (out[0].is_finite() and out[1].is_finite()):
            raise UndecidedError
        return out

    def _has_kink(self, name: str | None, operands: list[int | float]) -> bool:
        if name not in KINKS:
            return False
        inputs = [self.numbers[x] if x.__class__ is int else _series(x, 0) for x in operands]
        return bool(KINKS[name](*inputs)[0].is_zero())


def _series(value: Any, slope: Any) -> arb_series:
    """value + slope · t."""
    return arb_series([value, slope], 2)


def _sign(x: arb_series) -> int:
    """The sign of x for small t > 0: 1, -1, or 0."""
    for coefficient in (x[0], x[1]):
        if coefficient > 0:
            return 1
        if coefficient < 0:
            return -1
        if not coefficient.is_zero():
            raise UndecidedError
    return 0


def _difference_of(x: arb_series, y: arb_series) -> arb_series:
    return _series(0, 0) if x is y else x - y  # a ball less itself is a ball around 0


def _order(x: arb_series, y: arb_series) -> int:
    """The sign of x - y for small t > 0."""
    return _sign(_difference_of(x, y))


def _sign_now(x: arb_series) -> int:
    """The sign of x at t = 0."""
    return _sign(_series(x[0], 0))


def _comparison(holds: Callable[[int], bool]) -> Callable[..., arb_series]:
    return lambda x, y: _series(int(holds(_sign_now(_difference_of(x, y)))), 0)


def _where(c: arb_series, x: arb_series, y: arb_series) -> arb_series:
    return x if _sign_now(c) else y


def _abs(x: arb_series) -> arb_series:
    return x if _sign(x) >= 0 else -x


def _sqrt(x: arb_series) -> arb_series:
    return x if x[0].is_zero() and x[1].is_zero() else x.sqrt()


def _expm1(x: arb_series) -> arb_series:
    return _series(x[0].expm1(), x.exp()[1])


def _log1p(x: arb_series) -> arb_series:
    return _series(x[0].log1p(), (1 + x).log()[1])


def _sinh(x: arb_series) -> arb_series:
    e = x.exp()
    return _series(x[0].sinh(), ((e - 1 / e) / 2)[1])


def _cosh(x: arb_series) -> arb_series:
    e = x.exp()
    return (e + 1 / e) / 2


def _tanh(x: arb_series) -> arb_series:
    if not x[0] > 0:
        return -_tanh_of_positive(-x)
    return _tanh_of_positive(x)


def _tanh_of_positive(x: arb_series) -> arb_series:
    e = (-2 * x).exp()
    return _series(x[0].tanh(), ((1 - e) / (1 + e))[1])


def _sigmoid(x: arb_series) -> arb_series:
    return 1 / (1 + (-x).exp())


def _sigmoid_derivative(x: arb_series) -> arb_series:
    return _sigmoid(x) * _sigmoid(-x)


def _softplus(x: arb_series) -> arb_series:
    return x + _log1p((-x).exp()) if x[0] > 0 else _log1p(x.exp())


def _silu_derivative(x: arb_series) -> arb_series:
    return _sigmoid(x) * (1 + x * _sigmoid(-x))


def _normal_cdf(x: arb_series) -> arb_series:
    return (-x / arb(2).sqrt()).erfc() / 2


def _normal_density(x: arb_series) -> arb_series:
    return (-x * x / 2).exp() / (2 * arb.pi()).sqrt()


def _hypot(x: arb_series, y: arb_series) -> arb_series:
    if x[0].is_zero() and y[0].is_zero():
        return _series(0, (x[1] * x[1] + y[1] * y[1]).sqrt())
    return (x * x + y * y).sqrt()


def _atan2(y: arb_series, x: arb_series) -> arb_series:
    if y[0] > 0:
        return arb.pi() / 2 - (x / y).atan()
    if y[0] < 0:
        return -arb.pi() / 2 - (x / y).atan()
    if x[0] > 0:
        return (y / x).atan()
    raise UndecidedError  # the origin, or its cut


def _logaddexp(x: arb_series, y: arb_series) -> arb_series:
    return y + _softplus(x - y)


def _logsumexp(*xs: arb_series) -> arb_series:
    return reduce(_logaddexp, xs)


def _dot(*inputs: arb_series) -> arb_series:
    half = len(inputs) // 2
    return reduce(add, map(mul, inputs[:half], inputs[half:]))


def _power(x: arb_series, y: arb_series) -> arb_series:
    """x^y, for x > 0, or for a y that is a whole number and does not depend on t."""
    if x[0] > 0:
        return (y * x.log()).exp()
    constant = y[1].is_zero()
    if constant and y[0] == 1:
        return x
    if constant and y[0].is_zero():
        return _series(1, 0)
    if x[0].is_zero() and (y[0] > 1 or (y[0] > 0 and x[1].is_zero())):
        return _series(0, 0)
    if not (x[0] < 0 and constant and y[0].is_exact() and y[0].is_integer()):
        raise UndecidedError
    power = (y * (-x).log()).exp()
    return -power if int(y[0].unique_fmpz()) % 2 else power


def _power_derivative(x: arb_series, y: arb_series, k: arb_series, j: arb_series) -> arb_series:
    """∂^(k+j) x^y / ∂x^k ∂y^j = x^(y-k) · (∂/∂y + log x)^j y(y-1)…(y-k+1), for k <= 2 and j <= 1."""
    if _whole(j) > 1:
        raise UndecidedError
    falling, slope = ((1 + 0 * y, 0 * y), (y, 1 + 0 * y), (y * (y - 1), 2 * y - 1))[_whole(k)]
    if _whole(j):
        falling = slope + falling * x.log()
    elif falling[0].is_zero() and falling[1].is_zero():
        return falling
    return falling * _power(x, y - k)


def _hypot_derivative(x: arb_series, y: arb_series, k: arb_series, j: arb_series) -> arb_series:
    orders = _whole(k), _whole(j)
    h = _hypot(x, y)
    if orders == (0, 0):
        return h
    numerator, n = {
        (1, 0): (x, 1),
        (0, 1): (y, 1),
        (1, 1): (-x * y, 3),
        (2, 0): (y * y, 3),
        (2, 1): (y * (2 * x * x - y * y), 5),
    }[orders]
    return numerator / reduce(mul, [h] * n)


def _atan2_derivative(y: arb_series, x: arb_series, k: arb_series, j: arb_series) -> arb_series:
    orders = _whole(k), _whole(j)
    if orders == (0, 0):
        return _atan2(y, x)
    numerator, n = {
        (1, 0): (x, 1),
        (0, 1): (-y, 1),
        (1, 1): (y * y - x * x, 2),
        (2, 0): (-2 * x * y, 2),
        (2, 1): (2 * y * (3 * x * x - y * y), 3),
    }[orders]
    return numerator / reduce(mul, [x * x + y * y] * n)


def _whole(x: arb_series) -> int:
    return int(x[0].unique_fmpz())


FUNCTIONS: dict[str | None, Callable[..., arb_series]] = {
    "add": add,
    "sub": _difference_of,
    "mul": mul,
    "div": lambda x, y: _series(1, 0) if x is y else x / y,
    "neg": lambda x: -x,
    "abs": _abs,
    "pow": _power,
    "exp": lambda x: x.exp(),
    "expm1": _expm1,
    "log": lambda x: x.log(),
    "log1p": _log1p,
    "sqrt": _sqrt,
    "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(),
    "tan": lambda x: x.tan(),
    "asin": lambda x: x.asin(),
    "acos": lambda x: x.acos(),
    "atan": lambda x: x.atan(),
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + _abs(x)),
    "relu": lambda x: x if _sign(x) > 0 else _series(0, 0),
    "leaky_relu": lambda x: x if _sign(x) > 0 else arb(0.01) * x,
    "elu": lambda x: x if _sign(x) > 0 else _expm1(x),
    "silu": lambda x: x * _sigmoid(x),
    "gelu": lambda x: x * _normal_cdf(x),
    "erf": lambda x: x.erf(),
    "erfc": lambda x: x.erfc(),
    "maximum": lambda x, y: x if _order(x, y) >= 0 else y,
    "minimum": lambda x, y: x if _order(x, y) <= 0 else y,
    "hypot": _hypot,
    "atan2": _atan2,
    "logaddexp": _logaddexp,
    "lt": _comparison(lambda sign: sign < 0),
    "le": _comparison(lambda sign: sign <= 0),
    "gt": _comparison(lambda sign: sign > 0),
    "ge": _comparison(lambda sign: sign >= 0),
    "where": _where,
    "sum": lambda *xs: reduce(add, xs),
    "dot": _dot,
    "logsumexp": _logsumexp,
    "difference": _difference_of,
    "quotient": lambda x, y, n: x / reduce(mul, [y] * _whole(n)),
    "power_derivative": _power_derivative,
    "hypot_derivative": _hypot_derivative,
    "atan2_derivative": _atan2_derivative,
    "sigmoid_derivative": _sigmoid_derivative,
    "tanh_derivative": lambda x: 4 * _sigmoid_derivative(2 * x),
    "silu_derivative": _silu_derivative,
    "gelu_derivative": lambda x: _normal_cdf(x) + x * _normal_density(x),
    "erf_derivative": lambda x: 2 * (-x * x).exp() / arb.pi().sqrt(),
    "normal_cdf": _normal_cdf,
    "normal_density": _normal_density,
}

KINKS: dict[str | None, Callable[..., arb_series]] = {
    **dict.fromkeys(("abs", "softsign", "relu", "leaky_relu", "elu"), lambda x: x),
    **dict.fromkeys(("maximum", "minimum"), _difference_of),
    "hypot": lambda x, y: x * x + y * y,
}
"""Of each row with a kink, what is 0 there."""


# ---- differences -----------------------------------------------------------------------------------------------------


def difference(steps: Sequence[Step], leaf: int) -> mpf:
    """∂output/∂leaf as a central difference of values, computed at two precisions with steps of their own.

    Raises:
        UndecidedError: the two do not agree to 25 digits, or see nothing.
    """
    coarse, fine = (_difference(steps, leaf, bits) for bits in DIFFERENCE_BITS)
    if not fine or not abs(fine - coarse) <= AGREEMENT * abs(fine):
        raise UndecidedError
    return fine


def _difference(steps: Sequence[Step], leaf: int, bits: int) -> mpf:
    affected = _affected(steps, leaf)
    constant = sorted(set(range(len(steps))).difference(affected))
    with mp.workprec(bits):
        numbers = [mpf(0)] * len(steps)
        for i in constant:
            numbers[i] = _value(*steps[i], numbers)
        x = numbers[leaf]
        step = mp.ldexp(min(abs(x), mpf(1)) or mpf(1), -3 * bits // 10)
        places = [x - step, x + step]
        jumps = any(steps[i][0] == "where" for i in affected)
        if jumps:  # at x itself it may take another way than on both sides
            places.insert(0, x)
        outs = []
        for numbers[leaf] in places:
            for i in affected:
                numbers[i] = _value(*steps[i], numbers)
            outs.append(numbers[-1])
        if jumps and abs(outs[0] - (outs[1] + outs[2]) / 2) > mp.sqrt(step):
            raise UndecidedError
        return (outs[-1] - outs[-2]) / (2 * step)


def _value(name: str | None, operands: list[int | float], numbers: list[mpf]) -> mpf:
    inputs = [numbers[x] if x.__class__ is int else mpf(x) for x in operands]
    if name is None:
        return inputs[0]
    try:
        out = _value_of(name, inputs)
    except (ArithmeticError, ValueError) as error:
        raise UndecidedError from error
    # Where digits are lost, numbers that differ become equal, and the other way is taken: at both precisions.
    if (name in NEVER_ZERO and not out) or (name in COMPARED and inputs[0] == (inputs[1] if len(inputs) == 2 else 0)):
        raise UndecidedError
    return out


def _value_of(name: str | None, inputs: list[mpf]) -> mpf:
    if name not in DERIVATIVES:
        return VALUES[name](*inputs)
    base, orders = DERIVATIVES[name]
    if orders is None:
        half = len(inputs) // 2
        inputs, orders = inputs[:half], tuple(int(k) for k in inputs[half:])
    if not any(orders):
        return VALUES[base](*inputs)
    half_turns = int(base == "atan2" and inputs[1] < 0)  # away from the cut, across which there are no differences
    inputs = [-x if half_turns else x for x in inputs]
    return (-1) ** (half_turns * sum(orders)) * mp.diff(VALUES[base], tuple(inputs), orders)


NEVER_ZERO = {"exp", "sigmoid", "softplus", "erfc", "normal_cdf", "normal_density"}
NEVER_ZERO |= {"sigmoid_derivative", "tanh_derivative", "erf_derivative"}
COMPARED = {"lt", "le", "gt", "ge", "maximum", "minimum", "abs", "softsign", "relu", "leaky_relu", "elu"}


# ---- judging ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """Whether one exact number lies in the interval that a certificate gives for it; None if that is undecided."""

    witness: str
    quantity: str
    node: int
    inside: bool | None
    exact: str
    interval: Interval


def by_balls(steps: Sequence[Step], intervals: dict[tuple[str, int], Interval]) -> Iterator[Finding]:
    """Where the exact values and gradients lie, of which ``intervals`` has some: by ("value" or "gradient", node)."""
    pending = intervals
    for bits in BITS:
        if not pending:
            return
        balls = Balls(steps, bits)
        undecided = {}
        for (quantity, i), interval in pending.items():
            try:
                exact = [balls.value(i)] if quantity == "value" else balls.derivatives(i)
            except UndecidedError:
                undecided[quantity, i] = interval
                continue
            places = [_place(ball, interval) for ball in exact]
            if None in places and False not in places:
                undecided[quantity, i] = interval
            else:
                yield Finding("Arb", quantity, i, all(places), " and ".join(x.str(25) for x in exact), interval)
        pending = undecided
    for (quantity, i), interval in pending.items():
        yield Finding("Arb", quantity, i, None, "", interval)


def _place(ball: arb, interval: Interval) -> bool | None:
    lower, upper = arb(interval.lower), arb(interval.upper)
    if ball >= lower and ball <= upper:
        return True
    return False if ball < lower or ball > upper else None


def by_difference(steps: Sequence[Step], leaf: int, interval: Interval) -> Finding:
    """Where the exact gradient of a leaf lies."""
    try:
        exact = difference(steps, leaf)
    except UndecidedError:
        return Finding("mpmath", "gradient", leaf, None, "", interval)
    with mp.workprec(DIFFERENCE_BITS[-1]):
        error = AGREEMENT * abs(exact)
        inside = interval.lower <= exact - error and exact + error <= interval.upper
        outside = exact + error < interval.lower or interval.upper < exact - error
    return Finding("mpmath", "gradient", leaf, inside if inside or outside else None, mpmath.nstr(exact, 25), interval)
