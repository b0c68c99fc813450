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

    ``run`` edits the graph it is given and keeps the number and order of its outputs. Nodes that a preserved
    module call signature names are held as extra outputs meanwhile, so that ``torch.export.unflatten`` still
    finds them.

    Raises ``GraphError`` if the program does not pass its own verifiers, and whatever ``run`` raises; after
    either the program is as it was.
    """
    before = _Before(program)
    module = program.graph_module
    try:
        outputs = _outputs(module.graph)
        held = _named_in_call_signatures(program, outputs)
        _set_outputs(module.graph, outputs + held)
        report = run(module)
        found = _outputs(module.graph)
        _set_outputs(module.graph, found[: len(outputs)])
        _rename(program, outputs + held, found)
        module.recompile()
        _validate(program)
    except BaseException as error:
        before.restore()
        if isinstance(error, GraphError) and not _is_valid(program):
            raise GraphError(
                f"the program was not valid to begin with: {error.__cause__}; repair it first"
            ) from error
        raise
    return report


def _outputs(graph: Graph) -> tuple[Any, ...]:
    return tuple(graph.output_node().args[0])  # type: ignore[arg-type]


def _set_outputs(graph: Graph, outputs: tuple[Any, ...]) -> None:
    # Left alone where nothing changes: a verbatim tuple keeps the order of the users of its nodes.
    if outputs != _outputs(graph):
        graph.output_node().args = (outputs,)


def _named_in_call_signatures(program: ExportedProgram, outputs: tuple[Any, ...]) -> tuple[Node, ...]:
    """Calls that are no outputs, and that the signature of some preserved submodule refers to by name."""
    names = {
        getattr(argument, "name", None)
        for entry in program.module_call_graph
        if entry.signature is not None
        for argument in (*entry.signature.inputs, *entry.signature.outputs)
    }
    return tuple(
        node
        for node in program.graph.nodes
        if node.op == "call_function" and node.name in names and node not in outputs
    )


def _rename(program: ExportedProgram, old: tuple[Any, ...], new: tuple[Any, ...]) -> None:
    """Carry the names of outputs, which keep their positions, over to the program's signatures."""
    signature = program.graph_signature
    signature.output_specs[:] = [
        dataclasses.replace(spec, arg=_renamed(spec.arg, {spec.arg.name: node.name}))
        if isinstance(node, Node)
        else spec
        for spec, node in zip(signature.output_specs, new, strict=False)
    ]
    names = {a.name: b.name for a, b in zip(old, new, strict=True) if isinstance(a, Node)}
    for entry in program.module_call_graph:
        if entry.signature is not None:
            for arguments in (entry.signature.inputs, entry.signature.outputs):
                arguments[:] = [_renamed(argument, names) for argument in arguments]


def _renamed(argument: Any, names: Mapping[str, str]) -> Any:
    # A constant's name is not the name of a node.
    if isinstance(argument, ConstantArgument) or argument.name not in names:
        return argument
    return dataclasses.replace(argument, name=names[argument.name])


def _validate(program: ExportedProgram) -> None:
    try:
        program.validate()
    except Exception as error:  # verifiers raise whatever they stumble over
        raise GraphError(
            f"the program would no longer be valid: {error}; it is unchanged; please report this"
        ) from error


def _is_valid(program: ExportedProgram) -> bool:
    try:
        program.validate()
    except Exception:
        return False
    return True


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
