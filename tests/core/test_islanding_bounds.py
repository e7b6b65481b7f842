# SPDX-License-Identifier: MIT
"""When the active method asks at all, a bus that breaks down, and the hand-over between quiet search and loud probe."""

from islanding_rig import RATING_W, Profile, Rig, Settings
from protect_rig import Row

from evse.faults import REASON_NO_REACTIVE, REASON_NONE, REASON_TOO_SLOW
from evse.image import NEVER_MS
from evse.protect.islanding import OFF, PROBE, QUIET

FILL_CYCLES = 20  # 200 ms after a start nothing is unusual
NOMINAL_MV = 230000


class DeepProfile(Profile):
    """A code whose deepest under-voltage stage lies below 35 %."""

    stages = (Row(1, 180000, 0, 10000), Row(2, 70000, 0, 1000))


def started(cycles=60, **more):
    rig = Rig(**more)
    rig.run(cycles)
    assert rig.islanding.state == QUIET
    return rig


def probing():
    rig = started()
    rig.run(1, 50300)
    assert rig.islanding.state == PROBE
    return rig


def volts(rig, *phases):
    for phase in range(3):
        rig.image.inputs.phase_mv[phase] = phases[phase] if phase < len(phases) else NOMINAL_MV


def fall(rig, *phases):
    """Let the voltage fall for one cycle; tell whether that decides."""
    volts(rig, *phases)
    rig.run(1)
    return rig.islanding.detected


def dead_cycles(rig, most=300):
    """Count the cycles until the bus is decided to be dead; most: not within so many."""
    for n in range(1, most):
        rig.run(1)
        if rig.islanding.detected:
            return n
    return most


# --- when it asks ---


def test_it_begins_above_one_percent_of_the_rating():
    for grid_w, state in ((-73, OFF), (-74, QUIET), (-7360, QUIET)):
        rig = Rig(export_w=-grid_w)
        rig.run(1)
        assert rig.islanding.state == state, grid_w


def test_and_ends_below_half_a_percent():
    for grid_w, state in ((-36, QUIET), (-35, OFF), (0, OFF), (500, OFF)):
        rig = started()
        rig.image.inputs.grid_w = grid_w
        rig.run(1)
        assert rig.islanding.state == state and (rig.sent[-1] == 0) == (state == OFF), grid_w


def test_it_begins_only_closed_enabled_rated_and_with_a_believed_frequency():
    for contactor, enable, rating_w, believed, state in (
        (1, 1, RATING_W, 1, QUIET),
        (0, 1, RATING_W, 1, OFF),
        (1, 0, RATING_W, 1, OFF),
        (1, 1, 0, 1, OFF),
        (1, 1, RATING_W, 0, OFF),
    ):
        settings = Settings(rating_w)
        settings.islanding_enable = enable
        rig = Rig(settings=settings)
        rig.image.outputs.contactor = contactor
        rig.image.inputs.frequency_ok = believed
        rig.run(1)
        assert rig.islanding.state == state


def test_it_does_not_begin_with_an_inverter_whose_answer_comes_too_late():
    for response_ms, state, reason in (
        (115, QUIET, REASON_NONE),
        (116, OFF, REASON_TOO_SLOW),
        (NEVER_MS - 1, OFF, REASON_TOO_SLOW),
        (NEVER_MS, OFF, REASON_NO_REACTIVE),
    ):
        rig = Rig()
        rig.image.inputs.inverter_var_response_ms = response_ms
        rig.run(1)
        assert (rig.islanding.state, rig.image.protection.islanding_refused) == (state, reason)
    rig.image.inputs.inverter_var_response_ms = 100
    rig.run(1)
    assert (rig.islanding.state, rig.image.protection.islanding_refused) == (QUIET, REASON_NONE)


def test_changed_settings_count_at_once():
    rig = started()
    rig.settings.export_rating_w = 100 * RATING_W
    rig.run(1)
    assert rig.islanding.state == QUIET, "not before they are whole"
    rig.settings.changed += 1
    rig.run(1)
    assert rig.islanding.state == QUIET
    rig.image.inputs.grid_w = -3600  # below half a percent of the new rating
    rig.run(2)
    assert rig.islanding.state == OFF


def test_each_part_takes_changed_settings():
    rig = started()
    rig.settings.islanding_perturb_permille = 20
    rig.settings.islanding_probe_permille = 200
    rig.settings.islanding_gain_permille_hz = 0
    rig.settings.export_rating_w = 7000
    rig.settings.changed += 1
    rig.run(20)
    assert abs(rig.sent[-1]) == 140
    rig.run(1, 50300)
    assert rig.sent[-1] == 1400


def test_the_end_of_the_export_takes_everything_back():
    rig = probing()
    rig.islanding.detected = 1
    rig.image.protection.islanding_mhz = 123
    rig.image.outputs.contactor = 0
    rig.run(1)
    protection = rig.image.protection
    assert rig.islanding.state == OFF and not rig.islanding.detected
    assert (protection.probing, protection.islanding_mhz, protection.perturb_var) == (0, 0, 0)


