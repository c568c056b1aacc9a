"""The mini-batch loop: its batches, its repeatability, and how it stops."""

import math
import pickle

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn import MLP, DivergedError, Neuron, fit
from nn.data import sin
from nn.losses import mse
from nn.metrics import accuracy
from nn.optim import SGD
from nn.penalties import l2
from nn.schedules import Cosine


@given(n=st.integers(1, 20), size=st.one_of(st.none(), st.integers(1, 25)), epochs=st.integers(1, 3))
def test_each_epoch_sees_every_sample_once_in_ceil_n_over_b_batches(n, size, epochs):
    batches = []

    def loss(predictions, targets):
        batches.append(list(targets))
        return mse(predictions, targets)

    xs = [i / n for i in range(n)]
    fit(MLP(1, [1]), xs, list(range(n)), epochs=epochs, batch_size=size, loss=loss, eager=True)
    size = n if size is None else size
    per_epoch = math.ceil(n / size)
    assert len(batches) == epochs * per_epoch
    for e in range(epochs):
        seen = batches[e * per_epoch : (e + 1) * per_epoch]
        assert sorted(t for batch in seen for t in batch) == list(range(n))
        assert all(len(batch) == size for batch in seen[:-1])


def test_epochs_are_shuffled_by_the_seed():
    def order(seed):
        seen = []

        def loss(predictions, targets):
            seen.extend(targets)
            return mse(predictions, targets)

        fit(MLP(1, [1]), [0.0] * 8, list(range(8)), epochs=2, batch_size=4, loss=loss, seed=seed, eager=True)
        return seen

    assert order(0) == order(0) != order(1)
    assert order(0)[:8] != order(0)[8:]


def test_the_same_seed_gives_the_same_numbers():
    def losses():
        xs, ys = sin(20)
        return fit(MLP(1, [4, 1], activation="tanh", seed=0), xs, ys, epochs=3, batch_size=4).loss.tolist()

    assert losses() == losses()


def test_full_batch_descent_on_a_line_is_the_closed_form():
    # One weight w, one bias b, loss mean((w x + b - y)²): the steps of gradient descent, written out.
    xs, ys = [0.0, 1.0, 3.0], [1.0, 2.0, 0.0]
    model = MLP(1, [1])
    w, b = model.state_dict()["layers.0.weight"][0][0], 0.0
    fit(model, xs, ys, epochs=5, batch_size=None, optimizer=SGD(model.parameters(), 0.1))
    for _ in range(5):
        errors = [w * x + b - y for x, y in zip(xs, ys, strict=True)]
        w, b = (
            w - 0.1 * 2 * sum(e * x for e, x in zip(errors, xs, strict=True)) / 3,
            b - 0.1 * 2 * sum(errors) / 3,
        )
    assert model.state_dict()["layers.0.weight"][0][0] == pytest.approx(w, rel=1e-12)
    assert model.state_dict()["layers.0.bias"][0] == pytest.approx(b, rel=1e-12)


def test_samples_may_be_numbers_lists_or_arrays():
    numbers = fit(MLP(1, [1], seed=0), [1.0, 2.0], [1.0, 2.0], epochs=2).loss.tolist()
    assert fit(MLP(1, [1], seed=0), [[1.0], [2.0]], [1.0, 2.0], epochs=2).loss.tolist() == numbers
    assert fit(MLP(1, [1], seed=0), np.array([[1.0], [2.0]]), np.array([1.0, 2.0]), epochs=2).loss.tolist() == numbers


def test_the_history_counts_epochs_and_is_arrays():
    calls = []
    history = fit(MLP(1, [1]), [1.0], [1.0], epochs=3, callbacks=[lambda h: calls.append((h.epochs, h.loss[-1]))])
    assert [epochs for epochs, _ in calls] == [1, 2, 3]
    assert [loss for _, loss in calls] == history.loss.tolist()
    assert isinstance(history.loss, np.ndarray)
    assert history.loss.shape == history.learning_rate.shape == (3,)
    assert not history.interrupted


def test_a_history_plots_itself_on_a_log_axis():
    with matplotlib.rc_context({"backend": "agg"}):
        import matplotlib.pyplot as plt

        axes = fit(MLP(1, [1]), [1.0], [2.0], epochs=3).plot()
        assert axes.get_yscale() == "log"
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
        assert len(axes.lines[0].get_xdata()) == 3
        plt.close("all")


