"""The stepper's page, as a plain file in a real browser with the network off."""

from __future__ import annotations

import base64
import html
import json
import math
import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any

import pytest
from browser import watched
from graphs import recipes
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Value, hypot, log, logsumexp, operation, tanh, where
from autograd.draw import Diagram
from autograd.names import names_of
from autograd.notation import digits
from autograd.stepper import Stepper
from autograd.steps import forward_steps, steps
from autograd.value import topological_order


def error_of_a_neuron() -> Value:
    """(tanh(w1 * x1 + w2 * x2 + b) - y) ** 2."""
    numbers = {"x1": 2.0, "x2": 0.5, "w1": -3.0, "w2": 1.0, "b": 6.0, "y": 1.0}
    x1, x2, w1, w2, b, y = [Value(x, name) for name, x in numbers.items()]
    h = w1 * x1 + w2 * x2 + b
    h.name = "h"
    return (tanh(h) - y) ** 2


def opened(page: Any, folder: Path, loss: Value, names: Any = None, **settings: Any) -> Any:
    """The page of ``loss`` in a browser of 1280 × 800 pixels."""
    path = folder / "page.html"
    Stepper(loss, names).save_html(path)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(**settings)
    page.goto(path.as_uri())
    return page


def step_of(page: Any) -> int:
    return int(page.locator("#slider").input_value())


def go_to(page: Any, step: int) -> None:
    page.locator("#slider").evaluate(
        "(slider, step) => { slider.value = step; slider.dispatchEvent(new Event('input')); }", step
    )


def shown(page: Any, name: str) -> dict[str, str]:
    """The data and grad of a node to all digits, as the page shows them where it is selected."""
    page.locator("#search").fill(name)
    page.locator("#search").press("Enter")
    assert page.locator("#node-title .name").text_content() == name
    data, grad = page.locator("#node dd").all_text_contents()
    return {"data": data, "grad": grad}


def enter(field: Any, text: str) -> None:
    field.fill(text)
    field.press("Enter")


def count(loss: Value) -> tuple[int, int]:
    """How many forward steps there are, and how many steps in all: the seed is one, too."""
    forward = len([*forward_steps(loss)])
    return forward, forward + 1 + len([*steps(loss)])


# ---- the numbers -----------------------------------------------------------------------------------------------------

ENGINE = (resources.files("autograd.stepper") / "engine.js").read_text(encoding="utf-8")
DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)
TEXT = "x => x === undefined ? null : repr(x)"


def engine(page: Any, loss: Value, edited: dict[str, float] | None = None) -> dict[str, Any]:
    """What the page computes for the graph of ``loss``, with other numbers in some leaves, to all digits."""
    page_text = Stepper(loss).html
    script = page_text[page_text.rindex("<script>") : page_text.rindex("</script>")]
    operations = script[script.index("'use strict';") + len("'use strict';") : script.index(ENGINE)]
    result = page.evaluate(
        f"""([data, edited]) => {{ {operations} {ENGINE}
            const text = {TEXT};
            const graph = readGraph(JSON.parse(data));
            const changes = new Map(graph.nodes.filter(x => x.name in edited).map(x => [x.index, edited[x.name]]));
            const numbers = recompute(graph, changes, operations);
            const timeline = makeTimeline(graph, numbers);
            const name = index => graph.nodes[index].name;
            return {{
                data: graph.nodes.map(x => [x.name, text(numbers.data[x.index])]),
                grads: graph.nodes.map(x => [x.name, text(gradientAt(timeline, x.index, timeline.steps.length))]),
                forward: timeline.steps.slice(1, timeline.forward + 1).map(x => [x.kind, name(x.node)]),
                seed: timeline.steps[timeline.forward + 1].kind,
                backward: timeline.steps.slice(timeline.forward + 2).map(x => [
                    name(x.node), name(x.input), x.place,
                    ...[x.local, x.upstream, x.contribution, x.before ?? 0, x.after].map(text)]),
            }};
        }}""",
        [DATA.search(page_text)[1], edited or {}],
    )
    return dict(result)


@given(recipe=recipes())
def test_the_steps_are_those_of_autograd_steps_to_the_bit(page: Any, recipe: Any) -> None:
    loss = recipe.output(*recipe.values())
    found = engine(page, loss)
    names = names_of(loss)
    assert found["forward"] == [["forward", step.name] for step in forward_steps(loss)]
    assert found["seed"] == "seed"
    assert found["backward"] == [
        [step.node_name, step.input_name, step.place]
        + [repr(x) for x in (step.local, step.upstream, step.contribution, step.before, step.after)]
        for step in steps(loss)
    ]
    loss.backward()
    assert found["data"] == [[name, repr(node.data)] for node, name in names.items()]
    assert found["grads"] == [[name, repr(node.grad) if node.has_grad else None] for node, name in names.items()]


@given(recipe=recipes(), data=st.data())
def test_edited_leaves_give_the_numbers_of_python(page: Any, recipe: Any, data: Any) -> None:
    loss = recipe.output(*recipe.values())
    used = [leaf for leaf in topological_order(loss) if leaf.op is None]
    changes = {leaf.name: leaf.data + data.draw(st.sampled_from([-0.25, 0.0, 0.125])) for leaf in used}
    try:
        again = recipe.output(*[Value(changes.get(x.name, x.data), x.name) for x in recipe.values()])
    except (ArithmeticError, ValueError) as error:
        with pytest.raises(Exception, match=re.escape(str(error).partition(": ")[2])):
            engine(page, loss, changes)
        return
    again.backward()
    found = engine(page, loss, changes)
    # Rounding differs by the functions of the two languages; what they are summed into may be smaller than the terms.
    largest = max(
        [1.0, *[abs(step.contribution) for step in steps(again)], *[abs(x.data) for x in topological_order(again)]]
    )
    for node, (_, number), (_, grad) in zip(topological_order(again), found["data"], found["grads"], strict=True):
        assert float(number) == pytest.approx(node.data, rel=1e-12, abs=1e-12 * largest, nan_ok=True)
        assert (grad is not None) == node.has_grad
        assert float(grad or 0) == pytest.approx(node.grad, rel=1e-12, abs=1e-12 * largest, nan_ok=True)


@given(x=st.floats())
def test_numbers_are_spelled_as_in_python(page: Any, x: float) -> None:
    written = json.dumps(x) if math.isfinite(x) else repr(x).replace("inf", "Infinity").replace("nan", "NaN")
    assert page.evaluate(f"() => {{ {ENGINE} return repr({written}); }}") == repr(x)


