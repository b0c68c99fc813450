"""Rules as users write them: known mistakes, each wrong in the way its name says, and a few that are right.

Each of ``BAD`` has once been a bug in somebody's compiler, or nearly. They are for ``verify`` to refute.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from noopelim import ANY, SIZE, Exact, OpCall, Proof, Rule, X, Y, var
from noopelim.facts import Facts, Value
from noopelim.spellings import expand, permute, relabel, reorder, repeat, reshape, slice_, slice_scatter

aten, prims = torch.ops.aten, torch.ops.prims
SRC = var("src")

slice_end_minus_one = Rule(
    name="bad/slice-end-minus-one",
    pattern=slice_(X, ANY, 0, -1, 1),
    to=X,
    because="an end of -1 means up to the end (it means: without the last)",
    example=lambda x: aten.slice(x, 1, 0, -1),
)


def _from_zero_to_the_size(f: Facts, x: Value) -> Proof:
    dim = f.argument(f.root, "dim")
    start, end = f.argument(f.root, "start"), f.argument(f.root, "end")
    from_zero = f.eq(0 if start is None else start, 0)
    to_the_end = Proof.of(True, "no end", "None") if end is None else f.le(x.shape[dim], end)
    return from_zero & to_the_end


slice_without_step = Rule(
    name="bad/slice-without-step",
    pattern=slice_(X),
    where=_from_zero_to_the_size,
    to=X,
    because="a slice from zero to the end takes everything (unless its step is above one)",
    example=lambda x: aten.slice(x, 1, 0, 2**63 - 1),
)


def _hints(value: Value) -> list[int | None]:
    """Today's sizes, asked for without a guard; None for a size that has none."""
    sizes: Sequence[int | torch.SymInt] = value.node.meta["val"].shape
    return [n if isinstance(n, int) else n.node.hint for n in sizes]


def _equal_today(f: Facts, x: Value) -> Proof:
    mine, its = _hints(f.root), _hints(x)
    return Proof.of(None not in (*mine, *its) and mine == its, f"{mine} == {its}", "today's sizes")


equal_by_hint = Rule(
    name="bad/equal-by-hint",
    pattern=slice_(X),
    where=_equal_today,
    to=X,
    because="a slice as large as its source is the source (today, that is)",
    example=lambda x: aten.slice(x, 1, 0, 2**63 - 1),
)

equal_by_guard = Rule(
    name="bad/equal-by-guard",
    pattern=relabel(X),
    where=lambda f, x: Proof.of(
        f.root.node.meta["val"].shape == x.node.meta["val"].shape, "shapes are equal", "compared as SymInts"
    ),
    to=X,
    because="relabelling sizes as they are relabels nothing (but `==` of SymInts specialises the graph)",
    example=lambda x: aten.reshape(x, x.shape),
)

slice_scatter_of_another_dtype = Rule(
    name="bad/slice-scatter-of-another-dtype",
    pattern=slice_scatter(ANY, SRC),
    where=lambda f, src: f.same_shape(src, f.root),
    to=SRC,
    because="if every element is overwritten, what was written is left (in the dtype of what it was written to)",
    example=lambda x, y: aten.slice_scatter(x, y, 1, 0, 2**63 - 1),
)

slice_scatter_of_a_part = Rule(
    name="bad/slice-scatter-of-a-part",
    pattern=slice_scatter(ANY, SRC),
    where=lambda f, src: f.same_dtype(src, f.root),
    to=SRC,
    because="what was written is left (and around it what was there before)",
    example=lambda x, y: aten.slice_scatter(x, y, 1, 0, 2**63 - 1),
)

reshape_over_a_permute = Rule(
    name="bad/reshape-over-a-permute",
    pattern=reshape(permute(X), SIZE),
    to=reshape(X, SIZE),
    because="a chain of views is its last view (but this reshape copies, in another order)",
    example=lambda x: aten.reshape(aten.permute(x, (0, 1)), (-1,)),
)

add_zero = Rule(
    name="bad/add-zero",
    pattern=OpCall(aten.add.Tensor, X, 0.0),
    where=lambda f, x: f.same_dtype(x, f.root),
    to=X,
    because="adding zero changes nothing (except -0.0, which becomes +0.0)",
    example=lambda x: aten.add(x, 0.0),
)

