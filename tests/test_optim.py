"""Optimisers against PyTorch's numbers, and against sums that say without recurrences where they go; clipping."""

import json
import math
import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from nn import optim
from nn.optim import (
    OPTIMIZERS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    ClipByNorm,
    ClipByValue,
    Nadam,
    Optimizer,
    RMSprop,
    by_name,
)

PYTORCH = json.loads((Path(__file__).parent / "fixtures" / "optimisers.json").read_text(encoding="utf-8"))

GRADIENTS = st.lists(st.floats(-10, 10), min_size=1, max_size=10)
RATES = st.floats(0.001, 1)
SHARES = st.floats(0.01, 0.99)

every_optimiser = pytest.mark.parametrize("name", OPTIMIZERS)


def steps(optimizer, parameter, gradients):
    for g in gradients:
        parameter.grad = g
        optimizer.step()
        yield parameter.data


def moved(make, gradients, start=0.0):
    """Where a parameter goes from 0 by these gradients."""
    p = Value(start)
    *_, last = steps(make([p]), p, gradients)
    return last


def values(*numbers):
    return [Value(number) for number in numbers]


def drawn(steps=6, parameters=3, seed=0):
    """Gradients, and where to start."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(steps, parameters)), rng.normal(size=parameters)


def updated(optimizer, vector, gradients):
    """A copy of the vector after updates by these gradients."""
    vector = vector.copy()
    for gradient in gradients:
        optimizer.update(vector, gradient)
    return vector


def plain(state):
    """A state as what can be compared."""
    return {name: np.asarray(x).tolist() for name, x in state.items()}


# ---- the numbers of PyTorch ------------------------------------------------------------------------------------------


def settings_of(case):
    return f"{case['optimiser']}({', '.join(f'{name}={x}' for name, x in case['settings'].items())})"


@pytest.mark.parametrize("case", PYTORCH["cases"], ids=settings_of)
def test_the_numbers_are_those_of_pytorch(case):
    kind = getattr(optim, case["optimiser"])
    vector, leaves = np.array(PYTORCH["start"]), values(*PYTORCH["start"])
    arrays, graph = (kind(leaves, **case["settings"]) for _ in range(2))
    found = []
    for step, noise in enumerate(np.array(PYTORCH["noise"]), start=1):
        gradient = noise * (1 + np.sin(vector))
        arrays.update(vector, gradient)
        for p, grad in zip(leaves, gradient.tolist(), strict=True):
            p.grad = grad
        graph.step()
        assert [p.data for p in leaves] == vector.tolist()
        if step in PYTORCH["shown"]:
            found.append(vector.tolist())
    assert np.abs(np.array(found) - case["moved"]).max() <= 1e-10


# ---- where each goes, as sums over the gradients ---------------------------------------------------------------------


@given(GRADIENTS, RATES)
def test_plain_sgd_subtracts_the_gradients(gradients, rate):
    last = moved(lambda ps: SGD(ps, rate), gradients, start=1.0)
    assert last == pytest.approx(1.0 - rate * sum(gradients), abs=1e-9)


@pytest.mark.parametrize("nesterov", [False, True])
@given(gradients=GRADIENTS, rate=RATES, momentum=SHARES)
def test_momentum_weighs_a_gradient_by_its_age(gradients, rate, momentum, nesterov):
    # The closed form: a gradient that is k steps old has moved the parameter by rate · (1 + m + … + m^k) · g. Nesterov
    # looks one step ahead: a gradient counts at once as it would one step later.
    last = moved(lambda ps: SGD(ps, rate, momentum, nesterov=nesterov), gradients)
    ages = range(len(gradients) - 1 + nesterov, -1 + nesterov, -1)
    expected = sum(g * sum(momentum**i for i in range(age + 1)) for g, age in zip(gradients, ages, strict=True))
    assert last == pytest.approx(-rate * expected, rel=1e-9, abs=1e-9)


def faded(numbers, decay):
    """Numbers, each times ``decay`` for every step since."""
    return [x * decay**age for x, age in zip(numbers, range(len(numbers) - 1, -1, -1), strict=True)]


def total(descent, gradients):
    """The sum of the steps, given what each is by the gradients so far."""
    return -sum(descent(gradients[: i + 1]) for i in range(len(gradients)))


def mean(numbers, decay):
    """The mean in which a number counts for less, the older it is: what Adam's correction makes of m and v."""
    return sum(faded(numbers, decay)) / sum(faded([1.0] * len(numbers), decay))


