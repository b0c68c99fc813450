"""Who may write the memory that a value lies in, by way of any view of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch.fx import Node

from .calls import tensor_of
from .effects import written_by
from .spellings import RELABELS
from .storage import annotated_operands
from .torch_api import OpOverload, storage_key


def writers_below(path: Sequence[Node]) -> Iterator[Node]:
    """Calls that may write the memory of a node on the path, by way of any view of it."""
    seen, stack = set(path), list(path)
    while stack:
        node = stack.pop()
        for user in node.users:
            if node in written_by(user):
                yield user
            if user not in seen and user.op != "output" and _may_view(user, node):
                seen.add(user)
                stack.append(user)


def _may_view(user: Node, node: Node) -> bool:
    if not isinstance(user.target, OpOverload) or user.target in RELABELS or node in annotated_operands(user):
        return True
    ours, theirs = tensor_of(user), tensor_of(node)
    key = storage_key(ours) if ours is not None else None
    return key is not None and theirs is not None and key == storage_key(theirs)
