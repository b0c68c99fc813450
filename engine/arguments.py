"""The arguments of a call by its schema, and what each may be in a sweep."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import torch

from .pattern import same_constant
from .schema_values import FEW_DTYPES, options
from .scope import Scope
from .sweeps import Few
from .torch_api import OpOverload


class Argument(NamedTuple):
    """Name, type and default, if any, of an argument of a schema."""

    name: str
    kind: str
    default: tuple[Any, ...]

    def of_item(self) -> Argument:
        """One item of a list."""
        bare = self.kind.removeprefix("Optional[").removeprefix("List[")
        return self._replace(kind=bare.removesuffix("]").removesuffix("]"))

    def __hash__(self) -> int:
        # A default may be a list.
        return hash((self.name, self.kind))


@functools.lru_cache(maxsize=1024)
def schema_of(target: Any, count: int) -> tuple[Argument, ...]:
    """Of each argument; a plain function takes a tensor or tuple, then integers."""
    if not isinstance(target, OpOverload):
        return tuple(
            Argument("index", "int", ()) if i else Argument("self", "Tensor", ()) for i in range(count)
        )
    return tuple(
        Argument(a.name, str(a.real_type), (a.default_value,) if a.has_default_value() else ())
        for a in target._schema.arguments
    )


@functools.lru_cache(maxsize=16384)
def choices_of(
    target: Any,
    argument: Argument,
    first: tuple[tuple[int, ...], torch.dtype] | None,
    scope: Scope,
    sweep: str,
    few: Few,
    left_out: bool,
) -> tuple[Any, ...]:
    """What an argument may be, where ``first`` is the first tensor of the call: its default first, if the pattern
    leaves it out; all that is known, or a few of that, as the sweep goes."""
    known = list(options(argument.kind, argument.name, first, scope, target))
    default = argument.default if left_out else ()
    known = [v for v in known if not (default and same_constant(default[0], v))]
    if "ScalarType" in argument.kind:
        if sweep not in ("dtypes", "values"):
            own = () if first is None else (first[1],)
            kept = dict.fromkeys((None, *own, *FEW_DTYPES))
            known = [v for v in known if v in kept]
    elif sweep not in ("shapes", "values" if argument.kind in ("number", "Scalar") else ""):
        known = _some(known, few.values - len(default))
    return (*default, *known)


def _some(known: list[Any], count: int) -> list[Any]:
    """The first of them, and the last, which is often the odd one."""
    return known if len(known) <= count else [*known[: count - 1], known[-1]] if count > 1 else known[:count]
