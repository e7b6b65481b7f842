# SPDX-License-Identifier: MIT
"""Bridges the board's sockets to real TCP connections, deterministically where they speak MQTT.

What the board sends goes out at once in real time; the bridge then waits, in real time, until the broker has answered
everything, and hands the answers over a fixed virtual latency later. After each packet it sends a PINGREQ of its own:
a broker answers in order, so its PINGRESP (kept from the board) says that all answers are in.

`devices`: what the plant serves over TCP by itself ("host:port" -> SerialDevice), without a real socket: bytes go
to `receive` and come back from `transmit` in virtual time, so these connections are exact. A device may have
`listening` (false: connections are refused), `connected(t_us)` (called at each new one) and `hung_up_us` (0, or when it
closed this one).
"""

from __future__ import annotations

import select
import socket
import time

from hil.plant.interface import SerialDevice
from hil.virtual_board import wire
from hil.virtual_board.errors import BrokerLost
from hil.virtual_board.lines import NEVER_US

CONNECT, CONNACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 12, 13, 14
PING = b"\xc0\x00"
WINDOW_BYTES = 5744  # lwIP's receive window: more waits in the device until the board has read
REFUSED, RESET, UNREACHABLE = 111, 104, 113


def split_packets(buffer: bytearray) -> list[bytes]:
    """Take the whole MQTT packets off the front of buffer."""
    packets = []
    while len(buffer) >= 2:
        length, shift, at = 0, 0, 1
        while at < len(buffer):
            length |= (buffer[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not buffer[at - 1] & 0x80:
                break
        else:
            break
        if len(buffer) < at + length:
            break
        packets.append(bytes(buffer[: at + length]))
        del buffer[: at + length]
    return packets


class Connection:
    """One socket of the board."""

    def __init__(self, number: int, sock: socket.socket) -> None:
        self.number = number
        self.socket = sock
        self.outgoing = bytearray()  # not yet a whole packet
        self.incoming = bytearray()
        self.mqtt: bool | None = None
        self.seen: list[int] = []  # kinds of packets that came in the present wait
        self.order: list[bool] = []  # for each ping under way: is it the bridge's?


class Bridge:
    """All sockets of the board. `required`: a broker that is gone ends the run instead of reaching the firmware."""

    def __init__(self, hosts: dict[str, tuple[str, int]], latency_us: int, patience_s: float, realtime: bool) -> None:
        self.hosts = hosts
        self.latency_us = latency_us
        self.patience_s = patience_s
        self.realtime = realtime
        self.required = True
        self.up = True
        self.next_us = NEVER_US
        self._queue: list[tuple[int, bytes]] = []
        self._open: dict[int, Connection] = {}
        self.devices: dict[str, SerialDevice] = {}
        self._linked: dict[int, SerialDevice] = {}  # sockets that lead to a device
        self._unread: dict[int, int] = {}  # bytes that such a socket has not read yet, as far as is known
        self._held: dict[int, bytes] = {}  # what its window has no room for
        self._passed_us: dict[int, int] = {}  # when the last byte went to it
        self._checked_us = 0

    # --- from the board ---

    def connect(self, number: int, t_us: int, address: str) -> None:
        """Open a real connection to "host:port"; the result reaches the board after the latency."""
        if address in self.devices:
            self._link(number, t_us, self.devices[address])
            return
        host, _, port = address.rpartition(":")
        target = self.hosts.get(host) or self.hosts.get(address) or (host, int(port))
        error = UNREACHABLE
        if self.up:
            try:
                sock = socket.create_connection(target, timeout=self.patience_s)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open[number] = Connection(number, sock)
                error = 0
            except OSError as failure:
                if self.required and target in self.hosts.values():
                    raise BrokerLost(
                        f"the broker at {target[0]}:{target[1]} refuses connections: {failure}"
                    ) from failure
                error = failure.errno or REFUSED
        self._push(t_us, wire.event(wire.RX_CONNECTED, number, t_us + self.latency_us, error.to_bytes(2, "little")))

    def send(self, number: int, t_us: int, data: bytes) -> None:
        if number in self._linked:
            if self.up:
                self._linked[number].receive(data, t_us + self.latency_us)
                self._answers_of(number, t_us)
            return
        connection = self._open.get(number)
        if connection is None or not self.up:
            return  # into the void, as with a dead line
        if connection.mqtt is None:
            connection.mqtt = bool(data) and data[0] >> 4 == CONNECT
        try:
            if connection.mqtt and not self.realtime:
                self._send_mqtt(connection, t_us, data)
            else:
                connection.socket.sendall(data)
                self._collect(connection, t_us, 0.0 if self.realtime else 0.02)
        except OSError as failure:
            self._lost(connection, t_us, failure)

    def taken(self, number: int, t_us: int, count: int) -> None:
        """The board has read so many bytes: a device may send on."""
        if number in self._linked:
            self._unread[number] -= count
            self._answers_of(number, t_us)

    def close(self, number: int) -> None:
        self._linked.pop(number, None)
        connection = self._open.pop(number, None)
        if connection is not None:
            connection.socket.close()

    def close_all(self) -> None:
        for number in [*self._open, *self._linked]:
            self.close(number)
        self._queue.clear()
        self.next_us = NEVER_US

    # --- in time ---

    def take(self, t_us: int) -> list[bytes]:
        """Return the events due by t_us."""
        due = [event for at_us, event in self._queue if at_us <= t_us]
        self._queue = [item for item in self._queue if item[0] > t_us]
        self.next_us = min((item[0] for item in self._queue), default=NEVER_US)
        return due

    def check(self, t_us: int) -> None:
        """Look, without waiting, for what came by itself: data, or the end of a connection. Every 100 ms at most."""
        for number in list(self._linked):
            self._answers_of(number, t_us)
        if not self._open or (not self.realtime and t_us - self._checked_us < 100_000):
            return
        self._checked_us = t_us
        if self.up:
            for connection in list(self._open.values()):
                self._collect(connection, t_us, 0.0)

    def settle(self, t_us: int) -> None:
        """Wait until everything the broker had for the board has come."""
        for connection in list(self._open.values()):
            if connection.mqtt:
                try:
                    self._barrier(connection, t_us)
                except OSError as failure:
                    self._lost(connection, t_us, failure)

    def cut(self, t_us: int) -> None:
        """The line goes down: connections are left to time out, nothing passes."""
        self.up = False

    def sockets(self) -> list[int]:
        """Return the file numbers of the open connections: what to wait on in real time."""
        return [connection.socket.fileno() for connection in self._open.values()]

    # --- inside ---

    def _link(self, number: int, t_us: int, device: SerialDevice) -> None:
        """Connect the board to a device of the plant; one that is switched off (`listening` false) refuses."""
        error = UNREACHABLE
        if self.up:
            error = 0 if getattr(device, "listening", True) else REFUSED
        if not error:
            self._linked[number] = device
            self._unread[number] = 0
            self._held[number] = b""
            self._passed_us[number] = 0
            greet = getattr(device, "connected", None)
            if greet is not None:
                greet(t_us + self.latency_us)
        self._push(t_us, wire.event(wire.RX_CONNECTED, number, t_us + self.latency_us, error.to_bytes(2, "little")))

    def _answers_of(self, number: int, t_us: int) -> None:
        """Pass on what a device of the plant has sent; and its end of the connection, where it has hung up."""
        device = self._linked[number]
        if self._held[number]:
            self._pass_on(number, t_us, b"")
        for at_us, data in () if self._held[number] else device.transmit():
            if self.up:
                self._pass_on(number, at_us, data)
        ended_us = getattr(device, "hung_up_us", 0)
        if ended_us and self.up:
            del self._linked[number]
            self._push(ended_us, wire.event(wire.RX_CLOSED, number, ended_us, bytes(2)))

    def _pass_on(self, number: int, at_us: int, data: bytes) -> None:
        """Send as much as the board's receive window takes, behind what was held before; hold the rest."""
        waiting = self._held[number] + data
        room = max(0, WINDOW_BYTES - self._unread[number])
        self._held[number] = waiting[room:]
        if room and waiting:
            at_us = self._passed_us[number] = max(at_us, self._passed_us[number])  # never ahead of what went before
            self._unread[number] += len(waiting[:room])
            self._push(at_us, wire.event(wire.RX_DATA, number, at_us + self.latency_us, waiting[:room]))

    def _push(self, t_us: int, event: bytes) -> None:
        due_us = t_us + self.latency_us
        self._queue.append((due_us, event))
        if due_us < self.next_us:
            self.next_us = due_us

    def _send_mqtt(self, connection: Connection, t_us: int, data: bytes) -> None:
        connection.outgoing.extend(data)
        for packet in split_packets(connection.outgoing):
            kind = packet[0] >> 4
            connection.socket.sendall(packet)
            if kind == CONNECT:
                self._await(connection, t_us, CONNACK, "CONNACK")
            elif kind == PINGREQ:
                connection.order.append(False)
                self._await(connection, t_us, PINGRESP, "PINGRESP")
            elif kind != DISCONNECT:
                self._barrier(connection, t_us)

    def _barrier(self, connection: Connection, t_us: int) -> None:
        connection.socket.sendall(PING)
        connection.order.append(True)
        self._await(connection, t_us, PINGRESP, "PINGRESP")

    def _await(self, connection: Connection, t_us: int, wanted: int, name: str) -> None:
        """Pass packets on until one of the wanted kind came or the connection ended."""
        end_s = time.monotonic() + self.patience_s
        connection.seen.clear()
        while connection.number in self._open and wanted not in connection.seen:
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                raise BrokerLost(f"the broker sent no {name} within {self.patience_s:g} s of real time")
            self._collect(connection, t_us, left_s)

    def _collect(self, connection: Connection, t_us: int, wait_s: float) -> None:
        """Read what is there, waiting wait_s at most for the first byte."""
        if not select.select([connection.socket], [], [], wait_s)[0]:
            return
        try:
            data = connection.socket.recv(65536)
        except OSError as failure:
            self._lost(connection, t_us, failure)
            return
        if not data:
            self._lost(connection, t_us, None)
            return
        if not connection.mqtt or self.realtime:
            self._deliver(connection, t_us, data)
            return
        connection.incoming.extend(data)
        for packet in split_packets(connection.incoming):
            self._packet(connection, t_us, packet)

    def _packet(self, connection: Connection, t_us: int, packet: bytes) -> None:
        kind = packet[0] >> 4
        connection.seen.append(kind)
        if kind == PINGRESP and connection.order and connection.order.pop(0):
            return  # the bridge's own
        self._deliver(connection, t_us, packet)

    def _deliver(self, connection: Connection, t_us: int, data: bytes) -> None:
        self._push(t_us, wire.event(wire.RX_DATA, connection.number, t_us + self.latency_us, data))

    def _lost(self, connection: Connection, t_us: int, failure: OSError | None) -> None:
        try:
            peer = connection.socket.getpeername()
        except OSError:
            peer = None
        self.close(connection.number)
        if self.required and not self._answers(peer):
            raise BrokerLost(f"the broker is gone: {failure or 'connection closed, and the port is shut'}") from failure
        code = RESET if failure else 0
        self._push(t_us, wire.event(wire.RX_CLOSED, connection.number, t_us, code.to_bytes(2, "little")))

    def _answers(self, peer: tuple[str, int] | None) -> bool:
        targets = [peer] if peer else list(self.hosts.values())
        for target in targets:
            try:
                socket.create_connection(target[:2], timeout=self.patience_s).close()
            except OSError:
                return False
        return True
