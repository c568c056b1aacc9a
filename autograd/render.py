"""Rendering: a graph in the DOT language made into a picture, by the renderer that there is."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from importlib import metadata
from pathlib import PurePath


def find_renderer() -> str:
    """The program that renders: the system's ``dot``, else the one that the package graphviz-pure brings.

    Raises:
        RuntimeError: there is neither.
    """
    if system := shutil.which("dot"):
        return system
    with contextlib.suppress(metadata.PackageNotFoundError):
        for file in metadata.files("graphviz-pure") or ():
            if PurePath(file).stem == "graphviz-pure" and (program := shutil.which(str(file.locate()))):
                return program
    raise RuntimeError(
        "no renderer for diagrams: run `pip install graphviz-pure`, or install your system's graphviz package "
        "(the DOT text is in .source)"
    )


def render(source: str, ending: str, timeout: float) -> bytes:
    """The picture of the DOT text ``source``.

    Args:
        source: the DOT text.
        ending: ``"svg"``, ``"png"``, or another that the renderer knows.
        timeout: the seconds that it may take.

    Raises:
        RuntimeError: there is no renderer, it does not know the ending, or it failed.
        TimeoutError: it took longer, and was ended.
    """
    program = find_renderer()
    name = PurePath(program).stem
    # A session of its own: what the renderer starts can be ended with it, and Ctrl-C reaches it through here only.
    try:
        renderer = subprocess.Popen(
            [program, f"-T{ending}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:  # a broken installation
        raise RuntimeError(f"{program} cannot be started: {error.strerror}") from None
    with renderer as process:
        try:
            picture, said = process.communicate(source.encode(), timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            raise TimeoutError(f"{name} was ended after {timeout:g} s") from None
        except BaseException:
            _end(process)
            raise
    if process.returncode:
        words = " ".join(said.decode(errors="replace").split())
        if "not recognized" in words:
            raise RuntimeError(
                f"{name} cannot write {ending}: save as .svg or .png, or install your system's graphviz package"
            )
        raise RuntimeError(f"{name} failed with exit status {process.returncode}: {words:.300}")
    return picture


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a renderer with all that it started."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has just ended by itself
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