def squares(gradients):
    return [g * g for g in gradients]


SIZES = st.lists(st.floats(-10, 10).filter(lambda g: abs(g) > 0.01), min_size=1, max_size=10)
EPSILONS = st.floats(1e-3, 1.0)


@given(SIZES, RATES, EPSILONS)
def test_adagrad_divides_by_the_root_of_all_squares(gradients, rate, epsilon):
    expected = total(lambda gs: rate * gs[-1] / (math.sqrt(sum(squares(gs))) + epsilon), gradients)
    assert moved(lambda ps: Adagrad(ps, rate, epsilon), gradients) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.integers(1, 50), st.floats(0.01, 10), RATES)
def test_adagrad_by_equal_gradients_slows_as_one_over_the_root_of_the_step(count, gradient, rate):
    expected = -rate * sum(1 / math.sqrt(k) for k in range(1, count + 1))
    assert moved(lambda ps: Adagrad(ps, rate, epsilon=1e-30), [gradient] * count) == pytest.approx(expected, rel=1e-12)


@given(SIZES, RATES, SHARES, EPSILONS)
def test_rmsprop_divides_by_the_root_of_a_mean_of_squares(gradients, rate, decay, epsilon):
    def descent(gs):
        return rate * gs[-1] / (math.sqrt((1 - decay) * sum(faded(squares(gs), decay))) + epsilon)

    last = moved(lambda ps: RMSprop(ps, rate, decay, epsilon), gradients)
    assert last == pytest.approx(total(descent, gradients), rel=1e-9, abs=1e-12)


@given(SIZES, RATES, SHARES)
def test_rmsprop_that_remembers_one_square_is_momentum_on_signs(gradients, rate, momentum):
    last = moved(lambda ps: RMSprop(ps, rate, decay=0.0, epsilon=1e-30, momentum=momentum), gradients)
    signs = [math.copysign(1.0, g) for g in gradients]
    assert last == pytest.approx(moved(lambda ps: SGD(ps, rate, momentum), signs), rel=1e-9, abs=1e-12)


@given(SIZES, RATES, SHARES, EPSILONS)
def test_adadelta_moves_as_it_has_moved_over_the_root_of_a_mean_of_squares(gradients, rate, decay, epsilon):
    def root(numbers):
        return math.sqrt((1 - decay) * sum(faded(squares(numbers), decay)) + epsilon)

    changes = []
    for i, g in enumerate(gradients):
        changes.append(g * root(changes) / root(gradients[: i + 1]))
    last = moved(lambda ps: Adadelta(ps, rate, decay, epsilon), gradients)
    assert last == pytest.approx(-rate * sum(changes), rel=1e-9, abs=1e-12)


@given(SIZES, st.integers(-20, 20))
def test_adadelta_knows_no_unit_of_the_loss(gradients, exponent):
    scaled = [math.ldexp(g, exponent) for g in gradients]
    tiny = 1e-30  # far below every g²
    expected = moved(lambda ps: Adadelta(ps, epsilon=tiny), gradients)
    assert moved(lambda ps: Adadelta(ps, epsilon=tiny), scaled) == pytest.approx(expected, rel=1e-9)


