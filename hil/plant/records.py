# SPDX-License-Identifier: MIT
"""From configurations to the records that the compiled plant works on."""

from __future__ import annotations

import math

import numpy as np

from hil.plant.config import AfeConfig, InverterConfig, StationConfig
from hil.plant.state import AFE


def fill(record: np.void, **values: float) -> None:
    """Set several fields of a record."""
    for name, value in values.items():
        record[name] = value


def afe_record(config: AfeConfig, dt_s: float, nominal_hz: float, phases: int, seed: int) -> np.ndarray:
    """Return the parameters and state of one AFE sampling every dt_s."""
    afe = np.zeros(1, AFE)
    fill(
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


def _tracking(config: InverterConfig, station: StationConfig) -> dict:
    """Return the fields of PLL, voltage filters and current loop."""
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
        clarke_gain=1 - math.exp(-2 * math.pi * config.prefilter_hz * dt_s),
        v_nom_peak=peak,
        v_floor=0.2 * peak,
        i_max_peak=config.overcurrent_share * config.rated_va / station.phases / station.nominal_v * math.sqrt(2),
        loop_gain=1 - math.exp(-2 * math.pi * config.current_loop_hz * dt_s),
        stop_gain=1 - math.exp(-dt_s / (config.stop_tau_ms * 1e-3)),
    )


def unit_values(config: InverterConfig, station: StationConfig) -> dict:
    """Return the fields of an inverter that is connected, enabled and at zero."""
    peak = station.nominal_v * math.sqrt(2)
    return dict(
        **_tracking(config, station),
        power_gain=1 - math.exp(-1.0 / config.response_ms),
        s_max_va=config.rated_va,
        w_max=config.rated_w,
        q_max_var=config.rated_var,
        rate_charge_w=config.rated_w,
        rate_discharge_w=config.rated_w,
        charge_max_w=config.rated_w,
        discharge_max_w=config.rated_w,
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
