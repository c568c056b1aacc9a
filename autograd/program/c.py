"""Step 7 in C: the same statements as loops, for networks so small that calling NumPy takes most of the time."""

from __future__ import annotations

import math
import re
import textwrap
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from ..op import OPS, Op
from .adjoints import Adjoints
from .buffers import shared
from .names import Names
from .source import SMALL, bare, formula
from .statements import PYTHON, Buffer, Ref, Statement, Text
from .strides import Sizes, Strides, strides_of, text_of
from .tracing import Unless
from .values import Values

SPELLED = {
    **PYTHON,
    "absolute": "fabs({})",
    "arctan2": "atan2({}, {})",
    "degrees": f"({{}} * {180.0 / math.pi!r})",
    "equal": "({} == {})",
    "greater": "({} > {})",
    "greater_equal": "({} >= {})",
    "less": "({} < {})",
    "less_equal": "({} <= {})",
    "not_equal": "({} != {})",
    "power": "pow({}, {})",
    "radians": f"({{}} * {math.pi / 180.0!r})",
    "where": "({} ? {} : {})",
}
SPELLED |= {name: f"({name}({{}}) != 0)" for name in ("isfinite", "isinf", "isnan")}
SPELLED |= {f"arc{name}": f"a{name}({{}})" for name in ("cos", "cosh", "sin", "sinh", "tan", "tanh")}
OF_ONE = (
    "cbrt", "ceil", "cos", "cosh", "exp", "exp2", "expm1", "floor", "log", "log10",
    "log1p", "log2", "rint", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
)  # fmt: skip
OF_TWO = ("copysign", "fmod", "hypot", "maximum", "nextafter")
SPELLED |= {name: f"{name}({{}})" for name in OF_ONE} | {name: f"{name}({{}}, {{}})" for name in OF_TWO}
"""How C spells NumPy's functions."""

RESERVED = (
    "asm", "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
    "float", "for", "goto", "i", "if", "inline", "int", "j", "long", "math_errhandling", "memory", "product",
    "ptrdiff_t", "real", "register", "restrict", "return", "reverse", "seed", "short", "signed", "sizeof", "static",
    "struct", "switch", "typedef", "typeof", "union", "unsigned", "value", "void", "volatile", "while",
)  # fmt: skip
FUNCTIONS = [template.strip("(").partition("(")[0] for template in SPELLED.values()]
TAKEN = frozenset([*RESERVED, *OPS, *FUNCTIONS, *[f"{name}f" for name in FUNCTIONS]])
OF_LIBRARY = re.compile(r"^(?!maximum)(\w+)\(")
LONGEST = 100
"""So many statements are a function: compilers take more than twice as long for one of twice the length."""

VECTORIZED = ("acos", "asin", "atan", "cos", "cosh", "exp", "expm1", "log", "log1p", "sin", "sinh", "tan", "tanh")
HEAD = """\
#if defined __x86_64__ && defined __GNUC__ && !defined __clang__
#include <features.h>
#ifdef __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 35) /* has these for several numbers at once */
#define VECTORIZED(name) \\
    __attribute__((simd("notinbranch"))) double name(double); \\
    __attribute__((simd("notinbranch"))) float name##f(float);
{vectorized}
#endif
#endif
#endif
#include <math.h>
#include <stddef.h>

typedef {real} real;
"""
MAXIMUM = """\
/* nan if either is */
static inline real maximum(real x, real y) {
    return (x > y) | (x != x) ? x : y;
}
"""
PRODUCT = """\
/* out = x · y, sums of n products each; behind an array is how far it is to its next row, and to its next column. */
static inline __attribute__((always_inline)) void product(
    long rows, long n, long columns, const real *x, long x_row, long x_column, const real *y, long y_row,
    long y_column, real *restrict out, long out_row, long out_column
) {
    for (long i = 0; i < rows; i++)
        if (y_column == 1 && out_column == 1) { /* along the rows of y and out */
            for (long j = 0; j < columns; j++) out[out_row * i + j] = 0;
            for (long k = 0; k < n; k++)
                for (long j = 0; j < columns; j++)
                    out[out_row * i + j] += x[x_row * i + x_column * k] * y[y_row * k + j];
        } else
            for (long j = 0; j < columns; j++) {
                real sum = 0;
#pragma omp simd reduction(+ : sum)
                for (long k = 0; k < n; k++) sum += x[x_row * i + x_column * k] * y[y_row * k + y_column * j];
                out[out_row * i + out_column * j] = sum;
            }
}
"""

HELPERS = {"maximum": MAXIMUM, "product": PRODUCT}


