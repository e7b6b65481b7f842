# SPDX-License-Identifier: MIT
"""On the board: the inverter task with a CAN module, judged every 10 ms by what the module's values say of themselves.

    entry script of the virtual board; arguments: seconds

Prints `lost AGE_MS` and `ok` as sense believes the inverter or not, and a report as JSON at the end.
"""

import asyncio
import json
import sys
from time import ticks_diff, ticks_ms

from board.board import Board

from evse.drivers.can_bus import CanBus
from evse.drivers.inverter_infypower import BIT_RATE, OURS, OURS_MASK, InverterInfypower
from evse.image import Image
from evse.sense.inverter import InverterMail
from evse.store.settings import Settings
from evse.tasks.inverter import InverterTask

CLOCK, FINE, BASE_MV = 30000, 1000, 400000
STEP_W = 2  # 5 mA at 400 V
WRAP = 4000
LOOK_MS = 10
STEP_MS = 1000
TRIP_EVERY = 7


class Judge:
    """What may never happen, counted."""

    def __init__(self, image, settings, task):
        self.image = image
        self.task = task
        self.sense = InverterMail(image, settings, None, None)
        self.stale_ms = settings.inverter_stale_ms
        self.total_ms = 0
        self.last_ms = ticks_ms()
        self.offset = None  # total time minus the module's, hundredths of a second
        self.ok = 0
        self.report = {"looks": 0, "believed": 0, "oldest_ms": 0, "late_lost_ms": 0, "losses": 0}

    def look(self):
        now_ms = ticks_ms()
        inputs = self.image.inputs
        inputs.elapsed_ms = ticks_diff(now_ms, self.last_ms)
        inputs.now_ms = now_ms
        self.last_ms = now_ms
        self.total_ms += inputs.elapsed_ms
        self.sense.run()
        report = self.report
        report["looks"] += 1
        if inputs.inverter_ok:
            self.believe(inputs)
        elif self.ok:
            report["losses"] += 1
            report["late_lost_ms"] = max(report["late_lost_ms"], inputs.inverter_age_ms - self.stale_ms)
            print("lost", inputs.inverter_age_ms)
        if inputs.inverter_ok and not self.ok:
            print("ok")
        self.ok = inputs.inverter_ok

    def believe(self, inputs):
        """Voltage and current are two questions; each tells when it was answered."""
        self.report["believed"] += 1
        driver = self.task.driver
        at = (self.total_ms - inputs.inverter_age_ms) // 10
        if self.offset is None:
            self.offset = at - driver.current_ma
        clock = at - self.offset
        self._age(clock - driver.current_ma, CLOCK)
        self._age(clock - (driver.voltage_mv - BASE_MV), FINE)

    def _age(self, late, period):
        late %= period
        age_ms = abs(late - period if late > period // 2 else late) * 10
        if age_ms > self.report["oldest_ms"]:
            self.report["oldest_ms"] = age_ms


async def feed(board):
    """Keep the board's watchdog quiet."""
    while True:
        board.watchdog.feed()
        await asyncio.sleep_ms(200)


async def command_loop(image):
    """Setpoints that count up; every few a trip."""
    outputs = image.outputs
    outputs.inverter_enable = outputs.lease_ok = 1
    count = turns = 0
    while True:
        await asyncio.sleep_ms(STEP_MS)
        turns += 1
        if turns % TRIP_EVERY == 0:
            outputs.inverter_w = 0
            outputs.urgent += 1
            if outputs.wake:
                outputs.wake()
        else:
            count = count + 1 if count < WRAP else 1
            outputs.inverter_w = STEP_W * count


async def main(seconds):
    image = Image()
    settings = Settings()
    board = Board()
    bus = CanBus(board.open_can(BIT_RATE, OURS, OURS_MASK))
    driver = InverterInfypower(bus, 1, settings.inverter_lease_ms, (300000, 450000))
    board.inverter_uart = None
    task = InverterTask(image, settings, board, driver=driver)
    judge = Judge(image, settings, task)
    tasks = [asyncio.create_task(one) for one in (feed(board), task.run(), command_loop(image))]
    while judge.total_ms < seconds * 1000:
        await asyncio.sleep_ms(LOOK_MS)
        judge.look()
        for one in tasks:
            if one.done():
                raise RuntimeError("a task ended")
    judge.report["ok"] = judge.ok
    for name in ("transactions", "timeouts", "broken", "exceptions", "restarts"):
        judge.report[name] = getattr(bus, name)
    judge.report["reconnects"] = task.reconnects
    print("report", json.dumps(judge.report))


asyncio.run(main(int(sys.argv[1])))
