# SPDX-License-Identifier: MIT
"""Sense's grid part and Protect on a line that a test commands: exact one-cycle RMS and line periods, no noise.

Runs on CPython and on MicroPython. Voltages in mV, frequency in uHz, time in ms since the rig began; ticks
may start anywhere, so that a wrap can be tested. The contactor opens CONTACTOR_MS after a trip.
"""

from evse.image import Image
from evse.profiles.loader import load
from evse.protect import Protect
from evse.sense.grid import Grid
from evse.store.settings import Settings

CONTACTOR_MS = 20
TICKS = 0x3FFFFFFF
SETTLED_MS = 120  # after this a constant line gives constant readings


def settings_of(phases):
    """Return the firmware's default settings for a number of phases."""
    settings = Settings()
    settings.phases = phases
    settings.device_id = "rig"
    return settings


class Line:
    """One phase: half cycles of a sine whose RMS and frequency change at any millisecond."""

    def __init__(self, uhz):
        self.half = 0.0  # share of the half cycle that has passed
        self.positive = 0
        self.square = 0.0  # integral of V^2 ms over this half cycle
        self.spent_ms = 0.0
        self.last = 0.0  # mean square of the half cycle before
        self.cycle_ms = 0.0
        self.mv = 0
        self.counts = counts_of(uhz)

    def step(self, volt, uhz):
        """Advance 1 ms. Returns 1 when a half cycle ended, so that the front end refreshes."""
        share = uhz / 500000000.0  # of a half cycle, in 1 ms
        left = 1.0
        ended = 0
        if self.half + share >= 1.0:
            left = (1.0 - self.half) / share
            self.square += volt * volt * left
            self.spent_ms += left
            self.cycle_ms += left
            self._close()
            ended = 1
            self.half = 0.0
            left = 1.0 - left
        self.half += share * left
        self.square += volt * volt * left
        self.spent_ms += left
        self.cycle_ms += left
        return ended

    def _close(self):
        mean = self.square / self.spent_ms
        self.mv = int(((mean + self.last) / 2) ** 0.5 * 1000)
        self.last = mean
        self.square = 0.0
        self.spent_ms = 0.0
        self.positive = 1 - self.positive
        if self.positive:
            self.counts = int(self.cycle_ms * 524288 + 0.5) - 1
            self.cycle_ms = 0.0


class Afe:
    """The driver's attributes, filled by the rig."""

    def __init__(self):
        self.ok = 1
        self.sequence = 0
        self.reads = 0
        self.phase_mv = [0, 0, 0]
        self.phase_ma = [0, 0, 0]
        self.phase_w = [0, 0, 0]
        self.phase_var = [0, 0, 0]
        self.phase_period = [0, 0, 0]

    def read(self):
        self.reads += 1


class Board:
    def __init__(self):
        self.afe = Afe()


def counts_of(uhz):
    """Return the line period register at a frequency."""
    return int(524288 * 1000 * 1000000 / uhz + 0.5) - 1


class Rig:
    """Grid and Protect of one profile, cycle by cycle of 10 ms."""

    def __init__(self, name, phases=1, wait_ms=200, ticks_ms=1000, changes=""):
        """wait_ms: shortens the profile's enter-service waits; None keeps them."""
        self.profile = load(name, changes)
        if wait_ms is not None:
            self.profile.enter_wait_ms = wait_ms
            self.profile.first_wait_ms = wait_ms
            self.profile.enter_random_ms = 0
        self.image = Image()
        self.phases = phases
        settings = settings_of(phases)
        self.board = Board()
        self.afe = self.board.afe
        self.grid = Grid(self.image, settings, self.profile, self.board)
        self.protect = Protect(self.image, settings, self.profile)
        self.t_ms = 0
        self._start = ticks_ms
        self.uhz = self.profile.nominal_uhz
        self.mv = [self.profile.nominal_mv] * phases
        self._lines = [Line(self.uhz) for _ in range(phases)]
        self._steady_ms = 0
        self.frozen = 0  # 1: the front end refreshes no more
        self.tripped_at_ms = -1
        self._from = 0  # first event that events() shows

    def set(self, mv=None, uhz=None, phase=None):
        """Change the line from this millisecond on: all phases, or one (0..2)."""
        self._steady_ms = 0
        if uhz is not None:
            self.uhz = uhz
        if mv is not None:
            for i in range(self.phases):
                if phase is None or phase == i:
                    self.mv[i] = mv

    def run(self, ms, slope_hz_s=0):
        """Advance ms milliseconds; slope_hz_s ramps the frequency meanwhile."""
        afe = self.afe
        for _ in range(ms):
            self.t_ms += 1
            if slope_hz_s:
                self.uhz += slope_hz_s * 1000
                self._steady_ms = 0
            self._steady_ms += 1
            if self._steady_ms < SETTLED_MS:
                self._advance(afe)
            elif self.t_ms % 10 == 9 and not self.frozen:
                afe.sequence += 1
            if self.t_ms % 10 == 0:
                self.cycle()

    def _advance(self, afe):
        for i in range(self.phases):
            line = self._lines[i]
            if line.step(self.mv[i] / 1000, self.uhz) and not self.frozen:
                afe.sequence += 1
                afe.phase_mv[i] = line.mv
                afe.phase_period[i] = line.counts

    def cycle(self):
        """One firmware cycle."""
        inputs = self.image.inputs
        inputs.now_ms = (self._start + self.t_ms) & TICKS
        self.grid.run()
        self.protect.run()
        if self.tripped_at_ms < 0 and self.image.protection.trip:
            self.tripped_at_ms = self.t_ms

    def enter(self):
        """Run until service is granted; the contactor then counts as closed."""
        for _ in range(200):
            self.run(10)
            if self.image.protection.service:
                self.image.outputs.contactor = 1
                self.tripped_at_ms = -1
                self._from = self.image.events.count
                return
        raise AssertionError("service was not granted within 2 s")

    def open_after_ms(self, event_ms):
        """Return from an event to open contacts, -1 where nothing tripped."""
        return -1 if self.tripped_at_ms < 0 else self.tripped_at_ms - event_ms + CONTACTOR_MS

    def events(self, code=None):
        """Return the events (code, subject, value, phase) since enter(), oldest first."""
        ring = self.image.events
        rows = []
        row = [0] * 5
        for sequence in range(max(self._from, ring.count - ring.depth), ring.count):
            if ring.read(sequence, row) and (code is None or row[1] == code):
                rows.append((row[1], row[2], row[3], row[4]))
        return rows
