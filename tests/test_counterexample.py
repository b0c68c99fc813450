"""Counterexamples are scripts: short, true to the bit and to the stride, and each fails by what it asserts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

from noopelim import Exact, OpCall, Rule, X
from noopelim.counterexample import Counterexample, of_engine, of_values
from noopelim.exhaust import exhaust
from noopelim.instances import CallOf, operands_of
from noopelim.law import Wrong
from noopelim.operands import COUNTED, DTYPES, FILLS, LAYOUTS, Operand, bits_of
from noopelim.scope import Scope
from noopelim.spellings import getitem, permute, slice_

aten, prims = torch.ops.aten, torch.ops.prims
SHAPES = ((), (0,), (1,), (5,), (0, 2), (1, 2), (2, 3), (2, 1, 2))


def rule_of(pattern: OpCall | None = None, exact: Exact = Exact.BITS) -> Rule:
    return Rule("test/wrong", pattern or OpCall(aten.neg.default, X), X, "b", lambda x: x, exact=exact)


def run(found: Counterexample) -> dict[str, Any]:
    """The names that the script leaves behind, after it has failed by an assertion."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with pytest.raises(AssertionError):
        exec(compile(found.script(), "counterexample.py", "exec"), names)
    return names


def shown(call: CallOf, to: Any, rule: Rule, what: str = "they differ") -> Counterexample:
    return of_values(rule, Wrong(what, call, to, "it was claimed"))


@pytest.fixture(autouse=True)
def _silent(capsys: pytest.CaptureFixture[str]) -> None:
    """What scripts print is theirs."""


# Literals


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [*DTYPES, torch.complex128], ids=str)
def test_operands_are_written_down_to_the_bit_and_to_the_stride(dtype: torch.dtype, layout: str) -> None:
    for shape in SHAPES:
        for fill in (*range(FILLS), COUNTED):
            operand = Operand(0, shape, dtype, layout, fill)
            call = CallOf(aten.alias.default, (operand,))
            script = of_values(rule_of(), Wrong("no", call, None, "")).script()
            names: dict[str, Any] = {}
            exec(script[: script.index("raise ")], names)
            told, x = names["x"], operand.tensor()
            assert told.dtype is x.dtype
            assert (told.shape, told.stride()) == (x.shape, x.stride())
            assert told.storage_offset() == x.storage_offset()
            assert torch.equal(bits_of(told), bits_of(x))


@pytest.mark.parametrize(
    "pair", [(0.0, -1.0), (-0.0, -1.0), (-0.0, 1.0), (0.0, -0.0), (-0.0, -0.0), (-0.0, 0.0)]
)
def test_zeros_of_complex_numbers_keep_their_signs(pair: tuple[float, float]) -> None:
    """Python reads ``-1j`` as a real part of -0.0, and ``-0+1j`` as one of +0.0."""

    class Given(Operand):
        def tensor(self) -> torch.Tensor:
            return torch.view_as_complex(torch.tensor([pair]))

    operand = Given(0, (1,), torch.complex64)
    names = run(shown(CallOf(aten.alias.default, (operand,)), None, rule_of()))
    assert torch.equal(bits_of(names["x"]), bits_of(operand.tensor()))


def test_numbers_are_readable_where_they_can_be() -> None:
    x = Operand(0, (2, 2), torch.int32, fill=COUNTED)
    script = shown(CallOf(aten.neg.default, (x,)), x, rule_of()).script()
    assert "x = torch.tensor([[1, 2], [3, 4]], dtype=torch.int32)\n" in script


# Scripts


def smaller(x: Operand) -> CallOf:
    return CallOf(aten.slice.Tensor, (x, 0, 1, 2**63 - 1, 1))


def turned(x: Operand) -> CallOf:
    return CallOf(aten.permute.default, (x, [1, 0]))


def doubled(x: Operand) -> CallOf:
    return CallOf(prims.convert_element_type.default, (x, torch.float64))


def negated(x: Operand) -> CallOf:
    return CallOf(aten.neg.default, (x,))


