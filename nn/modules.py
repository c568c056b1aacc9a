"""Modules: what has parameters.

A module is a function of lists of numbers whose parameters are Values. Nothing here computes derivatives: calling a
module records a graph, and the engine reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from reprlib import repr as shown
from typing import Any, Self

from autograd import Value

from .tensors import Tensor, flatten, map_tensor, shape
from .weights import load_tensors, save_tensors


class Module:
    """The base of all that has parameters.

    A parameter is a Value in an attribute whose name does not begin with an underscore, by itself, in (nested) lists,
    or inside another module.

    Some modules do in training what they do not otherwise (Dropout, BatchNorm): ``train()`` and ``eval()`` say which
    it is, for all modules inside. A new one is in training, as in PyTorch; ``fit`` leaves its model in evaluation.

    Attributes:
        training: whether it is in training.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.slope * x + self.offset
    >>> [name for name, _ in Line().named_parameters()]
    ['slope', 'offset']
    """

    training: bool = True

    def __init_subclass__(cls, **options: Any) -> None:
        """Whoever says anew what is done with one sample, and not with a batch, means it one by one."""
        super().__init_subclass__(**options)
        if "__call__" in vars(cls) and "batch" not in vars(cls):
            cls.batch = Module.batch  # type: ignore[method-assign]

    def __call__(self, x: Any) -> Any:
        """The output for one sample; each module says which."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__: what it gives for one sample")

    def batch(self, xs: Sequence[Any]) -> list[Any]:
        """The outputs for a list of samples: one by one, unless a module inside relates them (BatchNorm)."""
        return [self(x) for x in xs]

    def tensors(self) -> dict[str, Tensor]:
        """The parameters by name, each a Value or nested lists of Values. The other methods all read this one."""
        found: dict[str, Tensor] = {}
        for name, attribute in self._public():
            found.update(_tensors_in(name, attribute))
        return found

    def buffers(self) -> dict[str, Tensor]:
        """What belongs to the state and is not trained, by name, likewise: the running statistics of BatchNorm."""
        return {f"{name}.{inner}": x for name, child in self.children() for inner, x in child.buffers().items()}

    def children(self) -> Iterator[tuple[str, Module]]:
        """The modules in attributes, by themselves or in lists, with their names; not those inside them."""
        for name, attribute in self._public():
            yield from _modules_in(name, attribute)

    def modules(self) -> list[Module]:
        """This module and all inside it, each once."""
        found = {self: None}  # a dict keeps their order
        pending: list[Module] = [self]
        while pending:
            new = [child for _, child in pending.pop().children() if child not in found]
            found.update(dict.fromkeys(new))
            pending.extend(new)
        return list(found)

    def train(self, mode: bool = True) -> Self:
        """Put this module and all inside it in training, or, with False, in evaluation; the module itself.

        Raises:
            TypeError: ``mode`` is neither True nor False.
        """
        if not isinstance(mode, bool):
            raise TypeError(f"a module is in training or not, True or False, got {shown(mode)}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Put this module and all inside it in evaluation, to predict: no dropout, running statistics."""
        return self.train(False)

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
        """The data of the parameters and the buffers by name, as floats in lists shaped as PyTorch shapes them.

        >>> from nn import Neuron
        >>> Neuron(2).state_dict().keys()
        dict_keys(['weight', 'bias'])
        """
        return {name: map_tensor(float, tensor) for name, tensor in self._state().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Set the data of all parameters and buffers. Names and shapes must fit; if they do not, nothing is changed.

        Raises:
            ValueError: a name is missing or unknown, or a tensor has another shape.
            TypeError: ``state`` is no mapping, or what stands for a number is none.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"a state is a mapping from names to tensors, as state_dict() gives it, got {shown(state)}")
        tensors = self._state()
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

    def _state(self) -> dict[str, Tensor]:
        return {**self.tensors(), **self.buffers()}

    def _public(self) -> Iterator[tuple[str, Any]]:
        return ((name, attribute) for name, attribute in vars(self).items() if not name.startswith("_"))

    def shown(self) -> str:
        """What it does, in a word or two, as part of a network."""
        return repr(self)

    def _summary(self) -> str:
        return ""

    def __repr__(self) -> str:
        count = len(self.parameters())
        return f"{type(self).__name__}({self._summary()}{count} parameter{'s' if count != 1 else ''})"


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Put a module, and all inside it, in evaluation for a while; what is no module is left as it is."""
    before = [(module, module.training) for module in model.modules()] if isinstance(model, Module) else []
    for module, _ in before:
        module.training = False
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


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


def _modules_in(name: str, x: Any) -> Iterator[tuple[str, Module]]:
    if isinstance(x, Module):
        yield name, x
    elif isinstance(x, (list, tuple)):
        for i, part in enumerate(x):
            if not isinstance(part, Value):  # most are, and need no name here
                yield from _modules_in(f"{name}.{i}", part)


def _is_tensor(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return bool(x) and all(map(_is_tensor, x)) and len({shape(part) for part in x}) == 1
    return isinstance(x, Value)
