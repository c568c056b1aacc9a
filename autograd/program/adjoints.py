"""Step 6: reverse mode on arrays, by the rules of the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import Op
from .arrays import Array, Elementwise, Instruction, Join, Listwise, Operand, Pairs, Product, View
from .layout import Layout
from .statements import ONES, SEED, Buffer, Ref, Writer, is_number
from .tracing import Dims, Expr, Traced
from .values import Values, entries, list_axis, pieces, places, transposed
from .views import as_matrix, columns_of, dims_of, flat, is_stepped, shape_of, written


class Adjoints(Writer):
    """The statements of the gradient.

    Attributes:
        gradient: its memory, (P,).
        ones: (B,) ones: to multiply by them is the quickest sum over a batch.
        clears: whether the gradient must be 0 before.
    """

    def __init__(self, layout: Layout, values: Values) -> None:
        super().__init__(values.tracer, values.rows_of_ones)
        self._values = values
        self._parameters = layout.parameters
        self.gradient = Buffer("gradient", (layout.parameters.size,), made=False)
        self.ones = Buffer(ONES, ("B",), ones=True)
        self.clears = False
        self._written = np.zeros(layout.parameters.size, dtype=bool)  # which parameters have a gradient already
        self._buffers: dict[Array, Buffer] = {layout.parameters: self.gradient}
        self._passed: set[Buffer] = set()  # the adjoints of several arrays
        self._numbers: dict[Array, Expr] = {}  # adjoints that are a number, and in no buffer yet
        if layout.outputs.array.needed:
            self._add(layout.outputs, self.tracer.operand(SEED, (1, 1)))
            for it in reversed(layout.instructions):
                if it.out in self._buffers or it.out in self._numbers:
                    self._propagate(it)
        self.clears |= not self._written.all()

    # ---- adding to adjoints ----------------------------------------------------------------------------------------

    def _add(self, operand: Operand, expr: Expr) -> None:
        """Add an expression to the adjoints of an operand: summed over what the operand was repeated for."""
        if not isinstance(operand, View) or not operand.array.needed:
            return
        array, view = operand.array, operand
        found = written(view)
        dims = shape_of(view) if found is None else found[1]
        if found is not None:
            columns = view.places.reshape(-1, 1) if array.varying else view.places
            view = View(array, columns[: 1 if dims[0] == 1 else None, : 1 if dims[1] == 1 else None])
        axes = [axis for axis in (0, 1) if dims[axis] == 1 and expr.dims[axis] != 1]
        first = self._is_first(view)
        if first and array.size == 1 and array is not self._parameters and is_number(expr):
            self._numbers[array] = expr
            return
        self._settle(array)
        if found is None or view.repeats:
            self._scatter(view, self._summed(expr, dims, axes))
            return
        if not first and found == ("", dims_of(array)) and array is not self._parameters:
            before, self._buffers[array] = self._buffers[array], Buffer("t", dims_of(array), shared=True)
            self.call("add", Ref(before), self._summed(expr, dims, axes), out=Ref(self._buffers[array]))
            return
        target = self._target(view, first)
        if not first:
            self.call("add", target, self._summed(expr, dims, axes), out=target)
        elif axes:
            self._sum(expr, axes, target)
        else:
            self.compute(expr, target)

    def _is_first(self, view: View) -> bool:
        """Whether nothing was added to these adjoints yet."""
        if view.array is self._parameters:
            return not self._written[view.places].any()
        return view.array not in self._buffers and view.array not in self._numbers

    def _target(self, view: View, first: bool) -> Ref:
        """Where the adjoints of a view are; what it leaves out is 0."""
        array = view.array
        if array is self._parameters:
            self.clears |= not first and not self._written[view.places].all()
            self._written[view.places] = True
        elif first:
            self._make(array, zero=view.places.size < array.size)
        else:
            self._own(array)
        found = written(view)
        assert found is not None, "what is no view is scattered"
        return Ref(self._buffers[array], found[0])

    def _make(self, array: Array, zero: bool) -> None:
        self._buffers[array] = Buffer("t", dims_of(array), shared=True)
        if zero:
            self.copy(0.0, Ref(self._buffers[array]))

    def _own(self, array: Array) -> None:
        """Copy its adjoints before they are changed in part, if another array has them as well."""
        if self._buffers[array] in self._passed:
            before = Ref(self._buffers[array])
            self._make(array, zero=False)
            self.copy(before, Ref(self._buffers[array]))

    def _settle(self, array: Array) -> None:
        """Put an adjoint that is a number into a buffer."""
        if array in self._numbers:
            self._make(array, zero=False)
            self.copy(self.value(self._numbers.pop(array)), Ref(self._buffers[array]))

    def _scatter(self, view: View, value: Any) -> None:
        array = view.array
        if array is self._parameters:
            self.clears = True
            self._written[view.places] = True
        elif array not in self._buffers:
            self._make(array, zero=True)
        else:
            self._own(array)
        target = flat(Ref(self._buffers[array]), array)
        self.call("add.at", target, places(view), value, out=target)

    def _summed(self, expr: Expr, dims: Dims, axes: list[int]) -> Any:
        if not axes:
            return self.value(expr)
        out = self.temporary(dims)
        self._sum(expr, axes, out)
        return out

    def _sum(self, expr: Expr, axes: list[int], out: Ref) -> None:
        """Sum over axes, which are kept."""
        value = self.value(expr)
        if axes == [1] and expr.dims[1] == "B" and not is_stepped(out.suffix):  # dot wants it in one piece
            is_column = out.suffix.endswith("[:, None]")
            self.call(
                "dot",
                value,
                Ref(self.ones),
                out=Ref(out.buffer, out.suffix.removesuffix("[:, None]")) if is_column else out.then("[:, 0]"),
            )
        elif axes == [0] and expr.dims[1] == "B":
            self.sum_of_rows(value, int(expr.dims[0]), out)
        else:
            self.call(
                "add.reduce", value, out=out, options=f"axis={tuple(axes) if len(axes) > 1 else axes[0]}, keepdims=True"
            )

    def _pass_on(self, operands: list[Operand], array: Array) -> None:
        """Add the adjoints of a sum to those of its terms: which have the same, where they have none yet."""
        if array in self._numbers and dims_of(array) == (1, 1):
            for operand in operands:
                self._add(operand, self._numbers[array])
            return
        for view in operands:
            if not isinstance(view, View) or not view.array.needed:
                continue
            self._settle(array)
            whole = written(view) == ("", dims_of(array)) and view.array is not self._parameters
            if whole and self._is_first(view):
                self._buffers[view.array] = self._buffers[array]
                self._passed.add(self._buffers[array])
            else:
                self._add(view, self._expr(array))

    # ---- through the instructions ----------------------------------------------------------------------------------

    def _expr(self, array: Array) -> Expr:
        """The adjoints of an array."""
        self._settle(array)
        return self.tracer.operand(Ref(self._buffers[array]), dims_of(array))

    def _propagate(self, it: Instruction) -> None:
        if isinstance(it, Elementwise):
            self._through_op(it.op, it.operands, it.out)
        elif isinstance(it, Listwise):
            self._through_lists(it)
        elif isinstance(it, Join):
            ref, (_, columns) = self._expr(it.out).args[0], dims_of(it.out)
            for piece, rows in pieces(it):
                self._add(piece, self.tracer.operand(ref.then(rows), (piece.places.size, columns)))
        else:
            if isinstance(it, Product):
                self._through_product(it)
            else:
                self._through_pairs(it)
            self._pass_on(it.addends, it.out)

    def _through_lists(self, it: Listwise) -> None:
        terms = self._values.terms(it)
        if terms is None or self.tracer.of_list(it.op, terms, list_axis(it.out)) is None:
            self._through_op(it.op, [*entries(it)], it.out)
            return
        slopes = self.tracer.slopes_of_list(it.op, terms, self._values.result_of_lists(it.out), list_axis(it.out))
        view, adjoint = it.terms, self._expr(it.out)
        if it.out.varying:
            view = transposed(view)
            adjoint = self.tracer.operand(as_matrix(adjoint.args[0], 1, it.out.size), (1, columns_of(it.out.size)))
        product = self.tracer.call("multiply", adjoint, slopes)
        if it.out.size > 1 and it.out.varying:
            product = self.tracer.operand(self.value(product).then(f".reshape({view.places.size}, B)"), shape_of(view))
        self._add(view, product)

    def _through_op(self, op: Op, operands: list[Any], out: Array) -> None:
        inputs = [Traced(x) if isinstance(x, Expr) else x for x in map(self._values.expr, operands)]
        result = Traced(self._values.result_of(out))
        wanted = [isinstance(x, View) and x.array.needed for x in operands]
        passed: list[Operand] = []
        others: list[tuple[View, Any, float]] = []
        for operand, local in zip(operands, self._local_derivatives(op, inputs, result, wanted), strict=True):
            if local.__class__ is float and local == 1.0:
                passed.append(operand)
            elif others and others[-1][1] is local and same(others[-1][0], operand):  # x · x
                others[-1] = operand, local, 2.0
            elif local is not None:
                others.append((operand, local, 1.0))
        for operand, local, factor in others:
            self._add(operand, self._times(op, out, operand, local, factor))
        if passed:
            self._pass_on(passed, out)

    def _local_derivatives(self, op: Op, inputs: list[Any], out: Traced, wanted: list[bool]) -> list[Any]:
        if op.lists:
            found = op.rules[0](tuple(inputs), out)  # type: ignore[misc]
        else:
            found = [
                rule(*inputs, out) if rule is not None and want else None
                for rule, want in zip(op.rules, wanted, strict=True)
            ]
        return [
            None if not want or x is None else x.expr if isinstance(x, Traced) else float(x)
            for x, want in zip(found, wanted, strict=True)
        ]

    def _times(self, op: Op, out: Array, operand: View, local: Any, factor: float) -> Expr:
        """The adjoints of ``out`` times a local derivative."""
        call = self.tracer.call
        if out in self._numbers:
            product: Expr = call("multiply", call("multiply", factor, self._numbers[out]), local)
            if product.dims == dims_of(out) or (is_number(product) and operand.array.varying):
                return product
        adjoint = self._expr(out)
        if op.selects and isinstance(local, Expr) and local.function == "where":  # what was not taken gets nothing
            condition, yes, no = local.args
            product = call("where", condition, adjoint if yes else 0.0, adjoint if no else 0.0)
        else:
            product = call("multiply", adjoint, local)
        return call("multiply", factor, product)  # type: ignore[no-any-return]

    def _through_pairs(self, it: Pairs) -> None:
        adjoint = self._numbers[it.out] if it.out in self._numbers else self._expr(it.out)
        sides = [(it.left, it.right), (it.right, it.left)]
        if same(it.left, it.right):  # squares
            sides, adjoint = sides[:1], self.tracer.call("multiply", 2.0, adjoint)
        for mine, other in sides:
            if mine.array.needed:
                self._add(mine, self.tracer.call("multiply", adjoint, self._values.expr(other, whole=True)))

    def _through_product(self, it: Product) -> None:
        left, right, columns = it.left, it.right, it.right.shape[1]
        adjoint = self._expr(it.out).args[0]
        if it.out.varying:
            adjoint = as_matrix(adjoint, len(left.places), columns)
        if left.array.needed:
            self._add_product(left, adjoint, self._values.matrix(right).transposed)
        if right.array.needed:
            if right.places[-1, -1] >= right.array.size:  # nothing flows back to the ones behind it
                left, right = View(left.array, left.places[:, :-1]), View(right.array, right.places[:-1])
            self._add_product(right, self._values.matrix(left).transposed, adjoint)

    def _add_product(self, view: View, left: Ref, right: Ref) -> None:
        """Add a matrix product to adjoints: written into their memory at once, if they are a matrix there."""
        start = int(view.places[0, 0])
        in_order = np.array_equal(view.places.ravel(), np.arange(start, start + view.places.size))
        first = in_order and written(view) is not None and self._is_first(view)
        out = self._target(view, first=True) if first else self.temporary(shape_of(view))
        self.call("dot", left, right, out=as_matrix(out, *view.shape) if view.array.varying else out)
        if not first:
            self._add(view, self.tracer.operand(out, shape_of(view)))


def same(x: View, y: View) -> bool:
    """Whether two views show the same."""
    return x.array is y.array and np.array_equal(x.places, y.places)
