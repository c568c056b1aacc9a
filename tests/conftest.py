"""What all tests share: how much is tested, a browser."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from browser import launch, watched
from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]

# Quick and full draw the same examples in every run; deep draws new ones, and prints how to repeat one that fails.
for name, examples in {"quick": 10, "full": 40}.items():
    settings.register_profile(
        name, max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=_SLOW
    )
settings.register_profile(
    "deep", max_examples=1000, database=None, deadline=None, print_blob=True, suppress_health_check=_SLOW
)
settings.load_profile(os.environ.get("CHAINRULE_PROFILE", "quick"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, started once for all tests; skips where it is missing, but fails if CHAINRULE_BROWSER=1."""
    with launch() as browser:
        yield browser


@pytest.fixture(scope="session")
def offline(browser: Any) -> Iterator[Any]:
    """A context of the browser with the network off, for all pages: it takes longer to make than a page."""
    with browser.new_context(offline=True) as context:
        context.new_page()  # while one is open, the others are shown by the same process: half the processor's time
        yield context


@pytest.fixture
def page(offline: Any) -> Iterator[Any]:
    """A fresh page with the network off; the test fails if it asks for anything, or complains in the console."""
    with watched(offline) as page:
        yield page
