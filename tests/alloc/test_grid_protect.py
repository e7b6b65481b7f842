# SPDX-License-Identifier: MIT
"""Sense's grid part and Protect allocate nothing on the 31-bit VM, whatever the line does."""

from __future__ import annotations

import pytest

from backfeed.vm31 import run_on_31bit

pytestmark = pytest.mark.usefixtures("vm31")

SCRIPT = """
import gc, micropython
from evse.fixed import later
from evse.image import Image
from evse.profiles.loader import load
from evse.protect import Protect
from evse.sense.grid import Grid
from evse.store.settings import Settings

class Afe:
    def __init__(self):
        self.ok = 1
        self.sequence = 0
        self.phase_mv = [0, 0, 0]
        self.phase_ma = [0, 0, 0]
        self.phase_w = [0, 0, 0]
        self.phase_var = [0, 0, 0]
        self.phase_period = [0, 0, 0]
    def read(self):
        pass

class Board:
    pass

LEVELS = (0, 30, 60, 100, 100, 100, 100, 100, 105, 112, 118, 125, 200)
EDGES = (-1, 0, 1, 0x3FFFFFFF, -0x3FFFFFFF, 16777215, 7489828, 13107199, 500000, -300000)

def disturb(afe, image, profile, nominal, n, seed, phases):
    seed = (seed * 1944 + n) % 32749
    kind = seed % 23
    whole = n // 1500 & 1  # in every other block the front end is sound and only the line goes wrong, for longer
    if whole and kind < 4:
        kind = 4
    afe.ok = 0 if kind == 0 else 1
    if kind != 1:
        afe.sequence += 1
    for phase in range(phases):
        if kind == 2:
            afe.phase_mv[phase] = EDGES[seed % 10]
        elif n % (250 if whole else 40) == 0:
            afe.phase_mv[phase] = profile.nominal_mv * LEVELS[(seed + phase) % 13] // 100
        if kind == 3:
            afe.phase_period[phase] = EDGES[seed % 10]
        elif kind > 8:
            afe.phase_period[phase] = nominal + (n % 400 - 200) * (seed % 900)
        afe.phase_w[phase] = seed * 3 - 50000
        afe.phase_var[phase] = -afe.phase_w[phase]
    image.outputs.contactor = n // 512 & 1
    image.inputs.inverter_ok = 1
    image.inputs.inverter_connected = 1
    image.inputs.inverter_alarms = 1 << 4 if seed % 301 == 0 else 0
    return seed

def cycles(grid, protect, image, afe, profile, nominal, count, phases):
    inputs = image.inputs
    seed = 77
    for n in range(count):
        inputs.now_ms = later(inputs.now_ms, 10)
        if n % 1500 < 700:
            afe.ok = 1
            afe.sequence += 1
            for phase in range(phases):
                afe.phase_mv[phase] = profile.nominal_mv
                afe.phase_period[phase] = nominal + (n & 2)
        else:
            seed = disturb(afe, image, profile, nominal, n, seed, phases)
        grid.run()
        protect.run()

def main(name, phases, count):
    profile = load(name)
    profile.enter_wait_ms = profile.first_wait_ms = 300
    profile.enter_random_ms = 1000
    board = Board()
    board.afe = Afe()
    image = Image()
    settings = Settings()
    settings.phases = phases
    grid = Grid(image, settings, profile, board)
    protect = Protect(image, settings, profile)
    nominal = 10485759 if profile.nominal_uhz == 50000000 else 8738132
    image.inputs.now_ms = 0x3FFFFFFF - 20000
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    try:
        cycles(grid, protect, image, board.afe, profile, nominal, count, phases)
    finally:
        micropython.heap_unlock()
    print(name, phases, gc.mem_alloc() - before, image.protection.trips > 3, image.events.count > 50)

main("{name}", {phases}, {count})
"""


@pytest.mark.parametrize(
    ("name", "phases"),
    [("uk_g98", 1), ("uk_g98", 3), ("vde_4105_2018", 3), ("ieee1547_cat_b", 2), ("denmark", 1), ("as4777_a", 3)],
)
def test_grid_and_protect_allocate_nothing(name: str, phases: int) -> None:
    script = SCRIPT.replace("{name}", name).replace("{phases}", str(phases)).replace("{count}", "12000")
    lines = run_on_31bit(script)
    assert lines == f"{name} {phases} 0 True True\n"
