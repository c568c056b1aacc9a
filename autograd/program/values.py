"""The statements that compute the values of all arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array, Elementwise, Instruction, Join, Listwise, Operand, Pairs, Product, View
from .layout import Layout
from .statements import Buffer, Ref, Writer
from .tracing import Dims, Expr, Tracer
from .views import as_matrix, columns_of, dims_of, flat, is_stepped, shape_of, written


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

    def ref(self, view: View, whole: bool = False, solid: bool = False) -> tuple[Ref, Dims]:
        """The view of the values, and its shape: 1 where it would only repeat, unless it must be ``whole``.

        What is no view is gathered; and what leaves something out, if it must be in one piece (``solid``).
        """
        array, shape = view.array, shape_of(view)
        buffer = self._buffers[array]
        found = written(view, array.ones)
        if found is not None and (not whole or found[1] == shape) and not (solid and is_stepped(found[0])):
            if buffer is self.parameters:
                self.parameter_views.setdefault(found[0].removesuffix(".T"), view)
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
        varying = view.array.varying
        ref, _ = self.ref(view, whole=True, solid=varying and view.shape[1] > 1)
        return as_matrix(ref, *view.shape) if varying else ref

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
            terms = self.terms(it)
            expr = None if terms is None else self.tracer.of_list(it.op, terms, list_axis(it.out))
            if expr is None:
                self.compute(self.tracer.operation(it.op, [self.expr(x) for x in entries(it)]), out)
            else:
                self.compute(expr, self.result_of_lists(it.out).args[0])
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

    def terms(self, it: Listwise) -> Any:
        """The terms of lists as one expression, along ``list_axis``; None if each list is of one."""
        if it.terms.shape[1] == 1:
            return None
        if not it.out.varying:
            return self.expr(it.terms, whole=True)
        view = transposed(it.terms)
        return self.tracer.operand(self.matrix(view), (view.shape[0], columns_of(view.shape[1])))

    def result_of_lists(self, array: Array) -> Expr:
        """The results of lists, in the shape that their expression has."""
        result = self.result_of(array)
        if not array.varying:
            return result
        return self.tracer.operand(as_matrix(result.args[0], 1, array.size), (1, columns_of(array.size)))


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
    """Along which axis lists lie: the columns of what varies go over the batch."""
    return 0 if out.varying else 1


def transposed(view: View) -> View:
    """The view with rows and columns changed."""
    return View(view.array, view.places.T)
