# SPDX-License-Identifier: MIT
"""Recordings behind the `Plant` interface: everything else of the station is healthy and idle.

`ReplayPlant.series` feeds RMS voltages and frequency as they are (a dead bus that still reports 47 Hz
reports it here too); `ReplayPlant.waveform` sends sampled voltages through the AFE model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hil.plant.afe import INNER_HZ, AfeModel, resampled
from hil.plant.config import AfeConfig
from hil.plant.interface import AfeReading, BoardInputs, BoardOutputs, SerialDevice

Rows = np.ndarray | Sequence[Sequence[float]]

_GATE_HOLD_US = 60_000
_CONTACTOR_US = 20_000


class _SeriesSource:
    """RMS and frequency rows, held between linear interpolation points, refreshed each half cycle."""

    def __init__(
        self, times_s: Sequence[float], volts: Rows, frequency_hz: Sequence[float], nominal_hz: float, gap_s: float
    ):
        self._times = np.asarray(times_s, dtype=float)
        self._volts = np.asarray(volts, dtype=float).reshape(len(self._times), -1)
        self._hz = np.asarray(frequency_hz, dtype=float)
        self._half_us = 500_000 / nominal_hz
        self._gap_s = gap_s
        self.phases = self._volts.shape[1]
        self.end_us = round((self._times[-1] - self._times[0]) * 1e6)

    def reading(self, t_us: int, afe: AfeReading) -> None:
        """Set afe as it stands at t_us. NaN voltage or a gap: the AFE is not refreshed."""
        t = self._times[0] + t_us * 1e-6
        right = min(max(int(np.searchsorted(self._times, t, side="right")), 1), len(self._times) - 1)
        left = right - 1
        span = self._times[right] - self._times[left]
        if span > self._gap_s or np.isnan(self._volts[[left, right]]).any():
            return
        share = min(max((t - self._times[left]) / span, 0.0), 1.0)
        hz = self._mix(self._hz[left], self._hz[right], share)
        for k in range(self.phases):
            afe.voltage_v[k] = self._mix(self._volts[left, k], self._volts[right, k], share)
            afe.line_period_s[k] = 1.0 / hz if math.isfinite(hz) and hz > 0 else 0.0
        afe.sequence = int(t_us / self._half_us)

    @staticmethod
    def _mix(a: float, b: float, share: float) -> float:
        return float(a + (b - a) * share)


class _WaveSource:
    """Sampled voltages through an AfeModel."""

    def __init__(self, samples: np.ndarray, rate_hz: float, nominal_hz: float, config: AfeConfig | None):
        self._samples = samples
        self.phases = samples.shape[1]
        self._model = AfeModel(rate_hz, self.phases, nominal_hz, config)
        self._rate = rate_hz
        self._at = 0
        self.end_us = round(len(samples) / rate_hz * 1e6)

    def reading(self, t_us: int, afe: AfeReading) -> None:
        """Set afe as it stands at t_us; after the recording's end it is not refreshed."""
        until = min(int(t_us * 1e-6 * self._rate + 1e-6), len(self._samples))
        if until > self._at:
            got = self._model.push(self._samples[self._at : until])
            self._at = until
            afe.sequence = got.sequence
            afe.voltage_v[:] = got.voltage_v
            afe.line_period_s[:] = got.line_period_s


class ReplayPlant:
    """A station that plays a recording: vehicle plugged and ready, contactor obeys, no power flows."""

    def __init__(self, source: _SeriesSource | _WaveSource):
        self.serial: dict[str, SerialDevice] = {}
        self._source = source
        self.phases = source.phases
        self.end_us = source.end_us
        self._inputs = BoardInputs(pilot_high_v=6.0, pilot_low_v=-12.0, proximity_ohm=220.0)
        self._coil = False
        self._coil_us = -_CONTACTOR_US

    @classmethod
    def series(
        cls,
        times_s: Sequence[float],
        volts: Rows,
        frequency_hz: Sequence[float],
        nominal_hz: float = 50.0,
        gap_s: float = 10.0,
    ) -> ReplayPlant:
        """Play rows of time (s, rising), RMS voltages (n, phases) in V and frequency in Hz (NaN: none seen).

        Rows further apart than gap_s are a gap: the AFE stands still there.
        """
        if len(times_s) < 2:
            raise ValueError(f"recording has {len(times_s)} rows: needs 2 or more")
        if np.any(np.diff(np.asarray(times_s, dtype=float)) <= 0):
            raise ValueError("recording's times must rise from row to row")
        return cls(_SeriesSource(times_s, volts, frequency_hz, nominal_hz, gap_s))

    @classmethod
    def waveform(
        cls,
        volts: np.ndarray,
        rate_hz: float | None = None,
        times_s: np.ndarray | None = None,
        nominal_hz: float = 50.0,
        config: AfeConfig | None = None,
    ) -> ReplayPlant:
        """Play sampled voltages (n, phases) in V, taken at rate_hz or at times_s (any rising spacing)."""
        volts = np.asarray(volts, dtype=float).reshape(len(volts), -1)
        if (rate_hz is None) == (times_s is None):
            raise ValueError("waveform needs either rate_hz or times_s")
        if rate_hz is not None and rate_hz >= INNER_HZ:
            return cls(_WaveSource(volts, rate_hz, nominal_hz, config))
        times = np.arange(len(volts)) / rate_hz if rate_hz is not None else np.asarray(times_s, dtype=float)
        return cls(_WaveSource(resampled(times, volts), INNER_HZ, nominal_hz, config))

    def advance(self, t_us: int, outputs: BoardOutputs) -> BoardInputs:
        """Play to plant time t_us; gate and contactor answer the board as healthy hardware."""
        inputs = self._inputs
        self._source.reading(t_us, inputs.afe)
        inputs.gate_up = bool(outputs.gate_arm) and t_us - outputs.gate_edge_us < _GATE_HOLD_US
        coil = bool(outputs.contactor) and inputs.gate_up
        if coil != self._coil:
            self._coil, self._coil_us = coil, t_us
        if t_us - self._coil_us >= _CONTACTOR_US:
            inputs.contactor_open = not coil
        if outputs.pilot_duty >= 1.0:
            inputs.pilot_high_v, inputs.pilot_low_v = 9.0, 9.0
        elif outputs.pilot_duty <= 0.0:
            inputs.pilot_high_v, inputs.pilot_low_v = -12.0, -12.0
        else:
            inputs.pilot_high_v, inputs.pilot_low_v = 6.0, -12.0
        inputs.rcd_tripped = bool(outputs.rcd_test)
        return inputs