FORMULAS = (resources.files("autograd.stepper") / "formulas.js").read_text(encoding="utf-8")


def test_six_digits_are_those_of_python(page: Any) -> None:
    numbers = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308]
    for power in range(-12, 13):
        near = (1.0, 1.5, 9.99999, 9.999994, 9.999995, 9.999996, 1.234565, 1.234575, 2 / 3)
        numbers += [sign * x * 10.0**power for x in near for sign in (1, -1)]
    numbers += [n + 0.5 for n in range(100_000, 100_020)]  # exactly between two: Python takes the even one
    numbers += [n / 2**k for n in range(1_234_501, 1_234_600) for k in range(-3, 12)]
    random = Random(1)
    numbers += [random.gauss(0, 1) * 10.0 ** random.randint(-300, 300) for _ in range(3000)]
    shown = page.evaluate(f"numbers => {{ {FORMULAS} return numbers.map(digits); }}", numbers)
    assert shown == [digits(x).replace("-", "−") for x in numbers]


# ---- stepping --------------------------------------------------------------------------------------------------------


def test_buttons_keys_and_slider_step_through_both_passes(page: Any, tmp_path: Path) -> None:
    loss = error_of_a_neuron()
    forward, last = count(loss)
    opened(page, tmp_path, loss)
    assert page.locator("#count").text_content() == f"step 0 of {last}"
    moves = {"#forward": 1, "#last": last, "#back": last - 1, "#first": 0}
    for button, step in moves.items():
        page.locator(button).click()
        assert step_of(page) == step
    page.locator("h1").click()
    for key, step in {"ArrowRight": 1, "End": last, "ArrowLeft": last - 1, "Home": 0}.items():
        page.keyboard.press(key)
        assert step_of(page) == step
    page.locator("#slider").focus()
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 1
    go_to(page, forward)
    assert page.locator("#step .pass").text_content() == "Forward"
    page.locator("#forward").click()
    assert page.locator("#step .pass").text_content() == "Backward"


def test_a_leaf_alone_has_one_step(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, Value(2.0, "x"))
    page.locator("#last").click()
    assert page.locator("#count").text_content() == "step 1 of 1"
    page.locator("#first").click()
    assert "there is no operation" in page.locator("#step").text_content()
    page.locator("#last").click()
    assert shown(page, "x") == {"data": "2.0", "grad": "1.0"}


def test_play_runs_to_the_end_and_space_pauses_it(browser: Any, tmp_path: Path) -> None:
    loss = error_of_a_neuron()
    _, last = count(loss)
    with browser.new_context(offline=True) as own, watched(own) as page:  # a clock is stopped in all of a context
        page.clock.install(time=0)
        opened(page, tmp_path, loss)
        page.clock.pause_at(60_000)  # from now on time passes only as it is told
        page.locator("#speed").select_option("2")
        page.locator("#play").click()
        page.clock.run_for(1000)
        assert step_of(page) == 2
        assert page.locator("#play").get_attribute("aria-label") == "Pause"
        page.locator("h1").click()
        page.keyboard.press("Space")
        page.clock.run_for(5000)
        assert step_of(page) == 2
        page.keyboard.press("Space")
        page.clock.run_for(500 * last)
        assert step_of(page) == last
        assert page.locator("#play").get_attribute("aria-label") == "Play"


def test_every_step_shows_its_numbers(page: Any, tmp_path: Path) -> None:
    loss = error_of_a_neuron()
    opened(page, tmp_path, loss)
    grads = dict.fromkeys(names_of(loss), "no gradient yet")
    sequence = [(step.node, step.data, None) for step in forward_steps(loss)] + [(loss, None, 1.0)]
    sequence += [(step.input, None, step.after) for step in steps(loss)]
    names = names_of(loss)
    for number, (node, data, grad) in enumerate(sequence, 1):
        page.locator("#forward").click()
        assert step_of(page) == number
        if grad is not None:
            grads[node] = repr(grad)
        expected = {"data": repr(node.data), "grad": grads[node]}
        assert shown(page, names[node]) == expected
        assert data is None or page.locator("#step .result").count() == 1
    loss.backward()
    for node, name in names.items():
        assert shown(page, name) == {"data": repr(node.data), "grad": repr(node.grad)}
    page.locator("#first").click()
    assert shown(page, names[loss]) == {"data": "not computed yet", "grad": "no gradient yet"}


def test_the_formula_panel_spells_out_the_chain_rule(page: Any, tmp_path: Path) -> None:
    a, b = Value(3.0, "a"), Value(-2.0, "b")
    loss = a * b + a
    opened(page, tmp_path, loss)
    go_to(page, 1)
    assert [x.replace(" ", "") for x in page.locator("#step .formula").all_text_contents()[:2]] == [
        "v1=a·b",
        "v1=3·(−2)=−6",
    ]
    go_to(page, count(loss)[1])
    chain, local, contribution, total = page.locator("#step .formula").all_text_contents()
    assert chain == "∂L∂a+=∂L∂v1·∂v1∂a"
    assert local == "∂v1∂a=b=−2"
    assert contribution == "∂L∂v1·∂v1∂a=1·(−2)=−2"
    assert total == "∂L∂a=1+(−2)=−1"
    why = page.locator("#step .why").first.text_content()
    assert (
        why
        == "The only use of v1 is done, so its gradient is complete and flows on. The gradient of a is now complete."
    )


def test_no_formula_is_shown_that_is_not_defined_at_its_numbers(page: Any, tmp_path: Path) -> None:
    x, y = Value(3.0, "x"), Value(4.0, "y")
    loss = hypot(x, y)
    opened(page, tmp_path, loss)
    local = page.locator("#step h3", has_text="Local derivative")
    go_to(page, count(loss)[1])
    assert local.text_content() == "Local derivative"
    assert page.locator("#step .formula").nth(1).text_content() == "∂(hypot(x,y))∂x=xhypot(x,y)=3hypot(3,4)=0.6"
    for name in ("x", "y"):
        page.locator("#leaves").get_by_label(f"Value of {name}").fill("0")
        page.keyboard.press("Enter")
    assert local.text_content() == "Local derivative, by convention"
    assert page.locator("#step .formula").nth(1).text_content() == "∂(hypot(x,y))∂x=0"


