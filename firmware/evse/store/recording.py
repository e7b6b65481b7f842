# SPDX-License-Identifier: MIT
"""The grid around the last trips, half cycle by half cycle: as many recordings as the FRAM has room for.

A log that begins anew at its end: each recording is a head and its packed rows, written over the oldest. Positions
count on for ever; where one lies is its position modulo the log's length. The anchor (two slots) says where the newest
begins and ends, each head where the one before began. A recording counts once the anchor is written. A newer one
spoils an older one's head before anything else of it, so what is found is whole.
"""

import struct
from array import array

from evse.link.crc import crc32
from evse.store import layout
from evse.store.packing import Packer, Unpacker
from evse.store.slots import TwoSlots

MAGIC = 0xBF53
_HEAD = "<HBBHHHHIIIIII"  # FIELDS; then their CRC
HEAD_BYTES = 40
_CHECKED = 36  # bytes of the head before its CRC
FIELDS = (
    "magic", "phases", "element", "period_ms", "rows", "trip_row", "spare", "start", "previous", "bytes", "crc",
    "trip", "utc_s",
)  # fmt: skip
_ANCHOR = "<II"
_NONE = 0xFFFFFFFF
CHUNK_BYTES = 128  # a turn of the FRAM


class RecordingStore:
    """memory: FRAM driver; the log reaches to its end. `trips`: numbers of the trips whose recording is kept."""

    def __init__(self, memory, region=layout.RECORDINGS):
        self._memory = memory
        _name, self._address, length, _slots = region
        self._length = length if region is not layout.RECORDINGS else memory.size - self._address
        self._anchor = TwoSlots(memory, layout.NEWEST_RECORDING)
        self._end = 0  # where the next recording begins
        self._kept = []  # (start, trip) of each, oldest first
        self._start = self._at = self._crc = 0
        self._packer = None
        self._chunk = bytearray(CHUNK_BYTES)
        self._filled = 0
        self._load()

    def _load(self) -> None:
        body = self._anchor.load()
        if body is None or len(body) != struct.calcsize(_ANCHOR):
            return
        start, self._end = struct.unpack(_ANCHOR, body)
        while start < self._end <= start + self._length:
            head = self._head(start)
            if head is None:
                break
            self._kept.insert(0, (start, head["trip"]))
            if head["previous"] >= start:
                break
            start = head["previous"]

    def _head(self, start: int):
        """Return {field: value} of the head at a position, or None when it is not whole."""
        head = bytearray(HEAD_BYTES)
        self._read(start, head)
        (check,) = struct.unpack_from("<I", head, _CHECKED)
        if check != crc32(memoryview(head)[:_CHECKED]):
            return None
        values = dict(zip(FIELDS, struct.unpack_from(_HEAD, head, 0)))  # noqa: B905 (MicroPython)
        whole = values["magic"] == MAGIC and values["start"] == start
        return values if whole and self._makes_sense(values) else None

    def _makes_sense(self, values: dict) -> bool:
        fits = HEAD_BYTES + values["bytes"] <= self._length
        rows = values["trip_row"] < values["rows"] <= values["bytes"]  # a row takes a byte at least
        return fits and rows and 1 <= values["phases"] <= 3 and values["period_ms"] > 0

    @property
    def trips(self):
        """Numbers of the trips whose recording is kept, oldest first."""
        return [trip for _start, trip in self._kept]

    def find(self, trip: int):
        """Return {field: value} of the newest recording of a trip, or None."""
        for start, number in reversed(self._kept):
            if number == trip:
                return self._head(start)
        return None

    def begin(self, phases: int) -> None:
        """Start a recording of rows for so many phases, after the newest."""
        self._start = self._end
        self._at = self._start
        self._write(bytes(HEAD_BYTES))
        self._packer = Packer(3 * phases + 3)
        self._filled = self._crc = 0

    def put(self, piece) -> None:
        """Add whole rows (16 bits a number). ValueError when the log is too short for so many."""
        rows = array("h", piece)
        packer = self._packer
        columns = len(packer.before)
        for at in range(0, len(rows), columns):
            packer.pack(rows, at)
            if self._filled + packer.length > CHUNK_BYTES:
                self._flush()
            self._chunk[self._filled : self._filled + packer.length] = memoryview(packer.out)[: packer.length]
            self._filled += packer.length

    def finish(self, values: dict) -> None:
        """Write the head from {field: value}, then the anchor; on return the recording survives a cut."""
        self._flush()
        end = self._at
        values["magic"] = MAGIC
        values["start"] = self._start
        values["previous"] = self._kept[-1][0] if self._kept else _NONE
        values["bytes"] = end - self._start - HEAD_BYTES
        values["crc"] = self._crc
        head = bytearray(HEAD_BYTES)
        struct.pack_into(_HEAD, head, 0, *[values.get(name, 0) for name in FIELDS])
        struct.pack_into("<I", head, _CHECKED, crc32(memoryview(head)[:_CHECKED]))
        self._at = self._start
        self._write(head)
        self._anchor.save(struct.pack(_ANCHOR, self._start, end))
        self._kept.append((self._start, values.get("trip", 0)))
        self._end = end

    def _flush(self) -> None:
        piece = memoryview(self._chunk)[: self._filled]
        self._crc = crc32(piece, self._crc)
        self._write(piece)
        self._filled = 0

    def _write(self, data) -> None:
        """Write on at the current position; what lies there is given up."""
        end = self._at + len(data)
        if end > self._start + self._length:
            raise ValueError("recording of more than %d bytes" % (self._length - HEAD_BYTES))
        while self._kept and self._kept[0][0] + self._length < end:
            self._kept.pop(0)
        at = self._at % self._length
        first = min(len(data), self._length - at)
        self._memory.write(self._address + at, memoryview(data)[:first])
        if first < len(data):
            self._memory.write(self._address, memoryview(data)[first:])
        self._at = end

    def _read(self, position: int, buffer) -> None:
        at = position % self._length
        first = min(len(buffer), self._length - at)
        view = memoryview(buffer)
        self._memory.readinto(self._address + at, view[:first])
        if first < len(buffer):
            self._memory.readinto(self._address, view[first:])

    def rows(self, head: dict):
        """Yield every row of a recording as bytes; ValueError, at the latest after the last, when it is damaged."""
        source = _Source(self._read, head)
        unpacker = Unpacker(3 * head["phases"] + 3, source.byte)
        try:
            for _number in range(head["rows"]):
                yield unpacker.row()
            if source.crc != head["crc"] or source.left:
                raise ValueError("wrong check sum")
        except ValueError as error:
            raise ValueError("the recording of trip %d is damaged: %s" % (head["trip"], error)) from None


class _Source:
    """The packed bytes of a recording, one by one, and the CRC of those that were fetched."""

    def __init__(self, read, head: dict):
        self._read = read
        self._position = head["start"] + HEAD_BYTES
        self.left = head["bytes"]  # not fetched yet
        self.crc = 0
        self._chunk = bytearray(CHUNK_BYTES)
        self._at = self._size = 0

    def byte(self) -> int:
        """Return the next byte; ValueError after the last."""
        if self._at == self._size:
            self._fetch()
        self._at += 1
        return self._chunk[self._at - 1]

    def _fetch(self) -> None:
        self._size = min(self.left, CHUNK_BYTES)
        if not self._size:
            raise ValueError("it ends too early")
        piece = memoryview(self._chunk)[: self._size]
        self._read(self._position, piece)
        self.crc = crc32(piece, self.crc)
        self._position += self._size
        self.left -= self._size
        self._at = 0
