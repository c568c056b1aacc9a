"""The watch over pages of the browser, which other tests rely on: what it must find, it finds."""

import pytest
from browser import watched


def test_a_quiet_page_is_let_pass(offline):
    with watched(offline) as page:
        page.set_content("<script>console.log('a word')</script><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>")
        assert page.evaluate("1 + 1") == 2


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("<script>console.error('bad')</script>", "console error: bad"),
        ("<script>console.warn('odd')</script>", "console warning: odd"),
        ("<script>throw new Error('thrown')</script>", "uncaught: thrown"),
        ("<script>Promise.reject(new Error('rejected'))</script>", "uncaught: rejected"),
        ("<img src='http://example.org/picture.png'>", "request: http://example.org/picture.png"),
        ("<script>new WebSocket('ws://example.org/')</script>", "request: ws://example.org/"),
        (
            "<iframe sandbox='allow-scripts' srcdoc='<script>throw Error(\"inside\")</script>'></iframe>",
            "uncaught: inside",
        ),
        ("<iframe src='https://example.org/'></iframe>", "request: https://example.org/"),
    ],
)
def test_what_a_page_asks_for_or_complains_of_is_found(offline, content, fault):
    with pytest.raises(AssertionError, match="the page was not quiet") as found, watched(offline) as page:
        page.set_content(content)
    assert fault in str(found.value)


def test_the_network_is_off(page):
    page.goto("about:blank")
    assert page.evaluate("navigator.onLine") is False


def test_hosts_may_be_allowed_and_messages_not_counted(offline):
    host = "http://127.0.0.1:9/"
    with watched(offline, hosts=("about:", host), counts=lambda message: "odd" in message.text) as page:
        page.set_content(f"<img src='{host}picture.png'><script>console.warn('even')</script>")
