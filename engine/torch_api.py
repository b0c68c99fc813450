"""Every private torch name that noopelim relies on, so that a new release costs one file.

Checked against torch 2.11 to 2.15. Other modules import these names from here only.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy
import torch
from torch._dispatch.python import enable_python_dispatcher
from torch._dynamo.source import ConstantSource
from torch._higher_order_ops.auto_functionalize import (
    AutoFunctionalized,
    AutoFunctionalizedV2,
    get_mutable_args,
)
from torch._inductor import config as inductor_config
from torch._inductor.custom_graph_pass import CustomGraphPass
from torch._inductor.pattern_matcher import (
    MULTIPLE,
    CallFunction,
    FailedMatch,
    GraphPatternEntry,
    Ignored,
    KeywordArg,
    Match,
    MatchContext,
    PatternExpr,
    PatternMatcherPass,
)
from torch._inductor.sizevars import statically_known_true
from torch._ops import HigherOrderOperator, OpOverload
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode, in_kernel_invocation_manager
from torch.fx.experimental import _config as symbolic_config
from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils._sympy.numbers import int_oo
from torch.utils._sympy.symbol import SymT, symbol_is_type
from torch.utils._sympy.value_ranges import ValueRanges

from .errors import UnsupportedTorch

_shapes_log = logging.getLogger("torch.fx.experimental.symbolic_shapes")
_fakes_log = logging.getLogger("torch._subclasses.fake_tensor")

__all__ = [
    "MULTIPLE",
    "AutoFunctionalized",
    "AutoFunctionalizedV2",
    "CallFunction",
    "CustomGraphPass",
    "FailedMatch",
    "FakeTensor",
    "FakeTensorMode",
    "GraphPatternEntry",
    "HigherOrderOperator",
    "Ignored",
    "KeywordArg",
    "Match",
    "MatchContext",
    "OpOverload",
    "PatternExpr",
    "PatternMatcherPass",
    "ShapeEnv",
    "backed_size",
    "enable_python_dispatcher",
    "expression_of",
    "fake_view",
    "get_mutable_args",
    "has_unguarded_sizes",
    "hints",
    "no_new_guards",
    "own_expression_of",
    "ranks_must_agree",
    "real_tensors",
    "refusals_unlogged",
    "resolved",
    "runs_after_joint_patterns",
    "set_lazy_bits",
    "shape_env_of",
    "snapshot",
    "statically_true",
    "storage_key",
    "told_tensor",
    "uncached",
    "uncached_fake_mode",
]


def expression_of(value: int | torch.SymInt) -> int | sympy.Expr:
    """The sympy form of a size, with the ShapeEnv's replacements applied; an int where it is constant."""
    if isinstance(value, int):
        return value
    expr = value.node.expr
    return int(expr) if expr.is_Integer else expr


def own_expression_of(value: torch.SymInt | torch.SymFloat | torch.SymBool) -> sympy.Basic:
    """As ``expression_of``, by :func:`resolved` alone: for those who watch a ``ShapeEnv`` and may not touch it."""
    return resolved(value.node._expr, value.node.shape_env.replacements)


def shape_env_of(value: object) -> ShapeEnv | None:
    """The ``ShapeEnv`` behind a fake tensor or symbolic number, if there is one."""
    if isinstance(value, FakeTensor):
        return value.fake_mode.shape_env
    if isinstance(value, torch.SymInt | torch.SymFloat | torch.SymBool):
        env: ShapeEnv | None = value.node.shape_env
        return env
    return None


def backed_size(env: ShapeEnv, name: str, today: int, least: int = 0) -> torch.SymInt:
    """A new size that is ``today`` and may be any number from ``least`` on."""
    source = ConstantSource(name)
    symbol = env.create_symbol(today, source, DimDynamic.DYNAMIC, None, do_not_specialize_zero_one=True)
    env.var_to_range[symbol] = ValueRanges(least, int_oo)
    made = env.create_symintnode(symbol, hint=today, source=source)
    assert isinstance(made, torch.SymInt)
    return made


def told_tensor(
    mode: FakeTensorMode, shape: Sequence[Any], stride: Sequence[Any], dtype: torch.dtype
) -> torch.Tensor:
    """A fake tensor of these sizes, ints or expressions over symbols with hints, that no kernel was asked for.
    Nothing is added to the mode's ``ShapeEnv``."""
    env = mode.shape_env
    assert env is not None

    def number(expr: Any) -> Any:
        if not isinstance(expr, sympy.Expr) or isinstance(expr, sympy.Integer):
            return int(expr)
        return env.create_symintnode(expr, hint=int(expr.xreplace(dict(hints(env)))))

    with env.suppress_guards(), mode:
        return torch.empty_strided([number(n) for n in shape], [number(n) for n in stride], dtype=dtype)


