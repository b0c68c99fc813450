"""An exported program stays a valid program, under a stand-in for the engine and under the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from programs import as_printed, assert_same, calls, export, names, observed
from torch.export.graph_signature import InputKind, OutputKind
from torch.fx import GraphModule

import noopelim
from noopelim.errors import GraphError, RewriteError
from noopelim.export import eliminate_exported
from noopelim.remarks import Report

aten = torch.ops.aten
Function = Callable[..., Any]


def drop_clones(gm: GraphModule) -> Report:
    """A stand-in for the engine. It knows no caution, and gives each tensor product a new name."""
    for node in list(gm.graph.nodes):
        if node.target is aten.clone.default:
            node.replace_all_uses_with(node.args[0])
            gm.graph.erase_node(node)
    return Report()


def test_output_names_follow() -> None:
    program = export(lambda m, x, y: ((x * y).clone(), x.sum()), 2)
    before, inputs = observed(program), repr(program.graph_signature.input_specs)
    specs = program.graph_signature.output_specs
    assert names(program) == ["clone", "sum_1"]
    eliminate_exported(program, drop_clones)
    assert names(program) == ["mul", "sum_1"] == list(program.graph_signature.user_outputs)
    assert program.graph_signature.output_specs is specs
    assert repr(program.graph_signature.input_specs) == inputs
    program.validate()
    assert "clone" not in program.graph_module.code
    assert_same(program, before)


def test_repeated_constant_and_symbolic_outputs_follow() -> None:
    def function(m: Any, x: torch.Tensor) -> Any:
        c = (x + x).clone()
        return c, 3, None, c, x.shape[0], 2.5, True, x.shape[0] * 2

    program = export(function)
    before = observed(program)
    old = names(program)
    eliminate_exported(program, drop_clones)
    assert names(program) == ["add" if name == "clone" else name for name in old]
    assert [name == "add" for name in names(program)].count(True) == 2
    program.validate()
    assert_same(program, before)


def test_mutation_outputs_follow() -> None:
    def function(m: Any, x: torch.Tensor) -> Any:
        m.state.copy_((x.sum(0) * 2).clone())
        x.copy_((x - 1).clone())
        return m.state + x

    program = export(function, decompose=True)
    kinds = [spec.kind for spec in program.graph_signature.output_specs]
    assert kinds == [OutputKind.BUFFER_MUTATION, OutputKind.USER_INPUT_MUTATION, OutputKind.USER_OUTPUT]
    before = observed(program)
    assert calls(program).count("clone") == 2
    eliminate_exported(program, drop_clones)
    assert "clone" not in calls(program)
    assert [spec.kind for spec in program.graph_signature.output_specs] == kinds
    assert list(program.graph_signature.buffers_to_mutate) == names(program)[:1]
    assert list(program.graph_signature.user_inputs_to_mutate.items()) == [(names(program)[1], "args_0")]
    program.validate()
    assert_same(program, before)


def nested(m: Any, x: torch.Tensor) -> Any:
    return torch.cond(x.sum() > 0, lambda x: (x + 1).clone(), lambda x: (x - 1).clone(), (x,)) * 2


def reserved_names() -> torch.export.ExportedProgram:
    class Reserved(torch.nn.Module):
        def forward(self, input: torch.Tensor, len: torch.Tensor, sum_7: torch.Tensor) -> torch.Tensor:
            return (input + len * sum_7).clone()

    return torch.export.export(Reserved(), (torch.ones(2), torch.ones(2), torch.ones(2)))


@pytest.mark.parametrize("make", [lambda: export(nested), reserved_names], ids=["nested", "reserved names"])
def test_what_a_failed_run_leaves(make: Function) -> None:
    program = make()
    before = as_printed(program)

    def fail(gm: GraphModule) -> Report:
        for module in gm.modules():
            if isinstance(module, GraphModule):
                drop_clones(module)
                module.recompile()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        eliminate_exported(program, fail)
    assert as_printed(program) == before
    program.validate()
    eliminate_exported(program, drop_clones)
    program.validate()


def test_a_run_that_fails_cleanly_keeps_the_nodes() -> None:
    program = export(lambda m, x: x + x)
    nodes = list(program.graph.nodes)

    def fail(gm: GraphModule) -> Report:
        raise RewriteError("rule 'a/b' raised")

    with pytest.raises(RewriteError, match="a/b"):
        eliminate_exported(program, fail)
    assert list(program.graph.nodes) == nodes


def unknown_value(gm: GraphModule) -> Report:
    drop_clones(gm)
    with gm.graph.inserting_before(gm.graph.output_node()):
        gm.graph.call_function(aten.neg.default, (gm.graph.output_node().args[0][0],))  # type: ignore[index]
    return Report()


def fewer_outputs(gm: GraphModule) -> Report:
    drop_clones(gm)
    gm.graph.output_node().args = ((),)
    return Report()


@pytest.mark.parametrize("run", [unknown_value, fewer_outputs])
def test_a_run_that_breaks_the_program_is_undone(run: Callable[[GraphModule], Report]) -> None:
    program = export(lambda m, x: (x + x).clone())
    before = as_printed(program)
    with pytest.raises(GraphError, match=r"not be a valid program.*please report this"):
        eliminate_exported(program, run)
    assert as_printed(program) == before


def test_a_program_that_was_not_valid() -> None:
    program = export(lambda m, x: (x + x).clone())
    program.graph_signature.output_specs[0].arg.name = "somebody"
    before = as_printed(program)
    with pytest.raises(GraphError, match=r"not valid to begin with.*mend it first") as caught:
        noopelim.eliminate(program)
    assert "\n" not in str(caught.value)
    assert as_printed(program) == before


def keep_old_state(m: Any, x: torch.Tensor) -> Any:
    old = m.state.clone()
    m.state.add_(x.sum(0))
    return old, m.state * 1


def swap(m: Any, x: torch.Tensor, y: torch.Tensor) -> Any:
    a, b = x.clone(), y.clone()
    x.copy_(b)
    y.copy_(a)
    return x + 1, (y * 2).clone().clone()


def copies_of_inputs(m: Any, x: torch.Tensor) -> Any:
    c = x.clone()
    return c, c.reshape(x.shape), x.reshape(-1, 2, 2).reshape(x.shape).clone(), m.linear(x.clone())


def chain(m: Any, x: torch.Tensor, y: torch.Tensor) -> Any:
    z = m.linear(x.float()).clone().reshape(-1, 2, 2).flatten(1)[:, :4]
    return z.expand(x.shape) + y[: x.shape[0]].contiguous(), z.transpose(0, 1).t().clone(), x.shape[0]


@pytest.mark.parametrize("decompose", [False, True], ids=["training", "decomposed"])
@pytest.mark.parametrize(
    ("function", "inputs"), [(keep_old_state, 1), (swap, 2), (copies_of_inputs, 1), (chain, 2), (nested, 1)]
)
def test_engine_keeps_what_can_be_observed(function: Function, inputs: int, decompose: bool) -> None:
    program = export(function, inputs, decompose=decompose)
    small, large = observed(program, 3), observed(program, 40)
    arguments = [spec for spec in program.graph_signature.input_specs if spec.kind is InputKind.USER_INPUT]
    report = noopelim.eliminate(program)
    assert report.guards_added == 0
    program.validate()
    assert_same(program, small, 3)
    assert_same(program, large, 40)
    assert [s for s in program.graph_signature.input_specs if s.kind is InputKind.USER_INPUT] == arguments
    again = noopelim.eliminate(program)
    assert not again.passed
    assert again.nodes_after == report.nodes_after


def test_engine_removes_what_does_nothing() -> None:
    program = export(chain, 2)
    report = noopelim.eliminate(program)
    assert report.nodes_after == len(calls(program)) < report.nodes_before
    assert not {"clone", "to", "expand"} & set(calls(program))


def test_a_rule_that_raises_leaves_the_program() -> None:
    def broken(f: Any) -> Any:
        raise ZeroDivisionError

    rule = noopelim.Rule(
        name="test/broken",
        pattern=noopelim.OpCall(aten.add.Tensor, noopelim.X, noopelim.ANY),
        where=broken,
        to=noopelim.X,
        because="nothing",
        example=lambda x: x,
    )
    program = export(lambda m, x: ((x * x).clone() + 1).clone())
    before, nodes = as_printed(program), list(program.graph.nodes)
    with pytest.raises(RewriteError, match="test/broken"):
        noopelim.eliminate(program, [*noopelim.patterns.ALL, rule])
    assert as_printed(program) == before
    assert list(program.graph.nodes) == nodes
