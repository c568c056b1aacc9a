"""The course: every notebook runs from top to bottom, shows what is stored in it, and keeps to one form."""

from __future__ import annotations

import importlib.util
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from browser import missing
from graphs import MNIST, NO_MNIST, ROOT, not_quick

for package in ("nbclient", "nbformat", "sklearn"):  # they take seconds to load, and so load where they are used
    if find_spec(package) is None:
        missing(f"{package} is not installed (pip install -e '.[dev]')")

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# With these settings, in place of its own, a notebook learns less, in seconds. What it asserts must still hold.
REDUCED = {
    "07_sin_regression": "STARTS, EPOCHS, NEURONS, LAYERS, RATES = 4, 80, (2, 8), (1, 3), (0.1,)\n"
    "ACTIVATIONS, OPTIMIZERS = ('tanh', 'sin'), ('adam',)",
    "09_mnist": "SAMPLES, EPOCHS, GOAL = 5_000, 4, 0.9",
    "10_optimizers": "SAMPLES, EPOCHS, SEEDS, HIDDEN = 6_000, 4, 2, [32, 32]\nLEAST = {784: 0.85, 64: 0.7}",
    "11_regularization": "SPLITS, FEW, EPOCHS, NETWORKS, GAIN = 2, 1, 40, 4, 0.02",
    "12_challenge": "EPOCHS = 32",
}
OF_MNIST = ("09_mnist", "10_optimizers")
UNREACHABLE = """
import nn.data

def unreachable(folder):
    raise ConnectionError

nn.data.mnist = unreachable
"""

# Numbers that were trained differ in their last digits from one processor to the next, and in time in the first. From
# here on notebooks assert what they say of them.
TRAINED = [path for path in NOTEBOOKS if path.stem >= "05"]
EXACT = [path for path in NOTEBOOKS if path not in TRAINED]

ENDING = ["What to take along", "Exercises", "Test yourself", "Solutions"]

# Pictures depend on which renderer there is, and widgets have numbers of their own: that they are there is compared.
TEXTS = ("text/plain", "text/latex", "text/markdown")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def script() -> Any:
    """The script that runs and stores notebooks, as a module."""
    spec = importlib.util.spec_from_file_location("execute", ROOT / "notebooks" / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def execute(path: Path, change: str = "") -> list[Any]:
    """The code cells of a notebook after it ran, its settings changed."""
    return [cell for cell in script().execute(path, change).cells if cell.cell_type == "code"]


def read(path: Path) -> Any:
    """A notebook as it is stored."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def stored(path: Path, kind: str) -> list[Any]:
    """Its cells of a kind."""
    return [cell for cell in read(path).cells if cell.cell_type == kind]


def shown(cell: Any) -> list[Any]:
    """What a code cell shows, without what differs from run to run: where in memory an object is."""
    found: list[Any] = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append((output.name, output.text))
        else:
            texts = {kind: re.sub(r" at 0x[0-9a-f]+", "", output.data.get(kind, "")) for kind in TEXTS}
            found.append(("data", texts, set(output.data)))
    return found


def kinds(cell: Any) -> list[Any]:
    """What kinds of things a code cell shows: printed text, a picture, ..."""
    return [output.name if output.output_type == "stream" else set(output.data) for output in cell.outputs]


# ---- what is stored --------------------------------------------------------------------------------------------------


def test_the_course_is_complete_and_listed():
    page = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\d+\. \[[^]]+\]\(([^)]+)\)", page, re.MULTILINE)
    assert listed == [path.name for path in NOTEBOOKS]
    assert [int(name[:2]) for name in listed] == list(range(1, 13))


@every_notebook
def test_it_ran_from_top_to_bottom_before_it_was_stored(path: Path):
    cells = stored(path, "code")
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", cell.source


@every_notebook
def test_its_code_is_what_ran(path: Path):
    notebook = read(path)
    assert notebook.metadata.code_that_ran == script().digest(notebook), f"python notebooks/execute.py {path.stem[:2]}"


@every_notebook
def test_it_ends_with_a_lesson_exercises_a_self_assessment_and_hidden_solutions(path: Path):
    texts = [cell.source for cell in stored(path, "markdown")]
    headings = re.findall(r"^## (.+)$", "\n".join(texts), re.MULTILINE)
    assert headings[-4:] == ENDING
    asked = "\n".join(texts).partition("## Test yourself")[2]
    assert asked.count("<details><summary>Answer</summary>") == asked.count("</details>") >= 4
    last = stored(path, "code")[-1]
    assert last.metadata["jupyter"] == {"outputs_hidden": True, "source_hidden": True}
    assert last.outputs


@every_notebook
def test_its_links_lead_somewhere(path: Path):
    for cell in stored(path, "markdown"):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", cell.source):
            assert (path.parent / link).is_file(), link


@every_notebook
def test_settings_are_marked_where_a_reduced_run_changes_them(path: Path):
    marked = [cell for cell in stored(path, "code") if "settings" in cell.metadata.get("tags", [])]
    assert len(marked) == (path.stem in REDUCED)


@pytest.mark.parametrize("name", OF_MNIST)
def test_it_was_stored_after_a_run_on_all_of_mnist(name: str):
    cells = stored(ROOT / "notebooks" / f"{name}.ipynb", "code")
    said = [output.text for cell in cells for output in cell.outputs if output.output_type == "stream"]
    assert any("60,000 images to learn from and 10,000 to test on" in text for text in said)


# ---- what they show when they run ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EXACT, ids=lambda path: path.stem)
def test_it_shows_what_is_stored_in_it(path: Path):
    if path is not NOTEBOOKS[0]:
        not_quick("each notebook takes five seconds and more")
    for cell, again in zip(stored(path, "code"), execute(path), strict=True):
        assert shown(again) == shown(cell), cell.source


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: path.stem)
def test_it_learns_with_reduced_settings_and_shows_the_same_kinds_of_things(path: Path):
    not_quick("each notebook takes five seconds and more")
    change = REDUCED.get(path.stem, "")
    if path.stem in OF_MNIST:
        if not MNIST.is_dir():
            pytest.skip(NO_MNIST)
        change += f"\nFOLDER = {str(MNIST)!r}"
    for cell, again in zip(stored(path, "code"), execute(path, change), strict=True):
        assert kinds(again) == kinds(cell), cell.source


@pytest.mark.parametrize("name", OF_MNIST)
def test_where_mnist_is_not_reached_it_learns_the_digits_of_scikit_learn(name: str):
    not_quick("each notebook takes five seconds and more")
    path = ROOT / "notebooks" / f"{name}.ipynb"
    for cell, again in zip(stored(path, "code"), execute(path, f"{REDUCED[name]}\n{UNREACHABLE}"), strict=True):
        assert kinds(again) == kinds(cell), cell.source
