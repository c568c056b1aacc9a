"""The command, run as a user runs it."""

import errno
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from graphs import ROOT, python

from autograd import forward_steps, steps, topological_order
from autograd.draw import draw
from autograd.expression import parse
from nn.cli import main

COMMAND = [sys.executable, "-c", "from nn.cli import main; main()", "train"]
QUICK = ["sin", "--layers", "4", "--epochs", "3", "--samples", "12"]


def run(*options):
    return subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=120, check=False)


def test_the_default_run_learns_sin(tmp_path):
    done = run("sin", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "epoch 120/120" in done.stdout
    assert "learning rate 0.03" in done.stdout
    assert float(re.search(r"test MSE (\S+)", done.stdout)[1]) < 1e-3
    assert f"picture: {tmp_path / 'sin.png'}" in done.stdout
    assert (tmp_path / "sin.png").read_bytes().startswith(b"\x89PNG")


def test_same_seed_same_numbers(tmp_path):
    def numbers(seed):
        done = run(*QUICK, "--seed", seed, "--noise", "0.1", "--out", str(tmp_path))
        return re.findall(r"MSE (\S+)", done.stdout)

    assert len(numbers("1")) == 2
    assert numbers("1") == numbers("1") != numbers("2")


def test_the_graph_engine_learns_the_same(tmp_path):
    found = [re.findall(r"MSE (\S+)", run(*QUICK, *more, "--out", str(tmp_path)).stdout) for more in ([], ["--eager"])]
    assert len(found[0]) == 2
    assert found[0] == found[1]


def test_every_option_is_taken(tmp_path):
    options = ["--batch-size", "full", "--activation", "relu", "--learning-rate", "0.1", "--momentum", "0"]
    done = run(*QUICK, *options, "--out", str(tmp_path / "a" / "b"))
    assert done.returncode == 0, done.stderr
    assert "12 samples, batches of 12" in done.stdout
    assert (tmp_path / "a" / "b" / "sin.png").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["cos"], "'cos'"),
        ([], "task"),
        (["sin", "--layers", "16,a"], "--layers takes whole numbers"),
        (["sin", "--layers", "0"], "--layers takes positive numbers"),
        (["sin", "--layers", "16,1000000000"], "--layers takes positive numbers up to 10000"),
        (["sin", "--activation", "swoosh"], "unknown activation 'swoosh'"),
        (["sin", "--epochs", "0"], "epochs must be a positive"),
        (["sin", "--epochs", "many"], "--epochs"),
        (["sin", "--batch-size", "0"], "--batch-size takes"),
        (["sin", "--batch-size", "half"], "--batch-size takes"),
        (["sin", "--learning-rate", "-1"], "learning_rate must be a number greater than 0"),
        (["sin", "--momentum", "1"], "momentum must be a number in"),
        (["sin", "--samples", "0"], "samples must be positive"),
        (["sin", "--noise", "-1"], "noise"),
        (["sin", "--nope"], "--nope"),
        (["sin", "--out", "/dev/null/x"], "--out takes a folder"),
        (["sin", "--seed", "-1"], "a seed is a whole number"),
    ],
)
def test_wrong_options_get_one_line_and_status_2(options, said):
    done = run(*options)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--learning-rate", "1e9"], r"training diverged in epoch \d+"),
        (["--activation", "log"], r"log\(.*\): not defined there"),
    ],
)
def test_a_training_that_fails_says_so_in_one_line(tmp_path, options, said):
    done = run("sin", *options, "--epochs", "400", "--samples", "20", "--out", str(tmp_path))
    assert done.returncode == 1
    assert re.search(f"chainrule: {said}", done.stderr)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a POSIX signal")
def test_ctrl_c_ends_cleanly_and_keeps_what_was_reached(tmp_path):
    command = [*COMMAND, "sin", "--epochs", "100000", "--layers", "4", "--out", str(tmp_path)]
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a job in the background inherits that it is ignored
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed
    ) as process:
        try:
            process.stdout.readline()  # the model is built
            time.sleep(3)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert re.search(r"stopped after [1-9]\d* of 100000 epochs", out)
    assert "test MSE" in out
    assert (tmp_path / "sin.png").exists()
    assert "Traceback" not in err


