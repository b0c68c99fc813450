"""For rule authors: tests made from rules, and Hypothesis strategies for what rules are about.

Needs the extra ``testing``. Every strategy stops at the sizes it is given, so that what it draws stays small
enough to be tried by the thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import sympy
import torch
from torch.fx import GraphModule

from .audit import untruths
from .choices import DeadEnd
from .drawing import draw_instance
from .instances import CallOf, operands_of
from .operands import DTYPES, FILLS, LAYOUTS, Operand
from .rule import Rule, RuleSet
from .rule_checks import EXAMPLE_SHAPE, RuleCheck, as_written, checks_of, trace, traced
from .scope import CI, DEFAULT, Scope
from .sweeps import SWEEPS
from .torch_api import ShapeEnv, backed_size

try:
    from hypothesis import reject
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError("noopelim.testing needs Hypothesis: pip install noopelim[testing]") from error

__all__ = [
    "EXAMPLE_SHAPE",
    "Known",
    "RuleCheck",
    "as_written",
    "checks_of",
    "facts",
    "graphs",
    "instances",
    "operands",
    "rule_tests",
    "shapes",
    "traced",
]

_aten = torch.ops.aten
_tell: Callable[[object], None] = torch._check
_T = TypeVar("_T")


def rule_tests(rules: RuleSet | Iterable[Rule], *, scope: Scope = CI) -> type:
    """A class for pytest: ``TestMyRules = noopelim.testing.rule_tests(RULES)``.

    Its tests are those of :func:`checks_of`, with ids such as ``slice/whole::verify``.
    """
    import pytest

    checks = [pytest.param(check, id=str(check)) for rule in rules for check in checks_of(rule, scope)]

    class RuleTests:
        @pytest.mark.parametrize("check", checks)
        def test_rule(self, check: RuleCheck) -> None:
            check.run()

    return RuleTests


def shapes(max_rank: int = 3, max_dim: int = 4) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of at most ``max_rank`` dims of at most ``max_dim``, zero included."""
    return st.lists(st.integers(0, max_dim), max_size=max_rank).map(tuple)


def operands(
    max_rank: int = 3,
    max_dim: int = 4,
    dtypes: Sequence[torch.dtype] = DTYPES,
    layouts: Sequence[str] = LAYOUTS,
    slot: int = 0,
) -> st.SearchStrategy[Operand]:
    """Descriptions of tensors that a rule may meet; ``.tensor()`` makes one."""
    return st.builds(
        Operand,
        st.just(slot),
        shapes(max_rank, max_dim),
        st.sampled_from(dtypes),
        st.sampled_from(layouts),
        st.integers(0, FILLS - 1),
    )


@st.composite
def instances(draw: st.DrawFn, rule: Rule, scope: Scope = DEFAULT) -> CallOf:
    """Instances of the rule's pattern within ``scope``, whether or not its predicate holds there."""

    def pick(options: Sequence[_T], /) -> _T:
        if not len(options):
            raise DeadEnd
        return draw(st.sampled_from(options))

    # Many choices lead nowhere: a reshape to sizes of another product, say.
    for _ in range(100):
        try:
            call = draw_instance(rule, scope, pick, draw(st.sampled_from(SWEEPS)))
        except DeadEnd:
            continue
        shapes = [operand.shape for operand in operands_of(call)]
        if all(len(s) <= scope.rank and max(s, default=0) <= scope.dim for s in shapes):
            return call
    return reject()


@dataclass(frozen=True, slots=True)
class Known:
    """Symbolic sizes and what is known of them. ``point``: one valuation that everything known allows."""

    env: ShapeEnv
    sizes: tuple[torch.SymInt, ...]
    point: Mapping[sympy.Symbol, int]


@st.composite
def facts(draw: st.DrawFn, max_symbols: int = 3, max_size: int = 16) -> Known:
    """One to ``max_symbols`` sizes up to ``max_size``, backed or unbacked, with ranges, divisors and orders
    told by ``torch._check``. Two backed symbols may have one hint and are still two symbols."""
    env = ShapeEnv()
    sizes: list[torch.SymInt] = []
    values = draw(st.lists(st.integers(0, max_size), min_size=1, max_size=max_symbols))
    for value in values:
        # Torch takes a backed size for positive, whatever its hint.
        if value and draw(st.booleans()):
            size = backed_size(env, f"size{len(sizes)}", value)
        else:
            size = env.create_unbacked_symint()
            _tell(size >= 0)
        sizes.append(size)
    env.pending_fresh_unbacked_symbols.clear()
    # Before any fact is told: torch replaces a symbol whose value is certain.
    symbols = [size.node.expr for size in sizes]
    for size, value in zip(sizes, values, strict=True):
        kind = draw(st.sampled_from(("nothing", "range", "multiple", "order")))
        if kind == "range":
            low, high = draw(st.integers(0, value)), draw(st.integers(value, 2 * max_size))
            _tell(size >= low)
            _tell(size <= high)
        elif kind == "multiple":
            divisor = draw(st.sampled_from([d for d in (2, 3, 4, 8) if value % d == 0] or [1]))
            _tell(size % divisor == 0)
        elif kind == "order":
            larger = draw(st.sampled_from([i for i, v in enumerate(values) if v >= value]))
            _tell(size <= sizes[larger])
    return Known(env, tuple(sizes), dict(zip(symbols, values, strict=True)))