def test_a_forward_step_says_what_it_waited_for(page: Any, tmp_path: Path) -> None:
    x = Value(2.0, "x")
    opened(page, tmp_path, (x.sin() + x.cos()) * x)
    go_to(page, 3)
    assert page.locator("#step .why").text_content() == "v1 and v2 have a number, so v3 can be computed."
    opened(page, tmp_path, where(x > 1, x.sin(), x.cos()))
    go_to(page, 4)
    assert page.locator("#step .why").text_content() == "v1, v2 and v3 have a number, so L can be computed."


def test_active_visited_and_coming_parts_differ_by_more_than_colour(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, error_of_a_neuron())
    look = """box => {
        const {strokeWidth, strokeDasharray} = getComputedStyle(box.querySelector('rect'));
        return strokeWidth + ' ' + strokeDasharray;
    }"""
    go_to(page, count(error_of_a_neuron())[0] + 3)
    kinds = [".box.now", ".box.source", ".box.complete:not(.now, .source)", ".box.computed"]
    looks = {page.locator(kind).first.evaluate(look) for kind in kinds}
    go_to(page, 0)
    looks.add(page.locator(".box.waiting").first.evaluate(look))
    assert len(looks) == 5
    assert page.locator(".box.complete").count() == 0


# ---- nodes -----------------------------------------------------------------------------------------------------------


def test_a_node_tells_its_history_and_leads_to_it(page: Any, tmp_path: Path) -> None:
    a, b = Value(3.0, "a"), Value(-2.0, "b")
    loss = a * b + a
    forward, last = count(loss)
    opened(page, tmp_path, loss)
    page.locator(".box", has_text="a").first.click()
    assert page.locator("#node-title .name").text_content() == "a"
    entries = page.locator("#node .history .what").all_text_contents()
    assert entries == ["none → 1", "1 → −1"]
    assert page.locator("#node h3").all_text_contents() == ["2 contributions to its gradient"]
    assert page.locator("#node .history .at").all_text_contents() == ["step 4", f"step {last}"]
    page.locator("#node .history button").nth(1).click()
    assert step_of(page) == last
    assert page.locator("#node .history [aria-current=step]").count() == 1
    page.locator("#node").get_by_label("Close").click()
    assert page.locator("#node").is_hidden()
    assert forward == 2


def test_escape_closes_a_node_and_gives_the_focus_back(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, error_of_a_neuron())
    box = page.locator(".box").nth(1)
    box.click()
    page.locator("#node input").fill("77")
    page.keyboard.press("Escape")
    assert page.locator("#node").is_hidden()
    assert box.evaluate("box => box === document.activeElement")
    assert page.locator("#reset").is_hidden()  # a number that was being typed is given up
    assert shown(page, "h")["data"] == "not computed yet"
    page.locator("#node").get_by_label("Close").click()
    assert page.locator("#search").evaluate("field => field === document.activeElement")


def test_closing_a_node_leaves_a_focus_elsewhere_alone_and_one_within_goes_to_the_node_at_least(
    page: Any, tmp_path: Path
) -> None:
    neuron = tanh(Value(2.0, "w1") * Value(0.5, "x1") + Value(-1.0, "w2") * Value(3.0, "x2") + Value(0.1, "b"))
    opened(page, tmp_path, neuron * 2)
    page.locator(".box").nth(2).click()
    page.locator("#last").click()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")
    page.locator(".box").last.click()
    page.locator("#collapse").click()  # which draws all boxes anew
    page.locator("#node").get_by_label("Close").press("Enter")
    assert page.locator(".box").last.evaluate("box => box === document.activeElement")


def test_a_long_name_is_whole_in_the_panel_and_keeps_its_end_elsewhere(page: Any, tmp_path: Path) -> None:
    name = "model.layers.2.weight[0][0]"
    opened(page, tmp_path, Value(2.0, name) * 3)
    page.locator("#last").click()
    page.locator(".box.leaf").click()
    for element in ("#step-title .name", "#node-title .name", "#node .leaf .name", "#leaves .leaf .name"):
        shown = page.locator(element).last
        assert shown.text_content() == shown.get_attribute("title") == name
        parts = shown.evaluate("name => name.innerHTML").split("<wbr>")
        assert [part for part in parts if part] == ["model.", "layers.", "2.", "weight", "[0]", "[0]"]
    assert page.locator(".box.leaf .name").text_content() == "…2.weight[0][0]"
    assert "∂…2.weight[0][0]" in page.locator("#step .formula").first.text_content()
    shorten = f"names => {{ {FORMULAS} return names.map(name => shortenName(name, 8)); }}"
    assert page.evaluate(shorten, ["12345678", "123456789", "a.23456789", "abc.e.789", "abcdefgh.", "a.bcd.efgh"]) == [
        "12345678",
        "…3456789",
        "…3456789",
        "…e.789",
        "…cdefgh.",
        "…efgh",
    ]


def test_a_contribution_in_the_history_is_on_one_line(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, Value(1.0, "x") * -0.0359931)
    page.set_viewport_size({"width": 640, "height": 800})
    page.locator("#last").click()
    page.locator(".box.leaf").click()
    what = page.locator("#node .history .what")
    assert what.text_content() == "none → −0.0359931"
    assert what.bounding_box()["height"] < 24


def test_hover_shows_all_digits(page: Any, tmp_path: Path) -> None:
    loss = Value(1 / 3, "third") * 2
    opened(page, tmp_path, loss)
    page.locator(".box.leaf").hover()
    assert repr(1 / 3) in page.locator("#tip").text_content()
    page.locator("h1").hover()
    assert page.locator("#tip").is_hidden()


def test_search_marks_what_it_finds_and_enter_goes_on(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, error_of_a_neuron())
    page.locator("#search").fill("w")
    assert page.locator("#found").text_content() == "2 found"
    assert page.locator(".box.found").count() == 2
    for place, name in ((1, "w1"), (2, "w2"), (1, "w1")):
        page.locator("#search").press("Enter")
        assert page.locator("#found").text_content() == f"{place} of 2"
        assert page.locator("#node-title .name").text_content() == name
    page.locator("#collapse").click()
    page.locator("#collapse").click()
    assert page.locator(".box.found").count() == 2
    page.locator("#search").fill("nothing of this name")
    assert page.locator("#found").text_content() == "0 found"
    assert page.locator(".box.found").count() == 0


def mlp() -> tuple[Value, nn.MLP]:
    model = nn.MLP(2, [3, 1], activation="tanh", seed=1)
    return (model([1.0, Value(-2.0, "x")]) - 0.5) ** 2, model


