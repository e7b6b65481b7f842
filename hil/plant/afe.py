# SPDX-License-Identifier: MIT
"""The metering front end on its own: sampled voltages and currents in, readings out.

The station runs the same compiled code inside its loop; replays and tests use this class.
"""

from __future__ import annotations

import numpy as np

from hil.plant.afe_core import afe_sample, turn_reference
from hil.plant.compiled import compiled
from hil.plant.config import AfeConfig
from hil.plant.interface import AfeReading
from hil.plant.records import afe_record
from hil.plant.state import LINE

INNER_HZ = 20000.0  # slower recordings are resampled to this, so that crossings interpolate well


@compiled
def _push(lines, afes, volts, amps, first, last, phases):
    """Give samples first..last of each phase to the AFE."""
    afe = afes[0]
    for n in range(first, last):
        turn_reference(afe)
        for k in range(phases):
            afe_sample(lines[k], afe, volts[n, k], amps[n, k], k == 0)


class AfeModel:
    """One AFE sampling `phases` phases at rate_hz. Times count from the first sample."""

    def __init__(
        self,
        rate_hz: float,
        phases: int = 1,
        nominal_hz: float = 50.0,
        config: AfeConfig | None = None,
        seed: int = 1,
    ):
        if not 1 <= phases <= 3:
            raise ValueError(f"phases {phases}: must be 1..3")
        if rate_hz < 1000.0:
            raise ValueError(f"rate_hz {rate_hz}: must be 1000 or more; resample slower recordings first")
        self.rate_hz = rate_hz
        self.phases = phases
        self._lines = np.zeros(phases, LINE)
        self._afe = afe_record(config or AfeConfig(), 1.0 / rate_hz, nominal_hz, phases, seed)
        self.samples = 0
        self.reading = AfeReading()

    def push(self, volts: np.ndarray, amps: np.ndarray | None = None) -> AfeReading:
        """Take samples (n, phases) in V and A (None: no current); return the reading after the last."""
        volts = np.ascontiguousarray(np.asarray(volts, dtype=float).reshape(len(volts), -1))
        amps = np.zeros_like(volts) if amps is None else np.asarray(amps, dtype=float).reshape(volts.shape)
        if volts.shape[1] != self.phases:
            raise ValueError(f"samples have {volts.shape[1]} columns: must be {self.phases}")
        _push(self._lines, self._afe, volts, np.ascontiguousarray(amps), 0, len(volts), self.phases)
        self.samples += len(volts)
        return self._read()

    def _read(self) -> AfeReading:
        reading, lines = self.reading, self._lines
        reading.sequence = int(self._afe["sequence"][0])
        for k in range(self.phases):
            row = lines[k]
            reading.voltage_v[k] = row["afe_v_rms"].item()
            reading.current_a[k] = row["afe_i_rms"].item()
            reading.active_w[k] = row["afe_p_w"].item()
            reading.reactive_var[k] = row["afe_q_var"].item()
            reading.import_wh[k] = row["afe_import_wh"].item()
            reading.export_wh[k] = row["afe_export_wh"].item()
            reading.line_period_s[k] = row["afe_period_s"].item()
        return reading


def resampled(times_s: np.ndarray, samples: np.ndarray, rate_hz: float = INNER_HZ) -> np.ndarray:
    """Return samples (n, phases) at rate_hz from times_s (rising, any spacing), by cubic interpolation.

    Cubic Hermite with centred slopes: a 50 Hz sine sampled at 800 S/s comes back within 0.1 %.
    """
    samples = np.asarray(samples, dtype=float).reshape(len(samples), -1)
    slopes = np.gradient(samples, times_s, axis=0)
    wanted = np.arange(times_s[0], times_s[-1], 1.0 / rate_hz)
    left = np.clip(np.searchsorted(times_s, wanted, side="right") - 1, 0, len(times_s) - 2)
    width = (times_s[left + 1] - times_s[left])[:, None]
    x = ((wanted - times_s[left])[:, None]) / width
    x2, x3 = x * x, x * x * x
    held = samples[left] * (2 * x3 - 3 * x2 + 1) + samples[left + 1] * (3 * x2 - 2 * x3)
    return held + width * (slopes[left] * (x3 - 2 * x2 + x) + slopes[left + 1] * (x3 - x2))