@given(SIZES, RATES, SHARES, SHARES, EPSILONS)
def test_adam_moves_by_a_mean_over_the_root_of_a_mean(gradients, rate, beta1, beta2, epsilon):
    def descent(gs):
        return rate * mean(gs, beta1) / (math.sqrt(mean(squares(gs), beta2)) + epsilon)

    last = moved(lambda ps: Adam(ps, rate, beta1, beta2, epsilon), gradients)
    assert last == pytest.approx(total(descent, gradients), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("kind", [Adam, AdamW, Adamax])
@given(gradient=st.floats(1e-3, 1e3), negative=st.booleans(), rate=RATES, count=st.integers(1, 20))
def test_equal_gradients_move_adam_by_the_learning_rate(kind, gradient, negative, rate, count):
    last = moved(
        lambda ps: kind(ps, rate, epsilon=1e-30, weight_decay=0.0), [-gradient if negative else gradient] * count
    )
    assert last == pytest.approx(rate * count if negative else -rate * count, rel=1e-9)


@given(SIZES, RATES, SHARES, SHARES)
def test_amsgrad_divides_by_the_largest_mean_so_far(gradients, rate, beta1, beta2):
    def size(gs):
        return (1 - beta2) * sum(faded(squares(gs), beta2))

    def descent(gs):
        largest = max(size(gs[: i + 1]) for i in range(len(gs)))
        return rate * mean(gs, beta1) / (math.sqrt(largest / (1 - beta2 ** len(gs))) + 1e-3)

    last = moved(lambda ps: Adam(ps, rate, beta1, beta2, epsilon=1e-3, amsgrad=True), gradients)
    assert last == pytest.approx(total(descent, gradients), rel=1e-9, abs=1e-12)


@given(SIZES, RATES, SHARES, SHARES, EPSILONS)
def test_adamax_divides_by_the_largest_gradient_fading(gradients, rate, beta1, beta2, epsilon):
    def descent(gs):
        return rate * mean(gs, beta1) / max(faded([abs(g) + epsilon for g in gs], beta2))

    last = moved(lambda ps: Adamax(ps, rate, beta1, beta2, epsilon), gradients)
    assert last == pytest.approx(total(descent, gradients), rel=1e-9, abs=1e-12)


@given(SIZES, RATES, SHARES, SHARES, EPSILONS)
def test_nadam_looks_one_step_ahead(gradients, rate, beta1, beta2, epsilon):
    def descent(gs):
        t = len(gs)
        mu = [beta1 * (1 - 0.5 * 0.96 ** (0.004 * i)) for i in range(1, t + 2)]
        ahead = mu[t] * (1 - beta1) * sum(faded(gs, beta1)) / (1 - math.prod(mu))
        now = (1 - mu[t - 1]) * gs[-1] / (1 - math.prod(mu[:t]))
        return rate * (now + ahead) / (math.sqrt(mean(squares(gs), beta2)) + epsilon)

    last = moved(lambda ps: Nadam(ps, rate, beta1, beta2, epsilon), gradients)
    assert last == pytest.approx(total(descent, gradients), rel=1e-9, abs=1e-12)


def test_nadams_product_of_momenta_is_that_of_all_steps():
    # Few factors are multiplied; the others are below what can be seen, also where they are largest.
    beta1, t, one = math.nextafter(1.0, 0.0), 1000, np.array([1.0])
    mu = [beta1 * (1 - 0.5 * 0.96 ** (0.004 * i)) for i in range(1, t + 2)]
    ahead = mu[t] / (1 - math.prod(mu)) + (1 - mu[t - 1]) / (1 - math.prod(mu[:t]))
    optimizer = Nadam(values(0.0), 1.0, beta1, beta2=0.0, epsilon=1e-30)
    found = optimizer.descent(0 * one, one, {"mean": one.copy(), "mean_square": one.copy()}, t)
    assert found == pytest.approx(ahead, rel=1e-12)


# ---- weight decay and clipping ---------------------------------------------------------------------------------------


@given(st.floats(0.001, 0.1), st.floats(0.001, 0.9))
def test_weight_decay_alone_shrinks_geometrically(rate, decay):
    expected = pytest.approx(3.0 * (1 - rate * decay) ** 5, rel=1e-12)
    assert moved(lambda ps: SGD(ps, rate, weight_decay=decay), [0.0] * 5, start=3.0) == expected
    assert moved(lambda ps: AdamW(ps, rate, weight_decay=decay), [0.0] * 5, start=3.0) == expected


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "adamw"])
def test_weight_decay_is_a_part_of_the_gradient(name):
    gradients, start = drawn()
    expected = start.copy()
    optimizer = by_name(name)(values(0, 0, 0), 0.1)
    for gradient in gradients:
        optimizer.update(expected, gradient + 0.25 * expected)
    found = updated(by_name(name)(values(0, 0, 0), 0.1, weight_decay=0.25), start, gradients)
    assert found.tolist() == expected.tolist()