def test_neurons_collapse_and_expand(page: Any, tmp_path: Path) -> None:
    loss, model = mlp()
    opened(page, tmp_path, loss, model.named_parameters())
    nodes = len(topological_order(loss))
    page.locator("#fit").click()  # only what is in view is in the document
    assert page.locator(".box").count() == nodes
    page.locator("#collapse").click()
    assert page.locator(".box.neuron").count() == 4
    assert page.locator(".box").count() == 4 + 3  # and x, the difference and its square
    page.locator(".box.neuron").first.dblclick()
    assert page.locator(".box.neuron").count() == 3
    page.locator(".box.neuron").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".box.neuron").count() == 2
    page.locator("#collapse").click()
    page.locator("#fit").click()
    assert page.locator(".box").count() == nodes
    page.locator("#collapse").click()
    go_to(page, 1)  # the first operation is inside a neuron
    assert page.locator(".box.neuron.now").count() == 1


def test_a_neuron_is_complete_when_its_parameters_are(page: Any, tmp_path: Path) -> None:
    loss, model = mlp()
    opened(page, tmp_path, loss, model.named_parameters())
    page.locator("#collapse").click()
    page.locator("#fit").click()
    forward, last = count(loss)
    inputs = [step.input_name for step in steps(loss, model.named_parameters())]
    output = page.locator(".box.neuron").last
    complete = forward + 2 + max(i for i, name in enumerate(inputs) if name.startswith("layers.1"))
    assert complete < last
    go_to(page, complete - 1)
    assert output.locator(".number.gradient").text_content() != "no gradient yet"
    assert "partial" in output.get_attribute("class")
    assert output.locator(".mark").text_content() == "+"
    go_to(page, complete)
    assert "complete" in output.get_attribute("class")
    assert output.locator(".mark").text_content() == "✓"


def test_from_afar_there_are_names_and_then_spots(page: Any, tmp_path: Path) -> None:
    loss, model = mlp()
    opened(page, tmp_path, loss, model.named_parameters())
    go_to(page, 3)
    page.locator("#search").fill("bias")
    page.locator("#fit").click()
    box = page.locator(".box", has_text="bias[0]").first
    spots = page.locator(".spot.now, .spot.found")
    while box.bounding_box()["width"] > 134 * 0.6:
        page.locator("#farther").click()
    assert box.locator(".title").is_visible()
    assert not box.locator(".name").is_visible()
    assert box.locator(".title").bounding_box()["width"] < box.bounding_box()["width"]
    assert not any(spot.is_visible() for spot in spots.all())
    while box.bounding_box()["width"] > 134 * 0.27:
        page.locator("#farther").click()
    assert not box.locator(".title").is_visible()
    for spot, kind, count in (("found", "found", 4), ("now", "now", 1)):
        path = page.locator(f".spot.{spot}").first
        assert path.evaluate("path => getComputedStyle(path).display") == "inline"
        assert len(re.findall("M", path.get_attribute("d"))) == page.locator(f".box.{kind}").count() == count


def test_every_box_in_view_is_spelled_out_for_screen_readers(page: Any, tmp_path: Path) -> None:
    loss = error_of_a_neuron()
    opened(page, tmp_path, loss)
    page.locator("#last").click()
    page.locator("#fit").click()
    loss.backward()
    wanted = [
        f"{name}, {node.op.name if node.op else 'leaf'}, data {digits(node.data)}, gradient {digits(node.grad)}"
        for node, name in names_of(loss).items()
    ]
    labels = page.locator(".box").evaluate_all("boxes => boxes.map(box => box.getAttribute('aria-label'))")
    assert labels == [label.replace("-", "−") for label in wanted]


def test_large_graphs_begin_collapsed(page: Any, tmp_path: Path) -> None:
    model = nn.MLP(4, [12, 12, 1], activation="tanh", seed=1)
    opened(page, tmp_path, model([1.0, 2.0, 3.0, Value(4.0, "x")]))
    assert page.locator("#collapse").text_content() == "Expand neurons"
    page.locator("#fit").click()
    assert page.locator(".box.neuron").count() == 25


def test_the_active_node_stays_in_view(page: Any, tmp_path: Path) -> None:
    x = Value(0.5, "x")
    for _ in range(60):
        x = x.sin()
    opened(page, tmp_path, x)
    around = page.locator("#graph").bounding_box()
    for step in (1, 30, 60, 61, 90, 121):
        go_to(page, step)
        box = page.locator(".box.now").bounding_box()
        assert around["x"] <= box["x"]
        assert box["x"] + box["width"] <= around["x"] + around["width"]


def test_zoom_pan_and_fit(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, error_of_a_neuron())
    box = page.locator(".box").first
    width = lambda: box.bounding_box()["width"]  # noqa: E731
    page.locator("#fit").click()
    fitted = box.bounding_box()
    page.locator("#closer").click()
    assert width() > fitted["width"]
    page.locator("#farther").click()
    page.locator("#fit").click()
    assert box.bounding_box() == fitted
    page.mouse.move(400, 120)
    page.mouse.wheel(0, -200)
    page.wait_for_function(
        "width => document.querySelector('.box').getBoundingClientRect().width > width", arg=fitted["width"]
    )
    page.locator("#fit").click()
    page.mouse.move(400, 120)
    page.mouse.down()
    page.mouse.move(450, 150, steps=3)
    page.mouse.up()
    assert box.bounding_box()["x"] == pytest.approx(fitted["x"] + 50, abs=1)
    assert page.locator("#node").is_hidden()  # a drag is no click


# ---- editing ---------------------------------------------------------------------------------------------------------


def test_an_edited_leaf_gives_the_numbers_of_python(page: Any, tmp_path: Path) -> None:
    loss = error_of_a_neuron()
    opened(page, tmp_path, loss)
    page.locator("#last").click()
    page.get_by_label("Value of w1").first.fill("-2.9")
    page.keyboard.press("Enter")
    leaves = {leaf.name: leaf for leaf in topological_order(loss) if leaf.op is None}
    leaves["w1"].data = -2.9
    x1, x2, w1, w2, b, y = [leaves[name] for name in ("x1", "x2", "w1", "w2", "b", "y")]
    again = (tanh(w1 * x1 + w2 * x2 + b) - y) ** 2
    again.backward()
    for name, leaf in leaves.items():
        assert float(shown(page, name)["grad"]) == pytest.approx(leaf.grad, rel=1e-12)
    assert float(shown(page, "L")["data"]) == pytest.approx(again.data, rel=1e-12)
    page.locator("#reset").click()
    loss.backward()
    assert shown(page, "L")["data"] == repr(loss.data)
    assert page.locator("#reset").is_hidden()


