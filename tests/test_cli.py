"""The command, run as a user runs it."""

import errno
import math
import os
import re
import shlex
import signal
import struct
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from urllib.error import URLError

import matplotlib.figure
import numpy as np
import pytest
from graphs import MNIST, NO_MNIST, QUICK, ROOT, python
from PIL import Image

from autograd import forward_steps, steps, topological_order
from autograd.draw import draw
from autograd.expression import parse
from nn import MLP, optim, penalties, schedules
from nn.cli import main
from nn.cli.pictures import Picture
from nn.cli.tasks import TASKS
from nn.losses import LOSSES
from nn.plots import Animation

COMMAND = [sys.executable, "-c", "from nn.cli import main; main()", "train"]


@pytest.fixture
def in_process(monkeypatch, capsys, tmp_path):
    """Run the command in this process, in an empty folder: exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # as the command has it

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["chainrule", *arguments])
        with pytest.raises(SystemExit) as exit:
            main()
        return exit.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def no_pictures(monkeypatch):
    """Leave out what takes most of the time of a short training."""
    monkeypatch.setattr(Picture, "save", lambda *_: None)


# ---- train -----------------------------------------------------------------------------------------------------------

SIN = ["sin", "--layers", "4", "--epochs", "3", "--samples", "12"]
LINE = ["line", "--epochs", "2", "--samples", "6"]


def numbers(text):
    """What was reached, by name."""
    return {name: float(number) for name, number in re.findall(r"(\w+ (?:MSE|accuracy)) ([\d.e+-]+)", text)}


def test_the_default_run_learns_sin(tmp_path):
    done = subprocess.run([*COMMAND, "sin", "--out", str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "epoch 120/120" in done.stdout
    assert numbers(done.stdout)["test MSE"] < 1e-3
    assert f"picture: {tmp_path / 'sin.png'}" in done.stdout
    assert (tmp_path / "sin.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("task", "epochs"), [("moons", 40), ("circles", 40), ("spirals", 40), ("blobs", 10), ("line", 5), ("digits", 5)]
)
def test_classes_are_learned_in_a_part_of_the_usual_epochs(in_process, tmp_path, task, epochs):
    assert epochs < TASKS[task].settings.epochs
    status, out, err = in_process("train", task, "--epochs", str(epochs))
    assert (status, err) == (0, "")
    assert numbers(out).keys() == {"train accuracy", "test accuracy"}
    assert numbers(out)["test accuracy"] > 90.0
    assert out.endswith(f"picture: {Path('out', task + '.png')}\n")
    assert (tmp_path / "out" / f"{task}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("no_pictures")
def test_same_seed_same_numbers(in_process):
    for task in (["sin", "--noise", "0.1"], ["moons"], ["digits", "--layers", "4"]):
        outs = [in_process("train", *task, *SIN[3:], "--seed", seed)[1] for seed in "112"]
        assert len(numbers(outs[0])) == 2
        assert numbers(outs[0]) == numbers(outs[1]) != numbers(outs[2])


@pytest.mark.usefixtures("no_pictures")
def test_the_graph_engine_learns_the_same(in_process):
    for arguments in (SIN, LINE):
        outs = [in_process("train", *arguments, *more)[1] for more in ([], ["--eager"])]
        assert len(numbers(outs[0])) == 2
        assert numbers(outs[0]) == numbers(outs[1])


def test_a_schedule_a_penalty_and_the_rest_are_taken(in_process, tmp_path):
    model = ["--activation", "relu", "--batch-norm", "--dropout", "0.5", "--layers", "3,2"]
    steps = ["--batch-size", "full", "--learning-rate", "0.1", "--optimizer", "rmsprop", "--momentum", "0"]
    others = ["--l2", "0.1", "--schedule", "warm_up", "--loss", "huber", "--patience", "3", "--out", "a/b"]
    status, out, err = in_process("train", *LINE, *model, *steps, *others)
    assert (status, err) == (0, "")
    network = "MLP(2 → 3 batch norm relu dropout 0.5 → 2 batch norm relu dropout 0.5 → 2, 33 parameters)"
    assert out.startswith(f"{network}: 6 samples, batches of 6\n")
    assert (tmp_path / "a" / "b" / "line.png").exists()


class Fitted(Exception):  # noqa: N818  # it is no error
    """What ``fit`` was given."""


@pytest.fixture
def given(monkeypatch, in_process):
    """What ``fit`` is given for some arguments."""

    def refuse(*args, **options):
        raise Fitted(options)

    def run(*arguments):
        monkeypatch.setattr(sys.modules["nn.cli.train"], "fit", refuse)
        with pytest.raises(Fitted) as found:
            in_process("train", *arguments)
        return found.value.args[0]

    return run


def test_an_optimiser_has_its_own_learning_rate_unless_it_is_the_tasks_or_one_is_given(given):
    rates = {("sgd",): 0.01, ("adagrad",): 0.01, ("momentum",): 0.03, ("sgd", "--learning-rate", "0.5"): 0.5}
    for arguments, rate in rates.items():
        assert given("sin", "--optimizer", *arguments)["optimizer"].learning_rate == rate
    assert given("sin", "--learning-rate", "0.5")["optimizer"].learning_rate == 0.5


def test_momentum_is_the_optimisers_own_unless_it_is_given(given):
    for name, momentum in {"sgd": 0.0, "momentum": 0.9, "nesterov": 0.9, "rmsprop": 0.0}.items():
        assert given("sin", "--optimizer", name)["optimizer"].momentum == momentum
        assert given("sin", "--optimizer", name, "--momentum", "0.5")["optimizer"].momentum == 0.5
    assert given("sin")["optimizer"].momentum == 0.9


def test_a_schedule_knows_how_many_epochs_there_are(given):
    assert given("sin", "--schedule", "cosine", "--epochs", "7")["schedule"] == schedules.Cosine(7)
    assert given("sin")["schedule"] == schedules.Constant()


def test_the_penalty_is_the_sum_of_the_squared_weights(given):
    model = MLP(2, [1], seed=0)
    assert given("sin", "--l2", "0.5")["penalty"](model).data == 0.5 * penalties.l2(model).data
    assert given("sin")["penalty"] is None


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("name", optim.OPTIMIZERS)
def test_any_optimiser_is_taken_by_name(in_process, name):
    assert in_process("train", *LINE, "--optimizer", name)[0] == 0


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("name", schedules.SCHEDULES)
def test_any_schedule_is_taken_by_name(in_process, name):
    assert in_process("train", *LINE, "--schedule", name)[0] == 0


# ---- losses ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("name", LOSSES)
def test_any_loss_teaches_classes(in_process, name):
    status, out, err = in_process("train", "line", "--loss", name, "--epochs", "20", "--learning-rate", "0.02")
    assert (status, err) == (0, "")
    assert numbers(out)["test accuracy"] > 90.0


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_of_numbers_fits_a_curve_and_others_are_refused(in_process, tmp_path, name):
    status, out, err = in_process("train", *SIN, "--loss", name)
    if name in ("mse", "half_squared_error", "mae", "huber"):
        assert (status, err) == (0, "")
        assert f"test {'MSE' if name == 'mse' else name} " in out
    else:
        choice = "mse, half_squared_error, mae, huber"
        assert (status, out) == (2, "")
        assert err == f"chainrule: the loss {name} is for classes; to fit numbers, choose one of: {choice}\n"
        assert not list(tmp_path.iterdir())


# ---- data ------------------------------------------------------------------------------------------------------------


IMAGES = ["--data", "data", "--layers", "16", "--batch-size", "10"]


def write_idx(path, array):
    """An IDX file of bytes."""
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())


@pytest.fixture
def folder(tmp_path):
    """A folder as that of MNIST, with few images: of the class k, bright in the rows 2k and 2k + 1."""
    made = tmp_path / "data"
    made.mkdir()
    for part, n in (("train", 100), ("t10k", 20)):
        labels = np.arange(n, dtype=np.uint8) % 10
        images = np.zeros((n, 28, 28), np.uint8)
        for i, label in enumerate(labels):
            images[i, 2 * label : 2 * label + 2] = 200 + i % 7
        write_idx(made / f"{part}-images-idx3-ubyte", images)
        write_idx(made / f"{part}-labels-idx1-ubyte", labels)
    return made


def test_images_come_from_a_folder(in_process, folder, tmp_path):
    status, out, err = in_process("train", "mnist", *IMAGES)
    assert (status, err) == (0, "")
    assert "90 samples, batches of 10" in out  # a tenth is held out
    assert numbers(out) == {"train accuracy": 100.0, "test accuracy": 100.0}
    assert (tmp_path / "out" / "mnist.png").exists()


@pytest.mark.skipif(not MNIST.is_dir(), reason=NO_MNIST)
def test_mnist_is_learned(tmp_path):
    options, least = (["--samples", "1000", "--layers", "16", "--batch-size", "20"], 75.0) if QUICK else ([], 97.0)
    command = [*COMMAND, "mnist", "--data", str(MNIST), "--out", str(tmp_path), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    assert numbers(done.stdout)["test accuracy"] >= least


@pytest.mark.usefixtures("no_pictures")
def test_the_test_images_change_nothing_but_the_last_number(in_process, folder):
    arguments = ["train", "mnist", *IMAGES, "--save", "w", "--schedule", "plateau", "--patience", "3"]
    outs, weights = [], []
    for shift in (0, 1):
        labels = (np.arange(20, dtype=np.uint8) + shift) % 10
        write_idx(folder / "t10k-labels-idx1-ubyte", labels.astype(np.uint8))
        outs.append(in_process(*arguments)[1])
        weights.append((folder.parent / "w").read_bytes())
    assert weights[0] == weights[1]
    assert numbers(outs[0])["train accuracy"] == numbers(outs[1])["train accuracy"]
    assert [numbers(out)["test accuracy"] for out in outs] == [100.0, 0.0]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: folder.rename(folder.parent / "elsewhere"), "there is no folder data"),
        (lambda folder: (folder / "t10k-labels-idx1-ubyte").unlink(), "the folder data lacks t10k-labels-idx1-ubyte"),
        (lambda folder: (folder / "t10k-labels-idx1-ubyte").write_bytes(b""), "t10k-labels-idx1-ubyte is no IDX file"),
        (
            lambda folder: os.truncate(folder / "train-images-idx3-ubyte", 5000),
            "data/train-images-idx3-ubyte is too short: the shape (100, 28, 28) of uint8 is 78400 bytes, got 4984",
        ),
    ],
)
def test_a_damaged_folder_of_images_is_one_line(in_process, folder, damage, said):
    damage(folder)
    status, out, err = in_process("train", "mnist", "--data", "data")
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_images_that_cannot_be_fetched_are_one_line(in_process, monkeypatch):
    def fail(*_, **__):
        raise URLError("no network")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fail)
    status, out, err = in_process("train", "mnist")
    assert (status, out) == (1, "")
    assert err.startswith("chainrule: mnist_784 cannot be fetched from OpenML")
    assert "--data" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("task", ["moons", "circles", "blobs", "digits", "mnist"])
def test_a_missing_scikit_learn_is_one_line(in_process, monkeypatch, task):
    for name in [name for name in sys.modules if name.partition(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)  # as if it were not installed
    status, out, err = in_process("train", task)
    assert (status, out) == (1, "")
    missing = "this needs scikit-learn, which is not installed: pip install 'chainrule[learn]'"
    assert err == f"chainrule: {missing}{', or give --data' if task == 'mnist' else ''}\n"


# ---- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_pictures")
def test_the_weights_are_saved(in_process, tmp_path):
    status, out, _ = in_process("train", *LINE, "--layers", "3", "--save", "line.safetensors")
    assert status == 0
    assert "weights: line.safetensors" in out.splitlines()
    MLP(2, [3, 2]).load(tmp_path / "line.safetensors")


@pytest.mark.usefixtures("no_pictures")
def test_a_checkpoint_is_gone_on_from(in_process, tmp_path):
    arguments = ["train", "moons", "--samples", "20", "--schedule", "constant", "--epochs"]
    expected = numbers(in_process(*arguments, "6", "--save", "a")[1])
    in_process(*arguments, "2", "--checkpoint", "c")
    assert numbers(in_process(*arguments, "6", "--checkpoint", "c", "--save", "b")[1]) == expected
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_checkpoint_of_another_training_is_one_line(in_process):
    in_process("train", *LINE, "--checkpoint", "c")
    status, _, err = in_process("train", *LINE, "--checkpoint", "c", "--seed", "1")
    assert (status, err) == (1, "chainrule: c is no checkpoint of this training: its seed is 0, this one's 1\n")


def test_the_best_epoch_is_kept(in_process, figures, tmp_path):
    arguments = ["train", "moons", "--samples", "10", "--schedule", "constant"]
    _, out, _ = in_process(*arguments, "--patience", "2", "--save", "a")
    ended, best = map(int, re.search(r"the best of (\d+) epochs was epoch (\d+)", out).groups())
    assert ended == best + 2 < 100
    assert figures[0].axes[0].get_title() == f"Decision boundary after {best} epochs"
    assert numbers(in_process(*arguments, "--epochs", str(best), "--save", "b")[1]) == numbers(out)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# ---- pictures --------------------------------------------------------------------------------------------------------


@pytest.fixture
def figures(monkeypatch):
    """The figures that were written."""
    found = []
    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", lambda figure, path: found.append(figure))
    return found


def texts(legend):
    return [text.get_text() for text in legend.get_texts()]


def test_the_picture_of_sin_shows_data_truth_model_and_loss(in_process, figures):
    in_process("train", *SIN)
    left, right = figures[0].axes
    assert left.get_title() == "Fit after 3 epochs"
    assert texts(left.get_legend()) == ["data (12 points)", "sin x", "model"]
    assert left.get_xlabel() == "x (radians)"
    truth = left.lines[1]
    assert list(truth.get_ydata()) == [math.sin(x) for x in truth.get_xdata()]
    assert [truth.get_xdata()[0], truth.get_xdata()[-1]] == [-math.pi, math.pi]
    assert (right.get_title(), right.get_ylabel()) == ("Training loss", "mean squared error")
    assert list(right.lines[0].get_xdata()) == [1, 2, 3]


def test_the_picture_of_points_shows_the_boundary_and_both_losses(in_process, figures):
    in_process("train", "blobs", "--epochs", "1", "--samples", "9")
    left, right = figures[0].axes
    assert left.get_title() == "Decision boundary after 1 epoch"
    assert texts(left.get_legend()) == ["class 0", "class 1", "class 2", "training", "test"]
    assert sum(len(line.get_xdata()) for line in left.lines) == 18
    assert texts(right.get_legend()) == ["training", "validation"]
    assert (right.get_title(), right.get_ylabel()) == ("Loss", "softmax cross entropy")


def test_the_picture_of_images_shows_the_confusion_and_the_worst_mistakes(in_process, figures, folder):
    labels = np.arange(20, dtype=np.uint8) % 10
    labels[[3, 14]] = 7  # which they are not
    write_idx(folder / "t10k-labels-idx1-ubyte", labels)
    in_process("train", "mnist", *IMAGES)
    matrix, loss, worst = figures[0].axes
    assert matrix.get_title() == "90.00% of 20 test images right after 6 epochs"
    counts = {text.get_position(): int(text.get_text()) for text in matrix.texts}
    assert (counts[3, 7], counts[4, 7], counts[7, 7], sum(counts.values())) == (1, 1, 2, 20)
    assert (loss.get_title(), loss.get_ylabel()) == ("Loss", "softmax cross entropy")
    assert sorted(text.get_text() for text in worst.texts) == ["7 → 3", "7 → 4"]
    assert worst.images[0].get_array().shape == (28, 2 * 32)
    assert worst.get_title() == "The worst mistakes: true → predicted"


def test_without_mistakes_there_are_no_worst_ones(in_process, figures, folder):
    in_process("train", "mnist", *IMAGES)
    *_, worst = figures[0].axes
    assert (worst.get_title(), len(worst.images), worst.axison) == ("No mistakes", 0, False)


def test_clothes_have_names(in_process, figures, folder):
    in_process("train", "fashion", "--data", "data", "--epochs", "1", "--layers", "2")
    matrix, _, worst = figures[0].axes
    assert [label.get_text() for label in matrix.get_yticklabels()][:2] == ["T-shirt", "trousers"]
    assert "\n→ " in worst.texts[0].get_text()


# ---- --live ----------------------------------------------------------------------------------------------------------


def count(path):
    """The frames of an animation."""
    with Image.open(path) as image:
        return image.n_frames


def contents(figure):
    """What stands in a picture, but for its colours."""
    return [
        (
            axes.get_title(),
            axes.get_ylabel(),
            [line.get_xydata().tolist() for line in axes.lines],
            [text.get_text() for text in axes.texts],
            [np.asarray(image.get_array()).tolist() for image in axes.images],
        )
        for axes in figure.axes
    ]


@pytest.mark.parametrize(
    ("arguments", "frames"),
    [
        (["sin", "--epochs", "2"], 3),  # before the first epoch, and after each
        (["line", "--epochs", "5"], 3),  # after every third, and after the last
        (["digits", "--epochs", "1", "--layers", "4"], 3),  # the last is of the test images instead
    ],
)
def test_live_writes_an_animation_that_ends_with_the_picture(in_process, figures, monkeypatch, arguments, frames):
    made, save = [], Animation.save
    monkeypatch.setattr(Animation, "save", lambda animation, path: (made.append(animation), save(animation, path)))
    monkeypatch.setattr("nn.cli.pictures.MOST_FRAMES", 2)
    status, out, err = in_process("train", *arguments, "--live", "--out", "o")
    assert (status, err) == (0, "")
    path = Path("o", f"{arguments[0]}.gif")
    assert out.endswith(f"animation: {path}\n")
    assert count(path) == frames
    assert contents(made[0].figure) == contents(figures[0])


def test_an_interrupted_training_leaves_the_animation_so_far(in_process, monkeypatch, tmp_path):
    draw = Picture.draw

    def interrupted(picture, axes, history):
        if history.epochs == 2 and not picture.ended:
            raise KeyboardInterrupt
        draw(picture, axes, history)

    monkeypatch.setattr(Picture, "draw", interrupted)
    status, out, err = in_process("train", *LINE, "--epochs", "9", "--live")
    assert (status, err) == (0, "")
    assert "stopped after 2 of 9 epochs; this is what was reached" in out
    assert count(tmp_path / "out" / "line.gif") == 3
    assert (tmp_path / "out" / "line.png").exists()


# ---- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["cos"], "unknown task 'cos': choose one of: sin, line, moons"),
        (["moon"], "unknown task 'moon': did you mean 'moons'?"),
        ([], "Missing argument 'TASK'"),
        (["sin", "--layers", "16,a"], "--layers takes whole numbers"),
        (["sin", "--layers", "0"], "--layers takes positive numbers"),
        (["sin", "--layers", "16,1000000000"], "--layers takes positive numbers up to 10000"),
        (["sin", "--activation", "swoosh"], "unknown activation 'swoosh'"),
        (["sin", "--epochs", "0"], "epochs must be a whole number of at least 1"),
        (["sin", "--epochs", "many"], "--epochs"),
        (["sin", "--batch-size", "0"], "--batch-size takes"),
        (["sin", "--batch-size", "half"], "--batch-size takes"),
        (["sin", "--learning-rate", "-1"], "learning_rate must be a number greater than 0"),
        (["sin", "--momentum", "1"], "momentum must be a number in"),
        (["moons", "--momentum", "0.5"], "--momentum is for optimisers that have one, and adam has none"),
        (["sin", "--optimizer", "nesterov", "--momentum", "0"], "nesterov needs a momentum"),
        (["sin", "--optimizer", "nestrov"], "unknown optimiser 'nestrov': did you mean 'nesterov'?"),
        (["sin", "--schedule", "cosin"], "unknown schedule 'cosin': did you mean 'cosine'?"),
        (["sin", "--loss", "msa"], "unknown loss 'msa': did you mean 'mse'"),
        (["sin", "--l2", "-1"], "l2 must be a number of at least 0"),
        (["sin", "--dropout", "1"], "dropout must be a number in [0, 1)"),
        (["sin", "--patience", "0"], "patience must be a whole number of at least 1"),
        (["sin", "--samples", "0"], "samples must be a whole number from 1 to 10,000,000, got 0"),
        (["moons", "--samples", "4000000"], "samples must be a whole number from 1 to 3,333,333, got 4000000"),
        (["digits", "--samples", "5000"], "there are 1294 samples to learn from"),
        (["sin", "--noise", "-1"], "noise"),
        (["digits", "--noise", "0.1"], "--noise is for data that are drawn"),
        (["moons", "--data", "."], "--data is for mnist and fashion"),
        (["sin", "--save", "missing/w"], "--save takes a file in a folder that is there, got missing/w"),
        (["sin", "--nope"], "--nope"),
        (["sin", "--out", "/dev/null/x"], "--out takes a folder"),
        (["sin", "--seed", "-1"], "a seed must be a whole number"),
    ],
)
def test_wrong_options_get_one_line_and_status_2(in_process, tmp_path, options, said):
    status, out, err = in_process("train", *options)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_that_cannot_be_written_is_one_line(in_process):
    status, _, err = in_process("train", *LINE, "--checkpoint", "missing/c")
    assert (status, err) == (2, "chainrule: missing/c cannot be written: No such file or directory\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--learning-rate", "1e9"], r"training diverged in epoch \d+"),
        (["--activation", "log"], r"log\(.*\): not defined there"),
    ],
)
def test_a_training_that_fails_says_so_in_one_line(in_process, options, said):
    status, _, err = in_process("train", "sin", *options, "--epochs", "400", "--samples", "20")
    assert status == 1
    assert re.match(f"chainrule: {said}", err)
    assert len(err.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a POSIX signal")
def test_ctrl_c_ends_cleanly_and_keeps_what_was_reached(tmp_path):
    command = [*COMMAND, "sin", "--epochs", "100000", "--layers", "4", "--out", str(tmp_path)]
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a job in the background inherits that it is ignored
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed
    ) as process:
        try:
            process.stdout.readline()  # the model is built
            time.sleep(3)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert re.search(r"stopped after [1-9]\d* of 100000 epochs", out)
    assert "test MSE" in out
    assert (tmp_path / "sin.png").exists()
    assert "Traceback" not in err


def test_the_help_has_all_names(in_process):
    status, out, err = in_process("train", "--help")
    assert (status, err) == (0, "")
    words = set(re.findall(r"\w+", out))
    assert words >= {*TASKS, *LOSSES, *optim.OPTIMIZERS, *schedules.SCHEDULES}
    for task in TASKS.values():
        assert " ".join(str(task.settings).split()) in " ".join(out.split())


def test_the_command_alone_prints_its_help():
    done = subprocess.run(COMMAND[:-1], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert "train" in done.stdout
    assert len(done.stdout.splitlines()) > 5


# ---- step and draw ---------------------------------------------------------------------------------------------------

NEURON = ["tanh(x1*w1 + x2*w2 + b)", "x1=2", "x2=0", "w1=-3", "w2=1", "b=6.88"]


def neuron():
    """The same by the engine, after its backward pass."""
    value = parse(NEURON[0], x1=2, x2=0, w1=-3, w2=1, b=6.88)
    value.backward()
    return value


def chainrule(*arguments, encoding="utf-8", **options):
    return subprocess.run(
        [*COMMAND[:-1], *arguments],
        capture_output=True,
        timeout=120,
        check=False,
        encoding=encoding,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
        **options,
    )


def tables(text):
    """The rows of each table, by the line above it; a row is what stands between two blanks or more."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    found = {}
    for i, line in enumerate(lines):
        if set(line) == {"─"}:
            title, last = lines[i - 2], next((j for j in range(i, len(lines)) if not lines[j].strip()), len(lines))
            found[title.strip()] = [re.split(r"\s{2,}", row.strip()) for row in lines[i + 1 : last]]
    return found


