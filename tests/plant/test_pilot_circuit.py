# SPDX-License-Identifier: MIT
"""Control pilot levels at both peak detectors, proximity, and the vehicle's reactions."""

from __future__ import annotations

import math

import pytest


def levels(bench, duty: float) -> tuple[float, float]:
    bench.outputs.pilot_duty = duty
    bench.run(10)
    return bench.inputs.pilot_high_v, bench.inputs.pilot_low_v


def test_no_vehicle(bench):
    assert levels(bench, 1.0) == (12.0, 12.0)
    assert levels(bench, 0.5) == (12.0, -12.0)
    assert levels(bench, 0.0) == (-12.0, -12.0)
    assert math.isinf(bench.inputs.proximity_ohm)


def test_b_c_and_d(bench):
    bench.station.vehicle.plug(ready=False)
    high, low = levels(bench, 1.0)
    assert abs(high - 9.0) < 0.1 and low == high
    high, low = levels(bench, 0.53)
    assert abs(high - 9.0) < 0.1 and low == -12.0
    bench.station.vehicle.ready()
    bench.run(500)
    assert bench.station.vehicle.state == "C"
    assert abs(bench.inputs.pilot_high_v - 6.0) < 0.1 and bench.inputs.pilot_low_v == -12.0
    bench.station.vehicle.ready(False)
    bench.run(10)
    bench.station.vehicle.ready(ventilation=True)
    bench.run(500)
    assert bench.station.vehicle.state == "D"
    assert abs(bench.inputs.pilot_high_v - 3.0) < 0.2


@pytest.mark.parametrize("duty", (1.0, 0.0))
def test_vehicle_waits_for_pwm(bench, duty):
    bench.station.vehicle.plug()
    bench.outputs.pilot_duty = duty
    bench.run(2000)
    assert bench.station.vehicle.state == "B"
    bench.outputs.pilot_duty = 0.3
    bench.run(290)
    assert bench.station.vehicle.state == "B"
    bench.run(30)
    assert bench.station.vehicle.state == "C"


def test_vehicle_leaves_c_when_pwm_stops_unless_it_ignores_that(bench):
    bench.station.vehicle.plug()
    levels(bench, 0.5)
    bench.run(500)
    bench.outputs.pilot_duty = 1.0
    bench.run(450)
    assert bench.station.vehicle.state == "C"
    bench.run(100)
    assert bench.station.vehicle.state == "B"
    bench.station.faults.set("vehicle_ignores_stop")
    levels(bench, 0.5)
    bench.run(500)
    bench.outputs.pilot_duty = 1.0
    bench.run(10_000)
    assert bench.station.vehicle.state == "C"
    assert abs(bench.inputs.pilot_low_v - 6.0) < 0.1


@pytest.mark.parametrize(
    "fault, duty, high, low",
    (
        ("pilot_diode", 0.5, 8.79, -8.79),
        ("pilot_short", 0.5, 0.0, 0.0),
        ("pilot_short", 1.0, 0.0, 0.0),
        ("pe_lost", 0.5, 12.0, -12.0),
        ("pilot_resistance", 0.5, 9.62, -12.0),
        ("pilot_supply", 0.5, 7.51, -10.0),
    ),
)
def test_pilot_faults(bench, fault, duty, high, low):
    bench.station.vehicle.plug(ready=False)
    bench.station.faults.set(fault)
    got = levels(bench, duty)
    assert got == (pytest.approx(high, abs=0.02), pytest.approx(low, abs=0.02))


@pytest.mark.parametrize("amps, ohm", ((13, 1500.0), (20, 680.0), (32, 220.0), (63, 100.0)))
def test_cable_coding(bench, amps, ohm):
    bench.station.vehicle.plug(cable_a=amps)
    bench.run(10)
    assert bench.inputs.proximity_ohm == ohm
    bench.station.faults.set("proximity", 45.0)
    bench.run(10)
    assert bench.inputs.proximity_ohm == 45.0
    bench.station.faults.clear("proximity")
    bench.station.vehicle.unplug()
    bench.run(10)
    assert math.isinf(bench.inputs.proximity_ohm)
    assert bench.station.vehicle.state == "A"


def test_unknown_cable_is_named(bench):
    with pytest.raises(ValueError, match="cable_a 40: one of"):
        bench.station.vehicle.plug(cable_a=40)
