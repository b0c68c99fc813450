"""What the oracle still finds after noopelim, each with the remark that says why, or that no rule speaks of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from findings import CHAIN, Finding
from torch.fx import GraphModule, Node
from values import moves

from noopelim.calls import op_name
from noopelim.remarks import Report, Stage

NO_RULE = "no rule"


@dataclass(frozen=True, slots=True)
class Survivor:
    """``what``: the call or the chain, without names or sizes, by which survivors are grouped. ``why``: rule,
    stage and reason, or ``NO_RULE``. ``excerpt``: the lines of the graph."""

    kind: str
    what: str
    why: str
    claim: str
    saved: int
    node: str
    excerpt: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self) | {"excerpt": list(self.excerpt)}


def survivors(gm: GraphModule, found: Sequence[Finding], report: Report) -> list[Survivor]:
    """One for each finding. ``report``: of a run over the same graph."""
    missed: dict[str, list[Any]] = {}
    for remark in report.missed:
        if not remark.graph:
            missed.setdefault(remark.node, []).append(remark)
    told = []
    for finding in found:
        path = _path(finding)
        remarks = sorted((r for n in path for r in missed.get(n.name, ())), key=lambda r: (-r.stage, r.rule))
        if finding.kind == CHAIN:
            # What is said of the chain as a whole, not of the first of its calls.
            remarks = [r for r in remarks if r.rule.startswith("move/")] or remarks
        best = remarks[0] if remarks else None
        why, claim = NO_RULE, ""
        if best is not None:
            kept = best.stage in (Stage.BLOCKED, Stage.SKIPPED)
            why = f"{best.rule}, {best.stage.name.lower()}" + (f": {best.reason}" if kept else "")
            claim = best.claim or ("" if kept else best.reason)
        lines = [_line(n) for n in (finding.source, *reversed(path))]
        if finding.kind == CHAIN:
            lines.append(f"    as: {finding.form}")
        elif finding.source is not path[-1]:
            lines.append(f"    equals {finding.source.name}")
        told.append(
            Survivor(
                finding.kind, _what(finding, path), why, claim, finding.saved, finding.node.name, tuple(lines)
            )
        )
    return told


def _path(finding: Finding) -> list[Node]:
    """From the node up to what stands for it, by first arguments; of a duplicate the node alone."""
    path = [finding.node]
    while True:
        above = path[-1].args[0] if path[-1].args else None
        if not isinstance(above, Node) or above is finding.source or len(path) == 8 or not moves(path[-1]):
            break
        if finding.kind not in (CHAIN, "ancestor") or above.op != "call_function":
            break
        path.append(above)
    return path


def _what(finding: Finding, path: Sequence[Node]) -> str:
    if finding.kind == CHAIN:
        return " > ".join(_short(n) for n in reversed(path))
    told = " of sizes alone" if finding.constant else ""
    return f"{_short(finding.node)}({', '.join(_kind(a) for a in finding.node.args)}){told}"


def _short(node: Node) -> str:
    return (
        op_name(node)
        .removeprefix("aten.")
        .removesuffix(".default")
        .removesuffix(".Tensor")
        .removesuffix(".int")
    )


def _kind(argument: object) -> str:
    if isinstance(argument, Node):
        if not isinstance(argument.meta.get("val"), torch.Tensor):
            return "size"
        return _short(argument) if argument.op == "call_function" else argument.op
    if isinstance(argument, list | tuple):
        return "[..]"
    return str(argument)


def _line(node: Node) -> str:
    value = node.meta.get("val")
    sized = ""
    if isinstance(value, torch.Tensor):
        shape, strides = (", ".join(map(_size, sizes)) for sizes in (value.shape, value.stride()))
        sized = f": {str(value.dtype).removeprefix('torch.')}[{shape}] strides [{strides}]"
    called = node.op if node.op != "call_function" else f"{op_name(node)}{node.args}"
    return f"{node.name}{sized} = {called}" + (f", {len(node.users)} users" if len(node.users) != 1 else "")


def _size(size: int | torch.SymInt) -> str:
    """As traced, with ``~``, where the expression is long."""
    text = str(size)
    return text if len(text) <= 16 or isinstance(size, int) else f"~{size.node.hint}"
