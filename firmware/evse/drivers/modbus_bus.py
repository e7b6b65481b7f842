# SPDX-License-Identifier: MIT
"""Modbus RTU master on one RS-485 line, for any number of devices and tasks.

A device driver owns `Transfer` objects, made once; `await bus.transact(transfer)` runs one. The line is taken in
turn; a trip write goes ahead of everything that waits, and a silent device cannot hold it up. Buffers are
fixed. Waiting is `asyncio.sleep_ms`, which allocates nothing: first for about as long as the device took last time,
then a millisecond at a time.

Timing (Modbus over serial line V1.02, 2.5.1.1): 11-bit characters; a request waits for t3.5 of silence; t3.5 and t1.5
are 1.75 ms and 0.75 ms above 19200 Bd. A gap inside an answer is judged at GAP_MS, not t1.5: schedulers and
USB adapters insert longer ones, and length and CRC decide anyway.
"""

import asyncio
from time import ticks_add, ticks_diff, ticks_ms, ticks_us

from evse.drivers.turn import Turns
from evse.link import modbus

CHARACTER_BITS = 10  # 8N1, as the boards open the line
SILENCE_BITS = 11  # what the rule counts with
HITS_TO_HURRY = 8
RELEASE_WATCH_US = 2000  # the driver-enable pin is watched this long around the end of a request
READ, WRITE, TRIP = 0, 1, 2  # priorities
TIMEOUT_MS = 200
PROBE_COUNTS = (4, 5)  # registers; no device's read has these counts. In turn, so that no probe passes for another
GAP_MS = 8  # silence that ends a broken answer
YIELD_MS = 5  # a device that is this late with its answer makes way for a trip write
COARSE_AFTER_MS = 10  # this long past the expected answer, look less often
COARSE_MS = 5
CHUNK = 32
ROOM = modbus.RTU_MAX + 64  # an answer, an echo and some noise


class Transfer:
    """One request that is made again and again. All attributes may be changed between transactions.

    data: bytearray of 2 x count, big endian; filled by a read, sent by a write. priority: READ, WRITE (before reads)
    or TRIP (before everything, and ends the wait for a device that has not begun to answer). timeout_ms: from the
    end of the request to the end of the answer. retries: further tries after a missing or broken answer.

    A late answer to an earlier request cannot pass for this one's when each of a device's reads has its own count.
    """

    def __init__(self, unit: int, function: int, address: int, count: int, data, priority: int = READ):
        if len(data) < 2 * count:
            raise ValueError("Modbus buffer of %d bytes is too small for %d registers" % (len(data), count))
        self.unit = unit
        self.function = function
        self.address = address
        self.count = count
        self.data = data
        self.priority = priority
        self.timeout_ms = TIMEOUT_MS
        self.retries = 1
        self.result = modbus.OK
        self.wait_ms = 0  # how long the device takes to turn around, as learnt
        self.hits = 0  # answers in a row that were there at the first look
        self.stamp_ms = 0  # ticks when the answer was whole


def ahead(queue, priority: int) -> int:
    """Return how many transfers wait (queue: by priority) that go before one of this priority, on any line."""
    if priority == TRIP:
        return 0
    return queue[TRIP] + (queue[WRITE] if priority == READ else 0)


