"""What the rules said of each node that stays, which answers hold for other nodes too, and which are asked for again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch.fx import Node

from .calls import op_name
from .constants import constants
from .descriptions import Descriptions
from .facts import Facts
from .integers import Prover
from .layout_numbers import LayoutNumbers
from .match import Matcher
from .plans import Plan, Refusal
from .remarks import Missed
from .rule import Rule
from .rule_index import Index
from .uniform import InQuestion, is_constant

_FEW_RULES = 8
"""Up to as many rules, asking them again is cheaper than to find out that they were asked before."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """``first``: the node it was given for. ``afar``: it rests on more than what is matched, so that any rewrite may
    change it. ``elements``: it rests on what an operand holds."""

    refusal: Refusal | None
    first: Node
    afar: bool
    elements: bool


class Answers:
    """Those of one run over one graph."""

    def __init__(self, prover: Prover, index: Index, layouts: LayoutNumbers) -> None:
        self._constants = constants(prover)
        self._in_question = InQuestion()
        many = len(index) > _FEW_RULES
        self._descriptions = Descriptions(index, layouts, self._in_question) if many else None
        self._by_description: dict[int, _Answer] = {}
        self._applied: dict[int, tuple[Rule, Matcher]] = {}
        self._given: dict[Node, _Answer] = {}
        # In the answers that rest on what is matched alone, a change puts the node back on the worklist.
        self._open: set[Node] = set()

    def description(self, node: Node, depth: int | None) -> int | None:
        """By which an answer given before is found, with ``depth`` levels of calls; None if it could not be relied
        on."""
        return None if self._descriptions is None or depth is None else self._descriptions.of(node, depth)

    def repeat(self, node: Node, description: int | None) -> bool:
        """Give the answer that was given for a node of the same description, if there was one."""
        answer = None if description is None else self._by_description.get(description)
        if answer is not None:
            self._note(node, answer)
        return answer is not None

    def applied(self, description: int | None, rule: tuple[Rule, Matcher]) -> None:
        """``rule`` applies to a node of this description; those before it do not, as far as it tells."""
        if description is not None:
            self._applied[description] = rule

    def applies(self, description: int | None) -> tuple[Rule, Matcher] | None:
        """The rule that is known to be the first that may apply."""
        return None if description is None else self._applied.get(description)

    def give(
        self, node: Node, refusal: Refusal | None, description: int | None, facts: Facts | None, afar: bool
    ) -> None:
        """Nothing applies to ``node``; ``refusal``: the nearest miss; ``facts``: what was asked, if anything was;
        ``afar``: it rests on more than these say."""
        elements = facts is not None and facts.elements
        answer = _Answer(refusal, node, afar or (facts is not None and not facts.local), elements)
        if description is not None and (facts is None or facts.near):
            self._by_description[description] = answer
        self._note(node, answer)

    def _note(self, node: Node, answer: _Answer) -> None:
        self.settle(node)
        if answer.refusal is not None:
            self._given[node] = answer
            if answer.afar:
                self._open.add(node)

    def settle(self, node: Node) -> None:
        """There is nothing to say of the node, or no node any more."""
        if self._given.pop(node, None) is not None:
            self._open.discard(node)

    def reopen(self, node: Node) -> bool:
        """Ask for a refused node again; False if it is none."""
        if node not in self._given:
            return False
        self._open.add(node)
        return True

    def to_ask_again(self) -> list[Node]:
        """The nodes whose answers may have changed, in graph order."""
        return sorted(self._open)

    def rewritten(
        self, found: Plan, to: Node, users: Iterable[Node], made: Iterable[Node], retired: Iterable[Node]
    ) -> None:
        """``to`` stands for the root, for ``users``; ``made`` are new, and ``retired`` lost a reader."""
        known = self._descriptions
        if known is not None:
            for view in found.values:
                known.revalued(view)
            if to is found.root:
                known.revalued(to)
            for user in users:
                known.changed(user)
            for node in (to, *(operand for new in made for operand in new.all_input_nodes), *retired):
                known.read_anew(node)

    def replaced(self, root: Node, to: Node) -> None:
        """``root``, still as it was, has lost its readers to ``to``, or is called on other values. If ``to`` is known
        to the last element and ``root`` was not, more may be."""
        known, question = self._constants, self._in_question
        unknown, same = known.unknown(root), to is root
        if not (unknown or self._descriptions is not None):
            return
        was_one = question.of(root)
        if same:
            known.look_again(root)
            question.look_again(root)
        if not question.of(to):
            return
        made_one = not was_one
        if made_one:
            question.ask_again()
        if unknown and is_constant(known, to) and (same or not is_constant(known, root)):
            made_one = True
            known.ask_again()
            self._open.update(node for node, answer in self._given.items() if answer.elements)
        if made_one and self._descriptions is not None:
            self._descriptions.forget_constants()

    def missed(self, path: str) -> Callable[[], list[Missed]]:
        """For when they are asked for: a remark for each node that stays, in the graph at ``path``."""
        given = self._given
        return lambda: [_missed(node, answer.refusal, answer.first, path) for node, answer in given.items()]


def _missed(node: Node, refusal: Refusal | None, first: Node, path: str) -> Missed:
    assert refusal is not None
    return Missed(
        node.name,
        op_name(node),
        refusal.rule.name,
        refusal.stage,
        refusal.why,
        path,
        trace(node),
        like="" if first is node else first.name,
    )


def trace(node: Node) -> str | None:
    """The stack trace of the code that the node comes from, if it is kept."""
    found = node.meta.get("stack_trace")
    return found if isinstance(found, str) else None
