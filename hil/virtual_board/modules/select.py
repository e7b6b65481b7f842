# SPDX-License-Identifier: MIT
"""`select` on virtual time: a poll that waits is where time advances and timers run."""

import sys

import uselect
from _link import FAR_US, world

POLLIN, POLLOUT, POLLERR, POLLHUP = uselect.POLLIN, uselect.POLLOUT, uselect.POLLERR, uselect.POLLHUP

_SPIN_LIMIT = 50  # polls without waiting before time moves on by itself:
_SPIN_US = 100  # a program that only yields does take time on a board

_stdin_poll = uselect.poll()
_stdin_poll.register(sys.stdin.buffer, POLLIN)


def _stdin_ready():
    if not world.stdin_maybe:
        return False
    if _stdin_poll.poll(0):
        return True
    world.stdin_maybe = False
    return False


def _wait_real(t_us):
    """Real-time mode: sleep until world time t_us, or until the console or the host has something."""
    ms = min(100, max(0, (t_us - world.now) // 1000))
    if _stdin_poll.poll(ms):
        world.stdin_maybe = True
        world.input_serial += 1


world.wait_real = _wait_real


class _Stream:
    """stdin or stdout: real files, readable only when the host says that it has written."""

    def __init__(self, stream):
        self._input = stream in (sys.stdin, sys.stdin.buffer)

    def poll_events(self, flags):
        if not self._input:
            return flags & POLLOUT
        return POLLIN if flags & POLLIN and _stdin_ready() else 0


class _Polled:
    """A stream written in Python, such as asyncio's ThreadSafeFlag: its ioctl says whether it is ready."""

    def __init__(self, stream):
        self.stream = stream

    def poll_events(self, flags):
        return self.stream.ioctl(3, flags) & flags  # MP_STREAM_POLL


class poll:
    """Objects with poll_events(flags) (UART, socket) and the console streams."""

    def __init__(self):
        self._entries = {}  # id -> [object, flags, source of events]
        self._room = False  # some entry waits for POLLOUT
        self._flags = []  # (stream, flags) of those written in Python, which may be set without a message
        self._seen = -1  # world.input_serial at which nothing was readable
        self._spins = 0

    def register(self, obj, flags=POLLIN | POLLOUT):
        if hasattr(obj, "poll_events"):
            source = obj
        elif obj in (sys.stdin, sys.stdin.buffer, sys.stdout, sys.stdout.buffer):
            source = _Stream(obj)
        elif hasattr(obj, "ioctl"):
            source = _Polled(obj)
        else:
            raise OSError(22)
        self.unregister(obj)
        self._entries[id(obj)] = [obj, flags, source]
        if hasattr(obj, "counted"):
            obj.counted(1)
        self._changed()

    def unregister(self, obj):
        if self._entries.pop(id(obj), None) is not None and hasattr(obj, "counted"):
            obj.counted(-1)
        self._changed()

    def modify(self, obj, flags):
        entry = self._entries.get(id(obj))
        if entry is None:
            raise OSError(2)
        entry[1] = flags
        self._changed()

    def _changed(self):
        self._room = False
        self._flags = []
        for entry in self._entries.values():
            if entry[1] & POLLOUT:
                self._room = True
            if isinstance(entry[2], _Polled):
                self._flags.append((entry[2].stream, entry[1]))
        self._seen = -1

    def _asks(self):
        """Whether each object must be asked: input comes with a message only, room to write and flags by themselves."""
        if world.input_serial != self._seen or self._room:
            return True
        for stream, flags in self._flags:
            if stream.ioctl(3, flags):
                return True
        return False

    def _ready(self):
        ready = None
        serial = world.input_serial
        for entry in self._entries.values():
            events = entry[2].poll_events(entry[1])
            if events:
                if ready is None:
                    ready = []
                ready.append((entry[0], events))
        if ready is None:
            self._seen = serial
        return ready

    def ipoll(self, timeout=-1, flags=0):
        if self._asks():
            ready = self._ready()
            if ready:
                self._spin()
                return ready
        if timeout == 0:
            self._spin()
            return ()
        self._spins = 0
        # Waits end on the board's millisecond grid, as those of a port that counts ticks.
        now_us = world.now
        limit_us = FAR_US if timeout < 0 else now_us - (now_us - world.boot_us) % 1000 + timeout * 1000
        while world.now < limit_us:
            world.advance(limit_us)
            if self._asks():
                ready = self._ready()
                if ready:
                    return ready
        return ()

    def poll(self, timeout=-1, flags=0):
        return list(self.ipoll(timeout, flags))

    def _spin(self):
        self._spins += 1
        if self._spins >= _SPIN_LIMIT:
            self._spins = 0
            world.advance(world.now + _SPIN_US)
