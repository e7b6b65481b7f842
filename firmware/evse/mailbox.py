# SPDX-License-Identifier: MIT
"""The cycle's end of a mailbox: is there something new, and how old is the last whole message.

The age is carried on from cycle to cycle and stops at NEVER_MS. Subtracting the stamp anew each
time would make a message of 6.2 days ago look fresh again, when the ticks wrap.
"""

from evse.fixed import age
from evse.image import NEVER_MS


class Reader:
    """Reads one Box. `age_ms`: of the last message taken, NEVER_MS before the first."""

    def __init__(self, box):
        self._box = box
        self._sequence = 0
        self.age_ms = NEVER_MS

    def poll(self, now_ms: int, elapsed_ms: int) -> int:
        """Return 1 when a new, whole message is there to be copied now; else grow older and return 0."""
        box = self._box
        sequence = box.sequence
        if sequence == self._sequence or sequence & 1:
            if self.age_ms < NEVER_MS - elapsed_ms:
                self.age_ms += elapsed_ms
            return 0
        self._sequence = sequence
        if not box.received:
            return 0
        age_ms = age(now_ms, box.stamp_ms)
        if age_ms < -1000:  # stamped in the future: its clock is wrong, so its age is unknown
            age_ms = NEVER_MS
        self.age_ms = age_ms if age_ms > 0 else 0
        return 1
