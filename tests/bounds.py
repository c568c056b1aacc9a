"""Whether a bound holds, and is hardly greater than it has to be; in fractions."""

import math
from fractions import Fraction

from hypothesis import assume

SLACK = 1 + Fraction(1, 2**46)


def half_ulp(x):
    """The greatest error of a number that was rounded to ``x``."""
    return Fraction(math.ulp(x)) / 2


def check_bound(found, exactly, smallest, extra=0):
    """``exactly`` are the extremes of the exact values; a radius of about ``smallest`` is enough."""
    assume(math.isfinite(found.midpoint) and found.radius < math.inf)
    assert all(abs(each - Fraction(found.midpoint)) <= found.radius for each in exactly)
    assert found.radius <= smallest * SLACK + extra
