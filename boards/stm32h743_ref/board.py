# SPDX-License-Identifier: MIT
"""The board's parts, built as the reference hardware on stm32."""

from board import pins

from evse.drivers.ade9000 import Ade9000
from evse.drivers.fram_mb85rc256v import FramMb85rc256v
from evse.hal import port_stm32
from evse.hal.reference import ReferenceBoard


class Board(ReferenceBoard):
    """See docs/contracts.md, "Board"."""

    def __init__(self):
        super().__init__(pins, port_stm32, Ade9000, FramMb85rc256v)

    def open_can(self, bit_rate: int, identifier: int, mask: int):
        """Return the CAN controller's face."""
        from evse.drivers.can_port import CanPort  # its memory only where it is wanted

        return CanPort(port_stm32.open_can(pins.BUSES, bit_rate), identifier, mask)
