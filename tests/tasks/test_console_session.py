# SPDX-License-Identifier: MIT
"""A technician's session through a real pseudo-terminal, keystroke by keystroke, on the real VM."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from plain_station import HERE, PATIENCE_S, vm_environment

from backfeed import vm

UP, DOWN, CTRL_C, CTRL_U, BACKSPACE, TAB = "\x1b[A", "\x1b[B", "\x03", "\x15", "\x7f", "\t"


class Terminal:
    """A VM whose console is a pseudo-terminal; what it shows piles up in `shown`."""

    def __init__(self, folder: Path, **extra: str) -> None:
        self.folder = folder
        self.shown = ""
        self._seen = 0
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.report_path = folder / "report.json"
        environment = vm_environment(
            PLAIN_CONSOLE="1", PLAIN_REPORT=str(self.report_path), PLAIN_FRAM=str(folder / "fram"), **extra
        )
        command = [*vm.unix_vm(), "-X", "heapsize=1m", str(HERE / "plain" / "station_app.py")]
        self._process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=slave, stdout=slave, stderr=subprocess.PIPE
        )
        os.close(slave)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()
        os.close(self._master)

    def type(self, keys: str) -> None:
        """Press keys one at a time."""
        for byte in keys.encode():
            os.write(self._master, bytes([byte]))

    def paste(self, data: bytes) -> None:
        """Write as fast as the terminal takes it, reading what comes back."""
        while data:
            readable, writable, _ = select.select([self._master], [self._master], [], PATIENCE_S)
            assert readable or writable
            if readable:
                self._read()
            if writable:
                data = data[os.write(self._master, data[:256]) :]

    def _read(self) -> None:
        self.shown += os.read(self._master, 4096).decode(errors="replace")

    def until(self, text: str) -> str:
        """Return everything shown since the last call, up to and with `text`."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.shown[self._seen :]:
            ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"{text!r} did not come; shown: {self.shown[self._seen :]!r}")
            self._read()
        end = self.shown.index(text, self._seen) + len(text)
        part = self.shown[self._seen : end]
        self._seen = end
        return part

    def ask(self, line: str) -> str:
        """Type a line in script mode; return the reply's last line."""
        self.type(line + "\r")
        while True:
            reply = self.until("\r\n").strip()
            if reply.startswith(("OK", "ERR")):
                return reply

    def report(self, least_cycles: int = 1) -> dict[str, Any]:
        """Return the first report that has at least so many cycles."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.report_path.exists():
                found: dict[str, Any] = json.loads(self.report_path.read_text())
                if found["cycles"] >= least_cycles:
                    return found
            time.sleep(0.02)
        raise AssertionError(f"no report with {least_cycles} cycles within {PATIENCE_S} s")

    def script(self) -> None:
        self.until("> ")
        self.type("mode script\r")
        self.until("OK mode=script\r\n")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


def test_a_technician_types(terminal: Terminal) -> None:
    terminal.until("ready on plain: `help` lists the verbs\r\n> ")
    terminal.type("stat" + TAB)
    terminal.until("status ")
    terminal.type("\r")
    assert "session_state=boot" in terminal.until("OK heap_free")
    terminal.until("> ")
    terminal.type("gett" + BACKSPACE + " freq" + TAB)
    terminal.until("frequency_uhz ")
    terminal.type("\r")
    terminal.until("OK frequency_uhz=0 uHz\r\n> ")
    terminal.type(UP)
    terminal.until("get frequency_uhz ")
    terminal.type(UP)
    terminal.until("status ")
    terminal.type(DOWN + DOWN + "get voltage_l" + TAB)
    assert "voltage_l1_mv voltage_l2_mv voltage_l3_mv" in terminal.until("> get voltage_l")
    terminal.type("1_mv" + CTRL_U + "half a li" + CTRL_C)
    terminal.until("^C\r\n> ")
    terminal.type("nonsense\r")
    terminal.until("ERR unknown verb 'nonsense'; `help` lists them\r\n> ")
    terminal.type("\r\r")
    terminal.until("> ")


def test_settings_need_the_right_access(terminal: Terminal) -> None:
    terminal.script()
    assert terminal.ask("set soc_floor_permille 300").startswith("OK soc_floor_permille=300 permille was=200")
    assert terminal.ask("set export_rating_w 100").startswith("ERR refused export_rating_w: only the installer")
    assert "warning=no PIN is set" in terminal.ask("unlock installer")
    assert terminal.ask("set export_rating_w 100").startswith("OK export_rating_w=100 W was=7360")
    assert terminal.ask("set export_rating_w 99999").startswith("ERR refused export_rating_w: 99999 is out of range")
    assert terminal.ask("set mqtt_password topsecretword").startswith("OK mqtt_password=(secret) was=(secret)")
    assert terminal.ask("get mqtt_password") == "OK mqtt_password=(secret)"
    terminal.type("log\r")
    assert "topsecretword" not in terminal.until("OK events")
    assert terminal.ask("lock") == "OK access=user"


def test_commands_act_and_refuse(terminal: Terminal) -> None:
    terminal.script()
    assert terminal.ask("setpoint -2000 60") == "OK power_w=-2000 W duration_s=60 s"
    assert terminal.ask("setpoint 99999 60") == "ERR refused power_w=99999 is out of range; give -7360..7360 W"
    assert terminal.ask("setpoint full 60").startswith("ERR usage power_w 'full' is not a number")
    assert terminal.ask("setpoint 1").startswith("ERR usage")
    assert terminal.ask("stop 2").startswith("ERR usage")
    assert terminal.ask("stop") == "OK stop=1"
    assert terminal.ask("time") == "OK time=unknown"
    assert terminal.ask("time 2026-11-23T04:05:06Z").startswith("OK time=2026-11-23T04:05:0")
    assert terminal.ask("time 1999-01-01T00:00:00Z").startswith("ERR refused time")
    assert terminal.ask("time 2026-13-01T00:00:00Z").startswith("ERR usage time")


def test_wrong_pins_lock_out_over_a_restart(tmp_path: Path) -> None:
    first = Terminal(tmp_path)
    first.script()
    assert first.ask("unlock installer").startswith("OK access=installer")
    assert first.ask("pin installer 12") == "ERR refused PIN must be 4..8 digits"
    assert first.ask("pin installer 271828") == "OK pin=installer"
    assert first.ask("lock") == "OK access=user"
    assert first.ask("unlock installer 271828") == "OK access=installer"
    assert first.ask("lock") == "OK access=user"
    for count in (1, 2, 3):
        assert first.ask("unlock installer 0000") == f"ERR access wrong PIN ({count} in a row)"
    assert first.ask("unlock installer 271828").startswith("ERR access locked for")
    first.close()
    second = Terminal(tmp_path)
    second.script()
    assert second.ask("unlock installer 271828").startswith("ERR access locked for")
    assert second.ask("set export_rating_w 1").startswith("ERR refused")
    second.close()
    fram = (tmp_path / "fram").read_bytes()
    assert b"271828" not in fram


def test_export_comes_back_through_import_whole_or_not_at_all(terminal: Terminal) -> None:
    terminal.script()
    terminal.ask("unlock installer")
    terminal.type("export\r")
    text = terminal.until("OK\r\n").removesuffix("OK\r\n")
    values = json.loads(text)["values"]
    assert values["soc_floor_permille"] == 200
    assert "mqtt_password" not in values
    changed = text.replace('"soc_floor_permille": 200', '"soc_floor_permille": 333')
    assert changed != text
    terminal.type("import\r")
    terminal.paste(changed.encode() + b".\r")
    assert terminal.until("\r\n") == "OK changed=1 staged=0\r\n"
    bad = changed.replace("333", "444").replace('"phases": 1', '"phases": 9')
    terminal.type("import\r")
    terminal.paste(bad.encode() + b".\r")
    assert "phases: 9 is out of range" in terminal.until("\r\n")
    assert terminal.until("\r\n") == "ERR refused 1 errors; nothing has changed\r\n"
    assert terminal.ask("get soc_floor_permille") == "OK soc_floor_permille=333 permille"


def test_watch_shows_until_a_key(terminal: Terminal) -> None:
    terminal.script()
    terminal.type("watch cycles 0.1\r")
    for _ in range(3):
        assert "cycles=" in terminal.until("\r\n")
    terminal.type("q")
    assert terminal.until("\r\n").startswith(("OK lines=", ""))
    assert terminal.ask("get trip") == "OK trip=0"


def test_a_flood_disturbs_nobody(terminal: Terminal) -> None:
    terminal.script()
    terminal.paste(b"x" * 5000 + b"\r")
    assert terminal.until("\r\n") == "ERR overlong line of more than 160 characters\r\n"
    terminal.paste(b"get cycles\r" * 300)
    terminal.paste(bytes(range(256)) * 20 + b"\x03\r\x03\r")
    terminal.type("get trip\r")
    terminal.until("OK trip=0\r\n")
    report = terminal.report()
    assert report["restarts"]["console"] == 0
    assert report["late_worst_ms"] < 400


def test_a_terminal_that_does_not_read_disturbs_nobody(terminal: Terminal) -> None:
    terminal.script()
    for _ in range(40):
        terminal.type("help\r")  # and nobody reads the answers

    before = terminal.report()["cycles"]
    report = terminal.report(least_cycles=before + 300)
    assert report["restarts"] == {name: 0 for name in report["restarts"]}
    assert report["late_worst_ms"] < 400
