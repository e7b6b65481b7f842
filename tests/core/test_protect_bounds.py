# SPDX-License-Identifier: MIT
"""Protect as a whole: which phase and element it names, what blindness does, which parts a profile brings."""

from protect_rig import Profile, Row, Settings, image_in_service

from evse import faults
from evse.protect import Protect


def protect_of(phases=1, **profile):
    image = image_in_service()
    image.inputs.frequency_uhz = 50000000
    settings = Settings()
    settings.phases = phases
    rows = [
        Row(faults.ELEMENT_OV1, 262000, 1, 20),
        Row(faults.ELEMENT_UV1, 184000, 0, 20),
        Row(faults.ELEMENT_OF1, 52000000, 1, 20, 20000),
        Row(faults.ELEMENT_UF1, 47500000, 0, 20, 20000),
    ]
    part = Protect(image, settings, Profile(stages=rows, **profile))
    for phase in range(3):
        image.inputs.phase_mv[phase] = 230000
    image.protection.ramp_permille = 1000
    return image, part


def cycles(image, part, count=4):
    for _ in range(count):
        image.inputs.now_ms += 10
        part.run()


def test_protect_each_phase_that_is_in_use_and_no_other():
    for phases in (1, 2, 3):
        for phase in range(3):
            for mv, element in ((265000, faults.ELEMENT_OV1), (180000, faults.ELEMENT_UV1)):
                image, part = protect_of(phases)
                image.inputs.phase_mv[phase] = mv
                cycles(image, part)
                protection = image.protection
                assert protection.trip == (1 if phase < phases else 0), (phases, phase)
                if protection.trip:
                    assert (protection.trip_element, protection.trip_phase) == (element, phase + 1)
                    assert protection.inhibit == 1
                else:
                    assert protection.inhibit == 0


def test_protect_names_the_first_of_equal_phases():
    image, part = protect_of(3)
    for phase in range(3):
        image.inputs.phase_mv[phase] = 265000
    cycles(image, part)
    assert image.protection.trip_phase == 1
    image, part = protect_of(3)
    for phase in range(3):
        image.inputs.phase_mv[phase] = 100000
    cycles(image, part)
    assert image.protection.trip_phase == 1


def test_protect_names_the_phase_of_now_and_not_of_before():
    for before_mv, mv in ((240000, 265000), (220000, 180000)):
        image, part = protect_of(3)
        image.inputs.phase_mv[2] = before_mv
        cycles(image, part)
        image.inputs.phase_mv[2] = 230000
        image.inputs.phase_mv[0] = mv
        cycles(image, part)
        assert image.protection.trip_phase == 1


def test_protect_frequency_only_while_it_is_believed():
    for uhz, element in ((52100000, faults.ELEMENT_OF1), (47400000, faults.ELEMENT_UF1)):
        image, part = protect_of()
        image.inputs.frequency_uhz = uhz
        cycles(image, part)
        assert image.protection.trip_element == element and image.protection.trip_phase == 0
        image, part = protect_of()
        image.inputs.frequency_uhz = uhz
        cycles(image, part, 2)
        image.inputs.frequency_ok = 0
        cycles(image, part, 2)
        assert not image.protection.trip and image.protection.element_active[element] == 0, "dropped"
        image.inputs.frequency_ok = 1
        cycles(image, part, 2)
        assert not image.protection.trip, "its time starts anew"


def test_protect_blind_takes_service_and_drops_every_timer():
    image, part = protect_of()
    image.inputs.phase_mv[0] = 265000
    image.inputs.frequency_uhz = 52100000
    cycles(image, part, 2)
    active = image.protection.element_active
    assert active[faults.ELEMENT_OV1] and active[faults.ELEMENT_OF1]
    image.inputs.afe_ok = image.inputs.frequency_ok = 0
    cycles(image, part, 1)
    protection = image.protection
    assert protection.service == 0 and protection.inhibit == 1 and not protection.trip
    assert active[faults.ELEMENT_AFE] == 1 and not active[faults.ELEMENT_OV1] and not active[faults.ELEMENT_OF1]
    image.inputs.phase_mv[0] = 180000
    image.inputs.afe_ok = image.inputs.frequency_ok = 1
    image.inputs.frequency_uhz = 50000000
    cycles(image, part, 1)
    assert active[faults.ELEMENT_AFE] == 0 and active[faults.ELEMENT_UV1] == 1
    image.inputs.afe_ok = 0
    cycles(image, part, 1)
    assert not active[faults.ELEMENT_UV1]


