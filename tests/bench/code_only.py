"""Inductor up to the code that it generates: nothing is compiled, and nothing runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

from torch._inductor.graph import GraphLowering


class Generated(Exception):
    """Everything is generated, and the model would be run."""


@contextmanager
def code_only() -> Iterator[None]:
    """Within it, what ``torch.compile`` makes raises :class:`Generated` when its first graph would be run."""
    with mock.patch.object(GraphLowering, "compile_to_module", _generate):
        yield


def _generate(graph: GraphLowering) -> SimpleNamespace:
    def call(arguments: list[Any]) -> None:
        raise Generated

    graph.codegen()
    graph.cache_key = graph.cache_path = ""
    return SimpleNamespace(call=call)
