# SPDX-License-Identifier: MIT
"""CAN: questions and answers on one bus, in the same shape as the Modbus masters (`await bus.transact(transfer)`).

The controller under it (`can_port.CanPort`, `can_mcp2515.Mcp2515`): `send(identifier, data, priority)` takes back what
has not left yet and returns 1, or 0 when it cannot send; `receive(frame)` 1 or 0; `off()` 1 when it has left the bus;
`restart()`; `error` says why it does not work. All identifiers have 29 bits; frames of other lengths or kinds are not
delivered. CAN checks and repeats frames by itself; a question may still stay unanswered.
"""

from time import ticks_diff, ticks_ms

from evse.drivers.turn import READ, TRIP, Exchange, Wire
from evse.link import modbus

FRAME_BYTES = 8
TIMEOUT_MS = 100
DRAIN_MOST = 64  # a babbling node must not hold the task
LOOK_MS = 2  # a controller's two buffers are full after two frames of 1.1 ms; so no learning when the answer is due
PROBE_MS = 400  # between two probes
OWED, ASKED = 1, 2  # doubt: an answer may still come; a probe has been asked
OPEN = -1  # a result: no answer yet
RESTART_MS = 1000  # between two returns from bus-off


class CanFrame:
    """A received frame; `receive` fills it in place."""

    def __init__(self):
        self.identifier = 0
        self.data = bytearray(FRAME_BYTES)


class CanTransfer(Exchange):
    """One question; see Exchange. match(frame, transfer): -1 not ours, 0 the answer, 1..15 the device's error.

    probes: questions about what never changes. After an unanswered question the device may still owe answers, which
    would pass for later ones. It answers in order: so one of these is asked, nothing else but trips until its answer is
    there, and the next only after PROBE_MS, so that it takes PROBE_MS x probes until one could pass for another.
    """

    def __init__(self, identifier: int, match, priority: int = READ):
        super().__init__(priority, TIMEOUT_MS)
        self.identifier = identifier
        self.match = match
        self.data = bytearray(FRAME_BYTES)
        self.answer = bytearray(FRAME_BYTES)
        self.probes = ()


class CanBus(Wire):
    """The bus. port: the controller."""

    baud = 1000000  # for those who plan the load of a line: not the limit here
    SILENT = "CAN_H and CAN_L, 120 ohm at each end, the module's supply and its group"
    SPOILED = "the controller cannot send"

    def __init__(self, port):
        super().__init__()
        self._port = port
        self._frame = CanFrame()
        self._sent_ms = 0
        self._doubt = 0
        self._turn = 0  # of the probes
        self._probe_ms = ticks_ms()  # when the last one was sent
        self._listening = 0  # 1: its answer is awaited, nothing is to be sent
        self._restart_ms = ticks_ms()
        self.restarts = 0

    def place(self, unit: int) -> str:
        """Say where a device is, for a person."""
        return "group %d on CAN%s" % (unit, " (%s)" % self.error if self.error else "")

    @property
    def error(self) -> str:
        """Why the controller does not work, for a person."""
        return self._port.error

    def first(self, transfer):
        """Return the probe when an answer may still come to an earlier question; a trip does not wait for that."""
        probes = transfer.probes
        self._listening = 0
        if not self._doubt or transfer.priority == TRIP or not probes:
            return transfer
        if self._doubt == ASKED and ticks_diff(ticks_ms(), self._probe_ms) < PROBE_MS:
            self._listening = 1
        else:
            self._turn = (self._turn + 1) % len(probes)
        return probes[self._turn]

    def count(self, exchange) -> None:
        """Count the exchange, and whether the device may still owe an answer."""
        super().count(exchange)
        probe = exchange is not self.holder.transfer
        if exchange.result < modbus.TIMEOUT:
            if probe:
                self._doubt = 0
                self._listening = 0
        elif not probe and not self._doubt:
            self._doubt = OWED

    def hang_up(self) -> None:
        """Whatever was asked may still be answered."""
        if not self._doubt:
            self._doubt = OWED

    def prepare(self) -> int:
        """Drop what nobody asked for; come back from bus-off."""
        port = self._port
        for _ in range(0 if self._listening else DRAIN_MOST):
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
        exchange.result = OPEN
        if self._listening:
            return LOOK_MS
        if exchange is not self.holder.transfer:
            self._doubt = ASKED
            self._probe_ms = self._sent_ms
        if not self._port.send(exchange.identifier, exchange.data, exchange.priority):
            exchange.result = modbus.CLOSED
            return 0
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
