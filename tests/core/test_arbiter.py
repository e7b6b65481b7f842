# SPDX-License-Identifier: MIT
"""The priority table: all 32 combinations of claims, and the owner that is recorded."""

from vehicle_rig import Rig

from evse import faults
from evse.decide import arbiter


def test_every_combination_of_claims():
    order = arbiter.PRIORITY
    assert order == (
        faults.SERVICE_FAULT,
        faults.SERVICE_PROTECT,
        faults.SERVICE_VEHICLE,
        faults.SERVICE_DEPARTURE,
        faults.SERVICE_REMOTE,
        faults.SERVICE_USER,
    )
    for claims in range(32):
        expected = faults.SERVICE_USER
        for place in range(4, -1, -1):
            if claims & (1 << place):
                expected = order[place]
        assert arbiter.OWNERS[claims] == expected, claims


def test_first_three_want_zero():
    rig = Rig(ramp_up_permille_min=0)
    rig.energise()
    rig.mail("lease", power_w=-5000, duration_ms=60000)
    rig.run(50)
    assert rig.image.request.owner == faults.SERVICE_REMOTE and rig.image.request.want_w == -5000
    rig.image.protection.inhibit = 1
    rig.cycle()
    assert rig.image.request.owner == faults.SERVICE_PROTECT and rig.image.request.want_w == 0
    rig.image.status.cause[faults.FAULT_AFE_STALE] = 1
    rig.cycle()
    assert rig.image.request.owner == faults.SERVICE_FAULT and rig.image.request.want_w == 0
    rig.image.status.cause[faults.FAULT_AFE_STALE] = 0
    rig.image.protection.inhibit = 0
    rig.vehicle("B")
    rig.run(50)
    assert rig.image.request.owner == faults.SERVICE_VEHICLE and rig.image.request.want_w == 0


def test_droop_is_not_added_while_nobody_may_command():
    rig = Rig()
    rig.energise()
    rig.image.inputs.frequency_uhz = 49000000
    rig.image.protection.inhibit = 1
    rig.cycle()
    assert rig.image.request.droop_w == 0 and rig.image.request.want_w == 0


def test_owner_events_name_each_change_once():
    rig = Rig()
    rig.energise()
    rig.run(3000)
    rig.mail("lease", power_w=-100, duration_ms=1000)
    rig.run(5000)
    owners = [subject for subject, _ in rig.events(faults.EVENT_OWNER)]
    assert owners == [faults.SERVICE_VEHICLE, faults.SERVICE_USER, faults.SERVICE_REMOTE]
