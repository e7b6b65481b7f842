# SPDX-License-Identifier: MIT
"""The quiet search at, just below and just above each of its numbers (docs/loss-of-mains.md, steps 1 to 3 and 5)."""

from islanding_rig import Parts

from evse.protect.islanding.quiet import Quiet


def resting(wait_ms=0, sign=1):
    rig = Parts(Quiet)
    rig.push.sign = sign
    rig.part.rest(wait_ms)
    return rig


def answered(move, sign=1, doubts=0):
    """Move the frequency after a flip, in the direction of the push; return (said, shown)."""
    rig = resting(sign=sign)
    for _ in range(doubts):
        rig.part.doubt()
    rig.hold(50000, 3)  # 30 ms: the last moment before
    assert rig.read(50000 + move * sign) == 0, "40 ms is too early for an answer"
    return rig.read(50000 + move * sign), rig.image.protection.islanding_mhz


def fed(*offs, gain=100):
    """Hold the frequency off its slow mean by these in turn; return the last feedback, permille."""
    rig = resting(100000)  # nothing else happens
    rig.settings.islanding_gain_permille_hz = gain
    rig.part.configure(rig.settings)
    for off in offs:
        rig.course.off_mhz = off
        rig.part.run(10)
        assert rig.sent == 150 + 10 * rig.push.feed_permille, "sent at once"
    return rig.push.feed_permille


# --- the square ---


def test_the_square_is_a_small_share_of_the_export_and_no_smaller_than_an_inverter_resolves():
    for export_w, var in ((10000, 150), (5000, 70), (1000, 40), (100, 40)):
        for sign in (1, -1):
            rig = Parts(Quiet)
            rig.image.inputs.grid_w = -export_w
            rig.push.sign = sign
            rig.part.rest(0)
            assert rig.sent == var * sign, export_w


def test_a_half_period_lasts_100_ms_less_20_plus_0_to_40():
    for half_ms, drawn in ((100, 0), (100, 40), (100, 13), (150, 0), (80, 40)):
        rig = Parts(Quiet)
        rig.settings.islanding_half_ms = half_ms
        rig.part.configure(rig.settings)
        rig.part.rest(0)
        rig.die.value = drawn
        for period_ms in (half_ms, half_ms - 20 + drawn, half_ms - 20 + drawn):
            before = rig.sent
            rig.read(50000, period_ms - 1)
            assert rig.sent == before
            rig.read(50000, 1)
            assert rig.sent == -before and rig.push.since_ms == 0
        assert rig.die.spreads == [41, 41, 41]


def test_the_time_of_a_flip_is_stirred_with_the_reading():
    rig = resting()
    rig.hold(50000, 9)
    rig.read(50012)
    assert rig.die.stirs == [50012000]


def test_the_first_half_period_begins_after_the_wait():
    rig = resting(200)
    rig.hold(50000, 29)
    assert rig.sent == 150
    rig.read(50000)
    assert rig.sent == -150


def test_each_flip_takes_the_export_of_its_moment():
    rig = resting()
    rig.hold(50000, 9)
    rig.image.inputs.grid_w = -4000
    assert rig.sent == 150
    rig.read(50000)
    assert rig.sent == -60


# --- what is unusual ---


def test_an_answer_of_more_than_110_mhz_is_unusual_50_ms_after_the_flip():
    for sign in (1, -1):
        assert answered(110, sign) == (0, 110)
        assert answered(111, sign) == (sign, 111)


def test_a_move_against_the_push_is_no_answer():
    for sign in (1, -1):
        assert answered(-149, sign) == (0, -149)


def test_doubt_doubles_what_an_answer_must_be():
    for doubts in (1, 2, 3):
        assert answered(220, doubts=doubts) == (0, 220)
        assert answered(221, doubts=doubts) == (1, 221)


def test_an_answer_is_measured_from_the_mean_of_two_cycles_30_ms_after_the_flip():
    rig = resting()
    rig.hold(49960, 2)
    rig.read(50000)  # base: 49980
    rig.read(50040)
    rig.read(50040)
    assert rig.image.protection.islanding_mhz == 60
    rig.read(50050)
    assert rig.image.protection.islanding_mhz == 65, "and the base stays for the half period"


def test_its_first_and_last_moments_are_exact():
    for first_ms, then_ms, shown in ((30, 20, 50), (29, 21, 0), (30, 19, 0)):
        rig = resting()
        rig.read(50000, first_ms)
        rig.read(50100, then_ms)
        assert rig.image.protection.islanding_mhz == shown, first_ms


def test_an_answer_that_builds_slowly_is_found_before_the_next_flip():
    rig = resting()
    for mhz in (50000, 50000, 50000, 50030, 50060, 50090, 50120):
        assert rig.read(mhz) == 0
    assert rig.read(50120) == 1 and rig.part.value_mhz == 120


def test_a_flip_asks_anew():
    rig = resting()
    rig.hold(50000, 10)
    assert rig.push.sign == -1
    for _ in range(4):
        assert rig.read(49880) == 0, "moved at the flip: no base yet, and none of the half period before"
    assert rig.read(49880) == 0 and rig.image.protection.islanding_mhz == 0


