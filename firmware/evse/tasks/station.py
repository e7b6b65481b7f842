# SPDX-License-Identifier: MIT
"""What every task may use, in one record that main fills: board, image, settings, profile, notes, clock, commands."""

from evse.link.telemetry import Reader
from evse.tasks.clock import ClockTask
from evse.tasks.commands import Commands
from evse.tasks.notes import Notes

VERSION = "0.1.0"


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
        self.tasks = []
        self.reset_cause = "unknown"

    def may_stall(self) -> bool:
        """Whether a C call of some hundred ms (DNS, TLS handshake) is harmless now.

        With the cycle in a hard interrupt (STM32) it always is; with a scheduled ticker (ESP32) it
        would drop the safety gate, so only while the contactor is open.
        """
        return self.board.port == "stm32" or not self.image.outputs.contactor
