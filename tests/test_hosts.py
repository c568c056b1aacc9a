"""Where the stepper is shown: JupyterLab with a kernel, a reopened notebook, and the HTML of nbconvert."""

from __future__ import annotations

import ast
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import pytest
from browser import LOCAL, missing, watched
from graphs import ROOT, not_quick

from autograd import Value, tanh
from autograd.stepper import Stepper

for package in ("jupyterlab", "nbconvert", "nbformat", "playwright"):
    if find_spec(package) is None:
        missing(f"{package} is not installed (pip install -e '.[dev]')")

from playwright.sync_api import expect  # noqa: E402 - the others take seconds to load, and so load where they are used

expect.set_options(timeout=60_000)  # JupyterLab takes seconds to start, on a busy machine many

SETUP = """
from autograd import Value, tanh, topological_order
from autograd.stepper import Stepper

x, w, b = Value(2.0, "x"), Value(-3.0, "w"), Value(6.5, "b")
loss = tanh(w * x + b)
widget = Stepper(loss).widget()
widget
"""

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

GRADIENTS = """
value = widget.value
value.backward()
print({leaf.name: leaf.grad for leaf in topological_order(value) if leaf.op is None})
"""


def close_to(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-12)


def notebook(*sources: str) -> Any:
    import nbformat

    python = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, sources)], metadata=python)


def shown() -> Any:
    """A notebook as it is kept: the cell that made the stepper, and what the stepper showed in it."""
    import nbformat

    x, w, b = Value(2.0, "x"), Value(-3.0, "w"), Value(6.5, "b")
    data = {"text/html": Stepper(tanh(w * x + b))._repr_html_(), "text/plain": "<Stepper>"}
    output = nbformat.v4.new_output("execute_result", data=data, execution_count=1)
    made = notebook("Stepper(loss)")
    made.cells[0].update(outputs=[output], execution_count=1)
    return made


# ---- the stepper's page, wherever it is ------------------------------------------------------------------------------


def step_forward(frame: Any, times: int) -> None:
    for _ in range(times):
        frame.get_by_role("button", name="One step forward").click()


def expect_step(frame: Any, step: int) -> None:
    expect(frame.get_by_role("slider", name="Step")).to_have_value(str(step))


def edit(frame: Any, leaf: str, number: str) -> None:
    field = frame.get_by_label(f"Value of {leaf}").first
    field.fill(number)
    field.press("Enter")


def gradients(frame: Any, *leaves: str) -> dict[str, float]:
    """The gradients as the page has them: of a node that is found by its name it shows all digits."""
    found = {}
    for leaf in leaves:
        search = frame.get_by_label("Find a node by name")
        search.fill(leaf)
        search.press("Enter")
        expect(frame.locator("#node-title .name")).to_have_text(leaf)
        found[leaf] = float(frame.locator("#node dd").nth(1).inner_text())
    return found


# ---- servers ---------------------------------------------------------------------------------------------------------


@contextmanager
def serving(module: str, *arguments: str, environment: dict[str, str]) -> Iterator[str]:
    """A server in a process group of its own, which is ended whatever happens; gives the address that it prints."""
    server = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert server.stdout is not None
    reader = Thread(target=server.stdout.read)
    silent = Timer(120, os.killpg, (server.pid, signal.SIGKILL))  # a server that never says where it is
    silent.start()
    try:
        said = ""
        while not (url := re.search(r"http://(127\.0\.0\.1|localhost):\d+", said)):
            line = server.stdout.readline()
            assert line, f"{module} did not start:\n{said}"
            said += line
        silent.cancel()
        reader.start()  # nobody needs the rest, but a full pipe would stop the server
        yield url[0]
    finally:
        silent.cancel()
        os.killpg(server.pid, signal.SIGTERM)  # JupyterLab ends its kernels; should it not, they see that it is gone
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        if reader.is_alive():
            reader.join()
        server.stdout.close()


# ---- JupyterLab ------------------------------------------------------------------------------------------------------


class Notebook:
    """A notebook that is open in JupyterLab."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.runs = 0

    def frame(self, i: int) -> Any:
        """The stepper's page in the output of a cell."""
        return self.page.locator(".jp-CodeCell").nth(i).frame_locator("iframe")

    def run(self, i: int) -> str:
        """Run a cell until it is done; gives the text that it shows, which must not be an error."""
        self.runs += 1
        cell = self.page.locator(".jp-CodeCell").nth(i)
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        expect(cell.locator(".jp-InputPrompt")).to_have_text(f"[{self.runs}]:")
        expect(cell.locator("[data-mime-type='application/vnd.jupyter.error']")).to_have_count(0)
        return "\n".join(cell.locator(".jp-OutputArea-output").all_inner_texts()).strip()

    def run_until(self, i: int, agrees: Callable[[str], bool]) -> None:
        """Run a cell until what it shows agrees: it may overtake the last message of a widget, but not twice."""
        found: list[str] = []
        while not found or not (agrees(found[-1]) or len(found) == 5):
            found.append(self.run(i))
        assert agrees(found[-1]), found


