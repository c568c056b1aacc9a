"""Diagrams: what they show, in DOT and in SVG, with either renderer."""

import html
import math
import os
import re
import shutil
import subprocess
import sysconfig
import xml.etree.ElementTree as ElementTree
from collections import Counter

import pytest
from graphs import python, recipes
from hypothesis import example, given
from hypothesis import strategies as st

import autograd.render
from autograd import Value, topological_order
from autograd.draw import COLLAPSE_ABOVE, LONGEST, draw
from autograd.names import names_of
from nn import MLP, Neuron

SVG = "{http://www.w3.org/2000/svg}"
PURE = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
RENDERERS = {"dot": shutil.which("dot"), "graphviz-pure": PURE}


@pytest.fixture(params=RENDERERS)
def renderer(request, monkeypatch):
    """Draw with this renderer; skip where it is missing."""
    use(monkeypatch, request.param)
    return request.param


def use(monkeypatch, name):
    if RENDERERS[name] is None:
        pytest.skip(f"{name} is not installed")
    monkeypatch.setattr(autograd.render, "find_renderer", lambda: RENDERERS[name])


@pytest.fixture
def no_renderer(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)


needs_a_renderer = pytest.mark.skipif(not any(RENDERERS.values()), reason="neither dot nor graphviz-pure is installed")


EDGES = re.compile(r"\t(\d+) -> (\d+) \[id=(edge\d+)\]")


def of_class(svg, kind):
    """The groups of a class in an SVG: nodes, edges or clusters."""
    return [each for each in ElementTree.fromstring(svg).iter(f"{SVG}g") if each.get("class") == kind]


def lines_of(group):
    """What a box says, line by line."""
    rows = {}
    for text in group.iter(f"{SVG}text"):
        rows.setdefault(text.get("y"), []).append(text.text)
    return ["".join(row).removesuffix(" ").replace("\xa0", " ") for row in rows.values()]


def shown(diagram):
    """Of the picture: its boxes, the lines of each by its id, and its edges, how often each is drawn between which."""
    svg = diagram.svg()
    nodes = of_class(svg, "node")
    boxes = {each.get("id"): lines_of(each) for each in nodes}
    assert len(boxes) == len(nodes)
    ends = {name: f"{x}->{y}" for x, y, name in EDGES.findall(diagram.source)}
    ids = [each.get("id") for each in of_class(svg, "edge")]
    assert len(ids) == len(set(ids))
    return boxes, Counter(ends[each] for each in ids)


def expected_edges(output):
    """Each edge of a graph, as often as it is there, by the places of its ends in topological order."""
    place = {node: i for i, node in enumerate(topological_order(output))}
    return Counter(f"{place[x]}->{i}" for node, i in place.items() for x in node.inputs if isinstance(x, Value))


def mlp(n_in=3, n_outs=(4, 4, 1)):
    model = MLP(n_in, list(n_outs), "tanh", seed=1)
    xs = [Value(1.0 + i) for i in range(n_in)]
    return (model(xs) - 1) ** 2, model, xs


# ---- what is drawn ---------------------------------------------------------------------------------------------------


@given(recipes())
def test_every_node_and_edge_is_in_the_source_once(recipe):
    output = recipe.output(*recipe.values())
    source = draw(output).source
    assert Counter(re.findall(r" \[id=node(\d+) ", source)) == Counter(
        str(i) for i, _ in enumerate(topological_order(output))
    )
    assert Counter(f"{x}->{y}" for x, y, _ in EDGES.findall(source)) == expected_edges(output)


@given(recipes(), st.booleans())
def test_every_node_and_edge_is_in_the_picture_once_with_its_numbers(renderer, recipe, with_gradients):
    output = recipe.output(*recipe.values())
    if with_gradients:
        output.backward()
    boxes, edges = shown(draw(output))
    assert edges == expected_edges(output)
    names = names_of(output)
    assert len(boxes) == len(names)
    for i, (node, name) in enumerate(names.items()):
        first, data, grad = boxes[f"node{i}"]
        assert first == name or (first.startswith(f"{name} = ") and node.op is not None)
        assert float(data.removeprefix("data ").replace("∞", "inf")) == float(f"{node.data:.6g}")
        if node.has_grad:
            assert float(grad.removeprefix("grad ").replace("∞", "inf")) == float(f"{node.grad:.6g}")
        else:
            assert grad == ("no gradient" if with_gradients else "no gradient yet")


