# SPDX-License-Identifier: MIT
"""What every task may use, in one record that main fills: board, image, settings, profile, notes, clock, commands."""

import asyncio
from time import ticks_ms

from evse.faults import EVENT_SETTING
from evse.link.telemetry import Reader
from evse.points import NAME, SETTINGS, UNIT, find
from evse.tasks.clock import ClockTask
from evse.tasks.commands import Commands
from evse.tasks.notes import Notes

VERSION = "0.1.0"
RESTART_MS = 200


def _position(name: str) -> int:
    """Return the row number of a setting, for the event ring; 0 when it is none."""
    for at in range(len(SETTINGS)):
        if SETTINGS[at][NAME] == name:
            return at
    return 0


class Station:
    """The shared objects of the tasks. `profile` and `cycle` are None when boot held the charger safe."""

    def __init__(self, board, image, settings, profile, cycle):
        self.board = board
        self.image = image
        self.settings = settings
        self.profile = profile
        self.cycle = cycle
        self.notes = Notes()
        self.clock = ClockTask(self)
        self.commands = Commands(self)
        self.reader = Reader(image)
        self.journal = None  # the FRAM journal, once opened
        self.trips = None  # the FRAM store of trips, once opened
        self.journal_task = None
        self.tasks = []
        self.keepers = []
        self.reset_cause = "unknown"
        self.reboot = False

    def setting_changed(self, name: str, before, source: str) -> None:
        """Put a change of a setting on record."""
        row = find(name)
        after = "(secret)" if row is not None and row[UNIT] == "secret" else getattr(self.settings, name, "")
        self.notes.say(source, "setting %s: %s -> %s" % (name, before, after))
        if self.journal_task is not None:
            self.journal_task.put((ticks_ms(), EVENT_SETTING, _position(name), 0, 0))

    async def restart(self) -> None:
        """Make the outputs safe and restart the controller."""
        await asyncio.sleep_ms(RESTART_MS)  # the answer leaves first
        self.board.reset()

    def may_stall(self) -> bool:
        """Whether a C call of some hundred ms (DNS, TLS handshake) is harmless now.

        With the cycle in a hard interrupt (STM32) it always is; with a scheduled ticker (ESP32) it
        would drop the safety gate, so only while the contactor is open.
        """
        return self.board.port == "stm32" or not self.image.outputs.contactor
