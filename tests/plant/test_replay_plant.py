# SPDX-License-Identifier: MIT
"""Recordings behind the plant's interface."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

from hil.plant.interface import BoardOutputs
from hil.plant.replay import ReplayPlant


def test_series_is_fed_through_even_from_a_dead_bus():
    plant = ReplayPlant.series([0, 2, 4, 6], [[230.0], [230.0], [0.5], [0.5]], [50.0, 49.0, 47.0, 47.0])
    afe = plant.advance(1_000_000, BoardOutputs()).afe
    assert afe.voltage_v[0] == pytest.approx(230.0)
    assert 1 / afe.line_period_s[0] == pytest.approx(49.5)
    afe = plant.advance(5_000_000, BoardOutputs()).afe
    assert (afe.voltage_v[0], 1 / afe.line_period_s[0]) == (pytest.approx(0.5), pytest.approx(47.0))
    assert afe.sequence == 500


def test_nan_frequency_is_no_crossing_and_a_gap_freezes():
    plant = ReplayPlant.series([0, 2, 4, 60], [[230.0]] * 4, [50.0, math.nan, 50.0, 50.0])
    assert plant.advance(1_000_000, BoardOutputs()).afe.line_period_s[0] == 0.0
    sequence = plant.advance(3_900_000, BoardOutputs()).afe.sequence
    assert plant.advance(30_000_000, BoardOutputs()).afe.sequence == sequence


@pytest.mark.parametrize("rate", (800.0, 2400.0, 20000.0))
def test_waveform_goes_through_the_afe(rate):
    t = np.arange(int(2 * rate)) / rate
    wave = np.column_stack([325.27 * np.sin(2 * math.pi * 50.1 * t + k * 2.0944) for k in range(3)])
    wave[t > 1.5] = 0.0
    plant = ReplayPlant.waveform(wave, rate)
    afe = plant.advance(1_000_000, BoardOutputs()).afe
    assert np.allclose(afe.voltage_v, 230.0, atol=0.7)
    assert np.allclose([1 / p for p in afe.line_period_s], 50.1, atol=0.01)
    afe = plant.advance(1_900_000, BoardOutputs()).afe
    assert max(afe.voltage_v) < 1.0
    assert abs(plant.end_us - 2_000_000) < 2_000


def test_gate_and_contactor_obey():
    plant = ReplayPlant.series([0, 10], [[230.0]] * 2, [50.0, 50.0])
    outputs = BoardOutputs(gate_arm=True, contactor=True, gate_edge_us=0, pilot_duty=0.5)
    assert plant.advance(10_000, outputs).contactor_open
    outputs.gate_edge_us = 10_000
    inputs = plant.advance(35_000, outputs)
    assert not inputs.contactor_open and inputs.gate_up
    assert (inputs.pilot_high_v, inputs.pilot_low_v) == (6.0, -12.0)
    assert not plant.advance(80_000, outputs).gate_up
    assert plant.advance(105_000, outputs).contactor_open


@pytest.mark.parametrize(
    "arguments, message",
    (
        (([0], [[230.0]], [50.0]), "has 1 rows"),
        (([0, 0], [[230.0]] * 2, [50.0] * 2), "times must rise"),
    ),
)
def test_bad_series_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ReplayPlant.series(*arguments)


def test_waveform_needs_its_rate():
    with pytest.raises(ValueError, match="either rate_hz or times_s"):
        ReplayPlant.waveform(np.zeros((10, 1)))


def test_iberian_collapse(recordings):
    with open(recordings / "iberia_20250428_toledo_2s.csv", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    volts = [[float(cell) / 27600 * math.sqrt(3) * 230 / math.sqrt(3) for cell in row[:3]] for row in rows]
    plant = ReplayPlant.series(range(0, 2 * len(rows), 2), volts, [float(row[3]) for row in rows])
    assert plant.phases == 3
    at = next(n for n, row in enumerate(rows) if row[4].endswith("12:33:16"))
    afe = plant.advance(2 * at * 1_000_000, BoardOutputs()).afe
    assert 1 / afe.line_period_s[0] == pytest.approx(49.94, abs=0.01)
    afe = plant.advance(2 * (at + 6) * 1_000_000, BoardOutputs()).afe
    assert afe.voltage_v[0] < 0.05 * 230
    assert afe.line_period_s[0] > 0  # the dead bus still reports a frequency


def test_earth_fault_keeps_its_frequency(recordings):
    comtrade = pytest.importorskip("comtrade")
    record = comtrade.Comtrade()
    path = recordings / "earth_fault_50hz_2400sps"
    data = [line for line in path.with_suffix(".dat").read_text("latin-1").splitlines() if line.strip()]
    record.read(path.with_suffix(".cfg").read_text("latin-1"), "\n".join(data))
    volts = np.array(record.analog[:3]).T
    volts *= 230 * math.sqrt(2) / np.abs(volts[:400]).max()
    plant = ReplayPlant.waveform(volts, times_s=np.array(record.time))
    hz = []
    for t_us in range(200_000, plant.end_us, 10_000):
        period_s = plant.advance(t_us, BoardOutputs()).afe.line_period_s[0]
        hz.append(1 / period_s if period_s else 0.0)
    assert 49.8 < float(np.median(hz)) < 50.3
