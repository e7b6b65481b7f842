# SPDX-License-Identifier: MIT
"""Grid sensing: what is believed, what is not, how fast a refusal comes, and what a dead bus may not do."""

from grid_rig import Rig, counts_of

from evse.faults import (
    ELEMENT_NONE,
    EVENT_GRID_HEALTHY,
    EVENT_PICKUP,
    FAULT_AFE_IMPLAUSIBLE,
    FAULT_AFE_STALE,
)

EXPORT_ENDS_MS = 60
CONTACTOR_MS = 20


def in_service(name="uk_g98", **more):
    rig = Rig(name, **more)
    rig.enter()
    return rig


def ms_to_inhibit(rig, limit_ms=200):
    start_ms = rig.t_ms
    while not rig.image.protection.inhibit and rig.t_ms - start_ms < limit_ms:
        rig.run(1)
    return rig.t_ms - start_ms


def test_nothing_is_believed_before_the_first_reading():
    rig = Rig("uk_g98")
    rig.afe.ok = 0
    rig.run(500)
    assert not rig.image.inputs.afe_ok and rig.image.protection.inhibit
    assert rig.image.status.fault[FAULT_AFE_STALE]


def test_each_bad_afe_ends_export_within_60_ms_and_says_why():
    def crc(rig):
        rig.afe.ok = 0

    def frozen(rig):
        rig.frozen = 1

    for spoil, fault in ((crc, FAULT_AFE_STALE), (frozen, FAULT_AFE_STALE)):
        for place in range(10):
            rig = in_service()
            rig.run(place)
            spoil(rig)
            assert ms_to_inhibit(rig) + CONTACTOR_MS <= EXPORT_ENDS_MS, spoil
            assert rig.image.status.fault[fault] and not rig.image.protection.service


def spoilt_values():
    return (
        ("phase_mv", -1),
        ("phase_mv", 500001),
        ("phase_mv", 0x7FFFFFFF),
        ("phase_ma", 500001),
        ("phase_ma", -1),
        ("phase_w", 300001),
        ("phase_w", -300001),
        ("phase_var", 300001),
        ("phase_period", 0),
        ("phase_period", 16777215),
        ("phase_period", 1),
        ("phase_period", -5),
    )


def test_impossible_values_end_export_within_60_ms_and_say_so():
    for name, value in spoilt_values():
        rig = in_service()
        getattr(rig.afe, name)[0] = value
        assert ms_to_inhibit(rig) + CONTACTOR_MS <= EXPORT_ENDS_MS, name
        assert rig.image.status.fault[FAULT_AFE_IMPLAUSIBLE], name
        assert not rig.image.status.fault[FAULT_AFE_STALE], name


def test_one_bad_reading_is_bridged():
    for name, value in spoilt_values():
        rig = in_service()
        good = getattr(rig.afe, name)[0]
        getattr(rig.afe, name)[0] = value
        rig.run(10)
        getattr(rig.afe, name)[0] = good
        rig.run(500)
        assert rig.image.protection.service and not rig.image.protection.inhibit, name
        assert not rig.events(EVENT_PICKUP), name


def test_a_lost_front_end_costs_the_whole_wait():
    rig = in_service(wait_ms=500)
    rig.afe.ok = 0
    rig.run(60)
    rig.afe.ok = 1
    rig.run(400)
    assert rig.image.inputs.afe_ok and not rig.image.protection.service
    rig.run(700)
    assert rig.image.protection.service


def test_one_false_sample_of_65_hz_never_trips_nor_picks_up():
    for name in ("uk_g98", "vde_4105_2018", "cei_0_21", "en50549_1", "as4777_a"):
        rig = in_service(name)
        for uhz in (65000000, 41000000, 69000000):
            good = rig.afe.phase_period[0]
            rig.afe.phase_period[0] = counts_of(uhz)
            rig.run(20)
            rig.afe.phase_period[0] = good
            rig.run(300)
        assert rig.image.protection.service, name
        assert not rig.events(EVENT_PICKUP), name