def test_a_box_says_what_made_its_number(renderer):
    a, b = Value(3.0, "a"), Value(4.0)
    h = a * a - b
    boxes, edges = shown(draw((h / 2).tanh(), {"b": b, "h": h}))
    assert [boxes[f"node{i}"][0] for i in range(6)] == [
        "a",
        "v1 = a * a",
        "b",
        "h = v1 - b",
        "v2 = h / 2",
        "L = tanh(v2)",
    ]
    assert edges["0->1"] == 2
    assert boxes["node1"][1:] == ["data 9", "no gradient yet"]


def test_a_gradient_of_zero_is_told_from_none_yet():
    x = Value(0.0, "x")
    y = x**2
    assert "no gradient yet" in draw(y).source
    y.backward()
    assert x.grad == 0.0
    assert "no gradient" not in draw(y).source


def test_after_the_pass_no_gradient_is_still_to_come():
    x = Value(1.0, "x")
    y = autograd.where(x > 0, x, Value(2.0, "other"))
    assert draw(y).source.count("no gradient yet") == 4
    y.backward()
    assert "no gradient yet" not in draw(y).source
    assert draw(y).source.count("no gradient") == 2


def test_a_renderer_that_makes_no_picture_is_an_error(monkeypatch):
    monkeypatch.setattr("autograd.render.render", lambda *_: b"")
    with pytest.raises(RuntimeError, match="made no picture"):
        draw(Value(1.0)).svg()


def test_operands_are_in_order_among_neurons_too(renderer):
    output, y = MLP(2, [2, 1], seed=0)([1.0, 2.0]), Value(1.0, "y")
    for loss in (y - output, output - y):
        ids = {node: f"node{i}" for i, node in enumerate(names_of(loss))}
        svg = draw(loss, collapse=True).svg()
        height = {box.get("id"): float(box.find(f"{SVG}text").get("y")) for box in of_class(svg, "node")}
        above, below = [height[ids[x]] for x in loss.inputs]
        assert above < below


@needs_a_renderer
@pytest.mark.parametrize("data", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308])
@pytest.mark.parametrize("color", [None, "data", "grad"])
def test_every_number_is_drawn(data, color):
    x = Value(data, "x")
    output = x * 1.0
    output.grad = data
    boxes, _ = shown(draw(output, color=color))
    written = f"{data:.6g}".replace("inf", "∞").replace("e+", "e")
    assert boxes["node0"][1] == f"data {written}"
    assert boxes["node1"][1:] == [f"data {written}", f"grad {written}"]


def test_long_lists_and_long_names_are_shortened():
    xs = [Value(1.0, f"a rather long name {i}") for i in range(9)]
    y = autograd.dot(xs, range(9))
    assert "dot([a rather long name 0, ...], [0, ...])" in html.unescape(draw(y).source)
    longest = draw(Value(1.0, "<" * 1000)).source
    assert longest.count("&lt;") == LONGEST - 3


@needs_a_renderer
def test_leaves_operations_and_the_output_differ_in_shape():
    x = Value(1.0, "x")
    leaf, operation, output = of_class(draw((x + 1).tanh()).svg(), "node")
    count = {
        name: (len(list(each.iter(f"{SVG}path"))), len(list(each.iter(f"{SVG}polygon"))))
        for name, each in [("leaf", leaf), ("operation", operation), ("output", output)]
    }
    assert count == {"leaf": (1, 0), "operation": (0, 1), "output": (0, 2)}


@needs_a_renderer
@pytest.mark.parametrize("rankdir", ["LR", "TB", "RL", "BT"])
def test_the_graph_is_laid_out_in_the_direction_that_is_asked_for(rankdir):
    x = Value(1.0, "x")
    leaf, output = of_class(draw(x + 1, rankdir=rankdir).svg(), "node")
    axis = "x" if rankdir in ("LR", "RL") else "y"
    first, last = (float(next(each.iter(f"{SVG}text")).get(axis)) for each in (leaf, output))
    assert (first < last) == (rankdir in ("LR", "TB"))


# ---- names -----------------------------------------------------------------------------------------------------------