@pytest.mark.parametrize("rate", [1e3, 1e150])
def test_a_loss_that_is_no_longer_finite_stops_with_the_epoch_and_advice(rate):
    xs, ys = sin(10)
    model = MLP(1, [4, 1], activation="tanh")
    with pytest.raises(DivergedError, match=r"diverged in epoch \d+.*smaller learning rate than") as caught:
        fit(model, xs, ys, epochs=400, batch_size=2, optimizer=SGD(model.parameters(), rate))
    assert caught.value.epoch >= 1
    assert all(math.isfinite(p.data) for p in model.parameters())


def test_a_last_step_out_of_range_is_noticed():
    model = MLP(1, [1])
    with pytest.raises(DivergedError, match="no longer be finite"):
        fit(model, [1e100], [0.0], epochs=1, optimizer=SGD(model.parameters(), 1e308))
    assert all(math.isfinite(p.data) for p in model.parameters())


def test_a_loss_must_be_a_value():
    with pytest.raises(TypeError, match="the loss must return a Value"):
        fit(MLP(1, [1]), [1.0], [1.0], loss=lambda predictions, targets: 3.0)


def test_a_divergence_survives_pickling():
    error = pickle.loads(pickle.dumps(DivergedError(3, 0.1, "the loss is inf")))
    assert error.epoch == 3
    assert "epoch 3" in str(error)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
@pytest.mark.parametrize("eager", [False, True])
def test_what_is_not_finite_in_the_data_is_named_before_it_spoils_the_model(wrong, eager):
    model = MLP(1, [1])
    before = model.state_dict()
    for data, said in (
        ({"xs": [1.0, wrong], "ys": [0.0, 0.0]}, f"sample 1 is {wrong}"),
        ({"xs": [[1.0], [2.0]], "ys": [wrong, 0.0]}, f"target 0 is {wrong}"),
        ({"xs": [1.0], "ys": [0.0], "validation": ([[wrong]], [0.0])}, rf"validation sample 0 is \[{wrong}\]"),
    ):
        with pytest.raises(ValueError, match=f"fit takes finite numbers, and {said}$"):
            fit(model, **data, eager=eager)
    assert model.state_dict() == before
    ragged = [[1.0], [wrong, 1.0]]  # numbers of several shapes are seen when they are used
    with pytest.raises(DivergedError, match="epoch 1: the loss is"):
        fit(lambda x: model([sum(x)]), ragged, [0.0, 0.0], optimizer=SGD(model.parameters()), eager=eager)
    assert model.state_dict() == before