def inverted(x: Operand) -> CallOf:
    return CallOf(aten.logical_not.default, (x,))


@pytest.mark.parametrize("exact", Exact)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("make", "operand"),
    [
        (smaller, Operand(0, (3,))),
        (smaller, Operand(0, (1, 0))),
        (smaller, Operand(0, (2, 2), torch.float8_e4m3fn)),
        (smaller, Operand(0, (2, 2), torch.complex64)),
        (turned, Operand(0, (3, 3), fill=COUNTED)),
        (turned, Operand(0, (3, 3), torch.complex64, fill=COUNTED)),
        (turned, Operand(0, (3, 3), torch.bfloat16, fill=COUNTED)),
        (turned, Operand(0, (3, 3), torch.float8_e5m2, fill=COUNTED)),
        (turned, Operand(0, (2, 3), torch.bool)),
        (doubled, Operand(0, (), torch.float32)),
        (doubled, Operand(0, (0,), torch.int8)),
        (doubled, Operand(0, (2,), torch.float8_e4m3fn)),
        (negated, Operand(0, (), fill=COUNTED)),
        (negated, Operand(0, (2,), torch.complex64, fill=4)),
        (inverted, Operand(0, (), torch.bool)),
        (inverted, Operand(0, (2, 2), torch.bool)),
    ],
)
def test_every_script_runs_and_fails_by_an_assertion(
    make: Callable[[Operand], CallOf], operand: Operand, layout: str, exact: Exact
) -> None:
    x = Operand(0, operand.shape, operand.dtype, layout, operand.fill)
    found = shown(make(x), x, rule_of(exact=exact))
    names = run(found)
    assert names["to"] is names["x"]
    assert names["root"].shape == tuple(make_real(make, x).shape)
    assert len(found.script().splitlines()) <= 15


def make_real(make: Callable[[Operand], CallOf], x: Operand) -> torch.Tensor:
    call = make(x)
    made = call.target(x.tensor(), *call.args[1:])
    assert isinstance(made, torch.Tensor)
    return made


@pytest.mark.parametrize(
    ("fill", "exact", "differs"),
    [
        (0, Exact.BITS, True),
        (0, Exact.NAN_PAYLOAD, True),
        (0, Exact.VALUES, False),
        (1, Exact.BITS, True),
        (1, Exact.NAN_PAYLOAD, False),
        (1, Exact.VALUES, False),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float64], ids=str)
def test_a_script_compares_at_the_level_of_the_rule(
    fill: int, exact: Exact, differs: bool, dtype: torch.dtype
) -> None:
    """Element 0 of fill 0 is -0.0, of which this makes +0.0; of fill 1 a NaN, of whose sign it makes none."""
    x = Operand(0, (1,), dtype, fill=fill)
    script = shown(CallOf(aten.abs.default, (x,)), x, rule_of(exact=exact)).script()
    names: dict[str, Any] = {}
    if differs:
        with pytest.raises(AssertionError):
            exec(script, names)
    else:
        exec(script, names)
    assert not torch.equal(bits_of(names["root"]), bits_of(names["to"]))


def test_lazy_conjugation_can_be_shown_at_every_level() -> None:
    x = Operand(0, (2,), torch.complex64, fill=COUNTED)
    imaginary = CallOf(aten.mul.Tensor, (x, 1j))
    for exact in Exact:
        run(shown(CallOf(aten._conj.default, (imaginary,)), imaginary, rule_of(exact=exact)))


def test_a_script_has_heading_values_and_both_sides() -> None:
    x, y = Operand(0, (2,), fill=COUNTED), Operand(1, (2,), fill=COUNTED)
    call = CallOf(aten.cat.default, ([x, y, x], 0))
    found = shown(call, CallOf(aten.cat.default, ([x, y], -1)), rule_of(), "shape (6,)\n becomes (4,)")
    lines = found.script().splitlines()
    assert lines[0] == "# test/wrong: shape (6,) becomes (4,)"
    assert lines[1] == "# let through by: it was claimed"
    assert "root = torch.ops.aten.cat.default([x, y, x], 0)" in lines
    assert "to = torch.ops.aten.cat.default([x, y], -1)" in lines
    assert "import operator" not in lines
    assert found.claim == "it was claimed"
    run(found)


