"""Vectors: what is given as parameters, or as their gradient."""

from __future__ import annotations

from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Vector = np.ndarray[Any, np.dtype[Any]]


def check_vector(said: str, vector: Vector, length: int | None = None) -> None:
    """Raise unless this is an array (P,) of floats, of this length if one is given.

    Raises:
        TypeError: it is no array of floats. The message begins with ``said``.
        ValueError: it has another shape.
    """
    import numpy as np

    if not isinstance(vector, np.ndarray) or vector.dtype.kind != "f":
        raise TypeError(f"{said} as an array of floats, got {shown(vector)}")
    if vector.ndim != 1 or len(vector) != (length or len(vector)):
        raise ValueError(f"{said} as ({length or 'P'},) numbers, got {vector.shape}")
