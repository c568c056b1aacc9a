"""A thin neural-network layer on ``autograd``: modules that record Values, and a loop that trains them.

>>> import nn
>>> nn.MLP(1, [16, 16, 1], activation="tanh")
MLP(1 → 16 tanh → 16 tanh → 1, 321 parameters)
"""

from typing import Any as _Any

try:
    from autograd import Value as _Value  # noqa: F401
except ImportError as _error:
    import autograd as _autograd

    raise ImportError(
        f"nn needs chainrule's package autograd, but found another of that name in {_autograd.__file__}: "
        "uninstall it (pip uninstall autograd), then install chainrule again"
    ) from _error

from . import augment as augment
from . import data as data
from . import initializers as initializers
from . import losses as losses
from . import metrics as metrics
from . import optim as optim
from . import penalties as penalties
from . import plots as plots
from . import schedules as schedules
from .exports import to_onnx as to_onnx
from .exports import to_torch as to_torch
from .history import History as History
from .layers import Activation as Activation
from .layers import BatchNorm as BatchNorm
from .layers import Dropout as Dropout
from .layers import Layer as Layer
from .layers import Neuron as Neuron
from .modules import Module as Module
from .networks import MLP as MLP
from .networks import Sequential as Sequential
from .prediction import Predictor as Predictor
from .prediction import predict as predict
from .training import DivergedError as DivergedError
from .training import fit as fit


def __getattr__(name: str) -> _Any:
    """``nn.estimators``, which needs scikit-learn, and takes seconds to load."""
    if name == "estimators":
        from importlib import import_module

        return import_module("nn.estimators")
    raise AttributeError(f"module 'nn' has no attribute {name!r}")
