# SPDX-License-Identifier: MIT
"""Recordings of a grid: read, repaired, scaled and extended, with every change said aloud.

recording = load(path, Choice(rate_hz=20000))      csv_file.py, comtrade_file.py
repair(recording)                                  missing rows and gaps
fit(recording, nominal_v=230, ...)                 nominal voltage, zero sequence
waveform -> even_rate(recording)                   one sample rate
"""

from __future__ import annotations

from pathlib import Path

from backfeed.errors import InputError
from backfeed.recording.model import Choice, Recording

SUFFIXES = ".csv, .csv.gz, .cfg or .dat (COMTRADE), .cff"


def load(path: Path, choice: Choice) -> Recording:
    """Read a recording by its suffix; InputError names what cannot be read and why."""
    if not path.exists():
        raise InputError(f"FILE {path}: no such file; give a recording: {SUFFIXES}.")
    if path.is_dir():
        raise InputError(f"FILE {path}: a folder; give one recording: {SUFFIXES}.")
    name = path.name.lower()
    if name.endswith((".cfg", ".dat", ".cff")):
        from backfeed.recording.comtrade_file import load_comtrade

        return load_comtrade(path, choice)
    if name.endswith((".csv", ".csv.gz", ".txt", ".txt.gz", ".tsv")):
        from backfeed.recording.csv_file import load_csv

        return load_csv(path, choice)
    raise InputError(f"FILE {path}: unknown kind '{path.suffix}'; allowed: {SUFFIXES}.")
