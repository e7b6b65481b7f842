# SPDX-License-Identifier: MIT
"""What the front end shows at each firmware cycle of a replay, seven ints a cycle: see hil/on_board/replay.py."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backfeed.recording.model import RMS, FloatArray, Recording
from backfeed.recording.repair import LONG_GAP_S
from backfeed.recording.shape import first_frequency, lead_in, tail
from hil.plant.afe import AfeModel

CYCLE_S = 0.010
COUNTS_HZ = 8000 * 65536  # the part's line period counts 1 / this
SLOWEST_HZ, FASTEST_HZ = 40.0, 70.0  # outside, the part shows no line
SINE_S = 1.0  # of the lead-in passes the front end's model, so that it has settled
SETTLE_CYCLES = 50  # of those, unseen while the model fills
WIDTH = 7
PHASES = 3

Readings = NDArray[np.int32]


@dataclass
class Healthy:
    """The grid before the recording begins."""

    volts: list[float]
    frequency_hz: float
    own: bool  # the recording's own first values; False: the profile's nominal, as those are outside its window


def healthy(recording: Recording, profile: dict[str, Any], rate_hz: float) -> Healthy:
    """Return the recording's first voltage and frequency, or nominal where they would not let service be entered."""
    if recording.kind == RMS:
        assert recording.frequency_hz is not None
        first = int(np.flatnonzero(np.isfinite(recording.voltage_v).all(axis=1))[0])
        volts = recording.voltage_v[first].tolist()
        frequency_hz = float(recording.frequency_hz[first])
    else:
        cycles = recording.voltage_v[: round(5 * rate_hz / profile["nominal_hz"])]
        volts = np.sqrt(np.mean(np.square(cycles), axis=0)).tolist()
        frequency_hz = first_frequency(recording.voltage_v, rate_hz)
    low_v, high_v = profile["enter_v"]
    low_hz, high_hz = profile["enter_hz"]
    if all(low_v * 1.01 < v < high_v * 0.99 for v in volts) and low_hz < frequency_hz < high_hz:
        return Healthy(volts, frequency_hz, own=True)
    recording.say(
        f"the recording begins at {', '.join(f'{v:.1f}' for v in volts)} V, {frequency_hz:.2f} Hz, where service is not"
        f" entered ({low_v:g}..{high_v:g} V, {low_hz:g}..{high_hz:g} Hz): the lead-in is nominal"
    )
    return Healthy([profile["nominal_v"]] * recording.phases, profile["nominal_hz"], own=False)


def of_recording(
    recording: Recording, profile: dict[str, Any], lead_s: float, hold_s: float, rate_hz: float
) -> Readings:
    """Return a healthy lead-in, the recording, and its last state held: one reading a firmware cycle."""
    grid = healthy(recording, profile, rate_hz)
    lead = _steady(grid, lead_s, profile["nominal_hz"])
    if recording.kind == RMS:
        then = _series(recording, hold_s, profile["nominal_hz"])
    else:
        lead = lead[: -round(SINE_S / CYCLE_S)]
        then = _waves(recording, grid, hold_s, rate_hz, profile)
        then[:SETTLE_CYCLES, 1:] = lead[-1, 1:]
    # The two come from different counters; only that they move counts.
    then[:, 0] += lead[-1, 0] + 1 - then[0, 0]
    return np.concatenate((lead, then))


def _pack(sequence: NDArray[Any], volts: FloatArray, hertz: FloatArray) -> Readings:
    """Return readings. volts, hertz: (cycles, phases); a frequency outside the part's range shows no line."""
    phases = volts.shape[1]
    rows = np.zeros((len(volts), WIDTH), dtype=np.int32)
    rows[:, 0] = sequence
    rows[:, 1 : 1 + phases] = np.round(volts * 1000)
    seen = (hertz >= SLOWEST_HZ) & (hertz <= FASTEST_HZ)
    counts = np.round(COUNTS_HZ / np.where(seen, hertz, 50.0)) - 1
    rows[:, 1 + PHASES : 1 + PHASES + phases] = np.where(seen, counts, 0)
    return rows


def _steady(grid: Healthy, seconds: float, nominal_hz: float) -> Readings:
    count = round(seconds / CYCLE_S)
    volts = np.tile(np.array(grid.volts), (count, 1))
    sequence = np.arange(count) * CYCLE_S * 2 * nominal_hz
    return _pack(sequence, volts, np.full_like(volts, grid.frequency_hz))


def _series(recording: Recording, hold_s: float, nominal_hz: float) -> Readings:
    """Return readings of RMS rows joined by straight lines. Over a long gap the front end stands still."""
    assert recording.frequency_hz is not None
    times, rows = recording.t_s, recording.voltage_v
    wanted = np.arange(0.0, recording.duration_s + hold_s, CYCLE_S)
    left = np.clip(np.searchsorted(times, wanted, side="right") - 1, 0, times.size - 2)
    frozen = (times[left + 1] - times[left] > LONG_GAP_S) | np.isnan(rows[left]).any(axis=1)
    frozen |= np.isnan(rows[left + 1]).any(axis=1)
    frozen &= wanted <= recording.duration_s
    frozen[0] = False
    volts = np.column_stack([np.interp(wanted, times, rows[:, k]) for k in range(recording.phases)])
    hertz = np.interp(wanted, times, recording.frequency_hz)
    sequence = wanted * 2 * nominal_hz
    seen = np.maximum.accumulate(np.where(frozen, 0, np.arange(wanted.size)))  # the last reading that was refreshed
    return _pack(sequence[seen], volts[seen], np.tile(hertz[seen, None], (1, recording.phases)))


def _waves(recording: Recording, grid: Healthy, hold_s: float, rate_hz: float, profile: dict[str, Any]) -> Readings:
    """Return readings of samples through the front end's model, a sine before them and the last state held after."""
    nominal_hz, nominal_v = profile["nominal_hz"], profile["nominal_v"]
    peak_v = None if grid.own else nominal_v * math.sqrt(2)
    before = lead_in(recording.voltage_v, rate_hz, grid.frequency_hz, SINE_S, peak_v)
    after = tail(recording.voltage_v, rate_hz, nominal_hz, hold_s, nominal_v)
    samples = np.concatenate((before, recording.voltage_v, after))
    model = AfeModel(rate_hz, recording.phases, nominal_hz)
    ends = np.round(np.arange(1, int(len(samples) / rate_hz / CYCLE_S) + 1) * CYCLE_S * rate_hz).astype(int)
    sequence = np.zeros(ends.size)
    volts = np.zeros((ends.size, recording.phases))
    hertz = np.zeros_like(volts)
    at = 0
    for row, end in enumerate(ends):
        reading = model.push(samples[at:end])
        at = end
        sequence[row] = reading.sequence
        volts[row] = reading.voltage_v[: recording.phases]
        periods = np.array(reading.line_period_s[: recording.phases])
        hertz[row] = np.divide(1.0, periods, out=np.zeros_like(periods), where=periods > 0)
    return _pack(sequence, volts, hertz)
