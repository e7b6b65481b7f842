# SPDX-License-Identifier: MIT
"""boot.py and main.py unmodified on the virtual board: the console says what runs, or why nothing may."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from board_console import ask

from backfeed import firmware_ask
from backfeed.checkout import FIRMWARE
from evse.store import layout
from evse.store.slots import HEAD_BYTES
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard


def session(board: VirtualBoard, *lines: str) -> str:
    """Type lines, return everything the console has shown."""
    for line in ("mode script", *lines):
        ask(board, line)
    return str(board.console.text)


@pytest.mark.parametrize("flavour", ["esp32", "stm32"])
def test_boots_to_idle_and_says_why_no_power_flows(flavour: str) -> None:
    with VirtualBoard(Station(), flavour=flavour) as board:
        board.run(3)
        shown = session(board, "why", "get session_state fault_count", "log", "tasks", "limits", "profile", "version")
    assert "ready on" in shown
    assert "No vehicle is plugged in" in shown
    assert "OK session_state=idle fault_count=0" in shown
    assert "boot" in shown
    assert "inverter     age=" in shown
    assert "OK profile=uk_g98" in shown
    assert "ERR" not in shown


def test_an_unusable_profile_is_held_safe_with_the_console_alive(tmp_path: Path) -> None:
    fram = tmp_path / "fram.bin"
    firmware_ask.write_settings(fram, {"profile": "ieee1547_cat_b", "phases": 1})
    firmware = tmp_path / "firmware"
    shutil.copytree(FIRMWARE, firmware, ignore=shutil.ignore_patterns("__pycache__"))
    (firmware / "evse" / "profiles" / "ieee1547_cat_b.py").write_text("raise ValueError('numbers are wrong')\n")
    with VirtualBoard(Station(), fram_path=fram, firmware=firmware) as board:
        board.run(20)
        shown = session(board, "faults", "log", "profile", "unlock installer", "set profile uk_g98")
        assert not board.outputs.gate_arm
        assert not board.outputs.contactor
        assert len(board.resets) == 1, "the watchdog must not bite a charger that is held safe"
    assert "profile            ACTIVE Grid code profile cannot be used" in shown
    assert "held safe, no cycle" in shown
    assert "OK profile=uk_g98 was=ieee1547_cat_b effect=after reboot" in shown


def test_damaged_settings_fall_back_with_a_fault(tmp_path: Path) -> None:
    fram = tmp_path / "fram.bin"
    firmware_ask.write_settings(fram, {"soc_floor_permille": 300})
    image = bytearray(fram.read_bytes())
    _name, address, length, slots = layout.SETTINGS
    for slot in range(slots):
        image[address + slot * length + HEAD_BYTES] ^= 1
    fram.write_bytes(image)
    with VirtualBoard(Station(), fram_path=fram) as board:
        board.run(3)
        shown = session(board, "faults", "log", "clear", "get fault_count soc_floor_permille")
    assert "settings           ACTIVE Settings were damaged" in shown
    assert "defaults are in use" in shown
    assert "soc_floor_permille=200" in shown


def test_a_reboot_from_the_console_comes_back(tmp_path: Path) -> None:
    with VirtualBoard(Station(), fram_path=tmp_path / "fram.bin") as board:
        board.run(3)
        session(board, "reboot")
        board.run(5)
        shown = session(board, "log 40")
        assert len(board.resets) == 2
    assert shown.count("ready on") == 2
    assert "boot 1 boot" in shown
