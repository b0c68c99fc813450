"""noopelim: finds the operations in a PyTorch graph that do nothing, proves it, and removes them."""

from . import errors, patterns
from .eliminate import eliminate
from .inductor import NoOpElimination, register
from .integers import decide
from .pattern import ANY, SIZE, Computed, OpCall, X, Y, var
from .proof import Proof, Truth
from .remarks import Report
from .rule import Exact, Rule, RuleSet

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
    "Truth",
    "X",
    "Y",
    "decide",
    "eliminate",
    "errors",
    "patterns",
    "register",
    "var",
]
