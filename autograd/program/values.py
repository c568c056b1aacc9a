"""The statements that compute the values of all arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array, Elementwise, Instruction, Join, Listwise, Operand, Pairs, Product, View
from .layout import Layout
from .statements import Buffer, Ref, Writer
from .tracing import Dims, Expr, Tracer
from .views import as_matrix, dims_of, flat, shape_of, written


class Values(Writer):
    """The statements of the values, and where these are.

    Attributes:
        inputs: the memory of the inputs, (n, B).
        parameters: that of the parameters, (P,).
        parameter_views: the views of the parameters that are used, by what is written behind them.
        result: the view of the outputs.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__(Tracer())
        self.parameters = Buffer("parameters", (layout.parameters.size,), made=False)
        self.parameter_views: dict[str, View] = {}
        self.inputs = [Buffer(x.name, dims_of(x), made=False) for x in layout.inputs]
        self._buffers = {layout.parameters: self.parameters, **dict(zip(layout.inputs, self.inputs, strict=True))}
        self._gathered: dict[Any, Ref] = {}
        for x in layout.constants:
            numbers = np.vstack([x.numbers, np.ones(x.shape[1])]) if x.ones else x.numbers
            self._buffers[x] = Buffer(x.name, numbers.shape, made=False, numbers=numbers)
        for it in layout.instructions:
            rows, columns = dims_of(it.out)
            self._buffers[it.out] = Buffer(it.out.name, (int(rows) + it.out.ones, columns), ones=it.out.ones)
            self._compute(it)
        self.result, _ = self.ref(layout.outputs)

    # ---- where values are ------------------------------------------------------------------------------------------

    def ref(self, view: View, whole: bool = False) -> tuple[Ref, Dims]:
        """The view of the values, and its shape: 1 where it would only repeat, unless it must be ``whole``.

        What is no view is gathered.
        """
        array, shape = view.array, shape_of(view)
        buffer = self._buffers[array]
        found = written(view, array.ones)
        if found is not None and (not whole or found[1] == shape):
            if buffer is self.parameters:
                self.parameter_views.setdefault(found[0], view)
            return Ref(buffer, found[0]), found[1]
        key = array, view.shape, view.places.tobytes()
        if key not in self._gathered:
            self._gathered[key] = out = Ref(Buffer("gathered", shape))
            self.call("take", flat(Ref(buffer), array), places(view), out=out, options="axis=0")
        return self._gathered[key], shape

    def expr(self, operand: Operand, whole: bool = False) -> Any:
        """An operand as an expression."""
        return self.tracer.operand(*self.ref(operand, whole)) if isinstance(operand, View) else operand

    def matrix(self, view: View) -> Ref:
        """The matrix for a product; the columns of what varies go over the batch too."""
        ref, _ = self.ref(view, whole=True)
        return as_matrix(ref, *view.shape) if view.array.varying else ref

    def result_of(self, array: Array) -> Expr:
        """All values of an array, without the ones behind them."""
        return self.tracer.operand(Ref(self._buffers[array], "[:-1]" if array.ones else ""), dims_of(array))

    # ---- instructions ----------------------------------------------------------------------------------------------

    def _compute(self, it: Instruction) -> None:
        out: Ref = self.result_of(it.out).args[0]
        if isinstance(it, Elementwise):
            inputs = [self.expr(x) for x in it.operands]
            self.compute(self.tracer.operation(it.op, inputs), out)
            self.tracer.known[it.op, *inputs] = self.result_of(it.out)
        elif isinstance(it, Listwise):
            expr = self.of_list(it)
            self.compute(
                expr if expr is not None else self.tracer.operation(it.op, [self.expr(x) for x in entries(it)]), out
            )
        elif isinstance(it, Join):
            for piece, rows in pieces(it):
                self.copy(self.ref(piece)[0], out.then(rows))
        elif isinstance(it, Pairs) and it.out.size == 1 and not it.out.varying:
            self.call("dot", self.matrix(it.left), self.matrix(it.right).transposed, out=out)
        elif isinstance(it, Pairs):
            products = self.tracer.call("multiply", self.expr(it.left, whole=True), self.expr(it.right, whole=True))
            self.compute(self.tracer.total(products, list_axis(it.out)), out)
        else:
            into = as_matrix(out, len(it.left.places), it.right.shape[1]) if it.out.varying else out
            self.call("dot", self.matrix(it.left), self.matrix(it.right), out=into)
        if isinstance(it, (Product, Pairs)):
            for addend in it.addends:
                self.call("add", out, self.value(self.expr(addend)), out=out)

    def of_list(self, it: Listwise) -> Any:
        """An operation on lists as an expression of all their entries; None if it cannot be said so."""
        if it.terms.shape[1] == 1:
            return None
        return self.tracer.of_list(it.op, self.expr(it.terms, whole=True), list_axis(it.out))


def places(view: View) -> Ref:
    """The places of a view, as an index."""
    return Ref(Buffer("places", (), made=False, numbers=view.places.ravel() if view.array.varying else view.places))


def entries(it: Listwise) -> list[View]:
    """The first entry of each list, the second, and so on."""
    return [View(it.terms.array, it.terms.places[:, k : k + 1]) for k in range(it.terms.shape[1])]


def pieces(it: Join) -> list[tuple[View, str]]:
    """The pieces, and which rows they are."""
    ends = np.cumsum([piece.places.size for piece in it.pieces]).tolist()
    return [(piece, f"[{end - piece.places.size}:{end}]") for piece, end in zip(it.pieces, ends, strict=True)]


def list_axis(out: Array) -> int:
    """Along which axis lists lie: what varies has one, whose entries are rows."""
    return 0 if out.varying else 1
