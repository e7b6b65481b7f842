# SPDX-License-Identifier: MIT
"""The tasks alone on the plain unix VM, with a stand-in for the cycle that counts and measures its own lateness.

Settings come from PLAIN_SETTINGS, `name=value` separated by `;`. PLAIN_EMIT: an event is emitted every so many
ms. PLAIN_FAST: time limits divided by ten. Ten times a second it writes the file PLAIN_REPORT: cycles, worst lateness,
heap, states.
"""

import asyncio
import gc
import json
import os
from time import ticks_diff, ticks_ms

from board.board import Board

from evse.faults import EVENT_PICKUP
from evse.image import Image
from evse.link import telemetry
from evse.store.budget import BudgetStore
from evse.store.energy import EnergyStore
from evse.store.journal import JournalStore
from evse.store.recording import RecordingStore
from evse.store.sessions import SessionStore
from evse.store.settings import Settings
from evse.store.trips import TripStore
from evse.tasks.console import ConsoleTask
from evse.tasks.journal import JournalTask
from evse.tasks.mqtt import MqttTask
from evse.tasks.records import RecordsTask
from evse.tasks.station import Station
from evse.tasks.supervisor import Supervisor


class FakeCycle:
    """Counts at 100 Hz from an asyncio task and measures how late it was called."""

    def __init__(self, image):
        self._image = image
        self.late_worst_ms = 0
        self._late = [0] * 1024  # how often it was so many ms late; the last counts all beyond

    def late_p99_ms(self):
        """Return the lateness that 99 of 100 calls keep, ms."""
        left = sum(self._late) // 100
        for late_ms in range(len(self._late) - 1, -1, -1):
            left -= self._late[late_ms]
            if left < 0:
                return late_ms
        return 0

    async def run(self, emit_ms):
        last_ms = ticks_ms()
        emitted_ms = last_ms
        while True:
            await asyncio.sleep_ms(10)
            now_ms = ticks_ms()
            late_ms = ticks_diff(now_ms, last_ms) - 10
            last_ms = now_ms
            self.late_worst_ms = max(self.late_worst_ms, late_ms)
            self._late[max(0, min(late_ms, len(self._late) - 1))] += 1
            self._image.status.cycles += 1
            if emit_ms and ticks_diff(now_ms, emitted_ms) >= emit_ms:
                emitted_ms = now_ms
                self._image.events.emit(now_ms, EVENT_PICKUP, 1, self._image.status.cycles, 1)


def build():
    image = Image()
    board = Board()
    settings = Settings(board.memory)
    settings.load()
    settings.energised = lambda: image.outputs.contactor == 1
    for pair in (os.getenv("PLAIN_SETTINGS") or "").split(";"):
        name, _equal, value = pair.partition("=")
        if name:
            settings.set(name, value, 2)
    image.outputs.contactor = int(os.getenv("PLAIN_CONTACTOR") or 0)
    cycle = FakeCycle(image)
    station = Station(board, image, settings, None, cycle)
    mqtt = MqttTask(station)
    station.journal_task = JournalTask(station, (mqtt,))
    memory = board.memory
    station.journal = JournalStore(memory)
    station.trips = TripStore(memory)
    stores = EnergyStore(memory), SessionStore(memory), BudgetStore(memory), RecordingStore(memory)
    station.records = RecordsTask(station, stores)
    station.tasks = [station.clock, station.journal_task, station.records, mqtt]
    if os.getenv("PLAIN_CONSOLE"):
        station.tasks.append(ConsoleTask(station))
    return station, cycle, mqtt


def hurry():
    """Divide the client's time limits by ten: the same steps, for a test that waits for them."""
    from evse.tasks import mqtt, mqtt_link

    for module, names in (
        (
            mqtt,
            (
                "PING_MS",
                "DEAD_MS",
                "BACKOFF_MS",
                "BACKOFF_MAX_MS",
                "STEADY_MS",
                "TURN_MS",
                "FLOOD_PAUSE_MS",
                "ANSWER_MS",
                "SUBACK_MS",
            ),
        ),
        (mqtt_link, ("CONNECT_MS", "SEND_MS", "DISCARD_PAUSE_MS")),
    ):
        for name in names:
            setattr(module, name, getattr(module, name) // 10)


HEAP = [0]


def journal(station):
    """Return the newest records as text."""
    store = station.journal
    records = [store.read(number) for number in range(max(store.oldest, store.newest - 15), store.newest + 1)]
    return [telemetry.event_text((r[1], r[3], r[4], r[5], r[6]), None) for r in records if r is not None]


def write_report(station, cycle, mqtt):
    HEAP[0] = max(HEAP[0], gc.mem_alloc())
    gc.collect()
    lease = station.image.mail.lease
    report = {
        "cycles": station.image.status.cycles,
        "late_worst_ms": cycle.late_worst_ms,
        "late_p99_ms": cycle.late_p99_ms(),
        "heap_peak": HEAP[0],
        "heap_used": gc.mem_alloc(),
        "mqtt": mqtt.state,
        "connects": mqtt.connects,
        "accepted": mqtt.inbox.accepted,
        "refused": mqtt.inbox.refused,
        "dropped": mqtt.inbox.dropped,
        "lease_w": lease.power_w,
        "lease_received": lease.received,
        "lease_sequence": lease.sequence,
        "restarts": {keeper.task.name: keeper.restarts for keeper in station.keepers},
        "notes": [text for _ticks, _who, text in station.notes.latest(32)],
        "journal": journal(station),
        "waiting": mqtt.outbox.waiting(),
        "lost_events": mqtt.outbox.lost_events,
    }
    path = os.getenv("PLAIN_REPORT")
    with open(path + ".new", "w") as file:
        file.write(json.dumps(report))
    os.rename(path + ".new", path)


async def report_often(station, cycle, mqtt):
    while True:
        await asyncio.sleep_ms(100)
        write_report(station, cycle, mqtt)


async def main():
    if os.getenv("PLAIN_FAST"):
        hurry()
    station, cycle, mqtt = build()
    asyncio.create_task(cycle.run(int(os.getenv("PLAIN_EMIT") or 0)))
    if os.getenv("PLAIN_REPORT"):
        asyncio.create_task(report_often(station, cycle, mqtt))
    await Supervisor(station).run()


gc.collect()
asyncio.run(main())
