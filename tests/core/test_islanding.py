# SPDX-License-Identifier: MIT
"""Active anti-islanding as a whole: when it asks, what it sends, what it takes for an answer."""

from islanding_rig import RATING_W, Rig, Settings

from evse.faults import EVENT_HOLD, EVENT_PICKUP
from evse.protect.islanding import DEAD_MS, OFF, PROBE, QUIET
from evse.protect.islanding.probe import FULL_ANSWER_MHZ


def test_it_asks_only_while_power_is_exported_through_a_closed_contactor():
    rig = Rig(export_w=0)
    rig.run(50)
    assert rig.islanding.state == OFF and not any(rig.sent)
    rig.image.inputs.grid_w = 7000  # charging: a load alone holds no island
    rig.run(50)
    assert rig.islanding.state == OFF and not any(rig.sent)
    rig.image.inputs.grid_w = -7000
    rig.image.outputs.contactor = 0
    rig.run(50)
    assert rig.islanding.state == OFF and not any(rig.sent)
    rig.image.outputs.contactor = 1
    rig.run(100)
    assert rig.islanding.state == QUIET and any(rig.sent)
    rig.image.outputs.contactor = 0
    rig.run(1)
    assert rig.islanding.state == OFF and rig.sent[-1] == 0


def test_switched_off_it_sends_nothing_and_decides_nothing():
    settings = Settings()
    settings.islanding_enable = 0
    rig = Rig(settings=settings)
    assert rig.island(300) == 0
    assert not any(rig.sent) and not rig.islanding.detected


def test_a_changed_setting_takes_effect_at_once():
    rig = Rig()
    rig.run(100)
    rig.settings.islanding_enable = 0
    rig.settings.changed += 1
    rig.run(1)
    assert rig.islanding.state == OFF and rig.sent[-1] == 0


def test_the_quiet_square_is_small_symmetric_and_of_random_length():
    rig = Rig(export_w=RATING_W)
    rig.run(3000)
    sent = rig.sent[100:]
    most = RATING_W * 15 // 1000
    assert max(sent) == most and min(sent) == -most
    assert abs(sum(sent)) < most * len(sent) // 20
    lengths = set()
    since = 0
    for before, after in [(sent[n], sent[n + 1]) for n in range(len(sent) - 1)]:
        since += 1
        if after != before:
            lengths.add(since)
            since = 0
    assert {8, 9, 10, 11, 12}.issuperset(sorted(lengths)[1:-1]) and len(lengths) >= 4


