"""Exported programs for tests, and what can be observed of one when it runs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch._ops import OpOverload
from torch.export import Dim, ExportedProgram
from torch.utils import _pytree as pytree


class Body(torch.nn.Module):
    """A function as a module, with a linear layer and a buffer for it to use."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = torch.nn.Linear(4, 4)
        self.register_buffer("state", torch.arange(4.0))
        self.function = function

    def forward(self, *args: torch.Tensor) -> Any:
        return self.function(self, *args)


def export(function: Callable[..., Any], inputs: int = 1, *, decompose: bool = False) -> ExportedProgram:
    """``function(module, *tensors)`` for ``inputs`` tensors of n rows and 4 columns, for any n."""
    rows = Dim("rows", min=2, max=64)
    with torch.no_grad():
        program = torch.export.export(
            Body(function), tensors(3, inputs), dynamic_shapes=(tuple({0: rows} for _ in range(inputs)),)
        )
        return program.run_decompositions() if decompose else program


def tensors(rows: int, count: int = 1) -> tuple[torch.Tensor, ...]:
    """Inputs that differ from one another."""
    generator = torch.Generator().manual_seed(rows)
    return tuple(torch.randn(rows, 4, generator=generator) for _ in range(count))


def observed(program: ExportedProgram, rows: int = 3) -> tuple[Any, ...]:
    """Results of two calls in a row, the inputs and buffers after them, and which results share memory."""
    module = copy.deepcopy(program).module()
    inputs = tensors(rows, len(program.graph_signature.user_inputs))
    first = [_plain(value) for value in flat(module(*inputs))]
    results = flat(module(*inputs))
    last = [_plain(value) for value in results]
    state = [_plain(value) for value in (*inputs, *module.buffers())]
    owners = (*inputs, *module.buffers(), *module.parameters(), *results)
    memory = [t.untyped_storage().data_ptr() for t in owners if isinstance(t, torch.Tensor)]
    return first, last, state, [memory.index(pointer) for pointer in memory]


def _plain(value: Any) -> Any:
    """A tensor as its layout and bytes."""
    if not isinstance(value, torch.Tensor):
        return value
    layout = (value.dtype, tuple(value.shape), value.stride(), value.storage_offset())
    return layout, value.detach().contiguous().reshape(-1).view(torch.uint8).tolist()


def flat(value: Any) -> list[Any]:
    return pytree.tree_leaves(value, is_leaf=lambda v: v is None)


def assert_same(program: ExportedProgram, before: tuple[Any, ...], rows: int = 3) -> None:
    """``observed`` as it was, bit for bit."""
    assert observed(program, rows) == before


def names(program: ExportedProgram) -> list[object]:
    """The outputs as the graph has them; for nodes, their names."""
    return [getattr(output, "name", output) for output in program.graph.output_node().args[0]]  # type: ignore[union-attr]


def calls(program: ExportedProgram) -> list[str]:
    """What the graph calls, in order, without overloads."""
    targets = [n.target for n in program.graph.nodes if n.op == "call_function"]
    return [str(t).split(".")[1] if isinstance(t, OpOverload) else t.__name__ for t in targets]


def as_printed(program: ExportedProgram) -> tuple[Any, ...]:
    """All that a failed run must leave alone, nested graphs included."""
    graphs = [m.graph for m in program.graph_module.modules() if isinstance(m, torch.fx.GraphModule)]
    return (
        [str(graph) for graph in graphs],
        [{k: id(v) for k, v in node.meta.items()} for graph in graphs for node in graph.nodes],
        [m.code for m in program.graph_module.modules() if isinstance(m, torch.fx.GraphModule)],
        repr(program.graph_signature),
        repr(program.module_call_graph),
    )