def test_the_command_alone_prints_its_help():
    done = subprocess.run(COMMAND[:-1], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert "train" in done.stdout
    assert len(done.stdout.splitlines()) > 5


# ---- step and draw ---------------------------------------------------------------------------------------------------

NEURON = ["tanh(x1*w1 + x2*w2 + b)", "x1=2", "x2=0", "w1=-3", "w2=1", "b=6.88"]


def neuron():
    """The same by the engine, after its backward pass."""
    value = parse(NEURON[0], x1=2, x2=0, w1=-3, w2=1, b=6.88)
    value.backward()
    return value


def chainrule(*arguments, encoding="utf-8", **options):
    return subprocess.run(
        [*COMMAND[:-1], *arguments],
        capture_output=True,
        timeout=120,
        check=False,
        encoding=encoding,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
        **options,
    )


@pytest.fixture
def in_process(monkeypatch, capsys, tmp_path):
    """Run the command in this process, in an empty folder: exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["chainrule", *arguments])
        with pytest.raises(SystemExit) as exit:
            main()
        return exit.value.code, *capsys.readouterr()

    return run


def tables(text):
    """The rows of each table, by the line above it; a row is what stands between two blanks or more."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    found = {}
    for i, line in enumerate(lines):
        if set(line) == {"─"}:
            title, last = lines[i - 2], next((j for j in range(i, len(lines)) if not lines[j].strip()), len(lines))
            found[title.strip()] = [re.split(r"\s{2,}", row.strip()) for row in lines[i + 1 : last]]
    return found


def on_a_terminal(columns, *arguments):
    """What the command prints to a terminal of so many columns."""
    reading, writing = os.openpty()
    with subprocess.Popen(
        [*COMMAND[:-1], *arguments], stdout=writing, env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    ) as process:
        os.close(writing)
        printed = b""
        try:
            while chunk := os.read(reading, 65536):
                printed += chunk
        except OSError:  # how Linux says that the other side was closed
            pass
        os.close(reading)
    assert process.returncode == 0
    return printed.decode().replace("\r\n", "\n")


def test_step_prints_both_passes_as_the_engine_computes_them():
    done = chainrule("step", *NEURON)
    assert (done.returncode, done.stderr) == (0, "")
    value = neuron()
    found = tables(done.stdout)
    assert list(found) == ["forward", "backward", f"L = {value.data!r}"]
    for i, (row, step) in enumerate(zip(found["forward"], forward_steps(value), strict=True), start=1):
        assert row == [str(i), step.name, step.formula, step.numbers, f"{step.data:.6g}"]
    reasons = []
    for i, (row, step) in enumerate(zip(found["backward"], steps(value), strict=True), start=1):
        number, start, end, local, upstream, contribution, gradient, *reason = row
        assert (number, start, end) == (str(i), step.node_name, step.input_name)
        assert local.startswith(step.formula)
        assert local.endswith(f"{step.local:.6g}")
        assert (upstream, contribution) == (f"{step.upstream:.6g}", f"{step.contribution:.6g}")
        assert gradient == f"{step.before:.6g} → {step.after:.6g}"
        reasons += reason
    assert reasons == list(dict.fromkeys(step.reason for step in steps(value)))
    leaves = [node for node in topological_order(value) if node.op is None]
    assert found[f"L = {value.data!r}"] == [[leaf.name, repr(leaf.data), repr(leaf.grad)] for leaf in leaves]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_signs_that_the_output_cannot_show_are_replaced(encoding):
    done = chainrule("step", *NEURON, encoding=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 ? 1" in done.stdout
    assert len(done.stdout.splitlines()) == len(chainrule("step", *NEURON).stdout.splitlines())


def test_what_is_piped_is_plain_and_a_line_a_step():
    text = "dot([exp(x), x], [x * 1e-7, 1 / 3]) * where(x > 1, x, -x) ** -2 / 3"
    done = chainrule("step", text, "x=1.2345678e-9")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "…" not in done.stdout
    numbers = [row[0] for row in tables(done.stdout)["backward"]]
    assert numbers == [str(i) for i, _ in enumerate(steps(parse(text, x=1.2345678e-9)), start=1)]
    assert "dot([v1, x], [v2, 0.333333])" in done.stdout
    assert "1.23457e-9" in done.stdout


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a POSIX terminal")
@pytest.mark.parametrize("columns", [50, 80, 200])
def test_on_a_terminal_no_line_is_wider_and_no_digit_is_lost(columns):
    wide, shown = chainrule("step", *NEURON).stdout, on_a_terminal(columns, "step", *NEURON)
    assert "\x1b[1m" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, plain.splitlines())) <= columns
    if columns >= 80:
        whole = {title: [row[:7] for row in rows] for title, rows in tables(wide).items()}
        assert {title: [row[:7] for row in rows] for title, rows in tables(shown).items()} == whole
    assert ("the only use of v4 is done" in plain) == (columns == 200)
    assert sum(c.isdigit() for c in plain) >= sum(c.isdigit() for c in re.sub("(the|all|L is) .*", "", wide))


