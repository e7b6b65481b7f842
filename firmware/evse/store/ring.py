# SPDX-License-Identifier: MIT
"""A ring of records in FRAM: each slot is sequence (4 bytes), body, CRC-32 (4) over both.

A record is acknowledged when append() returns; from then on it survives a power cut until slots - 1 newer ones have
been acknowledged. A torn write spoils only the slot being written, which held the oldest record.
"""

import struct

from evse.link.crc import crc32

OVERHEAD = 8


class Ring:
    """Records of `body_bytes` in `region` of the layout. memory: FRAM driver. Sequence numbers count from 1."""

    def __init__(self, memory, region, body_bytes: int):
        self.name, self._address, self._slot_bytes, self.slots = region
        if body_bytes + OVERHEAD > self._slot_bytes:
            raise ValueError("%s: a body of %d bytes does not fit a slot" % (self.name, body_bytes))
        self._memory = memory
        self._whole = bytearray(body_bytes + OVERHEAD)
        view = memoryview(self._whole)
        self._covered = view[: body_bytes + 4]
        self.body = view[4 : body_bytes + 4]  # what append() writes and read() fills
        self.newest = 0
        self._scan()

    def _scan(self) -> None:
        for slot in range(self.slots):
            sequence = self._load(slot)
            if sequence > self.newest and (sequence - 1) % self.slots == slot:
                self.newest = sequence

    def _load(self, slot: int) -> int:
        """Read a slot into body; return its sequence, 0 when it is not whole."""
        whole = self._whole
        self._memory.readinto(self._address + slot * self._slot_bytes, whole)
        (sequence,) = struct.unpack_from("<I", whole, 0)
        (check,) = struct.unpack_from("<I", whole, len(whole) - 4)
        return sequence if sequence and check == crc32(self._covered) else 0

    def append(self) -> int:
        """Write `body` as the next record; return its sequence once it is safe."""
        sequence = self.newest + 1
        whole = self._whole
        struct.pack_into("<I", whole, 0, sequence)
        struct.pack_into("<I", whole, len(whole) - 4, crc32(self._covered))
        self._memory.write(self._address + (sequence - 1) % self.slots * self._slot_bytes, whole)
        self.newest = sequence
        return sequence

    def read(self, sequence: int) -> int:
        """Fill `body` with record `sequence`; return 1, or 0 when it is gone or never was."""
        if not self.oldest <= sequence <= self.newest:
            return 0
        return 1 if self._load((sequence - 1) % self.slots) == sequence else 0

    @property
    def oldest(self) -> int:
        """Sequence of the oldest record that may still be there; 1 while none was overwritten."""
        return max(1, self.newest - self.slots + 1)


class RingStore:
    """A kind of record in a ring of its own. memory: FRAM driver."""

    def __init__(self, memory, region, body_bytes: int):
        self._ring = Ring(memory, region, body_bytes)

    @property
    def newest(self) -> int:
        """Sequence of the last record, 0 when there is none."""
        return self._ring.newest

    @property
    def oldest(self) -> int:
        """Sequence of the first record that may still be there."""
        return self._ring.oldest
