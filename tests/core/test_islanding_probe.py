# SPDX-License-Identifier: MIT
"""The loud probe at, just below and just above each of its numbers (docs/loss-of-mains.md, steps 4 to 6)."""

from islanding_rig import Parts, last_event

from evse.faults import ELEMENT_ISLANDING, EVENT_HOLD, EVENT_PICKUP
from evse.protect.islanding.probe import Probe

PUSH_VAR = 1200  # 12 % of 10 kW


def probing(sign=1):
    rig = Parts(Probe)
    rig.part.begin(sign, 150 * sign)
    return rig


def along(rig, *moves):
    """Read so many mHz from 50 Hz, in the direction of the push, one a cycle; return what the last said."""
    said = 0
    sign = rig.push.sign
    for move in moves:
        said = rig.read(50000 + move * sign)
    return said


def turned(rig, sign):
    """Tell whether the push was turned since it went the way of sign; the setpoint goes with it."""
    assert rig.sent == PUSH_VAR * rig.push.sign
    return rig.push.sign != sign


def late(rig, move, blip=0):
    """Stay for 40 ms, move by so much along the push, and hold until its time is up; return what is said."""
    start = rig.course.mhz
    mhz = start + move * rig.push.sign
    for _ in range(4):
        rig.read(start)
    if blip:
        rig.read(mhz + 1500)
    rig.read(mhz)
    return rig.read(mhz, rig.push.span_ms - rig.push.since_ms)


# --- begin ---


def test_a_probe_pushes_the_way_the_frequency_went():
    for sign in (1, -1):
        rig = probing(sign)
        assert rig.sent == PUSH_VAR * sign
        assert (rig.push.since_ms, rig.push.span_ms, rig.part.count) == (0, 180, 1)
        assert rig.image.protection.probing == 1
        assert last_event(rig.image) == (EVENT_PICKUP, ELEMENT_ISLANDING, 150 * sign)


def test_unless_others_have_taken_more_than_three_quarters_of_the_room_there():
    for want_var, sign, way in (
        (3300, 1, 1),
        (3301, 1, -1),
        (-3300, -1, -1),
        (-3301, -1, 1),
        (4400, -1, -1),
        (-4400, 1, 1),
    ):
        rig = Parts(Probe)
        rig.image.request.want_var = want_var
        rig.part.begin(sign, 150)
        assert rig.push.sign == way, want_var


def test_it_begins_with_a_clean_sheet():
    rig = probing()
    late(rig, 0)
    rig.part.credit = 6
    rig.part.suspect_ms = 300
    rig.part.begin(1, 150)
    assert (rig.part.credit, rig.part.suspect_ms, rig.part.count) == (0, 0, 2)
    assert late(rig, 0) == 0, "one unanswered push of the probe before does not count"


def test_what_came_before_the_probe_is_no_answer():
    rig = Parts(Probe)
    rig.course.start(52000)
    rig.part.begin(1, 150)
    rig.read(52000, 41)
    assert rig.image.protection.islanding_mhz == 0


def test_the_push_is_not_made_smaller_than_three_percent_of_the_rating():
    for export_w, var in ((5000, 600), (400, 40), (300, 30), (200, 30), (0, 30)):
        rig = Parts(Probe)
        rig.image.inputs.grid_w = -export_w
        rig.part.begin(1, 150)
        assert rig.sent == var, export_w


# --- answers ---


def test_a_push_is_turned_when_the_frequency_has_followed_by_1600_mhz():
    for sign in (1, -1):
        rig = probing(sign)
        along(rig, 0, 0, 0, 0, 800, 1599, 1599)
        assert rig.image.protection.islanding_mhz == 1599 and not turned(rig, sign)
        along(rig, 1601)  # the mean of two cycles: 1600
        assert turned(rig, sign) and rig.part.credit == 6
        assert (rig.push.since_ms, rig.push.span_ms) == (0, 180)
        for _ in range(4):
            rig.read(rig.course.mhz)
        assert rig.image.protection.islanding_mhz == 1600, "shown until the next push is heard"


def test_not_before_50_ms():
    for then_ms, credit in ((8, 0), (9, 6)):
        rig = probing()
        rig.read(51000, 41)
        rig.read(52200, then_ms)  # mean: 51600
        assert rig.part.credit == credit


