"""The documents: generated ones are fresh, links lead somewhere, and the words are ours."""

import importlib.util
import re
from pathlib import Path

import pytest

import autograd

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")])


def operations_page():
    """The page as the table of operations stands now."""
    spec = importlib.util.spec_from_file_location("make_operations", ROOT / "docs" / "make_operations.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.table()


def test_the_page_of_operations_is_fresh():
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert page == operations_page(), "run python docs/make_operations.py"


def test_an_operation_added_at_run_time_is_documented(own_operations):
    autograd.operation("cube", lambda x: x**3, lambda x, out: 3 * x**2, doc="x³.")
    assert "| `cube(x)` | x³. | ∂x: `3 * x ** 2` |\n" in operations_page()


def test_the_readme_has_no_blank_left_to_fill():
    assert not re.search(r"^[A-Z]{4,}$|TODO|TBD", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)


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
