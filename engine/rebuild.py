"""A tree of calls that cut and join along one dim, replaced by fewer of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch.fx import Node

from .aliasing import Site
from .calls import op_name, tensor_of
from .extents import extent
from .facts import Facts
from .integers import Expr, Prover
from .knowledge import INT64_MAX
from .layout import row_major
from .legality import Legality, Verdict
from .match import Matched
from .pattern import Built
from .pieces import Piece, size_of
from .plans import NewCall, Plan, Refusal, ask, call_fake, with_values
from .polynomial import OutOfReach
from .proof import Proof
from .recipe import Recipe
from .remarks import Stage
from .rule import Rule
from .torch_api import enable_python_dispatcher

_aten = torch.ops.aten


class _Unwritable(Exception):
    """The pieces cannot be written down as calls, for this reason."""


def plan_built(
    rule: Rule,
    template: Built,
    facts: Facts,
    matched: Matched,
    prover: Prover,
    aliasing: Callable[[], Legality],
) -> Plan | Refusal | None:
    """The rewrite, if it needs fewer calls than go: a call goes if what goes is all that reads it."""
    facts.looked_afar()
    root = matched.nodes[0]
    if len(going(matched.nodes)) < 2:
        return None
    recipe = ask(template.of, facts, matched)
    if recipe is None:
        return None
    gone = going(matched.nodes, [p.source for p in recipe.pieces if isinstance(p.source, Node)])
    if recipe.calls >= len(gone):
        return None
    legality = aliasing()
    try:
        to, made = _written(recipe, root, prover, legality)
    except (_Unwritable, OutOfReach) as reason:
        return Refusal(rule, Stage.BLOCKED, str(reason))
    if made >= len(gone):
        return None
    value = to.value
    verdict = Verdict(False, "no piece is a value")
    sources = [n for n in dict.fromkeys(p.source for p in recipe.pieces) if isinstance(n, Node)]
    for source in sources:
        verdict = legality.may_recompute(Site(root, matched.nodes, source), value)
        if not verdict.legal:
            return Refusal(rule, Stage.BLOCKED, verdict.why)
    names = ", ".join(p.source.name if isinstance(p.source, Node) else p.source for p in recipe.pieces)
    proof = Proof.of(True, f"{root.name} is made of {names} along dim {recipe.dim}", "pieces")
    site = Site(root, matched.nodes, sources[0])
    return with_values(Plan(rule, root, to, proof, verdict), site, value, legality)


def going(nodes: Sequence[Node], kept: Iterable[Node] = ()) -> set[Node]:
    """The root, and what of its tree only calls read that go too, except what ``kept`` values are or are made of."""
    stays, stack = set[Node](), list(kept)
    while stack:
        node = stack.pop()
        if node in nodes and node not in stays:
            stays.add(node)
            stack.extend(node.all_input_nodes)
    gone, grown = {nodes[0]}, True
    while grown:
        more = {n for n in nodes if n not in gone | stays and all(user in gone for user in n.users)}
        gone |= more
        grown = bool(more)
    return gone


def _written(recipe: Recipe, root: Node, prover: Prover, legality: Legality) -> tuple[NewCall, int]:
    """The calls, and how many."""

    def known(size: Expr) -> int | Node | None:
        return legality.scalars.argument(extent(prover, size), root)

    def number(size: Expr, of: Node | None = None) -> int | Node:
        found = known(size)
        if found is None and of is not None:
            # A bound that is no node of the graph may be a number from the end.
            whole = size_of(of, recipe.dim)
            from_end = known(size - whole)
            found = from_end if isinstance(from_end, int) and from_end < 0 else None
            if prover.equal(size, whole).proved:
                found = INT64_MAX
        if found is None:
            raise _Unwritable("no node of the graph holds a bound that the shorter form needs")
        return found

    def call(target: Any, *args: Any) -> NewCall:
        value = call_fake(target, tuple(map(_value, args)), tensor_of(root), legality.asked)
        if value is None:
            raise _Unwritable(f"{op_name(root)}: the shorter form does not run without a guard")
        return NewCall(target, args, value)

    def padded(operand: Node | NewCall, pads: list[int | Node]) -> torch.Tensor:
        if any(isinstance(n, Node) for n in pads):
            # The kernel asks which pads are negative, and Inductor asks the kernel.
            with enable_python_dispatcher():
                return call(_aten.constant_pad_nd.default, operand, pads, recipe.fill).value
        # Of rows in order it makes rows in order.
        before, after = _value(operand), tensor_of(root)
        assert after is not None
        value = call_fake(_aten.new_empty.default, (before, after.shape), after)
        if value is None or not row_major(before, unit_dims_too=True):
            raise _Unwritable("what the shorter form would lie like in memory is not known")
        return value

    def cut(piece: Piece) -> Node | NewCall:
        assert isinstance(piece.source, Node)
        if piece.lifted:
            return piece.source if recipe.picks else call(_aten.unsqueeze.default, piece.source, recipe.dim)
        if recipe.picks:
            return call(_aten.select.int, piece.source, recipe.dim, number(piece.start))
        if recipe.whole(piece):
            return piece.source
        end = piece.start + piece.length
        bounds = (number(bound, piece.source) for bound in (piece.start, end))
        return call(_aten.slice.Tensor, piece.source, recipe.dim, *bounds)

    if recipe.stacks:
        return call(_aten.stack.default, [p.source for p in recipe.pieces], recipe.dim), 1
    if recipe.over is not None:
        start = _start(recipe)
        if recipe.written.lifted:
            index = number(start, recipe.over)
            part = recipe.written.source
            return call(_aten.select_scatter.default, recipe.over, part, recipe.dim, index), 1
        source = cut(recipe.written)
        end = number(start + recipe.written.length, recipe.over)
        # Inductor compares an end that is given with the size, and guards.
        bounds = number(start, recipe.over), None if end == INT64_MAX else end
        made = 1 + isinstance(source, NewCall)
        return call(_aten.slice_scatter.default, recipe.over, source, recipe.dim, *bounds), made
    parts = [cut(p) for p in recipe.pieces if isinstance(p.source, Node)]
    fills = {p.source for p in recipe.pieces if isinstance(p.source, str)}
    made = sum(isinstance(part, NewCall) for part in parts)
    if fills:
        before, after = recipe.pads()
        rank = len(tensor_of(root).shape)  # type: ignore[union-attr]
        pads = [0, 0] * (rank - 1 - recipe.dim) + [number(before), number(after)]
        return NewCall(
            _aten.constant_pad_nd.default, (parts[0], pads, recipe.fill), padded(parts[0], pads)
        ), made + 1
    if len(parts) > 1:
        return call(_aten.cat.default, parts, recipe.dim), made + 1
    (only,) = parts
    if isinstance(only, Node):
        raise _Unwritable("the value is one that is there")
    return only, made


def _start(recipe: Recipe) -> Expr:
    """Where the written piece begins."""
    before = recipe.pieces[: recipe.pieces.index(recipe.written)]
    return sum((p.length for p in before), start=0)


def _value(argument: Any) -> Any:
    if isinstance(argument, list):
        return [_value(a) for a in argument]
    if isinstance(argument, NewCall):
        return argument.value
    return argument.meta["val"] if isinstance(argument, Node) else argument
