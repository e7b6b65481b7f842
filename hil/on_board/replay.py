# SPDX-License-Identifier: MIT
"""The firmware's grid sensing and protection, cycle by cycle of 10 ms, on readings from a file. Prints JSON lines.

    argv: settings as JSON, file of readings, period of the samples in ms

A reading is seven little-endian 32-bit ints: sequence, three voltages in mV, three line periods in counts.
Lines: {"t0": ticks of the first reading}, {"e": [ticks_ms, code, subject, value, phase]} for each event, {"s": [...]}
samples, {"at": s} for a progress line.
"""

import json
import sys
from array import array

from evse.fixed import later
from evse.image import Image
from evse.profiles.loader import load
from evse.protect import Protect
from evse.sense.grid import Grid
from evse.store.settings import Settings

CYCLE_MS = 10
WIDTH = 7
START_MS = 1000
TELL_MS = 20000


class FrontEnd:
    """What the driver of the front end shows, filled from the file."""

    def __init__(self):
        self.ok = 1
        self.sequence = 0
        self.phase_mv = [0, 0, 0]
        self.phase_ma = [0, 0, 0]
        self.phase_w = [0, 0, 0]
        self.phase_var = [0, 0, 0]
        self.phase_period = [0, 0, 0]

    def read(self):
        """Do nothing: the readings are set from outside."""


class Board:
    """A board of which only the front end exists."""

    def __init__(self):
        self.afe = FrontEnd()


class Replay:
    """Image, sense's grid part and protect on one front end."""

    def __init__(self, wanted, period_ms):
        settings = Settings()
        for name in wanted:
            settings.set(name, wanted[name], 2)
        profile = load(settings.profile, settings.profile_changes)
        self.image = Image()
        board = Board()
        self.afe = board.afe
        self.grid = Grid(self.image, settings, profile, board)
        self.protect = Protect(self.image, settings, profile)
        self.period_ms = period_ms
        self.sequence = 0
        self.row = [0] * 5

    def cycle(self, frame, now_ms):
        """Take one reading."""
        afe = self.afe
        afe.sequence = frame[0]
        mv = afe.phase_mv
        mv[0] = frame[1]
        mv[1] = frame[2]
        mv[2] = frame[3]
        counts = afe.phase_period
        counts[0] = frame[4]
        counts[1] = frame[5]
        counts[2] = frame[6]
        self.image.inputs.now_ms = now_ms
        self.grid.run()
        self.protect.run()
        if self.image.events.count > self.sequence:
            self.drain()

    def drain(self):
        """Print new events."""
        while self.image.events.read(self.sequence, self.row):
            print(json.dumps({"e": self.row}))
            self.sequence += 1

    def sample(self, now_ms):
        """Print a sample."""
        i = self.image.inputs
        p = self.image.protection
        row = [now_ms, i.phase_mv, i.frequency_uhz if i.frequency_ok else -1, i.rocof_mhz_s if i.rocof_ok else 0]
        print(json.dumps({"s": row + [p.service, p.trip, p.trip_element, p.inhibit, p.wait_ms, i.afe_ok]}))


def main(wanted, path, period_ms):
    """Play the file."""
    replay = Replay(wanted, period_ms)
    print(json.dumps({"t0": START_MS}))
    frame = array("i", [0] * WIDTH)
    now_ms = START_MS
    spent_ms = 0
    with open(path, "rb") as file:
        while file.readinto(frame) == 4 * WIDTH:
            replay.cycle(frame, now_ms)
            if spent_ms % period_ms == 0:
                replay.sample(now_ms)
            if spent_ms % TELL_MS == 0:
                print(json.dumps({"at": spent_ms // 1000}))
            now_ms = later(now_ms, CYCLE_MS)
            spent_ms += CYCLE_MS
    replay.sample(now_ms)


main(json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
