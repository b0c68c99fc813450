"""The engine around an instance: sound rules pass in every context, and each kind of harm is seen in some."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
import torch

import noopelim
from noopelim import Exact, Rule, patterns, trial
from noopelim.contexts import Checked, check_in_contexts, contexts_of, judged_contexts
from noopelim.instances import CallOf, operands_of
from noopelim.legality import Legality, Verdict
from noopelim.operands import Operand
from noopelim.pattern import OpCall, X
from noopelim.remarks import Report

aten, prims = torch.ops.aten, torch.ops.prims

LAST = 2**63 - 1
x, y = Operand(0, (2, 3)), Operand(1, (2, 3))
laid = {name: Operand(0, (2, 3), layout=name) for name in ("permuted", "expanded", "sliced", "offset")}
flag = Operand(0, (3,), torch.bool)
small = Operand(0, (4,), torch.float8_e4m3fn)
none = Operand(0, (0, 2), torch.int16)
cube = Operand(0, (2, 3, 1), torch.bfloat16)


def reshape(of: Any, *size: int) -> CallOf:
    return CallOf(aten.reshape.default, (of, list(size)))


def permute(of: Any, *dims: int) -> CallOf:
    return CallOf(aten.permute.default, (of, list(dims)))


def clone(of: Any) -> CallOf:
    return CallOf(aten.clone.default, (of, None))


def slice_(of: Any, *bounds: int) -> CallOf:
    return CallOf(aten.slice.Tensor, (of, *bounds))


def expand(of: Any, *size: int) -> CallOf:
    return CallOf(aten.expand.default, (of, list(size), False))


def scatter(base: Any, src: Any, *bounds: int) -> CallOf:
    return CallOf(aten.slice_scatter.default, (base, src, *bounds))


INSTANCES: dict[str, tuple[CallOf, ...]] = {
    "reshape/of-reshape": (reshape(reshape(x, -1), -1), reshape(reshape(laid["permuted"], -1), 3, 2)),
    "reshape/to-own-shape": (
        reshape(cube, 2, 3, 1),
        reshape(laid["offset"], -1, 3),
        CallOf(aten.squeeze.dim, (x, 0)),
    ),
    "reshape/round-trip": (
        CallOf(aten.squeeze.dim, (CallOf(aten.unsqueeze.default, (x, 1)), 1)),
        CallOf(aten.flatten.using_ints, (reshape(flag, 3, 1), 0, 1)),
    ),
    "reshape/dtype-view-to-own-dtype": (
        CallOf(aten.view.dtype, (x, torch.float32)),
        CallOf(aten.view.dtype, (small, torch.float8_e4m3fn)),
    ),
    "slice/whole": (slice_(x, 1, 0, LAST, 1), slice_(x, 1, 0, -1, 1), slice_(laid["sliced"], 0, -5, 9, 1)),
    "slice_scatter/whole": (scatter(x, y, 1, 0, LAST, 1), scatter(laid["sliced"], y, 0, -7, LAST, 1)),
    "permute/identity": (permute(x, 0, 1), permute(cube, 0, -2, -1), permute(x, 1, 0)),
    "permute/round-trip": (permute(permute(x, 1, 0), 1, 0), permute(permute(cube, 2, 0, 1), 1, 2, 0)),
    "permute/of-permute": (permute(permute(cube, 1, 2, 0), 1, 2, 0), permute(permute(none, 1, 0), 0, 1)),
    "expand/to-own-shape": (expand(x, -1, -1), expand(laid["expanded"], -1, 3)),
    "expand/of-expand": (expand(expand(flag, 2, 3), 4, 2, 3), expand(expand(x, 1, 2, 3), 1, -1, -1)),
    "repeat/by-ones": (
        CallOf(aten.repeat.default, (x, [1, 1])),
        CallOf(aten.repeat.default, (none, [1, 1])),
    ),
    "copy/clone": (
        clone(x),
        clone(clone(laid["permuted"])),
        CallOf(aten.contiguous.default, (flag, torch.contiguous_format)),
    ),
    "copy/alias": (CallOf(aten.alias.default, (small,)), CallOf(aten.detach_copy.default, (laid["sliced"],))),
    "copy/copy": (
        CallOf(aten.copy.default, (x, y, False)),
        CallOf(aten.copy.default, (Operand(0, (2, 3), torch.int32), y, False)),
    ),
    "cast/same-dtype": (
        CallOf(prims.convert_element_type.default, (x, torch.float32)),
        CallOf(aten.to.dtype, (flag, torch.bool, False, True, None)),
    ),
}
CASES = [
    pytest.param(patterns.ALL[n], c, id=f"{n}-{i}") for n, cs in INSTANCES.items() for i, c in enumerate(cs)
]
WITH_SYMBOLS = {
    "reshape/of-reshape-0",
    "slice/whole-0",
    "copy/copy-0",
    "permute/of-permute-0",
    "copy/clone-1",
}


def test_the_rules_with_instances_are_shipped() -> None:
    assert INSTANCES.keys() <= set(patterns.ALL.names)


@pytest.mark.parametrize(("rule", "call"), CASES)
def test_a_sound_rule_fits_everywhere(rule: Rule, call: CallOf) -> None:
    done = check_in_contexts(rule, call)
    assert done.misfit is None, done.misfit
    calls_inside = any(isinstance(a, CallOf) for a in call.args)
    writable = all(operand.layout != "expanded" for operand in operands_of(call))
    assert done.ran == len(list(contexts_of(call))) - 3 * (not calls_inside) - 4 * (not writable)


@pytest.mark.parametrize(("rule", "call"), CASES)
def test_a_sound_rule_fits_everywhere_with_symbols(
    rule: Rule, call: CallOf, request: pytest.FixtureRequest
) -> None:
    done = check_in_contexts(rule, call, dynamic=True)
    assert done.misfit is None, done.misfit
    # Sizes among the arguments are numbers, which only a guard would make equal to symbols.
    assert done.ran >= 13 or request.node.callspec.id not in WITH_SYMBOLS


def test_a_rule_fires_in_contexts_that_allow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[Report] = []

    def eliminate(*args: Any) -> Report:
        reports.append(noopelim.eliminate(*args))
        return reports[-1]

    monkeypatch.setattr(trial, "eliminate", eliminate)
    for dynamic in (False, True):
        reports.clear()
        check_in_contexts(patterns.ALL["copy/clone"], clone(x), dynamic=dynamic)
        assert 0 < sum(bool(r.passed) for r in reports) < len(reports)


WHERE_A_COPY_SHOWS = {
    "root returned",
    "root of constants returned",
    "operands returned too",
    "computed operands returned too",
    "root computed twice",
    "root written and returned",
    "root written and operands read",
    "operand written before root is read (x0)",
    "operand written at the end (x0)",
}


@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "symbolic"])
def test_an_engine_that_allows_everything_is_caught(monkeypatch: pytest.MonkeyPatch, dynamic: bool) -> None:
    monkeypatch.setattr(Legality, "may_replace", lambda *_: Verdict(True, "why not"))
    objections = {m.context: m.what for m in judged_contexts(patterns.ALL["copy/clone"], clone(x)) if m}
    assert objections.keys() == WHERE_A_COPY_SHOWS
    assert objections["root returned"] == "output[0] newly shares memory with input[0]"
    assert "the bits of element" in objections["operand written at the end (x0)"]
    both = judged_contexts(patterns.ALL["copy/clone"], clone(clone(x)))
    assert {m.context for m in both if m} == WHERE_A_COPY_SHOWS | {
        "middles returned too",
        "middle written before the root",
        "middle written before root is read",
    }
    done = check_in_contexts(patterns.ALL["copy/clone"], clone(x), dynamic=dynamic)
    assert done.misfit is not None
    assert done.misfit.context == "root returned"
    assert "aten.clone.default" in done.misfit.before
    assert "aten.clone.default" not in done.misfit.after


add_zero = Rule(
    name="add/zero",
    pattern=OpCall(aten.add.Tensor, X, 0.0),
    to=X,
    because="nothing is added",
    example=lambda x: aten.add.Tensor(x, 0.0),
)


def test_a_wrong_law_is_seen_and_a_weaker_one_is_not() -> None:
    call = CallOf(aten.add.Tensor, (x, 0.0, 1))
    done = check_in_contexts(add_zero, call)
    assert done.misfit is not None
    assert re.search("the bits of element 0 changed: 0x[08]0{7} became 0x[08]0{7}", done.misfit.what)
    assert check_in_contexts(dataclasses.replace(add_zero, exact=Exact.VALUES), call).misfit is None


def test_a_predicate_that_raises_is_a_misfit() -> None:
    rule = dataclasses.replace(add_zero, where=lambda f, x: 1 / 0)
    done = check_in_contexts(rule, CallOf(aten.add.Tensor, (x, 0.0, 1)))
    assert done.misfit is not None
    assert done.misfit.what.startswith("RewriteError: rule 'add/zero' raised at node add_tensor")
    assert done.misfit.before == done.misfit.after


def test_what_torch_refuses_is_not_counted() -> None:
    nowhere = check_in_contexts(patterns.ALL["reshape/to-own-shape"], reshape(x, 7))
    assert nowhere == Checked(0, None)
    assert check_in_contexts(add_zero, CallOf(aten.ones.default, ([2], None, None, None, None))) == Checked(
        0, None
    )


def test_misfits_of_untrue_metadata_are_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    # torch's fake reshape gives a sliced unit dim another stride than its real one.
    sliced = Operand(0, (1, 1), layout="sliced")
    call, done = reshape(reshape(sliced, -1), -1), []
    untrue = trial.Trial.was_untrue
    monkeypatch.setattr(trial.Trial, "was_untrue", lambda self: done.append(untrue(self)) or done[-1])
    assert check_in_contexts(patterns.ALL["reshape/of-reshape"], call).misfit is None
    assert any(done)


def test_the_callers_random_numbers_go_on() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2).tolist()
    torch.manual_seed(3)
    check_in_contexts(patterns.ALL["copy/clone"], clone(x))
    assert torch.rand(2).tolist() == expected
