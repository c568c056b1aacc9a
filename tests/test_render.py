"""Renderers: which one is taken, and what happens when it is missing, fails, or takes too long."""

import os
import shutil
import stat
import subprocess
import sys
from importlib import metadata

import pytest

from autograd.render import find_renderer, render

SOURCE = "digraph { 0 -> 1 }"
posix = pytest.mark.skipif(os.name != "posix", reason="the renderers of these tests are shell scripts")


@pytest.fixture
def dot(tmp_path, monkeypatch):
    """Make a shell script the only ``dot`` on the path; it is run by its absolute path."""

    def make(script: str) -> str:
        program = tmp_path / "dot"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return str(program)

    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return make


@posix
def test_the_systems_dot_comes_first(dot):
    program = dot("cat")
    assert find_renderer() == program
    assert render(SOURCE, "svg", 60) == SOURCE.encode()


def test_else_the_program_of_graphviz_pure_is_called_by_its_full_path(monkeypatch):
    if not any(each.metadata["Name"] == "graphviz-pure" for each in metadata.distributions()):
        pytest.skip("graphviz-pure is not installed")
    monkeypatch.setenv("PATH", "")
    program = find_renderer()
    assert os.path.isabs(program)
    assert b"<svg" in render(SOURCE, "svg", 60)
    with pytest.raises(RuntimeError, match=r"^graphviz-pure cannot write pdf: save as .svg or .png, or install .*$"):
        render(SOURCE, "pdf", 60)


def test_with_no_renderer_one_line_names_the_two_installs(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    with pytest.raises(RuntimeError, match=r"^no renderer .*pip install graphviz-pure.*graphviz package.*$"):
        render(SOURCE, "svg", 60)


@posix
def test_a_renderer_that_fails_says_why_in_one_line(dot):
    dot("echo first line >&2; echo second line >&2; exit 3")
    with pytest.raises(RuntimeError, match=r"^dot failed with exit status 3: first line second line$"):
        render(SOURCE, "svg", 60)


@posix
def test_a_renderer_that_cannot_be_started(tmp_path, monkeypatch):
    program = tmp_path / "dot"
    program.write_text("#!/nowhere/interpreter\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"dot cannot be started: No such file or directory$"):
        render(SOURCE, "svg", 60)


@posix
def test_a_renderer_that_takes_too_long_is_ended(dot):
    dot("exec sleep 1000")
    with pytest.raises(TimeoutError, match=r"^dot was ended after 0.1 s$"):
        render(SOURCE, "svg", 0.1)


@posix
@pytest.mark.parametrize(
    ("error", "seen"),
    [(subprocess.TimeoutExpired("dot", 60), TimeoutError), (KeyboardInterrupt(), KeyboardInterrupt)],
    ids=["on timeout", "on Ctrl-C"],
)
def test_a_renderer_is_ended_with_all_that_it_started(dot, tmp_path, monkeypatch, error, seen):
    # The pipe stays open until the renderer and its child are both gone; a child that is left alone says so.
    os.mkfifo(tmp_path / "pipe")
    dot(f"exec 3> {tmp_path / 'pipe'}; (sleep 20; echo survived >&3) & echo started >&3; wait")
    pipes = []

    def communicate(process, *_):
        pipes.append(open(tmp_path / "pipe"))  # noqa: SIM115  # it is closed below
        assert pipes[0].readline() == "started\n"
        raise error

    monkeypatch.setattr(subprocess.Popen, "communicate", communicate)
    with pytest.raises(seen):
        render(SOURCE, "svg", 60)
    with pipes[0] as pipe:
        assert pipe.read() == ""


@posix
def test_a_large_graph_and_a_large_picture_pass(dot):
    dot(f"exec {sys.executable} -c 'import sys; sys.stdout.write(sys.stdin.read())'")
    source = "0 -> 1\n" * 1_000_000
    assert render(source, "svg", 60) == source.encode()
