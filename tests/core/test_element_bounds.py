# SPDX-License-Identifier: MIT
"""Latch, stage, cessation, vector shift and the inverter's alarms, each alone at its bounds: at it, one beside."""

from protect_rig import Profile, Row, events, image_in_service

from evse import faults
from evse.protect.cessation import Cessation
from evse.protect.inverter import InverterTrip
from evse.protect.latch import Latch
from evse.protect.stage import Stage, deepest_mv
from evse.protect.vector_shift import VectorShift


def test_latch_keeps_the_first_trip_and_all_its_facts():
    image = image_in_service()
    latch = Latch(image)
    latch.trip(faults.ELEMENT_OV1, 2, 270000, 262200)
    protection = image.protection
    assert (protection.trip, protection.service, protection.inhibit) == (1, 0, 1)
    assert (protection.trip_element, protection.trip_phase) == (faults.ELEMENT_OV1, 2)
    assert (protection.trip_value, protection.trip_threshold, protection.trip_ms) == (270000, 262200, 1000)
    assert protection.trips == 1
    assert events(image) == [(faults.EVENT_TRIP, faults.ELEMENT_OV1, 270000, 2)]
    latch.trip(faults.ELEMENT_UV1, 1, 1, 1)
    assert protection.trips == 1 and protection.trip_element == faults.ELEMENT_OV1
    protection.service = 1
    latch.trip(faults.ELEMENT_UV1, 1, 1, 1)
    assert protection.trips == 2


# --- stage ---


def stage_of(over, delay_ms=100, clearing=0):
    image = image_in_service()
    return image, Stage(image, Latch(image), Row(faults.ELEMENT_OV1, 250000, over, delay_ms, 1000, clearing))


def test_stage_picks_up_beyond_and_not_at_its_threshold():
    for over, beyond in ((1, 250001), (0, 249999)):
        image, stage = stage_of(over)
        stage.run(250000, 1, 0)
        assert not stage.picked_up
        stage.run(beyond, 1, 0)
        assert stage.picked_up and image.protection.element_active[faults.ELEMENT_OV1] == 1
        assert events(image) == [(faults.EVENT_PICKUP, faults.ELEMENT_OV1, beyond, 1)]


def test_stage_trips_at_its_delay_and_only_once():
    for over, beyond in ((1, 260000), (0, 240000)):
        image, stage = stage_of(over)
        stage.run(beyond, 3, 0)
        stage.run(beyond, 3, 99)
        assert not image.protection.trip
        stage.run(beyond, 3, 100)
        protection = image.protection
        assert protection.trip and stage.due
        assert (protection.trip_element, protection.trip_phase, protection.trip_value, protection.trip_threshold) == (
            faults.ELEMENT_OV1,
            3,
            beyond,
            250000,
        )
        protection.service = 1
        stage.run(beyond, 3, 200)
        assert protection.trips == 1, "one trip for one excursion"


def test_stage_drops_out_past_its_hysteresis_and_reports_the_worst():
    for over, beyond, worst, edge, past in (
        (1, 251000, 255000, 249000, 248999),
        (0, 249000, 245000, 251000, 251001),
    ):
        image, stage = stage_of(over)
        stage.run(beyond, 1, 0)
        stage.run(worst, 1, 10)
        stage.run(beyond, 1, 20)
        stage.run(edge, 1, 90)
        assert stage.picked_up, "inside the hysteresis the timer runs on"
        stage.run(past, 2, 95)
        assert not stage.picked_up and image.protection.element_active[faults.ELEMENT_OV1] == 0
        assert events(image)[-1] == (faults.EVENT_HOLD, faults.ELEMENT_OV1, worst, 2)
        stage.run(beyond, 1, 100)
        stage.run(beyond, 1, 199)
        assert not image.protection.trip, "the timer starts anew"
        stage.run(beyond, 1, 200)
        assert image.protection.trip
        stage.run(past, 1, 300)
        assert events(image)[-1][0] == faults.EVENT_RESET and not stage.due
        stage.run(beyond, 1, 400)
        assert events(image)[-1] == (faults.EVENT_PICKUP, faults.ELEMENT_OV1, beyond, 1)
        stage.run(past, 1, 410)
        assert events(image)[-1] == (faults.EVENT_HOLD, faults.ELEMENT_OV1, beyond, 1), "the worst is forgotten too"


def test_stage_clearing_time_is_less_what_clearing_takes_and_drop_starts_from_zero():
    image, stage = stage_of(1, delay_ms=160, clearing=1)
    stage.run(260000, 1, 0)
    stage.run(260000, 1, 69)
    assert not image.protection.trip
    stage.run(260000, 1, 70)
    assert image.protection.trip
    image, stage = stage_of(1)
    stage.drop(10)
    assert not events(image)
    stage.run(260000, 1, 0)
    stage.drop(50)
    assert not stage.picked_up and events(image)[-1] == (faults.EVENT_HOLD, faults.ELEMENT_OV1, 260000, 0)


# --- cessation, vector shift, inverter ---