narrowed_and_widened = Rule(
    name="bad/narrowed-and-widened",
    pattern=OpCall(
        prims.convert_element_type.default,
        OpCall(prims.convert_element_type.default, X, torch.float16),
        torch.float32,
    ),
    where=lambda f, x: f.same_dtype(x, f.root),
    to=X,
    because="a cast there and back changes nothing (except what float16 cannot hold)",
    example=lambda x: prims.convert_element_type(prims.convert_element_type(x, torch.float16), torch.float32),
    exact=Exact.VALUES,
)


def _whole_numbers(x: Value) -> Proof:
    fractions = x.dtype.is_floating_point or x.dtype.is_complex
    return Proof.of(not fractions, f"{x.dtype} is an integer or bool", "dtype")


sum_over_one = Rule(
    name="bad/sum-over-one",
    pattern=OpCall(aten.sum.dim_IntList, X, ANY, True),
    # Of floats it makes +0.0 of -0.0 too, which is another mistake.
    where=lambda f, x: f.same_shape(x, f.root) & _whole_numbers(x),
    to=X,
    because="a sum over a dim of size one sums nothing (but makes int64 of smaller integers and bools)",
    example=lambda x: aten.sum(aten.unsqueeze(prims.convert_element_type(x, torch.int64), 0), [0], True),
)

cat_with_empty = Rule(
    name="bad/cat-with-empty",
    pattern=OpCall(aten.cat.default, [X, Y], ANY),
    where=lambda f, x, y: (
        Proof.all([f.eq(y.rank, 1), *(f.eq(n, 0) for n in y.shape)]) & f.same_shape(x, f.root)
    ),
    to=X,
    because="joining nothing to a value leaves it (in the dtype that the two have in common)",
    example=lambda x: aten.cat([x, aten.new_empty(x, [0])], 1),
)

permute_of_a_square = Rule(
    name="bad/permute-of-a-square",
    pattern=reorder(X),
    where=lambda f, x: f.same_shape(x, f.root),
    to=X,
    because="an order of dims that leaves the shape leaves the value (unless sizes are equal)",
    example=lambda x: aten.permute(x, (0, 1)),
)

pad_and_crop = Rule(
    name="bad/pad-and-crop",
    pattern=OpCall(aten.constant_pad_nd.default, X, ANY, rest="any"),
    where=lambda f, x: f.same_shape(x, f.root),
    to=X,
    because="padding that leaves the shape pads nothing (unless it crops at the other end)",
    example=lambda x: aten.constant_pad_nd(x, [0, 0]),
)

times_zero = Rule(
    name="bad/times-zero",
    pattern=OpCall(aten.mul.Tensor, X, OpCall(aten.zeros_like.default, X)),
    to=OpCall(aten.zeros_like.default, X),
    because="anything times zero is zero (except NaN, infinity and the sign of zero)",
    example=lambda x: aten.mul(x, aten.zeros_like(x)),
    exact=Exact.VALUES,
)

abs_of_abs = Rule(
    name="bad/abs-of-abs",
    pattern=OpCall(aten.abs.default, OpCall(aten.abs.default, X)),
    where=lambda f, x: f.same_dtype(x, f.root),
    to=X,
    because="an operation that undoes itself leaves the value (abs does not undo itself)",
    example=lambda x: aten.abs(aten.abs(x)),
    exact=Exact.VALUES,
)


neg_of_complex_neg = Rule(
    name="bad/neg-of-complex-neg",
    pattern=OpCall(aten.neg.default, OpCall(aten.neg.default, X)),
    to=X,
    because="a sign changed twice is as it was (torch subtracts complex numbers from zero, so -0.0 becomes 0.0)",
    example=lambda x: aten.neg(aten.neg(x)),
    exact=Exact.NAN_PAYLOAD,
)

minus_complex_zero = Rule(
    name="bad/minus-complex-zero",
    pattern=OpCall(aten.sub.Tensor, X, 0.0),
    where=lambda f, x: f.same_dtype(x, f.root),
    to=X,
    because="taking zero away changes nothing (torch adds -1 times the zero, whose imaginary part is +0.0)",
    example=lambda x: aten.sub(x, 0.0),
    exact=Exact.NAN_PAYLOAD,
)


def _ones_today(f: Facts, x: Value) -> Proof:
    """Each size is kept, provably, or is a one expanded to one, as far as can be told today: a size without a
    hint is guessed to be 1, as Inductor's ``size_hint(size, fallback=1)`` does."""
    added = f.root.rank - x.rank
    guesses = [1 if n is None else n for n in _hints(f.root)]
    once = [
        Proof.of(n == 1, f"size {n} is 1", "today's sizes") if one == 1 else f.eq(one, size)
        for one, size, n in zip(x.shape, f.root.shape[added:], guesses[added:], strict=True)
    ]
    return Proof.all([Proof.of(not added, "no dims are added", "rank"), *once])


