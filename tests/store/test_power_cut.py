# SPDX-License-Identifier: MIT
# runs on: cpython, micropython
"""Power cut at every single byte of every write of every record type: what was acknowledged is there afterwards."""

from cut_fram import CutFram, PowerCut

from evse.image import Image
from evse.store import layout
from evse.store.energy import EnergyStore
from evse.store.journal import JournalStore
from evse.store.ring import Ring
from evse.store.sessions import SessionStore
from evse.store.settings import Settings
from evse.store.slots import TwoSlots
from evse.store.trips import TripStore

SMALL_RING = ("ring", 64, 24, 4)
POINTS = [0]  # cuts made by this file, for the report


def longest(write):
    """Return how many bytes write(memory) writes when nothing is cut."""
    memory = CutFram()
    write(memory)
    return memory.written


def test_a_two_slot_record_is_old_or_new_at_every_cut():
    for first, second in ((b"old", b"newer"), (b"a longer record " * 9, b"x"), (b"", b"first")):
        region = ("slots", 128, 256, 2)
        bytes_written = 12 + len(second)
        for cut in range(bytes_written + 1):
            memory = CutFram()
            slots = TwoSlots(memory, region)
            slots.load()
            slots.save(b"oldest")
            slots.save(first)
            memory.cut_after = cut
            acknowledged = 0
            try:
                slots.save(second)
                acknowledged = 1
            except PowerCut:
                pass
            POINTS[0] += 1
            memory.cut_after = -1
            again = TwoSlots(memory, region)
            found = again.load()
            assert again.damaged == 0
            assert found == (second if acknowledged else first), (cut, found)
            again.save(b"after")
            assert TwoSlots(memory, region).load() == b"after"


def test_a_two_slot_record_survives_cut_after_cut():
    # The slot that a cut tore is torn again and again; the other stays.
    region = ("slots", 0, 64, 2)
    memory = CutFram()
    slots = TwoSlots(memory, region)
    slots.load()
    slots.save(b"kept")
    for cut in range(12 + 5):
        again = TwoSlots(memory, region)
        assert again.load() == b"kept"
        memory.cut_after = cut
        try:
            again.save(b"other")
        except PowerCut:
            pass
        else:
            raise AssertionError("the cut did not happen")
        POINTS[0] += 1
        memory.cut_after = -1
    assert TwoSlots(memory, region).load() == b"kept"


def test_garbage_is_damaged_and_blank_is_not():
    for fill in (0, 0xFF):
        slots = TwoSlots(CutFram(fill=fill), layout.SETTINGS)
        assert slots.load() is None and slots.damaged == 0
    slots = TwoSlots(CutFram(fill=0xA5), layout.SETTINGS)
    assert slots.load() is None and slots.damaged == 1


def ring_body(ring, sequence):
    for i in range(len(ring.body)):
        ring.body[i] = (sequence * 7 + i) & 0xFF


def ring_holds(ring, sequence):
    if not ring.read(sequence):
        return 0
    for i in range(len(ring.body)):
        if ring.body[i] != (sequence * 7 + i) & 0xFF:
            return 0
    return 1


def test_a_ring_keeps_what_it_acknowledged_at_every_cut():
    for before in range(11):  # empty, filling, wrapped once and twice
        for cut in range(24 + 1):
            memory = CutFram()
            ring = Ring(memory, SMALL_RING, 16)
            for sequence in range(1, before + 1):
                ring_body(ring, sequence)
                assert ring.append() == sequence
            memory.cut_after = cut
            ring_body(ring, before + 1)
            last = before
            try:
                last = ring.append()
            except PowerCut:
                pass
            POINTS[0] += 1
            memory.cut_after = -1
            again = Ring(memory, SMALL_RING, 16)
            assert again.newest == last, (before, cut)
            # The oldest gives its slot to the record that was being written; all others are whole.
            for sequence in range(max(1, before - 2), last + 1):
                assert ring_holds(again, sequence), (before, cut, sequence)
            ring_body(again, last + 1)
            assert again.append() == last + 1
            assert ring_holds(Ring(memory, SMALL_RING, 16), last + 1)


def test_energy_registers_never_go_back_at_any_cut():
    length = 12 + 24
    for round_number in range(1, 4):
        for cut in range(length + 1):
            memory = CutFram()
            store = EnergyStore(memory)
            counter = 0
            for _ in range(round_number):
                counter += 1000
                store.take([counter, 1, 2], [3, counter * 2, 4])
                assert store.save() == 1
            before = list(store.registers_wh)
            memory.cut_after = cut
            store.take([counter + 7, 1, 2], [3, counter * 2, 4])
            wanted = list(store.registers_wh)
            acknowledged = 0
            try:
                store.save()
                acknowledged = 1
            except PowerCut:
                pass
            POINTS[0] += 1
            memory.cut_after = -1
            again = EnergyStore(memory)
            assert again.damaged == 0
            # A record cut where the rest happens to be there already may count; one not acknowledged need not.
            assert again.registers_wh == wanted or (not acknowledged and again.registers_wh == before), (
                round_number,
                cut,
            )
            for register in range(6):
                assert again.registers_wh[register] >= before[register]


def test_journal_trips_and_sessions_at_every_cut():
    image = Image()

    def journal(store, number):
        return store.append(number, 6, number, -number, 1)

    def trips(store, number):
        image.protection.trip_value = number
        return store.append(image, utc_s=number)

    def sessions(store, number):
        return store.append({"import_wh": number})

    for kind, write, length in ((JournalStore, journal, 26), (TripStore, trips, 76), (SessionStore, sessions, 40)):
        for cut in range(length + 1):
            memory = CutFram()
            store = kind(memory)
            for number in range(1, 4):
                write(store, number)
            kept = [store.read(sequence) for sequence in range(1, 4)]
            memory.cut_after = cut
            last = 3
            try:
                last = write(store, 4)
            except PowerCut:
                pass
            assert (last == 4) == (cut >= length), (kind, cut)
            POINTS[0] += 1
            memory.cut_after = -1
            again = kind(memory)
            assert again.newest == last
            assert [again.read(sequence) for sequence in range(1, 4)] == kept
            assert write(again, 5) == last + 1


def test_settings_are_old_or_new_at_every_cut():
    length = longest(lambda memory: Settings(memory).save())
    for cut in range(length + 8):
        memory = CutFram()
        settings = Settings(memory)
        settings.set("soc_floor_permille", 300)
        settings.save()
        settings.set("soc_floor_permille", 310)
        memory.cut_after = cut
        wanted = 300
        try:
            settings.save()
            wanted = 310
        except PowerCut:
            pass
        POINTS[0] += 1
        memory.cut_after = -1
        again = Settings(memory)
        assert again.load() == 1 and again.damaged == 0
        assert again.soc_floor_permille == wanted, cut
    assert wanted == 310


def test_the_number_of_cuts():
    print("power cuts: %d" % POINTS[0])
    assert POINTS[0] > 1500


def test_regions_do_not_overlap():
    end = 0
    for name, address, length, slots in layout.REGIONS:
        assert address >= end, name
        end = address + length * slots
    assert end == layout.END <= layout.SIZE
