# SPDX-License-Identifier: MIT
"""On the board: the inverter task and a meter on one bus, judged every 10 ms by what their values say about themselves.

    entry script of the virtual board; arguments: seconds, host of a Modbus TCP gateway or -, baud, UART id, tx, rx, de

Prints `lost AGE_MS` and `ok` as sense believes the inverter or not, and a report as JSON at the end.
"""

import asyncio
import json
import sys
from time import ticks_diff, ticks_ms

from machine import UART, Pin

from evse.drivers.meter_eastron import MeterEastron
from evse.image import Image
from evse.sense.inverter import InverterMail
from evse.store.settings import Settings
from evse.tasks.inverter import InverterTask

PERIOD, HALF, WRAP = 30000, 15000, 4000
LOOK_MS = 10
STEP_MS = 1000  # between two setpoints
TRIP_EVERY = 7
METER_MS = 500


class Board:
    def __init__(self, baud, number, tx, rx, de):
        self.inverter_uart = UART(number, baud, tx=Pin(tx), rx=Pin(rx), rxbuf=512)
        self.inverter_de = Pin(de, Pin.OUT, value=0)


class Judge:
    """What may never happen, counted."""

    def __init__(self, image, settings, task):
        self.image = image
        self.task = task
        self.sense = InverterMail(image, settings, None, None)
        self.stale_ms = settings.inverter_stale_ms
        self.total_ms = 0
        self.last_ms = ticks_ms()
        self.offset = None  # total time minus the device's, hundredths of a second
        self.ok = 0
        self.report = {
            "looks": 0, "believed": 0, "torn": 0, "oldest_ms": 0, "late_lost_ms": 0, "losses": 0, "bad_soc": 0,
            "meter_reads": 0, "meter_bad": 0, "meter_oldest_ms": 0,
        }  # fmt: skip

    def hidden_ms(self, power, age_ms):
        """Return how long before its time stamp the device had this value."""
        device = power + HALF
        at = (self.total_ms - age_ms) // 10
        if self.offset is None:
            self.offset = at - device
        late = (at - self.offset - device) % PERIOD
        return (late - PERIOD if late > PERIOD // 2 else late) * 10

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
            self.believe(inputs, report)
        elif self.ok:
            report["losses"] += 1
            report["late_lost_ms"] = max(report["late_lost_ms"], inputs.inverter_age_ms - self.stale_ms)
            print("lost", inputs.inverter_age_ms)
        if inputs.inverter_ok and not self.ok:
            print("ok")
        self.ok = inputs.inverter_ok

    def believe(self, inputs, report):
        report["believed"] += 1
        power = -inputs.inverter_w
        if -inputs.inverter_var != (power * 7 + 11) % 20011 - 10000:
            report["torn"] += 1
        late_ms = self.hidden_ms(power, inputs.inverter_age_ms)
        if abs(late_ms) > report["oldest_ms"]:
            report["oldest_ms"] = abs(late_ms)
        box = self.image.mail.battery
        if box.soc_ok:
            age_ms = ticks_diff(self.last_ms, box.stamp_ms)
            device = (self.total_ms - age_ms) // 10 - self.offset
            oldest, newest = (device - 30) // 1000 % 30, (device + 5) // 1000 % 30  # tens of seconds; +0.05 -0.3 s
            if box.soc_permille % 30 not in (oldest, newest):
                report["bad_soc"] += 1


async def meter_loop(task, judge):
    while task.bus is None:
        await asyncio.sleep_ms(100)
    meter = MeterEastron(task.bus, 2, "sdm230")
    report = judge.report
    while True:
        await asyncio.sleep_ms(METER_MS)
        if await meter.read():
            report["meter_reads"] += 1
            if judge.offset is not None:
                age_ms = ticks_diff(ticks_ms(), meter.stamp_ms) - ticks_diff(ticks_ms(), judge.last_ms)
                late_ms = abs(judge.hidden_ms(meter.power_w, age_ms))
                if late_ms > report["meter_oldest_ms"]:
                    report["meter_oldest_ms"] = late_ms
            if meter.frequency_uhz != 50000000 or meter.phase_mv[0] != 230000:
                report["meter_bad"] += 1


async def command_loop(image):
    """Setpoints that count up; every few a trip."""
    outputs = image.outputs
    outputs.inverter_enable = outputs.lease_ok = 1
    count = 0
    turns = 0
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
            outputs.inverter_w = -count


async def main(seconds, host, baud, number, tx, rx, de):
    image = Image()
    settings = Settings()
    settings.inverter_baud = baud
    if host != "-":
        settings.inverter_kind = "sunspec_tcp"
        settings.inverter_host = host
    task = InverterTask(image, settings, Board(baud, number, tx, rx, de))
    judge = Judge(image, settings, task)
    tasks = [task.run(), meter_loop(task, judge), command_loop(image)]
    tasks = [asyncio.create_task(one) for one in tasks]
    while judge.total_ms < seconds * 1000:
        await asyncio.sleep_ms(LOOK_MS)
        judge.look()
        for one in tasks:
            if one.done():
                raise RuntimeError("a task ended")
    judge.report["ok"] = judge.ok
    judge.report["reconnects"] = task.reconnects
    judge.report["transactions"] = task.bus.transactions
    judge.report["timeouts"] = task.bus.timeouts
    judge.report["broken"] = task.bus.broken
    judge.report["noise_bytes"] = getattr(task.bus, "noise_bytes", 0)
    print("report", json.dumps(judge.report))


asyncio.run(main(int(sys.argv[1]), sys.argv[2], *[int(word) for word in sys.argv[3:8]]))
