"""Make ``docs/rules.md`` and ``docs/coverage.md`` from the rules and from a run of the catalogue's graphs.

python docs/generate.py           write both
python docs/generate.py --check   write nothing; fail, and show where, if one is not what would be written
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# The catalogue is written with the tools of the tests.
sys.path[:0] = [str(HERE), str(ROOT / "tests")]

import coverage_page  # noqa: E402
import rules_page  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="fail if a page is stale")
    parser.add_argument(
        "--todo", type=Path, help="also write the graphs from which too little goes to this file"
    )
    parser.add_argument(
        "--not-built", action="store_true", help="tell what is to change in tests/catalogue_not_built.py"
    )
    given = parser.parse_args()
    runs = coverage_page.run_all()
    if given.todo:
        given.todo.write_text(coverage_page.todo(runs), encoding="utf-8")
    if given.not_built:
        print(coverage_page.not_built(runs), end="")
    pages = {HERE / "rules.md": rules_page.page(), HERE / "coverage.md": coverage_page.page(runs)}
    if given.check:
        stale = [_difference(path, text) for path, text in pages.items()]
        print("".join(stale), end="")
        return any(stale)
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
    return 0


def _difference(path: Path, wanted: str) -> str:
    """What would change in a page; empty if nothing would."""
    found = path.read_text(encoding="utf-8") if path.exists() else ""
    name = path.relative_to(ROOT).as_posix()
    lines = difflib.unified_diff(
        found.splitlines(),
        wanted.splitlines(),
        name,
        f"{name}, as `python docs/generate.py` writes it",
        lineterm="",
    )
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
