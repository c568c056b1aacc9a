"""docs/edge-cases.md, row by row: the tables are the tests."""

import math
import re

import pytest
from graphs import ROOT

import autograd as ag
from autograd import OPS, Value, derivative, grad, jvp

NAMES = {**OPS, "Value": Value, "inf": math.inf, "nan": math.nan, "pi": math.pi}
NAMES |= {"mean": ag.mean, "norm": ag.norm, "softmax": ag.softmax}
HEADS = {
    "gradient": ("case", "expression", "at", "value", "gradient"),
    "derivatives": ("case", "expression", "at", "derivatives"),
    "error": ("case", "expression", "at", "error", "says"),
}


def rows(last: str) -> list[dict[str, str]]:
    """The rows of all tables with this kind of head, each a dictionary of what is between the backticks."""
    found, head = [], None
    for line in (ROOT / "docs" / "edge-cases.md").read_text(encoding="utf-8").splitlines():
        cells = tuple(cell.strip() for cell in line.strip("|").split("|")) if line.startswith("|") else None
        if cells is None:
            head = None
        elif head is None:
            assert cells in HEADS.values(), line
            head = cells
        elif not set(line) <= set("|- "):
            assert len(cells) == len(head), line
            assert all(re.fullmatch(r"`[^`]+`", cell) for cell in cells[1:]), line
            if head == HEADS[last]:
                found.append({name: cell.strip("`") for name, cell in zip(head, cells, strict=True)})
    assert found
    return found


def named(row: dict[str, str]) -> str:
    return f"{row['expression']} at {row['at']}"


def leaves_of(row: dict[str, str]) -> dict[str, Value]:
    numbers = eval(f"dict({row['at']})", {}, NAMES)
    return {name: Value(data, name) for name, data in numbers.items()}


def equal(x: float, y: float) -> bool:
    return x == y or (math.isnan(x) and math.isnan(y))


@pytest.mark.parametrize("row", rows("gradient"), ids=named)
def test_values_and_gradients(row):
    leaves = leaves_of(row)
    out = eval(row["expression"], {}, NAMES | leaves)
    out.backward()
    assert equal(out.data, eval(row["value"], {}, NAMES)), out.data
    gradient = eval(row["gradient"], {}, NAMES)
    gradient = gradient if isinstance(gradient, tuple) else (gradient,)
    found = tuple(leaf.grad for leaf in leaves.values())
    assert len(gradient) == len(found)
    assert all(map(equal, found, gradient)), found


@pytest.mark.parametrize("row", rows("gradient"), ids=named)
def test_forward_mode_gives_the_same_value_and_gradient(row):
    leaves = leaves_of(row)
    out = eval(row["expression"], {}, NAMES | leaves)
    out.backward()

    def f(*inputs):
        return eval(row["expression"], {}, NAMES | dict(zip(leaves, inputs, strict=True)))

    data = [leaf.data for leaf in leaves.values()]
    for place, leaf in enumerate(leaves.values()):
        value, tangent = jvp(f, data, [float(i == place) for i in range(len(data))])
        assert equal(float(value), out.data)
        assert equal(tangent, leaf.grad), tangent


@pytest.mark.parametrize("row", rows("derivatives"), ids=named)
def test_higher_derivatives_in_both_modes(row):
    (name, leaf), *_ = leaves_of(row).items()

    def f(x):
        return eval(row["expression"], {}, {**NAMES, name: x})

    reverse = f
    for order, truth in enumerate(eval(f"[{row['derivatives']}]", {}, NAMES), start=1):
        reverse = grad(reverse)
        assert equal(reverse(leaf.data), truth), reverse(leaf.data)
        assert equal(derivative(f, order)(leaf.data), truth), derivative(f, order)(leaf.data)


@pytest.mark.parametrize("row", rows("error"), ids=named)
def test_errors_name_the_operation_the_value_and_the_node(row):
    leaves = leaves_of(row)
    kind = {each.__name__: each for each in (ValueError, ZeroDivisionError, OverflowError, TypeError)}[row["error"]]
    with pytest.raises(kind) as error:
        eval(row["expression"], {}, NAMES | leaves)
    assert type(error.value) is kind
    assert str(error.value).startswith(row["says"])
    assert not any(leaf.has_grad for leaf in leaves.values())


def test_every_special_point_of_the_table_of_operations_is_on_the_page():
    outputs = [eval(row["expression"], {}, NAMES | leaves_of(row)) for row in rows("gradient")]
    shown = {point_of(node.op, node.inputs) for node in ag.topological_order(*outputs) if node.op}
    special = [point_of(op, point) for op in OPS.values() for point in op.special]
    assert set(special) <= shown
    assert len(set(special)) == len(special), "a point is there twice"


def point_of(op, inputs) -> tuple[str, ...]:
    """An operation at a point; 0.0 and -0.0 are two."""
    return op.name, *[repr(float(x)) for x in inputs]
