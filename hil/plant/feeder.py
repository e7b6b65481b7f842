# SPDX-License-Identifier: MIT
"""A feeder in the time domain: grid, load and one or several inverters, always running.

`Feeder` is the plant without a board: its units are driven directly (`feeder.unit(3).set(...)`), as
tests of many units in one island need. `Station` adds the board's side.
"""

from __future__ import annotations

import math

import numpy as np

from . import kernel
from .config import AfeConfig, InverterConfig, StationConfig
from .grid import Grid
from .network import COEFFICIENTS
from .state import AFE, LINE, OUT_SIZE, UNIT, WORLD
from .unit import Unit


def _fill(record, **values) -> None:
    for name, value in values.items():
        record[name] = value


def afe_record(config: AfeConfig, dt_s: float, nominal_hz: float, phases: int, seed: int) -> np.ndarray:
    """Return the parameters and state of one AFE sampling every dt_s."""
    afe = np.zeros(1, AFE)
    _fill(
        afe[0],
        dt_s=dt_s,
        lpf=1 - math.exp(-2 * math.pi * config.lpf_hz * dt_s),
        nominal_hz=nominal_hz,
        ref_hz=nominal_hz,
        ref_r=1.0,
        zx_threshold_v=config.zx_threshold_v,
        zx_blank_s=config.zx_blank_s,
        timeout_s=0.75 / nominal_hz,
        noise_v=config.noise_v,
        noise_a=config.noise_a,
        noise_on=int(config.noise_v > 0 or config.noise_a > 0),
        gain_v=1.0,
        gain_i=1.0,
        period_lsb_s=config.period_lsb_s,
        rms_lsb=config.rms_lsb,
        seed=seed * 2654435761 + 12345,
        phases=phases,
    )
    return afe


def _unit_values(config: InverterConfig, station: StationConfig) -> dict:
    dt_s = station.step_us * 1e-6
    natural = 2 * math.pi * config.pll_hz
    w0 = 2 * math.pi * station.nominal_hz
    peak = station.nominal_v * math.sqrt(2)
    return dict(
        phases=station.phases,
        cr=1.0,
        w_rad_s=w0,
        w0_rad_s=w0,
        w_span=2 * math.pi * 15.0,
        kp=2 * 0.707 * natural,
        ki=natural * natural,
        sogi_gain=config.sogi_damping * w0 * dt_s,
        v_nom_peak=peak,
        v_floor=0.2 * peak,
        i_max_peak=config.overcurrent_share * config.rated_va / station.phases / station.nominal_v * math.sqrt(2),
        loop_gain=1 - math.exp(-2 * math.pi * config.current_loop_hz * dt_s),
        stop_gain=1 - math.exp(-dt_s / (config.stop_tau_ms * 1e-3)),
        power_gain=1 - math.exp(-1.0 / config.response_ms),
        s_max_va=config.rated_va,
        rate_charge_w=config.rated_va,
        rate_discharge_w=config.rated_va,
        charge_max_w=config.rated_va,
        discharge_max_w=config.rated_va,
        w_limit_share=1.0,
        start_us=int(config.start_ms * 1000),
        own_protection=int(config.own_protection),
        trip_delay_s=config.own_trip_delay_s,
        ov_v=1.2 * peak,
        uv_v=0.5 * peak,
        of_hz=station.nominal_hz * 1.05,
        uf_hz=station.nominal_hz * 0.93,
        ai_gain_var_hz=config.own_anti_islanding_var_hz,
        f_slow_hz=station.nominal_hz,
        f_slow_gain=1e-3,
        enabled=1,
        started=1,
        connected=1,
    )


class Feeder:
    """Grid, load and `config.units` inverters. Times are microseconds since start, never backwards."""

    def __init__(self, config: StationConfig | None = None):
        self.config = config = config or StationConfig()
        dt_s = config.step_us * 1e-6
        self.world = np.zeros(1, WORLD)
        self.lines = np.zeros(config.phases, LINE)
        self.units = np.zeros(config.units, UNIT)
        self.afe = afe_record(config.afe, dt_s, config.nominal_hz, config.phases, config.seed)
        self.net = np.zeros(config.phases * 2 * COEFFICIENTS)
        self.harmonics = np.zeros((24, 2))
        self.wave = np.zeros((1, config.phases))
        self.out = np.zeros(OUT_SIZE)
        self._set_world(config, dt_s)
        for n in range(config.units):
            _fill(self.units[n], **_unit_values(config.inverter, config))
        self.grid = Grid(self)
        self.fleet = [Unit(self, n) for n in range(config.units)]

    def _set_world(self, config: StationConfig, dt_s: float) -> None:
        half = math.pi * config.nominal_hz * dt_s
        _fill(
            self.world[0],
            dt_s=dt_s,
            step_us=config.step_us,
            phases=config.phases,
            units=config.units,
            nominal_v=config.nominal_v,
            nominal_hz=config.nominal_hz,
            f_hz=config.nominal_hz,
            zr=0.0,
            zi=-1.0,
            flicker_r=1.0,
            half_cos=math.cos(half),
            half_sin=math.sin(half),
            seed=config.seed * 1442695040888963407 % (1 << 62) + 7,
            grid_closed=1,
            slow_in=1000,
            island_us=-1,
            current_floor_a=0.01 * config.inverter.rated_va / config.phases / config.nominal_v * math.sqrt(2),
        )

    def unit(self, n: int = 0) -> Unit:
        """Return inverter n."""
        return self.fleet[n]

    @property
    def t_us(self) -> int:
        """Plant time, us."""
        return int(self.world["t_us"][0])

    def run(self, until_us: int, arm=1, edge_us=0, coil=1, test=0, duty=1.0) -> None:
        """Advance to until_us in whole steps."""
        kernel.advance(
            self.world,
            self.lines,
            self.net,
            self.harmonics,
            self.wave,
            self.afe,
            self.units,
            until_us,
            arm,
            edge_us,
            coil,
            test,
            duty,
            self.out,
        )
