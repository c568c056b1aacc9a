"""Checkpoints: all that a training needs to go on where it was, in one safetensors file."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autograd import Value, files

from .history import History
from .optim import Optimizer
from .stopping import Best
from .tensors import floats

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

FACTS, CHECKSUM = "chainrule", "crc32"
"""The names, in the file's metadata, of what is no tensor, and of the checksum of it all."""


class Checkpoint:
    """The file of a training, written after every epoch; whole or not at all, so that there is always a sound one.

    What is random needs no place in it: every epoch draws by its own number.

    Args:
        path: the file.
        values: what the training changes: parameters and running statistics.
        optimizer: what it remembers goes in too.
        best: the numbers of the best epoch.
        settings: what must be the same for a training to go on, by name, as far as its ``repr`` tells.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        values: Sequence[Value],
        optimizer: Optimizer,
        best: Best,
        settings: Mapping[str, Any],
    ) -> None:
        self.path = os.fsdecode(path)
        self.values, self.optimizer, self.best = values, optimizer, best
        # Where something lies in memory is another place in the next process.
        self.settings = {name: re.sub(r" at 0x\w+", "", repr(setting)) for name, setting in settings.items()}

    def save(self, history: History, ended: bool = False) -> None:
        """Write the file; if a callback has ended the training, that goes in too."""
        import numpy as np
        from safetensors.numpy import save

        remembered = {f"optimizer.{name}": np.asarray(x, float) for name, x in self.optimizer.state_dict().items()}
        numbers = {"values": np.array([value.data for value in self.values]), "best": np.array(self.best.numbers)}
        rate = float(self.optimizer.learning_rate)  # which a callback may have set
        facts = json.dumps({"settings": self.settings, "rows": history.rows, "learning_rate": rate, "ended": ended})
        tensors = {**numbers, **remembered}
        files.write_whole(self.path, save(tensors, {FACTS: facts, CHECKSUM: _checksum(tensors, facts)}))

    def resume(self, history: History) -> bool:
        """Go on where the file ends; if there is none, write one, so that a path that cannot be written is known now.

        Returns:
            Whether a callback has ended the training.

        Raises:
            OSError: it cannot be read, or written.
            ValueError: it is damaged, or of a training with other settings; nothing is changed.
        """
        if not os.path.exists(self.path):
            self.save(history)
            return False
        tensors, facts = _read(self.path)
        try:
            self._check(facts["settings"])
            rows = [{str(name): float(x) for name, x in row.items()} for row in facts["rows"]]
            numbers, best = tensors.pop("values").tolist(), tensors.pop("best").tolist()
            state: dict[str, Any] = {name.removeprefix("optimizer."): x for name, x in tensors.items()}
            state["steps"] = int(state["steps"])
            rate, ended = float(facts["learning_rate"]), bool(facts["ended"])
            if len(numbers) != len(self.values) or len(best) not in (0, len(self.values)):
                raise ValueError(f"it holds {len(numbers)} numbers for {len(self.values)}")
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{self.path} is no checkpoint of this training: {error}") from None
        self.optimizer.load_state_dict(state)
        self.optimizer.learning_rate = rate
        for value, number in zip(self.values, numbers, strict=True):
            value.data = number
        self.best.numbers = best
        history.rows[:] = rows
        return ended

    def _check(self, settings: Mapping[str, Any]) -> None:
        for name, expected in self.settings.items():
            if settings.get(name) != expected:
                raise ValueError(f"its {name} is {settings.get(name)}, this one's {expected}")


def fingerprint(examples: Iterable[Any] | None) -> int | None:
    """A checksum of samples and targets; None if there are none, or if they are not numbers of one shape."""
    import numpy as np

    checksum = 0
    for each in examples or ():
        try:
            checksum = zlib.crc32(np.ascontiguousarray(floats(each)).data, checksum)
        except (TypeError, ValueError):
            return None
    return checksum or None


def _read(path: str) -> tuple[dict[str, Array], dict[str, Any]]:
    """The tensors and the facts of a file."""
    from safetensors import SafetensorError, safe_open

    open(path, "rb").close()  # an error of the system names the file better than the library does
    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no dict
        facts: dict[str, Any] = json.loads(metadata[FACTS])
        if _checksum(tensors, metadata[FACTS]) != metadata[CHECKSUM]:
            raise ValueError("its checksum is another")
        return tensors, facts
    except (SafetensorError, TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is no sound checkpoint of a training: {error}") from None


def _checksum(tensors: Mapping[str, Array], facts: str) -> str:
    checksum = zlib.crc32(facts.encode())
    for name in sorted(tensors):
        checksum = zlib.crc32(tensors[name].tobytes(), zlib.crc32(name.encode(), checksum))
    return str(checksum)
