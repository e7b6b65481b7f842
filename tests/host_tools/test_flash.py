# SPDX-License-Identifier: MIT
"""`backfeed flash` on a blank virtual board over its PTY: the files arrive, are proved, and the firmware starts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from backfeed.cli import main
from backfeed.firmware_build import build
from hil.plant.config import StationConfig
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard


class Running:
    """A virtual board in real time, driven by a thread of its own."""

    def __init__(self, files: Path) -> None:
        self.files = files
        self.board = VirtualBoard(Station(StationConfig()), realtime=True, firmware=None, files=files)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._drive, daemon=True)

    def _drive(self) -> None:
        until_us = 0
        while not self._ended.is_set():
            until_us += 50_000
            self.board.run_until(until_us)

    def __enter__(self) -> Running:
        self.board.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)
        self.board.stop()

    @property
    def port(self) -> str:
        return self.board.console.port


@pytest.fixture
def blank(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path / "files") as running:
        yield running


def flash(*arguments: str):
    return CliRunner().invoke(main, ["flash", *arguments])


def test_a_blank_board_gets_the_firmware_and_starts(blank: Running) -> None:
    result = flash(blank.port, "--board", "virtual", "--json")
    assert result.exit_code == 0, result.output
    outcome = json.loads(result.stdout.splitlines()[-1])
    expected = {file.path: file.content for file in build("virtual")}
    assert outcome["files"] == outcome["written"] == len(expected)
    assert "ready on virtual" in outcome["ready"]
    for path, content in expected.items():
        assert (blank.files / path).read_bytes() == content


def test_a_second_flash_writes_only_what_differs_and_removes_leftovers(blank: Running) -> None:
    assert flash(blank.port, "--board", "virtual").exit_code == 0
    leftover = blank.files / "evse" / "fixed.py"  # would win the import over fixed.mpy
    leftover.write_text("raise SystemExit")
    (blank.files / "evse" / "image.mpy").write_bytes(b"damaged")
    result = flash(blank.port, "--board", "virtual", "--json")
    assert result.exit_code == 0, result.output
    outcome = json.loads(result.stdout.splitlines()[-1])
    assert outcome["written"] == 1
    assert outcome["removed"] == ["evse/fixed.py"]
    assert not leftover.exists()


def test_an_unknown_board_touches_nothing(blank: Running) -> None:
    result = flash(blank.port, "--board", "toaster")
    assert result.exit_code == 2
    assert "--board toaster: no such board; choose" in result.output
    assert list(blank.files.iterdir()) == []


def test_a_missing_port_is_one_line() -> None:
    result = flash("/dev/no_such_port", "--board", "virtual")
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert "PORT /dev/no_such_port: no such device" in result.output


def test_a_file_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    result = flash(str(tmp_path / "x"), "--board", "virtual")
    assert result.exit_code == 2
    assert "not a serial device" in result.output
