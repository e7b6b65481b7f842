# SPDX-License-Identifier: MIT
"""On the board: sense's grid part on the ADE9000 driver, judged in each cycle by what its values say about themselves.

    entry script of the virtual board; argument: seconds

Prints `lost` and `ok` as the front end is believed or not, and a report as JSON at the end.
"""

import asyncio
import json
import sys
from time import ticks_diff, ticks_ms

from board.board import Board

from evse.image import Image
from evse.profiles.loader import load
from evse.sense.grid import Grid
from evse.store.settings import Settings

WRAP = 1000
CYCLE_MS = 10


class Judge:
    """What may never happen, counted."""

    def __init__(self, board, image):
        self.afe = board.afe
        self.inputs = image.inputs
        self.faults = image.status.fault
        self.total_ms = 0
        self.offset = None
        self.ok = 0
        self.energy_mwh = 0
        self.report = {
            "looks": 0, "believed": 0, "torn": 0, "oldest_ms": 0, "losses": 0, "energy_back": 0, "export_mwh": 0,
            "wrong_frequency": 0,
        }  # fmt: skip

    def look(self):
        inputs = self.inputs
        report = self.report
        report["looks"] += 1
        if inputs.afe_ok:
            report["believed"] += 1
            self.believe(inputs, report)
        if inputs.afe_ok != self.ok:
            self.ok = inputs.afe_ok
            report["losses"] += 1 - self.ok
            print("ok" if self.ok else "lost")
        energy_mwh = self.afe.energy_mwh(0, 0)
        if energy_mwh < self.energy_mwh:
            report["energy_back"] += 1
        self.energy_mwh = energy_mwh
        report["export_mwh"] = self.afe.energy_mwh(0, 1)

    def believe(self, inputs, report):
        tick = (inputs.phase_mv[0] - 200000 + 25) // 50
        wanted = (
            (inputs.phase_mv[0], 200000 + tick * 50, 20),
            (inputs.phase_mv[1], 210000 + (tick * 7 % WRAP) * 20, 10),
            (inputs.phase_mv[2], 220000 + (tick * 3 % WRAP) * 20, 10),
            (inputs.phase_ma[0], 5000 + (tick * 37 % WRAP) * 10, 2),
            (inputs.phase_ma[1], 6000, 2),
            (inputs.phase_ma[2], 7000 + (tick * 11 % WRAP) * 10, 2),
            (inputs.phase_w[0], -2000 + tick * 3, 1),
            (inputs.phase_w[1], 1000 + tick * 13 % WRAP, 1),
            (inputs.phase_w[2], 500, 1),
            (inputs.phase_var[0], 500 - tick, 1),
            (inputs.phase_var[1], 100, 1),
            (inputs.phase_var[2], -100, 1),
        )
        for value, right, slack in wanted:
            if not right - slack <= value <= right + slack:
                report["torn"] += 1
                return
        if inputs.frequency_ok and not 49990000 <= inputs.frequency_uhz <= 50010000:
            report["wrong_frequency"] += 1
        if self.offset is None:
            self.offset = self.total_ms // 10 - tick
        age_ms = (self.total_ms // 10 - self.offset - tick) % WRAP * 10
        report["oldest_ms"] = max(report["oldest_ms"], age_ms)


async def main(seconds):
    settings = Settings()
    settings.phases = 3
    image = Image()
    board = Board()
    board.afe.start(3, 50)
    grid = Grid(image, settings, load("uk_g98", ""), board)
    judge = Judge(board, image)
    last_ms = ticks_ms()
    while judge.total_ms < seconds * 1000:
        await asyncio.sleep_ms(CYCLE_MS)
        now_ms = ticks_ms()
        judge.total_ms += ticks_diff(now_ms, last_ms)
        image.inputs.elapsed_ms = ticks_diff(now_ms, last_ms)
        last_ms = now_ms
        image.inputs.now_ms = now_ms
        board.watchdog.feed()
        grid.run()
        judge.look()
    afe = board.afe
    for name in ("ok", "restarts", "crc_errors", "burst_errors", "range_errors", "energy_jumps"):
        judge.report[name] = getattr(afe, name)
    judge.report["import_mwh"] = judge.energy_mwh
    print("report", json.dumps(judge.report))


asyncio.run(main(int(sys.argv[1])))
