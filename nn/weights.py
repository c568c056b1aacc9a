"""Weights on disk: nested lists of floats to and from safetensors files, never pickle."""

from __future__ import annotations

import os
from collections.abc import Mapping
from reprlib import repr as shown
from typing import Any

from autograd import files


def save_tensors(tensors: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write nested lists of floats by name, in float64. The file appears whole or not at all.

    Raises:
        TypeError: ``tensors`` is no mapping, or what stands for a number is none; or ``path`` is no path: an int, which
            ``open`` would take for the number of an open file, is none.
        ValueError: a tensor has lists of different lengths.
    """
    if not isinstance(tensors, Mapping):
        raise TypeError(f"tensors are saved by name, in a mapping, got {shown(tensors)}")
    import numpy as np
    from safetensors.numpy import save

    arrays = {name: np.asarray(tensor).astype(np.float64, casting="same_kind") for name, tensor in tensors.items()}
    files.write_whole(path, save(arrays))


def load_tensors(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The tensors of a safetensors file by name, as nested lists of floats.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a safetensors file, or is damaged; or its numbers are complex, or of a type that NumPy has
            not (bfloat16).
        TypeError: ``path`` is no path.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = os.fsdecode(path)
    with open(path, "rb") as file:
        content = file.read()
    try:
        tensors = load(content)
    except KeyError as error:  # the one thing that is looked up is the type
        raise ValueError(f"{path} has numbers of the type {error.args[0]}: save them in float64 or float32") from None
    except (SafetensorError, ValueError) as error:
        raise ValueError(f"{path} is not a sound safetensors file: {error}") from None
    for name, tensor in tensors.items():
        if tensor.dtype.kind not in "biuf":
            raise ValueError(f"{path} has numbers of the type {tensor.dtype} in {name}, where real ones are taken")
    return {name: tensor.astype(float).tolist() for name, tensor in tensors.items()}
