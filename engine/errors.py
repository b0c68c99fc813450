"""Everything noopelim raises on purpose. Each message names the offender and the mend."""

from __future__ import annotations


class NoopelimError(Exception):
    """Base of all deliberate errors; the command line prints it as one line."""


class RuleError(NoopelimError):
    """A rule or rule set is malformed. Raised when it is made, never while a graph is rewritten."""


class GraphError(NoopelimError):
    """The input is not a graph that can be rewritten: it fails lint or has no owner for its subgraphs."""


class RewriteError(NoopelimError):
    """A rule raised while it was being applied. The graph is as it was before the run."""


class MissingMetadata(NoopelimError):
    """A fact was asked of a node that carries no usable ``meta["val"]``. The engine skips that node."""


class UnsupportedTorch(NoopelimError):
    """A private torch name that the engine relies on has moved."""
