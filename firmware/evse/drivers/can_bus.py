# SPDX-License-Identifier: MIT
"""CAN: questions and answers on one bus, in the same shape as the Modbus masters (`await bus.transact(transfer)`).

The controller under it (`can_port.CanPort`, `can_mcp2515.Mcp2515`): `send(identifier, data, priority)` takes back what
has not left yet and returns 1, or 0 when it cannot send; `receive(frame)` 1 or 0; `off()` 1 when it has left the bus;
`restart()`; `error` says why it does not work. All identifiers have 29 bits; frames of other lengths or kinds are not
delivered. CAN checks and repeats frames by itself; a question may still stay unanswered.
"""

from time import ticks_diff, ticks_ms

from evse.drivers.turn import READ, Exchange, Wire
from evse.link import modbus

FRAME_BYTES = 8
TIMEOUT_MS = 100
DRAIN_MOST = 64  # a babbling node must not hold the task
LOOK_MS = 2  # a controller's two buffers are full after two frames of 1.1 ms; so no learning when the answer is due
OPEN = -1  # a result: no answer yet
RESTART_MS = 1000  # between two returns from bus-off


class CanFrame:
    """A received frame; `receive` fills it in place."""

    def __init__(self):
        self.identifier = 0
        self.data = bytearray(FRAME_BYTES)


class CanTransfer(Exchange):
    """One question; see Exchange. match(frame, transfer): -1 not ours, 0 the answer, 1..15 the device's error."""

    def __init__(self, identifier: int, match, priority: int = READ):
        super().__init__(priority, TIMEOUT_MS)
        self.identifier = identifier
        self.match = match
        self.data = bytearray(FRAME_BYTES)
        self.answer = bytearray(FRAME_BYTES)


class CanBus(Wire):
    """The bus. port: the controller."""

    baud = 1000000  # for those who plan the load of a line: not the limit here

    def __init__(self, port):
        super().__init__()
        self._port = port
        self._frame = CanFrame()
        self._sent_ms = 0
        self._restart_ms = ticks_ms()
        self.restarts = 0

    @property
    def error(self) -> str:
        """Why the controller does not work, for a person."""
        return self._port.error

    def prepare(self) -> int:
        """Drop what nobody asked for; come back from bus-off."""
        port = self._port
        for _ in range(DRAIN_MOST):
            if not port.receive(self._frame):
                break
        if port.off() and ticks_diff(ticks_ms(), self._restart_ms) >= RESTART_MS:
            self._restart_ms = ticks_ms()
            self.restarts += 1
            port.restart()
        return 0

    def send(self, exchange) -> int:
        """Put the question on the bus; return ms until its answer is due."""
        self._sent_ms = ticks_ms()
        if not self._port.send(exchange.identifier, exchange.data, exchange.priority):
            exchange.result = modbus.CLOSED
            return 0
        exchange.result = OPEN
        return LOOK_MS

    def look(self, exchange) -> int:
        """Look for the answer; return 0 when the try is over (see exchange.result), else ms until the next look."""
        if exchange.result >= 0:  # it could not be sent
            return 0
        if self._take(exchange):
            return 0
        if self.urgent(exchange):  # frames do not collide: nobody has to be waited for
            exchange.result = modbus.ABORTED
            return 0
        if ticks_diff(ticks_ms(), self._sent_ms) >= exchange.timeout_ms:
            exchange.result = modbus.TIMEOUT
            return 0
        return LOOK_MS

    def _take(self, exchange) -> int:
        frame = self._frame
        port = self._port
        for _ in range(DRAIN_MOST):
            if not port.receive(frame):
                break
            result = exchange.match(frame, exchange)
            if result >= 0:
                exchange.answer[:] = frame.data
                exchange.result = result
                return 1
        return 0
