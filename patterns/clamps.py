"""Bounds that bound nothing, and bounds after bounds."""

from collections.abc import Callable, Sequence

import torch

from ..facts import Facts, Value
from ..kinds import kept, like_root, narrow, native, whole
from ..pattern import Computed, OpCall, X, same_constant, var
from ..proof import Proof
from ..rule import Rule
from ..variants import in_half_precision, of_type

_aten = torch.ops.aten
_Op = Callable[..., torch.Tensor]
_INF = float("inf")
_BOUNDS: dict[object, tuple[str | None, str | None]] = {
    _aten.clamp.default: ("min", "max"),
    _aten.clamp_min.default: ("min", None),
    _aten.clamp_max.default: (None, "max"),
    _aten.hardtanh.default: ("min_val", "max_val"),
}
"""The names of the bounds of a call. ``relu`` has the lower bound 0."""
_CLAMPS: tuple[_Op, ...] = (
    _aten.clamp.default,
    _aten.clamp_min.default,
    _aten.clamp_max.default,
    _aten.hardtanh.default,
    _aten.relu.default,
)


def _integers(x: torch.Tensor) -> torch.Tensor:
    return of_type(x, torch.int32)


def _bounds(f: Facts, clamped: Value) -> tuple[object, object]:
    """The lower and the upper bound, None where there is none."""
    if clamped.target not in _BOUNDS:
        return 0, None
    low, high = (name and f.argument(clamped, name) for name in _BOUNDS[clamped.target])
    return low, high


def _within(name: str, fns: Sequence[_Op], *bounds: float | None) -> Rule:
    call = fns[0]
    return Rule(
        name=f"clamp/{name}",
        pattern=OpCall(fns, X, *bounds),
        # Of integers, an infinity makes floats.
        where=lambda f, x: native(x),
        to=X,
        because="no number lies beyond the infinities, and NaN stays NaN",
        example=lambda x: call(x, *bounds),
        near_miss=(
            lambda x: call(x, *(b and 0.0 for b in bounds)),
            lambda x: call(_integers(x), *bounds),
            lambda x: call(of_type(x, torch.float16), *bounds),
        ),
    )


clamp_to_everything = _within("to-everything", (_aten.clamp.default, _aten.hardtanh.default), -_INF, _INF)
clamp_from_below = _within("from-below", (_aten.clamp_min.default, _aten.clamp.default), -_INF)
clamp_from_above = _within("from-above", (_aten.clamp_max.default,), _INF)
clamp_without_minimum = _within("without-minimum", (_aten.clamp.default,), None, _INF)


def _whole_range(f: Facts, x: Value) -> Proof:
    ends: tuple[object, ...] = (None, None)
    if whole(x).proved and x.dtype is not torch.bool:
        ends = (torch.iinfo(x.dtype).min, torch.iinfo(x.dtype).max)
    bounds = _bounds(f, f.root)
    same = all(b is None or same_constant(b, end) for b, end in zip(bounds, ends, strict=True))
    return whole(x) & Proof.of(same, f"{bounds} are the ends of {x.dtype}", "bounds")


to_whole_range = Rule(
    name="clamp/to-whole-range",
    pattern=OpCall(_CLAMPS, X, rest="any"),
    where=_whole_range,
    to=X,
    because="no number of a type lies beyond its ends, and no unsigned one below zero",
    example=lambda x: _aten.clamp_min(of_type(x, torch.uint8), 0),
    near_miss=(
        lambda x: _aten.clamp_min(_integers(x), 0),
        lambda x: _aten.clamp_min(of_type(x, torch.uint8), 1),
        lambda x: _aten.clamp(of_type(x, torch.int8), -128, 126),
        _aten.relu.default,
        lambda x: _aten.clamp_min(_aten.gt(x, 0), 0),
    ),
)


def _same_bounds(f: Facts, names: Sequence[str]) -> Proof:
    """Both calls have the same bounds, of one type: 0 and 0.0, or the zeros, are not the same."""
    pairs = [(f.argument(f.root, name), f.argument(f.inner, name)) for name in names]
    same = all(same_constant(a, b) or a is b for a, b in pairs)
    return Proof.of(same, f"bounds {pairs} are the same", "bounds")


def _clamped_twice(name: str, op: _Op, bounds: Sequence[str]) -> Rule:
    vs = [var(bound) for bound in bounds]
    numbers = (-1, 2)[: len(bounds)]
    return Rule(
        name=f"clamp/{name}-twice",
        pattern=OpCall(op, OpCall(op, X, *vs), *vs),
        where=lambda f, x: kept(x) & like_root(f, x) & _same_bounds(f, bounds),
        to=OpCall(op, X, *vs),
        because="what is within bounds stays within them",
        example=lambda x: op(op(x, *numbers), *numbers),
        near_miss=(
            lambda x: op(op(x, *numbers), *map(float, numbers)),
            lambda x: op(op(x, *numbers), *(n + 1 for n in numbers)),
            lambda x: op(op(of_type(x, torch.float16), *numbers), *numbers),
            lambda x: op(op(_integers(x), *map(float, numbers)), *map(float, numbers)),
        ),
    )


