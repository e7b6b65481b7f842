# SPDX-License-Identifier: MIT
"""CSV recordings: RMS voltages with a frequency, or sampled waveforms."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from backfeed.errors import InputError
from backfeed.recording.model import RMS, WAVEFORM, Choice, FloatArray, Recording
from backfeed.recording.table import Table, read_table

FREQUENCY = re.compile(r"freq|^f$|^f[_ (\[]|hz\b", re.IGNORECASE)
TIME = re.compile(r"^(t|time|date|datetime|timestamp|zeit|hora|seconds)\b|^t_|time", re.IGNORECASE)
# A phase voltage in its common dresses: va, u1, v_l1, volt_a, L1, AnalyzerL1PhaseVoltage; never a current or an angle.
FORMS = (
    r"^(v|u|volt\w*)[ _]?(l?{n}|{a}|{a}n|l{n}n|phase[ _]?[{a}{n}])\b",
    r"(l{n}|phase[ _]?{a}).*volt|volt.*(l{n}|[ _]{a}\b)",
    r"^l{n}$|^{a}$|^(v|u)\w*[ _]l?{n}\b|^(v|u)(l{n}|{a})[ _]",
)
PHASE = tuple(re.compile("|".join(FORMS).format(a=a, n=n), re.IGNORECASE) for a, n in (("a", 1), ("b", 2), ("c", 3)))
SINGLE = re.compile(r"^(v|u|volt\w*)\b|^(v|u)_?rms|volt", re.IGNORECASE)
NOT_VOLTAGE = re.compile(r"angle|current|freq|^i[ _]?[abc123]|thd|unbal|power", re.IGNORECASE)


def load_csv(path: Path, choice: Choice) -> Recording:
    """Read a CSV; a frequency column makes it RMS, else its columns are waveforms."""
    table = read_table(path)
    frequency = _find(table, FREQUENCY)
    voltages = _chosen(table, choice) or _guess(table)
    if not voltages:
        raise InputError(
            f"FILE {path}: no voltage column recognised among {', '.join(table.names)}; name them with --columns."
        )
    time = _find(table, TIME, voltages)
    if frequency is not None and frequency not in voltages:
        return _rms(table, voltages, frequency, time, choice)
    return _waveform(table, voltages, time, choice)


def _find(table: Table, pattern: re.Pattern[str], but: list[int] | None = None) -> int | None:
    for i, name in enumerate(table.names):
        if pattern.search(name) and i not in (but or []):
            return i
    return None


def _chosen(table: Table, choice: Choice) -> list[int]:
    if len(choice.columns) > 3:
        raise InputError(f"--columns {','.join(choice.columns)}: {len(choice.columns)} columns; give 1 to 3 voltages.")
    return [table.index(name) for name in choice.columns]


def _guess(table: Table) -> list[int]:
    """Return the voltage columns by their names, or by place where nothing has a name."""
    if table.names[0] == "1":
        columns = len(table.names)
        return {1: [0], 2: [1], 3: [0, 1, 2]}.get(columns, [1, 2, 3])
    found = []
    for pattern in PHASE:
        at = next((i for i, name in enumerate(table.names) if pattern.search(name) and _may_be_voltage(name)), None)
        if at is not None and at not in found:
            found.append(at)
    if found:
        return found
    return [i for i, name in enumerate(table.names) if SINGLE.search(name) and _may_be_voltage(name)][:1]


def _may_be_voltage(name: str) -> bool:
    return not NOT_VOLTAGE.search(name)


def _rms(table: Table, voltages: list[int], frequency: int, time: int | None, choice: Choice) -> Recording:
    frequency_hz = table.numbers(frequency)
    middle = float(np.nanmedian(frequency_hz)) if np.isfinite(frequency_hz).any() else 0.0
    unit = next((unit for unit in (1.0, 1e-3, 1e-6) if 30 <= middle * unit <= 80), None)
    if unit is None:
        raise InputError(
            f"{table.path.name}: column {table.names[frequency]} has a median of {middle:g}; a frequency is 30..80 Hz"
            f" (or mHz, uHz). Choose the voltages with --columns if this is no frequency."
        )
    if choice.rate_hz:
        t_s = np.arange(len(table.rows)) / choice.rate_hz
    elif time is not None:
        t_s = table.times(time)
    else:
        raise InputError(
            f"{table.path.name}: no time column among {', '.join(table.names)}; give --rate rows a second."
        )
    voltage_v = np.column_stack([table.numbers(i) for i in voltages])
    recording = Recording(str(table.path), RMS, t_s, voltage_v, frequency_hz * unit)
    recording.channels = [table.names[i] for i in voltages]
    if all("pu" in re.split(r"[^a-z]+", name.lower()) for name in recording.channels):
        recording.stated_nominal_v = 1.0
    recording.say(f"RMS voltages {', '.join(recording.channels)} and frequency {table.names[frequency]}")
    _say_rate(recording, table, time, choice)
    return _sorted(recording)


def _waveform(table: Table, voltages: list[int], time: int | None, choice: Choice) -> Recording:
    voltage_v = np.column_stack([table.numbers(i) for i in voltages])
    if choice.rate_hz:
        t_s = np.arange(len(table.rows)) / choice.rate_hz
    elif time is not None:
        t_s = _sample_times(table, time)
    else:
        raise InputError(
            f"{table.path.name}: sampled waveforms without a time column; give --rate in samples a second."
        )
    recording = Recording(str(table.path), WAVEFORM, t_s, voltage_v)
    recording.channels = [table.names[i] for i in voltages]
    recording.say(f"waveforms {', '.join(recording.channels)}")
    _say_rate(recording, table, time, choice)
    return _sorted(recording)


def _say_rate(recording: Recording, table: Table, time: int | None, choice: Choice) -> None:
    if choice.rate_hz and time is not None:
        recording.say(f"{choice.rate_hz:g} rows a second, as told; column {table.names[time]} is not looked at")


def _sample_times(table: Table, time: int) -> FloatArray:
    t_s = table.times(time)
    step = float(np.nanmedian(np.diff(t_s)))
    if not 1e-6 <= step <= 5e-3:
        raise InputError(
            f"{table.path.name}: {step:g} s between samples; waveforms need 200 to 1000000 samples a second."
            " Give --rate, or a frequency column if these are RMS voltages."
        )
    return t_s


def _sorted(recording: Recording) -> Recording:
    """Put rows in the order of time, drop what has no time or repeats one; both are said."""
    known = np.flatnonzero(np.isfinite(recording.t_s))
    t_s = recording.t_s[known]
    back = np.flatnonzero(np.diff(t_s) < 0)
    if back.size:
        row = known[back[0]] + 2
        recording.say(f"time runs backwards in {back.size} places, first in row {row}: rows put in the order of time")
    order = known[np.argsort(t_s, kind="stable")]
    order = order[np.concatenate(([True], np.diff(recording.t_s[order]) > 0))]
    dropped = recording.t_s.size - order.size
    if dropped:
        recording.say(f"{dropped} rows dropped: no time, or a time that repeats")
    if order.size < 2:
        raise InputError(f"{recording.source}: {order.size} usable rows; a recording needs at least 2.")
    recording.t_s = recording.t_s[order] - recording.t_s[order[0]]
    recording.voltage_v = recording.voltage_v[order]
    if recording.frequency_hz is not None:
        recording.frequency_hz = recording.frequency_hz[order]
    return recording
