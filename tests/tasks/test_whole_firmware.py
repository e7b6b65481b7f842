# SPDX-License-Identifier: MIT
"""boot.py and main.py unmodified on the virtual board: the console says what runs, or why nothing may."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from evse.store import layout
from evse.store.settings import VERSION
from evse.store.slots import HEAD, HEAD_BYTES, MAGIC
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard

TURN_S = 0.5


def fram_with(folder: Path, values: dict[str, Any], spoil: bool = False) -> Path:
    """Return a FRAM file that holds these settings, or damaged ones."""
    body = json.dumps({"version": VERSION, "values": values}).encode()
    head = struct.pack(HEAD, MAGIC, len(body), 1, 0)
    crc = zlib.crc32(body, zlib.crc32(head[:8])) ^ (1 if spoil else 0)
    _name, address, _length, _slots = layout.SETTINGS
    image = bytearray(layout.SIZE)
    image[address : address + HEAD_BYTES + len(body)] = head[:8] + struct.pack("<I", crc) + body
    path = folder / "fram.bin"
    path.write_bytes(image)
    return path


def session(board: VirtualBoard, *lines: str) -> str:
    """Type lines, return everything the console has shown."""
    for line in ("mode script", *lines):
        board.console.write(line.encode() + b"\r")
        board.run(TURN_S)
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


def test_an_unusable_profile_is_held_safe_with_the_console_alive(tmp_path: Path, monkeypatch) -> None:
    fram = fram_with(tmp_path, {"profile": "ieee1547_cat_b", "phases": 1})
    firmware = tmp_path / "firmware"
    copy_firmware(firmware)
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


def copy_firmware(folder: Path) -> None:
    import shutil

    source = Path(__file__).parents[2] / "firmware"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))


def test_damaged_settings_fall_back_with_a_fault(tmp_path: Path) -> None:
    fram = fram_with(tmp_path, {"soc_floor_permille": 300}, spoil=True)
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
