"""``verify``: what a verdict says, here and in other processes, and that every built-in rule passes."""

from __future__ import annotations

import multiprocessing
import sys
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from distributed import Client, LocalCluster

from noopelim import ANY, OpCall, Rule, RuleSet, X, patterns
from noopelim.counterexample import Counterexample
from noopelim.errors import RuleError
from noopelim.loading import load_rules
from noopelim.reference import reference_of, rule_at
from noopelim.scope import CI, DEFAULT, FULL, NAMED, Scope
from noopelim.spellings import slice_
from noopelim.stages import STAGES
from noopelim.sweeps import SWEEPS
from noopelim.verification import Verdict, verify, verify_all

aten = torch.ops.aten
TINY = Scope("tiny", rank=1, dim=1, window=1, most=400, narrow=400, samples=3, symbolic=10, contexts=1)
RIGHT, WRONG = "mine/neg-of-neg", "mine/end-of-minus-one"
FILE = f"""
import torch
from noopelim import ANY, OpCall, Proof, Rule, X
from noopelim.spellings import slice_

neg = torch.ops.aten.neg.default
right = Rule(
    "{RIGHT}", OpCall(neg, OpCall(neg, X)), X, "twice is never", lambda x: neg(neg(x)),
    lambda f, x: Proof.of(x.dtype is torch.float32, "x is float32", "dtype"),
)
wrong = Rule("{WRONG}", slice_(X, ANY, 0, -1), X, "all", lambda x: x[:-1])
RULES = (right, wrong)
"""


@pytest.fixture
def rules(tmp_path: Path) -> RuleSet:
    """The rules of a file of their own."""
    path = tmp_path / "my_rules.py"
    path.write_text(FILE)
    return load_rules(str(path))


def rule_of(pattern: OpCall, **more: Any) -> Rule:
    return Rule("test/any", pattern, X, "b", lambda x: x, **more)


# Built-in rules


WITHOUT_SYMBOLS = {
    "shuffle/by-one",  # its calls take no symbolic sizes
    # Proved where few random instances are: of one element in all, or of some for all sizes.
    "cat/after-nothing",
    "reduction/of-whole-numbers",
    "reduction/product",
}


@pytest.mark.parametrize("name", (patterns.ALL | patterns.VALUE_EQUAL).names)
def test_every_built_in_rule_is_verified(name: str) -> None:
    verdict = verify((patterns.ALL | patterns.VALUE_EQUAL)[name], CI)
    assert verdict.verified, verdict
    counts = verdict.counts
    assert counts["instances"] >= counts["matched"] >= counts["fired"] > 5
    assert counts["valuations"] >= counts["symbolic, proved"]
    assert counts["symbolic, proved"] > 0 or name in WITHOUT_SYMBOLS
    assert counts["instances in graphs"] > 0
    told = (*verdict.exhausted, *verdict.notes)
    assert all(any(sweep in text for text in told) for sweep in SWEEPS)
    assert verdict.seconds > 0


# Verdicts


def test_a_verdict_tells_scope_counts_proofs_and_notes() -> None:
    verdict = Verdict(
        "a/rule",
        CI,
        counts={"instances": 12345, "fired": 12, "symbolic, refuted": 0},
        exhausted=("all shapes: rank <= 2",),
        proved=("for all sizes",),
        notes=("values: a sample",),
        seconds=1.25,
    )
    assert verdict.verified
    assert str(verdict).splitlines() == [
        "a/rule: verified: no counterexample exists up to this scope",
        "  tried: 12,345 instances, 12 fired (1.2 s)",
        "  exhausted: all shapes: rank <= 2",
        "  proved: for all sizes",
        "  note: values: a sample",
    ]


def test_a_refutation_shows_its_script() -> None:
    found = Counterexample("shape (1,) becomes (2,)", "0 <= 1", 3, "import torch\n\nassert False\n")
    verdict = Verdict("a/rule", CI, found, counts={"fired": 9})
    assert not verdict.verified
    assert str(verdict).startswith("a/rule: REFUTED: shape (1,) becomes (2,)\n")
    assert "  counterexample:\n    import torch\n    \n    assert False" in str(verdict)


@pytest.mark.parametrize("counts", [{}, {"instances": 10, "matched": 10, "fired": 0}])
def test_without_an_instance_on_which_it_fires_nothing_is_verified(counts: dict[str, int]) -> None:
    verdict = Verdict("a/rule", CI, counts=counts)
    assert not verdict.verified
    assert str(verdict).startswith("a/rule: NOT VERIFIED: it fired on no instance")


