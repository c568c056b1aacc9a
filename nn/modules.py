"""Modules: what has parameters.

A module is a function of lists of numbers whose parameters are Values. Nothing here computes derivatives: calling a
module records a graph, and the engine reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from reprlib import repr as shown
from typing import Any

from autograd import Value

from .tensors import Tensor, flatten, map_tensor, shape
from .weights import load_tensors, save_tensors


class Module:
    """The base of all that has parameters.

    A parameter is a Value in an attribute whose name does not begin with an underscore, by itself, in (nested) lists,
    or inside another module.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.slope * x + self.offset
    >>> [name for name, _ in Line().named_parameters()]
    ['slope', 'offset']
    """

    def __call__(self, x: Any) -> Any:
        """The output for one sample; each module says which."""
        raise NotImplementedError

    def tensors(self) -> dict[str, Tensor]:
        """The parameters by name, each a Value or nested lists of Values. The other methods all read this one."""
        found: dict[str, Tensor] = {}
        for name, attribute in vars(self).items():
            if not name.startswith("_"):
                found.update(_tensors_in(name, attribute))
        return found

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Each parameter, once, with a name such as ``layers.0.weight[2][1]``."""
        seen: set[Value] = set()
        for name, tensor in self.tensors().items():
            for index, parameter in flatten(tensor):
                if parameter not in seen:
                    seen.add(parameter)
                    yield name + index, parameter

    def parameters(self) -> list[Value]:
        """All parameters, each once."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def state_dict(self) -> dict[str, Tensor]:
        """The data of the parameters by name, as floats in lists shaped as PyTorch shapes them.

        >>> from nn import Neuron
        >>> Neuron(2).state_dict().keys()
        dict_keys(['weight', 'bias'])
        """
        return {name: map_tensor(float, tensor) for name, tensor in self.tensors().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Set the data of all parameters. Names and shapes must fit; if they do not, nothing is changed.

        Raises:
            ValueError: a name is missing or unknown, or a tensor has another shape.
            TypeError: ``state`` is no mapping, or what stands for a number is none.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"a state is a mapping from names to tensors, as state_dict() gives it, got {shown(state)}")
        tensors = self.tensors()
        missing, unknown = sorted(tensors.keys() - state.keys()), sorted(state.keys() - tensors.keys())
        if missing or unknown:
            said = [
                f"{what} {', '.join(names)}" for what, names in (("missing", missing), ("unknown", unknown)) if names
            ]
            raise ValueError(f"the names do not fit this model: {'; '.join(said)}")
        data: list[tuple[Value, float]] = []
        for name, tensor in tensors.items():
            expected, got = shape(tensor), shape(state[name])
            if expected != got:
                raise ValueError(f"{name} has the shape {expected} in this model, got {got}")
            numbers = [Value(number).data for _, number in flatten(state[name])]  # a Value takes numbers only
            data.extend(zip([parameter for _, parameter in flatten(tensor)], numbers, strict=True))
        for parameter, number in data:
            parameter.data = number

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to a safetensors file (never pickle), whole or not at all."""
        save_tensors(self.state_dict(), path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Set the parameters from a safetensors file; if names or shapes do not fit, nothing is changed.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is no safetensors file, or does not fit this model.
        """
        state = load_tensors(path)
        try:
            self.load_state_dict(state)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from None

    def _summary(self) -> str:
        return ""

    def __repr__(self) -> str:
        count = len(self.parameters())
        return f"{type(self).__name__}({self._summary()}{count} parameter{'s' if count != 1 else ''})"


def _tensors_in(name: str, x: Any) -> dict[str, Tensor]:
    if isinstance(x, Value):
        return {name: x}
    if isinstance(x, Module):
        return {f"{name}.{inner}": tensor for inner, tensor in x.tensors().items()}
    if not isinstance(x, (list, tuple)) or not x:
        return {}
    if _is_tensor(x):
        return {name: x}
    parts = [_tensors_in(f"{name}.{i}", part) for i, part in enumerate(x)]
    return {inner: tensor for part in parts for inner, tensor in part.items()}


def _is_tensor(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return bool(x) and all(map(_is_tensor, x)) and len({shape(part) for part in x}) == 1
    return isinstance(x, Value)