PRINTABLE = st.characters(categories=["L", "M", "N", "P", "S"], include_characters=" ")
HOSTILE = [
    "<script>alert(1)</script>",
    '"quoted" \\" &amp; &#65;',
    "\\N \\G \\n \\l \\",
    "\\\\ \\\\\\ \\\\N",
    "{a|b} | c",
    " two  spaces ",
    " ",
]
HOSTILE += ["]", "]]> --> /* */ // #", "a -> b; c", "%3 {} {0}", "\N{GREEK SMALL LETTER THETA}_日本 é", "</B><BR/>"]


@example(HOSTILE)
@given(st.lists(st.text(PRINTABLE, min_size=1, max_size=40), min_size=1))
def test_names_come_out_as_they_are(renderer, names):
    output = autograd.sum([Value(1.0, name) for name in names])
    boxes, _ = shown(draw(output))
    for i, (node, name) in enumerate(names_of(output).items()):
        assert boxes[f"node{i}"][0] == name or node is output


@needs_a_renderer
@given(st.text(min_size=1, max_size=5))
@example("line\nbreak\r\t\x00\x1b\ud800")
@example("\ufffe\u202e")
def test_what_cannot_be_printed_is_written_as_python_escapes_it(name):
    drawn = shown(draw(Value(1.0, name), {}))[0]["node0"][0]
    assert drawn == "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


@needs_a_renderer
def test_names_of_layers_and_of_the_output_come_out_as_they_are():
    loss, model, _ = mlp()
    prefix = '<b>"&\\N'
    svg = draw(loss, {prefix: model, prefix + "x": loss}, collapse=True).svg()
    frames = [lines_of(each) for each in of_class(svg, "cluster")]
    assert frames == [[f"{prefix}.layers.{i}"] for i in range(3)]
    assert f"{prefix}x" in ElementTree.fromstring(svg).find(f"{SVG}title").text


# ---- collapsing ------------------------------------------------------------------------------------------------------


def test_neurons_become_boxes_and_layers_frames(renderer):
    loss, model, xs = mlp()
    loss.backward()
    diagram = draw(loss, {"model": model, "x": xs}, collapse=True)
    boxes, edges = shown(diagram)
    neurons = [lines for lines in boxes.values() if "parameter" in lines[1]]
    assert len(neurons) == 9
    assert len(boxes) == 9 + 3 + 2  # the inputs, the difference and its square
    assert not any(".weight" in line or ".bias" in line for lines in boxes.values() for line in lines)
    assert [lines_of(each) for each in of_class(diagram.svg(), "cluster")] == [[f"model.layers.{i}"] for i in range(3)]
    assert sum(edges.values()) == 3 * 4 + 4 * 4 + 4 + 2
    last = neurons[-1]
    assert last[0].endswith(" = model.layers.2[0]")
    assert last[1] == "5 parameters"
    assert last[2:] == [f"data {model(xs).data:.6g}", f"grad {2 * (model(xs).data - 1):.6g}"]


def test_graphs_collapse_by_themselves_above_the_stated_size():
    for size in (COLLAPSE_ABOVE, COLLAPSE_ABOVE + 1):
        ws = [Value(1.0, f"w{i}") for i in range(size - 2)]
        loss = autograd.dot(ws, [1.0] * len(ws)) - 1
        diagram = draw(loss)
        assert diagram.nodes == size
        assert (diagram.boxes == size) == (size <= COLLAPSE_ABOVE)
        assert draw(loss, collapse=False).boxes == size
        assert draw(loss, collapse=True).boxes == 2


@given(recipes())
def test_collapsed_or_not_what_is_outside_of_neurons_is_the_same(recipe):
    output = recipe.output(*recipe.values())
    whole, collapsed = (draw(output, collapse=each).source for each in (False, True))
    boxes = [set(re.findall(r"\t(\d+ \[id=node\d+ (?!shape=box3d).*)\n", source)) for source in (whole, collapsed)]
    assert boxes[1] <= boxes[0]
    drawn = set(re.findall(r"\t(\d+) \[id=", collapsed))
    used = {end for *ends, _ in EDGES.findall(collapsed) for end in ends}
    assert used <= drawn


# ---- colours ---------------------------------------------------------------------------------------------------------


def fills(diagram):
    return re.findall(r'fillcolor="(#\w{6})" *(?:peripheries=2 [^\n]*?)?label=', diagram.source)


