"""Functions of floats as JavaScript: the source of a forward function, and of those that it calls, translated.

Only as much of Python is known as such functions need. What is not known is an error that says so: nothing is guessed.
"""

from __future__ import annotations

import ast
import builtins
import fractions
import functools
import importlib
import inspect
import itertools
import math
import operator
import re
from collections import ChainMap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from ..names import unique
from ..op import Op

RUNTIME = (Path(__file__).parent / "runtime.js").read_text(encoding="utf-8")
EXACT = 2**53
"""Integers up to here are numbers in JavaScript too."""


class UntranslatableError(Exception):
    """Why an operation cannot be had in JavaScript."""


def number(x: Any) -> str:
    """A number in JavaScript, to the bit; safe as an operand."""
    if isinstance(x, bool):
        return "true" if x else "false"
    if isinstance(x, int):
        if abs(x) > EXACT:
            raise UntranslatableError(f"{x} is an integer that a float cannot hold")
        text = repr(int(x))
    else:
        text = repr(float(x)).replace("inf", "Infinity").replace("nan", "NaN")
    return f"({text})" if text.startswith("-") else text


def _runtime() -> Iterator[tuple[Any, str]]:
    """What ``runtime.js`` has of Python: the object, and its name in JavaScript."""
    for name in re.findall(r"^class (\w+)", RUNTIME, re.MULTILINE):
        if hasattr(builtins, name):
            yield getattr(builtins, name), name
    for module in (builtins, fractions, math, operator):
        (members,) = re.findall(rf"^const {module.__name__} = {{\n(.*?)^}};", RUNTIME, re.MULTILINE | re.DOTALL)
        for name in re.findall(r"^  (\w+):", members, re.MULTILINE):
            # zip_strict is zip with the keyword strict.
            yield getattr(module, name, (module, name)), f"{module.__name__}.{name}"


_RUNTIME: dict[Any, str] = dict(_runtime())
_METHODS = ("append", "remove")
_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add({}, {})",
    ast.Sub: "({} - {})",
    ast.Mult: "multiply({}, {})",
    ast.Div: "divide({}, {})",
    ast.FloorDiv: "floorDivide({}, {})",
    ast.Mod: "modulo({}, {})",
    ast.Pow: "power({}, {})",
}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "{} < {}",
    ast.LtE: "{} <= {}",
    ast.Gt: "{} > {}",
    ast.GtE: "{} >= {}",
    ast.Eq: "equal({}, {})",
    ast.NotEq: "!equal({}, {})",
}


@dataclass
class _Function:
    name: str
    text: str = ""