class ModbusBus:
    """The line. uart: any(), readinto(buffer, n), write(buffer), as machine.UART; de: driver-enable pin or None."""

    def __init__(self, uart, baud: int, de=None):
        self._uart = uart
        self._de = de
        self._txdone = getattr(uart, "txdone", None)
        self.baud = baud
        self.character_us = CHARACTER_BITS * 1000000 // baud
        self.silence_us = 1750 if baud > 19200 else SILENCE_BITS * 3500000 // baud
        self._tx = bytearray(modbus.RTU_MAX)
        self._views = {}
        self._rx = bytearray(ROOM)
        self._chunk = bytearray(CHUNK)
        self._received = 0
        self._sent = 0
        self._polls = 0
        self._expected_ms = 0
        self._limit_ms = 0
        self._yield_ms = 0
        self._started_ms = 0
        self._heard_ms = 0
        self._busy = 0
        self._queue = [0, 0, 0]  # waiting, by priority
        self._turns = Turns(self._serve)
        self._doubt = bytearray(32)  # a bit per unit: 1 = a request of its was not answered, so an answer may be late
        self._probe = Transfer(0, modbus.READ_HOLDING, 0, PROBE_COUNTS[0], bytearray(2 * PROBE_COUNTS[1]))
        self._last_us = ticks_us()
        # Counters, for a person
        self.transactions = 0
        self.timeouts = 0
        self.broken = 0
        self.exceptions = 0
        self.noise_bytes = 0

    def transact(self, transfer):
        """Run one transfer, with its retries, when awaited; that gives its result (modbus.OK or one of RESULTS)."""
        return self._turns.take(transfer)

    def _serve(self, turn):
        """Run the turn's transfers one after the other, for ever."""
        queue = self._queue
        while True:
            transfer = turn.transfer
            priority = transfer.priority
            queue[priority] += 1
            try:
                while self._busy or ahead(queue, priority):
                    yield from asyncio.sleep_ms(1)
                self._busy = 1
            finally:
                queue[priority] -= 1
            try:
                for _ in range(transfer.retries + 1):
                    exchange = self._first(transfer)
                    while exchange:
                        pause_ms = self._silence_ms()
                        if pause_ms:
                            yield from asyncio.sleep_ms(pause_ms)
                        self._send(exchange)
                        if self._de:
                            yield from asyncio.sleep_ms(self._sending_ms())
                            self._release()
                        yield from asyncio.sleep_ms(self._due_ms())
                        pause_ms = self._step(exchange)
                        while pause_ms:
                            yield from asyncio.sleep_ms(pause_ms)
                            pause_ms = self._step(exchange)
                        self._account(exchange)
                        exchange = self._second(exchange, transfer)
                    if transfer.result < modbus.TIMEOUT or (queue[TRIP] and priority != TRIP):
                        break
            finally:
                if self._de:
                    self._de(0)  # a cancelled task must not hold the line
                self._busy = 0
            if queue[READ] or queue[WRITE] or queue[TRIP]:  # whoever waits goes first
                yield from asyncio.sleep_ms(1)
            turn.done = 1
            yield

    def _first(self, transfer):
        """Return what to exchange first: the probe, when this unit may still owe an answer to an earlier request.

        An RTU answer does not say what it answers, so a late one would pass for the next of the same length, and every
        value would be one request old from then on. Devices answer in order: once the probe, of a length of its own, is
        answered, nothing older can follow. A trip does not wait for that.
        """
        unit = transfer.unit
        if transfer.priority == TRIP or not self._doubt[unit >> 3] >> (unit & 7) & 1:
            return transfer
        probe = self._probe
        probe.unit = unit
        probe.function = modbus.READ_INPUT if transfer.function == modbus.READ_INPUT else modbus.READ_HOLDING
        probe.address = transfer.address
        probe.count = PROBE_COUNTS[0] if probe.count == PROBE_COUNTS[1] else PROBE_COUNTS[1]
        probe.timeout_ms = transfer.timeout_ms
        probe.wait_ms = transfer.wait_ms
        return probe

    def _second(self, done, transfer):
        """Return the transfer when `done` was the probe and was answered (an exception will do), else None."""
        if done is transfer:
            return None
        if done.result < modbus.TIMEOUT:
            return transfer
        transfer.result = done.result
        return None

    def _silence_ms(self) -> int:
        idle_us = ticks_diff(ticks_us(), self._last_us)
        if idle_us < self.silence_us:
            return (self.silence_us - idle_us + 999) // 1000
        return 0

    def _send(self, transfer) -> None:
        """Put the request on the line and work out when its answer is due."""
        self._drain()
        tx = self._tx
        end = modbus.put_request(
            tx, 0, transfer.unit, transfer.function, transfer.address, transfer.count, transfer.data
        )
        sent = modbus.close_rtu(tx, end)
        if self._de:
            self._de(1)
        self._started_ms = ticks_ms()
        start_us = ticks_us()
        self._uart.write(self._view(sent))  # some ports return at once, some when it is out
        self._sent = sent
        self._received = 0
        self._polls = 0
        self._heard_ms = self._started_ms
        self._last_us = ticks_add(start_us, sent * self.character_us)
        request_ms = sent * self.character_us // 1000
        answer_ms = (modbus.reply_bytes(transfer.function, transfer.count) + 2) * self.character_us // 1000
        self._expected_ms = request_ms + transfer.wait_ms + answer_ms
        self._limit_ms = request_ms + max(transfer.timeout_ms, answer_ms + GAP_MS)
        self._yield_ms = self._expected_ms + YIELD_MS  # an answer on the line now would collide with the trip

    def _sending_ms(self) -> int:
        """Return how long to leave the line to the UART before watching for its last stop bit."""
        left_us = ticks_diff(self._last_us, ticks_us()) - RELEASE_WATCH_US
        return left_us // 1000 if left_us > 0 else 0

    def _due_ms(self) -> int:
        """Return how long until the answer should be whole."""
        return max(0, self._expected_ms - ticks_diff(ticks_ms(), self._started_ms))

    def _view(self, length: int):
        """Return the first bytes of the request as a view; the few lengths in use are kept, so none is made twice."""
        view = self._views.get(length)
        if view is None:
            view = memoryview(self._tx)[:length]
            self._views[length] = view
        return view

    def _step(self, transfer) -> int:
        """Look for the answer; return 0 when the try is over (see transfer.result), else ms until the next look."""
        now_ms = ticks_ms()
        elapsed_ms = ticks_diff(now_ms, self._started_ms)
        if self._take():
            self._heard_ms = now_ms
            transfer.result = self._match(transfer)
            if transfer.result >= 0:
                return 0
        quiet = ticks_diff(now_ms, self._heard_ms) > GAP_MS
        if self._received and ((quiet and elapsed_ms > self._expected_ms + GAP_MS) or self._received >= ROOM):
            transfer.result = modbus.BAD_FRAME
            return 0
        if elapsed_ms >= self._limit_ms:
            transfer.result = modbus.BAD_FRAME if self._received else modbus.TIMEOUT
            return 0
        if self._queue[TRIP] and transfer.priority != TRIP and not self._received and elapsed_ms > self._yield_ms:
            transfer.result = modbus.ABORTED
            return 0
        self._polls += 1
        return 1 if elapsed_ms < self._expected_ms + COARSE_AFTER_MS else COARSE_MS

    def _release(self) -> None:
        """Give the line back as the last stop bit leaves; the device may answer 1.75 ms later."""
        txdone = self._txdone
        while ticks_diff(ticks_us(), self._last_us) < RELEASE_WATCH_US:
            if txdone:
                if txdone():
                    break
            elif ticks_diff(ticks_us(), self._last_us) >= 0:
                break
        self._de(0)

    def _drain(self) -> None:
        uart = self._uart
        waiting = uart.any()
        rounds = 0
        while waiting and rounds < 64:  # a babbling device must not hold the task
            self.noise_bytes += uart.readinto(self._chunk, min(waiting, CHUNK)) or 0
            waiting = uart.any()
            rounds += 1

    def _take(self) -> int:
        """Move what has arrived into the frame buffer; return how many bytes."""
        uart = self._uart
        rx = self._rx
        chunk = self._chunk
        taken = 0
        while self._received < ROOM:
            waiting = uart.any()
            if not waiting:
                break
            count = uart.readinto(chunk, min(waiting, CHUNK, ROOM - self._received)) or 0
            at = self._received
            for i in range(count):
                rx[at + i] = chunk[i]
            self._received = at + count
            taken += count
            if not count:
                break
        if taken:
            self._last_us = ticks_us()
        return taken

    def _match(self, transfer) -> int:
        """Return the result when our answer has arrived, else -1."""
        start = self._sent if self._echoed() else 0
        count = modbus.repeated(transfer.function, transfer.count, transfer.data)
        found = modbus.find_rtu(
            self._rx, start, self._received, transfer.unit, transfer.function, transfer.address, count
        )
        if found < 0:
            return -1
        at = found >> 1
        if found & 1:
            return self._rx[at + 2]
        if transfer.function < modbus.WRITE_SINGLE:
            data = transfer.data
            rx = self._rx
            for i in range(transfer.count * 2):
                data[i] = rx[at + 3 + i]
        return modbus.OK

    def _echoed(self) -> int:
        """Return 1 when what was received begins with our own request."""
        sent = self._sent
        if self._received < sent:
            return 0
        tx = self._tx
        rx = self._rx
        for i in range(sent):
            if rx[i] != tx[i]:
                return 0
        return 1

    def _account(self, transfer) -> None:
        self.transactions += 1
        result = transfer.result
        unit = transfer.unit
        if result >= modbus.TIMEOUT:
            self._doubt[unit >> 3] |= 1 << (unit & 7)
        elif transfer is self._probe:
            self._doubt[unit >> 3] &= ~(1 << (unit & 7)) & 0xFF
        if result < modbus.TIMEOUT:
            transfer.stamp_ms = ticks_ms()
            # Creep up on the device's turn-around from both sides.
            if self._polls:
                transfer.wait_ms = min(transfer.wait_ms + self._polls, transfer.timeout_ms // 2)
                transfer.hits = 0
            elif transfer.wait_ms:
                transfer.hits += 1
                if transfer.hits >= HITS_TO_HURRY:  # rarely: a look too early costs a wake-up
                    transfer.hits = 0
                    transfer.wait_ms -= 1
            if result:
                self.exceptions += 1
        elif result == modbus.TIMEOUT:
            self.timeouts += 1
        elif result == modbus.BAD_FRAME:
            self.broken += 1
