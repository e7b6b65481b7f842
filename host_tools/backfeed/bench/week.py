# SPDX-License-Identifier: MIT
"""Seven virtual days of the firmware's tasks: heap, clocks and events, with a broker that restarts each hour.

What runs: main.py whole; clock, journal, records, console, MQTT with telemetry each second, supervisor, at their own
rates, on the virtual board. What does not: the cycle runs once a second instead of 100 times (it says that it is late
and no power flows), the inverter task is left out, and the broker is the plant's (`plant_broker`), exact in virtual
time. The whole closed loop with Mosquitto has its own soak, `heap_growth_soak_bytes`.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from backfeed import firmware_ask
from backfeed.bench import NotHere
from backfeed.bench.plant_broker import PlantBroker, publication
from backfeed.checkout import HIL
from backfeed.errors import PartError
from hil.plant.interface import BoardInputs, BoardOutputs, SerialDevice
from hil.virtual_board import VirtualBoard, exchange

WEEK_H = 168
HOURS = int(os.environ.get("BACKFEED_WEEK_H", str(WEEK_H)))  # fewer to try it out
ID = "backfeed"
ADDRESS = "10.0.0.9:1883"
CYCLE_MS = 1000
STEP_US = 1_000_000  # nothing in this world changes by itself
BEGIN_S = 1792764000  # 2026-10-23T14:00:00Z: summer time ends within the week, 2026-10-25T01:00:00Z
SETTINGS: dict[str, Any] = {
    "mqtt_host": ADDRESS.partition(":")[0],
    "profile": "uk_g98",
    "device_id": ID,
    "summer_time": "eu",
    "utc_offset_min": 60,
}
PATIENCE_S = 36000.0  # of real time: the run may be paused
COMMANDS_AN_HOUR = 5


class Quiet:
    """A healthy grid and no vehicle."""

    def __init__(self, broker: PlantBroker) -> None:
        self.serial: dict[str, SerialDevice] = {}
        self.tcp: dict[str, SerialDevice] = {ADDRESS: broker}
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


@dataclass
class Week:
    """What the board told each hour, and what the broker heard."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    restarts: int = 0
    sent: int = 0  # commands
    events: list[int] = field(default_factory=list)  # sequence numbers, as the broker heard them
    accepted: int = 0
    telemetry: int = 0

    def growth_bytes(self) -> int:
        """Heap at the end less heap after the first day (or, of a shorter run, the first seventh)."""
        return int(self.lines[-1]["heap"] - self.lines[max(0, len(self.lines) // 7 - 1)]["heap"])

    def complaints(self) -> list[str]:
        """Say what a week must not show."""
        last = self.lines[-1]
        first = self.lines[0]
        span_ms = last["world_ms"] - first["world_ms"]
        found = []
        missing = set(range(last["events"] - last["waiting"])) - set(self.events)
        if missing or last["lost"]:
            found.append(f"{len(missing)} events never reached a broker, {last['lost']} lost on the board")
        if last["journal"] - first["journal"] != last["events"] - first["events"]:
            found.append("journal and MQTT were not told the same number of events")
        doubled = len(self.events) - len(set(self.events))
        if doubled > self.restarts:
            found.append(f"{doubled} events came twice, more than one a restart")
        for clock in ("uptime_ms", "unix_ms"):
            if last[clock] - first[clock] != span_ms:
                found.append(f"{clock} drifted by {last[clock] - first[clock] - span_ms} ms")
        found += [f"local minute {line['minute']} at {line['unix_ms']} ms" for line in self.lines if not _local(line)]
        if last["restarts"]:
            found.append(f"{last['restarts']} restarts of tasks")
        if self.accepted != self.sent:
            found.append(f"{self.sent} commands, {self.accepted} accepted")
        return found


def _local(line: dict[str, Any]) -> bool:
    """Whether the cycle's minute of the week is that of the zone; told at a full minute, so either side of it."""
    local = datetime.fromtimestamp(line["unix_ms"] / 1000, ZoneInfo("Europe/Berlin"))
    minute = local.weekday() * 1440 + local.hour * 60 + local.minute
    return (minute - line["minute"]) % 10080 in (0, 1)


class Watched(PlantBroker):
    """A broker that keeps counts instead of a week's messages."""

    def __init__(self, week: Week) -> None:
        super().__init__()
        self._week = week

    def _publish(self, flags: int, body: bytes, t_us: int) -> None:
        super()._publish(flags, body, t_us)
        _, topic, payload = self.heard.pop()
        week = self._week
        if topic.endswith("/events"):
            week.events.append(json.loads(payload)["seq"])
        elif topic.endswith("/telemetry"):
            week.telemetry += 1
        elif topic.endswith("/ack"):
            week.accepted += json.loads(payload)["result"] == "accepted"


@cache
def week(hours: int = HOURS) -> Week:
    """Run so many virtual hours."""
    found = Week()
    broker = Watched(found)
    with tempfile.TemporaryDirectory(prefix="backfeed-week-") as folder, long_steps():
        fram = Path(folder) / "fram.bin"
        firmware_ask.write_settings(fram, SETTINGS)
        board = VirtualBoard(
            Quiet(broker),
            fram_path=fram,
            entry=HIL / "on_board" / "week.py",
            arguments=(str(CYCLE_MS), "3600"),
            step_limit_s=PATIENCE_S,
        )
        with board:
            board.hooks.append(lambda t_us, _outputs, _inputs: broker.tick(t_us))
            board.run(20)
            _command(board, broker, found, "command/time", {"unix_s": BEGIN_S})
            board.console.write(b"mode script\runlock user\r")
            for hour in range(hours):
                _hour(board, broker, found, hour)
            board.run(60)
            text = str(board.console.text)
    found.lines = [json.loads(told) for told in re.findall(r"week (\{.*\})", text)]
    if len(found.lines) < hours:
        raise PartError(f"the board told {len(found.lines)} hours of {hours}: {text[-500:]}")
    return found


def _hour(board: VirtualBoard, broker: PlantBroker, found: Week, hour: int) -> None:
    """Commands over MQTT and the console, then the broker's restart: away for 20 s, each seventh time for 10 min."""
    end_us = board.now_us + 3_600_000_000
    for number in range(COMMANDS_AN_HOUR):
        power_w = 1000 + 10 * number
        _command(board, broker, found, "command/setpoint", {"id": number, "power_w": power_w, "duration_s": 300})
        _command(board, broker, found, "set/soc_floor_permille", {"value": 200 + number + hour % 2 * 10})
        board.run(300)
    for line in ("status", "log 16", "energy", "trips", "sessions", "faults"):
        board.console.write(line.encode() + b"\r")
        board.run(5)
    broker.listening = False
    broker.hang_up(board.now_us)
    found.restarts += 1
    board.run(5)
    board.console.write(f"set soc_max_permille {900 + hour % 2}\r".encode())  # events while nobody listens
    board.run(600 if hour % 7 == 6 else 20)
    broker.listening = True
    board.run_until(end_us)


def _command(board: VirtualBoard, broker: PlantBroker, found: Week, path: str, payload: dict[str, Any]) -> None:
    broker.say(board.now_us, publication(f"backfeed/{ID}/{path}", json.dumps(payload).encode()))
    found.sent += 1
    board.run(2)


def measure(_name: str) -> float:
    """Return the heap's growth; PartError when an event was lost, a clock drifted or a task fell."""
    if HOURS < WEEK_H:
        raise NotHere(f"BACKFEED_WEEK_H={HOURS} is less than a week")
    found = week()
    complaints = found.complaints()
    if complaints:
        raise PartError("; ".join(complaints))
    return float(max(0, found.growth_bytes()))
