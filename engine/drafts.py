"""A graph under construction around one instance of a pattern."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.fx import Graph, GraphModule, Node, map_arg

from .fake import run_fake
from .instances import CallOf
from .observe import fresh
from .operands import Operand
from .torch_api import FakeTensor

_aten = torch.ops.aten
Outputs = tuple[Node, ...]


class Unbuildable(Exception):
    """Torch refuses the graph, or there is nothing to lay in this context."""


@dataclass(slots=True)
class Draft:
    """A graph under construction around one instance. Its methods raise ``Unbuildable``.

    ``reals`` and ``fakes`` hold the operands by slot, ``case`` the real tensors of the placeholders so far.
    """

    instance: CallOf
    reals: Mapping[int, torch.Tensor]
    fakes: Mapping[int, FakeTensor]
    graph: Graph = field(default_factory=Graph)
    module: torch.nn.Module = field(default_factory=torch.nn.Module)
    case: list[torch.Tensor] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)

    def inputs(self) -> dict[int, Node]:
        """A placeholder for each operand, by slot."""
        found = {}
        for slot, real in self.reals.items():
            self.case.append(real)
            found[slot] = self.graph.placeholder(f"x{slot}")
            found[slot].meta["val"] = self.fakes[slot]
        return found

    def computed(self) -> dict[int, Node]:
        """Each operand as the result of a call, by slot."""
        return {slot: self.read(node) for slot, node in self.inputs().items()}

    def buffers(self) -> dict[int, Node]:
        """Each operand as a constant of the module, by slot. The sizes of a constant are no symbols."""
        found = {}
        for slot, real in self.reals.items():
            if self.fakes[slot].fake_mode.shape_env is not None:
                raise Unbuildable("with constants alone there is no symbol")
            (constant,) = fresh([real])
            self.constants.append(f"c{slot}")
            self.module.register_buffer(f"c{slot}", constant)
            found[slot] = self.graph.create_node("get_attr", f"c{slot}")
            found[slot].meta["val"] = self.fakes[slot].fake_mode.from_tensor(constant)
        return found

    def chain(self, operands: Mapping[int, Node]) -> list[Node]:
        """The instance, operands first, its root last."""
        done: dict[int, Node] = {}

        def placed(part: Any) -> Any:
            if isinstance(part, Operand):
                return operands[part.slot]
            if isinstance(part, list):
                return [placed(item) for item in part]
            if not isinstance(part, CallOf):
                return part
            if id(part) not in done:
                args, kwargs = part.split()
                named = {name: placed(value) for name, value in kwargs.items()}
                done[id(part)] = self.call(part.target, *map(placed, args), **named)
            return done[id(part)]

        placed(self.instance)
        return list(done.values())

    def call(self, target: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Node:
        """A call with torch's own metadata, had without a guard."""
        operands, named = map_arg((args, kwargs), lambda n: n.meta["val"])
        fake = next(iter(self.fakes.values()), None)
        value = run_fake(target, operands, named, fake) if fake is not None else None
        if value is None:
            raise Unbuildable(f"{target} does not run on fake tensors without a guard")
        node = self.graph.call_function(target, args, kwargs)
        node.meta["val"] = value
        return node

    def read(self, node: Node) -> Node:
        """A call that reads every element of ``node`` and makes another value of it, where its dtype allows."""
        dtype = _tensor(node).dtype
        if dtype is torch.bool:
            return self.call(_aten.bitwise_not.default, node)
        wide = dtype.is_complex or (dtype.is_floating_point and dtype.itemsize > 1)
        if wide or dtype in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64):
            return self.call(_aten.neg.default, node)
        return self.call(_aten.clone.default, node)

    def write(self, node: Node) -> None:
        """A call that writes zeros to the memory of ``node``."""
        _tensor(node)
        self.call(_aten.zero_.default, node)

    def closed(self, outputs: tuple[Node, ...]) -> GraphModule:
        """The finished graph."""
        self.graph.output(outputs).meta["val"] = tuple(n.meta["val"] for n in outputs)
        return GraphModule(self.module, self.graph)


def _tensor(node: Node) -> torch.Tensor:
    value = node.meta["val"]
    if not isinstance(value, torch.Tensor):
        raise Unbuildable(f"{node.name} is no tensor")
    return value
