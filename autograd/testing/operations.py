"""``check_operation``: one row of the table against its promise of accuracy, over its whole domain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from reprlib import repr as shown
from typing import TYPE_CHECKING

from ..op import Op
from ..symbol import input_names
from . import points as sampling
from .errors import GradientError
from .truth import ONE_AT_A_TIME

if TYPE_CHECKING:
    from .accuracy import Deviation


@dataclass(frozen=True)
class OperationReport:
    """What ``check_operation`` measured, all of it within the promise.

    Args:
        name: of the operation.
        unit: of the errors: ULP, ULP of a sum's terms, or ULP times the condition number for errors above 4 ULP.
        points: at how many points.
        value: the greatest error of the value, in these units, and where it is; None if nothing could be compared.
        local_derivatives: the same for each input, by its name; of lists, for all of their entries together. None also
            where central differences see no error, for they are not exact.
    """

    name: str
    unit: str
    points: int
    value: Deviation | None
    local_derivatives: dict[str, Deviation | None]

    def __str__(self) -> str:
        found = {"value": self.value, **{f"∂{name}": worst for name, worst in self.local_derivatives.items()}}
        lines = [
            f"    {what}: {worst.error:.2f} {self.unit} at {worst.point}" if worst else f"    {what}: not known exactly"
            for what, worst in found.items()
        ]
        return "\n".join([f"{self.name} at {self.points} points, greatest errors:", *lines])


def check_operation(op: Op, points: int = 120) -> OperationReport:
    """Measure the value and the local derivatives of ``op`` against numbers of many digits, over its whole domain.

    What is true comes from values alone, computed by mpmath at two precisions and differenced: no rule is asked. Of an
    operation of your own, the forward function itself is computed with more digits; if it calls ``math``, values are
    taken as they are, and derivatives are compared to central differences (``autograd.testing.oracle`` says how to
    state its exact function). The points are the same in every run: special ones, the ends of the domain, and numbers
    of all sizes. If it is not meant for some of these, it says so by its ``domain``.

    Args:
        op: an operation, such as ``autograd.exp``.
        points: at how many points.

    Returns:
        The greatest errors and where they are. Printed, it is a readable summary.

    Raises:
        GradientError: an error is above the promise of 4 ULP, times the condition number where that is above 1.
        UndecidedError: two precisions do not agree, as near a kink that ``smooth`` does not know of.
        ImportError: mpmath is missing.

    >>> import autograd
    >>> cube = autograd.operation("cube", lambda x: x**3, lambda x, out: 3.00001 * (x * x))
    >>> check_operation(cube)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    autograd.testing.errors.GradientError: ∂cube/∂x at (...) is off by ... ULP·max(1, κ), 4 are promised
    ...
    >>> cube = autograd.operation("cube", lambda x: x**3, lambda x, out: 3 * (x * x))
    >>> check_operation(cube).local_derivatives["x"].error <= 4.0
    True
    """
    try:
        from . import accuracy
    except ImportError as error:
        raise ImportError("check_operation needs mpmath: pip install 'chainrule[test]'") from error
    if not isinstance(op, Op):
        raise TypeError(f"check_operation takes an operation, such as autograd.exp, got a {type(op).__name__}")
    if type(points) is not int or points < 1:
        raise ValueError(f"points must be a whole number, at least 1, got {shown(points)}")
    sample = list(islice(sampling.points(op), points))
    unit = accuracy.unit_of(op)

    with ONE_AT_A_TIME:
        value = _worst(accuracy.value_deviation(op, point) for point in sample)
        _raise_if_above(accuracy.PROMISE, unit, op.name, value)

        names = input_names(op)[: len(op.rules) - op.orders]
        found: dict[str, list[Deviation | None]] = {name: [] for name in names}
        for point in sample:
            for i, deviation in enumerate(accuracy.local_deviations(op, point)):
                found[names[0 if op.lists else i]].append(deviation)
        for name, deviations in found.items():
            _raise_if_above(accuracy.PROMISE, unit, f"∂{op.name}/∂{name}", _worst(deviations))
        local_derivatives = {
            name: _worst(x for x in deviations if x and x.is_exact) for name, deviations in found.items()
        }
    return OperationReport(op.name, unit, points, value, local_derivatives)


def _worst(deviations: Iterable[Deviation | None]) -> Deviation | None:
    return max((each for each in deviations if each is not None), key=lambda each: each.error, default=None)


def _raise_if_above(promise: float, unit: str, what: str, worst: Deviation | None) -> None:
    if worst is not None and not worst.error <= promise:
        raise GradientError(
            f"{what} at {worst.point} is off by {worst.error:.4g} {unit}, {promise:g} are promised\n{worst}"
        )
