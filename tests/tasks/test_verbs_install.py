# SPDX-License-Identifier: MIT
"""Calibration, a departure ordered by hand and the factory reset, on the whole firmware."""

from __future__ import annotations

from pathlib import Path

import pytest
from board_console import ask
from fram_image import fram_with_energy

from hil.plant.station import Station
from hil.virtual_board import VirtualBoard


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


def test_a_factory_reset_keeps_energy_and_journal(tmp_path: Path) -> None:
    fram_with_energy(tmp_path / "fram.bin", 12_345_000, 6_789_000)
    kept = "import=12.345 kWh export=6.789 kWh"
    with VirtualBoard(Station(), fram_path=tmp_path / "fram.bin") as board:
        board.run(3)
        ask(board, "mode script")
        ask(board, "unlock installer")
        ask(board, "set device_id charger-7")
        assert "OK pin=installer" in ask(board, "pin installer 271828", 3)
        assert kept in ask(board, "energy")
        assert "OK settings=default pins=none" in ask(board, "factory yes")
        for _ in range(2):  # now, and after a restart
            assert kept in ask(board, "energy")
            assert "OK device_id=backfeed" in ask(board, "get device_id")
            shown = ask(board, "log 64")
            assert 'setting device_id "charger-7"' in shown and 'setting_was device_id "charger-7"' in shown
            assert "factory_reset" in shown
            assert "warning=no PIN is set" in ask(board, "unlock installer")
            board.restart()
            board.run(3)
            ask(board, "mode script")


def test_a_lock_out_goes_on_over_a_restart_and_ends(tmp_path: Path) -> None:
    with VirtualBoard(Station(), fram_path=tmp_path / "fram.bin") as board:
        board.run(3)
        ask(board, "mode script")
        ask(board, "unlock installer")
        ask(board, "pin installer 271828", 3)
        ask(board, "lock")
        for count in (1, 2, 3):
            assert f"ERR access wrong PIN ({count} in a row)" in ask(board, "unlock installer 1234", 3)
        assert "ERR access locked for" in ask(board, "unlock installer 271828", 3)
        for restart in (board.restart, board.power_cut):
            restart()
            board.run(4)
            ask(board, "mode script")
            assert "ERR access locked for" in ask(board, "unlock installer 271828", 3), "even the right one"
        board.run(10)
        assert "wrong PIN (4 in a row)" in ask(board, "unlock installer 1234", 3)
        board.run(11)
        assert "ERR access locked for" in ask(board, "unlock installer 271828", 3), "twice as long"
        board.run(10)
        assert "OK access=installer" in ask(board, "unlock installer 271828", 3)
        shown = ask(board, "log 64")
        assert (
            "pin_set installer" in shown and "pin_wrong installer 4 in a row" in shown and "unlocked installer" in shown
        )
        assert "271828" not in shown + ask(board, "export")


def test_a_pin_is_typed_unseen(tmp_path: Path) -> None:
    with VirtualBoard(Station(), fram_path=tmp_path / "fram.bin") as board:
        board.run(3)
        ask(board, "unlock installer")
        ask(board, "pin installer 271828", 3)
        ask(board, "lock")
        assert ask(board, "unlock installer").endswith("PIN: ")
        shown = ask(board, "271828", 3)
        assert "OK access=installer" in shown and "271828" not in shown
        assert ask(board, "pin installer").endswith("new PIN: ")
        assert ask(board, "314159").endswith("once more: ")
        assert "ERR refused the two differ" in ask(board, "314158")
        ask(board, "pin installer")
        ask(board, "314159")
        shown = ask(board, "314159", 3)
        assert "OK pin=installer" in shown and "314159" not in shown
        ask(board, "lock")
        ask(board, "unlock installer")
        board.console.write(b"27\x18")
        board.run(1)
        assert "wrong" not in ask(board, "\x1b[A"), "given up is no try, and history holds no PIN"
        assert "271828" not in ask(board, "\x1b[A")


def test_a_grid_code_that_cannot_be_used_is_refused_when_it_is_set(tmp_path: Path) -> None:
    with VirtualBoard(Station(), fram_path=tmp_path / "fram.bin") as board:
        board.run(3)
        ask(board, "mode script")
        ask(board, "unlock installer")
        shown = ask(board, "set profile_changes ov1.nonsense=3")
        assert "ERR refused profile_changes: " in shown and "ov1.nonsense" in shown
        assert ask(board, "get profile_changes") == "OK profile_changes=\r\n"
