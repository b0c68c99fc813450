"""One proposed rewrite, worked out in full before anything is changed: proof, legality, new metadata."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.fx import Node, map_arg

from .calls import arguments, nodes_in, op_name, tensor_of
from .effects import kept_for_effect
from .errors import MissingMetadata
from .facts import Facts, resolve
from .fake import run_fake
from .integers import Prover
from .layout import row_major
from .legality import Legality, Site, Verdict
from .match import Matched
from .pattern import Computed, OpCall
from .proof import Proof
from .remarks import Stage
from .rule import Rule, parameters_of
from .spellings import RELABELS, RESHAPES
from .torch_api import FakeTensor, KeywordArg, OpOverload, storage_key
from .transaction import Transaction

_aten = torch.ops.aten
_VIEWING_RESHAPES = (_aten.reshape.default, _aten.view.default, _aten._unsafe_view.default)
_ALWAYS = Proof.of(True, "nothing beyond the pattern", "the law of the rule")


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call to insert before the root: what to call, with which arguments, and what it computes."""

    target: Callable[..., Any]
    args: tuple[Any, ...]
    value: torch.Tensor


@dataclass(frozen=True, slots=True)
class Plan:
    """A rewrite that is proved and legal. ``to`` stands for ``root``; ``values``: metadata that must change
    with it, because views of the root come to live in other memory."""

    rule: Rule
    root: Node
    to: Node | NewCall
    proof: Proof
    verdict: Verdict
    values: dict[Node, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a matched rule does not apply."""

    rule: Rule
    stage: Stage
    why: Proof | str


def plan(
    rule: Rule, root: Node, matched: Matched, prover: Prover, aliasing: Callable[[], Legality]
) -> Plan | Refusal:
    """Decide one match. ``aliasing`` is asked only once the values are proved equal.

    Whatever the rule's own functions raise, apart from ``MissingMetadata``, is raised.
    """
    try:
        facts = Facts(prover, root)
        proof = _ALWAYS if rule.where is None else _ask(rule.where, facts, matched)
        if not isinstance(proof, Proof):
            raise TypeError(f"`where` returned {proof!r}, not a Proof; return what the facts answer")
        if not proof.proved:
            return Refusal(rule, Stage[proof.truth.name], proof)
        legality = aliasing()
        if isinstance(rule.to, OpCall):
            return _plan_call(rule, rule.to, facts, matched, legality, proof)
        source = matched.values[rule.to.name]
        if not isinstance(source, Node):
            return Refusal(rule, Stage.SKIPPED, f"{rule.to.name} is {source!r}, not a value of the graph")
        site = Site(root, matched.nodes, source)
        verdict = legality.may_replace(site)
        if not verdict.legal:
            return Refusal(rule, Stage.BLOCKED, verdict.why)
        return _with_values(Plan(rule, root, source, proof, verdict), site, tensor_of(source), legality)
    except MissingMetadata as missing:
        return Refusal(rule, Stage.SKIPPED, str(missing))


def _ask(function: Callable[..., Any], facts: Facts, matched: Matched) -> Any:
    return function(facts, *(resolve(matched.values[name]) for name in parameters_of(function)))


def _plan_call(
    rule: Rule, template: OpCall, facts: Facts, matched: Matched, legality: Legality, proof: Proof
) -> Plan | Refusal:
    root = matched.nodes[0]
    args = []
    for argument in template.args:
        if isinstance(argument, KeywordArg):
            args.append(matched.values[argument.name])
        elif isinstance(argument, Computed):
            computed = _ask(argument.of, facts, matched)
            if computed is None:
                return Refusal(rule, Stage.UNKNOWN, "the shorter form cannot be written down")
            args.append(list(computed) if isinstance(computed, tuple) else computed)
        else:
            args.append(argument)
    # The root's own spelling where it has one: view stays view, reshape stays reshape.
    target = root.target if root.target in template.fns else template.fns[0]
    sources = [n for n in nodes_in(args) if tensor_of(n) is not None]
    if not sources:
        return Refusal(rule, Stage.SKIPPED, "the template reads no tensor with metadata")
    value = _reshaped_run(matched, args, sources[0])
    if value is None:
        # Of an empty tensor that is no dense run, torch's fake reshape tells other strides than the real one.
        if target in RESHAPES and not Proof.all(facts.le(1, n) for n in facts.root.shape).proved:
            return Refusal(rule, Stage.BLOCKED, "the strides of a reshape that may be empty are not known")
        value = _call_fake(target, args, sources[0])
    if value is None:
        return Refusal(
            rule, Stage.BLOCKED, f"{op_name(root)} of {sources[0].name} does not run without a guard"
        )
    for source in sources:
        site = Site(root, matched.nodes, source)
        verdict = legality.may_recompute(site, value)
        if not verdict.legal:
            return Refusal(rule, Stage.BLOCKED, verdict.why)
    new = NewCall(target, tuple(args), value)  # type: ignore[arg-type]
    return _with_values(Plan(rule, root, new, proof, verdict), site, value, legality)


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
    if storage_key(ours) == storage_key(theirs):
        return ours
    return _restride(theirs, ours, theirs.storage_offset())


def _call_fake(target: object, args: list[Any], source: Node) -> torch.Tensor | None:
    """What the call computes; None if it raises, would need a guard or is no tensor."""
    operand = tensor_of(source)
    if not isinstance(operand, FakeTensor) or not isinstance(target, OpOverload):
        return None
    result = run_fake(target, map_arg(tuple(args), lambda n: n.meta["val"]), {}, operand)
    return result if isinstance(result, torch.Tensor) else None


def _with_values(found: Plan, site: Site, value: torch.Tensor | None, legality: Legality) -> Plan | Refusal:
    """Views of the root that came to live in the memory of ``value`` must say so in their metadata."""
    ours = tensor_of(site.root)
    if value is None or ours is None or storage_key(ours) == storage_key(value):
        return found
    moved: dict[Node, Any] = {site.root: value}
    for view in legality.views_of(site.root):
        restated = _restated(view, value, ours, moved)
        if restated is None:
            reason = f"the metadata of its view {view.name} cannot be restated"
            return Refusal(found.rule, Stage.BLOCKED, reason)
        moved[view] = restated
    found.values.update((view, new) for view, new in moved.items() if view is not site.root)
    return found


def _restated(view: Node, value: torch.Tensor, old: torch.Tensor, moved: dict[Node, Any]) -> Any:
    """What ``view`` computes once the memory of ``old`` is that of ``value``; None if it cannot be told."""
    before = view.meta.get("val")
    if not isinstance(value, FakeTensor) or before is None:
        return None
    if isinstance(before, torch.Tensor):
        if storage_key(before) != storage_key(old):
            return before
        bits = (value.dtype, value.is_conj(), value.is_neg())
        if (before.dtype, before.is_conj(), before.is_neg()) == bits:
            return _restride(value, before, before.storage_offset())
    args, kwargs = map_arg((view.args, view.kwargs), lambda n: moved.get(n, n.meta.get("val")))
    return run_fake(view.target, args, kwargs, value)


def _restride(value: FakeTensor, like: torch.Tensor, offset: int | torch.SymInt) -> torch.Tensor | None:
    """The memory of ``value`` seen with the sizes and strides of ``like``; None if that needs a guard."""
    found = run_fake(torch.as_strided, (value, like.size(), like.stride(), offset), {}, value)
    return found if isinstance(found, torch.Tensor) else None


def carry_out(found: Plan, transaction: Transaction) -> tuple[Node, list[Node]]:
    """Make the planned change. Returns what now stands for the root, and the users that it has gained."""
    to = found.to
    if isinstance(to, NewCall):
        to = transaction.insert(found.root, to.target, to.args, to.value, like=found.root)
    for view, value in found.values.items():
        transaction.set_value(view, value)
    return to, transaction.replace(found.root, to)


def retire(node: Node, transaction: Transaction) -> list[Node]:
    """Retire a node that lost its last user, and the producers that this leaves without users and that
    may go. Returns every producer that lost a user, retired or not."""
    touched, stack = [], [node]
    while stack:
        for operand in transaction.retire(stack.pop()):
            touched.append(operand)
            if not operand.users and kept_for_effect(operand) is None:
                stack.append(operand)
    return touched
