# SPDX-License-Identifier: MIT
"""Seven virtual days of the firmware's tasks: heap, clocks and events, with a broker that restarts each hour.

What runs: main.py whole; clock, journal, records, console, MQTT with telemetry each second, supervisor, at their own
rates, on the virtual board. What does not: the cycle runs once a second instead of 100 times (it says that it is late
and no power flows), the inverter task is left out, and the broker is the plant's (`plant_broker`), exact in virtual
time. The closed loop of the whole firmware has its own, shorter run: `backfeed campaign --soak HOURS`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from backfeed.bench import NotHere
from backfeed.bench.online import online, publish
from backfeed.bench.plant_broker import PlantBroker
from backfeed.bench.tally import CountingBroker, Tally
from backfeed.checkout import HIL
from backfeed.errors import PartError
from hil.plant.interface import BoardInputs, BoardOutputs, SerialDevice
from hil.virtual_board import VirtualBoard, exchange

WEEK_H = 168
HOURS = int(os.environ.get("BACKFEED_WEEK_H", str(WEEK_H)))  # fewer to try it out
CYCLE_MS = 1000
STEP_US = 1_000_000  # nothing in this world changes by itself
BEGIN_S = 1792764000  # 2026-10-23T14:00:00Z: summer time ends within the week, 2026-10-25T01:00:00Z
SETTINGS: dict[str, Any] = {"summer_time": "eu", "utc_offset_min": 60}
PATIENCE_S = 36000.0  # of real time: the run may be paused
COMMANDS_AN_HOUR = 5


class Quiet:
    """A healthy grid and no vehicle."""

    def __init__(self) -> None:
        self.serial: dict[str, SerialDevice] = {}
        self._inputs = BoardInputs()
        afe = self._inputs.afe
        afe.voltage_v = [230.0, 0.0, 0.0]
        afe.line_period_s = [0.02, 0.02, 0.02]

    def advance(self, t_us: int, _outputs: BoardOutputs) -> BoardInputs:
        """Let the front end refresh each half cycle."""
        self._inputs.afe.sequence = t_us // 10_000
        return self._inputs


@contextmanager
def long_steps() -> Iterator[None]:
    """Let the virtual board's world move in steps of STEP_US."""
    before = exchange.STEP_US
    exchange.STEP_US = STEP_US
    try:
        yield
    finally:
        exchange.STEP_US = before


def complaints(tally: Tally) -> list[str]:
    """Say what a week must not show."""
    wrong = [f"local minute {line['minute']} at {line['unix_ms']} ms" for line in tally.lines if not _local(line)]
    return tally.complaints() + wrong


def _local(line: dict[str, Any]) -> bool:
    """Whether the cycle's minute of the week is that of the zone; told at a full minute, so either side of it."""
    local = datetime.fromtimestamp(line["unix_ms"] / 1000, ZoneInfo("Europe/Berlin"))
    minute = local.weekday() * 1440 + local.hour * 60 + local.minute
    return (minute - line["minute"]) % 10080 in (0, 1)


@cache
def week(hours: int = HOURS) -> Tally:
    """Run so many virtual hours."""
    tally = Tally()
    broker = CountingBroker(tally)
    options: dict[str, Any] = {"entry": HIL / "on_board" / "reporting.py", "arguments": ("3600", str(CYCLE_MS))}
    with long_steps(), online(Quiet(), broker, SETTINGS, step_limit_s=PATIENCE_S, **options) as board:
        board.run(20)
        _command(board, broker, tally, "command/time", {"unix_s": BEGIN_S})
        board.console.write(b"mode script\runlock user\r")
        for hour in range(hours):
            _hour(board, broker, tally, hour)
        board.run(60)
        tally.read(str(board.console.text), hours)
    return tally


def _hour(board: VirtualBoard, broker: PlantBroker, tally: Tally, hour: int) -> None:
    """Commands over MQTT and the console, then the broker's restart: away for 20 s, each seventh time for 10 min."""
    end_us = board.now_us + 3_600_000_000
    for number in range(COMMANDS_AN_HOUR):
        power_w = 1000 + 10 * number
        _command(board, broker, tally, "command/setpoint", {"id": number, "power_w": power_w, "duration_s": 300})
        _command(board, broker, tally, "set/soc_floor_permille", {"value": 200 + number + hour % 2 * 10})
        board.run(300)
    for line in ("status", "log 16", "energy", "trips", "sessions", "faults"):
        board.console.write(line.encode() + b"\r")
        board.run(5)
    broker.listening = False
    broker.hang_up(board.now_us)
    tally.broker_restarts += 1
    board.run(5)
    board.console.write(f"set soc_max_permille {900 + hour % 2}\r".encode())  # events while nobody listens
    board.run(600 if hour % 7 == 6 else 20)
    broker.listening = True
    board.run_until(end_us)


def _command(board: VirtualBoard, broker: PlantBroker, tally: Tally, path: str, payload: dict[str, Any]) -> None:
    publish(board, broker, path, payload)
    tally.sent += 1
    board.run(2)


def measure(_name: str) -> float:
    """Return the heap's growth; PartError when an event was lost, a clock drifted or a task fell."""
    if HOURS < WEEK_H:
        raise NotHere(f"BACKFEED_WEEK_H={HOURS} is less than a week")
    tally = week()
    wrong = complaints(tally)
    if wrong:
        raise PartError("; ".join(wrong))
    return float(max(0, tally.growth_bytes()))
