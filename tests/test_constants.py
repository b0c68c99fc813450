"""Values that are computed from numbers alone: which are worked out, which are not, and what is done with them."""

from collections.abc import Callable

import pytest
import torch
from graphs import trace
from torch import fx
from torch.fx.experimental.proxy_tensor import make_fx

import noopelim
from noopelim.constants import Constants

aten, prims = torch.ops.aten, torch.ops.prims
Program = Callable[[torch.Tensor], object]


def iota(length: int, dtype: torch.dtype = torch.int64) -> torch.Tensor:
    found: torch.Tensor = prims.iota(
        length, start=0, step=1, dtype=dtype, device=torch.device("cpu"), requires_grad=False
    )
    return found


def cast(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    found: torch.Tensor = prims.convert_element_type(x, dtype)
    return found


def worked_out(program: Program) -> torch.Tensor | None:
    """What is known of the operand of the last `cos` that the program calls."""
    gm = trace(program, torch.zeros(4, 6))
    (*_, last) = gm.graph.find_nodes(op="call_function", target=aten.cos.default)
    (operand,) = last.args
    assert isinstance(operand, fx.Node)
    return Constants().of(operand)


def centres(n: int) -> torch.Tensor:
    return cast(iota(n), torch.float32) + 0.5


@pytest.mark.parametrize(
    ("program", "elements"),
    [
        (lambda x: aten.cos(iota(3)), [0, 1, 2]),
        (lambda x: aten.cos(centres(3) * 2.0 - 0.5), [0.5, 2.5, 4.5]),
        (lambda x: aten.cos(aten.clamp_min(centres(3) - 1.0, 0.0)), [0.0, 0.5, 1.5]),
        (lambda x: aten.cos(cast(centres(3) * 3.0, torch.int64)), [1, 4, 7]),
        (lambda x: aten.cos(aten.cat([iota(2) - 1, iota(3)])), [-1, 0, 0, 1, 2]),
        (lambda x: aten.cos(aten.split(iota(5), 3)[1]), [3, 4]),
        (lambda x: aten.cos(aten.index(iota(5) * 2, [iota(2) + 1])), [2, 4]),
        (lambda x: aten.cos(aten.cumsum(aten.ne(iota(3), 1), 0)), [1, 1, 2]),
        (lambda x: aten.cos(aten.where(iota(3) <= 1, 0.0, -torch.inf)), [0.0, 0.0, -torch.inf]),
        (lambda x: aten.cos(aten.add(iota(2, torch.int32), 2**31 - 1)), [2**31 - 1, -(2**31)]),
        (lambda x: aten.cos(aten.full([2], 0.1, dtype=torch.float64)), [0.1, 0.1]),
        (lambda x: aten.cos(aten.arange(0.0, 1.0, 0.25)), [0.0, 0.25, 0.5, 0.75]),
    ],
)
def test_what_is_worked_out(program: Program, elements: list[float]) -> None:
    found = worked_out(program)
    assert found is not None
    assert found.tolist() == elements


@pytest.mark.parametrize(
    "program",
    [
        aten.cos,  # comes of the data
        lambda x: aten.cos(aten.where(x > 0, 1.0, 1.0)),
        lambda x: aten.cos(
            centres(3) * 0.3
        ),  # rounds, and a compiler may round once where these calls round twice
        lambda x: aten.cos(centres(3) + 2.0**-30),
        lambda x: aten.cos(aten.div(iota(3), 2)),  # some machines divide by an approximate reciprocal
        lambda x: aten.cos(aten.exp(centres(3))),
        lambda x: aten.cos(cast(aten.full([2], 1e30), torch.int64)),  # no integer stands for it
        lambda x: aten.cos(cast(aten.full([2], 0.1), torch.float16)),
        lambda x: aten.cos(aten.full([2], float("nan"))),
        lambda x: aten.cos(aten.clamp_min(aten.mul(cast(iota(2), torch.float32), -1.0), -2.0)),  # of a -0.0
        lambda x: aten.cos(aten.ceil(centres(2) - 1.0)),  # to a -0.0
        lambda x: aten.cos(aten.arange(0.0, 1.0, 0.1)),  # kernels count in other precisions
        lambda x: aten.cos(aten.rand([2])),
        lambda x: aten.cos(aten.empty([2])),
        lambda x: aten.cos(aten.index(iota(3), [iota(2) + 2])),  # out of range
        lambda x: aten.cos(aten.add_(iota(3), 1)),
        lambda x: aten.cos((i := iota(6), aten.add_(aten.view(i, [2, 3]), 1), i)[-1]),
        lambda x: aten.cos(aten.expand(aten.full([1], 1.0), [2**21])),  # large
    ],
)
def test_what_is_not(program: Program) -> None:
    assert worked_out(program) is None


def test_the_sign_of_a_zero_is_known() -> None:
    def zeros(x: torch.Tensor) -> object:
        return aten.cos(aten.mul(cast(aten.mul(iota(2), 0), torch.float32), -1.0))

    found = worked_out(zeros)
    assert found is not None
    assert found.signbit().all()
    fired = rules_fired(
        lambda x: aten.cos(x + aten.mul(cast(iota(4) * 0, torch.float32), -1.0)), torch.randn(3, 4)
    )
    assert fired["arithmetic/plus-minus-zero"] == 1
    assert "arithmetic/plus-minus-zero" not in rules_fired(
        lambda x: aten.cos(x + cast(iota(4) * 0, torch.float32)), torch.randn(3, 4)
    )


def test_sizes_that_vary_are_not_worked_out() -> None:
    gm = make_fx(lambda x: aten.cos(iota(x.shape[0])), tracing_mode="symbolic")(torch.zeros(5))
    known = Constants()
    assert all(known.of(n) is None for n in gm.graph.nodes)


def rules_fired(program: Callable[..., object], *inputs: torch.Tensor) -> dict[str, int]:
    gm = trace(program, *inputs)
    before = gm(*inputs)
    report = noopelim.eliminate(gm)
    torch.testing.assert_close(gm(*inputs), before, rtol=0, atol=0)
    return dict(report.counts)


def resized(x: torch.Tensor) -> object:
    """As models resize a feature map to the size it has."""
    at = aten.clamp_min(centres(4) * 1.0 - 0.5, 0.0)
    low = cast(at, torch.int64)
    weight = aten.clamp(at - low, 0.0, 1.0)
    return aten.index(x, [None, low]) * (1.0 - weight)


def test_equal_constants_are_one() -> None:
    fired = rules_fired(resized, torch.randn(3, 4))
    assert fired["engine/same-constant"] >= 3
    assert fired["arithmetic/times-one"] == 1


def test_a_mask_that_is_true_throughout() -> None:
    fired = rules_fired(lambda x: aten.bitwise_and(x > 0, aten.cumsum(iota(4), 0) >= 0), torch.randn(3, 4))
    assert fired["bitwise/and-with-all-ones"] == 1


@pytest.mark.parametrize(
    "program",
    [
        lambda x: x + aten.clamp_min(cast(iota(4), torch.float32), 0.5),  # another value
        lambda x: (i := iota(4), aten.clamp_min(i, 0)),  # two outputs are two objects
        lambda x: (i := iota(4), c := aten.clamp_min(i, 0), aten.add_(i, 1), x + c)[-1],
        lambda x: (i := iota(4), c := aten.clamp_min(i, 0), aten.add_(c, 1), x + i)[-1],
        lambda x: x + cast(iota(4), torch.int32) * cast(iota(4), torch.float32),  # another dtype
    ],
)
def test_constants_that_stay(program: Callable[..., object]) -> None:
    assert "engine/same-constant" not in rules_fired(program, torch.randn(3, 4))
