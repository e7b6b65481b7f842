# SPDX-License-Identifier: MIT
"""Parameters of a simulated station, with units and where a value comes from."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class InverterConfig:
    """The bidirectional inverter. Bandwidths and lags are of the order of published single-phase designs."""

    rated_w: float = 7400.0  # both directions
    rated_va: float = 8140.0  # room for 44 % of reactive power at full active power (IEEE 1547 category B)
    rated_var: float = 3256.0
    pll_hz: float = 12.0  # natural frequency of the PLL, damping 0.707
    sogi_damping: float = 1.414  # gain k of the quadrature generator
    prefilter_hz: float = 200.0  # of the three-phase voltage, around the fundamental
    current_loop_hz: float = 800.0
    response_ms: float = 30.0  # first-order lag of P and Q after a setpoint took effect
    latency_ms: float = 15.0  # from the end of the Modbus write to the new setpoint taking effect
    start_ms: float = 500.0  # from live terminals to running
    stop_tau_ms: float = 0.2  # decay of the current when the enable line drops
    overcurrent_share: float = 1.1
    own_protection: bool = False
    own_trip_delay_s: float = 0.16
    own_anti_islanding_var_hz: float = 0.0  # var of rating per Hz of its own frequency feedback; 0 = off


@dataclass(frozen=True)
class VehicleConfig:
    """Battery and pilot load of the vehicle. Resistances: IEC 61851-1 Annex A."""

    capacity_wh: float = 60000.0
    soc: float = 0.6
    efficiency: float = 0.96  # one way, AC to battery
    charge_max_w: float = 11000.0
    discharge_max_w: float = 11000.0
    taper_soc: float = 0.9
    floor_soc: float = 0.05  # below this the battery itself gives nothing
    dc_v_empty: float = 320.0
    dc_v_full: float = 400.0
    answer_ms: float = 300.0  # from seeing PWM to state C
    stop_ms: float = 500.0  # from losing PWM to leaving state C
    r_b_ohm: float = 2740.0
    r_c_ohm: float = 882.0
    r_d_ohm: float = 246.0
    diode_v: float = 0.7


@dataclass(frozen=True)
class AfeConfig:
    """Grid front end: ADE9000 (UG-1098) unless said otherwise."""

    lpf_hz: float = 84.0  # LPF1: gain 0.86 at 50 Hz, 0.81 at 60 Hz
    zx_threshold_v: float = 0.0  # RMS below which crossings are not believed; 0 = none, as after reset
    zx_blank_s: float = 1e-3
    noise_v: float = 0.02  # RMS per sample
    noise_a: float = 0.005
    period_lsb_s: float = 1.0 / (8000 * 65536)
    rms_lsb: float = 1e-5


@dataclass(frozen=True)
class StationConfig:
    """A station on its feeder. short_circuit_ratio is against the inverter's rating."""

    phases: int = 1
    nominal_v: float = 230.0  # line to neutral
    nominal_hz: float = 50.0
    short_circuit_ratio: float = 20.0
    x_over_r: float = 1.0
    base_load_w: float = 300.0  # what hangs on the feeder besides the charger, all phases together
    base_load_f: float = 4e-6  # per phase
    step_us: int = 50
    seed: int = 1
    units: int = 1
    close_ms: float = 20.0
    open_ms: float = 18.0
    bounce_ms: float = 2.0
    gate_hold_ms: float = 60.0
    ambient_c: float = 25.0
    inverter: InverterConfig = field(default_factory=InverterConfig)
    vehicle: VehicleConfig = field(default_factory=VehicleConfig)
    afe: AfeConfig = field(default_factory=AfeConfig)
