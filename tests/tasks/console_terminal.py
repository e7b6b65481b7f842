# SPDX-License-Identifier: MIT
"""A pseudo-terminal with a technician's hands: the tasks of the firmware on the real VM behind it."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import threading
import time
import tty
from pathlib import Path
from typing import Any

from backfeed import vm
from backfeed.bench.plain import PATIENCE_S, PLAIN, environment

UP, DOWN, RIGHT, LEFT, HOME, END, DELETE = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[3~"
CTRL_C, CTRL_D, CTRL_U, CTRL_W, BACKSPACE, TAB = "\x03", "\x04", "\x15", "\x17", "\x7f", "\t"


class Terminal:
    """A VM whose console is a pseudo-terminal; what it shows piles up in `shown`."""

    def __init__(self, folder: Path, app: str = "station_app.py", **extra: str) -> None:
        self.folder = folder
        self.shown = ""
        self._seen = 0
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.report_path = folder / "report.json"
        chosen = environment(
            PLAIN_CONSOLE="1", PLAIN_REPORT=str(self.report_path), PLAIN_FRAM=str(folder / "fram"), **extra
        )
        command = [*vm.unix_vm(), "-X", "heapsize=1m", str(PLAIN / app)]
        self._process = subprocess.Popen(
            command, env=chosen, cwd=folder, stdin=slave, stdout=slave, stderr=subprocess.PIPE
        )
        os.close(slave)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()
        os.close(self.master)

    def type(self, keys: str) -> None:
        """Press keys one at a time."""
        for byte in keys.encode():
            os.write(self.master, bytes([byte]))

    def paste(self, data: bytes) -> None:
        """Write as fast as the terminal takes it, reading what comes back."""
        while data:
            readable, writable, _ = select.select([self.master], [self.master], [], PATIENCE_S)
            assert readable or writable
            if readable:
                self._read()
            if writable:
                data = data[os.write(self.master, data[:256]) :]

    def _read(self) -> None:
        self.shown += os.read(self.master, 4096).decode(errors="replace")

    def until(self, text: str) -> str:
        """Return everything shown since the last call, up to and with `text`."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.shown[self._seen :]:
            ready, _, _ = select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))
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


class Cable:
    """Joins a Terminal's VM with a second pseudo-terminal, `port`, for a program that opens serial devices."""

    def __init__(self, terminal: Terminal) -> None:
        self._board = terminal.master
        self._user, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._wake, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        while True:
            ready, _, _ = select.select([self._board, self._user, self._wake], [], [])
            if self._wake in ready:
                return
            for source, sink in ((self._board, self._user), (self._user, self._board)):
                if source in ready:
                    try:
                        os.write(sink, os.read(source, 256))
                    except OSError:
                        return

    def unplug(self) -> None:
        """Pull the cable: the device is gone for whoever has it open."""
        os.write(self._stop, b"x")
        self._thread.join()
        for fd in (self._user, self._slave):
            os.close(fd)


def screen(shown: str) -> list[str]:
    """Return the lines that a terminal shows for what it was sent."""
    lines, column = [""], 0
    for character in shown:
        if character == "\n":
            lines.append("")
            column = 0
        elif character == "\r":
            column = 0
        elif character == "\b":
            column = max(0, column - 1)
        elif character >= " ":
            lines[-1] = lines[-1][:column].ljust(column) + character + lines[-1][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]
