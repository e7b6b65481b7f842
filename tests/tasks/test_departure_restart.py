# SPDX-License-Identifier: MIT
"""A power cut between the order and the departure keeps the promise: the whole firmware, before and after its clock."""

from __future__ import annotations

import re
from pathlib import Path

from board_console import ask

from backfeed import firmware_ask
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard

EVENING_S = 1790625600  # 2026-09-28 20:00 UTC, a Monday


def minutes(text: str) -> int:
    found = re.search(r"in=(\d+) min", text)
    assert found, text
    return int(found[1])


def test_a_power_cut_between_order_and_departure_keeps_the_promise(tmp_path: Path) -> None:
    fram = tmp_path / "fram.bin"
    firmware_ask.write_settings(fram, {"charge_w": 0, "soc_taper_permille": 0})
    station = Station()
    station.vehicle.soc = 0.6
    with VirtualBoard(station, fram_path=fram) as board:
        board.run(3)
        ask(board, "mode script")
        ask(board, f"time {EVENING_S}", 3)
        station.vehicle.plug()
        board.run(30)
        assert "departure=off" in ask(board, "plan")
        ask(board, "plan 700 07:30", 2)
        waiting = ask(board, "plan")
        assert "departure=waiting" in waiting and 11 * 60 <= minutes(waiting) <= 11 * 60 + 30, waiting
        assert abs(station.truth.power_w) < 100
        board.power_cut(5.0)
        board.run(40)
        after = ask(board, "plan", 2)
        if "clock_unknown" in after:  # nothing kept the time: charge to the target at once, and say so
            assert station.truth.power_w > 1000
            assert "clock is unknown" in ask(board, "why")
            ask(board, f"time {EVENING_S + 120}", 3)
            after = ask(board, "plan")
        assert "departure=waiting" in after and 11 * 60 <= minutes(after) <= 11 * 60 + 30, after
        ask(board, f"time {EVENING_S + 37800}", 3)  # a clock change to 06:30: time is short now, so it charges
        late = ask(board, "plan")
        assert re.search("departure=(charging|unreachable)", late) and 50 <= minutes(late) <= 60, late
        board.run(20)
        assert station.truth.power_w > 1000
        ask(board, "plan off", 3)
        assert "departure=off" in ask(board, "plan")
