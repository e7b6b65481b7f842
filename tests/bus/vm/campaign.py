# SPDX-License-Identifier: MIT
"""On the board: the inverter task and a meter on one bus, judged every 10 ms by what their values say about themselves.

    entry script of the virtual board; arguments: seconds, host of a Modbus TCP gateway or -, baud, UART id, tx, rx, de

Prints `lost AGE_MS` and `ok` as sense believes the inverter or not, and a report as JSON at the end.
"""

import asyncio
import sys
from time import ticks_diff, ticks_ms

from machine import UART, Pin

sys.path.append(sys.argv[0].rsplit("/", 1)[0])

from judge import Judge, command_loop, signed_ms, watch

from evse.drivers.meter_eastron import MeterEastron
from evse.image import Image
from evse.store.settings import Settings
from evse.tasks.inverter import InverterTask

PERIOD, HALF = 30000, 15000
METER_MS = 500


class Board:
    def __init__(self, baud, number, tx, rx, de):
        self.inverter_uart = UART(number, baud, tx=Pin(tx), rx=Pin(rx), rxbuf=512)
        self.inverter_de = Pin(de, Pin.OUT, value=0)


class LineJudge(Judge):
    """Power tells when it was read; reactive power, charge and the meter have to go with it."""

    def __init__(self, image, settings, task):
        super().__init__(image, settings, task)
        for name in ("torn", "bad_soc", "meter_reads", "meter_bad", "meter_oldest_ms"):
            self.report[name] = 0

    def hidden_ms(self, power, age_ms):
        """Return how long before its time stamp the device had this value."""
        device = power + HALF
        at = (self.total_ms - age_ms) // 10
        if self.offset is None:
            self.offset = at - device
        return signed_ms(at - self.offset - device, PERIOD)

    def believe(self, inputs):
        report = self.report
        power = -inputs.inverter_w
        if -inputs.inverter_var != (power * 7 + 11) % 20011 - 10000:
            report["torn"] += 1
        self.oldest("oldest_ms", self.hidden_ms(power, inputs.inverter_age_ms))
        box = self.image.mail.battery
        if box.soc_ok:
            age_ms = ticks_diff(self.last_ms, box.stamp_ms)
            device = (self.total_ms - age_ms) // 10 - self.offset
            oldest, newest = (device - 30) // 1000 % 30, (device + 5) // 1000 % 30  # tens of seconds; +0.05 -0.3 s
            if box.soc_permille % 30 not in (oldest, newest):
                report["bad_soc"] += 1

    def take_meter(self, meter):
        report = self.report
        report["meter_reads"] += 1
        if self.offset is not None:
            age_ms = ticks_diff(ticks_ms(), meter.stamp_ms) - ticks_diff(ticks_ms(), self.last_ms)
            self.oldest("meter_oldest_ms", self.hidden_ms(meter.power_w, age_ms))
        if meter.frequency_uhz != 50000000 or meter.phase_mv[0] != 230000:
            report["meter_bad"] += 1


async def meter_loop(task, judge):
    while task.bus is None:
        await asyncio.sleep_ms(100)
    meter = MeterEastron(task.bus, 2, "sdm230")
    while True:
        await asyncio.sleep_ms(METER_MS)
        if await meter.read():
            judge.take_meter(meter)


async def main(seconds, host, baud, number, tx, rx, de):
    image = Image()
    settings = Settings()
    settings.inverter_baud = baud
    if host != "-":
        settings.inverter_kind = "sunspec_tcp"
        settings.inverter_host = host
    task = InverterTask(image, settings, Board(baud, number, tx, rx, de))
    judge = LineJudge(image, settings, task)
    await watch(judge, seconds, [meter_loop(task, judge), command_loop(image, -1)])


asyncio.run(main(int(sys.argv[1]), sys.argv[2], *[int(word) for word in sys.argv[3:8]]))
