# SPDX-License-Identifier: MIT
"""The fault campaign's figures: cases, soak, pilot's times, stalled gate, exhaustive check, mutation score."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from functools import cache
from typing import Any

from backfeed.checkout import ROOT
from backfeed.errors import PartError

TIMEOUT_S = 3600
SOAK_H = float(os.environ.get("BACKFEED_SOAK_H", "1"))


@cache
def _campaign() -> dict[str, Any]:
    from backfeed.campaign import FOLDER, summary, write_reports
    from hil.campaign.plan import load
    from hil.campaign.pool import run_cases

    started_s = time.perf_counter()
    results = run_cases(load().cases(), 2)
    write_reports(results, FOLDER, time.perf_counter() - started_s)
    return summary(results)


@cache
def _pilot() -> dict[str, float]:
    from hil.campaign.pilot_times import measure as measure_pilot

    times, gate_ms, violations = measure_pilot()
    if violations:
        raise PartError(f"unsafe: {violations[0][1]} at {violations[0][0]:g} s")
    return {
        "pilot_open_worst_ms": max(times.open_ms, times.current_ms),
        "pilot_close_worst_ms": times.close_ms,
        "gate_after_stall_ms": gate_ms,
    }


def _soak() -> float:
    from hil.campaign.soak import run_soak

    result = run_soak(SOAK_H)
    if not result.passed:
        raise PartError(f"soak: {[*result.failed, *result.violations][0]}")
    return float(max(0, result.heap_growth_bytes))


def _printed(module: str, pattern: str) -> float:
    """Run a module of the tests and return the number it prints."""
    run = subprocess.run([sys.executable, "-m", module], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S)
    found = re.search(pattern, run.stdout)
    if found is None:
        raise PartError(f"{module} printed no figure: {(run.stderr or run.stdout).strip()[-200:]}")
    return float(found.group(1))


def measure(name: str) -> float:
    """Return one figure."""
    if name == "mutation_score_pct":
        return _printed("tests.mutation", r"mutation_score_pct ([\d.]+)")
    if name == "reachable_states":
        return _printed("tests.model", r"(\d+) reachable states")
    if name == "heap_growth_soak_bytes":
        return _soak()
    if name.startswith("campaign_"):
        return float(_campaign()[name])
    return _pilot()[name]
