"""The law of a rule on one instance: what counts as a difference, and what the rule is blamed for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from noopelim import ANY, Computed, Exact, OpCall, Proof, Rule, X, Y, var
from noopelim.choices import Pick
from noopelim.drawing import Drawer, Drawn
from noopelim.errors import MissingMetadata
from noopelim.facts import Facts
from noopelim.instances import CallOf, evaluated
from noopelim.integers import Prover
from noopelim.law import Judge, difference
from noopelim.laying import as_graph
from noopelim.operands import Operand
from noopelim.proof import Truth
from noopelim.scope import Scope
from noopelim.spellings import alias, permute, reorder, reshape, slice_

aten = torch.ops.aten
LAST = 2**63 - 1
nan, inf = float("nan"), float("inf")


def bits(*numbers: int, like: torch.dtype) -> torch.Tensor:
    whole = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[like.itemsize]
    return torch.tensor(numbers, dtype=whole).view(like)


QUIET, PAYLOAD = bits(0x7FC00000, like=torch.float32), bits(0x7FC00001, like=torch.float32)


# Differences


def test_shape_comes_before_dtype_and_dtype_before_elements() -> None:
    x = torch.zeros(2, 3)
    assert difference(x, torch.ones(3, 2, dtype=torch.int32)) == "shape (2, 3) becomes (3, 2)"
    assert difference(x, torch.ones(2, 3, dtype=torch.int32)) == "torch.float32 becomes torch.int32"
    assert difference(x, torch.zeros(2, 3)) is None


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.bool, torch.int64, torch.complex64, torch.float8_e5m2], ids=str
)
@pytest.mark.parametrize("shape", [(), (3,), (2, 2), (0, 2)], ids=str)
@pytest.mark.parametrize("exact", Exact)
def test_equal_values_do_not_differ(dtype: torch.dtype, shape: tuple[int, ...], exact: Exact) -> None:
    for layout in ("contiguous", "permuted", "sliced"):
        x = Operand(0, shape, dtype, layout).tensor()
        assert difference(x, x.clone(), exact) is None
        assert difference(x.clone(memory_format=torch.contiguous_format), x, exact) is None


@pytest.mark.parametrize("exact", Exact)
@pytest.mark.parametrize(
    "dtype",
    [
        torch.float32,
        torch.float16,
        torch.int8,
        torch.int64,
        torch.uint8,
        torch.complex64,
        torch.float8_e4m3fn,
    ],
    ids=str,
)
def test_the_element_that_differs_is_told_by_its_place_in_row_major_order(
    dtype: torch.dtype, exact: Exact
) -> None:
    x = torch.tensor([[1, 2, 3], [4, 5, 6]]).to(dtype)
    other = x.t().contiguous().t()
    other[1, 0] = 7
    was, becomes = (complex(n) if dtype.is_complex else n for n in (4, 7))
    said = difference(x, other, exact)
    assert said is not None
    assert said.startswith("element 3 is ")
    assert said == f"element 3 is {x[1, 0].item()!r} and becomes {other[1, 0].item()!r}"
    assert x[1, 0].item() == was
    assert other[1, 0].item() == becomes


def test_integers_beyond_the_floats_differ_at_every_level() -> None:
    big = torch.tensor([2**62])
    assert all(difference(big, big + 1, exact) for exact in Exact)


@pytest.mark.parametrize(
    ("one", "other", "levels"),
    [
        (torch.tensor([0.0]), torch.tensor([-0.0]), (True, True, False)),
        (QUIET, PAYLOAD, (True, False, False)),
        (QUIET, -QUIET, (True, False, False)),
        (torch.tensor([nan]), torch.tensor([inf]), (True, True, True)),
        (torch.tensor([nan]), torch.tensor([0.0]), (True, True, True)),
        (torch.tensor([inf]), torch.tensor([-inf]), (True, True, True)),
        (torch.tensor([1e-45]), torch.tensor([0.0]), (True, True, True)),
        (torch.tensor([False]), torch.tensor([True]), (True, True, True)),
        (torch.tensor([complex(1, 0)]), torch.tensor([complex(1, -0.0)]), (True, True, False)),
        (torch.tensor([complex(-0.0, 1)]), torch.tensor([complex(0.0, 1)]), (True, True, False)),
        (torch.tensor([complex(nan, 1)]), torch.tensor([complex(nan, 2)]), (True, True, True)),
        (torch.tensor([complex(nan, 1)]), torch.tensor([complex(-nan, 1)]), (True, False, False)),
        (torch.tensor([complex(1, 2)]), torch.tensor([complex(2, 1)]), (True, True, True)),
        (
            bits(0x00, like=torch.float8_e4m3fn),
            bits(0x80, like=torch.float8_e4m3fn),
            (True, True, False),
        ),
        (bits(0x7D, like=torch.float8_e5m2), bits(0x7E, like=torch.float8_e5m2), (True, False, False)),
    ],
    ids=[
        *"zero payload nan-sign nan-inf nan-zero inf-sign subnormal bool".split(),
        *"imag-zero real-zero beside-nan complex-nan swapped float8-zero float8-nan".split(),
    ],
)
def test_what_each_level_of_exactness_tells_apart(
    one: torch.Tensor, other: torch.Tensor, levels: tuple[bool, ...]
) -> None:
    for pair in ((one, other), (other, one)):
        assert tuple(difference(*pair, exact) is not None for exact in Exact) == levels


def test_bits_that_print_alike_are_said_to_differ() -> None:
    assert difference(QUIET, PAYLOAD) == "element 0 is nan and becomes nan (other bits)"


def test_lazy_conjugation_is_carried_out_before_comparing() -> None:
    x = torch.tensor([1 + 2j, 3 - 4j])
    assert difference(x.conj(), torch.tensor([1 - 2j, 3 + 4j])) is None
    assert difference(x.conj(), x) == "element 0 is (1-2j) and becomes (1+2j)"


def test_a_list_is_no_tensor() -> None:
    assert difference(torch.zeros(2), [torch.zeros(2)]) == "a Tensor is no list"


# Judgements


def rule_of(
    pattern: OpCall, to: Any = X, where: Callable[..., Proof] | None = None, exact: Exact = Exact.BITS
) -> Rule:
    return Rule("test/any", pattern, to, "b", lambda x: x, where, exact=exact)


def drawn_of(call: CallOf) -> Drawn:
    tensors: dict[int, torch.Tensor] = {}

    def visit(part: Any) -> None:
        if isinstance(part, Operand):
            tensors.setdefault(part.slot, part.tensor())
        for inner in part.args if isinstance(part, CallOf) else part if isinstance(part, list) else ():
            visit(inner)

    visit(call)
    done: dict[int, Any] = {}
    evaluated(call, tensors, done)
    return Drawn(call, tensors, done)


def slice_of(x: Operand, *bounds: Any) -> Drawn:
    return drawn_of(CallOf(aten.slice.Tensor, (x, 0, *bounds, 1)))


x, y = Operand(0, (3,)), Operand(1, (3,))
WHOLE, PART = slice_of(x, 0, LAST), slice_of(x, 1, LAST)


def same_shape(f: Facts, x: Any) -> Proof:
    return f.same_shape(x, f.root)


def test_a_right_rule_fires_where_its_predicate_is_proved_and_only_there() -> None:
    judge = Judge(rule_of(slice_(X), where=same_shape))
    here, there = judge.judge(WHOLE), judge.judge(PART)
    assert (here.fired, here.wrong) == (True, None)
    assert (there.fired, there.wrong) == (False, None)
    assert there.proof is not None
    assert there.proof.truth is Truth.REFUTED


def test_a_wrong_rule_is_told_with_the_claim_that_let_it_through() -> None:
    judged = Judge(rule_of(slice_(X), where=lambda f, x: f.le(0, x.shape[0]))).judge(PART)
    assert judged.wrong is not None
    assert judged.wrong.what == "shape (2,) becomes (3,)"
    assert judged.wrong.claim == "0 <= 3"
    assert judged.wrong.call is PART.call
    assert judged.wrong.to is x


def test_where_the_pattern_does_not_match_nothing_is_judged() -> None:
    judged = Judge(rule_of(slice_(X, ANY, 0))).judge(PART)
    assert (judged.proof, judged.wrong, judged.fired) == (None, None, False)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (lambda f, x: Proof.of(1 // 0 > 0, "c", "b"), "`where` raised ZeroDivisionError"),
        (lambda f, x: x.shape[0] == 3, "returned True, not a Proof"),
        (lambda f, x: None, "returned None, not a Proof"),
        (lambda f, x: same_shape(f, x) and None, "`where` raised TypeError: a Proof is three-valued"),
    ],
)
def test_a_predicate_that_gives_no_proof_is_wrong(where: Callable[..., Any], said: str) -> None:
    wrong = Judge(rule_of(slice_(X), where=where)).judge(WHOLE).wrong
    assert wrong is not None
    assert said in wrong.what
    assert wrong.to is None


def test_missing_metadata_is_no_mistake() -> None:
    def where(f: Facts, x: Any) -> Proof:
        raise MissingMetadata("nothing is known")

    judged = Judge(rule_of(slice_(X), where=where)).judge(PART)
    assert (judged.proof, judged.wrong) == (None, None)
    computed = permute(X, Computed(where))
    judged = Judge(rule_of(reorder(reorder(X)), computed)).judge(transposed(Operand(0, (2, 3))))
    assert (judged.proof, judged.wrong) == (None, None)


def test_a_root_with_several_results_is_skipped_as_the_engine_does() -> None:
    split = drawn_of(CallOf(aten.split.Tensor, (CallOf(aten.neg.default, (x,)), 1, 0)))
    pattern = OpCall(aten.split.Tensor, OpCall(aten.neg.default, X), ANY, ANY)
    for where in (None, same_shape):
        judged = Judge(rule_of(pattern, OpCall(aten.split.Tensor, X, 1, 0), where)).judge(split)
        assert (judged.proof, judged.wrong) == (None, None)


def test_exactness_is_the_rule_s_own() -> None:
    pattern = OpCall(aten.add.Tensor, X, 0.0)
    call = drawn_of(CallOf(aten.add.Tensor, (Operand(0, (1,)), 0.0, 1)))
    assert call.tensors[0].item() == 0
    assert call.tensors[0].signbit().all()
    told = {exact: Judge(rule_of(pattern, exact=exact)).judge(call).wrong for exact in Exact}
    assert [exact for exact, wrong in told.items() if wrong] == [Exact.BITS, Exact.NAN_PAYLOAD]


# Replacements


def transposed(of: Operand, *, twice: bool = True) -> Drawn:
    call = CallOf(aten.t.default, (of,))
    return drawn_of(CallOf(aten.transpose.int, (call, 0, 1)) if twice else call)


def test_a_template_is_evaluated_with_what_is_computed_for_it() -> None:
    pair = Operand(0, (2, 3))
    right = permute(X, Computed(lambda f, x: f.permutation(x)))
    wrong = permute(X, Computed(lambda f, x: tuple(reversed(f.permutation(x)))))
    assert Judge(rule_of(reorder(reorder(X)), right)).judge(transposed(pair)).fired
    judged = Judge(rule_of(reorder(reorder(X)), wrong)).judge(transposed(pair)).wrong
    assert judged is not None
    assert judged.what == "shape (2, 3) becomes (3, 2)"
    assert judged.to.target is aten.permute.default
    assert judged.to.args == (pair, [1, 0])


def test_a_template_takes_the_spelling_of_the_root() -> None:
    call = CallOf(aten.permute.default, (Operand(0, (2, 3)), [1, 0]))
    copied = drawn_of(CallOf(aten.permute_copy.default, (call, [1, 0])))
    wrong = Judge(rule_of(permute(permute(X)), permute(X, [1, 0]))).judge(copied).wrong
    assert wrong is not None
    assert wrong.to.target is aten.permute_copy.default


def test_a_template_that_cannot_be_written_down_does_not_fire() -> None:
    rule = rule_of(reorder(reorder(X)), permute(X, Computed(lambda f, x: None)))
    judged = Judge(rule).judge(transposed(Operand(0, (2, 3))))
    assert (judged.fired, judged.wrong) == (False, None)


def test_what_is_computed_for_a_template_may_not_raise() -> None:
    rule = rule_of(reorder(reorder(X)), permute(X, Computed(lambda f, x: 1 // 0)))
    wrong = Judge(rule).judge(transposed(Operand(0, (2, 3)))).wrong
    assert wrong is not None
    assert wrong.what.startswith("the replacement raised ZeroDivisionError")


@pytest.mark.parametrize(
    "dims", [[0, 5], [0, 0], "no dims"], ids=["IndexError", "RuntimeError", "no such call"]
)
def test_a_template_that_does_not_run_is_refused_and_not_wrong(dims: Any) -> None:
    judged = Judge(rule_of(reorder(reorder(X)), permute(X, dims))).judge(transposed(Operand(0, (2, 3))))
    assert (judged.proof, judged.wrong, judged.fired) == (None, None, False)


def test_a_view_of_a_source_that_lies_otherwise_is_refused_and_not_wrong() -> None:
    pattern = OpCall(aten.view.default, OpCall(aten.clone.default, X, rest="any"), ANY)
    rule = rule_of(pattern, OpCall(aten.view.default, X, [-1]))

    def judged(layout: str) -> Any:
        base = CallOf(aten.clone.default, (Operand(0, (2, 3), layout=layout), torch.contiguous_format))
        return Judge(rule).judge(drawn_of(CallOf(aten.view.default, (base, [6]))))

    assert judged("contiguous").fired
    assert not judged("permuted").fired
    assert judged("permuted").wrong is None


def test_a_template_with_several_results_is_refused_as_the_engine_does() -> None:
    pattern = OpCall(aten.cat.default, [OpCall(aten.neg.default, X)], ANY)
    call = drawn_of(CallOf(aten.cat.default, ([CallOf(aten.neg.default, (x,))], 0)))
    judged = Judge(rule_of(pattern, OpCall(aten.split.Tensor, X, 1))).judge(call)
    assert (judged.proof, judged.wrong) == (None, None)


def test_a_list_of_tensors_can_be_handed_on() -> None:
    pattern = OpCall(aten.cat.default, [OpCall(aten.cat.default, var("xs"), ANY)], ANY)
    inner = CallOf(aten.cat.default, ([x, y], 0))
    call = drawn_of(CallOf(aten.cat.default, ([inner], 0)))
    assert Judge(rule_of(pattern, OpCall(aten.cat.default, var("xs"), 0))).judge(call).fired
    other = drawn_of(CallOf(aten.cat.default, ([CallOf(aten.cat.default, ([x, y], 0))], 0)))
    wrong = Judge(rule_of(OpCall(aten.cat.default, [pattern.args[0][0]], 0), var("xs"))).judge(other)
    assert (wrong.fired, wrong.wrong) == (False, None)


def test_one_variable_in_two_places_takes_one_value() -> None:
    judge = Judge(rule_of(OpCall(aten.cat.default, [X, X], ANY)))
    twice, once_each = (drawn_of(CallOf(aten.cat.default, (list(pair), 0))) for pair in ((x, x), (x, y)))
    assert judge.judge(twice).wrong is not None
    assert judge.judge(once_each).proof is None


def test_two_variables_may_take_one_value() -> None:
    judge = Judge(rule_of(OpCall(aten.copy.default, X, Y, ANY), Y))
    assert judge.judge(drawn_of(CallOf(aten.copy.default, (x, x, False)))).fired
    assert judge.judge(drawn_of(CallOf(aten.copy.default, (x, y, False)))).fired


def test_a_dimension_that_is_no_tensor_cannot_stand_for_the_root() -> None:
    rule = rule_of(reshape(X, var("size")), var("size"))
    judged = Judge(rule).judge(drawn_of(CallOf(aten.reshape.default, (x, [3]))))
    assert (judged.fired, judged.wrong) == (False, None)


# Claims for all sizes


def test_what_is_claimed_for_all_sizes_must_be_proved_again_and_be_true() -> None:
    judge = Judge(rule_of(slice_(X), where=lambda f, x: f.eq(x.shape[0], 3)))
    assert judge.judge(WHOLE, claimed="x[n]: proved").wrong is None
    values = judge.judge(PART, claimed="x[n]: proved").wrong
    assert values is not None
    assert values.what == "shape (2,) becomes (3,)"
    proved = judge.judge(slice_of(Operand(0, (4,)), 0, LAST), claimed="x[n]: proved").wrong
    assert proved is not None
    assert proved.what.startswith("proved for all sizes, yet not for these: 4 == 3: refuted")
    assert proved.claim == "x[n]: proved"


# Graphs of instances


def test_the_graph_of_an_instance_has_its_values_and_its_sharing() -> None:
    shared = CallOf(aten.neg.default, (x,))
    call = CallOf(aten.cat.default, ([shared, y, shared], 0))
    drawn = drawn_of(call)
    root, behind = as_graph(call, drawn.tensors, drawn.done)
    (listed, dim) = root.args
    assert (root.target, dim) == (aten.cat.default, 0)
    assert listed[0] is listed[2]  # type: ignore[index]
    assert behind[listed[0]] is shared  # type: ignore[index]
    assert behind[listed[1]] is y  # type: ignore[index]
    assert {id(node.meta["val"]) for node in behind} == {
        *map(id, drawn.tensors.values()),
        *map(id, drawn.done.values()),
    }


def test_keyword_only_arguments_are_matched_as_such() -> None:
    rule = rule_of(OpCall(aten.clone.default, X, rest="any"))

    def first(options: Any) -> Any:
        return options[0]

    pick: Pick = first
    drawn = Drawer(rule, Scope()).draw(pick)
    root, _ = as_graph(drawn.call, drawn.tensors, drawn.done)
    assert list(root.kwargs) == ["memory_format"]
    proof, matched, _ = Judge(rule).asked(drawn.call, drawn.tensors, drawn.done, Prover())
    assert matched is not None
    assert proof is not None
    assert proof.proved


def test_another_name_is_the_operand_itself() -> None:
    judged = Judge(rule_of(alias(X))).judge(drawn_of(CallOf(aten.alias.default, (x,))))
    assert judged.fired
