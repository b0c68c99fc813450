"""Random programs of views, copies and in-place writes, each held against everything that ``check`` knows.

A program is a list of numbers, read as instructions over a growing pool of tensors, so that any list is one and
shrinking a failure only has to make numbers smaller. ``NOOPELIM_FUZZ_EXAMPLES`` sets how many are tried.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import torch
from custom_ops import store_all, store_kw
from graph_checks import UntrueFromTheStart
from graphs import check, trace
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

aten = torch.ops.aten
EXAMPLES = int(os.environ.get("NOOPELIM_FUZZ_EXAMPLES", "200"))
Pool = list[torch.Tensor]
Instruction = Callable[[Pool, torch.Tensor, int, int], Any]


def _partner(pool: Pool, x: torch.Tensor, n: int) -> torch.Tensor:
    """A tensor of the same shape and dtype, x itself if there is no other."""
    like = [y for y in pool if y.shape == x.shape and y.dtype == x.dtype]
    return like[n % len(like)]


def _writable(x: torch.Tensor) -> bool:
    return all(step != 0 or size <= 1 for size, step in zip(x.shape, x.stride(), strict=True))


def _dim(x: torch.Tensor, n: int) -> int:
    return n % max(x.dim(), 1)


def _count(x: torch.Tensor, n: int) -> int:
    """How many, as a number: torch takes a symbolic size apart into as many parts as its hint says."""
    return int(x.shape[_dim(x, n)]) if x.dim() and x.numel() else 0


def _order(x: torch.Tensor, n: int) -> list[int]:
    dims = list(range(x.dim()))
    turn = n % max(len(dims), 1)
    return dims[turn:] + dims[:turn]


def _sliced(x: torch.Tensor, n: int, m: int) -> Any:
    if not x.dim():
        return aten.alias.default(x)
    dim = _dim(x, m)
    size = x.shape[dim]
    start, end, step = [(0, size, 1), (0, size - 1, 1), (1, size, 1), (0, size, 2), (-size, 99, 1)][n % 5]
    return aten.slice.Tensor(x, dim, start, end, step)


# Not for empty tensors: fake and real kernels disagree on the strides of a view of one to its own shape.
RESHAPES: list[Instruction] = [
    lambda pool, x, n, m: aten.reshape.default(x, [-1]),
    lambda pool, x, n, m: aten.reshape.default(x, list(x.shape)),
    lambda pool, x, n, m: aten.reshape.default(x, [2, -1]) if x.numel() % 2 == 0 and x.numel() else None,
    lambda pool, x, n, m: aten.reshape.default(x, list(_partner_shape(pool, x, n))),
]
VIEWS: list[Instruction] = [
    lambda pool, x, n, m: aten.alias.default(x),
    lambda pool, x, n, m: x.detach(),
    lambda pool, x, n, m: _sliced(x, n, m),
    lambda pool, x, n, m: _sliced(x, n, m),
    lambda pool, x, n, m: aten.permute.default(x, _order(x, n)),
    lambda pool, x, n, m: aten.expand.default(x, [-1] * x.dim()),
    lambda pool, x, n, m: aten.expand.default(x, [2, *x.shape]) if x.numel() < 40 else None,
    lambda pool, x, n, m: aten.unsqueeze.default(x, n % (x.dim() + 1)) if x.dim() < 4 else None,
    lambda pool, x, n, m: aten.squeeze.dim(x, _dim(x, n)) if x.dim() else None,
    lambda pool, x, n, m: aten.select.int(x, _dim(x, n), 0) if x.dim() and x.shape[_dim(x, n)] else None,
    lambda pool, x, n, m: aten.view.dtype(x, torch.int32) if x.dtype is torch.float32 else None,
    lambda pool, x, n, m: aten._conj.default(x) if x.is_complex() else None,
    lambda pool, x, n, m: aten._neg_view.default(x) if x.dtype.is_floating_point else None,
    lambda pool, x, n, m: aten.split.Tensor(x, 1 + n % 2, _dim(x, m)) if _count(x, m) else None,
    lambda pool, x, n, m: aten.unbind.int(x, _dim(x, n)) if _count(x, n) else None,
    lambda pool, x, n, m: aten.as_strided.default(x, [2], [1]) if x.numel() >= 2 else None,
]
COPIES: list[Instruction] = [
    lambda pool, x, n, m: x.clone(),
    lambda pool, x, n, m: x.clone(),
    lambda pool, x, n, m: x.clone(memory_format=torch.contiguous_format),
    lambda pool, x, n, m: aten.contiguous.default(x),
    lambda pool, x, n, m: aten._to_copy.default(x, dtype=[x.dtype, torch.float64, torch.float32][n % 3]),
    lambda pool, x, n, m: aten.to.dtype(x, [x.dtype, torch.float64][n % 2], False, m % 2 == 0),
    lambda pool, x, n, m: aten.repeat.default(x, [1] * x.dim()),
    lambda pool, x, n, m: aten.copy.default(x, _partner(pool, x, n)),
    lambda pool, x, n, m: (
        aten.slice_scatter.default(x, _partner(pool, x, n), _dim(x, m)) if x.dim() else None
    ),
    lambda pool, x, n, m: aten.lift_fresh_copy.default(x),
    lambda pool, x, n, m: torch.ops.prims.convert_element_type.default(x, x.dtype),
    lambda pool, x, n, m: aten.resolve_conj.default(x),
    lambda pool, x, n, m: aten.resolve_neg.default(x),
]
WORK: list[Instruction] = [
    lambda pool, x, n, m: aten.neg.default(x),
    lambda pool, x, n, m: aten.add.Tensor(x, _partner(pool, x, n)),
    lambda pool, x, n, m: aten.mul.Tensor(x, 2),
]
WRITES: list[Instruction] = [
    lambda pool, x, n, m: x.mul_(2),
    lambda pool, x, n, m: x.add_(_partner(pool, x, n)),
    lambda pool, x, n, m: x.copy_(_partner(pool, x, n)),
    lambda pool, x, n, m: x.zero_(),
    lambda pool, x, n, m: torch._foreach_add_([x, _partner(pool, x, n)], 1),
    lambda pool, x, n, m: store_kw(_partner(pool, x, n), dst=x),
    lambda pool, x, n, m: store_all(_partner(pool, x, n), [x]),
    lambda pool, x, n, m: aten.neg.out(_partner(pool, x, n), out=x),
]
INSTRUCTIONS = VIEWS + RESHAPES + COPIES + WORK + WRITES + WRITES


def _partner_shape(pool: Pool, x: torch.Tensor, n: int) -> torch.Size:
    like = [y.shape for y in pool if y.numel() == x.numel()]
    return like[n % len(like)]


Step = tuple[int, int, int, int]


def program(steps: Sequence[Step], outputs: Sequence[int]) -> Callable[..., list[torch.Tensor]]:
    def run(*inputs: torch.Tensor) -> list[torch.Tensor]:
        pool = list(inputs)
        for which, operand, n, m in steps:
            # Counted from the end, so that small numbers mean what was made last and chains are likely.
            x = pool[-1 - operand % len(pool)]
            instruction = INSTRUCTIONS[which % len(INSTRUCTIONS)]
            if (instruction in WRITES and not _writable(x)) or (instruction in RESHAPES and not x.numel()):
                continue
            made = instruction(pool, x, n, m)
            if made is not None:
                pool += [made] if isinstance(made, torch.Tensor) else made
        return [pool[-1 - which % len(pool)] for which in outputs]

    return run


SHAPES = [(4,), (2, 3), (2, 2), (1, 4), (3, 1), (0, 2)]


def inputs(shapes: Sequence[int], lap: bool) -> list[torch.Tensor]:
    # Above that many, the shapes begin again, in complex numbers.
    kinds = [torch.complex64 if n >= len(SHAPES) else torch.float32 for n in shapes]
    made = [torch.randn(SHAPES[n % len(SHAPES)], dtype=kind) for n, kind in zip(shapes, kinds, strict=True)]
    if lap and made[0].numel() >= 2:
        made.append(made[0].view(-1)[1:])
    return made


small = st.integers(0, 7)
steps = st.lists(
    st.tuples(st.integers(0, len(INSTRUCTIONS) - 1), st.one_of(st.just(0), small), small, small),
    min_size=1,
    max_size=12,
)
fuzz = given(
    steps=steps,
    outputs=st.lists(st.integers(0, 15), min_size=1, max_size=4),
    shapes=st.lists(st.integers(0, 2 * len(SHAPES) - 1), min_size=1, max_size=2),
    lap=st.booleans(),
)


def attempt(steps: list[Step], outputs: list[int], shapes: list[int], lap: bool, dynamic: bool) -> None:
    run, args = program(steps, outputs), inputs(shapes, lap)
    try:
        run(*[x.clone() for x in args] if not lap else inputs(shapes, lap))
    except RuntimeError as error:
        # Torch itself refuses, as for a write to memory that overlaps what it reads.
        note(str(error))
        assume(False)
    gm = trace(run, *args, dynamic=dynamic)
    note(str(gm.graph))
    try:
        check(gm)
    except UntrueFromTheStart as error:
        # Torch's fake kernels err on offsets and on strides that do not matter.
        note(str(error))
        assume(False)


@settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@fuzz
def test_random_programs(steps: list[Step], outputs: list[int], shapes: list[int], lap: bool) -> None:
    attempt(steps, outputs, shapes, lap, dynamic=False)


@settings(
    max_examples=EXAMPLES // 4, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
@fuzz
def test_random_programs_with_symbols(
    steps: list[Step], outputs: list[int], shapes: list[int], lap: bool
) -> None:
    attempt(steps, outputs, shapes, lap, dynamic=True)
