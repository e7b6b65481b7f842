# SPDX-License-Identifier: MIT
"""Heap that one driver's module takes on the 31-bit VM, compiled as on a board, with all that it imports."""

from __future__ import annotations

import tempfile
from pathlib import Path

from backfeed.bench import NotHere
from backfeed.checkout import FIRMWARE
from backfeed.errors import PartError
from backfeed.firmware_build import compile_tree
from backfeed.vm31 import module, node, run_on_31bit

SCRIPT = """
import gc, sys
sys.path[0] = '/mpy'
import asyncio
gc.collect()
before = gc.mem_alloc()
import evse.drivers.{driver}
gc.collect()
print(gc.mem_alloc() - before)
"""


def measure(name: str) -> float:
    """Return KiB; the driver's name stands between heap_driver_ and _kib_31bit."""
    try:
        node()
        module()
    except PartError as error:
        raise NotHere(error.message) from None
    driver = name.removeprefix("heap_driver_").removesuffix("_kib_31bit")
    with tempfile.TemporaryDirectory() as folder:
        for file in compile_tree(FIRMWARE / "evse", "evse/", None):
            path = Path(folder) / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
        return int(run_on_31bit(SCRIPT.format(driver=driver), {Path(folder): "/mpy"})) / 1024
