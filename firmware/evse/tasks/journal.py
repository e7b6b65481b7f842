# SPDX-License-Identifier: MIT
"""Drains the cycle's event ring: into the FRAM journal, and on to whoever listens (MQTT). 20 times a second."""

import asyncio
from time import ticks_diff, ticks_ms

from evse.faults import EVENT_CONTACTOR_OPENED, EVENT_TRIP

LOOK_MS = 50
TRIP_OPEN_MS = 500  # after this a trip is kept without its opening time
PER_TURN = 8  # rows a turn: a burst must not hold the other tasks


class JournalTask:
    """Reader of image.events with its own sequence number.

    station.journal: object with append(uptime_ms, code, subject, value, phase), or None.
    listeners: objects with event(row); the row is only lent. Tasks never write the cycle's ring (it has
    one writer): their own events come through `put`.
    """

    name = "journal"
    critical = True
    patience_ms = 5000

    def __init__(self, station, listeners=()):
        self._station = station
        self._events = station.image.events
        self._listeners = listeners
        self._row = [0] * 5
        self._trip_ms = 0  # ticks of a trip that is not yet in the trip store
        self._trip_open = 0  # 1: a trip waits for its contactor to open
        self.sequence = 0
        self.lost = 0  # events overwritten before they could be read
        self.unwritten = 0  # events the FRAM did not take
        self.beat_ms = ticks_ms()

    async def run(self) -> None:
        """Drain for ever."""
        while True:
            self.beat_ms = ticks_ms()
            self.drain(PER_TURN)
            self._trip_late()
            await asyncio.sleep_ms(LOOK_MS if self.sequence >= self._events.count else 0)

    def drain(self, most: int) -> None:
        """Hand on at most `most` events."""
        events = self._events
        oldest = events.count - events.depth
        if self.sequence < oldest:
            self.lost += oldest - self.sequence
            self._station.notes.say("journal", "%d events were overwritten before they were read" % self.lost)
            self.sequence = oldest
        while most and events.read(self.sequence, self._row):
            self.put(self._row)
            self.sequence += 1
            most -= 1

    def put(self, row) -> None:
        """Record one event row (ticks_ms, code, subject, value, phase) and hand it on."""
        self._record(row)
        self._watch_trip(row)
        for listener in self._listeners:
            listener.event(row)

    def text(self, text: str) -> None:
        """Record the text that belongs to the event put next."""
        journal = self._station.journal
        if journal is not None:
            self._guarded(lambda: journal.append_text(text))

    def _watch_trip(self, row) -> None:
        """A trip goes to the trip store with the time until the contactor was open."""
        if row[1] == EVENT_TRIP:
            self._trip_open = 1
            self._trip_ms = row[0]
        elif row[1] == EVENT_CONTACTOR_OPENED and self._trip_open:
            self._keep_trip(ticks_diff(row[0], self._trip_ms))

    def _trip_late(self) -> None:
        if self._trip_open and ticks_diff(ticks_ms(), self._trip_ms) > TRIP_OPEN_MS:
            self._keep_trip(0)

    def _keep_trip(self, open_ms: int) -> None:
        self._trip_open = 0
        station = self._station
        if station.trips is None:
            return
        profile = int(station.profile.hash, 16) if station.profile is not None else 0
        boot = station.journal.boot if station.journal is not None else 0
        try:
            station.trips.append(station.image, station.clock.now_s() or 0, boot, profile, open_ms)
        except OSError:
            self.unwritten += 1

    def _record(self, row) -> None:
        journal = self._station.journal
        if journal is not None:
            uptime_ms = max(0, self._station.clock.uptime_ms(row[0]))  # the ticks wrap after 12 days
            self._guarded(lambda: journal.append(uptime_ms, row[1], row[2], row[3], row[4]))

    def _guarded(self, write) -> None:
        try:
            write()
        except OSError as error:
            self.unwritten += 1
            if self.unwritten == 1:
                self._station.notes.say("journal", "FRAM does not take events: %s; check its wiring" % error)
