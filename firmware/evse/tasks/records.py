# SPDX-License-Identifier: MIT
"""Records task: energy registers, the running session, the battery's budget, trip recordings into FRAM. Twice a second.

Reads board.afe's counters and the image; writes image.energy and the stores. What flowed in the last half second is all
that a power cut can cost.
"""

import asyncio
from time import ticks_diff, ticks_ms

from evse.faults import END_POWER_LOSS, END_REBOOT, EVENT_SESSION_END
from evse.fixed import ratio
from evse.tasks.recorder import PERIOD_MS
from evse.tasks.session_record import SessionRecord, soc_of

LOOK_MS = 500
PIECE_ROWS = 5  # of a trip recording, a turn: packing takes some ms on a board


class RecordsTask:
    """Owner of the energy, session, budget and recording stores. Listener of the journal task.

    stores: (energy, sessions, budget, recording). recorder: the cycle's Recorder, or None without a cycle.
    """

    name = "records"
    critical = True
    patience_ms = 10000

    def __init__(self, station, stores, recorder=None):
        self._station = station
        self.energy, self.sessions, self._budget, self.recording = stores
        self.recorder = recorder
        self.unwritten = 0  # times the FRAM did not answer
        self.beat_ms = ticks_ms()
        self._session = SessionRecord()
        self._import_mwh = [0, 0, 0]
        self._export_mwh = [0, 0, 0]
        self._running = None  # {field: value} of the session that goes on
        self._start_mwh = (0, 0)
        self._start_ms = 0  # uptime
        self._budget.restore(station.image.budget)
        self._show()

    def event(self, row) -> None:
        """Take an event from the journal task."""
        self._session.event(row)
        if self._session.ended:
            self._guarded(self._end)
        elif self._session.open and self._running is None:
            self._begin()

    async def run(self) -> None:
        """Keep the records for ever."""
        self._guarded(self._close_left)
        while True:
            self.beat_ms = ticks_ms()
            self._guarded(self._energy)
            self._guarded(self._save_budget)
            if self.recorder is not None and self.recorder.full:
                await self._take_recording()
            await asyncio.sleep_ms(LOOK_MS)

    def _guarded(self, step) -> None:
        """Do a step; a FRAM that does not answer is counted and said once, and tried again at the next."""
        try:
            step()
        except OSError as error:
            self.unwritten += 1
            if self.unwritten == 1:
                self._station.notes.say("records", "FRAM does not take records: %s; check its wiring" % error)

    # --- energy ---

    def _energy(self) -> None:
        afe = self._station.board.afe
        for phase in range(3):
            self._import_mwh[phase] = afe.energy_mwh(phase, 0)
            self._export_mwh[phase] = afe.energy_mwh(phase, 1)
        self.energy.take(self._import_mwh, self._export_mwh)
        wrote = self.energy.save()
        self._show()
        if self._running is not None:
            self._count_session()
            if wrote:
                self.sessions.keep(self._running)

    def _show(self) -> None:
        """Put the registers where the points find them."""
        shown = self._station.image.energy
        registers = self.energy.registers_mwh
        for phase in range(3):
            shown.phase_import_wh[phase] = registers[phase] // 1000
            shown.phase_export_wh[phase] = registers[3 + phase] // 1000
        shown.import_wh = self.energy.import_mwh // 1000
        shown.export_wh = self.energy.export_mwh // 1000
        budget = self._station.image.budget
        budget.cycles_milli = ratio(budget.discharged_wh, 1000, self._station.settings.battery_capacity_wh)

    def _save_budget(self) -> None:
        self._budget.save(self._station.image.budget)

    # --- the session ---

    def _begin(self) -> None:
        clock = self._station.clock
        inputs = self._station.image.inputs
        self._start_mwh = (self.energy.import_mwh, self.energy.export_mwh)
        self._start_ms = clock.uptime_ms(ticks_ms())
        boot = self._station.journal.boot if self._station.journal is not None else 0
        self._running = {"start_utc_s": clock.now_s() or 0, "start_soc_permille": soc_of(inputs), "boot": boot}
        self._count_session()
        self._guarded(self._keep)

    def _keep(self) -> None:
        self.sessions.keep(self._running)

    def _count_session(self) -> None:
        values = self._running
        clock = self._station.clock
        shown = self._station.image.energy
        values["duration_s"] = shown.session_s = (clock.uptime_ms(ticks_ms()) - self._start_ms) // 1000
        values["end_utc_s"] = clock.now_s() or 0
        if not values["start_utc_s"] and values["end_utc_s"]:
            values["start_utc_s"] = values["end_utc_s"] - values["duration_s"]  # the clock was set meanwhile
        values["import_wh"] = shown.session_import_wh = (self.energy.import_mwh - self._start_mwh[0]) // 1000
        values["export_wh"] = shown.session_export_wh = (self.energy.export_mwh - self._start_mwh[1]) // 1000
        values["trips"] = min(self._session.trips, 255)
        soc_permille = soc_of(self._station.image.inputs)
        if self._station.image.inputs.soc_ok or "end_soc_permille" not in values:
            values["end_soc_permille"] = soc_permille

    def _end(self) -> None:
        """The vehicle has left: one record, once."""
        self._session.ended = 0
        values = self._running
        self._running = None
        if values is None:
            return
        self._running = values
        self._energy()
        self._running = None
        values["reason"] = self._session.reason
        self._record(values)

    def _record(self, values: dict) -> None:
        self.sessions.append(values)
        self._station.record(EVENT_SESSION_END, values["reason"], values["duration_s"])

    def _close_left(self) -> None:
        """Record the session that the last power cut or reboot ended."""
        values = self.sessions.left()
        if values is not None:
            cause = getattr(self._station.board, "reset_cause", "unknown")
            values["reason"] = END_POWER_LOSS if cause == "power" else END_REBOOT
            self._record(values)

    # --- the trip's recording ---

    async def _take_recording(self) -> None:
        """Write the recorder's rows, a piece a turn; the recorder stands still meanwhile and then goes on."""
        recorder = self.recorder
        store = self.recording
        started_ms = ticks_ms()
        try:
            store.begin(recorder.phases)
            for piece in recorder.pieces(PIECE_ROWS):
                store.put(piece)
                self.beat_ms = ticks_ms()
                await asyncio.sleep_ms(0)
            store.finish(self._head(recorder))
            took_ms = ticks_diff(ticks_ms(), started_ms)
            self._station.notes.say("records", "trip recording of %d rows kept in %d ms" % (recorder.count, took_ms))
        except (OSError, ValueError) as error:
            self.unwritten += 1
            self._station.notes.say("records", "FRAM did not take the trip recording: %s" % error)
        recorder.restart()

    def _head(self, recorder) -> dict:
        trips = self._station.trips
        return {
            "phases": recorder.phases,
            "period_ms": PERIOD_MS,
            "rows": recorder.count,
            "trip_row": recorder.trip_row(),
            "trip": trips.newest if trips is not None else 0,
            "utc_s": self._station.clock.now_s() or 0,
            "element": recorder.element,
        }
