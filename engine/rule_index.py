"""The index from targets to the rules that can match there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch.fx import Node

from .match import Matcher, compile_pattern, sees_calls_alone
from .pattern import Assembly, Chain, OpCall, calls_in, variables_in
from .rule import Rule


class Index:
    """Which rules can match at a node, by its target, in the order they are tried.

    The order does not depend on the order of the rule set, so neither does the result: rules that use an
    existing value come before rules that build a node, of these the ones over a fixed pattern before those
    over chains, and names decide the rest.
    """

    def __init__(self, rules: Iterable[Rule], tidy: bool = False) -> None:
        self.tidy = tidy
        """Merge equal calls and drop dead ones too?"""
        ordered = sorted(rules, key=lambda r: (r.makes_node, isinstance(r.pattern, Chain), r.name))
        self._count = len(ordered)
        self.depth = max((rule.depth for rule in ordered), default=1)
        self.chained = frozenset(
            target for rule in ordered if isinstance(rule.pattern, Chain) for target in rule.pattern.fns
        )
        """Targets that chains are made of: a change may complete a chain any number of them further down."""
        self._by_target: dict[object, list[tuple[Rule, Matcher]]] = {}
        compiled: dict[object, Matcher] = {}
        for rule in ordered:
            pattern = rule.pattern
            # Chains and trees of the same calls are matched once for all rules over them.
            alike = (
                (type(pattern), tuple(pattern.fns), *variables_in(pattern))
                if _stands_alone(pattern)
                else rule
            )
            matcher = compiled.get(alike)
            if matcher is None:
                matcher = compiled[alike] = compile_pattern(pattern)
            for target in dict.fromkeys(pattern.fns):
                self._by_target.setdefault(target, []).append((rule, matcher))
        self._roots = frozenset(map(id, self._by_target))
        self._depths = {
            id(target): max(rule.depth for rule, _ in rules)
            for target, rules in self._by_target.items()
            if all(sees_calls_alone(rule.pattern) for rule, _ in rules)
        }
        self.inner = frozenset(
            id(fn)
            for rule in ordered
            for call in calls_in(rule.pattern)
            if call is not rule.pattern
            for fn in call.fns
        )
        """The identities of targets that patterns look at below their root."""
        trees = [rule.pattern for rule in ordered if isinstance(rule.pattern, Assembly)]
        self.sprawling = frozenset(id(target) for tree in trees for target in tree.fns)
        """The identities of roots of trees: a change anywhere below may complete one."""
        calls = [call for rule in ordered for call in calls_in(rule.pattern)]
        # By identity, as the hash of an overload is slow; 0 for what no pattern names.
        self._numbers = {id(fn): k for k, fn in enumerate({f for c in calls for f in c.fns}, start=1)}
        self._screens: dict[tuple[int, ...], tuple[tuple[Rule, Matcher], ...]] = {}

    def __len__(self) -> int:
        """How many rules there are."""
        return self._count

    @property
    def named(self) -> frozenset[int]:
        """The identities of the targets that some rule is rooted at."""
        return self._roots

    @property
    def targets(self) -> Iterable[object]:
        """Every target that some rule is rooted at."""
        return self._by_target.keys()

    def depth_at(self, target: object) -> int | None:
        """How many levels of calls patterns rooted at ``target`` look at, apart from chains; None if some may look at
        anything."""
        return self._depths.get(id(target))

    def at(self, node: Node) -> Sequence[tuple[Rule, Matcher]]:
        """The rules that can match at the node by its target and those of its operands, with their matchers."""
        if node.op != "call_function":
            return ()
        numbers = self._numbers
        number = numbers.get(id(node.target), 0)
        if not number:
            return ()
        key = (
            number,
            # Keywords may come before operands in the schema.
            len(node.kwargs),
            *(
                numbers.get(id(a.target), 0) if isinstance(a, Node) and a.op == "call_function" else -1
                for a in node.args
            ),
        )
        found = self._screens.get(key)
        if found is None:
            rules = self._by_target.get(node.target, ())
            found = self._screens[key] = tuple(each for each in rules if _may_match(each[0].pattern, node))
        return found


def _stands_alone(pattern: OpCall) -> bool:
    return isinstance(pattern, Chain | Assembly)


def _may_match(pattern: OpCall, node: Node) -> bool:
    """Are the operands of ``node`` calls that the pattern asks for, as far as their targets tell?"""
    if type(pattern) is not OpCall or node.kwargs:
        return True
    for place, part in enumerate(pattern.args):
        if not isinstance(part, OpCall):
            continue
        operand = node.args[place] if place < len(node.args) else None
        if not (isinstance(operand, Node) and operand.op == "call_function" and operand.target in part.fns):
            return False
    return True