def test_every_kind_of_argument_can_be_written_down() -> None:
    x = Operand(0, (2, 2), torch.float32)
    cast = CallOf(
        aten._to_copy.default,
        (x, torch.float64, torch.strided, torch.device("cpu"), False, False, torch.preserve_format),
    )
    half = CallOf(aten.split.Tensor, (CallOf(aten.mul.Tensor, (cast, -0.0)), 1, 0))
    whole = CallOf(aten.index.Tensor, (cast, [None, CallOf(aten.gt.Scalar, (half_of(half), 0))]))
    script = shown(whole, x, rule_of()).script()
    names = run(Counterexample("", "", 0, script))
    assert "import operator\n\nimport torch" in script
    assert "mul.Tensor(" in script
    assert ", -0.0)" in script
    assert names["root"].dtype is torch.float64


def half_of(split: CallOf) -> CallOf:
    import operator

    first = CallOf(operator.getitem, (split, 0))
    return CallOf(aten.squeeze.dim, (first, 0))


def test_where_there_is_nothing_to_compare_the_script_says_so() -> None:
    found = shown(negated(Operand(0, (2,))), None, rule_of(), "`where` raised KeyError: 'x'")
    names = run(found)
    assert "to" not in names
    assert re.search(r"raise AssertionError\(.*KeyError", found.script())
    assert found.claim


def test_a_graph_that_tells_is_shown_before_and_after() -> None:
    import operator

    x = Operand(0, (2,))
    call = CallOf(operator.getitem, (CallOf(aten.split.Tensor, (x, 1, 0)), 1))
    found = of_engine(rule_of(), call, "root returned", "outputs alias", "graph():\n    x", "graph():\n    y")
    run(found)
    assert found.what == "outputs alias (in a graph with the root returned)"
    for line in ("# before:", "# graph():", "#     x", "# after:", "#     y"):
        assert line in found.script().splitlines()


def test_of_two_instances_the_larger_has_the_larger_size() -> None:
    def size(shape: tuple[int, ...], *bounds: int) -> int:
        call = CallOf(aten.slice.Tensor, (Operand(0, shape), *bounds))
        return shown(call, Operand(0, shape), rule_of()).size

    assert size((1,), 0, 0, 1, 1) < size((2,), 0, 0, 1, 1) < size((2, 1), 0, 0, 1, 1)
    assert size((2,), 0, 0, 1, 1) < size((2,), 0, 0, 1, 2)
    assert size((2,), 0, 0, 2**63 - 1, 1) == size((2,), 0, 0, 9, 1)


@pytest.mark.parametrize(
    "pattern",
    [
        slice_(X),
        permute(X),
        OpCall(aten.neg.default, X),
        OpCall(aten.sum.dim_IntList, X, [0], rest="any"),
        OpCall(aten.cat.default, [X, X], 0),
        OpCall(aten._to_copy.default, X, rest="any"),
        OpCall(aten.constant_pad_nd.default, X, rest="any"),
        getitem(OpCall(aten.split.Tensor, X, 1, 0), 0),
        OpCall(aten.add.Tensor, X, 0.0, rest="any"),
        OpCall(aten._conj.default, X),
    ],
    ids=str,
)
@pytest.mark.parametrize("exact", Exact)
def test_what_verify_finds_is_shown_by_a_script(pattern: OpCall, exact: Exact) -> None:
    """Rules that hold hardly anywhere, in every sweep: what the law calls wrong, the script shows to be."""
    rule = rule_of(pattern, exact)
    for sweep in ("shapes", "dtypes", "layouts", "values"):
        tried = exhaust(rule, Scope(rank=2, dim=2, window=2, most=500), sweep)
        if tried.wrong is not None:
            names = run(of_values(rule, tried.wrong))
            assert {o.slot for o in operands_of(tried.wrong.call)} <= {
                "xyz".index(n) for n in names if n in "xyz"
            }
