"""What a compiler does with the graph afterwards: it matches attention, calls everything again, and guards."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from custom_ops import absorb, absorb_all
from graphs import Builder, check, ops, trace
from torch import Tensor, fx
from torch._inductor import config as inductor_config

import noopelim
from noopelim import NoOpElimination

aten = torch.ops.aten
v1 = torch.ops.higher_order.auto_functionalized
v2 = torch.ops.higher_order.auto_functionalized_v2
EARLY = ("joint_custom_pre_pass", "joint_custom_post_pass")


@pytest.fixture(autouse=True)
def _fresh_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def compiled(function: Callable[..., Tensor], *args: Tensor, hook: str) -> Tensor:
    with inductor_config.patch({hook: NoOpElimination(), "force_disable_caches": True}), torch.no_grad():
        result: Tensor = torch.compile(function)(*args)
        return result


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Keys come in with the batch second, and there are as many as batches: no size tells two of their dims apart."""
    scores = torch.bmm(q, k.permute(1, 0, 2).transpose(1, 2))
    return torch.bmm(torch.softmax(scores, -1), v)


def test_attention_is_not_fused_by_another_transposition() -> None:
    """Inductor's pattern reads ``permute(k, [1, 2, 0])`` as ``k.transpose(1, 2)``."""
    q, k, v = (torch.randn(4, 4, 8) for _ in range(3))
    torch.testing.assert_close(compiled(attention, q, k, v, hook=EARLY[0]), attention(q, k, v))


def test_no_permute_is_made_for_a_product_in_attention() -> None:
    gm = trace(attention, *(torch.randn(4, 4, 8) for _ in range(3)))
    report = check(gm, kept=[aten.permute.default, aten.transpose.int]).report
    assert any("patterns for attention" in str(missed.why) for missed in report.missed)


def test_behind_inductors_patterns_the_permute_is_made() -> None:
    late = NoOpElimination()
    for hook, passes, made in ((EARLY[0], late, 2), (EARLY[1], late, 1), (EARLY[1], [late], 1)):
        gm = trace(attention, *(torch.randn(4, 4, 8) for _ in range(3)))
        with inductor_config.patch({hook: passes}):
            late(gm.graph)
        assert sum(op in ("aten.permute.default", "aten.transpose.int") for op in ops(gm)) == made, hook


def test_without_a_softmax_the_permute_is_made() -> None:
    def scores(q: Tensor, k: Tensor) -> Tensor:
        return torch.bmm(q, k.permute(1, 0, 2).transpose(1, 2))

    gm = trace(scores, torch.randn(4, 4, 8), torch.randn(4, 4, 8))
    assert ops(check(gm).after).count("aten.permute.default") == 1


