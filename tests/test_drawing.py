"""Instances: what operands and arguments are tried, that they fit the pattern, and that none is left out."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import pytest
import torch
from torch._inductor.pattern_matcher import ListOf

from noopelim import ANY, SIZE, OpCall, Rule, X, Y, exhaust, patterns, var
from noopelim.choices import DeadEnd, every
from noopelim.drawing import SWEEPS, Drawn, draw, heads
from noopelim.errors import RuleError
from noopelim.instances import CallOf, operands_of
from noopelim.law import as_graph
from noopelim.match import compile_pattern
from noopelim.operands import COUNTED, DTYPES, FILLS, LAYOUTS, Operand, bits_of, filled
from noopelim.pattern import variables_in
from noopelim.schema_values import FAR, MOST_ELEMENTS, is_known, options, plausible, shapes
from noopelim.scope import Scope
from noopelim.spellings import expand, permute, reshape, slice_, slice_scatter
from noopelim.stages import BEYOND

aten = torch.ops.aten
SMALL = Scope(rank=2, dim=2, window=2)
LINE = Scope(rank=1, dim=2, window=2)
SIZES = ((), (0,), (1,), (3,), (0, 2), (2, 0), (1, 2), (2, 3), (2, 1, 2))


def rule_of(pattern: OpCall) -> Rule:
    return Rule("test/any", pattern, var(next(variables_in(pattern))), "b", lambda x: x)


def drawn_every(rule: Rule, scope: Scope, sweep: str = "shapes") -> Iterator[Drawn]:
    known = heads(rule, together=sweep == "spellings")
    return every(lambda pick: draw(rule, scope, pick, pick(known), sweep))


def drawn_some(rule: Rule, scope: Scope, sweep: str, count: int) -> list[Drawn]:
    random, found, known = Random(0), list[Drawn](), heads(rule, together=sweep == "spellings")

    def pick(values: Sequence[Any]) -> Any:
        if not len(values):
            raise DeadEnd
        return random.choice(values)

    for _ in range(200 * count):
        if len(found) == count:
            break
        try:
            found.append(draw(rule, scope, pick, pick(known), sweep))
        except DeadEnd:
            continue
    return found


def key_of(part: Any) -> Any:
    """What tells an instance from another."""
    if isinstance(part, CallOf):
        return (str(part.target), *map(key_of, part.args))
    return tuple(map(key_of, part)) if isinstance(part, list) else (type(part), str(part), part)


# Operands


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_an_operand_is_as_described(dtype: torch.dtype, layout: str) -> None:
    for shape, fill in itertools.product(SIZES, (0, 5, COUNTED)):
        operand = Operand(1, shape, dtype, layout, fill)
        tensor = operand.tensor()
        assert (tuple(tensor.shape), tensor.dtype) == (shape, dtype)
        assert torch.equal(bits_of(tensor), bits_of(operand.tensor()))
        assert tensor.data_ptr() != operand.tensor().data_ptr() or not tensor.numel()


def test_an_operand_lies_in_memory_as_described() -> None:
    lies = {layout: Operand(0, (2, 3), layout=layout).tensor() for layout in LAYOUTS}
    assert {layout: (t.stride(), t.storage_offset()) for layout, t in lies.items()} == {
        "contiguous": ((3, 1), 0),
        "permuted": ((1, 2), 0),
        "expanded": ((0, 1), 0),
        "sliced": ((7, 2), 1),
        "offset": ((3, 1), 1),
    }


def telling_bits(dtype: torch.dtype) -> list[torch.Tensor]:
    if dtype is torch.bool:
        values: list[Any] = [False, True]
    elif dtype.is_floating_point or dtype.is_complex:
        values = [-0.0, 0.0, float("nan"), float("inf"), -float("inf"), -1.5, 7e4]
    else:
        values = [0, 1, torch.iinfo(dtype).max, torch.iinfo(dtype).min]
    wide = torch.float64 if dtype.is_floating_point else dtype
    return [bits_of(torch.tensor([v], dtype=wide).to(dtype)) for v in values]


def test_the_sweep_of_values_brings_every_telling_value_to_every_operand() -> None:
    """Two at a time, which no kernel takes by the vector; and all at once, for those that do."""
    met: dict[tuple[int, int, torch.dtype], list[torch.Tensor]] = {}
    for drawn in drawn_every(rule_of(OpCall(aten.cat.default, [X, Y], 0)), SMALL, "values"):
        for slot, tensor in drawn.tensors.items():
            met.setdefault((slot, tensor.numel(), tensor.dtype), []).append(tensor)
    for slot, count, dtype in itertools.product((0, 1), (2, 40), (d for d in DTYPES if not d.is_complex)):
        bits = torch.cat([bits_of(t) for t in met[slot, count, dtype]])
        for telling in telling_bits(dtype):
            alike = bits.view(dtype) == telling.view(dtype)
            if dtype.is_floating_point and telling.view(dtype).isnan():
                alike = bits.view(dtype).isnan()
            elif dtype.is_floating_point:
                alike &= bits == telling
            assert alike.any(), (slot, count, dtype, telling)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_nans_have_a_sign_and_a_payload(dtype: torch.dtype) -> None:
    tensor = filled((40,), dtype, 0)
    plain = bits_of(torch.tensor([float("nan")], dtype=dtype))
    assert tensor.isnan().any()
    assert (bits_of(tensor)[tensor.isnan()] != plain).all()
    assert tensor[tensor.isnan()].signbit().all()


def test_a_complex_number_is_a_pair_of_telling_values() -> None:
    met = [Operand(0, (2,), torch.complex64, fill=fill).tensor() for fill in range(0, FILLS, 2)]
    pairs = torch.view_as_real(torch.cat(met))
    assert (pairs.signbit() & (pairs == 0)).any(0).all()
    assert pairs.isnan().any(0).all()
    assert pairs.isinf().any(0).all()


def test_counted_elements_differ_between_operands_too() -> None:
    assert filled((2, 2), torch.float32, COUNTED).tolist() == [[1, 2], [3, 4]]
    assert not torch.equal(Operand(0, (4,), fill=COUNTED).tensor(), Operand(1, (4,), fill=COUNTED).tensor())


# Arguments


def test_shapes_are_all_there_the_smallest_first() -> None:
    found = shapes(2, 2)
    assert len(found) == len(set(found)) == 1 + 3 + 9
    assert found[:4] == [(), (0,), (0, 0), (1,)]


CUBE = torch.zeros(2, 1, 2)


@pytest.mark.parametrize(
    ("kind", "name", "operand", "expected"),
    [
        ("int", "dim", CUBE, range(-3, 3)),
        ("int", "dim", torch.zeros(()), [-1, 0]),
        ("int", "step", CUBE, [1, 2]),
        ("int", "start", CUBE, [0, -1, 1, -2, 2, FAR]),
        ("int", "index", CUBE, [0, -1, 1, -2, 2]),
        ("Optional[int]", "end", CUBE, [None, 0, -1, 1, -2, 2, FAR]),
        ("bool", "keepdim", CUBE, [False, True]),
        ("Optional[bool]", "copy", CUBE, [None, False, True]),
        ("Optional[Tensor]", "mask", CUBE, [None]),
        ("Layout", "layout", CUBE, [torch.strided]),
        ("str", "equation", CUBE, []),
    ],
)
def test_arguments_by_type_and_name(
    kind: str, name: str, operand: torch.Tensor, expected: Sequence[Any]
) -> None:
    assert list(options(kind, name, operand, SMALL)) == list(expected)
    assert is_known(kind) == (kind != "str")


def test_a_new_dim_may_stand_at_either_end() -> None:
    assert list(options("int", "dim", CUBE, SMALL, aten.unsqueeze.default)) == list(range(-4, 4))


def test_dtypes_begin_with_the_operand_s_own() -> None:
    found = list(options("ScalarType", "dtype", torch.zeros(1, dtype=torch.int8), SMALL))
    assert found[0] is torch.int8
    assert set(found) == set(DTYPES)
    assert len(found) == len(set(found))


def test_zeros_of_both_signs_are_scalars() -> None:
    found = list(map(str, options("number", "other", CUBE, SMALL)))
    assert {"0", "0.0", "-0.0", "1", "1.0"} <= set(found)


def test_orders_of_dims_count_from_either_end() -> None:
    found = [tuple(d) for d in options("List[int]", "dims", torch.zeros(2, 2), SMALL)]
    whole = {(a, b) for a, b in itertools.product(range(-2, 2), repeat=2) if a % 2 != b % 2}
    assert {d for d in found if len(d) == 2} == whole
    assert len(found) == len(set(found))


@pytest.mark.parametrize("shape", shapes(2, 2), ids=str)
@pytest.mark.parametrize("target", [aten.reshape.default, aten.expand.default], ids=str)
def test_all_legal_sizes_are_asked_for(target: Any, shape: tuple[int, ...]) -> None:
    x = torch.zeros(shape)
    found = [tuple(s) for s in options("List[int]", "size", x, SMALL, target)]
    assert found[0] == shape
    assert len(found) == len(set(found))
    for size in (s for r in range(3) for s in itertools.product(range(-1, 3), repeat=r)):
        # Of an empty result torch takes a -1 in a new dim, too, and makes a dim of size -1 of it.
        odd = target is aten.expand.default and -1 in size[: len(size) - len(shape)]
        assert odd or not runs(target, x, list(size)) or size in found, size


def runs(target: Callable[..., Any], *args: Any) -> bool:
    try:
        target(*args)
    except (RuntimeError, IndexError):
        return False
    return True


def test_no_legal_call_is_held_for_implausible() -> None:
    tensors = [torch.zeros(s) for s in shapes(2, 2)]
    calls: list[tuple[Any, ...]] = [
        (aten.slice_scatter.default, a, b, dim, start, end, step)
        for a, b in itertools.product(tensors, repeat=2)
        for dim, start, end, step in itertools.product((-1, 0, 1), (None, 0, 1, -1), (None, 1, FAR), (1, 2))
    ]
    calls += [(aten.view_as.default, a, b) for a, b in itertools.product(tensors, repeat=2)]
    calls += [
        (aten.unflatten.int, a, dim, list(size))
        for a, dim in itertools.product(tensors, (-1, 0, 1))
        for size in itertools.product((-1, 0, 1, 2), repeat=2)
    ]
    said = Counter((plausible(target, args), runs(target, *args)) for target, *args in calls)
    assert said[False, True] == 0
    assert said[True, True] > 100
    assert said[False, False] > 100


# Instances


@pytest.mark.parametrize("rule", list(patterns.ALL), ids=lambda rule: rule.name)
def test_in_every_sweep_the_instances_of_a_rule_match_its_pattern(rule: Rule) -> None:
    match = compile_pattern(rule.pattern)
    for sweep in SWEEPS:
        found = drawn_some(rule, SMALL, sweep, 25)
        assert len(found) == 25, sweep
        for drawn in found:
            root, _ = as_graph(drawn.call, drawn.tensors, drawn.done)
            assert match(root) is not None, drawn.call


@pytest.mark.parametrize("sweep", SWEEPS)
@pytest.mark.parametrize("name", ["slice/whole", "expand/to-own-shape", "copy/copy", "reshape/to-own-shape"])
def test_no_instance_is_drawn_twice(name: str, sweep: str) -> None:
    found = itertools.islice(drawn_every(patterns.ALL[name], Scope(rank=1, dim=1, window=1), sweep), 1500)
    keys = Counter(key_of(drawn.call) for drawn in found)
    assert keys
    assert max(keys.values()) == 1


def brute_force_slices() -> Iterator[tuple[Any, ...]]:
    bounds = (None, *range(-2, 3), FAR)
    for target in (aten.slice.Tensor, aten.slice_copy.Tensor):
        for shape in ((), (0,), (1,), (2,)):
            for args in itertools.product(range(-2, 2), bounds, bounds, range(1, 3)):
                if runs(target, torch.zeros(shape), *args):
                    yield str(target), shape, *args


def test_exhaustive_means_exhaustive_for_slices() -> None:
    rule = patterns.ALL["slice/whole"]
    found = [(str(d.call.target), d.call.args[0].shape, *d.call.args[1:]) for d in drawn_every(rule, LINE)]
    assert Counter(found) == Counter(brute_force_slices())
    assert exhaust.exhaust(rule, LINE, "shapes").counts["instances"] == len(found) > 500


def test_exhaustive_means_exhaustive_for_a_chain() -> None:
    rule = rule_of(permute(OpCall(aten.unsqueeze.default, X, ANY)))
    scope = Scope(rank=1, dim=1, window=1)
    found = Counter(
        (str(d.call.target), d.call.args[0].args[0].shape, d.call.args[0].args[1], tuple(d.call.args[1]))
        for d in drawn_every(rule, scope)
    )
    expected = Counter(
        (str(target), shape, dim, dims)
        for target in (aten.permute.default, aten.permute_copy.default)
        for shape in ((), (0,), (1,))
        for dim in range(-len(shape) - 1, len(shape) + 1)
        for dims in itertools.product(range(-2, 2), repeat=len(shape) + 1)
        if runs(aten.permute.default, torch.zeros(shape).unsqueeze(dim), list(dims))
    )
    assert found == expected
    assert len(expected) > 50


def test_a_pattern_that_no_call_fits_has_no_instances() -> None:
    rule = rule_of(permute(X, [0, 1, 2, 3]))
    assert exhaust.exhaust(rule, SMALL, "shapes").counts["instances"] == 0


def test_second_operands_go_with_the_first() -> None:
    seen: dict[tuple[int, ...], set[Any]] = {}
    for drawn in drawn_every(rule_of(OpCall(aten.add.Tensor, X, Y)), SMALL):
        x, y = drawn.call.args[:2]
        seen.setdefault(x.shape, set()).add(y.shape if isinstance(y, Operand) else str(y))
    assert {(2, 2), (1, 2), (2, 1), (2,), (), "-0.0", "0", "1.0"} <= seen[2, 2]
    assert {(), (2,), (1, 2)} <= seen[()]


def test_one_variable_is_one_operand() -> None:
    for drawn in itertools.islice(drawn_every(rule_of(OpCall(aten.cat.default, [X, X])), SMALL), 50):
        (one, other) = drawn.call.args[0]
        assert one is other
        assert len(drawn.tensors) == 1


def test_one_call_in_two_places_is_one_node() -> None:
    inner = OpCall(aten.neg.default, X)
    for drawn in itertools.islice(drawn_every(rule_of(OpCall(aten.mul.Tensor, inner, inner)), SMALL), 20):
        assert drawn.call.args[0] is drawn.call.args[1]
        root, behind = as_graph(drawn.call, drawn.tensors, drawn.done)
        assert root.args[0] is root.args[1]
        assert len(behind) == 3


def test_patterns_may_hold_lists() -> None:
    pattern = OpCall(aten.cat.default, [X, OpCall(aten.neg.default, Y)], ANY)
    found = drawn_some(rule_of(pattern), SMALL, "shapes", 30)
    assert len(found) == 30
    for drawn in found:
        one, other = drawn.call.args[0]
        assert isinstance(one, Operand)
        assert other.target is aten.neg.default
        assert len(list(operands_of(drawn.call))) == 2


def test_a_list_may_hold_integers() -> None:
    drawn = list(drawn_every(rule_of(permute(X, [var("a"), ANY])), SMALL))
    found = {tuple(d.call.args[1]) for d in drawn if d.call.args[0].shape == (2, 1)}
    assert found == {(a, b) for a, b in itertools.product(range(-2, 2), repeat=2) if a % 2 != b % 2}


def test_a_variable_may_be_a_list_of_tensors() -> None:
    found = drawn_some(rule_of(OpCall(aten.cat.default, var("xs"), ANY)), SMALL, "shapes", 30)
    assert {len(d.call.args[0]) for d in found} == {1, 2}
    assert all(isinstance(o, Operand) for d in found for o in d.call.args[0])


def test_an_argument_left_out_has_its_default_and_one_left_open_its_default_first() -> None:
    for pattern, expected in (
        (OpCall(aten.rsub.Tensor, X, X), ["1"]),
        (OpCall(aten.rsub.Tensor, X, X, rest="any"), ["1", "0", "2", "-1", "1.0", "0.0", "-0.0", "0.5"]),
    ):
        scope = Scope(rank=0, dim=1)
        assert [str(d.call.args[2]) for d in drawn_every(rule_of(pattern), scope)] == expected


@pytest.mark.parametrize(
    ("pattern", "mend"),
    [
        (OpCall(aten.cat.default, ListOf(X)), "write the pattern with OpCall"),
        (OpCall(aten.cat.default, [ListOf(X)]), "write the pattern with OpCall"),
        (OpCall(aten.einsum.default, ANY, [X], rest="any"), "type str for 'equation' .* write a constant"),
    ],
)
def test_a_pattern_without_instances_is_refused_with_the_mend(pattern: OpCall, mend: str) -> None:
    rule = Rule("test/any", pattern, X, "b", lambda x: x)
    with pytest.raises(RuleError, match=f"test/any.*{mend}"):
        list(drawn_every(rule, SMALL))


@pytest.mark.parametrize("name", ["repeat/by-ones", "slice_scatter/whole", "copy/copy", "expand/of-expand"])
def test_samples_beyond_the_scope_are_large_but_fit_in_memory(name: str) -> None:
    found = drawn_some(patterns.ALL[name], BEYOND, "shapes", 60)
    counts = [max(d.done[id(d.call)].numel(), *(t.numel() for t in d.tensors.values())) for d in found]
    assert len(found) == 60
    assert 100 < max(counts) <= MOST_ELEMENTS


# Parts and bounds


@pytest.mark.parametrize(("sweep", "sampled"), [("shapes", False), ("dtypes", True), ("shapes", True)])
def test_parts_of_a_sweep_are_disjoint_and_the_whole_and_those_of_a_sample_are_samples(
    sweep: str, sampled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 120 if sampled else 3_000
    seen: list[Any] = []

    class Listening(exhaust.Judge):
        def judge(self, drawn: Drawn, claimed: str | None = None) -> Any:
            seen.append(key_of(drawn.call))
            return super().judge(drawn, claimed)

    def tried(part: int, parts: int) -> list[Any]:
        seen.clear()
        found = exhaust.exhaust(rule, scope, sweep, part, parts)
        assert found.sampled == sampled
        assert found.counts["instances"] == len(seen)
        return list(seen)

    monkeypatch.setattr(exhaust, "Judge", Listening)
    rule, scope = patterns.ALL["slice/whole"], Scope(rank=1, dim=2, window=2, most=most)
    whole = tried(0, 1)
    parts = [tried(part, 3) for part in range(3)]
    assert len(whole) > 30
    assert all(parts)
    if sampled:
        assert parts == [tried(part, 3) for part in range(3)]
        assert parts[0] != parts[1] != parts[2] != parts[0]
        assert sum(map(len, parts)) <= most
    else:
        assert Counter(itertools.chain.from_iterable(parts)) == Counter(whole)


def test_the_scope_is_lowered_until_it_can_be_exhausted() -> None:
    rule = rule_of(slice_(X))
    large, small = (exhaust.within_reach(rule, Scope(most=most)) for most in (30_000, 3_000))
    assert (3, 3) >= (large.rank, large.dim) > (small.rank, small.dim)
    assert len(list(drawn_every(rule, small))) <= 3_000
    assert exhaust.within_reach(rule, Scope(most=1), "values") == Scope(most=1)


def test_spellings_are_combined_in_their_own_sweep_only() -> None:
    rule = rule_of(slice_scatter(OpCall(aten.neg.default, X), slice_(reshape(expand(X), SIZE))))
    spelled = [2, 5, 3]
    assert len(heads(rule)) == 2 * 5 * 3
    assert len(heads(rule, together=False)) == 1 + sum(n - 1 for n in spelled)
