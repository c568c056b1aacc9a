"""Schedules against PyTorch's, and against what each of them is."""

import json
import math
import pickle
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn import schedules
from nn.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    OnPlateau,
    Step,
    WarmUp,
    by_name,
)

PYTORCH = json.loads((Path(__file__).parent / "fixtures" / "schedules.json").read_text(encoding="utf-8"))

EPOCHS = st.integers(0, 300)
FACTORS = st.floats(0.01, 1.0)
LOSSES = st.lists(st.floats(0.0, 10.0), max_size=60)


def made(settings):
    """The schedule of a case, which may have another in it."""
    settings = {name: made(x) if name == "then" else x for name, x in settings.items() if name != "factors"}
    return getattr(schedules, settings.pop("schedule"))(**settings)


def factors(schedule, losses):
    """Of each epoch of a training that saw these losses, and of the one after it."""
    return [schedule(epoch, losses[:epoch]) for epoch in range(len(losses) + 1)]


@pytest.mark.parametrize("case", PYTORCH["cases"], ids=lambda case: repr(made(case)))
def test_the_numbers_are_those_of_pytorch(case):
    *found, _ = factors(made(case), PYTORCH["losses"])
    # PyTorch multiplies from epoch to epoch: at most 4 roundings in each of 100, of numbers that are at most 1.
    assert found == pytest.approx(case["factors"], rel=0, abs=400 * 2**-53)


@given(EPOCHS)
def test_constant_is_1(epoch):
    assert Constant()(epoch) == 1.0


@given(st.integers(1, 20), FACTORS, EPOCHS)
def test_step_falls_once_every_so_many_epochs(every, factor, epoch):
    schedule = Step(every, factor)
    assert schedule(0) == 1.0
    assert schedule(epoch + every) == pytest.approx(schedule(epoch) * factor, rel=1e-12, abs=1e-300)
    assert schedule(epoch) == schedule(epoch - epoch % every)