def test_no_view_of_attention_is_made() -> None:
    """The pattern ends with the view of the product, whatever its sizes."""

    def heads_together(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        mixed = attention(q, k, v).view(2, 2, 4, 8)
        return mixed.view(2, 8, 8) + 1

    check(trace(heads_together, *(torch.randn(4, 4, 8) for _ in range(3))), kept=aten.view.default)


def picked(x: Tensor) -> Tensor:
    return x[:, [-2, -1]] * 2


@pytest.mark.parametrize("hook", EARLY)
def test_a_constant_is_lifted_wherever_fake_tensors_meet_it(hook: str) -> None:
    """Torch's fake mode calls nothing else on a real tensor, and Inductor calls everything again."""
    x = torch.randn(3, 4)
    assert torch.equal(compiled(picked, x, hook=hook), picked(x))


def test_the_lift_of_a_constant_stays() -> None:
    gm = trace(picked, torch.randn(3, 4))
    check(gm, kept=aten.lift_fresh_copy.default)


def _rounded(b: Builder, read: Callable[[Builder, fx.Node, fx.Node], fx.Node]) -> tuple[fx.GraphModule, str]:
    """A slice up to the size of its operand, written as the sum of two halves, and what reads it."""
    s = b.size("s0")
    low = b.call(operator.floordiv, s, 2)
    high = b.call(operator.floordiv, b.call(operator.add, s, 1), 2)
    whole = b.call(operator.add, low, high)
    x = b.call(aten.neg.default, b.input("x", (s, 4)))
    cut = b.call(aten.slice.Tensor, x, 0, 0, whole)
    return b.output(read(b, cut, whole)), cut.name


def test_a_size_that_torch_would_compare_stays() -> None:
    """A view to twice the old size, computed again of the new one, would want a guard that they are equal."""

    def read(b: Builder, cut: fx.Node, whole: fx.Node) -> fx.Node:
        return b.call(aten.view.default, b.call(aten.cos.default, cut), [b.call(operator.mul, whole, 2), 2])

    gm, cut = _rounded(Builder(), read)
    report = check(gm, kept=cut).report
    assert any("would want a guard" in str(missed.why) for missed in report.missed)


def test_a_size_that_nobody_compares_goes() -> None:
    gm, cut = _rounded(Builder(), lambda b, cut, whole: b.call(aten.cos.default, cut))
    check(gm, removed=cut)


def test_an_exported_program_compiles_to_the_same_attention() -> None:
    class Attention(torch.nn.Module):
        forward = staticmethod(attention)

    args = tuple(torch.randn(4, 4, 8) for _ in range(3))
    program = torch.export.export(Attention(), args)
    noopelim.eliminate(program)
    with inductor_config.patch(force_disable_caches=True), torch.no_grad():
        torch.testing.assert_close(torch.compile(program.module())(*args), attention(*args))


def test_a_reader_that_makes_a_symbol_is_not_run() -> None:
    """Run again, ``nonzero`` would bring a new unbacked symbol into the ShapeEnv."""
    gm, cut = _rounded(Builder(), lambda b, cut, whole: b.call(aten.nonzero.default, cut))
    check(gm, kept=cut)


READERS: dict[str, Callable[[Builder, fx.Node, fx.Node], fx.Node]] = {
    "functional v1": lambda b, cut, dst: b.get(b.call(v1, absorb, dst=dst, src=cut), 1),
    "functional v2": lambda b, cut, dst: b.get(
        b.call(v2, absorb, src=cut, _dst_base_index=0, _all_bases=[dst]), 1
    ),
    "write that returns nothing": lambda b, cut, dst: (b.call(absorb, dst, cut), dst)[1],
    "write that returns what it wrote": lambda b, cut, dst: b.call(aten.mul_.Tensor, cut, 2),
    "random numbers": lambda b, cut, dst: b.call(aten.rand_like.default, cut),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_that_writes_data_is_run(reader: str) -> None:
    """A fake tensor has no data, and a vendor's kernel is such a reader: what is padded to its tile is cut there."""

    def read(b: Builder, cut: fx.Node, whole: fx.Node) -> fx.Node:
        dst = b.call(aten.clone.default, b.input("dst", (8, 4)))
        return READERS[reader](b, cut, dst)

    gm, cut = _rounded(Builder(), read)
    check(gm, removed=cut)


def test_a_reader_that_writes_metadata_is_not_run() -> None:
    """Run again, it would turn the tensor that it was given, which is what a node's metadata holds."""

    def read(b: Builder, cut: fx.Node, whole: fx.Node) -> fx.Node:
        turned = b.bare(aten.t_.default, cut)
        turned.meta["val"] = cut.meta["val"].t()
        return turned

    gm, cut = _rounded(Builder(), read)
    told = {n.name: str(n.meta["val"]) for n in gm.graph.nodes if "val" in n.meta}
    noopelim.eliminate(gm)
    assert cut in [n.name for n in gm.graph.nodes]
    assert {n.name: str(n.meta["val"]) for n in gm.graph.nodes if "val" in n.meta} == told


def test_a_reader_that_resizes_what_it_writes_leaves_metadata_alone() -> None:
    """Its fake kernel is run on a copy: metadata of the graph is not its to change, whether the root goes or stays."""

    def read(b: Builder, cut: fx.Node, whole: fx.Node) -> fx.Node:
        dst = b.call(aten.clone.default, b.input("dst", (8, 4)))
        b.bare(absorb_all, dst, cut).meta["val"] = None
        return dst

    gm, _ = _rounded(Builder(), read)
    noopelim.eliminate(gm)
    clone = next(n for n in gm.graph.nodes if n.target is aten.clone.default)
    assert clone.meta["val"].shape == (8, 4)
