"""The stepper's widget: what Python sets, what the page says, and that neither is told what it said itself."""

import json
import math
from pathlib import Path

import pytest
import traitlets
from graphs import python
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, formula, topological_order, where
from autograd.stepper import widget as module
from autograd.stepper.widget import StepperWidget

# ---- Python's side ---------------------------------------------------------------------------------------------------


def make(page: str = "") -> StepperWidget:
    """The widget of loss = x · (1 / w) + x: the start, 3 operations, the seed, 5 contributions."""
    x, w = Value(2.0, "x"), Value(1.0)
    loss = x * (1 / w) + x
    return StepperWidget(loss, {"w": w}, page)


def test_it_starts_at_step_0_with_the_numbers_that_were_recorded():
    widget = make("<p>")
    assert (widget.step, dict(widget.leaves), widget.page) == (0, {"x": 2.0, "w": 1.0}, "<p>")


def test_a_step_is_one_of_this_graph():
    widget = make()
    widget.step = 9
    for wrong in (10, -1):
        with pytest.raises(traitlets.TraitError, match=f"step is from 0 to 9 for this graph, got {wrong}"):
            widget.step = wrong
    with pytest.raises(traitlets.TraitError, match=r"expected an int, not the float 1\.5"):
        widget.step = 1.5
    assert widget.step == 9


def test_setting_some_leaves_keeps_the_others():
    widget = make()
    widget.leaves = {"w": 3}
    assert dict(widget.leaves) == {"x": 2.0, "w": 3.0}
    with widget.hold_trait_notifications():
        widget.leaves = {"x": 5.0}
    assert dict(widget.leaves) == {"x": 5.0, "w": 3.0}


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"x": 7.0, "q": 1.0}, "no leaf is named 'q'; there are 'x', 'w'"),
        ({"x": 7.0, "w": "1"}, "expected a real number"),
        ({"x": 7.0, "w": None}, "expected a real number"),
        ({"x": 7.0, 3: 1.0}, "no leaf is named 3"),
        (7.0, "leaves is a mapping from names to numbers"),
        ("xw", "leaves is a mapping from names to numbers"),
        ({"w": 10**400}, "too large"),
    ],
)
def test_what_is_no_number_of_a_leaf_is_refused_as_a_whole(wrong, word):
    widget = make()
    with pytest.raises(traitlets.TraitError, match=word):
        widget.leaves = wrong
    assert dict(widget.leaves) == {"x": 2.0, "w": 1.0}


def test_a_leaf_set_in_place_is_an_error_not_silence():
    with pytest.raises(TypeError):
        make().leaves["x"] = 3.0  # type: ignore[index]


def test_value_is_the_computation_at_the_leaves():
    widget = make()
    widget.leaves = {"x": 4.0}
    value = widget.value
    assert (formula(value), value.data) == ("x * (1 / w) + x", 8.0)
    value.backward()
    assert {leaf.name: leaf.grad for leaf in topological_order(value) if leaf.op is None} == {"x": 2.0, "w": -4.0}
    assert widget.value is not value


def test_numbers_at_which_it_is_not_defined_are_refused():
    widget = make()
    with pytest.raises(ZeroDivisionError, match=r"div\(1.0, w=0.0\): not defined there"):
        widget.leaves = {"x": 3.0, "w": 0.0}
    assert dict(widget.leaves) == {"x": 2.0, "w": 1.0}


def test_the_last_step_goes_by_the_contributions_that_there_are():
    x = Value(2.0, "x")
    loss = where(x > 0, x * x, 0.0)
    widget = StepperWidget(loss, None, "")
    assert widget.last == 0 + 3 + 1 + 3  # where → x * x, which uses x twice
    widget.step = widget.last
    widget.leaves = {"x": -1.0}
    assert widget.step == widget.last == 0 + 3 + 1 + 0


@given(x=st.floats(), w=st.floats())
def test_every_number_survives_the_way_to_the_page_and_back(x: float, w: float):
    loss = Value(0.0, "x") + Value(0.0, "w")
    sent, received = [StepperWidget(loss, None, "") for _ in range(2)]
    sent.leaves = {"x": x, "w": w}
    text = json.dumps(sent.get_state()["leaves"], allow_nan=False)
    received.set_state({"leaves": json.loads(text)})
    assert repr(received.leaves) == repr(sent.leaves)


def test_without_anywidget_it_says_what_to_install():
    run = python("import sys; sys.modules['anywidget'] = None; import autograd.stepper.widget")
    last = run.stderr.splitlines()[-1]
    assert last == "ImportError: the stepper's widget needs anywidget: pip install anywidget"


