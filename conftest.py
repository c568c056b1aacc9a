"""What tests and the examples in docstrings share: the processor's cores, and a table of operations that stays."""

import os
import sys
from collections.abc import Iterator

import pytest

from autograd import OPS
from autograd.op import Number

MOST_WORKERS = 4  # each collects all tests, which takes several seconds


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many processes share a run of everything: one a core. What is named, such as a file, runs in this one."""
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    workers = min(MOST_WORKERS, os.cpu_count() or 1)
    return workers if everything and workers > 1 else 0


@pytest.fixture
def own_operations() -> Iterator[None]:
    """Operations that the test defines are forgotten after it, and so is what it says of them to the oracle."""
    before = dict(OPS)
    yield
    oracle = sys.modules.get("autograd.testing.oracle")
    for name in OPS.keys() - before.keys():
        del OPS[name]
        if name in vars(Number):
            delattr(Number, name)
        if oracle is not None:
            oracle.VALUES.pop(name, None)


@pytest.fixture(autouse=True)
def _own_operations_of_examples(request: pytest.FixtureRequest) -> None:
    if isinstance(request.node, pytest.DoctestItem):
        request.getfixturevalue("own_operations")
