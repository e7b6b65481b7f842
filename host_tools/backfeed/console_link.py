# SPDX-License-Identifier: MIT
"""The technician's channel: the line protocol of the running firmware, safe while power flows.

A verb is answered by any number of lines and one last line, `OK ...` or `ERR code text`.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType

import click
import serial

from backfeed.board_link import check_port, why_not_open
from backfeed.errors import InputError, PartError

BAUD = 115200  # of a USB-UART bridge; native USB ignores it
READ_TIMEOUT_S = 0.1
CANCEL = b"\x18"  # gives up a line, an import, a watch; never Ctrl-C, which stops the firmware while no power can flow


@dataclass(frozen=True)
class Answer:
    """What a verb answered. ok: the last line began with OK; text: what followed OK or ERR; lines: what came before."""

    ok: bool
    text: str
    lines: list[str]

    @property
    def code(self) -> str:
        """The refusal's code: usage, access, refused, state ...; empty when it was no refusal."""
        return "" if self.ok else self.text.partition(" ")[0]

    @property
    def reason(self) -> str:
        """The refusal in words, without its code."""
        return self.text.partition(" ")[2] or self.text

    def value(self, name: str) -> str:
        """Return what follows name= in the last line, "" when it is not there."""
        for word in self.text.split():
            key, _, value = word.partition("=")
            if key == name:
                return value
        return ""


def ignore(_line: str) -> None:
    """Hear nothing."""


class ConsoleLink:
    """One open console. As a context manager it leaves the console as a person wants it: with echo and prompt."""

    def __init__(self, port: str) -> None:
        check_port(port)
        self.port = port
        self._scripted = False
        self._pending = b""
        try:
            self._serial = serial.serial_for_url(port, baudrate=BAUD, timeout=READ_TIMEOUT_S, exclusive=True)
        except (OSError, ValueError, serial.SerialException) as error:
            raise PartError(f"{port}: {why_not_open(error)}") from None

    def __enter__(self) -> ConsoleLink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Put echo and prompt back and close the port; safe to call twice."""
        if self._scripted and self._serial.is_open:
            self._scripted = False
            with contextlib.suppress(PartError):
                self._mode("terminal", 1.0)
        with contextlib.suppress(OSError, serial.SerialException):
            self._serial.close()

    def script(self, timeout_s: float = 3.0) -> None:
        """Switch echo and prompt off, whatever was half typed, imported or watched there before."""
        self._scripted = True
        try:
            self._mode("script", timeout_s)
        except PartError:
            self._scripted = False  # nobody there to put it back
            raise

    def terminal(self, timeout_s: float = 3.0) -> None:
        """Switch echo and prompt on, as a person wants them."""
        self._mode("terminal", timeout_s)

    def _mode(self, name: str, timeout_s: float) -> None:
        try:
            self._serial.write(CANCEL + f"\rmode {name}\r".encode())
            self._until(lambda line: line == f"OK mode={name}", timeout_s)
        except (OSError, serial.SerialException) as error:
            raise self._gone(error) from None

    def ask(self, *lines: str, timeout_s: float | None = 10.0, heard: Callable[[str], None] = ignore) -> Answer:
        """Send lines and return the answer to the last; heard gets each line of it as it comes.

        timeout_s: longest silence; None waits for ever. PartError when none comes in time.
        """
        came: list[str] = []

        def last(line: str) -> bool:
            if line.partition(" ")[0] in ("OK", "ERR"):
                return True
            came.append(line)
            heard(line)
            return False

        try:
            for line in lines:
                self._serial.write(line.encode() + b"\r")
            word, _, rest = self._until(last, timeout_s).partition(" ")
        except (OSError, serial.SerialException) as error:
            raise self._gone(error) from None
        return Answer(word == "OK", rest, came)

    def cancel(self) -> None:
        """Give up what is going on (a watch, an import)."""
        with contextlib.suppress(OSError, serial.SerialException):
            self._serial.write(CANCEL)

    @contextlib.contextmanager
    def unlocked(self, level: str, pin: str | None) -> Iterator[None]:
        """Have the access of a level for a while. pin: None asks for it at the keyboard where the board wants one."""
        answer = self.ask(f"unlock {level} {pin or ''}".strip())
        if not answer.ok and pin is None and "PIN is set" in answer.reason and sys.stdin.isatty():
            answer = self.ask(f"unlock {level} {click.prompt(f'{level} PIN', hide_input=True, err=True)}")
        if not answer.ok:
            raise InputError(f"--pin: {answer.reason}.")
        try:
            yield
        finally:
            with contextlib.suppress(PartError):
                self.ask("lock", timeout_s=2.0)

    def _until(self, last: Callable[[str], bool], timeout_s: float | None) -> str:
        """Return the first line for which last() holds."""
        heard_s = time.monotonic()
        while timeout_s is None or time.monotonic() - heard_s < timeout_s:
            data = self._serial.read(max(1, self._serial.in_waiting))
            if data:
                heard_s = time.monotonic()
                self._pending += data
            while b"\n" in self._pending:
                raw, _, self._pending = self._pending.partition(b"\n")
                line = raw.decode(errors="replace").strip("\r")
                if last(line):
                    return line
        raise PartError(
            f"{self.port}: no answer within {timeout_s:g} s; does the firmware run there? Reset the board, or flash it."
        )

    def _gone(self, error: Exception) -> PartError:
        return PartError(f"{self.port}: the board is gone ({error}); is it still plugged in?")

    @property
    def raw(self) -> serial.SerialBase:
        """The open serial port, for an interactive session."""
        return self._serial
