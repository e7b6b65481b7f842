# SPDX-License-Identifier: MIT
"""Random mixes of faults on the CAN bus in virtual time, on both boards' controllers, as test_faults.py for the lines.

BACKFEED_BUS_HOURS=24 BACKFEED_BUS_SEED=1 runs the whole campaign, an hour a run, the boards in turn.
"""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import campaign_can  # noqa: E402
from faulty_can import CAN_KINDS, WHOLE, WRAP, FaultyCan, TruthModule  # noqa: E402
from faulty_line import Episode, Schedule  # noqa: E402

from hil.virtual_board.can_line import CanLine  # noqa: E402

HOURS = int(os.environ.get("BACKFEED_BUS_HOURS", "0"))
SEED = int(os.environ.get("BACKFEED_BUS_SEED", "1"))
BOARDS = ("virtual", "stm32h743_ref")  # MCP2515, machine.CAN
ANSWER = 11 << 22 | 0x23 << 16 | 0xF0 << 8 | 5
OLDEST_MS = 250  # of a voltage or current when it is stamped
LATE_MS = 20  # a look each 10 ms finds a value older than its limit at most this late
# The longest pause between two tries (30 s), after 12 s of silence that follow a stop which was not taken, and a start.
RECOVERY_S = 44.0


def runs() -> list[tuple[int, int, str]]:
    """Return (seconds, seed, board) of each run."""
    if HOURS:
        return [(3600, SEED + hour, BOARDS[hour % 2]) for hour in range(HOURS)]
    return [(150, SEED + at, board) for at, board in enumerate(BOARDS)]


@pytest.mark.parametrize(("seconds", "seed", "board"), runs())
def test_can_no_wrong_value_is_used_and_nobody_has_to_help(seconds: int, seed: int, board: str) -> None:
    found = campaign_can.run(seconds, seed, board)
    print(found)
    assert found["oldest_ms"] <= OLDEST_MS, "an old or foreign answer passed for a new one"
    assert found["setpoint_errors"] == []
    assert found["late_lost_ms"] <= LATE_MS
    assert found["losses"] > 0, "the bus was never bad enough to lose the inverter"
    assert found["longest_recovery_s"] <= RECOVERY_S
    assert found["believed"] > found["looks"] // 4, "the bus was hardly ever good"
    assert found["zeros"] > 0
    if HOURS:
        assert found["recoveries"] > 0
        assert all(found["hits"][kind] for kind in CAN_KINDS), found["hits"]


def test_late_answers_never_pass_for_later_ones_on_can() -> None:
    """Answers up to 1.5 s late: without the probes (CanBus.first) values up to 560 ms old are believed."""
    found = campaign_can.run(90, 4, kinds=("delay",))
    assert found["hits"]["delay"] > 20
    assert found["oldest_ms"] <= OLDEST_MS


def test_a_destroyed_answer_is_not_overtaken_by_the_next() -> None:
    """Devices answer in order, and a controller repeats a destroyed frame first: what the driver's probes stand on."""
    node = FaultyCan(TruthModule(), Schedule(1, 1 << 40, CAN_KINDS, WHOLE), 1, 1500)
    line = CanLine([node])
    seen = []

    def disturb(to_board: bool, identifier: int, data: bytes) -> list[tuple[int, int, bytes]] | None:
        seen.append(data[1])
        share = {"destroy": 1.0} if len(seen) in (1, 3) else {}
        node.schedule.now = lambda _t_us: Episode(0, 1 << 40, share)
        node.hits["destroy"] = 0
        node._random = types.SimpleNamespace(random=lambda: 0.0)
        return node.disturb(to_board, identifier, data)

    line.disturb = disturb
    for number in range(3):
        node._queue.append((1000, ANSWER, bytes((0x10, number, 0, 0, 0, 0, 0, 0))))
    for t_us in range(0, 20_000, 500):
        node.run_to(line, t_us)
        line.step(t_us)
    assert seen == [0, 0, 1, 1, 2]


def test_the_module_sees_an_old_setpoint_after_a_new_one() -> None:
    """The campaign's own witness must be able to fail."""
    module = TruthModule()
    for value_ma in (25, 30, 0, 35, 30, 5 * WRAP, 5, 7):
        module._obey(value_ma)
    kinds = [error.partition(": ")[2] for error in module.errors]
    assert kinds == ["setpoint 6 after 7", f"setpoint {WRAP} after 6", "7 mA was never asked for"]
