# SPDX-License-Identifier: MIT
"""The programmable grid: levels, ramps, jumps, quality, impedance, recordings."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hil.plant.config import AfeConfig, StationConfig
from hil.plant.feeder import Feeder
from hil.plant.station import Station

QUIET = AfeConfig(noise_v=0.0, noise_a=0.0)


def stiff(**config) -> Feeder:
    values = dict(short_circuit_ratio=5000.0, base_load_w=100.0, afe=QUIET)
    return Feeder(StationConfig(**{**values, **config}))


def waveform(feeder: Feeder, seconds: float, phase: int = 0) -> np.ndarray:
    """Return the voltage at the connection point, one sample a step."""
    step_us = feeder.config.step_us
    samples = np.empty(round(seconds * 1e6 / step_us))
    for n in range(len(samples)):
        feeder.run(feeder.t_us + step_us)
        samples[n] = feeder.lines["v"][phase]
    return samples


@pytest.mark.parametrize("volts, hz", ((230.0, 50.0), (240.0, 60.0), (120.0, 60.0)))
@pytest.mark.parametrize("phases", (1, 3))
def test_nominal_levels(volts, hz, phases):
    feeder = stiff(nominal_v=volts, nominal_hz=hz, phases=phases)
    feeder.run(500_000)
    for k in range(phases):
        assert abs(feeder.reading.voltage_v[k] - volts) < 0.001 * volts
        assert abs(1 / feeder.reading.line_period_s[k] - hz) < 0.001


def test_voltage_step_ramp_and_single_phase_sag():
    feeder = stiff(phases=3)
    feeder.run(200_000)
    feeder.grid.set(voltage_v=100.0, phase=2)
    feeder.run(300_000)
    assert np.allclose(feeder.reading.voltage_v, (230, 100, 230), atol=0.3)
    feeder.grid.set(voltage_v=[230, 230, 230])
    feeder.grid.set(voltage_v=250.0, ramp_s=1.0)
    feeder.run(800_000 + 15_000)
    assert np.allclose(feeder.reading.voltage_v, 240.0, atol=0.5)
    feeder.run(1_400_000)
    assert np.allclose(feeder.reading.voltage_v, 250.0, atol=0.3)


@pytest.mark.parametrize("slope", (0.95, -1.05, 5.0))
def test_frequency_ramp_has_its_slope(slope):
    feeder = stiff()
    feeder.run(500_000)
    took_s = feeder.grid.ramp_frequency(50.0 + slope, abs(slope))
    assert took_s == pytest.approx(1.0)
    feeder.run(700_000)
    first = feeder.world["f_hz"][0]
    feeder.run(1_300_000)
    assert (feeder.world["f_hz"][0] - first) / 0.6 == pytest.approx(slope, rel=1e-6)
    feeder.run(2_000_000)
    assert 1 / feeder.reading.line_period_s[0] == pytest.approx(50.0 + slope, abs=0.001)


@pytest.mark.parametrize("angle", (50.0, -50.0, 20.0))
def test_phase_jump(angle):
    feeder = stiff()
    feeder.run(500_000)
    before = waveform(feeder, 0.02)
    feeder.grid.jump(angle)
    waveform(feeder, 0.02)
    after = waveform(feeder, 0.02)
    turned = np.angle(np.fft.rfft(after)[1] / np.fft.rfft(before)[1], deg=True)
    assert abs(turned - angle) < 0.5


def test_harmonics_have_their_shares():
    feeder = stiff()
    feeder.grid.harmonics({3: (0.03, 0.0), 7: (0.02, 90.0)})
    feeder.run(500_000)
    lines = np.abs(np.fft.rfft(waveform(feeder, 0.2)))
    assert lines[30] / lines[10] == pytest.approx(0.03, rel=0.05)
    assert lines[70] / lines[10] == pytest.approx(0.02, rel=0.05)
    assert lines[50] / lines[10] < 0.001
    feeder.grid.distort(0.05)
    feeder.run(feeder.t_us + 200_000)
    lines = np.abs(np.fft.rfft(waveform(feeder, 0.2)))
    assert math.sqrt(float(np.sum(lines[20::10] ** 2))) / lines[10] == pytest.approx(0.05, rel=0.05)


@pytest.mark.parametrize("order", (2, 1, 51))
def test_bad_harmonics_are_named(order):
    with pytest.raises(ValueError, match=f"harmonic {order}: must be odd"):
        stiff().grid.harmonics({order: (0.1, 0.0)})


def test_noise_and_flicker():
    feeder = stiff()
    feeder.grid.noise(0.002)
    feeder.run(500_000)
    wave = waveform(feeder, 0.2)
    lines = np.fft.rfft(wave)
    lines[10] = 0.0
    assert 0.7 < np.std(np.fft.irfft(lines, len(wave))) / (0.002 * 230) < 1.1
    feeder.grid.noise(0.0)
    feeder.grid.flicker(0.02, 8.8)
    values = []
    for _ in range(100):
        feeder.run(feeder.t_us + 10_000)
        values.append(feeder.reading.voltage_v[0])
    assert 1.015 < max(values[5:]) / 230 < 1.021


@pytest.mark.parametrize("ratio", (2.0, 10.0))
@pytest.mark.parametrize("x_over_r", (0.3, 3.0))
def test_impedance_lifts_the_voltage_as_it_must(ratio, x_over_r):
    """Unity power factor export through R + jX: E = V - (P / V - V Y) Z, Y being the load beside the charger."""
    feeder = Feeder(StationConfig(short_circuit_ratio=ratio, x_over_r=x_over_r, afe=QUIET))
    feeder.unit().set(power_w=-3000.0)
    feeder.run(2_000_000)
    r = 230.0**2 / (ratio * 7400.0) / math.sqrt(1 + x_over_r**2)
    load = complex(300 / 230.0**2, 2 * math.pi * 50 * 4e-6)
    v = feeder.reading.voltage_v[0]
    impedance = r + 1j * r * x_over_r / (1 + 0.01j)  # damping: 100 X beside the inductance
    assert abs(v - (3000.0 / v - v * load) * impedance) == pytest.approx(230.0, rel=0.0005)


@pytest.mark.parametrize("ratio", (2.0, 5.0, 20.0))
@pytest.mark.parametrize("phases", (1, 3))
def test_weak_grid_is_steady_at_full_export(ratio, phases):
    feeder = Feeder(StationConfig(short_circuit_ratio=ratio, phases=phases))
    feeder.unit().set(power_w=-7400.0)
    feeder.run(2_000_000)
    volts, hz = [], []
    for _ in range(100):
        feeder.run(feeder.t_us + 10_000)
        volts.append(feeder.reading.voltage_v[0])
        hz.append(1 / feeder.reading.line_period_s[0])
    assert np.ptp(volts) < 0.1
    assert np.ptp(hz) < 0.02


@pytest.mark.parametrize("phases", (1, 3))
@pytest.mark.parametrize("x_over_r", (0.3, 5.0))
def test_feeder_recovers_after_import_beyond_what_it_can_carry(phases, x_over_r):
    """At a ratio of 2 full import pulls the voltage down to the current limit; export must settle again."""
    feeder = Feeder(StationConfig(phases=phases, short_circuit_ratio=2.0, x_over_r=x_over_r))
    feeder.unit().set(power_w=7400.0)
    feeder.run(2_000_000)
    assert feeder.reading.voltage_v[0] < 180.0
    feeder.unit().set(power_w=-7400.0)
    feeder.run(4_000_000)
    volts = []
    for _ in range(50):
        feeder.run(feeder.t_us + 10_000)
        volts.append(feeder.reading.voltage_v[0])
    assert np.ptp(volts) < 0.1 and max(volts) < 320.0
    assert abs(feeder.unit().power_w + 7400.0) < 10.0


def test_loss_of_mains_and_return():
    station = Station(StationConfig(afe=QUIET))
    from hil.plant.interface import BoardOutputs

    outputs = BoardOutputs()
    station.at(500_000, station.grid.open)
    station.at(1_500_000, station.grid.close)
    assert station.advance(490_000, outputs).afe.voltage_v[0] > 225
    inputs = station.advance(1_400_000, outputs)
    assert inputs.afe.voltage_v[0] < 1.0 and inputs.afe.line_period_s[0] == 0.0
    assert station.truth.island_us == 500_000
    assert station.advance(2_000_000, outputs).afe.voltage_v[0] > 225
    assert station.truth.island_us == -1


def test_timeline_keeps_its_times_however_the_caller_steps():
    from hil.plant.interface import BoardOutputs

    seen = []
    for step_us in (10_000, 130, 77_777):
        station = Station(StationConfig())
        station.at(250_000, station.grid.set, voltage_v=200.0)
        station.at(250_000, lambda s=station: seen.append(s.t_us))
        station.at(400_000, station.grid.jump, 10.0)
        t_us = 0
        while t_us < 600_000:
            t_us = min(t_us + step_us, 600_000)
            station.advance(t_us, BoardOutputs())
        seen.append(station.lines["v"][0])
    assert seen[0::2] == [250_000] * 3
    assert len(set(seen[1::2])) == 1


def test_series_is_played_with_straight_lines_between_rows():
    station = Station(StationConfig(afe=QUIET))
    from hil.plant.interface import BoardOutputs

    rows = [(0.0, 230.0, 50.0), (2.0, 220.0, 49.0), (4.0, 0.0, float("nan"))]
    end_us = station.grid.play(station, rows)
    assert end_us == 4_000_000
    station.advance(1_000_000, BoardOutputs())
    assert station.truth.source_hz == pytest.approx(49.5, abs=0.001)
    assert station.truth.voltage_v == pytest.approx(225.0, abs=0.5)
    inputs = station.advance(4_100_000, BoardOutputs())
    assert inputs.afe.voltage_v[0] < 1.0
    assert station.truth.source_hz == pytest.approx(49.0, abs=0.001)


def test_sampled_waveform_is_played():
    feeder = stiff()
    rate = 4000.0
    t = np.arange(int(rate)) / rate
    end_us = feeder.grid.play_wave(200.0 * math.sqrt(2) * np.sin(2 * math.pi * 51.0 * t), rate)
    feeder.run(end_us - 1000)
    assert feeder.reading.voltage_v[0] == pytest.approx(200.0, abs=0.6)
    assert 1 / feeder.reading.line_period_s[0] == pytest.approx(51.0, abs=0.01)
    feeder.run(end_us + 300_000)
    assert feeder.reading.voltage_v[0] == pytest.approx(230.0, abs=0.3)


def test_bad_input_is_named():
    feeder = stiff()
    with pytest.raises(ValueError, match="phase 2: must be 1..1"):
        feeder.grid.set(voltage_v=100.0, phase=2)
    with pytest.raises(ValueError, match="short_circuit_ratio 0: must be above 0"):
        feeder.grid.stiffness(0)
