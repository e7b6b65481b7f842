# SPDX-License-Identifier: MIT
"""Compiled: grid source voltage and the feeder, one step."""

from __future__ import annotations

from hil.plant.arithmetic import gaussian, rotation, xorshift
from hil.plant.compiled import pasted

TWO_PI = 6.283185307179586
SQRT2 = 1.4142135623730951


@pasted
def turn_source(w):
    """Advance frequency ramp, source phasor and flicker phasor by one step."""
    if w.f_left > 0:
        w.f_hz += w.f_slope
        w.f_left -= 1
    c, s = rotation(TWO_PI * w.f_hz * w.dt_s)
    zr = w.zr * c - w.zi * s
    zi = w.zr * s + w.zi * c
    correction = 1.5 - 0.5 * (zr * zr + zi * zi)
    w.zr = zr * correction
    w.zi = zi * correction
    if w.flicker_share > 0.0:
        c, s = rotation(TWO_PI * w.flicker_hz * w.dt_s)
        fr = w.flicker_r * c - w.flicker_i * s
        w.flicker_i = w.flicker_r * s + w.flicker_i * c
        w.flicker_r = fr


@pasted
def source_voltage(w, line, harmonics):
    """Return the source voltage of one phase at mid-step, V."""
    if line.e_left > 0:
        line.e_v += line.e_slope
        line.e_left -= 1
    xr = w.zr * line.pr - w.zi * line.pi
    peak = SQRT2 * line.e_v
    if w.flicker_share > 0.0:
        peak *= 1.0 + w.flicker_share * w.flicker_r
    shape = xr
    if w.harmonic_count > 0:
        xi = w.zr * line.pi + w.zi * line.pr
        sr = xr * xr - xi * xi
        si = 2.0 * xr * xi
        yr = xr
        yi = xi
        for k in range(w.harmonic_count):
            hr = yr * sr - yi * si
            yi = yr * si + yi * sr
            yr = hr
            shape += yr * harmonics[k, 0] - yi * harmonics[k, 1]
    e = peak * shape
    if w.noise_on:
        w.seed = xorshift(w.seed)
        e += w.noise_v * gaussian(w.seed)
    return e


@pasted
def feeder_step(line, a, at, e, j):
    """Advance the feeder of one phase: 15 coefficients from a[at], e source V, j injected A (both mid-step)."""
    ig = line.i_grid
    v = line.v
    il = line.i_load
    line.i_grid = a[at] * ig + a[at + 1] * v + a[at + 2] * il + a[at + 3] * e + a[at + 4] * j
    line.v = a[at + 5] * ig + a[at + 6] * v + a[at + 7] * il + a[at + 8] * e + a[at + 9] * j
    line.i_load = a[at + 10] * ig + a[at + 11] * v + a[at + 12] * il + a[at + 13] * e + a[at + 14] * j
