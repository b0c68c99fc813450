"""A chain of view-like calls replaced by a shorter one: what is written down, what it computes, what it saves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.fx import Node

from .aliasing import Site
from .calls import op_name, tensor_of
from .extents import Extent, plus, times
from .facts import Facts
from .foreseen import NoView, lies_otherwise
from .in_memory import in_memory
from .integers import Prover
from .knowledge import INT64_MAX
from .legality import Legality, Verdict
from .match import Matched
from .movement import Sizes
from .pattern import Calls
from .plans import NewCall, Plan, Refusal, ask, blocked, call_fake, with_values
from .proof import Proof
from .relaid import sees_strides
from .remarks import Stage
from .rule import Rule
from .steps import Step, Steps
from .torch_api import expression_of, has_unguarded_sizes, storage_key

_aten = torch.ops.aten


def plan_calls(
    rule: Rule,
    template: Calls,
    facts: Facts,
    matched: Matched,
    prover: Prover,
    aliasing: Callable[[], Legality],
) -> Plan | Refusal | None:
    """The rewrite that saves most calls, of all lengths of the chain; of equals, the one of the longest.

    A call goes if the root is its only reader, by way of calls that go. So no node is computed twice, and the
    graph becomes smaller. None: there is no shorter form, which is no news of a node.
    """
    choices: list[tuple[int, Matched, Steps]] = []
    for candidate in (*matched.longer, matched):
        gone = _going(candidate.nodes)
        if len(gone) < len(candidate.nodes):
            # A call that others read now may lose them.
            facts.local = False
        if len(gone) < 2:
            continue
        steps = ask(template.of, facts, candidate)
        if steps is not None and len(steps) < len(gone):
            choices.append((len(gone) - len(steps), candidate, steps))
    nearest: Refusal | None = None
    for _, candidate, steps in sorted(choices, key=lambda choice: -choice[0]):
        outcome = _plan_steps(rule, template, candidate, steps, facts, prover, aliasing())
        if isinstance(outcome, Plan):
            return outcome
        if nearest is None or outcome.stage > nearest.stage:
            nearest = outcome
    return nearest


def _going(nodes: Sequence[Node]) -> list[Node]:
    """The root, and what of its chain nobody else reads."""
    gone = [nodes[0]]
    for node in nodes[1:]:
        if len(node.users) > 1:
            break
        gone.append(node)
    return gone


def _plan_steps(
    rule: Rule,
    template: Calls,
    matched: Matched,
    steps: Steps,
    facts: Facts,
    prover: Prover,
    legality: Legality,
) -> Plan | Refusal:
    root, source = matched.nodes[0], matched.values[template.x.name]
    scalars = legality.scalars
    site = Site(root, matched.nodes, source)
    to: Node | NewCall = source
    value, ours = tensor_of(source), tensor_of(root)
    assert value is not None
    assert ours is not None
    reshape = _reshape(matched.nodes)
    # The steps of one chain are one object in one run; each entry keeps them, so that no others can come to have the
    # identity.
    failed, number = facts.moves.failed, facts.moves.layouts.of
    key = id(steps), id(reshape), number(value), number(ours)
    before = facts.moves.shape(source)
    if key not in failed and before is not None:
        try:
            dim = lies_otherwise(steps, value, before, ours, prover, reshape is _aten.view.default)
            if dim is not None:
                failed[key] = steps, dim
        except NoView:
            failed[key] = steps, None
    if key in failed:
        refusal = _failed(rule, site, failed[key][1], facts, legality)
        if refusal is not None:
            return refusal
    copied = []
    for step in steps:
        args = _arguments(step, before, prover, lambda size: scalars.argument(size, root))
        target = reshape if step.kind == "reshape" else step.call()[0]
        if args is None and step.kind == "reshape":
            target, args = _units(before, step.result) or (target, None)
        if args is None:
            facts.near = False
            return Refusal(
                rule, Stage.BLOCKED, "no node of the graph holds a size that the shorter form needs"
            )
        made = call_fake(target, (value, *_values(args)), value, legality.asked)
        if made is None:
            failed[key] = steps, None
            return _no_kernel(rule, root)
        if storage_key(made) != storage_key(value):
            if has_unguarded_sizes(made) or has_unguarded_sizes(value):
                # torch could not ask, and assumed the general case: at some sizes, such as 1, it is a view.
                return Refusal(
                    rule, Stage.BLOCKED, "the shorter form is a copy at some sizes and a view at others"
                )
            copied.append(made)
        to, value, before = NewCall(target, (to, *args), made), made, step.result
    if not _copies_no_more(copied, matched, legality, prover):
        facts.near = False
        return Refusal(rule, Stage.BLOCKED, "the shorter form would copy more")
    if copied and _clones(_going(matched.nodes)) and not in_memory(source, legality.storages):
        facts.near = False
        return Refusal(
            rule, Stage.BLOCKED, f"a clone may be fused with {source.name}, and a reshape that copies may not"
        )
    verdict = legality.may_recompute(site, value) if steps else legality.may_replace(site)
    if not verdict.legal:
        if number(value) != number(ours):
            failed[key] = steps, value
        return blocked(rule, verdict, facts)
    calls = " > ".join(step.kind for step in steps) or "the source"
    proof = Proof.of(True, f"{len(matched.nodes)} calls read what {calls} reads", "index maps")
    return with_values(Plan(rule, root, to, proof, verdict), site, value, legality, facts)


def _failed(
    rule: Rule, site: Site, known: torch.Tensor | int | None, facts: Facts, legality: Legality
) -> Refusal | None:
    """A refusal of what is known to fail of the same layout, if it holds here."""
    if known is None:
        return _no_kernel(rule, site.root)
    if isinstance(known, int):
        seer = sees_strides(site.root)
        if seer is None:
            return None
        reason = f"stride of dim {known} would differ, and {seer.name} ({op_name(seer)}) may see it"
        return blocked(rule, Verdict(False, reason), facts)
    verdict = legality.same_but_for_memory(site, known)
    return None if verdict.legal else blocked(rule, verdict, facts)


def _no_kernel(rule: Rule, root: Node) -> Refusal:
    return Refusal(rule, Stage.BLOCKED, f"{op_name(root)}: the shorter form does not run without a guard")


def _reshape(nodes: Sequence[Node]) -> Any:
    """In the graph's own spelling: before post-grad Inductor knows view alone, and after it reshape."""
    spelled = [n.target for n in nodes if n.target in (_aten.reshape.default, _aten.view.default)]
    return spelled[0] if spelled else _aten.view.default


