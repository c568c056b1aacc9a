"""Early stopping, on losses that are drawn."""

from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from nn import History
from nn.stopping import Best


@given(losses=st.lists(st.sampled_from([0.5, 1.0, 1.5, 2.0]), min_size=1, max_size=12), patience=st.integers(1, 5))
def test_it_is_over_when_no_epoch_was_better_for_so_long_and_the_best_is_restored(losses, patience):
    parameter, history = Value(0.0), History()
    best = Best([parameter], patience)
    for epoch, loss in enumerate(losses, start=1):
        parameter.data = float(epoch)
        history.rows.append({"loss": loss})
        best.see(history)
        recent = losses[max(0, epoch - patience) : epoch]
        improved = min(recent) < min(losses[: max(0, epoch - patience)], default=float("inf"))
        assert best.is_over(history) == (not improved)
    best.restore(history)
    assert parameter.data == history.best_epoch == 1 + losses.index(min(losses))


def test_without_patience_it_is_never_over_and_changes_nothing():
    parameter, history = Value(3.0), History([{"loss": 1.0}] * 50)
    best = Best([parameter], None)
    best.see(history)
    best.restore(history)
    assert not best.is_over(history)
    assert (parameter.data, history.best_epoch) == (3.0, None)


def test_before_the_first_epoch_nothing_is_over():
    assert not Best([Value(1.0)], 1).is_over(History())
