"""What pytest and hypothesis load by themselves where chainrule is installed, and that they load no more than that."""

import importlib
import os
import tomllib

import pytest
from graphs import ROOT, python
from hypothesis import find, settings
from hypothesis import strategies as st

import chainrule_pytest
from autograd import Value
from chainrule_hypothesis import register_value

pytest_plugins = ["pytester"]

ENTRY_POINTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]

DRAWN = """
    from hypothesis import settings, strategies as st
    from autograd.testing import gradcheck

    drawn = []
    numbers = st.integers(0, 10**9).map(lambda x: drawn.append(x) or x)

    class TestDrawn:
        @gradcheck(x=numbers)
        def test_drawn(self, x):
            return 2 * x

        def test_count(self):
            assert len(drawn) == {examples}
            drawn.clear()

    @settings(max_examples=3)
    @gradcheck(x=numbers)
    def test_settings(x):
        return 2 * x

    def test_count_of_settings():
        assert len(drawn) == 3
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest with the plugin, whether it is installed or not, and with no other."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return lambda *options: pytester.runpytest_inprocess("-W", "error", *options, plugins=[chainrule_pytest])


@pytest.fixture
def installed(tmp_path):
    """A path on which the entry points are installed: by another name, for chainrule may be installed as well."""
    folder = tmp_path / "installed-0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: installed\nVersion: 0\n", encoding="utf-8")
    groups = [
        "\n".join([f"[{group}]", *[f"{name} = {target}" for name, target in points.items()]])
        for group, points in ENTRY_POINTS.items()
    ]
    (folder / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
    return os.pathsep.join([str(tmp_path), str(ROOT)])


# ---- what is installed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", ["pytest11", "hypothesis"])
def test_entry_points_exist(group):
    (target,) = ENTRY_POINTS[group].values()
    module, _, name = target.partition(":")
    found = importlib.import_module(module)
    assert callable(getattr(found, name)) if name else found.pytest_addoption


def test_a_run_that_uses_neither_loads_neither_the_engine_nor_hypothesis(installed, tmp_path):
    (tmp_path / "test_other.py").write_text(
        "import sys\n"
        "def test_other(pytestconfig):\n"
        "    assert pytestconfig.pluginmanager.has_plugin('chainrule')\n"
        "    assert not {'autograd', 'nn', 'hypothesis', 'mpmath'} & set(sys.modules)\n",
        encoding="utf-8",
    )
    options = ["-p", "chainrule", "-p", "no:cacheprovider", "-W", "error", str(tmp_path)]
    ran = python(
        f"import sys, pytest; sys.exit(pytest.main({options}))",
        PYTHONPATH=installed,
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


HYPOTHESIS, AUTOGRAD = "from hypothesis import find, strategies as st;", "from autograd import Value;"


@pytest.mark.parametrize("imports", [HYPOTHESIS + AUTOGRAD, AUTOGRAD + HYPOTHESIS], ids=["last", "first"])
def test_hypothesis_knows_values_in_whatever_order_the_two_are_imported(installed, imports):
    ran = python(
        imports + "print(find(st.from_type(Value), lambda v: v.data > 1))", "-W", "error", PYTHONPATH=installed
    )
    assert (ran.stdout, ran.stderr) == ("Value(data=2.0, grad=0.0)\n", "")


def test_hypothesis_leaves_another_package_named_autograd_alone(installed, tmp_path):
    (tmp_path / "autograd.py").touch()
    ran = python("import autograd, hypothesis; print(autograd.__file__)", "-P", PYTHONPATH=installed)
    assert (ran.stdout, ran.stderr) == (f"{tmp_path / 'autograd.py'}\n", "")


@pytest.mark.parametrize("package", ["hypothesis", "autograd"])
def test_importing_one_does_not_load_the_other(installed, package):
    code = f"import sys, {package}; print(*sorted({{'autograd', 'hypothesis', 'pytest'}} & sys.modules.keys()))"
    ran = python(code, "-W", "error", PYTHONPATH=installed)
    assert (ran.stdout, ran.stderr) == (package + "\n", "")


# ---- hypothesis ------------------------------------------------------------------------------------------------------


def test_values_can_be_drawn_by_their_type():
    register_value()
    drawn = find(st.from_type(Value), lambda v: v.data > 1)
    assert (drawn.data, drawn.op, drawn.grad) == (2.0, None, 0.0)
    assert find(st.from_type(list[Value]), lambda vs: len(vs) == 2)[0].data == 1.0


# ---- the fixture -----------------------------------------------------------------------------------------------------


def test_the_fixture_is_the_function(run, pytester):
    pytester.makepyfile("""
        import autograd.testing

        def test_right(check_gradients):
            assert check_gradients is autograd.testing.check_gradients
            check_gradients(autograd.tanh, 0.5)

        def test_wrong(check_gradients):
            check_gradients(lambda x: 2.0, 0.5)
    """)
    result = run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E *TypeError: f must return one Value that depends on its inputs, got float*"])


# ---- the option ------------------------------------------------------------------------------------------------------


def test_the_option_says_how_many_inputs_are_drawn(run, pytester):
    pytester.makepyfile(DRAWN.format(examples=11))
    run("--gradcheck-examples", "11").assert_outcomes(passed=4)


def test_without_the_option_the_profile_says_it(run, pytester):
    pytester.makepyfile(DRAWN.format(examples=settings().max_examples))
    run().assert_outcomes(passed=4)


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "many", ""])
def test_what_is_no_number_of_examples(run, number):
    result = run(f"--gradcheck-examples={number}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*argument --gradcheck-examples: {number!r} is not a whole number >= 1"])


def test_help_shows_the_option(run):
    run("--help").stdout.fnmatch_lines(["chainrule, gradient checks:", "  --gradcheck-examples=N"])


def test_a_failing_check_shows_the_function_and_what_is_wrong(run, pytester):
    pytester.makepyfile("""
        import autograd
        from autograd.testing import gradcheck
        from autograd.testing.strategies import reals

        wrong = autograd.operation("wrong", lambda x: x * x, lambda x, out: 2.000001 * x)

        @gradcheck(x=reals(-3, 3))
        def test_wrong(x):
            return wrong(x)
    """)
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "    @gradcheck(x=reals(-3, 3))",
            ">   def test_wrong(x):",
            "E   *GradientError: the local derivative of wrong by its input x is wrong",
            "E     at         x = 1.0",
            "E     got        2.000001",
            "E     to blame   wrong, its rule for that input",
            "E     reproduce:",
            "E*test_wrong(",
            "E       x=1.0,*",
            "test_a_failing_check_shows_the_function_and_what_is_wrong.py:*: GradientError",
        ]
    )
