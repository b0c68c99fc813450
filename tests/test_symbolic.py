"""The predicate under symbols: what it proves, refutes and asks for is held against real sizes."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import sympy
import torch
from bad_rules import BAD

from noopelim import ANY, OpCall, Proof, Rule, X, patterns, symbolic
from noopelim.choices import DeadEnd
from noopelim.drawing import draw, heads
from noopelim.facts import Facts
from noopelim.instances import CallOf, evaluated
from noopelim.integers import Expr, Prover
from noopelim.law import Judge, Wrong, as_graph
from noopelim.operands import Operand
from noopelim.points import evaluate
from noopelim.proof import Truth
from noopelim.scope import Scope
from noopelim.spellings import alias, getitem
from noopelim.stages import Task
from noopelim.symbols import Open, Symbols, faked, opened
from noopelim.torch_api import ShapeEnv, expression_of, snapshot

aten = torch.ops.aten
MANY = Scope(rank=2, dim=2, window=2, symbolic=400)


def rule_of(pattern: OpCall, where: Any = None) -> Rule:
    return Rule("test/any", pattern, X, "b", lambda x: x, where)


def same_shape(f: Facts, x: Any) -> Proof:
    return f.same_shape(x, f.root)


def stage_of(rule: Rule, seed: int = 0) -> symbolic.Symbolic:
    return symbolic.Symbolic(Judge(rule), MANY, heads(rule, together=False), seed)


def wrong_of(rule: Rule, attempts: int = 600, seed: int = 0) -> Wrong | None:
    """The first mistake found in so many attempts."""
    stage = stage_of(rule, seed)
    return next((w for _ in range(attempts) if (w := stage.attempt()) is not None), None)


def symbols_of(x: Any) -> list[sympy.Symbol]:
    return sorted({s for n in x.shape for s in sympy.sympify(n).free_symbols}, key=str)


# What the predicate is blamed for


def test_a_predicate_proved_by_today_s_sizes_is_caught_at_others() -> None:
    (rule,) = (rule for rule in BAD if rule.name == "bad/equal-by-hint")
    wrong = wrong_of(rule)
    assert wrong is not None
    assert wrong.what.startswith("shape ")
    assert "today's sizes" in wrong.claim
    assert " today)" in wrong.claim
    assert wrong.to is not None


def test_a_predicate_that_adds_a_guard_is_caught() -> None:
    (rule,) = (rule for rule in BAD if rule.name == "bad/equal-by-guard")
    wrong = wrong_of(rule)
    assert wrong is not None
    assert wrong.what == "`where` adds a guard on symbolic sizes"


def test_a_predicate_that_fails_only_on_symbols_is_caught() -> None:
    rule = rule_of(alias(X), lambda f, x: Proof.all([f.eq(int(n), n) for n in x.shape]))
    wrong = wrong_of(rule)
    assert wrong is not None
    assert wrong.what.startswith("`where` raised TypeError")


def test_a_witness_at_which_the_claim_is_proved_is_caught() -> None:
    def where(f: Facts, x: Any) -> Proof:
        proof = same_shape(f, x)
        if not symbols_of(x):
            return proof
        return Proof(Truth.REFUTED, "planted", "nothing", dict.fromkeys(symbols_of(x), 6))

    wrong = wrong_of(rule_of(alias(X), where))
    assert wrong is not None
    assert wrong.what.startswith("refuted at {")
    assert wrong.what.endswith("yet proved there")
    assert "planted" in wrong.claim


def test_a_witness_that_the_facts_do_not_allow_is_caught() -> None:
    """Zero, of sizes some of which are known to be two at least."""

    def where(f: Facts, x: Any) -> Proof:
        if not symbols_of(x):
            return Proof.of(0 not in x.shape, "no size is zero", "looking")
        return Proof(Truth.REFUTED, "no size is zero", "nothing", dict.fromkeys(symbols_of(x), 0))

    wrong = wrong_of(rule_of(alias(X), where))
    assert wrong is not None
    assert wrong.what.endswith("which the facts do not allow")


def test_a_true_witness_is_no_mistake() -> None:
    def where(f: Facts, x: Any) -> Proof:
        return Proof.all([f.le(n, 5) for n in x.shape])

    stage = stage_of(rule_of(alias(X), where))
    assert not any(stage.attempt() for _ in range(300))
    assert stage.counts["symbolic, refuted"] > 50


class Hasty(Prover):
    """Takes sizes that are equal today for equal."""

    def equal(self, left: Expr, right: Expr) -> Proof:
        hint = self.knowledge.hint
        values = [evaluate(sympy.sympify(e), hint) for e in (left, right)]
        return Proof.of(values[0] == values[1], f"{left} == {right}", "a planted mistake")


def test_a_prover_that_errs_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = patterns.ALL["slice/whole"]
    assert wrong_of(rule, 300) is None
    monkeypatch.setattr(symbolic, "Prover", Hasty)
    wrong = wrong_of(rule)
    assert wrong is not None
    assert "a planted mistake" in wrong.claim
    assert wrong.what.startswith("shape ")


def test_a_proof_that_holds_nowhere_else_is_caught_even_if_the_values_agree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An alias is its operand whatever the predicate says: only the claim is false."""
    monkeypatch.setattr(symbolic, "Prover", Hasty)
    rule = rule_of(alias(X), lambda f, x: Proof.all([f.eq(n, x.shape[0]) for n in x.shape]))
    wrong = wrong_of(rule)
    assert wrong is not None
    assert wrong.what.startswith("proved for all sizes, yet not for these: ")
    assert wrong.to is None


