"""Who is timed: noopelim, Inductor's passes, the same rules in a pattern matcher, and what one writes by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch._inductor import config as inductor_config
from torch._inductor.fx_passes import joint_graph, post_grad
from torch._inductor.pattern_matcher import PatternMatcherPass
from torch._inductor.virtualized import V
from torch._subclasses.fake_tensor import FakeTensor
from torch.fx import Graph, Node
from torch.fx.experimental.symbolic_shapes import statically_known_true

import noopelim
import noopelim.patterns

_aten = torch.ops.aten
_RESHAPES = (_aten.reshape.default, _aten.view.default)
SEED_RULES = ("reshape/to-own-shape", "reshape/of-reshape", "slice/whole", "slice_scatter/whole")
"""What the loop below removes."""
Contestant = Callable[[Graph], object]
SLOW = "matcher"
"""Has one turn, on static joint graphs of models only: on the chain of 1,000 calls it takes minutes."""
MOST = {SLOW: 720, "remove_noop_ops": 100_000, "joint patterns": 100_000}
"""Nodes beyond which a contestant, being quadratic or slow, is left out."""


def walk(graph: Graph) -> int:
    """Look at every node."""
    seen = 0
    for _ in graph.nodes:
        seen += 1
    return seen


def loop(graph: Graph) -> None:
    """Reshapes to the own shape and of reshapes, whole slices, and slices written whole, in one loop."""
    for node in graph.nodes:
        if node.op != "call_function":
            continue
        if node.target in _RESHAPES:
            source = node.args[0]
            if source.op == "call_function" and source.target in _RESHAPES:
                node.update_arg(0, source.args[0])
                if not source.users:
                    graph.erase_node(source)
                source = node.args[0]
            if _same_shape(node, source):
                node.replace_all_uses_with(source)
                graph.erase_node(node)
        elif node.target is _aten.slice.Tensor:
            if _same_shape(node, node.args[0]):
                node.replace_all_uses_with(node.args[0])
                graph.erase_node(node)
        elif node.target is _aten.slice_scatter.default and _same_shape(node.args[0], node.args[1]):
            node.replace_all_uses_with(node.args[1])
            graph.erase_node(node)


def _same_shape(left: Node, right: Node) -> bool:
    ours, theirs = left.meta["val"].shape, right.meta["val"].shape
    return len(ours) == len(theirs) and all(
        statically_known_true(a == b) for a, b in zip(ours, theirs, strict=True)
    )


def look(graph: Graph) -> int:
    """Read the sizes of all that the loop asks about, by the graph's own table of targets, and compare nothing: less
    than this nobody can do who is to tell a no-op from another call."""
    read = 0
    for target in (*_RESHAPES, _aten.slice.Tensor, _aten.slice_scatter.default):
        for node in graph.find_nodes(op="call_function", target=target, sort=False):
            for value in (node, node.args[0]):
                read += len(value.meta["val"].size())
    return read


def joint_patterns(graph: Graph) -> None:
    """The patterns of Inductor's joint passes, as many times as it applies them."""
    joint_graph.early_patterns.apply(graph)
    for patterns in joint_graph.pass_patterns:
        patterns.apply(graph)


def matcher(rules: Sequence[Any]) -> Contestant:
    """The rules in a ``PatternMatcherPass``, applied until nothing changes."""
    patterns = PatternMatcherPass("noopelim")
    noopelim.register(patterns, rules)

    def apply(graph: Graph) -> None:
        while patterns.apply(graph):
            pass

    return apply


def in_fake_mode(contestant: Contestant) -> Contestant:
    """As Inductor runs its passes."""

    def run(graph: Graph) -> None:
        mode = next(v.fake_mode for n in graph.nodes if isinstance(v := n.meta.get("val"), FakeTensor))
        with V.set_fake_mode(mode):
            contestant(graph)

    return run


def contestants() -> dict[str, Contestant]:
    """All of them, by name."""
    joint_graph.lazy_init(None)
    rules = noopelim.patterns.ALL
    passes = {
        "noopelim seed": noopelim.NoOpElimination(rules.only(*SEED_RULES)),
        "noopelim": noopelim.NoOpElimination(rules),
        "noopelim tidy": noopelim.NoOpElimination(),
    }
    # At a hook behind Inductor's patterns, as the README has it, a pass need not spare attention for them.
    inductor_config.post_grad_custom_pre_pass = list(passes.values())
    return {
        "walk": walk,
        "look": look,
        "loop": loop,
        **passes,
        "remove_noop_ops": in_fake_mode(post_grad.remove_noop_ops),
        "joint patterns": in_fake_mode(joint_patterns),
        SLOW: in_fake_mode(matcher(tuple(rules))),
    }
