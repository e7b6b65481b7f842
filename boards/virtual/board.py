# SPDX-License-Identifier: MIT
"""The board's parts, built as the reference hardware on esp32."""

from board import pins

from evse.drivers.ade9000 import Ade9000
from evse.drivers.fram_mb85rc256v import FramMb85rc256v
from evse.hal import port_esp32
from evse.hal.reference import ReferenceBoard


class Board(ReferenceBoard):
    """See docs/contracts.md, "Board"."""

    def __init__(self):
        super().__init__(pins, port_esp32, Ade9000, FramMb85rc256v)

    def open_can(self, bit_rate: int, identifier: int, mask: int):
        """Return the CAN controller's face."""
        from evse.drivers.can_mcp2515 import Mcp2515  # its memory only where it is wanted

        spi, select = port_esp32.open_can_spi(pins.PINS, pins.BUSES)
        return Mcp2515(spi, select, bit_rate, identifier, mask, pins.SCALES["can_crystal_hz"])
