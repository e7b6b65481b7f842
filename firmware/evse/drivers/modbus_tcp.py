# SPDX-License-Identifier: MIT
"""Modbus TCP master for one device or gateway; the same `transact(transfer)` as the RTU line.

One request is on the way at a time; its transaction number tells its answer from a late one. Never blocks: connect,
write and read are non-blocking and polled. A numeric host needs no name resolution, which could stall.
"""

import asyncio
import select
import socket
from errno import EAGAIN, EINPROGRESS
from time import ticks_diff, ticks_ms

from evse.drivers.modbus_bus import READ, TRIP, WRITE, ahead
from evse.drivers.turn import Turns
from evse.link import modbus

PORT = 502
CONNECT_MS = 3000
POLL_MS = 2
QUICK_MS = 50  # after this long without an answer, look less often
SLOW_POLL_MS = 10


class ModbusTcp:
    """host: IPv4 address; connects when first used and again after a failure."""

    baud = 1000000  # for those who plan the load of a line: not the limit here

    def __init__(self, host: str, port: int = PORT):
        self.host = host
        self.port = port
        self._socket = None
        self._poller = None
        self._tx = bytearray(modbus.TCP_MAX)
        self._rx = bytearray(modbus.TCP_MAX)
        self._chunk = bytearray(64)
        self._received = 0
        self._number = 0
        self._busy = 0
        self._queue = [0, 0, 0]
        self._turns = Turns(self._serve)
        self._views = {}
        self._started_ms = 0
        self.transactions = 0
        self.timeouts = 0
        self.broken = 0
        self.exceptions = 0
        self.connects = 0

    def transact(self, transfer):
        """Run one transfer, with its retries, when awaited; that gives its result."""
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
                    if self._socket is None:
                        yield from self._connect()
                    transfer.result = modbus.CLOSED
                    if self._socket is not None and self._send(transfer):
                        pause_ms = self._step(transfer)
                        while pause_ms:
                            yield from asyncio.sleep_ms(pause_ms)
                            pause_ms = self._step(transfer)
                    self._account(transfer)
                    if transfer.result < modbus.TIMEOUT or (queue[TRIP] and priority != TRIP):
                        break
            finally:
                self._busy = 0
            if queue[READ] or queue[WRITE] or queue[TRIP]:
                yield from asyncio.sleep_ms(1)
            turn.done = 1
            yield

    async def _connect(self) -> None:
        """Leave a connected socket in self._socket, or None."""
        peer = None
        try:
            address = socket.getaddrinfo(self.host, self.port)[0][-1]
            peer = socket.socket()
            peer.setblocking(False)
            try:
                peer.connect(address)
            except OSError as error:
                if error.errno != EINPROGRESS:
                    raise
            poller = select.poll()
            poller.register(peer, select.POLLOUT)
            if not await self._writable(poller):
                raise OSError("no connection")
        except OSError:
            if peer is not None:
                peer.close()
            return
        poller.modify(peer, select.POLLIN)
        self._poller = poller
        self._socket = peer
        self._received = 0
        self.connects += 1

    async def _writable(self, poller) -> int:
        started_ms = ticks_ms()
        while ticks_diff(ticks_ms(), started_ms) < CONNECT_MS:
            for _peer, events in poller.poll(0):
                return 0 if events & (select.POLLERR | select.POLLHUP) else 1
            await asyncio.sleep_ms(SLOW_POLL_MS)
        return 0

    def close(self) -> None:
        """Drop the connection; the next transfer opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self._poller = None

    def _send(self, transfer) -> int:
        tx = self._tx
        at = modbus.TCP_HEAD
        self._number = (self._number + 1) & 0xFFFF
        end = modbus.put_request(
            tx, at, transfer.unit, transfer.function, transfer.address, transfer.count, transfer.data
        )
        length = modbus.close_tcp(tx, end, self._number)
        view = self._views.get(length)
        if view is None:
            view = memoryview(tx)[:length]
            self._views[length] = view
        self._started_ms = ticks_ms()
        try:
            sent = self._socket.write(view)
        except OSError:
            sent = 0
        if sent != length:  # a peer that does not take 260 bytes is gone
            self.close()
            return 0
        return 1

    def _step(self, transfer) -> int:
        """Look for the answer; return 0 when the try is over, else ms until the next look."""
        elapsed_ms = ticks_diff(ticks_ms(), self._started_ms)
        taken = self._take()
        if taken < 0:
            transfer.result = modbus.CLOSED
            self.close()
            return 0
        if taken:
            transfer.result = self._match(transfer)
            if transfer.result >= 0:
                return 0
        if elapsed_ms >= transfer.timeout_ms:
            transfer.result = modbus.TIMEOUT
            return 0
        return POLL_MS if elapsed_ms < QUICK_MS else SLOW_POLL_MS

    def _take(self) -> int:
        """Read what has arrived; return how many bytes, -1 when the peer closed."""
        total = 0
        while self._received < modbus.TCP_MAX:
            ready = 0
            for _entry in self._poller.ipoll(0):
                ready = 1
            if not ready:
                break
            try:
                count = self._socket.readinto(self._chunk, min(len(self._chunk), modbus.TCP_MAX - self._received))
            except OSError as error:
                return total if error.errno == EAGAIN else -1
            if count is None:
                break
            if count == 0:
                return -1
            self._append(count)
            total += count
        return total

    def _append(self, count: int) -> None:
        rx = self._rx
        chunk = self._chunk
        at = self._received
        for i in range(count):
            rx[at + i] = chunk[i]
        self._received = at + count

    def _match(self, transfer) -> int:
        """Return the result when our answer is whole, -1 to wait, after dropping frames that are not ours."""
        while True:
            length = modbus.tcp_length(self._rx, self._received)
            if length < 0:
                self.close()
                return modbus.BAD_FRAME
            if length == 0 or length > self._received:
                return -1
            result = -1
            if modbus.transaction(self._rx) == self._number:
                result = modbus.check_reply(
                    self._rx,
                    modbus.TCP_HEAD,
                    length,
                    transfer.unit,
                    transfer.function,
                    transfer.address,
                    modbus.repeated(transfer.function, transfer.count, transfer.data),
                )
                if result < 0:
                    result = modbus.BAD_FRAME
                elif result == modbus.OK and transfer.function < modbus.WRITE_SINGLE:
                    self._deliver(transfer)
            self._drop(length)
            if result >= 0:
                return result

    def _deliver(self, transfer) -> None:
        data = transfer.data
        rx = self._rx
        for i in range(transfer.count * 2):
            data[i] = rx[modbus.TCP_HEAD + 3 + i]

    def _drop(self, length: int) -> None:
        rx = self._rx
        rest = self._received - length
        for i in range(rest):
            rx[i] = rx[length + i]
        self._received = rest

    def _account(self, transfer) -> None:
        self.transactions += 1
        result = transfer.result
        if result < modbus.TIMEOUT:
            transfer.stamp_ms = ticks_ms()
            if result:
                self.exceptions += 1
        elif result == modbus.TIMEOUT:
            self.timeouts += 1
        else:
            self.broken += 1
