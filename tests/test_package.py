"""The package: what importing it loads, what its modules may import, and its namesake."""

import ast
import sys

import pytest
from graphs import ROOT, python

import autograd as ag

# ---- what is loaded --------------------------------------------------------------------------------------------------


def test_importing_autograd_loads_only_the_standard_library():
    run = python("import autograd", "-X", "importtime")
    assert run.returncode == 0, run.stderr
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in run.stderr.splitlines()[1:]}
    # What the interpreter loads before our code (site, .pth files of installed tools) is not ours.
    before = python("pass", "-X", "importtime").stderr.splitlines()[1:]
    loaded -= {line.rpartition("|")[2].strip().partition(".")[0] for line in before}
    assert "autograd" in loaded
    assert loaded - {"autograd"} <= sys.stdlib_module_names | set(sys.builtin_module_names)


def test_importing_is_silent():
    run = python("import autograd, nn", "-W", "error")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_the_collector_is_relaxed_but_not_against_the_users_will():
    show = "import gc; import autograd; print(gc.get_threshold()[0])"
    assert python(show).stdout == "100000\n"
    assert python("import gc; gc.set_threshold(700_000);" + show).stdout == "700000\n"
    assert python("import gc; gc.set_threshold(0);" + show).stdout == "0\n"


# ---- what may import what --------------------------------------------------------------------------------------------

# ops ← value ← reverse ← the readings; forward needs only op.
LAYERS = {
    "elementary": set(),
    "op": set(),
    "ops": {"elementary", "op"},
    "value": {"ops", "op"},
    "forward": {"op"},
    "reverse": {"value", "op", "ops"},
    "functions": {"ops", "op"},
    "names": {"value"},
    "symbol": {"names", "op", "value"},
    "notation": {"symbol"},
    "steps": {"names", "notation", "reverse", "symbol", "value"},
    "paths": {"names", "notation", "reverse", "steps", "symbol", "value"},
    "groups": {"op", "value"},
    "files": set(),
    "render": set(),
    "draw": {"files", "groups", "names", "notation", "reverse", "symbol", "value"},
    "replay": {"value"},
    "expression": {"op", "value"},
    "stepper": {"draw", "files", "groups", "names", "notation", "op", "replay", "reverse", "steps", "symbol", "value"},
    "interval": {"op", "ops"},
    "certificate": {"interval", "op", "ops", "reverse", "value"},
    "testing": {"certificate", "derivatives", "interval", "op", "symbol", "value"},
    "derivatives": {"forward", "op", "ops", "reverse", "value"},
    "program": {"forward", "names", "notation", "op", "replay", "value"},
}


def imports_of(path, level: int) -> set[str]:
    """The modules of the package that a module imports at its head, by so many dots."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == level:
            found |= {node.module.partition(".")[0]} if node.module else {each.name for each in node.names}
    return found


@pytest.mark.parametrize("module", LAYERS)
def test_modules_import_only_what_is_below_them(module):
    paths = [*(ROOT / "autograd").glob(f"{module}.py"), *(ROOT / "autograd" / module).glob("*.py")]
    assert paths
    for path in paths:
        depth = 1 + (path.parent.name == module)  # of a package, what lies outside it counts
        assert imports_of(path, depth) <= LAYERS[module]


def test_every_module_has_its_layer():
    rooms = {
        path.stem for path in (ROOT / "autograd").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - {"__init__"} == LAYERS.keys()


def test_no_module_of_the_engine_imports_nn():
    for path in (ROOT / "autograd").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.partition(".")[0] == "nn" for name in names), path


def test_nn_uses_only_public_names_of_autograd():
    for path in (ROOT / "nn").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        aliases = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith("autograd"):
                assert node.module == "autograd", f"{path} imports from {node.module}"
                for each in node.names:
                    assert not each.name.startswith("_"), f"{path} imports {each.name}"
                    assert hasattr(ag, each.name)
            elif isinstance(node, ast.Import):
                for each in node.names:
                    if each.name.startswith("autograd"):
                        assert each.name == "autograd", f"{path} imports {each.name}"
                        aliases.add(each.asname or each.name)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                of_autograd = isinstance(node.value, ast.Name) and node.value.id in aliases
                private = node.attr.startswith("_") and not node.attr.startswith("__")
                of_self = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
                assert not (of_autograd and private), f"{path}:{node.lineno} uses {node.attr}"
                assert not (private and not of_self), f"{path}:{node.lineno} uses {node.attr} of another object"


# ---- names -----------------------------------------------------------------------------------------------------------


def test_every_operation_is_an_attribute_and_listed():
    for name, op in ag.OPS.items():
        assert getattr(ag, name) is op
    assert set(ag.OPS) | {"Value", "grad", "operation", "mean"} <= set(dir(ag))
    assert dir(ag) == sorted(dir(ag))


def test_a_missing_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'autograd' has no attribute 'no_such_name'"):
        ag.no_such_name  # noqa: B018
    with pytest.raises(ImportError):
        from autograd import no_such_name  # noqa: F401
    with pytest.raises(AttributeError):
        ag.Value(1.0).no_such_method()


# ---- the namesake ----------------------------------------------------------------------------------------------------


def test_the_namesake_by_hips_is_reported(tmp_path):
    other = tmp_path / "autograd"
    other.mkdir()
    (other / "tracer.py").touch()
    run = python(f"import sys; sys.path.append({str(tmp_path)!r}); import autograd; print(autograd.Value(1.0).data)")
    assert run.stdout == "1.0\n"
    assert "two packages named 'autograd' are installed" in run.stderr
    assert f"another, by HIPS, is in {other}" in run.stderr
    assert "pip uninstall autograd" in run.stderr


def test_nn_says_so_when_it_finds_the_namesake(tmp_path):
    other = tmp_path / "autograd"
    other.mkdir()
    (other / "__init__.py").touch()
    run = python(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import nn")
    assert run.returncode == 1
    assert "nn needs chainrule's package autograd, but found another of that name" in run.stderr
