# SPDX-License-Identifier: MIT
"""Allocation of the whole cycle on the 31-bit VM, over the demo's inputs."""

from __future__ import annotations

import json

from backfeed.bench import need_31bit_vm
from backfeed.bench.closed_loop import record_inputs
from backfeed.bench.inputs import CYCLES, ROWS, SETTINGS
from backfeed.checkout import HIL
from backfeed.errors import PartError
from backfeed.vm31 import run_on_31bit

HEAP_BYTES = 16 << 20

# First freely, so that what the first pass leaves behind is counted too; then with the heap locked.
SCRIPT = """
import gc, sys, micropython
sys.path.insert(0, '/on_board')
from cycles import Scan
scan = Scan('/rows/rows.bin', {settings})
def count():
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    scan.run({cycles})
    used = gc.mem_alloc() - before
    gc.enable()
    return used
def locked():
    micropython.heap_lock()
    try:
        again.run({cycles})
    finally:
        micropython.heap_unlock()
used = count()
again = Scan('/rows/rows.bin', {settings})
locked()
print(used, again.energised, again.image.protection.trips, again.image.events.count)
"""


def script() -> str:
    """Return the script for a MicroPython VM, with its figures filled in."""
    return SCRIPT.format(settings=json.dumps(SETTINGS), cycles=CYCLES)


def trees() -> dict:
    """Return what the script needs in the VM's file system."""
    return {HIL / "on_board": "/on_board", ROWS.parent: "/rows"}


def measure(_name: str) -> float:
    """Return the bytes taken by CYCLES cycles; the heap lock raises MemoryError on the first."""
    need_31bit_vm()
    if not ROWS.is_file():
        record_inputs()
    used, energised, trips, _ = (int(word) for word in run_on_31bit(script(), trees(), HEAP_BYTES).split())
    if not energised or not trips:
        raise PartError(f"the inputs were not the demo's: {energised} energised cycles, {trips} trips")
    return used
