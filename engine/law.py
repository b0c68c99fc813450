"""Does the law of a rule hold on one instance? The very pattern, predicate and replacement are run on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Node

from .constants import forget
from .drawing import Drawn
from .errors import MissingMetadata
from .facts import Facts, resolve
from .instances import CallOf
from .integers import Prover
from .laying import Laying, as_graph
from .match import Matched, compile_pattern
from .operands import bits_of
from .pattern import Built, Calls, Computed, OpCall
from .proof import Proof
from .rule import Exact, Rule, parameters_of
from .torch_api import KeywordArg

_aten = torch.ops.aten


class Refused(Exception):
    """The call of the template does not run on this instance."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """How a rule is wrong on an instance: in one sentence, with what it takes the root to be (a part of the
    instance, or a call of its template; None if it raised) and the claim that let it through."""

    what: str
    call: CallOf
    to: Any
    claim: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """``proof``: what the predicate said; None if the pattern did not match, or facts were missing."""

    proof: Proof | None = None
    wrong: Wrong | None = None

    @property
    def fired(self) -> bool:
        """Would the rule stand for the root here, as far as values go?"""
        return self.proof is not None and self.proof.proved


class Judge:
    """Tries one rule on instances."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._match = compile_pattern(rule.pattern)
        self._prover = Prover()
        self._laying = Laying()

    def asked(
        self, call: CallOf, values: Mapping[int, Any], done: Mapping[int, Any], prover: Prover | None = None
    ) -> tuple[Proof | None, Matched | None, dict[Node, Any]]:
        """What the predicate says of an instance of known values, real or fake, with the match and the part of
        the instance behind each node. Without a ``prover`` of its own, the graph that this is about lasts until
        the next. Raises whatever the predicate raises."""
        lay = self._laying.lay if prover is None else as_graph
        # Nodes are laid anew: nothing that was worked out of them is true any more.
        forget(self._prover)
        root, behind = lay(call, values, done)
        matched = self._match(root)
        if matched is None:
            return None, None, behind
        where = self.rule.where
        try:
            facts = Facts(self._prover if prover is None else prover, root)
            if where is None:
                return Proof.of(True, "nothing beyond the pattern", "the law of the rule"), matched, behind
            proof = where(facts, *(resolve(matched.values[name]) for name in parameters_of(where)))
        except MissingMetadata:
            return None, matched, behind
        if not isinstance(proof, Proof):
            raise TypeError(f"`where` returned {proof!r}, not a Proof; return what the facts answer")
        return proof, matched, behind

    def judge(self, drawn: Drawn, claimed: str | None = None) -> Judgement:
        """The judgement of one instance. ``claimed``: what the predicate proved of it already for all sizes, so
        that what follows must be true, and be proved here again."""
        call, done = drawn.call, drawn.done
        try:
            proof, matched, behind = self.asked(call, drawn.tensors, done)
        except Exception as error:
            return Judgement(None, Wrong(raised("`where`", error), call, None, ""))
        if matched is None or proof is None or (claimed is None and not proof.proved):
            return Judgement(proof)
        claim = proof.claim if claimed is None else claimed
        try:
            to, value = self._replacement(matched, behind)
        except (Refused, MissingMetadata):
            return Judgement()
        except Exception as error:
            what = raised("the replacement", error)
            return Judgement(proof, Wrong(what, call, None, claim))
        if not isinstance(value, torch.Tensor):
            return Judgement()
        differs = difference(done[id(call)], value, self.rule.exact)
        if differs is None and not proof.proved:
            differs, to = f"proved for all sizes, yet not for these: {proof}", None
        return Judgement(proof, Wrong(differs, call, to, claim) if differs else None)

    def _replacement(self, matched: Matched, behind: dict[Node, Any]) -> tuple[Any, Any]:
        """What stands for the root, and its value; no value if that is no tensor, or cannot be written down."""
        rule = self.rule
        if isinstance(rule.to, Built):
            return self._built(rule.to, matched, behind)
        if isinstance(rule.to, Calls):
            return self._chain(rule.to, matched, behind)
        if not isinstance(rule.to, OpCall):
            node = matched.values[rule.to.name]
            return (behind[node], node.meta["val"]) if isinstance(node, Node) else (None, None)
        root = matched.nodes[0]
        arguments: list[Any] = []
        for argument in rule.to.args:
            raw = matched.values[argument.name] if isinstance(argument, KeywordArg) else argument
            if isinstance(argument, Computed):
                names = parameters_of(argument.of)
                raw = argument.of(
                    Facts(self._prover, root), *(resolve(matched.values[name]) for name in names)
                )
                if raw is None:
                    return None, None
                raw = list(raw) if isinstance(raw, tuple) else raw
            arguments.append(raw)
        target: Any = root.target if root.target in rule.to.fns else rule.to.fns[0]
        try:
            value = target(*_each_node(arguments, lambda node: node.meta["val"]))
        except Exception as error:
            # As a view of a source that lies otherwise in memory: the engine then keeps the root.
            raise Refused from error
        return CallOf(target, tuple(_each_node(arguments, behind.__getitem__))), value

    def _built(self, template: Built, matched: Matched, behind: dict[Node, Any]) -> tuple[Any, Any]:
        """The value of the pieces that the root is taken to be made of."""
        recipe = template.of(Facts(self._prover, matched.nodes[0]))
        if recipe is None:
            return None, None
        root = matched.nodes[0].meta["val"]
        parts: list[torch.Tensor] = []
        calls: list[Any] = []
        for piece in recipe.pieces:
            start, end = int(piece.start), int(piece.start + piece.length)
            if piece.lifted and isinstance(piece.source, Node):
                parts.append(_aten.unsqueeze.default(piece.source.meta["val"], recipe.dim))
                calls.append(CallOf(_aten.unsqueeze.default, (behind[piece.source], recipe.dim)))
            elif isinstance(piece.source, Node):
                source = piece.source.meta["val"]
                parts.append(_aten.slice.Tensor(source, recipe.dim, start, end))
                calls.append(CallOf(_aten.slice.Tensor, (behind[piece.source], recipe.dim, start, end)))
            else:
                shape = [end if d == recipe.dim else n for d, n in enumerate(root.shape)]
                parts.append(root.new_full(shape, recipe.fill))
                calls.append(None)
        value = _aten.cat.default(parts, recipe.dim)
        if recipe.picks:
            value = value.squeeze(recipe.dim)
        # A counterexample shows the one piece; of several it shows the values alone.
        return (calls[0] if len(calls) == 1 and not recipe.picks else None), value

    def _chain(self, template: Calls, matched: Matched, behind: dict[Node, Any]) -> tuple[Any, Any]:
        """The shorter chain and its value. How many calls it saves is not a matter of the law."""
        source = matched.values[template.x.name]
        names = parameters_of(template.of)
        facts = Facts(self._prover, matched.nodes[0])
        steps = template.of(facts, *(resolve(matched.values[name]) for name in names))
        if steps is None or not isinstance(source, Node):
            return None, None
        to, value = behind[source], source.meta["val"]
        for step in steps:
            target, args = step.call()
            try:
                value = target(value, *args)
            except Exception as error:
                raise Refused from error
            to = CallOf(target, (to, *args))
        return to, value


