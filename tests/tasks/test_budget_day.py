# SPDX-License-Identifier: MIT
"""The day's discharge budget on the whole firmware: a day renews it, neither a clock that is set nor a restart."""

from __future__ import annotations

import re
from pathlib import Path

from board_console import ask
from fram_image import Fram

from backfeed import firmware_ask
from evse.image import Budget
from evse.store.budget import BudgetStore
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard

MONDAY_EVENING_S = 1790625600  # 2026-09-28 20:00 UTC
DAY_S = 86400
BUDGET_WH = 20
USED_UP = rf"Today's discharge budget is used up: 2\d of {BUDGET_WH} Wh; renewed in \d+ min of running"


def why(board: VirtualBoard) -> str:
    return " ".join(ask(board, "why").split())


def export(board: VirtualBoard, station: Station) -> None:
    """Plug in and export 6 kW for as long as the board lets it, 20 s."""
    station.vehicle.plug()
    assert board.run_while(lambda: not board.outputs.contactor, 60)
    ask(board, "setpoint -6000 3600")
    board.run(20)


def stored_run_minutes(fram: Path, minutes: int) -> None:
    """Let the stored day have lasted so long."""
    memory = Fram(fram)
    store, budget = BudgetStore(memory), Budget()
    store.restore(budget)
    assert budget.day_discharge_wh >= BUDGET_WH and budget.weekday >= 0
    budget.day_run_minutes = minutes
    store.save(budget)
    fram.write_bytes(memory.data)


def begin(board: VirtualBoard, station: Station, now_s: int) -> None:
    """Boot, set the clock, export."""
    board.run(3)
    ask(board, "mode script")
    ask(board, f"time {now_s}")
    export(board, station)


def test_setting_the_clock_does_not_renew_the_budget_and_a_day_does(tmp_path: Path) -> None:
    fram = tmp_path / "fram.bin"
    firmware_ask.write_settings(
        fram,
        {
            "charge_w": 0,
            "discharge_budget_wh": BUDGET_WH,
            "ramp_export_permille_min": 60000,
            "soc_taper_permille": 0,
        },
    )
    station = Station()
    with VirtualBoard(station, fram_path=fram) as board:
        begin(board, station, MONDAY_EVENING_S)
        assert re.search(USED_UP, why(board))
        board.run(max(0.0, 61 - board.now_us / 1e6))  # the first whole minute knows the date
        ask(board, f"time {MONDAY_EVENING_S + DAY_S}")
        board.run(61)
        assert re.search(USED_UP, why(board))
        assert "OK day_run_minutes=2" in ask(board, "get day_run_minutes")

    stored_run_minutes(fram, 1379)
    station = Station()
    with VirtualBoard(station, fram_path=fram) as board:
        begin(board, station, MONDAY_EVENING_S + DAY_S)
        assert re.search(USED_UP, why(board)), "neither a restart nor the date is a day"
        assert abs(station.truth.power_w) < 200
        assert board.run_while(lambda: station.truth.power_w > -5500, 30), "the day has passed: it exports again"
