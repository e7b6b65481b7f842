# SPDX-License-Identifier: MIT
"""The host tools at a serial device, as a technician uses them: the firmware's tasks answer on the real VM."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import comtrade
import pytest
from click.testing import CliRunner, Result
from console_terminal import Cable, Terminal
from fram_image import fram_with_trips

from backfeed.bench.plain import PATIENCE_S
from backfeed.cli import main
from backfeed.console_link import ConsoleLink
from backfeed.errors import PartError


@pytest.fixture
def board(tmp_path: Path) -> Iterator[str]:
    fram_with_trips(tmp_path / "fram", 3, 2)
    terminal = Terminal(tmp_path)
    terminal.until("> ")
    cable = Cable(terminal)
    yield cable.port
    cable.unplug()
    terminal.close()


def backfeed(*words: str, **options) -> Result:
    return CliRunner().invoke(main, list(words), **options)


def lines(result: Result) -> list[str]:
    """Return the lines of a result that is one line for a person, not a traceback."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.output.splitlines()


def test_settings_go_out_differ_and_come_in(board: str, tmp_path: Path) -> None:
    file = tmp_path / "charger.json"
    assert lines(backfeed("settings", "export", board, str(file)))[0].endswith(f"settings in {file}.")
    document = json.loads(file.read_text())
    names = list(document["values"])
    assert names[:3] == ["profile", "profile_changes", "phases"], "in the order of the table"
    assert not any("password" in name for name in names)
    same = backfeed("settings", "diff", board, str(file))
    assert (same.exit_code, same.output) == (0, "")
    document["values"] |= {"soc_floor_permille": 333, "mqtt_host": "a host with  two spaces, and more than " + "x" * 24}
    file.write_text(json.dumps(document))
    differs = backfeed("settings", "diff", board, str(file))
    assert differs.exit_code == 1
    assert "soc_floor_permille             200 -> 333 permille" in lines(differs)
    taken = backfeed("settings", "import", board, str(file))
    assert taken.exit_code == 0, taken.output
    assert lines(taken)[-1] == "2 settings changed."
    assert backfeed("settings", "diff", board, str(file)).exit_code == 0
    defaults = backfeed("settings", "diff", board, "--json")
    assert json.loads(defaults.output)["soc_floor_permille"] == [200, 333]
    document["values"] |= {"phases": 9, "nonsense": 1}
    file.write_text(json.dumps(document))
    refused = backfeed("settings", "import", board, str(file))
    assert refused.exit_code == 2
    assert "phases: 9 is out of range; give 1..3" in refused.output and "nonsense: no such setting" in refused.output
    assert lines(refused)[-1].endswith("2 errors; nothing has changed")
    assert lines(backfeed("console", board, "get", "access", "x"))[-1].startswith("ERR unknown point")


