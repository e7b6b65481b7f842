# SPDX-License-Identifier: MIT
"""The frequency's recent course: the last two line cycles, the move within 60 ms and the distance from a slow mean."""

from array import array

RING = 8  # readings; with one each cycle of 10 ms
MASK = RING - 1
SIX_BEFORE = 2  # places ahead in the ring lies the reading of 60 ms ago
SLOW_BITS = 7  # time constant of the slow mean: 128 cycles
SLOW_STEP_MHZ = 1000  # the most one reading counts in it


class Course:
    """Frequencies in mHz."""

    def __init__(self):
        self.mhz = 0
        self.last_mhz = 0
        self.jump_mhz = 0  # since 60 ms ago
        self.off_mhz = 0  # from the slow mean
        self._ring = array("i", [0] * RING)
        self._at = 0
        self._slow = 0  # mHz << SLOW_BITS

    def start(self, mhz: int) -> None:
        """Begin as if it had always been so."""
        for k in range(RING):
            self._ring[k] = mhz
        self.mhz = mhz
        self._slow = mhz << SLOW_BITS

    def take(self, mhz: int) -> None:
        """Take a reading."""
        self.last_mhz = self.mhz
        self.mhz = mhz
        at = (self._at + 1) & MASK
        self._at = at
        ring = self._ring
        ring[at] = mhz
        self.jump_mhz = mhz - ring[(at + SIX_BEFORE) & MASK]
        off = mhz - (self._slow >> SLOW_BITS)
        self.off_mhz = off
        if off > SLOW_STEP_MHZ:
            off = SLOW_STEP_MHZ
        elif off < -SLOW_STEP_MHZ:
            off = -SLOW_STEP_MHZ
        self._slow += off
