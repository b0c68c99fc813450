"""The private names of torch: guards are refused in either way, and a snapshot sees every kind of change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import torch
from graphs import Builder

from noopelim import torch_api
from noopelim.errors import UnsupportedTorch
from noopelim.torch_api import ShapeEnv, no_new_guards, snapshot


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
