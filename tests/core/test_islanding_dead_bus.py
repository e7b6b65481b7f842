# SPDX-License-Identifier: MIT
"""The active method on a bus that breaks down while power is exported, and on one that comes back."""

from islanding_rig import NOMINAL_MV, RATING_W, Profile, Settings, dead_cycles, fall, probing, started, volts
from protect_rig import Row

from evse.protect.islanding import PROBE, QUIET


class DeepProfile(Profile):
    """A code whose deepest under-voltage stage lies below 35 %."""

    stages = (Row(1, 180000, 0, 10000), Row(2, 70000, 0, 1000))


def test_a_fall_below_half_of_nominal_while_suspect_decides():
    for mv, decides in ((115000, 0), (114999, 1), (90000, 1), (10000, 1)):
        rig = started()
        rig.islanding._probe.suspect_ms = 600
        assert fall(rig, mv) == decides, mv


def test_without_suspicion_it_does_not():
    for mv in (114999, 90000, 10000):
        assert not fall(started(), mv)


def test_the_suspicion_lasts_its_time():
    for cycles, decides in ((59, 1), (60, 0)):
        rig = started()
        rig.islanding._probe.suspect_ms = 600
        rig.run(cycles)
        assert fall(rig, 90000) == decides
    rig = probing()
    rig.islanding._probe.suspect_ms = 11
    rig.run(1, 50300)
    assert rig.islanding._probe.suspect_ms == 1 and fall(rig, 90000)
    rig = probing()
    rig.islanding._probe.suspect_ms = 11
    rig.run(2, 50300)
    assert not fall(rig, 90000)


def test_the_highest_phase_counts():
    for phases, mv, decides in (
        (3, (90000, 90000, 90000), 1),
        (3, (90000, NOMINAL_MV, 90000), 0),
        (3, (90000, 90000, NOMINAL_MV), 0),
        (3, (NOMINAL_MV, 90000, 90000), 0),
        (3, (90000, 115000, 0), 0),
        (2, (90000, 90000, NOMINAL_MV), 1),
        (1, (90000, NOMINAL_MV, NOMINAL_MV), 1),
    ):
        settings = Settings()
        settings.phases = phases
        rig = started(settings=settings)
        rig.islanding._probe.suspect_ms = 600
        assert fall(rig, *mv) == decides, mv


def test_an_export_into_a_bus_below_35_percent_ends_after_1050_ms():
    for mv, cycles in ((80499, 105), (0, 105), (80500, 300), (114000, 300)):
        rig = started()
        volts(rig, mv)
        assert dead_cycles(rig) == cycles, mv


def test_but_the_stages_of_the_code_come_first():
    for mv, cycles in ((69999, 105), (70000, 300), (72000, 300), (80000, 300)):
        rig = started(profile=DeepProfile())
        volts(rig, mv)
        assert dead_cycles(rig) == cycles, mv


def test_its_time_is_that_of_the_clock():
    rig = started()
    volts(rig, 0)
    rig.image.inputs.elapsed_ms = 350
    assert dead_cycles(rig) == 3


def test_a_bus_that_came_back_for_a_cycle_begins_anew():
    for mv in (80500, 114000, NOMINAL_MV):
        rig = started()
        volts(rig, 0)
        rig.run(104)
        volts(rig, mv)
        rig.run(1)
        volts(rig, 0)
        assert dead_cycles(rig) == 105, mv


def test_one_dead_phase_is_no_dead_bus():
    settings = Settings()
    settings.phases = 3
    rig = started(settings=settings)
    volts(rig, 0, 0, 80500)
    assert dead_cycles(rig) == 300


def test_into_a_dead_bus_nothing_is_asked():
    rig = probing()
    rig.islanding._push.feed_permille = 60
    volts(rig, 80000)
    rig.run(30, 47000)
    assert not any(rig.sent[-30:]) and rig.islanding.state == QUIET and not rig.image.protection.probing


def test_when_it_comes_back_nothing_is_unusual_for_150_ms_and_then_it_asks_again():
    rig = started()
    volts(rig, 80000)
    rig.run(30, 47000)
    volts(rig)
    for n in range(15):
        rig.run(1, 51000 + 1000 * n)
        assert rig.islanding.state == QUIET
    rig.run(1, 70000)
    assert rig.islanding.state == PROBE
    rig = started()
    volts(rig, 80000)
    rig.run(30)
    volts(rig)
    rig.run(24)
    assert not any(rig.sent[-24:]), "the first flip comes after 150 ms and a half period"
    rig.run(1)
    assert rig.sent[-1] != 0


def test_and_feeds_back_from_nothing():
    rig = started(export_w=RATING_W)
    rig.islanding._push.feed_permille = 60
    volts(rig, 80000)
    rig.run(3)
    volts(rig)
    rig.run(1, 50570)
    assert rig.islanding._push.feed_permille == 57 and rig.sent[-1] > 0, "and not in steps from where it was"


def test_a_bus_between_is_asked_with_a_smaller_push():
    rig = started()
    full = abs(rig.sent[-1])
    volts(rig, 103500)
    rig.run(20)
    assert 0 < abs(rig.sent[-1]) <= full // 3 and rig.islanding.state == QUIET
