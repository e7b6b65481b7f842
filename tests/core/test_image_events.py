# SPDX-License-Identifier: MIT
"""The event ring keeps order, forgets the oldest and never lies about what it lost."""

from array import array

from evse import faults
from evse.image import Events, Image, Inputs


def test_boot_is_zero():
    image = Image()
    assert image.protection.inhibit == 1
    assert image.protection.service == 0
    assert image.outputs.contactor == 0
    assert image.outputs.gate_arm == 0
    assert image.outputs.inverter_w == 0
    assert image.outputs.inverter_enable == 0
    assert image.limits.allowed_w == 0
    assert image.inputs.soc_ok == 0
    assert Inputs().soc_age_ms > 10**8


def test_events_come_back_in_order():
    events = Events(4)
    row = array("i", [0] * Events.WIDTH)
    for i in range(3):
        events.emit(100 + i, faults.EVENT_TRIP, i, -i, 1)
    for i in range(3):
        assert events.read(i, row) == 1
        assert list(row) == [100 + i, faults.EVENT_TRIP, i, -i, 1]
    assert events.read(3, row) == 0


def test_the_oldest_are_overwritten_and_reported_gone():
    events = Events(4)
    row = array("i", [0] * Events.WIDTH)
    for i in range(10):
        events.emit(i, faults.EVENT_PILOT, i)
    for i in range(6):
        assert events.read(i, row) == 0
    for i in range(6, 10):
        assert events.read(i, row) == 1
        assert row[2] == i
