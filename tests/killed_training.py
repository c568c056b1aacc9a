"""A training that is killed again and again; run by ``test_checkpoints.py``, in a process of its own.

``python killed_training.py FOLDER KILLS`` starts the training in forked processes, kills each after a random time, and
starts it anew on what its checkpoint holds, until so many have been killed and one has come to its end. It prints, as
JSON, what every training that came to its end arrived at, and the first epoch of its last life (0: it had none to do).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from random import Random

import numpy as np

import nn
import nn.schedules


def train(checkpoint: Path | None, seen: list[int] | None = None) -> list[float]:
    """A training with all that has a state: all its numbers at the end."""
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(24, 2))
    ys = np.sin(xs[:, 0]) * xs[:, 1]
    model = nn.Sequential(nn.Layer(2, 4, None, seed=0), nn.BatchNorm(4), nn.Dropout(0.2), nn.Layer(4, 1, None, seed=1))
    history = nn.fit(
        model,
        xs[:16],
        ys[:16],
        epochs=60,
        batch_size=8,
        optimizer=nn.optim.SGD(model.parameters(), 0.05, 0.9),
        schedule=nn.schedules.OnPlateau(patience=3),
        augment=lambda batch, rng: batch + 0.01 * rng.normal(size=batch.shape),
        validation=(xs[16:], ys[16:]),
        patience=50,
        checkpoint=checkpoint,
        callbacks=[] if seen is None else [lambda history: seen.append(history.epochs)],
        seed=3,
    )
    state = [float(x) for tensor in model.state_dict().values() for x in np.ravel(tensor)]
    return [*state, *[x for row in history.rows for x in row.values()]]


def timed_training() -> float:
    """How many seconds it takes."""
    begin = time.perf_counter()
    train(None)
    return time.perf_counter() - begin


def main() -> None:
    """As the command line says."""
    folder, kills = Path(sys.argv[1]), int(sys.argv[2])
    checkpoint, result = folder / "training.safetensors", folder / "result.json"
    shortest = min(timed_training() for _ in range(3))  # the first has to import; no life that is killed is longer
    rng = Random(0)
    killed, found, began = 0, [], []
    while killed < kills or max(began, default=0) <= 1:  # one must have gone on, and not only started anew
        if not (process := os.fork()):
            seen: list[int] = []
            numbers = train(checkpoint, seen)
            result.write_text(json.dumps({"numbers": numbers, "first": seen[0] if seen else 0}), encoding="utf-8")
            os._exit(0)
        time.sleep(rng.uniform(0.0, shortest))
        os.kill(process, signal.SIGKILL)  # which does nothing to one that has ended
        status = os.waitpid(process, 0)[1]
        if os.WIFSIGNALED(status):
            killed += 1
        else:
            ended = json.loads(result.read_text(encoding="utf-8"))
            found.append(ended["numbers"])
            began.append(ended["first"])
            checkpoint.unlink()
    print(json.dumps({"killed": killed, "numbers": found, "began": began}))


if __name__ == "__main__":
    main()
