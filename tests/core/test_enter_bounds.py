# SPDX-License-Identifier: MIT
"""Enter service alone, fed by hand: each wait to the ms, each bound of the window, the random part, the ramp."""

from protect_rig import Profile, Settings, events

from evse import faults
from evse.image import Image
from evse.protect.enter_service import EnterService


class Enter:
    """EnterService with a grid inside the window."""

    def __init__(self, **profile):
        self.image = Image()
        self.inputs = self.image.inputs
        self.inputs.afe_ok = self.inputs.frequency_ok = 1
        self.inputs.frequency_uhz = 50000000
        self.inputs.now_ms = 5000
        self.part = EnterService(self.image, Settings, Profile(**profile))

    def run(self, ms=0, low=230000, high=230000, active=0):
        self.inputs.now_ms += ms
        self.part.run(low, high, active)
        return self.image.protection


def test_enter_waits_the_first_wait_to_the_ms_and_then_grants():
    rig = Enter()
    protection = rig.run()
    assert protection.wait_ms == 100 and not protection.service and protection.ramp_permille == 0
    protection.trip = 0
    assert rig.run(99).wait_ms == 1 and not protection.service
    rig.run(1)
    assert protection.service == 1 and protection.wait_ms == 0 and protection.ramp_permille == 1000
    assert events(rig.image) == [(faults.EVENT_GRID_HEALTHY, 0, 100, 0), (faults.EVENT_SERVICE_ENTERED, 0, 100, 0)]


def test_enter_after_service_or_a_trip_waits_the_other_wait():
    rig = Enter()
    rig.run()
    protection = rig.run(100)
    protection.service = 0
    protection.trip = 1
    assert rig.run(10).wait_ms == 300 and protection.ramp_permille == 0
    rig.run(299)
    assert not protection.service and protection.trip == 1
    rig.run(1)
    assert protection.service and protection.trip == 0
    rig = Enter()
    rig.image.protection.trip = 1
    assert rig.run().wait_ms == 300
    rig = Enter()
    rig.run()
    rig.run(100).service = 0
    assert rig.run().wait_ms == 300, "a loss of measurement is no first wait either"


def test_enter_window_at_each_bound():
    for values, cause in (
        ({"low": 210000}, 0),
        ({"low": 209999}, faults.ELEMENT_UV1),
        ({"high": 250000}, 0),
        ({"high": 250001}, faults.ELEMENT_OV1),
        ({"uhz": 49500000}, 0),
        ({"uhz": 49499999}, faults.ELEMENT_UF1),
        ({"uhz": 50200000}, 0),
        ({"uhz": 50200001}, faults.ELEMENT_OF1),
        ({"frequency_ok": 0}, faults.ELEMENT_UF1),
        ({"afe_ok": 0}, faults.ELEMENT_AFE),
    ):
        rig = Enter()
        rig.run()
        rig.inputs.frequency_uhz = values.get("uhz", 50000000)
        rig.inputs.frequency_ok = values.get("frequency_ok", 1)
        rig.inputs.afe_ok = values.get("afe_ok", 1)
        rig.inputs.afe_age_ms = 77
        low = values.get("low", 230000)
        high = values.get("high", 230000)
        protection = rig.run(100, low, high)
        assert protection.service == (0 if cause else 1), values
        if cause:
            value = {
                faults.ELEMENT_AFE: 77,
                faults.ELEMENT_UV1: low,
                faults.ELEMENT_OV1: high,
            }.get(cause, rig.inputs.frequency_uhz)
            assert events(rig.image)[-1] == (faults.EVENT_GRID_UNHEALTHY, cause, value, 0)
            assert protection.wait_ms == 100
            count = rig.image.events.count
            rig.run(10, low, high)
            assert rig.image.events.count == count, "said once"
            rig.inputs.frequency_uhz, rig.inputs.frequency_ok, rig.inputs.afe_ok = 50000000, 1, 1
            rig.run(10)
            assert not rig.run(99).service and rig.run(1).service, "the wait starts anew"


