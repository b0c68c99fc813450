"""noopelim: finds the operations in a PyTorch graph that do nothing, proves it, and removes them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors, patterns, testing
    from .driver import eliminate
    from .inductor import NoOpElimination, register
    from .integers import decide
    from .pattern import ANY, SIZE, Computed, OpCall, X, Y, var
    from .proof import Proof, Truth
    from .remarks import Report
    from .rule import Exact, Rule, RuleSet
    from .scope import Scope
    from .verification import Verdict, verify

# Names are imported when first asked for: torch takes seconds, and `noopelim --help` does not need it.
_HOMES = {
    "driver": ("eliminate",),
    "errors": (),
    "inductor": ("NoOpElimination", "register"),
    "integers": ("decide",),
    "pattern": ("ANY", "SIZE", "Computed", "OpCall", "X", "Y", "var"),
    "patterns": (),
    "proof": ("Proof", "Truth"),
    "remarks": ("Report",),
    "rule": ("Exact", "Rule", "RuleSet"),
    "scope": ("Scope",),
    "testing": (),
    "verification": ("Verdict", "verify"),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ANY",
    "SIZE",
    "Computed",
    "Exact",
    "NoOpElimination",
    "OpCall",
    "Proof",
    "Report",
    "Rule",
    "RuleSet",
    "Scope",
    "Truth",
    "Verdict",
    "X",
    "Y",
    "decide",
    "eliminate",
    "errors",
    "patterns",
    "register",
    "testing",
    "var",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    if name in _HOMES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
