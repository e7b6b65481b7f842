# SPDX-License-Identifier: MIT
"""Run cases in worker processes: each owns a core's worth of boards, one after the other."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from backfeed import firmware_ask
from hil.campaign.case import Result, run_case
from hil.campaign.plan import CASES, Case, Plan, load

_plan: Plan | None = None
_fram: Path | None = None


def _begin(path: Path, fram: Path) -> None:
    """Load the plan and take a core of its own: firmware and plant take turns on one."""
    global _plan, _fram
    cores = sorted(os.sched_getaffinity(0))
    number = multiprocessing.current_process()._identity[0]
    os.sched_setaffinity(0, {cores[number % len(cores)]})
    _plan, _fram = load(path), fram


def _one(name: str) -> Result:
    assert _plan is not None and _fram is not None
    case = next(case for case in _plan.cases() if case.name == name)
    return run_case(case, _plan, _fram)


def run_cases(
    cases: list[Case], jobs: int, path: Path = CASES, show: Callable[[Result], None] = lambda result: None
) -> list[Result]:
    """Run cases on `jobs` processes; return their results in the order of the cases."""
    results = {}
    with tempfile.TemporaryDirectory(prefix="backfeed-campaign-") as folder:
        fram = Path(folder) / "settings.bin"
        firmware_ask.write_settings(fram, load(path).settings)
        for result in _stream([case.name for case in cases], jobs, path, fram):
            results[result.name] = result
            show(result)
    return [results[case.name] for case in cases]


def _stream(names: list[str], jobs: int, path: Path, fram: Path) -> Iterator[Result]:
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, _begin, (path, fram)) as pool:
        yield from pool.imap_unordered(_one, names, chunksize=1)