def test_the_deepest_stage_is_the_lowest_under_voltage_one():
    over, low, lower = (
        Row(faults.ELEMENT_OV1, 1000, 1, 100),
        Row(faults.ELEMENT_UV1, 184000, 0, 2500),
        Row(faults.ELEMENT_UV2, 46000, 0, 500),
    )
    frequency = Row(faults.ELEMENT_UF1, 47000, 0, 500)
    assert deepest_mv(Profile()) == 230000
    assert deepest_mv(Profile(stages=[over, frequency])) == 230000, "only under-voltage counts"
    assert deepest_mv(Profile(stages=[low, frequency, over])) == 184000
    for stages in ([low, lower], [lower, low]):
        assert deepest_mv(Profile(stages=stages)) == 46000


def test_cessation_at_each_bound_and_on_the_way_back():
    image = image_in_service()
    part = Cessation(image, Profile(cessation_low_mv=115000, cessation_high_mv=276000))
    assert part.used
    for low, high, expected in (
        (115000, 276000, 0),
        (114999, 230000, 1),
        (117299, 230000, 1),
        (117300, 230000, 0),
        (230000, 276001, 1),
        (230000, 273701, 1),
        (230000, 273700, 0),
        (100000, 290000, 1),
        (230000, 230000, 0),
    ):
        part.run(low, high)
        assert image.protection.cessation == expected, (low, high)


def test_cessation_with_one_side_or_none():
    image = image_in_service()
    part = Cessation(image, Profile(cessation_low_mv=115000))
    assert part.used
    part.run(116000, 500000)
    assert image.protection.cessation == 0
    part = Cessation(image, Profile(cessation_high_mv=276000))
    assert part.used
    part.run(0, 230000)
    assert image.protection.cessation == 0
    part.run(0, 280000)
    assert image.protection.cessation == 1
    assert not Cessation(image, Profile()).used


def test_vector_shift_beyond_its_setting_either_way():
    for jump, trips in ((20000, 0), (20001, 1), (-20000, 0), (-20001, 1)):
        for frequency_ok in (1, 0):
            image = image_in_service()
            part = VectorShift(Profile(vector_shift_mdeg=20000), Latch(image))
            image.inputs.frequency_ok = frequency_ok
            image.inputs.phase_jump_mdeg = jump
            part.run(image.inputs)
            assert image.protection.trip == trips * frequency_ok, (jump, frequency_ok)
            if image.protection.trip:
                protection = image.protection
                assert (protection.trip_element, protection.trip_phase) == (faults.ELEMENT_VECTOR_SHIFT, 0)
                assert (protection.trip_value, protection.trip_threshold) == (jump, 20000)


def inverter_of(**inputs):
    image = image_in_service()
    image.outputs.contactor = 1
    image.inputs.inverter_ok = 1
    image.inputs.inverter_connected = 1
    for name, value in inputs.items():
        setattr(image.inputs, name, value)
    return image, InverterTrip(image, Latch(image))


def alarm(image, part, bits):
    image.inputs.inverter_alarms = bits
    part.run()
    return image.protection.trip


def test_each_grid_alarm_that_comes_up_trips_and_no_other():
    for bit in range(30):
        image, part = inverter_of()
        assert alarm(image, part, 0) == 0
        assert alarm(image, part, 1 << bit) == (1 if bit in (4, 8, 9, 10, 11) else 0), bit
        active = image.protection.element_active
        assert active[faults.ELEMENT_INVERTER_TRIP] == image.protection.trip
        if image.protection.trip:
            protection = image.protection
            assert (protection.trip_element, protection.trip_value) == (faults.ELEMENT_INVERTER_TRIP, 1 << bit)
            assert (protection.trip_phase, protection.trip_threshold) == (0, 0)
            protection.service = 1
            assert alarm(image, part, 1 << bit) == 1 and protection.trips == 1, "one trip an alarm"
            alarm(image, part, 0)
            assert active[faults.ELEMENT_INVERTER_TRIP] == 0


def test_the_mark_goes_with_the_contactor_though_the_alarm_stays():
    """Behind the open contactor the inverter says that the grid is away: that must not hold the return to service."""
    for spoil in ("contactor", "inverter"):
        image, part = inverter_of()
        alarm(image, part, 0)
        alarm(image, part, 16)
        assert image.protection.element_active[faults.ELEMENT_INVERTER_TRIP] == 1
        if spoil == "contactor":
            image.outputs.contactor = 0
        else:
            image.inputs.inverter_ok = 0
        alarm(image, part, 16)
        assert image.protection.element_active[faults.ELEMENT_INVERTER_TRIP] == 0


def test_alarms_of_an_inverter_that_was_not_connected_quiet_and_heard_are_no_trip():
    image, part = inverter_of(inverter_connected=0)
    alarm(image, part, 0)
    assert not alarm(image, part, 16)
    image, part = inverter_of()
    assert not alarm(image, part, 16), "never seen quiet"
    for spoil in ("contactor", "inverter"):
        image, part = inverter_of()
        alarm(image, part, 0)
        alarm(image, part, 16)
        image.protection.trip = 0
        image.protection.service = 1
        alarm(image, part, 0)
        if spoil == "contactor":
            image.outputs.contactor = 0
        else:
            image.inputs.inverter_ok = 0
        assert not alarm(image, part, 16)
        assert image.protection.element_active[faults.ELEMENT_INVERTER_TRIP] == 0
        image.outputs.contactor = image.inputs.inverter_ok = 1
        assert not alarm(image, part, 16), "the alarm is still the old one"
