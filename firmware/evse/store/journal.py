# SPDX-License-Identifier: MIT
"""Event journal in FRAM: what the cycle's event ring and the tasks recorded, kept over restarts.

One record: UTC seconds (0 while the clock is unknown), uptime, boot number, code, subject, phase, value. Codes are
EVENT_* of faults.py, which are only ever appended, so that an old journal keeps its meaning. A text goes into records
of its own, EVENT_TEXT, right before the record it belongs to: that one makes it count.
"""

import struct

from evse.faults import EVENT_TEXT
from evse.store import layout
from evse.store.ring import RingStore

_BODY = "<IIHBBBBi"  # UTC s, low 32 bits of the uptime in ms, boot, code, subject, phase, uptime beyond, value
BODY_BYTES = 18
TEXT_MAX = 84  # characters kept of one text
_PIECE = 14  # characters a record


class JournalStore(RingStore):
    """memory: FRAM driver. clock: callable that returns UTC seconds, or None while unknown."""

    def __init__(self, memory, clock=None):
        super().__init__(memory, layout.JOURNAL, BODY_BYTES)
        self.clock = clock
        self.boot = 1
        if self._ring.newest and self._ring.read(self._ring.newest):
            last = struct.unpack_from("<H", self._ring.body, 8)
            self.boot = last[0] % 65535 + 1

    def append(self, uptime_ms: int, code: int, subject: int = 0, value: int = 0, phase: int = 0) -> int:
        """Record one event; return its sequence. OSError when the memory does not answer."""
        now_s = self.clock() if self.clock else None
        struct.pack_into(
            _BODY,
            self._ring.body,
            0,
            now_s or 0,
            uptime_ms & 0xFFFFFFFF,
            self.boot,
            code & 0xFF,
            subject & 0xFF,
            phase & 0xFF,
            uptime_ms >> 32 & 0xFF,
            value,
        )
        return self._ring.append()

    def append_text(self, text: str) -> None:
        """Record a text of at most TEXT_MAX characters; the next append() is the record it belongs to."""
        data = text.encode()
        body = self._ring.body
        for at in range(0, len(data), _PIECE):
            piece = data[at : at + _PIECE] + bytes(_PIECE)
            body[:8] = piece[:8]
            struct.pack_into("<HBB", body, 8, self.boot, EVENT_TEXT, at // _PIECE)
            body[12:] = piece[8:_PIECE]
            self._ring.append()

    def text(self, sequence: int, length: int):
        """Return the text of so many characters that belongs to a record, or None when it is gone."""
        count = -(-length // _PIECE)
        data = b""
        for index in range(count):
            body = self._ring.body
            if not self._ring.read(sequence - count + index) or body[10] != EVENT_TEXT or body[11] != index:
                return None
            data += bytes(body[:8]) + bytes(body[12:])
        return "".join([chr(byte) if 0x20 <= byte < 0x7F else "?" for byte in data[:length]])

    def read(self, sequence: int):
        """Return (utc_s, uptime_ms, boot, code, subject, value, phase) of a record, or None."""
        if not self._ring.read(sequence):
            return None
        utc_s, low_ms, boot, code, subject, phase, beyond, value = struct.unpack(_BODY, self._ring.body)
        return utc_s, beyond << 32 | low_ms, boot, code, subject, value, phase
