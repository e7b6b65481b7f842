# SPDX-License-Identifier: MIT
"""A CAN controller's transceiver on the virtual board: frames to the bus and what comes of them.

The bus itself, its arbitration and its time are the host's (hil/virtual_board/can_line.py).
"""

import struct

import _link
from _link import world

EXTENDED, REMOTE = 1 << 31, 1 << 30  # beside the identifier
_OFFER = "<BII"  # priority among this controller's own, bit rate, identifier
_SOON_US = 500  # the shortest frame at 125 kbit/s takes longer


class CanWire:
    """chip: frame(identifier, data, bit_rate), sent(tag), failed(tag, acknowledge)."""

    def __init__(self, chip):
        self._chip = chip
        world.handlers[(_link.RX_CAN, 0)] = self._frame
        world.handlers[(_link.RX_CAN, 1)] = self._sent
        world.handlers[(_link.RX_CAN, 2)] = self._failed

    def offer(self, tag, priority, bit_rate, identifier, data):
        """Put a frame up for the bus; it stays there until it is sent or withdrawn."""
        world.queue(_link.TX_CAN, tag, world.now, struct.pack(_OFFER, priority, bit_rate, identifier) + bytes(data))
        self._expect()

    def withdraw(self, tag):
        """Take a frame back, unless it is on the bus already."""
        world.queue(_link.TX_CAN, tag, world.now)
        self._expect()

    def _expect(self):
        if world.now + _SOON_US < world.wake_us:
            world.wake_us = world.now + _SOON_US

    def _frame(self, _t_us, payload):
        bit_rate, identifier = struct.unpack_from("<II", payload)
        self._chip.frame(identifier, bytes(payload[8:]), bit_rate)

    def _sent(self, _t_us, payload):
        self._chip.sent(payload[0])

    def _failed(self, _t_us, payload):
        self._chip.failed(payload[0], payload[1])
