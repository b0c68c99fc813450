"""Conversions of dtype: to the one that is there, there and back, and one after another."""

import torch

from ..facts import Facts, Value
from ..lossless import is_integral, lossless, merges, same_bits
from ..pattern import ANY, OpCall, X, var
from ..proof import Proof
from ..rule import Exact, Rule
from ..spellings import cast
from ..variants import of_type as _to

_aten, _prims = torch.ops.aten, torch.ops.prims
_read = _aten.view_copy.dtype
_READS = (_aten.view.dtype, _read)
"""The same bits read as another type."""
_DIRECT = (_prims.convert_element_type.default, _aten.to.dtype)
"""The casts whose second argument is the dtype."""


def _there_and_back(f: Facts, x: Value) -> Proof:
    """On another device the way there and back is a wait, and on "meta" the value is lost."""
    device = f.inner.device
    return f.same_dtype(x, f.root) & Proof.of(device == x.device, f"{device} is {x.device}", "devices")


def _may_be_nan(x: Value) -> Proof:
    return Proof.of(not is_integral(x.dtype), f"{x.dtype} has NaN", "dtype")


same_dtype = Rule(
    name="cast/same-dtype",
    pattern=cast(X),
    where=lambda f, x: f.same_dtype(x, f.root),
    to=X,
    because="converted to the dtype it has, a value stays as it is",
    example=lambda x: _prims.convert_element_type(_aten.neg(x), torch.float32),
    near_miss=(lambda x: _prims.convert_element_type(x, torch.float64),),
)

there_and_back = Rule(
    name="cast/there-and-back",
    pattern=cast(cast(X)),
    where=lambda f, x: _there_and_back(f, x) & same_bits(x.dtype, f.inner.dtype),
    to=X,
    because="an integer comes back from a dtype that holds it or is as wide, and a real number as its real part",
    example=lambda x: _to(_to(_to(x, torch.int16), torch.float32), torch.int16),
    near_miss=(
        lambda x: _to(_to(_to(x, torch.int32), torch.float32), torch.int32),
        lambda x: _to(_to(_to(x, torch.int32), torch.int64), torch.uint8),
        lambda x: _to(_to(_to(x, torch.int32), torch.bool), torch.int32),
        lambda x: _to(_to(x, torch.float64), torch.float32),
    ),
)

float_there_and_back = Rule(
    name="cast/float-there-and-back",
    pattern=cast(cast(X)),
    where=lambda f, x: _may_be_nan(x) & _there_and_back(f, x) & lossless(x.dtype, f.inner.dtype),
    to=X,
    because="a number comes back from a dtype that holds it, and a NaN as some NaN",
    example=lambda x: _to(_to(x, torch.float64), torch.float32),
    near_miss=(
        lambda x: _to(_to(x, torch.float16), torch.float32),
        lambda x: _to(_to(_to(x, torch.bfloat16), torch.float16), torch.bfloat16),
        lambda x: _to(_to(_to(x, torch.float16), torch.float32), torch.bfloat16),
    ),
    exact=Exact.NAN_PAYLOAD,
)

of_cast = Rule(
    name="cast/of-cast",
    pattern=OpCall(_DIRECT, cast(X), var("dtype"), rest="any"),
    where=lambda f, x: ~_may_be_nan(x) & merges(x.dtype, f.inner.dtype, f.root.dtype),
    to=OpCall(_DIRECT, X, var("dtype")),
    because="an integer converted to a dtype that holds it, and on, is rounded once, at the end",
    example=lambda x: _to(_to(_to(x, torch.int32), torch.int64), torch.float32),
    near_miss=(
        lambda x: _to(_to(_to(x, torch.int32), torch.float32), torch.float64),
        lambda x: _to(_to(_to(x, torch.int16), torch.float32), torch.int8),
        lambda x: _to(_to(x, torch.float64), torch.float16),
    ),
)

float_of_cast = Rule(
    name="cast/float-of-cast",
    pattern=OpCall(_DIRECT, cast(X), var("dtype"), rest="any"),
    where=lambda f, x: _may_be_nan(x) & merges(x.dtype, f.inner.dtype, f.root.dtype),
    to=OpCall(_DIRECT, X, var("dtype")),
    because="a number converted to a dtype that holds it, and on, is rounded once, at the end",
    example=lambda x: _to(_to(x, torch.float64), torch.float16),
    near_miss=(
        lambda x: _to(_to(x, torch.bfloat16), torch.float16),
        lambda x: _to(_to(x, torch.float64), torch.int32),
    ),
    exact=Exact.NAN_PAYLOAD,
)


def _by_bits(f: Facts, x: Value) -> Proof:
    """A copy of a bool is 0 or 1, whatever bits it was read from."""
    dtype = f.inner.dtype
    return Proof.of(dtype is not torch.bool or x.dtype is torch.bool, f"{dtype} has any bits", "dtype")


bits_there_and_back = Rule(
    name="cast/bits-there-and-back",
    pattern=OpCall(_READS, OpCall(_READS, X, ANY), ANY),
    where=lambda f, x: _by_bits(f, x) & f.same_dtype(x, f.root) & f.same_shape(x, f.root),
    to=X,
    because="bits read as another type and then as their own are the same values",
    example=lambda x: _read(_read(x, torch.int32), torch.float32),
    near_miss=(
        lambda x: _read(_read(x, torch.int32), torch.int16),
        lambda x: _read(_to(x, torch.int32), torch.float32),
        lambda x: _read(_read(x, torch.bool), torch.float32),
    ),
)

of_bits = Rule(
    name="cast/bits-of-bits",
    pattern=OpCall(_READS, OpCall(_READS, X, ANY), var("dtype")),
    where=_by_bits,
    to=OpCall(_READS, X, var("dtype")),
    because="of several types that the same bits are read as, only the last one counts",
    example=lambda x: _read(_read(x, torch.int32), torch.int16),
    near_miss=(
        lambda x: _read(_to(x, torch.int32), torch.int16),
        lambda x: _read(_read(x, torch.bool), torch.int16),
    ),
)

RULES = (same_dtype, there_and_back, of_cast, bits_there_and_back, of_bits)
VALUE_EQUAL = (float_there_and_back, float_of_cast)
