"""``docs/rules.md``: the rules that noopelim ships, one table for each module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from written import Writer, code, example, first_line, modules, operators, source

from noopelim import Exact, Rule, patterns

KEEPS = {
    Exact.BITS: "every bit",
    Exact.NAN_PAYLOAD: "all but a NaN's payload",
    Exact.VALUES: "all but the sign of zero and a NaN's payload",
}

HEAD = """# Rules

<!-- Made by `python docs/generate.py` from `noopelim.patterns`. Edit the rules. -->

{count} rules, {default} of them on by default and {others} in `noopelim.patterns.VALUE_EQUAL`, because they keep less
than every bit.

*Reads* is the pattern and what stands for it. `x`, `y` and other names are any value or argument, the same name the
same one; `_` is anything; `a/b` is a call of `a` or of `b`; `move...` is a chain of calls of any length. Copying forms
of an operator go by its name. A name for more than three operators is explained under [Families](#families).
*Where* is what must be proved of the match as well. *Example* is a graph of float32 values, written as calls, on which
the rule fires, and *near misses* is the number of graphs on which it must not.
"""

TABLE = """
| rule | reads | because | example | near misses | keeps |
|--|--|--|--|--|--|
"""


def page() -> str:
    writer = Writer()
    default, others = list(patterns.ALL), list(patterns.VALUE_EQUAL)
    text = HEAD.format(count=len(default) + len(others), default=len(default), others=len(others))
    for module in modules():
        rules = list(_listed(module, default + others))
        if rules:
            text += f"\n## {module.__name__.rsplit('.', 1)[1]}\n\n{first_line(module)}\n"
            text += TABLE + "".join(_line(rule, writer) for rule in rules)
    text += "\n## Families\n\n"
    text += "".join(f"- `{name}`: {operators(fns)}\n" for name, fns in sorted(writer.families.items()))
    return text


def _listed(module: Any, wanted: list[Rule]) -> Iterator[Rule]:
    return (rule for rule in (*module.RULES, *getattr(module, "VALUE_EQUAL", ())) if rule in wanted)


def _line(rule: Rule, writer: Writer) -> str:
    cells = (
        code(rule.name),
        code(writer.rule(rule)) + (f" where {code(source(rule.where))}" if rule.where else ""),
        rule.because.replace("|", "\\|"),
        code(example(rule)),
        str(len(rule.near_miss)),
        KEEPS[rule.exact],
    )
    return f"| {' | '.join(cells)} |\n"