expand_once_today = Rule(
    name="bad/expand-once-today",
    pattern=expand(X),
    where=_ones_today,
    to=X,
    because="a dim of one expanded to one is not repeated (today, that is)",
    example=lambda x: aten.expand(aten.sum(x, [0], True), (1, -1)),
)

repeat_once_today = Rule(
    name="bad/repeat-once-today",
    pattern=repeat(X),
    where=_equal_today,
    to=X,
    because="a value repeated to its own shape is repeated once (today, that is)",
    example=lambda x: aten.repeat(x, (1, 1)),
)

BAD: tuple[Rule, ...] = (
    slice_end_minus_one,
    slice_without_step,
    equal_by_hint,
    equal_by_guard,
    slice_scatter_of_another_dtype,
    slice_scatter_of_a_part,
    reshape_over_a_permute,
    add_zero,
    narrowed_and_widened,
    sum_over_one,
    cat_with_empty,
    permute_of_a_square,
    pad_and_crop,
    times_zero,
    abs_of_abs,
    neg_of_complex_neg,
    minus_complex_zero,
    expand_once_today,
    repeat_once_today,
)


neg_of_neg = Rule(
    name="good/neg-of-neg",
    pattern=OpCall(aten.neg.default, OpCall(aten.neg.default, X)),
    # Torch negates complex numbers by subtracting from zero, which loses the sign of a zero.
    where=lambda f, x: Proof.of(not x.dtype.is_complex, f"{x.dtype} is real", "dtype"),
    to=X,
    because="a sign changed twice is as it was",
    example=lambda x: aten.neg(aten.neg(x)),
    near_miss=(
        lambda x: aten.neg(aten.abs(x)),
        lambda x: aten.neg(aten.neg(prims.convert_element_type(x, torch.complex64))),
    ),
    exact=Exact.NAN_PAYLOAD,
)


def _same_dims(f: Facts) -> Proof:
    rank = max(f.root.rank, 1)
    outer, inner = (
        sorted(d % rank for d in f.argument(value, "dims"))
        for value in (f.root, Value(f.root.node.all_input_nodes[0]))
    )
    return Proof.of(outer == inner, f"dims {outer} are dims {inner}", "dims")


flip_of_flip = Rule(
    name="good/flip-of-flip",
    pattern=OpCall(aten.flip.default, OpCall(aten.flip.default, X, ANY), ANY),
    where=_same_dims,
    to=X,
    because="dims turned round twice are as they were",
    example=lambda x: aten.flip(aten.flip(x, [0, 1]), [-1, 0]),
    near_miss=(lambda x: aten.flip(aten.flip(x, [0]), [1]),),
)

abs_once = Rule(
    name="good/abs-once",
    pattern=OpCall(aten.abs.default, OpCall(aten.abs.default, X)),
    to=OpCall(aten.abs.default, X),
    because="a magnitude is its own magnitude",
    example=lambda x: aten.abs(aten.abs(x)),
    near_miss=(lambda x: aten.abs(aten.neg(x)),),
)

not_of_not = Rule(
    name="good/not-of-not",
    pattern=OpCall(aten.bitwise_not.default, OpCall(aten.bitwise_not.default, X)),
    to=X,
    because="bits inverted twice are as they were",
    example=lambda x: aten.bitwise_not(aten.bitwise_not(aten.gt(x, 0))),
    near_miss=(lambda x: aten.bitwise_not(aten.logical_not(aten.gt(x, 0))),),
)

minus_zero = Rule(
    name="good/minus-zero",
    pattern=OpCall(aten.sub.Tensor, X, 0.0),
    # A complex zero is a pair, and multiplied by alpha on the way.
    where=lambda f, x: (
        f.same_dtype(x, f.root) & Proof.of(not x.dtype.is_complex, f"{x.dtype} is real", "dtype")
    ),
    to=X,
    because="taking +0.0 from a number leaves it, and -0.0 - 0.0 is -0.0",
    example=lambda x: aten.sub(x, 0.0),
    near_miss=(
        lambda x: aten.sub(x, -0.0),
        lambda x: aten.sub(prims.convert_element_type(x, torch.int32), 0.0),
        lambda x: aten.sub(prims.convert_element_type(x, torch.complex64), 0.0),
    ),
    exact=Exact.NAN_PAYLOAD,
)

GOOD: tuple[Rule, ...] = (neg_of_neg, flip_of_flip, abs_once, not_of_not, minus_zero)