def test_adamw_decays_besides_adams_step():
    gradients, start = drawn()
    adam, adamw = Adam(values(0, 0, 0), 0.1), AdamW(values(0, 0, 0), 0.1, weight_decay=0.25)
    by_adam, by_adamw = start.copy(), start.copy()
    for gradient in gradients:
        before, shrunk = by_adam.copy(), by_adamw * (1 - 0.1 * 0.25)
        adam.update(by_adam, gradient)
        adamw.update(by_adamw, gradient)
        assert by_adamw == pytest.approx(shrunk + (by_adam - before), rel=1e-12)


@every_optimiser
def test_a_clip_is_given_the_gradient_of_the_loss(name):
    gradients, start = drawn()
    clip = ClipByNorm(0.5)
    found = updated(by_name(name)(values(0, 0, 0), 0.1, weight_decay=0.25, clip=clip), start, gradients)
    clipped = updated(by_name(name)(values(0, 0, 0), 0.1, weight_decay=0.25), start, map(clip, gradients))
    assert found.tolist() == clipped.tolist()


@pytest.mark.parametrize("case", PYTORCH["clipping"])
def test_clipping_is_that_of_pytorch(case):
    gradient, largest = np.array(case["gradient"]), case["max"]
    norm = math.hypot(*case["gradient"])
    assert ClipByValue(largest)(gradient).tolist() == case["by_value"]
    found = ClipByNorm(largest)(gradient)
    if norm + 1e-6 <= largest:
        assert found.tolist() == gradient.tolist() == case["by_norm"]
    else:  # it divides by norm + 1e-6; the 10 roundings are of either way to compute the norm
        assert found == pytest.approx(np.array(case["by_norm"]) * (norm + 1e-6) / norm, rel=10 * 2**-53)


VECTORS = st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=6).map(np.array)


@given(VECTORS, st.floats(1e-300, 1e300))
def test_clipping_by_norm_keeps_the_direction_and_bounds_the_length(gradient, largest):
    found = ClipByNorm(largest)(gradient)
    with np.errstate(over="ignore"):
        norm = math.hypot(*gradient)
    if norm <= largest * (1 - 1e-12):
        assert found.tolist() == gradient.tolist()
    elif norm >= largest * (1 + 1e-12):
        assert math.hypot(*found) == pytest.approx(largest, rel=1e-12)
        assert found / np.abs(found).max() == pytest.approx(gradient / np.abs(gradient).max(), rel=1e-12)


@given(VECTORS, st.floats(1e-300, 1e300))
def test_clipping_by_value_bounds_each_number(gradient, largest):
    expected = [math.copysign(min(abs(g), largest), g) for g in gradient.tolist()]
    assert ClipByValue(largest)(gradient).tolist() == expected


