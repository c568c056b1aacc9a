"""The documents: generated ones are fresh, links lead somewhere, and the words are ours."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")])


def test_the_page_of_operations_is_fresh():
    spec = importlib.util.spec_from_file_location("make_operations", ROOT / "docs" / "make_operations.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "operations.md").read_text(encoding="utf-8") == module.table(), (
        "run python docs/make_operations.py"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


def test_the_graph_is_called_a_graph():
    sources = [
        p for folder in ("autograd", "nn", "docs") for p in (ROOT / folder).rglob("*") if p.suffix in {".py", ".md"}
    ]
    said = [p for p in [*sources, ROOT / "README.md"] if re.search(r"\btapes?\b", p.read_text(encoding="utf-8"), re.I)]
    assert said == []
