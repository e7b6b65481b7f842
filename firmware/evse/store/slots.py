# SPDX-License-Identifier: MIT
"""Two slots for one record: the older is overwritten, the newest whole one wins.

A slot is: magic (2 bytes), length (2), sequence (4), CRC-32 (4) over all the rest, then the body. A
torn write spoils only the slot being written; the other keeps the last acknowledged record.
"""

import struct

from evse.link.crc import crc32

HEAD = "<HHII"
HEAD_BYTES = 12
MAGIC = 0xBF01
SEQUENCE_MAX = 0xFFFFFFFF


class TwoSlots:
    """One record kept twice in `region` of the layout. memory: FRAM driver.

    damaged: 1 when bytes were stored but neither slot is whole.
    """

    def __init__(self, memory, region):
        self._memory = memory
        self._name, self._address, self._length, _slots = region
        self._sequence = 0
        self._slot = 1  # the one that holds the newest; the other is written next
        self.damaged = 0

    def load(self):
        """Return the newest whole body as bytes, or None."""
        newest = None
        blank = 1
        self._sequence = 0
        for slot in (0, 1):
            sequence, body = self._read(slot)
            if body is not None:
                blank = 0
                if newest is None or sequence > self._sequence:
                    newest = body
                    self._sequence = sequence
                    self._slot = slot
            elif sequence:
                blank = 0
        self.damaged = 1 if newest is None and not blank else 0
        return newest

    def save(self, body) -> None:
        """Write body over the older slot; on return it survives a power cut."""
        self.save_pieces(lambda: (body,))

    def save_pieces(self, pieces) -> None:
        """The same for a body in pieces, so that a long one needs no long piece of heap.

        pieces: callable that returns an iterable of bytes, the same each of the three times it is called.
        """
        length = sum([len(piece) for piece in pieces()])
        if length > self._length - HEAD_BYTES:
            raise ValueError("%s: record of %d bytes, at most %d fit" % (self._name, length, self._length - HEAD_BYTES))
        slot = 1 - self._slot
        sequence = self._sequence + 1
        head = bytearray(HEAD_BYTES)
        struct.pack_into(HEAD, head, 0, MAGIC, length, sequence, 0)
        crc = crc32(memoryview(head)[:8])
        for piece in pieces():
            crc = crc32(piece, crc)
        struct.pack_into("<I", head, 8, crc)
        at = self._address + slot * self._length
        self._memory.write(at, head)
        at += HEAD_BYTES
        for piece in pieces():
            self._memory.write(at, piece)
            at += len(piece)
        self._slot = slot
        self._sequence = sequence

    def _read(self, slot: int):
        """Return (sequence, body); body None when not whole; sequence 0 then means blank."""
        address = self._address + slot * self._length
        head = bytearray(HEAD_BYTES)
        self._memory.readinto(address, head)
        magic, length, sequence, crc = struct.unpack(HEAD, head)
        if magic != MAGIC or length > self._length - HEAD_BYTES:
            return (0 if _blank(head) else 1), None
        whole = bytearray(HEAD_BYTES + length)
        self._memory.readinto(address, whole)
        if self._crc(whole) != crc:
            return 1, None
        return sequence, bytes(memoryview(whole)[HEAD_BYTES:])

    @staticmethod
    def _crc(whole) -> int:
        view = memoryview(whole)
        return crc32(view[HEAD_BYTES:], crc32(view[:8]))


def _blank(buffer) -> int:
    first = buffer[0]
    if first not in (0x00, 0xFF):
        return 0
    for byte in buffer:
        if byte != first:
            return 0
    return 1
