# SPDX-License-Identifier: MIT
"""Our RTU master and umodbus (the package micropython-modbus) on the same PTY on the unix VM, side by side.

umodbus is fetched by pip when the bench runs; nothing of it is part of this project. Its machine.UART is a few lines
over the PTY. Both think they are at 115200 Bd, and the device answers when a line of that speed would have brought its
answer: a PTY alone has no speed, and a master that waits for the wire would lose to one that does not know it. The
rate is that of the median transaction, so that a busy machine does not decide.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tty
from functools import cache
from pathlib import Path

from backfeed import vm
from backfeed.bench import NotHere
from backfeed.checkout import BUILD, FIRMWARE, ROOT
from backfeed.errors import PartError
from hil.plant.modbus_server import sealed

PACKAGE = "micropython-modbus==2.3.7"
PLACE = BUILD / "umodbus"
TRANSACTIONS = 200
REGISTERS = 10
CHARACTER_S = 10 / 115200
SILENCE_S = 0.00175  # t3.5
TIMEOUT_S = 120

MACHINE = """
from pty_uart import PtyUart
class Pin:
    OUT = 1
class UART:
    PATH = ""
    def __init__(self, *_arguments, **_options):
        uart = PtyUart(UART.PATH)
        self.any, self.write, self._uart, self._room = uart.any, uart.write, uart, bytearray(256)
    def read(self):
        count = self._uart.readinto(self._room, 256) if self._uart.any() else 0
        return self._room[:count] if count else None
"""

OURS = """
import asyncio
from pty_uart import PtyUart
from evse.drivers.modbus_bus import READ, ModbusBus, Transfer
bus = ModbusBus(PtyUart(sys.argv[1]), 115200)
transfer = Transfer(1, 3, 100, {registers}, bytearray(2 * {registers}), READ)
async def main():
    for number in range(-20, {count}):
        begin(number)
        if await bus.transact(transfer):
            raise OSError("result %d" % transfer.result)
        end(number)
    report()
asyncio.run(main())
"""

THEIRS = """
import machine
machine.UART.PATH = sys.argv[1]
from umodbus.serial import Serial
host = Serial(uart_id=1, baudrate=115200, pins=(0, 1))
for number in range(-20, {count}):
    begin(number)
    host.read_holding_registers(1, 100, {registers}, False)
    end(number)
report()
"""

COMMON = """
import gc, json, sys, time
from array import array
took_us = array("i", bytes(4 * {count}))
before = began = 0
def begin(number):
    global before, began
    if number == 0:
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
    began = time.ticks_us()
def end(number):
    if number >= 0:
        took_us[number] = time.ticks_diff(time.ticks_us(), began)
def report():
    used = gc.mem_alloc() - before
    print(json.dumps([1e6 / sorted(took_us)[{count} // 2], used / {count}]))
"""


def fetch() -> Path:
    """Return the folder that holds the package umodbus, from pip's own unpacking."""
    if not (PLACE / "umodbus").is_dir():
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--no-deps",
                "--no-clean",
                "--no-binary",
                ":all:",
                PACKAGE,
            ]
            # It has no setup.py, so that pip unpacks it, fails, and leaves it there.
            subprocess.run(
                command,
                cwd=folder,
                env=dict(os.environ, TMPDIR=folder),
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
            found = next(Path(folder).rglob("umodbus/serial.py"), None)
            if found is None:
                raise NotHere(f"pip could not fetch {PACKAGE}")
            shutil.copytree(found.parent, PLACE / "umodbus")
    return PLACE


class Device:
    """Answers reads of holding registers on a PTY in a line's own time: request, t3.5, answer."""

    def __init__(self) -> None:
        self._end, slave = os.openpty()
        tty.setraw(self._end)
        tty.setraw(slave)
        self._slave = slave
        self.path = os.ttyname(slave)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        pending = b""
        while not self._stop.is_set():
            if not select.select([self._end], [], [], 0.05)[0]:
                continue
            pending += os.read(self._end, 256)
            while len(pending) >= 8:
                frame, pending = pending[:8], pending[8:]
                if sealed(frame[:6]) == frame:
                    answer = sealed(bytes((frame[0], 3, 2 * frame[5])) + bytes(range(2 * frame[5])))
                    time.sleep((len(frame) + len(answer)) * CHARACTER_S + SILENCE_S)
                    os.write(self._end, answer)

    def close(self) -> None:
        """Stop answering."""
        self._stop.set()
        self._thread.join()
        os.close(self._end)
        os.close(self._slave)


@cache
def side_by_side() -> dict[str, tuple[float, float]]:
    """Return who -> (transactions a second, bytes a transaction)."""
    umodbus = fetch()
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "machine.py").write_text(MACHINE)
        for who, script in (("ours", OURS), ("umodbus", THEIRS)):
            entry = Path(folder) / f"run_{who}.py"
            entry.write_text((COMMON + script).format(count=TRANSACTIONS, registers=REGISTERS))
            figures[who] = _run(entry, [folder, str(umodbus)])
    return figures


def _run(entry: Path, places: list[str]) -> tuple[float, float]:
    device = Device()
    path = ":".join([*places, str(FIRMWARE), str(ROOT / "tests" / "link" / "vm"), ".frozen"])
    try:
        command = [*vm.unix_vm(), "-X", "heapsize=16m", str(entry), device.path]
        environment = dict(os.environ, MICROPYPATH=path)
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, env=environment, check=False)
        rate, used = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError, subprocess.TimeoutExpired) as error:
        raise PartError(f"{entry.stem} gave no figures ({error}): {(done.stderr or done.stdout)[-300:]}") from None
    finally:
        device.close()
    return rate, used


def measure(name: str) -> float:
    """Return the ratio of the rates, or one side's bytes a transaction."""
    figures = side_by_side()
    if name == "modbus_vs_umodbus_ratio":
        return figures["ours"][0] / figures["umodbus"][0]
    return figures["umodbus" if name.startswith("umodbus") else "ours"][1]
