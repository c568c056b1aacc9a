"""Run notebooks, and keep what they show: ``python notebooks/execute.py 05 09``, or all (extra dev)."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent


def execute(path: Path, change: str = "") -> Any:
    """A notebook after it ran from top to bottom, its settings changed by this code; raises what a cell raises."""
    notebook = nbformat.read(path, as_version=4)
    settings = [cell for cell in notebook.cells if "settings" in cell.metadata.get("tags", [])]
    if change:
        [cell] = settings
        cell.source += f"\n{change}"
    # Notebooks show plots inline, whatever scripts do, and pictures are all of one date, so that they stay the same.
    environment = {name: text for name, text in os.environ.items() if name != "MPLBACKEND"} | {"SOURCE_DATE_EPOCH": "0"}
    environment["PYTHONPATH"] = str(HERE.parent)
    options = {"timeout": 3600, "record_timing": False, "coalesce_streams": True}
    client = NotebookClient(notebook, resources={"metadata": {"path": str(HERE)}}, **options)
    client.execute(env=environment)
    notebook.metadata.language_info = {"name": "python"}  # not its version, which would change from machine to machine
    return notebook


def digest(notebook: Any) -> str:
    """Of its code. It is stored, so that code which was changed after the run is found."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return hashlib.sha256(code.encode()).hexdigest()


if __name__ == "__main__":
    for path in sorted(HERE.glob("*.ipynb")):
        if any(path.name.startswith(name) for name in sys.argv[1:] or [""]):
            print(path.name, flush=True)
            notebook = execute(path)
            notebook.metadata.code_that_ran = digest(notebook)
            nbformat.write(notebook, path)
