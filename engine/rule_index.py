"""The index from targets to the rules that can match there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set

from torch.fx import Node

from .match import MAX_CALLS, Matcher, compile_pattern, sees_calls_alone
from .parts import CALLS
from .pattern import Assembly, Chain, OpCall, calls_in, variables_in
from .rule import Rule
from .trees import stands_alone


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
            id(target) for rule in ordered if isinstance(rule.pattern, Chain) for target in rule.pattern.fns
        )
        """The identities of targets that chains are made of: a change may complete a chain any number of them further
        down."""
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
        self.inner = frozenset(
            id(fn)
            for rule in ordered
            for call in calls_in(rule.pattern)
            if call is not rule.pattern
            for fn in call.fns
        )
        """The identities of targets that patterns look at below their root."""
        calls = [call for rule in ordered for call in calls_in(rule.pattern)]
        # By identity, as the hash of an overload is slow; 0 for what no pattern looks at.
        self._numbers = {
            id(fn): k for k, fn in enumerate({*CALLS, *(f for c in calls for f in c.fns)}, start=1)
        }
        self._places = {id(target): _looked_at(rules) for target, rules in self._by_target.items()}
        self._screens: dict[object, Candidates] = {}

    def __len__(self) -> int:
        """How many rules there are."""
        return self._count

    @property
    def named(self) -> Set[int]:
        """The identities of the targets that some rule is rooted at."""
        return self._places.keys()

    @property
    def targets(self) -> Iterable[object]:
        """Every target that some rule is rooted at."""
        return self._by_target.keys()

    def at(self, node: Node) -> Candidates | None:
        """What can match at the node by its target and those of its operands; None if nothing can."""
        target = node.target
        places = self._places.get(id(target))
        if places is None or node.op != "call_function":
            return None
        key: object = id(target)
        if node.kwargs:
            # Keywords may come before operands in the schema, so that nothing is told by places.
            key = key, None
        elif places:
            numbers, args = self._numbers, node.args
            told: list[int] = [id(target)]
            for place in places:
                operand = args[place] if place < len(args) else None
                if isinstance(operand, Node) and operand.op == "call_function":
                    told.append(numbers.get(id(operand.target), 0))
                else:
                    told.append(-1)
            key = tuple(told)
        found = self._screens.get(key)
        if found is None:
            rules = [each for each in self._by_target[target] if _may_match(each[0].pattern, node)]
            found = self._screens[key] = Candidates(rules)
        return found if found.rules else None

    def reached_from(self, users: Sequence[Node]) -> Iterator[Node]:
        """The nodes at which a change to ``users`` can complete a match: themselves, what is at most ``depth`` calls
        further down by way of calls that patterns look into, and what continues their chains."""
        level = users
        yield from level
        for _ in range(self.depth - 1):
            level = [user for node in level if id(node.target) in self.inner for user in node.users]
            yield from level
        chained = self.chained
        links = [user for user in users if id(user.target) in chained]
        for _ in range(MAX_CALLS):
            if not links:
                break
            yield from links
            links = [user for node in links for user in node.users if id(user.target) in chained]


class Candidates:
    """``rules``: those that can match, with their matchers. ``depth``: how many levels of calls their patterns look at,
    apart from chains; None if some may look at anything. ``sprawling``: a change anywhere below may complete a match."""

    __slots__ = ("depth", "rules", "sprawling")

    def __init__(self, rules: Sequence[tuple[Rule, Matcher]]) -> None:
        self.rules = tuple(rules)
        self.sprawling = any(isinstance(rule.pattern, Assembly) for rule, _ in rules)
        alone = all(sees_calls_alone(rule.pattern) for rule, _ in rules)
        self.depth = max((rule.depth for rule, _ in rules), default=1) if alone else None


def _looked_at(rules: Iterable[tuple[Rule, Matcher]]) -> tuple[int, ...]:
    """Places of the operands that some pattern asks to be a call."""
    places: set[int] = set()
    for rule, _ in rules:
        if isinstance(rule.pattern, Assembly):
            places.add(0)
        elif type(rule.pattern) is OpCall:
            places.update(k for k, part in enumerate(rule.pattern.args) if isinstance(part, OpCall))
    return tuple(sorted(places))


def _stands_alone(pattern: OpCall) -> bool:
    return isinstance(pattern, Chain | Assembly)


def _may_match(pattern: OpCall, node: Node) -> bool:
    """Are the operands of ``node`` calls that the pattern asks for, as far as their targets tell?"""
    if node.kwargs:
        return True
    if isinstance(pattern, Assembly):
        return not stands_alone(node)
    if type(pattern) is not OpCall:
        return True
    for place, part in enumerate(pattern.args):
        if not isinstance(part, OpCall):
            continue
        operand = node.args[place] if place < len(node.args) else None
        if not (isinstance(operand, Node) and operand.op == "call_function" and operand.target in part.fns):
            return False
    return True
