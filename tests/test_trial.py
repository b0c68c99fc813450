"""Each kind of harm that a run can do is seen, by an eliminator that does it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import fx

import noopelim
from noopelim import Exact, patterns, trial
from noopelim.contexts import check_in_contexts, judged_contexts
from noopelim.instances import CallOf
from noopelim.operands import Operand
from noopelim.remarks import Report
from noopelim.torch_api import FakeTensor

aten = torch.ops.aten
x, flag = Operand(0, (2, 3)), Operand(0, (3,), torch.bool)
LAST = 2**63 - 1


def clone(of: Any) -> CallOf:
    return CallOf(aten.clone.default, (of, None))


Edit = Callable[[fx.GraphModule], None]


def then(*calls: Callable[[Any], Any]) -> Edit:
    """Put these calls between the output and what was returned."""

    def edit(gm: fx.GraphModule) -> None:
        node = returned(gm)
        with gm.graph.inserting_before(node.next):
            for call in calls:
                value = call(node.meta["val"])
                made = call(fx.Proxy(node)).node
                made.meta["val"] = value
                node = made
        give_back(gm, node)

    return edit


def returned(gm: fx.GraphModule) -> fx.Node:
    return gm.graph.output_node().args[0][0]  # type: ignore[index, return-value]


def give_back(gm: fx.GraphModule, node: fx.Node) -> None:
    output = gm.graph.output_node()
    output.args = ((node, *output.args[0][1:]),)  # type: ignore[index, misc]


def give_back_the_input(gm: fx.GraphModule) -> None:
    give_back(gm, gm.graph.find_nodes(op="placeholder")[0])


def clear_the_input(gm: fx.GraphModule) -> None:
    (source, *_) = gm.graph.find_nodes(op="placeholder")
    with gm.graph.inserting_before(gm.graph.output_node()):
        gm.graph.call_function(aten.zero_.default, (source,)).meta["val"] = source.meta["val"]


def alias_for_a_copy(gm: fx.GraphModule) -> None:
    returned(gm).target = aten.alias.default
    returned(gm).args = returned(gm).args[:1]
    returned(gm).kwargs = {}


def untrue_metadata(gm: fx.GraphModule) -> None:
    node = returned(gm)
    with node.meta["val"].fake_mode:
        node.meta["val"] = torch.empty(7)


def a_call_that_raises(gm: fx.GraphModule) -> None:
    node = returned(gm)
    with gm.graph.inserting_after(node):
        broken = gm.graph.call_function(aten.reshape.default, (node, [5]))
    broken.meta["val"] = node.meta["val"]
    give_back(gm, broken)


def a_guard(gm: fx.GraphModule) -> None:
    size = returned(gm).meta["val"].shape[0]
    assert size != 17


def a_specialisation(gm: fx.GraphModule) -> None:
    assert returned(gm).meta["val"].shape[0] == 2


def an_error(gm: fx.GraphModule) -> None:
    raise noopelim.errors.RewriteError("rule 'copy/clone' raised at node clone")


one_zero = then(lambda v: aten.add.Tensor(v, 0.0))
one_nan = then(lambda v: aten.nan_to_num.default(v, float("nan"), float("inf"), float("-inf")))
another_number = then(lambda v: aten.clamp_max.default(v, 1.5))
column_major = then(
    aten.t.default, lambda v: aten.clone.default(v, memory_format=torch.contiguous_format), aten.t.default
)


def planted(monkeypatch: pytest.MonkeyPatch, edit: Edit, times: int = 1) -> None:
    """An eliminator that makes this edit in its first runs over each graph."""

    def eliminate(gm: fx.GraphModule, rules: object) -> Report:
        runs = gm.meta.setdefault("runs", 0)
        gm.meta["runs"] += 1
        if runs < times:
            edit(gm)
            gm.graph.lint()
            gm.recompile()
        return Report()

    monkeypatch.setattr(trial, "eliminate", eliminate)


HARM: dict[str, tuple[Edit, CallOf, str]] = {
    "the sign of zero": (one_zero, clone(x), r"output\[0\]: .* element 0 .*: 0x80000000 became 0x00000000"),
    "the payload of a NaN": (one_nan, clone(x), r"element 1 .*: 0xffc00130 became 0x7fc00000"),
    "a number": (another_number, clone(x), "element 4"),
    "a flag": (then(lambda v: aten.logical_or.default(v, v.new_ones(()))), clone(flag), "0x00 became 0x01"),
    "dtype": (then(lambda v: aten._to_copy.default(v, dtype=torch.float64)), clone(x), "dtype"),
    "shape": (then(lambda v: aten.unsqueeze.default(v, 0)), clone(x), r"shape \(2, 3\) became \(1, 2, 3\)"),
    "stride": (column_major, clone(x), r"stride \(3, 1\) became \(1, 2\)"),
    "offset": (
        then(lambda v: aten.slice.Tensor(aten.cat.default([v, v]), 0, 2, LAST)),
        clone(x),
        "offset 0 became 6",
    ),
    "the conj bit": (
        then(aten.conj.default, aten.resolve_conj.default, aten._conj.default),
        clone(Operand(0, (2,), torch.complex64)),
        "conj False became True",
    ),
    "structure": (
        lambda gm: setattr(gm.graph.output_node(), "args", ((returned(gm), returned(gm)),)),
        clone(x),
        "structure",
    ),
    "aliasing": (alias_for_a_copy, clone(x), r"output\[0\] newly shares memory with input\[0\]"),
    "no aliasing": (then(aten.clone.default), CallOf(aten.alias.default, (x,)), "no longer shares memory"),
    "identity": (
        give_back_the_input,
        CallOf(aten.alias.default, (x,)),
        r"newly is the same object as input\[0\]",
    ),
    "mutation": (clear_the_input, clone(x), r"input\[0\]: the bits of element 0"),
    "metadata": (untrue_metadata, clone(x), r"clone_default: metadata says shape .*7.*, the run \(2, 3\)"),
    "a broken graph": (a_call_that_raises, clone(x), "no longer runs: RuntimeError"),
    "an error": (an_error, clone(x), "RewriteError: rule 'copy/clone' raised"),
}


@pytest.mark.parametrize("harm", HARM)
def test_harm_is_seen(monkeypatch: pytest.MonkeyPatch, harm: str) -> None:
    edit, call, match = HARM[harm]
    planted(monkeypatch, lambda gm: None)
    assert check_in_contexts(patterns.ALL["copy/clone"], call).misfit is None
    planted(monkeypatch, edit)
    done = check_in_contexts(patterns.ALL["copy/clone"], call)
    assert done.misfit is not None
    assert done.misfit.context == "root returned"
    assert re.search(match, done.misfit.what), done.misfit.what


@pytest.mark.parametrize("edit", [a_guard, a_specialisation])
def test_a_changed_shape_env_is_seen(monkeypatch: pytest.MonkeyPatch, edit: Edit) -> None:
    planted(monkeypatch, edit)
    done = check_in_contexts(patterns.ALL["copy/clone"], clone(x), dynamic=True)
    assert done.misfit is not None
    assert re.search("the ShapeEnv changed: .*(17|2)", done.misfit.what)


def test_a_second_run_must_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    planted(monkeypatch, then(aten.alias.default), times=2)
    done = check_in_contexts(patterns.ALL["copy/clone"], clone(x))
    assert done.misfit is not None
    assert "second run" in done.misfit.what


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float8_e5m2, torch.complex64])
@pytest.mark.parametrize("exact", Exact)
def test_values_count_at_the_declared_level(
    monkeypatch: pytest.MonkeyPatch, exact: Exact, dtype: torch.dtype
) -> None:
    rule = dataclasses.replace(patterns.ALL["copy/clone"], exact=exact)
    call = clone(Operand(0, (11,), dtype))

    def fits(edit: Edit) -> bool:
        planted(monkeypatch, edit)
        return next(judged_contexts(rule, call)) is None

    assert fits(then_change("zero")) == (exact >= Exact.VALUES)
    assert fits(then_change("nan")) == (exact >= Exact.NAN_PAYLOAD)
    assert not fits(then_change("number"))
    assert not fits(then_change("nan to zero"))


def then_change(what: str) -> Edit:
    return then(
        lambda v: (
            changed(v, what)
            if isinstance(v, torch.Tensor)
            else v.tracer.create_proxy("call_function", changed, (v, what), {})
        )
    )


def changed(tensor: torch.Tensor, what: str) -> torch.Tensor:
    """Other signs for the zeros, the NaNs or -1.5; or zeros for the NaNs. By their bits, as any dtype allows."""
    if tensor.is_complex():
        return torch.view_as_complex(changed(torch.view_as_real(tensor), what))
    if isinstance(tensor, FakeTensor):
        return tensor.clone()
    wide, whole = tensor.to(torch.float64), {1: torch.uint8, 2: torch.int16, 4: torch.int32}[tensor.itemsize]
    hit = {"zero": wide == 0, "number": wide == -1.5}.get(what, wide.isnan())
    assert hit.any()
    bits = tensor.clone().view(whole)
    sign = 1 << 7 if whole is torch.uint8 else torch.iinfo(whole).min
    bits[hit] = 0 if what == "nan to zero" else bits[hit] ^ sign
    return bits.view(tensor.dtype)
