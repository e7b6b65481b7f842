# SPDX-License-Identifier: MIT
"""Elements beside the plain stages: no-trip table of the UK type test, any-phase logic, latch, 10-minute mean,
cessation, inverter trips, vector shift."""

from grid_rig import Rig

from evse.faults import (
    ELEMENT_INVERTER_TRIP,
    ELEMENT_OV1,
    ELEMENT_OV_MEAN,
    ELEMENT_UV1,
    ELEMENT_VECTOR_SHIFT,
    EVENT_HOLD,
    EVENT_PICKUP,
    EVENT_RESET,
    EVENT_TRIP,
)

# UK G98/G99 type test: what must be ridden through. (mV, uHz, ms)
UK_NO_TRIP = (
    (230000, 47700000, 30000),
    (230000, 47200000, 19500),
    (230000, 46800000, 450),
    (230000, 51800000, 120000),
    (230000, 52200000, 450),
    (188000, 50000000, 5000),
    (180000, 50000000, 2450),
    (258200, 50000000, 5000),
    (269700, 50000000, 950),
    (277700, 50000000, 450),
)


def in_service(name="uk_g98", **more):
    rig = Rig(name, **more)
    rig.enter()
    return rig


def test_uk_no_trip_table():
    for mv, uhz, ms in UK_NO_TRIP:
        rig = in_service()
        rig.set(mv=mv, uhz=uhz)
        rig.run(ms)
        rig.set(mv=230000, uhz=50000000)
        rig.run(1000)
        assert not rig.image.protection.trip and rig.image.protection.service, (mv, uhz, ms)


def test_any_phase_trips_and_is_named():
    for phase in range(3):
        for mv, element in ((180000, ELEMENT_UV1), (268000, ELEMENT_OV1)):
            rig = in_service(phases=3)
            rig.set(mv=mv, phase=phase)
            rig.run(3000)
            protection = rig.image.protection
            assert protection.trip and protection.trip_element == element
            assert protection.trip_phase == phase + 1
            assert abs(protection.trip_value - mv) < 200
            assert rig.events(EVENT_TRIP) == [(6, element, protection.trip_value, phase + 1)]


def test_unused_phases_do_not_count():
    rig = in_service(phases=1)
    rig.afe.phase_mv[1] = 400000
    rig.afe.phase_mv[2] = 10
    rig.run(3000)
    assert rig.image.protection.service


def test_the_first_trip_stays_latched_while_others_follow():
    rig = in_service()
    rig.set(mv=100000, uhz=46000000)
    rig.run(5000)
    protection = rig.image.protection
    assert protection.trips == 1 and len(rig.events(EVENT_TRIP)) == 1
    first = protection.trip_element
    rig.run(20000)
    assert protection.trip_element == first and protection.inhibit
    rig.set(mv=230000, uhz=50000000)
    rig.run(1000)
    assert protection.service and not protection.trip and not protection.inhibit
    assert protection.trip_element == first  # remembered for whoever asks
    assert len(rig.events(EVENT_RESET)) >= 2


def test_hysteresis_keeps_a_value_on_the_threshold_from_chattering():
    rig = in_service()
    for mv in (262300, 262000, 262250, 261900, 262400, 261800):
        rig.set(mv=mv)
        rig.run(60)
    assert len(rig.events(EVENT_PICKUP)) == 1 and not rig.events(EVENT_HOLD)
    rig.set(mv=261000)
    rig.run(100)
    assert len(rig.events(EVENT_HOLD)) == 1
    assert not rig.image.protection.trip


def test_ten_minute_mean_trips_when_the_mean_passes_and_not_before():
    for mv in (255000, 260000):
        rig = in_service("vde_4105_2018")
        rig.run(5000)
        start_ms = rig.t_ms
        rig.set(mv=mv)
        # The window holds nominal voltage before: the mean passes 253 V after this share of it.
        due_ms = 600000 * (253**2 - 230**2) // ((mv // 1000) ** 2 - 230**2)
        rig.run(due_ms - 6000)
        assert not rig.image.protection.trip, mv
        rig.run(12000)
        assert rig.image.protection.trip and rig.image.protection.trip_element == ELEMENT_OV_MEAN, mv
        assert due_ms - 6000 <= rig.tripped_at_ms - start_ms <= due_ms + 3100, mv


