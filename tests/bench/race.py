"""The same claims put to noopelim and to torch in one process, in turns, from cold caches."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import sympy
import torch
import torch.fx.experimental.symbolic_shapes as symbolic_shapes
import torch.utils._sympy.functions as functions
from questions import Claim, Expr, Group
from sympy.core.cache import clear_cache
from torch._inductor.sizevars import statically_known_true
from torch.fx.experimental.symbolic_shapes import ShapeEnv

from noopelim.integers import Prover
from noopelim.torch_api import snapshot

PROVED, REFUTED, UNKNOWN = "proved", "refuted", "unknown"
OURS, SYMPY, SYMINT = "noopelim", "torch, sympy", "torch, SymInt"


@dataclass(frozen=True, slots=True)
class Answer:
    """``by`` and ``witness`` are noopelim's alone."""

    truth: str
    by: str = ""
    witness: Mapping[sympy.Symbol, int] = field(default_factory=dict)


Ask = Callable[[Claim], Answer]


@dataclass
class Result:
    """What each contender said of one claim, and its best time over the rounds, in nanoseconds of processor."""

    group: Group
    claim: Claim
    answers: dict[str, Answer] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    holds: bool = True
    confirmed: bool | None = None
    """Does evaluation agree with the witness of a refutation?"""

    @property
    def family(self) -> str:
        """Claims that two copies of one expression are equal are apart: they would hide the others."""
        return f"{self.group.family}, a == a" if self.identical else self.group.family

    @property
    def identical(self) -> bool:
        """Are both sides one expression?"""
        return bool(self.claim.left == self.claim.right)


def _noopelim(group: Group) -> Ask:
    prover = Prover(group.env)

    def ask(claim: Claim) -> Answer:
        if claim.relation is sympy.Eq:
            proof = prover.equal(claim.left, claim.right)
        elif claim.relation is sympy.Le:
            proof = prover.at_most(claim.left, claim.right)
        else:
            proof = prover.decide(claim.built())
        return Answer(proof.truth.value, proof.by, proof.witness)

    return ask


def _torch_sympy(group: Group) -> Ask:
    env = group.env

    def ask(claim: Claim) -> Answer:
        # A pass has two sizes and no claim: it writes `Eq(a, b)`, as `statically_known_equals` does, and
        # sympy then already works on the claim. So that is part of the question.
        return _torch_answer(statically_known_true(env, claim.relation(claim.left, claim.right)))

    return ask


def _torch_symint(group: Group) -> Ask:
    env = group.env
    compare: dict[type[sympy.Rel], Callable[..., bool | torch.SymBool]] = {
        sympy.Eq: lambda a, b: a == b,
        sympy.Ne: lambda a, b: a != b,
        sympy.Le: lambda a, b: a <= b,
        sympy.Lt: lambda a, b: a < b,
    }
    # A pass finds them in the graph, so making them is not part of the question.
    sizes: dict[Expr, int | torch.SymInt] = {
        e: e if isinstance(e, int) else env.create_symintnode(e, hint=None)
        for claim in group.claims
        for e in (claim.left, claim.right)
    }

    def ask(claim: Claim) -> Answer:
        claimed = compare[claim.relation](sizes[claim.left], sizes[claim.right])
        return _torch_answer(symbolic_shapes.statically_known_true(claimed))

    return ask


def _torch_answer(known: bool) -> Answer:
    return Answer(PROVED if known else UNKNOWN)


CONTENDERS: dict[str, Callable[[Group], Ask]] = {
    OURS: _noopelim,
    SYMPY: _torch_sympy,
    SYMINT: _torch_symint,
}


def raced(group: Group, rounds: int) -> tuple[list[Result], dict[str, set[str]]]:
    """The results, and for each contender what it changed in the ``ShapeEnv``.

    A round puts every claim of the graph once to each contender, who goes first changes from round to round,
    and each starts with all caches empty: a new ``Prover``; sympy's cache and torch's, on ``ShapeEnv`` and on
    its modules, cleared. So each claim is asked for the first time, in a run that has seen the other claims
    of its graph, as in a compilation. Times are of this thread's processor, so that other work on the machine
    does not count, and of the rounds the best counts.
    """
    results = [Result(group, claim) for claim in group.claims]
    changes: dict[str, set[str]] = {name: set() for name in CONTENDERS}
    names = list(CONTENDERS)
    gc.collect()
    for number in range(rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            before = snapshot(group.env)
            ask = CONTENDERS[name](group)
            clear_caches()
            with _quiet():
                for result in results:
                    _put(result, name, ask)
            after = snapshot(group.env)
            changes[name] |= {f"{kind} {new}" for kind in after for new in after[kind] - before[kind]}
    return results, changes


def _put(result: Result, name: str, ask: Ask) -> None:
    start = time.thread_time_ns()
    try:
        answer = ask(result.claim)
    except RecursionError:
        answer = Answer(UNKNOWN, "RecursionError")
    taken = time.thread_time_ns() - start
    result.answers[name] = answer
    result.times[name] = min(taken, result.times.get(name, taken))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No collection of garbage while the clock runs, for neither side."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def clear_caches() -> None:
    """Every cache that a question may have filled."""
    clear_cache()
    for place in (ShapeEnv, symbolic_shapes, functions):
        for cached in vars(place).values():
            for layer in (cached, getattr(cached, "__wrapped__", None)):
                if callable(clear := getattr(layer, "cache_clear", None)):
                    clear()
