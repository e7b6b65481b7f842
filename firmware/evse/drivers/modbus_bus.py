# SPDX-License-Identifier: MIT
"""Modbus RTU master on one RS-485 line, for any number of devices and tasks.

A device driver owns `Transfer` objects, made once; `await bus.transact(transfer)` runs one. The line is taken in
turn (`turn.py`); a trip write goes ahead of everything that waits, and a silent device cannot hold it up. Buffers are
fixed. It looks for an answer first after about as long as the device took last time, then a millisecond at a time.

Timing (Modbus over serial line V1.02, 2.5.1.1): 11-bit characters; a request waits for t3.5 of silence; t3.5 and t1.5
are 1.75 ms and 0.75 ms above 19200 Bd. A gap inside an answer is judged at GAP_MS, not t1.5: schedulers and
USB adapters insert longer ones, and length and CRC decide anyway.
"""

from time import sleep_us, ticks_add, ticks_diff, ticks_ms, ticks_us

from evse.drivers.turn import READ, TRIP, WRITE, YIELD_MS, Exchange, Wire
from evse.link import crc, modbus
from evse.link.views import Views

__all__ = ("READ", "TRIP", "WRITE", "ModbusBus", "Transfer")

CHARACTER_BITS = 10  # 8N1, as the boards open the line
SILENCE_BITS = 11  # what the rule counts with
RELEASE_WATCH_US = 2000  # the driver-enable pin is watched this long around the end of a request
SPIN_US = 1000  # less than a millisecond of silence is not worth a wake-up
TIMEOUT_MS = 200
PROBE_COUNTS = (4, 5)  # registers; no device's read has these counts. In turn, so that no probe passes for another
GAP_MS = 8  # silence that ends a broken answer
CHUNK = 32
ROOM = modbus.RTU_MAX + 64  # an answer, an echo and some noise


class Transfer(Exchange):
    """One request to one device; see Exchange.

    data: bytearray of 2 x count, big endian; filled by a read, sent by a write.
    A late answer to an earlier request cannot pass for this one's when each of a device's reads has its own count.
    """

    def __init__(self, unit: int, function: int, address: int, count: int, data, priority: int = READ):
        if len(data) < 2 * count:
            raise ValueError("Modbus buffer of %d bytes is too small for %d registers" % (len(data), count))
        super().__init__(priority, TIMEOUT_MS)
        self.unit = unit
        self.function = function
        self.address = address
        self.count = count
        self.data = data