def on_a_terminal(columns, *arguments):
    """What the command prints to a terminal of so many columns."""
    reading, writing = os.openpty()
    with subprocess.Popen(
        [*COMMAND[:-1], *arguments], stdout=writing, env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    ) as process:
        os.close(writing)
        printed = b""
        try:
            while chunk := os.read(reading, 65536):
                printed += chunk
        except OSError:  # how Linux says that the other side was closed
            pass
        os.close(reading)
    assert process.returncode == 0
    return printed.decode().replace("\r\n", "\n")


def test_step_prints_both_passes_as_the_engine_computes_them():
    done = chainrule("step", *NEURON)
    assert (done.returncode, done.stderr) == (0, "")
    value = neuron()
    found = tables(done.stdout)
    assert list(found) == ["forward", "backward", f"L = {value.data!r}"]
    for i, (row, step) in enumerate(zip(found["forward"], forward_steps(value), strict=True), start=1):
        assert row == [str(i), step.name, step.formula, step.numbers, f"{step.data:.6g}"]
    reasons = []
    for i, (row, step) in enumerate(zip(found["backward"], steps(value), strict=True), start=1):
        number, start, end, local, upstream, contribution, gradient, *reason = row
        assert (number, start, end) == (str(i), step.node_name, step.input_name)
        assert local.startswith(step.formula)
        assert local.endswith(f"{step.local:.6g}")
        assert (upstream, contribution) == (f"{step.upstream:.6g}", f"{step.contribution:.6g}")
        assert gradient == f"{step.before:.6g} → {step.after:.6g}"
        reasons += reason
    assert reasons == list(dict.fromkeys(step.reason for step in steps(value)))
    leaves = [node for node in topological_order(value) if node.op is None]
    assert found[f"L = {value.data!r}"] == [[leaf.name, repr(leaf.data), repr(leaf.grad)] for leaf in leaves]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_signs_that_the_output_cannot_show_are_replaced(encoding):
    done = chainrule("step", *NEURON, encoding=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 ? 1" in done.stdout
    assert len(done.stdout.splitlines()) == len(chainrule("step", *NEURON).stdout.splitlines())


def test_what_is_piped_is_plain_and_a_line_a_step():
    text = "dot([exp(x), x], [x * 1e-7, 1 / 3]) * where(x > 1, x, -x) ** -2 / 3"
    done = chainrule("step", text, "x=1.2345678e-9")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "…" not in done.stdout
    numbers = [row[0] for row in tables(done.stdout)["backward"]]
    assert numbers == [str(i) for i, _ in enumerate(steps(parse(text, x=1.2345678e-9)), start=1)]
    assert "dot([v1, x], [v2, 0.333333])" in done.stdout
    assert "1.23457e-9" in done.stdout


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a POSIX terminal")
@pytest.mark.parametrize("columns", [50, 80, 200])
def test_on_a_terminal_no_line_is_wider_and_no_digit_is_lost(columns):
    wide, shown = chainrule("step", *NEURON).stdout, on_a_terminal(columns, "step", *NEURON)
    assert "\x1b[1m" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, plain.splitlines())) <= columns
    if columns >= 80:
        whole = {title: [row[:7] for row in rows] for title, rows in tables(wide).items()}
        assert {title: [row[:7] for row in rows] for title, rows in tables(shown).items()} == whole
    assert ("the only use of v4 is done" in plain) == (columns == 200)
    assert sum(c.isdigit() for c in plain) >= sum(c.isdigit() for c in re.sub("(the|all|L is) .*", "", wide))