def test_a_file_may_begin_with_a_minus_sign(in_process, tmp_path):
    status, out, _ = in_process("step", "-x", "x=2", "--html", "-x.html")
    assert (status, out.splitlines()[-1]) == (0, "page: -x.html")
    assert (tmp_path / "-x.html").exists()


@pytest.mark.parametrize("arguments", [["-x ** 2", "x=-3e-2"], ["--", "-x ** 2", "x=-3e-2"]])
def test_an_expression_may_begin_with_a_minus_sign(in_process, arguments):
    assert f"L = {-(0.03**2)!r}" in tables(in_process("step", *arguments)[1])


def test_an_expression_is_not_taken_for_options(in_process, tmp_path):
    assert in_process("draw", "-log(o)", "o=2", "-o", "graph.dot") == (0, "diagram: graph.dot\n", "")
    assert "log" in (tmp_path / "graph.dot").read_text(encoding="utf-8")


def test_an_expression_without_operations_has_only_leaves(in_process):
    assert tables(in_process("step", "x", "x=3")[1]) == {"x = 3.0": [["x", "3.0", "1.0"]]}
    assert tables(in_process("step", "2 + 3")[1]) == {"L = 5.0": [["L", "5.0", "1.0"]]}


def test_step_writes_the_page(tmp_path):
    page = tmp_path / "steps.html"
    done = chainrule("step", *NEURON, "--html", str(page))
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"page: {page}\n")
    assert len(tables(done.stdout)) == 3
    html = page.read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert "tanh" in html


