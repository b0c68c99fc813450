"""Rules as text: a pattern as it reads, a function of a rule as it was written."""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import operator
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import torch
from torch._ops import OpOverload, OpOverloadPacket
from torch.fx import Node

import noopelim
from noopelim.pattern import Built, Calls, Chain, Computed, OpCall
from noopelim.rule import Rule
from noopelim.testing import as_written
from noopelim.torch_api import Ignored, KeywordArg

LARGEST = 2**63 - 1
MOST_NAMES = 3
"""A set of operators with more names than this is called by one name, and listed at the end."""


class Writer:
    """Writes patterns, and remembers the families of operators it named on the way."""

    def __init__(self) -> None:
        self.families: dict[str, tuple[Any, ...]] = {}

    def rule(self, rule: Rule) -> str:
        """``reshape(relabel(x), size) -> reshape(x, size)``."""
        return f"{self.pattern(rule.pattern)} -> {self.pattern(rule.to)}"

    def pattern(self, pattern: object) -> str:
        if isinstance(pattern, KeywordArg):
            return pattern.name
        if isinstance(pattern, Ignored):
            return "_"
        if isinstance(pattern, Computed | Calls | Built):
            return source(pattern.of)
        if isinstance(pattern, OpCall):
            args = [self.pattern(argument) for argument in pattern.args]
            while len(args) > 1 and args[-1] == "_":
                args.pop()
            if not args:
                args = ["..."]
            dots = "..." if isinstance(pattern, Chain) else ""
            return f"{self.name(tuple(pattern.fns))}{dots}({', '.join(args)})"
        if isinstance(pattern, list | tuple):
            return f"[{', '.join(map(self.pattern, pattern))}]"
        return repr(pattern) if isinstance(pattern, str) else str(pattern)

    def name(self, fns: tuple[Any, ...]) -> str:
        names = list(dict.fromkeys(map(base_name, fns)))
        if len(names) <= MOST_NAMES:
            return "/".join(names)
        family = _families().get(frozenset(fns)) or f"{names[0]}/{names[1]}/..."
        known = self.families.get(family, ())
        self.families[family] = (*known, *(fn for fn in fns if fn not in known))
        return family


def base_name(fn: Any) -> str:
    """The name of an operator without its overload; of a copying form, the name of the one that may not copy."""
    if isinstance(fn, OpOverloadPacket):
        return fn.__name__
    name = fn._opname if isinstance(fn, OpOverload) else fn.__name__
    return re.sub(r"^(?!_)(\w+)_copy$", r"\1", name)


@functools.cache
def _families() -> dict[frozenset[Any], str]:
    """The constants of noopelim that hold operators, by what they hold: ``RESHAPES`` is called ``reshape``."""
    found: dict[frozenset[Any], str] = {}
    for module in sorted(name for name in sys.modules if name.startswith("noopelim.")):
        for name, value in vars(sys.modules[module]).items():
            held = isinstance(value, tuple | frozenset) and value and name.isupper()
            if held and all(isinstance(fn, OpOverload) for fn in value):
                found.setdefault(frozenset(value), name.strip("_").lower().removesuffix("s"))
    return found


def example(rule: Rule) -> str:
    """The graph on which a rule fires, as its author wrote it; if other functions make it, as it is traced."""
    function = rule.example
    if isinstance(function, FunctionType) and not function.__code__.co_freevars:
        return source(function)
    (output,) = as_written(function).graph.find_nodes(op="output")
    return _nested(output.args[0])


def _nested(value: object) -> str:
    """A value of a graph as calls of calls."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_nested, value))}]"
    if not isinstance(value, Node):
        return _plain(repr(value) if isinstance(value, str) else str(value))
    if value.op == "placeholder":
        return value.name.removesuffix("_1")
    if value.target is operator.getitem:
        return f"{_nested(value.args[0])}[{value.args[1]}]"
    operands = [*map(_nested, value.args), *(f"{k}={_nested(v)}" for k, v in value.kwargs.items())]
    target = str(value.target) if isinstance(value.target, OpOverload) else value.name
    return f"{target.removesuffix('.default')}({', '.join(operands)})"


def source(function: Callable[..., Any]) -> str:
    """The body of a lambda, with what it takes from the function around it put in; a call of any other function.
    ``f``, the facts that all are given, is left out."""
    if not isinstance(function, FunctionType):
        return _plain(str(function))
    if function.__name__ != "<lambda>":
        return _of_facts(f"{function.__name__}({', '.join(inspect.signature(function).parameters)})")
    written = [node for node in _lambdas(function.__code__.co_filename) if _starts(node, function.__code__)]
    same = [node for node in written if _same(node, function.__code__)]
    (node, *_) = same or written
    around = inspect.getclosurevars(function).nonlocals
    return _of_facts(ast.unparse(_PutIn(around).visit(copy.deepcopy(node.body))))


class _PutIn(ast.NodeTransformer):
    """Names replaced by what they stand for, where that is a constant, an operator or a function with a name."""

    def __init__(self, around: Mapping[str, object]) -> None:
        self._around = around

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self._around.get(node.id)
        if isinstance(value, bool | int | float | str | torch.dtype):
            return ast.Name(repr(value))
        if isinstance(value, OpOverload | OpOverloadPacket):
            return ast.Name(str(value))
        if isinstance(value, FunctionType) and value.__name__ != "<lambda>":
            return ast.Name(value.__name__)
        return node


def _of_facts(text: str) -> str:
    return _plain(re.sub(r"\bf\.|(?<=\()f(, |(?=\)))", "", text))


def _plain(text: str) -> str:
    """Without the underscores of private names, and with a word for the largest integer."""
    text = re.sub(r"(?<![\w.])_(?=[A-Za-z])", "", text)
    return text.replace("2 ** 63 - 1", "MAX").replace(str(LARGEST), "MAX").replace("torch.ops.", "")


@functools.cache
def _lambdas(path: str) -> list[ast.Lambda]:
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]


def _starts(node: ast.Lambda, code: CodeType) -> bool:
    arguments = [argument.arg for argument in node.args.args]
    return node.lineno == code.co_firstlineno and arguments == list(code.co_varnames[: code.co_argcount])


def _same(node: ast.Lambda, code: CodeType) -> bool:
    """Does the lambda compile to this code? Several may start on one line."""
    whole = compile(ast.Expression(node), "lambda", "eval")
    (inner,) = [const for const in whole.co_consts if isinstance(const, CodeType)]
    return _contents(inner) == _contents(code)


def _contents(code: CodeType) -> tuple[object, ...]:
    constants = [_contents(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return code.co_names, constants, code.co_code


def modules() -> Iterator[Any]:
    """The modules of ``noopelim.patterns`` that have rules, by name."""
    for info in pkgutil.iter_modules(noopelim.patterns.__path__):
        module = import_module(f"noopelim.patterns.{info.name}")
        if hasattr(module, "RULES"):
            yield module


def first_line(module: Any) -> str:
    """What a module says it holds, in its first paragraph."""
    return " ".join((inspect.getdoc(module) or "").split("\n\n")[0].split())


def code(text: str) -> str:
    """Code in a cell of a table."""
    return f"`{text}`".replace("|", "\\|")


def operators(fns: tuple[Any, ...]) -> str:
    """The operators of a family, by name."""
    return ", ".join(f"`{name}`" for name in dict.fromkeys(map(str, fns)))
