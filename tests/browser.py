"""A real browser for the tests: headless Chromium, and pages that tell what went wrong in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
NEXT_TASK = """new Promise((done) => {
    const { port1, port2 } = new MessageChannel();  // a timer might never ring: a test may have stopped the clock
    port1.onmessage = done;
    port2.postMessage(null);
}).then(() => null)"""
LOCAL = ("about:", "blob:", "data:", "file:")


def missing(what: str) -> NoReturn:
    """Skip the test, which needs ``what``; where CHAINRULE_BROWSER is 1, as in CI, nothing may be missing: fail it."""
    if os.environ.get("CHAINRULE_BROWSER") == "1":
        pytest.fail(f"CHAINRULE_BROWSER=1, but {what}", pytrace=False)
    pytest.skip(what, allow_module_level=True)


@contextmanager
def launch() -> Iterator[Any]:
    """Playwright's Browser, driving the system's Chromium."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed (pip install -e '.[dev]')")
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        missing("Chromium is not installed (Debian's package is named chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def watched(
    context: Any, *, hosts: tuple[str, ...] = LOCAL, counts: Callable[[Any], bool] = lambda message: True
) -> Iterator[Any]:
    """A new page in Playwright's ``context``, which at the end must have been quiet.

    That is: no request but to addresses that begin with one of ``hosts``, no uncaught error, and no error or warning in
    the console that ``counts``.
    """
    faults: list[str] = []

    def on_console(message: Any) -> None:
        if message.type in ("error", "warning") and counts(message):
            faults.append(f"console {message.type}: {message.text}")

    def on_request(request: Any) -> None:
        if not request.url.startswith(hosts):
            faults.append(f"request: {request.url:.200}")

    def on_error(error: Any) -> None:
        faults.append(f"uncaught: {error.error}")

    heard = {"console": on_console, "request": on_request, "weberror": on_error}
    for event, handler in heard.items():
        context.on(event, handler)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("websocket", on_request)
    try:
        yield page
        for frame in page.frames:  # each may be a process, which tells one thing after another
            frame.evaluate(NEXT_TASK)  # what went wrong at the very end is told by then
    finally:
        page.close()
        for event, handler in heard.items():
            context.remove_listener(event, handler)
    assert not faults, "the page was not quiet:\n" + "\n".join(faults)