class ModbusBus(Wire):
    """The line. uart: any(), readinto(buffer, n), write(buffer), as machine.UART; de: driver-enable pin or None."""

    # What a person should look at, when nothing or rubbish answers
    SILENT = "A and B, the inverter's supply, its address and speed"
    SPOILED = "another speed or parity, another device with this address, or A and B swapped"

    def __init__(self, uart, baud: int, de=None):
        super().__init__()
        self._uart = uart
        self._de = de
        self._txdone = getattr(uart, "txdone", None)
        self.baud = baud
        self.character_us = (CHARACTER_BITS * 1000000 + baud - 1) // baud
        self.silence_us = 1750 if baud > 19200 else SILENCE_BITS * 3500000 // baud
        self._tx = bytearray(modbus.RTU_MAX)
        self._rx = bytearray(ROOM)
        self._tx_views = Views(self._tx)
        self._rx_views = Views(self._rx)
        self._chunk = bytearray(CHUNK)
        self._received = 0
        self._sent = 0
        self._good = 0  # bytes of the answer that is hoped for
        self._driving = 0  # 1 while driver-enable is up and the request not yet out
        self._expected_ms = 0
        self._limit_ms = 0
        self._started_ms = 0
        self._heard_ms = 0
        self._doubt = bytearray(32)  # a bit per unit: 1 = a request of its was not answered, so an answer may be late
        self._probe = Transfer(0, modbus.READ_HOLDING, 0, PROBE_COUNTS[0], bytearray(2 * PROBE_COUNTS[1]))
        self._last_us = ticks_us()  # end of the last character
        self.noise_bytes = 0

    def place(self, unit: int) -> str:
        """Say where a device is, for a person."""
        return "address %d at %d Bd" % (unit, self.baud)

    def first(self, transfer):
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

    def prepare(self) -> int:
        """Wait for t3.5 of silence: ms to sleep; what is left then is less than one and spent here."""
        left_us = self.silence_us - ticks_diff(ticks_us(), self._last_us)
        if left_us > SPIN_US:
            return (left_us + 999) // 1000
        if left_us > 0:
            sleep_us(left_us)
        return 0

    def send(self, exchange) -> int:
        """Put the request on the line; return ms until its answer is due."""
        if self._uart.any():
            self._drain()
        tx = self._tx
        function = exchange.function
        count = exchange.count
        end = modbus.put_request(tx, 0, exchange.unit, function, exchange.address, count, exchange.data)
        sent = modbus.close_rtu(tx, end)
        if self._de:
            self._de(1)
            self._driving = 1
        self._started_ms = self._heard_ms = ticks_ms()
        start_us = ticks_us()
        self._uart.write(self._tx_views.part(0, sent))  # some ports return at once, some when it is out
        character_us = self.character_us
        self._sent = sent
        self._received = 0
        self._last_us = ticks_add(start_us, sent * character_us)
        self._good = modbus.reply_bytes(function, count) + 2
        request_ms = sent * character_us // 1000
        answer_ms = self._good * character_us // 1000
        self._expected_ms = request_ms + exchange.wait_ms + answer_ms
        longest_ms = answer_ms + GAP_MS
        timeout_ms = exchange.timeout_ms
        self._limit_ms = request_ms + (timeout_ms if timeout_ms > longest_ms else longest_ms)
        return self._drive() if self._driving else self._due_ms()

    def _due_ms(self) -> int:
        """Return how long until the answer should be whole."""
        left_ms = self._expected_ms - ticks_diff(ticks_ms(), self._started_ms)
        return left_ms if left_ms > 0 else 0

    def _drive(self) -> int:
        """Keep the driver on until the last stop bit has left; return ms until the next thing to do, 1 at least."""
        left_us = ticks_diff(self._last_us, ticks_us())
        if left_us >= RELEASE_WATCH_US + SPIN_US:
            return (left_us - RELEASE_WATCH_US) // 1000
        if left_us > 0:
            sleep_us(left_us)
        txdone = self._txdone
        if txdone:
            while not txdone() and ticks_diff(ticks_us(), self._last_us) < RELEASE_WATCH_US:
                pass
        self._de(0)  # the device may answer 1.75 ms later
        self._driving = 0
        return self._due_ms() or 1

    def look(self, exchange) -> int:
        """Look for the answer; return 0 when the try is over (see exchange.result), else ms until the next look."""
        if self._driving:
            return self._drive()
        now_ms = ticks_ms()
        if self._take():
            self._heard_ms = now_ms
            result = self._match(exchange)
            if result >= 0:
                exchange.result = result
                return 0
        elapsed_ms = ticks_diff(now_ms, self._started_ms)
        late_ms = elapsed_ms - self._expected_ms
        if self._received:
            quiet = ticks_diff(now_ms, self._heard_ms) > GAP_MS and late_ms > GAP_MS
            if quiet or self._received >= ROOM or elapsed_ms >= self._limit_ms:
                exchange.result = modbus.BAD_FRAME
                return 0
        elif elapsed_ms >= self._limit_ms:
            exchange.result = modbus.TIMEOUT
            return 0
        elif late_ms > YIELD_MS and self.urgent(exchange):  # an answer on the line now would collide with the trip
            exchange.result = modbus.ABORTED
            return 0
        return self.look_again_ms(late_ms)

    def hang_up(self) -> None:
        """Let go of the line; whatever was asked may still be answered."""
        if self._de:
            self._de(0)
            self._driving = 0
        self._mistrust(self._exchange.unit)

    def _mistrust(self, unit: int) -> None:
        self._doubt[unit >> 3] |= 1 << (unit & 7)

    def _drain(self) -> None:
        uart = self._uart
        rounds = 0
        waiting = uart.any()
        while waiting and rounds < 64:  # a babbling device must not hold the task
            self.noise_bytes += uart.readinto(self._chunk, waiting if waiting < CHUNK else CHUNK) or 0
            waiting = uart.any()
            rounds += 1

    def _take(self) -> int:
        """Move what has arrived into the frame buffer; return how many bytes."""
        uart = self._uart
        before = received = self._received
        while received < ROOM:
            waiting = uart.any()
            if not waiting:
                break
            if received:
                count = self._append(received, waiting)
            else:  # as a rule all of it, straight into its place
                count = uart.readinto(self._rx, waiting if waiting < ROOM else ROOM)
            if not count:
                break
            received += count
        if received == before:
            return 0
        self._received = received
        self._last_us = ticks_us()
        return received - before

    def _append(self, at: int, waiting: int) -> int:
        most = ROOM - at if ROOM - at < CHUNK else CHUNK
        chunk = self._chunk
        count = self._uart.readinto(chunk, waiting if waiting < most else most) or 0
        rx = self._rx
        for i in range(count):
            rx[at + i] = chunk[i]
        return count

    def _match(self, exchange) -> int:
        """Return the result when our answer has arrived, else -1."""
        rx = self._rx
        function = exchange.function
        good = self._good
        # Nearly always the answer and nothing else has come. With function 6 that could be the request's echo.
        if self._received != good or rx[1] != function or function == modbus.WRITE_SINGLE:
            return self._search(exchange)
        if crc.modbus_all(self._rx_views.part(0, good)):
            return self._search(exchange)
        if modbus.check_reply(rx, 0, good - 2, exchange.unit, function, exchange.address, exchange.count):
            return -1
        if function < modbus.WRITE_SINGLE:
            exchange.data[: good - 5] = self._rx_views.part(3, good - 2)
        return modbus.OK

    def _search(self, exchange) -> int:
        """Find the answer among noise, behind the echo of our request, or an exception; return as _match."""
        rx = self._rx
        function = exchange.function
        count = modbus.repeated(function, exchange.count, exchange.data)
        start = self._sent if self._echoed() else 0
        found = modbus.find_rtu(rx, start, self._received, exchange.unit, function, exchange.address, count)
        if found < 0:
            return -1
        at = (found >> 1) + 2
        if found & 1:
            return rx[at]
        if function < modbus.WRITE_SINGLE:
            data = exchange.data
            for i in range(2 * count):  # no view: noise may put it anywhere
                data[i] = rx[at + 1 + i]
        return modbus.OK

    def _echoed(self) -> int:
        """Return 1 when what was received begins with our own request."""
        sent = self._sent
        if self._received < sent:
            return 0
        return 1 if self._rx_views.part(0, sent) == self._tx_views.part(0, sent) else 0

    def count(self, exchange) -> None:
        """Count the exchange, and whether its unit may still owe an answer."""
        super().count(exchange)
        unit = exchange.unit
        if exchange.result >= modbus.TIMEOUT:
            self._mistrust(unit)
        elif exchange is self._probe:
            self._doubt[unit >> 3] &= ~(1 << (unit & 7)) & 0xFF
