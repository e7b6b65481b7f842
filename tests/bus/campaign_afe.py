# SPDX-License-Identifier: MIT
"""Run sense's grid part on the ADE9000 driver against a disturbed SPI in virtual time, and say what came of it.

The grid proves when it was measured: L1's voltage counts hundredths of a second, everything else is worked out from it.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests" / "bus"), str(ROOT / "tests" / "boards"), str(ROOT)]

from faulty_line import Schedule  # noqa: E402
from tiny import TinyPlant  # noqa: E402

from campaign import FIRST_FAULT_S, follow, recoveries_s  # noqa: E402
from hil.virtual_board import VirtualBoard  # noqa: E402
from hil.virtual_board.faults import (  # noqa: E402
    SPI_BROWN_OUT,
    SPI_NOISE,
    SPI_OK,
    SPI_SPARSE,
    SPI_STUCK_HIGH,
    SPI_STUCK_LOW,
)

LEVELS = {
    "noise": SPI_NOISE,
    "sparse": SPI_SPARSE,
    "stuck_low": SPI_STUCK_LOW,
    "stuck_high": SPI_STUCK_HIGH,
    "brown_out": SPI_BROWN_OUT,
    "off": SPI_BROWN_OUT,
}
WHOLE = ("off",)  # all the time; the others come and go within their episode
KINDS = (*LEVELS, "frozen")
HELD_US = (10_000, 400_000)  # one fault of those that come and go
WRAP = 1000
IMPORT_W = 3600.0  # of L1, all the time: 1 Wh a second


class Grid(TinyPlant):
    """Three phases whose readings tell the time."""

    def advance(self, t_us, outputs):
        self.times.clear()
        self.driven.clear()
        super().advance(t_us, outputs)
        afe = self.inputs.afe
        tick = afe.sequence % WRAP
        afe.voltage_v = [200.0 + tick * 0.05, 210.0 + (tick * 7 % WRAP) * 0.02, 220.0 + (tick * 3 % WRAP) * 0.02]
        afe.current_a = [5.0 + (tick * 37 % WRAP) * 0.01, 6.0, 7.0 + (tick * 11 % WRAP) * 0.01]
        afe.active_w = [-2000.0 + tick * 3, 1000.0 + (tick * 13 % WRAP), 500.0]
        afe.reactive_var = [500.0 - tick, 100.0, -100.0]
        afe.import_wh[0] = t_us / 1e6 * IMPORT_W / 3600
        return self.inputs


class Disturbance:
    """Sets the board's faults as the schedule says; a hook of the virtual board."""

    def __init__(self, board: VirtualBoard, schedule: Schedule, seed: int):
        self._faults = board.faults
        self.schedule = schedule
        self._random = random.Random(seed + 1)
        self._until_us = 0
        self.hits = dict.fromkeys(KINDS, 0)

    def __call__(self, t_us, outputs, inputs) -> None:
        episode = self.schedule.now(t_us)
        if episode is None:
            self._faults.spi = SPI_OK
            self._faults.afe_frozen = False
            self._until_us = 0
            return
        if t_us < self._until_us:
            return
        self._until_us = t_us + self._random.randrange(*HELD_US)
        self._faults.spi = SPI_OK
        for kind, share in episode.shares.items():
            on = self._random.random() < share
            if kind == "frozen":
                self._faults.afe_frozen = on
            elif on:
                self._faults.spi = LEVELS[kind]
            self.hits[kind] += on


@dataclass
class Outcome:
    """board: its report; recoveries: seconds after each long calm; hits: how often each kind was set."""

    board: dict
    recoveries: list[float]
    hits: dict[str, int]
    episodes: int


def run(seconds: int, seed: int, kinds: tuple[str, ...] = KINDS) -> Outcome:
    """Run `seconds` of virtual time under these kinds of faults."""
    schedule = Schedule(seed, round(FIRST_FAULT_S * 1e6), kinds, WHOLE)
    with VirtualBoard(
        Grid(), board="esp32s3_ref", entry=HERE / "vm" / "afe.py", arguments=(str(seconds),), seed=seed
    ) as board:
        disturbance = Disturbance(board, schedule, seed)
        board.hooks.append(disturbance)
        changes: list[tuple[float, bool]] = []
        report = json.loads(follow(board, seconds, changes))
    recoveries = recoveries_s(schedule, changes, report["looks"] / 100)
    return Outcome(report, recoveries, disturbance.hits, len(schedule.episodes))


def figures(outcome: Outcome) -> dict:
    """What a run comes to."""
    return {
        **outcome.board,
        "episodes": outcome.episodes,
        "hits": outcome.hits,
        "recoveries": len(outcome.recoveries),
        "longest_recovery_s": round(max(outcome.recoveries, default=0.0), 2),
    }


if __name__ == "__main__":
    print(json.dumps(figures(run(int(sys.argv[1]), int(sys.argv[2]))), indent=1))