def described(field: Any) -> Any:
    """The error beside a field."""
    return field.page.locator(f"#{field.get_attribute('aria-describedby')}")


@pytest.mark.parametrize(
    ("function", "number", "message"),
    [
        (log, "-1", "log(x=-1.0): not defined there"),
        (lambda x: 1 / x, "0", "div(1.0, x=0.0): not defined there (division by zero)"),
        (lambda x: x.exp(), "1000", "exp(x=1000.0): the result is too large for a float (more than 1.8e308)"),
    ],
)
def test_an_undefined_edit_is_named_and_changes_nothing(
    page: Any, tmp_path: Path, function: Any, number: str, message: str
) -> None:
    x = Value(2.0, "x")
    loss = function(x) * 3
    with pytest.raises((ValueError, ArithmeticError), match=re.escape(message)):
        function(Value(float(number), "x"))
    opened(page, tmp_path, loss)
    page.locator("#last").click()
    before = shown(page, "L")
    field = page.locator("#leaves").get_by_label("Value of x")
    enter(field, number)
    assert described(field).text_content().startswith(message)
    assert shown(page, "L") == before
    enter(field, "2.5")
    assert described(field).is_hidden()
    assert shown(page, "L")["data"] == repr(float(function(Value(2.5)) * 3))


def test_a_leaf_before_an_operation_that_the_page_does_not_know_is_locked(
    page: Any, tmp_path: Path, own_operations: None
) -> None:
    table = {2.0: 5.0}
    looked_up = operation("looked_up", lambda x: table[x], lambda x, out: 1.0)
    x, y = Value(2.0, "x"), Value(1.0, "y")
    opened(page, tmp_path, looked_up(x) * y)
    assert page.locator("#leaves").get_by_label("Value of x").is_disabled()
    assert "looked_up cannot be computed here" in page.locator("#leaves .list").text_content()
    field = page.locator("#leaves").get_by_label("Value of y")
    enter(field, "3")
    page.locator("#last").click()
    assert shown(page, "L") == {"data": "15.0", "grad": "1.0"}


def test_a_number_that_is_being_typed_survives_steps(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, error_of_a_neuron())
    page.locator(".box.leaf").first.click()
    field = page.locator("#node [data-leaf]")
    field.fill("77")
    page.locator("#forward").evaluate("button => button.click()")  # as when it plays: the focus stays
    assert step_of(page) == 1
    page.keyboard.press("Enter")
    assert page.locator("#node dd").first.text_content() == "77.0"
    assert field.evaluate("field => field === document.activeElement")


def test_an_error_stands_beside_the_field_that_it_is_about(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, log(Value(2.0, "x")))
    page.locator(".box.leaf").first.click()
    near, far = page.locator("#node [data-leaf]"), page.locator("#leaves [data-leaf]")
    enter(near, "-1")
    for field in (near, far):  # both are about x
        assert described(field).is_visible()
        assert field.get_attribute("aria-invalid") == "true"
        assert field.input_value() == "-1"
    assert page.locator("[aria-live=polite]").text_content() == "log(x=-1.0): not defined there"
    enter(far, "3")
    for field in (near, far):
        assert described(field).is_hidden()
        assert field.get_attribute("aria-invalid") == "false"
        assert field.input_value() == "3.0"


def test_another_branch_after_an_edit_gets_its_formula(page: Any, tmp_path: Path) -> None:
    x, y = Value(1.0, "x"), Value(2.0, "y")
    opened(page, tmp_path, where(x > 0, x * 3, y * 5))
    field = page.locator("#leaves").get_by_label("Value of x")
    enter(field, "-1")
    page.locator("#last").click()
    assert shown(page, "y") == {"data": "2.0", "grad": "5.0"}


def test_after_the_last_step_what_has_no_gradient_will_have_none(page: Any, tmp_path: Path) -> None:
    x, y = Value(1.0, "x"), Value(2.0, "y")
    loss = where(x > 0, x * 3, y * 5)
    opened(page, tmp_path, loss)
    box = page.locator(".box[aria-label^='y, leaf']")
    for step, says in ((count(loss)[1], "no gradient"), (count(loss)[1] - 1, "no gradient yet")):
        go_to(page, step)
        assert box.locator(".number.gradient").text_content() == says
        assert box.get_attribute("aria-label") == f"y, leaf, data 2, {says}"
        assert shown(page, "y")["grad"] == says


# ---- what may be typed -----------------------------------------------------------------------------------------------


def read(page: Any, texts: list[str]) -> list[str | None]:
    """The numbers that the page reads from texts, to all digits; None where it finds none."""
    return list(page.evaluate(f"texts => {{ {ENGINE} return texts.map(readNumber).map({TEXT}); }}", texts))


@given(x=st.floats())
def test_every_number_can_be_typed_as_the_page_prints_it(page: Any, x: float) -> None:
    rounded = float(digits(x).replace("∞", "inf"))
    texts = [repr(x), repr(x).replace("-", "−"), f" {repr(x).replace('inf', '∞')} ", digits(x).replace("-", "−")]
    assert read(page, texts) == [repr(x)] * 3 + [repr(rounded)]


def test_what_is_no_decimal_number_is_not_read(page: Any) -> None:
    texts = {"+1.5": "1.5", ".5": "0.5", "-5.": "-5.0", "1E3": "1000.0", "+inf": "inf", "−∞": "-inf", "1e-400": "0.0"}
    assert read(page, [*texts]) == [*texts.values()]
    wrong = [
        "",
        " ",
        "1/2",
        "3,5",
        "0x10",
        "1_000",
        "1 000",
        "1e400",
        "1e",
        ".",
        "--1",
        "Infinity",
        "NaN",
        "constructor",
    ]
    assert read(page, wrong) == [None] * len(wrong)


def test_a_text_that_is_no_number_stays_with_a_message_and_changes_nothing(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, Value(math.nan, "x") * 2)
    field = page.locator("#leaves").get_by_label("Value of x")
    assert field.input_value() == "nan"
    for text in ("1/2", ""):
        enter(field, text)
        assert field.input_value() == text
        assert described(field).text_content().startswith("x needs a number. The page still shows")
        assert page.locator("#reset").is_visible()
    enter(field, "−1.2")
    assert described(field).is_hidden()
    page.locator("#last").click()
    assert shown(page, "L")["data"] == "-2.4"


