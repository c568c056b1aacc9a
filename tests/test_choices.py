"""Choosing by name: the entry, or an error that helps."""

import pytest

from nn.choices import choose

TABLE = {"mean": 1, "median": 2, "sum": 3}


@pytest.mark.parametrize("name", TABLE)
def test_a_name_gives_its_entry(name):
    assert choose(TABLE, name, "reduction") == TABLE[name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("summ", r"unknown reduction 'summ': did you mean 'sum'\? Choose one of: mean, median, sum$"),
        ("meian", r"did you mean 'median' or 'mean'\?|did you mean 'mean' or 'median'\?"),
        ("entropy", "unknown reduction 'entropy': choose one of: mean, median, sum$"),
        ("Sum", "did you mean 'sum'"),
        ("", "unknown reduction '': choose"),
        (None, "unknown reduction None: choose"),
        (["mean"], r"unknown reduction \['mean'\]: choose"),
        ("x" * 1000, r"unknown reduction 'xxxxxxxxxxxx\.\.\.xxxxxxxxxxxxx': choose"),
    ],
)
def test_another_name_is_answered_with_those_there_are(name, message):
    with pytest.raises(ValueError, match=message):
        choose(TABLE, name, "reduction")
