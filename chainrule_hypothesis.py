"""How hypothesis draws a ``Value``: registered by whichever of hypothesis and autograd is imported last.

It lies beside the packages and apart from the pytest plugin, because hypothesis is also used without pytest.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from autograd import Value


def register_value() -> None:
    """Let ``st.from_type(Value)`` draw Values; do nothing if one of the two packages is not imported yet.

    Each calls this at the end of its import. So neither loads the other in a run that does not use both.
    """
    value = getattr(sys.modules.get("autograd"), "Value", None)  # another package has the name autograd too
    if value is not None and sys.modules.get("hypothesis"):
        from hypothesis.strategies import register_type_strategy

        register_type_strategy(value, _values)


def _values(kind: type[Value]) -> SearchStrategy[Value]:
    from autograd.testing.strategies import values

    return values()
