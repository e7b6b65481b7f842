# SPDX-License-Identifier: MIT
"""Real time: a pseudo-terminal, the raw REPL, stock mpremote."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny import TinyPlant

from hil.virtual_board import VirtualBoard

MPREMOTE = Path(sys.executable).with_name("mpremote")
MAIN = """
import asyncio, sys
from machine import Timer, Pin
edge = Pin(14, Pin.OUT)
level = 0
def cycle(timer):
    global level
    level ^= 1
    edge(level)
Timer(0, period=10, callback=cycle)
async def main():
    print("ready")
    reader = asyncio.StreamReader(sys.stdin.buffer)
    while True:
        line = await reader.readline()
        print("heard", line)
asyncio.run(main())
"""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[VirtualBoard]:
    """A board in real time with its own files, served by a thread."""
    files = tmp_path / "files"
    files.mkdir()
    (files / "main.py").write_text(MAIN)
    one = VirtualBoard(TinyPlant(), realtime=True, firmware=None, files=files)
    one.start()
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            one.run(0.05)

    thread = threading.Thread(target=serve)
    thread.start()
    yield one
    ended.set()
    thread.join()
    one.stop()


def mpremote(board: VirtualBoard, *words: str) -> str:
    command = [str(MPREMOTE), "connect", board.console.port, "resume", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def wait_for(board: VirtualBoard, text: str, count: int = 1) -> None:
    seen = threading.Event()
    for _ in range(1200):
        if board.console.text.count(text) >= count:
            return
        seen.wait(0.05)
    raise AssertionError(f"no {text!r} in:\n{board.console.text}")


def test_stock_mpremote_works(live, tmp_path) -> None:
    wait_for(live, "ready")
    assert mpremote(live, "exec", "print(1)").strip() == "1"
    assert "main.py" in mpremote(live, "fs", "ls")
    local = tmp_path / "hello.txt"
    local.write_text("hello\n" * 500)
    mpremote(live, "fs", "cp", str(local), ":hello.txt")
    assert (live.files / "hello.txt").read_text() == local.read_text()
    assert "machine" in mpremote(live, "exec", "import machine; print(machine)")


def test_program_restarts_from_the_prompt(live) -> None:
    wait_for(live, "ready")
    mpremote(live, "exec", "--no-follow", "import machine; machine.reset()")
    wait_for(live, "ready", 2)
    assert [cause for _, cause in live.resets] == ["power", "hard"]


def test_ctrl_d_at_the_prompt_restarts(live) -> None:
    wait_for(live, "ready")
    user = os.open(live.console.port, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(user, b"\x03")
        wait_for(live, ">>> ")
        os.write(user, b"\x04")
        wait_for(live, "ready", 2)
    finally:
        os.close(user)
    assert [cause for _, cause in live.resets] == ["power", "soft"]


def test_typing_reaches_the_program_and_the_cycle_runs(live) -> None:
    wait_for(live, "ready")
    user = os.open(live.console.port, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(user, b"hello\n")
        wait_for(live, "heard b'hello\\n'")
    finally:
        os.close(user)
    assert live.outputs.gate_edges > 0


def test_prompt_stops_the_cycle_and_the_world_goes_on(live) -> None:
    wait_for(live, "ready")
    mpremote(live, "exec", "pass")
    edges, now_us = live.outputs.gate_edges, live.now_us
    mpremote(live, "exec", "pass")
    assert live.now_us > now_us
    assert live.outputs.gate_edges == edges


@pytest.mark.parametrize(("feed", "causes"), [(True, ["power"]), (False, ["power", "wdt"])])
def test_watchdog_at_the_prompt(live, feed, causes) -> None:
    """Left alone it resets the board under the person at the prompt; a feeding timer holds it off, as on a board."""
    wait_for(live, "ready")
    words = "import machine; w = machine.WDT(timeout=1000)"
    if feed:
        words += "; t = machine.Timer(1); t.init(period=500, callback=lambda t: w.feed())"
    mpremote(live, "exec", words)
    end_us = live.now_us + (2_000_000 if feed else 20_000_000)
    pause = threading.Event()
    while live.now_us < end_us and (feed or len(live.resets) < 2):
        pause.wait(0.05)
    assert [cause for _, cause in live.resets] == causes


GUARDED = """
import micropython, sys
micropython.kbd_intr(-1)
print("guarded")
print("key", ord(sys.stdin.read(1)))
micropython.kbd_intr(3)
print("open")
try:
    while True:
        pass
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_is_a_key_while_the_program_says_so(tmp_path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "main.py").write_text(GUARDED)
    with VirtualBoard(TinyPlant(), realtime=True, firmware=None, files=files) as board:
        for text in ("guarded", "open"):
            while text not in board.console.text:
                board.run(0.05)
            board.console.write(b"\x03")
        while "interrupted" not in board.console.text:
            board.run(0.05)
        assert "key 3" in board.console.text
        assert [cause for _, cause in board.resets] == ["power"], "a key restarted the board"