def test_ten_minute_mean_is_rms_and_keeps_service_off_until_it_fell():
    rig = in_service("vde_4105_2018")
    rig.set(mv=260000)
    rig.run(480000)
    rig.set(mv=240000)
    rig.run(121000)
    exact = ((480 * 260.0**2 + 120 * 240.0**2) / 600) ** 0.5 * 1000
    assert rig.image.protection.trip
    assert abs(rig.image.protection.mean_mv[0] - exact) < 150
    assert not rig.image.protection.service  # 240 V is in the window, the mean is not
    rig.run(300000)
    assert rig.image.protection.service


def test_ten_minute_mean_watches_each_phase():
    rig = in_service("as4777_a", phases=3)
    rig.set(mv=262000, phase=1)
    rig.run(600000)
    assert rig.image.protection.trip_element == ELEMENT_OV_MEAN and rig.image.protection.trip_phase == 2


def test_cessation_follows_the_voltage_and_keeps_service():
    rig = in_service("ieee1547_cat_b")
    protection = rig.image.protection
    for mv, expected in ((100000, 0), (50000, 1), (60500, 1), (62000, 0), (133000, 1), (131500, 1), (130000, 0)):
        rig.set(mv=mv)
        rig.run(100)
        assert protection.cessation == expected, mv
        assert protection.service and not protection.inhibit
        rig.set(mv=mv)
    rig = in_service("uk_g98")
    rig.set(mv=100000)
    rig.run(100)
    assert not rig.image.protection.cessation


def connect(rig):
    inputs = rig.image.inputs
    inputs.inverter_ok = 1
    inputs.inverter_connected = 1
    inputs.inverter_alarms = 0
    rig.run(100)


def test_a_trip_of_the_inverter_is_recorded_as_such():
    for bit in (4, 8, 9, 10, 11):
        rig = in_service()
        connect(rig)
        rig.image.inputs.inverter_alarms = 1 << bit
        rig.run(10)
        protection = rig.image.protection
        assert protection.trip and protection.trip_element == ELEMENT_INVERTER_TRIP
        assert protection.trip_value == 1 << bit


def test_alarms_behind_an_open_contactor_are_no_trip():
    rig = in_service()
    rig.image.outputs.contactor = 0
    connect(rig)
    rig.image.inputs.inverter_alarms = 1 << 4 | 1 << 11
    rig.run(500)
    assert rig.image.protection.service
    rig.image.outputs.contactor = 1  # the alarm is still there from before: not a new one
    rig.run(200)
    assert rig.image.protection.service


def test_other_alarms_and_old_inverter_data_are_no_trip():
    rig = in_service()
    connect(rig)
    rig.image.inputs.inverter_alarms = 1 << 7
    rig.run(100)
    rig.image.inputs.inverter_ok = 0
    rig.image.inputs.inverter_alarms = 1 << 4
    rig.run(100)
    assert rig.image.protection.service


def test_vector_shift_trips_only_where_a_profile_has_it():
    for setting, expected in ((0, False), (20000, True)):
        rig = Rig("uk_g98")
        rig.profile.vector_shift_mdeg = setting
        rig = _rebuilt(rig)
        rig.enter()
        rig._steady_ms = 10**6
        good = rig.afe.phase_period[0]
        rig.afe.phase_period[0] = good * 9 // 10  # 36 degrees in one cycle
        rig.run(20)
        rig.afe.phase_period[0] = good
        rig.run(200)
        assert (rig.tripped_at_ms >= 0) == expected
        if expected:
            assert rig.image.protection.trip_element == ELEMENT_VECTOR_SHIFT


def _rebuilt(rig):
    from grid_rig import settings_of

    from evse.protect import Protect

    rig.protect = Protect(rig.image, settings_of(rig.phases), rig.profile)
    return rig
