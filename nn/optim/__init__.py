"""Optimisers: how the parameters move, given their gradients."""

from .optimizer import Optimizer as Optimizer
from .sgd import SGD as SGD
