# SPDX-License-Identifier: MIT
"""Compiled: the inverter's fast part (PLL, current loop) each step, its slow part each millisecond.

Phasor convention: v = Re(z), z = V exp(j theta); current into the inverter i = Re((id + j iq) c) with
c = exp(j theta_pll), so P = m/2 V id and Q (absorbed) = -m/2 V iq, m = number of phases.
"""

from __future__ import annotations

from hil.plant.arithmetic import rotation, settled
from hil.plant.compiled import compiled, pasted
from hil.plant.state import (
    ALARM_AC_OVER_VOLT,
    ALARM_AC_UNDER_VOLT,
    ALARM_GRID_DISC,
    ALARM_OVER_FREQUENCY,
    ALARM_UNDER_FREQUENCY,
    FAULT,
    OFF,
    QUEUE,
    RUNNING,
    STANDBY,
    STARTING,
)

TWO_PI = 6.283185307179586
HALF_ROOT3 = 0.8660254037844386
INV_ROOT3 = 0.5773502691896258
_DEAD_US = 160_000  # terminals dead this long: the inverter leaves RUNNING
_SLOW_S = 1e-3
_AMPLITUDE_GAIN = 0.2  # a millisecond: 5 ms, or P / V would feed a resonance of the feeder


@pasted
def observe(u, va, vb, vc, c, s):
    """Track the terminal voltage as a phasor that turns with the PLL: from one phase a SOGI, from three Clarke's."""
    zr = u.zr * c - u.zi * s
    zi = u.zr * s + u.zi * c
    if u.phases == 1:
        u.zr = zr + u.sogi_gain * (va - zr)
        u.zi = zi
    else:
        u.zr = zr + u.clarke_gain * ((2.0 * va - vb - vc) * (1.0 / 3.0) - zr)
        u.zi = zi + u.clarke_gain * ((vb - vc) * INV_ROOT3 - zi)


@pasted
def lock(u, va, vb, vc, dt_s):
    """Advance PLL and current loop by one step; va..vc: terminal voltages at the end of the step, V."""
    c, s = rotation(u.w_rad_s * dt_s)
    cr = u.cr * c - u.ci * s
    ci = u.cr * s + u.ci * c
    correction = 1.5 - 0.5 * (cr * cr + ci * ci)
    cr *= correction
    ci *= correction
    u.cr = cr
    u.ci = ci
    observe(u, va, vb, vc, c, s)
    error = (u.zi * cr - u.zr * ci) * u.v_inverse
    if u.zr * cr + u.zi * ci < 0.0:
        error = 1.0 if error >= 0.0 else -1.0
    error = min(max(error, -1.0), 1.0)
    u.w_sum = min(max(u.w_sum + u.ki * error * dt_s, -u.w_span), u.w_span)
    u.w_rad_s = u.w0_rad_s + u.w_sum + u.kp * error
    u.id += u.current_gain * (u.id_ref - u.id)
    u.iq += u.current_gain * (u.iq_ref - u.iq)


@compiled
def halt(u):
    """Take the current to zero at the stopping bandwidth."""
    u.id_ref = 0.0
    u.iq_ref = 0.0
    u.p_w = 0.0
    u.q_var = 0.0
    u.p_ramped_w = 0.0
    u.current_gain = u.stop_gain


@compiled
def _state(u, t_us):
    """Return the state the unit should be in."""
    if u.tripped:
        return FAULT
    if not u.started:
        return OFF
    if not u.enabled or not u.connected:
        u.live_us = t_us
        return STANDBY
    if u.v_amp > 0.1 * u.v_nom_peak:
        if u.v_amp > 0.5 * u.v_nom_peak and not u.terminal_live:
            u.terminal_live = 1
            u.live_us = t_us
        u.state_us = t_us
    elif t_us - u.state_us > _DEAD_US:
        u.terminal_live = 0
    if not u.terminal_live:
        return STANDBY
    if t_us - u.live_us < u.start_us:
        return STARTING
    return RUNNING


