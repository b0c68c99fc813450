"""Graphs to time passes on: made to a pattern in any size, and those that Inductor sees of models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.symbolic_shapes import ShapeEnv

_aten = torch.ops.aten
_SHAPE = (8, 16)


@dataclass(frozen=True)
class Case:
    """One graph to time. ``kind``: ``joint`` or ``post`` of a model, else the family it was made by."""

    name: str
    kind: str
    sizes: str
    """``static`` or ``dynamic``."""
    graph: GraphModule


class _Maker:
    """A graph under construction."""

    def __init__(self) -> None:
        self.env = ShapeEnv()
        self.mode = FakeTensorMode(shape_env=self.env)
        self.graph = Graph()
        self.count = 0
        with self.mode:
            self.value = torch.empty(_SHAPE)
            self.flat, self.turned = self.value.view(-1), self.value.t()

    def input(self, value: Any = None) -> Node:
        node = self.graph.placeholder(f"x{self.count}")
        node.meta["val"] = self.value if value is None else value
        self.count += 1
        return node

    def call(self, target: Any, *args: Any, value: Any = None) -> Node:
        node = self.graph.call_function(target, args)
        node.meta["val"] = self.value if value is None else value
        self.count += 1
        return node

    def fresh(self) -> torch.Tensor:
        """A value in memory of its own."""
        return FakeTensor(self.mode, torch.empty(_SHAPE, device="meta"), torch.device("cpu"))

    def own_view(self, target: Any, node: Node, *args: Any) -> Node:
        """A view that is all of its operand, as it is."""
        return self.call(target, node, *args, value=node.meta["val"])

    def finished(self, *results: Node) -> GraphModule:
        self.graph.output(results).meta["val"] = tuple(r.meta["val"] for r in results)
        return GraphModule({}, self.graph)


def _work(make: _Maker, node: Node, other: Node) -> Node:
    """Something that has to be computed, of the kinds that rules look at."""
    kind, value = make.count % 4, make.fresh()
    if kind == 0:
        return make.call(_aten.add.Tensor, node, other, value=value)
    if kind == 1:
        return make.call(_aten.relu.default, node, value=value)
    return make.call(_aten.mul.Tensor, node, other if kind == 2 else 0.5, value=value)


def tenth(n: int) -> GraphModule:
    """Every tenth call relabels sizes as they are."""
    make = _Maker()
    other = node = make.input()
    while make.count < n:
        if make.count % 10 == 9:
            node = make.own_view(_aten.view.default, node, list(_SHAPE))
        else:
            node = _work(make, node, other)
    return make.finished(node)


def chain(n: int) -> GraphModule:
    """Reshapes of reshapes."""
    make = _Maker()
    node = make.input()
    while make.count < n:
        flat = make.count % 2 == 1
        sizes = [-1] if flat else list(_SHAPE)
        node = make.call(_aten.view.default, node, sizes, value=make.flat if flat else make.value)
    return make.finished(make.call(_aten.relu.default, node, value=make.fresh()))


def nested(n: int) -> GraphModule:
    """Calls and their inverses, so that each removal brings the next two together."""
    make = _Maker()
    node = make.input()
    steps = [k % 2 == 0 for k in range(n // 2)]
    for negates in (*steps, *reversed(steps)):
        if negates:
            with make.mode:
                value = torch.empty_strided(node.meta["val"].shape, node.meta["val"].stride())
            node = make.call(_aten.neg.default, node, value=value)
        else:
            with make.mode:
                value = node.meta["val"].permute(1, 0)
            node = make.call(_aten.permute.default, node, [1, 0], value=value)
    return make.finished(make.call(_aten.relu.default, node, value=make.fresh()))


def none(n: int) -> GraphModule:
    """Nothing to remove, of kinds that rules look at."""
    make = _Maker()
    other = node = make.input()
    while make.count < n:
        node = _work(make, node, other)
    return make.finished(node)


def every(n: int) -> GraphModule:
    """Nothing but no-ops."""
    make = _Maker()
    node = make.input()
    calls: list[tuple[Any, ...]] = [
        (_aten.slice.Tensor, 0, 0, 2**63 - 1),
        (_aten.view.default, list(_SHAPE)),
        (_aten.permute.default, [0, 1]),
    ]
    while make.count < n:
        target, *args = calls[make.count % 3]
        node = make.own_view(target, node, *args)
    return make.finished(make.call(_aten.relu.default, node, value=make.fresh()))


def fan_out(n: int) -> GraphModule:
    """One value, a no-op, that everything reads; a tenth of the readers are no-ops too."""
    make = _Maker()
    last = source = make.own_view(_aten.view.default, make.input(), list(_SHAPE))
    while make.count < n:
        read = make.own_view(_aten.view.default, source, list(_SHAPE)) if make.count % 10 == 0 else source
        last = make.call(_aten.sin.default, read, value=make.fresh())
    return make.finished(last)


def symbols(n: int) -> GraphModule:
    """A size of its own for every ten calls."""
    make = _Maker()
    results = []
    inputs = []
    for _ in range(n // 10):
        value = make.mode.from_tensor(torch.empty(7, 6), static_shapes=False)
        inputs.append(make.input(value))
    for source in inputs:
        value = source.meta["val"]
        rows = value.shape[0]
        size = make.call(_aten.sym_size.int, source, 0, value=rows)
        node = source
        for _ in range(2):
            with make.mode:
                computed = torch.empty_strided(value.shape, value.stride())
            node = make.call(_aten.relu.default, node, value=computed)
            node = make.own_view(_aten.view.default, node, [size, 6])
            node = make.own_view(_aten.slice.Tensor, node, 0, 0, size)
            with make.mode:
                computed = torch.empty_strided(value.shape, value.stride())
            node = make.call(_aten.mul.Tensor, node, 0.5, value=computed)
        results.append(node)
    return make.finished(*results)


FAMILIES: dict[str, Callable[[int], GraphModule]] = {
    "10% no-ops": tenth,
    "chain": chain,
    "nested": nested,
    "none": none,
    "all no-ops": every,
    "fan-out": fan_out,
    "symbols": symbols,
}


def models(names: dict[str, Any], sizes: tuple[str, ...]) -> Iterator[Case]:
    """The graphs entering the joint passes, and as Inductor would lower them, of architectures by name."""
    from compiled import watched
    from zoo import STATIC, TRACED

    for name, architecture in names.items():
        for mode in sizes:
            torch._dynamo.reset()
            model = architecture.model(False)
            with watched() as (backend, seen), torch.no_grad():
                compiled = torch.compile(model, backend=backend, dynamic=mode == "dynamic")
                compiled(**architecture.arguments(TRACED if mode == "dynamic" else STATIC, 0))
            for kind, graphs in (("joint", seen.joint), ("post", [each.graph for each in seen.lowered])):
                for graph in graphs:
                    yield Case(name, kind, mode, graph)


def architectures(layers: int) -> dict[str, Any]:
    """A few kinds of models of so many layers."""
    from architectures import ARCHITECTURES, GROUPED, SIZES, VISION
    from zoo import Input
    from zoo_text import IDS, MASKED, architecture

    deep = {"num_hidden_layers": layers}
    gpt2 = ARCHITECTURES["GPT2"][1]
    eager = {"attn_implementation": "eager", "n_layer": layers}
    image = {"pixel_values": Input(("b", 3, 32, 32))}
    made = (
        architecture(f"Llama {layers}", "LlamaForCausalLM", GROUPED | deep, IDS),
        architecture(f"GPT2 eager {layers}", "GPT2LMHeadModel", {**gpt2, **eager}, IDS),
        architecture(f"Bert {layers}", "BertModel", SIZES | deep, MASKED),
        architecture(f"ViT {layers}", "ViTModel", VISION | deep, image),
    )
    return {each.name: each for each in made}
