# SPDX-License-Identifier: MIT
"""Active anti-islanding allocates nothing on the 31-bit VM: quiet, probing, deciding, on a dying bus."""

from __future__ import annotations

import pytest

from backfeed.vm31 import run_on_31bit

pytestmark = pytest.mark.usefixtures("vm31")

SCRIPT = """
import gc, micropython
from evse.image import Image
from evse.protect.islanding import Islanding
from evse.store.settings import Settings

class Profile:
    nominal_mv = 230000
    nominal_uhz = 50000000
    stages = ()
    volt_var = (0, (), ())

EDGES = (0, 1, 40000000, 70000000, 65000000, 47000000)
LEVELS = (230000, 230000, 230000, 200000, 110000, 60000, 10000, 400000)

def cycles(image, islanding, count):
    inputs = image.inputs
    protection = image.protection
    seed = 77
    mhz = 50000
    decided = 0
    for n in range(count):
        seed = (seed * 1944 + n) % 32749
        inputs.elapsed_ms = 10 if seed % 50 else 35
        block = n // 600 % 6
        if block < 2:
            settled = 50000
        else:  # an island: the frequency follows the push
            settled = 50000 + protection.perturb_var * 25000 // 7000
        mhz += (settled - mhz) // 6
        inputs.cycle_uhz = mhz * 1000 + seed % 20000
        inputs.phase_mv[0] = 230000
        if block == 4:
            inputs.phase_mv[0] = LEVELS[n // 40 % 8]
        if block == 5 and seed % 7 == 0:
            inputs.cycle_uhz = EDGES[seed % 6]
        inputs.grid_w = -7000 if n % 2400 < 2300 else 66000
        inputs.frequency_ok = 0 if seed % 97 == 0 else 1
        image.outputs.contactor = 0 if n % 1200 == 1199 else 1
        image.request.want_var = (seed % 3 - 1) * 3238
        islanding.run()
        decided += islanding.detected
        if islanding.detected and n % 50 == 0:
            image.outputs.contactor = 0
            islanding.run()
    return decided

image = Image()
settings = Settings()
islanding = Islanding(image, settings, Profile())
gc.collect()
before = gc.mem_alloc()
micropython.heap_lock()
try:
    decided = cycles(image, islanding, 30000)
finally:
    micropython.heap_unlock()
print(gc.mem_alloc() - before, islanding.probes > 20, decided > 20)
"""


def test_every_path_keeps_the_heap() -> None:
    assert run_on_31bit(SCRIPT).strip().splitlines()[-1] == "0 True True"
