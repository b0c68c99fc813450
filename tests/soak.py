"""A long run: ``python tests/soak.py N`` makes N random claims, asks the prover, and checks every answer.

PROVED is checked at every small allowed point and some large ones, REFUTED by its witness. Not collected by
pytest. Claims come in worlds (symbols, ranges, facts), each with a seed of its own that reproduces it:
``python tests/soak.py --seed SEED``.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import sys
import time
from collections import Counter
from random import Random

import sympy
from claim_families import claim_of
from claim_worlds import World, world
from claims import Claim, Maker, compiled

from noopelim.integers import Prover
from noopelim.proof import Proof, Truth
from noopelim.torch_api import snapshot

PER_WORLD = 40
SLOW = 1.0
"""No answer may take longer than this, in seconds of this process: others share the machine."""
COLUMNS = ("claims", "proved", "refuted", "unknown", "unconfirmed", "slow", "wrong")


def objection(proof: Proof, claim: sympy.Basic, told: World, points: list[list[int]]) -> str | None:
    """What is wrong with an answer, if anything is. "unconfirmed": the witness leaves out a symbol, and no
    value for it was found near."""
    if proof.truth is Truth.UNKNOWN:
        return None
    if proof.truth is Truth.PROVED:
        holds = compiled(claim, told.symbols)
        for point in points:
            try:
                if not holds(*point):
                    at = ", ".join(f"{s}={v}" for s, v in zip(told.symbols, point, strict=True))
                    return f"proved, yet false at {at}"
            except ZeroDivisionError:
                continue
        return None
    witness = dict(proof.witness)
    try:
        if not witness and proof.by != "no symbols":
            # False everywhere, so at any point will do.
            witness = dict(zip(told.symbols, points[-1], strict=True))
        if compiled(_failed(proof, claim), witness)(*witness.values()):
            return "refuted, yet the claim is true at the witness"
    except ZeroDivisionError:
        return "refuted where it is undefined"
    except NameError:
        return "refuted by a witness without some of the claim's symbols"
    extends = told.extends(witness)
    return None if extends else "unconfirmed" if extends is None else "refuted outside ranges and facts"


def _failed(proof: Proof, claim: sympy.Basic) -> sympy.Basic:
    """The part of a conjunction that the witness is about."""
    if not isinstance(claim, sympy.And):
        return claim
    at = next(i for i, p in enumerate(proof.parts) if p.truth is Truth.REFUTED)
    return _failed(proof.parts[at], claim.args[at])


def check_world(seed: int) -> tuple[Counter[tuple[str, str]], list[str], list[str]]:
    """Counts by family and column, a repro of each wrong answer, and of each that could not be confirmed."""
    random = Random(seed)
    told = world(random)
    points, make = told.points(random, 150, 25), Maker(random, told.symbols)
    prover, before = Prover(told.env, told.assume), snapshot(told.env)
    counts: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    notes: list[str] = []
    for _ in range(PER_WORLD):
        made = claim_of(make)
        began = time.process_time()
        try:
            proof = prover.decide(made.claim)
        except Exception as error:
            proof, complaint = Proof(Truth.UNKNOWN, "", ""), f"raised {type(error).__name__}: {error}"
        else:
            complaint = objection(proof, made.claim, told, points) or ""
        took = time.process_time() - began
        columns = ["claims", proof.truth.value]
        if complaint == "unconfirmed":
            columns.append("unconfirmed")
            notes.append(repro(seed, told, made, proof, complaint))
        elif complaint:
            columns.append("wrong")
            wrong.append(repro(seed, told, made, proof, complaint))
        if took > SLOW:
            columns.append("slow")
            wrong.append(repro(seed, told, made, proof, f"took {took:.2f}s"))
        counts.update((made.family, c) for c in columns)
    if snapshot(told.env) != before:
        counts["anything", "wrong"] += 1
        wrong.append(f"seed {seed}: the ShapeEnv changed")
    return counts, wrong, notes


def repro(seed: int, told: World, made: Claim, proof: Proof, complaint: str) -> str:
    """A wrong answer, to be pasted and looked at."""
    return "\n".join(
        (
            f"seed {seed}: {complaint}",
            f"  claim    {sympy.srepr(made.claim)}",
            f"  read as  {made.claim}",
            f"  answer   {proof}" if proof.by else "  no answer",
            f"  ranges   {told.ranges}",
            f"  facts    {told.facts}",
            f"  assumed  {told.assume}",
            f"  env      {sorted(map(str, snapshot(told.env).items())) if told.env else None}",
        )
    )


def _quiet() -> None:
    logging.disable(logging.WARNING)


def main() -> int:
    """Exit code 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("claims", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--seed", type=int, help="check one world only, by the seed in its repro")
    parser.add_argument("--first", type=int, default=0, help="the first of the seeds to run through")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--notes", action="store_true", help="also print answers that could not be confirmed")
    args = parser.parse_args()
    seeds = range(args.first, args.first + -(-args.claims // PER_WORLD)) if args.seed is None else [args.seed]
    print(f"seeds {seeds[0]} to {seeds[-1]}, {PER_WORLD} claims each", flush=True)
    began = time.perf_counter()
    total: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    # Fresh workers now and then: sympy keeps all that it has made, and collecting garbage among it takes a second.
    with multiprocessing.get_context("spawn").Pool(args.processes, _quiet, maxtasksperchild=40) as pool:
        for counts, found, notes in pool.imap_unordered(check_world, seeds, chunksize=8):
            total.update(counts)
            for text in (*found, *(notes if args.notes else ())):
                print(text, flush=True)
            wrong += found
    families = sorted({family for family, _ in total})
    print(f"{'':12}" + "".join(f"{c:>12}" for c in COLUMNS))
    for family in families:
        print(f"{family:12}" + "".join(f"{total[family, c]:12}" for c in COLUMNS))
    print(f"{'all':12}" + "".join(f"{sum(total[f, c] for f in families):12}" for c in COLUMNS))
    took = time.perf_counter() - began
    print(f"{took:.0f}s, {sum(total[f, 'claims'] for f in families) / took:.0f} claims/s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