def test_draw_writes_the_diagram(in_process, tmp_path):
    said = in_process("draw", *NEURON, "--rankdir", "TB", "--color", "grad", "--out", "graph.dot")
    assert said == (0, "diagram: graph.dot\n", "")
    value = neuron()
    assert (tmp_path / "graph.dot").read_text(encoding="utf-8") == draw(value, rankdir="TB", color="grad").source
    assert in_process("draw", *NEURON) == (0, "diagram: graph.svg\n", "")
    assert "<svg" in (tmp_path / "graph.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["step"], "EXPRESSION"),
        (["step", "", "x=1"], "the expression is empty"),
        (["step", "x + y", "x=1"], "column 5: 'y' has no value; give it one, as in y=1"),
        (["step", "x", "x=1", "y=2"], "'y' has a value, but is not in the expression"),
        (["step", "x.real", "x=1"], "column 1: 'x.real' cannot be in an expression"),
        (["step", "(" * 5000], "the expression has 5000 characters"),
        (["step", "-" * 1500 + "x", "x=1"], "No such option"),
        (["step", "x", "x"], "x: a leaf is given as name=number, such as x=-0.5"),
        (["step", "x", "x=one"], "x=one: a leaf is given as name=number"),
        (["step", "x", "x=1\n2"], "x=1 2: a leaf is given as name=number"),
        (["step", "x", "x=1", "x=2"], "x is given twice"),
        (["step", "fi", "fi=1", "ﬁ=2"], "fi is given twice"),
        (["step", "x", "x=1", "--nope"], "--nope"),
        (["step", "x", "x=1", "--html", "/dev/null/x.html"], "/dev/null/x.html cannot be written: Not a directory"),
        (
            ["step", "x", "x=1", "--html", "missing/x.html"],
            "missing/x.html cannot be written: No such file or directory",
        ),
        (["draw", "x", "x=1", "--out", "missing/x.svg"], "missing/x.svg cannot be written: No such file or directory"),
        (["draw", "x", "x=1", "-o", "/dev/null/x.svg"], "/dev/null/x.svg cannot be written: Not a directory"),
        (["draw", "x", "x=1", "--out", "x.gif"], "a diagram is saved as .svg"),
        (["draw", "x", "x=1", "--rankdir", "up"], "'up'"),
        (["draw", "x", "x=1", "--color", "red"], "'red'"),
        (["draw", "y"], "column 1: 'y' has no value"),
    ],
)
def test_wrong_expressions_get_one_line_and_status_2(in_process, arguments, said, tmp_path):
    status, out, err = in_process(*arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["step", "log(x)", "x=-1"], "column 1: log(x=-1.0): not defined there"),
        (["draw", "1 / x", "x=0"], "column 1: div(1.0, x=0.0): not defined there (division by zero)"),
        (["step", "x * 9**9**9", "x=1"], "column 5: pow(9.0, 387420489.0): the result is too large for a float"),
    ],
)
def test_an_operation_that_is_not_defined_says_so_in_one_line(in_process, arguments, said):
    status, out, err = in_process(*arguments)
    assert (status, out) == (1, "")
    assert err.startswith(f"chainrule: {said}")
    assert len(err.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="the renderer is a shell script")
def test_a_renderer_that_fails_says_so_in_one_line(in_process, monkeypatch, tmp_path):
    renderer = tmp_path / "dot"
    renderer.write_text("#!/bin/sh\necho out of paper >&2\nexit 3\n")
    renderer.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    status, out, err = in_process("draw", "x", "x=1")
    assert (status, out, err) == (1, "", "chainrule: dot failed with exit status 3: out of paper\n")
    assert not (tmp_path / "graph.svg").exists()


def test_a_renderer_that_takes_too_long_is_not_the_fault_of_the_file(in_process, monkeypatch):
    def render(*_):
        raise TimeoutError("dot was ended after 30 s")

    monkeypatch.setattr("autograd.render.render", render)
    status, _, err = in_process("draw", "x", "x=1")
    assert status == 1
    assert err.startswith("chainrule: dot was ended after 30 s, not done with 1 boxes: ")
    assert len(err.splitlines()) == 1


def test_a_folder_that_cannot_be_written_to(in_process, monkeypatch):
    def refuse(source, target):  # as for a user who may not write there; root may write anywhere
        raise PermissionError(errno.EACCES, "Permission denied", source)

    monkeypatch.setattr("autograd.files.os.replace", refuse)
    status, out, err = in_process("step", "x", "x=1", "--html", "x.html")
    assert (status, out, err) == (2, "", "chainrule: x.html cannot be written: Permission denied\n")


@pytest.mark.parametrize("command", ["step", "draw"])
def test_the_example_of_the_help_runs(in_process, command):
    status, out, err = in_process(command, "--help")
    assert "NAME=NUMBER" in out
    example = re.search(r"Example: chainrule (.*)", out)[1]
    status, out, err = in_process(*shlex.split(example))
    assert (status, err) == (0, "")


def test_importing_nn_does_not_load_the_command():
    done = python("import sys, nn; print(sorted({'typer', 'rich', 'nn.cli'} & set(sys.modules)))")
    assert done.stdout == "[]\n"
