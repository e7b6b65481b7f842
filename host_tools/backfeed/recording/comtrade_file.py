# SPDX-License-Identifier: MIT
"""COMTRADE (IEC 60255-24) recordings through the `comtrade` package, with what real files need before it reads them."""

from __future__ import annotations

import math
import struct
import warnings
from pathlib import Path
from typing import Any

import comtrade
import numpy as np

from backfeed.errors import InputError
from backfeed.recording.model import WAVEFORM, Choice, FloatArray, Recording
from backfeed.recording.table import read_text

PHASE_LETTERS = ("ABC", "RST", "123")
TEXT_FORMS = ("ASCII",)


def load_comtrade(path: Path, choice: Choice) -> Recording:
    """Read the pair of a .cfg or .dat (either may be named), or one .cff."""
    if choice.rate_hz:
        raise InputError(f"--rate {choice.rate_hz:g}: a COMTRADE file states its own rates; leave --rate away.")
    record = _read(path)
    analog = record.cfg.analog_channels
    chosen = _chosen(analog, choice) if choice.columns else _guess(analog)
    if not chosen:
        names = ", ".join(f"{channel.name.strip()} [{channel.uu.strip()}]" for channel in analog)
        raise InputError(f"FILE {path}: no phase voltages among its channels {names}; name them with --columns.")
    t_s = _times(record)
    columns = [np.asarray(record.analog[i], dtype=float) * _unit(analog[i].uu) for i in chosen]
    recording = Recording(str(path), WAVEFORM, t_s, np.column_stack(columns), network=True)
    recording.channels = [analog[i].name.strip() for i in chosen]
    recording.stated_nominal_v = _stated_nominal(analog[chosen[0]])
    _describe(recording, record, analog[chosen[0]])
    return recording


def _read(path: Path) -> Any:
    record = comtrade.Comtrade(ignore_warnings=True, use_double_precision=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if path.suffix.lower() == ".cff":
                record.load(str(path))
            else:
                cfg_path, dat_path = _pair(path)
                cfg = read_text(cfg_path)
                record.read(cfg, _data(cfg_path, dat_path, cfg))
    except (ValueError, IndexError, KeyError, TypeError, OSError, struct.error, comtrade.ComtradeError) as error:
        raise InputError(f"FILE {path}: not readable as COMTRADE: {error}; is the .cfg/.dat pair whole?") from None
    if record.total_samples < 2:
        raise InputError(f"FILE {path}: {record.total_samples} samples; a recording needs at least 2.")
    return record


def _pair(path: Path) -> tuple[Path, Path]:
    """Return the .cfg and .dat of a pair, whatever the case of their suffixes."""
    beside = {entry.suffix.lower(): entry for entry in path.parent.iterdir() if entry.stem == path.stem}
    for suffix in (".cfg", ".dat"):
        if suffix not in beside:
            raise InputError(f"FILE {path}: {path.stem}{suffix} is missing beside it; COMTRADE is a pair.")
    return beside[".cfg"], beside[".dat"]


def _data(cfg_path: Path, dat_path: Path, cfg: str) -> Any:
    """Return the .dat as `comtrade` takes it: blank lines of a text file, which real recorders write, are dropped."""
    if not any(line.strip().upper() in TEXT_FORMS for line in cfg.splitlines()):
        return dat_path.read_bytes()
    return "\n".join(line for line in read_text(dat_path).splitlines() if line.strip(" \x1a\t"))


def _chosen(analog: list[Any], choice: Choice) -> list[int]:
    names = [channel.name.strip().lower() for channel in analog]
    found = []
    for wanted in choice.columns:
        if wanted.lower() in names:
            found.append(names.index(wanted.lower()))
        elif wanted.isdigit() and 1 <= int(wanted) <= len(names):
            found.append(int(wanted) - 1)
        else:
            listed = ", ".join(channel.name.strip() for channel in analog)
            raise InputError(
                f"--columns {wanted}: no such channel; the file has {listed} (or a number 1..{len(names)})."
            )
    if len(found) > 3:
        raise InputError(f"--columns {','.join(choice.columns)}: {len(found)} channels; give 1 to 3 voltages.")
    return found


def _guess(analog: list[Any]) -> list[int]:
    """Return the first sampled voltage of each phase: by its phase letter, else by the last letter of its name."""
    volts = [i for i, channel in enumerate(analog) if _unit(channel.uu) and not _is_phasor(channel.name)]
    for letters in PHASE_LETTERS:
        found = [next((i for i in volts if _phase(analog[i]) == letter), None) for letter in letters]
        if all(at is not None for at in found):
            return [at for at in found if at is not None]
    return volts[:1]


def _phase(channel: Any) -> str:
    stated = channel.ph.strip().upper()
    if stated:
        return str(stated.removesuffix("N").removeprefix("L"))
    return str(channel.name.strip().upper()[-1:])


def _is_phasor(name: str) -> bool:
    """Whether a channel is a computed magnitude or angle rather than samples."""
    words = name.lower().split()
    return bool(words) and words[-1] in ("mag", "angle", "ang", "rms", "freq")


def _unit(text: str) -> float:
    """Return volts per unit of a channel, 0 where it is no voltage."""
    return {"v": 1.0, "kv": 1000.0, "mv": 0.001}.get(text.strip().lower(), 0.0)


def _times(record: Any) -> FloatArray:
    """Return sample times from the rate segments, or from the stamps where the file states no rate."""
    rates = [(float(rate), int(end)) for rate, end in record.cfg.sample_rates if float(rate) > 0]
    if not rates:
        return np.asarray(record.time, dtype=float) - float(record.time[0])
    steps = np.empty(record.total_samples)
    begin = 0
    for rate, end in rates:
        steps[begin:end] = 1 / rate
        begin = end
    steps[begin:] = 1 / rates[-1][0]
    return np.concatenate(([0.0], np.cumsum(steps[1:])))


def _stated_nominal(channel: Any) -> float | None:
    """Return the voltage a transformer ratio tells, phase or line: 190740/57.8 tells one, 100/1 does not."""
    primary, secondary = float(channel.primary), float(channel.secondary)
    if not 40 <= secondary <= 500 or primary < secondary:
        return None
    return secondary if channel.pors.strip().upper() == "S" else primary


def _describe(recording: Recording, record: Any, channel: Any) -> None:
    segments = len([rate for rate, _ in record.cfg.sample_rates if float(rate) > 0])
    rate = 1 / float(np.median(np.diff(recording.t_s)))
    side = "secondary" if channel.pors.strip().upper() == "S" else "primary"
    ratio = float(channel.primary) / float(channel.secondary) if float(channel.secondary) else math.nan
    recording.say(
        f"COMTRADE {record.ft.strip()}, channels {', '.join(recording.channels)}, {side} volts (ratio {ratio:g}),"
        f" {rate:.0f} samples/s in {max(segments, 1)} rate segment{'s' if segments > 1 else ''}"
    )
