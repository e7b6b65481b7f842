# SPDX-License-Identifier: MIT
"""What the MQTT client costs, in instructions counted by callgrind beside the cycle's, whole firmware, virtual board.

Two figures: its longest piece between two yields, which is what every other task has to wait for; and all its work
with telemetry of every point, as a share of the cycle's. Instructions of the same VM on both sides, so the ratio
carries over to a board whose interpreter costs the same a bytecode; a time does not. Garbage is collected between
pieces, and lwIP is the virtual board's socket here.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from backfeed.bench import NotHere
from backfeed.bench.jitter import SETTINGS
from backfeed.bench.online import ID, online
from backfeed.bench.plant_broker import BadBroker, megabyte, thousand_a_second
from backfeed.checkout import HIL
from backfeed.errors import PartError
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard

PATIENCE_S = 300.0
MARKS = {"erf": "mqtt", "erfc": "cycle"}  # see hil/on_board/slices.py
GREETING_S = (0, 3)  # connection, state, settings, discovery
STEADY_S = (6, 12)  # nothing but telemetry
ABUSED_S = (4, 5)
EVERY = 25  # cycles
CYCLES_PER_S = 100


@dataclass(frozen=True)
class Pieces:
    """Instructions of each piece of the MQTT client and of some cycles, in order."""

    mqtt: list[int]
    cycle: list[int]
    seconds: int

    @property
    def cycle_mean(self) -> float:
        """Instructions of a cycle."""
        return sum(self.cycle) / len(self.cycle)


class CountedBoard(VirtualBoard):
    """A virtual board whose VM runs under callgrind."""

    def __init__(self, *arguments: object, counts: Path, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self._counts = counts

    def _command(self) -> list[str]:
        command = super()._command()
        if Path(command[0]).read_bytes()[:2] == b"#!":
            command = [sys.executable, *command]  # valgrind would not enter a script
        dumps = [f"--dump-before={name}" for name in ("lgamma*", "erf", "erfc")]
        return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self._counts}/out", *dumps, *command]


@cache
def pieces(way: Callable[[BadBroker, int], None] | None, window_s: tuple[int, int], telemetry_ms: int) -> Pieces:
    """Count within window_s (from, to; seconds since boot) beside a broker that is bad in this way."""
    if shutil.which("valgrind") is None:
        raise NotHere("valgrind is not installed (apt install valgrind)")
    broker = BadBroker(f"backfeed/{ID}/command/setpoint", way or (lambda _broker, _t_us: None))
    with tempfile.TemporaryDirectory(prefix="backfeed-slices-") as folder:
        options = {
            "entry": HIL / "on_board" / "slices.py",
            "arguments": (*map(str, window_s), str(EVERY)),
            "step_limit_s": PATIENCE_S,
            "counts": Path(folder),
        }
        settings = {**SETTINGS, "telemetry_ms": telemetry_ms}
        with online(Station(), broker, settings, CountedBoard, **options) as board:
            board.run(window_s[1] + 1)
        if not broker.heard:
            raise PartError("the firmware did not reach the broker")
        return _read(Path(folder), window_s[1] - window_s[0])


def _read(folder: Path, seconds: int) -> Pieces:
    """Read callgrind's files, one for each mark."""
    found: dict[str, list[int]] = {"mqtt": [], "cycle": []}
    for path in sorted(folder.glob("out.*"), key=lambda path: int(path.suffix[1:])):
        head, tail = _ends(path)
        trigger = re.search(r"--dump-before=(\w+)", head)
        total = re.search(r"totals: (\d+)", tail)
        if trigger and total and trigger[1] in MARKS:
            found[MARKS[trigger[1]]].append(int(total[1]))
    if not found["mqtt"] or not found["cycle"]:
        raise PartError("callgrind counted nothing between the marks")
    return Pieces(found["mqtt"], found["cycle"], seconds)


def _ends(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        head = file.read(1024)
        file.seek(max(0, path.stat().st_size - 256))
        return head.decode(errors="replace"), file.read().decode(errors="replace")


def telemetry_pct() -> float:
    """Return the client's instructions with telemetry each second and nothing else to say, as % of the cycle's."""
    found = pieces(None, STEADY_S, 1000)
    return 100 * sum(found.mqtt) / (found.seconds * CYCLES_PER_S * found.cycle_mean)


def longest_cycles() -> float:
    """Return the client's longest piece, greeting and abused, as a multiple of the mean cycle."""
    runs = [pieces(None, GREETING_S, 100), pieces(thousand_a_second, ABUSED_S, 100), pieces(megabyte, ABUSED_S, 100)]
    return max(max(found.mqtt) / found.cycle_mean for found in runs)


def measure(name: str) -> float:
    """Return the figure that `name` asks for."""
    return telemetry_pct() if name == "telemetry_cycle_budget_pct" else longest_cycles()
