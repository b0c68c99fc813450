"""Inductor guards on no size for what a run changed: not where it asks the kernels of changed calls again, not where it
lowers them and generates its code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import catalogue_reshape
import pytest
import torch
from catalogue import ROWS
from catalogue_row import Example, Row, aten, eliminated, ex, name_of
from torch import fx
from torch._dispatch.python import enable_python_dispatcher
from torch._inductor.debug import DebugContext
from torch._inductor.decomposition import select_decomp_table
from torch._inductor.fx_utils import FakeTensorUpdater
from torch._inductor.graph import GraphLowering
from torch._inductor.virtualized import V
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from noopelim import Exact
from noopelim.driver import find_shape_env

ASKED = [row for row in ROWS if row.scope == "compose" or row in catalogue_reshape.ROWS]
"""Rows whose rules make calls, not only drop them. All of them is what takes long."""


def decomposed(gm: fx.GraphModule) -> fx.GraphModule:
    """As Inductor has it when it runs its passes."""
    inputs = [node.meta["val"] for node in gm.graph.find_nodes(op="placeholder")]
    with _mode(gm), enable_python_dispatcher(), torch.no_grad():
        again: fx.GraphModule = make_fx(gm, select_decomp_table(), "real", _allow_non_fake_inputs=True)(
            *inputs
        )
    output = again.graph.output_node()
    output.args = (tuple(pytree.tree_leaves(output.args[0])),)
    again.recompile()
    return again


def _mode(gm: fx.GraphModule) -> Any:
    values = [node.meta["val"] for node in gm.graph.find_nodes(op="placeholder")]
    return next(v.fake_mode for v in values if isinstance(v, torch.Tensor))


def guards(example: Example, change: Callable[[fx.GraphModule], bool] | None = None) -> list[str]:
    """Those that came while the graph was compiled; none if it has no symbols, or if ``change`` did nothing."""
    gm = decomposed(example.build(True)[0])
    env = find_shape_env(gm.graph)
    if env is None:
        return []
    had = len(env.guards)
    updater = FakeTensorUpdater(gm)
    if change and not change(gm):
        return []
    inputs = [node.meta["val"] for node in gm.graph.find_nodes(op="placeholder")]
    with V.set_fake_mode(_mode(gm)), torch.no_grad(), DebugContext():
        updater.incremental_update()
        lowering = GraphLowering(gm, example_inputs=inputs, shape_env=env)
        with V.set_graph_handler(lowering):
            lowering.run(*inputs)
            lowering.codegen()
    return [str(guard.expr) for guard in env.guards[had:]]


def _examples(row: Row) -> list[Example]:
    return [example for example in row.examples if not example.static_only]


@pytest.mark.parametrize("row", [row for row in ASKED if _examples(row)], ids=lambda row: str(row.number))
def test_no_guard_that_inductor_would_not_add_anyway(row: Row) -> None:
    for example in _examples(row):
        made = guards(example, partial(_changed, example.level))
        if made:
            assert set(made) <= set(guards(example)), name_of(row, example, True)


def _changed(level: Exact, gm: fx.GraphModule) -> bool:
    return bool(eliminated(gm, level).passed)


def test_the_check_sees_what_a_careless_pass_does() -> None:
    """``[a, b]`` to ``[b, a]`` in one step."""
    flat_between = ex("", lambda x: aten.view(aten.view(x, (-1,)), (x.shape[1], x.shape[0])))

    def careless(gm: fx.GraphModule) -> bool:
        first, second = gm.graph.find_nodes(op="call_function", target=aten.view.default)
        second.args = (first.args[0], second.args[1])
        gm.graph.erase_node(first)
        return True

    assert guards(flat_between) == []
    assert guards(flat_between, careless)
