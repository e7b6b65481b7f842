# SPDX-License-Identifier: MIT
"""main.py unmodified, and each EVERY_S a line of JSON about heap, clocks, events and the cycle.

Arguments: EVERY_S [PERIOD_MS]. With PERIOD_MS the ticker has that period and there is no inverter task, which would
wake 100 times a second: so a week of the other tasks is affordable. The cycle is then late by definition: it says so
once and no power flows.
"""

# ruff: noqa: F821  (execfile is a builtin of the unix port)
import asyncio
import gc
import json
import os
import sys

from _link import world

EVERY_S = int(sys.argv[1])
PERIOD_MS = int(sys.argv[2]) if len(sys.argv) > 2 else 0
known = {}


def slow_ticker():
    """Have the board's ticker run at PERIOD_MS."""
    from evse.hal import port_esp32

    ticker = port_esp32.Ticker
    port_esp32.Ticker = lambda: ticker(PERIOD_MS)


def keep_station():
    """Remember the station that main builds, start the reporter beside its supervisor."""
    from evse.tasks.supervisor import Supervisor

    run = Supervisor.run

    async def beside(self):
        known["station"] = self._station
        asyncio.create_task(report())
        await run(self)

    Supervisor.run = beside


def without_inverter():
    """Take the inverter task away before the supervisor sees it."""
    from evse.tasks.supervisor import Supervisor

    begin = Supervisor.__init__

    def shorter(self, station):
        station.tasks = [one for one in station.tasks if getattr(one, "name", "") != "inverter"]
        begin(self, station)

    Supervisor.__init__ = shorter


def task(name):
    for found in known["station"].tasks:
        if getattr(found, "name", "") == name:
            return found
    return None


def line():
    """Return what is to be told now."""
    station = known["station"]
    mqtt, journal, clock = task("mqtt"), task("journal"), station.clock
    from time import ticks_ms

    now = ticks_ms()
    gc.collect()
    return {
        "world_ms": (world.now - world.boot_us) // 1000,
        "heap": gc.mem_alloc(),
        "heap_free": gc.mem_free(),
        "uptime_ms": clock.uptime_ms(now),
        "unix_ms": clock.unix_ms(now),
        "minute": station.image.mail.clock.minute_of_week,
        "journal": station.journal.newest,
        "events": mqtt.outbox._next,
        "waiting": mqtt.outbox.waiting(),
        "lost": mqtt.outbox.lost_events + journal.lost + journal.unwritten,
        "connects": mqtt.connects,
        "accepted": mqtt.inbox.accepted,
        "refused": mqtt.inbox.refused,
        "restarts": sum([keeper.restarts for keeper in station.keepers]),
        "boot": station.journal.boot,
        "cycles": station.image.status.cycles,
        "overruns": station.image.status.overruns,
        "late_worst_us": station.image.status.late_worst_us,
        "import_wh": station.image.energy.import_wh,
        "export_wh": station.image.energy.export_wh,
    }


async def report():
    """Print a line each EVERY_S."""
    while True:
        await asyncio.sleep(EVERY_S)
        print("told " + json.dumps(line()))


if PERIOD_MS:
    slow_ticker()
    without_inverter()
keep_station()
for part in ("boot.py", "main.py"):
    execfile((os.getenv("VB_ROOT") or "") + part)
