# SPDX-License-Identifier: MIT
"""Run the inverter task against a device on a PTY for a while, then print what the image holds as JSON."""

import asyncio
import json
import sys

sys.path.insert(0, sys.argv[0].rsplit("/", 1)[0])

from pty_uart import PtyUart

from evse.image import Image
from evse.store.settings import Settings
from evse.tasks.inverter import InverterTask


class Board:
    """The two things the task takes from a board."""

    def __init__(self, uart):
        self.inverter_uart = uart
        self.inverter_de = None


async def main(path, baud, run_ms, power_w):
    image = Image()
    settings = Settings()
    settings.inverter_baud = baud
    task = InverterTask(image, settings, Board(PtyUart(path)))
    image.outputs.inverter_enable = 1
    image.outputs.lease_ok = 1
    image.outputs.inverter_w = power_w
    image.outputs.inverter_var = 70
    asyncio.create_task(task.run())
    await asyncio.sleep_ms(run_ms)
    mail = image.mail
    report = {"online": task.online, "error": task.error, "errors": task.errors, "commands": task.commands,
              "transactions": task.bus.transactions, "timeouts": task.bus.timeouts, "broken": task.bus.broken,
              "noise": task.bus.noise_bytes, "readback_errors": task.driver.readback_errors,
              "own_anti_islanding": task.driver.own_anti_islanding, "model": task.driver.device.model,
              "inverter": vars_of(mail.inverter), "battery": vars_of(mail.battery)}  # fmt: skip
    print(json.dumps(report))


def vars_of(box):
    return {name: getattr(box, name) for name in dir(box) if isinstance(getattr(box, name), int)}


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
