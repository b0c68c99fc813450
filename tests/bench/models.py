"""``python tests/bench/models.py``: real models through Inductor, without noopelim and with it.

By default up to where Inductor would make kernels: nodes, rules, and what an oracle finds that is not needed.
With ``--compile`` a few of them in full: compile time, kernels, bytes and run time. Each architecture runs in a
process that may die, so that a failure of one is told beside the others. Ends with 1 if one failed, if a result
differs, if a guard was added, or if a second run finds more to do.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HOOKS = ("joint_custom_post_pass", "post_grad_custom_post_pass")
LONGEST = 1800
"""Seconds that one architecture may take."""
_STRIDE = 5
_DOCS = Path(__file__).parents[2] / "docs"
Record = dict[str, Any]


def main() -> int:
    options = _options()
    if options.worker:
        for line in sys.stdin:
            print(json.dumps(list(_measured(line.strip(), options))), flush=True)
        return 0
    import models_report
    from endtoend import ARCHITECTURES
    from zoo import zoo

    if options.read:
        return _told(json.loads(Path(options.read).read_text()), options)
    wanted = options.only or (ARCHITECTURES if options.compile else zoo())
    names = [n for n in zoo() if n in wanted]
    unknown = set(wanted) - set(names)
    if unknown:
        raise SystemExit(f"no such architecture: {', '.join(sorted(unknown))}; there are {', '.join(zoo())}")
    records: list[Record] = []
    began = time.perf_counter()
    done = queue.SimpleQueue[list[Record]]()
    left = queue.SimpleQueue[str]()
    # Of each family some early on.
    for name in [n for first in range(_STRIDE) for n in names[first::_STRIDE]]:
        left.put(name)
    # What is timed has the machine to itself.
    jobs = 1 if options.compile else options.jobs
    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(_drain, left, done, options) for _ in range(jobs)]
        for _ in names:
            for record in done.get():
                records.append(record)
                models_report.progress(record, time.perf_counter() - began)
            if options.json:
                Path(options.json).write_text(json.dumps(records))
            if options.survivors:
                Path(options.survivors).write_text(models_report.survivors_text(records))
        for each in running:
            each.result()
    return _told(records, options)


def _told(records: list[Record], options: argparse.Namespace) -> int:
    import compiled_page
    import models_page
    import models_report

    if options.write and options.compile:
        (_DOCS / "compiled.md").write_text(compiled_page.compiled_page(records))
    elif options.write:
        (_DOCS / "models.md").write_text(models_page.page(records))
    return models_report.show_compiled(records) if options.compile else models_report.show(records)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="of the architectures; may be repeated"
    )
    parser.add_argument("--mode", action="append", choices=("dynamic", "static", "training"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="architectures at a time")
    parser.add_argument(
        "--hooks", default=",".join(HOOKS), help="where in Inductor noopelim runs, by option names"
    )
    parser.add_argument(
        "--compile",
        type=int,
        metavar="ROUNDS",
        nargs="?",
        const=3,
        help="compile a few in full, so many times",
    )
    parser.add_argument("--json", metavar="FILE", help="write all that was measured")
    parser.add_argument("--read", metavar="FILE", help="measure nothing, and show what an earlier run wrote")
    parser.add_argument("--write", action="store_true", help="write docs/models.md, or docs/compiled.md")
    parser.add_argument("--survivors", metavar="FILE", help="write what is left and why, grouped")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _drain(
    left: queue.SimpleQueue[str], done: queue.SimpleQueue[list[Record]], options: argparse.Namespace
) -> None:
    worker = _Worker(options)
    with contextlib.closing(worker):
        while True:
            try:
                name = left.get_nowait()
            except queue.Empty:
                return
            done.put(worker.measured(name))


class _Worker:
    """A process that measures one architecture after another; one that dies takes only its own with it."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._command = [sys.executable, __file__, "--worker", "--hooks", options.hooks]
        for mode in options.mode or ():
            self._command += ["--mode", mode]
        if options.compile:
            self._command += ["--compile", str(options.compile)]
        self._process: subprocess.Popen[str] | None = None

    def measured(self, name: str) -> list[Record]:
        """What the process says of this architecture."""
        if self._process is None or self._process.poll() is not None:
            self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
            )
        process = self._process
        assert process.stdin
        assert process.stdout
        alarm = threading.Timer(LONGEST, process.kill)
        alarm.start()
        try:
            process.stdin.write(name + "\n")
            process.stdin.flush()
            return list(json.loads(process.stdout.readline()))
        except (OSError, json.JSONDecodeError):
            status = process.wait()
            self._errors.seek(0)
            last = " ".join(self._errors.read().strip().splitlines()[-1:])
            return [{"name": name, "mode": "all", "failure": f"the process ended with {status}: {last}"}]
        finally:
            alarm.cancel()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _measured(name: str, options: argparse.Namespace) -> Iterator[Record]:
    hooks = options.hooks.split(",")
    # What libraries print is not part of the answer.
    with contextlib.redirect_stdout(sys.stderr):
        import measure
        import torch
        from endtoend import end_to_end
        from zoo import zoo

        torch.set_num_threads(1)
        architecture = zoo()[name]
        for mode in measure.modes(architecture):
            if mode not in (options.mode or (mode,)) or (options.compile and mode == measure.TRAINING):
                continue
            try:
                if options.compile:
                    yield end_to_end(architecture, mode, hooks, options.compile)
                else:
                    yield measure.measured(architecture, mode, hooks)
            except Exception as error:
                traceback.print_exc()
                yield {"name": name, "mode": mode, "failure": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    sys.exit(main())
