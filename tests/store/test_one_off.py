# SPDX-License-Identifier: MIT
# runs on: cpython, micropython
"""A one-off departure: kept through a cut at every byte, told again after a restart, forgotten once it has passed."""

from cut_fram import CutFram, cut_during

from evse.image import Image
from evse.store.departure import DepartureStore
from evse.tasks.notes import Notes
from evse.tasks.one_off import PASSED_S, WEEK_S, OneOff

MONDAY_S = 1790553600  # 2026-09-28 00:00 UTC, a Monday
HOUR_S = 3600


class Station:
    def __init__(self):
        self.image = Image()
        self.notes = Notes()


def life(memory):
    """A boot: what the last life left is told to the cycle."""
    one_off = OneOff(Station())
    one_off.open(DepartureStore(memory))
    return one_off


def told(one_off):
    box = one_off._station.image.mail.target
    return (box.soc_permille, box.minute_of_week) if box.received else None


def ordered(memory):
    """At 20:00 on Monday: 80 % by 07:30 on Tuesday."""
    one_off = life(memory)
    one_off.order(800, 1440 + 450, 1200, MONDAY_S + 20 * HOUR_S)
    return one_off


def test_an_order_is_told_and_kept():
    memory = CutFram()
    one_off = ordered(memory)
    assert told(one_off) == (800, 1890) and one_off.unix_s == MONDAY_S + 31 * HOUR_S + 1800
    again = life(memory)
    assert told(again) == (800, 1890) and again.unix_s == one_off.unix_s


def test_nothing_ordered_tells_nothing():
    assert told(life(CutFram())) is None


def test_a_cut_at_any_byte_leaves_the_old_order_or_the_new():
    for cut in range(12 + 8 + 1):
        memory = CutFram()
        one_off = ordered(memory)

        def order(one_off=one_off):
            one_off.order(500, 3000, 1200, MONDAY_S + 20 * HOUR_S)

        acknowledged = cut_during(memory, cut, order, [0])
        assert told(life(memory)) == ((500, 3000) if acknowledged else (800, 1890)), cut


def test_a_withdrawn_order_stays_withdrawn():
    memory = CutFram()
    ordered(memory).withdraw()
    assert told(life(memory)) is None


def test_it_is_forgotten_once_it_has_passed_and_not_before():
    for late_s, kept in ((-HOUR_S, 1), (0, 1), (PASSED_S, 1), (PASSED_S + 1, 0), (3 * 86400, 0)):
        memory = CutFram()
        at_s = ordered(memory).unix_s + late_s
        one_off = life(memory)
        one_off.check(at_s, at_s // 60 % 10080)
        assert told(one_off)[0] == (800 if kept else 0), late_s
        assert (told(life(memory)) is not None) == bool(kept)


def test_a_clock_that_was_set_back_keeps_the_minute_of_the_week():
    memory = CutFram()
    one_off = ordered(memory)
    earlier_s = MONDAY_S - 4 * WEEK_S + 22 * HOUR_S  # Monday 22:00 four weeks before
    one_off.check(earlier_s, 1320)
    assert told(one_off) == (800, 1890)
    assert one_off.unix_s == earlier_s + (1890 - 1320) * 60
    assert life(memory).unix_s == one_off.unix_s
    summer = ordered(CutFram())
    before_s = summer.unix_s
    summer.check(MONDAY_S + 21 * HOUR_S, 1320)  # the wall clock went an hour on: the same minute of the week is meant
    assert told(summer) == (800, 1890) and summer.unix_s == before_s


def test_damaged_memory_orders_nothing():
    memory = CutFram()
    DepartureStore(memory).save(1001, 100, 5)
    assert DepartureStore(memory).row == (0, 0, 0)
    DepartureStore(memory).save(900, 10080, 5)
    assert DepartureStore(memory).row == (0, 0, 0)


def test_a_memory_that_does_not_answer_is_said():
    class Deaf(CutFram):
        def write(self, address, data):
            raise OSError("no answer")

    one_off = life(Deaf())
    one_off.order(800, 100, 50, MONDAY_S)
    assert told(one_off) == (800, 100)
    assert "ends with a restart" in list(one_off._station.notes.latest(1))[0][2]