def test_what_was_refused_is_tried_again_with_the_next_edit(page: Any, tmp_path: Path) -> None:
    x, y = Value(4.0, "x"), Value(0.5, "y")
    opened(page, tmp_path, log(x**y))
    page.locator("#last").click()
    first, second = [page.locator("#leaves").get_by_label(f"Value of {name}") for name in "xy"]
    enter(first, "-2")
    assert described(first).is_visible()
    enter(second, "2")
    assert described(first).is_hidden()
    assert [first.input_value(), second.input_value()] == ["-2.0", "2.0"]
    assert shown(page, "L")["data"] == repr(math.log(4.0))


def test_what_is_no_number_keeps_no_other_leaf_from_being_edited(page: Any, tmp_path: Path) -> None:
    x, y = Value(1.0, "x"), Value(4.0, "y")
    opened(page, tmp_path, log(x) + y.sqrt())
    page.locator("#last").click()
    first, second = [page.locator("#leaves").get_by_label(f"Value of {name}") for name in "xy"]
    enter(first, "abc")
    enter(second, "9")
    assert shown(page, "L")["data"] == "3.0"
    assert first.input_value() == "abc"
    assert "x needs a number" in described(first).text_content()
    assert described(second).is_hidden()


def test_what_was_refused_stays_until_it_is_corrected(page: Any, tmp_path: Path) -> None:
    x, y = Value(1.0, "x"), Value(4.0, "y")
    opened(page, tmp_path, log(x) + y.sqrt())
    page.locator("#last").click()
    before = shown(page, "L")
    first, second = [page.locator("#leaves").get_by_label(f"Value of {name}") for name in "xy"]
    enter(first, "-1")
    message = described(first).text_content()
    enter(second, "9")
    assert shown(page, "L") == before
    for field, text in ((first, "-1"), (second, "9")):
        assert field.input_value() == text
        assert field.get_attribute("aria-invalid") == "true"
        assert described(field).text_content() == message
    assert shown(page, "x")["data"] == "1.0"
    assert page.locator("#node [data-leaf]").input_value() == "-1"  # a field that came later knows of it, too
    enter(first, "1")
    assert shown(page, "L")["data"] == "3.0"
    assert page.locator("[aria-invalid=true]").count() == 0


def test_back_to_the_recorded_numbers_gives_up_what_was_refused(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, log(Value(2.0, "x")))
    field = page.locator("#leaves").get_by_label("Value of x")
    enter(field, "-1")
    page.locator("#reset").click()
    assert field.input_value() == "2.0"
    assert described(field).is_hidden()
    assert page.locator("#reset").is_hidden()


def test_leaves_are_listed_in_the_order_of_their_use(page: Any, tmp_path: Path) -> None:
    w1, x, w2, y = [Value(0.5, name) for name in ("w1", "x", "w2", "y")]
    opened(page, tmp_path, (w2 * tanh(w1 * x) - y) ** 2)
    assert page.locator("#leaves .name").all_text_contents() == ["w1", "x", "w2", "y"]


# ---- names, colours, accessibility -----------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><b>",
    "\"quotes\" & 'such'",
    "a\nb|c",
    "\u2028\u2029",
    "{{data}}",
    "⟦0⟧",
    "__proto__",
]


def test_hostile_names_come_out_as_text(page: Any, tmp_path: Path) -> None:
    leaves = [Value(float(i + 1), name) for i, name in enumerate(HOSTILE)]
    loss = sum(leaves[1:], leaves[0] * leaves[0])
    opened(page, tmp_path, loss)
    page.on("dialog", lambda dialog: pytest.fail(f"the page ran {dialog.message}"))
    labels = [page.locator("#leaves input").nth(i).get_attribute("aria-label") for i in range(len(HOSTILE))]
    assert sorted(labels) == sorted(f"Value of {name}" for name in HOSTILE)
    _, last = count(loss)
    for step in range(last + 1):
        go_to(page, step)
    assert page.locator("b b, #panel script, #picture script").count() == 0
    assert shown(page, HOSTILE[0])["data"] == "1.0"


def test_light_and_dark_follow_the_system_and_the_button(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, error_of_a_neuron(), color_scheme="dark")
    brightness = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((a, b) => a + +b, 0)"
    assert page.evaluate(brightness) < 150
    page.locator("#theme").click()
    assert page.evaluate(brightness) > 600
    page.emulate_media(color_scheme="light")
    page.locator("#theme").click()
    assert page.evaluate(brightness) < 150


