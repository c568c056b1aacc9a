"""Extras: what is missing is named, with how to install it."""

import sys

import pytest

from nn import data
from nn.extras import scikit_learn


@pytest.mark.parametrize(
    "function",
    [
        lambda: data.moons(5),
        lambda: data.circles(5),
        lambda: data.blobs(5),
        data.digits,
        data.mnist,
        data.fashion_mnist,
    ],
)
def test_a_missing_scikit_learn_is_named(monkeypatch, function):
    for name in [name for name in sys.modules if name.partition(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)  # as if it were not installed
    with pytest.raises(ImportError, match=r"scikit-learn, which is not installed: pip install 'chainrule\[learn\]'"):
        function()


def test_what_scikit_learn_itself_misses_is_not_hidden():
    with pytest.raises(ModuleNotFoundError, match=r"sklearn\.no_such_part"):
        scikit_learn("no_such_part")
