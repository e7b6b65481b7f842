# SPDX-License-Identifier: MIT
"""A board with an InfyPower module on its CAN bus; a script on the board says when which fault begins.

A printed line `set NAME VALUE` (the script then sleeps some ms) sets an attribute of the module, of the bus, or a fault
of the wire (`wire drop`, see WIRE).
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "boards"))

from tiny import TinyPlant  # noqa: E402

from hil.plant.infypower import InfyPower  # noqa: E402
from hil.plant.interface import BoardInputs, BoardOutputs  # noqa: E402
from hil.virtual_board import VirtualBoard  # noqa: E402

Arrivals = "list[tuple[int, int, bytes]] | None"
OURS = 0xF0  # the board's address on the bus


class Unit:
    """A power stage that follows at once."""

    def __init__(self) -> None:
        self.power_w = 0.0

    def set(self, power_w: float, **_when: object) -> None:
        """Follow."""
        self.power_w = power_w

    def __setitem__(self, _name: str, _value: float) -> None:
        """Nothing to start."""


class Babbler:
    """A node that fills the bus with frames for us that nobody asked for."""

    def __init__(self) -> None:
        self.every_us = 0
        self.now_us = 0
        self._next_us = 0
        self._random = random.Random(3)

    def receive(self, identifier: int, data: bytes, t_us: int) -> None:
        """Listen to nobody."""

    def transmit(self) -> list[tuple[int, int, bytes]]:
        """Return what has become due."""
        sent = []
        while self.every_us and self._next_us <= self.now_us:
            self._next_us = max(self._next_us, self.now_us - 50_000) + self.every_us
            identifier = 11 << 22 | 0x23 << 16 | OURS << 8 | 9
            sent.append((self._next_us, identifier, self._random.randbytes(8)))
        return sent


class CanBench(TinyPlant):
    """A plant of one module and a bus."""

    def __init__(self) -> None:
        super().__init__()
        self._unit = Unit()
        self.module = InfyPower(self)  # type: ignore[arg-type]
        self.babbler = Babbler()
        self.can = [self.module, self.babbler]

    def unit(self, _number: int) -> Unit:
        """Return the module's power stage."""
        return self._unit

    def advance(self, t_us: int, outputs: BoardOutputs) -> BoardInputs:
        """Run to t_us."""
        self.module.tick(t_us)
        self.babbler.now_us = t_us
        return super().advance(t_us, outputs)


def passed(_to_board: bool, identifier: int, data: bytes) -> list[tuple[int, int, bytes]]:
    """Deliver as it is."""
    return [(0, identifier, data)]


WIRE: dict[str, Callable[[bool, int, bytes], list[tuple[int, int, bytes]] | None]] = {
    "good": passed,
    "drop": lambda to_board, identifier, data: [] if to_board else [(0, identifier, data)],
    "deaf": lambda to_board, identifier, data: [(0, identifier, data)] if to_board else [],
    "twice": lambda to_board, identifier, data: [(0, identifier, data), (1500, identifier, data)],
    "late": lambda to_board, identifier, data: [(150_000 if to_board else 0, identifier, data)],
    "stranger": lambda to_board, identifier, data: (
        [
            (0, identifier & ~0xFF00 | 0xF1 << 8, b"\x10\x01\0\0\0\x01\0\0"),
            (0, identifier, b"\x77\x77\0\0\0\x01\0\0"),
            (0, identifier, data),
        ]
        if to_board
        else [(0, identifier, data)]
    ),
    "error": lambda to_board, identifier, data: [(0, identifier | 7 << 26 if to_board else identifier, data)],
    "short": lambda to_board, identifier, data: [(0, identifier, data[:5] if to_board else data)],
}


def corrupting(share: float, seed: int = 1) -> Callable[[bool, int, bytes], list[tuple[int, int, bytes]] | None]:
    """Return a wire that destroys a share of all frames: CAN's own check sum tells, and the sender repeats."""
    source = random.Random(seed)
    return lambda _to_board, identifier, data: None if source.random() < share else [(0, identifier, data)]


WIRE["noisy"] = corrupting(0.3)


def run(script: Path, board: str, limit_s: float = 200.0, plant: CanBench | None = None) -> dict:
    """Run a script to its end; return the JSON behind its line `report`."""
    plant = plant or CanBench()
    with VirtualBoard(plant, board=board, entry=script) as one:
        read = 0
        while not one.finished and one.now_us < limit_s * 1e6:
            one.run(0.005)
            text = str(one.console.text)
            end = text.rfind("\n") + 1
            for line in text[read:end].splitlines():
                apply(one, plant, line.split())
            read = max(read, end)
        lines = str(one.console.text).splitlines()
    report = next((line for line in lines if line.startswith("report ")), None)
    assert report, "\n".join(lines[-30:])
    found: dict = json.loads(report[7:])
    found["frames"], found["bus_errors"] = one.can.frames, one.can.errors
    found["writes"] = plant.module.writes
    found["self_stops"] = plant.module.self_stops
    return found


def apply(board: VirtualBoard, plant: CanBench, words: list[str]) -> None:
    """Do what a printed line asks for."""
    if words[:1] == ["wire"]:
        board.can.disturb = WIRE[words[1]]
    elif words[:1] == ["set"]:
        name, value = words[1], int(words[2])
        for place in (plant.module, plant.babbler, board.can):
            if hasattr(place, name):
                setattr(place, name, value)
                return
        raise AssertionError(f"nothing has {name}")