def test_fills_show_sign_and_size_and_no_outlier_outshines_the_rest():
    leaves = [Value(x) for x in (-1e300, -2.0, -1.0, 0.0, 1.0, 2.0, 1e300, math.nan)]
    far_low, low, lower, zero, higher, high, far_high, undefined, _ = fills(draw(autograd.sum(leaves), color="data"))
    assert zero == "#ffffff"
    assert len({far_low, low, lower, zero, higher, high, far_high, undefined}) == 8
    red, blue = [int(low[1:3], 16), int(high[1:3], 16)], [int(low[5:], 16), int(high[5:], 16)]
    assert red[0] > blue[0]
    assert red[1] < blue[1]


@pytest.mark.parametrize("color", ["data", "grad"])
def test_text_can_be_read_on_every_fill(color):
    leaves = [Value(x) for x in (-math.inf, -1.0, 0.0, 1.0, math.inf, math.nan)]
    output = autograd.sum([leaf * 2 for leaf in leaves])
    output.backward()
    plain = draw(output)
    for fill in fills(draw(output, color=color)) + fills(plain):
        for ink in set(re.findall(r'COLOR="(#\w{6})"', plain.source)) | {"#1b1f24"}:
            assert contrast(ink, fill) >= 4.5


def contrast(one, other):
    """The contrast of two colours as WCAG 2 defines it; 4.5 is its limit for text."""
    dark, light = sorted(luminance(each) for each in (one, other))
    return (light + 0.05) / (dark + 0.05)


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# ---- the same in every run, with every renderer ----------------------------------------------------------------------

BUILD = """
from autograd import Value
from autograd.draw import draw
from nn import MLP
model = MLP(3, [4, 4, 1], "tanh", seed=1)
loss = (model([Value(float(i), "<x>") for i in range(3)]) - 1) ** 2
loss.backward()
for collapse in (True, False):
    print(draw(loss, locals(), collapse=collapse, color="grad").source)
"""