def test_what_moves_in_the_first_40_ms_is_the_push_before():
    for elapsed_ms, shown in ((40, 0), (41, 200)):
        rig = probing()
        rig.read(50400, elapsed_ms)
        assert rig.image.protection.islanding_mhz == shown
        rig.read(50400, 9)
        assert rig.image.protection.islanding_mhz == shown + 200


def test_in_that_time_nothing_counts_against_either():
    rig = probing()
    rig.part.credit = 6
    along(rig, 900, 900, 900, 900, 0, -699, -699)
    assert rig.part.credit == 6
    along(rig, -700, -700)
    assert rig.part.credit == 0, "1600 below 900"


def test_an_answer_is_measured_from_the_turning_point():
    for sign in (1, -1):
        rig = probing(sign)
        along(rig, 0, 0, 0, 0, -600, -600, 300, 999, 999)
        assert not turned(rig, sign)
        along(rig, 1000, 1000)
        assert turned(rig, sign) and rig.part.credit == 6


def test_each_push_is_measured_for_itself():
    rig = probing()
    along(rig, 0, 0, 0, 0, 800, 1600, 1600)
    assert rig.push.sign == -1
    for mhz in (51600, 51600, 51600, 51600, 51600, 51600, 50900, 50001, 50001):
        rig.read(mhz)
    assert rig.part.credit == 6, "1599 down"
    rig.read(50000)
    rig.read(50000)
    assert rig.part.credit == 12 and rig.push.sign == 1


def test_where_others_win_it_stays_and_waits_for_their_turn():
    for sign in (1, -1):
        rig = probing(sign)
        rig.part.credit = 6
        along(rig, 0, 0, 0, 0, 1000, 1000, 200, -599, -599)
        assert rig.part.credit == 6
        along(rig, -601)
        assert rig.part.credit == 0 and not turned(rig, sign)
        along(rig, -600, -600, -600, -600, 200, 1000, 1000)
        assert turned(rig, sign) and rig.part.credit == 6, "from there they turned and it was followed"


def test_not_before_50_ms_either():
    for then_ms, credit in ((8, 6), (9, 0)):
        rig = probing()
        rig.part.credit = 6
        rig.read(49000, 41)
        rig.read(47800, then_ms)
        assert rig.part.credit == credit


def test_where_others_win_the_time_of_the_push_starts_again():
    rig = probing()
    along(rig, 0, 0, 0, 0, -800, -1600, -1600)
    start = rig.push.since_ms
    assert start == 0
    rig.read(48400, 170)
    assert rig.push.sign == 1
    rig.read(48400, 10)
    assert rig.push.sign == -1 and rig.part.credit == 0, "and nothing lasted, measured from there"


def test_an_answer_in_the_last_moment_is_one():
    rig = probing()
    rig.part.credit = 3
    along(rig, 0, 0, 0, 0, 800, 1598)
    rig.read(51602, 180 - rig.push.since_ms)
    assert rig.push.sign == -1 and rig.part.credit == 9


def test_others_win_in_the_last_moment_too():
    rig = probing()
    along(rig, 0, 0, 0, 0, -800, -1598)
    rig.read(48398, 180 - rig.push.since_ms)
    assert rig.push.sign == 1 and rig.push.since_ms == 0


# --- a phase jump ---


def test_an_answer_with_a_step_of_1500_mhz_earns_a_third():
    for step, credit in ((1499, 6), (1500, 2), (3000, 2)):
        for sign in (1, -1):
            rig = probing(sign)
            along(rig, 0, 0, 0, 0, step, 1600, 1600, 1600)
            assert rig.part.credit == credit, step
            if step > 1500:
                continue
            rig = probing(sign)
            along(rig, 0, 0, 0, 0, -step, 700 - step, 1400 - step, 2100 - step, 2100 - step)
            assert rig.part.credit == credit, -step


def test_a_step_spoils_its_own_push_only():
    rig = probing()
    along(rig, 0, 0, 0, 0, 1600, 1600, 1600)
    assert rig.part.credit == 2
    for mhz in (51600, 51600, 51600, 51600, 51600, 51600, 50800, 50000, 50000):
        rig.read(mhz)
    assert rig.part.credit == 8


