"""The mini-batch loop: its batches, its repeatability, and how it stops."""

import math
import pickle

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn import MLP, DivergedError, fit
from nn.data import sin
from nn.losses import mse
from nn.optim import SGD


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


def test_nan_in_the_data_is_named_before_it_spoils_the_model():
    model = MLP(1, [1])
    before = model.state_dict()
    with pytest.raises(DivergedError, match="epoch 1: the loss is nan"):
        fit(model, [1.0], [math.nan])
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
        ({"loss": "mse"}, "fit takes a loss that can be called, got 'mse'"),
        ({"xs": 1.0}, "fit takes a list of samples, got 1.0"),
        ({"ys": None}, "fit takes a list of targets, got None"),
    ],
)
def test_a_wrong_kind_is_named(arguments, message):
    with pytest.raises(TypeError, match=message):
        fit(**{"model": MLP(1, [1], seed=0), "xs": [1.0], "ys": [1.0], **arguments})
