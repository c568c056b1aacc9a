"""What a check may say: that a derivative is wrong, or why it cannot tell."""

from __future__ import annotations


class GradientError(AssertionError):
    """A value or a derivative is further from the truth than is promised."""


class UndefinedError(ArithmeticError):
    """The exact function has no real value there."""


class UndecidedError(ArithmeticError):
    """Two precisions do not agree: nothing is known of the truth."""


class BlackBoxError(TypeError):
    """The forward function computes in floats only, so its exact value is not known."""
