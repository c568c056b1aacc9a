"""A number that remembers how it was computed: scalar reverse-mode autograd, read in several ways.

Every operation of the table (``autograd.ops``) is a function of this package: ``autograd.exp``, ``autograd.dot``, ...
They take floats, Values and duals. So are the operations that you add with ``autograd.operation``.

>>> import autograd
>>> x = autograd.Value(0.5, "x")
>>> y = autograd.sin(x * x)
>>> y.backward()
>>> x.grad == autograd.cos(0.25)
True
"""

import importlib as _importlib
import os as _os
import sys as _sys
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from . import ops as ops
from .derivatives import derivative as derivative
from .derivatives import grad as grad
from .derivatives import hessian as hessian
from .derivatives import hvp as hvp
from .derivatives import jacobian as jacobian
from .derivatives import jvp as jvp
from .derivatives import value_and_grad as value_and_grad
from .derivatives import vjp as vjp
from .draw import Diagram as Diagram
from .draw import draw as draw
from .forward import Dual as Dual
from .functions import log_softmax as log_softmax
from .functions import mean as mean
from .functions import norm as norm
from .functions import softmax as softmax
from .names import names_of as names_of
from .notation import digits as digits
from .op import OPS as OPS
from .op import Op as Op
from .op import operation as operation
from .paths import ChainRule as ChainRule
from .paths import chain_rule as chain_rule
from .replay import replay as replay
from .steps import ForwardStep as ForwardStep
from .steps import Step as Step
from .steps import forward_steps as forward_steps
from .steps import steps as steps
from .symbol import Symbol as Symbol
from .symbol import formula as formula
from .value import Value as Value
from .value import looked_at as looked_at
from .value import topological_order as topological_order

if _TYPE_CHECKING:
    from .certificate import Certificate as Certificate
    from .certificate import Kink as Kink
    from .certificate import certify as certify
    from .expression import ExpressionError as ExpressionError
    from .expression import parse as parse
    from .interval import Interval as Interval
    from .program import Program as Program
    from .program import compile as compile
    from .stepper import Stepper as Stepper

# What these need of the standard library would double the time of ``import autograd``, so they load when first used.
_LATER = {
    "Certificate": "certificate",
    "ExpressionError": "expression",
    "Interval": "interval",
    "Kink": "certificate",
    "Program": "program",
    "Stepper": "stepper",
    "certify": "certificate",
    "compile": "program",
    "parse": "expression",
}


def __getattr__(name: str) -> _Any:
    # The table is the one list of operations: what stands in it is a function of this package, also a row added later.
    if name in OPS:
        return OPS[name]
    if name in _LATER:
        return getattr(_importlib.import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module 'autograd' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *OPS, *_LATER})


def _relax_collector() -> None:
    """Let Python's cyclic collector look at new objects less often.

    Graphs have no cycles and are freed without it, but at Python's 700 it walks every node several times while a graph
    is recorded (docs/design.md). A disabled collector stays disabled, a higher threshold stays as it is.
    """
    import gc

    threshold, *others = gc.get_threshold()
    if 0 < threshold < 100_000:
        gc.set_threshold(100_000, *others)


def _warn_of_namesake() -> None:
    """Another package on PyPI, by HIPS, has this import name too; where both are installed, say so."""
    here = _os.path.dirname(_os.path.abspath(__file__))
    for folder in _sys.path:
        other = _os.path.join(folder or ".", "autograd")
        if _os.path.exists(_os.path.join(other, "tracer.py")):
            import warnings

            same = _os.path.realpath(other) == _os.path.realpath(here)
            warnings.warn(
                "two packages named 'autograd' are installed: this is chainrule's, "
                + ("and the one by HIPS has been installed over it" if same else f"another, by HIPS, is in {other}")
                + ". Keep one: pip uninstall autograd (HIPS's) or pip uninstall chainrule"
                + (", then install the other again" if same else ""),
                stacklevel=3,
            )
            return


def _tell_hypothesis() -> None:
    """Where hypothesis is imported already, its own hook found no Value to register (chainrule_hypothesis.py)."""
    if _sys.modules.get("hypothesis"):
        from chainrule_hypothesis import register_value

        register_value()


_relax_collector()
_warn_of_namesake()
_tell_hypothesis()
