# SPDX-License-Identifier: MIT
"""The board's masters: one for each line, whoever uses it, so that two tasks never talk at once."""

from evse.drivers.modbus_bus import ModbusBus
from evse.hal.rs485 import line_baud


class Lines:
    """Makes each master when it is first wanted."""

    def __init__(self, board, settings):
        self._board = board
        self._settings = settings
        self._serial = None
        self._meter = None
        self._can = None

    def can(self, bit_rate: int, identifier: int, mask: int):
        """Return the master of the CAN bus, None when the board has none. identifier, mask: received, 29 bits."""
        opened = getattr(self._board, "open_can", None)
        if self._can is None and opened is not None:
            from evse.drivers.can_bus import CanBus  # its memory only where it is wanted

            self._can = CanBus(opened(bit_rate, identifier, mask))
        return self._can

    def serial(self):
        """Return the master of the RS-485 line, None when the board has none."""
        if self._serial is None and self._board.inverter_uart is not None:
            de = getattr(self._board, "inverter_de", None)
            self._serial = ModbusBus(self._board.inverter_uart, line_baud(self._settings), de)
        return self._serial

    def meter(self):
        """Return the master of the meter's line: a second one where the board has it, else the one there is."""
        uart = getattr(self._board, "meter_uart", None)
        if uart is None:
            return self.serial()
        if self._meter is None:
            self._meter = ModbusBus(uart, self._settings.meter_baud, getattr(self._board, "meter_de", None))
        return self._meter
