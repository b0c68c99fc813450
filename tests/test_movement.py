"""The algebra of layouts against the operators themselves, on the positions of small tensors."""

from __future__ import annotations

import itertools
import random

import pytest
import torch

from noopelim.movement import Digit, Layout, Sizes


def positions(layout: Layout, shape: Sizes) -> torch.Tensor:
    """The flat source position of each element, read off the layout by its definition."""
    source = torch.arange(_numel(tuple(shape))).reshape(shape)
    for axis, w in enumerate(layout.windows):
        at = torch.tensor([w.start + w.step * k for k in range(w.length)])
        source = source.index_select(axis, at)
    box = source.flatten()

    def offset(digit: Digit, k: int) -> int:
        if digit.axis is None:
            return 0
        return k * digit.inner * _numel(layout.box[digit.axis + 1 :])

    per_dim = []
    for dim in layout.dims:
        steps = itertools.product(*(range(d.size) for d in dim))
        per_dim.append([sum(offset(d, k) for d, k in zip(dim, ks, strict=True)) for ks in steps])
    flat = [sum(places) for places in itertools.product(*per_dim)]
    return box[torch.tensor(flat)].reshape([len(p) for p in per_dim])


def _numel(sizes: Sizes) -> int:
    total = 1
    for n in sizes:
        total *= n
    return total


def _factorised(rng: random.Random, numel: int) -> list[int]:
    sizes = []
    while numel > 1 and len(sizes) < 4:
        factor = rng.choice([k for k in range(2, numel + 1) if numel % k == 0])
        sizes.append(factor)
        numel //= factor
    sizes += [1] * rng.randrange(2)
    rng.shuffle(sizes)
    return [*sizes, numel] if numel > 1 else sizes


def step(rng: random.Random, layout: Layout, x: torch.Tensor) -> tuple[Layout | None, torch.Tensor]:
    """One random call: on the layout, and on a tensor of positions."""
    rank = x.dim()
    kinds = ["reshape", "permute", "expand", "slice", "select", "flip"]
    kind = rng.choice(kinds if rank else ["reshape", "expand"])
    if kind == "reshape":
        sizes = _factorised(rng, x.numel())
        return layout.reshaped(tuple(sizes)), x.reshape(sizes)
    if kind == "permute":
        order = rng.sample(range(rank), rank)
        return layout.permuted(order), x.permute(order)
    if kind == "expand":
        sizes = [rng.randint(1, 3) if n == 1 else n for n in x.shape]
        sizes = [rng.randint(1, 2)] * rng.randrange(2) + sizes
        return layout.expanded(tuple(sizes)), x.expand(sizes)
    dim = rng.randrange(rank)
    if kind == "flip":
        dims = rng.sample(range(rank), rng.randint(1, rank))
        return layout.flipped(dims), x.flip(dims)
    if kind == "select":
        index = rng.randrange(x.shape[dim])
        return layout.picked(dim, index), x.select(dim, index)
    start, by = rng.randrange(x.shape[dim]), rng.randint(1, 2)
    end = rng.randint(start + 1, x.shape[dim])
    cut = x[(slice(None),) * dim + (slice(start, end, by),)]
    return layout.sliced(dim, start, by, cut.shape[dim]), cut


@pytest.mark.parametrize("seed", range(300))
def test_a_layout_reads_what_the_calls_read(seed: int) -> None:
    rng = random.Random(seed)
    shape = tuple(rng.choice((1, 2, 3, 4, 6)) for _ in range(rng.randint(0, 3)))
    layout: Layout | None = Layout.identity(shape)
    x = torch.arange(_numel(shape)).reshape(shape)
    for _ in range(rng.randint(1, 6)):
        assert layout is not None
        layout, x = step(rng, layout, x)
        if layout is None:
            return
        assert torch.equal(positions(layout, shape), x)


def test_equal_layouts_are_found_and_others_not() -> None:
    found = {True: 0, False: 0}
    for seed in range(3000):
        rng = random.Random(seed)
        shape = rng.choice(((2, 3), (4, 3), (2, 1, 6), (2, 2, 2)))
        layout: Layout | None = Layout.identity(shape)
        x = torch.arange(_numel(shape)).reshape(shape)
        for _ in range(rng.randint(2, 5)):
            before = layout, x
            layout, x = step(rng, *before)
            if layout is None:
                break
        else:
            identity = Layout.identity(shape)
            really = x.numel() == _numel(shape) and torch.equal(x.flatten(), torch.arange(x.numel()))
            assert layout.same(identity) is really, (seed, layout)
            found[really] += 1
    assert found[True] > 100
    assert found[False] > 1000


def test_what_is_no_layout_is_told() -> None:
    transposed = Layout.identity((2, 3)).permuted((1, 0)).reshaped((6,))
    assert transposed is not None
    # Rows of the transposed flattened: every second of them begins in the middle of a row of the source.
    assert transposed.sliced(0, 1, 2, 3) is None
    assert transposed.reshaped((2, 3)) is None
