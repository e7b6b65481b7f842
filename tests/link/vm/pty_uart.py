# SPDX-License-Identifier: MIT
"""A PTY with machine.UART's face, on the MicroPython unix VM."""

import select
import termios


class PtyUart:
    """any(), readinto(buffer, n), write(buffer): a byte at a time, since a longer read of a PTY waits."""

    def __init__(self, path):
        self._file = open(path, "r+b")  # noqa: SIM115 (held open)
        termios.setraw(self._file.fileno())
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def any(self):
        """Return 1 when a byte waits."""
        for _entry in self._poll.ipoll(0):
            return 1
        return 0

    def readinto(self, buffer, _count):
        """Read one byte."""
        return self._file.readinto(buffer, 1)

    def write(self, buffer):
        """Write all of buffer."""
        return self._file.write(buffer)