@pytest.mark.parametrize("kind", [ClipByNorm, ClipByValue])
def test_clips_take_vectors(kind):
    with pytest.raises(TypeError, match=f"{kind.__name__} takes a gradient as an array of floats, got"):
        kind(1.0)([3.0, 4.0])
    with pytest.raises(ValueError, match=r"takes a gradient as \(P,\) numbers, got \(1, 2\)"):
        kind(1.0)(np.ones((1, 2)))
    assert kind(1.0)(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
    assert kind(1.0)(np.zeros(0)).tolist() == []


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_clip_by_norm_leaves_what_is_not_finite_to_the_step(bad):
    gradient = np.array([1.0, bad, 1.0])
    assert ClipByNorm(0.5)(gradient) is gradient


@pytest.mark.parametrize("clip", [ClipByNorm(1.0), ClipByValue(1.0)], ids=repr)
def test_clips_travel_are_printed_as_they_are_made_and_keep_their_precision(clip):
    assert pickle.loads(pickle.dumps(clip)) == clip == eval(repr(clip), vars(optim))
    assert clip(np.array([3.0, 4.0], np.float32)).dtype == np.float32


@pytest.mark.parametrize("clip", [ClipByNorm(1.0), None], ids=repr)
@every_optimiser
def test_a_gradient_that_is_not_finite_moves_nothing(name, clip):
    gradients, start = drawn()
    optimizer = by_name(name)(values(0, 0, 0), 0.1, clip=clip)
    vector = updated(optimizer, start, gradients[:3])
    before, state = vector.copy(), plain(optimizer.state_dict())
    for bad in (math.inf, -math.inf, math.nan):
        with pytest.raises(OverflowError, match="would no longer be finite"):
            optimizer.update(vector, np.array([1.0, bad, 1.0]))
        assert (vector.tolist(), plain(optimizer.state_dict())) == (before.tolist(), state)
    expected = updated(by_name(name)(values(0, 0, 0), 0.1, clip=clip), start, gradients)
    assert updated(optimizer, vector, gradients[3:]).tolist() == expected.tolist()


@pytest.mark.parametrize("name", ["adagrad", "adadelta", "rmsprop", "adam", "amsgrad", "adamw", "nadam"])
def test_a_square_that_is_not_finite_is_no_silent_end(name):
    # Divided by an infinite size, every later step would be 0.
    optimizer = by_name(name)(values(1.0), 0.1)
    with pytest.raises(OverflowError, match=r"the optimiser's .*square.* would no longer be finite"):
        optimizer.update(np.array([1.0]), np.array([1e200]))


# ---- that they arrive ------------------------------------------------------------------------------------------------

SETTINGS = {
    "sgd": {"learning_rate": 0.2},
    "momentum": {"learning_rate": 0.05},
    "nesterov": {"learning_rate": 0.05},
    "adagrad": {"learning_rate": 1.0},
    "adadelta": {"learning_rate": 1.0, "epsilon": 1e-3},
    "rmsprop": {"learning_rate": 0.005},
    "adam": {"learning_rate": 0.05},
    "amsgrad": {"learning_rate": 0.05},
    "adamw": {"learning_rate": 0.05, "weight_decay": 0.0},
    "adamax": {"learning_rate": 0.05},
    "nadam": {"learning_rate": 0.05},
}


@every_optimiser
def test_each_finds_the_minimum_of_a_quadratic(name):
    curvature, minimum = np.array([5.0, 1.0, 0.2]), np.array([1.0, -2.0, 0.5])
    leaves = values(-1.0, 1.0, 2.0)
    optimizer = by_name(name)(leaves, **SETTINGS[name])
    vector = np.array([p.data for p in leaves])
    for _ in range(1000):
        optimizer.update(vector, curvature * (vector - minimum))
    assert vector == pytest.approx(minimum, abs=0.01)


# ---- whole or not at all, and on from where it was -------------------------------------------------------------------


def test_a_step_out_of_range_moves_nothing():
    p, q = Value(1.0), Value(2.0)
    p.grad, q.grad = 1.0, 1e308
    with pytest.raises(OverflowError, match="a parameter would no longer be finite"):
        SGD([p, q], 1e10).step()
    assert (p.data, q.data) == (1.0, 2.0)


class Interrupting(Value):
    """Ctrl-C comes once, when its data is set."""

    interrupted = False

    @property
    def data(self):
        """The number."""
        return self._data

    @data.setter
    def data(self, data):
        self._data = data
        if not self.interrupted and data != 2.0:
            self.interrupted = True
            raise KeyboardInterrupt


@every_optimiser
def test_an_interrupted_step_has_not_happened(name):
    def make(kind):
        leaves = [Value(1.0), kind(2.0), Value(3.0)]
        return leaves, by_name(name)(leaves, 0.1)

    gradients, _ = drawn()
    (leaves, optimizer), (others, other) = make(Interrupting), make(Value)
    for i, gradient in enumerate(gradients.tolist()):
        for p, q, grad in zip(leaves, others, gradient, strict=True):
            p.grad = q.grad = grad
        if i == 0:
            before = plain(optimizer.state_dict())
            with pytest.raises(KeyboardInterrupt):
                optimizer.step()
            assert [p.data for p in leaves] == [1.0, 2.0, 3.0]
            assert plain(optimizer.state_dict()) == before
        optimizer.step()
        other.step()
        assert [p.data for p in leaves] == [p.data for p in others]


@every_optimiser
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_loaded_state_goes_on_with_the_same_numbers(name, dtype):
    gradients, start = (each.astype(dtype) for each in drawn(80))
    first, second = (by_name(name)(values(0, 0, 0), 0.1) for _ in range(2))
    vector = updated(first, start, gradients[:70])
    state = first.state_dict()
    assert state["steps"] == 70
    assert {x.dtype for key, x in state.items() if key != "steps"} <= {np.dtype(dtype)}
    second.load_state_dict({key: x if key == "steps" else x.tolist() for key, x in state.items()})  # as files have it
    for x in state.values():
        x *= 0  # they are copies
    expected = updated(first, vector, gradients[70:])
    assert updated(second, vector, gradients[70:]).tolist() == expected.tolist()
    assert plain(second.state_dict()) == plain(first.state_dict())


@every_optimiser
def test_a_pickled_optimiser_goes_on_with_the_same_numbers(name):
    gradients, start = drawn()
    optimizer = by_name(name)(values(0, 0, 0), 0.1, clip=ClipByValue(1.0))
    vector = updated(optimizer, start, gradients[:3])
    copy = pickle.loads(pickle.dumps(optimizer))
    assert repr(copy) == repr(optimizer)
    assert updated(copy, vector, gradients[3:]).tolist() == updated(optimizer, vector, gradients[3:]).tolist()


def test_the_state_before_the_first_step_is_0():
    assert plain(Adam(values(1.0, 2.0), amsgrad=True).state_dict()) == {
        "mean": [0.0, 0.0],
        "mean_square": [0.0, 0.0],
        "largest": [0.0, 0.0],
        "steps": 0,
    }
    assert SGD(values(1.0)).state_dict() == {"steps": 0}


ONE = {"velocity": np.ones(2), "steps": 3}


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        (None, TypeError, "a state is a mapping"),
        ({"steps": 3}, ValueError, r"has the names velocity, steps, got \['steps'\]"),
        ({**ONE, "mean": np.ones(2)}, ValueError, "has the names velocity, steps"),
        ({**ONE, "steps": -1}, ValueError, "steps must be a whole number of at least 0"),
        ({**ONE, "steps": 1.5}, ValueError, "steps must be"),
        ({**ONE, "velocity": np.ones(3)}, ValueError, r"takes the velocity as \(2,\) numbers, got \(3,\)"),
        ({**ONE, "velocity": np.ones((2, 1))}, ValueError, r"takes the velocity as \(2,\) numbers"),
        ({**ONE, "velocity": ["a", "b"]}, TypeError, "takes the velocity as an array of floats"),
        ({**ONE, "velocity": np.array([1.0, math.nan])}, ValueError, "takes the velocity as finite numbers"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(state, error, message):
    optimizer = SGD(values(1.0, 2.0), momentum=0.9)
    optimizer.load_state_dict(ONE)
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(state)
    assert plain(optimizer.state_dict()) == plain(ONE)


# ---- vectors ---------------------------------------------------------------------------------------------------------


@every_optimiser
def test_single_precision_stays_single(name):
    # To be seen in the descent itself, before it is put into a vector of that precision.
    kind = np.float32
    optimizer = by_name(name)(values(0, 0, 0), 0.1, weight_decay=0.1, clip=ClipByNorm(1.0))
    state = {key: np.ones(3, kind) for key in optimizer.state_names}
    gradient = optimizer.decayed(np.ones(3, kind), optimizer.clip(np.ones(3, kind)))
    assert gradient.dtype == kind
    assert optimizer.descent(np.ones(3, kind), gradient, state, 1).dtype == kind


@every_optimiser
def test_single_precision_goes_the_same_way(name):
    gradients, start = drawn(10)
    exact, single = (by_name(name)(values(0, 0, 0), 0.1) for _ in range(2))
    found = updated(single, start.astype(np.float32), gradients.astype(np.float32))
    assert found.dtype == np.float32
    # Ten steps of about 0.1, each with some ten roundings by 2⁻²⁴ of numbers up to ten times as large.
    assert found == pytest.approx(updated(exact, start, gradients), rel=0, abs=10 * 0.1 * 10 * 2**-24 * 10)


@every_optimiser
def test_the_gradient_is_left_as_it_was(name):
    gradients, start = drawn()
    for clip in (None, ClipByNorm(1e9), ClipByValue(1e9)):
        found = updated(by_name(name)(values(0, 0, 0), 0.1, clip=clip), start, gradients)
        assert gradients.tolist() == drawn()[0].tolist()
    assert found.tolist() != start.tolist()


@pytest.mark.parametrize(
    ("parameters", "gradient", "error", "message"),
    [
        ([1.0, 2.0], np.ones(2), TypeError, r"update takes the parameters as an array of floats, got \[1.0, 2.0\]"),
        (np.ones(2), np.ones(2, int), TypeError, "update takes the gradient as an array of floats"),
        (np.ones(3), np.ones(2), ValueError, r"update takes the parameters as \(2,\) numbers, got \(3,\)"),
        (np.ones(2), np.ones((1, 2)), ValueError, r"update takes the gradient as \(2,\) numbers, got \(1, 2\)"),
    ],
)
def test_update_takes_vectors(parameters, gradient, error, message):
    with pytest.raises(error, match=message):
        SGD(values(1.0, 2.0)).update(parameters, gradient)


def test_a_vector_that_cannot_be_written_is_no_step():
    optimizer, vector = SGD(values(1.0), momentum=0.5), np.ones(1)
    vector.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        optimizer.update(vector, np.ones(1))
    assert plain(optimizer.state_dict()) == {"velocity": [0.0], "steps": 0}


@pytest.mark.parametrize(("clip", "error"), [(lambda g: g[:1], ValueError), (lambda g: None, TypeError)])
def test_a_clip_must_give_a_gradient(clip, error):
    with pytest.raises(error, match="clip must give the gradient as"):
        SGD(values(1.0, 2.0), clip=clip).update(np.ones(2), np.ones(2))


# ---- settings --------------------------------------------------------------------------------------------------------


def test_zero_grad_clears():
    p = Value(1.0)
    p.grad = 2.0
    SGD([p]).zero_grad()
    assert p.grad == 0.0


def test_the_learning_rate_may_be_assigned_between_steps():
    optimizer = SGD(values(1.0), 0.5)
    vector = updated(optimizer, np.array([1.0]), [np.array([1.0])])
    optimizer.learning_rate = 0.25
    assert updated(optimizer, vector, [np.array([1.0])]).tolist() == [0.25]


def test_a_setting_that_changes_what_is_remembered_may_not():
    optimizer = Adam(values(1.0))
    optimizer.update(np.ones(1), np.ones(1))
    optimizer.amsgrad = True
    with pytest.raises(ValueError, match="a setting was changed that decides what is remembered"):
        optimizer.update(np.ones(1), np.ones(1))
    optimizer.load_state_dict(Adam(values(1.0), amsgrad=True).state_dict())
    optimizer.update(vector := np.ones(1), np.ones(1))
    assert vector == pytest.approx(1 - optimizer.learning_rate, rel=1e-7)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (SGD, {"learning_rate": 0.0}, "learning_rate must be a number greater than 0"),
        (SGD, {"learning_rate": -1.0}, "learning_rate"),
        (SGD, {"learning_rate": float("nan")}, "learning_rate"),
        (SGD, {"learning_rate": float("inf")}, "learning_rate"),
        (SGD, {"learning_rate": "fast"}, "learning_rate must be a number"),
        (SGD, {"momentum": 1.0}, "momentum must be a number in"),
        (SGD, {"weight_decay": -0.1}, "weight_decay must be a number of at least 0"),
        (SGD, {"nesterov": True}, "nesterov needs a momentum"),
        (Adagrad, {"epsilon": 0.0}, "epsilon must be a number greater than 0"),
        (Adadelta, {"decay": 1.0}, r"decay must be a number in \[0, 1\)"),
        (Adadelta, {"epsilon": 0.0}, "epsilon"),
        (RMSprop, {"decay": -0.1}, "decay"),
        (RMSprop, {"epsilon": -1.0}, "epsilon"),
        (RMSprop, {"momentum": 1.0}, "momentum"),
        (Adam, {"beta1": 1.0}, r"beta1 must be a number in \[0, 1\)"),
        (AdamW, {"beta2": 1.0}, "beta2"),
        (Adamax, {"epsilon": 0.0}, "epsilon"),
        (Nadam, {"learning_rate": -0.1}, "learning_rate"),
    ],
)
def test_bad_settings_are_named(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind([Value(1.0)], **arguments)


@pytest.mark.parametrize("kind", [ClipByNorm, ClipByValue])
def test_a_bound_is_greater_than_0(kind):
    with pytest.raises(ValueError, match=r"must be a number greater than 0, got 0\.0"):
        kind(0.0)


@pytest.mark.parametrize("parameters", [[], [1.0], [Value(1.0), None]])
def test_parameters_are_values(parameters):
    with pytest.raises(ValueError, match=r"model\.parameters\(\)"):
        SGD(parameters)


def test_a_model_is_no_list_of_parameters():
    with pytest.raises(TypeError, match=r"model\.parameters\(\)"):
        SGD(object())


def test_a_clip_is_a_function():
    with pytest.raises(TypeError, match="clip is a function of the gradient"):
        SGD(values(1.0), clip=1.0)


@every_optimiser
def test_the_repr_is_all_settings_and_no_state(name):
    first, second = (by_name(name)(values(1.0, 2.0), 0.1, clip=ClipByNorm(2.0)) for _ in range(2))
    updated(first, np.ones(2), [np.ones(2)])
    assert repr(first) == repr(second)
    assert repr(first).startswith(f"{type(first).__name__}(2 parameters, learning_rate=0.1, weight_decay=")
    assert "clip=ClipByNorm(max_norm=2.0)" in repr(first)
    for setting, x in vars(first).items():
        if isinstance(x, float):
            setattr(second, setting, x / 2 + 0.01)
            assert repr(first) != repr(second)
            setattr(second, setting, x)


@pytest.mark.parametrize(("kind", "setting"), [(partial(SGD, momentum=0.9), "nesterov"), (Adam, "amsgrad")])
def test_whether_is_yes_or_no(kind, setting):
    for yes, no in ((True, False), (np.True_, np.False_), (1, 0), ([0], [])):
        assert repr(kind(values(1.0), **{setting: yes})) == repr(kind(values(1.0), **{setting: True}))
        assert repr(kind(values(1.0), **{setting: no})) == repr(kind(values(1.0)))


def test_by_name_are_all_there_are():
    made = [make(values(1.0), 0.1) for make in OPTIMIZERS.values()]
    kinds = {kind for kind in vars(optim).values() if isinstance(kind, type) and issubclass(kind, Optimizer)}
    assert {type(each) for each in made} == kinds - {Optimizer}
    assert len({repr(each) for each in made}) == len(made)
    with pytest.raises(ValueError, match="unknown optimiser 'adm': did you mean 'adam'"):
        by_name("adm")
