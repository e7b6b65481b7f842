# SPDX-License-Identifier: MIT
"""The board's USB console: in lockstep a pipe in and a file out, in real time a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import termios
import tty
from pathlib import Path

_TAIL = 2000  # bytes of output shown when something ends
_TAKE = 4096
CTRL_C = b"\x03"


def interruptible(pid: int) -> bool:
    """Whether Ctrl-C interrupts the program now, or is a key like others (micropython.kbd_intr(-1)).

    The unix port then leaves the signal to the system, which would end the VM: so it is sent only when caught.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return pid > 0  # no /proc: believe it
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> signal.SIGINT - 1 & 1)


class PipeConsole:
    """Input becomes readable, and output is collected, only while the board waits for an answer.

    Output goes to a file, not a pipe: a firmware that prints a lot must never block on its console.
    """

    def __init__(self, folder: str) -> None:
        self.chunks: list[tuple[int, bytes]] = []  # (virtual us, bytes) as printed
        self.fresh = False
        self._path = str(Path(folder) / "console.out")
        self._input = self._output = -1
        self._child = (-1, -1)
        self._backlog = b""
        self.pid = 0  # of the VM behind it

    def open(self) -> tuple[int, int]:
        """Return the descriptors for the board's stdin and stdout."""
        self.close()
        stdin, self._input = os.pipe()
        os.set_blocking(self._input, False)
        stdout = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_TRUNC)
        self._output = os.open(self._path, os.O_RDONLY)
        self._child = (stdin, stdout)
        return self._child

    def opened(self) -> None:
        for fd in self._child:
            os.close(fd)

    def close(self) -> None:
        for fd in (self._input, self._output):
            if fd >= 0:
                os.close(fd)
        self._input = self._output = -1
        self._backlog = b""

    def write(self, data: bytes) -> None:
        self._backlog += data
        self._push()

    def _push(self) -> None:
        try:
            sent = os.write(self._input, self._backlog)
        except (BlockingIOError, BrokenPipeError):
            return  # full: the rest follows when the board has read
        self._backlog = self._backlog[sent:]
        self.fresh = True

    def fds(self) -> list[int]:
        """Return what to wait on in real time."""
        return []

    def serve(self) -> None:
        """Carry bytes both ways, in real time."""

    def drain(self, t_us: int) -> None:
        """Collect what was printed before t_us."""
        if self._output < 0:
            return
        piece = data = os.read(self._output, _TAKE)
        while len(piece) == _TAKE:
            piece = os.read(self._output, _TAKE)
            data += piece
        if data:
            self.chunks.append((t_us, data))
        if self._backlog:
            self._push()

    @property
    def text(self) -> str:
        return b"".join(data for _, data in self.chunks).decode(errors="replace")

    def tail(self) -> str:
        return b"".join(data for _, data in self.chunks)[-_TAIL:].decode(errors="replace").strip()

    def lines(self) -> list[tuple[int, str]]:
        """Return (virtual us of the line's end, line) of each whole line."""
        found, begun = [], b""
        for t_us, data in self.chunks:
            begun += data
            *whole, begun = begun.split(b"\n")
            found += [(t_us, line.decode(errors="replace").rstrip("\r")) for line in whole]
        return found


class TerminalConsole(PipeConsole):
    """Two pseudo-terminals: one is the board's controlling terminal, the other is `port`, for any terminal program."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self._user, self._user_slave = pty.openpty()
        tty.setraw(self._user_slave)
        os.set_blocking(self._user, False)
        self.port = os.ttyname(self._user_slave)
        self._board = -1

    def open(self) -> tuple[int, int]:
        if self._board >= 0:
            os.close(self._board)
        self._board, slave = pty.openpty()
        tty.setraw(slave)
        mode = termios.tcgetattr(slave)
        mode[3] |= termios.ISIG  # Ctrl-C interrupts the program, as on a board
        mode[6][termios.VSUSP] = mode[6][termios.VQUIT] = b"\x00"
        termios.tcsetattr(slave, termios.TCSANOW, mode)
        os.set_blocking(self._board, False)
        self._child = (slave, os.dup(slave))
        return self._child

    def close(self) -> None:
        for fd in (self._board, self._user, self._user_slave):
            if fd >= 0:
                os.close(fd)
        self._board = self._user = self._user_slave = -1

    def fds(self) -> list[int]:
        return [fd for fd in (self._board, self._user) if fd >= 0]

    def write(self, data: bytes) -> None:
        self._backlog += data
        self._push_to_board()

    def _push_to_board(self) -> None:
        while self._backlog:
            piece = self._backlog[:1024]
            try:
                if CTRL_C in piece:
                    self._set_interrupt(interruptible(self.pid))
                sent = os.write(self._board, piece)
            except OSError:
                return
            self._backlog = self._backlog[sent:]

    def _set_interrupt(self, on: bool) -> None:
        """Let Ctrl-C interrupt, or be a key. At the prompt the VM switches all signals off by itself."""
        mode = termios.tcgetattr(self._board)
        mode[6][termios.VINTR] = CTRL_C if on else b"\x00"
        termios.tcsetattr(self._board, termios.TCSANOW, mode)

    def serve(self) -> None:
        """Carry bytes both ways."""
        typed = self._read(self._user)
        if typed:
            self._backlog += typed
        self._push_to_board()
        self.drain(0)

    def drain(self, t_us: int) -> None:
        while True:
            printed = self._read(self._board)
            if not printed:
                return
            self.chunks.append((t_us, printed))
            del self.chunks[:-1000]
            view = printed
            while view:
                try:
                    view = view[os.write(self._user, view) :]
                except BlockingIOError:
                    if not select.select([], [self._user], [], 0.05)[1]:
                        break  # nobody reads: lost, as on USB

    @staticmethod
    def _read(fd: int) -> bytes:
        try:
            return os.read(fd, 4096)
        except OSError:
            return b""