class Lab:
    """A JupyterLab server, with one notebook at a time."""

    def __init__(self, url: str, folder: Path, environment: dict[str, str]) -> None:
        self.url = url
        self.path = folder / "test.ipynb"
        self.environment = environment

    @contextmanager
    def open(self, browser: Any, notebook: Any, trusted: bool = False) -> Iterator[Notebook]:
        """The notebook in a page that may ask this server, and nobody else."""
        import nbformat

        nbformat.write(notebook, self.path)
        if trusted:
            trust = [sys.executable, "-m", "nbformat.sign", str(self.path)]
            subprocess.run(trust, env=self.environment, check=True, capture_output=True)
        hosts = (*LOCAL, self.url, self.url.replace("http:", "ws:"))
        with browser.new_context() as context, watched(context, hosts=hosts, counts=not_of_time) as page:
            page.goto(f"{self.url}/lab/tree/test.ipynb?reset&token=secret")
            expect(page.get_by_text("| Idle")).to_be_visible()
            yield Notebook(page)


def not_of_time(message: Any) -> bool:
    """JupyterLab warns of its plugins that take long to activate, as they do on a busy machine."""
    return "to activate" not in message.text


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    not_quick("JupyterLab takes half a minute")
    home, folder = tmp_path_factory.mktemp("jupyter"), tmp_path_factory.mktemp("notebooks")
    places = ["IPYTHONDIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"]
    places += ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"]
    environment = {**ENVIRONMENT, **{place: str(home / place) for place in places}}
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0", "--IdentityProvider.token=secret"]
    options += [f"--notebook-dir={folder}", "--LabApp.extension_manager=readonly"]
    with serving("jupyterlab", *options, environment=environment) as url:
        yield Lab(url, folder, environment)


def test_python_and_the_page_agree_in_jupyterlab(browser, lab):
    cells = [
        SETUP,
        "widget.step",
        GRADIENTS,
        "widget.step = widget.last",
        "widget.leaves = {'x': 0.25}",
        "Stepper(loss)",
    ]
    with lab.open(browser, notebook(*cells)) as opened:
        opened.run(0)
        page = opened.frame(0)
        step_forward(page, 4)
        expect_step(page, 4)
        opened.run_until(1, lambda shown: shown == "4")

        opened.run(3)
        expect_step(page, 9)

        edit(page, "w", "-2.5")
        opened.run_until(2, lambda shown: ast.literal_eval(shown) == close_to(gradients(page, "x", "w", "b")))

        opened.run(4)
        expect(page.get_by_label("Value of x").first).to_have_value("0.25")
        assert ast.literal_eval(opened.run(2)) == close_to(gradients(page, "x", "w", "b"))

        opened.run(5)
        step_forward(opened.frame(5), 3)
        expect_step(opened.frame(5), 3)
        expect_step(page, 9)


def test_a_reopened_notebook_shows_the_page_if_it_is_trusted_else_the_picture(browser, lab):
    with lab.open(browser, shown(), trusted=True) as opened:
        step_forward(opened.frame(0), 3)
        expect_step(opened.frame(0), 3)
    changed = shown()
    changed.cells[0].source += "  # trust is in the content"
    with lab.open(browser, changed) as opened:
        output = opened.page.locator(".jp-OutputArea-output")
        expect(output.get_by_role("img")).to_be_visible()
        expect(output.locator("iframe")).to_have_count(0)


# ---- nbconvert -------------------------------------------------------------------------------------------------------


def test_the_html_of_nbconvert_needs_no_network(page, tmp_path):
    from nbconvert import HTMLExporter

    html, _ = HTMLExporter(mathjax_url="", require_js_url="", jquery_url="").from_notebook_node(shown())
    path = tmp_path / "notebook.html"
    path.write_text(html, encoding="utf-8")
    page.goto(path.as_uri())
    frame = page.frame_locator("iframe")
    step_forward(frame, 9)
    expect_step(frame, 9)
    edit(frame, "w", "-2.5")
    assert gradients(frame, "b")["b"] == close_to(1 - tanh(1.5) ** 2)


# ---- marimo ----------------------------------------------------------------------------------------------------------

APP = """
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo
    from autograd import Value, tanh
    from autograd.stepper import Stepper

    stepper = Stepper(tanh(Value(-3.0, "w") * 2.0 + 6.5))
    stepper
    return marimo, stepper


@app.cell
def _(marimo, stepper):
    widget = marimo.ui.anywidget(stepper.widget())
    widget
    return (widget,)


@app.cell
def _(marimo, widget):
    marimo.md(f"Python sees step {widget.value['step']}")
    return


app.run()
"""


def test_python_and_the_page_agree_in_marimo(browser, tmp_path):
    if find_spec("marimo") is None:
        missing("marimo is not installed (pip install marimo)")
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    arguments = ["run", str(tmp_path / "app.py"), "--headless", "--no-token", "--host=127.0.0.1", f"--port={port}"]
    with (
        serving("marimo", *arguments, environment=ENVIRONMENT) as url,
        browser.new_context() as context,
        watched(context, hosts=(*LOCAL, url, url.replace("http:", "ws:")), counts=not_of_preloading) as page,
    ):
        page.goto(url)
        frames = page.frame_locator("iframe")
        for i, times in enumerate((2, 4)):
            step_forward(frames.nth(i), times)
            expect_step(frames.nth(i), times)
        expect(page.get_by_text("Python sees step 4")).to_be_visible()


def not_of_preloading(message: Any) -> bool:
    """Marimo's own page warns of pictures that it fetched too early."""
    return "preload" not in message.text
