"""Layers: the modules that networks are made of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random
from reprlib import repr as shown
from typing import TYPE_CHECKING, Any

from autograd import OPS, Value, dot, mean, sqrt

from .initializers import Initializer, by_name, default_for
from .modules import Module
from .ranges import fraction, number, positive, whole
from .recording import drawn, watched
from .tensors import Tensor, is_list

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

MOST_WEIGHTS = 10_000_000
"""The most weights of a layer; more would be a slip of the keyboard, and take the machine's memory."""

_shared = Random(0)  # what modules draw from that get no seed: each other numbers, the same ones in every run


class Neuron(Module):
    """activation(w · x + b): one ``dot`` node, one sum, one activation.

    Args:
        n_in: the number of inputs.
        activation: the name of any operation of one input; None (or "linear") for none.
        init: the name of an initialiser of the weights ("glorot", "he", "lecun", "uniform"); by default the one that
            fits the activation. The bias starts at 0.
        seed: an int, or a ``random.Random`` to draw from; None is a generator that all modules share, so that no two
            start alike, and a program starts alike in every run.
        n_out: the neurons of the layer that it is part of; the spread of some initialisers depends on it.

    Raises:
        ValueError: a size is not positive, or a name is unknown; when called: x is not of length ``n_in``.

    >>> neuron = Neuron(2, activation="tanh")
    >>> neuron
    Neuron(2 → tanh, 3 parameters)
    >>> from autograd import formula
    >>> formula(neuron([Value(1.0, "x0"), Value(2.0, "x1")]))
    'tanh(dot([w0, w1], [x0, x1]) + b)'
    """

    def __init__(
        self,
        n_in: int,
        activation: str | None = "relu",
        init: str | None = None,
        seed: int | Random | None = None,
        n_out: int = 1,
    ) -> None:
        n_in, n_out = check_sizes(n_in, n_out)
        check_activation(activation)
        draw: Initializer = by_name(init) if init is not None else default_for(activation)
        rng = generator(seed)
        self.w = [Value(draw(rng, n_in, n_out), f"w{i}") for i in range(n_in)]
        self.b = Value(0.0, "b")
        self.activation = activation

    def __call__(self, x: Sequence[Any]) -> Any:
        """The neuron's output, a number, for ``n_in`` numbers. Raises ValueError if there are more or fewer."""
        check_list("this neuron", x, len(self.w))
        return activated(self.activation, dot(self.w, x) + self.b)

    def tensors(self) -> dict[str, Tensor]:
        """The weights, shape (n_in,), and the bias."""
        return {"weight": self.w, "bias": self.b}

    def _summary(self) -> str:
        return f"{len(self.w)} → {self.activation or 'linear'}, "


class Layer(Module):
    """``n_out`` neurons side by side on the same inputs: activation(W x + b).

    Args:
        n_in: the number of inputs.
        n_out: the number of neurons.
        activation, init, seed: see ``Neuron``.

    Raises:
        ValueError: as of ``Neuron``; or there would be more than ten million weights.

    >>> Layer(3, 2)
    Layer(3 → 2 relu, 8 parameters)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        activation: str | None = "relu",
        init: str | None = None,
        seed: int | Random | None = None,
    ) -> None:
        n_in, n_out = check_sizes(n_in, n_out)
        rng = generator(seed)
        self.neurons = [Neuron(n_in, activation, init, rng, n_out) for _ in range(n_out)]

    def __call__(self, x: Sequence[Any]) -> Any:
        """The outputs for ``n_in`` numbers: a list of ``n_out``, or the number itself if there is one neuron."""
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def tensors(self) -> dict[str, Tensor]:
        """The weights, shape (n_out, n_in), and the biases, shape (n_out,), as PyTorch's Linear has them."""
        return {"weight": [neuron.w for neuron in self.neurons], "bias": [neuron.b for neuron in self.neurons]}

    def _summary(self) -> str:
        return f"{len(self.neurons[0].w)} → {self.shown()}, "

    def shown(self) -> str:
        """The outputs and the activation, as in ``16 tanh``."""
        activation = self.neurons[0].activation
        return f"{len(self.neurons)}" if is_linear(activation) else f"{len(self.neurons)} {activation}"


class Activation(Module):
    """An activation of each number by itself: for networks where something stands between it and the sums.

    Args:
        activation: the name of any operation of one input; None (or "linear") for none.

    Raises:
        ValueError: the name is unknown.

    >>> Activation("relu")([-1.0, 2.0])
    [0.0, 2.0]
    """

    def __init__(self, activation: str | None) -> None:
        check_activation(activation)
        self.activation = activation

    def __call__(self, x: Sequence[Any]) -> list[Any]:
        """The activation of each number of a list. Raises ValueError if it is none."""
        check_list("an activation", x)
        return [activated(self.activation, each) for each in x]

    def shown(self) -> str:
        """Its name, as in ``relu``."""
        return self.activation or "linear"

    def _summary(self) -> str:
        return f"{self.shown()}, "


