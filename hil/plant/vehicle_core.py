# SPDX-License-Identifier: MIT
"""Compiled: vehicle, battery, temperatures; each millisecond."""

from __future__ import annotations

from hil.plant.compiled import compiled
from hil.plant.inverter_core import true_power
from hil.plant.state import EV_A, EV_B, EV_C, EV_D

_STEP_S = 1e-3
_INF = float("inf")


@compiled
def _pwm_seen(w, t_us):
    """Note whether the vehicle sees a PWM, and since when."""
    pwm = 1 if 0.0 < w.pilot_duty < 1.0 else 0
    if pwm != w.pilot_pwm:
        w.pilot_pwm = pwm
        w.pilot_pwm_us = t_us


@compiled
def ev_step(w, t_us):
    """Choose the state the vehicle shows: B until it wants power and sees a PWM, then C (or D)."""
    _pwm_seen(w, t_us)
    if not w.plugged:
        w.ev_state = EV_A
        return
    if w.ev_state == EV_A:
        w.ev_state = EV_B
        w.ev_changed_us = t_us
    ready = w.ev_state >= EV_C
    if not ready:
        waited_us = t_us - max(w.pilot_pwm_us, w.ev_changed_us)
        if w.ev_wants and w.pilot_pwm and waited_us >= w.ev_answer_us:
            w.ev_state = EV_D if w.ev_wants_d else EV_C
            w.ev_changed_us = t_us
        return
    stopped = not w.pilot_pwm and t_us - w.pilot_pwm_us >= w.ev_stop_us and not w.ev_ignores_stop
    if stopped or not w.ev_wants:
        w.ev_state = EV_B
        w.ev_changed_us = t_us


@compiled
def _load_ohm(w):
    """Return the resistance the vehicle puts between pilot and earth, ohm."""
    if w.ev_state == EV_A or w.ev_pe_lost:
        return _INF
    if w.ev_state == EV_B:
        ohm = w.ev_r_b
    elif w.ev_state == EV_C:
        ohm = w.ev_r_c
    else:
        ohm = w.ev_r_d
    return ohm + w.ev_r_extra


@compiled
def _level(supply_v, ohm, drop_v):
    """Return the pilot voltage of a +supply through 1 kohm into a diode and a resistor."""
    if ohm == _INF:
        return supply_v
    if supply_v <= drop_v:
        return supply_v
    return drop_v + (supply_v - drop_v) * ohm / (ohm + 1000.0)


@compiled
def pilot_step(w):
    """Work out both peak detectors for the driver's duty and the vehicle's load."""
    supply = w.pilot_supply_v
    ohm = _load_ohm(w)
    if w.ev_short:
        high, low = 0.0, 0.0
    elif w.ev_diode_missing:
        high, low = _level(supply, ohm, 0.0), -_level(supply, ohm, 0.0)
    else:
        high, low = _level(supply, ohm, w.diode_v), -supply
    if w.pilot_duty >= 1.0:
        low = high
    elif w.pilot_duty <= 0.0:
        high = low
    w.pilot_high_v = high
    w.pilot_low_v = low
    ohm = w.cable_ohm if w.plugged else _INF
    w.proximity_ohm = w.proximity_fault_ohm if w.proximity_fault_ohm >= 0.0 else ohm


@compiled
def battery_limits(w, u):
    """Give the inverter what the battery takes and gives: taper near full, nothing below its own floor."""
    soc = w.soc_wh / w.capacity_wh
    charge = min(u.rate_charge_w, w.charge_max_w)
    if soc > w.taper_soc:
        charge *= max(0.0, (1.0 - soc) / (1.0 - w.taper_soc))
    discharge = min(u.rate_discharge_w, w.discharge_max_w)
    if soc <= w.floor_soc:
        discharge = 0.0
    if not w.plugged:
        charge = 0.0
        discharge = 0.0
    u.charge_max_w = charge
    u.discharge_max_w = discharge


@compiled
def battery_step(w, u):
    """Move energy for one millisecond; losses heat the battery."""
    p, q = true_power(u)
    u.p_true_w = p
    u.q_true_var = q
    hours = _STEP_S / 3600.0
    if p >= 0.0:
        dc = p * w.efficiency
        w.ac_import_wh += p * hours
        w.dc_in_wh += dc * hours
    else:
        dc = p / w.efficiency
        w.ac_export_wh -= p * hours
        w.dc_out_wh -= dc * hours
    w.battery_w = dc
    w.soc_wh = min(max(w.soc_wh + dc * hours, 0.0), w.capacity_wh)
    heat = w.battery_heating_c * (dc / 10000.0) ** 2
    w.battery_c += (w.ambient_c + heat - w.battery_c) * (_STEP_S / w.battery_tau_s)


@compiled
def thermal_step(w, i2):
    """Warm board and connector with the square of the current (i2, A^2), first order."""
    share = i2 / (w.rated_a * w.rated_a)
    k = _STEP_S / w.thermal_tau_s
    w.board_c += (w.ambient_c + w.board_heating_c * share - w.board_c) * k
    w.connector_c += (w.ambient_c + w.connector_heating_c * share - w.connector_c) * k