FAINT = """elements => {
    const parse = color => color.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(x => x / 255)
        .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
        .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = node => node.matches('.box') ? getComputedStyle(node.querySelector('rect')).fill
        : node instanceof SVGElement ? 'rgba(0, 0, 0, 0)' : getComputedStyle(node).backgroundColor;
    const contrast = element => {
        const style = getComputedStyle(element);
        const text = light(parse(element instanceof SVGElement ? style.fill : style.color));
        let behind = element;
        while (parse(ground(behind))[3] === 0) behind = behind.parentElement;
        const back = light(parse(ground(behind)));
        return (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
    };
    return elements.filter(x => x.checkVisibility() && x.textContent.trim())
        .map(x => [contrast(x), x.outerHTML]);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_the_contrast_of_wcag_aa(page: Any, tmp_path: Path, scheme: str) -> None:
    loss = error_of_a_neuron()
    opened(page, tmp_path, loss, color_scheme=scheme)
    page.locator(".box").first.click()
    forward, _ = count(loss)
    for step in (0, 3, forward + 3):
        go_to(page, step)
        panel = "#panel h2, #panel h3, .pass, .why, .formula math, .history span"
        texts = page.locator(f".box tspan, {panel}, .legend li, footer output, .passes span").evaluate_all(FAINT)
        assert len(texts) > 40
        assert [text for text in texts if text[0] < 4.5] == []


def test_every_control_has_a_name(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, error_of_a_neuron())
    page.locator(".box").first.click()
    for control in page.locator("button, input, select, [role=button][tabindex='0']").all():
        if control.is_visible():
            named = (
                control.get_attribute("aria-label") or control.text_content() or control.get_attribute("id") == "speed"
            )
            assert named, control.evaluate("x => x.outerHTML")
    landmarks = page.locator("header, main, aside, footer").count()
    assert landmarks == 4


def test_the_keyboard_alone_is_enough(page: Any, tmp_path: Path) -> None:
    loss = error_of_a_neuron()
    opened(page, tmp_path, loss)
    stops: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        stops.append(
            page.evaluate("() => document.activeElement.id || document.activeElement.getAttribute('class') || ''")
        )
    # One stop for all nodes; everything else has one of its own.
    wanted = [
        "search",
        "collapse",
        "theme",
        "closer",
        "farther",
        "fit",
        "first",
        "back",
        "play",
        "forward",
        "last",
        "slider",
        "speed",
    ]
    assert [name for name in wanted if name not in stops] == []
    first_round = stops[: stops.index("speed") + 1]
    assert len([stop for stop in first_round if stop.startswith("box")]) == 1
    page.locator(".box[tabindex='0']").focus()
    names = []
    for _ in topological_order(loss):
        page.keyboard.press("Enter")
        names.append(page.locator("#node-title .name").text_content())
        page.keyboard.press("ArrowDown")
    assert names == [*names_of(loss).values()]
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 1
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    assert page.locator("#node-title .name").text_content() == names[-2]
    page.locator("#node .history button").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#node .history [aria-current=step]").evaluate("button => button === document.activeElement")
    for target in (".box", "#last"):
        page.locator(target).first.click()
        page.keyboard.press("Space")  # after a click, it is still the key that plays
        assert page.locator("#play").get_attribute("aria-label") == "Pause"
        page.keyboard.press("Space")
    page.locator("#back").focus()
    page.keyboard.press("Space")  # but a button that the keyboard went to is pressed
    assert page.locator("#back").evaluate("button => button === document.activeElement")


def test_each_step_is_read_as_one_sentence(page: Any, tmp_path: Path) -> None:
    a, b = Value(3.0, "a"), Value(-2.0, "b")
    opened(page, tmp_path, a * b)
    live = page.locator("[aria-live=polite]")
    read = []
    for step in range(4):
        go_to(page, step)
        read.append(live.text_content())
    assert read == [
        "Nothing is computed yet. Only the leaves have numbers.",
        "Forward: mul makes L, which is −6.",
        "Backward begins: the gradient of L with respect to itself is 1.",
        "Backward: from L to b, 1 times 3 is 3. The gradient of b is now 3.",
    ]


SLIDE = {"w1": 0.5, "x": 1.0, "w2": -1.2, "y": 1.0}
TEXT_HEIGHTS = """texts => texts.filter(text => text.textContent && text.checkVisibility()).map(text =>
    parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)"""


def settle(page: Any) -> None:
    """Wait until the page has seen how large its window is."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")


def slide() -> Value:
    """L = (sigmoid(w2 · tanh(w1 · x)) − y)²."""
    w1, x, w2, y = [Value(number, name) for name, number in SLIDE.items()]
    return ((w2 * tanh(w1 * x)).sigmoid() - y) ** 2