def test_a_dead_bus_that_reports_47_hz_is_dead():
    rig = Rig("uk_g98")
    rig.enter()
    rig.set(mv=0)
    rig.run(3000)
    protection = rig.image.protection
    assert protection.trip
    rig._steady_ms = 10**6
    for tenths in range(490, 400, -1):
        rig.afe.phase_mv[0] = 45000  # just below 20 % of 230 V
        rig.afe.phase_period[0] = counts_of(tenths * 100000)
        rig.run(100)
        assert not rig.image.inputs.voltage_live and not rig.image.inputs.frequency_ok
        assert protection.trip and not protection.service and protection.wait_ms == 200
    assert not rig.events(EVENT_GRID_HEALTHY)
    # Even a reported 50.00 Hz counts for nothing there.
    rig.afe.phase_period[0] = counts_of(50000000)
    rig.run(2000)
    assert protection.trip and not protection.service


def test_a_dead_bus_without_noise_is_not_a_frozen_front_end():
    rig = in_service()
    rig.set(mv=0)
    rig.run(200)
    rig.frozen = 1  # no crossings, no noise: registers stand still
    rig.run(1000)
    assert rig.image.inputs.afe_ok and not rig.image.status.fault[FAULT_AFE_STALE]
    assert rig.image.protection.service  # uv1 holds for 2.5 s
    rig.run(1600)
    assert rig.image.protection.trip


def test_the_bus_revives_without_a_fault_and_waits_for_whole_periods():
    rig = in_service()
    rig.set(mv=0)
    rig.run(1000)
    rig.set(mv=230000)
    for _ in range(30):
        rig.run(10)
        inputs = rig.image.inputs
        assert not rig.image.status.fault[FAULT_AFE_IMPLAUSIBLE]
        assert not inputs.frequency_ok or abs(inputs.frequency_uhz - 50000000) < 2000
    assert inputs.frequency_ok and rig.image.protection.service


def test_frequency_follows_the_healthiest_phase():
    rig = in_service("vde_4105_2018", phases=3)
    rig.set(mv=20000, phase=0)
    rig.run(500)
    assert rig.image.inputs.frequency_ok
    assert abs(rig.image.inputs.frequency_uhz - 50000000) < 2000
    assert rig.image.inputs.phase_uhz[0] == 0
    assert abs(rig.image.inputs.phase_uhz[1] - 50000000) < 2000


def test_frequency_and_rocof_are_right_over_the_whole_range():
    for name, nominal in (("uk_g98", 50000000), ("ieee1547_cat_b", 60000000)):
        rig = in_service(name)
        rig.protect._frequency.clear()
        for offset in range(-4000000, 4000001, 500000):
            rig.set(uhz=nominal + offset)
            rig.run(800)
            assert abs(rig.image.inputs.frequency_uhz - nominal - offset) < 1000, offset
            assert abs(rig.image.inputs.rocof_mhz_s) <= 3, offset


def test_ticks_may_wrap_anywhere():
    for before_ms in (5, 150, 900, 2000):
        rig = Rig("uk_g98", ticks_ms=0x3FFFFFFF - before_ms)
        rig.enter()
        start_ms = rig.t_ms
        rig.set(mv=180000)
        rig.run(2800)
        assert rig.image.protection.trip
        assert 2500 <= rig.tripped_at_ms - start_ms <= 2580
        rig.set(mv=230000)
        rig.run(1000)
        assert rig.image.protection.service and rig.image.protection.trip_element != ELEMENT_NONE


def test_a_front_end_that_stays_away_never_looks_fresh_again():
    rig = in_service()
    rig.afe.ok = 0
    rig.run(100)
    for day in range(14):  # ticks wrap after 12.4 days; ages change sign after 6.2
        rig.image.inputs.now_ms = (rig.image.inputs.now_ms + 86400000) & 0x3FFFFFFF
        rig._start = (rig._start + 86400000) & 0x3FFFFFFF
        rig.cycle()
        assert not rig.image.inputs.afe_ok and rig.image.protection.inhibit, day
