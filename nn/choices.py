"""What is chosen by name: losses, optimisers, initialisers, ..."""

from __future__ import annotations

from collections.abc import Mapping
from reprlib import repr as shown
from typing import TypeVar

T = TypeVar("T")


def choose(table: Mapping[str, T], name: str, what: str) -> T:
    """The entry of this name.

    Args:
        table: what there is, by name.
        name: one of its names.
        what: what such an entry is called in the message.

    Raises:
        ValueError: there is none. The message has the names that are spelt alike, and all there are.

    >>> choose({"mean": 1, "sum": 2}, "sum", "reduction")
    2
    >>> choose({"mean": 1, "sum": 2}, "maen", "reduction")
    Traceback (most recent call last):
        ...
    ValueError: unknown reduction 'maen': did you mean 'mean'? Choose one of: mean, sum
    """
    if isinstance(name, str) and name in table:
        return table[name]
    from difflib import get_close_matches

    close = get_close_matches(name, table, n=2) if isinstance(name, str) else []
    hint = f"did you mean {' or '.join(map(repr, close))}? Choose" if close else "choose"
    raise ValueError(f"unknown {what} {shown(name)}: {hint} one of: {', '.join(table)}")