def test_a_file_may_begin_with_a_minus_sign(in_process, tmp_path):
    status, out, _ = in_process("step", "-x", "x=2", "--html", "-x.html")
    assert (status, out.splitlines()[-1]) == (0, "page: -x.html")
    assert (tmp_path / "-x.html").exists()


@pytest.mark.parametrize("arguments", [["-x ** 2", "x=-3e-2"], ["--", "-x ** 2", "x=-3e-2"]])
def test_an_expression_may_begin_with_a_minus_sign(in_process, arguments):
    assert f"L = {-(0.03**2)!r}" in tables(in_process("step", *arguments)[1])


def test_an_expression_is_not_taken_for_options(in_process, tmp_path):
    assert in_process("draw", "-log(o)", "o=2", "-o", "graph.dot") == (0, "diagram: graph.dot\n", "")
    assert "log" in (tmp_path / "graph.dot").read_text(encoding="utf-8")


def test_an_expression_without_operations_has_only_leaves(in_process):
    assert tables(in_process("step", "x", "x=3")[1]) == {"x = 3.0": [["x", "3.0", "1.0"]]}
    assert tables(in_process("step", "2 + 3")[1]) == {"L = 5.0": [["L", "5.0", "1.0"]]}


def test_step_writes_the_page(tmp_path):
    page = tmp_path / "steps.html"
    done = chainrule("step", *NEURON, "--html", str(page))
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"page: {page}\n")
    assert len(tables(done.stdout)) == 3
    html = page.read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert "tanh" in html


