# SPDX-License-Identifier: MIT
"""Infineon FM25W256: 32 KiB FRAM on SPI (data sheet 001-86217, modes 0 and 3, up to 20 MHz, no write delay).

For tasks only, never the cycle.
"""

WREN = 0x06
WRITE = 0x02
READ = 0x03


class FramFm25w256:
    """Non-volatile memory of `size` bytes. spi: machine.SPI; cs: machine.Pin, high when idle."""

    def __init__(self, spi, cs, size: int = 32768):
        self.size = size
        self._spi = spi
        self._cs = cs
        self._head = bytearray(3)
        self._enable = bytes((WREN,))

    def readinto(self, address: int, buffer) -> None:
        """Fill buffer from address on; ValueError outside 0..size."""
        self._open(READ, address, len(buffer))
        self._spi.readinto(buffer)
        self._cs(1)

    def write(self, address: int, buffer) -> None:
        """Write buffer from address on, in rising order; a byte is kept once it has been clocked in."""
        self._check(address, len(buffer))
        self._cs(0)
        self._spi.write(self._enable)  # the enable latch clears after every write
        self._cs(1)
        self._open(WRITE, address, len(buffer))
        self._spi.write(buffer)
        self._cs(1)

    def _open(self, code: int, address: int, length: int) -> None:
        self._check(address, length)
        head = self._head
        head[0] = code
        head[1] = address >> 8
        head[2] = address & 0xFF
        self._cs(0)
        self._spi.write(head)

    def _check(self, address: int, length: int) -> None:
        if address < 0 or address + length > self.size:
            raise ValueError("FRAM range %d..%d is not within 0..%d" % (address, address + length, self.size))
