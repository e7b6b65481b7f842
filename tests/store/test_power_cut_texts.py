# SPDX-License-Identifier: MIT
# runs on: cpython, micropython
"""Power cut at every byte: settings (applied and staged), texts in the journal, PINs and the lock-out."""

import asyncio
import sys

from cut_fram import CutFram, cut_during

from evse.faults import EVENT_SETTING, EVENT_TEXT
from evse.points import INSTALLER, USER
from evse.store.journal import TEXT_MAX, JournalStore
from evse.store.settings import Settings
from evse.tasks import access
from evse.tasks.access import Access, AccessError

STEP = 11 if sys.implementation.name == "micropython" else 1  # the VM takes 2 ms a cut of the longest record
POINTS = [0]  # cuts made by this file, for the report

access.ROUNDS = 1  # how slow the hash is has its own test
if not hasattr(asyncio, "sleep_ms"):  # CPython
    asyncio.sleep_ms = lambda ms: asyncio.sleep(ms / 1000)


def no_time():
    return 0


def test_settings_are_old_or_new_at_every_cut():
    memory = CutFram()
    settings = Settings(memory)
    settings.set("soc_floor_permille", 300)
    settings.save()
    before = bytes(memory.data)
    written = memory.written
    settings.set("mqtt_host", "another-broker.example")
    settings.set("soc_floor_permille", 310)
    settings.save()
    last = memory.written - written
    for cut in list(range(0, last, STEP)) + [last]:
        memory = CutFram()
        memory.data[:] = before
        settings = Settings(memory)
        settings.load()
        settings.set("mqtt_host", "another-broker.example")
        settings.set("soc_floor_permille", 310)
        done = cut_during(memory, cut, settings.save, POINTS)
        again = Settings(memory)
        assert again.load() == 1 and again.damaged == 0
        assert (again.soc_floor_permille, again.mqtt_host) == ((310, "another-broker.example") if done else (300, ""))
    assert done == 1


def test_what_was_staged_is_in_force_after_a_cut():
    memory = CutFram()
    settings = Settings(memory)
    settings.save()
    settings.energised = lambda: 1
    settings.set("export_rating_w", 5000)
    assert settings.export_rating_w == 7360
    settings.save()
    again = Settings(memory)
    again.load()
    assert again.export_rating_w == 5000


def test_a_text_is_whole_once_its_record_is_there_at_every_cut():
    text = "x" * (TEXT_MAX - 3) + "end"
    pieces = -(-TEXT_MAX // 14)
    for before in (0, 254):  # from an empty ring, and over its end
        whole = CutFram()
        store = JournalStore(whole)
        for number in range(before):
            store.append(number, 6)
        start = bytes(whole.data)
        for cut in range(26 * (pieces + 1) + 1):
            memory = CutFram()
            memory.data[:] = start
            store = JournalStore(memory)

            def write(store=store):
                store.append_text(text)
                store.append(7, EVENT_SETTING, 1, len(text), 2)

            done = cut_during(memory, cut, write, POINTS)
            again = JournalStore(memory)
            newest = again.read(again.newest)
            if done:
                assert newest[3] == EVENT_SETTING and again.text(again.newest, len(text)) == text
            else:
                assert newest is None or newest[3] in (6, EVENT_TEXT)
            torn = 0 if done else 1  # the oldest gave its slot to what was being written
            for sequence in range(again.oldest + torn, before + 1):
                assert again.read(sequence) is not None, "a record from before is gone"
        assert done == 1


def test_an_event_keeps_its_time_beyond_the_wrap_of_the_ticks():
    store = JournalStore(CutFram())
    for uptime_ms in (0, 1 << 30, (1 << 32) - 1, 1 << 32, 3 * 365 * 86400000):
        record = store.read(store.append(uptime_ms, EVENT_SETTING, 7, -5, 1))
        assert record == (0, uptime_ms, 1, EVENT_SETTING, 7, -5, 1)


def unlocks(store, level, pin):
    try:
        asyncio.run(store.unlock(level, pin))
    except AccessError:
        return 0
    return 1


def with_pins():
    memory = CutFram()
    store = Access(memory, no_time)
    asyncio.run(store.set_pin(USER, "1111"))
    asyncio.run(store.set_pin(INSTALLER, "222222"))
    return memory


def test_the_lock_out_counts_on_at_every_cut():
    start = bytes(with_pins().data)
    for cut in range(12 + 49 + 1):
        memory = CutFram()
        memory.data[:] = start
        store = Access(memory, no_time)
        done = cut_during(memory, cut, lambda store=store: unlocks(store, USER, "9999"), POINTS)
        again = Access(memory, no_time)
        assert again.failures == done, "an answered try is counted, one that was not answered is not needed"
        assert unlocks(again, USER, "1111") and unlocks(again, INSTALLER, "222222")
    assert done == 1


def test_a_pin_is_old_or_new_at_every_cut():
    start = bytes(with_pins().data)
    for cut in range(12 + 49 + 1):
        memory = CutFram()
        memory.data[:] = start
        store = Access(memory, no_time)
        done = cut_during(memory, cut, lambda store=store: asyncio.run(store.set_pin(USER, "333333")), POINTS)
        assert unlocks(Access(memory, no_time), USER, "333333" if done else "1111")
        assert not unlocks(Access(memory, no_time), USER, "1111" if done else "333333")
        assert unlocks(Access(memory, no_time), INSTALLER, "222222")
    assert done == 1


def test_forgetting_the_pins_is_whole_at_every_cut():
    start = bytes(with_pins().data)
    for cut in range(12 + 49 + 1):
        memory = CutFram()
        memory.data[:] = start
        done = cut_during(memory, cut, Access(memory, no_time).reset, POINTS)
        again = Access(memory, no_time)
        left = again.has_pin(USER), again.has_pin(INSTALLER)
        # Zeros that were there already make it whole before its last byte.
        assert left == (False, False) or (not done and left == (True, True)), (cut, left)
    assert done == 1


def test_the_number_of_cuts():
    print("power cuts: %d" % POINTS[0])
    assert POINTS[0] > 2400 // STEP
