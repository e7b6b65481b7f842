# SPDX-License-Identifier: MIT
"""Missing values, gaps and a frequency on a dead bus: bridged or kept, and always said."""

from __future__ import annotations

import numpy as np

from backfeed.errors import InputError
from backfeed.recording.model import RMS, FloatArray, Recording

LONG_GAP_S = 10.0  # rows further apart than this are no measurement: the front end stands still there
GAP_STEPS = 1.5  # a step longer than this many usual steps is a gap
SHORT_GAP_S = 0.010  # half a cycle: bridged; longer holes in samples are no voltage
DEAD_SHARE = 0.2  # below this share of nominal a frequency means nothing


def repair(recording: Recording) -> None:
    """Fill what is missing and say so: a straight line between RMS rows; samples beyond half a cycle are no voltage."""
    _drop_empty_phases(recording)
    if recording.kind == RMS:
        _repair_rows(recording)
    else:
        _repair_samples(recording)
    _say_gaps(recording)


def _drop_empty_phases(recording: Recording) -> None:
    known = np.isfinite(recording.voltage_v)
    usable = [i for i in range(recording.phases) if np.count_nonzero(known[:, i]) >= 2]
    if not usable:
        raise InputError(
            f"{recording.source}: fewer than two numbers in {', '.join(recording.channels)}; name the voltages with"
            f" --columns if these are others."
        )
    for i in range(recording.phases):
        if i not in usable:
            recording.say(f"column {recording.channels[i]} holds no numbers and is left out")
    recording.voltage_v = recording.voltage_v[:, usable]
    recording.channels = [recording.channels[i] for i in usable]


def _repair_rows(recording: Recording) -> None:
    assert recording.frequency_hz is not None
    bad = ~np.isfinite(recording.voltage_v).all(axis=1) | ~np.isfinite(recording.frequency_hz)
    if not bad.any():
        return
    for i in range(recording.phases):
        recording.voltage_v[:, i] = _bridge(recording.t_s, recording.voltage_v[:, i])
    recording.frequency_hz = _bridge(recording.t_s, recording.frequency_hz)
    first = recording.t_s[np.flatnonzero(bad)[0]]
    recording.say(
        f"{np.count_nonzero(bad)} rows with missing values, first at {first:g} s: bridged by a straight line"
        f"{_blank_long(recording, bad)}"
    )


def _blank_long(recording: Recording, bad: np.ndarray) -> str:
    """Take back what was bridged over more than LONG_GAP_S and return how to say so."""
    long = [run for run in _runs(bad) if _span_s(recording.t_s, run) > LONG_GAP_S]
    for begin, end in long:
        recording.voltage_v[begin:end] = np.nan
    if not long:
        return ""
    worst = max(long, key=lambda run: _span_s(recording.t_s, run))
    return (
        f", but for {len(long)} of more than {LONG_GAP_S:g} s (longest {_span_s(recording.t_s, worst):g} s at"
        f" {recording.t_s[worst[0]]:g} s), where the front end stands still"
    )


def _span_s(t_s: FloatArray, run: tuple[int, int]) -> float:
    """Return the time between the known rows around a run."""
    return float(t_s[min(run[1], t_s.size - 1)] - t_s[max(run[0] - 1, 0)])


def _bridge(t_s: FloatArray, values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    if known.all():
        return values
    if not known.any():
        return np.zeros_like(values)
    return np.interp(t_s, t_s[known], values[known])


def _repair_samples(recording: Recording) -> None:
    for i in range(recording.phases):
        values = recording.voltage_v[:, i]
        bad = ~np.isfinite(values)
        if not bad.any():
            continue
        filled = _bridge(recording.t_s, values)
        holes = list(_runs(bad))
        for begin, end in holes:
            if recording.t_s[end - 1] - recording.t_s[begin] > SHORT_GAP_S:
                filled[begin:end] = 0.0
        recording.voltage_v[:, i] = filled
        recording.say(
            f"{recording.channels[i]}: {np.count_nonzero(bad)} missing samples in {len(holes)} places, first at"
            f" {recording.t_s[holes[0][0]]:.4f} s: bridged up to half a cycle, no voltage beyond"
        )


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Return (begin, end) of each run of True."""
    edges = np.diff(np.concatenate(([0], flags.astype(np.int8), [0])))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def _say_gaps(recording: Recording) -> None:
    steps = np.diff(recording.t_s)
    usual = float(np.median(steps))
    wide = np.flatnonzero(steps > GAP_STEPS * usual)
    if wide.size:
        worst = wide[np.argmax(steps[wide])]
        how = "no voltage where longer than half a cycle"
        if recording.kind == RMS:
            how = f"bridged by a straight line, beyond {LONG_GAP_S:g} s the front end stands still"
        recording.say(
            f"{wide.size} gaps, longest {steps[worst]:g} s at {recording.t_s[worst]:g} s"
            f" (rows come every {usual:g} s): {how}"
        )


def say_dead_bus(recording: Recording, nominal_v: float) -> None:
    """Say when a frequency is reported on a dead bus; the firmware is given it as it stands and must not believe it."""
    if recording.frequency_hz is None:
        return
    dead = (recording.voltage_v.max(axis=1) < DEAD_SHARE * nominal_v) & (recording.frequency_hz > 0)
    if dead.any():
        at = np.flatnonzero(dead)
        share = recording.voltage_v[at[0]].max() / nominal_v
        reported = recording.frequency_hz[at]
        recording.say(
            f"dead bus from {recording.t_s[at[0]]:g} s ({share:.2f} pu) still reports {reported.max():.2f}.."
            f"{reported.min():.2f} Hz: that is no grid frequency"
        )
