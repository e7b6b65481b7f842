# SPDX-License-Identifier: MIT
"""Fujitsu MB85RC256V: 32 KiB FRAM on I2C (data sheet DS501-00017, up to 1 MHz, no write delay).

Every byte is kept from the moment it is acknowledged; there are no pages. For tasks only, never the cycle.
"""

CHUNK = 32  # bytes a transfer: bounds how long the bus and the other tasks wait (0.8 ms at 400 kHz)


class FramMb85rc256v:
    """Non-volatile memory of `size` bytes. i2c: machine.I2C; address: 0x50..0x57 by the A pins."""

    def __init__(self, i2c, address: int = 0x50, size: int = 32768):
        self.size = size
        self._i2c = i2c
        self._address = address

    def readinto(self, address: int, buffer) -> None:
        """Fill buffer from address on; OSError when the part does not answer, ValueError outside 0..size."""
        self._check(address, len(buffer))
        view = memoryview(buffer)
        for start in range(0, len(buffer), CHUNK):
            self._i2c.readfrom_mem_into(self._address, address + start, view[start : start + CHUNK], addrsize=16)

    def write(self, address: int, buffer) -> None:
        """Write buffer from address on, in rising order."""
        self._check(address, len(buffer))
        view = memoryview(buffer)
        for start in range(0, len(buffer), CHUNK):
            self._i2c.writeto_mem(self._address, address + start, view[start : start + CHUNK], addrsize=16)

    def _check(self, address: int, length: int) -> None:
        if address < 0 or address + length > self.size:
            raise ValueError("FRAM range %d..%d is not within 0..%d" % (address, address + length, self.size))