class Chosen(NamedTuple):
    """The rows of a view at places that an index says."""

    ref: Ref
    places: Ref


class Loop(NamedTuple):
    """Lines of C that are done for all entries.

    Attributes:
        heads: the loops, from the outer one on.
        body: what is done inside.
        entries: what each line of that is about, what it writes first.
        alone: whether it must not be one with others: entries of other rounds are read or written.
    """

    heads: list[str]
    body: list[str]
    entries: list[list[str]]
    alone: bool

    def is_one_with(self, other: Loop) -> bool:
        """Whether both can be done in one loop: what one of them writes, the other uses in the same round only."""
        if self.alone or other.alone or self.heads != other.heads or not self.heads:
            return False
        every = [*self.entries, *other.entries]
        used = defaultdict(set)
        for entry in chain(*every):
            used[entry.partition("[")[0]].add(entry)
        return all(len(used[written.partition("[")[0]]) == 1 for written, *_ in every)

    def extend(self, other: Loop) -> None:
        """Do also what another loop does."""
        self.body.extend(other.body)
        self.entries.extend(other.entries)

    def lines(self) -> list[str]:
        """The text."""
        deep, several = len(self.heads), len(self.body) > 1
        heads = [f"{'    ' * depth}{head}" for depth, head in enumerate(self.heads)]
        if several:
            heads[-1] += " {"
        end = [f"{'    ' * (deep - 1)}}}"] * several
        return [*heads, *[f"{'    ' * deep}{line}" for line in self.body], *end]


