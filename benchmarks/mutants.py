"""What ``mutation.py`` runs in its environment: make the mutants of a module, and try the tests on each.

A mutant lives in a process of its own, forked after all that is slow to import, and nowhere on the disk. The first test
that fails ends it; the likeliest come first. Prints a line of JSON for each mutant that survived, and then the counts.
"""

from __future__ import annotations

import ast
import contextlib
import json
import multiprocessing
import os
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any

import hypothesis
import mpmath  # noqa: F401  # imported once, not in every process
import numpy  # noqa: F401
import pytest
from mutmut import Context, RelativeMutationID, list_mutations, mutate, mutations_by_type

ROOT = Path(__file__).resolve().parent.parent
FORKING = multiprocessing.get_context("fork")
SECONDS, TIMES = 5.0, 10.0  # of a processor's time: a test may take so many, and so many times what it takes otherwise
LONGEST = 5.0  # a test that takes longer is left out
MEMORY = 4 * 2**30
KINDS = SimpleNamespace(
    mutation_types_to_apply=mutations_by_type.keys() - {"string", "fstring"}, covered_lines_by_filename=None
)


# ---- mutants -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """A module with one change; ``place`` is the function, class or row that it is in."""

    module: str
    place: str
    change: str
    code: CodeType

    def __str__(self) -> str:
        return f"{self.module}.{self.place}: {self.change}"


def mutants(module: str, only: str) -> Iterator[Mutant]:
    """The mutants of a module in places that start with ``only``, but for those in strings and in annotations."""
    path = ROOT / "autograd" / f"{module}.py"
    source = path.read_text()
    tree, original = ast.parse(source), what_runs(source)
    seen = Counter[str]()
    for mutation in list_mutations(Context(source=source, config=KINDS)):
        name = place(tree, mutation)
        if not name.startswith(only):
            continue
        mutated, _ = mutate(Context(source=source, mutation_id=mutation, config=KINDS))
        try:
            program = what_runs(mutated)
        except SyntaxError:
            continue
        if program == original:
            continue
        change = difference(source, mutated)
        seen[f"{name}{change}"] += 1
        number = seen[f"{name}{change}"]
        yield Mutant(module, name, change + f" ({number})" * (number > 1), compile(mutated, str(path), "exec"))


def what_runs(source: str) -> str:
    """A program without annotations and comments."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)


def place(tree: ast.Module, mutation: RelativeMutationID) -> str:
    """The names of the definitions around a mutation, the outermost first."""
    names: list[str] = []
    bodies: list[Any] = [tree]
    while bodies:
        for node in bodies.pop().body:
            if node.lineno - len(getattr(node, "decorator_list", ())) <= mutation.line_number + 1 <= node.end_lineno:
                targets = getattr(node, "targets", [getattr(node, "target", node)])
                name = getattr(node, "name", getattr(targets[0], "id", None))
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)) or not names:
                    names.append(name or "module")
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    bodies.append(node)
    return ".".join(names)


def difference(old: str, new: str) -> str:
    """The first line that changed, with [-what was removed-]{+and added+}."""
    pairs = zip(old.splitlines(), new.splitlines(), strict=False)
    before, after = next((x.strip(), y.strip()) for x, y in pairs if x != y)
    start = in_common(before, after)
    end = in_common(before[start:][::-1], after[start:][::-1])
    removed, added = before[start : len(before) - end], after[start : len(after) - end]
    return f"{before[:start]}[-{removed}-]{{+{added}+}}{before[len(before) - end :]}"


def in_common(x: str, y: str) -> int:
    """How many characters two strings begin with alike."""
    return next((i for i, (a, b) in enumerate(zip(x, y, strict=False)) if a != b), min(len(x), len(y)))


# ---- tests ---------------------------------------------------------------------------------------------------------


class Instead(SourceFileLoader):
    """Finds and loads a mutant in place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(f"autograd.{mutant.module}", str(ROOT / "autograd" / f"{mutant.module}.py"))
        self.mutant = mutant

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """For the import system."""
        return spec_from_file_location(name, loader=self) if name == self.name else None

    def get_code(self, fullname: str) -> CodeType:
        """For the import system."""
        return self.mutant.code


