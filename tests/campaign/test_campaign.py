# SPDX-License-Identifier: MIT
"""A few cases of the fault campaign on the whole firmware; and that the campaign finds what is unsafe."""

from __future__ import annotations

import pytest

from backfeed.campaign import chosen
from backfeed.errors import InputError
from hil.campaign import plan
from hil.campaign.invariants import Watch
from hil.campaign.pool import run_cases
from hil.plant.faults import FAULTS
from hil.plant.interface import BoardInputs, BoardOutputs
from hil.plant.station import Station

SUBSET = (
    "estop@exporting",
    "pilot_diode@importing",
    "contactor_weld@stopping",
    "rcd_leakage@closing",
    "stall_80@exporting",
    "leaves_c@exporting",
    "mirror_broken@idle",
    "modbus_silent@exporting",
)


def test_every_fault_of_the_plant_has_a_row_and_every_state_is_met():
    loaded = plan.load()
    cases = loaded.cases()
    assert len({case.name for case in cases}) == len(cases) > 500
    assert {s["name"] for t in loaded.troubles for s in t.do if s.get("do") == "fault"} == set(FAULTS)


def test_a_subset_is_safe_and_says_why():
    cases = [case for case in plan.load().cases() if case.name in SUBSET]
    assert len(cases) == len(SUBSET)
    for result in run_cases(cases, 2):
        assert result.passed, (result.name, result.violations, result.problem, result.said)


def _closed(station: Station, watch: Watch, outputs: BoardOutputs, until_us: int) -> None:
    for t_us in range(0, until_us, 10_000):
        outputs.gate_edge_us = t_us
        inputs: BoardInputs = station.advance(t_us, outputs)
        watch(t_us, outputs, inputs)


def test_a_board_that_closes_without_a_vehicle_is_found():
    station = Station()
    watch = Watch(station, 7360, 0.2)
    _closed(station, watch, BoardOutputs(gate_arm=True, contactor=True), 300_000)
    assert any("without a vehicle" in what for _, what in watch.violations), watch.violations


def test_a_board_that_stays_closed_after_the_plug_is_pulled_is_found():
    station = Station()
    station.vehicle.plug()
    watch = Watch(station, 7360, 0.2)
    outputs = BoardOutputs(pilot_duty=0.5)
    _closed(station, watch, outputs, 1_000_000)
    outputs.gate_arm = outputs.contactor = True
    for t_us in range(1_000_000, 2_000_000, 10_000):
        if t_us == 1_500_000:
            station.vehicle.unplug()
        outputs.gate_edge_us = t_us
        watch(t_us, outputs, station.advance(t_us, outputs))
    assert any("contacts closed 100 ms after" in what for _, what in watch.violations), watch.violations


def test_a_wrong_name_is_refused_in_one_line():
    with pytest.raises(InputError, match="FAULT nosuch: unknown"):
        chosen(plan.load(), ("nosuch",), (), 1)
