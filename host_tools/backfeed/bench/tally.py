# SPDX-License-Identifier: MIT
"""What a long run of the firmware must not show: lost events, doubled ones, clocks that drift, tasks that fall.

The board tells a line of JSON now and then (`hil/on_board/reporting.py`); a broker of the plant counts what it hears.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from backfeed.bench.plant_broker import PlantBroker
from backfeed.errors import PartError

CLOCK_MS = 1  # a line is told within this


@dataclass
class Tally:
    """What the board told, line by line, and what the broker heard."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    broker_restarts: int = 0
    sent: int = 0  # commands
    events: list[int] = field(default_factory=list)  # sequence numbers, as the broker heard them
    accepted: int = 0
    telemetry: int = 0

    def read(self, console: str, least: int) -> None:
        """Take the lines that stand in a console's text; PartError where there are fewer than expected."""
        self.lines = [json.loads(told) for told in re.findall(r"told (\{.*\})", console)]
        if len(self.lines) < least:
            raise PartError(f"the board told {len(self.lines)} lines of {least}: {console[-500:]}")

    def growth_bytes(self) -> int:
        """Heap used, lowest of the last seventh less lowest of the second: between them what is on its way differs."""
        part = max(1, len(self.lines) // 7)
        used = [line["heap"] for line in self.lines]
        return int(min(used[-part:]) - min(used[part : 2 * part] or used))

    def complaints(self) -> list[str]:
        """Say what must not be."""
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
        if doubled > self.broker_restarts:
            found.append(f"{doubled} events came twice, more than one a restart")
        for clock in ("uptime_ms", "unix_ms"):
            drift_ms = last[clock] - first[clock] - span_ms
            if abs(drift_ms) > CLOCK_MS:
                found.append(f"{clock} drifted by {drift_ms} ms")
        if last["restarts"]:
            found.append(f"{last['restarts']} restarts of tasks")
        if self.accepted != self.sent:
            found.append(f"{self.sent} commands, {self.accepted} accepted")
        return found


class CountingBroker(PlantBroker):
    """A broker that keeps counts instead of days of messages."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self._tally = tally

    def _publish(self, flags: int, body: bytes, t_us: int) -> None:
        super()._publish(flags, body, t_us)
        _, topic, payload = self.heard.pop()
        tally = self._tally
        if topic.endswith("/events"):
            tally.events.append(json.loads(payload)["seq"])
        elif topic.endswith("/telemetry"):
            tally.telemetry += 1
        elif topic.endswith("/ack"):
            tally.accepted += json.loads(payload)["result"] == "accepted"
