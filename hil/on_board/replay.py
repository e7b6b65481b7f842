# SPDX-License-Identifier: MIT
"""Sense and protect of the firmware, at its own 10 ms, on whatever the plant plays. Prints JSON lines.

    argv: settings as JSON, period of the samples in ms

Lines: {"e": [ticks_ms, code, subject, value, phase]} for each event, {"s": [...]} samples.
"""

import json
import sys
import time

from board.board import Board

from evse.cycle import Cycle
from evse.image import Image
from evse.profiles.loader import load
from evse.protect import Protect
from evse.sense import Sense
from evse.store.settings import Settings

DRAIN_MS = 200  # the ring holds 64 events


class Idle:
    """A stage that is not under test."""

    def run(self):
        """Do nothing."""


def nothing():
    """Make no gate edge."""


def build(wanted):
    settings = Settings()
    for name in wanted:
        settings.set(name, wanted[name], 2)
    board = Board()
    board.open(settings)
    image = Image()
    profile = load(settings.profile)
    sense = Sense(image, settings, profile, board)
    protect = Protect(image, settings, profile)
    idle = Idle()
    board.ticker(Cycle(image, sense, protect, idle, idle, idle, nothing).run)
    return board, image


def sample(image, now_ms):
    i = image.inputs
    p = image.protection
    volts = list(i.phase_mv)
    row = [now_ms, volts, i.frequency_uhz if i.frequency_ok else -1, i.rocof_mhz_s if i.rocof_ok else 0]
    print(json.dumps({"s": row + [p.service, p.trip, p.trip_element, p.inhibit, p.wait_ms, i.afe_ok]}))


def main(wanted, period_ms):
    print(json.dumps({"t0": time.ticks_ms()}))  # power-up; building takes some time of its own
    board, image = build(wanted)
    events = image.events
    row = [0] * 5
    sequence = 0
    due_ms = time.ticks_ms()
    while True:
        board.watchdog.feed()
        while events.read(sequence, row):
            print(json.dumps({"e": row}))
            sequence += 1
        now_ms = time.ticks_ms()
        if time.ticks_diff(now_ms, due_ms) >= 0:
            sample(image, now_ms)
            due_ms = time.ticks_add(due_ms, period_ms)
        time.sleep_ms(min(period_ms, DRAIN_MS))


main(json.loads(sys.argv[1]), int(sys.argv[2]))
