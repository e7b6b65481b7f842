# SPDX-License-Identifier: MIT
"""Run the firmware's inverter task with a CAN module on a faulty bus in virtual time, and say what came of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "boards")]

from faulty_can import CAN_KINDS, WHOLE, FaultyCan, TruthModule  # noqa: E402
from faulty_line import Schedule  # noqa: E402
from tiny import TinyPlant  # noqa: E402

from campaign import FIRST_FAULT_S, LONGEST_DELAY_MS, follow, recoveries_s  # noqa: E402
from hil.virtual_board import VirtualBoard  # noqa: E402


class Plant(TinyPlant):
    """The bus is all there is."""

    def __init__(self, node: FaultyCan):
        super().__init__()
        self.node = node
        self.can = [node]
        self.bus = None

    def advance(self, t_us, outputs):
        self.times.clear()
        self.driven.clear()
        self.node.module.tick(t_us)
        if self.bus is not None:
            self.node.run_to(self.bus, t_us)
        return super().advance(t_us, outputs)


def run(seconds: int, seed: int, board: str = "virtual", kinds: tuple[str, ...] = CAN_KINDS) -> dict:
    """Return what `seconds` of virtual time come to."""
    schedule = Schedule(seed, round(FIRST_FAULT_S * 1e6), kinds, WHOLE)
    module = TruthModule()
    node = FaultyCan(module, schedule, seed, LONGEST_DELAY_MS)
    plant = Plant(node)
    one = VirtualBoard(plant, board=board, entry=HERE / "vm" / "can.py", arguments=(str(seconds),))
    one.can.disturb = node.disturb
    plant.bus = one.can
    changes: list[tuple[float, bool]] = []
    with one:
        report = json.loads(follow(one, seconds, changes))
    recoveries = recoveries_s(schedule, changes, report["looks"] / 100)
    return {
        **report,
        "episodes": len(schedule.episodes),
        "requests": node.requests,
        "hits": node.hits,
        "bus_errors": one.can.errors,
        "recoveries": len(recoveries),
        "longest_recovery_s": round(max(recoveries, default=0.0), 2),
        "setpoints": module.setpoints,
        "zeros": module.zeros,
        "self_stops": module.self_stops,
        "setpoint_errors": module.errors[:10],
    }


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:4]), indent=1))
