"""What a call computes, by its own fake kernel, with guards forbidden."""

from __future__ import annotations

from typing import Any

from .torch_api import FakeTensor, no_new_guards, refusals_unlogged, shape_env_of, uncached


def run_fake(target: Any, args: Any, kwargs: Any, operand: FakeTensor) -> Any:
    """``target(*args, **kwargs)`` in the fake mode of ``operand``; None if it raises or would need a guard."""
    ran = try_fake(target, args, kwargs, operand)
    return None if ran is None else ran[0]


def try_fake(target: Any, args: Any, kwargs: Any, operand: FakeTensor) -> tuple[Any] | None:
    """As :func:`run_fake`, of a call that may return None: what it returns is alone in a tuple."""
    try:
        mode = operand.fake_mode
        with refusals_unlogged(), no_new_guards(shape_env_of(operand)), uncached(mode), mode:
            return (target(*args, **kwargs),)
    except Exception:  # a fake kernel may raise anything, and each means the same here: it cannot be told
        return None
