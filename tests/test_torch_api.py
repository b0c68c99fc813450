"""The private names of torch: guards are refused in either way, and a snapshot sees every kind of change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import sympy
import torch
from graphs import Builder
from torch.utils._sympy.functions import Mod

from noopelim import OpCall, patterns, torch_api
from noopelim.errors import UnsupportedTorch
from noopelim.fake import run_fake
from noopelim.rewrite import DECOMPOSED
from noopelim.torch_api import ShapeEnv, no_new_guards, snapshot, statically_true


def ways() -> dict[str, Callable[[ShapeEnv], AbstractContextManager[None]]]:
    return {"native": no_new_guards, "by hand": torch_api._refusing_guards_by_hand}


@pytest.mark.parametrize("way", ways().values(), ids=ways().keys())
def test_a_guard_is_refused_and_nothing_is_left_behind(
    way: Callable[[ShapeEnv], AbstractContextManager[None]],
) -> None:
    b = Builder()
    size = b.size("s0").meta["val"]
    before = snapshot(b.env)
    with pytest.raises(Exception, match=r"guard|Guard"), way(b.env):
        bool(size == 8)
    assert snapshot(b.env) == before
    assert not b.env.frozen
    with way(b.env):
        assert size + 1 > size
    assert bool(size == 8)
    assert snapshot(b.env) != before


def test_without_a_way_to_refuse_guards_there_is_a_clear_error() -> None:
    with pytest.raises(UnsupportedTorch, match=r"torch .* has no way .* to forbid guards"):
        torch_api._refusing_guards(object())  # type: ignore[arg-type]


def test_storage_keys_tell_views_from_copies() -> None:
    x = torch.zeros(4)
    assert torch_api.storage_key(x) == torch_api.storage_key(x[1:])
    assert torch_api.storage_key(x) != torch_api.storage_key(x.clone())
    assert torch_api.storage_key(torch.eye(2).to_sparse()) is None


def test_torch_is_asked_of_relations_as_they_fold() -> None:
    b = Builder()
    u = b.unbacked("u0").meta["val"].node.expr
    assert not statically_true(b.env, sympy.Le(u + 1, u, evaluate=False))
    assert not statically_true(b.env, sympy.Ne(u, u, evaluate=False))
    assert statically_true(b.env, sympy.Le(0, u, evaluate=False))


def test_asking_torch_shortens_no_chain_of_replacements() -> None:
    b = Builder()
    s, t = (b.size(name, hint).meta["val"] for name, hint in (("s0", 8), ("s1", 7)))
    torch._check(s == t + 1)
    torch._check(t == 7)
    before = {str(k): str(v) for k, v in b.env.var_to_range.items()}
    assert not statically_true(b.env, sympy.Eq(s.node._expr * t.node._expr, 3, evaluate=False))
    assert {str(k): str(v) for k, v in b.env.var_to_range.items()} == before


def test_a_divisibility_that_replacements_make_plain_is_no_fact() -> None:
    """Torch drops it when it next simplifies."""
    b = Builder()
    s, t = (b.size(name).meta["val"].node.expr for name in ("s0", "s1"))
    b.env.divisible.add(Mod(2 * s, t))
    assert snapshot(b.env)["divisibility"]
    b.env.replacements[t] = s
    assert not snapshot(b.env)["divisibility"]
    b.env.divisible.add(Mod(s, 2))
    assert snapshot(b.env)["divisibility"] == {Mod(s, 2)}


def test_a_call_that_needs_no_guard_is_not_refused_one() -> None:
    """Torch's cache of fake results would ask whether the size is 1."""
    b = Builder()
    x = b.input("x", (b.size("s0"), b.size("s1"))).meta["val"]
    before = snapshot(b.env)
    for bounds in ((0, -1), (1, None), (None, None)):
        assert run_fake(torch.ops.aten.slice.Tensor, (x, 1, *bounds), {}, x) is not None
    assert snapshot(b.env) == before
    assert b.mode.cache_enabled


def test_what_is_made_is_known_to_inductor() -> None:
    """Its passes run on graphs that are decomposed already: an operator without a lowering there ends a compilation."""
    from torch._inductor.lowering import lowerings

    made = {call.fns[0] for rule in patterns.ALL | patterns.VALUE_EQUAL for call in _templates(rule.to)}
    assert made - lowerings.keys() == DECOMPOSED
    aten = torch.ops.aten
    of_pieces = (aten.cat, aten.unsqueeze, aten.constant_pad_nd, aten.slice_scatter, aten.select_scatter)
    of_moves = (aten.view, aten.reshape, aten.permute, aten.expand)
    assert all(op.default in lowerings for op in (*of_pieces, *of_moves))
    assert {aten.slice.Tensor, aten.select.int, aten.squeeze.dims} <= lowerings.keys()


def _templates(template: object) -> Iterator[OpCall]:
    if isinstance(template, OpCall):
        yield template
        for argument in template.args:
            yield from _templates(argument)
