# SPDX-License-Identifier: MIT
"""Random and mutated input through every parser on the MicroPython VM: how many, and how many got out.

BACKFEED_FUZZ sets how many inputs are shared out among the parsers (1 000 000).
"""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache

from backfeed import vm
from backfeed.checkout import FIRMWARE, ROOT
from backfeed.errors import PartError

COUNT = int(os.environ.get("BACKFEED_FUZZ", "1000000"))
SEED = 1
HEAP = "512k"  # a parser that keeps anything runs out of it


@cache
def run() -> dict[str, dict]:
    """Run the fuzzer once; return its report, parser by parser."""
    command = [*vm.unix_vm(), "-X", f"heapsize={HEAP}", str(ROOT / "tests/link/vm/fuzz.py"), str(COUNT), str(SEED)]
    environment = dict(os.environ, MICROPYPATH=f"{FIRMWARE}:.frozen")
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=60 + COUNT // 500, check=False
    )
    if done.returncode:
        raise PartError(f"the fuzzer ended with code {done.returncode}: {done.stderr[-300:]}")
    report: dict[str, dict] = json.loads(done.stdout)
    return report


def measure(name: str) -> float:
    """Return all parsers' inputs or escapes."""
    return float(sum(row[name.partition("_")[2]] for row in run().values()))
