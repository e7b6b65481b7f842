# SPDX-License-Identifier: MIT
"""A technician's session through a real pseudo-terminal, keystroke by keystroke, on the real VM."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from console_terminal import (
    BACKSPACE,
    CTRL_C,
    CTRL_D,
    CTRL_U,
    CTRL_W,
    DELETE,
    DOWN,
    END,
    HOME,
    LEFT,
    RIGHT,
    TAB,
    UP,
    Cable,
    Terminal,
    screen,
)

from backfeed.console_link import ConsoleLink


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
    assert "voltage_l1_mv  voltage_l2_mv  voltage_l3_mv" in terminal.until("> get voltage_l")
    terminal.type("1_mv" + CTRL_U + "half a li" + CTRL_C)
    terminal.until("^C\r\n> ")
    terminal.type("nonsense\r")
    terminal.until("ERR unknown verb 'nonsense'; `help` lists them\r\n> ")
    terminal.type("\r\r")
    terminal.until("> ")


def test_a_line_is_corrected_in_its_middle(terminal: Terminal) -> None:
    terminal.until("> ")
    terminal.type("gt grid_x" + HOME + RIGHT + "e" + END + LEFT + DELETE + "w\r")
    shown = terminal.until("OK grid_w=0 W\r\n> ")
    assert screen(shown)[0] == "get grid_w"
    terminal.type("set phases soc" + LEFT * 4 + CTRL_W + HOME + CTRL_D * 3 + "points\r")
    assert screen(terminal.until("\r\n"))[0] == "points  soc"
    terminal.until("OK points=")
    terminal.until("> ")
    terminal.type("set prof" + TAB + TAB)
    assert "profile  profile_changes" in terminal.until("> set profile")
    terminal.type(" uk_g9" + TAB + "9\r")
    terminal.until("ERR refused profile: only the installer may change it; unlock first\r\n> ")


def test_ctrl_d_ends_the_access_and_never_the_program(terminal: Terminal) -> None:
    terminal.until("> ")
    terminal.type("unlock installer\r")
    terminal.until("OK access=installer")
    terminal.until("> ")
    terminal.type(CTRL_D)
    assert terminal.until("OK access=user\r\n> ").startswith("lock\r\n")
    terminal.type("half" + CTRL_C)
    terminal.until("^C\r\n> ")
    terminal.type("get trip\r")
    terminal.until("OK trip=0\r\n> ")
    assert terminal.report()["restarts"]["console"] == 0


def test_a_console_left_alone_forgets_access_script_mode_and_half_a_line(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "hasty_console_app.py")
    terminal.script()
    assert terminal.ask("unlock installer").startswith("OK access=installer")
    terminal.type("set export_rating_w 1")
    time.sleep(0.7)
    terminal.type("get trip\r")
    terminal.until("OK trip=0\r\n")
    time.sleep(1.2)
    terminal.type("set export_rating_w 1\r")
    shown = terminal.until("ERR refused export_rating_w: only the installer may change it; unlock first\r\n> ")
    assert "set export_rating_w 1\r\n" in shown, "echo is back"
    terminal.close()


def test_a_memory_that_does_not_answer_is_said(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "dead_fram_app.py")
    terminal.script()
    (tmp_path / "dead").touch()
    for line in ("set soc_floor_permille 300", "lock 1", "pin installer 271828", "factory yes"):
        assert terminal.ask("unlock installer").startswith("OK access=installer")
        assert terminal.ask(line).startswith("ERR hardware the memory does not answer"), line
    (tmp_path / "dead").unlink()
    assert terminal.ask("set soc_floor_permille 310").startswith("OK soc_floor_permille=310 permille")
    assert terminal.report()["restarts"]["console"] == 0
    terminal.close()


def test_a_cable_pulled_mid_line_leaves_nothing_behind(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.until("> ")
    cable = Cable(terminal)
    with ConsoleLink(cable.port) as link:
        link.raw.write(b"unlock installer\rset export_rating_w 12")
        time.sleep(0.3)
    cable.unplug()
    again = Cable(terminal)
    with ConsoleLink(again.port) as link:
        link.script()
        assert link.ask("get export_rating_w").text == "export_rating_w=7360 W"
    again.unplug()
    assert terminal.report()["restarts"]["console"] == 0
    terminal.close()


def test_a_mute_terminal_is_brought_back_by_a_key(terminal: Terminal) -> None:
    terminal.script()
    terminal.type("\x18")
    terminal.until("> ")
    terminal.type("get trip\r")
    terminal.until("get trip\r\nOK trip=0\r\n> ")


def test_a_paste_of_two_kilobytes_is_taken_line_by_line(terminal: Terminal) -> None:
    terminal.until("> ")
    terminal.paste(b"get trip\n" * 250)
    for _ in range(250):
        terminal.until("OK trip=0\r\n")
    terminal.paste(b"y" * 2048)  # one line, cut where it no longer fits, without its end
    terminal.type("\r")
    terminal.until("ERR overlong line of more than 256 characters\r\n> ")
    assert terminal.report()["restarts"]["console"] == 0


def test_texts_are_journalled_readable_and_secrets_never(terminal: Terminal) -> None:
    terminal.script()
    terminal.ask("unlock installer")
    terminal.ask("set mqtt_host broker.example")
    terminal.ask('set mqtt_host ""')
    terminal.ask("set mqtt_password topsecretword")
    terminal.ask("set cable_family iec")
    long = "ov1.delay_ms=1500," * 10 + "enter_wait_ms="
    terminal.ask("set profile_changes " + long + "60000")
    terminal.ask("set profile_changes " + long + "61000")
    terminal.type("log 12\r")
    shown = terminal.until("OK events")
    assert 'setting_was mqtt_host ""' in shown and 'setting mqtt_host "broker.example"' in shown
    assert 'setting_was mqtt_host "broker.example"' in shown and 'setting mqtt_host ""' in shown
    assert "setting_was cable_family tethered" in shown and "setting cable_family iec" in shown
    assert "setting mqtt_password (secret)" in shown and "topsecretword" not in shown
    lines = [line for line in shown.split("\r\n") if "setting" in line and "profile_changes" in line]
    texts = [line.partition('"')[2].rstrip('"') for line in lines if " -> " not in line]  # not the notes
    assert all(len(text) <= 84 for text in texts)
    assert texts[-2].endswith("enter_wait_ms=60000") and texts[-1].endswith("enter_wait_ms=61000")


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
    assert terminal.until("\r\n") == "ERR refused 1 error; nothing has changed\r\n"
    assert terminal.ask("get soc_floor_permille") == "OK soc_floor_permille=333 permille"


def test_watch_shows_until_a_key(terminal: Terminal) -> None:
    terminal.script()
    terminal.type("watch cycles 0.1\r")
    for _ in range(3):
        assert "cycles=" in terminal.until("\r\n")
    terminal.type("q")
    last = terminal.until("OK lines=").splitlines()[:-1]
    assert all("cycles=" in line for line in last) and int(terminal.until("\r\n")) >= 3
    assert terminal.ask("get trip") == "OK trip=0"


def test_a_flood_disturbs_nobody(terminal: Terminal) -> None:
    terminal.script()
    terminal.paste(b"x" * 5000 + b"\r")
    assert terminal.until("\r\n") == "ERR overlong line of more than 256 characters\r\n"
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
