"""The notebooks: run from top to bottom, each shows what is stored in it."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from browser import missing
from graphs import ROOT, not_quick

for package in ("nbclient", "nbformat"):  # they take seconds to load, and so load where they are used
    if find_spec(package) is None:
        missing(f"{package} is not installed (pip install -e '.[dev]')")

NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))

# Pictures depend on which renderer there is, and widgets have numbers of their own: that they are there is compared.
TEXTS = ("text/plain", "text/latex", "text/markdown")


def shown(cell: Any) -> list[Any]:
    """What a code cell shows, without what differs from run to run: where in memory an object is."""
    found: list[Any] = []
    for output in cell.outputs:
        assert output.output_type != "error", f"{cell.source}\n{output.ename}: {output.evalue}"
        if output.output_type == "stream":
            printed = found.pop()[1] if found and found[-1][0] == output.name else ""
            found.append((output.name, printed + output.text))  # it may come in pieces
        else:
            texts = {kind: re.sub(r" at 0x[0-9a-f]+", "", output.data.get(kind, "")) for kind in TEXTS}
            found.append(("data", texts, set(output.data)))
    return found


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_shows_what_is_stored_in_it(path: Path):
    if path is not NOTEBOOKS[0]:
        not_quick("each notebook takes five seconds and more")
    import nbformat
    from nbclient import NotebookClient

    stored = nbformat.read(path, as_version=4)
    nbformat.validate(stored)
    run = nbformat.read(path, as_version=4)
    client = NotebookClient(run, timeout=600, resources={"metadata": {"path": str(path.parent)}})
    environment = {name: x for name, x in os.environ.items() if name != "MPLBACKEND"}  # notebooks show plots inline
    client.execute(env={**environment, "PYTHONPATH": str(ROOT)})
    cells = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell, again in zip(cells, [cell for cell in run.cells if cell.cell_type == "code"], strict=True):
        assert shown(again) == shown(cell), cell.source
