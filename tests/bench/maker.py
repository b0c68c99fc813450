"""Groups of claims whose truth is known as they are made."""

from __future__ import annotations

import sympy
import torch
from questions import Group, Size
from torch._dynamo.source import ConstantSource
from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv


def backed(env: ShapeEnv, name: str, hint: int) -> torch.SymInt:
    """A dynamic size as torch makes them: at least 2, without upper bound."""
    source = ConstantSource(name)
    symbol = env.create_symbol(hint, source, dynamic_dim=DimDynamic.DYNAMIC)
    made = env.create_symintnode(symbol, hint=hint, source=source)
    assert isinstance(made, torch.SymInt)
    return made


class Maker:
    """A group in the making, over two sizes whose values today make many false claims true."""

    def __init__(self, family: str, name: str) -> None:
        self.group = Group(family, name, ShapeEnv(duck_shape=False))
        self.s, self.t = backed(self.group.env, "s", 8192), backed(self.group.env, "t", 4096)

    def true(self, *equal: Size) -> None:
        """All of them are equal."""
        for other in equal[1:]:
            self.group.add(sympy.Eq, equal[0], other, True)

    def false(self, left: Size, right: Size) -> None:
        """They differ somewhere."""
        self.group.add(sympy.Eq, left, right, False)

    def order(self, left: Size, right: Size, holds: bool = True) -> None:
        """``left <= right``, always or not."""
        self.group.add(sympy.Le, left, right, holds)

    def under(self, left: Size, right: Size, holds: bool = True) -> None:
        """``left < right``, always or not."""
        self.group.add(sympy.Lt, left, right, holds)
