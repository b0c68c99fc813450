"""What is told of view-like calls without a kernel is what the kernel says."""

from __future__ import annotations

import itertools
import random

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

from noopelim.dense import reshaped_run
from noopelim.fake import run_fake
from noopelim.strided import Asked, seen_as, view_of
from noopelim.torch_api import ShapeEnv, storage_key

aten = torch.ops.aten
Shape = tuple[int, ...]


def _geometry(tensor: torch.Tensor) -> tuple[object, ...]:
    return (
        *(tuple(map(str, numbers)) for numbers in (tensor.size(), tensor.stride())),
        str(tensor.storage_offset()),
        tensor.dtype,
        tensor.device,
    )


def _sources(mode: FakeTensorMode) -> list[FakeTensor]:
    with mode:
        made = []
        for shape in ((), (1,), (6,), (2, 3), (1, 6), (4, 1, 6), (2, 3, 4), (2, 1, 3, 4), (0, 3)):
            dense = torch.empty(shape)
            made.append(dense)
            made.extend(
                dense.permute(p) for p in itertools.islice(itertools.permutations(range(dense.dim())), 1, 3)
            )
            made.append(torch.empty((*shape, 2))[..., 1])
            made.append(torch.empty((2, *shape))[1:].expand(3, *shape))
        return made


def _calls(value: torch.Tensor, draw: random.Random) -> list[tuple[object, tuple[object, ...]]]:
    rank = value.dim()
    dims = list(range(rank))
    draw.shuffle(dims)
    calls: list[tuple[object, tuple[object, ...]]] = [(aten.permute.default, (dims,))]
    calls += [(aten.unsqueeze.default, (d,)) for d in range(-rank - 1, rank + 1)]
    for dim in range(-rank, rank):
        calls += [(aten.select.int, (dim, i)) for i in (-3, -1, 0, 1, 5)]
        calls += [(aten.slice.Tensor, (dim, a, b)) for a in (-2, 0, 1, 9) for b in (-1, 0, 2, 2**63 - 1)]
        calls += [(aten.slice.Tensor, (dim, a, 2**63 - 1, step)) for a in (0, 1) for step in (2, 3)]
        calls.append((aten.squeeze.dims, ([dim],)))
    calls.append((aten.squeeze.dims, (dims,)))
    wide = [3 if n == 1 else n for n in value.shape]
    calls += [(aten.expand.default, (sizes,)) for sizes in (wide, [2, *wide], [1, *wide], [5, *value.shape])]
    new = ([1, 1], [1, 2], [2, 1], [1, 1, 1])
    calls += [(aten.expand.default, ([*front, *sizes],)) for front in new for sizes in (wide, value.shape)]
    total = value.numel()
    for size in (
        [total],
        [1, total],
        [-1],
        [total, 1],
        [2, -1],
        [3, -1],
        [2, 3, -1],
        [-1, 4],
        [6, 4],
        [1, -1, 2],
    ):
        calls += [(t, (size,)) for t in (aten.view.default, aten.reshape.default, aten._unsafe_view.default)]
    return calls


@pytest.mark.parametrize("seed", range(3))
def test_as_the_kernel(seed: int) -> None:
    draw, told, asked = random.Random(seed), 0, 0
    for value in _sources(FakeTensorMode()):
        for target, args in _calls(value, draw):
            asked += 1
            known = view_of(target, (value, *args))
            if known is None:
                continue
            told += 1
            expected = run_fake(target, (value, *args), {}, value)
            assert isinstance(expected, torch.Tensor), (target, args, value.shape, value.stride())
            assert _geometry(known) == _geometry(expected), (target, args, value.shape, value.stride())
            assert isinstance(known, FakeTensor)
            assert storage_key(known) == storage_key(expected) == storage_key(value)
    # What it leaves to the kernel is mostly what the kernel refuses.
    assert told > asked / 4


def test_symbolic_dims_in_another_order() -> None:
    env = ShapeEnv()
    mode = FakeTensorMode(shape_env=env)
    value = mode.from_tensor(torch.empty(5, 1, 7), static_shapes=False)
    calls = ((aten.permute.default, [2, 0, 1]), (aten.squeeze.dims, [1]), (aten.unsqueeze.default, 3))
    guards = len(env.guards)
    for target, argument in calls:
        known = view_of(target, (value, argument))
        expected = run_fake(target, (value, argument), {}, value)
        assert known is not None
        assert _geometry(known) == _geometry(expected)
    assert len(env.guards) == guards


def test_gradients_and_lazy_bits_are_left_to_the_kernel() -> None:
    with FakeTensorMode():
        for value in (torch.empty(2, 3, requires_grad=True), torch.empty(2, 3, dtype=torch.complex64).conj()):
            assert view_of(aten.permute.default, (value, [1, 0])) is None


