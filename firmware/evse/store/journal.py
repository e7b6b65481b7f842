# SPDX-License-Identifier: MIT
"""Event journal in FRAM: what the cycle's event ring and the tasks recorded, kept over restarts.

One record: UTC seconds (0 while the clock is unknown), ticks, boot number, code, subject, phase, value. Codes are
EVENT_* of faults.py, which are only ever appended, so that an old journal keeps its meaning.
"""

import struct

from evse.store import layout
from evse.store.ring import Ring

_BODY = "<IiHBBBBi"
BODY_BYTES = 18


class JournalStore:
    """memory: FRAM driver. clock: callable that returns UTC seconds, or None while unknown."""

    def __init__(self, memory, clock=None):
        self._ring = Ring(memory, layout.JOURNAL, BODY_BYTES)
        self.clock = clock
        self.boot = 1
        if self._ring.newest and self._ring.read(self._ring.newest):
            last = struct.unpack_from("<H", self._ring.body, 8)
            self.boot = last[0] % 65535 + 1

    @property
    def newest(self) -> int:
        """Sequence of the last record, 0 when there is none."""
        return self._ring.newest

    @property
    def oldest(self) -> int:
        """Sequence of the first record that may still be there."""
        return self._ring.oldest

    def append(self, ticks_ms: int, code: int, subject: int = 0, value: int = 0, phase: int = 0) -> int:
        """Record one event; return its sequence. OSError when the memory does not answer."""
        now_s = self.clock() if self.clock else None
        struct.pack_into(
            _BODY,
            self._ring.body,
            0,
            now_s or 0,
            ticks_ms,
            self.boot,
            code & 0xFF,
            subject & 0xFF,
            phase & 0xFF,
            0,
            value,
        )
        return self._ring.append()

    def read(self, sequence: int):
        """Return (utc_s, ticks_ms, boot, code, subject, value, phase) of a record, or None."""
        if not self._ring.read(sequence):
            return None
        utc_s, ticks_ms, boot, code, subject, phase, _spare, value = struct.unpack(_BODY, self._ring.body)
        return utc_s, ticks_ms, boot, code, subject, value, phase
