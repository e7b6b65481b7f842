# SPDX-License-Identifier: MIT
"""A PTY with machine.UART's face, on the MicroPython unix VM."""

import termios

from evse.link.views import Views

ROOM = 512  # bytes kept until they are read, as a UART's ring


class PtyUart:
    """any(), readinto(buffer, n), write(buffer): each look takes all that is there in one call of the system."""

    def __init__(self, path):
        self._file = open(path, "r+b", buffering=0)  # noqa: SIM115 (held open)
        termios.setraw(self._file.fileno())
        settings = termios.tcgetattr(self._file.fileno())
        settings[6][5] = settings[6][6] = 0  # VTIME, VMIN (Linux): a read returns at once with what is there
        termios.tcsetattr(self._file.fileno(), termios.TCSANOW, settings)
        self._ring = bytearray(ROOM)
        self._views = Views(self._ring)
        self._waiting = 0

    def any(self):
        """Return how many bytes wait."""
        if not self._waiting:
            self._waiting = self._file.readinto(self._ring) or 0
        return self._waiting

    def readinto(self, buffer, count):
        """Move at most count bytes into buffer; return how many."""
        ring = self._ring
        waiting = self._waiting
        count = min(count, len(buffer), waiting)
        buffer[:count] = self._views.part(0, count)
        self._waiting = waiting - count
        for i in range(self._waiting):
            ring[i] = ring[count + i]
        return count

    def write(self, buffer):
        """Write all of buffer."""
        return self._file.write(buffer)
