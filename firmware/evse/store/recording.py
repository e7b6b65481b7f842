# SPDX-License-Identifier: MIT
"""The grid around the last trip, half cycle by half cycle: one recording in FRAM, written piece by piece.

A newer trip takes the place of an older one. The head goes first and comes back last, so that a cut leaves a whole
recording or none; the trip itself is in the ring of trips either way.
"""

import struct

from evse.link.crc import crc32
from evse.store import layout

MAGIC = 0xBF52
_HEAD = "<HBBHHIIIHHI"  # FIELDS, then the CRC of these
HEAD_BYTES = 32
_CHECKED = 24  # bytes of the head before its CRC
FIELDS = ("magic", "phases", "period_ms", "rows", "trip_row", "trip", "utc_s", "crc", "element", "spare")
PIECE_BYTES = 240  # a turn: 8 transfers of the FRAM driver


class RecordingStore:
    """memory: FRAM driver. `head`: {field: value} of the recording that is there, or None."""

    def __init__(self, memory):
        self._memory = memory
        _name, self._address, self._length, _slots = layout.RECORDING
        self._at = 0
        self._crc = 0
        self.head = self._load()

    def _load(self):
        head = bytearray(HEAD_BYTES)
        self._memory.readinto(self._address, head)
        (check,) = struct.unpack_from("<I", head, _CHECKED)
        if check != crc32(memoryview(head)[:_CHECKED]):
            return None
        values = dict(zip(FIELDS, struct.unpack_from(_HEAD, head, 0)))  # noqa: B905 (MicroPython)
        fits = row_bytes(values["phases"]) * values["rows"] <= self._length - HEAD_BYTES
        return values if values["magic"] == MAGIC and 1 <= values["phases"] <= 3 and fits else None

    def begin(self) -> None:
        """Give up what is there: from now on, until `finish`, there is no recording."""
        self.head = None
        self._memory.write(self._address, bytes(HEAD_BYTES))
        self._at = HEAD_BYTES
        self._crc = 0

    def put(self, piece) -> None:
        """Write the next piece of rows. ValueError when it does not fit."""
        if self._at + len(piece) > self._length:
            raise ValueError("recording of more than %d bytes" % (self._length - HEAD_BYTES))
        self._memory.write(self._address + self._at, piece)
        self._crc = crc32(piece, self._crc)
        self._at += len(piece)

    def finish(self, values: dict) -> None:
        """Write the head from {field: value}; on return the recording survives a cut."""
        values["magic"] = MAGIC
        values["crc"] = self._crc
        head = bytearray(HEAD_BYTES)
        struct.pack_into(_HEAD, head, 0, *[values.get(name, 0) for name in FIELDS], 0)
        struct.pack_into("<I", head, _CHECKED, crc32(memoryview(head)[:_CHECKED]))
        self._memory.write(self._address, head)
        self.head = self._load()

    def rows(self):
        """Yield every row as bytes; ValueError after the last when their CRC is wrong."""
        head = self.head
        size = row_bytes(head["phases"])
        row = bytearray(size)
        crc = 0
        for number in range(head["rows"]):
            self._memory.readinto(self._address + HEAD_BYTES + number * size, row)
            crc = crc32(row, crc)
            yield row
        if crc != head["crc"]:
            raise ValueError("the recording of trip %d is damaged" % head["trip"])


def row_bytes(phases: int) -> int:
    """Return the bytes of one row: V, P and Q of each phase, frequency, ROCOF, bits; 16 bits each."""
    return 2 * (3 * phases + 3)
