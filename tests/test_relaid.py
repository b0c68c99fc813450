"""Where a value lies otherwise in memory only if nobody can tell: the operators that cannot, and the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from graphs import Builder, check

from noopelim.relaid import CHOOSING, EXACT, NATIVE, OF_ONE_NAN

aten = torch.ops.aten
_ROWS = torch.contiguous_format
SHAPES = ((1, 1), (3, 5), (4, 33), (7, 64))
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def operand(dtype: torch.dtype, shape: tuple[int, int], seed: int) -> torch.Tensor:
    """Any bits; of floats, many NaNs that differ in what they carry, infinities and zeros."""
    random = torch.Generator().manual_seed(seed)
    if dtype is torch.bool:
        return torch.randint(0, 2, shape, generator=random) == 1
    kind = _BITS[dtype.itemsize]
    bits = torch.iinfo(kind)
    drawn = torch.randint(bits.min, bits.max, shape, generator=random, dtype=kind)
    if dtype.is_floating_point:
        infinity = torch.full((), float("inf"), dtype=dtype).view(kind)
        choice = torch.randint(0, 8, shape, generator=random)
        drawn = torch.where(choice < 2, drawn | infinity, drawn)
        drawn = torch.where(choice == 2, infinity.expand(shape), drawn)
        drawn = torch.where(choice == 3, torch.zeros_like(drawn), drawn)
    return drawn.view(dtype)


def layouts(x: torch.Tensor) -> Iterator[torch.Tensor]:
    """The same elements as one run, with gaps between rows, by columns, and with gaps between elements."""
    rows, columns = x.shape
    yield x.contiguous()
    wide = torch.zeros(rows, columns + 5, dtype=x.dtype)
    wide[:, 2 : 2 + columns] = x
    yield wide[:, 2 : 2 + columns]
    yield x.t().contiguous().t()
    spread = torch.zeros(rows, 2 * columns, dtype=x.dtype)
    spread[:, ::2] = x
    yield spread[:, ::2]


def bits_of(x: torch.Tensor) -> list[int]:
    run: list[int] = (
        x.clone(memory_format=torch.contiguous_format).view(-1).view(_BITS[x.element_size()]).tolist()
    )
    return run


_INDEX = torch.zeros(1, 1, dtype=torch.int64)
CALLS: dict[Any, Callable[..., torch.Tensor]] = {
    aten.cat.default: lambda x, y: aten.cat([x, y], -1),
    aten.stack.default: lambda x, y: aten.stack([x, y]),
    aten.where.self: lambda x, y: aten.where(aten.eq(y, y), x, y),
    aten.clone.default: lambda x, y: aten.clone(x),
    aten.copy.default: aten.copy,
    aten.masked_fill.Scalar: lambda x, y: aten.masked_fill(x, aten.eq(y, y), 1),
    aten.masked_fill.Tensor: lambda x, y: aten.masked_fill(x, aten.eq(y, y), torch.ones((), dtype=x.dtype)),
    aten.constant_pad_nd.default: lambda x, y: aten.constant_pad_nd(x, [1, 2], 1),
    aten.slice_scatter.default: lambda x, y: aten.slice_scatter(x, aten.slice(y, 1, 0, 1), 1, 0, 1),
    aten.select_scatter.default: lambda x, y: aten.select_scatter(x, aten.select(y, 1, 0), 1, 0),
    aten.repeat.default: lambda x, y: aten.repeat(x, [2, 1]),
    aten.flip.default: lambda x, y: aten.flip(x, [1]),
    aten.index.Tensor: lambda x, y: aten.index(x, [_INDEX[0]]),
    aten.gather.default: lambda x, y: aten.gather(x, 1, _INDEX),
    aten.index_select.default: lambda x, y: aten.index_select(x, 1, _INDEX[0]),
    aten.clamp.default: lambda x, y: aten.clamp(x, 0, 1),
}


def call_of(target: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """``target`` on one or two operands, as it takes them."""
    if target in OF_ONE_NAN and x.is_floating_point():
        return torch.stack([target(x, 3), target(2, y)])
    if target in CALLS:
        return CALLS[target](x, y)
    types = [str(a.type) for a in target._schema.arguments if not a.has_default_value()]
    given = {
        "Tensor": iter((x, y)),
        "number": iter((1, 1)),
        "Scalar": iter((1, 1)),
        "Optional[number]": iter((1, 1)),
    }
    found: torch.Tensor = target(*(next(given[kind]) for kind in types))
    return found


@pytest.mark.parametrize("target", sorted(CHOOSING | EXACT | OF_ONE_NAN, key=str), ids=str)
def test_no_stride_changes_a_bit(target: Any) -> None:
    dtypes = {*NATIVE, torch.bfloat16, torch.float16} if target in CHOOSING else NATIVE
    compared = 0
    for dtype in sorted(dtypes, key=str):
        for shape in SHAPES:
            x, y = operand(dtype, shape, 1), operand(dtype, shape, 2)
            try:
                wanted = bits_of(call_of(target, x, y))
            except RuntimeError:
                break  # not of this dtype
            for ours in layouts(x):
                for theirs in layouts(y):
                    assert bits_of(call_of(target, ours, theirs)) == wanted, (
                        dtype,
                        shape,
                        ours.stride(),
                        theirs.stride(),
                    )
                    compared += 1
    assert compared > 50


def test_a_vectorised_kernel_makes_other_nans_of_half_precision() -> None:
    """Which is why arithmetic of these is not in the list; if this fails, it may be."""
    x = operand(torch.bfloat16, (7, 64), 1)
    assert len({tuple(bits_of(aten.neg(lying))) for lying in layouts(x)}) > 1


# The engine


def joined(b: Builder, dtype: torch.dtype = torch.float32) -> tuple[torch.fx.Node, torch.fx.Node]:
    """What is cut out of a join of two, as wide as the first, and the first."""
    x = b.call(aten.sin.default, b.input("x", (4, 6), dtype))
    cat = b.call(aten.cat.default, [x, b.input("y", (4, 6), dtype)], 1)
    return b.call(aten.slice.Tensor, cat, 1, 0, 6), x


def test_arithmetic_cannot_tell() -> None:
    b = Builder()
    cut, _ = joined(b)
    check(b.output(b.call(aten.mul.Tensor, cut, 3)), removed=[cut.name, aten.cat.default])


def test_nor_by_way_of_views_that_get_other_strides() -> None:
    b = Builder()
    cut, _ = joined(b)
    turned = b.call(aten.permute.default, b.call(aten.slice.Tensor, cut, 1, 1, 4), [1, 0])
    gm = b.output(b.call(aten.clone.default, turned, memory_format=torch.contiguous_format))
    done = check(gm, removed=[cut.name])
    assert any(n.op == "call_function" and n.meta["val"].stride() == (1, 6) for n in done.after.graph.nodes)


@pytest.mark.parametrize(
    "reader",
    [
        lambda b, x: x,
        lambda b, x: b.call(aten.permute.default, x, [1, 0]),
        # A clone keeps the order of strides, but not the gaps: here it would be another order.
        lambda b, x: b.call(aten.view.default, x, [4, 2, 3]),
        lambda b, x: b.call(aten.sum.dim_IntList, x, [1]),
        lambda b, x: b.call(aten.exp.default, x),
        lambda b, x: b.call(aten.as_strided.default, x, [2], [1], 0),
        lambda b, x: b.call(aten.add_.Tensor, x, 1),
    ],
    ids=["caller", "view of the caller's", "view", "sum", "exp", "as_strided", "write"],
)
def test_these_may_tell(reader: Callable[[Builder, torch.fx.Node], torch.fx.Node]) -> None:
    b = Builder()
    cut, _ = joined(b)
    check(b.output(reader(b, cut)), kept=[cut.name])


def test_which_of_two_nans_a_product_is_depends_on_the_kernel() -> None:
    x, y = operand(torch.float32, (3, 5), 1), operand(torch.float32, (3, 5), 51)
    products = {tuple(bits_of(aten.mul(ours, theirs))) for ours in layouts(x) for theirs in layouts(y)}
    assert len(products) > 1


def test_a_product_of_two_tensors_may_tell() -> None:
    b = Builder()
    cut, x = joined(b)
    check(b.output(b.call(aten.mul.Tensor, cut, x)), kept=[cut.name])


def test_arithmetic_of_half_precision_may_tell() -> None:
    b = Builder()
    cut, _ = joined(b, torch.bfloat16)
    check(b.output(b.call(aten.mul.Tensor, cut, 3)), kept=[cut.name])


def test_a_result_that_would_lie_otherwise_tells() -> None:
    """Of two operands that are both turned the result is turned, too."""
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (6, 4)))
    turned = b.call(aten.permute.default, x, [1, 0])
    cat = b.call(aten.cat.default, [turned, b.input("y", (4, 6))], 1)
    cut = b.call(aten.slice.Tensor, cat, 1, 0, 6)
    check(b.output(b.call(aten.mul.Tensor, cut, 3)), kept=[cut.name])


def test_a_source_that_is_overwritten_before_the_reader_keeps_its_copy() -> None:
    """What was joined is a copy, and the reader wants it as it was."""
    b = Builder()
    cut, x = joined(b)
    b.call(aten.add_.Tensor, x, 1)
    check(b.output(b.call(aten.mul.Tensor, cut, 3)), kept=[cut.name])


def test_so_does_one_that_is_overwritten_before_the_reader_of_a_view() -> None:
    b = Builder()
    cut, x = joined(b)
    turned = b.call(aten.permute.default, cut, [1, 0])
    b.call(aten.mul_.Tensor, b.call(aten.slice.Tensor, x, 0, 1, 2), 5)
    check(b.output(b.call(aten.neg.default, turned)), kept=[cut.name])


def test_a_part_of_an_input_is_no_output_of_its_own() -> None:
    """The cut is returned by way of a view: it may not come to share memory with the input."""
    b = Builder()
    x = b.input("x", (4, 6))
    cat = b.call(aten.cat.default, [x, b.input("y", (4, 6))], 0)
    cut = b.call(aten.slice.Tensor, cat, 0, 0, 4)
    check(b.output(b.call(aten.alias.default, cut)), kept=[cat.name])


def test_the_refusal_names_the_reader() -> None:
    b = Builder()
    cut, _ = joined(b)
    reader = b.call(aten.exp.default, cut)
    done = check(b.output(reader), kept=[cut.name])
    wanted = f"stride of dim 0: 6 == 12, and {reader.name} (aten.exp.default) may see it"
    assert any(wanted in str(missed.why) for missed in done.report.missed)


def test_a_chain_that_may_not_be_shortened_for_one_reader_may_be_for_another() -> None:
    """The same calls on the same layouts: what is known of the first is asked of the reader of the second."""
    b = Builder()
    made = []
    for name in ("x", "y", "z"):
        x = b.call(aten.sin.default, b.input(name, (4, 6)))
        turned = b.call(aten.clone.default, b.call(aten.permute.default, x, [1, 0]), memory_format=_ROWS)
        made.append(b.call(aten.view.default, b.call(aten.unsqueeze.default, turned, 0), [6, 4]))
    readers = [
        b.call(aten.exp.default, made[0]),
        b.call(aten.repeat.default, made[1], [1, 2]),
        b.call(aten.exp.default, made[2]),
    ]
    done = check(b.output(*readers))
    strides = [n.meta["val"].stride() for n in done.after.graph.nodes if n.target is aten.permute.default]
    assert strides == [(1, 6)] * 3
    clones = [n for n in done.after.graph.nodes if n.target is aten.clone.default]
    assert len(clones) == 2
