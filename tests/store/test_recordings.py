# SPDX-License-Identifier: MIT
# runs on: cpython, micropython
"""Recordings of trips: packed without loss, as many as fit, whole or absent at every power cut."""

import os
import struct

from cut_fram import CutFram, cut_during

from evse.store import layout
from evse.store.packing import Packer, Unpacker, row_most
from evse.store.recording import HEAD_BYTES, RecordingStore

POINTS = [0]  # cuts made by this file, for the report
SMALL_LOG = ("log", layout.RECORDINGS[1], 400, 1)
ROWS = 6
FULL_STEP = int(os.getenv("BACKFEED_CUT_STEP") or 89)  # 1: a recording of full size is cut at every byte


def pseudo_random(seed):
    """Yield the same 16-bit numbers on every interpreter."""
    while True:
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        yield seed >> 8 & 0xFFFF


def numbers(number, phases=1, rows=ROWS):
    """Return the rows of recording `number`: a grid at rest with some noise, then zeros."""
    noise = pseudo_random(number)
    columns = 3 * phases + 3
    found = []
    for row in range(rows):
        at_rest = row < rows // 2
        found.append([(11500 + number if at_rest else 0) + next(noise) % 7 for _ in range(columns)])
    return found


def packed(rows):
    return b"".join([struct.pack("<%dh" % len(row), *row) for row in rows])


def record(memory, number, phases=1, rows=ROWS, region=SMALL_LOG):
    """Write recording `number` in pieces of two rows, as the records task does."""
    store = RecordingStore(memory, region)
    whole = packed(numbers(number, phases, rows))
    size = 2 * (3 * phases + 3)
    store.begin(phases)
    for at in range(0, len(whole), 2 * size):
        store.put(whole[at : at + 2 * size])
    store.finish({"phases": phases, "rows": rows, "trip": number, "trip_row": 1, "period_ms": 10})


def holds(store, number, phases=1, rows=ROWS):
    head = store.find(number)
    return head is not None and b"".join(list(store.rows(head))) == packed(numbers(number, phases, rows))


def round_trip(rows):
    columns = len(rows[0])
    packer = Packer(columns)
    flat = [value for row in rows for value in row]
    data = b""
    for at in range(0, len(flat), columns):
        packer.pack(flat, at)
        assert 0 < packer.length <= row_most(columns)
        data += bytes(packer.out[: packer.length])
    source = iter(data)
    unpacker = Unpacker(columns, lambda: next(source))
    for row in rows:
        assert struct.unpack("<%dh" % columns, unpacker.row()) == tuple(row)
    assert list(source) == []
    return len(data)


def test_rows_come_back_as_they_were():
    noise = pseudo_random(5)
    for columns in (6, 12):
        worst = [[(next(noise) + 32768 & 0xFFFF) - 32768 for _ in range(columns)] for _ in range(20)]
        assert round_trip(worst) <= 20 * row_most(columns)
        edges = [[-32768] * columns, [32767] * columns, [-32768] * columns, [0] * columns, [1] * columns]
        round_trip(edges)
        for step in (1, 3, 4, 31, 32, 255, 256, 2047, 2048, 16383, 16384, 32767):
            round_trip([[0] * columns, [step] * columns, [0] * columns, [-step] * columns])
    assert round_trip(numbers(1, 1, 100)) < 100 * 12 // 2, "a grid at rest takes less than half"


def test_the_longest_recording_fits_the_smallest_part():
    assert HEAD_BYTES + 500 * row_most(12) <= layout.RECORDINGS[2]
    noise = pseudo_random(9)
    memory = CutFram()
    store = RecordingStore(memory)
    store.begin(3)
    whole = b"".join([struct.pack("<H", next(noise)) for _ in range(500 * 12)])
    store.put(whole)
    store.finish({"phases": 3, "rows": 500, "trip": 1, "period_ms": 10})
    again = RecordingStore(memory)
    assert b"".join(list(again.rows(again.find(1)))) == whole
    store.begin(3)
    store.put(whole)
    try:
        store.put(whole)
    except ValueError as error:
        assert "more than" in str(error)
    else:
        raise AssertionError("a recording beyond the log was taken")


def test_as_many_are_kept_as_fit_and_more_in_a_larger_part():
    kept = {}
    for size in (32768, 65536):
        memory = CutFram(size=size)
        for number in range(1, 41):
            record(memory, number, rows=500, region=layout.RECORDINGS)
        store = RecordingStore(memory)
        kept[size] = store.trips
        assert store.trips == list(range(41 - len(store.trips), 41))
        for number in store.trips:
            assert holds(store, number, rows=500)
    assert len(kept[32768]) >= 3 and len(kept[65536]) >= 3 * len(kept[32768])


