# SPDX-License-Identifier: MIT
"""Ordinary days: a board lives through night.toml and day.toml in virtual time, the campaign's invariants watched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from backfeed.errors import InputError
from hil.campaign.case import BOARD, Run, powered
from hil.campaign.long_run import LongRun, Show, silent
from hil.campaign.plan import document_of
from hil.plant.config import StationConfig
from hil.scenario import ACTIONS, config

HALVES = ("night", "day")  # files; together 24 hours
SIGNALS = ("power", "contactor", "soc")
STEP_KEYS = {"utc", "every_s", "until_utc", "say", "do"}
EXPECT_KEYS = {"utc", "signal", "low", "high", "text"}
LOOK_US = 60_000_000  # between two looks at the board


@dataclass
class Day:
    """What happens and what must be true: rows of (seconds since the begin, what)."""

    hours: float
    settings: dict[str, Any]
    plant: StationConfig
    rows: list[tuple[float, dict[str, Any]]]


@dataclass
class DayResult(LongRun):
    """failed: expectations that did not hold."""

    expectations: int = 0
    restarts: int = 0


def load(path: Path) -> Day:
    """Read and check a part of a day."""
    document = document_of("day", path)
    begin = datetime.fromisoformat(document["begin"])
    rows: list[tuple[float, dict[str, Any]]] = []
    for row in document.get("step", []):
        _check(path, row, {*STEP_KEYS, *ACTIONS.get(str(row.get("do")), {}), "off_s"}, (*ACTIONS, *BOARD), "do")
        at_s = _seconds(begin, row["utc"])
        until_s = _seconds(begin, row.get("until_utc", row["utc"]))
        what = {key: value for key, value in row.items() if key not in STEP_KEYS - {"do", "say"}}
        while at_s <= until_s:
            rows.append((at_s, what))
            at_s += row.get("every_s", until_s + 1)
    for row in document.get("expect", []):
        _check(path, row, EXPECT_KEYS, SIGNALS, "signal")
        rows.append((_seconds(begin, row["utc"]), row))
    plant = config(path, StationConfig, document.get("plant", {}))
    return Day(
        float(document["hours"]), dict(document.get("settings", {})), plant, sorted(rows, key=lambda row: row[0])
    )


def half(name: str) -> Day:
    """Return one of HALVES."""
    return load(Path(__file__).with_name(f"{name}.toml"))


def _seconds(begin: datetime, day_time: str) -> float:
    """Return seconds from the begin to "24T15:00:00", a UTC time in the begin's month."""
    return (datetime.fromisoformat(f"{begin:%Y-%m}-{day_time}+00:00") - begin).total_seconds()


def _check(path: Path, row: dict[str, Any], keys: set[str], names: tuple[str, ...], key: str) -> None:
    where = f"day {path}: {row.get('utc', '?')}"
    for name in row:
        if name not in keys:
            raise InputError(f"{where}: '{name}' is unknown; allowed: {', '.join(sorted(keys))}.")
    if "utc" not in row or row.get(key) not in names:
        raise InputError(f"{where}: utc and {key} are needed; {key} is one of {', '.join(names)}.")


def run_day(day: Day, show: Show = silent) -> DayResult:
    """Live through it."""
    result = DayResult()
    with powered(day.settings, day.plant) as run:
        for at_s, row in day.rows:
            _run_to(run, at_s)
            _do(run, row, result, show)
        _run_to(run, day.hours * 3600)
        result.end(run)
    return result


def _run_to(run: Run, t_s: float) -> None:
    end_us = round(t_s * 1e6)  # whole: the rest to a broken end would never be run
    while run.board.now_us < end_us:
        run.board.run_until(min(end_us, run.board.now_us + LOOK_US))


def _do(run: Run, row: dict[str, Any], result: DayResult, show: Show) -> None:
    hour = run.board.now_us / 3.6e9
    if "signal" in row:
        result.expectations += 1
        value = run.station.truth.soc * 100 if row["signal"] == "soc" else run.watch.signals.get(row["signal"], 0.0)
        if not row["low"] <= value <= row["high"]:
            result.failed.append(f"{row['text']}: {row['signal']} is {value:.1f}, {row['low']}..{row['high']} wanted")
        show(hour, f"{row['text']}: {row['signal']} {value:.1f}")
        return
    if row.get("say"):
        show(hour, row["say"])
    result.restarts += row["do"] in ("power_cut", "restart")
    run.step({key: value for key, value in row.items() if key != "say"})
