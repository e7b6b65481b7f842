# SPDX-License-Identifier: MIT
# runs on: cpython, micropython
"""Power cut at every single byte of every write of every record type: what was acknowledged is there afterwards."""

import struct

from cut_fram import CutFram, cut_during

from evse.image import Image
from evse.store import layout
from evse.store.budget import BudgetStore
from evse.store.energy import EnergyStore
from evse.store.journal import JournalStore
from evse.store.ring import Ring
from evse.store.sessions import SessionStore
from evse.store.slots import TwoSlots
from evse.store.trips import TripStore

SMALL_RING = ("ring", 64, 24, 4)
POINTS = [0]  # cuts made by this file, for the report


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
            acknowledged = cut_during(memory, cut, lambda slots=slots, body=second: slots.save(body), POINTS)
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
        assert not cut_during(memory, cut, lambda slots=again: slots.save(b"other"), POINTS), "the cut did not happen"
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
            ring_body(ring, before + 1)
            last = before + cut_during(memory, cut, ring.append, POINTS)
            again = Ring(memory, SMALL_RING, 16)
            assert again.newest == last, (before, cut)
            # The oldest gives its slot to the record that was being written; all others are whole.
            for sequence in range(max(1, before - 2), last + 1):
                assert ring_holds(again, sequence), (before, cut, sequence)
            ring_body(again, last + 1)
            assert again.append() == last + 1
            assert ring_holds(Ring(memory, SMALL_RING, 16), last + 1)


def test_energy_registers_never_go_back_at_any_cut():
    length = 12 + 48
    for round_number in range(1, 4):
        for cut in range(length + 1):
            memory = CutFram()
            store = EnergyStore(memory)
            counter = 0
            for _ in range(round_number):
                counter += 1000
                store.take([counter, 1, 2], [3, counter * 2, 4])
                assert store.save() == 1
            before = list(store.registers_mwh)
            store.take([counter + 7, 1, 2], [3, counter * 2, 4])
            wanted = list(store.registers_mwh)
            acknowledged = cut_during(memory, cut, store.save, POINTS)
            again = EnergyStore(memory)
            assert again.damaged == 0
            # A record cut where the rest happens to be there already may count; one not acknowledged need not.
            assert again.registers_mwh == wanted or (not acknowledged and again.registers_mwh == before), (
                round_number,
                cut,
            )
            for register in range(6):
                assert again.registers_mwh[register] >= before[register]


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
            last = 3 + cut_during(memory, cut, lambda write=write, store=store: write(store, 4), POINTS)
            assert (last == 4) == (cut >= length), (kind, cut)
            again = kind(memory)
            assert again.newest == last
            assert [again.read(sequence) for sequence in range(1, 4)] == kept
            assert write(again, 5) == last + 1


def test_the_running_session_is_recorded_once_at_every_cut():
    # keep, keep, append: whatever is cut, after the restart there is one record of it, or it still runs.
    for cut in range(2 * (12 + 36) + 40 + 1):
        memory = CutFram()
        store = SessionStore(memory)
        store.append({"import_wh": 1})
        store.keep({"import_wh": 2})
        kept = [2]

        def go_on(store=store, kept=kept):
            for import_wh in (3, 4):
                store.keep({"import_wh": import_wh})
                kept[0] = import_wh
            store.append({"import_wh": 4})

        ended = cut_during(memory, cut, go_on, POINTS)
        kept = kept[0]
        again = SessionStore(memory)
        left = again.left()
        assert again.read(1)["import_wh"] == 1
        assert (left is None) == (ended == 1), cut
        if left is not None:
            # Cut where the rest is there already, the record that was being written counts too.
            assert kept <= left["import_wh"] <= min(kept + 1, 4), cut
            kept = left["import_wh"]
            again.append(left)
        assert again.newest == 2 and again.read(2)["import_wh"] == kept
        assert SessionStore(memory).left() is None, "recorded twice"


def test_the_budget_is_old_or_new_at_every_cut():
    budget = Image().budget
    for cut in range(12 + 16 + 1):
        memory = CutFram()
        store = BudgetStore(memory)
        budget.day_discharge_wh, budget.discharged_wh, budget.charged_wh = 10, 20, 30
        budget.weekday, budget.day_run_minutes = 3, 1000
        store.save(budget)
        budget.day_discharge_wh = 11
        wanted = 10 + cut_during(memory, cut, lambda store=store: store.save(budget), POINTS)
        again = Image().budget
        BudgetStore(memory).restore(again)
        assert (again.discharged_wh, again.charged_wh) == (20, 30)
        assert (again.weekday, again.day_run_minutes) == (3, 1000), "a restart does not begin a day"
        assert again.day_discharge_wh == wanted or (wanted == 10 and again.day_discharge_wh == 11), cut


def test_a_budget_of_the_older_form_keeps_what_was_exported_and_begins_its_day_anew():
    for local_day in (-1, 5, 20000):  # days since 1970 stood in the place of weekday and minutes
        memory = CutFram()
        slots = TwoSlots(memory, layout.BUDGET)
        slots.load()
        slots.save(struct.pack("<IIIi", 30, 20, 10, local_day))
        budget = Image().budget
        BudgetStore(memory).restore(budget)
        assert (budget.charged_wh, budget.discharged_wh, budget.day_discharge_wh) == (30, 20, 10)
        assert budget.day_run_minutes == 0 and -1 <= budget.weekday < 7


def test_energy_of_the_older_form_in_wh_is_taken_over():
    memory = CutFram()
    slots = TwoSlots(memory, layout.ENERGY)
    slots.load()
    slots.save(struct.pack("<6I", 1, 2, 3, 4, 5, 4000000000))
    assert EnergyStore(memory).registers_mwh == [1000, 2000, 3000, 4000, 5000, 4000000000000]


def test_the_number_of_cuts():
    print("power cuts: %d" % POINTS[0])
    assert POINTS[0] > 800


def test_regions_do_not_overlap():
    end = 0
    for name, address, length, slots in layout.REGIONS:
        assert address >= end, name
        end = address + length * slots
    assert end == layout.END <= layout.SIZE
