# SPDX-License-Identifier: MIT
"""Infineon FM25W256: 32 KiB FRAM on SPI (data sheet 001-86217, modes 0 and 3, up to 20 MHz, no write delay)."""

from evse.drivers.fram import Fram

WREN = 0x06
WRITE = 0x02
READ = 0x03


class FramFm25w256(Fram):
    """spi: machine.SPI; cs: machine.Pin, high when idle."""

    def __init__(self, spi, cs, size: int = 32768):
        super().__init__(size)
        self._spi = spi
        self._cs = cs
        self._head = bytearray(3)
        self._enable = bytes((WREN,))

    def _get(self, address: int, view) -> None:
        self._open(READ, address)
        self._spi.readinto(view)
        self._cs(1)

    def _put(self, address: int, view) -> None:
        self._cs(0)
        self._spi.write(self._enable)  # the enable latch clears after every write
        self._cs(1)
        self._open(WRITE, address)
        self._spi.write(view)
        self._cs(1)

    def _open(self, code: int, address: int) -> None:
        head = self._head
        head[0] = code
        head[1] = address >> 8
        head[2] = address & 0xFF
        self._cs(0)
        self._spi.write(head)