# ---- the page's side: widget.js between a model and a page, both stand-ins that count what they hear -----------------

PAGE = """
<!doctype html><script>
let state = {step: 0, leaves: {x: 2, y: 1}};
const heard = [];
const tell = (change) => { Object.assign(state, change); parent.postMessage({chainrule: "state", ...state}, "*"); };
addEventListener("message", ({data: {chainrule, ...change}}) => { heard.push(change); tell(change); });
tell({});
</script>
"""

MODEL = """
async ([source, page]) => {
    const { default: widget } = await import("data:text/javascript," + encodeURIComponent(source));
    const state = { step: 3, leaves: { x: 5, y: "Infinity" }, page };
    const listeners = [];
    window.saved = [];
    window.model = {
        get: (name) => state[name],
        set: (name, x) => {
            const changed = JSON.stringify(state[name]) !== JSON.stringify(x);
            state[name] = x;
            if (changed) listeners.filter(([event]) => event === `change:${name}`).forEach(([, hear]) => hear());
        },
        save_changes: () => saved.push({ step: state.step, leaves: state.leaves }),
        on: (event, hear) => listeners.push([event, hear]),
        off: (event, hear) => listeners.splice(listeners.findIndex((each) => each[0] === event && each[1] === hear), 1),
        listeners,
    };
    window.views = [0, 1].map(() => {
        const el = document.body.appendChild(document.createElement("div"));
        return widget.render({ model, el });
    });
}
"""


@pytest.fixture
def views(page):
    """A page of the browser with one model and two views of it; gives the page, and what the views hold in them."""
    page.set_viewport_size({"width": 1000, "height": 1400})  # a frame out of view is not drawn, and waits for ever
    page.goto("about:blank")
    page.evaluate(MODEL, [Path(module.__file__).with_suffix(".js").read_text(encoding="utf-8"), PAGE])
    frames = page.frames[1:]
    assert len(frames) == 2
    for frame in frames:
        frame.wait_for_function("state.step === 3")
    return page, frames


def test_a_new_page_takes_over_what_the_model_says(views):
    page, frames = views
    for frame in frames:
        assert frame.evaluate("state") == {"step": 3, "leaves": {"x": 5, "y": math.inf}}
        assert frame.evaluate("heard.length") == 1
    assert page.evaluate("saved") == []


def test_a_change_in_one_page_reaches_the_model_and_the_other_page_once(views):
    page, (first, second) = views
    first.evaluate("tell({leaves: {x: -Infinity, y: NaN}})")
    second.wait_for_function("state.leaves.x === -Infinity && Number.isNaN(state.leaves.y)")
    second.evaluate("tell({step: 5})")
    first.wait_for_function("state.step === 5")
    leaves = {"x": "-Infinity", "y": "NaN"}
    assert page.evaluate("saved") == [{"step": 3, "leaves": leaves}, {"step": 5, "leaves": leaves}]
    assert first.evaluate("heard.length") == second.evaluate("heard.length") == 2


def test_a_change_of_step_and_leaves_at_once_ends_everywhere_the_same(views):
    page, (first, second) = views
    first.evaluate("tell({step: 4, leaves: {x: 0, y: 1}})")
    second.wait_for_function("state.step === 4 && state.leaves.x === 0 && state.leaves.y === 1")
    assert page.evaluate("saved") == [{"step": 4, "leaves": {"x": 0, "y": 1}}]


def test_a_change_of_the_model_reaches_both_pages_and_is_not_told_back(views):
    page, frames = views
    page.evaluate("model.set('step', 7)")
    page.evaluate("model.set('leaves', {x: 5, y: 8})")
    for frame in frames:
        frame.wait_for_function("state.step === 7 && state.leaves.y === 8")
    assert page.evaluate("saved") == []


def test_messages_of_others_are_not_taken(views):
    page, _ = views
    page.evaluate("addEventListener('message', () => { window.heard = true; })")
    page.evaluate("postMessage({chainrule: 'state', step: 9, leaves: {}}, '*')")
    page.wait_for_function("window.heard")
    assert page.evaluate("[model.get('step'), saved.length]") == [3, 0]


def test_a_view_that_is_closed_listens_no_more(views):
    page, _ = views
    page.evaluate("views.forEach((close) => close())")
    assert page.evaluate("model.listeners.length") == 0


def test_the_page_can_run_scripts_and_nothing_else(views):
    page, _ = views
    assert page.locator("iframe").first.get_attribute("sandbox") == "allow-scripts"
    assert page.locator("iframe").first.get_attribute("title")
