"""How formulas are spelled for people: as plain text, in LaTeX, and in MathML for pages.

A notation is a table from how a row prints in Python to how it is spelled here. What is not in the table is a call, or
keeps its signs; so an operation that is added at run time needs no entry.
"""

from __future__ import annotations

import re

from .symbol import ATOM, POWER, PRODUCT, PYTHON, Form, Notation

SUM = 1
LONGEST_LIST = 6
_SUBSCRIPT = re.compile(r"([^\W\d_]+)_?(\d+)")


def digits(x: float) -> str:
    """``x`` to 6 significant digits, as people read numbers.

    >>> digits(2 / 3), digits(-3.0), digits(1e-12), digits(float("inf"))
    ('0.666667', '-3', '1e-12', '∞')
    """
    return f"{x:.6g}".replace("inf", "∞").replace("e-0", "e-").replace("e+0", "e+").replace("e+", "e")


def printable(text: str) -> str:
    r"""``text`` with what cannot be printed, such as a line break, written as Python escapes it.

    >>> print(printable("a\nb"))
    a\nb
    """
    if text.isprintable():
        return text
    return "".join([c if c.isprintable() else c.encode("unicode_escape").decode() for c in text])


def escaped(text: str) -> str:
    """``text`` as it is written in MathML, SVG and HTML.

    >>> escaped("a < b & c")
    'a &lt; b &amp; c'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _latex_number(x: float) -> str:
    mantissa, exponent, power = digits(x).partition("e")
    if exponent:
        return f"{mantissa} \\times 10^{{{power}}}"
    return mantissa.replace("∞", r"\infty").replace("nan", r"\mathrm{nan}")


def _mathml_number(x: float) -> str:
    mantissa, exponent, power = digits(x).replace("-", "−").partition("e")
    number = f"<mn>{mantissa}</mn>"
    return f"{number}<mo>×</mo><msup><mn>10</mn><mn>{power}</mn></msup>" if exponent else number


def _latex_text(text: str) -> str:
    text = printable(text)
    signs = {"\\": r"\backslash ", "~": r"\sim ", "^": r"\wedge "}
    return "".join(signs.get(c, f"\\{c}" if c in "_{}$&#%" else c) for c in text)


def _latex_name(name: str) -> str:
    """A letter stays a letter, and its number becomes an index; longer names stand upright."""
    base, index = _split(name)
    base = base if len(base) == 1 and base.isalpha() else f"\\mathrm{{{_latex_text(base)}}}"
    return f"{base}_{{{index}}}" if index else base


def _mathml_name(name: str) -> str:
    base, index = _split(name)
    return f"<msub><mi>{base}</mi><mn>{index}</mn></msub>" if index else f"<mi>{escaped(printable(name))}</mi>"


def _split(name: str) -> tuple[str, str]:
    match = _SUBSCRIPT.fullmatch(name)
    return (match[1], match[2]) if match else (name, "")


TEXT = Notation(
    {"-{}": Form("-{}", SUM, (PRODUCT,))},
    write_name=printable,
    write_number=digits,
    negative=0,
    longest_list=LONGEST_LIST,
)
"""Plain text for a terminal: Python's signs, numbers to 6 digits, long lists shortened."""

# fmt: off
LATEX = Notation(
    {
        "{} * {}":    Form(r"{} \cdot {}",               PRODUCT,     (PRODUCT, PRODUCT + 1)),
        "{} / {}":    Form(r"\frac{{{}}}{{{}}}",         PRODUCT + 1, (0, 0)),
        "{} ** {}":   Form(r"{}^{{{}}}",                 POWER,       (POWER + 1, 0)),
        "-{}":        Form(r"-{}",                       SUM,         (PRODUCT,)),
        "sqrt({})":   Form(r"\sqrt{{{}}}",               ATOM,        (0,)),
        "exp({})":    Form(r"e^{{{}}}",                  POWER,       (0,)),
        "abs({})":    Form(r"\left|{}\right|",           ATOM,        (0,)),
        "({} < {})":  Form(r"\left[{} < {}\right]",      ATOM,        (0, 0)),  # Iverson's bracket: 1 if true, else 0
        "({} <= {})": Form(r"\left[{} \le {}\right]",    ATOM,        (0, 0)),
        "({} > {})":  Form(r"\left[{} > {}\right]",      ATOM,        (0, 0)),
        "({} >= {})": Form(r"\left[{} \ge {}\right]",    ATOM,        (0, 0)),
    },
    write_name=_latex_name,
    write_number=_latex_number,
    write_sign=_latex_text,
    write_function=_latex_text,
    call=r"\operatorname{{{}}}\left({}\right)",
    list=r"\left[{}\right]",
    group=r"\left({}\right)",
    times=r" \cdot ",
    derivative=r"\frac{{\partial {}}}{{\partial {}}}",
    negative=0,
    power_of_ten=POWER,
    longest_list=LONGEST_LIST,
)
"""LaTeX, for a notebook or a lecture slide."""

MATHML = Notation(
    {
        "{} * {}":    Form("{}<mo>·</mo>{}",                                       PRODUCT,     (PRODUCT, PRODUCT + 1)),
        "{} / {}":    Form("<mfrac><mrow>{}</mrow><mrow>{}</mrow></mfrac>",        PRODUCT + 1, (0, 0)),
        "{} ** {}":   Form("<msup><mrow>{}</mrow><mrow>{}</mrow></msup>",          POWER,       (POWER + 1, 0)),
        "-{}":        Form("<mo>−</mo>{}",                                         SUM,         (PRODUCT,)),
        "sqrt({})":   Form("<msqrt>{}</msqrt>",                                    ATOM,        (0,)),
        "exp({})":    Form("<msup><mi>e</mi><mrow>{}</mrow></msup>",               POWER,       (0,)),
        "abs({})":    Form("<mo>|</mo>{}<mo>|</mo>",                               ATOM,        (0,)),
        "({} < {})":  Form("<mo>[</mo>{}<mo>&lt;</mo>{}<mo>]</mo>",                ATOM,        (0, 0)),
        "({} <= {})": Form("<mo>[</mo>{}<mo>≤</mo>{}<mo>]</mo>",                   ATOM,        (0, 0)),
        "({} > {})":  Form("<mo>[</mo>{}<mo>&gt;</mo>{}<mo>]</mo>",                ATOM,        (0, 0)),
        "({} >= {})": Form("<mo>[</mo>{}<mo>≥</mo>{}<mo>]</mo>",                   ATOM,        (0, 0)),
    },
    write_name=_mathml_name,
    write_number=_mathml_number,
    write_sign=lambda sign: f"<mo>{escaped(sign.strip()).replace('-', '−')}</mo>",
    call="<mi>{}</mi><mo>(</mo>{}<mo>)</mo>",
    list="<mo>[</mo>{}<mo>]</mo>",
    group="<mo>(</mo>{}<mo>)</mo>",
    between="<mo>,</mo>",
    times="<mo>·</mo>",
    derivative="<mfrac><mrow><mo>∂</mo>{}</mrow><mrow><mo>∂</mo>{}</mrow></mfrac>",
    negative=0,
    power_of_ten=POWER,
    longest_list=LONGEST_LIST,
)
"""MathML, which browsers set by themselves. A text is a row of elements, to stand in an ``<mrow>`` or ``<math>``."""
# fmt: on

__all__ = ["LATEX", "MATHML", "PYTHON", "TEXT", "digits", "escaped", "printable"]
