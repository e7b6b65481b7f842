# SPDX-License-Identifier: MIT
"""Run the inverter task on the MicroPython VM while a script moves the outputs; print what the image holds as JSON.

    micropython inverter_runs.py PATH BAUD SCRIPT

SCRIPT is a JSON file: [[at_ms, {"inverter_w": -1500, ...}], ...]; the last entry's time ends the run. The report has a
sample of the mailboxes at each entry, taken before its outputs are set.
"""

import asyncio
import json
import sys
from time import ticks_diff, ticks_ms

sys.path.insert(0, sys.argv[0].rsplit("/", 1)[0])

from pty_uart import PtyUart

from evse.image import Image
from evse.store.settings import Settings
from evse.tasks.inverter import InverterTask


class Board:
    """What the task takes from a board."""

    def __init__(self, uart):
        self.inverter_uart = uart
        self.inverter_de = None


def ints_of(thing):
    return {name: getattr(thing, name) for name in dir(thing) if isinstance(getattr(thing, name), int)}


def sample(task, image):
    mail = image.mail
    return {
        "online": task.online, "error": task.error, "errors": task.errors, "commands": task.commands,
        "reconnects": task.reconnects, "transactions": task.bus.transactions, "timeouts": task.bus.timeouts,
        "inverter": ints_of(mail.inverter), "battery": ints_of(mail.battery), "driver": ints_of(task.driver),
        "inverter_age_ms": ticks_diff(ticks_ms(), mail.inverter.stamp_ms), "model": task.driver.device.model,
    }  # fmt: skip


async def main(path, baud, script):
    image = Image()
    settings = Settings()
    settings.inverter_baud = baud
    task = InverterTask(image, settings, Board(PtyUart(path)))
    running = asyncio.create_task(task.run())
    started_ms = ticks_ms()
    samples = []
    for at_ms, outputs in script:
        await asyncio.sleep_ms(max(0, at_ms - ticks_diff(ticks_ms(), started_ms)))
        samples.append(sample(task, image) if task.driver else {})
        for name in outputs:
            setattr(image.outputs, name, outputs[name])
        if image.outputs.wake:
            image.outputs.wake()  # as actuate does
    running.cancel()
    print(json.dumps({"samples": samples}))


with open(sys.argv[3]) as file:
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), json.load(file)))