def raised(what: str, error: Exception) -> str:
    """In one line; torch says much more."""
    return f"{what} raised {type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def _each_node(arguments: list[Any], of: Callable[[Node], Any]) -> list[Any]:
    """The arguments, in lists too, with ``of`` of each node in its place."""
    return [
        _each_node(a, of) if isinstance(a, list) else of(a) if isinstance(a, Node) else a for a in arguments
    ]


def difference(expected: object, got: object, exact: Exact = Exact.BITS) -> str | None:
    """How ``got`` differs from ``expected`` in shape, dtype or elements, in words; None if it does not. Memory
    layout is the engine's to keep, for every rule."""
    if not isinstance(expected, torch.Tensor) or not isinstance(got, torch.Tensor):
        return f"a {type(expected).__name__} is no {type(got).__name__}"
    if expected.shape != got.shape:
        return f"shape {tuple(expected.shape)} becomes {tuple(got.shape)}"
    if expected.dtype is not got.dtype:
        return f"{expected.dtype} becomes {got.dtype}"
    if _one_view(expected, got):
        return None
    same = bits_of(expected) == bits_of(got)
    if exact is not Exact.BITS:
        one, other = _numbers(expected), _numbers(got)
        equal = one == other
        if exact is Exact.NAN_PAYLOAD and one.dtype.is_floating_point:
            equal &= one.signbit() == other.signbit()
        same |= (equal | ((one != one) & (other != other))).view(same.shape)
    if bool(same.all()):
        return None
    at = int((~same.reshape(expected.numel() or 1, -1).all(1)).nonzero()[0])
    return (
        f"element {at} is {expected.reshape(-1)[at].item()!r} and becomes {got.reshape(-1)[at].item()!r}"
        + (" (other bits)" if str(expected.reshape(-1)[at].item()) == str(got.reshape(-1)[at].item()) else "")
    )


def _one_view(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Do two tensors of one shape and dtype read the same memory alike?"""
    return one is other or (
        one.data_ptr() == other.data_ptr()
        and one.stride() == other.stride()
        and one.is_conj() == other.is_conj()
        and one.is_neg() == other.is_neg()
    )


def _numbers(tensor: torch.Tensor) -> torch.Tensor:
    """The elements in row-major order, complex ones as pairs, in a dtype that can be compared."""
    plain = tensor.resolve_conj().resolve_neg().contiguous()
    if plain.dtype.is_complex:
        plain = torch.view_as_real(plain)
    return plain.to(torch.float64) if plain.dtype.is_floating_point else plain
