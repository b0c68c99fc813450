"""Rules from a Python file or a dotted module, by name."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import itertools
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from .errors import RuleError
from .rule import Rule, RuleSet

_count = itertools.count()


def load_rules(where: str, listed: str = "RULES") -> RuleSet:
    """The rules of a Python file, as in ``my_rules.py``, or of a dotted module, as in ``my_package.rules``.

    They are what ``RULES``, or another name that ``listed`` gives, holds, a tuple, list or ``RuleSet``, or ``ALL`` if
    there is none of the name. Without either they are the single ``Rule`` objects at top level or, where there are none, the ``RuleSet`` objects. Running the
    file runs its code. Raises ``RuleError``, naming the file and the mend.
    """
    module = _module_at(Path(where)) if _is_path(where) else _module_named(where)
    found = vars(module)
    named = next((found[name] for name in (listed, "ALL") if name in found), None)
    if named is not None:
        return _rule_set(where, named)
    rules = list(dict.fromkeys(v for v in found.values() if isinstance(v, Rule)))
    if rules:
        return _rule_set(where, rules)
    sets = [v for v in found.values() if isinstance(v, RuleSet)]
    if sets:
        return _rule_set(where, list(dict.fromkeys(rule for rules in sets for rule in rules)))
    raise RuleError(f"{where}: no RULES, and no Rule at top level; end it with RULES = (my_rule,)")


def _is_path(where: str) -> bool:
    return where.endswith(".py") or "/" in where or os.sep in where or os.path.isfile(where)


def _rule_set(where: str, rules: object) -> RuleSet:
    if not isinstance(rules, tuple | list | RuleSet):
        raise RuleError(
            f"{where}: RULES is of type {type(rules).__name__}; make it a tuple, as in RULES = (my_rule,)"
        )
    for rule in rules:
        if not isinstance(rule, Rule):
            raise RuleError(f"{where}: RULES holds {rule!r}, which is no rule; put only Rule objects in it")
    if not len(rules):
        raise RuleError(f"{where}: RULES is empty; list the rules in it")
    try:
        return rules if isinstance(rules, RuleSet) else RuleSet(tuple(rules))
    except RuleError as error:
        raise RuleError(f"{where}: {error}") from error


def _module_at(path: Path) -> ModuleType:
    if path.is_dir():
        raise RuleError(f"{path}: is a directory; name a file in it, or the package as a dotted module")
    if not path.is_file():
        raise RuleError(f"{path}: there is no such file; check the path")
    # A name of its own each time, or two files of one name would be taken for one module.
    name = f"_noopelim_rules_{next(_count)}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RuleError(f"{path}: is no Python file; give one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _searched_last(path.resolve().parent):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _failed(str(path), error, str(path)) from error
    return module


def _module_named(name: str) -> ModuleType:
    with _searched_last(Path.cwd()):
        importlib.invalidate_caches()
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name and f"{name}.".startswith(f"{error.name}."):
                raise RuleError(
                    f"{name}: there is no module {error.name}; check the name, "
                    "or give a path that ends in .py"
                ) from error
            raise _failed(name, error) from error
        except (Exception, SystemExit) as error:
            raise _failed(name, error) from error


@contextlib.contextmanager
def _searched_last(directory: Path) -> Iterator[None]:
    """A file of rules may import its neighbours; last, so that nothing installed is shadowed."""
    entry = str(directory)
    if entry in sys.path:
        yield
        return
    sys.path.append(entry)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(entry)


def _failed(where: str, error: BaseException, path: str | None = None) -> RuleError:
    """What the code of a module raised, with the line of that module that is to be mended."""
    if isinstance(error, SyntaxError):
        place = f"{error.filename or where}:{error.lineno}"
        return RuleError(f"{place}: {error.msg}; mend the line")
    text = " ".join(traceback.format_exception_only(error)[-1].split())
    if isinstance(error, ImportError) and "relative import" in str(error):
        return RuleError(f"{where}: {text}; it belongs to a package: name it as a dotted module")
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if path is not None and _same_file(f.filename, path)]
    theirs = [f for f in frames if "importlib" not in f.filename and f.filename != __file__]
    line = next((f"{where}:{f.lineno}" for f in reversed(ours)), None)
    if line is None:
        line = next((f"{where}: {f.filename}:{f.lineno}" for f in theirs), where)
    # An error of ours says what the mend is already.
    if isinstance(error, RuleError):
        return RuleError(f"{line}: {error}")
    return RuleError(f"{line}: {text}; mend the line, or install what it needs")


def _same_file(one: str, other: str) -> bool:
    return os.path.abspath(one) == os.path.abspath(other)