def has_symbols(tensor: torch.Tensor) -> bool:
    """Is a size or stride, or the offset, anything but a number?"""
    return tensor._has_symbolic_sizes_strides


def has_unguarded_sizes(tensor: torch.Tensor) -> bool:
    """Does the layout depend on symbols whose value torch did not look at, so that its fake kernels took the
    general case without a guard to say so?"""
    symbols: set[sympy.Symbol] = set()
    for value in (*tensor.shape, *tensor.stride()):
        if isinstance(value, torch.SymInt):
            symbols |= value.node.expr.free_symbols
    if getattr(symbolic_config, "backed_size_oblivious", False):
        return bool(symbols)
    return any(symbol_is_type(s, SymT.UNBACKED_INT) for s in symbols)


def hints(env: ShapeEnv) -> Mapping[sympy.Symbol, sympy.Integer]:
    """Today's sizes: one allowed valuation of the backed symbols."""
    values = getattr(env, "backed_var_to_val", None)
    return values if values is not None else env.var_to_val


def resolved(expr: sympy.Basic, replacements: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Basic:
    """The expression over symbols that are not replaced by others. Torch's own ``replace`` shortens the chains
    that it follows and narrows ranges on the way; this changes nothing."""
    for _ in range(len(replacements) + 1):
        if not any(s in replacements for s in expr.free_symbols):
            break
        expr = expr.xreplace(replacements)
    return expr


def statically_true(env: ShapeEnv, claim: sympy.Basic) -> bool:
    """Torch's own guard-free evaluation: True only if the claim holds for every valuation it knows of.

    Torch is asked of relations as sympy folds them: of one that was kept as written, as ``u + 1 <= u``, it says
    that it holds, whenever the two sides differ by a number.
    """
    try:
        asked = resolved(claim, env.replacements)
        asked = asked.func(*asked.args)
    except (ZeroDivisionError, AssertionError):
        # Undefined where its symbols are known: sympy and torch's functions fold as they are built.
        return False
    return bool(asked.free_symbols) and bool(statically_known_true(env, asked))


@contextlib.contextmanager
def no_new_guards(env: ShapeEnv | None) -> Iterator[None]:
    """Run fake kernels such that one that wants a guard raises instead of adding it."""
    if env is None:
        yield
        return
    # torch warns of each guard that could not be added; here a refusal is an answer, not an event.
    was_disabled, _shapes_log.disabled = _shapes_log.disabled, True
    try:
        with _refusing_guards(env), env.ignore_fresh_unbacked_symbols():
            yield
    finally:
        _shapes_log.disabled = was_disabled


def _refusing_guards(env: ShapeEnv) -> contextlib.AbstractContextManager[None]:
    native = getattr(env, "error_on_new_guards", None)
    if native is not None:
        return native()  # type: ignore[no-any-return]
    if not hasattr(env, "_check_frozen"):
        raise UnsupportedTorch(
            f"torch {torch.__version__} has no way known to noopelim to forbid guards; "
            "use a release from 2.11 to 2.15, or mend noopelim's torch_api.py"
        )
    return _refusing_guards_by_hand(env)


@contextlib.contextmanager
def _refusing_guards_by_hand(env: ShapeEnv) -> Iterator[None]:
    """For releases without ``error_on_new_guards``: a frozen ``ShapeEnv`` that raises where it would warn."""

    def refuse(*_: object) -> None:
        raise RuntimeError("a guard would be needed")

    was_frozen, env.frozen = env.frozen, True
    env._check_frozen = refuse  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        del env._check_frozen
        env.frozen = was_frozen


def storage_key(tensor: torch.Tensor) -> int | None:
    """Identity of a tensor's storage; None where it has none (sparse, nested, opaque)."""
    # A fake tensor of a layout without storage raises, as others do, but a nested one has that of its values.
    if type(tensor) is not FakeTensor and tensor.layout is not torch.strided:
        return None
    try:
        # Unlike ``untyped_storage()`` this makes no object that the storage keeps.
        return int(torch._C._storage_id(tensor))  # type: ignore[attr-defined]
    except (NotImplementedError, RuntimeError):
        return None


def fake_view(
    value: FakeTensor,
    sizes: Sequence[int | torch.SymInt],
    strides: Sequence[int | torch.SymInt],
    offset: int | torch.SymInt,
) -> FakeTensor:
    """``value.as_strided(sizes, strides, offset)`` as its fake kernel computes it, without the way there."""
    with in_kernel_invocation_manager(value.fake_mode):
        made = torch.as_strided(value, sizes, strides, offset)
    return FakeTensor(value.fake_mode, made, value.fake_device)


def fake_copy(
    value: FakeTensor, sizes: Sequence[int | torch.SymInt], strides: Sequence[int | torch.SymInt]
) -> FakeTensor:
    """A value of these sizes and strides in memory of its own, as a fake kernel on ``value`` computes it."""
    with in_kernel_invocation_manager(value.fake_mode):
        made = torch.empty_strided(sizes, strides, dtype=value.dtype, device="meta")
    return FakeTensor(value.fake_mode, made, value.fake_device)


def set_lazy_bits(tensor: torch.Tensor, like: torch.Tensor) -> None:
    """Give ``tensor`` the conj and neg bits of ``like``; its memory stays as it is."""
    torch._C._set_conj(tensor, like.is_conj())
    torch._C._set_neg(tensor, like.is_neg())


@contextlib.contextmanager
def refusals_unlogged() -> Iterator[None]:
    """Try calls on fake tensors without a traceback in the log for each that torch refuses."""
    logs = (_fakes_log, _shapes_log)
    were_disabled = [log.disabled for log in logs]
    for log in logs:
        log.disabled = True
    try:
        yield
    finally:
        for log, was_disabled in zip(logs, were_disabled, strict=True):
            log.disabled = was_disabled


@contextlib.contextmanager
def real_tensors() -> Iterator[None]:
    """Calls compute, whatever fake or tracing mode is on, and leave no gradient."""
    with _disable_current_modes(), torch.no_grad():
        yield


@contextlib.contextmanager
def uncached(mode: FakeTensorMode) -> Iterator[None]:
    """Without torch's cache of fake results, which asks the ``ShapeEnv`` more than the kernels do: under
    :func:`no_new_guards` it would have calls refused that need no guard."""
    was_enabled, mode.cache_enabled = mode.cache_enabled, False
    try:
        yield
    finally:
        mode.cache_enabled = was_enabled


def uncached_fake_mode(env: ShapeEnv) -> FakeTensorMode:
    """A fake mode that is :func:`uncached` for good."""
    mode = FakeTensorMode(shape_env=env)
    mode.cache_enabled = False
    return mode


def snapshot(env: ShapeEnv | None) -> dict[str, frozenset[object]]:
    """What a run must not change, by kind; see :func:`changes`."""
    if env is None:
        return {}
    asserts: dict[Any, list[Any]] = env.deferred_runtime_asserts
    replaced = env.replacements
    return {
        "guard": frozenset(g.expr for g in env.guards),
        "replacement": frozenset((s, resolved(e, replaced)) for s, e in replaced.items()),
        # Torch narrows the range of a replaced symbol, to what the replacement implies, whenever it is read.
        "range": frozenset((s, r.lower, r.upper) for s, r in env.var_to_range.items() if s not in replaced),
        # Torch forgets what its replacements have made plain when it next simplifies.
        "divisibility": frozenset(m for m in env.divisible if not resolved(m, replaced).is_number),
        "runtime assert": frozenset(a.expr for group in asserts.values() for a in group),
    }


def changes(before: dict[str, frozenset[object]], after: dict[str, frozenset[object]]) -> list[str]:
    """The facts that are in one snapshot only, for people."""
    return [f"{kind}: {fact}" for kind in before for fact in sorted(map(_told, before[kind] ^ after[kind]))]


def _told(fact: object) -> str:
    if not isinstance(fact, tuple):
        return str(fact)
    return " -> ".join(map(str, fact)) if len(fact) == 2 else f"{fact[0]} in [{fact[1]}, {fact[2]}]"


def runs_after_joint_patterns(hooked: object) -> bool:
    """Is ``hooked`` at one of Inductor's hooks behind its joint patterns, and not at the one before them?"""

    def is_at(hook: str) -> bool:
        passes = getattr(inductor_config, hook, None)
        return any(each is hooked for each in (passes if isinstance(passes, list | tuple) else (passes,)))

    late = ("joint_custom_post_pass", "post_grad_custom_pre_pass", "post_grad_custom_post_pass")
    return any(map(is_at, late)) and not is_at("joint_custom_pre_pass")


def ranks_must_agree() -> bool:
    """Is Inductor set to schedule collectives such that every rank must compile the same graph?"""
    overlap = getattr(inductor_config, "aten_distributed_optimizations", None)
    return bool(
        getattr(overlap, "enable_overlap_scheduling", False)
        or getattr(inductor_config, "reorder_for_compute_comm_overlap", False)
    )
