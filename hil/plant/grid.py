# SPDX-License-Identifier: MIT
"""The grid as a test drives it: voltage, frequency, quality, impedance, switch, load, recordings.

Every method acts at the plant's present time; `Station.at(t_us, station.grid.set, ...)` schedules it.
Voltages are RMS line to neutral in V. One phase is chosen by `phase` 1..3; None means all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hil.plant.network import Network, grid_impedance, island_load

if TYPE_CHECKING:
    from hil.plant.feeder import Feeder
    from hil.plant.station import Station

MAX_HARMONIC = 49


class Grid:
    """The programmable source, its impedance, its switch and the load beside the charger."""

    def __init__(self, feeder: Feeder) -> None:
        self._feeder = feeder
        self._world = feeder.world
        self._lines = feeder.lines
        config = feeder.config
        self.short_circuit_ratio = config.short_circuit_ratio
        self.x_over_r = config.x_over_r
        share = config.nominal_v**2 * config.phases
        self._load = (share / max(config.base_load_w, 1e-3), math.inf, config.base_load_f)
        for k in range(config.phases):
            self._set_angle(k, 0.0)
        self.set(voltage_v=config.nominal_v)
        self._connect()

    def _phases(self, phase: int | None) -> range:
        count = self._feeder.config.phases
        if phase is None:
            return range(count)
        if not 1 <= phase <= count:
            raise ValueError(f"phase {phase}: must be 1..{count}")
        return range(phase - 1, phase)

    def _set_angle(self, k: int, offset_deg: float) -> None:
        angle = math.radians(offset_deg - 120.0 * k)
        self._lines["pr"][k] = math.cos(angle)
        self._lines["pi"][k] = math.sin(angle)

    def order(self, names: str = "L1-L2-L3") -> None:
        """Wire the phases in the order "L1-L2-L3" or "L1-L3-L2" to the charger."""
        if names not in ("L1-L2-L3", "L1-L3-L2"):
            raise ValueError(f"order {names!r}: L1-L2-L3 or L1-L3-L2")
        turned = names == "L1-L3-L2"
        for k in range(1, self._feeder.config.phases):
            self._set_angle(k, (-120.0 if k == 1 else 120.0) if turned else 0.0)
        self._feeder.reading.lag_deg = (240.0, 120.0) if turned else (120.0, 240.0)

    def _connect(self) -> None:
        config = self._feeder.config
        fault_va = self.short_circuit_ratio * config.inverter.rated_w / config.phases
        ohm, henry = grid_impedance(fault_va, config.nominal_v, config.nominal_hz, self.x_over_r)
        matrices = Network(ohm, henry, *self._load, config.nominal_hz).matrices(config.step_us * 1e-6)
        self._feeder.net[:] = np.tile(matrices.ravel(), config.phases)

    def set(
        self,
        voltage_v: float | Sequence[float] | None = None,
        frequency_hz: float | None = None,
        ramp_s: float = 0.0,
        phase: int | None = None,
    ) -> None:
        """Go to a voltage and/or frequency, as a step or a straight ramp of ramp_s seconds.

        voltage_v: one number or one a phase.
        """
        steps = max(int(round(ramp_s * 1e6 / self._feeder.config.step_us)), 0)
        if frequency_hz is not None:
            self._ramp(self._world, 0, "f_hz", "f_slope", "f_left", frequency_hz, steps)
        if voltage_v is not None:
            values = np.atleast_1d(np.asarray(voltage_v, dtype=float))
            if len(values) == 1:
                values = np.repeat(values, 3)
            if len(values) < self._feeder.config.phases:
                raise ValueError(f"voltage_v has {len(values)} values: one, or one a phase")
            for k in self._phases(phase):
                self._ramp(self._lines, k, "e_v", "e_slope", "e_left", values[k], steps)

    @staticmethod
    def _ramp(rows: np.ndarray, k: int, value: str, slope: str, left: str, target: float, steps: int) -> None:
        if steps == 0:
            rows[value][k] = target
            rows[left][k] = 0
            return
        rows[slope][k] = (target - rows[value][k]) / steps
        rows[left][k] = steps

    def ramp_frequency(self, target_hz: float, slope_hz_s: float) -> float:
        """Ramp to target_hz at |slope_hz_s|; return how long that takes, s."""
        duration_s = abs(target_hz - self._world["f_hz"][0]) / abs(slope_hz_s)
        self.set(frequency_hz=target_hz, ramp_s=duration_s)
        return duration_s

    def jump(self, angle_deg: float, phase: int | None = None) -> None:
        """Turn the source's angle at once, in all phases or one."""
        c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
        for k in self._phases(phase):
            row = self._lines[k]
            row["pr"], row["pi"] = row["pr"] * c - row["pi"] * s, row["pr"] * s + row["pi"] * c

    def harmonics(self, shares: dict[int, tuple[float, float]]) -> None:
        """Set odd harmonics: {order: (share of the fundamental, angle in degrees)}; {} clears."""
        table = self._feeder.harmonics
        table[:] = 0.0
        count = 0
        for order, (share, angle_deg) in shares.items():
            if order % 2 == 0 or not 3 <= order <= MAX_HARMONIC:
                raise ValueError(f"harmonic {order}: must be odd, 3..{MAX_HARMONIC}")
            row = (order - 3) // 2
            angle = math.radians(angle_deg)
            table[row] = share * math.cos(angle), share * math.sin(angle)
            count = max(count, row + 1)
        self._world["harmonic_count"][0] = count

    def distort(self, thd: float) -> None:
        """Set a public-supply-like mix of 3rd, 5th, 7th, 11th and 13th of the given total (0.05 = 5 %)."""
        mix = {3: (0.5, 20.0), 5: (0.7, 160.0), 7: (0.4, 60.0), 11: (0.25, 200.0), 13: (0.18, 300.0)}
        size = math.sqrt(sum(share * share for share, _ in mix.values()))
        self.harmonics({n: (thd * share / size, angle) for n, (share, angle) in mix.items()} if thd else {})

    def noise(self, share: float) -> None:
        """Add white noise of the given RMS share of nominal to the source (per 50 us step, seeded)."""
        self._world["noise_v"][0] = share * self._feeder.config.nominal_v
        self._world["noise_on"][0] = int(share > 0)

    def flicker(self, share: float, frequency_hz: float = 8.8) -> None:
        """Modulate the amplitude by +-share at frequency_hz (8.8 Hz: where the eye is worst); 0 clears."""
        self._world["flicker_share"][0] = share
        self._world["flicker_hz"][0] = frequency_hz

    def open(self) -> None:
        """Open the grid switch: loss of mains. The time is kept as truth.island_us."""
        self._world["grid_closed"][0] = 0
        self._lines["i_grid"][:] = 0.0
        self._world["island_us"][0] = self._world["t_us"][0]

    def close(self) -> None:
        """Close the grid switch."""
        self._world["grid_closed"][0] = 1
        self._world["island_us"][0] = -1

    def stiffness(self, short_circuit_ratio: float, x_over_r: float | None = None) -> None:
        """Set short-circuit power over the inverter's rating, and X/R of the impedance."""
        if short_circuit_ratio <= 0:
            raise ValueError(f"short_circuit_ratio {short_circuit_ratio}: must be above 0")
        self.short_circuit_ratio = short_circuit_ratio
        self.x_over_r = self.x_over_r if x_over_r is None else x_over_r
        self._connect()

    def load(self, power_w: float, reactive_var: float = 0.0, quality: float = 0.0) -> None:
        """Put a load on the feeder: parallel R, L, C per phase; power and var of all phases at nominal.

        quality 0: resistor and a small capacitor only.
        """
        config = self._feeder.config
        if quality == 0.0:
            self._load = (config.nominal_v**2 * config.phases / max(power_w, 1e-3), math.inf, config.base_load_f)
        else:
            share = config.phases
            self._load = island_load(
                power_w / share, quality, reactive_var / share, config.nominal_v, config.nominal_hz
            )
        self._connect()

    def island_load(
        self, export_w: float, quality: float = 1.0, dp: float = 0.0, dq: float = 0.0, export_var: float = 0.0
    ) -> None:
        """Balance the load against an output: IEC 62116 and IEEE 1547.1 style.

        export_w, export_var: what all units feed in, + = into the grid. dp, dq: shares of export_w that
        the load takes more than that, at nominal voltage and frequency. The capacitor and inductor are
        those of quality * export_w, so that dp moves the voltage only: V = V0 sqrt(1 / (1 + dp)) and
        dq = quality (f / f0 - f0 / f).
        """
        self.load(export_w, export_var + dq * export_w, quality)
        ohm, henry, farad = self._load
        self._load = (ohm / (1.0 + dp), henry, farad)
        self._connect()

    def play(
        self,
        station: Station,
        rows: Iterable[tuple[float, list[float] | float, float]],
        start_us: int | None = None,
    ) -> int:
        """Play a series of (time s, RMS voltage(s) V, frequency Hz), joined by straight lines.

        A frequency that is NaN holds the last one. Returns the plant time at which the series ends, us.
        """
        start = self._feeder.t_us if start_us is None else start_us
        rows = list(rows)
        first = rows[0]
        station.at(start, self.set, voltage_v=first[1], frequency_hz=first[2] if math.isfinite(first[2]) else None)
        for (t0, _, f0), (t1, v1, f1) in zip(rows, rows[1:], strict=False):
            f = f1 if math.isfinite(f1) else (f0 if math.isfinite(f0) else None)
            station.at(start + round(t0 * 1e6), self.set, voltage_v=v1, frequency_hz=f, ramp_s=t1 - t0)
        return start + round(rows[-1][0] * 1e6)

    def play_wave(self, samples: np.ndarray, rate_hz: float) -> int:
        """Feed sampled source voltages (n, phases) from now on; return the plant time of their end, us."""
        config = self._feeder.config
        dt_s = config.step_us * 1e-6
        samples = np.asarray(samples, dtype=float).reshape(len(samples), -1)[:, : config.phases]
        count = int((len(samples) - 1) / rate_hz / dt_s)
        times = (np.arange(count) + 0.5) * dt_s * rate_hz
        grid = np.arange(len(samples))
        self._feeder.wave = np.column_stack([np.interp(times, grid, samples[:, k]) for k in range(samples.shape[1])])
        self._world["wave_at"][0] = 0
        self._world["wave_left"][0] = count
        return self._feeder.t_us + count * config.step_us
