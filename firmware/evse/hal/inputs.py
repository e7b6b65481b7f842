# SPDX-License-Identifier: MIT
"""Digital feedback, proximity and temperatures. read() runs in the cycle.

contactor_mirror, rcd_trip and estop are wired fail-safe: high = main contacts open, healthy, released.
"""

from machine import Pin

SIGNALS = ("contactor_mirror", "gate_feedback", "rcd_trip", "estop")


class Inputs:
    """pins: PINS; proximity, board, connector: millivolt readers; thermistor: their table."""

    def __init__(self, pins, proximity, board, connector, thermistor):
        self.contactor_open = 0  # 1: the mirror contact proves the main contacts open
        self.gate_up = 0
        self.rcd_tripped = 1
        self.estop = 1
        self.proximity_mv = 0  # at the ADC pin
        self.board_cdeg = 0
        self.connector_cdeg = 0
        self._mirror, self._gate, self._rcd, self._estop = [Pin(pins[name], Pin.IN, Pin.PULL_DOWN) for name in SIGNALS]
        self._proximity = proximity
        self._board = board
        self._connector = connector
        self._thermistor = thermistor
        self._turn = 0
        for _ in range(3):
            self.read()

    def read(self) -> None:
        """Refresh the digital inputs, and one of the three slow analog ones in turn."""
        self.contactor_open = self._mirror()
        self.gate_up = self._gate()
        self.rcd_tripped = 1 - self._rcd()
        self.estop = 1 - self._estop()
        turn = self._turn
        if turn == 0:
            self.proximity_mv = self._proximity.read()
        elif turn == 1:
            self.board_cdeg = self._thermistor.cdeg(self._board.read())
        else:
            self.connector_cdeg = self._thermistor.cdeg(self._connector.read())
        self._turn = turn + 1 if turn < 2 else 0
