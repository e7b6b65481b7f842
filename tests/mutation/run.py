# SPDX-License-Identifier: MIT
"""Run the plain tests against mutants: each in a forked process that has everything imported already.

    python -m tests.mutation [protect|limit|FILE...] [--sample N] [--seed N] [--jobs N]

A mutant is killed when a test fails, raises, or when its tests take SLOWER times the processor time that they take
on the unchanged sources (a wall clock would kill by chance on a busy machine). The tests of a file are those of TESTS,
its own first and of each file the quickest first, until one fails. What survives must stand in survivors.txt with a
reason; a reason without a survivor is told, too.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.graft import graft, takers
from tests.mutation.mutate import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
SURVIVORS = Path(__file__).with_name("survivors.txt")
SLOWER = 10
GOAL_PERCENT = 95.0
FOLDERS = ("protect", "limit")

# File (or folder) of firmware/evse -> files of tests/core that say what it must do, its own first.
LIMIT = (
    "test_limiter_bounds",
    "test_budget_bounds",
    "test_ramp_bounds",
    "test_limit_bounds",
    "test_energy",
    "test_limit",
)
PROTECT = ("test_element_bounds", "test_enter_bounds", "test_mean_bounds", "test_rocof_bounds", "test_protect_bounds")
WHOLE_METHOD = ("test_islanding_bounds", "test_islanding_dead_bus", "test_islanding")
TESTS = {
    "limit": (*LIMIT, "test_soc", "test_limit_power"),
    "limit/site.py": ("test_site_limit",),
    "limit/ramp.py": ("test_ramp", "test_ramp_bounds", "test_limit_bounds", "test_limit_power"),
    "limit/__init__.py": ("test_soc", "test_limit_power", *LIMIT, "test_droop", "test_session"),
    "protect": PROTECT,
    "protect/chance.py": ("test_chance",),
    "protect/islanding": WHOLE_METHOD,
    "protect/islanding/course.py": ("test_islanding_course", *WHOLE_METHOD),
    "protect/islanding/push.py": ("test_islanding_push", *WHOLE_METHOD),
    "protect/islanding/quiet.py": ("test_islanding_quiet", *WHOLE_METHOD),
    "protect/islanding/probe.py": ("test_islanding_probe", *WHOLE_METHOD),
}
# Too slow for each mutant, and no bound of a mutant needs them: they run in the normal test run.
SLOW_S = 0.5


@dataclass
class Report:
    killed: int
    total: int
    survivors: list[Mutant]
    seconds: float

    @property
    def percent(self) -> float:
        return 100.0 * self.killed / self.total if self.total else 100.0


def module_name(path: Path) -> str:
    parts = list(path.relative_to(FIRMWARE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def paths() -> None:
    """Put what the tests import on the path."""
    for folder in (ROOT, FIRMWARE, ROOT / "tests" / "cpython", ROOT / "tests" / "core", ROOT / "tests"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    importlib.import_module("ticks").install()


def relevant(mutant_path: str) -> tuple[str, ...]:
    """Return the test files for a source file: its own entry, or that of the nearest folder."""
    path = mutant_path
    while path not in TESTS:
        path = path.rpartition("/")[0]
    return TESTS[path]


class Suite:
    """The tests of some files, in their order, in each the quickest first, timed on the unchanged sources."""

    def __init__(self, files: tuple[str, ...]):
        timed = []
        for rank, file in enumerate(files):
            module = importlib.import_module(file)
            for name in dir(module):
                test = getattr(module, name)
                if name.startswith("test_") and callable(test):
                    started = time.process_time()
                    test()
                    timed.append((rank, time.process_time() - started, name, test))
        timed = sorted((row for row in timed if row[1] < SLOW_S), key=lambda row: row[:3])
        self.tests: list[Callable] = [row[-1] for row in timed]
        self.cpu_s = 1 + math.ceil(SLOWER * sum(row[1] for row in timed))

    def kills(self) -> bool:
        """Run until the first test that fails."""
        for test in self.tests:
            try:
                test()
            except Exception:  # a mutant may fail in any way; that is what is looked for
                return True
        return False


def start(mutant: Mutant, suite: Suite) -> int:
    """Fork a process that ends with 0 when the mutant survives; return its id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CPU, (suite.cpu_s, suite.cpu_s + 1))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        graft(sys.modules[module_name(FIRMWARE / "evse" / mutant.path)], mutant.source)
        status = 1 if suite.kills() else 0
    finally:
        os._exit(status)


def run(chosen: list[Mutant], jobs: int, show: Callable[[Mutant], None] | None = None) -> Report:
    """Run mutants, `jobs` at a time."""
    paths()
    suites = {files: Suite(files) for files in {relevant(mutant.path) for mutant in chosen}}
    for mutant in chosen:
        takers(importlib.import_module(module_name(FIRMWARE / "evse" / mutant.path)).__name__)
    started = time.perf_counter()
    waiting = list(reversed(chosen))
    running: dict[int, Mutant] = {}
    survivors: list[Mutant] = []
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            running[start(mutant, suites[relevant(mutant.path)])] = mutant
        child, status = os.wait()
        if child not in running:
            continue
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
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
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
    parser.add_argument("names", nargs="*", default=list(FOLDERS))
    parser.add_argument("--sample", type=int, default=0, help="only so many, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    known = excused()
    worst = 100.0
    for name in chosen.names:
        made = collect([name])
        if chosen.sample:
            made = random.Random(chosen.seed).sample(made, min(chosen.sample, len(made)))
        report = run(made, chosen.jobs, lambda m: print(f"survived  {m.name} | line {m.line}", flush=True))
        unexplained = [mutant for mutant in report.survivors if mutant.name not in known]
        if not chosen.sample:
            for excuse in sorted(set(known) & {m.name for m in made} - {m.name for m in report.survivors}):
                print(f"killed, and yet excused  {excuse}", flush=True)
        print(
            f"{name}: {report.killed} of {report.total} killed, {report.percent:.1f} % (goal {GOAL_PERCENT} %), "
            f"{len(unexplained)} survivors without a reason, {report.seconds:.0f} s",
            flush=True,
        )
        worst = min(worst, report.percent)
    print(f"mutation_score_pct {worst:.1f}")
    return 0 if worst >= GOAL_PERCENT else 1
