# SPDX-License-Identifier: MIT
"""Instructions of one cycle on the unix VM, counted by callgrind: the same figure on every run, unlike a time."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from backfeed.bench import NotHere
from backfeed.bench.closed_loop import record_inputs
from backfeed.bench.inputs import ROWS, SETTINGS
from backfeed.checkout import FIRMWARE, HIL
from backfeed.errors import PartError
from backfeed.vm import unix_vm

LENGTHS = (3200, 3600)  # cycles of two runs, energised at both ends; the difference is free of start-up
TIMEOUT_S = 300
SCRIPT = """
import sys
sys.path[:0] = [{firmware!r}, {on_board!r}]
from cycles import Scan
Scan({rows!r}, {settings}).run({cycles})
"""


def measure(_name: str) -> float:
    """Return instructions per cycle.run() in the energised state."""
    if shutil.which("valgrind") is None:
        raise NotHere("valgrind is not installed (apt install valgrind)")
    if not ROWS.is_file():
        record_inputs()
    short, long = (_count(cycles) for cycles in LENGTHS)
    return (long - short) / (LENGTHS[1] - LENGTHS[0])


def _count(cycles: int) -> int:
    """Return the instructions of a whole VM run of so many cycles."""
    text = SCRIPT.format(
        firmware=str(FIRMWARE),
        on_board=str(HIL / "on_board"),
        rows=str(ROWS),
        settings=json.dumps(SETTINGS),
        cycles=cycles,
    )
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "run.py"
        script.write_text(text)
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", *_vm(), str(script)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, env=_environment())
    found = re.search(r"Collected\s*:\s*(\d+)", run.stderr)
    if run.returncode or not found:
        raise PartError(f"callgrind failed (code {run.returncode}): {(run.stdout + run.stderr)[-400:].strip()}")
    return int(found[1])


def _vm() -> list[str]:
    """Return the VM's command without a script of Python in front, which valgrind would not enter."""
    command = unix_vm()
    first = Path(command[0]).read_bytes()[:2]
    return [sys.executable, *command] if first == b"#!" else command


def _environment() -> dict[str, str]:
    # A fixed hash seed: CPython hosts the VM, and its own start-up must be the same in both runs.
    return {"PATH": str(Path(sysconfig.get_path("scripts"))) + ":/usr/bin:/bin", "PYTHONHASHSEED": "0"}