class CSource:
    """The text of a program in C, and what its memory is.

    Attributes:
        text: two functions of the size of the batch and of the memory of all buffers: ``value``; and ``reverse``, of
            the seed too, which writes the gradient.
        buffers: whose memory that is, one after the other: the parameters, the gradient, the inputs, and what it needs.
        inputs: how many there are.
        result: the view of the outputs.
        constants: what is in the memory of constants, by name.
        memory: the shapes of all arrays of numbers that are made for a batch.
        called: none; C calls no operation that is Python.

    Raises:
        ValueError: an operation has no C.
    """

    called: tuple[str, ...] = ()

    def __init__(
        self, values: Values, adjoints: Adjoints, parameters: Sequence[str], inputs: Sequence[str], dtype: Any
    ) -> None:
        self._is_single = dtype == np.float32
        self._shared = shared(values.statements, adjoints.statements, values.result)
        lower = [name.lower() if name.isupper() else name for name in inputs]  # macros are upper case
        self._names = Names(values, adjoints, parameters, lower, self._shared, TAKEN)
        self._vectors = values.parameters, adjoints.gradient
        self.buffers: list[Buffer] = [*self._vectors, *values.inputs]
        self.inputs = len(values.inputs)
        self._places: dict[Buffer, int] = {buffer: k for k, buffer in enumerate(self.buffers)}
        self._strides: dict[Ref, Strides] = {}
        self._pointers: dict[str, str] = {}  # of the function that is being written: their declarations
        self._functions: dict[str, str] = {}
        value = self._function("value", values.statements)
        clear = [Statement("copyto", (Ref(adjoints.gradient), 0.0), Ref(adjoints.gradient))] * adjoints.clears
        reverse = self._function("reverse", [*clear, *adjoints.statements], given="seed")
        self.result = self._own(values.result)
        self._place(self.result.buffer)
        self.constants = {self._names.of(x): x.numbers for x in self.buffers if x.numbers is not None}
        self.memory = [x.dims for x in self.buffers if x.made]
        text = "\n".join([*self._functions.values(), value, reverse])
        used = [name for name in VECTORIZED if re.search(rf"\b{name}f?\(", text)]
        first = HEAD.format(
            real="float" if self._is_single else "double",
            vectorized=textwrap.fill(" ".join([f"VECTORIZED({name})" for name in used]), 118),
        )
        self.text = "\n".join([first, *[helper for name, helper in HELPERS.items() if f"{name}(" in text], text])

    def name_of(self, buffer: Buffer) -> str:
        """What a buffer is called."""
        return self._names.of(buffer)

    # ---- statements ------------------------------------------------------------------------------------------------

    def _function(self, name: str, statements: Sequence[Statement], given: str = "") -> str:
        """A function that does the statements, by functions that do ``LONGEST`` of them, if they are more."""
        heads = f"{name}(long B, void *const *memory{f', real {given}' * bool(given)})"
        if len(statements) <= LONGEST:
            return self._body(f"void {heads}", statements)
        parts = [statements[i : i + LONGEST] for i in range(0, len(statements), LONGEST)]
        bodies = [self._body(f"static void {heads}".replace(name, f"{name}_{k}"), part) for k, part in enumerate(parts)]
        calls = [f"    {name}_{k}(B, memory{f', {given}' * bool(given)});" for k in range(len(parts))]
        return "\n".join([*bodies, f"void {heads} {{", *calls, "}", ""])

    def _body(self, head: str, statements: Sequence[Statement]) -> str:
        self._pointers = {}
        parts: list[str | Loop] = []
        for it in statements:
            for part in self._parts(it):
                before = parts[-1] if parts else None
                if isinstance(part, Loop) and isinstance(before, Loop) and before.is_one_with(part):
                    before.extend(part)
                else:
                    parts.append(part)
        lines = [line for part in parts for line in (part.lines() if isinstance(part, Loop) else [part])]
        return "\n".join([f"{head} {{", *[f"    {x}" for x in (*self._pointers.values(), *lines)], "}", ""])

    def _parts(self, it: Statement) -> list[str | Loop]:
        function, out = it.function, self._own(it.out)
        args = [self._own(x) if isinstance(x, Ref) else x for x in it.args]
        for k, x in enumerate(args):
            if isinstance(x, Ref) and x.buffer is out.buffer and strides_of(x) != strides_of(out):
                # Read in another order than it is written: NumPy would copy it as well.
                args[k] = Ref(Buffer("copy", tuple(map(text_of, self._where(x).dims))))
                before = self._each("{} = {};", args[k], x)
                return [before, *self._parts(Statement(function, tuple(args), out, it.options))]
        if function == "dot":
            return [self._product(args[0], args[1], out)]
        if function == "take":
            return [self._each("{} = {};", out, Chosen(args[0], args[1]))]
        if function == "add.at":
            target, places, x = args
            return [self._each("{} += {};", Chosen(target, places), x)]
        if function == "copyto":
            return [self._each("if ({2}) {0} = {1};" if len(args) > 2 else "{} = {};", *args)]
        if function in ("add.reduce", "maximum.reduce"):
            start, change = (
                ("0", "{} += {};") if function == "add.reduce" else ("-INFINITY", "{0} = maximum({0}, {1});")
            )
            return [self._each(f"{{}} = {start};", out), self._each(change, out, *args)]
        if isinstance(function, Unless):
            called = self._called(function.op)
            rarely = self._each(f"if ({{1}} < {self._number(SMALL)}) {{0}} = {called}({{2}});", out, *args)
            return [rarely._replace(alone=True)]
        template = bare(self._spelled(function, len(args)))
        return [self._each("{} = " + template + ";", out, *args)]

    def _product(self, left: Ref, right: Ref, out: Ref) -> str:
        x, y, z = self._where(left), self._where(right), self._where(out)
        columns = text_of(y.dims[1]) if len(y.dims) > 1 else "1"
        sides = []
        for ref, found in ((left, x), (right, y), (out, z)):
            steps = [
                "0" if size == (1, 1) else text_of(step) for size, step in zip(found.dims, found.strides, strict=True)
            ]
            sides += [plus(self._pointer(ref), text_of(found.offset)), *steps, *["0"] * (2 - len(steps))]
        return f"product({', '.join([text_of(x.dims[0]), text_of(x.dims[1]), columns, *sides])});"

    def _each(self, text: str, *args: Any) -> Loop:
        """A loop over the entries of ``args``, repeated to one shape: views, chosen rows, numbers and texts.

        The first of them is what is written.
        """
        shapes = [self._dims(x) for x in args if isinstance(x, (Ref, Chosen))]
        rank = max(map(len, shapes))
        assert rank <= 2, "arrays are matrices"
        dims = tuple(map(max, zip(*[((1, 1),) * (rank - len(each)) + each for each in shapes], strict=True)))
        loops = [(name, size) for name, size in zip("ij", dims, strict=False) if size != (1, 1)]
        variables = [name if size != (1, 1) else "" for name, size in zip("ij", dims, strict=False)]
        if len(loops) == 2 and all(self._is_in_one_piece(x, dims) for x in args):
            whole = (dims[0][0] * dims[1][0], dims[0][1] * dims[1][1])
            loops, variables = [("i", whole)], ["", "i"]
        heads = [f"for (long {name} = 0; {name} < {text_of(size)}; {name}++)" for name, size in loops]
        entries = [self._entry(x, dims, variables) for x in args]
        is_elsewhere = any(isinstance(x, Chosen) or (isinstance(x, Ref) and x.buffer is self._vectors[1]) for x in args)
        is_summed = any(f"{name}" not in re.findall(r"\w+", entries[0]) for name, _ in loops)
        return Loop(heads, [text.format(*entries)], [entries], alone=is_elsewhere or is_summed)

    def _dims(self, x: Ref | Chosen) -> tuple[Sizes, ...]:
        if isinstance(x, Ref):
            return self._where(x).dims
        return self._where(x.places).dims + self._where(x.ref).dims[1:]

    def _is_in_one_piece(self, x: Any, dims: tuple[Sizes, ...]) -> bool:
        """Whether the rows of a view follow each other, so that one loop goes over all of it."""
        if not isinstance(x, Ref):
            return not isinstance(x, Chosen)
        down, across = self._where(x).like(dims).strides
        return all(step == size * each for step, size, each in zip(down, dims[1], across, strict=True))

    def _entry(self, x: Any, dims: tuple[Sizes, ...], variables: list[str]) -> str:
        if isinstance(x, Chosen):
            where, rank = self._where(x.ref), len(self._where(x.places).dims)
            variables = [self._entry(x.places, dims[:rank], variables[:rank]), *variables[rank:]]
            x = x.ref
        elif isinstance(x, Ref):
            where = self._where(x).like(dims)
        else:
            return self._number(x)
        terms = [text_of(where.offset)] * (where.offset != (0, 0))
        for step, variable in zip(where.strides, variables, strict=True):
            if variable and step != (0, 0):
                size = text_of(step)
                times = "" if size == "1" else f"({size}) * " if "+" in size else f"{size} * "
                terms.append(times + variable)
        return f"{self._pointer(x)}[{' + '.join(terms) or '0'}]"

    def _number(self, x: Any) -> str:
        if isinstance(x, Text):
            return re.sub(r"\binf\b", "INFINITY", re.sub(r"\bnan\b", "NAN", x))
        if not math.isfinite(x):
            return "NAN" if x != x else "INFINITY" if x > 0.0 else "(-INFINITY)"
        found = f"{x!r}{'f' * self._is_single}"
        return f"({found})" if found.startswith("-") else found

    # ---- views -----------------------------------------------------------------------------------------------------

    def _own(self, ref: Ref) -> Ref:
        """The view of the memory that a buffer has."""
        return Ref(self._shared.get(ref.buffer, ref.buffer), ref.suffix)

    def _where(self, ref: Ref) -> Strides:
        """Where the entries of a view lie, from its pointer on."""
        if ref not in self._strides:
            found = strides_of(ref)
            self._strides[ref] = found._replace(offset=(0, 0)) if ref.buffer in self._vectors else found
        return self._strides[ref]

    def _pointer(self, ref: Ref) -> str:
        """The name of a pointer to the memory of a buffer; the views of the parameters have their own."""
        buffer = ref.buffer
        memory = f"memory[{self._place(buffer)}]"
        if buffer in self._vectors:
            ref = ref.transposed if ref.suffix.endswith(".T") else ref
            name, offset = self._names.of_view(ref), text_of(strides_of(ref).offset)
            kind = "const real *" if buffer is self._vectors[0] else "real *"
            declared = plus(f"(real *){memory}", offset)
        else:
            name, declared = self._names.of(buffer), memory
            kind = "unsigned char *restrict " if buffer.mask else "real *restrict "
            if buffer.numbers is not None:
                kind = f"const {'real' if buffer.numbers.dtype.kind == 'f' else 'ptrdiff_t'} *restrict "
        self._pointers.setdefault(name, f"{kind}const {name} = {declared};")
        return name

    def _place(self, buffer: Buffer) -> int:
        """The place of its memory."""
        if buffer not in self._places:
            self._places[buffer] = len(self.buffers)
            self.buffers.append(buffer)
        return self._places[buffer]

    # ---- operations ------------------------------------------------------------------------------------------------

    def _called(self, op: Op) -> str:
        """The name of an operation of one number as a function."""
        if op.name not in self._functions:
            parts, found = formula(op, self._spelled, self._number)
            lines = [f"    const real {name} = {part};\n" for name, part in parts]
            self._functions[op.name] = (
                f"static inline real {op.name}(real x) {{\n{''.join(lines)}    return {found};\n}}\n"
            )
        return op.name

    def _spelled(self, function: Any, arity: int) -> str:
        if isinstance(function, Op):
            raise ValueError(f"{function.name!r} is called for each number, in Python: backend='numpy' can, 'c' cannot")
        return OF_LIBRARY.sub(r"\1f(", SPELLED[function]) if self._is_single else SPELLED[function]


def plus(pointer: str, offset: str) -> str:
    """A pointer, so much further."""
    return pointer if offset == "0" else f"{pointer} + {offset}"
