"""Run by `make wheel` in an environment that has the wheel, from a directory that has nothing.

An editable install finds modules that the wheel lacks, so only an installed wheel can show that they are there.
"""

import importlib
import importlib.metadata
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"engine": "noopelim", "patterns": "noopelim/patterns"}


def expected() -> set[str]:
    """The files of the checkout, by the names that the wheel should give them."""
    return {
        f"{package}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, package in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def main() -> None:
    files = importlib.metadata.files("noopelim") or []
    installed = {str(file) for file in files if file.parts[0] == "noopelim" and file.suffix != ".pyc"}
    if different := installed ^ expected():
        sys.exit(f"in only one of wheel and checkout: {sorted(different)}")

    for name in sorted(installed):
        # Running the command is not what importing it should do.
        if not name.endswith(".py") or name.endswith("__main__.py"):
            continue
        module = importlib.import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        if not Path(module.__file__ or "").is_relative_to(sys.prefix):
            sys.exit(f"{module.__name__} was imported from {module.__file__}, not from the wheel")
    print(f"the wheel has all {len(installed)} files, and its modules import")


main()
