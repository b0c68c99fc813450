"""noopelim inside Inductor: the pass in its hooks, its caches, and rules in somebody's PatternMatcherPass."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from graphs import Builder, ops, trace
from torch._dynamo.testing import CompileCounterWithBackend
from torch._dynamo.utils import counters
from torch._inductor import config as inductor_config
from torch._inductor.pattern_matcher import PatternMatcherPass

import noopelim
from noopelim import NoOpElimination, Rule, RuleSet, X, patterns
from noopelim.errors import RewriteError
from noopelim.fingerprint import fingerprint
from noopelim.spellings import clone

aten = torch.ops.aten
HOOKS = (
    "joint_custom_pre_pass",
    "joint_custom_post_pass",
    "post_grad_custom_pre_pass",
    "post_grad_custom_post_pass",
)


@pytest.fixture(autouse=True)
def _fresh_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


def model(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    y = torch.sin(x)
    whole = y[:, : y.shape[1]].reshape(-1, 4).reshape(y.shape)
    return torch.cos(whole) @ whole.t(), whole[:-1]


def compiled(function: Callable[..., Any], **config: Any) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        with inductor_config.patch(config):
            return torch.compile(function, dynamic=True)(*args)

    return call


@pytest.mark.parametrize("hook", HOOKS)
def test_the_pass_runs_in_every_hook(hook: str) -> None:
    x = torch.randn(6, 8)
    expected = compiled(model, force_disable_caches=True)(x)
    torch._dynamo.reset()
    passed = NoOpElimination()
    got = compiled(model, force_disable_caches=True, **{hook: passed})(x)
    assert passed.reports
    assert all(report.guards_added == 0 and report.converged for report in passed.reports)
    for one, other in zip(got, expected, strict=True):
        assert one.dtype == other.dtype
        assert one.stride() == other.stride()
        assert torch.equal(one.view(torch.int32), other.view(torch.int32))


def test_something_goes_before_inductors_own_passes() -> None:
    passed = NoOpElimination()
    compiled(model, force_disable_caches=True, joint_custom_pre_pass=passed)(torch.randn(6, 8))
    assert sum(passed.reports[0].counts.values()) > 0


def test_training_graphs_too() -> None:
    x = torch.randn(6, 8, requires_grad=True)
    passed = NoOpElimination()
    compiled(lambda x: model(x)[0].sum(), force_disable_caches=True)(x).backward()
    expected, x.grad = x.grad, None
    torch._dynamo.reset()
    hooks = {"joint_custom_pre_pass": passed, "post_grad_custom_pre_pass": passed}
    compiled(lambda x: model(x)[0].sum(), force_disable_caches=True, **hooks)(x).backward()
    assert len(passed.reports) == 3
    assert expected is not None
    assert x.grad is not None
    # Not to the bit: other nodes mean other fused kernels, and those may contract multiply and add.
    torch.testing.assert_close(x.grad, expected)


def hits_and_misses(hook: NoOpElimination) -> tuple[int, int]:
    torch._dynamo.reset()
    counters.clear()
    compiled(model, fx_graph_cache=True, fx_graph_remote_cache=False, post_grad_custom_pre_pass=hook)(
        torch.randn(6, 8)
    )
    seen = counters["inductor"]
    return seen["fxgraph_cache_hit"], seen["fxgraph_cache_miss"]


def test_inductors_cache_hits_for_equal_rules_and_misses_for_others() -> None:
    with torch._functorch.config.patch(enable_autograd_cache=False):
        assert hits_and_misses(NoOpElimination()) == (0, 1)
        assert hits_and_misses(NoOpElimination()) == (1, 0)
        assert hits_and_misses(NoOpElimination(patterns.ALL.without("slice/*"))) == (0, 1)
        assert hits_and_misses(NoOpElimination()) == (1, 0)


def rule(where: Callable[..., Any] | None = None, name: str = "mine/rule") -> Rule:
    return Rule(name, clone(X), X, "because", lambda x: x, where)


def made(threshold: Any) -> Rule:
    return rule(lambda f, x: f.le(threshold, x.rank))


def test_the_fingerprint_sees_what_a_rule_depends_on() -> None:
    base = fingerprint([rule(lambda f, x: f.eq(1, 1))])
    assert base is not None
    assert base == fingerprint([rule(lambda f, x: f.eq(1, 1))])
    others = [
        [rule(lambda f, x: f.eq(1, 2))],
        [rule(lambda f, x: f.eq(1, 1), name="mine/other")],
        [rule()],
        [made(1)],
        [made(2)],
        [],
    ]
    prints = [fingerprint(rules) for rules in others]
    assert None not in prints
    assert len({base, *prints}) == len(prints) + 1
    assert fingerprint([], options=1) != fingerprint([], options=2)


def test_a_rule_that_depends_on_an_unidentifiable_object_bypasses_the_cache() -> None:
    assert NoOpElimination([made(object())]).uuid() is None


def chain() -> torch.fx.GraphModule:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (b.size("s0"), 12)))
    node = b.call(aten.slice.Tensor, b.call(aten.clone.default, x), 0, 0, 2**63 - 1)
    node = b.call(aten.reshape.default, b.call(aten.reshape.default, node, [-1]), [-1, 12])
    return b.output(b.call(aten.cos.default, node), b.call(aten.slice.Tensor, x, 0, 0, -1))


def test_rules_run_in_somebody_elses_pass() -> None:
    theirs = PatternMatcherPass("theirs")
    noopelim.register(theirs)
    gm = chain()
    while theirs.apply(gm):
        pass
    gm.graph.lint()
    assert ops(gm) == ["aten.sin.default", "aten.cos.default", "aten.slice.Tensor"]
    x = torch.randn(5, 12)
    for one, other in zip(gm(5, x), chain()(5, x), strict=True):
        assert torch.equal(one, other)


def test_legality_holds_there_too() -> None:
    theirs = PatternMatcherPass("theirs")
    noopelim.register(theirs, patterns.ALL.only("copy/clone"))
    gm = trace(aten.clone, torch.zeros(3))
    assert theirs.apply(gm) == 0
    b = Builder()
    x = b.input("x", (4,))
    kept = b.call(aten.clone.default, x)
    b.call(aten.mul_.Tensor, x, 2)
    gm = b.output(b.call(aten.cos.default, kept))
    assert theirs.apply(gm) == 0
    assert "aten.clone.default" in ops(gm)


def test_a_rule_that_raises_there_is_named() -> None:
    theirs = PatternMatcherPass("theirs")
    noopelim.register(theirs, RuleSet((rule(lambda f, x: 1 / 0),)))
    gm = trace(lambda x: aten.clone(torch.sin(x)) + 1, torch.zeros(3))
    text = str(gm.graph)
    with pytest.raises(RewriteError, match="rule 'mine/rule' raised at node clone"):
        theirs.apply(gm)
    assert str(gm.graph) == text


def test_slices_stay_where_all_ranks_must_compile_one_graph() -> None:
    gm = trace(lambda x: torch.sin(x)[:, 0:8].clone() + 1, torch.zeros(3, 8))
    sliced = trace(lambda x: aten.slice(torch.sin(x), 1, 0, 8) + 1, torch.zeros(3, 8))
    with inductor_config.patch(reorder_for_compute_comm_overlap=True):
        for each in (gm, sliced):
            NoOpElimination()(each.graph)
    assert "aten.clone.default" not in ops(gm)
    assert "aten.slice.Tensor" in ops(sliced)
    NoOpElimination()(sliced.graph)
    assert "aten.slice.Tensor" not in ops(sliced)


def test_inductors_copy_of_its_configuration_keeps_the_pass() -> None:
    passed = NoOpElimination()
    assert copy.deepcopy({"hook": [passed]})["hook"][0] is passed


def test_no_shorter_reshape_makes_inductor_guard_on_sizes() -> None:
    """Lowering ``[4, s]`` to ``[s, 4]`` in one step guards on how ``s`` compares with 4; by way of ``[4 * s]`` it does
    not."""

    def model(x: torch.Tensor) -> torch.Tensor:
        return x.sin().view(-1).view(x.shape[1], 4).cos()

    hooks = ("joint_custom_post_pass", "post_grad_custom_pre_pass", "post_grad_custom_post_pass")
    compiled = CompileCounterWithBackend("inductor")
    with inductor_config.patch({hook: NoOpElimination() for hook in hooks}):
        torch._dynamo.reset()
        run = torch.compile(model, backend=compiled, dynamic=True)
        for columns in (8, 3, 12, 5):
            x = torch.randn(4, columns)
            torch.testing.assert_close(run(x), model(x))
    assert compiled.frame_count == 1
