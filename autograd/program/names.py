"""What buffers and views of them are called in a program's text."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from .adjoints import Adjoints
from .statements import Buffer, Ref
from .values import Values


class Names:
    """Gives names that are those of the model where it has some, and that nothing else has.

    Args:
        values, adjoints: whose buffers these are.
        parameters, inputs: what the user calls them, "" for no name.
        memory: which memory a buffer has, by ``buffers.shared``.
        taken: the names that the text needs for something else.
    """

    def __init__(
        self,
        values: Values,
        adjoints: Adjoints,
        parameters: Sequence[str],
        inputs: Sequence[str],
        memory: dict[Buffer, Buffer],
        taken: Iterable[str],
    ) -> None:
        self._taken = set(taken)
        self._counts: Counter[str] = Counter()
        self._values, self._adjoints, self._parameters = values, adjoints, parameters
        self._users = Counter(memory.values())
        self._buffers = {x: x.name for x in (values.parameters, adjoints.gradient, adjoints.ones)}
        for buffer, name in zip(values.inputs, inputs, strict=True):
            self._buffers[buffer] = self.once(identifier(name) or buffer.name)
        self._views: dict[Ref, str] = {}

    def of(self, buffer: Buffer) -> str:
        """The name of a buffer: of what several share, a temporary's."""
        if buffer not in self._buffers:
            several = self._users[buffer] > 1 and not buffer.mask
            self._buffers[buffer] = self.unique("t" if several else buffer.name.rstrip("0123456789"))
        return self._buffers[buffer]

    def of_view(self, ref: Ref) -> str:
        """The name of a view: of parameters what they are called, of their gradient the same with a d before."""
        if ref not in self._views:
            self._views[ref] = self._view(ref)
        return self._views[ref]

    def _view(self, ref: Ref) -> str:
        if not ref.suffix:
            return self.of(ref.buffer)
        if ref.suffix.endswith(".T"):
            return self.once(f"{self.of_view(ref.transposed)}_T")
        if ref.buffer is self._values.parameters:
            view = self._values.parameter_views[ref.suffix]
            stems = {re.sub(r"[\d\[\]]*$", "", self._parameters[i]) for i in view.places.ravel().tolist()}
            return self.unique((identifier(stems.pop()) if len(stems) == 1 else None) or "w")
        if ref.buffer is self._adjoints.gradient:
            for ending in (ref.suffix, ref.suffix + "[:, None]"):
                of = self._views.get(Ref(self._values.parameters, ending))
                if of is not None:
                    return self.once(f"d{of}")
        return self.once(f"{self.of(ref.buffer)}_view")

    def unique(self, stem: str) -> str:
        """The stem with a number behind it, that no other name has."""
        while True:
            self._counts[stem] += 1
            found = f"{stem}{self._counts[stem]}"
            if found not in self._taken:
                self._taken.add(found)
                return found

    def once(self, name: str) -> str:
        """The name, if no other has it; else with a number."""
        if name in self._taken:
            return self.unique(name + "_")
        self._taken.add(name)
        return name


def identifier(name: str) -> str | None:
    """The name as a name in the text: letters, digits and underscores of it; None if nothing is left."""
    found = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    return found if found.isidentifier() and not keyword.iskeyword(found) else None
