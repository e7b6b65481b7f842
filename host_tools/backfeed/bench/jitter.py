# SPDX-License-Identifier: MIT
"""The cycle beside a bad broker, in virtual time: how late it starts, and when telemetry is back.

Whole firmware, power flowing. Each look at the clock takes CREEP_US and the cycle waits until a task yields, as on a
port whose ticker is a scheduled callback: lateness is then what tasks did between two yields, by the firmware's own
count. Deterministic: the broker lives in the plant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from backfeed.bench.online import ID, energise, online
from backfeed.bench.plant_broker import WAYS, BadBroker
from backfeed.errors import PartError
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard

CREEP_US = 20
ABUSE_S = 60
RESUME_S = 150  # patience of the bench, not of the firmware
SETTINGS: dict[str, Any] = {"telemetry_ms": 100, "soc_taper_permille": 0}


@dataclass(frozen=True)
class Abuse:
    """What one broker did to the cycle."""

    late_worst_us: int
    overruns: int
    cycles: int
    connects: int
    resumed_s: float  # from the broker's recovery to the next telemetry


@cache
def abuse(way: Callable[[BadBroker, int], None] | None, abuse_s: float = ABUSE_S) -> Abuse:
    """Run with a broker that is bad in this way, abuse_s with power flowing, then good; None: good all the time."""
    station = Station()
    broker = BadBroker(f"backfeed/{ID}/command/setpoint", way or (lambda _broker, _t_us: None))
    with online(station, broker, SETTINGS, creep_us=CREEP_US) as board:
        energise(board, station)
        board.run(abuse_s)
        late_us, overruns, cycles = (_measured(board, name) for name in ("late_worst_us", "overruns", "cycles"))
        resumed_s = _resume(board, broker)
        return Abuse(late_us, overruns, cycles, broker.connects, resumed_s)


def _measured(board: VirtualBoard, name: str) -> int:
    """Return a measurement by the console."""
    before = len(board.console.text)
    board.console.write(f"get {name}\r".encode())
    board.run(0.5)
    found = re.search(name + r"=(-?\d+)", board.console.text[before:])
    if found is None:
        raise PartError(f"the console does not answer `get {name}`: {board.console.text[before:][-200:]}")
    return int(found[1])


def _resume(board: VirtualBoard, broker: BadBroker) -> float:
    """Let the broker recover; return seconds until telemetry is there."""
    heard = len(broker.messages("telemetry"))
    broker.serve()
    begun_us = board.now_us
    if not board.run_while(lambda: len(broker.messages("telemetry")) == heard, RESUME_S, 0.1):
        raise PartError(f"no telemetry within {RESUME_S} s of the broker's recovery")
    return (board.now_us - begun_us) / 1e6


def measure(name: str) -> float:
    """Return the figure that `name` asks for."""
    if name == "cycle_jitter_broker_quiet_ms":
        return abuse(None).late_worst_us / 1000
    if name == "mqtt_resume_worst_s":
        return max(abuse(way).resumed_s for way in WAYS)
    return max(abuse(way).late_worst_us for way in WAYS) / 1000
