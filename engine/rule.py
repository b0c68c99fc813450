"""Rules as data. Everything about a rule that can be wrong without a graph is checked when it is made."""

from __future__ import annotations

import difflib
import enum
import fnmatch
import functools
import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .errors import RuleError
from .pattern import Assembly, Built, Calls, Chain, Computed, OpCall, calls_in, variables_in
from .proof import Proof
from .torch_api import Ignored, KeywordArg

_NAME = re.compile(r"[a-z0-9_]+(-[a-z0-9_]+)*(/[a-z0-9_]+(-[a-z0-9_]+)*)+")


class Exact(enum.IntEnum):
    """What a rule keeps of a value, strongest first. Only ``BITS`` rules are on by default."""

    BITS = 0
    """Every bit, -0.0 and NaN payloads included."""
    NAN_PAYLOAD = 1
    """Every bit of every number; a NaN stays a NaN."""
    VALUES = 2
    """Numbers that compare equal: -0.0 may become +0.0."""


@dataclass(frozen=True, eq=False)
class Rule:
    """One elimination: where ``pattern`` matches and ``where`` is proved, ``to`` stands for the root.

    ``pattern`` is an ``OpCall`` over variables; ``where(f, ...)`` takes the facts ``f`` and, by parameter
    name, any of the variables, and returns a ``Proof`` (None: the pattern alone suffices); ``to`` is a
    variable of the pattern, or a template with fewer calls (of a chain: ``Calls``, counted at the match); ``because`` is the law in one sentence;
    ``example`` and each ``near_miss`` are functions of float32 tensors, traced by the generated tests, on
    which the rule fires and does not fire; ``exact`` is what the rule keeps of a value.

    A rule speaks of values only. That ``to`` has the root's dtype, layout and device, that no aliasing or
    write stands in the way and that no output changes identity is the engine's to check, for every rule.
    """

    name: str
    pattern: OpCall
    to: KeywordArg | OpCall | Calls | Built
    because: str
    example: Callable[..., Any]
    where: Callable[..., Proof] | None = None
    near_miss: tuple[Callable[..., Any], ...] = ()
    exact: Exact = Exact.BITS

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise RuleError(
                f"rule {self.name!r}: name it family/what-it-does, in lower case, as in slice/whole"
            )
        if not isinstance(self.pattern, OpCall):
            raise self._error("the pattern is not a call", "build it with the helpers of noopelim.spellings")
        if not self.because.strip():
            raise self._error("`because` is empty", "state the law in one sentence")
        for label, function in (("example", self.example), *(("near_miss", n) for n in self.near_miss)):
            if not callable(function):
                raise self._error(f"`{label}` is not callable", "give a function of tensors")
        if not isinstance(self.exact, Exact):
            raise self._error(f"`exact` is {self.exact!r}", "give a member of noopelim.Exact")
        if self.where is not None:
            self._check_parameters("where", self.where)
        self._check_to()

    def _error(self, what: str, mend: str) -> RuleError:
        return RuleError(f"rule {self.name!r}: {what}; {mend}")

    @property
    def variables(self) -> frozenset[str]:
        """The names the pattern binds."""
        return frozenset(variables_in(self.pattern))

    @property
    def makes_node(self) -> bool:
        """Does the rule build a new node, or only use an existing value?"""
        return not isinstance(self.to, KeywordArg)

    def of_each_length(self, longest: int) -> tuple[Rule, ...]:
        """The rule itself; of a chain, the rules over exactly one call, two, and up to ``longest``; of a tree, over
        each of its forms."""
        if isinstance(self.pattern, Assembly):
            return tuple(replace(self, pattern=form) for form in self.pattern.forms)
        if not isinstance(self.pattern, Chain):
            return (self,)
        return tuple(replace(self, pattern=self.pattern.of_length(n + 1)) for n in range(longest))

    @property
    def depth(self) -> int:
        """Longest chain of calls in the pattern; how far from a change a new match can appear."""

        def below(call: OpCall) -> int:
            return 1 + max((below(a) for a in call.args if isinstance(a, OpCall)), default=0)

        return below(self.pattern)

    def _check_to(self) -> None:
        bound = Counter(variables_in(self.pattern))
        used = Counter(variables_in(self.to))
        if not isinstance(self.to, KeywordArg | OpCall | Calls | Built):
            raise self._error(f"`to` is {self.to!r}", "give a variable of the pattern or a template")
        unbound = sorted(used.keys() - bound.keys())
        if unbound:
            raise self._error(
                f"`to` uses {', '.join(unbound)}, which the pattern does not bind",
                f"use one of {', '.join(sorted(bound)) or 'its variables (it has none)'}",
            )
        chains = [call for call in calls_in(self.pattern) if isinstance(call, Chain | Assembly)]
        if chains and chains != [self.pattern]:
            raise self._error("a chain stands inside another pattern", "let the chain be the whole pattern")
        if isinstance(self.to, Calls | Built):
            self._check_parameters(type(self.to).__name__, self.to.of)
            return
        before, after = len(list(calls_in(self.pattern))), len(list(calls_in(self.to)))
        if after >= before:
            raise self._error(
                f"the measure does not fall: {before} calls in the pattern, {after} in `to`",
                "a rule that could loop is refused; make `to` smaller",
            )
        grown = sorted(name for name, count in used.items() if count > bound[name])
        if grown:
            raise self._error(
                f"`to` repeats {', '.join(grown)} more often than the pattern",
                "the measure counts what is below each occurrence; use it no more often",
            )
        for call in calls_in(self.to):
            for argument in call.args:
                if isinstance(argument, OpCall):
                    raise self._error("the template nests calls", "build one call; more is not supported")
                if isinstance(argument, Ignored):
                    raise self._error("the template leaves an argument open", "give every argument a value")
                if isinstance(argument, Computed):
                    self._check_parameters("Computed", argument.of)

    def _check_parameters(self, label: str, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise self._error(f"`{label}` is not callable", "give a function of the facts and of variables")
        parameters = list(inspect.signature(function).parameters.values())
        plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
        if not parameters or any(p.kind not in plain for p in parameters):
            raise self._error(
                f"`{label}` must take the facts first, then variables by name",
                "write it as `lambda f, x: ...`",
            )
        unknown = [p.name for p in parameters[1:] if p.name not in self.variables]
        if unknown:
            raise self._error(
                f"`{label}` asks for {', '.join(unknown)}, which the pattern does not bind",
                f"use {', '.join(sorted(self.variables)) or 'no variables'}",
            )


@functools.lru_cache(maxsize=4096)
def parameters_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The variable names a predicate asks for, after the facts."""
    return tuple(inspect.signature(function).parameters)[1:]


@dataclass(frozen=True)
class RuleSet:
    """An ordered set of rules with unique names. ``only`` and ``without`` take shell-style globs."""

    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        for rule in self.rules:
            if not isinstance(rule, Rule):
                raise RuleError(f"a rule set holds rules, not {rule!r}; pass Rule objects")
        twice = sorted(name for name, n in Counter(r.name for r in self.rules).items() if n > 1)
        if twice:
            raise RuleError(f"rule name used twice: {', '.join(twice)}; rename one of the two")

    @classmethod
    def of(cls, *groups: Iterable[Rule]) -> RuleSet:
        """All rules of several ``RULES`` tuples or rule sets."""
        return cls(tuple(rule for group in groups for rule in group))

    @property
    def names(self) -> tuple[str, ...]:
        """In order."""
        return tuple(rule.name for rule in self.rules)

    def only(self, *globs: str) -> RuleSet:
        """The rules whose name matches any glob. Raises ``RuleError`` for a glob that matches none."""
        wanted = self._matching(globs)
        return RuleSet(tuple(r for r in self.rules if r.name in wanted))

    def without(self, *globs: str) -> RuleSet:
        """The rules whose name matches no glob. Raises ``RuleError`` for a glob that matches none."""
        unwanted = self._matching(globs)
        return RuleSet(tuple(r for r in self.rules if r.name not in unwanted))

    def _matching(self, globs: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for glob in globs:
            names = fnmatch.filter(self.names, glob)
            if not names:
                near = difflib.get_close_matches(glob, self.names, n=3, cutoff=0.4)
                mend = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(self.names)}"
                raise RuleError(f"no rule is named {glob!r}; {mend}")
            found.update(names)
        return found

    def __or__(self, other: RuleSet) -> RuleSet:
        return RuleSet.of(self, (r for r in other if r not in self.rules))

    def __getitem__(self, name: str) -> Rule:
        (rule,) = self.only(name).rules
        return rule

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)
