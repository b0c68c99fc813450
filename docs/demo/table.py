"""What both halves of the demo share: the console, the steps shown while work is long, the checks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from rich.console import Console
from rich.table import Table

console = Console(width=100, highlight=False)


class DemoFailed(Exception):
    """A claim of the demo did not hold in this run."""


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show that work is going on; leave one line with its wall time behind."""
    start = time.perf_counter()
    with console.status(text):
        yield
    console.print(f"{text}: {time.perf_counter() - start:.1f} s")


def check(holds: bool, claim: str) -> None:
    """Stop the demo unless ``claim`` holds."""
    if not holds:
        raise DemoFailed(claim)


def same_bits(left: torch.Tensor, right: torch.Tensor) -> bool:
    """Equal shape, stride, dtype and bytes. NaN equals NaN, and -0.0 differs from 0.0."""
    if (left.shape, left.stride(), left.dtype) != (right.shape, right.stride(), right.dtype):
        return False
    return torch.equal(left.contiguous().view(torch.uint8), right.contiguous().view(torch.uint8))


def new_table(title: str, *columns: str) -> Table:
    """A table whose first column is text and whose others are figures."""
    table = Table(title=title, title_justify="left", width=100)
    for index, name in enumerate(columns):
        table.add_column(name, justify="right" if index else "left")
    return table
