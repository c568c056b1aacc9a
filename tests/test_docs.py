"""The documents: generated ones are fresh, links lead somewhere, and the words are ours."""

import importlib.util
import re

import pytest
from graphs import MNIST, NO_MNIST, ROOT, not_quick
from programs import NEEDS_COMPILER

import autograd
import nn
from autograd import OPS, Value, compile
from autograd.testing.accuracy import PROMISE, unit_of

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")])


def make_operations():
    """The script that writes the page of operations, as a module."""
    spec = importlib.util.spec_from_file_location("make_operations", ROOT / "docs" / "make_operations.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_operations_is_fresh():
    page, heading, _ = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("\n## How accurate")
    assert heading
    assert page == make_operations().table(), "run python docs/make_operations.py"


def test_the_figures_of_every_operation_are_there_and_within_the_promise():
    # Measured where the page was made: elsewhere they differ a little. That rows keep the promise is tested as such.
    _, heading, figures = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("\n## How accurate")
    text, before_library, after = make_operations().MEASURED.partition("{}")
    assert (heading + figures).startswith(text), "run python docs/make_operations.py"
    rows = (heading + figures).partition(after.removeprefix("."))[2].splitlines()
    assert before_library
    assert len(rows) == len(OPS)
    for row, op in zip(rows, OPS.values(), strict=True):
        name, unit, *errors = row.strip("| ").split(" | ")
        assert (name, unit) == (f"`{op.name}`", unit_of(op))
        assert len(errors) == 2
        assert all(0.0 <= float(error) <= PROMISE for error in errors)


def test_an_operation_added_at_run_time_is_documented(own_operations):
    autograd.operation("cube", lambda x: x**3, lambda x, out: 3 * x**2, doc="x³.")
    assert "| `cube(x)` | x³. | ∂x: `3 * x ** 2` |\n" in make_operations().table()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_has_a_blank_left_to_fill(page):
    assert not re.search(r"^[A-Z]{4,}$|TODO|TBD|FIXME", page.read_text(encoding="utf-8"), re.M)


def compiled(**options):
    """The program of the pages."""
    model = nn.MLP(2, [3, 1], activation="tanh", seed=1)
    x, y = [Value(0.0, "x0"), Value(0.0, "x1")], Value(0.0, "y")
    return compile((model(x) - y) ** 2, [x, y], model.parameters(), **options)


def test_the_source_that_pages_show_is_that_of_the_program():
    source = str(compiled())
    assert f"```python\n{source}\n```" in (ROOT / "docs" / "programs.md").read_text(encoding="utf-8")
    functions = source[source.index("def value") :]
    assert f"```python\n{functions}\n```" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif(not MNIST.is_dir(), reason=NO_MNIST)
def test_the_lines_for_mnist_in_the_readme_learn_as_much_as_it_says():
    not_quick("it trains on 60,000 images")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(\(images, labels\).*?)```", readme, re.DOTALL)
    names = {"nn": nn}
    exec(code.replace('"folder"', repr(str(MNIST))), names)
    [said] = re.findall(r"after these, ([\d.]+)% of the test images are right", readme)
    # From one processor to the next it differs as from one seed to the next.
    assert 100 * names["right"] == pytest.approx(float(said), abs=0.5)


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


@NEEDS_COMPILER
def test_the_c_that_pages_show_is_that_of_the_program():
    value = re.search(r"^void value.*?^}\n", str(compiled(backend="c")), re.M | re.S)[0]
    assert f"```c\n{value}```" in (ROOT / "docs" / "programs.md").read_text(encoding="utf-8")
