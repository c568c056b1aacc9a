"""What ``fit`` is given, checked before anything is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from reprlib import repr as shown
from typing import Any

from .history import History
from .measures import Metrics
from .tensors import floats, sequence

EXAMPLES = {
    "loss": "nn.losses.mse",
    "schedule": "nn.schedules.Cosine(100)",
    "penalty": "nn.penalties.l2",
    "augment": "nn.augment.Jitter(0.1)",
}


def check_callable(what: str, function: Any) -> None:
    """Raise TypeError unless this is a function, or an object that is called like one."""
    if not callable(function) or isinstance(function, type):
        example = f", such as {EXAMPLES[what]}" if what in EXAMPLES else ""
        raise TypeError(f"fit takes a {what} that can be called{example}, got {shown(function)}")


def listed_callbacks(callbacks: Any) -> list[Callable[[History], Any]]:
    """The callbacks, also those of a generator. Raises TypeError unless they are functions."""
    if not isinstance(callbacks, Iterable):
        raise TypeError(f"fit takes a list of callbacks, got {shown(callbacks)}")
    found = list(callbacks)
    for i, callback in enumerate(found):
        check_callable(f"callback {i}", callback)
    return found


def named_metrics(metrics: Any) -> Metrics:
    """The metrics by name; None are none.

    Raises:
        TypeError: they are no dict of functions.
        ValueError: a name is that of something else in the rows of a history.
    """
    if metrics is None:
        return {}
    if not isinstance(metrics, Mapping):
        raise TypeError(f"fit takes metrics as a dict, by name, got {shown(metrics)}")
    for name, metric in metrics.items():
        if not isinstance(name, str) or name in ("loss", "learning_rate") or name.startswith("validation_"):
            raise ValueError(f"a metric has a name of its own, such as 'accuracy', got {shown(name)}")
        check_callable(f"metric {name!r}", metric)
    return metrics


def paired(part: str, xs: Any, ys: Any) -> tuple[Any, Any]:
    """Samples, and a target for each, as lists or arrays.

    Raises:
        TypeError: one of them is no list, or of text.
        ValueError: there are none, or more of one than of the other; or a number is not finite.
    """
    for what, each in (("samples", xs), ("targets", ys)):
        if not isinstance(each, Iterable):
            raise TypeError(f"fit takes a list of {part}{what}, got {shown(each)}")
    samples, targets = sequence(xs), sequence(ys)
    if not len(samples) or len(samples) != len(targets):
        raise ValueError(f"fit needs {part}samples and one target for each, got {len(samples)} and {len(targets)}")
    _check_numbers(f"{part}sample", samples)
    _check_numbers(f"{part}target", targets)
    return samples, targets


def paired_validation(validation: Any) -> tuple[Any, Any] | None:
    """Likewise of a pair; None if there is none. Raises TypeError if it is something else."""
    if validation is None:
        return None
    if not isinstance(validation, (list, tuple)) or len(validation) != 2:
        raise TypeError(f"fit takes validation data as a pair, samples and targets, got {shown(validation)}")
    return paired("validation ", *validation)


def _check_numbers(what: str, xs: Any) -> None:
    """Raise TypeError for text, and ValueError if a number is not finite, as far as they are of one shape."""
    import numpy as np

    try:
        found = np.asarray(xs)
        text = found.dtype.kind in "US" or (found.dtype.kind == "O" and any(isinstance(x, str) for x in found.flat))
        good = None if text else np.isfinite(floats(found))
    except (TypeError, ValueError):
        return
    if good is None:
        raise TypeError(
            f"fit takes numbers, and {what} 0 is {shown(xs[0])}: of names, np.unique(names, return_inverse=True)[1] "
            "makes class labels"
        )
    if not good.all():
        which = int(np.argmin(good.reshape(len(good), -1).all(axis=1)))
        raise ValueError(f"fit takes finite numbers, and {what} {which} is {shown(xs[which])}")
