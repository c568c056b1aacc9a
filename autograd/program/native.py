"""Running a program's C source: compiled by the machine's C compiler, called by ctypes."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from reprlib import repr as shown
from typing import Any

import numpy as np

from .c import CSource
from .running import Running, Vector
from .strides import seen, shape_for

COMPILERS = "cc", "gcc", "clang"
OPTIONS = [
    "-std=c99", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fopenmp-simd",
    "-fPIC", "-shared",
]  # fmt: skip
"""None of them changes a result beyond its last digits: -ffast-math would, and takes inf and nan for impossible."""


class Native:
    """What makes a program run for a batch size: the functions of a shared library.

    Raises:
        RuntimeError: there is no C compiler, or it fails.
    """

    def __init__(self, source: CSource, dtype: np.dtype[Any]) -> None:
        self._source = source
        self._library = built(source.text)
        self._library.value.argtypes = [ctypes.c_long, ctypes.c_void_p]
        real = ctypes.c_float if dtype == np.float32 else ctypes.c_double
        self._library.reverse.argtypes = [ctypes.c_long, ctypes.c_void_p, real]
        for function in (self._library.value, self._library.reverse):
            function.restype = None

    def running(self, batch: int, parameters: Vector, gradient: Vector, constants: Mapping[str, Any]) -> Running:
        """The functions for a batch size."""
        return _Calls(self._library, self._source, batch, parameters, gradient, constants)


class _Calls:
    """Calls of the library, with memory for a batch size."""

    def __init__(
        self,
        library: ctypes.CDLL,
        source: CSource,
        batch: int,
        parameters: Vector,
        gradient: Vector,
        constants: Mapping[str, Any],
    ) -> None:
        self._value, self._reverse, self._batch = library.value, library.reverse, batch
        self.ones: Vector = np.ones(batch, parameters.dtype)
        self._arrays: list[Any] = [parameters, gradient]
        for buffer in source.buffers[2:]:
            if buffer.numbers is not None:
                self._arrays.append(np.ascontiguousarray(constants[source.name_of(buffer)]))
            else:
                new = np.ones if buffer.ones else np.empty
                self._arrays.append(new(shape_for(buffer, batch), bool if buffer.mask else parameters.dtype))
        self._memory = (ctypes.c_void_p * len(self._arrays))(*[array.ctypes.data for array in self._arrays])
        self._address = ctypes.addressof(self._memory)
        self._inputs = self._arrays[2 : 2 + source.inputs]
        place = source.buffers.index(source.result.buffer)
        self._result = seen(self._arrays[place], source.result.suffix, batch)

    def value(self, *inputs: Vector) -> Vector:
        for mine, array in zip(self._inputs, inputs):  # noqa: B905 - as many; strict takes a tenth of a step
            np.copyto(mine, array)
        self._value(self._batch, self._address)
        return self._result  # type: ignore[no-any-return]

    def reverse(self, *inputs_and_seed: Any) -> None:
        self._reverse(self._batch, self._address, inputs_and_seed[-1])

    def write_into(self, gradient: Vector) -> None:
        if self._arrays[1] is not gradient:
            address = gradient.ctypes.data
            self._arrays[1] = None  # interrupted, it is neither
            self._memory[1] = address
            self._arrays[1] = gradient


def built(text: str) -> ctypes.CDLL:
    """C text as a library that is loaded. Raises RuntimeError if there is no C compiler, or it fails."""
    named = os.environ.get("CC")
    try:
        compiler = shlex.split(named) if named else [found for found in map(shutil.which, COMPILERS) if found][:1]
    except ValueError as error:
        raise RuntimeError(f"$CC is no command: {shown(named)}: {error}") from None
    if not compiler:
        raise RuntimeError(f"backend='c' needs a C compiler: {', '.join(COMPILERS)}, or what $CC says; none was found")
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "program.c", Path(folder) / "program.so"
        source.write_text(text, encoding="utf-8")
        command = [*compiler, *OPTIONS, str(source), "-o", str(library), "-lm"]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
            return ctypes.CDLL(str(library))
        except OSError as error:
            raise RuntimeError(f"the C compiler or what it made does not run: {shlex.join(command)}: {error}") from None
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"the C compiler failed: {shlex.join(command)}\n{error.stderr}") from None
