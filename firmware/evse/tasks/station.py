# SPDX-License-Identifier: MIT
"""What every task may use, in one record that main fills: board, image, settings, profile, notes, clock, commands."""

import asyncio
from time import ticks_ms

from evse.faults import EVENT_SETTING, EVENT_SETTING_WAS
from evse.link.telemetry import Reader, is_text, setting_key, setting_value
from evse.points import NAME, SETTINGS, UNIT, find
from evse.store.journal import TEXT_MAX
from evse.tasks.clock import ClockTask
from evse.tasks.commands import Commands
from evse.tasks.notes import Notes
from evse.tasks.one_off import OneOff

VERSION = "0.1.0"
RESTART_MS = 200
NOTE_TEXT = 50  # characters of a text setting in a note


def excerpt(text: str, other: str, most: int) -> str:
    """Return text, or of a longer one `most` characters from shortly before its first difference to `other`."""
    if len(text) <= most:
        return text
    first = 0
    while first < min(len(text), len(other)) and text[first] == other[first]:
        first += 1
    start = max(0, min(first - 10, len(text) - most))
    end = start + most
    shown = text[start:end] if end >= len(text) else text[start : end - 2] + ".."
    return ".." + shown[2:] if start else shown


def _change_text(before, after) -> str:
    if isinstance(before, str):
        before, after = ('"%s"' % excerpt(before, after, NOTE_TEXT), '"%s"' % excerpt(after, before, NOTE_TEXT))
    return "%s -> %s" % (before, after)


def gains_of(settings) -> dict:
    """Return {name: ppm} of the front end's gains in force: those at boot."""
    return {row[NAME]: getattr(settings, row[NAME]) for row in SETTINGS if row[UNIT] == "ppm"}


class Station:
    """The shared objects of the tasks. `profile` and `cycle` are None when boot held the charger safe."""

    def __init__(self, board, image, settings, profile, cycle):
        self.board = board
        self.image = image
        self.settings = settings
        self.profile = profile
        self.cycle = cycle
        self.gains = gains_of(settings)
        self.notes = Notes()
        self.clock = ClockTask(self)
        self.commands = Commands(self)
        self.reader = Reader(image)
        self.one_off = OneOff(self)
        self.journal = None  # the FRAM journal, once opened
        self.trips = None  # the FRAM store of trips, once opened
        self.records = None  # the task of energy, sessions and recordings
        self.journal_task = None
        self.meter_task = None  # where a site meter is set up
        self.tasks = []
        self.keepers = []
        self.reboot = False

    def setting_changed(self, name: str, before, after, source: str) -> None:
        """Put a change of a setting on record: in words, and in the journal as old and new value."""
        row = find(name)
        secret = row[UNIT] == "secret"
        self.notes.say(source, "setting %s: %s" % (name, "changed" if secret else _change_text(before, after)))
        if self.journal_task is None:
            return
        key = setting_key(name)
        for code, value, other in ((EVENT_SETTING_WAS, before, after), (EVENT_SETTING, after, before)):
            if is_text(row):
                self.journal_task.text(excerpt(value, other, TEXT_MAX))
            self.journal_task.put((ticks_ms(), code, key >> 8, setting_value(row, value), key & 0xFF))

    def record(self, code: int, subject: int = 0, value: int = 0) -> None:
        """Put an event of a task on record."""
        if self.journal_task is not None:
            self.journal_task.put((ticks_ms(), code, subject, value, 0))

    def settings_changed(self, before: dict, source: str) -> None:
        """Put every difference between `before` (Settings.asked()) and now on record."""
        for name, value in self.settings.asked().items():
            if before[name] != value:
                self.setting_changed(name, before[name], value, source)

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