_Step = Callable[[list[torch.Tensor], torch.Tensor, int], torch.Tensor | None]


def _dim(x: torch.Tensor, n: int) -> int:
    return n % max(x.dim(), 1)


def _turned(x: torch.Tensor, n: int) -> list[int]:
    dims = list(range(x.dim()))
    return dims[_dim(x, n) :] + dims[: _dim(x, n)]


def _like(pool: list[torch.Tensor], x: torch.Tensor, n: int) -> torch.Tensor:
    found = [y for y in pool if y.shape == x.shape]
    return found[n % len(found)]


# None: not for this operand. Reshapes of empty tensors are left out, because torch's fake and real kernels
# give them different strides.
_STEPS: tuple[_Step, ...] = (
    lambda pool, x, n: _aten.alias.default(x),
    lambda pool, x, n: _aten.permute.default(x, _turned(x, n)),
    lambda pool, x, n: _aten.expand.default(x, [-1] * x.dim()),
    lambda pool, x, n: _aten.unsqueeze.default(x, n % (x.dim() + 1)) if x.dim() < 4 else None,
    lambda pool, x, n: _aten.squeeze.dim(x, _dim(x, n)) if x.dim() else None,
    lambda pool, x, n: _aten.slice.Tensor(x, _dim(x, n), 0, 2**63 - 1) if x.dim() else None,
    lambda pool, x, n: _aten.slice.Tensor(x, _dim(x, n), n % 2, None, 1 + n % 2) if x.dim() else None,
    lambda pool, x, n: _aten.reshape.default(x, [-1]) if x.numel() else None,
    lambda pool, x, n: _aten.reshape.default(x, list(x.shape)) if x.numel() else None,
    lambda pool, x, n: _aten.clone.default(x, memory_format=torch.contiguous_format),
    lambda pool, x, n: _aten.slice_scatter.default(x, _like(pool, x, n), _dim(x, n)) if x.dim() else None,
    lambda pool, x, n: _aten.cat.default([x, _like(pool, x, n)], _dim(x, n)) if x.dim() else None,
    lambda pool, x, n: torch.ops.prims.convert_element_type.default(x, (torch.float32, torch.float64)[n % 2]),
    lambda pool, x, n: _aten.neg.default(x),
    lambda pool, x, n: _aten.add.Tensor(x, _like(pool, x, n)),
    lambda pool, x, n: _aten.mul.Tensor(x, 2),
)


@st.composite
def graphs(
    draw: st.DrawFn, max_steps: int = 8, max_rank: int = 3, max_dim: int = 4, dynamic: bool | None = None
) -> GraphModule:
    """ATen graphs of views, copies and arithmetic without writes, on one or two float32 inputs, with the
    ``meta["val"]`` that torch gives them. ``dynamic``: sizes above one are symbols; None: either."""
    inputs = draw(st.lists(shapes(max_rank, max_dim), min_size=1, max_size=2))
    number = st.integers(0, 7)
    steps = draw(
        st.lists(st.tuples(st.integers(0, len(_STEPS) - 1), number, number), min_size=1, max_size=max_steps)
    )
    outputs = draw(st.lists(number, min_size=1, max_size=3))
    symbolic = draw(st.booleans()) if dynamic is None else dynamic

    def program(*xs: torch.Tensor) -> list[torch.Tensor]:
        pool = list(xs)
        for which, operand, n in steps:
            # Counted from the end, so that small numbers mean what was made last and chains are likely.
            made = _STEPS[which](pool, pool[-1 - operand % len(pool)], n)
            pool += [] if made is None else [made]
        return [pool[-1 - which % len(pool)] for which in outputs]

    tensors = [torch.zeros(shape) for shape in inputs]
    gm = trace(program, tensors, symbolic)
    # Torch's fake kernels err on strides of unit dims here and there.
    return gm if not untruths(gm, tensors) else reject()
