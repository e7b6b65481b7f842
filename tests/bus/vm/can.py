# SPDX-License-Identifier: MIT
"""On the board: the inverter task with a CAN module, judged every 10 ms by what the module's values say of themselves.

    entry script of the virtual board; arguments: seconds

Prints `lost AGE_MS` and `ok` as sense believes the inverter or not, and a report as JSON at the end.
"""

import asyncio
import sys

sys.path.append(sys.argv[0].rsplit("/", 1)[0])

from board.board import Board
from judge import Judge, command_loop, signed_ms, watch

from evse.drivers.can_bus import CanBus
from evse.drivers.inverter_infypower import BIT_RATE, OURS, OURS_MASK, InverterInfypower
from evse.image import Image
from evse.store.settings import Settings
from evse.tasks.inverter import InverterTask

CLOCK, FINE, BASE_MV = 30000, 1000, 400000
STEP_W = 2  # 5 mA at 400 V


class CanJudge(Judge):
    """Voltage and current are two questions; each tells when it was answered."""

    def believe(self, inputs):
        driver = self.task.driver
        at = (self.total_ms - inputs.inverter_age_ms) // 10
        if self.offset is None:
            self.offset = at - driver.current_ma
        clock = at - self.offset
        self.oldest("oldest_ms", signed_ms(clock - driver.current_ma, CLOCK))
        self.oldest("oldest_ms", signed_ms(clock - (driver.voltage_mv - BASE_MV), FINE))


async def feed(board):
    """Keep the board's watchdog quiet."""
    while True:
        board.watchdog.feed()
        await asyncio.sleep_ms(200)


async def main(seconds):
    image = Image()
    settings = Settings()
    board = Board()
    bus = CanBus(board.open_can(BIT_RATE, OURS, OURS_MASK))
    driver = InverterInfypower(bus, 1, settings.inverter_lease_ms, (300000, 450000))
    board.inverter_uart = None
    task = InverterTask(image, settings, board, driver=driver)
    await watch(CanJudge(image, settings, task), seconds, [feed(board), command_loop(image, STEP_W)])


asyncio.run(main(int(sys.argv[1])))
