# SPDX-License-Identifier: MIT
"""TCP sockets over the host: real connections, delivered in virtual time."""

from select import POLLERR, POLLHUP, POLLIN, POLLOUT

import _link
from _link import world

AF_INET, AF_INET6 = 2, 10
SOCK_STREAM, SOCK_DGRAM = 1, 2
IPPROTO_TCP, IPPROTO_UDP = 6, 17
SOL_SOCKET, SO_REUSEADDR, SO_KEEPALIVE, TCP_NODELAY = 0xFFF, 4, 8, 1

_EAGAIN, _ENOTCONN, _ECONNRESET, _EINPROGRESS, _EHOSTUNREACH, _ETIMEDOUT = 11, 128, 104, 115, 118, 116
_TELL = 2872  # bytes read before the host is told that there is room again: half the receive window
_MOST = 16  # sockets open at once, as lwIP is built on both ports
_open = {}


def getaddrinfo(host, port, af=0, type=0, proto=0, flags=0):
    """Resolve; the host process looks names up when the connection is made."""
    if not world.net_up:
        raise OSError(-202)
    return [(AF_INET, SOCK_STREAM, 0, "", (host, port))]


def _queue(kind, number, data=b""):
    world.queue(kind, number, world.now, data)
    world.dirty = True  # the world sees it now


class socket:
    """A TCP client socket, blocking or not, with the stream methods of both ports."""

    def __init__(self, af=AF_INET, type=SOCK_STREAM, proto=0, fileno=None):
        if af != AF_INET or type != SOCK_STREAM:
            raise OSError(106)  # the virtual board carries TCP over IPv4
        self._number = 0
        while self._number in _open:
            self._number += 1
        if self._number >= _MOST:
            raise OSError(23)
        _open[self._number] = self
        self._state = 0  # 0 new, 1 connecting, 2 connected, 3 ended, 4 closed
        self._error = 0
        self._data = bytearray()
        self._untold = 0  # bytes read that the host does not know of
        self._timeout_us = -1
        world.handlers[(_link.RX_CONNECTED, self._number)] = self._connected
        world.handlers[(_link.RX_DATA, self._number)] = self._arrive
        world.handlers[(_link.RX_CLOSED, self._number)] = self._ended

    # --- from the host ---

    def _connected(self, t_us, data):
        self._error = int.from_bytes(data, "little")
        self._state = 3 if self._error else 2

    def _arrive(self, t_us, data):
        self._data.extend(data)

    def _ended(self, t_us, data):
        self._error = int.from_bytes(data, "little")
        self._state = 3

    def poll_events(self, flags):
        events = 0
        if self._data or self._state == 3:
            events |= flags & POLLIN
        if self._state == 2:
            events |= flags & POLLOUT
        if self._state in (3, 4):
            events |= POLLHUP | (POLLERR if self._error else 0)
        return events

    # --- from the firmware ---

    def setblocking(self, flag):
        self._timeout_us = -1 if flag else 0

    def settimeout(self, seconds):
        self._timeout_us = -1 if seconds is None else int(seconds * 1000000)

    def setsockopt(self, level, option, value):
        if self._state == 4:
            raise OSError(9)

    def _wait(self, ready, error):
        if self._timeout_us == 0:
            raise OSError(error)
        end_us = _link.FAR_US if self._timeout_us < 0 else world.now + self._timeout_us
        while not ready():
            if world.now >= end_us:
                raise OSError(_ETIMEDOUT)
            world.advance(end_us)

    def connect(self, address):
        if self._state != 0:
            raise OSError(120 if self._state == 1 else 127)
        host, port = address
        if not 1 <= port <= 65535:
            raise OSError(22)
        if not world.net_up:
            raise OSError(_EHOSTUNREACH)
        self._state = 1
        _queue(_link.TX_CONNECT, self._number, ("%s:%d" % (host, port)).encode())
        self._wait(self._settled, _EINPROGRESS)
        if self._error:
            raise OSError(self._error)

    def _settled(self):
        return self._state != 1

    def send(self, data, flags=0):
        if self._state == 3:
            raise OSError(self._error or _ECONNRESET)
        if self._state != 2:
            raise OSError(_ENOTCONN if self._state == 0 else _EAGAIN)
        if len(data) > 5744:
            data = memoryview(data)[:5744]  # lwIP's send buffer
        _queue(_link.TX_SEND, self._number, data)
        return len(data)

    def write(self, data):
        try:
            return self.send(data)
        except OSError as error:
            if error.errno == _EAGAIN:
                return None
            raise

    def sendall(self, data):
        view = memoryview(data)
        while view:
            view = view[self.send(view) :]

    def _readable(self):
        return self._data or self._state >= 3

    def recv(self, count, flags=0):
        if not self._readable():
            self._wait(self._readable, _EAGAIN)
        if not self._data and self._error:
            raise OSError(self._error)
        data = bytes(self._data[:count])
        self._data = self._data[count:]
        self._untold += len(data)
        if self._untold >= _TELL and self._state == 2:
            world.queue(_link.TX_TAKEN, self._number, world.now, self._untold.to_bytes(4, "little"))
            self._untold = 0
        return data

    def read(self, count=-1):
        try:
            return self.recv(len(self._data) or 1 if count < 0 else count)
        except OSError as error:
            if error.errno == _EAGAIN:
                return None
            raise

    def readinto(self, buf, count=-1):
        data = self.read(len(buf) if count < 0 else min(count, len(buf)))
        if data is None:
            return None
        buf[: len(data)] = data
        return len(data)

    def readline(self):
        at = self._data.find(b"\n")
        return self.read(len(self._data) or 1 if at < 0 else at + 1)

    def makefile(self, mode="rb", buffering=0):
        return self

    def close(self):
        if self._state == 4:
            return
        if self._state:
            _queue(_link.TX_CLOSE, self._number)
        self._state = 4
        world.input_serial += 1
        for kind in (_link.RX_CONNECTED, _link.RX_DATA, _link.RX_CLOSED):
            world.handlers.pop((kind, self._number), None)
        _open.pop(self._number, None)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()
