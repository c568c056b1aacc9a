"""Make the pictures of README.md and of docs: ``python docs/make_pictures.py`` (extra dev, and Chromium).

With a folder that has the files of MNIST, ``python docs/make_pictures.py folder``, MNIST's as well.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from autograd import Stepper, Value, draw, tanh
from nn import MLP, Neuron

DOCS = Path(__file__).parent
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def expression() -> Value:
    """One expression, after backward."""
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    e = a * b
    e.name = "e"
    loss = (e + c) ** 2
    loss.backward()
    return loss


def network() -> Value:
    """The network of the slide, with its loss."""
    x, y = Value(1.5, "x"), Value(1.0, "y")
    w1, w2 = Value(0.8, "w1"), Value(-0.5, "w2")
    h = tanh(w1 * x)
    o = tanh(w2 * h)
    h.name, o.name = "h", "o"
    return (o - y) ** 2


def main() -> None:
    """Write all of them."""
    draw(expression()).save(DOCS / "expression.svg")

    neuron = Neuron(3, activation="tanh", seed=4)
    x = [Value(1.0), Value(-2.0), Value(0.5)]
    out = neuron(x)
    out.backward()
    draw(out, {"x": x, "out": out}).save(DOCS / "neuron.svg")

    model = MLP(3, [4, 4, 1], activation="tanh", seed=1)
    loss = (model([Value(0.5, "x[0]"), Value(-1.0, "x[1]"), Value(2.0, "x[2]")]) - 1) ** 2
    loss.backward()
    draw(loss, model.named_parameters(), collapse=True, color="grad").save(DOCS / "mlp.svg")

    tasks = [["sin"], ["moons"], *[["mnist", "--data", folder] for folder in sys.argv[1:]]]
    for task in tasks:
        subprocess.run(["chainrule", "train", *task, "--out", str(DOCS)], check=True)

    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for name, scheme in (("stepper", "light"), ("stepper-dark", "dark")):
            page = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme=scheme)
            page.set_content(Stepper(network()).html)
            for _ in range(11):
                page.keyboard.press("ArrowRight")
            page.screenshot(path=DOCS / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