def test_protect_grants_again_only_through_the_whole_wait():
    image, part = protect_of()
    image.inputs.phase_mv[0] = 265000
    cycles(image, part)
    assert image.protection.trip
    image.inputs.phase_mv[0] = 230000
    cycles(image, part, 30)
    assert not image.protection.service
    cycles(image, part, 2)
    assert image.protection.service and not image.protection.inhibit and not image.protection.trip
    image.protection.service = 0
    image.inputs.phase_mv[0] = 205000
    cycles(image, part, 60)
    assert not image.protection.service, "the lowest phase is looked at"
    image.inputs.phase_mv[0] = 255000
    cycles(image, part, 60)
    assert not image.protection.service, "and the highest"
    image.inputs.phase_mv[0] = 230000
    image.protection.element_active[faults.ELEMENT_OV_MEAN] = 1
    cycles(image, part, 60)
    assert not image.protection.service, "and whatever is picked up"


def test_protect_runs_what_the_profile_has():
    image, part = protect_of(vector_shift_mdeg=20000)
    image.inputs.phase_jump_mdeg = 30000
    cycles(image, part, 1)
    assert image.protection.trip_element == faults.ELEMENT_VECTOR_SHIFT
    image, part = protect_of(rocof_mhz_s=1000)
    image.inputs.rocof_ok = 1
    image.inputs.rocof_mhz_s = image.inputs.rocof_fast_mhz_s = 2000
    cycles(image, part, 60)
    assert image.protection.trip_element == faults.ELEMENT_ROCOF
    image, part = protect_of(mean_mv=231000)
    image.inputs.phase_mv[0] = 260000
    for _ in range(40):
        image.inputs.now_ms += 2500
        part.run()
    cycles(image, part, 1)
    assert part._mean._started and image.protection.element_active[faults.ELEMENT_OV_MEAN]
    image, part = protect_of(cessation_low_mv=200000)
    image.inputs.phase_mv[0] = 190000
    cycles(image, part, 1)
    assert image.protection.cessation == 1
    image, part = protect_of()
    image.outputs.contactor = image.inputs.inverter_ok = image.inputs.inverter_connected = 1
    cycles(image, part, 1)
    image.inputs.inverter_alarms = 1 << 4
    cycles(image, part, 1)
    assert image.protection.trip_element == faults.ELEMENT_INVERTER_TRIP


def test_protect_turns_the_active_method_into_a_trip():
    image, part = protect_of()

    class Detector:
        detected = 0
        threshold_mhz = 1600
        runs = 0

        def run(self):
            self.runs += 1

    part._islanding = Detector()
    cycles(image, part, 1)
    assert part._islanding.runs == 1 and not image.protection.trip
    part._islanding.detected = 1
    image.protection.islanding_mhz = 1700
    cycles(image, part, 1)
    protection = image.protection
    assert (protection.trip_element, protection.trip_value) == (faults.ELEMENT_ISLANDING, 1700)
    assert (protection.trip_threshold, protection.trip_phase) == (1600, 0)
    image.inputs.afe_ok = 0
    cycles(image, part, 1)
    assert part._islanding.runs == 2, "blind, nobody asks"


def test_protect_runs_the_ramp_while_service_lasts():
    image, part = protect_of(enter_ramp_permille_min=600)
    image.protection.ramp_permille = 0
    image.outputs.contactor = 1
    cycles(image, part, 101)
    assert image.protection.ramp_permille == 10
    cycles(image, part, 10000)
    assert image.protection.ramp_permille == 1000


def test_contacts_may_close_only_inside_the_window_with_nothing_picked_up():
    for values, allowed in (
        ({}, 1),
        ({"phase_mv": 209999}, 0),
        ({"phase_mv": 180000}, 0),  # picked up, not tripped yet
        ({"phase_mv": 250001}, 0),
        ({"frequency_uhz": 49499999}, 0),
        ({"frequency_uhz": 50200001}, 0),
        ({"frequency_ok": 0}, 0),
        ({"afe_ok": 0}, 0),
    ):
        image, part = protect_of()
        cycles(image, part, 1)
        assert image.protection.may_close == 1
        for name, value in values.items():
            if name == "phase_mv":
                image.inputs.phase_mv[0] = value
            else:
                setattr(image.inputs, name, value)
        cycles(image, part, 1)
        assert image.protection.may_close == allowed, values
        assert not image.protection.trip, "one cycle is below every delay"


def test_a_stage_that_has_not_dropped_out_forbids_to_close():
    image, part = protect_of()
    cycles(image, part, 1)
    image.protection.element_active[faults.ELEMENT_ROCOF] = 1
    cycles(image, part, 1)
    assert image.protection.service and not image.protection.unhealthy and not image.protection.may_close
    image.protection.element_active[faults.ELEMENT_ROCOF] = 0
    image.outputs.contactor = 1
    cycles(image, part, 1)
    assert not image.protection.may_close, "judged while the coil is off"
    image.outputs.contactor = 0
    cycles(image, part, 1)
    assert image.protection.may_close == 1
