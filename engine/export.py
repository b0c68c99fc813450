"""Elimination in a ``torch.export.ExportedProgram``, whose signature names nodes of its graph."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from torch.export import ExportedProgram
from torch.export.graph_signature import ConstantArgument
from torch.fx import Graph, GraphModule, Node

from .errors import GraphError
from .remarks import Report


def eliminate_exported(program: ExportedProgram, run: Callable[[GraphModule], Report]) -> Report:
    """Apply ``run`` to the graph of ``program``, in place, and make the signature follow.

    ``run`` edits the graph it is given and keeps the number and order of its outputs. Where the program has
    preserved module call signatures, nothing is rewritten across the edge of such a module, so that
    ``torch.export.unflatten`` still finds the module's inputs and outputs.

    Raises ``GraphError`` if the program does not pass its own verifiers, and whatever ``run`` raises; after
    either the program is as it was.
    """
    before = _Before(program)
    module = program.graph_module
    try:
        outputs = _output_names(module.graph)
        fences = _fence(program)
        report = run(module)
        names = _remove(fences)
        _rename(program, list(zip(outputs, _output_names(module.graph), strict=False)), names)
        module.recompile()
        if defect := _defect(program):
            raise GraphError(f"the result would not be a valid program: {defect}; please report this")
    except BaseException as error:
        before.restore()
        if isinstance(error, GraphError) and (defect := _defect(program)):
            raise GraphError(f"the program was not valid to begin with: {defect}; mend it first") from error
        raise
    report.nodes_before -= len(fences)
    report.nodes_after -= len(fences)
    return report


def _output_names(graph: Graph) -> list[str | None]:
    """The name of each output; None for a constant."""
    outputs: Any = graph.output_node().args[0]
    return [output.name if isinstance(output, Node) else None for output in outputs]


def _edge_of_module(value: Any) -> Any:
    """Never called. A function that nobody knows may do anything, so no rewrite reaches across a call of it."""
    return value


def _fence(program: ExportedProgram) -> dict[str, Node]:
    """Put a call of ``_edge_of_module`` behind each call that a module call signature names; by name."""
    named = {
        getattr(argument, "name", None)
        for entry in program.module_call_graph
        if entry.signature is not None
        for argument in (*entry.signature.inputs, *entry.signature.outputs)
    }
    fences = {}
    for node in [n for n in program.graph.nodes if n.op == "call_function" and n.name in named]:
        with program.graph.inserting_after(node):
            fence = program.graph.create_node(
                "call_function", _edge_of_module, (node,), name=f"{node.name}_at_edge_of_module"
            )
        fence.meta = dict(node.meta)
        node.replace_all_uses_with(fence, lambda user, fence=fence: user is not fence)
        fences[node.name] = fence
    return fences


def _remove(fences: Mapping[str, Node]) -> dict[str, str]:
    """Take the fences away again. Returns the names that now stand for those that a signature has."""
    names = {}
    for name, fence in fences.items():
        (operand,) = fence.all_input_nodes
        names[name] = operand.name
        fence.replace_all_uses_with(operand)
        fence.graph.erase_node(fence)
    return names


def _rename(
    program: ExportedProgram, outputs: list[tuple[str | None, str | None]], names: Mapping[str, str]
) -> None:
    """Carry new names over to the program's signatures. Outputs are told apart by position, not by name."""
    specs = program.graph_signature.output_specs
    for position, (spec, (old, new)) in enumerate(zip(specs, outputs, strict=False)):
        if old is not None and new is not None:
            specs[position] = dataclasses.replace(spec, arg=_renamed(spec.arg, {old: new}))
    for entry in program.module_call_graph:
        if entry.signature is not None:
            for arguments in (entry.signature.inputs, entry.signature.outputs):
                arguments[:] = [_renamed(argument, names) for argument in arguments]


def _renamed(argument: Any, names: Mapping[str, str]) -> Any:
    # A constant's name is not the name of a node.
    if isinstance(argument, ConstantArgument) or argument.name not in names:
        return argument
    return dataclasses.replace(argument, name=names[argument.name])


def _defect(program: ExportedProgram) -> str | None:
    """What the program's verifiers object to, in one line."""
    try:
        program.validate()  # type: ignore[no-untyped-call]
    except Exception as error:  # verifiers raise whatever they stumble over
        return next(iter(str(error).splitlines()), type(error).__name__).strip(" .")
    return None


class _Before:
    """All that a run may change, and the way back to it."""

    def __init__(self, program: ExportedProgram) -> None:
        self._graphs = [
            (module, _copy(module.graph))
            for module in program.graph_module.modules()
            if isinstance(module, GraphModule)
        ]
        self._lists: list[tuple[list[Any], list[Any]]] = []
        self._save(program.graph_signature.output_specs)
        for entry in program.module_call_graph:
            if entry.signature is not None:
                self._save(entry.signature.inputs)
                self._save(entry.signature.outputs)

    def _save(self, changeable: list[Any]) -> None:
        self._lists.append((changeable, list(changeable)))

    def restore(self) -> None:
        """Put everything back. A graph that already is as it was keeps its nodes."""
        for module, graph in self._graphs:
            if not _same(module.graph, graph):
                module.graph = graph
        for changeable, saved in self._lists:
            changeable[:] = saved


def _copy(graph: Graph) -> Graph:
    """A copy with the same metadata values, and the same names, some of which a new node may not choose."""
    copied = copy.deepcopy(graph)
    for new, old in zip(copied.nodes, graph.nodes, strict=True):
        new.name = old.name
    return copied


def _same(one: Graph, other: Graph) -> bool:
    return len(one.nodes) == len(other.nodes) and all(
        _described(a) == _described(b)
        and a.meta.keys() == b.meta.keys()
        and all(a.meta[key] is b.meta[key] for key in a.meta)
        for a, b in zip(one.nodes, other.nodes, strict=True)
    )


def _described(node: Node) -> tuple[object, ...]:
    # Printed, because comparing arguments would install guards where they hold symbolic numbers.
    return node.op, node.name, node.target, repr(node.args), repr(node.kwargs)