def lap(count):
    """Return the memory after `count` recordings."""
    memory = CutFram()
    for number in range(1, count + 1):
        record(memory, number)
    return bytes(memory.data)


def survivors(data):
    """Return the recordings found in a memory; each of them must be whole."""
    memory = CutFram()
    memory.data[:] = data
    store = RecordingStore(memory, SMALL_LOG)
    for number in store.trips:
        assert holds(store, number), "recording %d is listed but not whole" % number
    return store.trips


def test_recordings_are_whole_or_absent_at_every_cut():
    for count in range(9):  # empty, filling, then over the end of the log at several places
        before = lap(count)
        old = survivors(before)
        memory = CutFram()
        memory.data[:] = before
        record(memory, count + 1)
        new = survivors(memory.data)
        assert new[-1] == count + 1
        for cut in range(memory.written + 1):
            memory = CutFram()
            memory.data[:] = before
            done = cut_during(memory, cut, lambda memory=memory, number=count + 1: record(memory, number), POINTS)
            found = survivors(memory.data)
            if done:
                assert found == new
            else:  # the oldest gave way, one after the other; a cut just before zeros may leave the new one whole
                assert found in [old[first:] for first in range(len(old) + 1)] or found == new, (count, cut, found)
                assert [number for number in new if number <= count] == found[-len(new) + 1 :] or found == new
            record(memory, 99)
            assert survivors(memory.data)[-1] == 99, "no recording after a cut"
        assert done == 1


class Writes(CutFram):
    """Keeps every byte written, in order."""

    def __init__(self, data):
        super().__init__()
        self.data[:] = data
        self.bytes = []

    def write(self, address, buffer):
        super().write(address, buffer)
        for i in range(len(buffer)):
            self.bytes.append((address + i, buffer[i]))


def test_recordings_of_full_size_are_whole_or_absent():
    memory = CutFram()
    for number in range(1, 8):
        record(memory, number, rows=500, region=layout.RECORDINGS)
    wanted = {number: packed(numbers(number, rows=500)) for number in range(1, 9)}

    def kept(data):
        store = RecordingStore(data)
        for number in store.trips:
            assert b"".join(list(store.rows(store.find(number)))) == wanted[number]
        return store.trips

    old = kept(memory)
    writes = Writes(memory.data)
    record(writes, 8, rows=500, region=layout.RECORDINGS)
    new = kept(writes)
    assert old[-1] == 7 and new[-1] == 8 and len(new) >= 4
    for cut in range(len(writes.bytes)):
        if cut % FULL_STEP == 0:
            found = kept(memory)
            if found == new:  # what is missing is there already
                assert [at for at, byte in writes.bytes[cut:] if memory.data[at] != byte] == []
            else:
                assert found in [old[first:] for first in range(len(old))], (cut, found)
                assert found[-len(new) + 1 :] == new[:-1]
            POINTS[0] += 1
        address, byte = writes.bytes[cut]
        memory.data[address] = byte
    assert kept(memory) == new


def test_a_spoiled_recording_says_so_and_a_spoiled_head_hides_it():
    memory = CutFram()
    record(memory, 7)
    start = layout.RECORDINGS[1]
    for at in range(HEAD_BYTES + 1, HEAD_BYTES + 20):
        memory.data[start + at] ^= 0x40
        store = RecordingStore(memory, SMALL_LOG)
        try:
            list(store.rows(store.find(7)))
        except ValueError as error:
            assert "trip 7 is damaged" in str(error)
        else:
            raise AssertionError("a spoiled recording was read")
        memory.data[start + at] ^= 0x40
    for at in range(HEAD_BYTES):
        memory.data[start + at] ^= 1
        assert RecordingStore(memory, SMALL_LOG).trips == []
        memory.data[start + at] ^= 1
    assert RecordingStore(memory, SMALL_LOG).trips == [7]


def test_garbage_holds_no_recording():
    for fill in (0, 0xFF, 0xA5):
        memory = CutFram(fill=fill)
        assert RecordingStore(memory).trips == []
        record(memory, 1, region=layout.RECORDINGS)
        assert RecordingStore(memory).trips == [1]


def test_the_number_of_cuts():
    print("power cuts: %d" % POINTS[0])
    assert POINTS[0] > 1300
