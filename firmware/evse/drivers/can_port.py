# SPDX-License-Identifier: MIT
"""The controller's face that CanBus uses, over machine.CAN (STM32, MicroPython >= 1.28).

Source: MicroPython documentation, "machine.CAN". The ESP32 port has no machine.CAN: there a part on SPI shows the same
face (`can_mcp2515.py`): send, receive, off, restart, error, overruns.
"""

from evse.drivers.can_bus import FRAME_BYTES


class CanPort:
    """can: a machine.CAN, open at the bus's bit rate. Only 29-bit data frames of 8 bytes pass, as the filter says."""

    def __init__(self, can, identifier: int, mask: int):
        self._can = can
        self._flag = can.FLAG_EXT_ID
        self._off = can.STATE_BUS_OFF
        self._passive = can.STATE_PASSIVE
        self._remote = can.FLAG_RTR
        self._lost = can.RECV_ERR_OVERRUN
        self._buffer = bytearray(FRAME_BYTES)
        self._message = [0, memoryview(self._buffer), 0, 0]
        self._queued = None  # the transmit buffer of our last frame
        self.overruns = 0
        self.error = ""
        can.set_filters(((identifier, mask, can.FLAG_EXT_ID),))

    def send(self, identifier: int, data, _priority: int) -> int:
        """Queue one frame in place of what has not left yet; return 0 when that fails or it has left the bus.

        Taken back: setpoints reach the bus in the order they were given, and nothing older goes out after a trip.
        """
        try:
            if self._queued is not None:
                self._can.cancel_send(self._queued)
            self._queued = self._can.send(identifier, data, self._flag)
        except OSError:
            return 0
        return 0 if self._queued is None else 1

    def receive(self, frame) -> int:
        """Take the next frame of 8 bytes into `frame`; return 0 when there is none."""
        while True:
            message = self._can.recv(self._message)
            if message is None:
                return 0
            if message[3] & self._lost:
                self.overruns += 1
            if len(message[1]) == FRAME_BYTES and not message[2] & self._remote:
                break
        frame.identifier = message[0]
        for i in range(FRAME_BYTES):
            frame.data[i] = self._buffer[i]
        return 1

    def off(self) -> int:
        """Return 1 when the controller has left the bus after too many errors."""
        state = self._can.state()
        if state == self._off:
            self.error = "the controller is off the bus after too many errors"
            return 1
        self.error = "nobody acknowledges on CAN or the bus is disturbed" if state == self._passive else ""
        return 0

    def restart(self) -> None:
        """Go back to the bus."""
        self._queued = None
        self._can.restart()