def test_a_wider_window_never_opens_with_smaller_texts(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, slide())
    heights = []
    for width in (901, 960, 1100, 1200, 1280, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        page.reload()
        settle(page)
        heights.append(min(page.locator(".box tspan").evaluate_all(TEXT_HEIGHTS)))
    assert heights == sorted(heights)
    assert heights[0] > 7.5


def test_a_laptop_shows_the_whole_network_of_the_slide(page: Any, tmp_path: Path) -> None:
    opened(page, tmp_path, slide())
    settle(page)
    around = page.locator("#picture").bounding_box()
    for box in page.locator(".box rect").all():
        place = box.bounding_box()
        assert around["x"] <= place["x"]
        assert place["x"] + place["width"] <= around["x"] + around["width"]
    assert min(page.locator(".box tspan").evaluate_all(TEXT_HEIGHTS)) > 8


def test_texts_are_shown_where_they_can_be_read(page: Any, tmp_path: Path) -> None:
    loss, model = mlp()
    opened(page, tmp_path, loss, model.named_parameters())
    wheel = "(svg, deltaY) => svg.dispatchEvent(new WheelEvent('wheel', { deltaY, clientX: 400, clientY: 300 }))"
    page.locator("#picture").evaluate(wheel, -400)
    levels = set()
    for _ in range(50):
        page.locator("#picture").evaluate(wheel, 20)
        levels.add(page.locator("#picture").get_attribute("class") or "near")
        heights = page.locator(".box tspan, .box .title").evaluate_all(TEXT_HEIGHTS)
        assert min(heights, default=7) >= 6.5
    assert levels == {"near", "names", "far"}


def test_texts_in_a_box_have_room(page: Any, tmp_path: Path) -> None:
    x = Value(-1.23457e-05, "model.layers.2.weight[0][0]")
    sums = sum([x, x]) + x.exp().log() + where(x > 0, x, x * 2)
    opened(page, tmp_path, logsumexp([sums, -1.23457e-05]) / -0.0359931)
    gaps = """box => {
        const { x: left, width } = box.querySelector('rect').getBBox();
        const lines = {};
        for (const text of box.querySelectorAll('text > tspan')) {
            const [x, long] = [Number(text.getAttribute('x')), text.getComputedTextLength()];
            const start = getComputedStyle(text).textAnchor === 'end' ? x - long : x;
            if (long) (lines[text.getAttribute('y')] ??= []).push([start - left, start - left + long]);
        }
        return Object.values(lines).flatMap(line => [[-1, 0], ...line.sort((a, b) => a[0] - b[0]), [width, width]]
            .slice(1).map(([start], i, ends) => start - (i ? line[i - 1][1] : 0)));
    }"""
    for step in (0, count(x)[1]):
        go_to(page, step)
        for box in page.locator(".box").all():
            assert min(box.evaluate(gaps)) > 1


def test_the_factor_of_a_step_covers_no_box(page: Any, tmp_path: Path) -> None:
    loss, model = mlp()
    opened(page, tmp_path, loss, model.named_parameters())
    covered = """() => {
        const pill = document.querySelector('rect.factor')?.getBBox();
        const meets = box => box.x < pill.x + pill.width && pill.x < box.x + box.width
            && box.y < pill.y + pill.height && pill.y < box.y + box.height;
        return pill ? [...document.querySelectorAll('.box rect')].filter(rect => meets(rect.getBBox())).length : null;
    }"""
    forward, last = count(loss)
    for _ in ("every node", "neurons as one box"):
        page.locator("#collapse").click()
        page.locator("#fit").click()
        found = []
        for step in range(forward + 2, last + 1):
            go_to(page, step)
            found.append(page.evaluate(covered))
        assert set(found) <= {0, None}
        assert 0 in found


@pytest.mark.parametrize("size", [(640, 800), (858, 720), (1000, 640), (1100, 640), (1280, 800)])
def test_the_legend_is_whole_and_under_nothing(page: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    opened(page, tmp_path, slide())
    page.set_viewport_size({"width": size[0], "height": size[1]})
    settle(page)
    around = page.locator("#graph").bounding_box()
    legend, zoom, picture = [page.locator(part).bounding_box() for part in (".legend", ".zoom", "#picture")]
    entries = page.locator(".legend li")
    assert [entry.is_visible() for entry in entries.all()] == [True] * 6
    assert legend["x"] + legend["width"] <= zoom["x"]
    assert zoom["x"] + zoom["width"] <= around["x"] + around["width"]
    assert picture["y"] + picture["height"] <= legend["y"]
    assert legend["y"] + legend["height"] <= around["y"] + around["height"]
    assert page.locator(".speed").evaluate("label => parseFloat(getComputedStyle(label).fontSize)") >= 11


@pytest.mark.parametrize("size", [(360, 640), (400, 800), (1280, 640), (1920, 1080)])
def test_it_fits_every_screen(page: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    opened(page, tmp_path, error_of_a_neuron())
    page.set_viewport_size({"width": size[0], "height": size[1]})
    go_to(page, 15)
    width, height = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert (width, height) == size
    assert page.locator(".box.now").bounding_box()["width"] > 60
    for control in ("#first", "#back", "#play", "#forward", "#last", "#slider", "#count", "#speed", "#search"):
        box = page.locator(control).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0]


# ---- the notebook around it ------------------------------------------------------------------------------------------


def test_it_talks_to_its_parent_alone(page: Any) -> None:
    x = Value(2.0, "x")
    loss = x * x
    page.set_content(Stepper(loss)._repr_html_())
    page.evaluate("() => { window.told = []; addEventListener('message', event => told.push(event.data)); }")
    frame = page.frame_locator("iframe")
    frame.locator("#forward").click()
    page.wait_for_function("() => told.length")
    assert page.evaluate("() => told.at(-1)") == {"chainrule": "state", "step": 1, "leaves": {"x": 2}}
    page.evaluate(
        """() => document.querySelector('iframe').contentWindow.postMessage(
            {chainrule: 'set', step: 4, leaves: {x: 3}}, '*')"""
    )
    page.wait_for_function("() => told.at(-1).step === 4")
    assert page.evaluate("() => told.at(-1)") == {"chainrule": "state", "step": 4, "leaves": {"x": 3}}
    answers = page.evaluate(
        """() => new Promise(answered => {
            const from = told.length;
            const frame = document.querySelector('iframe').contentWindow;
            frame.postMessage({chainrule: 'set', step: 2}, '*');
            frame.postMessage({chainrule: 'set', step: 3}, '*');
            addEventListener('message', () => { if (told.at(-1).step === 3) answered(told.slice(from)); });
        })"""
    )
    assert [answer["step"] for answer in answers] == [2, 3]  # one answer to each
    page.locator("iframe").evaluate("frame => frame.contentWindow.postMessage({chainrule: 'set', step: 4}, '*')")
    page.wait_for_function("() => told.at(-1).step === 4")
    assert frame.locator("#step .result").text_content() == "6"


def test_a_parent_that_changes_another_leaf_leaves_what_was_refused(page: Any) -> None:
    page.set_content(Stepper(log(Value(2.0, "x")) * Value(1.0, "y"))._repr_html_())
    page.evaluate("() => { window.told = []; addEventListener('message', event => told.push(event.data)); }")
    field = page.frame_locator("iframe").locator("#leaves").get_by_label("Value of x")
    enter(field, "-1")
    page.locator("iframe").evaluate(
        "frame => frame.contentWindow.postMessage({chainrule: 'set', leaves: {x: 2, y: 3}}, '*')"
    )
    page.wait_for_function("() => told.at(-1)?.leaves.y === 3")
    assert field.input_value() == "-1"
    assert field.get_attribute("aria-invalid") == "true"


class _Images(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(dict(attrs))


def test_without_its_iframe_a_picture_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Diagram, "svg", lambda diagram: "<svg>drawn</svg>")
    stepper = Stepper(error_of_a_neuron())
    shown = stepper._repr_html_()
    assert html.escape(stepper.html) in shown
    sanitised = re.sub(r"<iframe.*</iframe>", "", shown, flags=re.DOTALL)
    parser = _Images()
    parser.feed(sanitised)
    [image] = parser.images
    assert base64.b64decode((image["src"] or "").removeprefix("data:image/svg+xml;base64,")) == b"<svg>drawn</svg>"

    def no_renderer(*args: Any, **kwargs: Any) -> str:
        raise RuntimeError("no renderer")

    monkeypatch.setattr(Diagram, "svg", no_renderer)
    assert "∂L/∂L" in re.sub(r"<iframe.*</iframe>", "", stepper._repr_html_(), flags=re.DOTALL)
    next(node for node in stepper.names if node.op is None).data = 7.0
    assert "the data of a leaf was changed" in stepper._repr_html_()


def test_of_a_large_graph_no_picture_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Diagram, "svg")
    x = Value(1.0)
    for _ in range(400):
        x = x * 0.5
    assert "has 401 boxes. Trust this notebook" in Stepper(x)._repr_html_()


def test_a_name_may_be_any_text(tmp_path: Path) -> None:
    stepper = Stepper(Value(1.0, "a\n\ud800") * 2, {})
    stepper.loss.name = "L\n\ud800"
    again = Stepper(stepper.loss)
    again.save_html(tmp_path / "page.html")
    assert repr(again) == "<stepper of L\\n\\ud800: 2 nodes>"


# ---- the file --------------------------------------------------------------------------------------------------------


def test_the_file_is_whole_or_not_there(tmp_path: Path) -> None:
    stepper = Stepper(error_of_a_neuron())
    stepper.save_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == stepper.html
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(OSError, match=r"folder\.html"):
        stepper.save_html(tmp_path / "folder.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.html", "page.html"]


def test_the_page_may_ask_for_nothing(tmp_path: Path) -> None:
    text = Stepper(error_of_a_neuron()).html
    assert "default-src 'none'" in text
    # The names of XML's languages are names, not addresses that are asked for.
    addresses = set(re.findall(r"https?://[^'\"\s]+", text)) - {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1998/Math/MathML",
    }
    assert addresses == set()


def test_the_same_graph_gives_the_same_page() -> None:
    assert Stepper(error_of_a_neuron()).html == Stepper(error_of_a_neuron()).html


def test_only_values_have_pages() -> None:
    with pytest.raises(TypeError, match="expected a Value"):
        Stepper(3.0)  # type: ignore[arg-type]
