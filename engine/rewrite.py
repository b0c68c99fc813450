"""One proposed rewrite, worked out in full before anything is changed: proof, legality, new metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.fx import Node, map_arg

from .aliasing import Site
from .attention import may_be_fused, misread_by
from .calls import arguments, nodes_in, op_name, tensor_of
from .dense import needs_no_guard
from .effects import kept_for_effect
from .errors import MissingMetadata
from .facts import Facts, Value
from .integers import Prover
from .layout import row_major
from .legality import Legality
from .match import Matched
from .pattern import Built, Calls, Computed, OpCall
from .plans import NewCall, Plan, Refusal, ask, blocked, call_fake, restride, with_values
from .proof import Proof
from .rebuild import plan_built
from .rechain import plan_calls
from .remarks import Stage
from .rule import Rule
from .spellings import RELABELS, RESHAPES
from .torch_api import FakeTensor, KeywordArg, has_symbols, storage_key
from .transaction import Transaction

_aten = torch.ops.aten
_VIEWING_RESHAPES = (_aten.reshape.default, _aten.view.default, _aten._unsafe_view.default)
DECOMPOSED = frozenset({_aten.clamp.default, _aten.roll.default, _aten.nan_to_num.default})
"""Inductor writes these in terms of others before its passes run, and does not know them afterwards."""
_ALWAYS = Proof.of(True, "nothing beyond the pattern", "the law of the rule")


def plan(
    rule: Rule,
    root: Node,
    matched: Matched,
    prover: Prover,
    aliasing: Callable[[], Legality],
    facts: Callable[[], Facts],
) -> Plan | Refusal | None:
    """Decide one match; None if there is nothing to say of it. ``facts`` are those of the root, asked for unless sizes
    alone refute the match; ``aliasing`` is asked for only once the values are proved equal.

    Whatever the rule's own functions raise, apart from ``MissingMetadata``, is raised.
    """
    try:
        outcome: Plan | Refusal | None
        if isinstance(rule.to, Calls):
            outcome = plan_calls(rule, rule.to, facts(), matched, prover, aliasing)
        elif isinstance(rule.to, Built):
            outcome = plan_built(rule, rule.to, facts(), matched, prover, aliasing)
        else:
            outcome = _plan_longest(rule, root, matched, aliasing, facts)
    except MissingMetadata as missing:
        return Refusal(rule, Stage.SKIPPED, str(missing))
    if isinstance(outcome, Plan) and isinstance(outcome.to, NewCall):
        product = misread_by(root, outcome.to, matched.nodes)
        if product is not None and aliasing().fused_later and may_be_fused(root.graph):
            facts().looked_afar()
            why = f"patterns for attention could take the shorter form at {product.name} for another"
            return Refusal(rule, Stage.BLOCKED, why)
    return outcome


def _plan_longest(
    rule: Rule, root: Node, matched: Matched, aliasing: Callable[[], Legality], facts: Callable[[], Facts]
) -> Plan | Refusal:
    nearest: Refusal | None = None
    for candidate in (*matched.longer, matched):
        outcome = _refuted(rule, root, candidate) or _plan_one(rule, root, candidate, facts(), aliasing)
        if isinstance(outcome, Plan):
            return outcome
        if nearest is None or outcome.stage > nearest.stage:
            nearest = outcome
    assert nearest is not None
    return nearest


def _refuted(rule: Rule, root: Node, matched: Matched) -> Refusal | None:
    """A value of other sizes cannot stand for the root, whatever the predicate makes of it: of sizes that are numbers
    that is cheaper to see. None: it may be that it can."""
    to = rule.to
    source = matched.values[to.name] if isinstance(to, KeywordArg) else None
    if not isinstance(source, Node) or rule.where is None:
        return None
    ours, theirs = root.meta.get("val"), source.meta.get("val")
    if not (isinstance(ours, torch.Tensor) and isinstance(theirs, torch.Tensor)):
        return None
    rank, their_rank = ours.dim(), theirs.dim()
    if rank == their_rank and (has_symbols(ours) or has_symbols(theirs) or ours.size() == theirs.size()):
        return None

    def told() -> Proof:
        by = "sizes" if rank == their_rank else f"rank {rank} and rank {their_rank}"
        claim = f"shape of {Value(root)!r} == shape of {Value(source)!r}"
        return Proof.of(False, claim, by)

    return Refusal(rule, Stage.REFUTED, told)


def _plan_one(
    rule: Rule, root: Node, matched: Matched, facts: Facts, aliasing: Callable[[], Legality]
) -> Plan | Refusal:
    try:
        proof = _ALWAYS if rule.where is None else ask(rule.where, facts, matched)
        if not isinstance(proof, Proof):
            raise TypeError(f"`where` returned {proof!r}, not a Proof; return what the facts answer")
        if not proof.proved:
            return Refusal(rule, Stage[proof.truth.name], proof)
        legality = aliasing()
        if isinstance(rule.to, OpCall):
            return _plan_call(rule, rule.to, facts, matched, legality, proof)
        assert isinstance(rule.to, KeywordArg)
        source = matched.values[rule.to.name]
        if not isinstance(source, Node):
            return Refusal(rule, Stage.SKIPPED, f"{rule.to.name} is {source!r}, not a value of the graph")
        site = Site(root, matched.nodes, source)
        verdict = legality.may_replace(site)
        if not verdict.legal:
            return blocked(rule, verdict, facts)
        found = Plan(rule, root, source, proof, verdict)
        return with_values(found, site, tensor_of(source), legality, facts)
    except MissingMetadata as missing:
        return Refusal(rule, Stage.SKIPPED, str(missing))


def _plan_call(
    rule: Rule, template: OpCall, facts: Facts, matched: Matched, legality: Legality, proof: Proof
) -> Plan | Refusal:
    root = matched.nodes[0]
    args = []
    for argument in template.args:
        if isinstance(argument, KeywordArg):
            args.append(matched.values[argument.name])
        elif isinstance(argument, Computed):
            computed = ask(argument.of, facts, matched)
            if computed is None:
                return Refusal(rule, Stage.UNKNOWN, "the shorter form cannot be written down")
            args.append(list(computed) if isinstance(computed, tuple) else computed)
        else:
            args.append(argument)
    # The root's own spelling where it has one: view stays view, reshape stays reshape.
    target = root.target if root.target in template.fns else template.fns[0]
    if target in DECOMPOSED and all(n.target is not target for n in matched.nodes):
        what = f"it would call {target}, which is nowhere in what it replaces: not every compiler knows it"
        return Refusal(rule, Stage.BLOCKED, what)
    sources = [n for n in nodes_in(args) if tensor_of(n) is not None]
    if not sources:
        return Refusal(rule, Stage.SKIPPED, "the template reads no tensor with metadata")
    value = _reshaped_run(matched, args, sources[0])
    if value is None:
        # Of an empty tensor that is no dense run, torch's fake reshape tells other strides than the real one.
        if target in RESHAPES and not Proof.all(facts.le(1, n) for n in facts.root.shape).proved:
            return Refusal(rule, Stage.BLOCKED, "the strides of a reshape that may be empty are not known")
        values = map_arg(tuple(args), lambda n: n.meta["val"])
        value = call_fake(target, values, tensor_of(sources[0]), legality.asked)
    if value is None:
        return Refusal(
            rule, Stage.BLOCKED, f"{op_name(root)} of {sources[0].name} does not run without a guard"
        )
    for source in sources:
        site = Site(root, matched.nodes, source)
        verdict = legality.may_recompute(site, value)
        if not verdict.legal:
            return blocked(rule, verdict, facts)
    new = NewCall(target, tuple(args), value)  # type: ignore[arg-type]
    return with_values(Plan(rule, root, new, proof, verdict), site, value, legality, facts)


def _reshaped_run(matched: Matched, args: list[Any], source: Node) -> torch.Tensor | None:
    """What a reshape of ``source`` computes, where no kernel need be asked: it is a view if the source is
    one dense run of elements, and its sizes are the root's if only relabelling calls lie between."""
    root = matched.nodes[0]
    ours, theirs = tensor_of(root), tensor_of(source)
    if not isinstance(ours, FakeTensor) or not isinstance(theirs, FakeTensor):
        return None
    if root.target not in _VIEWING_RESHAPES or any(n.target not in RELABELS for n in matched.nodes):
        return None
    operands = arguments(root)
    if operands is None or args != [source, operands[1]]:
        return None
    # A stride of a unit dim that is out of line could be handed on to a dim of the result.
    if not (row_major(theirs, unit_dims_too=True) and row_major(ours, unit_dims_too=True)):
        return None
    if not needs_no_guard(theirs.size(), ours.size()):
        return None
    if storage_key(ours) == storage_key(theirs):
        return ours
    return restride(theirs, ours, theirs.storage_offset())


