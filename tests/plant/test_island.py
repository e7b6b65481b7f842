# SPDX-License-Identifier: MIT
"""The island in the plant against the closed formula, with no detection of any kind."""

from __future__ import annotations

import math

import pytest

from hil.plant.config import StationConfig
from hil.plant.feeder import Feeder

STEPS = (-0.10, -0.05, 0.0, 0.05, 0.10)


def islanded(power_w=7400.0, dp=0.0, dq=0.0, quality=1.0, var=0.0, seconds=3.0, **config) -> Feeder:
    """Export power_w (and absorb var), balance the load, lose the mains at 1 s, run on."""
    feeder = Feeder(StationConfig(**config))
    share = len(feeder.fleet)
    for unit in feeder.fleet:
        unit.set(power_w=-power_w / share, reactive_var=var / share)
    feeder.grid.island_load(power_w, quality, dp, dq, export_var=-var)
    feeder.run(1_000_000)
    feeder.grid.open()
    feeder.run(1_000_000 + round(seconds * 1e6))
    return feeder


def resonance_hz(dq: float, quality: float, nominal_hz: float) -> float:
    """Solve dq = quality (f / f0 - f0 / f)."""
    half = dq / quality / 2
    return nominal_hz * (half + math.sqrt(1 + half * half))


def check_formula(feeder: Feeder, dp: float, dq: float, quality: float = 1.0) -> None:
    config = feeder.config
    for k in range(config.phases):
        frequency_hz = 1.0 / feeder.reading.line_period_s[k]
        assert abs(frequency_hz - resonance_hz(dq, quality, config.nominal_hz)) < 0.05
        assert abs(feeder.reading.voltage_v[k] / (config.nominal_v / math.sqrt(1 + dp)) - 1) < 0.01


@pytest.mark.parametrize("dp", STEPS)
@pytest.mark.parametrize("dq", STEPS)
@pytest.mark.parametrize("power_w", (7400.0, 2000.0))
def test_island_settles_where_the_closed_formula_says(dp, dq, power_w):
    check_formula(islanded(power_w, dp, dq), dp, dq)


@pytest.mark.parametrize("dp", (-0.10, 0.10))
@pytest.mark.parametrize("dq", (-0.10, 0.10))
def test_three_phase_island_settles_where_the_closed_formula_says(dp, dq):
    check_formula(islanded(dp=dp, dq=dq, phases=3), dp, dq)


@pytest.mark.parametrize("quality", (0.7, 2.0))
def test_other_quality_factors(quality):
    check_formula(islanded(dq=0.05, quality=quality), 0.0, 0.05, quality)


def test_sixty_hertz():
    check_formula(islanded(dq=0.05, nominal_v=120.0, nominal_hz=60.0), 0.0, 0.05)


def test_reactive_output_is_part_of_the_balance():
    feeder = islanded(power_w=6000.0, var=2000.0)
    assert abs(1.0 / feeder.reading.line_period_s[0] - 50.0) < 0.05
    assert abs(feeder.reading.voltage_v[0] / 230.0 - 1) < 0.01
    assert abs(feeder.unit().reactive_var - 2000.0) < 20.0


@pytest.mark.parametrize("phases", (1, 3))
def test_balanced_island_lasts_ten_seconds(phases):
    feeder = islanded(seconds=0.0, phases=phases)
    start_us = feeder.t_us
    while feeder.t_us < start_us + 10_000_000:
        feeder.run(feeder.t_us + 100_000)
        assert abs(feeder.reading.voltage_v[0] / 230.0 - 1) < 0.02
        assert abs(1.0 / feeder.reading.line_period_s[0] - 50.0) < 0.05
        assert abs(feeder.unit().power_w + 7400.0) < 75.0


def test_frequency_follows_a_step_of_reactive_power():
    """A step of Q in the island moves f by what the formula says; in the grid by almost nothing."""
    step_var = 0.015 * 7400
    feeder = islanded()
    before_hz = 1.0 / feeder.reading.line_period_s[0]
    feeder.unit().set(reactive_var=step_var)
    feeder.run(feeder.t_us + 1_000_000)
    # The unit absorbs step_var more, which the load must now give: it looks inductive by that much, f rises.
    moved_hz = 1.0 / feeder.reading.line_period_s[0] - before_hz
    assert abs(moved_hz - (resonance_hz(0.015, 1.0, 50.0) - 50.0)) < 0.02

    grid = Feeder(StationConfig(short_circuit_ratio=10))
    grid.unit().set(power_w=-7400)
    grid.run(1_000_000)
    grid.unit().set(reactive_var=step_var)
    worst_hz = 0.0
    for _ in range(50):
        grid.run(grid.t_us + 10_000)
        worst_hz = max(worst_hz, abs(1.0 / grid.reading.line_period_s[0] - 50.0))
    assert worst_hz < 0.010
    assert moved_hz > 10 * worst_hz


def test_island_without_source_of_power_dies():
    feeder = islanded(seconds=1.0)
    feeder.unit().connect(False)
    feeder.run(feeder.t_us + 500_000)
    assert feeder.reading.voltage_v[0] < 0.05 * 230.0


def test_ten_units_in_one_island_share_it():
    feeder = islanded(power_w=10 * 3000.0, dq=0.03, units=10)
    check_formula(feeder, 0.0, 0.03)
    powers = [unit.power_w for unit in feeder.fleet]
    assert all(abs(power + 3000.0) < 30.0 for power in powers)
    feeder.fleet[0].connect(False)
    feeder.run(feeder.t_us + 2_000_000)
    assert abs(feeder.reading.voltage_v[0] / (230.0 * math.sqrt(0.9)) - 1) < 0.01


def test_own_anti_islanding_ends_the_island_when_asked_for():
    """The inverter's optional method drives the frequency away; its own protection then trips."""
    from hil.plant.config import InverterConfig

    inverter = InverterConfig(own_protection=True, own_anti_islanding_var_hz=1500.0)
    feeder = islanded(inverter=inverter, seconds=5.0, dq=0.01)
    assert feeder.unit()["tripped"] == 1
    assert abs(feeder.unit().power_w) < 10.0
