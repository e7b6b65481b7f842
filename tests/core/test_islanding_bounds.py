# SPDX-License-Identifier: MIT
"""When the active method asks at all, and the hand-over between quiet search and loud probe."""

from islanding_rig import RATING_W, Rig, Settings, dead_cycles, fall, probing, started, volts

from evse.faults import REASON_NO_REACTIVE, REASON_NONE, REASON_TOO_SLOW
from evse.image import NEVER_MS
from evse.protect.islanding import OFF, PROBE, QUIET

FILL_CYCLES = 20  # 200 ms after a start nothing is unusual


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


def test_no_time_runs_away_in_a_long_export():
    rig = started()
    rig.run(3000)
    islanding = rig.islanding
    for value in (islanding._probe.suspect_ms, islanding._quiet._wait_ms, islanding._quiet._calm_ms):
        assert -20 <= value <= 1000
    assert 0 <= islanding._push.since_ms <= 120
