"""What a run of the eliminator may not touch, whatever it removes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import fx
from torch._ops import HigherOrderOperator, OpOverload

from noopelim.driver import find_shape_env
from noopelim.torch_api import resolved

Wanted = str | OpOverload

_PURE_CALLS: set[object] = {torch.sym_int, torch.sym_float, torch.sym_not, torch.sym_max, torch.sym_min}


def graphs(gm: fx.GraphModule) -> Iterator[fx.GraphModule]:
    """The graph and the graphs nested in it."""
    return (module for module in gm.modules() if isinstance(module, fx.GraphModule))


def ops(gm: fx.GraphModule) -> list[str]:
    """The calls of the graph, in order."""
    return [
        str(node.target) if isinstance(node.target, OpOverload) else node.target.__name__
        for node in gm.graph.nodes
        if node.op == "call_function"
    ]


def printed(gm: fx.GraphModule) -> str:
    return "\n".join(str(module.graph) for module in graphs(gm))


def count_calls(gm: fx.GraphModule) -> int:
    return sum(node.op.startswith("call_") for module in graphs(gm) for node in module.graph.nodes)


def occurrences(gm: fx.GraphModule, wanted: Wanted) -> int:
    """How many nodes have this name or operator, nested graphs included."""
    return sum(wanted in (node.name, node.target) for module in graphs(gm) for node in module.graph.nodes)


def tensor_constants(gm: fx.GraphModule) -> list[str]:
    names = dict.fromkeys(str(node.target) for node in gm.graph.find_nodes(op="get_attr"))
    return [name for name in names if isinstance(getattr(gm, name), torch.Tensor)]


def state(gm: fx.GraphModule) -> list[tuple[Any, ...]]:
    """Everything a failed run must leave as it was, objects included."""
    return [
        (
            node,
            node.name,
            node.target,
            node.args,
            dict(node.kwargs),
            list(node.users),
            {key: id(value) for key, value in node.meta.items()},
        )
        for node in gm.graph.nodes
    ]


def snapshot(gm: fx.GraphModule) -> dict[str, object]:
    """All that the ShapeEnv believes. Replacements are resolved: to shorten a chain of them is no change."""
    env = find_shape_env(gm.graph)
    if env is None:
        return {}
    return {
        "guards": [str(guard.expr) for guard in env.guards],
        "axioms": {str(key): str(value) for key, value in env.axioms.items()},
        "replacements": {str(symbol): str(resolved(symbol, env.replacements)) for symbol in env.replacements},
        "ranges": {str(symbol): str(bounds) for symbol, bounds in env.var_to_range.items()},
        "asserts": {
            str(symbol): [str(claim.expr) for claim in claims]
            for symbol, claims in env.deferred_runtime_asserts.items()
        },
        "divisible": {str(expr) for expr in env.divisible},
        "size_like": {str(symbol) for symbol in env.size_like},
        "renamings": {str(a): str(b) for a, b in env.unbacked_renamings.items()},
        "pending": [str(symbol) for symbol in env.pending_fresh_unbacked_symbols],
    }


def is_pinned(node: fx.Node) -> bool:
    """Whether the node must stay whatever it computes: it binds a symbol, or does more than compute."""
    if node.op in ("placeholder", "output") or node.meta.get("unbacked_bindings"):
        return True
    if node.op != "call_function":
        return False
    target = node.target
    if isinstance(target, OpOverload):
        if target._opname.endswith("dropout") and node.args[2] is False:
            return False  # outside of training it draws nothing
        if target is torch.ops.aten.dropout.default and node.args[1] == 0:
            return False  # it returns its operand before it would draw
        seeded = torch.Tag.nondeterministic_seeded in target.tags
        return seeded or target._schema.is_mutable or node.is_impure()
    if isinstance(target, HigherOrderOperator):
        return True
    return not _is_arithmetic(target) and target not in _PURE_CALLS


def _is_arithmetic(target: Callable[..., Any] | str) -> bool:
    return getattr(target, "__module__", None) in (operator.__name__, "_operator", "math")


def compare_structure(before: fx.GraphModule, after: fx.GraphModule) -> None:
    """Lint, code, pinned nodes, order, and the metadata that is nobody's to change."""
    befores, afters = dict(before.named_modules()), dict(after.named_modules())
    assert befores.keys() == afters.keys()
    for path, module in befores.items():
        if isinstance(module, fx.GraphModule):
            now = afters[path]
            assert isinstance(now, fx.GraphModule)
            _compare(module, now)


def _compare(before: fx.GraphModule, after: fx.GraphModule) -> None:
    after.graph.lint()
    assert after.code == after.graph.python_code(root_module="self").src, "the module was not recompiled"
    assert after.graph._codegen is before.graph._codegen or type(after.graph._codegen) is type(
        before.graph._codegen
    )
    was = {node.name: node for node in before.graph.nodes}
    now = {node.name: node for node in after.graph.nodes}
    pinned = [name for name, node in was.items() if is_pinned(node)]
    assert [name for name in now if name in set(pinned)] == pinned, "a pinned node went or moved"
    survivors = [name for name in now if name in was and was[name].target == now[name].target]
    assert survivors == [name for name in was if name in set(survivors)], "surviving nodes changed places"
    for name, node in now.items():
        old = was.get(name)
        if old is None:
            assert "val" in node.meta, f"new node {name} has no metadata"
            continue
        if name in set(pinned):
            assert node.target == old.target
        lost = old.meta.keys() - node.meta.keys()
        assert not lost, f"{name} lost {lost}"
        if node.op in ("placeholder", "output"):
            for key, value in old.meta.items():
                assert key == "val" or node.meta[key] is value or node.meta[key] == value, (
                    f"{name}: {key} changed"
                )
