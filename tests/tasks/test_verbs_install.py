# SPDX-License-Identifier: MIT
"""Calibration, a departure ordered by hand and the factory reset, on the whole firmware."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.plant.station import Station
from hil.virtual_board import VirtualBoard


def ask(board: VirtualBoard, line: str, wait_s: float = 0.5) -> str:
    before = len(board.console.text)
    board.console.write(line.encode() + b"\r")
    board.run(wait_s)
    return str(board.console.text[before:])


def test_an_installer_calibrates_plans_and_resets(tmp_path: Path) -> None:
    station = Station()
    with VirtualBoard(station, fram_path=tmp_path / "fram.bin") as board:
        board.run(3)
        ask(board, "mode script")
        assert "needs installer access" in ask(board, "calibrate voltage L1 232")
        ask(board, "unlock installer")
        assert "at most 50000" in ask(board, "calibrate voltage L1 300", 2)
        shown = ask(board, "calibrate voltage L1 232", 2)
        assert "OK gain_voltage_l1_ppm=" in shown and "effect=after reboot" in shown
        assert "ERR usage" in ask(board, "calibrate voltage L2 230")
        assert "setting gain_voltage_l1_ppm: 0 -> " in ask(board, "log")
        assert "time of day is unknown" in ask(board, "plan 800 07:30")
        ask(board, "time 1790000000")
        board.run(2)
        assert "OK departure=" in ask(board, "plan 800 07:30", 2)
        assert "ERR usage" in ask(board, "plan 800 25:00")
        ask(board, "reboot")
        board.run(6)
        ask(board, "mode script")
        volts = int(ask(board, "get voltage_l1_mv").split("voltage_l1_mv=")[1].split()[0]) / 1000
        assert volts == pytest.approx(232, abs=0.3), "the gain is in force after the reboot"
        ask(board, "unlock installer")
        assert "ERR usage" in ask(board, "factory")
        events = int(ask(board, "log 1").split("events=")[1].split()[0])
        assert "OK settings=default" in ask(board, "factory yes")
        assert "gain_voltage_l1_ppm=0 ppm" in ask(board, "get gain_voltage_l1_ppm")
        assert int(ask(board, "log 1").split("events=")[1].split()[0]) > events, "the journal stays and says so"
