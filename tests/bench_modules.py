"""The benchmarks' modules for tests. They are no package, so their folder is on the path while one is imported."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any


def bench_module(name: str) -> Any:
    """``tests/bench/<name>.py``."""
    folder = str(Path(__file__).parent / "bench")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(folder)