def test_a_rule_that_never_fires_is_not_verified() -> None:
    verdict = verify(rule_of(slice_(X), where=lambda f, x: f.eq(x.rank, 77)), TINY)
    assert not verdict.verified
    assert verdict.counterexample is None
    assert verdict.counts["instances"] > 50
    assert verdict.counts["fired"] == 0


def test_the_scope_that_was_exhausted_is_printed() -> None:
    rule = patterns.ALL["copy/clone"]
    verdict = verify(rule, replace(TINY, most=2000, narrow=2000))
    assert f"  exhausted: all shapes: {TINY}, of float32\n" in str(verdict)
    assert str(TINY) == "rank <= 1, dims <= 1, integers within 1"
    few = "of operands [], [0], [1], [2], [1, 2], [2, 2] and 5 of each argument's values"
    assert f"  exhausted: all spellings: {few}, of float32\n" in str(verdict)
    assert f"  exhausted: all dtypes: {few}\n" in str(verdict)
    assert "  exhausted: all values: of operands [128], [64, 2] and 5 of each argument's values\n" in str(
        verdict
    )
    less = str(verify(rule, replace(TINY, narrow=30)))
    assert (
        "  exhausted: all values: of operands [128] and 1 of each argument's values, of the first spelling"
        in less
    )
    assert "  note: values: a sample of 3 draws" in str(verify(rule, replace(TINY, narrow=3)))


def test_named_scopes_grow() -> None:
    assert list(NAMED.values()) == [CI, DEFAULT, FULL]
    for small, large in ((CI, DEFAULT), (DEFAULT, FULL)):
        bounds = [
            (s.rank, s.dim, s.window, s.most, s.narrow, s.samples, s.symbolic, s.contexts)
            for s in (small, large)
        ]
        assert all(a <= b for a, b in zip(*bounds, strict=True))
        assert bounds[0] != bounds[1]


def test_a_verdict_follows_from_rule_and_scope() -> None:
    one, other = (timeless(verify(patterns.ALL["permute/identity"], TINY)) for _ in range(2))
    assert one == other


