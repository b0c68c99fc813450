"""The pattern language: ``torch._inductor.pattern_matcher`` expressions that see every spelling of a call.

``OpCall`` is a ``CallFunction`` whose arguments are compared in schema order with the defaults filled in, so
one pattern matches a call however it was written. It works wherever torch takes a ``PatternExpr``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch.fx import Node

from .calls import arguments, signature
from .torch_api import (
    MULTIPLE,
    CallFunction,
    FailedMatch,
    Ignored,
    KeywordArg,
    Match,
    MatchContext,
    OpOverload,
    PatternExpr,
)

Rest = Literal["default", "any"]


def var(name: str) -> KeywordArg:
    """A pattern variable; a predicate asks for it by naming a parameter ``name``."""
    return KeywordArg(name)


ANY = Ignored()
X, Y, SIZE = var("x"), var("y"), var("size")


class OpCall(CallFunction):
    """A call of one of ``fns`` with these arguments, positional in schema order.

    Schema arguments beyond the given ones must have their default value, or may be anything with
    ``rest="any"``. The matched node may have any number of users: a node that others need too is kept by
    the engine. Constants in ``args`` match equal constants of the same type, and a list of patterns a list of
    as many arguments.
    """

    def __init__(
        self, fns: Callable[..., Any] | Sequence[Callable[..., Any]], *args: Any, rest: Rest = "default"
    ):
        # A pattern object that occurs twice must match one node; ANY is meant to match anything each time.
        fresh = tuple(map(_fresh, args))
        super().__init__(fns, *fresh, _users=MULTIPLE)
        self.rest: Rest = rest

    def operands(self, node: Node) -> tuple[Any, ...] | None:
        """The node's arguments that ``args`` are compared with; None if the rest of the call does not fit."""
        values = arguments(node)
        count = len(self.args)
        if values is None or len(values) <= count:
            return values if values is not None and len(values) == count else None
        # A call of no more arguments has the defaults for the rest.
        if self.rest == "default" and (len(node.args) > count or node.kwargs):
            if not isinstance(node.target, OpOverload):
                return None
            if values[count:] != signature(node.target).defaults[count:]:
                return None
        return values[:count]

    def _match(self, node: Node, ctx: MatchContext) -> Any:
        operands = self.operands(node) if self._match_fns(node) else None
        if operands is None:
            return FailedMatch("call mismatch: node={}, pattern={}", node, self)
        found = Match(ctx, self)
        failed = _extend(found, list(self.args), operands, ctx)
        if failed is not None:
            return failed
        found.nodes.append(node)
        found.targets[self] = node.target
        return found

    def pattern_eq(self, other: Any) -> bool:
        return bool(super().pattern_eq(other)) and self.rest == other.rest


class Chain(OpCall):
    """One or more calls of ``fns``, each of the result before it as its first argument; ``x`` is what the first
    of them is called on. Other arguments may be anything. The engine tries every length, the longest first.

    It stands alone: a chain inside another pattern is refused when a rule is made. In a foreign pattern matcher
    one call is matched, and the engine then looks at longer chains itself.
    """

    def __init__(self, fns: Sequence[Callable[..., Any]], x: KeywordArg):
        super().__init__(fns, x, rest="any")
        self._targets = tuple(fns)

    def of_length(self, calls: int) -> OpCall:
        """The pattern of exactly so many calls, as a nest."""
        (inner,) = self.args
        for _ in range(calls):
            inner = OpCall(self._targets, inner, rest="any")
        assert isinstance(inner, OpCall)
        return inner


class Assembly(OpCall):
    """A tree of calls of ``fns`` that cut and join along one dim (see ``noopelim.parts``); ``x`` is any value that
    one of them is called on. The engine tries every one, the farthest first. Like a chain it stands alone."""

    def __init__(self, fns: Sequence[Callable[..., Any]], x: KeywordArg, forms: Sequence[OpCall] = ()):
        super().__init__(fns, x, rest="any")
        self.forms = tuple(forms)
        """Trees of a fixed shape that bind ``x``: what verification makes instances of."""

    def operands(self, node: Node) -> tuple[Any, ...] | None:
        # In a foreign pattern matcher the first argument alone is matched, and the engine looks at the tree.
        found = arguments(node)
        return None if not found else found[:1]


def _fresh(argument: Any) -> Any:
    if isinstance(argument, list | tuple):
        return [_fresh(a) for a in argument]
    return Ignored() if isinstance(argument, Ignored) else argument


def _extend(found: Match, pattern: Any, operand: Any, ctx: MatchContext) -> FailedMatch | None:
    """Match one argument, or a list of them item by item, into ``found``."""
    if isinstance(pattern, list | tuple):
        if not isinstance(operand, list | tuple) or len(operand) != len(pattern):
            return FailedMatch("length mismatch: {} is no list of {}", operand, len(pattern))
        for inner, item in zip(pattern, operand, strict=True):
            failed = _extend(found, inner, item, ctx)
            if failed is not None:
                return failed
        return None
    if not isinstance(pattern, PatternExpr):
        same = same_constant(pattern, operand)
        return None if same else FailedMatch("constant mismatch: {} is not {}", operand, pattern)
    part = ctx.match(pattern, operand)
    if isinstance(part, FailedMatch):
        return part
    found.extend(part)
    return None


@dataclass(frozen=True, slots=True)
class Computed:
    """A template argument worked out from the match. ``of(f, ...)`` takes the facts and, by name, bound
    variables, like a predicate; it returns ints, or None to say that this match has no such form."""

    of: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Calls:
    """A template of several view-like calls on ``x``, worked out from the match: ``of(f, ...)`` returns the steps
    (see ``noopelim.shortest``), or None. The engine takes them if they are fewer than the calls that go."""

    x: KeywordArg
    of: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Built:
    """A template of calls that cut and join, worked out from the match: ``of(f)`` returns pieces (see
    ``noopelim.pieces``), or None. The engine takes them if they need fewer calls than go."""

    of: Callable[..., Any]


def same_constant(expected: object, found: object) -> bool:
    """Equality that does not take ``True`` for ``1`` or ``0.0`` for ``-0.0``."""
    if type(expected) is not type(found):
        return False
    return expected == found and str(expected) == str(found)


def calls_in(pattern: object) -> Iterator[OpCall]:
    """The ``OpCall`` nodes of a pattern or template, root first."""
    if isinstance(pattern, OpCall):
        yield pattern
        for argument in pattern.args:
            yield from calls_in(argument)
    elif isinstance(pattern, list | tuple):
        for item in pattern:
            yield from calls_in(item)


def variables_in(pattern: object) -> Iterator[str]:
    """The variable names of a pattern or template, in order, once per occurrence."""
    if isinstance(pattern, KeywordArg):
        yield pattern.name
    elif isinstance(pattern, Calls):
        yield pattern.x.name
    elif isinstance(pattern, OpCall):
        for argument in pattern.args:
            yield from variables_in(argument)
    elif isinstance(pattern, list | tuple):
        for item in pattern:
            yield from variables_in(item)
    elif isinstance(pattern, PatternExpr):
        inner = getattr(pattern, "pattern", None)
        if isinstance(inner, PatternExpr):
            yield from variables_in(inner)
