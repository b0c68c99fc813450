"""Which values are known to be one number throughout, and that a write takes that knowledge away."""

from collections.abc import Callable

import pytest
import torch
from graphs import trace
from torch import fx

from noopelim.facts import Facts, Value
from noopelim.integers import Prover
from noopelim.proof import Truth
from noopelim.uniform import uniform

aten, prims = torch.ops.aten, torch.ops.prims
Program = Callable[[torch.Tensor], object]


def asked(program: Program, number: float) -> Truth:
    """What is known of the operand of the last `cos` that the program calls."""
    gm = trace(program, torch.zeros(4, 6))
    (*_, last) = gm.graph.find_nodes(op="call_function", target=aten.cos.default)
    bound = last.args[0]
    assert isinstance(bound, fx.Node)
    return uniform(Facts(Prover(), last), Value(bound), number).truth


@pytest.mark.parametrize(
    ("program", "number"),
    [
        (lambda x: aten.cos(aten.full([2], 1.0)), 1),
        (lambda x: aten.cos(aten.zeros_like(x)), 0),
        (lambda x: aten.cos(aten.new_ones(x, [3])), 1),
        (lambda x: aten.cos(aten.new_full(x, [3], -1)), -1),
        (lambda x: aten.cos(aten.full_like(x, -0.0)), -0.0),
        (lambda x: aten.cos(aten.scalar_tensor(1.0)), 1),
        (lambda x: aten.cos(aten.full([2], 5.0, dtype=torch.bool)), 1),
        (lambda x: aten.cos(aten.full([2], -1, dtype=torch.bool)), 1),
        (lambda x: aten.cos(aten.full([2], -1, dtype=torch.uint8)), None),
        (lambda x: aten.cos(prims.convert_element_type(aten.full([2], -0.0), torch.int32)), 0),
        (lambda x: aten.cos(prims.convert_element_type(aten.full([2], -1), torch.bool)), 1),
        (lambda x: aten.cos(aten.slice(aten.expand(aten.ones([1, 3]), [4, 3]), 0, 0, 2)), 1),
        (lambda x: aten.cos(aten.alias(aten.clone(aten.reshape(aten.t(aten.ones([2, 3])), [6])))), 1),
        (lambda x: aten.cos(aten.full([2], 0.5)), None),
        (lambda x: aten.cos(aten.full([2], float("nan"))), None),
        (aten.cos, None),
        (lambda x: aten.cos(aten.constant_pad_nd(aten.ones([2]), [1, 1])), None),
        (lambda x: aten.cos(aten.view.dtype(aten.ones([2]), torch.int32)), None),
    ],
)
def test_what_is_filled(program: Program, number: float | None) -> None:
    for asked_for in (1, 0, -0.0, -1):
        same = number is not None and str(float(number)) == str(float(asked_for))
        assert (asked(program, asked_for) is Truth.PROVED) is same


@pytest.mark.parametrize(
    "write",
    [
        lambda ones, x: aten.zero_(ones),
        lambda ones, x: aten.zero_(aten.select(ones, 0, 0)),
        lambda ones, x: aten.copy_(aten.view(ones, [-1]), aten.reshape(x, [-1])),
        lambda ones, x: aten._foreach_add_([x, ones], 1),
        lambda ones, x: aten.zero_(aten.split(ones, 2)[1]),
        lambda ones, x: aten.add.out(x, x, out=ones),
        lambda ones, x: aten.zero_(aten.detach(aten.t(ones))),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_what_may_be_written_is_not_known(
    write: Callable[[torch.Tensor, torch.Tensor], object], before: bool
) -> None:
    def program(x: torch.Tensor) -> object:
        ones = aten.ones_like(x)
        seen = aten.expand(aten.unsqueeze(ones, 0), [2, 4, 6])
        if before:
            write(ones, x)
        read = aten.cos(seen)
        return read if before else (read, write(ones, x))

    assert asked(program, 1) is Truth.UNKNOWN


def test_a_write_to_a_copy_does_not_matter() -> None:
    def program(x: torch.Tensor) -> object:
        ones = aten.ones_like(x)
        return aten.zero_(aten.clone(ones)), aten.cos(ones)

    assert asked(program, 1) is Truth.PROVED


def test_a_copy_that_is_written_is_not_known() -> None:
    def program(x: torch.Tensor) -> object:
        copied = aten.clone(aten.ones_like(x))
        aten.zero_(copied)
        return aten.cos(copied)

    assert asked(program, 1) is Truth.UNKNOWN


def test_another_number_is_refuted() -> None:
    assert asked(lambda x: aten.cos(aten.ones_like(x)), 0) is Truth.REFUTED


@pytest.mark.parametrize(
    ("number", "wanted", "same"),
    [
        (1, 1, True),
        (1.0, 1, True),
        (True, 1, True),
        (0, 0, True),
        (-0.0, 0, False),
        (0.0, -0.0, False),
        (-0.0, -0.0, True),
        (2, 1, False),
        (float("nan"), 1, False),
        (10**400, 1, False),
    ],
)
def test_python_numbers(number: float, wanted: float, same: bool) -> None:
    gm = trace(aten.cos, torch.zeros(2))
    facts = Facts(Prover(), next(n for n in gm.graph.nodes if n.op == "call_function"))
    assert uniform(facts, number, wanted).truth is (Truth.PROVED if same else Truth.REFUTED)


def test_nothing_is_said_of_other_things() -> None:
    gm = trace(aten.cos, torch.zeros(2))
    facts = Facts(Prover(), next(n for n in gm.graph.nodes if n.op == "call_function"))
    for bound in (None, "1", 1 + 0j, (1,)):
        assert uniform(facts, bound, 1).truth is Truth.UNKNOWN
