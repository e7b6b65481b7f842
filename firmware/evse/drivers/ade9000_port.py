# SPDX-License-Identifier: MIT
"""SPI framing of the ADE9000: command words, single registers with their CRC. Source: UG-1098, "SPI Protocol".

A 16-bit header (address in bits 15:4, bit 3 set for a read), then 2 or 4 bytes, then on a read their CRC-16-CCITT.
Allocates nothing after __init__; raises nothing.
"""

from evse.link import crc

WORD = 4
HEAD = 2  # command header bytes before the data
SHORT_FIRST, SHORT_END = 0x480, 0x500  # registers of 16 bits


class Ade9000Port:
    """The part's registers one by one. spi: machine.SPI, mode 0 or 3, <= 20 MHz; cs: machine.Pin, high when idle."""

    def __init__(self, spi, cs):
        self._transfer = spi.write_readinto
        self._cs = cs
        self.crc_checked = 0  # 1: the part appends its CRC to single reads in burst mode too
        self.crc_errors = 0
        self._ask = bytearray(HEAD + WORD + 2)
        self.reply = bytearray(HEAD + WORD + 2)  # of the last 32-bit read
        self._checked = memoryview(self.reply)[HEAD:]  # its data and their CRC
        self._half_tx = bytearray(HEAD + 2 + 2)
        self._half_rx = bytearray(HEAD + 2 + 2)
        self._half_checked = memoryview(self._half_rx)[HEAD:]
        self._write_tx = bytearray(HEAD + WORD)
        self._write_rx = bytearray(HEAD + WORD)
        self._short_tx = bytearray(HEAD + 2)
        self._short_rx = bytearray(HEAD + 2)

    def _fetch32(self, address: int) -> None:
        tx = self._ask
        tx[0] = address >> 4
        tx[1] = (address << 4 & 0xF0) | 8
        self._cs(0)
        self._transfer(tx, self.reply)
        self._cs(1)

    def read32(self, address: int) -> int:
        """Read a 32-bit register into reply[2:6]; return 1 when its CRC is right or not to be had."""
        self._fetch32(address)
        if self.crc_checked and crc.ccitt(self._checked):
            self.crc_errors += 1
            return 0
        return 1

    def holds32(self, address: int, value: int) -> int:
        """Return 1 when a 32-bit register holds `value`, 0..2^30: a part that is silent or was reset does not."""
        self._fetch32(address)
        rx = self.reply
        if rx[5] != value & 0xFF or rx[4] != value >> 8 & 0xFF:
            return 0
        return 1 if rx[3] == value >> 16 & 0xFF and rx[2] == value >> 24 & 0xFF else 0

    def read16(self, address: int) -> int:
        """Return a 16-bit register, or -1 when its CRC is wrong."""
        rx = self._half_rx
        head(self._half_tx, address, 1)
        self._cs(0)
        self._transfer(self._half_tx, rx)
        self._cs(1)
        if self.crc_checked and crc.ccitt(self._half_checked):
            self.crc_errors += 1
            return -1
        return rx[HEAD] << 8 | rx[HEAD + 1]

    def write(self, address: int, value: int) -> None:
        """Write a register of 16 or 32 bits, as its address has it. value: -2^29..2^29."""
        if SHORT_FIRST <= address < SHORT_END:
            self._put(self._short_tx, self._short_rx, address, value)
        else:
            self._put(self._write_tx, self._write_rx, address, value)

    def _put(self, tx, rx, address: int, value: int) -> None:
        head(tx, address, 0)
        for at in range(len(tx) - 1, HEAD - 1, -1):
            tx[at] = value & 0xFF
            value >>= 8
        self._cs(0)
        self._transfer(tx, rx)
        self._cs(1)


def head(tx, address: int, read: int) -> None:
    """Write the 16-bit command header: address in bits 15:4, bit 3 set for a read."""
    tx[0] = address >> 4
    tx[1] = (address << 4 & 0xF0) | (8 if read else 0)
