# SPDX-License-Identifier: MIT
"""Modbus TCP master for one device or gateway; the same `transact(transfer)` as the RTU line.

One request is on the way at a time; its transaction number tells its answer from a late one. Never blocks: connect,
write and read are non-blocking and polled. A numeric host needs no name resolution, which could stall.
"""

import select
import socket
from errno import EAGAIN, EINPROGRESS
from time import ticks_diff, ticks_ms

from evse.drivers.turn import COARSE_MS, YIELD_MS, Wire
from evse.link import modbus
from evse.link.views import Views

PORT = 502
CONNECT_MS = 3000
CHUNK = 64
WARY_MS = 10000  # after a spoiled frame answers are believed only in one piece: another's bytes could end a half one
BODY = modbus.TCP_HEAD + 3  # where an answer's registers begin


class ModbusTcp(Wire):
    """host: IPv4 address; connects when first used and again after a failure."""

    baud = 1000000  # for those who plan the load of a line: not the limit here
    SILENT = "the inverter's supply, the network and the unit id"
    SPOILED = "the connection ends, or this is no Modbus TCP"

    def __init__(self, host: str, port: int = PORT):
        super().__init__()
        self.host = host
        self.port = port
        self._socket = None
        self._peer = None  # a socket that is being connected
        self._poller = None
        self._tx = bytearray(modbus.TCP_MAX)
        self._rx = bytearray(modbus.TCP_MAX)
        self._tx_views = Views(self._tx)
        self._rx_views = Views(self._rx)
        self._chunk = bytearray(CHUNK)
        self._received = 0
        self._pieces = 0  # 1: what is in the buffer did not come at once
        self._wary = 0  # 1: a frame was spoiled less than WARY_MS ago
        self._spoiled_ms = 0
        self._number = 0
        self._started_ms = 0
        self.connects = 0

    def place(self, unit: int) -> str:
        """Say where a device is, for a person."""
        return "unit %d of %s:%d" % (unit, self.host, self.port)

    # --- connection ---

    def prepare(self) -> int:
        """Connect where there is no connection; return ms until it is worth asking again, 0 when that is decided."""
        if self._socket is not None:
            return 0
        if self._peer is None:
            self._started_ms = ticks_ms()
            return self._begin()
        for _peer, events in self._poller.ipoll(0):
            if not events & (select.POLLERR | select.POLLHUP):
                self._socket = self._peer
                self._peer = self._poller = None
                self._received = 0
                self.connects += 1
                return 0
            self.hang_up()
            return 0
        if ticks_diff(ticks_ms(), self._started_ms) >= CONNECT_MS:
            self.hang_up()
            return 0
        return COARSE_MS

    def _begin(self) -> int:
        try:
            address = socket.getaddrinfo(self.host, self.port)[0][-1]
            self._peer = socket.socket()
            self._peer.setblocking(False)
            try:
                self._peer.connect(address)
            except OSError as error:
                if error.errno != EINPROGRESS:
                    raise
        except OSError:
            self.hang_up()
            return 0
        self._poller = select.poll()
        self._poller.register(self._peer, select.POLLOUT)
        return 1

    def hang_up(self) -> None:
        """Give up a connection that is not made yet."""
        if self._peer is not None:
            self._peer.close()
            self._peer = self._poller = None

    def close(self) -> None:
        """Drop the connection; the next transfer opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # --- one exchange ---

    def send(self, exchange) -> int:
        """Send the request; return ms until its answer is due."""
        exchange.result = modbus.CLOSED
        peer = self._socket
        if peer is None:
            return 0
        tx = self._tx
        self._number = (self._number + 1) & 0xFFFF
        end = modbus.put_request(
            tx, modbus.TCP_HEAD, exchange.unit, exchange.function, exchange.address, exchange.count, exchange.data
        )
        length = modbus.close_tcp(tx, end, self._number)
        self._started_ms = ticks_ms()
        try:
            sent = peer.write(self._tx_views.part(0, length))
        except OSError:
            sent = 0
        if sent != length:  # a peer that does not take 260 bytes is gone
            self.close()
            return 0
        return exchange.wait_ms or 1

    def look(self, exchange) -> int:
        """Look for the answer; return 0 when the try is over (see exchange.result), else ms until the next look."""
        if self._socket is None:  # it could not be sent
            return 0
        taken = self._take()
        if taken < 0:
            if self._received:
                self._beware()
            exchange.result = modbus.CLOSED
            self.close()
            return 0
        if taken:
            result = self._match(exchange)
            if result >= 0:
                exchange.result = result
                return 0
        elapsed_ms = ticks_diff(ticks_ms(), self._started_ms)
        if elapsed_ms >= exchange.timeout_ms:
            # A frame that never became whole: what comes next would be taken for its end.
            exchange.result = self._spoiled() if self._received else modbus.TIMEOUT
            return 0
        late_ms = elapsed_ms - exchange.wait_ms
        if late_ms > YIELD_MS and self.urgent(exchange):  # its answer is known by its number, should it still come
            exchange.result = modbus.ABORTED
            return 0
        return self.look_again_ms(late_ms)

    def _beware(self) -> int:
        """A frame was spoiled: be wary for a while."""
        self._wary = 1
        self._spoiled_ms = ticks_ms()
        return modbus.BAD_FRAME

    def _spoiled(self) -> int:
        """Nobody knows any more where a frame begins: drop the connection too."""
        self.close()
        return self._beware()

    def _trusted(self) -> int:
        """Return 0 for an answer in pieces from a device that spoiled a frame lately."""
        if self._wary and ticks_diff(ticks_ms(), self._spoiled_ms) >= WARY_MS:
            self._wary = 0
        return 0 if self._wary and self._pieces else 1

    def _take(self) -> int:
        """Read what has arrived; return how many bytes, -1 when the peer closed."""
        at = self._received
        try:
            if at:
                count = self._append(at)
            else:  # as a rule all of it, straight into its place
                count = self._socket.readinto(self._rx)
        except OSError as error:
            return 0 if error.errno == EAGAIN else -1
        if count is None:
            return 0
        if count == 0:
            return -1
        self._received = at + count
        self._pieces = 1 if at else 0
        return count

    def _append(self, at: int):
        chunk = self._chunk
        rx = self._rx
        room = modbus.TCP_MAX - at
        count = self._socket.readinto(chunk, room if room < CHUNK else CHUNK)
        for i in range(count or 0):
            rx[at + i] = chunk[i]
        return count

    def _match(self, exchange) -> int:
        """Return the result when our answer is whole, -1 to wait, after dropping frames that are not ours."""
        while True:
            length = modbus.tcp_length(self._rx, self._received)
            if length < 0:
                return self._spoiled()
            if length == 0 or length > self._received:
                return -1
            result = -1
            if modbus.transaction(self._rx) == self._number:
                if not self._whole(length):
                    return self._spoiled()
                if not self._trusted():
                    self.close()
                    return modbus.BAD_FRAME
                result = modbus.check_reply(
                    self._rx,
                    modbus.TCP_HEAD,
                    length,
                    exchange.unit,
                    exchange.function,
                    exchange.address,
                    modbus.repeated(exchange.function, exchange.count, exchange.data),
                )
                if result < 0:
                    result = self._beware()
                elif result == modbus.OK and exchange.function < modbus.WRITE_SINGLE:
                    exchange.data[: 2 * exchange.count] = self._rx_views.part(BODY, BODY + 2 * exchange.count)
            self._drop(length)
            if result >= 0:
                return result

    def _whole(self, at: int) -> int:
        """Return 1 when whole frames, or nothing, follow our answer, which ends `at` here.

        TCP has no check sum of frames: half an answer and something after it would pass for an answer. A device that
        is asked one thing at a time has no reason to have begun another frame.
        """
        while at < self._received:
            length = modbus.tcp_length(self._rx, self._received, at)
            if length <= 0 or at + length > self._received:
                return 0
            at += length
        return 1

    def _drop(self, length: int) -> None:
        rx = self._rx
        rest = self._received - length
        for i in range(rest):
            rx[i] = rx[length + i]
        self._received = rest