class Dropout(Module):
    """Each number 0 with a probability in training, the others scaled up so that the expectation stays.

        out = x · m / (1 - probability),  m = 0 with that probability, else 1, drawn anew for every number

    and out = x in evaluation (Srivastava et al. 2014; scaled in training, as PyTorch does it).

    Args:
        probability: of 0, in [0, 1).
        seed: see ``Neuron``. ``fit`` draws by its own seed.

    Raises:
        ValueError: the probability is out of its range.

    >>> dropout = Dropout(0.5, seed=1)
    >>> dropout([1.0, 2.0, 3.0, 4.0])
    [0.0, 4.0, 6.0, 8.0]
    >>> dropout.eval()([1.0, 2.0, 3.0, 4.0])
    [1.0, 2.0, 3.0, 4.0]
    """

    def __init__(self, probability: float = 0.5, seed: int | Random | None = None) -> None:
        self.probability = fraction("probability", probability)
        self.reseed(generator(seed).getrandbits(64))

    def __call__(self, x: Sequence[Any]) -> list[Any]:
        """The numbers of a list, some of them 0 in training. Raises ValueError if it is none."""
        check_list("dropout", x)
        if not self.training or not self.probability:
            return list(x)
        return [each * scale for each, scale in zip(x, drawn(len(x), self.draw), strict=True)]

    def reseed(self, *seeds: int) -> None:
        """Draw from now on as these numbers determine. Raises ValueError unless they are whole, and at least 0."""
        self._seeds = [whole("a seed", seed, least=0) for seed in seeds]
        self._rng: np.random.Generator | None = None  # NumPy loads when something is drawn

    def draw(self, n: int) -> Array:
        """The next ``n`` factors, each 0 or 1 / (1 - probability), shape (n,); the same in one call or in several."""
        import numpy as np

        if self._rng is None:
            self._rng = np.random.default_rng(self._seeds)
        return (self._rng.random(n) >= self.probability) / (1.0 - self.probability)

    def shown(self) -> str:
        """Its probability, as in ``dropout 0.5``."""
        return f"dropout {self.probability:g}"

    def _summary(self) -> str:
        return f"{self.probability:g}, "


