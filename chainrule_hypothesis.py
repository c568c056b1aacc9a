"""What hypothesis loads of chainrule at the end of its own import: how to draw a ``Value``.

It lies beside the packages and apart from the pytest plugin, because hypothesis is also used without pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from autograd import Value


def register_value() -> None:
    """Let ``st.from_type(Value)`` draw Values."""
    import autograd

    if hasattr(autograd, "Value"):  # another package has the name autograd too
        from hypothesis.strategies import register_type_strategy

        register_type_strategy(autograd.Value, _values)


def _values(kind: type[Value]) -> SearchStrategy[Value]:
    from autograd.testing.strategies import values

    return values()
