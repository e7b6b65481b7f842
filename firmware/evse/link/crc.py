# SPDX-License-Identifier: MIT
"""Check sums of the wires and of the store.

Modbus CRC-16 (polynomial 0xA001 reflected, seed 0xFFFF: Modbus over serial line V1.02, 6.2.2), CRC-16-CCITT as
the ADE9000 computes it (0x1021, seed 0xFFFF: UG-1098 "ADE9000 CRC Algorithm"), and CRC-32 (IEEE 802.3). None of
them allocates for 16 bits; CRC-32 comes from binascii and belongs in tasks, never in the cycle.
"""

from array import array
from binascii import crc32 as _crc32

SEED = 0xFFFF


def _table(polynomial: int, reflected: int):
    table = array("H", [0] * 256)
    for byte in range(256):
        crc = byte if reflected else byte << 8
        for _ in range(8):
            if reflected:
                crc = (crc >> 1) ^ (polynomial if crc & 1 else 0)
            else:
                crc = ((crc << 1) ^ (polynomial if crc & 0x8000 else 0)) & 0xFFFF
        table[byte] = crc
    return table


_MODBUS = _table(0xA001, 1)
CCITT = _table(0x1021, 0)


def modbus(buffer, start: int, end: int) -> int:
    """Return the Modbus CRC-16 of buffer[start:end]; sent low byte first."""
    crc = SEED
    table = _MODBUS
    for i in range(start, end):
        crc = crc >> 8 ^ table[crc & 0xFF ^ buffer[i]]
    return crc


def modbus_all(view) -> int:
    """Return the Modbus CRC-16 of a whole buffer: 0 for a frame with its own sound check sum at the end."""
    crc = SEED
    table = _MODBUS
    for byte in view:  # a quarter quicker than by index
        crc = table[crc & 0xFF ^ byte] ^ crc >> 8
    return crc


def ccitt(view) -> int:
    """Return the CRC-16-CCITT of a whole buffer: 0 for data with their own sound check sum at the end."""
    crc = SEED
    table = CCITT
    for byte in view:
        crc = table[crc >> 8 ^ byte] ^ (crc << 8 & 0xFF00)
    return crc


def crc32(buffer, seed: int = 0) -> int:
    """Return the CRC-32 of a whole buffer (a memoryview for a part of one); seed: CRC of what came before it."""
    return _crc32(buffer, seed) & 0xFFFFFFFF