class BatchNorm(Module):
    """Batch normalisation: each feature has mean 0 and variance 1 over the batch, then a scale and an offset it learns.

        out = (x - mean) / √(variance + epsilon) · weight + bias

    In training mean and variance are the batch's (the mean square, not the unbiased), and the running ones follow,
    running ← (1 - momentum) · running + momentum · batch (here the unbiased variance). In evaluation they are the
    running ones, so that a sample's output depends on no other (Ioffe and Szegedy 2015; PyTorch's ``BatchNorm1d``).

    In training it takes a batch, ``batch(xs)``: a model that holds one is called as ``model.batch(xs)``, which is
    what ``fit`` does.

    Args:
        features: the numbers of a sample.
        momentum: the share of the new in the running statistics.
        epsilon: keeps a feature that is constant from dividing by 0.

    Raises:
        ValueError: a setting is out of its range; when called: a sample has not ``features`` numbers; in training, for
            fewer than two samples.

    >>> norm = BatchNorm(1)
    >>> [round(out[0].data, 4) for out in norm.batch([[1.0], [2.0], [3.0]])]
    [-1.2247, 0.0, 1.2247]
    >>> [round(x, 4) for x in norm.state_dict()["running_mean"] + norm.state_dict()["running_var"]]
    [0.2, 1.0]
    """

    def __init__(self, features: int, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        features, _ = check_sizes(features, 1)
        self.momentum = number("momentum", momentum, lambda x: 0 < x <= 1, "in (0, 1]")
        self.epsilon = positive("epsilon", epsilon)
        self.weight = [Value(1.0, f"scale{i}") for i in range(features)]
        self.bias = [Value(0.0, f"offset{i}") for i in range(features)]
        self._mean = [Value(0.0, f"mean{i}") for i in range(features)]
        self._variance = [Value(1.0, f"variance{i}") for i in range(features)]
        self._batches = Value(0.0)

    def __call__(self, x: Sequence[Any]) -> list[Any]:
        """The numbers of one sample, by the running statistics. Raises ValueError in training."""
        if self.training:
            raise ValueError(
                "batch normalisation takes a batch in training, model.batch(xs), which a module of your own that holds "
                "one has to define; for single samples put the model in evaluation, model.eval()"
            )
        check_list("this batch normalisation", x, len(self.weight))
        scales = map(self._scale, self.weight, self._variance)
        rows = zip(x, self._mean, scales, self.bias, strict=True)
        return [(each - mean) * scale + offset for each, mean, scale, offset in rows]

    def batch(self, xs: Sequence[Any]) -> list[Any]:
        """The samples of a batch, normalised together in training, each by itself in evaluation."""
        if not self.training:
            return super().batch(xs)
        for x in xs:
            check_list("this batch normalisation", x, len(self.weight))
        if len(xs) < 2:
            raise ValueError(f"batch normalisation takes at least 2 samples in training, got {len(xs)}")
        means = [mean(column) for column in zip(*xs, strict=True)]
        centred = [[each - mean for each, mean in zip(x, means, strict=True)] for x in xs]
        variances = [dot(column, column) / len(xs) for column in zip(*centred, strict=True)]
        watched([*means, *variances], partial(self._follow, len(xs)))
        scales = list(map(self._scale, self.weight, variances))
        return [
            [d * scale + offset for d, scale, offset in zip(row, scales, self.bias, strict=True)] for row in centred
        ]

    def buffers(self) -> dict[str, Tensor]:
        """The running statistics, shape (features,), and the number of batches they have seen, by PyTorch's names."""
        return {"running_mean": self._mean, "running_var": self._variance, "num_batches_tracked": self._batches}

    def _scale(self, weight: Value, variance: Any) -> Any:
        return weight / sqrt(variance + self.epsilon)

    def _follow(self, n: int, statistics: list[float]) -> None:
        unbiased = n / (n - 1)
        features = len(self.weight)
        for node, new in zip(self._mean, statistics[:features], strict=True):
            node.data += self.momentum * (new - node.data)
        for node, new in zip(self._variance, statistics[features:], strict=True):
            node.data += self.momentum * (new * unbiased - node.data)
        self._batches.data += 1.0

    def shown(self) -> str:
        """``batch norm``."""
        return "batch norm"

    def _summary(self) -> str:
        return f"{len(self.weight)}, "


def generator(seed: int | Random | None) -> Random:
    """The generator that ``seed`` stands for. Raises ValueError unless it is an int of at least 0, or a generator."""
    if seed is None:
        return _shared
    return seed if isinstance(seed, Random) else Random(whole("a seed", seed, least=0))


def is_linear(activation: str | None) -> bool:
    """Whether this names no activation."""
    return activation is None or (isinstance(activation, str) and activation == "linear")


def activated(activation: str | None, x: Any) -> Any:
    """The activation of a number."""
    return x if is_linear(activation) else OPS[str(activation)](x)


def check_activation(activation: str | None) -> None:
    """Raise ValueError unless ``activation`` names an operation of one input, or none."""
    known = [name for name, op in OPS.items() if op.arity == 1]
    if is_linear(activation) or (isinstance(activation, str) and activation in known):
        return
    from difflib import get_close_matches

    name = activation if isinstance(activation, str) else str(getattr(activation, "name", ""))  # of an operation
    close = get_close_matches(name, known, n=2)
    hint = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    raise ValueError(
        f"unknown activation {shown(activation)}: {hint}it is the name of an operation of one input, such as tanh, "
        "relu, sigmoid, gelu, or linear for none"
    )


def check_list(what: str, x: Any, length: int | None = None) -> None:
    """Raise ValueError unless ``x`` is a list, of this length if one is given."""
    if is_list(x) and length != len(x) and any(map(is_list, x)):
        raise ValueError(f"{what} takes one sample, and got a list of {len(x)}: nn.predict(model, xs) takes many")
    if not is_list(x) or length not in (None, len(x)):
        numbers = "numbers" if length is None else f"{length} number(s)"
        raise ValueError(f"{what} takes a list of {numbers}, got {len(x) if is_list(x) else shown(x)}")


def check_sizes(n_in: int, n_out: int) -> tuple[int, int]:
    """Both as ints. Raises ValueError unless they are positive, and make no more than ``MOST_WEIGHTS``."""
    n_in, n_out = whole("the number of inputs", n_in, least=1), whole("the number of outputs", n_out, least=1)
    if n_in * n_out > MOST_WEIGHTS:
        raise ValueError(
            f"{shown(n_in)} inputs to {shown(n_out)} neurons are more than {MOST_WEIGHTS:,} weights, which is the most"
        )
    return n_in, n_out
