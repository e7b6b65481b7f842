# SPDX-License-Identifier: MIT
"""Faults of the board itself, switched by a scenario at any time."""

from __future__ import annotations

import random

SPI_OK, SPI_STUCK_LOW, SPI_STUCK_HIGH, SPI_NOISE, SPI_BROWN_OUT, SPI_SPARSE = range(6)


class Faults:
    """Each attribute is a fault; at its first value there is none.

    afe_frozen: registers stand still. afe_bits: bits flipped in the register block at each refresh. spi: SPI_*; noise
    flips one bit in each transfer, so that its CRC is wrong, sparse noise in one of eight; a brown-out resets
    the AFE while it lasts.
    console_dropped: typing is lost. stall(): the CPU does nothing for a while. stuck_inputs: level by signal
    (wire.DIGITAL_IN). stuck_outputs: value by BoardOutputs field.
    """

    def __init__(self, seed: int) -> None:
        self.afe_frozen = False
        self.afe_bits = 0
        self.spi = SPI_OK
        self.console_dropped = False
        self.stall_until_us = 0
        self.stuck_inputs: dict[str, int] = {}
        self.stuck_outputs: dict[str, object] = {}
        self._random = random.Random(seed)

    def stall(self, now_us: int, duration_ms: float) -> None:
        """Stop the CPU from now_us for duration_ms: no timer, no task runs (a flash erase, an endless interrupt)."""
        self.stall_until_us = now_us + round(duration_ms * 1000)

    def flip_bits(self, message: bytearray, start: int, end: int) -> None:
        for _ in range(self.afe_bits):
            message[self._random.randrange(start, end)] ^= 1 << self._random.randrange(8)
