# SPDX-License-Identifier: MIT
"""Heap in use after boot, on the 31-bit VM: image, settings, profile and all stages, compiled as on a board."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from backfeed.bench import need_31bit_vm
from backfeed.bench.inputs import SETTINGS
from backfeed.checkout import HIL
from backfeed.firmware_build import write_compiled
from backfeed.vm31 import run_on_31bit

SCRIPT = """
import gc, sys
sys.path[0] = '/mpy'
sys.path.insert(1, '/on_board')
gc.collect()
before = gc.mem_alloc()
import cycles
empty = cycles.Rows
class NoRows(empty):
    def __init__(self, path):
        self.data = ()
        self.count = self.at = 0
cycles.Rows = NoRows
scan = cycles.Scan('', {settings})
gc.collect()
print(gc.mem_alloc() - before)
"""


def measure(_name: str) -> float:
    """Return KiB taken by the compiled firmware's modules and objects of the cycle."""
    need_31bit_vm()
    with tempfile.TemporaryDirectory() as folder:
        trees = {write_compiled(Path(folder)): "/mpy", HIL / "on_board": "/on_board"}
        return int(run_on_31bit(SCRIPT.format(settings=json.dumps(SETTINGS)), trees)) / 1024