@given(FACTORS, EPOCHS)
def test_exponential_falls_by_the_same_share_in_every_epoch(factor, epoch):
    schedule = Exponential(factor)
    assert schedule(0) == 1.0
    assert schedule(epoch + 1) == pytest.approx(schedule(epoch) * factor, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("factor", [Fraction(1, 3), np.float32(0.1), 1])
@pytest.mark.parametrize("kind", [Exponential, lambda factor: Step(1, factor)])
def test_a_power_is_one_of_floats_whatever_number_the_factor_is(kind, factor):
    for epoch in (1, 7, 2**63):  # the power of a fraction would have as many digits as there are epochs
        found = kind(factor)(epoch)
        assert type(found) is float
        assert found == float(factor) ** epoch


@given(st.floats(0.0, 10.0), EPOCHS)
def test_the_inverse_of_inverse_time_grows_in_even_steps(decay, epoch):
    schedule = InverseTime(decay)
    assert schedule(0) == 1.0
    assert 1 / schedule(epoch + 1) - 1 / schedule(epoch) == pytest.approx(decay, rel=1e-9, abs=1e-9)


@given(st.integers(1, 200), st.floats(0.0, 0.9), st.data())
def test_cosine_is_symmetric_about_its_middle_and_ends_at_its_floor(epochs, floor, data):
    schedule = Cosine(epochs, floor)
    epoch = data.draw(st.integers(0, epochs))
    assert schedule(0) == 1.0
    assert schedule(epoch) + schedule(epochs - epoch) == pytest.approx(1 + floor, rel=1e-12)
    assert schedule(epochs) == schedule(epochs + 1) == schedule(10 * epochs) == floor
    assert schedule(epoch + 1) <= schedule(epoch)


@given(st.integers(1, 50), st.integers(0, 50), st.integers(1, 50))
def test_warm_up_rises_in_even_steps_to_the_start_of_what_comes_then(epochs, later, every):
    then = Step(every, 0.5)
    schedule = WarmUp(epochs, then)
    rise = [schedule(epoch) for epoch in range(epochs + 1)]
    assert rise == pytest.approx([i / (epochs + 1) for i in range(1, epochs + 2)], rel=1e-12)
    assert schedule(epochs + later) == then(later)


@given(LOSSES, st.integers(1, 10))
def test_what_comes_after_warm_up_is_given_the_losses_since(losses, epochs):
    then = OnPlateau(factor=0.5, patience=2)
    assert factors(WarmUp(epochs, then), losses)[epochs:] == factors(then, losses[epochs:])[: len(losses) + 1 - epochs]


@given(st.integers(0, 5), st.integers(0, 40), FACTORS)
def test_on_plateau_a_loss_that_stands_still_is_waited_for(patience, epochs, factor):
    # The first loss is the least there has been; after it, every patience + 1 epochs are one too many.
    found = OnPlateau(factor, patience)(epochs, [1.0] * epochs)
    assert found == pytest.approx(factor ** (max(epochs - 1, 0) // (patience + 1)), rel=1e-12)


@given(st.integers(0, 5), st.integers(0, 40), st.floats(0.001, 0.5))
def test_on_plateau_a_loss_that_falls_enough_changes_nothing(patience, epochs, threshold):
    losses = [(1 - 1.01 * threshold) ** epoch for epoch in range(epochs)]
    assert factors(OnPlateau(0.5, patience, threshold), losses) == [1.0] * (epochs + 1)
    slower = [(1 - 0.9 * threshold) ** epoch for epoch in range(epochs)]
    assert OnPlateau(0.5, 0, threshold)(epochs, slower) < 1.0 or epochs < 2


@given(LOSSES, st.integers(0, 5), st.floats(0.0, 0.5), st.integers(-30, 30))
def test_on_plateau_only_falls_never_below_its_floor_and_knows_no_unit(losses, patience, floor, exponent):
    schedule = OnPlateau(0.5, patience, floor=floor)
    found = factors(schedule, losses)
    assert found == sorted(found, reverse=True)
    assert found[0] == 1.0
    assert found[-1] >= floor
    normal = [loss + 1.0 for loss in losses]  # a power of 2 times these is exact
    assert factors(schedule, normal) == factors(schedule, [math.ldexp(loss, exponent) for loss in normal])


def test_on_plateau_a_loss_that_is_no_number_has_not_fallen():
    assert factors(OnPlateau(0.5, patience=1), [math.nan] * 4) == [1.0, 1.0, 0.5, 0.5, 0.25]


ALL = [Constant(), Step(3), Exponential(0.5), InverseTime(0.1), Cosine(9), WarmUp(2, Cosine(5)), OnPlateau()]


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_schedules_travel_and_are_printed_as_they_are_made(schedule):
    copy = pickle.loads(pickle.dumps(schedule))
    assert copy == schedule == eval(repr(schedule), vars(schedules))
    assert factors(copy, [1.0] * 20) == factors(schedule, [1.0] * 20)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("epochs", [1, 2, 10, 100])
def test_by_name_each_fits_any_number_of_epochs(name, epochs):
    schedule = by_name(name)(epochs)
    found = factors(schedule, [1.0] * (epochs - 1))
    assert len(found) == epochs
    assert all(0.0 < factor <= 1.0 for factor in found)


@pytest.mark.parametrize("name", SCHEDULES)
def test_by_name_all_but_constant_change_the_learning_rate(name):
    assert (set(factors(by_name(name)(100), [1.0] * 99)) == {1.0}) == (name == "constant")


def test_an_unknown_name_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match="unknown schedule 'cosin': did you mean 'cosine'"):
        by_name("cosin")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Step(0), "every must be a whole number of at least 1, got 0"),
        (lambda: Step(2.0), "every must be a whole number"),
        (lambda: Step(2, 0.0), r"factor must be a number in \(0, 1\], got 0.0"),
        (lambda: Exponential(1.5), r"factor must be a number in \(0, 1\]"),
        (lambda: Exponential(math.nan), "factor"),
        (lambda: InverseTime(-1.0), "decay must be a number of at least 0"),
        (lambda: Cosine(0), "epochs must be a whole number of at least 1"),
        (lambda: Cosine(10, 1.0), r"floor must be a number in \[0, 1\)"),
        (lambda: WarmUp(True), "epochs"),
        (lambda: OnPlateau(factor=-0.1), "factor"),
        (lambda: OnPlateau(patience=-1), "patience must be a whole number of at least 0"),
        (lambda: OnPlateau(threshold=1.0), "threshold"),
        (lambda: OnPlateau(floor=-0.1), "floor"),
        (lambda: Cosine(10)(-1), "the epoch must be a whole number of at least 0"),
        (lambda: Step(10)(1.5), "the epoch"),
        (lambda: OnPlateau()(3), "needs the loss of each of the 3 epochs so far, got 0"),
    ],
)
def test_bad_settings_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_comes_after_warm_up_is_a_function():
    with pytest.raises(TypeError, match="what comes after WarmUp is a schedule"):
        WarmUp(3, then=0.1)


def test_losses_are_a_list():
    with pytest.raises(TypeError, match=r"a schedule takes the losses so far as a list, got 0\.5"):
        Cosine(3)(1, 0.5)
