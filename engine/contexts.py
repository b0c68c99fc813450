"""One rule, run through the engine on graphs laid around an instance of its pattern.

Values are only half of what a rewrite can spoil. The graphs here put the instance where the other half shows:
its root, its operands and what lies between are returned, written before and after, and come from callers,
from module constants and from other calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch.fx import Node

from .calls import tensor_of
from .drafts import Draft, Outputs, Unbuildable
from .instances import CallOf, operands_of
from .observe import fresh
from .rule import Rule
from .torch_api import FakeTensorMode, ShapeEnv, refusals_unlogged, uncached_fake_mode
from .trial import Misfit, Trial

_STATIC = FakeTensorMode()


@dataclass(frozen=True, slots=True)
class Checked:
    """``ran`` contexts could be built and run; ``misfit`` is what was wrong in the last of them, if anything."""

    ran: int
    misfit: Misfit | None


def root_returned(draft: Draft) -> Outputs:
    return (draft.chain(draft.inputs())[-1],)


def root_read(draft: Draft) -> Outputs:
    return (draft.read(draft.chain(draft.inputs())[-1]),)


def root_of_computed_returned(draft: Draft) -> Outputs:
    return (draft.chain(draft.computed())[-1],)


def root_of_computed_read(draft: Draft) -> Outputs:
    return (draft.read(draft.chain(draft.computed())[-1]),)


def root_of_constants_returned(draft: Draft) -> Outputs:
    return (draft.chain(draft.buffers())[-1],)


def root_of_constants_read(draft: Draft) -> Outputs:
    return (draft.read(draft.chain(draft.buffers())[-1]),)


def operands_returned_too(draft: Draft) -> Outputs:
    operands = draft.inputs()
    return (draft.chain(operands)[-1], *operands.values())


def computed_operands_returned_too(draft: Draft) -> Outputs:
    operands = draft.computed()
    return (draft.chain(operands)[-1], *operands.values())


def middles_returned_too(draft: Draft) -> Outputs:
    chain = _with_middle(draft.chain(draft.computed()))
    # A call with several results returns a list, which nobody takes for one value.
    middles = [node for node in chain[:-1] if tensor_of(node) is not None]
    return (chain[-1], *middles)


def root_computed_twice(draft: Draft) -> Outputs:
    operands = draft.computed()
    return (draft.chain(operands)[-1], draft.chain(operands)[-1])


def operands_written_first(draft: Draft) -> Outputs:
    operands = draft.inputs()
    for operand in operands.values():
        draft.write(operand)
    return (draft.read(draft.chain(operands)[-1]),)


def operand_written_before_root_is_read(draft: Draft, slot: int) -> Outputs:
    operands = draft.inputs()
    root = draft.chain(operands)[-1]
    draft.write(operands[slot])
    return (draft.read(root),)


def operand_written_at_the_end(draft: Draft, slot: int) -> Outputs:
    operands = draft.inputs()
    root = draft.chain(operands)[-1]
    _epilogue(draft, operands[slot])
    return (root,)


def operand_written_after_root_is_read(draft: Draft, slot: int) -> Outputs:
    operands = draft.inputs()
    read = draft.read(draft.chain(operands)[-1])
    _epilogue(draft, operands[slot])
    return (read,)


def middle_written_before_the_root(draft: Draft) -> Outputs:
    middle, root = _with_middle(draft.chain(draft.inputs()))[-2:]
    with draft.graph.inserting_before(root):
        draft.write(middle)
    return (draft.read(root),)


def middle_written_before_root_is_read(draft: Draft) -> Outputs:
    middle, root = _with_middle(draft.chain(draft.inputs()))[-2:]
    draft.write(middle)
    return (draft.read(root),)


def root_written_and_returned(draft: Draft) -> Outputs:
    operands = draft.computed()
    root = draft.chain(operands)[-1]
    draft.write(root)
    return (root, *operands.values())


def root_written_and_operands_read(draft: Draft) -> Outputs:
    operands = draft.computed()
    root = draft.chain(operands)[-1]
    draft.write(root)
    return (draft.read(root), *map(draft.read, operands.values()))


def _with_middle(chain: list[Node]) -> list[Node]:
    if len(chain) < 2:
        raise Unbuildable("the instance is a single call")
    return chain


def _epilogue(draft: Draft, operand: Node) -> None:
    """The write that functionalisation leaves at the end of a graph whose input was mutated."""
    # One zero, broadcast: what torch's fake kernels say of the strides of an empty `zeros_like` is not so.
    zero = draft.call(torch.ops.aten.zeros.default, [], dtype=operand.meta["val"].dtype)
    draft.call(torch.ops.aten.copy_.default, operand, zero)


# The first two stand first: where neither can be laid, no other can.
CONTEXTS: tuple[Callable[[Draft], Outputs], ...] = (
    root_returned,
    root_of_computed_returned,
    root_read,
    root_of_computed_read,
    root_of_constants_returned,
    root_of_constants_read,
    operands_returned_too,
    computed_operands_returned_too,
    middles_returned_too,
    root_computed_twice,
    operands_written_first,
    middle_written_before_the_root,
    middle_written_before_root_is_read,
    root_written_and_returned,
    root_written_and_operands_read,
)
CONTEXTS_PER_OPERAND: tuple[Callable[[Draft, int], Outputs], ...] = (
    operand_written_before_root_is_read,
    operand_written_after_root_is_read,
    operand_written_at_the_end,
)


def contexts_of(call: CallOf) -> Iterator[tuple[str, Callable[[Draft], Outputs]]]:
    """Every context of an instance, by name."""
    for lay in CONTEXTS:
        yield lay.__name__.replace("_", " "), lay
    for operand in operands_of(call):
        for lay_one in CONTEXTS_PER_OPERAND:
            name = f"{lay_one.__name__.replace('_', ' ')} (x{operand.slot})"
            yield name, _at_operand(lay_one, operand.slot)


def _at_operand(lay: Callable[[Draft, int], Outputs], slot: int) -> Callable[[Draft], Outputs]:
    return lambda draft: lay(draft, slot)


def check_in_contexts(rule: Rule, call: CallOf, *, dynamic: bool = False, only: str | None = None) -> Checked:
    """Run the engine with ``rule`` alone on each context of ``call``, up to the first misfit, and compare all
    that can be seen: outputs, layouts, aliasing, object identity, writes, metadata, the ``ShapeEnv``, and that a
    second run rests.

    With ``dynamic``, each distinct size above 1 of the operands is a symbol of its own. A context that torch
    refuses, or whose metadata would need a guard, is left out; so is one that differs where its metadata was
    untrue from the start, for that says nothing of the rule. ``only``: in the context of this name.
    """
    ran = 0
    for misfit in judged_contexts(rule, call, dynamic=dynamic, only=only):
        ran += 1
        if misfit is not None:
            return Checked(ran, misfit)
    return Checked(ran, None)


def judged_contexts(
    rule: Rule, call: CallOf, *, dynamic: bool = False, only: str | None = None
) -> Iterator[Misfit | None]:
    """What was wrong in each context that could tell, as :func:`check_in_contexts` says."""
    reals = {operand.slot: fresh([operand.tensor()])[0] for operand in operands_of(call)}
    env = ShapeEnv() if dynamic else None
    mode = uncached_fake_mode(env) if env is not None else _STATIC
    fakes = {slot: mode.from_tensor(real) for slot, real in reals.items()}
    possible = False
    for name, lay in contexts_of(call):
        if only not in (None, name):
            continue
        if not possible and lay is root_read and only is None:
            return  # neither inputs nor computed values will do as operands, and so nothing will
        try:
            with refusals_unlogged():
                misfit = Trial(rule, name, lay, lambda: Draft(call, reals, fakes), env).judged()
        except Unbuildable:
            continue
        possible = True
        yield misfit