def test_where_others_win_by_a_step_the_next_answer_counts_in_full():
    rig = probing()
    along(rig, 0, 0, 0, 0, -1600, -1600, -1600)
    along(rig, -1600, -1600, -1600, -1600, -800, 0, 0)
    assert rig.part.credit == 6


# --- time is up ---


def test_the_first_push_ends_after_180_ms_and_each_later_after_155_to_205():
    for drawn in (0, 50, 17):
        rig = probing()
        rig.die.value = drawn
        rig.read(50000, 179)
        assert not turned(rig, 1)
        rig.read(50012, 1)
        assert turned(rig, 1) and rig.push.span_ms == 155 + drawn and rig.push.since_ms == 0
        assert rig.die.spreads == [51] and rig.die.stirs == [50012000]


def test_a_full_answer_leaves_the_next_push_its_time():
    rig = probing()
    rig.die.value = 0
    late(rig, 600)
    assert rig.push.span_ms == 155
    for mhz in (50600, 50600, 50600, 50600, 49800, 49000, 49000):
        rig.read(mhz)
    assert rig.part.credit == 9 and rig.push.span_ms == 155


def test_a_lasting_move_of_500_mhz_earns_half():
    for sign in (1, -1):
        for move, credit in ((499, 0), (500, 3), (900, 3)):
            rig = probing(sign)
            late(rig, move)
            assert rig.part.credit == credit and rig.image.protection.islanding_mhz == move


def test_a_move_lasts_from_where_the_push_before_ended():
    rig = probing()
    rig.read(50500)
    rig.read(50500, 179)
    assert rig.part.credit == 3


def test_four_of_them_in_a_row_are_enough_and_none_may_lack():
    rig = probing()
    for credit in (3, 6, 9, 12):
        late(rig, 700)
        assert rig.part.credit == credit
    late(rig, 499)
    assert rig.part.credit == 0


def test_none_is_earned_with_a_step():
    rig = probing()
    rig.part.credit = 6
    late(rig, 700, blip=1)
    assert rig.part.credit == 0


def test_two_unanswered_pushes_in_a_row_end_the_probe():
    rig = probing()
    assert late(rig, 0) == 0 and rig.push.sign == -1
    assert late(rig, 7) == 1
    assert last_event(rig.image) == (EVENT_HOLD, ELEMENT_ISLANDING, 7)


def test_the_record_of_its_end_tells_the_last_answer():
    rig = probing()
    late(rig, 0)
    along(rig, 0, 0, 0, 0, 300)
    assert along(rig, 300) == 0
    assert rig.read(49700, 200) == 1
    assert last_event(rig.image) == (EVENT_HOLD, ELEMENT_ISLANDING, 300)


def test_a_move_of_more_than_500_mhz_either_way_keeps_it_alive():
    for move, said in ((500, 1), (501, 0), (-500, 1), (-501, 0)):
        rig = probing()
        late(rig, 0)
        along(rig, 0, 0, 0, 0, move)
        mhz = rig.course.mhz
        rig.read(mhz)
        assert rig.read(mhz, 200) == said, move


def test_unanswered_pushes_that_are_not_in_a_row_do_not_end_it():
    rig = probing()
    for _ in range(5):
        assert late(rig, 0) == 0
        along(rig, 0, 0, 0, 0, 600)
        mhz = rig.course.mhz
        rig.read(mhz)
        assert rig.read(mhz, 200) == 0
        rig.read(50000)
        rig.read(50000)
    rig = probing()
    late(rig, 0)
    along(rig, 0, 0, 0, 0, 800, 1600, 1600)  # answered in full
    assert rig.part.credit == 6 and late(rig, 0) == 0


# --- what others are told ---


def test_the_frequency_response_is_held_for_a_second_of_each_probe():
    rig = probing()
    for _ in range(2):
        rig.read(50000, 990)
        rig.read(50000, 10)
        assert rig.image.protection.probing == 1
        rig.read(50000, 1)
        assert rig.image.protection.probing == 0
        rig.part.begin(1, 150)


def test_nearly_enough_credit_makes_a_breakdown_suspect_for_600_ms():
    for before, suspect_ms in ((2, 0), (3, 600), (6, 600)):
        rig = probing()
        rig.part.credit = before
        along(rig, 0, 0, 0, 0, 800, 1600, 1600)
        assert rig.part.credit == before + 6 and rig.part.suspect_ms == suspect_ms