@compiled
def _protect(u):
    """Run the inverter's own voltage and frequency protection (each millisecond)."""
    bits = 0
    if u.v_amp > u.ov_v:
        bits |= ALARM_AC_OVER_VOLT
    if u.v_amp < u.uv_v:
        bits |= ALARM_AC_UNDER_VOLT
    f = (u.w0_rad_s + u.w_sum) / TWO_PI
    if f > u.of_hz:
        bits |= ALARM_OVER_FREQUENCY
    if f < u.uf_hz:
        bits |= ALARM_UNDER_FREQUENCY
    if not bits:
        u.trip_timer_s = 0.0
        return
    u.trip_timer_s += _SLOW_S
    if u.trip_timer_s >= u.trip_delay_s:
        u.tripped = 1
        u.alarm |= bits | ALARM_GRID_DISC


@compiled
def _wanted(u):
    """Return (P, Q) wanted inside every limit of the inverter, W and var."""
    p = u.p_cmd_w * (1.0 + u.gain_error)
    top = u.w_max * u.w_limit_share
    lowest = -min(u.discharge_max_w, top)
    p = min(max(p, lowest), u.charge_max_w, top)
    step = u.ramp_w_s * _SLOW_S
    if step > 0.0 and abs(p) > abs(u.p_ramped_w):
        p = min(max(p, u.p_ramped_w - step), u.p_ramped_w + step)
    u.p_ramped_w = p
    q = u.q_cmd_var
    if u.ai_gain_var_hz != 0.0:
        f = (u.w0_rad_s + u.w_sum) / TWO_PI
        u.f_slow_hz += u.f_slow_gain * (f - u.f_slow_hz)
        q += u.ai_gain_var_hz * (f - u.f_slow_hz)
    room = min(max(u.s_max_va * u.s_max_va - p * p, 0.0) ** 0.5, u.q_max_var)
    return p, min(max(q, -room), room)


@compiled
def _latch(u, t_us):
    """Take over setpoints whose processing time has passed."""
    while u.p_tail < u.p_head and t_us >= u.p_due_us[u.p_tail % QUEUE]:
        if not u.ignore_setpoint:
            u.p_cmd_w = u.p_queue_w[u.p_tail % QUEUE]
        u.p_tail += 1
    while u.q_tail < u.q_head and t_us >= u.q_due_us[u.q_tail % QUEUE]:
        if not u.ignore_setpoint:
            u.q_cmd_var = u.q_queue_var[u.q_tail % QUEUE]
        u.q_tail += 1


@compiled
def unit_slow(u, t_us):
    """Run state, protection, limits and the power path of one inverter (each millisecond)."""
    u.zr = settled(u.zr)
    u.zi = settled(u.zi)
    u.id = settled(u.id)
    u.iq = settled(u.iq)
    u.v_amp = settled(u.v_amp + _AMPLITUDE_GAIN * ((u.zr * u.zr + u.zi * u.zi) ** 0.5 - u.v_amp))
    u.v_inverse = 1.0 / max(u.v_amp, u.v_floor)
    _latch(u, t_us)
    if u.self_trip and not u.tripped:
        u.tripped = 1
        u.alarm |= ALARM_GRID_DISC
    u.state = _state(u, t_us)
    if u.state != RUNNING:
        halt(u)
        return
    if u.own_protection:
        _protect(u)
    p, q = _wanted(u)
    u.p_w = settled(u.p_w + u.power_gain * (p - u.p_w))
    u.q_var = settled(u.q_var + u.power_gain * (q - u.q_var))
    scale = 2.0 / (u.phases * max(u.v_amp, 0.2 * u.v_nom_peak))
    i_d = u.p_w * scale
    i_q = -u.q_var * scale
    size = (i_d * i_d + i_q * i_q) ** 0.5
    if size > u.i_max_peak:
        i_d *= u.i_max_peak / size
        i_q *= u.i_max_peak / size
    u.id_ref = i_d
    u.iq_ref = i_q
    u.current_gain = u.loop_gain


@compiled
def true_power(u):
    """Return (P, Q) at the terminals from the phasors, + = into the inverter."""
    if not u.connected:
        return 0.0, 0.0
    vd = u.zr * u.cr + u.zi * u.ci
    vq = u.zi * u.cr - u.zr * u.ci
    m = 0.5 * u.phases
    return m * (vd * u.id + vq * u.iq), m * (vq * u.id - vd * u.iq)
