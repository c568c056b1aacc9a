"""Is a derivative right? Checks that need no tolerance, and strategies that draw what to check.

The checks themselves need nothing but the standard library, and know far more digits with mpmath; the strategies need
hypothesis. Both come with the extra ``test``: ``pip install 'chainrule[test]'``.
"""

from .check import check_gradients
from .errors import GradientError
from .gradcheck import gradcheck
from .operations import OperationReport, check_operation

__all__ = ["GradientError", "OperationReport", "check_gradients", "check_operation", "gradcheck"]
