"""The command, run as a user runs it."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

COMMAND = [sys.executable, "-c", "from nn.cli import main; main()", "train"]
QUICK = ["sin", "--layers", "4", "--epochs", "3", "--samples", "12"]


def run(*options):
    return subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=120, check=False)


def test_the_default_run_learns_sin(tmp_path):
    done = run("sin", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "epoch 120/120" in done.stdout
    assert "learning rate 0.03" in done.stdout
    assert float(re.search(r"test MSE (\S+)", done.stdout)[1]) < 1e-3
    assert f"picture: {tmp_path / 'sin.png'}" in done.stdout
    assert (tmp_path / "sin.png").read_bytes().startswith(b"\x89PNG")


def test_same_seed_same_numbers(tmp_path):
    def numbers(seed):
        done = run(*QUICK, "--seed", seed, "--noise", "0.1", "--out", str(tmp_path))
        return re.findall(r"MSE (\S+)", done.stdout)

    assert len(numbers("1")) == 2
    assert numbers("1") == numbers("1") != numbers("2")


def test_every_option_is_taken(tmp_path):
    options = ["--batch-size", "full", "--activation", "relu", "--learning-rate", "0.1", "--momentum", "0"]
    done = run(*QUICK, *options, "--out", str(tmp_path / "a" / "b"))
    assert done.returncode == 0, done.stderr
    assert "12 samples, batches of 12" in done.stdout
    assert (tmp_path / "a" / "b" / "sin.png").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["cos"], "'cos'"),
        ([], "task"),
        (["sin", "--layers", "16,a"], "--layers takes whole numbers"),
        (["sin", "--layers", "0"], "--layers takes positive numbers"),
        (["sin", "--layers", "16,1000000000"], "--layers takes positive numbers up to 10000"),
        (["sin", "--activation", "swoosh"], "unknown activation 'swoosh'"),
        (["sin", "--epochs", "0"], "epochs must be a positive"),
        (["sin", "--epochs", "many"], "--epochs"),
        (["sin", "--batch-size", "0"], "--batch-size takes"),
        (["sin", "--batch-size", "half"], "--batch-size takes"),
        (["sin", "--learning-rate", "-1"], "learning_rate must be a number greater than 0"),
        (["sin", "--momentum", "1"], "momentum must be a number in"),
        (["sin", "--samples", "0"], "samples must be positive"),
        (["sin", "--noise", "-1"], "noise"),
        (["sin", "--nope"], "--nope"),
        (["sin", "--out", "/dev/null/x"], "--out takes a folder"),
        (["sin", "--seed", "-1"], "a seed is a whole number"),
    ],
)
def test_wrong_options_get_one_line_and_status_2(options, said):
    done = run(*options)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--learning-rate", "1e9"], r"training diverged in epoch \d+"),
        (["--activation", "log"], r"log\(.*\): not defined there"),
    ],
)
def test_a_training_that_fails_says_so_in_one_line(tmp_path, options, said):
    done = run("sin", *options, "--epochs", "400", "--samples", "20", "--out", str(tmp_path))
    assert done.returncode == 1
    assert re.search(f"chainrule: {said}", done.stderr)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a POSIX signal")
def test_ctrl_c_ends_cleanly_and_keeps_what_was_reached(tmp_path):
    command = [*COMMAND, "sin", "--epochs", "100000", "--layers", "4", "--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()  # the model is built
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert re.search(r"stopped after [1-9]\d* of 100000 epochs", out)
    assert "test MSE" in out
    assert (tmp_path / "sin.png").exists()
    assert "Traceback" not in err


def test_the_command_alone_prints_its_help():
    done = subprocess.run(COMMAND[:-1], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert "train" in done.stdout
    assert len(done.stdout.splitlines()) > 5