def test_the_source_is_the_same_byte_for_byte_in_every_process():
    first, second = (python(BUILD, PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == second.stdout


def chain(size):
    """A graph of ``size`` nodes in which every fifth is used again further on."""
    x = y = Value(0.5, "x")
    for i in range(size - 1):
        x = x * y if i % 5 == 0 else x + 0.25 if i % 2 else x.tanh()
        y = x if i % 5 == 2 else y
    return x


@pytest.mark.parametrize("size", [10, 30, 100, 300, 1000])
@pytest.mark.parametrize("kind", ["expression", "mlp", "collapsed"])
def test_both_renderers_draw_the_same_nodes_edges_and_texts(monkeypatch, size, kind):
    if kind == "expression":
        output = chain(size)
        assert len(topological_order(output)) == size
    else:
        width = max(1, round((size / 2) ** 0.5) - 2)
        output, *_ = mlp(3, [width, width, 1])
    diagram = draw(output, collapse=kind == "collapsed")
    found = []
    for name in RENDERERS:
        use(monkeypatch, name)
        found.append(shown(diagram))
    assert found[0] == found[1]
    assert len(found[0][0]) == diagram.boxes
    if kind != "collapsed":
        assert found[0][1] == expected_edges(output)


# ---- the diagram -----------------------------------------------------------------------------------------------------


def test_the_svg_is_accessible_self_contained_and_without_a_background(renderer):
    svg = draw(Value(1.0, "x") * 2).svg()
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "Graph of L, 2 nodes"
    assert set(re.findall(r"https?://[^\"\s]*", svg)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert next(iter(root.find(f"{SVG}g"))).tag != f"{SVG}polygon"


@pytest.mark.parametrize("ending", ["svg", "png", "pdf", "dot", "gv", "SVG"])
def test_the_ending_decides_what_is_saved(renderer, tmp_path, ending):
    path = tmp_path / f"graph.{ending}"
    diagram = draw(Value(1.0, "θ") * 2)
    if (renderer, ending) == ("graphviz-pure", "pdf"):
        with pytest.raises(RuntimeError, match="cannot write pdf"):
            diagram.save(path)
        assert os.listdir(tmp_path) == []
        return
    diagram.save(path)
    assert os.listdir(tmp_path) == [path.name]
    start = {"svg": b"<svg ", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph", "gv": b"digraph"}[ending.lower()]
    assert path.read_bytes().startswith(start)
    if ending in ("dot", "gv"):
        assert path.read_text(encoding="utf-8") == diagram.source


@pytest.mark.parametrize("path", ["graph", "graph.jpg", "graph.svg.txt", ".svg"])
def test_other_endings_are_refused_with_those_that_are_taken(tmp_path, path):
    with pytest.raises(ValueError, match=r"\.svg, \.png, \.pdf, \.dot, \.gv"):
        draw(Value(1.0)).save(tmp_path / path)
    assert os.listdir(tmp_path) == []


def test_an_earlier_file_stays_if_the_new_one_cannot_be_written(tmp_path, monkeypatch):
    path = tmp_path / "graph.dot"
    path.write_text("earlier")

    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk is full"):
        draw(Value(1.0)).save(path)
    assert os.listdir(tmp_path) == ["graph.dot"]
    assert path.read_text() == "earlier"


@needs_a_renderer
def test_a_notebook_shows_the_picture():
    diagram = draw(Value(1.0, "x"))
    assert diagram._repr_mimebundle_() == {
        "image/svg+xml": diagram.svg(),
        "text/plain": "<diagram of x: 1 node in 1 box>",
    }


def test_without_a_renderer_there_is_the_source_and_a_notebook_shows_one_line(no_renderer, tmp_path):
    diagram = draw(Value(1.0, "x"))
    diagram.save(tmp_path / "graph.dot")
    for save in (diagram.svg, lambda: diagram.save(tmp_path / "graph.svg")):
        with pytest.raises(RuntimeError, match="pip install graphviz-pure"):
            save()
    assert os.listdir(tmp_path) == ["graph.dot"]
    bundle = diagram._repr_mimebundle_()
    assert bundle.keys() == {"text/plain"}
    assert "pip install graphviz-pure" in bundle["text/plain"]
    assert "\n" not in bundle["text/plain"]


def test_what_takes_too_long_says_how_long_how_large_and_what_helps(monkeypatch):
    def late(*_):
        raise subprocess.TimeoutExpired("dot", 7)

    monkeypatch.setattr(autograd.render, "find_renderer", lambda: shutil.which("cat"))
    monkeypatch.setattr(subprocess.Popen, "communicate", late)
    diagram = draw(chain(20_000), collapse=False)
    with pytest.raises(TimeoutError, match=r"after 7 s, not done with 20,000 boxes: .*collapse=True.*smaller part"):
        diagram.svg(timeout=7)
    assert "20,000 boxes" in diagram._repr_mimebundle_()["text/plain"]


def test_twenty_thousand_nodes_have_a_source():
    output = chain(20_000)
    diagram = draw(output)
    assert diagram.nodes == 20_000
    edges = EDGES.findall(draw(output, collapse=False).source)
    assert Counter(f"{x}->{y}" for x, y, _ in edges) == expected_edges(output)


# ---- wrong calls -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [1.0, None, [Value(1.0)], "x"])
def test_only_values_are_drawn(value):
    with pytest.raises(TypeError, match="expected a Value"):
        draw(value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"rankdir": "left"}, "rankdir is one of LR, TB, RL, BT, got 'left'"),
        ({"rankdir": ["LR"]}, "rankdir is one of"),
        ({"color": "red"}, "color is 'data', 'grad' or None, got 'red'"),
        ({"color": True}, "color is"),
        ({"collapse": "yes"}, "collapse is True, False or None, got 'yes'"),
    ],
)
def test_wrong_choices_are_refused_with_those_there_are(wrong, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        draw(Value(1.0), **wrong)


def test_drawing_changes_nothing():
    neuron = Neuron(2, "tanh")
    y = neuron([Value(1.0), Value(2.0)])
    before = [(node.data, node.has_grad, node.name) for node in topological_order(y)]
    draw(y, {"neuron": neuron}, collapse=True, color="grad")
    assert [(node.data, node.has_grad, node.name) for node in topological_order(y)] == before


def test_what_a_change_has_outdated_says_so():
    w, x, b = Value(2.0, "w"), Value(3.0, "x"), Value(1.0, "b")
    y = (w * x).tanh() + b * x
    assert "outdated" not in draw(y).source
    w.data = 1.4
    lines = draw(y).source.splitlines()
    names = ("w", "x", "b", "v1", "v2", "v3", "L")
    said = {name: any(f"<B>{name} </B>" in line and "outdated" in line for line in lines) for name in names}
    assert said == {"w": False, "x": False, "b": False, "v1": True, "v2": True, "v3": False, "L": True}