def test_files_and_ports_that_are_no_good_are_one_line(board: str, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    for words, text in (
        (("settings", "export", board, "/nowhere/x.json"), "cannot be written"),
        (("settings", "import", board, str(tmp_path / "bad.json")), "cannot be read as JSON"),
        (("settings", "import", board, str(tmp_path / "none.json")), "cannot be read as JSON"),
        (("settings", "diff", board, str(tmp_path / "none.json")), "no such file"),
        (("settings", "export", "/dev/no_such_port"), "no such device"),
        (("trips", str(tmp_path / "bad.json")), "not a serial device"),
        (("trips", board, "--trip", "9"), "trip 9 is not kept"),
        (("trips", board, "--trip", "1"), "trip 1: its recording is no longer kept"),
        (("trips", board, "--all", "--list"), "give one of them"),
        (("bringup", board, "engine"), "PART engine: unknown; choose afe"),
        (("console", board, ""), ""),
        (("console", board), "needs a terminal"),
        (("console", board, "import"), "use `backfeed settings import PORT FILE`"),
    ):
        result = backfeed(*words)
        assert result.exit_code in (1, 2), (words, result.output)
        assert text in lines(result)[-1] and len(lines(result)) == 1, result.output


def test_trips_become_comtrade_and_plots(board: str, tmp_path: Path) -> None:
    shown = backfeed("trips", board, "--list")
    assert shown.exit_code == 0
    assert [line.split()[0] for line in lines(shown)[:3]] == ["1", "2", "3"]
    assert "ov2           L1 288.0 V limit 273.7 V open 20 ms" in shown.output
    assert lines(shown)[-1] == "Recordings kept: 2, 3."
    written = json.loads(backfeed("trips", board, "--all", "--out", str(tmp_path / "t"), "--json").output)["written"]
    assert [one["trip"] for one in written] == [2, 3]
    for one in written:
        path = Path(one["comtrade"])
        record = comtrade.load(str(path), str(path.with_suffix(".dat")))
        assert record.total_samples == 500 and record.trigger_time == pytest.approx(1.99, abs=1e-3)
        assert record.analog[0][0] == pytest.approx((11500 + one["trip"]) * 0.02)
        assert record.analog[0][199] == pytest.approx(288.0) and record.analog[0][198] < 231
        page = Path(one["page"]).read_text()
        assert f"Trip {one['trip']}: ov2" in page
    last = backfeed("trips", board, "--out", str(tmp_path / "last"))
    assert lines(last)[-2].endswith("trip_3.cfg") and lines(last)[-1].endswith("trip_3.html")


def test_the_console_is_left_as_a_person_wants_it(board: str) -> None:
    assert backfeed("console", board, "why").exit_code == 0
    assert lines(backfeed("console", board, "setpoint", "-2000", "60")) == ["OK power_w=-2000 W duration_s=60 s"]
    refused = backfeed("console", board, "set", "export_rating_w", "5000")
    assert refused.exit_code == 1 and "unlock first" in refused.output
    done = backfeed("console", board, "--unlock", "installer", "set", "export_rating_w", "5000")
    assert lines(done) == ["OK export_rating_w=5000 W was=7360"]
    assert backfeed("console", board, "set", "export_rating_w", "4000").exit_code == 1, "locked again"
    emptied = backfeed("console", board, "--unlock", "installer", "set", "mqtt_user", "")
    assert lines(emptied) == ["OK mqtt_user= was="]
    with ConsoleLink(board) as link:
        link.raw.write(b"get trip\r")
        time.sleep(0.3)
        assert link.raw.read(200).endswith(b"get trip\r\nOK trip=0\r\n> "), "echo and prompt are back"


def test_what_was_left_half_done_does_not_stop_the_next(board: str) -> None:
    with ConsoleLink(board) as link:
        for rest in (b"half a li", b"watch cycles 0.1\r", b'unlock installer\rimport\r{"values":{"phases":3\r'):
            link.raw.write(rest)
            time.sleep(0.2)
            link.script()
            assert link.ask("get phases").text == "phases=1"
            link.terminal()


def test_a_pin_is_asked_for_and_a_wrong_one_is_one_line(board: str, tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text('{"soc_floor_permille": 300}')
    assert backfeed("console", board, "--unlock", "installer", "pin", "installer", "271828").exit_code == 0
    none = backfeed("settings", "import", board, str(file))
    assert lines(none) == ["backfeed: --pin: installer PIN is set; give it: unlock installer PIN."]
    wrong = backfeed("settings", "import", board, str(file), "--pin", "1111")
    assert (wrong.exit_code, lines(wrong)) == (2, ["backfeed: --pin: wrong PIN (1 in a row)."])
    right = backfeed("settings", "import", board, str(file), env={"BACKFEED_PIN": "271828"})
    assert right.exit_code == 0, right.output
    assert "271828" not in right.output + none.output + wrong.output


def test_a_second_program_is_told_that_the_first_has_the_port(board: str) -> None:
    with ConsoleLink(board):
        result = backfeed("settings", "export", board)
        assert result.exit_code == 3
        assert "another program has it open" in lines(result)[-1]
        assert "another program has it open" in lines(backfeed("flash", board, "--board", "virtual"))[-1]


def test_watch_runs_until_ctrl_c(board: str) -> None:
    command = [
        sys.executable,
        "-c",
        "from backfeed.cli import main; main()",
        "console",
        board,
        "watch",
        "cycles",
        "0.1",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert all("cycles=" in process.stdout.readline() for _ in range(3))
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert rest.splitlines()[-1].startswith("OK lines=")
    assert backfeed("console", board, "get", "trip").exit_code == 0, "and the board waits for verbs again"


def test_unplugged_on_the_way_is_one_line(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.until("> ")
    cable = Cable(terminal)
    with ConsoleLink(cable.port) as link:
        link.script()
        threading.Timer(0.3, cable.unplug).start()
        with pytest.raises(PartError, match=r"the board is gone|no answer within"):
            link.ask("watch cycles 0.1", timeout_s=1.0)
    terminal.close()


def test_a_board_with_its_contactor_closed_is_not_flashed(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, PLAIN_CONTACTOR="1")
    terminal.until("> ")
    cable = Cable(terminal)
    result = backfeed("flash", cable.port, "--board", "virtual")
    assert (result.exit_code, len(lines(result))) == (2, 1)
    assert "power flows, the contactor is closed" in result.output
    assert backfeed("console", cable.port, "get", "contactor").output == "OK contactor=1\n"
    cable.unplug()
    terminal.close()


def test_a_session_at_the_keyboard(board: str) -> None:
    import pty

    keyboard, slave = pty.openpty()
    command = [sys.executable, "-c", "from backfeed.cli import main; main()", "console", board]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=subprocess.PIPE)
    os.close(slave)
    shown = ""

    def until(text: str) -> None:
        nonlocal shown
        deadline = time.monotonic() + PATIENCE_S
        while text not in shown:
            assert time.monotonic() < deadline, shown
            shown += os.read(keyboard, 1024).decode()

    until("> ")
    os.write(keyboard, b"unlock installer\r")
    until("OK access=installer")
    os.write(keyboard, b"get trip\r")
    until("OK trip=0")
    os.write(keyboard, b"\x1d")
    assert process.wait(PATIENCE_S) == 0
    assert process.stderr is not None
    assert "Ctrl-] leaves and locks" in process.stderr.read().decode()
    process.stderr.close()
    os.close(keyboard)
    assert backfeed("console", board, "set", "export_rating_w", "1").exit_code == 1, "leaving locks"
