# SPDX-License-Identifier: MIT
"""Rows of signed 16-bit numbers, packed without loss: what changed since the row before, three bits a nibble.

A row is: one nibble that says how it is kept, then each number's change (zigzag) in nibbles, lowest first, the top bit
set while more follow; padded to whole bytes. A row that would grow is kept as it is after a byte, so that `row_most`
bounds every row. A grid at rest takes a third of its room.
"""

from array import array

PACKED, PLAIN = 0, 1
_NIBBLES_MOST = 6  # 18 bits hold any change


def row_most(columns: int) -> int:
    """Return the most bytes that one row can take."""
    return 2 * columns + 1


class Packer:
    """Packs one row after the other. before: the row packed last; out: its bytes, `length` of them."""

    def __init__(self, columns: int):
        self._columns = columns
        self.before = array("h", bytes(2 * columns))
        self.out = bytearray(1 + columns * _NIBBLES_MOST // 2)
        self.length = 0

    def pack(self, rows, at: int) -> None:
        """Pack the row that begins at rows[at] of an array of 16-bit numbers."""
        out = self.out
        before = self.before
        for i in range(len(out)):
            out[i] = 0
        nibble = 1  # the first says PACKED
        for i in range(self._columns):
            value = rows[at + i]
            change = value - before[i]
            before[i] = value
            if change > 32767:
                change -= 65536
            elif change < -32768:
                change += 65536
            code = change << 1 if change >= 0 else -1 - (change << 1)
            while code > 7:
                out[nibble >> 1] |= (code & 7 | 8) << ((nibble & 1) << 2)
                nibble += 1
                code >>= 3
            out[nibble >> 1] |= code << ((nibble & 1) << 2)
            nibble += 1
        self.length = (nibble + 1) >> 1
        if self.length >= row_most(self._columns):
            self._plain()

    def _plain(self) -> None:
        out = self.out
        out[0] = PLAIN
        for i in range(self._columns):
            out[1 + 2 * i] = self.before[i] & 0xFF
            out[2 + 2 * i] = self.before[i] >> 8 & 0xFF
        self.length = row_most(self._columns)


class Unpacker:
    """Gives the rows back. byte: callable that returns the next packed byte, and raises ValueError after the last."""

    def __init__(self, columns: int, byte):
        self._columns = columns
        self._byte = byte
        self._row = array("h", bytes(2 * columns))

    def row(self) -> bytes:
        """Return the next row; ValueError when what was packed is damaged."""
        first = self._byte()
        if first & 0xF == PACKED:
            self._changes(first)
        elif first == PLAIN:
            for i in range(self._columns):
                value = self._byte() | self._byte() << 8
                self._row[i] = value - 65536 if value > 32767 else value
        else:
            raise ValueError("a row of unknown form")
        return bytes(self._row)

    def _changes(self, pending: int) -> None:
        odd = 1
        for i in range(self._columns):
            code = 0
            for place in range(_NIBBLES_MOST):
                if not odd:
                    pending = self._byte()
                nibble = pending >> (odd << 2) & 0xF
                odd ^= 1
                code |= (nibble & 7) << 3 * place
                if nibble < 8:
                    break
            else:
                raise ValueError("a number without end")
            value = self._row[i] + (code >> 1 if not code & 1 else -1 - (code >> 1))
            self._row[i] = (value + 32768 & 0xFFFF) - 32768