def test_a_probe_goes_on_for_300_ms_without_export():
    """An island's power may swing; each probe has its own 300 ms."""
    rig = probing()
    for _ in range(2):
        rig.image.inputs.grid_w = 1000
        rig.run(15, 50300)
        rig.image.inputs.grid_w = -7000
        rig.run(1, 50300)
        rig.image.inputs.grid_w = 1000
        rig.run(15, 50300)
        assert rig.islanding.state == PROBE
        rig.image.inputs.grid_w = -7000
        rig.run(60, 50300)
        assert rig.islanding.state == QUIET
        rig.run(1, 52000)
        rig.run(1, 50300)
        assert rig.islanding.state == PROBE
    rig.image.inputs.grid_w = 1000
    rig.run(31, 50300)
    assert rig.islanding.state == OFF


# --- start ---


def test_after_a_start_nothing_is_unusual_for_200_ms():
    rig = Rig()
    rig.run(1)
    for n in range(FILL_CYCLES):
        rig.run(1, 50000 + 1000 * n)
        assert rig.islanding.state == QUIET
    rig.run(1, 50000 + 1000 * FILL_CYCLES)
    assert rig.islanding.state == PROBE


def test_a_start_takes_the_frequency_as_it_is():
    rig = Rig()
    rig.run(1, 49700)
    rig.run(400, 49700)
    assert rig.islanding.probes == 0
    assert (max(rig.sent), min(rig.sent)) == (103, -103), "the square alone, no feedback"


def test_each_export_starts_afresh():
    rig = probing()
    rig.islanding._probe.suspect_ms = 600
    rig.islanding._quiet._doubt = 2
    rig.islanding._push.feed_permille = 60
    rig.image.outputs.contactor = 0
    rig.run(1)
    rig.image.outputs.contactor = 1
    rig.run(60)
    assert not fall(rig, 100000), "no breakdown of the export before"
    volts(rig)
    assert max(rig.sent[-8:]) - min(rig.sent[-8:]) <= 210, "no feedback"
    rig.run(1, 50150)
    assert rig.islanding.state == PROBE, "no doubt"


def test_a_new_export_into_a_bus_that_is_still_dead_has_its_own_time():
    rig = started()
    volts(rig, 80000)
    rig.run(60)
    rig.image.outputs.contactor = 0
    rig.run(1)
    rig.image.outputs.contactor = 1
    rig.run(1)
    assert rig.islanding.state == QUIET and dead_cycles(rig) == 105


# --- a reading that is not believed ---


def test_a_frequency_that_is_not_believed_is_not_heard():
    rig = started()
    rig.image.inputs.frequency_ok = 0
    rig.run(50, 47000)
    rig.image.inputs.frequency_ok = 1
    rig.run(30, 50000)
    assert rig.islanding.state == QUIET and rig.islanding.probes == 0


# --- hand-over ---


def test_a_jump_starts_a_probe_that_pushes_the_same_way():
    for move in (150, -150):
        rig = started()
        rig.islanding._push.since_ms = 0
        rig.run(1, 50000 + move)
        assert rig.islanding.state == PROBE and rig.image.protection.probing == 1
        assert rig.islanding.probes == 1
        assert (rig.sent[-1] if move > 0 else -rig.sent[-1]) > 800


def test_two_full_answers_decide_and_one_does_not():
    rig = probing()
    rig.islanding._probe.credit = 5
    rig.run(4, 50300)
    for mhz in (51100, 51900, 51900):
        rig.run(1, mhz)
    assert rig.islanding._probe.credit == 11 and not rig.islanding.detected
    rig = probing()
    rig.islanding._probe.credit = 6
    rig.run(4, 50300)
    for mhz in (51100, 51900, 51900):
        assert not rig.islanding.detected
        rig.run(1, mhz)
    assert rig.islanding._probe.credit == 12 and rig.islanding.detected
    rig.run(300, 50000)
    assert rig.islanding.detected, "until the export ends"


def fruitless():
    """Return a rig in the cycle in which a probe gave up, at 50.3 Hz, and the sign of its last push."""
    rig = probing()
    push = rig.sent[-1]
    while rig.islanding.state == PROBE:
        push = rig.sent[-1]
        rig.run(1, 50300)
    return rig, 1 if push > 0 else -1


def test_a_fruitless_probe_ends_in_the_quiet_square_of_the_other_sign():
    rig, sign = fruitless()
    assert rig.islanding.state == QUIET and not rig.image.protection.probing and not rig.islanding.detected
    assert rig.islanding._push.sign == -sign and rig.islanding._push._var == 103


def test_after_it_nothing_is_unusual_for_150_ms():
    rig, _ = fruitless()
    for n in range(15):
        rig.run(1, 51300 + 1000 * n)
        assert rig.islanding.state == QUIET
    rig.run(1, 67000)
    assert rig.islanding.state == PROBE


def test_after_it_a_jump_must_be_twice_as_large_for_a_second():
    for cycles, move, state in ((40, 299, QUIET), (40, 300, PROBE), (98, 299, QUIET), (99, 299, PROBE)):
        rig, _ = fruitless()
        rig.run(cycles, 50300)
        rig.islanding._push.since_ms = 0
        rig.run(1, 50300 + move)
        assert rig.islanding.state == state, cycles


# --- a bus that breaks down ---


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


def test_no_time_runs_away_in_a_long_export():
    rig = started()
    rig.run(3000)
    islanding = rig.islanding
    for value in (islanding._probe.suspect_ms, islanding._quiet._wait_ms, islanding._quiet._calm_ms):
        assert -20 <= value <= 1000
    assert 0 <= islanding._push.since_ms <= 120