clamp_twice = _clamped_twice("clamp", _aten.clamp.default, ("min", "max"))
clamp_min_twice = _clamped_twice("clamp-min", _aten.clamp_min.default, ("min",))
clamp_max_twice = _clamped_twice("clamp-max", _aten.clamp_max.default, ("max",))


def _held(x: Value, bound: float) -> bool:
    """Has the dtype this bound, or a float next to it with the same sign? Others are converted: -1 is 255 in uint8,
    and what is next to nothing may be the other zero, with which a float ties."""
    if isinstance(bound, bool):
        return False
    if x.dtype.is_floating_point:
        return str(float(bound)) == "0.0" if bound == 0 else abs(bound) >= torch.finfo(x.dtype).tiny
    return isinstance(bound, int) and torch.iinfo(x.dtype).min <= bound <= torch.iinfo(x.dtype).max


def _merged(f: Facts, x: Value) -> tuple[float, float] | None:
    """The bounds of both calls as those of one; None if there are none."""
    if not (kept(x) | narrow(x)).proved or x.dtype is torch.bool:
        return None
    integers = not x.dtype.is_floating_point
    ends = (torch.iinfo(x.dtype).min, torch.iinfo(x.dtype).max) if integers else (-_INF, _INF)
    if f.root.target is f.inner.target is _aten.relu.default:
        # That is relu once, and ``idempotent`` says so.
        return None
    given = (*_bounds(f, f.inner), *_bounds(f, f.root))
    bounds = [end if b is None else b for b, end in zip(given, ends * 2, strict=True)]
    numbers = [b for b in bounds if isinstance(b, int | float) and _held(x, b)]
    if len(numbers) < len(bounds):
        return None
    low, high, low_2, high_2 = numbers
    meet = max(low, low_2) <= min(high, high_2)
    # Of intervals apart one number is left, and where that is zero, -0.0 would tie with it and stay.
    if low > high or low_2 > high_2 or not (meet or integers or 0 not in numbers):
        return None
    return min(max(low, low_2), high_2), min(max(high, low_2), high_2)


def _one_interval(f: Facts, x: Value) -> Proof:
    return like_root(f, x) & Proof.of(
        _merged(f, x) is not None, "the bounds make two intervals in one", "bounds"
    )


def _end(which: int) -> Computed:
    return Computed(lambda f, x: (_merged(f, x) or (None, None))[which])


clamp_of_clamp = Rule(
    name="clamp/of-clamp",
    pattern=OpCall(_CLAMPS, OpCall(_CLAMPS, X, rest="any"), rest="any"),
    where=lambda f, x: kept(x) & _one_interval(f, x),
    to=OpCall(_aten.clamp.default, X, _end(0), _end(1)),
    because="bounds after bounds are the first bounds, put within the second",
    example=lambda x: _aten.clamp(_aten.clamp(x, -2, 1), -1, 3),
    near_miss=(
        lambda x: _aten.clamp(_aten.clamp(x, 2, 1), -1, 3),
        lambda x: _aten.clamp(_aten.clamp(x, 1.0, 2.0), -3.0, 0.0),
        lambda x: _aten.clamp(_aten.clamp(x, 1e-60, 2.0), -1e-60, 3.0),
        lambda x: _aten.clamp(_aten.clamp(x, -0.0, 2.0), 0.0, 3.0),
        lambda x: _aten.relu(_aten.relu(x)),
        lambda x: _aten.clamp(_aten.clamp(of_type(x, torch.uint8), 1, 2), -1, 3),
        lambda x: _aten.clamp(_aten.clamp(_integers(x), -2.0, 1.0), -1.0, 3.0),
        lambda x: _aten.clamp(_aten.clamp(of_type(x, torch.float16), -2, 1), -1, 3),
    ),
)

RULES = (
    clamp_to_everything,
    clamp_from_below,
    clamp_from_above,
    clamp_without_minimum,
    to_whole_range,
    clamp_twice,
    clamp_min_twice,
    clamp_max_twice,
    clamp_of_clamp,
)


def _narrow_twice(rule: Rule, bounds: Sequence[str]) -> Rule:
    return in_half_precision(rule, lambda f, x: narrow(x) & like_root(f, x) & _same_bounds(f, bounds))


VALUE_EQUAL = (
    in_half_precision(clamp_to_everything, lambda f, x: narrow(x)),
    in_half_precision(clamp_from_below, lambda f, x: narrow(x)),
    in_half_precision(clamp_from_above, lambda f, x: narrow(x)),
    in_half_precision(clamp_without_minimum, lambda f, x: narrow(x)),
    _narrow_twice(clamp_twice, ("min", "max")),
    _narrow_twice(clamp_min_twice, ("min",)),
    _narrow_twice(clamp_max_twice, ("max",)),
    in_half_precision(clamp_of_clamp, lambda f, x: narrow(x) & _one_interval(f, x)),
)
