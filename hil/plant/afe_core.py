# SPDX-License-Identifier: MIT
"""Compiled: a metering front end, one sample of one phase at a time.

Modelled on the ADE9000 (UG-1098): zero crossings of the voltage after a first-order low-pass (LPF1),
interpolated linearly between samples, at least 1 ms apart; RMS over one cycle refreshed each half
cycle; line period from the positive-to-negative crossings. Windows are cut at the crossing itself
(the sample's share before it counts to the old window), so neither energy nor RMS loses a sample.
"""

from __future__ import annotations

from hil.plant.arithmetic import gaussian, rotation, xorshift
from hil.plant.compiled import compiled, pasted

TWO_PI = 6.283185307179586


@pasted
def turn_reference(a):
    """Advance the oscillator that the fundamental is measured against."""
    c, s = rotation(TWO_PI * a.ref_hz * a.dt_s)
    r = a.ref_r * c - a.ref_i * s
    i = a.ref_r * s + a.ref_i * c
    correction = 1.5 - 0.5 * (r * r + i * i)
    a.ref_r = r * correction
    a.ref_i = i * correction


@pasted
def _gather(line, a, v, i, share):
    """Add the share of one sample to the running half-cycle window."""
    line.afe_n += share
    vs = v * share
    line.afe_v2 += v * vs
    line.afe_i2 += i * i * share
    line.afe_vi += i * vs
    line.afe_vc += vs * a.ref_r
    line.afe_vs += vs * a.ref_i
    line.afe_ic += i * share * a.ref_r
    line.afe_is += i * share * a.ref_i


@compiled
def _roll(line):
    """Make the running window the old one and start afresh."""
    line.old_n = line.afe_n
    line.old_v2 = line.afe_v2
    line.old_i2 = line.afe_i2
    line.old_vi = line.afe_vi
    line.old_vc = line.afe_vc
    line.old_vs = line.afe_vs
    line.old_ic = line.afe_ic
    line.old_is = line.afe_is
    line.afe_n = 0.0
    line.afe_v2 = 0.0
    line.afe_i2 = 0.0
    line.afe_vi = 0.0
    line.afe_vc = 0.0
    line.afe_vs = 0.0
    line.afe_ic = 0.0
    line.afe_is = 0.0


@compiled
def _quantised(value, lsb):
    return round(value / lsb) * lsb if lsb > 0.0 else value


@compiled
def _refresh(line, a, first):
    """Close a half-cycle window: one-cycle RMS, P, fundamental Q, energy."""
    n = line.afe_n + line.old_n
    if n <= 0.0:
        return
    line.afe_v_rms = _quantised(((line.afe_v2 + line.old_v2) / n) ** 0.5, a.rms_lsb)
    line.afe_i_rms = _quantised(((line.afe_i2 + line.old_i2) / n) ** 0.5, a.rms_lsb)
    line.afe_p_w = (line.afe_vi + line.old_vi) / n
    vc = line.afe_vc + line.old_vc
    vs = line.afe_vs + line.old_vs
    line.afe_q_var = 2.0 * (vc * (line.afe_is + line.old_is) - vs * (line.afe_ic + line.old_ic)) / (n * n)
    energy_wh = line.afe_vi * a.dt_s / 3600.0
    if energy_wh >= 0.0:
        line.afe_import_wh += energy_wh
    else:
        line.afe_export_wh -= energy_wh
    _roll(line)
    line.afe_rounds += 1
    if first:
        a.sequence += 1


@compiled
def _time_cycle(line, a, first):
    """Take the line period at a positive-to-negative crossing that lies afe_since_s in the past."""
    period = line.afe_cross_s
    if line.afe_seen and 1.0 / 70.0 <= period <= 1.0 / 30.0:
        if a.period_override_s > 0.0:
            period = a.period_override_s
            a.period_override_s = 0.0
        line.afe_period_s = _quantised(period, a.period_lsb_s)
        if first:
            a.ref_hz = 1.0 / period
    elif line.afe_seen:
        line.afe_period_s = 0.0
    line.afe_seen = 1
    line.afe_cross_s = 0.0


@compiled
def afe_sample(line, a, v, i, first):
    """Take one sample of one phase: v in V, i in A (+ = from the grid into the charger)."""
    if a.noise_on:
        a.seed = xorshift(a.seed)
        v += a.noise_v * gaussian(a.seed)
        a.seed = xorshift(a.seed)
        i += a.noise_a * gaussian(a.seed)
    v *= a.gain_v
    i *= a.gain_i
    was = line.afe_y
    y = was + a.lpf * (v - was)
    line.afe_y = y
    dt = a.dt_s
    crossed = (y >= 0.0) != (was >= 0.0) and line.afe_since_s >= a.zx_blank_s
    if crossed and line.afe_v_rms < a.zx_threshold_v:
        crossed = False
    if crossed:
        share = was / (was - y)
        _gather(line, a, v, i, share)
        _refresh(line, a, first)
        _gather(line, a, v, i, 1.0 - share)
        line.afe_cross_s += share * dt
        if was >= 0.0:
            _time_cycle(line, a, first)
        line.afe_cross_s += (1.0 - share) * dt
        line.afe_since_s = (1.0 - share) * dt
        return
    _gather(line, a, v, i, 1.0)
    line.afe_cross_s += dt
    line.afe_since_s += dt
    if line.afe_since_s >= a.timeout_s:
        _refresh(line, a, first)
        line.afe_since_s = 0.0
    if line.afe_cross_s >= 3.0 * a.timeout_s:
        line.afe_seen = 0
        line.afe_period_s = 0.0
