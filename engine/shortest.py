"""The shortest chain of view-like calls for a layout: cut, flip, reshape, permute, expand, reshape, each at most
once (a cut: once per dim), and only those that are needed."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from .extents import Extent, plus, quotient, times
from .movement import Digit, Dim, Layout, Sizes
from .polynomial import OutOfReach
from .steps import Step, Steps


def shortest(layout: Layout, source: Sizes, result: Sizes) -> Steps | None:
    """Calls that make of a value of sizes ``source`` its ``layout``, of sizes ``result``; None if none are known."""
    return _answer(_Question(_told(layout, source, result), layout, source, result))


@dataclass(frozen=True, slots=True)
class _Question:
    """``told``: the rest, such that it can be compared."""

    told: object
    layout: Layout = field(compare=False)
    source: Sizes = field(compare=False)
    result: Sizes = field(compare=False)


def _told(layout: Layout, source: Sizes, result: Sizes) -> object:
    return (
        tuple((_key(w.start), w.step, _key(w.length)) for w in layout.windows),
        tuple(tuple((_key(d.size), d.axis, _key(d.inner)) for d in dim) for dim in layout.dims),
        tuple(map(_key, source)),
        tuple(map(_key, result)),
    )


# A question of arithmetic: chains of one model are met again in its next graph.
@functools.lru_cache(maxsize=4096)
def _answer(question: _Question) -> Steps | None:
    layout, source, result = question.layout, question.source, question.result
    found: list[Steps] = []
    try:
        if source == result and _makes((), layout, source, result):
            return ()
        for steps in _candidates(layout, source, result):
            if len(steps) == 1 and _makes(steps, layout, source, result):
                return steps
            if steps not in found:
                found.append(steps)
        return next((s for s in sorted(found, key=len) if _makes(s, layout, source, result)), None)
    except OutOfReach:
        return None


def _makes(steps: Steps, layout: Layout, source: Sizes, result: Sizes) -> bool:
    made: Layout | None = Layout.identity(source)
    for step in steps:
        made = None if made is None else step.on(made)
    return made is not None and made.same(layout) and (steps[-1].result if steps else source) == result


def _candidates(layout: Layout, source: Sizes, result: Sizes) -> Iterator[Steps]:
    dims = tuple(_refined(dim, layout.box) for dim in layout.dims)
    for picking in (True, False):
        cuts, axes = _cut(layout, source, picking)
        order = _source_order(dims, axes, layout.box)
        if order is None:
            return
        before = cuts[-1].result if cuts else source
        for start in (None, order):
            for joins in (False, True):
                rest = _arranged(layout, dims, axes, before, start, joins, result)
                if rest is not None:
                    yield (*cuts, *rest)
        if not any(step.kind == "select" for step in cuts):
            return


def _cut(layout: Layout, source: Sizes, picking: bool) -> tuple[Steps, list[int]]:
    """The cuts and the flip, and the axes that are left. ``picking``: an axis cut to one element goes."""
    steps: list[Step] = []
    axes, sizes = list(range(len(source))), list(source)
    for axis, w in enumerate(layout.windows):
        back = w.step < 0
        start = plus(w.start, times(w.step, plus(w.length, -1))) if back else w.start
        step, at = abs(w.step), axes.index(axis)
        if (start, step, w.length) == (0, 1, source[axis]):
            continue
        if w.length == 1 and picking:
            del axes[at], sizes[at]
            steps.append(Step("select", (at, start), tuple(sizes)))
        else:
            sizes[at] = w.length
            end = plus(plus(start, times(step, plus(w.length, -1))), 1)
            steps.append(Step("slice", (at, start, end, step), tuple(sizes)))
    turned = tuple(axes.index(a) for a in axes if layout.windows[a].step < 0)
    if turned:
        steps.append(Step("flip", turned, tuple(sizes)))
    return tuple(steps), axes


def _refined(dim: Dim, box: Sizes) -> Dim:
    """Digits that end where an axis ends, where that is exact."""
    found: list[Digit] = []
    for digit in reversed(dim):
        while digit.axis is not None and digit.axis > 0:
            room = quotient(box[digit.axis], digit.inner)
            above = None if room is None or room == digit.size else quotient(digit.size, room)
            if room is None or above is None:
                break
            if room != 1:
                found.insert(0, replace(digit, size=room))
            digit = Digit(above, digit.axis - 1)
        found.insert(0, digit)
    return tuple(found)


def _source_order(dims: tuple[Dim, ...], axes: list[int], box: Sizes) -> list[Digit] | None:
    """The digits as they lie in the source, if each axis is made of them, whole and once."""
    left = [d for dim in dims for d in dim if d.axis is not None]
    order: list[Digit] = []
    for axis in axes:
        inner: Extent = 1
        found: list[Digit] = []
        while inner != box[axis]:
            digit = next((d for d in left if (d.axis, d.inner) == (axis, inner)), None)
            if digit is None:
                return None
            left.remove(digit)
            found.insert(0, digit)
            inner = times(inner, digit.size)
        order.extend(found)
    return None if left else order


def _arranged(
    layout: Layout,
    dims: tuple[Dim, ...],
    axes: list[int],
    before: Sizes,
    order: list[Digit] | None,
    joins: bool,
    result: Sizes,
) -> Steps | None:
    """What comes after the cuts. ``order``: reshape to these digits first, joined where they stay together;
    None: no reshape first. ``joins``: a reshape last, so that a dim may be of several digits."""
    if order is not None:
        # Digits that stay together are one dim meanwhile.
        dims = tuple(layout._joined(dim) for dim in layout.dims)
    target: list[Digit | None] = []
    for dim in dims:
        if len(dim) > 1 and not joins:
            return None
        target.extend(dim if dim or joins else (None,))
    real = [t for t in target if t is not None and t.axis is not None]
    spaces = len(target) - len(real)
    if order is None:
        whole = {d.axis for d in real if d.inner == 1 and layout.box[_axis(d)] == d.size}
        if len(whole) < len(real):
            return None
        have: list[Digit | None] = [next((d for d in real if d.axis == a), None) for a in axes]
        steps: list[Step] = []
    else:
        have = [d for d in _by_source(real, order) if d is not None]
        if have == real:
            have = list(target)
        else:
            have.extend([None] * spaces)
        sizes = tuple(1 if d is None or d.axis is None else d.size for d in have)
        have = [d if d is not None and d.axis is not None else None for d in have]
        steps = [] if sizes == before else [Step("reshape", sizes, sizes)]
    return _placed(steps, have, before, target, joins, result)


def _by_source(real: list[Digit], order: list[Digit]) -> list[Digit]:
    """Joined digits, in the order of the source."""
    at = {id(d): k for k, d in enumerate(order)}
    position = {(d.axis, _key(d.inner)): at[id(d)] for d in order}
    return sorted(real, key=lambda d: position[d.axis, _key(d.inner)])


def _placed(
    steps: list[Step],
    have: list[Digit | None],
    before: Sizes,
    target: list[Digit | None],
    joins: bool,
    result: Sizes,
) -> Steps | None:
    """Permute, expand and reshape the dims ``have`` (None: of size 1) to ``target``, and that to ``result``."""
    spaces = [d for d in target if d is None or d.axis is None]
    units = [k for k, d in enumerate(have) if d is None]
    extra = max(len(spaces) - len(units), 0)
    if any(d is not None and d.axis is not None for d in target[:extra]):
        return None
    old, free = target[extra:], iter(units)
    order = [
        next(free) if d is None or d.axis is None else next(k for k, h in enumerate(have) if h is d)
        for d in old
    ]
    for unit in free:
        if not joins:
            return None
        # A dim of size 1 that is not wanted stays where it was until the last reshape drops it.
        place = next((n + 1 for n, k in enumerate(order) if k == unit - 1), 0)
        order.insert(place, unit)
        old.insert(place, None)
    sizes = tuple(1 if (h := have[k]) is None else h.size for k in order)
    if order != sorted(order):
        steps.append(Step("permute", tuple(order), sizes))
    full = (*(1 if d is None else d.size for d in target[:extra]), *(1 if d is None else d.size for d in old))
    if full != sizes:
        steps.append(Step("expand", full, full))
    if full != result:
        if not joins:
            return None
        steps.append(Step("reshape", result, result))
    return tuple(steps)


def _axis(digit: Digit) -> int:
    assert digit.axis is not None
    return digit.axis


def _key(inner: Extent) -> object:
    return inner if isinstance(inner, int) else frozenset(inner.items())
