"""What all tests share: how many examples hypothesis draws, a table of operations that is left as it was, a browser."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from browser import launch, watched
from hypothesis import HealthCheck, settings

from autograd import OPS
from autograd.op import Number

_SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]

# Quick draws the same examples in every run; deep draws new ones, and prints how to repeat one that fails.
settings.register_profile(
    "quick", max_examples=40, derandomize=True, database=None, deadline=None, suppress_health_check=_SLOW
)
settings.register_profile(
    "deep", max_examples=1000, database=None, deadline=None, print_blob=True, suppress_health_check=_SLOW
)
settings.load_profile("deep" if os.environ.get("CHAINRULE_DEEP") == "1" else "quick")


@pytest.fixture
def own_operations() -> Iterator[None]:
    """Operations that the test defines are forgotten after it."""
    before = dict(OPS)
    yield
    for name in OPS.keys() - before.keys():
        del OPS[name]
        if name in vars(Number):
            delattr(Number, name)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, started once for all tests; skips where it is missing, but fails if CHAINRULE_BROWSER=1."""
    with launch() as browser:
        yield browser


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A fresh page with the network off; the test fails if it asks for anything, or complains in the console."""
    with watched(browser) as page:
        yield page