def test_draw_writes_the_diagram(in_process, tmp_path):
    said = in_process("draw", *NEURON, "--rankdir", "TB", "--color", "grad", "--out", "graph.dot")
    assert said == (0, "diagram: graph.dot\n", "")
    value = neuron()
    assert (tmp_path / "graph.dot").read_text(encoding="utf-8") == draw(value, rankdir="TB", color="grad").source
    assert in_process("draw", *NEURON) == (0, "diagram: graph.svg\n", "")
    assert "<svg" in (tmp_path / "graph.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["step"], "EXPRESSION"),
        (["step", "", "x=1"], "the expression is empty"),
        (["step", "x + y", "x=1"], "column 5: 'y' has no value; give it one, as in y=1"),
        (["step", "x", "x=1", "y=2"], "'y' has a value, but is not in the expression"),
        (["step", "x.real", "x=1"], "column 1: 'x.real' cannot be in an expression"),
        (["step", "(" * 5000], "the expression has 5000 characters"),
        (["step", "-" * 1500 + "x", "x=1"], "No such option"),
        (["step", "x", "x"], "x: a leaf is given as name=number, such as x=-0.5"),
        (["step", "x", "x=one"], "x=one: a leaf is given as name=number"),
        (["step", "x", "x=1\n2"], "x=1 2: a leaf is given as name=number"),
        (["step", "x", "x=1", "x=2"], "x is given twice"),
        (["step", "fi", "fi=1", "ﬁ=2"], "fi is given twice"),
        (["step", "x", "x=1", "--nope"], "--nope"),
        (["step", "x", "x=1", "--html", "/dev/null/x.html"], "/dev/null/x.html cannot be written: Not a directory"),
        (
            ["step", "x", "x=1", "--html", "missing/x.html"],
            "missing/x.html cannot be written: No such file or directory",
        ),
        (["draw", "x", "x=1", "--out", "missing/x.svg"], "missing/x.svg cannot be written: No such file or directory"),
        (["draw", "x", "x=1", "-o", "/dev/null/x.svg"], "/dev/null/x.svg cannot be written: Not a directory"),
        (["draw", "x", "x=1", "--out", "x.gif"], "a diagram is saved as .svg"),
        (["draw", "x", "x=1", "--rankdir", "up"], "'up'"),
        (["draw", "x", "x=1", "--color", "red"], "'red'"),
        (["draw", "y"], "column 1: 'y' has no value"),
    ],
)
def test_wrong_expressions_get_one_line_and_status_2(in_process, arguments, said, tmp_path):
    status, out, err = in_process(*arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["step", "log(x)", "x=-1"], "column 1: log(x=-1.0): not defined there"),
        (["draw", "1 / x", "x=0"], "column 1: div(1.0, x=0.0): not defined there (division by zero)"),
        (["step", "x * 9**9**9", "x=1"], "column 5: pow(9.0, 387420489.0): the result is too large for a float"),
    ],
)
def test_an_operation_that_is_not_defined_says_so_in_one_line(in_process, arguments, said):
    status, out, err = in_process(*arguments)
    assert (status, out) == (1, "")
    assert err.startswith(f"chainrule: {said}")
    assert len(err.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="the renderer is a shell script")
