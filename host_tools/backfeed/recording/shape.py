# SPDX-License-Identifier: MIT
"""Make a recording playable: one sample rate, a healthy lead-in before it, its last state held after it.

The firmware must have entered service before the recording begins, and slow stages must be able to
run out after it ends, so both are added and said. Recording time stays the time that is printed.
"""

from __future__ import annotations

import numpy as np

from backfeed.recording.model import FloatArray, Recording
from backfeed.recording.repair import SHORT_GAP_S
from hil.plant.afe import INNER_HZ

LIVE_SHARE = 0.2


def even_rate(recording: Recording) -> float:
    """Put samples on one rate and return it, samples/s. Sparse recordings are interpolated by cubics."""
    steps = np.diff(recording.t_s)
    rate_hz = 1 / float(np.median(steps))
    uneven = float(np.abs(steps * rate_hz - 1).max()) > 0.01
    if not uneven and rate_hz >= INNER_HZ:
        return rate_hz
    target_hz = INNER_HZ
    t_s = np.arange(0, recording.duration_s, 1 / target_hz)
    columns = [_cubic(t_s, recording.t_s, recording.voltage_v[:, i]) for i in range(recording.phases)]
    even = np.column_stack(columns)
    for at in np.flatnonzero(steps > max(SHORT_GAP_S, 1.5 / rate_hz)):
        even[(t_s > recording.t_s[at]) & (t_s < recording.t_s[at + 1])] = 0.0
    recording.t_s, recording.voltage_v = t_s, even
    recording.say(f"{rate_hz:.0f} samples/s brought to {target_hz:.0f} by cubic interpolation")
    return target_hz


def _cubic(t: FloatArray, ts: FloatArray, ys: FloatArray) -> FloatArray:
    """Return the cubic Hermite curve through (ts, ys) at t, its slopes those of the parabola through three points."""
    slope = np.gradient(ys, ts, edge_order=2) if ys.size > 2 else np.gradient(ys, ts)
    i = np.clip(np.searchsorted(ts, t, side="right") - 1, 0, ts.size - 2)
    step = ts[i + 1] - ts[i]
    u = (t - ts[i]) / step
    one = ys[i] * (1 + 2 * u) * (1 - u) ** 2 + slope[i] * step * u * (1 - u) ** 2
    other = ys[i + 1] * u**2 * (3 - 2 * u) + slope[i + 1] * step * u**2 * (u - 1)
    return np.asarray(one + other, dtype=float)


def first_frequency(voltage_v: FloatArray, rate_hz: float) -> float:
    """Return the frequency of the first five cycles, Hz, by the turning of the fundamental; 0 where there is none."""
    best = max((50.0, 60.0), key=lambda f: float(np.abs(_phasors(voltage_v, rate_hz, f, 0.0, 0.1)).sum()))
    cycle_s = 1 / best
    if voltage_v.shape[0] < 6 * cycle_s * rate_hz:
        return best
    frequency_hz = best
    for _ in range(3):
        early = _phasors(voltage_v, rate_hz, frequency_hz, 0.0)
        late = _phasors(voltage_v, rate_hz, frequency_hz, 4 * cycle_s)
        turn = float(np.angle(np.sum(late * np.conj(early))))
        frequency_hz += turn / (2 * np.pi * 4 * cycle_s)
    return frequency_hz


def _phasors(
    voltage_v: FloatArray, rate_hz: float, frequency_hz: float, at_s: float, span_s: float | None = None
) -> np.ndarray:
    """Return each phase's fundamental over span_s (one cycle) from at_s, V peak, its angle a cosine's at time 0."""
    begin = round(at_s * rate_hz)
    count = round(rate_hz * (span_s or 1 / frequency_hz))
    window = voltage_v[begin : begin + count]
    turning = np.exp(-2j * np.pi * frequency_hz * (begin + np.arange(window.shape[0])) / rate_hz)
    return np.asarray(2 * (window * turning[:, None]).mean(axis=0))


def lead_in(
    voltage_v: FloatArray, rate_hz: float, frequency_hz: float, seconds: float, peak_v: float | None
) -> FloatArray:
    """Return seconds of clean sine that run into the first sample in phase.

    peak_v: amplitude of every phase, V; None keeps the recording's own.
    """
    phasors = _phasors(voltage_v, rate_hz, frequency_hz, 0.0)
    if peak_v is not None:
        angle = np.angle(phasors[0])
        phases = voltage_v.shape[1]
        turned = angle - 2 * np.pi / 3 * np.arange(phases) if phases == 3 else np.angle(phasors)
        phasors = peak_v * np.exp(1j * turned)
    t_s = np.arange(-round(seconds * rate_hz), 0) / rate_hz
    return np.asarray((phasors[None, :] * np.exp(2j * np.pi * frequency_hz * t_s)[:, None]).real)


def tail(voltage_v: FloatArray, rate_hz: float, nominal_hz: float, seconds: float, nominal_v: float) -> FloatArray:
    """Return seconds in which the last state is held: the last cycle's sine, or nothing where the bus is dead."""
    count = round(seconds * rate_hz)
    last = voltage_v[-round(2 * rate_hz / nominal_hz) :]
    rms = np.sqrt(np.mean(np.square(last), axis=0))
    if rms.max() < LIVE_SHARE * nominal_v:
        return np.zeros((count, voltage_v.shape[1]))
    frequency_hz = first_frequency(voltage_v[::-1][: round(rate_hz)], rate_hz)
    backwards = lead_in(voltage_v[::-1], rate_hz, frequency_hz, seconds, None)
    return np.asarray(backwards[::-1])
