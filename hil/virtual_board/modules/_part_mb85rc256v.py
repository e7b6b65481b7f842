# SPDX-License-Identifier: MIT
"""MB85RC256V: 32 KiB of FRAM on I2C, kept in a file so that it survives the board's restarts.

Source: MB85RC256V data sheet. Writes take effect byte by byte as they are clocked in; the address counter rolls over.
"""

import os

from _link import POWER_LOST, RX_FRAM_CUT, world

_SIZE = 32768
_shared = []


class Mb85rc256v:
    """The part. Two-byte address, sequential read and write, roll-over at the end."""

    def __init__(self, path):
        self._file = open(path, "r+b")  # noqa: SIM115  (as long as the board lives)
        self._data = bytearray(self._file.read(_SIZE))
        self._at = 0
        self._left = -1  # bytes until the power goes; -1: it stays
        world.handlers[(RX_FRAM_CUT, 0)] = self._arm

    @staticmethod
    def shared():
        if not _shared:
            _shared.append(Mb85rc256v(os.getenv("VB_FRAM")))
        return _shared[0]

    def _arm(self, t_us, data):
        self._left = int.from_bytes(data, "little")

    def address(self, memaddr, addrsize):
        if addrsize == 8:
            # One address byte, then data: the part takes the first data byte for the low address. Nobody means that.
            raise OSError(5)
        if addrsize != 16 or not 0 <= memaddr < 65536:
            raise ValueError("MB85RC256V takes a 16-bit address, not %r of %r bits" % (memaddr, addrsize))
        self._at = memaddr & (_SIZE - 1)

    def write(self, buf):
        if len(buf) < 2:
            return
        self.address(buf[0] << 8 | buf[1], 16)
        self.store(memoryview(buf)[2:])

    def store(self, buf):
        size = len(buf)
        if 0 <= self._left < size:
            self._put(memoryview(buf)[: self._left])
            world.leave(POWER_LOST)
        if self._left >= 0:
            self._left -= size
        self._put(buf)

    def _put(self, buf):
        view = memoryview(buf)
        at = 0
        while at < len(view):
            step = min(len(view) - at, _SIZE - self._at)
            self._data[self._at : self._at + step] = view[at : at + step]
            self._file.seek(self._at)
            self._file.write(view[at : at + step])
            self._at = (self._at + step) & (_SIZE - 1)
            at += step

    def readinto(self, buf):
        at = self._at
        size = len(buf)
        if at + size <= _SIZE:
            buf[:] = self._data[at : at + size]
        else:
            for i in range(size):
                buf[i] = self._data[(at + i) & (_SIZE - 1)]
        self._at = (at + size) & (_SIZE - 1)