def test_enter_names_what_broke_the_wait_off():
    rig = Enter()
    rig.inputs.afe_ok = 0
    protection = rig.run()
    assert protection.unhealthy == faults.ELEMENT_AFE and not protection.wait_element, "before any wait: boot, no loss"
    rig.inputs.afe_ok = 1
    assert not rig.run(10).unhealthy
    rig.inputs.afe_ok = rig.inputs.frequency_ok = 0
    assert rig.run(10).wait_element == faults.ELEMENT_AFE
    rig.inputs.afe_ok = 1
    assert rig.run(10).unhealthy == faults.ELEMENT_UF1, "no frequency yet"
    assert protection.wait_element == faults.ELEMENT_AFE, "is still the lost measurement's doing"
    rig.inputs.frequency_ok = 1
    assert rig.run(10).wait_element == faults.ELEMENT_AFE, "while the new wait runs"
    assert rig.run(10, low=209999).wait_element == faults.ELEMENT_UV1
    rig.run(10)
    rig.inputs.frequency_ok = 0
    assert rig.run(10).wait_element == faults.ELEMENT_UF1
    rig.inputs.frequency_ok = 1
    rig.run(10)
    assert rig.run(100).service and not protection.wait_element
    protection.service = 0
    assert rig.run(10, high=250001).wait_element == faults.ELEMENT_OV1, "service ended"


def test_enter_blames_a_lost_measurement_until_something_is_seen():
    rig = Enter()
    rig.run()
    rig.run(100).service = 0
    for spoil, element in (
        ({"frequency_uhz": 49000000}, faults.ELEMENT_UF1),
        ({"frequency_uhz": 51000000}, faults.ELEMENT_OF1),
        ({"frequency_ok": 0, "low": 200000}, faults.ELEMENT_UV1),
    ):
        rig.inputs.afe_ok = rig.inputs.frequency_ok = 0
        rig.inputs.frequency_uhz = 50000000
        assert rig.run(10).wait_element == faults.ELEMENT_AFE
        rig.inputs.afe_ok = 1
        for _ in range(3):
            protection = rig.run(10)
            assert protection.unhealthy == faults.ELEMENT_UF1 and protection.wait_element == faults.ELEMENT_AFE
        rig.inputs.frequency_ok = spoil.get("frequency_ok", 1)
        rig.inputs.frequency_uhz = spoil.get("frequency_uhz", 50000000)
        assert rig.run(10, low=spoil.get("low", 230000)).wait_element == element


def test_enter_waits_while_anything_is_picked_up():
    rig = Enter()
    rig.run()
    assert not rig.run(100, active=1).service and rig.image.protection.wait_ms == 100
    assert events(rig.image)[-1] == (faults.EVENT_GRID_UNHEALTHY, 0, 50000000, 0)
    rig.run(10)
    assert rig.run(100).service
    rig = Enter()
    rig.image.protection.trip = 1
    rig.run(active=1)
    assert rig.image.protection.wait_ms == 300


def test_enter_random_part_is_bounded_seeded_and_drawn_anew():
    seen = []
    for name in ("rig", "rig", "rih", "a", "b"):
        Settings.device_id = name
        rig = Enter(enter_random_ms=1000)
        waits = []
        for _ in range(20):
            waits.append(rig.run().wait_ms)
            rig.run(0, low=0)
        assert all(100 <= wait < 1100 for wait in waits) and len(set(waits)) > 15
        seen.append(waits)
    Settings.device_id = "rig"
    assert seen[0] == seen[1] and seen[0] != seen[2] and seen[3] != seen[4]
    state = 1
    for character in "rig":
        state = (state * 31 + ord(character)) % 32748 + 1
    state = state * 1944 % 32749
    assert seen[0][0] == 100 + 1000 * state // 32749


def test_enter_without_a_ramp_gives_all_at_once_and_for_good():
    rig = Enter()
    rig.run()
    protection = rig.run(100)
    rig.image.outputs.contactor = 1
    for _ in range(3):
        assert protection.ramp_permille == 1000
        rig.run(1000)


def test_enter_ramp_by_its_rate_only_while_the_contactor_is_closed():
    rig = Enter(enter_ramp_permille_min=600)
    rig.run()
    protection = rig.run(100)
    assert protection.service and protection.ramp_permille == 0
    rig.run(1000)
    assert protection.ramp_permille == 0, "nothing is closed yet"
    rig.image.outputs.contactor = 1
    rig.run(10)
    assert protection.ramp_permille == 0, "the ramp begins here"
    rig.run(10000)
    assert protection.ramp_permille == 100
    rig.image.outputs.contactor = 0
    rig.run(50000)
    rig.image.outputs.contactor = 1
    rig.run(1000)
    assert protection.ramp_permille == 100, "it rests while open"
    rig.run(89900)
    assert protection.ramp_permille == 999
    rig.run(200)
    assert protection.ramp_permille == 1000
    rig.run(5000)
    assert protection.ramp_permille == 1000
    protection.service = 0
    rig.run(10)
    rig.run(300)
    assert protection.ramp_permille == 0 and protection.service, "a new service ramps from zero"
    rig.run(10)
    rig.run(10)
    assert protection.ramp_permille == 0
