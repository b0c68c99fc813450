"""What view-like calls do to indices, as one small algebra: layouts over a box.

A layout tells for each dim of a result which digits of the source's position it runs over. Each dim is a list of
*digits*, most significant first; a digit of ``size`` n at ``axis`` d and ``inner`` k moves the source's coordinate
d by k for each step (beyond the axis, by carry, the axes before it), and a digit without an axis repeats. Before
the digits are read, a *window* may have cut the source: per axis a start, a step and a length.

Whatever reshapes, permutes, expands, flips, cuts or picks then is an operation on lists of digits, with exact
products and quotients of symbolic sizes and no search. ``None`` means that the result is no such layout, or not
known to be; the caller then begins anew at the operand. Layouts are told of results with at least one element:
of an empty one there is nothing to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from .extents import Extent, plus, quotient, times

Sizes = tuple[Extent, ...]


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit of a dim. ``axis`` None: the elements repeat along it."""

    size: Extent
    axis: int | None
    inner: Extent = 1


@dataclass(frozen=True, slots=True)
class Window:
    """A cut of one axis: ``length`` elements, the first at ``start`` and ``step`` apart (negative: backwards)."""

    start: Extent
    step: int
    length: Extent


Dim = tuple[Digit, ...]


@dataclass(frozen=True)
class Layout:
    """``windows`` per axis of the source, and ``dims`` of the result over the box that they leave."""

    windows: tuple[Window, ...]
    dims: tuple[Dim, ...]

    @classmethod
    def identity(cls, shape: Sizes) -> Layout:
        """Of a value over itself."""
        windows = tuple(Window(0, 1, n) for n in shape)
        return cls(windows, tuple(_trimmed((Digit(n, d),)) for d, n in enumerate(shape)))

    @cached_property
    def box(self) -> Sizes:
        """Sizes of the source once it is cut."""
        return tuple(w.length for w in self.windows)

    @cached_property
    def run(self) -> tuple[Digit, ...]:
        """All digits in row-major order, those that follow each other in the source joined: equal runs and
        equal windows are the same elements in the same order."""
        return self._joined(tuple(digit for dim in self.dims for digit in dim))

    def same(self, other: Layout) -> bool:
        """The same elements, in the same order; of shapes the caller knows."""
        return self is other or (self.windows == other.windows and self.run == other.run)

    def reshaped(self, sizes: Sizes) -> Layout | None:
        """Row-major relabelling to ``sizes``, which have the same product."""
        left = list(self.run)
        dims: list[Dim] = []
        for size in reversed(sizes):
            dim: list[Digit] = []
            while size != 1:
                if not left:
                    return None
                last = left.pop()
                rest = quotient(size, last.size)
                if rest is not None:
                    dim.insert(0, last)
                    size = rest
                    continue
                major = quotient(last.size, size)
                if major is None:
                    return None
                dim.insert(0, replace(last, size=size))
                left.append(self._risen(last, size, major))
                size = 1
            dims.insert(0, tuple(dim))
        return None if left else replace(self, dims=tuple(dims))

    def permuted(self, order: Sequence[int]) -> Layout:
        """Dim ``i`` is what dim ``order[i]`` was."""
        return replace(self, dims=tuple(self.dims[d] for d in order))

    def expanded(self, sizes: Sizes) -> Layout | None:
        """Dims of size 1 repeated, and new ones before them; ``sizes`` of the result, in full."""
        new = len(sizes) - len(self.dims)
        dims: list[Dim] = [_trimmed((Digit(n, None),)) for n in sizes[:new]]
        for dim, size in zip(self.dims, sizes[new:], strict=True):
            if dim and size != _size(dim):
                return None
            dims.append(dim if dim or size == 1 else (Digit(size, None),))
        return replace(self, dims=tuple(dims))

    def picked(self, dim: int, index: Extent) -> Layout | None:
        """``select``: the ``index``-th along ``dim``, counted from the front."""
        cut = self.sliced(dim, index, 1, 1)
        return None if cut is None else replace(cut, dims=(*cut.dims[:dim], *cut.dims[dim + 1 :]))

    def sliced(self, dim: int, start: Extent, step: int, length: Extent) -> Layout | None:
        """``length`` elements along ``dim``, from ``start``, counted from the front, ``step`` apart."""
        digits = self.dims[dim]
        if all(d.axis is None for d in digits):
            # Whatever is cut from repeated elements is as many of them.
            return self._with_dim(dim, _trimmed((Digit(length, None),)))
        if length == _size(digits) and start == 0 and step == 1:
            return self
        axis = self._whole_axis(dim)
        if axis is None:
            return None
        window = self.windows[axis]
        first = times(window.step, start)
        # The step from an only element to the next is nothing that could differ.
        cut = Window(plus(window.start, first), 1 if length == 1 else window.step * step, length)
        box = tuple(cut if d == axis else w for d, w in enumerate(self.windows))
        return Layout(box, self.dims)._with_dim(dim, _trimmed((Digit(length, axis),)))

    def flipped(self, dims: Sequence[int]) -> Layout | None:
        """Each of ``dims`` backwards."""
        result = self
        for dim in dims:
            digits = result.dims[dim]
            if all(d.axis is None for d in digits):
                continue
            axis = result._whole_axis(dim)
            if axis is None:
                return None
            w = result.windows[axis]
            last = plus(w.start, times(w.step, plus(w.length, -1)))
            turned = Window(last, -w.step, w.length)
            result = replace(
                result, windows=tuple(turned if d == axis else o for d, o in enumerate(result.windows))
            )
        return result

    def _with_dim(self, dim: int, digits: Dim) -> Layout:
        return replace(self, dims=(*self.dims[:dim], digits, *self.dims[dim + 1 :]))

    def _whole_axis(self, dim: int) -> int | None:
        """The axis of the source that ``dim`` runs over whole and alone, if there is one."""
        digits = self.dims[dim]
        if len(digits) != 1 or digits[0].inner != 1:
            return None
        (digit,) = digits
        return digit.axis if digit.axis is not None and self.box[digit.axis] == digit.size else None

    def _joined(self, digits: tuple[Digit, ...]) -> tuple[Digit, ...]:
        joined: list[Digit] = []
        for digit in digits:
            if joined and self._follows(joined[-1], digit):
                joined[-1] = replace(digit, size=times(joined[-1].size, digit.size))
            else:
                joined.append(digit)
        return tuple(joined)

    def _follows(self, major: Digit, minor: Digit) -> bool:
        """Does one step of ``major`` go just past all of ``minor``?"""
        if major.axis is None or minor.axis is None:
            return major.axis is minor.axis
        risen = self._risen(minor, minor.size, major.size)
        return (risen.axis, risen.inner) == (major.axis, major.inner)

    def _risen(self, digit: Digit, by: Extent, size: Extent) -> Digit:
        """The digit of ``size`` that begins where ``by`` steps of ``digit`` end, named by the axis it is in."""
        if digit.axis is None:
            return replace(digit, size=size)
        axis, inner = digit.axis, times(digit.inner, by)
        while axis > 0:
            over = 1 if self.box[axis] == 1 else quotient(inner, self.box[axis])
            if self.box[axis] != 1 and over is None:
                break
            if self.box[axis] != 1:
                assert over is not None
                inner = over
            axis -= 1
            if inner == 1 and self.box[axis] != 1:
                break
        return Digit(size, axis, inner)


def _trimmed(digits: Dim) -> Dim:
    return tuple(d for d in digits if d.size != 1)


def _size(dim: Dim) -> Extent:
    total: Extent = 1
    for digit in dim:
        total = times(total, digit.size)
    return total
