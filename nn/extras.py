"""Libraries that come with an extra of the installation, and are not needed without it."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def scikit_learn(part: str) -> Any:
    """The module ``sklearn.part``. Raises ImportError, which says how to install it, if scikit-learn is missing.

    >>> scikit_learn("metrics").accuracy_score([0, 1], [0, 0])
    0.5
    """
    try:
        import_module("sklearn")
    except ModuleNotFoundError as error:
        if error.name != "sklearn":
            raise
        raise ImportError("this needs scikit-learn, which is not installed: pip install 'chainrule[learn]'") from None
    return import_module(f"sklearn.{part}")
