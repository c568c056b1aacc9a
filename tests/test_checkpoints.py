"""Checkpoints: a training that ended at any moment goes on to the same numbers; what does not fit is refused."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from killed_training import train

from nn import MLP, fit
from nn.augment import Jitter
from nn.losses import mae
from nn.optim import SGD
from nn.penalties import l2
from nn.schedules import Exponential

KILLS = 50


def test_killed_at_random_moments_a_training_arrives_at_the_same_numbers(tmp_path):
    script = Path(__file__).with_name("killed_training.py")
    environment = os.environ | {"PYTHONPATH": str(script.parents[1]), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", str(script), str(tmp_path), str(KILLS)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["killed"] >= KILLS
    assert any(began > 1 for began in found["began"])  # it went on, and did not only start anew
    expected = train(None)
    assert all(numbers == expected for numbers in found["numbers"])


def numbers(model, history):
    return [p.data for p in model.parameters()], history.rows


def trained(epochs, checkpoint=None, targets=None, **options):
    model = MLP(1, [3, 1], activation="tanh", seed=0, dropout=0.1)
    xs = [0.1 * i for i in range(10)]
    optimizer = SGD(model.parameters(), 0.1, momentum=0.9)
    options = {"optimizer": optimizer, "batch_size": 4, "checkpoint": checkpoint, **options}
    return numbers(model, fit(model, xs, targets or [x * x for x in xs], epochs=epochs, **options))


def unexpected(history):
    pytest.fail("an epoch was trained")


EXPECTED = trained(12)
EXPECTED_ON_GRAPHS = trained(12, eager=True)


@given(epochs=st.lists(st.integers(1, 12), max_size=3), eager=st.booleans())
def test_ended_after_any_epochs_it_goes_on_to_the_same_numbers(epochs, eager):
    with TemporaryDirectory() as folder:
        for each in sorted(epochs):
            trained(each, Path(folder) / "c.safetensors", eager=eager)
        found = trained(12, Path(folder) / "c.safetensors", eager=eager)
    assert found == (EXPECTED_ON_GRAPHS if eager else EXPECTED)


@pytest.mark.parametrize("kept", [4, 6, 7, 9])
def test_a_learning_rate_that_a_callback_set_and_the_end_that_it_made_are_kept(tmp_path, kept):
    def trained_until(epochs, checkpoint=None):
        def callback(history):
            if history.epochs == 5:
                optimizer.learning_rate = np.float32(0.25)
            return history.epochs == 7

        model = MLP(1, [3, 1], activation="tanh", seed=0)
        optimizer = SGD(model.parameters(), 0.1, momentum=0.9)
        options = {"optimizer": optimizer, "callbacks": [callback], "checkpoint": checkpoint}
        history = fit(model, [0.0, 1.0], [0.0, 1.0], epochs=epochs, **options)
        assert optimizer.learning_rate == 0.1
        return numbers(model, history)

    trained_until(kept, tmp_path / "c")
    expected = trained_until(12)
    assert trained_until(12, tmp_path / "c") == trained_until(12, tmp_path / "c") == expected
    assert [row["learning_rate"] for row in expected[1]] == [0.1] * 5 + [0.25] * 2


def test_interrupted_within_an_epoch_it_goes_on_from_the_last_that_was_whole(tmp_path):
    def interrupt(history):
        if history.epochs == 5:
            raise KeyboardInterrupt

    assert len(trained(12, tmp_path / "c", callbacks=[interrupt])[1]) == 5
    assert trained(12, tmp_path / "c") == EXPECTED


def test_what_has_come_to_its_end_is_not_trained_again(tmp_path):
    trained(12, tmp_path / "c")
    before = (tmp_path / "c").read_bytes()
    assert trained(12, tmp_path / "c", callbacks=[unexpected]) == EXPECTED
    assert (tmp_path / "c").read_bytes() == before


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "c"
    trained(2, path)
    return path.read_bytes()


@given(data=st.data())
def test_a_damaged_checkpoint_is_named_and_changes_nothing(content, data):
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        damaged = content[:place]
    else:
        damaged = content[:place] + bytes([content[place] ^ data.draw(st.integers(1, 255))]) + content[place + 1 :]
    model = MLP(1, [3, 1], activation="tanh", seed=0, dropout=0.1)
    before = model.state_dict()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "c"
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=re.escape(str(path))):
            fit(model, [0.0], [1.0], optimizer=SGD(model.parameters(), 0.1, momentum=0.9), checkpoint=path)
        assert path.read_bytes() == damaged
    assert model.state_dict() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 5}, "its batch_size is 4, this one's 5"),
        ({"seed": 1}, "its seed is 0, this one's 1"),
        ({"loss": mae}, "its loss is <function mse>, this one's <function mae>"),
        ({"schedule": Exponential(0.9)}, r"its schedule is None, this one's Exponential\(factor=0.9\)"),
        ({"penalty": l2}, "its penalty is None, this one's <function l2>"),
        ({"augment": Jitter(0.1)}, r"its augment is None, this one's Jitter\(deviation=0.1\)"),
        ({"patience": 3}, "its patience is None, this one's 3"),
        ({"metrics": {"error": mae}}, r"its metrics is \[\], this one's \['error'\]"),
        ({"targets": [0.0] * 10}, r"its checksum of the examples is \d+, this one's \d+"),
        ({"validation": ([0.0], [0.0])}, r"its checksum of the validation data is None, this one's \d+"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, options, message):
    trained(2, tmp_path / "c")
    with pytest.raises(ValueError, match=message):
        trained(3, tmp_path / "c", **options)


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    trained(2, tmp_path / "c")
    model = MLP(1, [4, 1], activation="tanh", seed=0, dropout=0.1)
    with pytest.raises(ValueError, match=r"its model is MLP\(1 → 3"):
        fit(model, [0.0], [1.0], checkpoint=tmp_path / "c")


def test_a_file_that_cannot_be_written_is_named_before_training(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        trained(2, tmp_path / "nowhere" / "c", callbacks=[unexpected])
