# SPDX-License-Identifier: MIT
"""Cable coding of both families, at the nominal resistors and their tolerance, and refused codes."""

from vehicle_rig import Rig

from evse import faults


def plugged(family, ohm, **settings):
    rig = Rig(cable_family=family, **settings)
    rig.world.proximity_mv = 3300 if ohm is None else 3300 * ohm // (ohm + 1000)
    rig.run(1000)
    rig.vehicle("B")
    rig.run(300)
    return rig


def test_iec_resistors():
    for ohm, current_ma in ((1500, 13000), (680, 20000), (220, 32000), (100, 63000)):
        for tolerance in (97, 100, 103):
            rig = plugged("iec", ohm * tolerance // 100)
            assert rig.image.inputs.cable_ma == current_ma, ohm
            assert rig.image.status.fault_count == 0


def test_iec_bounds():
    for ohm, current_ma in ((76, 63000), (148, 63000), (152, 32000), (328, 32000), (333, 20000), (1006, 13000)):
        assert plugged("iec", ohm).image.inputs.cable_ma == current_ma, ohm


def test_iec_unknown_code_is_a_fault_only_while_plugged():
    for ohm in (10, 60, 5000, None):
        rig = plugged("iec", ohm)
        assert rig.image.status.fault[faults.FAULT_PROXIMITY], ohm
        assert rig.image.inputs.cable_ma == 0
        rig.vehicle("A")
        rig.run(100)
        assert not rig.image.status.fault[faults.FAULT_PROXIMITY]


def test_j1772_latched_and_pressed():
    rig = plugged("j1772", 150, cable_ma=40000)
    assert rig.image.inputs.cable_ma == 40000
    rig = plugged("j1772", 480)
    assert rig.image.inputs.cable_ma == 0 and rig.image.status.fault_count == 0


def test_pressing_the_latch_takes_the_current_away():
    rig = Rig(cable_family="j1772", ramp_up_permille_min=0)
    rig.world.proximity_mv = 3300 * 150 // 1150
    rig.energise()
    assert rig.image.limits.allowed_w == 7360
    rig.world.proximity_mv = 3300 * 480 // 1480
    rig.run(120)
    assert rig.image.limits.allowed_w == 0 and rig.image.limits.reason == faults.REASON_CABLE


def test_tethered_takes_the_setting():
    rig = plugged("tethered", None, cable_ma=20000)
    assert rig.image.inputs.cable_ma == 20000
    assert rig.image.outputs.duty_permille == 20000 // 60


def test_a_bouncing_code_is_not_believed():
    rig = plugged("iec", 220)
    for _ in range(20):
        rig.world.proximity_mv = 3300 * 1500 // 2500
        rig.run(30)
        rig.world.proximity_mv = 3300 * 220 // 1220
        rig.run(30)
        assert rig.image.inputs.cable_ma == 32000
        assert rig.image.status.fault_count == 0
