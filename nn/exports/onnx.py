"""Models as ONNX: a file that many runtimes read, without Python."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from autograd import files

from ..choices import choose
from ..layers import BatchNorm, Layer, Neuron
from ..modules import Module
from .chain import Link, chain
from .formulas import FORMULAS

if TYPE_CHECKING:
    import onnx

OPSET, IR = 20, 9
"""The version of the operators, and of the file, that have all that is used here: of October 2023."""

# fmt: off
OPERATORS = {  # of float64, those that onnxruntime has, and with all their digits
    "neg": "Neg", "abs": "Abs", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "sin": "Sin", "cos": "Cos", "tanh": "Tanh",
    "relu": "Relu", "minimum": "Min", "where": "Where",
}
OPERATORS_OF = {
    "float64": OPERATORS,
    "float32": OPERATORS | {
        "tan": "Tan", "asin": "Asin", "acos": "Acos", "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "erf": "Erf",
        "sigmoid": "Sigmoid", "softplus": "Softplus", "softsign": "Softsign", "elu": "Elu", "gelu": "Gelu",
    },
}
# fmt: on


def to_onnx(model: Module, path: str | os.PathLike[str] | None = None, dtype: str = "float64") -> onnx.ModelProto:
    """The model in evaluation mode as an ONNX model; written to a file, whole or not at all, if a path is given.

    Its input ``x`` is a batch, shape (B, n_in) for any B >= 1; its output ``y`` is what ``model.batch`` gives: shape
    (B, n_out), or (B,) where the model gives a number for a sample. The initialisers have the names and shapes of
    ``model.state_dict()``. An operator that onnxruntime has not in float64 is written as a formula of others, which
    loses no digits. Where an operation is not defined (the logarithm of -1), the output is nan.

    Args:
        model: made of Neuron, Layer, Activation, Dropout, BatchNorm, Sequential and MLP. Its mode does not matter.
        path: of the file, such as "model.onnx".
        dtype: "float64", or "float32", which most runtimes prefer.

    Raises:
        ImportError: the package ``onnx`` is not installed.
        TypeError: a part of the model is something else; or ``path`` is no path.
        ValueError: the sizes of two layers do not fit, an activation is an operation of somebody's own, the dtype is
            unknown, or a number is too large for it.
        OSError: the file cannot be written.

    With onnx and onnxruntime installed::

        model = nn.MLP(2, [16, 1], activation="tanh")
        nn.to_onnx(model, "model.onnx")
        session = onnxruntime.InferenceSession("model.onnx")
        session.run(["y"], {"x": np.array([[0.5, -1.0]])})  # [array([...])], the number that model([0.5, -1.0]) is
    """
    choose(OPERATORS_OF, dtype, "dtype")
    links = chain(model)
    try:
        from onnx import helper
    except ImportError as error:
        raise ImportError("to_onnx needs the package onnx: pip install 'chainrule[onnx]'") from error
    writer = Writer(dtype)
    x = Tensor(writer, "x")
    for link in links:
        x = _written(writer, link, x)
        if isinstance(link.layer, Neuron):  # its output has the shape (B,)
            x = x if link is links[-1] else writer.unsqueeze(x, -1)
        elif link.gives_a_number and link is links[-1]:  # (B, 1)
            x = writer.squeeze(x, -1)
    writer.nodes.append(helper.make_node("Identity", [x.name], ["y"]))
    widths = [width for link in links for width in (link.n_in, link.n_out) if width]
    n_in, n_out = (widths[0], widths[-1]) if widths else ("n", "n")
    element = helper.np_dtype_to_tensor_dtype(writer.dtype)
    graph = helper.make_graph(
        writer.nodes,
        type(model).__name__,
        [helper.make_tensor_value_info("x", element, ["B", n_in])],
        [helper.make_tensor_value_info("y", element, ["B"] if links[-1].gives_a_number else ["B", n_out])],
        writer.initializers,
    )
    found = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="chainrule"
    )
    if path is not None:
        files.write_whole(path, found.SerializeToString())
    return found


def _written(writer: Writer, link: Link, x: Tensor) -> Tensor:
    """What a layer makes of ``x``."""
    layer, state = link.layer, partial(writer.state, link)
    if isinstance(layer, BatchNorm):  # ONNX's own has its epsilon in single precision
        scale = state("weight") / writer.sqrt(state("running_var") + layer.epsilon)
        x = (x - state("running_mean")) * scale + state("bias")
    elif isinstance(layer, Layer):
        x = writer.node("Gemm", x, state("weight"), state("bias"), transB=1)
    elif isinstance(layer, Neuron):
        x = writer.node("MatMul", x, state("weight")) + state("bias")
    return x if link.activation is None else writer.function(link.activation, x)


class Tensor:
    """A tensor of a graph in the making; arithmetic with it writes a node."""

    __array_ufunc__ = None  # an array on the left leaves the arithmetic to it

    def __init__(self, writer: Writer, name: str) -> None:
        self.writer, self.name = writer, name

    # fmt: off
    def __neg__(self) -> Tensor: return self.writer.node("Neg", self)
    def __add__(self, other: Any) -> Tensor: return self.writer.node("Add", self, other)
    def __radd__(self, other: Any) -> Tensor: return self.writer.node("Add", other, self)
    def __sub__(self, other: Any) -> Tensor: return self.writer.node("Sub", self, other)
    def __rsub__(self, other: Any) -> Tensor: return self.writer.node("Sub", other, self)
    def __mul__(self, other: Any) -> Tensor: return self.writer.node("Mul", self, other)
    def __rmul__(self, other: Any) -> Tensor: return self.writer.node("Mul", other, self)
    def __truediv__(self, other: Any) -> Tensor: return self.writer.node("Div", self, other)
    def __rtruediv__(self, other: Any) -> Tensor: return self.writer.node("Div", other, self)
    def __lt__(self, other: Any) -> Tensor: return self.writer.node("Less", self, other)
    def __gt__(self, other: Any) -> Tensor: return self.writer.node("Greater", self, other)
    def __ge__(self, other: Any) -> Tensor: return self.writer.node("GreaterOrEqual", self, other)
    # fmt: on


class Writer:
    """The nodes and the initialisers of a graph in the making. It has the functions that formulas are written with."""

    def __init__(self, dtype: str) -> None:
        import numpy as np

        self.dtype = np.dtype(dtype)
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def node(self, operator: str, *inputs: Any, **attributes: Any) -> Tensor:
        """One node; numbers and arrays among its inputs are constants."""
        from onnx import helper

        names = [(x if isinstance(x, Tensor) else self.constant(x, self.dtype)).name for x in inputs]
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [name], name, **attributes))
        return Tensor(self, name)

    def constant(self, x: Any, dtype: Any) -> Tensor:
        """Numbers that belong to a formula."""
        import numpy as np
        from onnx import numpy_helper

        return self.node("Constant", value=numpy_helper.from_array(np.asarray(x, dtype)))

    def state(self, link: Link, name: str) -> Tensor:
        """A tensor of the model's state. Raises ValueError if a number of it is too large for the dtype."""
        import numpy as np
        from onnx import numpy_helper

        numbers = np.asarray(link.layer.state_dict()[name])
        with np.errstate(over="ignore"):
            rounded = numbers.astype(self.dtype)
        if (np.isinf(rounded) & ~np.isinf(numbers)).any():
            raise ValueError(f"{link.prefix}{name} has a number that is too large for {self.dtype}")
        self.initializers.append(numpy_helper.from_array(rounded, link.prefix + name))
        return Tensor(self, link.prefix + name)

    def function(self, name: str, *xs: Any) -> Tensor:
        """What torch has by this name. Raises ValueError if ONNX has no such operator, nor is there a formula."""
        operators = OPERATORS_OF[self.dtype.name]
        if name in operators:
            return self.node(operators[name], *xs)
        if name in FORMULAS:
            return FORMULAS[name](self, *xs)  # type: ignore[no-any-return]
        raise ValueError(f"ONNX has no counterpart of the operation {name!r}")

    def __getattr__(self, name: str) -> Callable[..., Tensor]:
        return partial(self.function, name)

    def unsqueeze(self, x: Tensor, axis: int) -> Tensor:
        """With an axis of length 1 there."""
        return self.node("Unsqueeze", x, self.constant([axis], "int64"))

    def squeeze(self, x: Tensor, axis: int) -> Tensor:
        """Without the axis of length 1 there."""
        return self.node("Squeeze", x, self.constant([axis], "int64"))

    def sum(self, x: Tensor, axis: int) -> Tensor:
        """The sum along an axis, which is no longer there."""
        return self.node("ReduceSum", x, self.constant([axis], "int64"), keepdims=0)

    def atan_in_single_precision(self, x: Tensor) -> Tensor:
        """The arc tangent to about 7 digits."""
        from onnx import TensorProto

        single = self.node("Atan", self.node("Cast", x, to=TensorProto.FLOAT))
        return self.node("Cast", single, to=TensorProto.DOUBLE)
