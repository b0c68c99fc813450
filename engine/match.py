"""Patterns compiled to closures, and the index from targets to the rules that can match there.

``PatternExpr.match`` is the reference that the closures are tested against, and the fallback for pattern
kinds that they do not cover.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch.fx import Node

from .calls import arguments
from .pattern import Assembly, Chain, OpCall, calls_in, same_constant, variables_in
from .torch_api import FailedMatch, Ignored, KeywordArg, PatternExpr
from .trees import ALONE, tree


@dataclass(frozen=True, slots=True)
class Matched:
    """``values``: raw argument per variable. ``nodes``: every node that a call of the pattern matched,
    root first. ``longer``: of a chain, the matches of more calls, the longest first."""

    values: dict[str, Any]
    nodes: tuple[Node, ...]
    longer: tuple[Matched, ...] = ()


MAX_CALLS = 12
"""How many calls of a chain are looked at together; a longer one is looked at in parts."""

Matcher = Callable[[Node], Matched | None]
_Bindings = dict[object, Any]
_Step = Callable[[Any, _Bindings, list[Node]], bool]


def compile_pattern(pattern: PatternExpr) -> Matcher:
    """A function from a node to the match rooted there, or None."""
    if isinstance(pattern, Chain):
        return _chain_matcher(pattern)
    if isinstance(pattern, Assembly):
        return _assembly_matcher(pattern)
    if isinstance(pattern, OpCall):
        shared = {call for call, n in Counter(calls_in(pattern)).items() if n > 1}
        step = _compile(pattern, shared)
        if step is not None:
            return _closure_matcher(step)
    return _reference_matcher(pattern)


def _closure_matcher(step: _Step) -> Matcher:
    def match(node: Node) -> Matched | None:
        bindings: _Bindings = {}
        nodes: list[Node] = []
        if not step(node, bindings, nodes):
            return None
        return Matched({k: v for k, v in bindings.items() if isinstance(k, str)}, tuple(nodes))

    return match


def sees_calls_alone(pattern: PatternExpr) -> bool:
    """Does a match rest on the calls in it alone, to the depth of the pattern or along its chain, and if on which
    values are one, on that of the root's operands?"""
    if isinstance(pattern, Assembly) or not isinstance(pattern, OpCall):
        return False
    if isinstance(pattern, Chain):
        return True
    repeated = max(Counter(variables_in(pattern)).values(), default=0) > 1
    nested = any(call is not pattern for call in calls_in(pattern))
    return not (repeated and nested) and _compile(pattern, set()) is not None


def _chain_matcher(chain: Chain) -> Matcher:
    (variable,) = chain.args
    assert isinstance(variable, KeywordArg)
    name, targets = variable.name, _by_identity(chain)

    def match(node: Node) -> Matched | None:
        nodes: list[Node] = []
        found: list[Matched] = []
        operand: Any = node
        while len(nodes) < MAX_CALLS and isinstance(operand, Node) and id(operand.target) in targets:
            values = arguments(operand) if operand.op == "call_function" else None
            if not values:
                break
            nodes.append(operand)
            operand = values[0]
            found.append(Matched({name: operand}, tuple(nodes)))
        if len(found) < 2:
            return found[0] if found else None
        return Matched(found[0].values, found[0].nodes, tuple(found[:0:-1]))

    return match


def _assembly_matcher(assembly: Assembly) -> Matcher:
    (variable,) = assembly.args
    assert isinstance(variable, KeywordArg)
    name, targets = variable.name, _by_identity(assembly)

    def match(node: Node) -> Matched | None:
        if id(node.target) not in targets:
            return None
        calls, values, several = tree(node)
        # One cut by itself is a matter of simpler rules.
        if not values or (id(node.target) in ALONE and not several):
            return None
        last, *others = [Matched({name: value}, tuple(calls)) for value in values]
        return Matched(last.values, last.nodes, tuple(reversed(others))) if others else last

    return match


def _by_identity(call: OpCall) -> dict[int, object]:
    """The hash of an overload is slow."""
    return {id(fn): fn for fn in call.fns}


def _reference_matcher(pattern: PatternExpr) -> Matcher:
    def match(node: Node) -> Matched | None:
        found = pattern.match(node)
        if isinstance(found, FailedMatch):
            return None
        # torch lists a match's nodes operands first.
        return Matched(dict(found.kwargs), tuple(reversed(found.nodes)))

    return match


def _compile(pattern: object, shared: set[OpCall]) -> _Step | None:
    if isinstance(pattern, OpCall):
        return _compile_call(pattern, shared)
    if type(pattern) is KeywordArg:
        return _bind(pattern.name)
    if type(pattern) is Ignored:
        return lambda operand, bindings, nodes: True
    if isinstance(pattern, list | tuple):
        return _compile_list(pattern, shared)
    if isinstance(pattern, PatternExpr):
        return None
    return lambda operand, bindings, nodes: same_constant(pattern, operand)


def _bind(name: str) -> _Step:
    def step(operand: Any, bindings: _Bindings, nodes: list[Node]) -> bool:
        if name in bindings:
            return bool(bindings[name] == operand)
        bindings[name] = operand
        return True

    return step


def _compile_list(patterns: Sequence[Any], shared: set[OpCall]) -> _Step | None:
    compiled = [_compile(pattern, shared) for pattern in patterns]
    parts = [p for p in compiled if p is not None]
    if len(parts) != len(compiled):
        return None

    def step(operand: Any, bindings: _Bindings, nodes: list[Node]) -> bool:
        if not isinstance(operand, list | tuple) or len(operand) != len(parts):
            return False
        return _each(parts, operand, bindings, nodes)

    return step


def _each(parts: Sequence[_Step], operands: Sequence[Any], bindings: _Bindings, nodes: list[Node]) -> bool:
    for part, operand in zip(parts, operands, strict=True):  # noqa: SIM110 (a generator costs more than the steps)
        if not part(operand, bindings, nodes):
            return False
    return True


def _compile_call(call: OpCall, shared: set[OpCall]) -> _Step | None:
    compiled = [_compile(argument, shared) for argument in call.args]
    parts = [p for p in compiled if p is not None]
    if len(parts) != len(compiled):
        return None
    targets = _by_identity(call)
    operands_of = call.operands

    def step(operand: Any, bindings: _Bindings, nodes: list[Node]) -> bool:
        if (
            not isinstance(operand, Node)
            or id(operand.target) not in targets
            or operand.op != "call_function"
        ):
            return False
        operands = operands_of(operand)
        if operands is None:
            return False
        nodes.append(operand)
        return _each(parts, operands, bindings, nodes)

    if call not in shared:
        return step

    def once(operand: Any, bindings: _Bindings, nodes: list[Node]) -> bool:
        if call in bindings:
            return bindings[call] is operand
        bindings[call] = operand
        return step(operand, bindings, nodes)

    return once
