"""The two ways to compute a step of training: the same numbers, and when it is which."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from nn import MLP, BatchNorm, DivergedError, Dropout, Layer, Module, Sequential, fit, predict
from nn.augment import Jitter
from nn.engines import Compiled, Problem, Recorded, engine
from nn.losses import mse
from nn.optim import OPTIMIZERS, SGD
from nn.penalties import l1, l2
from nn.schedules import Cosine, Exponential, InverseTime, OnPlateau, Step, WarmUp

few = settings(max_examples=settings().max_examples // 2)  # for each, two trainings with all there is


def parameters_after(eager, sizes=(2, 4, 1), loss=mse, make=MLP, **options):
    rng = np.random.default_rng(0)
    xs, ys = rng.normal(size=(7, sizes[0])), rng.normal(size=(7, sizes[-1]))
    model = make(sizes[0], list(sizes[1:]), seed=0, activation="tanh")
    optimizer = SGD(model.parameters(), 0.05, momentum=0.9, nesterov=True, weight_decay=0.01)
    targets = ys[:, 0] if sizes[-1] == 1 else ys
    history = fit(model, xs, targets, loss=loss, optimizer=optimizer, eager=eager, **options)
    return [p.data for p in model.parameters()], history.loss.tolist()


@given(
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    epochs=st.integers(1, 4),
    batch_size=st.one_of(st.none(), st.integers(1, 8)),
)
def test_both_engines_arrive_at_the_same_numbers(sizes, epochs, batch_size):
    parameters, losses = parameters_after(False, sizes, epochs=epochs, batch_size=batch_size)
    expected, expected_losses = parameters_after(True, sizes, epochs=epochs, batch_size=batch_size)
    assert parameters == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert losses == pytest.approx(expected_losses, rel=1e-9)


MODELS = {
    "plain": {},
    "dropout": {"dropout": 0.3},
    "batch norm": {"batch_norm": True},
    "both": {"batch_norm": True, "dropout": 0.2},
}
SCHEDULED = [Step(2), Exponential(0.9), InverseTime(0.5), Cosine(4), OnPlateau(patience=0, factor=0.5)]
SCHEDULED += [WarmUp(2, then=each) for each in SCHEDULED]
PENALTIES = {"none": None, "l1": lambda model: 0.01 * l1(model), "l2": lambda model: 0.01 * l2(model)}


def everything_after(eager, model, optimizer, options):
    """All numbers of a training: parameters, running statistics, gradients, and what was seen."""
    rng = np.random.default_rng(0)
    xs, ys = rng.normal(size=(14, 2)), rng.normal(size=(14, 2))
    made = MLP(2, [3, 2], activation="tanh", seed=0, **MODELS[model])
    options = options | {"optimizer": OPTIMIZERS[optimizer](made.parameters(), 0.02), "epochs": 4, "batch_size": 4}
    options |= {"validation": (xs[10:], ys[10:]), "metrics": {"worst": lambda p, t: np.abs(p - t).max()}}
    history = fit(made, xs[:10], ys[:10], eager=eager, **options)
    state = [x for tensor in made.state_dict().values() for x in np.ravel(tensor)]
    seen = [x for row in history.rows for x in row.values()]
    return history.engine, [*state, *[p.grad for p in made.parameters()], *seen]


def optimizers(model):
    """Before a batch norm an offset has the gradient 0, whose rounding Adagrad and its kin would divide by itself."""
    return st.sampled_from(["sgd", "momentum"] if "batch_norm" in MODELS[model] else list(OPTIMIZERS))


@few
@given(
    chosen=st.sampled_from(list(MODELS)).flatmap(lambda model: st.tuples(st.just(model), optimizers(model))),
    penalty=st.sampled_from(list(PENALTIES)),
    schedule=st.sampled_from([None, *SCHEDULED]),
    augment=st.sampled_from([None, Jitter(0.1)]),
    patience=st.sampled_from([None, 2]),
)
def test_both_engines_arrive_at_the_same_numbers_with_everything(chosen, penalty, schedule, augment, patience):
    options = {"penalty": PENALTIES[penalty], "schedule": schedule, "augment": augment, "patience": patience}
    engine, found = everything_after(False, *chosen, options)
    _, expected = everything_after(True, *chosen, options)
    assert engine == ("program of whole batches" if "batch_norm" in MODELS[chosen[0]] else "program")
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-11)


def summed(predictions, targets):
    return ag.sum([(p - t) ** 2 for p, t in zip(predictions, targets, strict=True)])


def worst(predictions, targets):
    return ag.sqrt(mse(predictions, targets))


class Counting(Module):
    """Its output depends on what it has seen before."""

    def __init__(self):
        self.w = ag.Value(0.5)
        self._seen = 0

    def __call__(self, x):
        """Another number each time."""
        self._seen += 1
        return self.w * x[0] * self._seen


class Branching(Module):
    """It has a Python ``if``."""

    def __init__(self):
        self.w = ag.Value(0.5)

    def __call__(self, x):
        """A number."""
        return self.w * x[0] if x[0] > 0 else self.w


class Indexing(Module):
    """It chooses a parameter by its data."""

    def __init__(self):
        self.w = [ag.Value(0.5), ag.Value(1.0)]

    def __call__(self, x):
        """A number."""
        return self.w[int(float(x[0]) > 0)] * x[0]


def chosen(model, xs, ys, loss=mse, optimizer=None, eager=False):
    found, said = engine(Problem(model, xs, ys, loss, optimizer or SGD(model.parameters())), len(xs), eager)
    assert said in ("program", "program of whole batches") or said.startswith("graph: ")
    return found


def test_a_mean_and_a_sum_of_the_examples_losses_are_compiled():
    model = MLP(1, [2, 1], seed=0)
    for loss, reduce in ((mse, "mean"), (summed, "sum")):
        found = chosen(model, [1.0, 2.0, 3.0], [1.0, 2.0, -3.0], loss)
        assert isinstance(found, Compiled)
        assert found.reduce == reduce
    few = {"loss": summed, "epochs": 3}
    assert parameters_after(False, **few)[0] == pytest.approx(parameters_after(True, **few)[0], rel=1e-9)


def test_a_loss_that_relates_examples_is_a_program_of_whole_batches():
    model = MLP(1, [2, 1], seed=0)
    found = chosen(model, [1.0, 2.0, 3.0], [1.0, 2.0, -3.0], worst)
    assert isinstance(found, Compiled)
    assert found.whole
    options = {"loss": worst, "epochs": 3, "batch_size": 4}  # the last batch of 7 has 3
    assert parameters_after(False, **options)[0] == pytest.approx(parameters_after(True, **options)[0], rel=1e-9)


def test_a_batch_that_would_make_too_large_a_program_is_recorded(monkeypatch):
    monkeypatch.setattr("nn.engines.MOST_UNROLLED", 80)
    model = MLP(1, [2, 1], seed=0, batch_norm=True)
    xs = [1.0, 2.0, 3.0, 4.0]
    assert isinstance(chosen(model, xs[:2], xs[:2]), Compiled)
    assert isinstance(chosen(model, xs, xs), Recorded)


def test_what_a_subclass_does_with_a_sample_is_what_is_trained():
    class Doubled(MLP):
        def __call__(self, x):
            return 2.0 * super().__call__(x)

    model = Doubled(1, [2, 1], activation="tanh", seed=0)
    history = fit(model, [1.0, 2.0], [3.0, 4.0], epochs=1, batch_size=None)
    start = Doubled(1, [2, 1], activation="tanh", seed=0)
    assert history.loss[0] == pytest.approx(mse([start([1.0]).data, start([2.0]).data], [3.0, 4.0]), rel=1e-12)


def test_choosing_changes_no_running_statistics():
    model = Sequential(Layer(1, 2, None, seed=0), BatchNorm(2), Layer(2, 1, None, seed=1))
    before = model.state_dict()
    chosen(model, [1.0, 2.0, 4.0], [0.0, 1.0, 3.0])
    assert model.state_dict() == before


def test_batch_normalisation_of_the_inputs_themselves():
    def numbers(eager):
        model = Sequential(BatchNorm(2), Layer(2, 1, None, seed=0))
        xs = [[1.0, 2.0], [3.0, -1.0], [0.0, 5.0], [2.0, 2.0]]
        engine = fit(model, xs, [1.0, 0.0, 2.0, 1.0], epochs=3, batch_size=2, eager=eager).engine
        return engine, [x for tensor in model.state_dict().values() for x in np.ravel(tensor)]

    engine, found = numbers(False)
    assert engine == "program of whole batches"
    assert found == pytest.approx(numbers(True)[1], rel=1e-9)


@pytest.mark.parametrize(
    ("model", "xs", "loss"),
    [
        (Counting(), [1.0, 2.0, 3.0], mse),
        (Branching(), [1.0, 2.0, -3.0], mse),
        (Indexing(), [1.0, 2.0, -3.0], mse),
    ],
)
def test_what_a_program_would_compute_otherwise_is_recorded(model, xs, loss):
    assert isinstance(chosen(model, xs, [1.0, 0.0, 2.0], loss), Recorded)


def cross_entropy(predictions, targets):
    """By ``if``, for labels that are 0 or 1."""
    ps = [ag.sigmoid(p) for p in predictions]
    return ag.mean([-ag.log(p) if t == 1 else -ag.log(1 - p) for p, t in zip(ps, targets, strict=True)])


def test_what_python_decides_by_rare_labels_is_noticed():
    ys = [0.0] * 500
    ys[123] = 1.0  # among no examples that are compared
    xs = np.random.default_rng(0).normal(size=(500, 2))
    model = MLP(2, [64, 64, 1], seed=0)
    found, said = engine(Problem(model, xs, ys, cross_entropy, SGD(model.parameters())), 500)
    assert isinstance(found, Recorded)
    assert "Python compared a number" in said


@pytest.mark.parametrize(
    "loss",
    [
        lambda ps, ts: ag.mean([p * (2.0 if t in (1.0, 3.0) else 1.0) for p, t in zip(ps, ts, strict=True)]),
        lambda ps, ts: ag.mean([p * {1.0: 2.0}.get(t, 1.0) for p, t in zip(ps, ts, strict=True)]),
        lambda ps, ts: ag.mean([p * [3.0, 2.0][int(float(t))] for p, t in zip(ps, ts, strict=True)]),
        lambda ps, ts: ag.mean([max(p, t) for p, t in zip(ps, ts, strict=True)]),
        lambda ps, ts: ag.mean([p * 2.0 if p > 100.0 else p for p in ps]),
        lambda ps, ts: ag.mean([p * math.exp(t) for p, t in zip(ps, ts, strict=True)]),
        lambda ps, ts: ag.mean([p * t.is_integer() for p, t in zip(ps, ts, strict=True)]),
    ],
)
def test_whatever_looks_at_a_number_is_recorded_and_trains(loss):
    model = MLP(1, [1], seed=0)
    xs, ys = [1.0, 2.0, 3.0], [0.0, 0.0, 1.0]
    history = fit(model, xs, ys, loss=loss, epochs=2)
    assert history.engine.startswith("graph: ")
    again = MLP(1, [1], seed=0)
    assert history.loss.tolist() == fit(again, xs, ys, loss=loss, epochs=2, eager=True).loss.tolist()


class Gated(Module):
    """What it is multiplied by is taken out of the graph, as people detach it (``.data``)."""

    def __init__(self, normalised=False):
        self.gate, self.layer = Layer(2, 1, None, seed=0), Layer(2, 1, "tanh", seed=1)
        self.norm = BatchNorm(2) if normalised else None

    def __call__(self, x):
        """A number."""
        return self.layer(x) * self.gate(x).data

    def batch(self, xs):
        """A number each."""
        return [self(x) for x in (self.norm.batch(xs) if self.norm else xs)]


class Normed(Module):
    """A neuron with weights of length 1, a length that gets no gradient."""

    def __init__(self):
        self.w = [ag.Value(0.5), ag.Value(1.0)]

    def __call__(self, x):
        """A number."""
        return ag.dot(self.w, x) / math.hypot(*[w.data for w in self.w])


def per_length(model):
    """L2, divided by a number that was taken out of the graph."""
    return l2(model) / math.fsum(p.data**2 for p in model.parameters())


def scaled(model):
    """Mean squared error, divided by a number that was taken out of the graph."""
    return lambda ps, ts: mse(ps, ts) / (1.0 + math.fsum(p.data**2 for p in model.parameters()))


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (Gated, {}),
        (lambda: Gated(normalised=True), {}),
        (Normed, {}),
        (lambda: MLP(2, [3, 1], seed=0), {"loss": scaled}),
        (lambda: MLP(2, [1], seed=0), {"penalty": per_length}),
        (lambda: MLP(2, [1], seed=0), {"penalty": lambda model: max(w**2 for w in model.parameters())}),
        (lambda: MLP(2, [1], seed=0), {"penalty": lambda model: l2(model) if l2(model) > 0.5 else l1(model)}),
    ],
)
def test_a_number_that_python_took_out_of_the_graph_is_noticed(make, options):
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(20, 2))

    def trained(eager):
        model = make()
        given = {name: option(model) if option is scaled else option for name, option in options.items()}
        optimizer = SGD(model.parameters(), 0.05)
        given |= {"optimizer": optimizer, "validation": (xs, xs[:, 1]), "epochs": 3, "batch_size": 5, "eager": eager}
        history = fit(model, xs, 3.0 * xs[:, 0], **given)
        return history.engine, [*history.loss, *history.validation_loss], model

    engine, losses, model = trained(False)
    assert engine.startswith("graph: ")
    assert losses == pytest.approx(trained(True)[1], rel=1e-9)
    assert predict(model, xs).tolist() == pytest.approx([float(model(x)) for x in xs.tolist()], rel=1e-12)


def test_the_history_says_what_it_was_computed_on():
    arguments = MLP(1, [1], seed=0), [1.0, 2.0], [1.0, 2.0]
    assert fit(*arguments, epochs=1).engine == "program"
    assert fit(*arguments, epochs=1, eager=True).engine == "graph: eager=True"
    assert "by program>" in repr(fit(*arguments, epochs=1))


def test_an_optimiser_of_another_model_is_noticed():
    model, other = MLP(1, [1], seed=0), MLP(1, [1], seed=0)
    with pytest.raises(ValueError, match="depends on none of the optimiser's parameters"):
        fit(model, [1.0], [2.0], optimizer=SGD(other.parameters()))


@pytest.mark.parametrize("eager", [False, True])
def test_a_loss_that_was_taken_out_of_the_graph_is_noticed(eager):
    def loss(predictions, targets):
        return ag.Value(math.fsum((p.data - t) ** 2 for p, t in zip(predictions, targets, strict=True)))

    with pytest.raises(ValueError, match=r"is nothing taken out of the graph by \.data"):
        fit(MLP(1, [1], seed=0), [1.0, 2.0], [2.0, 3.0], loss=loss, eager=eager)


def test_a_loss_that_is_zero_so_far_decides_nothing():
    def hinge(predictions, targets):
        return ag.sum([ag.relu(0.0 * p + t) for p, t in zip(predictions, targets, strict=True)])

    assert isinstance(chosen(MLP(1, [1], seed=0), [1.0, 2.0], [-1.0, -1.0], hinge), Recorded)


@pytest.mark.parametrize("eager", [False, True])
def test_frozen_parameters_may_be_changed_between_epochs(eager):
    def losses(eager):
        model = MLP(1, [3, 1], activation="tanh", seed=0)
        optimizer = SGD(model.layers[1].parameters(), 0.1)

        def halve(history):
            for p in model.layers[0].parameters():
                p.data *= 0.5

        options = {"epochs": 4, "optimizer": optimizer, "callbacks": [halve]}
        return fit(model, [1.0, 2.0], [1.0, -1.0], eager=eager, **options).loss.tolist()

    assert losses(eager) == pytest.approx(losses(True), rel=1e-9)


def test_the_gradients_of_the_last_step_are_left():
    def gradients(eager):
        model = MLP(1, [3, 1], activation="tanh", seed=0)
        fit(model, [1.0, 2.0], [1.0, -1.0], epochs=2, eager=eager)
        return [p.grad for p in model.parameters()]

    assert gradients(False) == pytest.approx(gradients(True), rel=1e-9)
    assert any(gradients(False))


def test_an_interrupt_while_compiling_ends_the_training():
    class Impatient(MLP):
        def __call__(self, x):
            raise KeyboardInterrupt

    model = Impatient(1, [1], seed=0)
    assert fit(model, [1.0], [1.0]).interrupted


def test_tables_and_generators_are_taken():
    class Table:  # as pandas has them
        ndim = 1

        def __init__(self, xs):
            self._xs = xs

        def __iter__(self):
            return iter(self._xs)

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self._xs, dtype)

    def loss(xs, ys):
        return fit(MLP(1, [1], seed=0), xs, ys, epochs=2).loss.tolist()

    expected = loss([1.0, 2.0], [1.0, 0.0])
    assert loss(Table([1.0, 2.0]), Table([1.0, 0.0])) == expected
    assert loss((x for x in [1.0, 2.0]), iter([1.0, 0.0])) == expected


def test_examples_of_several_shapes_are_recorded():
    class Mean(Module):
        def __init__(self):
            self.w = ag.Value(0.5)

        def __call__(self, x):
            return self.w * ag.mean(x)

    model = Mean()
    assert isinstance(chosen(model, [[1.0], [1.0, 2.0]], [1.0, 0.0]), Recorded)
    assert fit(model, [[1.0], [1.0, 2.0]], [1.0, 0.0], epochs=2).epochs == 2


def test_an_optimiser_that_steps_in_its_own_way_is_asked_to():
    class Sign(SGD):
        def step(self):
            for p in self.parameters:
                p.data -= math.copysign(0.1, p.grad)

    model = MLP(1, [1], seed=0)
    optimizer = Sign(model.parameters())
    assert isinstance(chosen(model, [1.0], [2.0], optimizer=optimizer), Recorded)


@pytest.mark.parametrize("eager", [False, True])
def test_a_step_that_fails_changes_no_running_statistics(eager):
    model = MLP(1, [2, 1], batch_norm=True, seed=0)
    before = model.state_dict()
    with pytest.raises(DivergedError):
        fit(model, [1.0, 2.0], [0.0, 1e200], eager=eager)
    assert model.state_dict() == before


def test_dropout_and_augmentation_draw_different_numbers():
    """NumPy takes a seed that ends in zeros for the same as one without them."""
    problem = Problem(Sequential(Dropout(0.5), Dropout(0.5)), [1.0], [1.0], mse, SGD([ag.Value(0.0)]))
    problem.reseed(3, 1)
    drawn = [tuple(each.draw(30)) for each in problem.model.layers]
    assert len({*drawn, tuple(2.0 * (np.random.default_rng((3, 1)).random(30) >= 0.5))}) == 3


def test_choosing_changes_no_gradient():
    model = MLP(1, [2, 1], seed=0)
    model.parameters()[0].grad = 3.0
    chosen(model, [1.0, 2.0], [0.0, 1.0])
    assert [p.grad for p in model.parameters()] == [3.0] + [0.0] * 6


@pytest.mark.parametrize("eager", [False, True])
def test_what_a_callback_does_to_the_model_holds(eager):
    model = MLP(1, [1], seed=0)

    def reset(history):
        for p in model.parameters():
            p.data = 0.0

    fit(model, [1.0, 2.0], [1.0, 2.0], epochs=3, callbacks=[reset], eager=eager)
    assert [p.data for p in model.parameters()] == [0.0, 0.0]

    def stop(history):
        reset(history)
        raise KeyboardInterrupt

    fit(model, [1.0, 2.0], [1.0, 2.0], epochs=3, callbacks=[stop], eager=eager)
    assert [p.data for p in model.parameters()] == [0.0, 0.0]