class Likeliest:
    """A pytest plugin: the tests first that are likeliest to kill, each within its time."""

    def __init__(
        self, place: str, seconds: dict[str, float], kills: Counter[tuple[str, str]], answer: Connection
    ) -> None:
        self.place, self.seconds, self.kills, self.answer = place, seconds, kills, answer

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """First those that killed a mutant there, those of the mutated row, those that killed elsewhere, quick ones.

        Left out are slow tests, and tests of other rows than the mutated one.
        """
        rows = import_module("autograd").OPS.keys()
        row = re.compile(rf"\b{re.escape(self.place)}\b")
        items[:] = [item for item in items if self.seconds.get(item.nodeid, 0.0) <= LONGEST]
        if self.place in rows:
            tested = [set(re.findall(r"\w+", item.name.partition("[")[2])) & rows for item in items]
            items[:] = [item for item, names in zip(items, tested, strict=True) if not names or self.place in names]
        items.sort(
            key=lambda item: (
                -self.kills[self.place, item.nodeid],
                not row.search(item.name),
                -self.kills["", item.nodeid],
                self.seconds.get(item.nodeid, 0.0),
            )
        )

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Start the clock; it ends the process."""
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS + TIMES * self.seconds.get(item.nodeid, 0.0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Say which test it was that killed."""
        if report.failed:
            self.answer.send(report.nodeid)


class Stopwatch:
    """A pytest plugin: how long each test takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Of the processor's time."""
        start = time.process_time()
        try:
            return (yield)  # type: ignore[misc]
        finally:
            self.seconds[item.nodeid] = time.process_time() - start


def load(mutant: Mutant) -> None:
    """Import a mutant, before pytest finds the original."""
    sys.meta_path.insert(0, Instead(mutant))
    import_module(f"autograd.{mutant.module}")


def run(tests: list[str], *plugins: object) -> int:
    """Pytest's exit status."""
    options = ["-x", "-q", "--tb=line", "-pno:cacheprovider", "--hypothesis-profile=mutation"]
    options += ["-Wignore::pytest.PytestAssertRewriteWarning"]  # hypothesis is imported already
    return int(pytest.main([*options, *tests], plugins=list(plugins)))


def timed(module: str, tests: list[str], answer: Connection) -> None:
    """Run the tests on the module as it is, loaded as a mutant is, and send how long each took."""
    stopwatch = Stopwatch()
    path = ROOT / "autograd" / f"{module}.py"
    load(Mutant(module, "module", "", compile(path.read_text(), str(path), "exec")))
    status = run(tests, stopwatch)
    answer.send(stopwatch.seconds if status == 0 else None)


def judged(mutant: Mutant, tests: list[str], likeliest: Likeliest) -> None:
    """Run the tests on a mutant; the process ends with status 0 if it survives."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * SECONDS)
    load(mutant)
    os._exit(run(tests, likeliest))


def baseline(module: str, tests: list[str]) -> dict[str, float]:
    """How long each test takes on the module as it is, of a processor's time."""
    answer, sender = FORKING.Pipe(duplex=False)
    process = FORKING.Process(target=timed, args=(module, tests, sender))
    process.start()
    sender.close()
    seconds: dict[str, float] | None = answer.recv()
    process.join()
    if seconds is None:
        sys.exit("the tests fail as they are")
    return seconds


def main() -> None:
    """``mutants.py MODULE ONLY JOBS TEST...``."""
    module, only, jobs, *tests = sys.argv[1:]
    hypothesis.settings.register_profile(
        "mutation",
        max_examples=40,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # a failure is enough; it need not be small
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    start = time.monotonic()
    seconds = baseline(module, tests)
    waiting = mutants(module, only)
    mutant = next(waiting, None)
    counts, kills = Counter[str](), Counter[tuple[str, str]]()
    running: dict[Any, tuple[Mutant, Any, Connection]] = {}
    while mutant or running:
        while mutant and len(running) < int(jobs):
            answer, sender = FORKING.Pipe(duplex=False)
            process = FORKING.Process(
                target=judged, args=(mutant, tests, Likeliest(mutant.place, seconds, kills, sender))
            )
            process.start()
            sender.close()
            running[process.sentinel] = mutant, process, answer
            mutant = next(waiting, None)
        for sentinel in wait(list(running)):
            tried, process, answer = running.pop(sentinel)
            process.join()
            with contextlib.suppress(EOFError):  # it may have ended without a word
                test = answer.recv()
                kills.update([("", test), (tried.place, test)])
            answer.close()
            survived = process.exitcode == 0
            if survived:
                print(json.dumps({"survived": str(tried)}, ensure_ascii=False), flush=True)
            counts["survived" if survived else "out of time" if process.exitcode < 0 else "killed"] += 1
    print(json.dumps({"counts": counts, "seconds": time.monotonic() - start}), flush=True)


if __name__ == "__main__":
    main()
