"""A counterexample to a rule, as a short script that anybody can run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import torch

from .instances import CallOf, operands_of
from .law import Wrong
from .operands import BITS, Operand
from .rule import Exact, Rule
from .shrinking import size_of
from .torch_api import OpOverload

_NAMES = "xyzuvw"


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Where a rule is wrong. ``what``: one sentence; ``claim``: what the predicate said, which let it through;
    ``size``: how large the instance is, in elements and arguments; ``text``: the script."""

    what: str
    claim: str
    size: int
    text: str

    def script(self) -> str:
        """A Python script that shows the values expected and got, and fails."""
        return self.text


def of_values(rule: Rule, wrong: Wrong) -> Counterexample:
    """What the graph computes, beside what the rule would have it be."""
    names = _names_of(wrong.call)
    shown = _literals(wrong.call)
    root = f"root = {_code(wrong.call, names)}"
    lines = [
        *_heading(rule, wrong.what, wrong.claim),
        "import operator",
        "",
        "import torch",
        "",
        *shown,
        root,
    ]
    if wrong.to is None:
        lines += ["# No value is to be compared here: `noopelim verify` saw it on this instance.", ""]
        lines += [f"raise AssertionError({wrong.what!r})"]
    else:
        lines += [
            f"to = {_code(wrong.to, names)}",
            'print("in the graph:", root)',
            'print("by the rule: ", to)',
            "assert root.shape == to.shape, (root.shape, to.shape)",
            "assert root.dtype == to.dtype, (root.dtype, to.dtype)",
            *_comparison(rule),
        ]
    return Counterexample(wrong.what, wrong.claim or "none was made", size_of(wrong.call), _joined(lines))


def of_engine(rule: Rule, call: CallOf, context: str, what: str, before: str, after: str) -> Counterexample:
    """A graph around an instance of which somebody can tell that the rule was applied."""
    said = f"{what} (in a graph with the {context})"
    graphs = [f"# {line}" for text in ("before:", before, "after:", after) for line in text.splitlines()]
    lines = [*_heading(rule, said, "see the report of noopelim.eliminate"), *graphs, ""]
    lines += ["import operator", "", "import torch", ""]
    lines += [*_literals(call), f"print({_code(call, _names_of(call))})"]
    lines += [f"raise AssertionError({said!r})"]
    return Counterexample(said, "legality", size_of(call), _joined(lines))


def _names_of(call: CallOf) -> dict[int, str]:
    return {operand.slot: _name(operand) for operand in operands_of(call)}


def _heading(rule: Rule, what: str, claim: str) -> list[str]:
    lines = [f"# {rule.name}: {what}"]
    if claim:
        lines.append(f"# let through by: {claim}")
    return [re.sub(r"\s+", " ", line) for line in lines]


def _joined(lines: list[str]) -> str:
    text = "\n".join(lines) + "\n"
    needed = any("operator." in line for line in lines if not line.startswith("#"))
    return text if needed else text.replace("import operator\n\n", "", 1)


def _comparison(rule: Rule) -> list[str]:
    if rule.exact:
        signs = (
            " & (one.double().signbit() == other.double().signbit())"
            if rule.exact is Exact.NAN_PAYLOAD
            else ""
        )
        return [
            "one, other = (t.resolve_conj().resolve_neg() for t in (root, to))",
            "one, other = (torch.view_as_real(t) if t.is_complex() else t for t in (one, other))",
            f"same = (one == other){signs} | (one != one) & (other != other)",
            "assert same.all(), (root, to)",
        ]
    return [
        "plain = [t.resolve_conj().resolve_neg().flatten().contiguous() for t in (root, to)]",
        "bits = [bytes(t.view(torch.uint8).tolist()) for t in plain]",
        "assert bits[0] == bits[1], bits",
    ]


def _name(operand: Operand) -> str:
    return _NAMES[operand.slot] if operand.slot < len(_NAMES) else f"x{operand.slot}"


def _literals(call: CallOf) -> list[str]:
    return [f"{_name(operand)} = {_tensor(operand.tensor())}" for operand in operands_of(call)]


def _tensor(value: torch.Tensor) -> str:
    """An expression for a tensor of the same values that lies in memory alike."""
    dtype, shape, stride, offset = value.dtype, list(value.shape), value.stride(), value.storage_offset()
    plain = not offset and stride == torch.empty(shape).stride()
    if value.numel():
        # As it lies in memory: what is to be conjugated or negated when it is read is not yet.
        held = torch.empty(0, dtype=dtype).set_(value.untyped_storage())
        made = _numbers(held.view(shape) if plain else held)
    else:
        made = f"torch.empty({shape if plain else [offset]}, dtype={dtype})"
    made = made if plain else f"{made}.as_strided({shape}, {list(stride)}, {offset})"
    if value.is_neg():
        made = f"torch._neg_view({made})"
    return f"{made}.conj()" if value.is_conj() else made


def _numbers(held: torch.Tensor) -> str:
    """An expression for a contiguous tensor: of its numbers where they can be written down, else of its bits."""
    raw = torch.view_as_real(held) if held.dtype.is_complex else held
    # A NaN is to keep its payload, and Python has no literal for what float8 holds.
    if re.search("nan|inf", str(raw.tolist())) or (held.element_size() == 1 and held.is_floating_point()):
        bits = BITS[raw.element_size()]
        made = f"torch.tensor({raw.reshape(-1).view(bits).tolist()}, dtype={bits}).view({held.dtype})"
        return made if held.dim() == 1 else f"{made}.reshape({list(held.shape)})"
    made = f"torch.tensor({raw.tolist()}, dtype={raw.dtype})"
    return f"torch.view_as_complex({made})" if held.dtype.is_complex else made


def _code(part: Any, names: dict[int, str]) -> str:
    if isinstance(part, Operand):
        return names[part.slot]
    if isinstance(part, CallOf):
        args, kwargs = part.split()
        said = [_code(a, names) for a in args]
        said += [f"{name}={_code(a, names)}" for name, a in kwargs.items() if a is not None]
        return f"{_callee(part.target)}({', '.join(said)})"
    if isinstance(part, list):
        return f"[{', '.join(_code(p, names) for p in part)}]"
    if isinstance(part, torch.device):
        return f"torch.device({str(part)!r})"
    return repr(part)


def _callee(target: Any) -> str:
    return f"torch.ops.{target}" if isinstance(target, OpOverload) else f"operator.{target.__name__}"
