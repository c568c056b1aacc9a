"""What all optimisers share: whose parameters move, on Values or as a vector, and what is remembered between steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from autograd import Value

from ..ranges import nonnegative, positive, whole
from .vectors import check_vector

if TYPE_CHECKING:
    from .vectors import Vector


class Optimizer:
    """The base of all optimisers. Each is its equation, ``descent``, and the names of the vectors that it remembers.

    Args:
        parameters: what is moved, such as ``model.parameters()``; P Values.
        learning_rate: how far; it may be assigned between steps, as schedules do.
        weight_decay: adds weight_decay · Σ p² / 2 to the loss, hence weight_decay · p to its gradient.
        clip: a function of the loss's gradient (P,) that gives the one to be used, such as ``ClipByNorm(1.0)``; the
            gradient of the weight decay is added afterwards.

    Raises:
        TypeError: ``parameters`` is no list, or ``clip`` no function.
        ValueError: there are no parameters, or a setting is out of its range.

    An optimiser of one's own (here of Bernstein et al. 2018), which then takes Values and vectors, and moves all of
    them or none:

    >>> class SignSGD(Optimizer):
    ...     def descent(self, parameters, gradient, state, step):
    ...         import numpy as np
    ...         return self.learning_rate * np.sign(gradient)
    >>> p = Value(1.0)
    >>> optimizer = SignSGD([p], learning_rate=0.25)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> p.data
    0.75
    >>> optimizer
    SignSGD(1 parameter, learning_rate=0.25, weight_decay=0.0, clip=None)
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float,
        weight_decay: float = 0.0,
        clip: Callable[[Vector], Vector] | None = None,
    ) -> None:
        if not isinstance(parameters, Iterable):
            raise TypeError(
                f"an optimiser takes a list of parameters, such as model.parameters(), got {shown(parameters)}"
            )
        self.parameters = list(parameters)
        if not self.parameters or not all(isinstance(p, Value) for p in self.parameters):
            raise ValueError(
                "an optimiser takes a list of parameters, such as model.parameters(): Values, at least one"
            )
        if clip is not None and not callable(clip):
            raise TypeError(f"clip is a function of the gradient, such as ClipByNorm(1.0), got {shown(clip)}")
        self.learning_rate = positive("learning_rate", learning_rate)
        self.weight_decay = nonnegative("weight_decay", weight_decay)
        self.clip = clip
        # Rows of P numbers: the parameters as they were moved last, then each of ``state_names``. A step is computed in
        # the other array, and the two change places once it is done.
        self._rows: Any = None
        self._other: Any = None
        self._steps = 0

    @property
    def state_names(self) -> tuple[str, ...]:
        """The names of the vectors (P,) that are remembered from step to step; each is 0 before the first."""
        return ()

    def descent(self, parameters: Vector, gradient: Vector, state: Mapping[str, Vector], step: int) -> Vector:
        """The equation: what is to be subtracted from the parameters, a vector (P,).

        Args:
            parameters: (P,) floats, to be read only.
            gradient: (P,) floats, clipped and with the weight decay in it; to be read only.
            state: (P,) floats for each of ``state_names``, to be changed in place: copies, which take effect with the
                parameters.
            step: the number of this step, counted from 1.
        """
        raise NotImplementedError(f"{type(self).__name__} must define descent: what is subtracted from the parameters")

    def decayed(self, parameters: Vector, gradient: Vector) -> Vector:
        """The gradient with the weight decay in it."""
        return gradient + self.weight_decay * parameters if self.weight_decay else gradient

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for p in self.parameters:
            p.zero_grad()

    def step(self) -> None:
        """Move every parameter once, or, interrupted, none.

        Raises:
            OverflowError: a parameter, or what is remembered, would no longer be finite; none has moved.
        """
        import numpy as np

        before = [p.data for p in self.parameters]
        rows = self._moved(np.array(before), np.array([p.grad for p in self.parameters]))
        try:
            for p, data in zip(self.parameters, rows[0].tolist(), strict=True):
                p.data = data
            self._rows, self._other, self._steps = rows, self._rows, self._steps + 1
        except BaseException:
            for p, data in zip(self.parameters, before, strict=True):
                p.data = data
            raise

    def update(self, parameters: Vector, gradient: Vector) -> None:
        """Move a vector of parameters (P,) in place, given their gradient (P,), such as a program's.

        Raises:
            TypeError: one of them is no array of floats.
            ValueError: it has another shape than (P,).
            OverflowError: a parameter, or what is remembered, would no longer be finite; none has moved.

        >>> import numpy as np
        >>> from nn.optim import SGD
        >>> vector = np.array([1.0, 2.0])
        >>> SGD([Value(0.0), Value(0.0)], learning_rate=0.5).update(vector, gradient=np.array([2.0, 0.0]))
        >>> vector
        array([0., 2.])
        """
        check_vector("update takes the parameters", parameters, len(self.parameters))
        check_vector("update takes the gradient", gradient, len(self.parameters))
        rows = self._moved(parameters, gradient)
        # Python looks for Ctrl-C where something is called: not between these two lines.
        parameters[:] = rows[0]
        self._rows, self._other, self._steps = rows, self._rows, self._steps + 1

    def _moved(self, parameters: Vector, gradient: Vector) -> Vector:
        """The rows after a step. Nothing else is changed."""
        import numpy as np

        names, before, rows = self.state_names, self._rows, self._other
        if before is not None and len(before) != 1 + len(names):
            raise ValueError("a setting was changed that decides what is remembered from step to step")
        # New arrays in every step would cost more than its arithmetic: the system hands out large ones page by page.
        if rows is None or rows.dtype != parameters.dtype:
            rows = np.empty((1 + len(names), len(parameters)), parameters.dtype)
        if names:
            rows[1:] = 0.0 if before is None else before[1:]
        with np.errstate(all="ignore"):
            if self.clip is not None:
                gradient = self.clip(gradient)
                check_vector("clip must give the gradient", gradient, len(parameters))
            gradient = self.decayed(parameters, gradient)
            state = {name: rows[i] for i, name in enumerate(names, start=1)}
            np.subtract(parameters, self.descent(parameters, gradient, state, self._steps + 1), out=rows[0])
        if not np.isfinite(rows).all():
            whose = ["a parameter", *(f"the optimiser's {name}" for name in names)]
            which = [each for each, row in zip(whose, rows, strict=True) if not np.isfinite(row).all()]
            raise OverflowError(f"{which[0]} would no longer be finite")
        return rows  # type: ignore[no-any-return]

    def state_dict(self) -> dict[str, Any]:
        """What is remembered: a vector (P,) for each of ``state_names``, and "steps", how many were made.

        With it, the parameters, and an optimiser of the same settings, training goes on with the same numbers.

        >>> from nn.optim import SGD
        >>> SGD([Value(0.0), Value(0.0)], momentum=0.9).state_dict()
        {'velocity': array([0., 0.]), 'steps': 0}
        """
        import numpy as np

        rows = np.zeros((1 + len(self.state_names), len(self.parameters))) if self._rows is None else self._rows
        return {
            **{name: row.copy() for name, row in zip(self.state_names, rows[1:], strict=True)},
            "steps": self._steps,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Remember what ``state_dict`` gave. If it does not fit, nothing is changed.

        Raises:
            TypeError: ``state`` is no mapping, or a vector is none of floats.
            ValueError: a name is missing or unknown, a vector has another shape than (P,) or is not finite, or "steps"
                is no whole number of at least 0.
        """
        import numpy as np

        if not isinstance(state, Mapping):
            raise TypeError(f"a state is a mapping from names to vectors, as state_dict() gives it, got {shown(state)}")
        names = self.state_names
        if set(state) != {*names, "steps"}:
            expected = ", ".join([*names, "steps"])
            raise ValueError(f"the state of this optimiser has the names {expected}, got {shown(list(state))}")
        steps = whole("steps", state["steps"], least=0)
        vectors = [np.asarray(state[name]) for name in names]
        for name, vector in zip(names, vectors, strict=True):
            check_vector(f"load_state_dict takes the {name}", vector, len(self.parameters))
            if not np.isfinite(vector).all():
                raise ValueError(f"load_state_dict takes the {name} as finite numbers")
        rows = np.stack([vectors[0], *vectors]) if names else None
        self._rows, self._other, self._steps = rows, None, steps

    def __repr__(self) -> str:
        settings = [f"{name}={x!r}" for name, x in vars(self).items() if name[0] != "_" and name != "parameters"]
        count = len(self.parameters)
        return f"{type(self).__name__}({count} parameter{'s' if count != 1 else ''}, {', '.join(settings)})"
