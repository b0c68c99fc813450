"""``python tests/bench/prover.py``: what noopelim and torch prove of the same claims, and what it costs them.

Every figure is measured in the run that prints it. Ends with 1 if a target does not hold.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator

import report
import torch
from architectures import recorded
from families import FAMILIES
from questions import Group, Oracle
from race import OURS, REFUTED, Result, raced


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="each contender goes first equally often")
    parser.add_argument("--no-real", action="store_true", help="leave out the exported architectures")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("torch").setLevel(logging.ERROR)
    start = time.perf_counter()
    report.console.print(f"torch {torch.__version__}, best of {options.rounds} cold rounds, microseconds")

    results: list[Result] = []
    changes: dict[str, Counter[str]] = {}
    for step in itertools.chain(() if options.no_real else recorded(), _made()):
        with report.console.status("tracing, then asking"):
            group = step()
            asked, changed = raced(group, options.rounds)
            _judge(group, asked)
        results += asked
        for name, new in changed.items():
            changes.setdefault(group.family, Counter())[name] += len(new)
        seconds = time.perf_counter() - start
        report.console.print(f"{seconds:5.0f} s  {group.family}: {group.name}, {len(asked)} claims")
    return report.show(results, changes)


def _made() -> Iterator[Callable[[], Group]]:
    for family in FAMILIES:
        for group in family():
            yield lambda group=group: group  # type: ignore[misc]


def _judge(group: Group, results: list[Result]) -> None:
    """Settle which claims hold: by evaluation, and by construction where they were made. A recorded claim
    that no point falsifies is taken to hold."""
    oracle = Oracle(group.env)
    for result in results:
        ours = result.answers[OURS]
        refuted = ours.truth == REFUTED
        result.confirmed = oracle.confirms(result.claim, ours.witness) if refuted else None
        result.holds = not (oracle.falsified(result.claim) or (refuted and result.confirmed))
        if result.claim.intended not in (None, result.holds):
            raise SystemExit(f"{group.family}, {group.name}: not {result.claim.intended}: {result.claim}")


if __name__ == "__main__":
    sys.exit(main())