def test_pushes_shrink_with_the_export_down_to_what_an_inverter_can_resolve():
    for export_w, permille in ((RATING_W, 15), (RATING_W // 2, 7), (RATING_W // 10, 4)):
        rig = Rig(export_w=export_w)
        rig.run(200)
        assert abs(max(rig.sent) - RATING_W * permille // 1000) <= RATING_W // 1000


def test_two_units_of_different_name_do_not_flip_together():
    rigs = []
    for name in ("a", "b"):
        settings = Settings()
        settings.device_id = name
        rigs.append(Rig(settings=settings))
    together = 0
    for _ in range(3000):
        for rig in rigs:
            rig.cycle(50000)
        together += 1 if rigs[0].sent[-1] == rigs[1].sent[-1] else 0
    assert 1000 < together < 2000


def test_a_balanced_island_is_decided_within_half_a_second_at_any_export():
    for export_w in (RATING_W, 5000, 3000, 1500, 740):
        for name in ("a", "b", "c", "d", "e"):
            settings = Settings()
            settings.device_id = name
            rig = Rig(export_w=export_w, settings=settings)
            rig.run(150)
            used = rig.island(100)
            assert 0 < used <= 50, (export_w, name, used)
            assert rig.events(EVENT_PICKUP) >= 1


def test_a_grid_that_does_not_answer_is_never_an_island():
    rig = Rig()
    seed = 1
    for _ in range(6000):
        seed = (seed * 75 + 74) % 65537
        rig.cycle(50000 + seed % 41 - 20)  # +-20 mHz of noise
    assert not rig.islanding.detected and rig.islanding.probes == 0


def test_a_ramp_moves_but_does_not_answer():
    for slope_mhz in (9.5, -9.5, 20.0, -20.0, 30.0, -30.0, 40.0, -40.0):  # per 10 ms: up to 4 Hz/s
        rig = Rig()
        rig.run(100)
        mhz = 50000.0
        for _ in range(210 if abs(slope_mhz) < 10 else 60):
            mhz += slope_mhz
            rig.cycle(mhz)
        rig.run(100, mhz)
        assert not rig.islanding.detected, slope_mhz


def test_steps_and_blips_cause_a_probe_and_no_decision():
    for moves in (
        [(50500, 300)],
        [(48000, 300)],
        [(58000, 2), (50000, 300)],  # a phase jump of about 50 degrees
        [(65000, 1), (50000, 300)],  # one false sample
        [(58000, 2), (50000, 9), (42000, 2), (50000, 300)],  # two jumps, against each other
    ):
        rig = Rig()
        rig.run(100)
        for mhz, cycles in moves:
            rig.run(cycles, mhz)
        assert rig.islanding.probes >= 1 and not rig.islanding.detected, moves
        assert rig.islanding.state == QUIET and rig.events(EVENT_HOLD) >= 1


def test_a_few_blips_at_the_pace_of_a_probe_are_not_answers():
    rig = Rig()
    rig.run(100)
    rig.run(2, 53000)
    sign = -1
    for _ in range(4):
        rig.run(6, 50000)
        rig.run(1, 50000 + 3000 * sign)
        sign = -sign
    assert not rig.islanding.detected


def test_an_answer_of_less_than_full_size_does_not_decide_at_once():
    rig = Rig()
    rig.run(150)
    assert rig.island(50, gain_mhz=2000.0) == 0


def test_the_feedback_pushes_the_way_the_frequency_went_and_is_clipped():
    rig = Rig(export_w=RATING_W)
    rig.run(200)
    rig.islanding._quiet._wait_ms = 100000  # look at the quiet state alone
    rig.run(40, 50400)
    assert 20 <= rig.islanding._push.feed_permille <= 40
    rig.run(20, 52000)
    assert rig.islanding._push.feed_permille == 60
    rig.run(40, 48000)
    assert rig.islanding._push.feed_permille == -60


def test_reactive_power_stays_within_the_rating_whoever_asks_for_some():
    most = RATING_W * 440 // 1000
    for want in (most, -most, most - 20, 0):
        rig = Rig(export_w=RATING_W)
        rig.image.request.want_var = want
        rig.run(100)
        low = high = rig.sent[-1]
        rig.run(2, 53000)
        for _ in range(100):
            rig.run(1)
            low = min(low, rig.sent[-1])
            high = max(high, rig.sent[-1])
        assert -most <= want + low and want + high <= most, want
        assert high - low >= 2 * RATING_W * 100 // 1000  # the whole square, moved to where there is room


def test_a_bus_too_low_to_ask_is_left_to_the_voltage_stages_for_a_second():
    rig = Rig()
    rig.run(100)
    rig.image.inputs.phase_mv[0] = 60000
    rig.run(DEAD_MS // 10 - 1)
    assert not rig.islanding.detected and rig.sent[-1] == 0
    rig.run(2)
    assert rig.islanding.detected


def test_a_dip_of_150_ms_is_forgotten():
    rig = Rig()
    rig.run(100)
    for _ in range(8):
        rig.image.inputs.phase_mv[0] = 60000
        rig.run(15)
        rig.image.inputs.phase_mv[0] = 230000
        rig.run(50)
    assert not rig.islanding.detected


def test_a_voltage_that_breaks_down_after_answers_decides():
    rig = Rig()
    rig.run(150)
    n = 0
    while rig.islanding._probe.credit < 6 and n < 60:
        rig.island(1)
        n += 1
    assert rig.islanding._probe.credit == 6 and not rig.islanding.detected
    rig.islanding._probe.suspect_ms = 300
    rig.image.inputs.phase_mv[0] = 100000
    rig.run(1)
    assert rig.islanding.detected


def test_the_decision_ends_with_the_export():
    rig = Rig()
    rig.run(150)
    assert rig.island(100)
    rig.image.outputs.contactor = 0
    rig.run(1)
    assert not rig.islanding.detected and rig.sent[-1] == 0


def test_without_a_believed_frequency_nothing_moves():
    rig = Rig()
    rig.run(150)
    state = rig.islanding.state
    rig.image.inputs.frequency_ok = 0
    rig.run(200, 47000)
    assert rig.islanding.state == state and not rig.islanding.detected


def test_numbers_stay_within_31_bits_at_the_ends_of_every_setting():
    settings = Settings()
    settings.export_rating_w = 22080
    settings.islanding_perturb_permille = 20
    settings.islanding_probe_permille = 200
    settings.islanding_gain_permille_hz = 200
    rig = Rig(export_w=66240, settings=settings)
    rig.image.inputs.phase_mv[0] = 400000
    for mhz in (40000, 70000) * 20:
        rig.run(9, mhz)
        assert abs(rig.sent[-1]) <= 22080
        for value in (rig.islanding._course._slow, rig.islanding._quiet._chance._state, rig.islanding._push._var):
            assert -(1 << 30) < value < 1 << 30


def test_the_probe_turns_only_after_a_full_answer_or_its_time():
    rig = Rig()
    rig.run(100)
    rig.run(1, 50200)
    assert rig.islanding.state == PROBE
    push = rig.sent[-1]
    cycles = 0
    while rig.sent[-1] == push and cycles < 30:
        rig.run(1, 50200)
        cycles += 1
    assert 15 <= cycles <= 21
    assert rig.islanding.threshold_mhz == FULL_ANSWER_MHZ
