"""Weights on disk: nested lists of floats to and from safetensors files, never pickle."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any


def save_tensors(tensors: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write nested lists of floats by name, in float64. The file appears whole or not at all."""
    import numpy as np
    from safetensors.numpy import save

    content = save({name: np.asarray(tensor, dtype=np.float64) for name, tensor in tensors.items()})
    temporary = f"{os.fspath(path)}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def load_tensors(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The tensors of a safetensors file by name, as nested lists of floats.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a safetensors file, or is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    with open(path, "rb") as file:
        content = file.read()
    try:
        return {name: tensor.astype(float).tolist() for name, tensor in load(content).items()}
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)} is not a sound safetensors file: {error}") from None
