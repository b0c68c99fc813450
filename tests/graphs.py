"""Graphs for tests: traced by ``trace``, laid node by node with ``Builder``, judged by ``check``."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from graph_checks import Checked, check
from graph_structure import ops
from torch import fx
from torch._dispatch.python import enable_python_dispatcher
from torch._dynamo.source import ConstantSource
from torch._ops import OpOverload
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import (
    DimDynamic,
    ShapeEnv,
    _constrain_range_for_size,
    compute_unbacked_bindings,
)
from torch.fx.node import map_aggregate
from torch.utils._sympy.numbers import int_oo
from torch.utils._sympy.value_ranges import ValueRanges

from noopelim.observe import Case

__all__ = ["Builder", "Case", "Checked", "Size", "check", "ops", "trace"]

Size = int | fx.Node


def trace(
    fn: Callable[..., object], *args: object, dynamic: bool = False, functionalize: bool = False
) -> fx.GraphModule:
    """``fn`` as an ATen graph. With ``dynamic``, every size above one is a symbol and equal sizes share one."""
    body = torch.func.functionalize(fn) if functionalize else fn
    with torch.no_grad():
        return make_fx(body, tracing_mode="symbolic" if dynamic else "fake")(*args)


class Builder:
    """One graph, node by node. Each call runs under the fake mode, so ``meta["val"]`` is torch's own answer."""

    def __init__(self, parent: Builder | None = None) -> None:
        self.env: ShapeEnv = parent.env if parent else ShapeEnv()
        self.mode: FakeTensorMode = parent.mode if parent else FakeTensorMode(shape_env=self.env)
        self.graph = fx.Graph()
        self.root = torch.nn.Module()

    def size(self, name: str, hint: int = 8, low: int = 2, high: int | None = None) -> fx.Node:
        """A placeholder that holds a backed symbol. Two symbols may share a hint and still be two symbols."""
        source = ConstantSource(name)
        symbol = self.env.create_symbol(
            hint, source, DimDynamic.DYNAMIC, None, do_not_specialize_zero_one=True
        )
        self.env.var_to_range[symbol] = ValueRanges(low, int_oo if high is None else high)
        return self.placeholder(name, self.env.create_symintnode(symbol, hint=hint, source=source))

    def unbacked(self, name: str, *, size_like: bool = True) -> fx.Node:
        """A placeholder that holds an unbacked symbol; if not ``size_like``, it may be negative too."""
        value = self.env.create_unbacked_symint()
        if size_like:
            _constrain_range_for_size(value)
        self.env.pending_fresh_unbacked_symbols.clear()
        return self.placeholder(name, value)

    def placeholder(self, name: str, val: object) -> fx.Node:
        # Inputs come first, as in every traced graph, whenever the test asks for them.
        called = next((n for n in self.graph.nodes if n.op != "placeholder"), None)
        with self.graph.inserting_before(called) if called else contextlib.nullcontext():
            node = self.graph.placeholder(name)
        node.meta["val"] = val
        return node

    def input(
        self,
        name: str,
        shape: Sequence[Size],
        dtype: torch.dtype = torch.float32,
        *,
        stride: Sequence[Size] | None = None,
        offset: Size = 0,
        of: fx.Node | None = None,
        view: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> fx.Node:
        """A tensor placeholder. ``of`` lays it over another input; ``view`` is applied last, as in ``torch.conj``."""
        sizes, strides, start = self.values((list(shape), stride and list(stride), offset))
        with self.mode, torch.no_grad():
            if of is not None:
                value = of.meta["val"].as_strided(sizes, strides or _contiguous(sizes), start)
            elif strides is None and start == 0:
                value = torch.empty(sizes, dtype=dtype)
            else:
                strides = strides or _contiguous(sizes)
                reach = start + 1 + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))
                value = torch.empty((reach,), dtype=dtype).as_strided(sizes, strides, start)
            return self.placeholder(name, view(value) if view else value)

    def constant(self, name: str, tensor: torch.Tensor) -> fx.Node:
        """A buffer of the module, read by a ``get_attr`` node."""
        self.root.register_buffer(name, tensor)
        node = self.graph.create_node("get_attr", name)
        node.meta["val"] = self.mode.from_tensor(tensor)
        return node

    def subgraph(self, name: str, gm: fx.GraphModule) -> fx.Node:
        """A nested graph, the operand of ``cond`` and its kin."""
        self.root.add_module(name, gm)
        return self.graph.create_node("get_attr", name)

    def call(self, target: Callable[..., Any], /, *args: object, **kwargs: object) -> fx.Node:
        node = self.bare(target, *args, **kwargs)
        with self.mode, enable_python_dispatcher(), torch.no_grad():
            node.meta["val"] = target(*self.values(args), **self.values(kwargs))
        if bindings := compute_unbacked_bindings(self.env, node.meta["val"]):
            node.meta["unbacked_bindings"] = bindings
        return node

    def told(
        self, target: Callable[..., Any], /, *args: object, shape: Sequence[Any], stride: Sequence[Any]
    ) -> fx.Node:
        """A call that is not run, for it would guard on the hints. Its result views the first argument."""
        node = self.bare(target, *args)
        sizes, strides = self.values((list(shape), list(stride)))
        with self.mode, self.env.suppress_guards():
            node.meta["val"] = self.values(args[0]).as_strided(sizes, strides)
        return node

    def bare(self, target: Callable[..., Any], /, *args: object, **kwargs: object) -> fx.Node:
        """A call without metadata, named after its operator as ``make_fx`` names it."""
        name = target._opname if isinstance(target, OpOverload) else None
        return self.graph.create_node("call_function", target, args, kwargs, name)  # type: ignore[arg-type]

    def get(self, node: fx.Node, index: int) -> fx.Node:
        return self.call(operator.getitem, node, index)

    def values(self, args: Any) -> Any:
        """``args`` as the fake mode sees them."""

        def value(arg: Any) -> Any:
            if not isinstance(arg, fx.Node):
                return arg
            if "val" in arg.meta:
                return arg.meta["val"]
            return getattr(self.root, str(arg.target))

        return map_aggregate(args, value)

    def output(self, *outs: object, bare: bool = False) -> fx.GraphModule:
        """Close the graph. ``bare`` returns the one node itself rather than a tuple of it."""
        result = outs[0] if bare else outs
        node = self.graph.output(result)  # type: ignore[arg-type]
        node.meta["val"] = self.values(result)
        self.graph.lint()
        return fx.GraphModule(self.root, self.graph)


def _contiguous(sizes: Sequence[Any]) -> list[Any]:
    strides: list[Any] = []
    step: Any = 1
    for size in reversed(sizes):
        strides.insert(0, step)
        step = step * size
    return strides
