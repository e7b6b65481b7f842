# SPDX-License-Identifier: MIT
"""`backfeed flash` on a blank virtual board over its PTY: the files arrive, are proved, and the firmware starts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.progress import Progress

from backfeed import board_link
from backfeed.board_link import BoardLink
from backfeed.cli import main
from backfeed.errors import PartError
from backfeed.firmware_build import build
from backfeed.flash import Outcome, put
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
    assert outcome["written"] == 2, "image.mpy, and main.py, which goes first and comes back last"
    assert outcome["removed"] == ["evse/fixed.py"]
    assert not leftover.exists()
    third = json.loads(flash(blank.port, "--board", "virtual", "--json").stdout.splitlines()[-1])
    assert third["written"] == 0 and third["files"] == outcome["files"]


@pytest.mark.parametrize(("cut_after", "cut"), [(50, KeyboardInterrupt), (0, PartError("the cable is out"))])
def test_a_cut_flash_leaves_a_board_that_starts_nothing_and_the_next_mends_it(
    blank: Running, monkeypatch, cut_after: int, cut: type[BaseException] | BaseException
) -> None:
    blank.files.joinpath("main.py").write_text("print('an older version')")
    blank.files.joinpath("evse").mkdir()
    blank.files.joinpath("evse", "gone.mpy").write_bytes(b"of an older version")
    write_file, left = BoardLink.write_file, [cut_after]

    def cut_off(link: BoardLink, path: str, content: bytes) -> None:
        if not left[0]:
            raise cut
        left[0] -= 1
        write_file(link, path, content)

    with monkeypatch.context() as while_cut:
        while_cut.setattr(BoardLink, "write_file", cut_off)
        result = flash(blank.port, "--board", "virtual")
    assert result.exit_code == (130 if cut is KeyboardInterrupt else 3)
    assert "not finished; the board starts nothing until it is flashed again" in result.stderr
    assert not (blank.files / "main.py").exists()
    assert flash(blank.port, "--board", "virtual").exit_code == 0
    assert {str(path.relative_to(blank.files)) for path in blank.files.rglob("*") if path.is_file()} == {
        file.path for file in build("virtual")
    }


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


SHORT_S = 1.5  # the watchdog's time in the test: the flash lasts longer
FILES = 10


def short_watchdog(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if firmware of ours had run there and started its watchdog, a short one."""
    monkeypatch.setattr(board_link, "TAKE_WATCHDOG", board_link.TAKE_WATCHDOG.replace("8000", f"{SHORT_S * 1000:.0f}"))
    monkeypatch.setattr(board_link, "FEED_EVERY_S", SHORT_S / 8)
    (running.files / "evse").mkdir()


def causes(running: Running) -> list[str]:
    return [cause for _, cause in running.board.resets]


def test_a_running_watchdog_is_fed_while_a_slow_flash_goes_on(blank: Running, monkeypatch) -> None:
    short_watchdog(blank, monkeypatch)
    write_file = BoardLink.write_file

    def slow(link: BoardLink, path: str, content: bytes) -> None:
        write_file(link, path, content, lambda size: time.sleep(2 * SHORT_S / FILES))

    monkeypatch.setattr(BoardLink, "write_file", slow)
    files = [file for file in build("virtual") if len(file.content) < board_link.CHUNK_BYTES][:FILES]
    outcome = Outcome(blank.port, "virtual")
    with Progress(disable=True) as progress, BoardLink(blank.port) as link:
        put(link, files, outcome, progress)
    assert outcome.written == FILES
    assert "wdt" not in causes(blank)


def test_a_watchdog_that_nobody_feeds_resets_the_board(blank: Running, monkeypatch) -> None:
    short_watchdog(blank, monkeypatch)
    with BoardLink(blank.port):
        deadline = time.monotonic() + 20 * SHORT_S
        while "wdt" not in causes(blank) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert "wdt" in causes(blank)
