# SPDX-License-Identifier: MIT
"""Bring a recording to the voltage a charger sees: nominal voltage and zero sequence, said aloud."""

from __future__ import annotations

import math

import numpy as np

from backfeed.errors import InputError
from backfeed.recording.model import RMS, Recording

# Nominal phase voltages of voltage transformers' secondaries (100, 110, 115, 120 V over sqrt 3), and between phases.
SECONDARY_V = (100 / math.sqrt(3), 110 / math.sqrt(3), 115 / math.sqrt(3), 120 / math.sqrt(3), 100.0, 110.0)
SNAP_SHARE = 0.10  # a level this near to a usual nominal is that nominal
AS_IS_SHARE = 0.15  # a level this near to the profile's nominal is left alone: an over-voltage stays one
NAMED_SHARE = 0.40  # how far the level may be from a nominal the user names
NETWORK_V = 1000.0  # above this a recording is from a network above the charger's
FIRST_S = 0.1  # the level of a waveform is taken from its first 100 ms
ZERO_SEQUENCE = ("auto", "keep", "remove")


def fit(recording: Recording, profile_v: float, named_v: float | None = None, zero_sequence: str = "auto") -> None:
    """Scale a recording to profile_v, the profile's nominal phase voltage.

    named_v: what the user calls nominal: the recording's own nominal where its level is near, else the profile's.
    zero_sequence: remove takes (va+vb+vc)/3 out, as the delta winding of a transformer does; auto removes it where
    the recording was made on a network above the charger's and therefore had to be scaled.
    """
    level_v = level(recording)
    if level_v <= 0:
        raise InputError(f"{recording.source}: no voltage anywhere; choose other channels with --columns.")
    base_v, why = _base(recording, level_v, profile_v, named_v)
    scaled = abs(base_v / profile_v - 1) > 1e-9
    if zero_sequence == "remove" or (zero_sequence == "auto" and scaled and recording.network):
        _remove_zero_sequence(recording)
    elif scaled and recording.network:
        recording.say("zero sequence kept: phase-to-earth voltages as they were recorded")
    recording.voltage_v = recording.voltage_v * (profile_v / base_v)
    if scaled:
        recording.say(f"nominal {_volts(base_v)} ({why}), scaled to the profile's {_volts(profile_v)}")
    else:
        recording.say(f"nominal {_volts(profile_v)}: voltages taken as they are ({why})")


def level(recording: Recording) -> float:
    """Return the usual phase voltage, V RMS: the median of live rows, or the first 100 ms of a waveform."""
    voltage_v = recording.voltage_v
    if recording.kind == RMS:
        rows = voltage_v.mean(axis=1)
        live = rows[rows > 0.5 * np.percentile(rows, 95)]
        return float(np.median(live)) if live.size else 0.0
    if recording.phases == 3:
        voltage_v = voltage_v - voltage_v.mean(axis=1, keepdims=True)
    first = voltage_v[recording.t_s <= FIRST_S]
    rms = float(np.sqrt(np.mean(np.square(first))))
    whole = float(np.sqrt(np.mean(np.square(voltage_v))))
    return max(rms, whole)


def _base(recording: Recording, level_v: float, profile_v: float, named_v: float | None) -> tuple[float, str]:
    """Return the recording's nominal phase voltage and how it is known."""
    if named_v is not None and _near(level_v, named_v, NAMED_SHARE):
        return named_v, "as named"
    if named_v is not None and not _near(named_v, profile_v, NAMED_SHARE):
        raise InputError(
            f"--nominal {named_v:g}: the recording's level is {level_v:.4g} V, the profile's nominal {profile_v:g} V;"
            f" give a voltage within {NAMED_SHARE:.0%} of either, or leave it away."
        )
    for nominal_v, share, why in _candidates(recording, level_v, profile_v):
        if _near(level_v, nominal_v, share):
            return nominal_v, why
    recording.network = recording.network or level_v > NETWORK_V
    return level_v, "its own usual level"


def _candidates(recording: Recording, level_v: float, profile_v: float) -> list[tuple[float, float, str]]:
    """Return (nominal phase voltage, share the level may differ, why), the best known first."""
    root3 = math.sqrt(3)
    candidates = []
    if recording.stated_nominal_v is not None:
        stated_v = recording.stated_nominal_v
        candidates += [(stated_v, 2 * AS_IS_SHARE, "as the file states")]
        candidates += [(stated_v / root3, 2 * AS_IS_SHARE, "the file's transformer ratio is between phases")]
    candidates += [(profile_v, AS_IS_SHARE, f"its level is {_volts(level_v)}")]
    candidates += [(profile_v * root3, AS_IS_SHARE, "its level is that between phases")]
    if recording.network:
        said = f"a transformer's secondary; its level is {_volts(level_v)}"
        candidates += [(usual_v, SNAP_SHARE, said) for usual_v in SECONDARY_V]
    return candidates


def _near(value: float, reference: float, share: float) -> bool:
    return abs(value / reference - 1) <= share


def _remove_zero_sequence(recording: Recording) -> None:
    if recording.phases != 3 or recording.kind == RMS:
        if recording.kind != RMS:
            recording.say("zero sequence cannot be removed: that needs the waveforms of three phases")
        return
    zero = recording.voltage_v.mean(axis=1, keepdims=True)
    share = float(np.sqrt(np.mean(np.square(zero))) / np.sqrt(np.mean(np.square(recording.voltage_v))))
    recording.voltage_v = recording.voltage_v - zero
    recording.say(
        f"zero sequence removed ({share:.0%} of the phase-to-earth voltages): the delta winding between that network"
        " and a charger does not pass it; --zero-sequence keep shows the phase-to-earth voltages"
    )


def _volts(value: float) -> str:
    return f"{value / 1000:.4g} kV" if value >= 1000 else f"{value:.4g} V"