def test_an_interrupt_keeps_what_was_reached():
    def stop(history):
        if history.epochs == 2:
            raise KeyboardInterrupt

    model = MLP(1, [1])
    before = model.state_dict()
    history = fit(model, [1.0], [2.0], epochs=9, callbacks=[stop])
    assert history.interrupted
    assert history.epochs == 2
    assert model.state_dict() != before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"xs": [], "ys": []}, "one target for each, got 0 and 0"),
        ({"xs": [1.0], "ys": []}, "got 1 and 0"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
        ({"batch_size": 1.5}, "batch_size must be a whole number of at least 1"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit(MLP(1, [1]), **{"xs": [1.0], "ys": [1.0], **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": 1.0}, "fit takes a model that can be called, got 1.0"),
        ({"loss": "mse"}, "fit takes a loss that can be called, such as nn.losses.mse, got 'mse'"),
        ({"xs": 1.0}, "fit takes a list of samples, got 1.0"),
        ({"ys": None}, "fit takes a list of targets, got None"),
        ({"xs": [1j]}, "expected a real number"),
        ({"xs": np.array([1j])}, "expected a real number"),
        ({"ys": [np.complex128(1j)]}, "complex"),
        ({"validation": ([1.0], np.array([1j]))}, "real numbers are taken, got complex ones"),
    ],
)
def test_a_wrong_kind_is_named(arguments, message):
    with pytest.raises(TypeError, match=message):
        fit(**{"model": MLP(1, [1], seed=0), "xs": [1.0], "ys": [1.0], **arguments})


# ---- what accompanies a training -------------------------------------------------------------------------------------


def line(**options):
    """A training of a line, y = 2 x - 1."""
    model = MLP(1, [1], seed=0)
    xs = [0.1 * i for i in range(-8, 9)]
    optimizer = SGD(model.parameters(), 0.1)
    options = {"optimizer": optimizer, "epochs": 5, **options}
    return model, fit(model, xs, [2.0 * x - 1.0 for x in xs], **options)


def test_a_schedule_multiplies_the_learning_rate_of_the_optimiser_which_stays():
    model = MLP(1, [1], seed=0)
    optimizer = SGD(model.parameters(), 0.5)
    seen = []

    def schedule(epoch, losses):
        seen.append((epoch, list(losses)))
        return 1.0 / (1 + epoch)

    history = fit(model, [1.0, 2.0], [1.0, 0.0], epochs=3, optimizer=optimizer, schedule=schedule)
    assert history.learning_rate.tolist() == [0.5, 0.25, 0.5 / 3]
    assert optimizer.learning_rate == 0.5
    assert seen == [(i, history.loss.tolist()[:i]) for i in range(3)]


def test_a_schedule_goes_by_the_validation_loss_if_there_is_one():
    seen = []

    def schedule(epoch, losses):
        seen[:] = losses
        return 1.0

    _, history = line(schedule=schedule, validation=([5.0], [9.0]))
    assert seen == history.validation_loss.tolist()[:-1] != history.loss.tolist()[:-1]


@pytest.mark.parametrize("eager", [False, True])
def test_the_validation_loss_is_that_of_the_model_after_the_epoch(eager):
    found = []
    model = MLP(1, [2, 1], activation="tanh", seed=0, dropout=0.5)
    held_out = [0.3, 0.7], [1.0, -1.0]

    def measure(history):
        model.eval()
        found.append(mse([float(model([x])) for x in held_out[0]], held_out[1]))
        model.train()

    xs = [0.1, 0.2, 0.3]
    history = fit(model, xs, xs, epochs=4, validation=held_out, callbacks=[measure], eager=eager)
    assert history.validation_loss.tolist() == pytest.approx(found, rel=1e-12)


def test_a_validation_loss_that_is_no_longer_finite_is_named():
    with pytest.raises(DivergedError, match=r"epoch 1: pow\(.*, 2.0\): the result is too large"):
        line(validation=([1e200], [0.0]))


def test_a_penalty_is_added_to_the_loss_of_every_batch():
    # Ridge regression without an offset has the closed form w = Σ x y / (Σ x² + n λ).
    xs, ys = [1.0, 2.0, 3.0], [2.0, 3.0, 7.0]
    model = Neuron(1, activation=None, seed=0)
    optimizer = SGD([model.w[0]], 0.05)
    fit(model, xs, ys, epochs=200, batch_size=None, optimizer=optimizer, penalty=lambda model: 0.5 * l2(model))
    closed = sum(x * y for x, y in zip(xs, ys, strict=True)) / (sum(x * x for x in xs) + 3 * 0.5)
    assert model.w[0].data == pytest.approx(closed, rel=1e-12)


@pytest.mark.parametrize("eager", [False, True])
def test_each_batch_is_augmented_anew_and_the_same_in_every_run(eager):
    def run(seed):
        seen = []

        def augment(xs, rng):
            moved = xs + rng.normal(size=xs.shape)
            seen.append((xs.ravel().tolist(), moved.ravel().tolist()))
            return moved

        history = fit(
            MLP(1, [1], seed=0),
            [1.0, 2.0, 3.0],
            [0.0, 1.0, 2.0],
            epochs=2,
            batch_size=2,
            augment=augment,
            seed=seed,
            eager=eager,
        )
        return seen, history.loss.tolist()

    seen, losses = run(0)
    assert len(seen) == 4
    assert sorted(x for xs, _ in seen[:2] for x in xs) == [1.0, 2.0, 3.0]
    assert len({x for _, moved in seen for x in moved}) == 6
    assert run(0) == (seen, losses) != run(1)


def test_what_is_not_of_the_shape_it_was_is_no_augmentation():
    with pytest.raises(ValueError, match=r"augment must give an array of the shape it was given, \(17, 1\)"):
        line(augment=lambda xs, rng: xs[:1])
    with pytest.raises(ValueError, match="augment is given arrays"):
        fit(MLP(1, [1]), [[1.0], [1.0, 2.0]], [1.0, 2.0], augment=lambda xs, rng: xs)


def test_patience_ends_a_training_that_gets_no_better_and_restores_the_best():
    states = []
    model = MLP(1, [4, 1], activation="tanh", seed=0)
    xs, ys = [0.0, 1.0, 2.0, 3.0], [1.0, -1.0, 1.0, -1.0]
    history = fit(
        model,
        xs,
        ys,
        epochs=500,
        optimizer=SGD(model.parameters(), 0.1),
        validation=([0.5, 1.5], [1.0, 1.0]),
        patience=3,
        callbacks=[lambda history: states.append(model.state_dict())],
    )
    losses = history.validation_loss.tolist()
    assert history.epochs < 500
    assert history.best_epoch == 1 + losses.index(min(losses)) == history.epochs - 3
    assert model.state_dict() == states[history.best_epoch - 1] != states[-1]


def test_a_callback_that_returns_true_ends_the_training():
    _, history = line(callbacks=[lambda history: history.epochs == 2, lambda history: None])
    assert history.epochs == 2
    assert not history.interrupted


def test_the_model_is_in_training_meanwhile_and_in_evaluation_afterwards():
    modes = []
    model = MLP(1, [2, 1], seed=0, dropout=0.5)
    fit(model, [1.0], [1.0], epochs=2, callbacks=[lambda history: modes.append(model.layers[1].training)])
    assert modes == [True, True]
    assert not any(module.training for module in model.modules())


def test_dropout_is_drawn_by_the_seed():
    def losses(seed):
        model = MLP(1, [8, 1], activation="tanh", seed=0, dropout=0.5)
        return fit(model, [1.0], [1.0], epochs=4, seed=seed).loss.tolist()

    assert losses(0) == losses(0) != losses(1)


@pytest.mark.parametrize(("samples", "size"), [(3, 2), (4, 1), (1, 8)])
def test_batches_of_one_cannot_be_normalised(samples, size):
    model = MLP(1, [2, 1], seed=0, batch_norm=True)
    before = model.state_dict()
    xs = [float(i) for i in range(samples)]
    with pytest.raises(ValueError, match="choose another batch_size"):
        fit(model, xs, xs, batch_size=size)
    assert model.state_dict() == before
    fit(model, [0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0], batch_size=2, epochs=1)


def test_callbacks_may_be_a_generator():
    seen = []
    line(epochs=2, callbacks=(each for each in [lambda history: seen.append(history.epochs)]))
    assert seen == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"schedule": 0.1}, r"fit takes a schedule that can be called, such as nn.schedules.Cosine\(100\), got 0.1"),
        ({"schedule": Cosine}, "fit takes a schedule that can be called, such as .*, got <class"),
        ({"loss": "mse"}, "fit takes a loss that can be called, such as nn.losses.mse, got 'mse'"),
        ({"validation": (np.array(["a", "b"], object), [0.0, 1.0])}, "takes numbers, and validation sample 0 is 'a'"),
        (
            {"validation": (["a", "b"], [0.0, 1.0])},
            "takes numbers, and validation sample 0 is 'a': of names, np.uni",
        ),
        ({"penalty": 0.1}, "fit takes a penalty that can be called"),
        ({"augment": "flip"}, "fit takes a augment that can be called"),
        ({"metrics": {"accuracy": 1}}, "fit takes a metric 'accuracy' that can be called"),
        ({"metrics": accuracy}, "fit takes metrics as a dict, by name, got <function"),
        ({"callbacks": [None]}, "callback 0"),
        ({"callbacks": None}, "fit takes a list of callbacks, got None"),
        ({"callbacks": print}, "fit takes a list of callbacks, got <built-in function print>"),
        ({"optimizer": "adam"}, r"fit takes an optimiser, such as Adam\(model.parameters\(\)\), got 'adam'"),
        ({"optimizer": SGD}, "fit takes an optimiser, such as"),
        ({"validation": [1.0]}, "validation data as a pair"),
        ({"validation": (1.0, [1.0])}, "a list of validation samples"),
        ({"penalty": lambda model: 1.0}, "the penalty must return a Value"),
    ],
)
def test_what_accompanies_a_training_is_checked(arguments, message):
    with pytest.raises(TypeError, match=message):
        line(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"validation": ([1.0], [])}, "validation samples and one target for each, got 1 and 0"),
        ({"metrics": {"loss": accuracy}}, "a metric has a name of its own, such as 'accuracy', got 'loss'"),
        ({"metrics": {"validation_loss": accuracy}}, "a metric has a name of its own"),
        ({"metrics": {3: accuracy}}, "a metric has a name of its own"),
        ({"schedule": lambda epoch, losses: -1.0}, "what a schedule gives must be a number of at least 0, got -1.0"),
        ({"schedule": lambda epoch, losses: None}, "what a schedule gives must be a number"),
        ({"patience": 0}, "patience must be a whole number of at least 1"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
    ],
)
def test_wrong_settings_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        line(**arguments)
