"""Calls that relabel sizes and keep the row-major order of elements."""

import torch

from ..facts import Facts
from ..pattern import ANY, SIZE, OpCall, X, var
from ..proof import Proof
from ..rule import Rule
from ..spellings import RELABELS, relabel, reshape

_aten = torch.ops.aten
_AT_LEAST = (
    _aten.ravel.default,
    _aten.atleast_1d.default,
    _aten.atleast_2d.default,
    _aten.atleast_3d.default,
)


def _as_dtype(x: object, dtype: object = ANY) -> OpCall:
    """The same bits read as another dtype."""
    return OpCall((_aten.view.dtype, _aten.view_copy.dtype), x, dtype)


def _read(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    # A trace of ``view`` holds a ``detach`` too.
    found: torch.Tensor = _aten.view_copy.dtype(x, dtype)
    return found


def _no_truth_between(f: Facts) -> Proof:
    """A kernel that copies bools makes 1 of every byte but 0."""
    between = f.inner.dtype
    return Proof.of(between is not torch.bool, f"the bits are not read as {between}", "dtype")


of_reshape = Rule(
    name="reshape/of-reshape",
    pattern=reshape(relabel(X), SIZE),
    to=reshape(X, SIZE),
    because="a reshape keeps the row-major order of elements, so only the last one counts",
    example=lambda x: _aten.reshape(_aten.unsqueeze(x, 1), (-1,)),
    near_miss=(lambda x: _aten.reshape(_aten.t(x), (-1,)),),
)

to_own_shape = Rule(
    name="reshape/to-own-shape",
    pattern=OpCall((*RELABELS, *_AT_LEAST), X, rest="any"),
    where=lambda f, x: f.same_shape(x, f.root),
    to=X,
    because="relabelling sizes as they are relabels nothing",
    example=lambda x: _aten.reshape(x, x.shape),
    near_miss=(lambda x: _aten.reshape(x, (-1,)), lambda x: _aten.unsqueeze(x, 0)),
)

round_trip = Rule(
    name="reshape/round-trip",
    pattern=relabel(relabel(X)),
    where=lambda f, x: f.same_shape(x, f.root),
    to=X,
    because="relabelling sizes and back again relabels nothing",
    example=lambda x: _aten.squeeze(_aten.unsqueeze(x, 1), 1),
    near_miss=(lambda x: _aten.squeeze(_aten.unsqueeze(x, 1), 0),),
)

dtype_view_to_own_dtype = Rule(
    name="reshape/dtype-view-to-own-dtype",
    pattern=_as_dtype(X),
    where=lambda f, x: f.same_dtype(x, f.root),
    to=X,
    because="bits read as the type they already have are the same values",
    example=lambda x: _aten.view.dtype(x, torch.float32),
    near_miss=(lambda x: _aten.view.dtype(x, torch.int32),),
)

dtype_views_there_and_back = Rule(
    name="reshape/dtype-views-there-and-back",
    pattern=_as_dtype(_as_dtype(X)),
    where=lambda f, x: f.same_dtype(x, f.root) & _no_truth_between(f),
    to=X,
    because="bits read as another type and then as their own are the same values",
    example=lambda x: _read(_read(x, torch.float16), torch.float32),
    near_miss=(
        lambda x: _read(_read(x, torch.float16), torch.int32),
        lambda x: _read(_read(x, torch.bool), torch.float32),
    ),
)

dtype_view_of_dtype_view = Rule(
    name="reshape/dtype-view-of-dtype-view",
    pattern=_as_dtype(_as_dtype(X), var("dtype")),
    where=_no_truth_between,
    to=_as_dtype(X, var("dtype")),
    because="bits do not change by how they are read, so only the last reading counts",
    example=lambda x: _read(_read(x, torch.float16), torch.int32),
    near_miss=(
        lambda x: _read(_aten.neg(_read(x, torch.float16)), torch.int32),
        lambda x: _read(_read(x, torch.bool), torch.int32),
    ),
)

RULES = (
    of_reshape,
    to_own_shape,
    round_trip,
    dtype_view_to_own_dtype,
    dtype_views_there_and_back,
    dtype_view_of_dtype_view,
)
