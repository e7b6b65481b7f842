# SPDX-License-Identifier: MIT
"""The station as a whole: energy, battery, determinism, faults, truth."""

from __future__ import annotations

import math

import pytest

from hil.plant.config import StationConfig, VehicleConfig
from hil.plant.faults import FAULTS


@pytest.mark.parametrize("power_w", (5000.0, -5000.0))
@pytest.mark.parametrize("phases", (1, 3))
def test_energy_is_conserved_from_meter_to_battery(make_bench, power_w, phases):
    bench = make_bench(StationConfig(phases=phases))
    bench.energise(power_w)
    afe = bench.inputs.afe
    start = (sum(afe.import_wh) - sum(afe.export_wh), bench.station.vehicle.soc * 60000)
    bench.run(60_000)
    metered = sum(afe.import_wh) - sum(afe.export_wh) - start[0]
    stored = bench.station.vehicle.soc * 60000 - start[1]
    assert metered == pytest.approx(power_w / 60, rel=0.002)
    assert stored == pytest.approx(metered * (0.96 if power_w > 0 else 1 / 0.96), rel=0.001)
    energy = bench.station.truth.energy_wh
    assert energy["dc_in_wh"] - energy["dc_out_wh"] == pytest.approx(stored, rel=0.05)


def test_charge_tapers_near_full_and_stops_at_full(make_bench):
    bench = make_bench(StationConfig(vehicle=VehicleConfig(soc=0.95, capacity_wh=1000.0)))
    bench.energise(7000.0)
    # Half of what the inverter may draw (7400 W) at 0.95 with a taper from 0.9.
    assert 3000 < bench.station.truth.power_w < 3720
    bench.run(120_000)
    assert bench.station.vehicle.soc > 0.99
    assert bench.station.truth.power_w < 800


def test_battery_gives_nothing_below_its_own_floor(make_bench):
    bench = make_bench(StationConfig(vehicle=VehicleConfig(soc=0.052, capacity_wh=1000.0)))
    bench.energise(-7000.0)
    bench.run(20_000)
    assert abs(bench.station.truth.power_w) < 1
    assert 0.048 < bench.station.vehicle.soc <= 0.0501


def test_unplugged_vehicle_takes_and_gives_nothing(bench):
    bench.energise(5000.0)
    bench.station.vehicle.unplug()
    bench.run(500)
    assert abs(bench.station.truth.power_w) < 1


def test_battery_warms_under_load(bench):
    bench.energise(7000.0)
    before = bench.station.vehicle.battery_c
    bench.run(120_000)
    assert before < bench.station.vehicle.battery_c < before + 2


def history(make_bench, seed: int) -> list:
    bench = make_bench(StationConfig(seed=seed))
    bench.station.grid.noise(0.002)
    bench.energise(-4000.0)
    bench.station.at(3_000_000, bench.station.grid.open)
    rows = []
    for _ in range(100):
        inputs = bench.run(10)
        rows.append((inputs.afe.voltage_v[0], inputs.afe.line_period_s[0], inputs.afe.active_w[0]))
    return rows


def test_same_seed_same_numbers_other_seed_others(make_bench):
    first = history(make_bench, 1)
    assert history(make_bench, 1) == first
    assert history(make_bench, 2) != first


def test_returned_inputs_are_one_object(bench):
    assert bench.run(10) is bench.run(10)


def held(station, fault):
    """Return what stands where a fault acts."""
    if fault.place == "inverter":
        return getattr(station.inverter, fault.field)
    return {"world": station.world, "afe": station.afe, "unit": station.units}[fault.place][fault.field][0].item()


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_sets_and_clears(bench, name):
    fault, station = FAULTS[name], bench.station
    assert fault.text[0].isupper() and not fault.text.endswith(".")
    bench.run(50)
    before = held(station, fault)
    assert before != fault.on
    station.faults.set(name)
    assert held(station, fault) == station.faults.active[name] == fault.on
    bench.run(50)
    station.faults.clear_all()
    assert not station.faults.active
    assert held(station, fault) == before
    bench.run(50)


def test_clearing_puts_back_what_was_there(bench):
    bench.station.world["pilot_supply_v"][0] = 11.7
    bench.station.faults.set("pilot_supply")
    bench.station.faults.set("pilot_supply", 9.0)
    bench.run(10)
    assert bench.inputs.pilot_high_v == 9.0
    bench.station.faults.clear("pilot_supply")
    bench.station.faults.clear("pilot_supply")
    bench.run(10)
    assert bench.inputs.pilot_high_v == 11.7


def test_unknown_fault_is_named(bench):
    with pytest.raises(ValueError, match="fault 'nonsense': unknown; one of"):
        bench.station.faults.set("nonsense")


def test_frozen_afe_keeps_counting_energy(bench):
    bench.energise(6000.0)
    bench.station.faults.set("afe_frozen")
    before = bench.inputs.afe.sequence, bench.inputs.afe.import_wh[0]
    bench.run(10_000)
    assert (bench.inputs.afe.sequence, bench.inputs.afe.import_wh[0]) == before
    bench.station.faults.clear("afe_frozen")
    bench.run(20)
    assert bench.inputs.afe.import_wh[0] - before[1] == pytest.approx(6000 * 10.0 / 3600, rel=0.01)
    assert bench.inputs.afe.sequence > before[0] + 900


def test_one_false_period_is_one(bench):
    bench.run(500)
    bench.station.faults.set("afe_false_period")
    periods = [bench.run(10).afe.line_period_s[0] for _ in range(10)]
    assert 1 <= sum(abs(p - 1 / 65) < 1e-6 for p in periods) <= 2


def test_run_on_after_loss_of_mains_is_measured_to_the_step(bench):
    bench.energise(-5000.0)
    bench.station.grid.island_load(5000.0)
    opened_us = bench.t_us + 500_000
    bench.station.at(opened_us, bench.station.grid.open)
    bench.run(700)
    truth = bench.station.truth
    assert truth.island_us == opened_us
    assert abs(truth.run_on_us - 200_000) <= 300  # a crossing of the current may lie just there
    bench.outputs.gate_arm = False
    bench.run(100)
    assert 200_000 <= truth.run_on_us <= 201_500
    assert 17_000 <= truth.contactor_opened_us - truth.gate_dropped_us <= 18_100


def test_three_phase_board_sees_three_phases(make_bench):
    bench = make_bench(StationConfig(phases=3))
    bench.energise(6000.0)
    afe = bench.inputs.afe
    assert all(abs(power - 2000) < 10 for power in afe.active_w)
    assert all(math.isclose(period, 0.02, rel_tol=1e-4) for period in afe.line_period_s)
