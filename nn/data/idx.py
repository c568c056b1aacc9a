"""IDX files, in which MNIST comes: a type, sizes, and the numbers (LeCun, Cortes and Burges, *The MNIST database*)."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""The third byte of a file, and what numbers it says are in it, the highest byte first."""

MOST_DIMENSIONS = 64
"""An array of NumPy has no more."""

PIECE = 1 << 20
"""Bytes that are read at a time: what a damaged header claims is not allocated before it is there."""


def read_idx(path: str | os.PathLike[str]) -> Array:
    """The array in an IDX file, which may be zipped by gzip.

        bytes 0, 1    0
        byte 2        the type of the numbers: 08 unsigned bytes, 09 bytes, 0b, 0c whole of 2, 4 bytes, 0d, 0e floats
        byte 3        the number of dimensions
        then          the size of each dimension, 4 bytes; the numbers

    Raises:
        ValueError: it is no IDX file, or damaged, or holds no numbers; the message has the path, what was found and
            what was expected.
        OSError: it cannot be read: ``FileNotFoundError`` if it is not there.
        TypeError: ``path`` is no path.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "labels-idx1-ubyte"
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1]) + bytes([0, 0, 0, 3]) + bytes([5, 0, 4]))
    ...     read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    path = os.fsdecode(path)
    with open(path, "rb") as file:
        try:
            if file.peek(2)[:2] == b"\x1f\x8b":
                with gzip.open(file) as unzipped:
                    return _read_array(unzipped)
            return _read_array(file)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path} is a damaged gzip file: {error}") from None
        except ValueError as error:
            raise ValueError(f"{path} {error}") from None


def _read_array(file: IO[bytes] | gzip.GzipFile) -> Array:
    """The array; errors say what is wrong with the file, without its name."""
    import numpy as np

    head = _read(file, 4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in TYPES or not 1 <= head[3] <= MOST_DIMENSIONS:
        raise ValueError(
            "is no IDX file: it begins with 00 00, a type (08, 09, 0b, 0c, 0d, 0e) and the number of dimensions, got "
            f"{head.hex(' ') or 'nothing'}"
        )
    dtype, dimensions = np.dtype(TYPES[head[2]]), head[3]
    sizes = _read(file, 4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise ValueError(f"is too short: {dimensions} sizes are {4 * dimensions} bytes, got {len(sizes)}")
    shape = struct.unpack(f">{dimensions}I", sizes)
    expected = math.prod(shape) * dtype.itemsize
    said = f"the shape {shape} of {dtype.name} is {expected} bytes"
    if not expected:
        raise ValueError(f"holds no numbers: {said}")
    numbers = _read(file, expected + 1)
    if len(numbers) != expected:
        found, wrong = (f"{len(numbers)}", "short") if len(numbers) < expected else ("more", "long")
        raise ValueError(f"is too {wrong}: {said}, got {found}")
    return np.frombuffer(numbers, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _read(file: IO[bytes] | gzip.GzipFile, size: int) -> bytearray:
    """So many bytes, or as many as there are."""
    found = bytearray()
    while piece := file.read(min(size - len(found), PIECE)):
        found += piece
    return found