def test_a_renderer_that_fails_says_so_in_one_line(in_process, monkeypatch, tmp_path):
    renderer = tmp_path / "dot"
    renderer.write_text("#!/bin/sh\necho out of paper >&2\nexit 3\n")
    renderer.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    status, out, err = in_process("draw", "x", "x=1")
    assert (status, out, err) == (1, "", "chainrule: dot failed with exit status 3: out of paper\n")
    assert not (tmp_path / "graph.svg").exists()


def test_a_renderer_that_takes_too_long_is_not_the_fault_of_the_file(in_process, monkeypatch):
    def render(*_):
        raise TimeoutError("dot was ended after 30 s")

    monkeypatch.setattr("autograd.render.render", render)
    status, _, err = in_process("draw", "x", "x=1")
    assert status == 1
    assert err.startswith("chainrule: dot was ended after 30 s, not done with 1 boxes: ")
    assert len(err.splitlines()) == 1


def test_a_folder_that_cannot_be_written_to(in_process, monkeypatch):
    def refuse(source, target):  # as for a user who may not write there; root may write anywhere
        raise PermissionError(errno.EACCES, "Permission denied", source)

    monkeypatch.setattr("autograd.files.os.replace", refuse)
    status, out, err = in_process("step", "x", "x=1", "--html", "x.html")
    assert (status, out, err) == (2, "", "chainrule: x.html cannot be written: Permission denied\n")


@pytest.mark.parametrize("command", ["step", "draw"])
def test_the_example_of_the_help_runs(in_process, command):
    status, out, err = in_process(command, "--help")
    assert "NAME=NUMBER" in out
    example = re.search(r"Example: chainrule (.*)", out)[1]
    status, out, err = in_process(*shlex.split(example))
    assert (status, err) == (0, "")


def test_numpy_uses_one_thread_unless_the_user_says_otherwise(in_process, monkeypatch):
    done = python("import sys, nn.cli; print('numpy' in sys.modules)")
    assert done.stdout == "False\n"  # it loads later, when the command has said so
    for said, expected in (("", ""), ("7", "7"), (None, "1")):
        if said is None:
            monkeypatch.delenv("OPENBLAS_NUM_THREADS")
        else:
            monkeypatch.setenv("OPENBLAS_NUM_THREADS", said)
        in_process("train", "cos")
        assert os.environ["OPENBLAS_NUM_THREADS"] == expected


def test_importing_nn_does_not_load_the_command():
    done = python("import sys, nn; print(sorted({'typer', 'rich', 'nn.cli'} & set(sys.modules)))")
    assert done.stdout == "[]\n"
