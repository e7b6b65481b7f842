# SPDX-License-Identifier: MIT
"""The MicroPython process of a virtual board: started, watched, ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from hil.virtual_board import wire
from hil.virtual_board.errors import BoardDied, BoardHung

_READ = 4096  # most messages are shorter
_SHORTEST = wire.OUT.size.to_bytes(4, "little")
MODULES = Path(__file__).parent / "modules"


def find_micropython() -> str:
    """Return the MicroPython unix command: $MICROPYTHON, else the one beside this Python, else on PATH."""
    beside = Path(sys.executable).with_name("micropython")
    found = os.environ.get("MICROPYTHON") or (str(beside) if beside.exists() else shutil.which("micropython"))
    if not found:
        raise BoardDied("no MicroPython found: run `make setup`, or set MICROPYTHON=/path/to/micropython")
    return found


class Watchdog(threading.Thread):
    """Kills a process that does not answer within limit_s of real time, so that a blocking read ends."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(daemon=True, name="virtual-board-watchdog")
        self.limit_s = limit_s
        self.steps = 0
        self.waiting = False
        self.bitten = False
        self._process: subprocess.Popen | None = None
        self._ended = threading.Event()

    def watch(self, process: subprocess.Popen) -> None:
        self._process = process
        self.bitten = False

    def run(self) -> None:
        seen, since = -1, time.monotonic()
        while not self._ended.wait(min(0.5, self.limit_s / 4)):
            if self.steps != seen or not self.waiting:
                seen, since = self.steps, time.monotonic()
            elif time.monotonic() - since > self.limit_s and self._process is not None:
                self.bitten = True
                self._process.kill()
                since = time.monotonic()

    def end(self) -> None:
        self._ended.set()


class Process:
    """One life of the board: the VM, two pipes and its console."""

    def __init__(
        self, command: list[str], environment: dict[str, str], cwd: str, stdin: int, stdout: int, tty: bool
    ) -> None:
        board_rx, self._tx = os.pipe()
        self._rx, board_tx = os.pipe()
        environment = {**os.environ, **environment, "VB_RX": str(board_rx), "VB_TX": str(board_tx)}
        try:
            self.popen = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=environment,
                pass_fds=(board_rx, board_tx),
                start_new_session=True,
                preexec_fn=_take_terminal if tty else None,  # noqa: PLW1509  (start_new_session alone takes no terminal)
            )
        except OSError as error:
            os.close(self._tx)
            os.close(self._rx)
            raise BoardDied(f"cannot start {command[0]}: {error}") from error
        finally:
            os.close(board_rx)
            os.close(board_tx)
        self.rx = self._rx
        self.rest = b""  # a second message: after a Ctrl-C the VM may be one answer behind, and two lie in the pipe

    def receive(self, watchdog: Watchdog) -> bytes:
        """Return the board's next message, blocking; empty when the process has ended."""
        if self.rest:
            message, self.rest = self.rest, b""
        else:
            watchdog.waiting = True
            message = os.read(self._rx, _READ)
            watchdog.waiting = False
        watchdog.steps += 1
        size = len(message)
        if size == wire.OUT.size and message[:4] == _SHORTEST:
            return message
        if size < wire.OUT.size:
            if message:
                message += os.read(self._rx, _READ)
            if len(message) < wire.OUT.size:
                return b""
        length = int.from_bytes(message[:4], "little")
        while len(message) < length:
            more = os.read(self._rx, length - len(message))
            if not more:
                return b""
            message += more
        if len(message) > length:
            message, self.rest = message[:length], message[length:]
        return message

    def send(self, message: bytes | bytearray) -> None:
        try:
            os.write(self._tx, message)
        except BrokenPipeError:
            pass  # the next receive() tells

    def end(self) -> None:
        """End the process and its pipes; safe to call twice."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        for fd in (self._tx, self._rx):
            if fd >= 0:
                os.close(fd)
        self._tx = self._rx = -1


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def describe_death(process: Process, watchdog: Watchdog, t_us: int, tail: str) -> Exception:
    """Return the exception for a process whose pipe has ended."""
    try:
        code = process.popen.wait(2)
    except subprocess.TimeoutExpired:
        code = None
    last = f"; last output:\n{tail}" if tail else "; it printed nothing"
    when = f"at {t_us / 1e6:.3f} s of virtual time"
    if watchdog.bitten:
        return BoardHung(
            f"the firmware did not come back within {watchdog.limit_s:g} s of real time {when}: "
            f"an endless loop, or a callback that never returns{last}"
        )
    how = (
        "closed its link"
        if code is None
        else f"was killed by signal {-code}"
        if code < 0
        else f"ended with code {code}"
    )
    return BoardDied(f"the MicroPython process {how} {when}{last}")
