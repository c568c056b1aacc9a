"""Is a derivative right? Checks that need no tolerance, and strategies that draw what to check.

The checks themselves need nothing but the standard library, and know far more digits with mpmath; the strategies need
hypothesis. Both come with the extra ``test``: ``pip install 'chainrule[test]'``.
"""

import importlib
from typing import Any

from .check import check_gradients
from .errors import GradientError, UndecidedError
from .gradcheck import gradcheck
from .operations import OperationReport, check_operation

__all__ = ["GradientError", "OperationReport", "UndecidedError", "check_gradients", "check_operation", "gradcheck"]


def __getattr__(name: str) -> Any:
    if name == "strategies":  # it needs hypothesis, so it loads when first used
        return importlib.import_module(".strategies", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
