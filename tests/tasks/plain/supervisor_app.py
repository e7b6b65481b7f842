# SPDX-License-Identifier: MIT
"""The supervisor with tasks that fail, end and fall silent, in time that the test moves. Prints one JSON line."""

import asyncio
import json

from board.board import Board

from evse.faults import FAULT_TASK
from evse.image import Image
from evse.store.settings import Settings
from evse.tasks import supervisor as module
from evse.tasks.station import Station

for name in ("LOOK_MS", "BACKOFF_MS", "BACKOFF_MAX_MS"):
    setattr(module, name, getattr(module, name) // 100 or 1)


class Broken:
    """Fails at once, every time."""

    patience_ms = 0

    def __init__(self, name, critical):
        self.name = name
        self.critical = critical
        self.beat_ms = 0
        self.runs = 0

    async def run(self):
        self.runs += 1
        raise ValueError("broken %d" % self.runs)


class Hung(Broken):
    """Waits for ever without a sign of life."""

    patience_ms = 20

    async def run(self):
        self.runs += 1
        await asyncio.sleep_ms(1 << 20)


class Ending(Broken):
    async def run(self):
        self.runs += 1


async def main():
    image = Image()
    board = Board()
    station = Station(board, image, Settings(None), None, True)
    optional, hung, ending, critical = Broken("o", False), Hung("h", False), Ending("e", False), Broken("c", True)
    station.tasks = [optional, hung, ending]
    keeper = asyncio.create_task(module.Supervisor(station).run())
    found = {}
    for _ in range(30):
        image.status.cycles += 1
        await asyncio.sleep_ms(5)
    found["fed"] = board.watchdog.feeds
    found["cause_optional"] = image.status.cause[FAULT_TASK]
    await asyncio.sleep_ms(50)  # the cycle stands still
    standing = board.watchdog.feeds
    await asyncio.sleep_ms(100)
    found["fed_while_standing"] = board.watchdog.feeds - standing
    found["runs"] = [optional.runs, hung.runs, ending.runs]
    found["notes"] = [text for _ticks, _who, text in station.notes.latest(32)]
    keeper.cancel()
    station.tasks = [critical]
    asyncio.create_task(module.Supervisor(station).run())
    while critical.runs < module.FAILURES_MAX:
        await asyncio.sleep_ms(1)
    await asyncio.sleep_ms(20)
    found["cause_critical"] = image.status.cause[FAULT_TASK]
    print(json.dumps(found))


asyncio.run(main())
