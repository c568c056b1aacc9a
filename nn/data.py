"""Data to learn from."""

from __future__ import annotations

import math
from random import Random
from reprlib import repr as shown

MOST_SAMPLES = 10_000_000
"""More would be a slip of the keyboard, and take the machine's memory."""


def sin(samples: int, noise: float = 0.0, seed: int = 0) -> tuple[list[float], list[float]]:
    """Points (x, sin x + noise), x uniform in [-π, π], the noise normal with standard deviation ``noise``.

    Raises:
        ValueError: ``samples`` is not positive and whole, or more than ten million; or ``noise`` is negative or not
            finite.

    >>> xs, ys = sin(100)
    >>> len(xs), max(abs(y - math.sin(x)) for x, y in zip(xs, ys))
    (100, 0.0)
    """
    if not isinstance(samples, int) or not 1 <= samples <= MOST_SAMPLES:
        raise ValueError(
            f"the number of samples must be positive and whole, at most {MOST_SAMPLES:,}, got {shown(samples)}"
        )
    if not 0.0 <= noise < math.inf:
        raise ValueError(f"the noise is a standard deviation, at least 0, got {noise}")
    rng = Random(seed)
    xs = [rng.uniform(-math.pi, math.pi) for _ in range(samples)]
    return xs, [math.sin(x) + rng.gauss(0.0, noise) for x in xs]