def carry_out(found: Plan, transaction: Transaction) -> tuple[Node, list[Node], list[Node]]:
    """Make the planned change. Returns what now stands for the root, the users that now read another value, or one
    computed otherwise, and the calls that were made, in order. That is the root itself, with other arguments, if all
    that changes is what it is called on."""
    root, new = found.root, found.to
    if isinstance(new, NewCall) and new.target is root.target and not _makes_more(new.args):
        users = list(root.users)
        transaction.rewrite(root, new.args, new.value)
        _restate(found, transaction)
        return root, users, [root]
    made: list[Node] = []

    def written(argument: Any) -> Any:
        if isinstance(argument, list):
            return [written(a) for a in argument]
        return insert(argument) if isinstance(argument, NewCall) else argument

    def insert(call: NewCall) -> Node:
        args = tuple(map(written, call.args))
        made.append(transaction.insert(found.root, call.target, args, call.value, like=found.root))
        return made[-1]

    to = insert(new) if isinstance(new, NewCall) else new
    _restate(found, transaction)
    return to, transaction.replace(found.root, to), made


def _makes_more(argument: Any) -> bool:
    return isinstance(argument, NewCall) or (
        isinstance(argument, list | tuple) and any(map(_makes_more, argument))
    )


def _restate(found: Plan, transaction: Transaction) -> None:
    for view, value in found.values.items():
        transaction.set_value(view, value)


def retire(node: Node, transaction: Transaction) -> list[Node]:
    """Retire a node that lost its last user, and the producers that this leaves without users and that
    may go. Returns every producer that lost a user, retired or not."""
    return _release(transaction.retire(node), transaction)


def clear_away(root: Node, to: Node, operands: Iterable[Node], transaction: Transaction) -> list[Node]:
    """As :func:`retire`, of a root whose place ``to`` took; of what it was called on, ``operands``, if it stays."""
    if to is root:
        return _release([n for n in operands if root not in n.users], transaction)
    return retire(root, transaction)


def _release(producers: Iterable[Node], transaction: Transaction) -> list[Node]:
    touched: list[Node] = []
    waiting = list(producers)
    while waiting:
        operand = waiting.pop()
        touched.append(operand)
        if not operand.users and not transaction.is_dead(operand) and kept_for_effect(operand) is None:
            waiting += transaction.retire(operand)
    return touched