def timeless(verdict: Verdict) -> Verdict:
    return replace(verdict, seconds=0.0)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [(OpCall(aten.einsum.default, ANY, [X], rest="any"), "no values of type str for 'equation'")],
)
def test_a_rule_without_instances_is_an_error(pattern: OpCall, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        verify(rule_of(pattern), TINY)


def test_a_first_counterexample_ends_it(rules: RuleSet) -> None:
    verdict = verify(rules[WRONG], TINY)
    assert verdict.counterexample is not None
    assert "symbolic" not in verdict.counts
    assert verdict.exhausted == verdict.proved == verdict.notes == ()


# Progress


def test_progress_counts_to_the_total(rules: RuleSet) -> None:
    told: list[tuple[int, int, str]] = []
    verdicts = verify_all(rules, TINY, progress=lambda *now: told.append(now))
    assert told == []
    first = next(verdicts)
    stages = len(STAGES)
    assert first.rule == RIGHT
    assert told == [(i + 1, 2 * stages, RIGHT) for i in range(stages)]
    # One that is refuted early counts as done, too.
    assert [v.rule for v in verdicts] == [WRONG]
    assert told[stages:] == [(stages + i + 1, 2 * stages, WRONG) for i in range(stages)]


def test_progress_counts_parts(rules: RuleSet) -> None:
    told: list[tuple[int, int, str]] = []
    with ThreadPoolExecutor(1) as pool:
        verify(rules[RIGHT], TINY, jobs=3, executor=pool, progress=lambda *now: told.append(now))
    split = sum(stage.startswith("exhaust") for stage in STAGES)
    total = len(STAGES) + 2 * split
    assert told == [(i + 1, total, RIGHT) for i in range(total)]


# Elsewhere


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    # A forked process would inherit torch's threads half-alive.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def dask() -> Iterator[Executor]:
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, Client(cluster) as client:
        yield client.get_executor()


@pytest.fixture(params=["processes", "dask"])
def executor(request: pytest.FixtureRequest) -> Executor:
    found: Executor = request.getfixturevalue(request.param)
    return found


def test_verdicts_of_an_executor_are_those_of_this_process(executor: Executor, rules: RuleSet) -> None:
    right, wrong = verify_all(rules, TINY, jobs=3, executor=executor)
    assert timeless(right) == timeless(verify(rules[RIGHT], TINY))
    assert right.verified
    assert right.seconds > 0
    assert wrong.counterexample is not None
    with pytest.raises(AssertionError):
        exec(wrong.counterexample.script(), {})


def test_built_in_rules_can_be_sent(executor: Executor) -> None:
    rule, scope = patterns.ALL["permute/identity"], TINY
    assert timeless(verify(rule, scope, jobs=2, executor=executor)) == timeless(verify(rule, scope))


def test_what_a_worker_finds_wrong_with_a_rule_is_raised_here(executor: Executor, tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_text(
        "import torch\n"
        "from noopelim import ANY, OpCall, Rule, X\n"
        "odd = OpCall(torch.ops.aten.einsum.default, ANY, [X], rest='any')\n"
        "RULES = (Rule('mine/odd', odd, X, 'b', lambda x: x),)\n"
    )
    (rule,) = load_rules(str(path))
    with pytest.raises(RuleError, match="no values of type str"):
        verify(rule, TINY, executor=executor)


def test_a_rule_that_is_in_no_module_cannot_be_sent(executor: Executor) -> None:
    lonely = rule_of(slice_(X))
    with pytest.raises(RuleError, match=r"test/any.*other processes cannot load it; put it in the RULES"):
        verify(lonely, TINY, executor=executor)


def test_a_module_that_only_this_process_has_is_an_error_there(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    module: Any = types.ModuleType("made_up_rules")
    module.RULES = (rule_of(slice_(X)),)
    monkeypatch.setitem(sys.modules, "made_up_rules", module)
    with pytest.raises(RuleError, match="there is no module made_up_rules; check the name"):
        verify(module.RULES[0], TINY, executor=executor)


def test_a_file_that_is_gone_is_an_error_there(executor: Executor, rules: RuleSet, tmp_path: Path) -> None:
    (tmp_path / "my_rules.py").unlink()
    with pytest.raises(RuleError, match="there is no such file"):
        verify(rules[RIGHT], TINY, executor=executor)


class Slow(Executor):
    """Runs the first task at once, and of the rest only what is not cancelled; like Dask, it does not say so."""

    def __init__(self) -> None:
        self.ran, self.waiting = 0, list[Future[Any]]()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.waiting:
            self.waiting.append(future)
            return future
        self.waiting.append(future)
        self.ran += 1
        try:
            future.set_result(fn(*args, **kwargs))
        except RuleError as error:
            future.set_exception(error)
        return future


def test_what_has_not_begun_when_a_counterexample_is_found_is_cancelled(rules: RuleSet) -> None:
    told: list[int] = []
    slow = Slow()
    verdict = verify(rules[WRONG], TINY, jobs=2, executor=slow, progress=lambda n, total, _: told.append(n))
    assert verdict.counterexample is not None
    assert slow.ran == 1
    assert all(future.cancelled() for future in slow.waiting[1:])
    assert told == list(range(1, len(slow.waiting) + 1))


def test_when_a_task_raises_the_rest_is_cancelled(rules: RuleSet, tmp_path: Path) -> None:
    (tmp_path / "my_rules.py").unlink()
    slow = Slow()
    verdicts = verify_all(rules, TINY, executor=slow)
    with pytest.raises(RuleError, match="there is no such file"):
        next(verdicts)
    assert len(slow.waiting) == 2 * len(STAGES)
    assert all(future.cancelled() for future in slow.waiting[1:])


# References


def test_a_reference_leads_back_to_the_rule(rules: RuleSet, tmp_path: Path) -> None:
    assert reference_of(rules[RIGHT]) == (str(tmp_path / "my_rules.py"), "RULES", RIGHT)
    assert rule_at(*reference_of(patterns.ALL["slice/whole"])) is patterns.ALL["slice/whole"]
    again = rule_at(*reference_of(rules[RIGHT]))
    assert (again.name, again.because) == (RIGHT, "twice is never")


def test_a_worker_sees_that_a_file_has_changed(rules: RuleSet, tmp_path: Path) -> None:
    where = reference_of(rules[RIGHT])
    assert rule_at(*where) is rule_at(*where)
    (tmp_path / "my_rules.py").write_text(FILE.replace("twice is never", "twice is not at all"))
    assert rule_at(*where).because == "twice is not at all"


def test_a_reference_to_a_rule_that_is_not_there_is_an_error(rules: RuleSet) -> None:
    where, listed, _ = reference_of(rules[RIGHT])
    with pytest.raises(RuleError, match="no rule is named 'mine/other'"):
        rule_at(where, listed, "mine/other")