def test_a_rest_asks_anew():
    rig = resting()
    rig.hold(50000, 5)
    rig.course.start(51000)
    rig.part.rest(0)
    assert rig.hold(51000, 9) == 0 and rig.sent == 150, "a whole half period"


def test_a_jump_of_150_mhz_is_unusual_either_way():
    for move, said in ((149, 0), (150, 1), (-149, 0), (-150, -1)):
        rig = resting()
        rig.read(50000)
        assert rig.read(50000 + move) == said
        assert rig.part.value_mhz == (move if said else 0)


def test_in_the_wait_nothing_is_unusual():
    for wait_ms, quiet_cycles in ((0, 0), (1, 1), (30, 3), (31, 4)):
        rig = resting(wait_ms)
        for n in range(quiet_cycles):
            assert rig.read(51000 + 1000 * n) == 0
        assert rig.read(56000) == 1, wait_ms


def test_what_moved_in_the_wait_is_no_answer_after_it():
    rig = resting(150)
    rig.hold(50000, 3)
    assert rig.hold(53000, 30) == 0


def test_no_base_is_taken_before_the_wait_has_ended():
    rig = resting(41)
    rig.hold(50000, 4)
    rig.read(50100)
    assert rig.image.protection.islanding_mhz == 0
    rig.read(50100)
    assert rig.image.protection.islanding_mhz == 50


# --- doubt ---


def least_jump(doubts, cycles, sign=1):
    """Return the smallest jump that is unusual so many cycles after so many fruitless probes."""
    for move in (149, 150, 299, 300, 599, 600):
        rig = resting()
        for _ in range(doubts):
            rig.part.doubt()
        rig.hold(50000, cycles - 1)
        rig.push.since_ms = 0  # no answer joins in
        if rig.read(50000 + move * sign):
            return move
    return 0


def test_fruitless_probes_double_the_jump_twice_at_most():
    for sign in (1, -1):
        assert [least_jump(doubts, 1, sign) for doubts in (0, 1, 2, 3, 9)] == [150, 300, 600, 600, 600]


def test_each_doubling_lasts_a_second():
    assert [least_jump(1, cycles) for cycles in (99, 100, 300)] == [300, 150, 150]
    assert [least_jump(3, cycles) for cycles in (99, 100, 199, 200, 300)] == [600, 300, 300, 150, 150]


def test_a_new_doubt_begins_a_new_second():
    rig = resting()
    rig.part.doubt()
    rig.hold(50000, 90)
    rig.part.doubt()
    rig.hold(50000, 50)
    rig.push.since_ms = 0
    assert rig.read(50599) == 0 and rig.read(50600) == 1


def test_it_ends_to_the_millisecond():
    for elapsed_ms, said in ((999, 0), (1000, 1)):
        rig = resting()
        rig.part.doubt()
        rig.read(50000, elapsed_ms)
        rig.push.since_ms = 0
        assert rig.read(50299, 0) == said


def test_a_new_export_starts_without_doubt():
    rig = resting()
    rig.part.doubt()
    rig.part.start()
    rig.part.rest(0)
    assert rig.read(50150) == 1


# --- feedback ---


def test_feedback_takes_its_first_step_41_mhz_from_the_slow_mean():
    for sign in (1, -1):
        assert fed(40 * sign) == 0 and fed(41 * sign) == 5 * sign


def test_feedback_is_the_same_above_and_below_the_slow_mean():
    for gain in (1, 33, 100, 199, 200):
        for off in (20, 21, 24, 25, 41, 49, 51, 99, 301, 601, 20000):
            assert fed(-off, gain=gain) == -fed(off, gain=gain), (gain, off)


def test_within_24_mhz_there_is_none_at_the_greatest_gain_either():
    for sign in (1, -1):
        assert fed(24 * sign, gain=200) == 0 and fed(25 * sign, gain=200) == 5 * sign
        assert fed(100 * sign, 24 * sign, gain=200) == 0 and fed(100 * sign, 25 * sign, gain=200) == 5 * sign


def test_without_gain_there_is_none():
    assert fed(5000, gain=0) == 0 and fed(-5000, gain=0) == 0


def test_it_moves_in_steps_of_half_a_percent():
    for sign in (1, -1):
        assert fed(100 * sign) == 10 * sign
        assert fed(100 * sign, 140 * sign) == 10 * sign and fed(100 * sign, 141 * sign) == 15 * sign
        assert fed(100 * sign, 60 * sign) == 10 * sign and fed(100 * sign, 50 * sign) == 5 * sign


def test_it_ends_when_the_frequency_is_back():
    for off in (0, 24, -24, 40, -40):
        assert fed(200, off) == 0 and fed(-200, off) == 0


def test_it_is_clipped_at_six_percent():
    assert fed(590) == 59 and fed(600) == 60 and fed(610) == 60 and fed(9000) == 60
    assert fed(-590) == -59 and fed(-600) == -60 and fed(-610) == -60 and fed(-9000) == -60
    assert fed(9000, -9000) == -60


def test_an_inverter_is_told_nothing_new_while_it_stands_at_its_clip():
    rig = resting(100000)
    rig.course.off_mhz = 5000
    rig.part.run(10)
    sent = rig.sent
    rig.image.request.want_var = 4400  # takes the room; the next flip sees it
    rig.part.run(10)
    assert rig.sent == sent
