# SPDX-License-Identifier: MIT
"""The AFE model against signals whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hil.plant.afe import AfeModel, resampled
from hil.plant.config import AfeConfig

RATE = 20000.0
QUIET = AfeConfig(noise_v=0.0, noise_a=0.0)


def sine(hz, volts, seconds, rate=RATE, angle=0.3):
    t = np.arange(int(seconds * rate)) / rate
    return volts * math.sqrt(2) * np.sin(2 * math.pi * hz * t + angle)


@pytest.mark.parametrize("hz", (45.0, 49.31, 50.0, 52.7, 60.0, 65.0))
def test_rms_and_period_of_a_sine(hz):
    model = AfeModel(RATE, config=QUIET, nominal_hz=60.0 if hz > 56 else 50.0)
    reading = model.push(sine(hz, 230.0, 0.5))
    assert abs(reading.voltage_v[0] - 230.0) < 0.05
    assert abs(1.0 / reading.line_period_s[0] - hz) < 0.0005


@pytest.mark.parametrize("rate", (8000.0, 32000.0))
def test_other_sample_rates(rate):
    reading = AfeModel(rate, config=QUIET).push(sine(50.2, 230.0, 0.5, rate))
    assert abs(reading.voltage_v[0] - 230.0) < 0.1
    assert abs(1.0 / reading.line_period_s[0] - 50.2) < 0.001


def test_harmonics_count_in_rms_and_hardly_move_the_period():
    wave = sine(50.0, 230.0, 1.0)
    for order, share in ((3, 0.03), (5, 0.035), (7, 0.02)):
        wave += sine(50.0 * order, 230.0 * share, 1.0, angle=order)
    reading = AfeModel(RATE, config=QUIET).push(wave)
    truth = 230.0 * math.sqrt(1 + 0.03**2 + 0.035**2 + 0.02**2)
    assert abs(reading.voltage_v[0] - truth) < 0.05
    assert abs(1.0 / reading.line_period_s[0] - 50.0) < 0.0005


def test_period_under_noise_stays_inside_its_stated_error():
    """0.2 % white noise at 20 kS/s through the 84 Hz low-pass: per-cycle frequency error below 15 mHz RMS."""
    generator = np.random.default_rng(5)
    wave = sine(50.0, 230.0, 10.0)
    wave += generator.normal(0.0, 0.002 * 230.0, len(wave))
    model = AfeModel(RATE, config=QUIET)
    errors = []
    for n in range(500):
        reading = model.push(wave[n * 400 : (n + 1) * 400])
        errors.append(1.0 / reading.line_period_s[0] - 50.0 if n > 5 else 0.0)
    assert 0.0005 < float(np.std(errors)) < 0.015


@pytest.mark.parametrize("angle_deg", (0.0, 60.0, 90.0, 180.0, -30.0))
def test_active_and_fundamental_reactive_power(angle_deg):
    """Current lags by the angle: Q = U I sin; a 5th harmonic in voltage only leaves Q alone."""
    volts = sine(50.0, 230.0, 0.5) + sine(250.0, 10.0, 0.5)
    amps = sine(50.0, 20.0, 0.5, angle=0.3 - math.radians(angle_deg))
    reading = AfeModel(RATE, config=QUIET).push(volts, amps)
    assert abs(reading.active_w[0] - 4600 * math.cos(math.radians(angle_deg))) < 2.0
    assert abs(reading.reactive_var[0] - 4600 * math.sin(math.radians(angle_deg))) < 2.0
    assert abs(reading.current_a[0] - 20.0) < 0.01


def test_no_energy_is_lost_whatever_the_frequency_does():
    """Import and export minus what was fed in is below one half cycle's energy."""
    hz = np.concatenate((np.full(20000, 50.0), np.linspace(50, 47, 40000), np.full(20000, 52.0)))
    angle = 2 * math.pi * np.cumsum(hz) / RATE
    volts = 325.0 * np.sin(angle)
    amps = np.where(np.arange(len(angle)) < 40000, 1.0, -1.0) * 20.0 * np.sin(angle)
    model = AfeModel(RATE, config=QUIET)
    for start in range(0, len(volts), 777):
        reading = model.push(volts[start : start + 777], amps[start : start + 777])
    fed = float(np.sum(volts * amps)) / RATE / 3600
    assert abs(reading.import_wh[0] - reading.export_wh[0] - fed) < 3250 * 0.01 / 3600 * 1.2
    assert reading.import_wh[0] > 1.7 and reading.export_wh[0] > 1.7


def test_energy_survives_a_dead_voltage():
    wave = sine(50.0, 230.0, 1.0)
    wave[10000:] = 0.0
    reading = AfeModel(RATE, config=QUIET).push(wave, wave / 10)
    assert abs(reading.import_wh[0] - float(np.sum(wave * wave / 10)) / RATE / 3600) < 0.001


def test_dead_bus_has_no_period_and_a_noisy_one_is_not_believed_with_a_threshold():
    wave = sine(50.0, 230.0, 0.5)
    wave[5000:] = 0.0
    model = AfeModel(RATE, config=QUIET)
    reading = model.push(wave)
    assert reading.voltage_v[0] < 0.01
    assert reading.line_period_s[0] == 0.0
    before = reading.sequence
    assert model.push(np.zeros(2000)).sequence > before

    guarded = AfeModel(RATE, config=AfeConfig(noise_v=0.5, zx_threshold_v=10.0))
    assert guarded.push(wave).line_period_s[0] == 0.0


def test_three_phases_are_measured_apart():
    waves = np.column_stack([sine(50.0, v, 0.5, angle=a) for v, a in ((230, 0.0), (200, -2.094), (250, 2.094))])
    reading = AfeModel(RATE, phases=3, config=QUIET).push(waves)
    assert np.allclose(reading.voltage_v, (230, 200, 250), atol=0.1)
    assert np.allclose(reading.line_period_s, 0.02, atol=1e-6)


def test_refreshes_each_half_cycle():
    model = AfeModel(RATE, config=QUIET)
    model.push(sine(50.0, 230.0, 1.0))
    assert 98 <= model.reading.sequence <= 101


def test_slow_recordings_are_resampled_well():
    times = np.arange(0, 1.0, 1 / 800)
    wave = resampled(times, 325.0 * np.sin(2 * math.pi * 50.0 * times))
    reading = AfeModel(RATE, config=QUIET).push(wave)
    assert abs(reading.voltage_v[0] / (325.0 / math.sqrt(2)) - 1) < 0.003
    assert abs(1 / reading.line_period_s[0] - 50.0) < 0.005


@pytest.mark.parametrize("bad", (dict(rate_hz=500.0), dict(rate_hz=8000.0, phases=4)))
def test_bad_parameters_are_named(bad):
    with pytest.raises(ValueError, match="must be"):
        AfeModel(**bad)
