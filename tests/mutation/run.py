# SPDX-License-Identifier: MIT
"""Run the plain tests against mutants, each in a forked process that imports the mutant afresh.

    python -m tests.mutation [protect|limit|FILE...] [--sample N] [--jobs N]

A mutant is killed when a test fails, raises or takes longer than TIMEOUT_S. What survives must
stand in survivors.txt with a reason.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.util
import os
import random
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.mutate import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
SURVIVORS = Path(__file__).with_name("survivors.txt")
TIMEOUT_S = 30
GOAL_PERCENT = 95.0

# Folder of firmware/evse -> test files, quickest first.
TESTS = {
    "limit": (
        "test_soc",
        "test_limit_power",
        "test_limit",
        "test_droop",
        "test_session",
        "test_departure",
        "test_ramp",
    ),
    "protect": ("test_protect_elements", "test_protect_stages", "test_enter_service"),
}


@dataclass
class Report:
    killed: int
    total: int
    survivors: list[Mutant]
    seconds: float

    @property
    def percent(self) -> float:
        return 100.0 * self.killed / self.total if self.total else 100.0


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Serves the mutant's source for its module."""

    def __init__(self, module: str, source: str, path: Path):
        self.module, self.source, self.path = module, source, path

    def find_spec(self, name, path, target=None):
        if name != self.module:
            return None
        where = [str(self.path.parent)] if self.path.name == "__init__.py" else None
        spec = importlib.util.spec_from_loader(name, self, origin=str(self.path), is_package=where is not None)
        spec.submodule_search_locations = where
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile(self.source, str(self.path), "exec"), module.__dict__)


def module_name(path: Path) -> str:
    parts = list(path.relative_to(FIRMWARE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def paths() -> None:
    """Put what the tests import on the path, and forget what was imported of the firmware."""
    for folder in (ROOT, FIRMWARE, ROOT / "tests" / "cpython", ROOT / "tests" / "core", ROOT / "tests"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    ours = tuple(path.stem for path in (ROOT / "tests" / "core").glob("*.py"))
    for name in list(sys.modules):
        if name == "evse" or name.startswith("evse.") or name in ours:
            del sys.modules[name]
    importlib.import_module("ticks").install()


def all_pass(files: tuple[str, ...]) -> bool:
    """Run every plain test of the files; stop at the first that fails."""
    for file in files:
        if not (ROOT / "tests" / "core" / f"{file}.py").exists():
            continue
        try:
            module = importlib.import_module(file)
            for name in dir(module):
                if name.startswith("test_") and callable(getattr(module, name)):
                    getattr(module, name)()
        except Exception:  # a mutant may fail in any way; that is what is looked for
            return False
    return True


def start(mutant: Mutant) -> int:
    """Fork a process that ends with 0 when the mutant survives; return its id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(TIMEOUT_S)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        path = FIRMWARE / "evse" / mutant.path
        paths()
        sys.meta_path.insert(0, Changed(module_name(path), mutant.source, path))
        status = 0 if all_pass(TESTS[mutant.path.split("/")[0]]) else 1
    finally:
        os._exit(status)


def run(chosen: list[Mutant], jobs: int, show=None) -> Report:
    """Run mutants, `jobs` at a time."""
    started = time.perf_counter()
    waiting = list(reversed(chosen))
    running: dict[int, Mutant] = {}
    survivors: list[Mutant] = []
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            running[start(mutant)] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            survivors.append(mutant)
            if show:
                show(mutant)
    return Report(len(chosen) - len(survivors), len(chosen), survivors, time.perf_counter() - started)


def collect(names: list[str]) -> list[Mutant]:
    """Return the mutants of folders or files below firmware/evse."""
    made = []
    for name in names:
        path = FIRMWARE / "evse" / name
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            made += mutants(str(file.relative_to(FIRMWARE / "evse")), file.read_text())
    return made


def excused() -> dict[str, str]:
    """Return survivors.txt as {mutant name: reason}."""
    found = {}
    for line in SURVIVORS.read_text().splitlines() if SURVIVORS.exists() else []:
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(" | ")
            found[name.strip()] = reason.strip()
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=["protect", "limit"])
    parser.add_argument("--sample", type=int, default=0, help="only so many, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    made = collect(chosen.names)
    if chosen.sample:
        made = random.Random(chosen.seed).sample(made, min(chosen.sample, len(made)))
    known = excused()
    report = run(made, chosen.jobs, lambda m: print(f"survived  {m.name} | line {m.line}", flush=True))
    unexplained = [mutant for mutant in report.survivors if mutant.name not in known]
    print(
        f"{report.killed} of {report.total} mutants killed, {report.percent:.1f} % (goal {GOAL_PERCENT} %), "
        f"{len(unexplained)} survivors without a reason, {report.seconds:.0f} s"
    )
    return 0 if report.percent >= GOAL_PERCENT else 1
