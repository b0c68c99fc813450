"""Short chains that may give a certain map of indices, guessed from its digits. They are tried by ``forms.py``.

Along each dim of a result the place in the source moves by *digits*: ``(n, s)``, n steps of s. A chain that is a
cut, a split into digits, their permutation, an expansion and a merge can be told from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from math import prod
from typing import NamedTuple

import torch
from steps import Step

_aten = torch.ops.aten
Sizes = tuple[int, ...]
Digit = tuple[int, int]
"""Size, and stride in the source: 0 if elements repeat, also where the size is 1."""
Steps = tuple[Step, ...]
_MOST_DIMS = 6
_MOST_PICKED = 3


def candidates(shape: Sizes, index: torch.Tensor) -> Iterator[Steps]:
    """Chains over a source of this shape. ``index``: places in the source, flat, for each place of the result."""
    yield ()
    for cut, box, inner in _cuts(shape, index):
        for turned, flipped in _flips(box, inner):
            yield from (cut + turned + rest for rest in _whole(box, flipped))


def _step(target: object, *args: object) -> Steps:
    return (Step(target, args),)  # type: ignore[arg-type]


def _cuts(shape: Sizes, index: torch.Tensor) -> Iterator[tuple[Steps, Sizes, torch.Tensor]]:
    """Slices and selects that leave just what the map reaches, the box they leave, and the map over it."""
    places: list[torch.Tensor] = []
    rest = index
    for n in reversed(shape):
        places.insert(0, rest % n)
        rest = rest // n
    ways: list[list[_Cut]] = []
    for axis, n in enumerate(shape):
        at = torch.unique(places[axis])
        steps = at.diff().tolist()
        if len(set(steps)) > 1:
            return
        start, by = int(at[0]), steps[0] if steps else 1
        whole, picked, kept = _Cut(n), _Cut(0, start), _Cut(len(at), start, by)
        ways.append([whole] if len(at) == n else [picked, kept] if len(at) == 1 else [kept])
        places[axis] = torch.searchsorted(at, places[axis].contiguous())
    if sum(len(way) > 1 for way in ways) > _MOST_PICKED:
        ways = [way[:1] for way in ways]
    for chosen in product(*ways):
        # From the last axis on, so that a select does not renumber those to come.
        steps_ = tuple(step for axis in reversed(range(len(shape))) for step in chosen[axis].steps(axis))
        inner = torch.zeros_like(index)
        for cut, place in zip(chosen, places, strict=True):
            inner = inner * max(cut.length, 1) + place
        yield steps_, tuple(cut.length for cut in chosen if cut.length), inner


class _Cut(NamedTuple):
    """What is left of one axis: ``length`` 0 if one element is picked and the axis goes."""

    length: int
    start: int | None = None
    by: int = 1

    def steps(self, axis: int) -> Steps:
        if self.start is None:
            return ()
        if not self.length:
            return _step(_aten.select.int, axis, self.start)
        end = self.start + (self.length - 1) * self.by + 1
        return _step(_aten.slice.Tensor, axis, self.start, end, self.by)


def _flips(box: Sizes, index: torch.Tensor) -> Iterator[tuple[Steps, torch.Tensor]]:
    """With the axes turned that the result runs through backwards."""
    digits = _digits(index)
    if digits is None:
        return
    backwards = [d for dim in digits for d in dim if d[1] < 0]
    if not backwards:
        yield (), index
        return
    strides = _row_major(box)
    axes = tuple(
        a
        for a, (n, s) in enumerate(zip(box, strides, strict=True))
        if any(_within(d, n, s) for d in backwards)
    )
    turned = torch.arange(prod(box)).reshape(box).flip(axes).reshape(-1)
    yield _step(_aten.flip.default, axes), turned[index]


def _within(digit: Digit, n: int, stride: int) -> bool:
    return stride <= -digit[1] < stride * n


def _whole(box: Sizes, index: torch.Tensor) -> Iterator[Steps]:
    """Chains over a source all of which is read."""
    shape = tuple(index.shape)
    yield ()
    yield _step(_aten.reshape.default, shape)
    yield _step(_aten.expand.default, shape)
    digits = _digits(index)
    if digits is None or any(s < 0 for dim in digits for _, s in dim):
        return
    bounds = {s * n for n, s in zip(box, _row_major(box), strict=True)} | set(_row_major(box))
    fine = [[part for digit in dim for part in _split(digit, bounds)] for dim in digits]
    flat = [d for dim in digits for d in dim if d[0] != 1]
    for atoms in (
        [d for dim in digits for d in (dim or [(1, 0)])],
        [d for dim in fine for d in (dim or [(1, 0)])],
        [d for dim in fine for d in dim],
        _joined(flat),
    ):
        yield from _split_permute_expand_merge(box, shape, atoms)
        yield from _permute_expand_merge(box, shape, atoms)


def _split_permute_expand_merge(box: Sizes, shape: Sizes, atoms: Sequence[Digit]) -> Iterator[Steps]:
    wide = tuple(n for n, _ in atoms)
    narrow = tuple(n if s else 1 for n, s in atoms)
    # As they lie in the source, with the new and the repeated dims where they will be, last, or first.
    order = sorted((i for i, (_, s) in enumerate(atoms) if s), key=lambda i: -atoms[i][1])
    repeated = [i for i, (_, s) in enumerate(atoms) if not s]
    arrangements = {tuple(order + repeated), tuple(repeated + order)}
    if order == sorted(order):
        arrangements.add(tuple(range(len(atoms))))
    for arrangement in arrangements:
        split = tuple(narrow[i] for i in arrangement)
        back = tuple(arrangement.index(i) for i in range(len(atoms)))
        steps = _step(_aten.reshape.default, split) if split != box else ()
        if back != tuple(range(len(back))):
            steps += _step(_aten.permute.default, back)
        yield from _widened(steps, narrow, wide, shape)


def _permute_expand_merge(box: Sizes, shape: Sizes, atoms: Sequence[Digit]) -> Iterator[Steps]:
    if len(box) > _MOST_DIMS:
        return
    target = [n for n, s in atoms if s]
    strides = _row_major(box)
    wanted = [s for n, s in atoms if s]
    for count, dims in enumerate(permutations(range(len(box)))):
        if count > 720:
            return
        # Only orders in which the dims that matter come as the result has them.
        if [strides[d] for d in dims if box[d] != 1] != wanted or [
            box[d] for d in dims if box[d] != 1
        ] != target:
            continue
        moved = tuple(box[d] for d in dims)
        steps = _step(_aten.permute.default, dims) if dims != tuple(range(len(dims))) else ()
        for wide in _expansions(moved, atoms):
            yield from _widened(steps, moved, wide, shape)
        yield from _widened(steps, moved, shape, shape)


def _expansions(narrow: Sizes, atoms: Sequence[Digit]) -> Iterator[Sizes]:
    """Wider sizes, the repeated digits put where there is a dim of size 1, or before all others."""
    yield narrow
    wide, left = list(narrow), list(atoms)
    at = len(wide) - 1
    while left:
        n, s = left.pop()
        if s:
            while at >= 0 and wide[at] == 1:
                at -= 1
            at -= 1
        elif at >= 0 and wide[at] == 1:
            wide[at] = n
            at -= 1
        elif at < 0:
            wide.insert(0, n)
        elif n != 1:
            return
    if tuple(wide) != narrow:
        yield tuple(wide)


def _widened(steps: Steps, narrow: Sizes, wide: Sizes, shape: Sizes) -> Iterator[Steps]:
    if wide != narrow:
        steps += _step(_aten.expand.default, wide)
    yield steps if wide == shape else (*steps, *_step(_aten.reshape.default, shape))


def _row_major(shape: Sizes) -> Sizes:
    return tuple(prod(shape[i + 1 :]) for i in range(len(shape)))


def _digits(index: torch.Tensor) -> list[list[Digit]] | None:
    """Per dim, most significant first, those of size 1 left out; None if the map is none of digits."""
    found = []
    rebuilt = index.flatten()[0].reshape([1] * index.dim())
    for dim, n in enumerate(index.shape):
        along = index
        for other in range(index.dim()):
            if other != dim:
                along = along.narrow(other, 0, 1)
        offsets = (along - index.flatten()[0]).flatten().tolist()
        found.append(_digits_of(offsets))
        rebuilt = rebuilt + torch.tensor(offsets).reshape([n if d == dim else 1 for d in range(index.dim())])
    return found if torch.equal(rebuilt.expand_as(index), index) else None


def _digits_of(offsets: Sequence[int]) -> list[Digit]:
    n = len(offsets)
    if n == 1:
        return []
    by = offsets[1] - offsets[0]
    even = next((i for i in range(n) if offsets[i] != offsets[0] + i * by), n)
    inner = next(k for k in range(even, 0, -1) if n % k == 0)
    if inner == 1:
        return [(n, by)]  # no digits: the caller finds that they do not add up
    blocks = all(offsets[i] == offsets[i - i % inner] + i % inner * by for i in range(n))
    return [*_digits_of(offsets[::inner]), (inner, by)] if blocks else [(n, by)]


def _split(digit: Digit, bounds: set[int]) -> list[Digit]:
    """At the strides of the source that it runs across."""
    n, s = digit
    if s <= 0:
        return [digit]
    at = sorted(b for b in bounds if s < b < s * n and b % s == 0 and n * s % b == 0)
    parts: list[Digit] = []
    for low, high in zip([s, *at], [*at, s * n], strict=True):
        if high % low:
            return [digit]
        parts.insert(0, (high // low, low))
    return parts


def _joined(digits: Sequence[Digit]) -> list[Digit]:
    """Digits that follow each other in the source as one."""
    found: list[Digit] = []
    for n, s in digits:
        if found and (found[-1][1] == n * s if s else found[-1][1] == 0):
            found[-1] = (found[-1][0] * n, s)
        else:
            found.append((n, s))
    return found
