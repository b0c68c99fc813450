"""A program that preserves module call signatures can still be unflattened."""

from __future__ import annotations

import torch
from programs import calls
from test_export import drop_clones

import noopelim
from noopelim.export import eliminate_exported


class Inner(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x.reshape(-1, 2, 2).expand(-1, 2, 2).clone() * 2).clone()


class Outer(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Inner()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.inner((x + 1).reshape(-1, 2).clone())
        return y.clone().reshape(x.shape).clone()


def test_nothing_is_rewritten_across_the_edge_of_a_preserved_module() -> None:
    x, y = torch.randn(4, 4), torch.randn(9, 4)
    rows = torch.export.Dim("rows", min=2, max=64)
    program = torch.export.export(
        Outer(), (x,), dynamic_shapes=({0: rows},), preserve_module_call_signature=("inner",)
    )
    before = len(calls(program))
    report = noopelim.eliminate(program)
    assert (report.nodes_before, report.nodes_after) == (before, len(calls(program)))
    assert not [n for n in program.graph.nodes if "edge" in n.name]
    program.validate()
    # Of five, the two that make the edge stay.
    assert calls(program).count("clone") == 2
    assert "expand" not in calls(program)
    unflattened = torch.export.unflatten(program)
    for inputs in (x, y):
        assert torch.equal(unflattened(inputs), Outer()(inputs))
        assert torch.equal(program.module()(inputs), Outer()(inputs))


def test_call_signatures_follow() -> None:
    program = torch.export.export(Outer(), (torch.randn(4, 4),), preserve_module_call_signature=("inner",))
    eliminate_exported(program, drop_clones)
    (entry,) = (e for e in program.module_call_graph if e.fqn == "inner")
    assert entry.signature is not None
    assert entry.signature.inputs[0].name == "reshape"
    assert [a.name for a in entry.signature.outputs] == ["mul"]
    program.validate()
