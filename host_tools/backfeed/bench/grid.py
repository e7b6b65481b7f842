# SPDX-License-Identifier: MIT
"""Grid protection: the full evidence, the accuracy of the measurement with its bounds, and the comparison with OpenDER.

`python -m backfeed.bench.grid` measures this part alone and writes build/bench/grid.json beside build/evidence/.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import time
from typing import Any

from rich.console import Console

from backfeed import evidence
from backfeed.bench import NotHere
from backfeed.checkout import BUILD, ROOT

STUDY = ROOT / "tests" / "core" / "rocof_study.py"
STUDY_RUNS = 30
OPENDER = ROOT / "tests" / "opender"
TRAJECTORIES = 500  # a category
SEED = 1
RESULT = BUILD / "bench" / "grid.json"


@functools.cache
def protection() -> dict[str, float]:
    """Play every case of every profile (some ten minutes on two idle cores); return overrun and false trips."""
    started_s = time.monotonic()
    console = Console(stderr=True)
    sessions = evidence.chosen((), "", SEED)
    results = evidence.play(sessions, min(evidence.WORKERS, os.cpu_count() or 1), SEED, console)
    evidence.write(results, evidence.FOLDER, time.monotonic() - started_s, SEED)
    return evidence.figures(results)


@functools.cache
def accuracy() -> dict[str, float]:
    """Return what the firmware's own sensing measures behind a model of the front end, and the Cramer-Rao bounds."""
    command = [sys.executable, str(STUDY), "--json", str(STUDY_RUNS)]
    found: dict[str, float] = json.loads(_output(command, STUDY))
    return found


@functools.cache
def disagreements() -> float:
    """Return how many of OpenDER's trajectories end differently without an explanation."""
    script = f"import sys; sys.path.insert(0, {str(OPENDER)!r}); import compare; print(compare.main({TRAJECTORIES}))"
    return float(_output([sys.executable, "-c", script], OPENDER).splitlines()[-1])


def _output(command: list[str], needed: Any) -> str:
    if not needed.exists():
        raise NotHere(f"{needed} is not in this checkout")
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        last = (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise NotHere(f"{needed.name} failed: {last}")
    return run.stdout


def measure(name: str) -> float:
    """Return one figure; the first of a kind runs all that belongs to it."""
    if name == "opender_disagreements":
        return disagreements()
    if name in ("stage_overrun_worst_ms", "grid_false_trips"):
        return protection()[name.removeprefix("grid_")]
    return accuracy()[name]


def main() -> None:
    """Measure this part alone."""
    found = {**protection(), **accuracy(), "opender_disagreements": disagreements()}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
