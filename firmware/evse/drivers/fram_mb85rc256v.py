# SPDX-License-Identifier: MIT
"""Fujitsu MB85RC256V: 32 KiB FRAM on I2C (data sheet DS501-00017, up to 1 MHz, no write delay).

Every byte is kept from the moment it is acknowledged; there are no pages.
"""

from evse.drivers.fram import Fram


class FramMb85rc256v(Fram):
    """i2c: machine.I2C; address: 0x50..0x57 by the A pins; reopen: frees the bus and returns a new machine.I2C."""

    def __init__(self, i2c, address: int = 0x50, size: int = 32768, reopen=None):
        super().__init__(size)
        self._i2c = i2c
        self._address = address
        self._reopen = reopen

    def _get(self, address: int, view) -> None:
        self._i2c.readfrom_mem_into(self._address, address, view, addrsize=16)

    def _put(self, address: int, view) -> None:
        self._i2c.writeto_mem(self._address, address, view, addrsize=16)

    def _recover(self) -> None:
        if self._reopen is not None:
            self._i2c = self._reopen()
