# SPDX-License-Identifier: MIT
"""The whole firmware with a cycle of 1 Hz, so that a week of the tasks is affordable; each hour a line of JSON.

main.py runs unmodified, but the ticker's period is other and there is no inverter task, which would wake 100 times a
second. The cycle is then late by definition: it says so once and no power flows. The other tasks, stores, clock,
console and MQTT run at their own rates. Arguments: the ticker's period in ms, seconds between two lines.
"""

# ruff: noqa: F821  (execfile is a builtin of the unix port)
import asyncio
import gc
import json
import os
import sys

from _link import world

PERIOD_MS, EVERY_S = int(sys.argv[1]), int(sys.argv[2])
known = {}


def slow_ticker():
    """Have the board's ticker run at PERIOD_MS."""
    from evse.hal import port_esp32

    ticker = port_esp32.Ticker
    port_esp32.Ticker = lambda: ticker(PERIOD_MS)


def keep_station():
    """Remember the station that main builds, take its inverter task away, start the reporter beside its supervisor."""
    from evse.tasks.supervisor import Supervisor

    begin, run = Supervisor.__init__, Supervisor.run

    def without_inverter(self, station):
        station.tasks = [one for one in station.tasks if getattr(one, "name", "") != "inverter"]
        begin(self, station)

    async def beside(self):
        known["station"] = self._station
        asyncio.create_task(report())
        await run(self)

    Supervisor.__init__ = without_inverter
    Supervisor.run = beside


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
        "lease_w": station.image.request.want_w,
        "cycles": station.image.status.cycles,
    }


async def report():
    """Print a line each EVERY_S."""
    while True:
        await asyncio.sleep(EVERY_S)
        print("week " + json.dumps(line()))


slow_ticker()
keep_station()
for part in ("boot.py", "main.py"):
    execfile((os.getenv("VB_ROOT") or "") + part)