def test_what_a_kernel_said_is_said_again_of_the_same_geometry() -> None:
    """A second value of the same geometry, whose result lies in memory of its own or in that of the second value."""
    mode = FakeTensorMode(shape_env=ShapeEnv())
    with mode:
        rows = mode.from_tensor(torch.empty(7, 6), static_shapes=False).shape[0]
        values = [torch.empty(rows, 4, 6).permute(1, 0, 2) for _ in range(2)]
    asked = Asked()
    for sizes in ([4 * rows, 6], [4, rows * 6], [4, rows, 3, 2]):
        first, second = (asked.call(aten.reshape.default, (value, sizes), value) for value in values)
        direct = run_fake(aten.reshape.default, (values[1], sizes), {}, values[1])
        assert first is not None
        assert isinstance(second, FakeTensor)
        assert second.fake_mode is mode
        assert _geometry(second) == _geometry(direct) == _geometry(first)
        is_view = storage_key(direct) == storage_key(values[1])
        assert (storage_key(second) == storage_key(values[1])) is is_view
        assert storage_key(second) != storage_key(first)


def _reshapes(rows: torch.SymInt, columns: torch.SymInt) -> list[tuple[list[int | torch.SymInt], ...]]:
    """Sizes of one dense value, and sizes that it may be seen with."""
    return [
        ([rows, 6, columns], [rows * 6, columns], [-1, columns], [rows, -1], [rows, 6 * columns], [-1], [1, -1]),
        ([rows * 6], [rows, 6], [rows, 2, 3], [2, 3, rows], [-1, 6], [6, -1], [6, rows, 1], [-1, rows]),
        ([4, rows], [2, 2, rows], [4 * rows], [rows, 4], [2, -1], [4, rows, 1], [1, 4, 1, rows]),
        ([1, rows, 1], [rows], [rows, 1], [1, 1, rows], [1, rows, 1, 1]),
        ([rows + 1, 6], [6, rows + 1], [6 * rows + 6], [-1], [3, -1]),
        ([rows, columns], [columns, rows], [rows * columns], [rows, columns, 1], [rows, 2, -1], [-1, columns - 1]),
        ([2 * rows, 6], [rows, 12], [2, rows, 6], [4, rows, 3], [rows, 2, 6], [2 * rows, 3, 2], [2, 6 * rows]),
        ([rows, 2 * columns], [2 * rows, columns], [rows, 2, columns], [rows * columns, 2], [-1, 2 * rows]),
        ([6, rows // 2], [3, 2, rows // 2], [rows // 2 * 6], [-1]),
    ]  # fmt: skip


def test_reshapes_of_dense_runs_to_symbolic_sizes() -> None:
    """Where there is an answer without a kernel it is the kernel's, which needs no guard to give it."""
    env = ShapeEnv()
    mode = FakeTensorMode(shape_env=env)
    rows, columns = mode.from_tensor(torch.empty(10, 7), static_shapes=False).shape
    targets = (aten.view.default, aten.reshape.default, aten._unsafe_view.default)
    told, guards = 0, len(env.guards)
    for whole, *seen in _reshapes(rows, columns):
        with mode:
            dense = torch.empty(whole)
            later = torch.empty([2, *whole])[1]
            value_and_others = (dense, later, torch.empty([*whole, 2])[..., 0])
        for value, sizes, target in itertools.product(value_and_others, (whole, *seen), targets):
            geometry = reshaped_run(value, sizes)
            expected = run_fake(target, (value, sizes), {}, value)
            if geometry is None:
                continue
            known = seen_as(value, *geometry)
            assert known is not None
            told += 1
            assert value is not value_and_others[-1]
            assert storage_key(known) == storage_key(value)
            assert isinstance(expected, torch.Tensor), (target, sizes, value.shape)
            assert _geometry(known) == _geometry(expected), (target, sizes, value.shape)
    assert len(env.guards) == guards
    assert told > 120


def test_dense_runs_that_may_be_empty_or_do_not_fit_are_left_to_the_kernel() -> None:
    env = ShapeEnv()
    mode = FakeTensorMode(shape_env=env)
    with mode:
        rows = mode.from_tensor(torch.empty(10, 3), static_shapes=False).shape[0]
        some = torch.empty(rows, 6)
        free = torch.empty(env.create_unbacked_symint(), 6)
        less = torch.empty(rows - 2, 6)
    for value, sizes in (
        (free, [-1]),
        (less, [-1]),
        (some, [rows, 5]),
        (some, [rows, -1, 5]),
        (some, [0, -1]),
        (some, [-1, -1]),
        (some, [rows, -2]),
    ):
        assert reshaped_run(value, sizes) is None
