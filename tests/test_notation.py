"""Notations: what people read is well-formed, says what the graph says, and cannot be broken by a name."""

import xml.etree.ElementTree as ET

import pytest
from graphs import Recipe, recipes
from hypothesis import example, given
from hypothesis import strategies as st

import autograd as ag
from autograd import Symbol
from autograd.notation import LATEX, MATHML, TEXT, digits, printable

NOTATIONS = {"text": TEXT, "latex": LATEX, "mathml": MATHML}


def both(expression):
    """What an expression in x and y prints as, in text, LaTeX and MathML without its tags."""
    text, latex, mathml = [expression(n.name("x"), n.name("y")).text for n in NOTATIONS.values()]
    return text, latex, "".join(ET.fromstring(f"<math>{mathml}</math>").itertext())


@pytest.mark.parametrize(
    ("expression", "text", "latex", "mathml"),
    [
        (lambda x, y: x * y + 1, "x * y + 1", r"x \cdot y + 1", "x·y+1"),
        (lambda x, y: x * (y + 1), "x * (y + 1)", r"x \cdot \left(y + 1\right)", "x·(y+1)"),
        (lambda x, y: (x + y) / 2, "(x + y) / 2", r"\frac{x + y}{2}", "x+y2"),
        (lambda x, y: (x / y) ** 2, "(x / y) ** 2", r"\left(\frac{x}{y}\right)^{2}", "(xy)2"),
        (lambda x, y: x * (x / y), "x * (x / y)", r"x \cdot \frac{x}{y}", "x·xy"),
        (lambda x, y: x - (y - 2), "x - (y - 2)", r"x - \left(y - 2\right)", "x−(y−2)"),
        (lambda x, y: x**y**2, "x ** y ** 2", "x^{y^{2}}", "xy2"),
        (lambda x, y: -x * y, "(-x) * y", r"\left(-x\right) \cdot y", "(−x)·y"),
        (lambda x, y: x * -2, "x * (-2)", r"x \cdot \left(-2\right)", "x·(−2)"),
        (lambda x, y: ag.exp(x) ** 2, "exp(x) ** 2", r"\left(e^{x}\right)^{2}", "(ex)2"),
        (lambda x, y: ag.sqrt(x + y), "sqrt(x + y)", r"\sqrt{x + y}", "x+y"),
        (lambda x, y: abs(x) * y, "abs(x) * y", r"\left|x\right| \cdot y", "|x|·y"),
        (lambda x, y: (x > 0) * y, "(x > 0) * y", r"\left[x > 0\right] \cdot y", "[x>0]·y"),
        (
            lambda x, y: ag.leaky_relu(x),
            "leaky_relu(x)",
            r"\operatorname{leaky\_relu}\left(x\right)",
            "leaky_relu(x)",
        ),
        (
            lambda x, y: ag.dot([x, y], [1.0, 2.0]),
            "dot([x, y], [1, 2])",
            r"\operatorname{dot}\left(\left[x, y\right], \left[1, 2\right]\right)",
            "dot([x,y],[1,2])",
        ),
    ],
)
def test_signs_and_groups(expression, text, latex, mathml):
    assert both(expression) == (text, latex, mathml)


@given(recipes())
def test_mathml_is_well_formed_and_latex_balanced(recipe: Recipe):
    for notation in (MATHML, LATEX):
        names = [notation.name(f"x{i}") for i in range(len(recipe.leaves))]
        for symbol in recipe.run(names)[: len(names) + 6]:
            if not isinstance(symbol, Symbol):
                continue
            if notation is MATHML:
                ET.fromstring(f"<math>{symbol.text}</math>")
            else:
                assert symbol.text.count("{") == symbol.text.count("}")
                assert symbol.text.count(r"\left") == symbol.text.count(r"\right")


@given(st.text(min_size=1))
@example("a\n\nb")
@example("\x00\x1b[31m\ud800")
def test_a_name_is_text_whatever_is_in_it(name: str):
    shown = "".join(ET.fromstring(f"<math>{MATHML.name(name).text}</math>").itertext())
    assert shown in (printable(name), name.replace("_", ""))  # w_1 has an index
    assert TEXT.name(name).text == printable(name)
    assert printable(name).isprintable()
    latex = LATEX.name(name).text
    depth = 0
    for brace in latex.replace(r"\{", "").replace(r"\}", ""):
        depth += (brace == "{") - (brace == "}")
        assert depth >= 0
    assert depth == 0


def test_names_with_a_number_have_an_index():
    assert [LATEX.name(name).text for name in ("w", "w1", "w_12", "loss", "loss_2", "a_b", r"\x")] == [
        "w",
        "w_{1}",
        "w_{12}",
        r"\mathrm{loss}",
        r"\mathrm{loss}_{2}",
        r"\mathrm{a\_b}",
        r"\mathrm{\backslash x}",
    ]
    assert MATHML.name("w1").text == "<msub><mi>w</mi><mn>1</mn></msub>"


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.1, "0.1"),
        (1 / 3, "0.333333"),
        (-2.5, "-2.5"),
        (1e-7, "1e-7"),
        (1.5e300, "1.5e300"),
        (123456789.0, "1.23457e8"),
        (5.0, "5"),
        (-0.0, "-0"),
        (float("inf"), "∞"),
        (float("-inf"), "-∞"),
        (float("nan"), "nan"),
    ],
)
def test_numbers_have_six_digits(x, text):
    assert digits(x) == text
    assert TEXT.number(x).text == text
    assert LATEX.number(1e-7).text == r"1 \times 10^{-7}"


def test_a_power_of_ten_is_grouped_before_it_is_raised():
    assert (LATEX.number(1e-7) ** 2).text == r"\left(1 \times 10^{-7}\right)^{2}"
    assert (LATEX.number(-1e-7) * 2).text == r"\left(-1 \times 10^{-7}\right) \cdot 2"
    assert (2 * LATEX.number(1e-7)).text == r"2 \cdot 1 \times 10^{-7}"


def test_a_power_of_ten_is_grouped_under_a_power():
    assert both(lambda x, y: x * 1e-12)[1:] == (r"x \cdot 1 \times 10^{-12}", "x·1×10−12")
    assert (LATEX.number(1e-12) ** 2).text == r"\left(1 \times 10^{-12}\right)^{2}"
    assert "<mo>(</mo><mn>1</mn>" in (MATHML.number(1e-12) ** 2).text


def test_long_lists_are_shortened_for_people_but_not_for_python():
    xs = [TEXT.name(f"x{i}") for i in range(100)]
    assert ag.sum(xs).text == "sum([x0, x1, x2, x3, …, x99])"
    assert ag.sum([Symbol(f"x{i}") for i in range(100)]).text.count(",") == 99
    ET.fromstring(f"<math>{ag.sum([MATHML.name(x.text) for x in xs]).text}</math>")


def test_an_operation_that_is_added_needs_no_entry(own_operations):
    ag.operation("swish2", lambda x: x, lambda x, out: 1.0)
    ag.operation(
        "cross", lambda x, y: x * y, lambda x, y, out: y, lambda x, y, out: x, prints="{} <+> {}", precedence=2
    )
    assert both(lambda x, y: ag.cross(ag.swish2(x), x + y)) == (
        "swish2(x) <+> (x + y)",
        r"\operatorname{swish2}\left(x\right) <+> \left(x + y\right)",
        "swish2(x)<+>(x+y)",
    )
