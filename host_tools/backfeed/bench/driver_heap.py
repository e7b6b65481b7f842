# SPDX-License-Identifier: MIT
"""Heap that one driver takes on the 31-bit VM: module, compiled as on a board, all that it imports, and one object."""

from __future__ import annotations

import tempfile
from pathlib import Path

from backfeed.bench import need_31bit_vm
from backfeed.firmware_build import write_compiled
from backfeed.vm31 import run_on_31bit

SCRIPT = """
import gc, sys
sys.path[0] = '/mpy'
import asyncio
class FakeSpi:
    write_readinto = None
gc.collect()
before = gc.mem_alloc()
import evse.drivers.{driver} as module
{make}
gc.collect()
print(gc.mem_alloc() - before)
"""
# One object of each, not connected: with a device, ratings and curves add to it.
MAKE = {
    "ade9000": "part = module.Ade9000(FakeSpi, print, {'afe_voltage_full_mv': 700743, 'afe_current_full_ma': 80353})",
    "inverter_sunspec": "part = module.InverterSunSpec(None, 1, 4000)",
    "inverter_sunspec_old": "part = module.InverterSunSpecOld(None, 1, 4000)",
    "inverter_quasar": "part = module.InverterQuasar(None, 1, 4000)",
    "meter_eastron": "part = module.MeterEastron(None, 2, 'sdm630')",
    "meter_sunspec": "part = module.MeterSunSpec(None, 2)",
    "fram_mb85rc256v": "part = module.FramMb85rc256v(None)",
}


def measure(name: str) -> float:
    """Return KiB; the driver's name stands between heap_driver_ and _kib_31bit."""
    need_31bit_vm()
    driver = name.removeprefix("heap_driver_").removesuffix("_kib_31bit")
    with tempfile.TemporaryDirectory() as folder:
        script = SCRIPT.format(driver=driver, make=MAKE.get(driver, ""))
        return int(run_on_31bit(script, {write_compiled(Path(folder)): "/mpy"})) / 1024
