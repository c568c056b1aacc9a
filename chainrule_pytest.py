"""What pytest loads of chainrule in every run: a fixture and an option.

It is loaded wherever chainrule is installed, also where nobody uses it. So it lies beside the packages, whose modules
load when a test asks for them: to import a module of ``autograd`` is to import all of the engine.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def check_gradients() -> Callable[..., None]:
    """``autograd.testing.check_gradients``: raises GradientError unless all derivatives of a function are right."""
    from autograd.testing import check_gradients

    return check_gradients


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--gradcheck-examples``."""
    parser.getgroup("chainrule", "chainrule, gradient checks").addoption(
        "--gradcheck-examples",
        type=_examples,
        metavar="N",
        help="draw N inputs for each @gradcheck that has no @settings of its own (default: the profile of hypothesis)",
    )


def _examples(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number >= 1")
    return int(text)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let gradient checks draw as many inputs as the option says."""
    examples = config.getoption("--gradcheck-examples")
    functions = {getattr(item, "function", None) for item in items}
    checks = [function for function in functions if hasattr(function, "is_gradcheck")]
    if examples is None or not checks:
        return
    from hypothesis import settings
    from hypothesis.errors import InvalidArgument

    from autograd.testing.gradcheck import unhurried

    for check in checks:
        with suppress(InvalidArgument):  # it has settings of its own
            settings(unhurried(), max_examples=examples)(check)
