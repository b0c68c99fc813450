"""The catalogue of no-ops that any compiler is known to remove, each with graphs that show it: what is removed by
rules, and why the rest is not. ``docs/coverage.md`` is made from it, and ``test_catalogue.py`` holds it true."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import catalogue_arithmetic
import catalogue_casts
import catalogue_copies
import catalogue_graphs
import catalogue_idempotent
import catalogue_joins
import catalogue_pads
import catalogue_permute
import catalogue_reductions
import catalogue_reshape
import catalogue_slicing
import catalogue_writes
from catalogue_row import Row, name_of

SECTIONS: dict[str, tuple[Row, ...]] = {
    module.TITLE: module.ROWS
    for module in (
        catalogue_reshape,
        catalogue_permute,
        catalogue_slicing,
        catalogue_joins,
        catalogue_writes,
        catalogue_pads,
        catalogue_copies,
        catalogue_casts,
        catalogue_arithmetic,
        catalogue_idempotent,
        catalogue_reductions,
        catalogue_graphs,
    )
}

ROWS: tuple[Row, ...] = tuple(sorted(itertools.chain(*SECTIONS.values()), key=lambda row: row.number))


def names_of(rows: Iterable[Row]) -> Iterator[str]:
    """Of every run: static, and symbolic where that makes sense."""
    for row in rows:
        for example in row.examples:
            yield name_of(row, example, False)
            if not example.static_only:
                yield name_of(row, example, True)
