"""The three graphs that started this: what is left of each, node by node."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from custom_ops import define
from graphs import Builder, check
from torch import fx

aten = torch.ops.aten
v1 = torch.ops.higher_order.auto_functionalized
v2 = torch.ops.higher_order.auto_functionalized_v2


@define("static_scaled_fp8_quant(Tensor(a!) result, Tensor input, Tensor scale) -> ()")
def static_scaled_fp8_quant(result: torch.Tensor, input: torch.Tensor, scale: torch.Tensor) -> None:
    result.copy_((input / scale).to(result.dtype))


@define("fused_add_rms_norm(Tensor(a!) input, Tensor(b!) residual, Tensor weight, float epsilon) -> ()")
def fused_add_rms_norm(
    input: torch.Tensor, residual: torch.Tensor, weight: torch.Tensor, epsilon: float
) -> None:
    residual.add_(input)
    scale = torch.rsqrt(residual.square().mean(-1, keepdim=True) + epsilon)
    input.copy_(residual * scale * weight)


@define("scaled_mm(Tensor a, Tensor b, Tensor scale) -> Tensor")
def scaled_mm(a: torch.Tensor, b: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return (a @ b) * scale


def calls(gm: fx.GraphModule) -> list[tuple[Any, ...]]:
    """Each call of the graph as its target and the names of the nodes it reads."""
    return [
        (node.target, *(operand.name for operand in node.all_input_nodes))
        for node in gm.graph.nodes
        if node.op == "call_function"
    ]


def test_a_chain_of_reshapes_leaves_one() -> None:
    b = Builder()
    s = b.size("s0")
    mul = b.call(aten.mul.Tensor, b.input("x", (s, 4096)), b.input("y", (s, 4096)))
    node = b.call(aten.reshape.default, mul, [-1, 128, 32])
    node = b.call(aten.reshape.default, node, [-1, 4096])
    node = b.call(aten.reshape.default, node, [-1, 128, 32])
    done = check(b.output(node))
    assert calls(done.after) == [(aten.mul.Tensor, "x", "y"), (aten.reshape.default, "mul")]
    (kept,) = done.after.graph.find_nodes(op="call_function", target=aten.reshape.default)
    assert [str(n) for n in kept.meta["val"].shape] == [str(s.meta["val"]), "128", "32"]
    assert kept.args == (mul, [-1, 128, 32])


def norm(b: Builder, rows: fx.Node) -> fx.Node:
    """What a rms_norm leaves: the op of which a ``getitem`` is the normalised value."""
    x, weight = b.input("x", (rows, 4096)), b.input("weight", (4096,))
    residual = b.input("residual", (rows, 4096))
    op = b.call(v1, fused_add_rms_norm, input=x, residual=residual, weight=weight, epsilon=1e-5)
    return b.get(op, 1)


def test_a_flatten_in_front_of_a_quantisation_goes() -> None:
    b = Builder()
    s = b.size("s0")
    normed = norm(b, s)
    flat = b.call(aten.reshape.default, normed, [-1, 4096])
    result = b.call(aten.empty.memory_format, [s, 4096], dtype=torch.float8_e4m3fn)
    op = b.call(v1, static_scaled_fp8_quant, result=result, input=flat, scale=b.input("scale", (1,)))
    done = check(b.output(b.get(op, 1)), removed=flat.name)
    assert op.kwargs["input"] is normed
    assert [target for target, *_ in calls(done.after)] == [
        v1,
        normed.target,
        aten.empty.memory_format,
        v1,
        normed.target,
    ]


def test_a_flatten_in_front_of_a_quantisation_goes_v2() -> None:
    b = Builder()
    s = b.size("s0")
    normed = norm(b, s)
    flat = b.call(aten.reshape.default, normed, [-1, 4096])
    result = b.call(aten.empty.memory_format, [s, 4096], dtype=torch.float8_e4m3fn)
    op = b.call(
        v2,
        static_scaled_fp8_quant,
        input=flat,
        scale=b.input("scale", (1,)),
        _result_base_index=0,
        _all_bases=[result],
    )
    check(b.output(b.get(op, 1)), removed=flat.name)
    assert op.kwargs["input"] is normed


def fused(b: Builder, s: fx.Node, form: str, source: fx.Node) -> tuple[fx.Node, fx.Node, fx.Node]:
    """The op on ``source``, its first result (the input as written) and the residual."""
    residual, weight = b.input("residual", (s, 4096)), b.input("weight", (4096,))
    if form == "v1":
        op = b.call(v1, fused_add_rms_norm, input=source, residual=residual, weight=weight, epsilon=1e-5)
    else:
        op = b.call(
            v2,
            fused_add_rms_norm,
            weight=weight,
            epsilon=1e-5,
            _input_base_index=0,
            _residual_base_index=1,
            _all_bases=[source, residual],
        )
    return op, b.get(op, 1), b.get(op, 2)


@pytest.mark.parametrize("form", ["v1", "v2"])
def test_a_slice_and_a_slice_scatter_around_a_norm_go(form: str) -> None:
    b = Builder()
    s = b.size("s0")
    mm = b.call(scaled_mm, b.input("a", (s, 16)), b.input("b", (16, 4096)), b.input("scale", (1,)))
    part = b.call(aten.slice.Tensor, mm, 0, 0, s)
    op, written, residual = fused(b, s, form, part)
    whole = b.call(aten.slice_scatter.default, mm, written, 0, 0, s)
    done = check(b.output(whole, residual), removed=(part.name, whole.name))
    assert [target for target, *_ in calls(done.after)] == [
        scaled_mm,
        op.target,
        written.target,
        residual.target,
    ]
    assert mm in op.all_input_nodes
    assert done.after.graph.output_node().args[0] == (written, residual)


@pytest.mark.parametrize("form", ["v1", "v2"])
def test_only_the_first_result_is_used(form: str) -> None:
    b = Builder()
    s = b.size("s0")
    mm = b.call(scaled_mm, b.input("a", (s, 16)), b.input("b", (16, 4096)), b.input("scale", (1,)))
    part = b.call(aten.slice.Tensor, mm, 0, 0, s)
    op, written, residual = fused(b, s, form, part)
    b.graph.erase_node(residual)
    whole = b.call(aten.slice_scatter.default, mm, written, 0, 0, s)
    done = check(b.output(whole))
    assert calls(done.after) == [
        (scaled_mm, "a", "b", "scale"),
        (op.target, *(n.name for n in op.all_input_nodes)),
        (written.target, op.name),
    ]


@pytest.mark.parametrize("form", ["v1", "v2"])
def test_a_part_that_is_the_whole_under_the_hint_only_stays(form: str) -> None:
    b = Builder()
    s, t = b.size("s0"), b.size("s1")
    mm = b.call(scaled_mm, b.input("a", (t, 16)), b.input("b", (16, 4096)), b.input("scale", (1,)))
    part = b.call(aten.slice.Tensor, mm, 0, 0, s)
    _, written, residual = fused(b, s, form, part)
    whole = b.call(aten.slice_scatter.default, mm, written, 0, 0, s)
    check(b.output(whole, residual), kept=(part.name, whole.name))
