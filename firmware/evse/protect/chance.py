# SPDX-License-Identifier: MIT
"""Random times that a test can repeat: a generator of 16 bits, begun with the unit's name."""


class Chance:
    """Draws of one user, so that no other's draws disturb them."""

    def __init__(self, name: str):
        state = 1
        for letter in name:
            state = (state * 31 + ord(letter)) % 65536
        self._state = state + 1  # 1..65536

    def draw(self, spread: int, stir: int) -> int:
        """Return 0..spread - 1. The last bits of `stir`, a reading, join in: units of equal names drift apart."""
        self._state = (self._state * 75 + 74 + (stir & 255)) % 65537
        return self._state % spread
