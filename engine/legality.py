"""May this value stand wherever that one stood? Aliasing, writes, outputs, layout, effects.

Rules say when two values are equal; this module says whether one may take the place of the other. See
``docs/design.md``, section 4, for the argument.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.fx import Graph, Node

from .aliasing import Aliasing, Site
from .calls import op_name, tensor_of
from .effects import kept_for_effect
from .integers import Prover
from .layout import offset_seen_by, unit_strides_seen_by
from .layout_numbers import LayoutNumbers
from .proof import Proof
from .recomputed import guarded_reader
from .relaid import relaid
from .spellings import LIFTS
from .storage import object_chain
from .torch_api import storage_key


@dataclass(frozen=True, slots=True)
class Verdict:
    """``legal``, and why either way: the proof that failed, where it is a matter of proof."""

    legal: bool
    why: Proof | str


_SAME_LAYOUT = Verdict(True, "same layout")


class Legality(Aliasing):
    """The verdicts on one graph. ``fused_later``: may a compiler still look for attention in it?"""

    def __init__(
        self,
        graph: Graph,
        prover: Prover,
        inputs_may_alias: bool = False,
        layouts: LayoutNumbers | None = None,
        fused_later: bool = True,
    ) -> None:
        super().__init__(graph, prover, inputs_may_alias, layouts)
        self.fused_later = fused_later

    def may_replace(self, site: Site) -> Verdict:
        """May ``site.source`` stand wherever ``site.root`` stood?"""
        value = tensor_of(site.source)
        if value is None:
            return Verdict(False, f"{site.source.name} has no tensor in its metadata")
        verdict = self.same_but_for_memory(site, value)
        return self._memory(site) if verdict.legal else verdict

    def may_recompute(self, site: Site, value: torch.Tensor) -> Verdict:
        """May a new node at ``site.root``'s place, reading ``site.source`` and computing ``value`` (a fake
        tensor, a view of the source or fresh), stand wherever the root stood?"""
        verdict = self.same_but_for_memory(site, value)
        if not verdict.legal:
            return verdict
        source = tensor_of(site.source)
        if source is not None and storage_key(value) == storage_key(source):
            return self._memory(site, new_object=True)
        if self.is_view(site):
            return Verdict(False, "the value shares memory with its source and the shorter form would not")
        return self._fresh_for_fresh(site)

    def may_merge(self, root: Node, twin: Node) -> Verdict:
        """May ``twin``, an equal call before ``root``, stand wherever ``root`` stood?"""
        site, value = Site(root, (root,), twin), tensor_of(twin)
        if value is None:
            return Verdict(False, f"{twin.name} has no tensor in its metadata")
        verdict = self.same_but_for_memory(site, value)
        if not verdict.legal:
            return verdict
        if self.storages.views(root) is not True:
            written = self._operands_written(root, twin)
            return self._memory(site) if written is None else written
        # Two views of one memory share every write; only which object is returned could be told.
        if root in self._returned.objects and any(
            n in self._returned.objects_but(root) or n.op == "placeholder" for n in object_chain(twin)
        ):
            return Verdict(False, f"two outputs would become one object ({twin.name})")
        return Verdict(True, "two views of the same memory")

    def may_merge_results(self, root: Node, twin: Node) -> Verdict:
        """As :meth:`may_merge`, of calls with several results. ``getitem`` gives the result itself, so two picks
        of what becomes one call are one object."""
        for pick in (*root.users, *twin.users):
            storage = self.storages.find(pick)
            if storage in self._writers:
                return Verdict(False, f"{self._writers[storage][0].name} writes the memory of {pick.name}")
            if next(self._returned.within(storage), None) is not None:
                return Verdict(False, f"an output lies in the memory of {pick.name}")
        written = self._operands_written(root, twin) if self.storages.views(root) is not True else None
        return written or Verdict(True, "results that nobody writes or returns")

    def _operands_written(self, root: Node, twin: Node) -> Verdict | None:
        for operand in root.all_input_nodes:
            writer = self._write_between(self.storages.find(operand), twin, root, to_last_use=False)
            if writer is not None:
                return Verdict(
                    False, f"{writer.name} ({op_name(writer)}) writes an operand between the two calls"
                )
        return None

    def values_in(self, root: Node, value: torch.Tensor) -> dict[Node, object] | None:
        """The metadata of ``root`` and its views if it lies as ``value``, with other strides; None if those are its
        own."""
        ours = tensor_of(root)
        if ours is None or self.compared(ours, value).strides is None:
            return None
        return relaid(root, value, self._prover).values

    def same_but_for_memory(self, site: Site, value: torch.Tensor) -> Verdict:
        """Could nothing tell ``value`` from the root's, leaving aside with what they share memory?"""
        root = site.root
        effect = kept_for_effect(root)
        if effect is not None:
            return Verdict(False, effect)
        if _pinned(root, site.source):
            return Verdict(False, "it places the value in pinned memory")
        turner = self.turner(site)
        if turner is not None:
            return Verdict(
                False, f"{turner.name} ({op_name(turner)}) changes a tensor's sizes or strides in place"
            )
        if site.source.op == "get_attr" and any(n.target in LIFTS for n in site.matched):
            return Verdict(False, f"it makes of the constant {site.source.name} what others can be called on")
        ours = tensor_of(root)
        if ours is None:
            return Verdict(False, f"{root.name} has no tensor in its metadata")
        if value is ours and _plain(ours):
            return _SAME_LAYOUT
        if not (_plain(ours) and _plain(value)):
            return Verdict(False, "only plain strided tensors are understood")
        compared = self.compared(ours, value)
        if not compared.proof.proved:
            return Verdict(False, compared.proof.why_not())
        if compared.restated:
            reader = guarded_reader(root, value)
            if reader is not None:
                return Verdict(
                    False,
                    f"sizes are equal that torch may not see to be, so that {reader.name} ({op_name(reader)}) "
                    "computed again would want a guard",
                )
        if compared.strides is not None:
            seer = relaid(root, value, self._prover).seer
            if seer is not None:
                return Verdict(
                    False, f"{compared.strides.why_not().claim}, and {seer.name} ({op_name(seer)}) may see it"
                )
        if compared.offset_differs:
            seer = offset_seen_by(root)
            if seer is not None:
                return Verdict(
                    False, f"storage offsets differ, and {seer.name} ({op_name(seer)}) may see them"
                )
        if compared.unit_strides_differ:
            seer = unit_strides_seen_by(root)
            if seer is not None:
                return Verdict(
                    False, f"strides of unit dims differ, and {seer.name} ({op_name(seer)}) may see them"
                )
        return _SAME_LAYOUT

    def _memory(self, site: Site, new_object: bool = False) -> Verdict:
        """The root's value will be read from the source's memory from now on."""
        parted = self._parted(site)
        if parted is not None:
            return parted
        if self.is_view(site):
            if not new_object and site.root in self._returned.objects:
                others = self._returned.objects_but(site.root)
                for twin in object_chain(site.source):
                    if twin in others:
                        return Verdict(False, f"two outputs would become one object ({twin.name})")
                    if twin.op in ("placeholder", "get_attr"):
                        return Verdict(False, f"an output would become the {twin.op} {twin.name} itself")
            return Verdict(True, "a view of the same memory")
        find = self.storages.find
        ours, theirs = find(site.root), find(site.source)
        overlap = next(self._returned.within(ours), None)
        if overlap is not None:
            if theirs in self._input_classes:
                return Verdict(
                    False, f"the output {overlap.name} would newly share memory with an input or constant"
                )
            other = next((n for n in self._returned.within(theirs) if n is not overlap), None)
            if other is not None:
                return Verdict(False, f"the outputs {overlap.name} and {other.name} would newly share memory")
        written = self._written_copies(site)
        if written is not None:
            return written
        writer = self._write_between(theirs, self._first_copy(site), site.root, to_last_use=True)
        if writer is not None:
            return Verdict(
                False, f"{writer.name} ({op_name(writer)}) writes the source before the last use of the copy"
            )
        return Verdict(True, "a copy whose source is not written while it is in use")

    def _parted(self, site: Site) -> Verdict | None:
        """Outputs must not cease to be one object, or to share memory that the matched calls made."""
        root, find = site.root, self.storages.find
        if root in self._returned.objects:
            others, kept = self._returned.objects_but(root), set(object_chain(site.source))
            twin = next((n for n in object_chain(root) if n in others and n not in kept), None)
            if twin is not None:
                return Verdict(False, f"the outputs {root.name} and {twin.name} may be one object")
        if find(root) is find(site.source):
            return None
        together = list(self._returned.within(find(root)))
        moving = {root, *self.views_of(root)} if len(together) > 1 else {root}
        goes, stays = ([n for n in together if (n in moving) is moved] for moved in (True, False))
        if goes and stays:
            return Verdict(
                False, f"the outputs {goes[0].name} and {stays[0].name} would no longer share memory"
            )
        return None

    def _fresh_for_fresh(self, site: Site) -> Verdict:
        """A new copy, made at the root's place, for one that was made on the way to it."""
        written = self._written_copies(site, but=site.root)
        if written is not None:
            return written
        find = self.storages.find
        shared = [n for n in site.matched if n is not site.root and find(n) is find(site.root)]
        if find(site.source) is find(site.root) or any(_used_elsewhere(n, site.matched) for n in shared):
            return Verdict(False, "an earlier copy with other users would be made twice")
        writer = self._write_between(find(site.source), self._first_copy(site), site.root, to_last_use=False)
        if writer is not None:
            return Verdict(
                False, f"{writer.name} ({op_name(writer)}) writes the source before the copy is made"
            )
        return Verdict(True, "one copy for another")

    def _written_copies(self, site: Site, but: Node | None = None) -> Verdict | None:
        """Memory other than the source's that the matched calls made must never be written."""
        find = self.storages.find
        theirs = find(site.source)
        spared = find(but) if but is not None else None
        for node in site.matched:
            storage = find(node)
            if storage is theirs and node is not site.root:
                continue
            if storage is spared and node is but:
                continue
            writers = self._writers.get(storage)
            if writers:
                return Verdict(False, f"{writers[0].name} ({op_name(writers[0])}) writes the copy's memory")
        return None


def _plain(tensor: torch.Tensor) -> bool:
    return tensor.layout is torch.strided and storage_key(tensor) is not None and not tensor.is_quantized


def _pinned(root: Node, source: Node) -> bool:
    """Pinning is not part of a fake tensor, so it is read off the calls that ask for it."""
    if root.kwargs.get("pin_memory"):
        return True
    return any(n is not source and n.kwargs.get("pin_memory") for n in root._input_nodes)


def _used_elsewhere(node: Node, matched: tuple[Node, ...]) -> bool:
    return any(user not in matched for user in node.users)
