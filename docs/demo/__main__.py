"""The demo: ``python docs/demo``. Every figure is measured in the run that prints it; a false claim fails."""

from __future__ import annotations

import sys
import warnings

import fusion
import llama
import torch
from table import DemoFailed, console


def main() -> int:
    # The first is said for every compilation, and is meant: the pass must run each time. The second is torch's
    # own affair: it deprecates a class and still makes instances of it.
    for text in ("dynamo_pgo force disabled", ".*LeafSpec.* is deprecated"):
        warnings.filterwarnings("ignore", message=text)
    console.print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for part in (llama.demo, fusion.demo):
        try:
            part()
        except DemoFailed as failure:
            console.print(f"FAILED, this did not hold: {failure}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