def _units(before: Sizes | None, after: Sizes) -> tuple[Any, tuple[Any, ...]] | None:
    """A reshape that only drops dims of size 1, or adds one, as the call that names no other size."""
    for dim in range(len(after)):
        if after[dim] == 1 and (*after[:dim], *after[dim + 1 :]) == before:
            return _aten.unsqueeze.default, (dim,)
    units = [] if before is None else [d for d, n in enumerate(before) if n == 1]
    for count in range(1, len(units) + 1):
        for dims in itertools.combinations(units, count):
            if before is not None and tuple(n for d, n in enumerate(before) if d not in dims) == after:
                return _aten.squeeze.dims, (list(dims),)
    return None


def _arguments(
    step: Step, before: Sizes | None, prover: Prover, write: Callable[[Extent], int | Node | None]
) -> tuple[Any, ...] | None:
    """The call's arguments after the tensor; None if some size cannot be written down."""
    if step.kind in ("permute", "flip"):
        return (list(step.args),)
    written = [write(size) for size in step.args]
    if step.kind in ("slice", "select") and before is not None:
        whole = before[step.args[0]]
        for position in (1, 2)[: len(step.args) - 1]:
            if written[position] is None:
                written[position] = _from_end(step.args[position], whole)
    if step.kind == "reshape" and written.count(None) == 1 and _surely_some(step, written, prover):
        written[written.index(None)] = -1
    return None if None in written else tuple(written) if step.kind in ("slice", "select") else (written,)


def _from_end(bound: Extent, whole: Extent) -> int | None:
    """A bound that is no node of the graph may be a number, counted from the end."""
    left = plus(bound, times(whole, -1))
    if not isinstance(left, int) or left > 0:
        return None
    return left or INT64_MAX


def _surely_some(step: Step, written: Sequence[int | Node | None], prover: Prover) -> bool:
    """Is no written size 0? A size of -1 could not be told then."""
    return all(
        size > 0 if isinstance(size, int) else prover.at_most(1, expression_of(size.meta["val"])).proved
        for size in written
        if size is not None
    )


def _values(args: Sequence[Any]) -> list[Any]:
    return [_values(a) if isinstance(a, list) else a.meta["val"] if isinstance(a, Node) else a for a in args]


def _clones(nodes: Sequence[Node]) -> bool:
    return any(n.target is _aten.clone.default for n in nodes)


def _copies_no_more(
    made: Sequence[torch.Tensor], matched: Matched, legality: Legality, prover: Prover
) -> bool:
    """Each copy of the new chain must replace one of the old that goes and is no smaller."""
    old = [n for n in _going(matched.nodes) if legality.storages.views(n) is not True]
    sizes = [_numel(t) for n in old if (t := tensor_of(n)) is not None]
    if len(made) > len(sizes):
        return False
    return all(any(prover.at_most(_numel(new), size).proved for size in sizes) for new in made)


def _numel(tensor: torch.Tensor) -> Any:
    total: Any = 1
    for size in tensor.shape:
        total = total * expression_of(size)
    return total
