"""Complex numbers taken apart and put together again, and conjugates."""

from collections.abc import Callable
from typing import Any

import torch

from ..facts import Facts, Value
from ..kinds import real
from ..pattern import OpCall, X, var
from ..proof import Proof
from ..rule import Rule
from ..variants import of_type

_aten = torch.ops.aten
_CONJ = (_aten._conj.default, _aten.conj_physical.default, _aten._conj_physical.default, _aten.conj.default)
_REAL = (*_CONJ[1:], _aten.real.default, _aten.resolve_conj.default)


def _complex(x: torch.Tensor) -> torch.Tensor:
    return of_type(x, torch.complex64)


def _not_halves(x: Value) -> Proof:
    """The parts of complex32 are float16, which may lose what a NaN carries."""
    return Proof.of(x.dtype is not torch.complex32, f"{x.dtype} has no parts of 16 bits", "dtype")


real_of_real = Rule(
    name="complex/real-of-real",
    pattern=OpCall(_REAL, X),
    where=lambda f, x: real(x),
    to=X,
    because="a real number is its own real part and its own conjugate",
    example=_aten._conj_physical.default,
    near_miss=(lambda x: _aten._conj_physical(_complex(x)),),
)

conj_of_conj = Rule(
    name="complex/conj-of-conj",
    pattern=OpCall(_CONJ, OpCall(_CONJ, X)),
    where=lambda f, x: _not_halves(x),
    to=X,
    because="the conjugate of a conjugate is the number",
    example=lambda x: _aten._conj(_aten._conj(_complex(x))),
    near_miss=(
        lambda x: _aten._conj(_aten.neg(_complex(x))),
        lambda x: _aten._conj(_aten._conj(of_type(x, torch.complex32))),
    ),
)

back_to_complex = Rule(
    name="complex/of-its-parts-in-a-dim",
    pattern=OpCall(_aten.view_as_complex.default, OpCall(_aten.view_as_real.default, X)),
    to=X,
    because="a complex number is the pair of its parts",
    example=lambda x: _aten.view_as_complex(_aten.view_as_real(_complex(x))),
    near_miss=(lambda x: _aten.view_as_complex(_aten.neg(_aten.view_as_real(_complex(x)))),),
)

back_to_parts = Rule(
    name="complex/parts-of-complex",
    pattern=OpCall(_aten.view_as_real.default, OpCall(_aten.view_as_complex.default, X)),
    to=X,
    because="a pair of parts is that of the complex number made of it",
    example=lambda x: _aten.view_as_real(_aten.view_as_complex(_aten.reshape(x, (-1, 2)))),
    near_miss=(lambda x: _aten.view_as_real(_aten.neg(_aten.view_as_complex(_aten.reshape(x, (-1, 2))))),),
)


def _last(f: Facts, x: Value, re: object, im: object) -> Proof:
    """The parts of ``x`` are told apart along their last dim, both times."""
    last = (-1, x.rank)
    return Proof.of(re in last and im in last, f"{re} and {im} are the last of {x.rank + 1} dims", "dims")


_PARTS = OpCall(_aten.view_as_real.default, X)
of_its_parts = Rule(
    name="complex/of-its-parts",
    pattern=OpCall(
        _aten.complex.default,
        OpCall(_aten.select.int, _PARTS, var("re"), 0),
        OpCall(_aten.select.int, _PARTS, var("im"), 1),
    ),
    where=_last,
    to=X,
    because="a complex number is made of its real and its imaginary part",
    example=lambda x: _from(_aten.view_as_real(_complex(x)), (2, 0), (-1, 1)),
    near_miss=(
        lambda x: _from(_aten.view_as_real(_complex(x)), (2, 1), (2, 0)),
        lambda x: _from(_aten.view_as_real(_complex(_aten.reshape(x, (6, 2, 2)))), (1, 0), (1, 1)),
    ),
)


def _from(parts: torch.Tensor, real: tuple[int, int], imaginary: tuple[int, int]) -> torch.Tensor:
    found: torch.Tensor = _aten.complex(_aten.select(parts, *real), _aten.select(parts, *imaginary))
    return found


of_real_and_imaginary = Rule(
    name="complex/of-real-and-imaginary",
    pattern=OpCall(_aten.complex.default, OpCall(_aten.real.default, X), OpCall(_aten.imag.default, X)),
    where=lambda f, x: f.same_dtype(x, f.root),
    to=X,
    because="a complex number is made of its real and its imaginary part",
    example=lambda x: _of_both(_complex(x), _aten.real, _aten.imag),
    near_miss=(lambda x: _of_both(_complex(x), _aten.imag, _aten.real),),
)


def _of_both(x: torch.Tensor, real: Callable[..., Any], imaginary: Callable[..., Any]) -> torch.Tensor:
    found: torch.Tensor = _aten.complex(real(x), imaginary(x))
    return found


RULES = (real_of_real, conj_of_conj, back_to_complex, back_to_parts, of_its_parts, of_real_and_imaginary)
