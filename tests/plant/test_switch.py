# SPDX-License-Identifier: MIT
"""Safety gate, contactor, residual current, emergency stop, temperatures."""

from __future__ import annotations

import pytest


def edge_times(bench, attribute: str, ms: float) -> list[int]:
    """Step in 50 us and note when an input changes, relative to now, us."""
    start_us, times = bench.t_us, []
    was = getattr(bench.inputs, attribute)
    while bench.t_us < start_us + ms * 1000:
        bench.run(0.05, step_us=50)
        now = getattr(bench.inputs, attribute)
        if now != was:
            times.append(bench.t_us - start_us)
        was = now
    return times


def test_gate_needs_arm_and_edges(bench):
    bench.run(20)
    assert bench.inputs.gate_up
    bench.edges = False
    last_us = bench.outputs.gate_edge_us
    (dropped,) = edge_times(bench, "gate_up", 100)
    assert abs(bench.t_us - 100_000 + dropped - last_us - 60_000) <= 50
    bench.edges = True
    bench.run(10)
    assert bench.inputs.gate_up
    bench.outputs.gate_arm = False
    bench.run(10)
    assert not bench.inputs.gate_up


def test_contactor_closes_with_bounce_and_opens_in_its_times(bench):
    bench.run(100)
    bench.outputs.contactor = True
    times = edge_times(bench, "contactor_open", 60)
    assert abs(times[0] - 20_000) <= 100
    assert len(times) == 5 and times[-1] <= 22_100  # 2 ms of bounce
    assert not bench.inputs.contactor_open
    bench.outputs.contactor = False
    (opened,) = edge_times(bench, "contactor_open", 60)
    assert abs(opened - 18_000) <= 100
    truth = bench.station.truth
    assert truth.contactor_opened_us == bench.t_us - 60_000 + opened


def test_short_pulse_does_not_close(bench):
    bench.run(100)
    bench.outputs.contactor = True
    bench.run(10)
    bench.outputs.contactor = False
    bench.run(100)
    assert bench.inputs.contactor_open
    assert bench.station.truth.contactor_closed_us < 0


@pytest.mark.parametrize("way", ("arm", "edges", "coil"))
def test_coil_is_powered_through_the_gate_only(bench, way):
    bench.energise(-3000.0)
    if way == "arm":
        bench.outputs.gate_arm = False
    elif way == "edges":
        bench.edges = False
    else:
        bench.outputs.contactor = False
    bench.run(100)
    assert bench.inputs.contactor_open
    assert not bench.station.truth.contactor_closed


def test_weld_stays_closed_and_mirror_tells(bench):
    bench.energise(-3000.0)
    bench.station.faults.set("contactor_weld")
    bench.outputs.contactor = False
    bench.run(200)
    assert not bench.inputs.contactor_open
    assert bench.station.truth.contactor_closed
    bench.station.faults.clear("contactor_weld")
    bench.run(20)
    assert bench.inputs.contactor_open


def test_welded_neutral_shows_on_the_mirror_only(bench):
    bench.energise(-3000.0)
    bench.station.faults.set("neutral_weld")
    bench.outputs.contactor = False
    bench.run(200)
    assert not bench.inputs.contactor_open
    assert not bench.station.truth.contactor_closed


@pytest.mark.parametrize(
    "fault, closed, mirror_open",
    (
        ("contactor_coil", False, True),
        ("mirror_stuck_open", True, True),
        ("mirror_broken", True, False),
    ),
)
def test_contactor_faults(bench, fault, closed, mirror_open):
    bench.station.faults.set(fault)
    bench.outputs.contactor = True
    bench.run(200)
    assert bench.station.truth.contactor_closed == closed
    assert bench.inputs.contactor_open == mirror_open


@pytest.mark.parametrize("fault, up", (("gate_stuck_up", True), ("gate_dead", False)))
def test_gate_faults(bench, fault, up):
    bench.station.faults.set(fault)
    bench.outputs.gate_arm = not up
    bench.run(100)
    assert bench.inputs.gate_up == up


@pytest.mark.parametrize("leakage_ma, low_ms, high_ms", ((6.0, 9900, 10100), (60.0, 90, 110), (200.0, 1, 20)))
def test_rcd_trips_by_current_and_time(bench, leakage_ma, low_ms, high_ms):
    bench.run(100)
    bench.station.faults.set("rcd_leakage", leakage_ma)
    bench.run(low_ms - 1, step_us=1000)
    assert not bench.inputs.rcd_tripped
    bench.run(high_ms - low_ms + 1)
    assert bench.inputs.rcd_tripped
    bench.station.faults.clear("rcd_leakage")
    bench.run(600)
    assert not bench.inputs.rcd_tripped


def test_rcd_ignores_what_is_below_its_limit(bench):
    bench.station.faults.set("rcd_leakage", 5.0)
    bench.run(20_000)
    assert not bench.inputs.rcd_tripped


def test_rcd_answers_its_test_unless_dead(bench):
    bench.run(100)
    bench.outputs.rcd_test = True
    bench.run(20)
    assert not bench.inputs.rcd_tripped
    bench.run(30)
    assert bench.inputs.rcd_tripped
    bench.outputs.rcd_test = False
    bench.run(50)
    assert not bench.inputs.rcd_tripped
    bench.station.faults.set("rcd_test_dead")
    bench.outputs.rcd_test = True
    bench.run(200)
    assert not bench.inputs.rcd_tripped


def test_emergency_stop(bench):
    bench.station.faults.set("estop")
    assert bench.run(10).estop
    bench.station.faults.clear("estop")
    assert not bench.run(10).estop


def test_temperatures_rise_with_the_square_of_the_current(bench):
    bench.energise(7000.0)
    share = (7000.0 / 7400.0 / (bench.inputs.afe.voltage_v[0] / 230.0)) ** 2
    bench.run(600_000)
    # One time constant (600 s) of a 30 K rise at rated current.
    assert abs(bench.inputs.connector_c - (25.0 + 30.0 * share * 0.632)) < 0.6
    bench.station.faults.set("connector_hot", 99.0)
    assert bench.run(10).connector_c == 99.0
    bench.station.faults.clear("connector_hot")
    assert bench.run(10).connector_c < 60.0


def test_hidden_weld_leaves_the_terminals_live_and_the_mirror_lies(bench):
    bench.run(100)
    bench.outputs.contactor = True
    bench.run(50)
    assert not bench.inputs.contactor_open
    bench.station.faults.set("weld_unseen")
    bench.outputs.contactor = False
    bench.run(50)
    assert bench.inputs.contactor_open, "the mirror follows the armature"
    assert bench.station.truth.contactor_closed
    bench.station.inverter.refresh()
    assert bench.station.inverter.map.get("701.LNV") > 200
    bench.station.faults.clear("weld_unseen")
    bench.run(200)
    bench.station.inverter.refresh()
    assert not bench.station.truth.contactor_closed and bench.station.inverter.map.get("701.LNV") < 5
