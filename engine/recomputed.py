"""Would computing metadata anew want a guard that the graph does not want today?

Sizes that are proved equal may be other expressions, and torch may not know that they are equal. Inductor computes the
metadata of all calls again after its joint passes (``fake_tensor_prop``), with guards allowed; a reader that compares the
size with another one, such as a view, would then make it guard on what is always true.
"""

from __future__ import annotations

import heapq
from typing import Any

import torch
from torch.fx import Node, map_arg

from .effects import runs_again, written_by
from .fake import run_fake, try_fake
from .torch_api import FakeTensor, OpOverload, enable_python_dispatcher, expression_of

_MOST = 64
"""Readers to look at: beyond, one is taken to want a guard."""


def guarded_reader(root: Node, value: torch.Tensor) -> Node | None:
    """The first that would, of those that read ``root`` by any way, if ``value`` stood for it; None if none would."""
    if not isinstance(value, FakeTensor):
        return root
    known: dict[Node, Any] = {root: value}
    waiting = list(root.users)
    heapq.heapify(waiting)
    last: Node | None = None
    looked = 0
    while waiting:
        node = heapq.heappop(waiting)
        if node is last or node.op == "output":
            continue
        last, looked = node, looked + 1
        if looked > _MOST or not runs_again(node):
            return node
        given = {n: known.get(n, n.meta.get("val")) for n in node.all_input_nodes}
        # Functionalised calls clone what they write themselves.
        for written in set(written_by(node)) if isinstance(node.target, OpOverload) else ():
            given[written] = _unshared(given[written], value)
            if given[written] is None:
                return node
        args, kwargs = map_arg((node.args, node.kwargs), given.__getitem__)
        with enable_python_dispatcher():
            ran = try_fake(node.target, args, kwargs, value)
        if ran is None:
            return node
        (result,) = ran
        if _told(result) != _told(node.meta.get("val")):
            known[node] = result
            for user in node.users:
                heapq.heappush(waiting, user)
    return None


def _unshared(written: object, like: FakeTensor) -> torch.Tensor | None:
    """As ``written`` with memory of its own, for its writer's fake kernel may resize it; None if it is no such tensor."""
    if not isinstance(written, FakeTensor) or expression_of(written.storage_offset()) != 0:
        return None
    sizes, named = (written.size(), written.stride()), {"dtype": written.dtype, "device": written.device}
    made: torch.Tensor | None = run_fake(torch.empty_strided, sizes, named, like)
    return made


def _told(value: object) -> Any:
    if isinstance(value, torch.Tensor):
        return tuple(map(expression_of, (*value.size(), *value.stride(), value.storage_offset())))
    if isinstance(value, list | tuple):
        return tuple(map(_told, value))
    return expression_of(value) if isinstance(value, torch.SymInt) else type(value)