class Program:
    """The functions that have been translated so far."""

    def __init__(self) -> None:
        self.functions: dict[Any, _Function] = {}
        self.sources: dict[str, tuple[ast.Module, set[CodeType]]] = {}

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Forget what is translated within if a part cannot be: the rest may call it."""
        functions = dict(self.functions)
        try:
            yield
        except BaseException:
            self.functions = functions
            raise

    def reference(self, value: Any, name: str = "") -> str:
        """An expression of JavaScript for ``value``: a number, a tuple of them, or a function, translated at need."""
        if isinstance(value, Op):
            return self.reference(value.forward, value.name)
        if isinstance(value, Real):
            return number(value)
        if value is None:
            return "null"
        if isinstance(value, (tuple, list)):
            return f"list({', '.join([self.reference(x) for x in value])})"
        if isinstance(value, functools._lru_cache_wrapper):
            value = value.__wrapped__
        if not isinstance(value, FunctionType):
            try:
                return _RUNTIME[value]
            except (KeyError, TypeError):
                shown = getattr(value, "__qualname__", type(value).__name__)
                raise UntranslatableError(f"it uses {shown}, which a page does not have") from None
        if value not in self.functions:
            name = name or value.__name__.strip("<>")
            function = _Function(unique(f"${name}", dict.fromkeys([each.name for each in self.functions.values()], 1)))
            self.functions[value] = function  # before it is translated: it may call itself
            function.text = _Translation(self, value).function(function.name)
        return self.functions[value].name

    def definition(self, function: FunctionType) -> ast.FunctionDef | ast.Lambda:
        """Where ``function`` is defined in its source."""
        code = function.__code__
        if code.co_filename not in self.sources:
            try:
                source = "".join(inspect.findsource(code)[0])
                # A future statement of an earlier cell holds in this one too.
                flags = code.co_flags & annotations.compiler_flag
                module = compile(source, code.co_filename, "exec", flags, dont_inherit=True)
                self.sources[code.co_filename] = ast.parse(source), set(_codes(module))
            except (OSError, SyntaxError, ValueError):
                raise UntranslatableError(f"the source of {function.__qualname__} is not available") from None
        tree, codes = self.sources[code.co_filename]
        if code not in codes:
            raise UntranslatableError(f"the source of {function.__qualname__} has changed since it was run")
        definitions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.Lambda))]
        found = [node for node in definitions if _begins(node, code)]
        if len(found) > 1:  # lambdas on one line, perhaps one in another
            found = [node for node in found if _contains(node, code)]
        if not found:
            raise UntranslatableError(f"{function.__qualname__} cannot be told from others on its line")
        return found[-1]  # the walk goes from the outside in


def _codes(code: CodeType) -> Iterator[CodeType]:
    """``code`` and all that is defined in it."""
    pending = [code]
    while pending:
        code = pending.pop()
        yield code
        pending.extend(const for const in code.co_consts if isinstance(const, CodeType))


def _begins(node: ast.FunctionDef | ast.Lambda, code: CodeType) -> bool:
    """Whether ``node`` has the name and the first line of ``code``."""
    if isinstance(node, ast.Lambda):
        return code.co_name == "<lambda>" and node.lineno == code.co_firstlineno
    first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
    return node.name == code.co_name and first == code.co_firstlineno


def _contains(node: ast.FunctionDef | ast.Lambda, code: CodeType) -> bool:
    """Whether all that ``code`` does stands in the lambda ``node``."""
    if isinstance(node, ast.FunctionDef):
        return False
    body = node.body
    start, end = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
    places = [place for place in code.co_positions() if None not in place and place[2:] != (0, 0)]
    return bool(places) and all(start <= (a, c) and (b, d) <= end for a, b, c, d in places)


class _Translation:
    """One function of Python as one of JavaScript, where names of Python end in ``_`` and so clash with nothing."""

    def __init__(self, program: Program, function: FunctionType) -> None:
        self.program = program
        self.source = function
        self.node = program.definition(function)
        self.scopes: list[set[str]] = []
        self.imported: dict[str, Any] = {}
        self.temporaries = map("t{}".format, itertools.count(1))

    def function(self, name: str) -> str:
        """The whole function, under ``name``."""
        body = [ast.Return(self.node.body)] if isinstance(self.node, ast.Lambda) else self.node.body
        parameters, first = self.parameters(self.node.args, self.source.__defaults__ or ())
        names = sorted(_stored(body) - self.scopes[-1])
        self.scopes[-1].update(names)
        if names:
            first.append(f"let {', '.join(f'{each}_' for each in names)};")
        return f"function {name}({parameters}) {_block([*first, *self.statements(body)])}\n"

    def parameters(self, args: ast.arguments, defaults: Sequence[Any]) -> tuple[str, list[str]]:
        """The parameters, in a scope of their own, and what is to be done first."""
        if args.kwonlyargs or args.kwarg:
            raise self.no(self.node, "keyword parameters")
        names = [each.arg for each in (*args.posonlyargs, *args.args)]
        texts = [f"{name}_" for name in names]
        for i, default in enumerate(defaults, len(names) - len(defaults)):
            texts[i] += f" = {self.program.reference(default)}"
        first = []
        if args.vararg:
            names.append(args.vararg.arg)
            texts.append(f"...{names[-1]}_")
            first.append(f"{names[-1]}_ = List.from({names[-1]}_);")
        self.scopes.append(set(names))
        return ", ".join(texts), first

    def no(self, node: ast.AST, what: str) -> UntranslatableError:
        line = getattr(node, "lineno", self.node.lineno)
        return UntranslatableError(f"{self.source.__qualname__}, line {line}: {what} cannot be translated to a page")

    # ---- statements --------------------------------------------------------------------------------------------------

    def statements(self, body: Sequence[ast.stmt]) -> list[str]:
        return [line for statement in body for line in self.statement(statement)]

    def statement(self, node: ast.stmt) -> list[str]:
        match node:
            case ast.Return(value=value):
                return [f"return {'null' if value is None else self.expression(value)};"]
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                return []
            case ast.Expr(value=value):
                return [f"{self.expression(value)};"]
            case ast.Assign(targets=[target], value=value):
                return self.store(target, self.expression(value))
            case ast.Assign(targets=targets, value=value):
                whole = next(self.temporaries)
                stores = [self.store(target, whole) for target in targets]
                return [f"const {whole} = {self.expression(value)};", *itertools.chain.from_iterable(stores)]
            case ast.AnnAssign(target=target, value=value):
                return [] if value is None else self.store(target, self.expression(value))
            case ast.AugAssign(target=target, op=op, value=value):
                changed = ast.BinOp(self.loaded(target), op, value, lineno=node.lineno)
                return self.store(target, self.expression(changed))
            case ast.If(test=test, body=body, orelse=orelse):
                lines = [f"if ({self.test(test)}) {_block(self.statements(body))}"]
                return lines if not orelse else [f"{lines[0]} else {_block(self.statements(orelse))}"]
            case ast.While(test=test, body=body, orelse=[]):
                return [f"while ({self.test(test)}) {_block(self.statements(body))}"]
            case ast.For(target=target, iter=iterable, body=body, orelse=[]):
                each = next(self.temporaries)
                inside = [*self.store(target, each), *self.statements(body)]
                return [f"for (const {each} of {self.expression(iterable)}) {_block(inside)}"]
            case ast.Break():
                return ["break;"]
            case ast.Continue():
                return ["continue;"]
            case ast.Try(body=body, handlers=handlers, orelse=[], finalbody=[]):
                caught = "".join(map(self.handler, handlers))
                return [f"try {_block(self.statements(body))} catch (error) {_block([caught + 'throw error;'])}"]
            case ast.Raise(exc=None):
                return ["throw error;"]
            case ast.Raise(exc=ast.Call(func=kind)) | ast.Raise(exc=ast.Name() as kind):
                return [f"throw new {self.error(kind)}();"]
            case ast.Import() | ast.ImportFrom():
                self.imports(node)
                return []
        raise self.no(node, f"a statement of the kind {type(node).__name__}")

    def imports(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            try:
                if isinstance(node, ast.Import):
                    found = importlib.import_module(alias.name)
                else:
                    module = "." * node.level + (node.module or "")
                    found = getattr(importlib.import_module(module, self.source.__globals__["__package__"]), alias.name)
            except (AttributeError, ImportError, KeyError):
                raise self.no(node, f"`{ast.unparse(node)}`") from None
            self.imported[alias.asname or alias.name] = found

    def handler(self, node: ast.ExceptHandler) -> str:
        if node.type is None or node.name:
            raise self.no(node, "an except clause that is bare, or names the error")
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        test = " || ".join(f"error instanceof {self.error(kind)}" for kind in kinds)
        return f"if ({test}) {_block(self.statements(node.body))} else "

    def error(self, node: ast.expr) -> str:
        kind = self.constant(node)
        if not (isinstance(kind, type) and issubclass(kind, Exception) and kind in _RUNTIME):
            raise self.no(node, f"the error {ast.unparse(node)}")
        return _RUNTIME[kind]

    def store(self, target: ast.expr, text: str) -> list[str]:
        match target:
            case ast.Name(id=name):
                return [f"{name}_ = {text};"]
            case ast.Subscript(value=items, slice=index) if not isinstance(index, ast.Slice):
                there = self.expression(items)
                return [f"{there}[place({there}, {self.expression(index)})] = {text};"]
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                whole = next(self.temporaries)
                parts = [self.store(each, f"{whole}[{i}]") for i, each in enumerate(targets)]
                return [f"const {whole} = unpack({text}, {len(targets)});", *itertools.chain.from_iterable(parts)]
        raise self.no(target, f"assigning to {ast.unparse(target)}")

    @staticmethod
    def loaded(target: ast.expr) -> ast.expr:
        """The target of an assignment as an expression."""
        expression = ast.parse(ast.unparse(target), mode="eval").body
        return ast.copy_location(expression, target)

    # ---- expressions -------------------------------------------------------------------------------------------------

    def expression(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=value) if value is None or isinstance(value, Real):
                return self.program.reference(value)
            case ast.Name(id=name) if self.is_local(name):
                return f"{name}_"
            case ast.Name() | ast.Attribute():
                value = self.constant(node)
                if isinstance(value, Op) and value.lists:
                    raise self.no(node, f"{value.name} without its lists")
                return self.program.reference(value)
            case ast.UnaryOp(op=ast.Not()) | ast.Compare():
                return f"({self.test(node)})"
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=x):
                return f"({'-' if isinstance(op, ast.USub) else '+'}{self.expression(x)})"
            case ast.BinOp(left=x, op=op, right=y) if type(op) in _OPERATORS:
                return _OPERATORS[type(op)].format(self.expression(x), self.expression(y))
            case ast.BoolOp(op=op, values=[*values]):
                texts = list(map(self.expression, values))
                kind = "and" if isinstance(op, ast.And) else "or"
                return functools.reduce(lambda rest, x: f"{kind}({x}, () => {rest})", reversed(texts))
            case ast.IfExp(test=test, body=x, orelse=y):
                return f"({self.test(test)} ? {self.expression(x)} : {self.expression(y)})"
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return f"list({self.arguments(items)})"
            case ast.ListComp(elt=item, generators=loops):
                return f"builtins.list({self.loops(item, loops)})"
            case ast.GeneratorExp(elt=item, generators=loops):
                return self.loops(item, loops)
            case ast.Subscript(value=items, slice=ast.Slice(lower=lower, upper=upper, step=None)):
                bounds = ["null" if bound is None else self.expression(bound) for bound in (lower, upper)]
                return f"slice({self.expression(items)}, {', '.join(bounds)})"
            case ast.Subscript(value=items, slice=index) if not isinstance(index, ast.Slice):
                return f"item({self.expression(items)}, {self.expression(index)})"
            case ast.Lambda(args=args, body=body):
                parameters, first = self.parameters(args, ())
                if args.defaults or first:
                    raise self.no(node, "a lambda in a function, with defaults or *,")
                text = f"(({parameters}) => {self.expression(body)})"
                self.scopes.pop()
                return text
            case ast.Call():
                return self.call(node)
        raise self.no(node, f"`{ast.unparse(node)}`")

    def test(self, node: ast.expr) -> str:
        """``node`` as a condition."""
        match node:
            case ast.BoolOp(op=op, values=values):
                texts = [f"({self.test(x)})" if isinstance(x, ast.BoolOp) else self.test(x) for x in values]
                return (" && " if isinstance(op, ast.And) else " || ").join(texts)
            case ast.Compare(left=left, ops=ops, comparators=others):
                pairs = zip([left, *others], ops, others, strict=False)
                return " && ".join([self.comparison(x, op, y) for x, op, y in pairs])
            case ast.UnaryOp(op=ast.Not(), operand=x):
                return f"!({self.test(x)})"
        return f"truth({self.expression(node)})"

    def comparison(self, x: ast.expr, op: ast.cmpop, y: ast.expr) -> str:
        if isinstance(op, (ast.Is, ast.IsNot)) and isinstance(y, ast.Constant) and y.value is None:
            return f"{self.expression(x)} {'===' if isinstance(op, ast.Is) else '!=='} null"
        if type(op) not in _COMPARISONS:
            raise self.no(x, f"`{ast.unparse(ast.Compare(x, [op], [y]))}`")
        return _COMPARISONS[type(op)].format(self.expression(x), self.expression(y))

    def loops(self, item: ast.expr, loops: Sequence[ast.comprehension]) -> str:
        """A comprehension, as a generator."""
        first = self.expression(loops[0].iter)  # Python evaluates it outside, where names may mean something else
        names = sorted({name for loop in loops for name in _stored([loop.target])})
        self.scopes.append(set(names))
        lines = [f"let {', '.join(f'{name}_' for name in names)};"]
        for i, loop in enumerate(loops):
            each = next(self.temporaries)
            lines.append(f"for (const {each} of {self.expression(loop.iter) if i else 'items'}) {{")
            lines.extend(self.store(loop.target, each))
            lines.extend(f"if (!({self.test(test)})) continue;" for test in loop.ifs)
        lines.append(f"yield {self.expression(item)};")
        self.scopes.pop()
        return f"(function* (items) {{ {' '.join(lines)} {'} ' * len(loops)}}})({first})"

    def call(self, node: ast.Call) -> str:
        function = node.func
        if self.is_constant(function) and self.constant(function) is float:
            match node.args:
                case [ast.Constant(value=str(text))] if text.strip("+-").lower() in ("inf", "nan"):
                    return self.program.reference(float(text))
        arguments = self.arguments(node.args)
        if isinstance(function, ast.Attribute) and not self.is_constant(function):
            if function.attr == "is_integer" and not arguments:
                return f"Number.isInteger({self.expression(function.value)})"
            if function.attr not in _METHODS:
                raise self.no(node, f"the method {function.attr}")
            return f"{self.expression(function.value)}.{function.attr}({arguments})"
        if not self.is_constant(function):
            if node.keywords:
                raise self.no(node, "a keyword")
            return f"{self.expression(function)}({arguments})"
        called = self.constant(function)
        if isinstance(called, Op) and called.lists:
            return f"{self.program.reference(called)}({', '.join(f'...{self.expression(x)}' for x in node.args)})"
        if node.keywords:
            return self.with_keyword(node, arguments)
        return f"{self.program.reference(called)}({arguments})"

    def arguments(self, nodes: Sequence[ast.expr]) -> str:
        return ", ".join(
            f"...{self.expression(node.value)}" if isinstance(node, ast.Starred) else self.expression(node)
            for node in nodes
        )

    def with_keyword(self, node: ast.Call, arguments: str) -> str:
        """A call of one of Python's functions with a keyword, which the runtime has under a name of its own."""
        (keyword, *others) = node.keywords
        name = f"{self.program.reference(self.constant(node.func))}_{keyword.arg}"
        if others or name not in _RUNTIME.values():
            raise self.no(node, f"`{ast.unparse(node)}`")
        return f"{name}({self.expression(keyword.value)}, {arguments})"

    # ---- names -------------------------------------------------------------------------------------------------------

    def is_local(self, name: str) -> bool:
        return any(name in scope for scope in self.scopes)

    def is_constant(self, node: ast.expr) -> bool:
        """Whether ``node`` is a name from outside the function, or one in a module."""
        if isinstance(node, ast.Attribute):
            return self.is_constant(node.value) and isinstance(self.constant(node.value), (ModuleType, type))
        return isinstance(node, ast.Name) and not self.is_local(node.id)

    def constant(self, node: ast.expr) -> Any:
        """What a name stands for now that comes from outside the function."""
        if not self.is_constant(node):
            raise self.no(node, f"`{ast.unparse(node)}`")
        try:
            if isinstance(node, ast.Attribute):
                return getattr(self.constant(node.value), node.attr)
            assert isinstance(node, ast.Name)
            cells = zip(self.source.__code__.co_freevars, self.source.__closure__ or (), strict=True)
            free = {name: cell.cell_contents for name, cell in cells if name == node.id}
            return ChainMap(self.imported, free, self.source.__globals__, vars(builtins))[node.id]
        except (AttributeError, KeyError, ValueError):
            raise self.no(node, f"`{ast.unparse(node)}`, which is not known,") from None


def _block(lines: Sequence[str]) -> str:
    text = "".join(f"{line}\n" for line in lines)
    return "{\n" + re.sub("^", "  ", text, flags=re.MULTILINE).rstrip(" ") + "}"


def _stored(nodes: Sequence[ast.AST]) -> set[str]:
    """The names that are assigned in ``nodes``, not counting scopes within."""
    names = set()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if not isinstance(node, (ast.Lambda, ast.ListComp, ast.GeneratorExp)):
            pending.extend(ast.iter_child_nodes(node))
    return names
