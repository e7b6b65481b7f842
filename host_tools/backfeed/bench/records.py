# SPDX-License-Identifier: MIT
"""Counts: power cuts tried on every stored record, records lost by them, points, Home Assistant entities."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache

from backfeed.checkout import ROOT
from backfeed.errors import PartError
from backfeed.firmware_ask import entities
from backfeed.tables import points

TIMEOUT_S = 300
FILES = [f"tests/store/test_{name}.py" for name in ("power_cut", "power_cut_texts", "recordings")]


@cache
def cuts() -> tuple[int, int]:
    """Run the exhaustive power-cut tests; return (cuts made, tests that lost something)."""
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", *FILES]
    run = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=TIMEOUT_S)
    made = [int(count) for count in re.findall(r"power cuts: (\d+)", run.stdout)]
    if len(made) != len(FILES):
        raise PartError(f"the power-cut tests did not run: {run.stdout[-500:]}{run.stderr[-500:]}")
    failed = re.search(r"(\d+) failed", run.stdout)
    return sum(made), int(failed[1]) if failed else 0


def measure(name: str) -> float:
    """Return the count that `name` asks for."""
    if name == "points":
        return len(points.POINTS)
    if name == "ha_entities":
        return entities()
    return cuts()[1 if name == "power_cut_losses" else 0]
