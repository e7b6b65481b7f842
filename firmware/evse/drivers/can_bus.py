# SPDX-License-Identifier: MIT
"""CAN: questions and answers on one bus, in the same shape as the Modbus masters (`await bus.transact(transfer)`).

The controller under it (`can_port.CanPort`, or any object with the same face): `send(identifier, data)` returns 0 when
its queue is full or it is off the bus, else 1; `receive(frame)` 1 or 0; `off()` 1 when it has left the bus;
`restart()`. All identifiers have 29 bits; frames of other lengths or kinds are not delivered. CAN checks and repeats
frames by itself; a question may still stay unanswered.
"""

import asyncio
from time import ticks_diff, ticks_ms

from evse.drivers.modbus_bus import READ, TRIP, WRITE, ahead
from evse.drivers.turn import Turns
from evse.link import modbus

FRAME_BYTES = 8
TIMEOUT_MS = 100
LOOK_MS = 1
DRAIN_MOST = 64  # a babbling node must not hold the task
RESTART_MS = 1000  # between two returns from bus-off


class CanFrame:
    """A received frame; `receive` fills it in place."""

    def __init__(self):
        self.identifier = 0
        self.data = bytearray(FRAME_BYTES)


class CanTransfer:
    """A question asked again and again. match(frame, transfer): -1 not ours, 0 the answer, 1..15 the device's error."""

    def __init__(self, identifier: int, match, priority: int = READ):
        self.identifier = identifier
        self.match = match
        self.priority = priority
        self.data = bytearray(FRAME_BYTES)
        self.answer = bytearray(FRAME_BYTES)
        self.timeout_ms = TIMEOUT_MS
        self.retries = 1
        self.result = modbus.OK
        self.stamp_ms = 0


class CanBus:
    """The bus. port: the controller."""

    def __init__(self, port):
        self._port = port
        self._frame = CanFrame()
        self._turns = Turns(self._serve)
        self._queue = [0, 0, 0]
        self._busy = 0
        self._sent_ms = 0
        self._restart_ms = ticks_ms()
        self.baud = 1000000  # for those who plan the load of a line: not the limit here
        self.transactions = 0
        self.timeouts = 0
        self.broken = 0  # sends that found the queue full or the bus off
        self.exceptions = 0
        self.restarts = 0

    def transact(self, transfer):
        """Ask once, with retries, when awaited; that gives the result: modbus.OK, 1..15, TIMEOUT or CLOSED."""
        return self._turns.take(transfer)

    def _serve(self, turn):
        queue = self._queue
        while True:
            transfer = turn.transfer
            priority = transfer.priority
            queue[priority] += 1
            try:
                while self._busy or ahead(queue, priority):
                    yield from asyncio.sleep_ms(LOOK_MS)
                self._busy = 1
            finally:
                queue[priority] -= 1
            try:
                for _ in range(transfer.retries + 1):
                    self._send(transfer)
                    while transfer.result < 0:
                        yield from asyncio.sleep_ms(LOOK_MS)
                        self._step(transfer, queue[TRIP] and priority != TRIP)
                    self._account(transfer)
                    if transfer.result < modbus.TIMEOUT or (queue[TRIP] and priority != TRIP):
                        break
            finally:
                self._busy = 0
            if queue[READ] or queue[WRITE] or queue[TRIP]:  # whoever waits goes first
                yield from asyncio.sleep_ms(LOOK_MS)
            turn.done = 1
            yield

    def _send(self, transfer) -> None:
        """Put the question on the bus; result is -1 while it is open."""
        port = self._port
        for _ in range(DRAIN_MOST):
            if not port.receive(self._frame):
                break
        now_ms = ticks_ms()
        if port.off() and ticks_diff(now_ms, self._restart_ms) >= RESTART_MS:
            self._restart_ms = now_ms
            self.restarts += 1
            port.restart()
        self._sent_ms = now_ms
        transfer.result = -1 if port.send(transfer.identifier, transfer.data) else modbus.CLOSED

    def _step(self, transfer, urgent: int) -> None:
        frame = self._frame
        for _ in range(DRAIN_MOST):
            if not self._port.receive(frame):
                break
            result = transfer.match(frame, transfer)
            if result >= 0:
                for i in range(FRAME_BYTES):
                    transfer.answer[i] = frame.data[i]
                transfer.result = result
                return
        if urgent:
            transfer.result = modbus.ABORTED
        elif ticks_diff(ticks_ms(), self._sent_ms) >= transfer.timeout_ms:
            transfer.result = modbus.TIMEOUT

    def _account(self, transfer) -> None:
        self.transactions += 1
        result = transfer.result
        if result < modbus.TIMEOUT:
            transfer.stamp_ms = ticks_ms()
            if result:
                self.exceptions += 1
        elif result == modbus.TIMEOUT:
            self.timeouts += 1
        elif result == modbus.CLOSED:
            self.broken += 1
