"""How long a step takes in the stepper's page, on graphs of 5,000 nodes and more, in headless Chromium.

A step is a press of the button, a jump a move of the slider over the whole time line. Timed is all that the page does
until style and layout are computed, which the script forces; and, beside it, until the next frame is painted. Run as

    python benchmarks/stepper.py [--steps N]

Needs playwright and Chromium. The exit status is 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engines import initial, loss_of, rebuilt
from machine import described, table, verdicts
from playwright.sync_api import sync_playwright

from autograd import Value, topological_order
from autograd.stepper import Stepper

TARGET_MS = 50.0
SAMPLES = 8

# For each step and jump the ms until style and layout are computed, and until the task after the next frame.
MEASURE = """async steps => {
    const slider = document.querySelector('#slider');
    const timed = act => new Promise(done => {
        const start = performance.now();
        act();
        document.body.getBoundingClientRect();
        const computed = performance.now() - start;
        const {port1, port2} = new MessageChannel();
        port1.onmessage = () => done([computed, performance.now() - start]);
        requestAnimationFrame(() => port2.postMessage(0));
    });
    const jump = step => timed(() => {
        slider.value = step;
        slider.dispatchEvent(new Event('input'));
    });
    const last = Number(slider.max);
    const times = {steps: [], jumps: []};
    const stretches = 10;
    for (let i = 0; i < stretches; i++) {
        await jump(Math.floor(last * i / stretches));
        for (let j = 0; j < steps / stretches; j++) {
            times.steps.push(await timed(() => document.querySelector('#forward').click()));
        }
    }
    for (let i = 0; i < 10; i++) times.jumps.push(await jump(i % 2 ? 0 : last));
    return times;
}"""


def mlp() -> Value:
    """The loss of a 1-16-16-1 tanh network on 8 samples, in products and sums."""
    layers, xs, ys = initial()
    return loss_of(rebuilt(layers, Value), xs[:SAMPLES], ys[:SAMPLES], Value.tanh)


def chain() -> Value:
    """A chain of sums and products: as many layers as operations, and a long edge."""
    start = x = Value(0.5, "x")
    for i in range(1666):
        x = (x * Value(0.9, f"a{i}") + 0.1) * 0.99
    return x + start


def measured(browser: Any, path: Path, steps: int, *, collapsed: bool, zoomed_out: bool) -> tuple[Any, float]:
    """The times of a graph's page in ms, and how long it took to load."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    start = time.perf_counter()
    page.goto(path.as_uri())
    loaded = time.perf_counter() - start
    button = page.locator("#collapse")
    if collapsed != (button.text_content() == "Expand neurons"):
        button.click()
    if zoomed_out:
        page.locator("#fit").click()
    times = page.evaluate(MEASURE, steps)
    page.close()
    return times, loaded


def main() -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200)
    count = parser.parse_args().steps
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        sys.exit("Chromium is not installed")
    print(f"{described()}; {count} steps and 10 jumps each\n")
    rows, targets = [], []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for name, loss, views in (
            ("MLP", mlp(), {"collapsed": True, "expanded": False}),
            ("chain", chain(), {"expanded": False}),
        ):
            path = Path(folder) / f"{name}.html"
            Stepper(loss).save_html(path)
            nodes = len(topological_order(loss))
            size = f"{os.path.getsize(path) / 1e6:.1f} MB"
            for view, collapsed in views.items():
                for zoomed_out in (False, True):
                    times, loaded = measured(browser, path, count, collapsed=collapsed, zoomed_out=zoomed_out)
                    title = f"{name}, {view}, {'all in view' if zoomed_out else 'near'}"
                    cells = [title, f"{nodes:,}", size, f"{loaded:.2f}"]
                    for what, each in (("a step", times["steps"]), ("a jump", times["jumps"])):
                        computed, painted = zip(*each, strict=True)
                        limited = {"median": median(computed)}
                        if what == "a step":
                            limited["95th percentile"] = quantiles(computed, n=20, method="inclusive")[-1]
                        cells += [f"{ms:.1f}" for ms in (*limited.values(), max(computed), median(painted))]
                        for measure, ms in limited.items():
                            sentence = f"{title}: {what} takes under {TARGET_MS:g} ms: {measure} {ms:.1f}"
                            targets.append((sentence, ms < TARGET_MS))
                    rows.append(cells)
        browser.close()
    head = [
        "graph",
        "nodes",
        "page",
        "s to load",
        "ms a step",
        "95th",
        "worst",
        "painted",
        "ms a jump",
        "worst",
        "painted",
    ]
    print(table(head, rows) + "\n")
    return verdicts(targets)


if __name__ == "__main__":
    sys.exit(main())