# What it is not blamed for


@pytest.fixture
def even() -> Iterator[Any]:
    """Leaves out the last row of an odd number. Its fake kernel says that it never does."""
    with torch.library._scoped_library("noopelim_test_symbolic", "FRAGMENT") as library:
        library.define("even(Tensor x) -> Tensor")
        library.impl("even", lambda x: x[: x.shape[0] // 2 * 2].clone() if x.dim() else x.clone(), "CPU")
        library.impl("even", lambda x: x.clone(), "Meta")
        yield torch.ops.noopelim_test_symbolic.even.default


def test_metadata_that_torch_tells_wrongly_is_not_blamed_on_the_rule(even: Any) -> None:
    rule = rule_of(OpCall(even, X), same_shape)
    stage = stage_of(rule)
    assert not any(stage.attempt() for _ in range(400))
    assert stage.counts["symbolic, proved"] > 50
    # Where it is told truly, the rule was tried.
    assert 0 < stage.counts["valuations"] < 6 * stage.counts["symbolic, proved"]


def test_calls_with_several_results_are_tried(even: Any) -> None:
    """Theirs are told by the kernels alone."""
    rule = rule_of(getitem(OpCall(aten.split.Tensor, X, ANY, ANY), 0), same_shape)
    stage = stage_of(rule)
    assert not any(stage.attempt() for _ in range(400))
    assert stage.counts["valuations"] > 20


def test_attempts_follow_from_the_seed() -> None:
    def counts(seed: int) -> dict[str, int]:
        stage = stage_of(patterns.ALL["slice/whole"], seed)
        assert not any(stage.attempt() for _ in range(60))
        return stage.counts

    assert counts(1) == counts(1)
    assert counts(1) != counts(2)
    (rule,) = (rule for rule in BAD if rule.name == "bad/equal-by-hint")
    (one, other) = (wrong_of(rule, seed=3) for _ in range(2))
    assert one is not None
    assert other is not None
    assert (one.what, one.claim) == (other.what, other.claim)


def test_the_stage_ends_when_enough_instances_were_symbolic() -> None:
    found = Task("symbolic", Scope("small", symbolic=7)).run(patterns.ALL["copy/alias"])
    assert found.counterexample is None
    assert found.counts["symbolic"] == 7


# Symbolic instances


class Fixed(Random):
    """Draws one number for ever; chooses as usual."""

    def __init__(self, number: float) -> None:
        super().__init__(0)
        self.number = number

    def random(self) -> float:
        return self.number


def made_of(drawn: CallOf, way: float, kind: float = 0.3) -> tuple[Symbols, Any]:
    """The instance with symbols for its sizes, on fakes made in the way that this number stands for. ``kind``:
    up to 0.35 equal sizes share a symbol, up to 0.7 they do not."""
    symbols = Symbols(ShapeEnv(), Fixed(kind))
    symbols.where = "operands"
    generic = opened(drawn, symbols, {})
    symbols.random = Fixed(way)
    return symbols, faked(generic, symbols)


TOLD, REFUSED, GUARDED = 0.1, 0.6, 0.9


def branches() -> tuple[CallOf, list[tuple[int, ...]]]:
    """Calls of two branches, one shared and in a list, each of another shape; with those shapes, in order of
    evaluation."""
    x, y = Operand(0, (2, 3)), Operand(1, (3, 4))
    shared = CallOf(aten.t.default, (x,))
    inner = CallOf(aten.unsqueeze.default, (y, 0))
    wide = CallOf(aten.unsqueeze.default, (CallOf(aten.cat.default, ([shared, y, shared], 1)), 1))
    root = CallOf(aten.mul.Tensor, (wide, CallOf(aten.sum.dim_IntList, (inner, [2], True, None))))
    tensors = {0: x.tensor(), 1: y.tensor()}
    done: dict[int, Any] = {}
    evaluated(root, tensors, done)
    return root, [tuple(t.shape) for t in done.values()]


@pytest.mark.parametrize("way", [TOLD, GUARDED])
def test_what_fakes_are_told_is_told_of_the_right_calls(way: float) -> None:
    call, shapes = branches()
    assert len(set(shapes)) == len(shapes) == 6
    symbols, found = made_of(call, way)
    assert len(symbols.hints) == 3
    assert list(today(symbols, found.done.values())) == shapes
    root, behind = as_graph(found.call, found.tensors, found.done)
    real: dict[int, Any] = {}
    evaluated(call, {0: Operand(0, (2, 3)).tensor(), 1: Operand(1, (3, 4)).tensor()}, real)
    twins = dict(twin_calls(found.call, call))
    for node, part in behind.items():
        if isinstance(part, CallOf):
            (shape,) = today(symbols, [node.meta["val"]])
            assert shape == tuple(real[id(twins[id(part)])].shape), node.target
    assert root.target is aten.mul.Tensor


def today(symbols: Symbols, fakes: Any) -> Iterator[tuple[int, ...]]:
    for fake in fakes:
        yield tuple(evaluate(sympy.sympify(expression_of(n)), symbols.hints) for n in fake.shape)


def twin_calls(one: Any, other: Any) -> Iterator[tuple[int, CallOf]]:
    if isinstance(one, CallOf):
        yield id(one), other
        yield from twin_calls(list(one.args), list(other.args))
    elif isinstance(one, list):
        for pair in zip(one, other, strict=True):
            yield from twin_calls(*pair)


@pytest.mark.parametrize("name", patterns.ALL.names)
def test_fakes_that_are_told_leave_no_guard(name: str) -> None:
    rule, random, made = patterns.ALL[name], Random(0), 0

    def pick(options: Any) -> Any:
        if not len(options):
            raise DeadEnd
        return random.choice(options)

    for _ in range(1000):
        if made == 12:
            break
        try:
            drawn = draw(rule, MANY, pick, pick(heads(rule, together=False)), "shapes")
        except DeadEnd:
            continue
        symbols, found = made_of(drawn.call, TOLD)
        if found is None or not symbols.hints:
            continue
        made += 1
        env = symbols.env
        assert snapshot(env)["guard"] == snapshot(env)["replacement"] == frozenset()
        fakes = [*found.tensors.values(), *found.done.values()]
        assert all(fake.fake_mode.shape_env is env for fake in fakes)
        assert any(isinstance(n, torch.SymInt) for fake in fakes for n in fake.shape)
    assert made == 12


def test_a_kernel_that_wants_a_guard_is_refused_or_becomes_a_fact() -> None:
    x, y = Operand(0, (3,)), Operand(1, (3,))
    call = CallOf(aten.add.Tensor, (x, y, 1))
    _, found = made_of(call, REFUSED, 0.5)
    assert found is None
    symbols, found = made_of(call, GUARDED, 0.5)
    assert found is not None
    assert snapshot(symbols.env)["guard"]
    one, other = (symbols.env.replacements.get(s, s) for s in symbols.hints)
    assert one == other


def test_what_a_kernel_would_ask_of_sizes_is_told_as_if_they_were_neither_one_nor_equal() -> None:
    call = CallOf(aten.squeeze.dim, (Operand(0, (1,)), 0))
    _, refused = made_of(call, REFUSED, 0.5)
    assert refused is None
    symbols, told = made_of(call, TOLD, 0.5)
    (symbol,) = symbols.hints
    (squeezed,) = told.done.values()
    assert [expression_of(n) for n in squeezed.shape] == [symbol]
    assert snapshot(symbols.env)["guard"] == snapshot(symbols.env)["replacement"] == frozenset()


def test_equal_sizes_become_symbols_of_their_own_and_sharing_is_kept() -> None:
    x = Operand(0, (3, 3))
    shared = CallOf(aten.t.default, (x,))
    symbols = Symbols(ShapeEnv(), Fixed(0.3))
    symbols.where = "anywhere"
    known = opened(CallOf(aten.cat.default, ([shared, shared, x], 0)), symbols, {})
    (one, other, source), dim = known.args
    assert one is other
    assert isinstance(source, Open)
    assert one.args[0] is source
    assert source.like is x
    assert dim == 0
    symbols.random = Fixed(0.5)
    (a, b) = opened(Operand(1, (3, 3)), symbols, {}).shape
    assert a != b
    assert symbols.hints[a] == symbols.hints[b] == 3


@pytest.mark.parametrize(
    ("target", "args", "symbolic"),
    [
        (aten.slice.Tensor, (0, 0, 3, 2), [False, True, True, True]),
        (aten.slice_copy.Tensor, (0, 0, None, 2), [False, True, False, True]),
        (aten.select.int, (0, 1), [False, True]),
        (aten.unsqueeze.default, (1,), [False]),
        (aten.squeeze.dims, ([0],), [False]),
    ],
)
def test_only_integers_that_may_be_symbolic_become_symbols(
    target: Any, args: tuple[Any, ...], symbolic: list[bool]
) -> None:
    symbols = Symbols(ShapeEnv(), Fixed(0.65))
    symbols.where = "anywhere"
    call = opened(CallOf(target, (Operand(0, (6,)), *args)), symbols, {})
    assert [isinstance(n, sympy.Expr) for n in call.args[1:]] == symbolic


@pytest.mark.parametrize(
    "target", [aten.view.default, aten.reshape.default, aten.expand.default, aten.repeat.default]
)
def test_sizes_that_are_asked_for_become_symbols(target: Any) -> None:
    symbols = Symbols(ShapeEnv(), Fixed(0.65))
    symbols.where = "arguments"
    call = opened(CallOf(target, (Operand(0, (2, 3)), [2, 3])), symbols, {})
    assert call.args[0].shape == (2, 3)
    assert all(isinstance(n, sympy.Expr) for n in call.args[1])


def test_valuations_are_today_s_and_others_that_the_facts_allow() -> None:
    symbols = Symbols(ShapeEnv(), Random(2))
    symbols.where = "operands"
    sizes = [symbols._new(n) for n in (4, 6, 1)]
    symbols.divisors[sizes[0]] = 2
    torch._check(symbols.sizes[sizes[1]] > 2)
    points = list(symbols.points(20))
    assert points[0] == dict(zip(sizes, (4, 6, 1), strict=True))
    assert len(points) > 10
    assert len({tuple(p.values()) for p in points}) > 5
    for point in points:
        assert point[sizes[0]] % 2 == 0
        assert point[sizes[1]] > 2
        assert all(point[s] >= symbols.env.var_to_range[s].lower for s in sizes)
