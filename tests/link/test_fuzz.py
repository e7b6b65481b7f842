# SPDX-License-Identifier: MIT
"""Random and mutated frames, registers, settings and records through every parser, on the MicroPython VM.

20 000 inputs by default; BACKFEED_FUZZ=1000000 gives each run a million.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from backfeed import vm

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "tests" / "link" / "vm" / "fuzz.py"
COUNT = int(os.environ.get("BACKFEED_FUZZ", "20000"))
HEAP_GROWTH_BYTES = 8192  # over half the inputs: one object that the collector still sees, not one per input


def test_no_parser_lets_anything_escape():
    environment = dict(os.environ, MICROPYPATH=f"{ROOT / 'firmware'}:.frozen")
    command = [*vm.unix_vm(), "-X", "heapsize=512k", str(RUNNER), str(COUNT), "1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60 + COUNT // 1000)
    assert done.returncode == 0, done.stderr + done.stdout
    report = json.loads(done.stdout)
    print(f"inputs {sum(row['inputs'] for row in report.values())}")
    for name, row in report.items():
        print(f"  {name}: {row}")
        assert row["escapes"] == 0, f"{name}: {row['first']}"
        assert row["heap_growth_bytes"] <= HEAP_GROWTH_BYTES, name
        assert row["inputs"] // 100 <= row["accepted"] < row["inputs"], f"{name} accepts too few or all: {row}"
