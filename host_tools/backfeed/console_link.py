# SPDX-License-Identifier: MIT
"""The technician's channel: the line protocol of the running firmware, safe while power flows.

A verb is answered by any number of lines and one last line, `OK ...` or `ERR code text`.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from types import TracebackType

import serial

from backfeed.board_link import check_port
from backfeed.errors import PartError

BAUD = 115200  # of a USB-UART bridge; native USB ignores it
READ_TIMEOUT_S = 0.1


@dataclass(frozen=True)
class Answer:
    """What a verb answered. ok: the last line began with OK; text: what followed OK or ERR; lines: what came before."""

    ok: bool
    text: str
    lines: list[str]


class ConsoleLink:
    """One open console in script mode: no echo, no prompt."""

    def __init__(self, port: str) -> None:
        check_port(port)
        self.port = port
        try:
            self._serial = serial.serial_for_url(port, baudrate=BAUD, timeout=READ_TIMEOUT_S, exclusive=True)
        except (OSError, ValueError, serial.SerialException) as error:
            raise PartError(
                f"{port} cannot be opened: {error}. Is another program using it, and may you (group dialout)?"
            ) from None

    def __enter__(self) -> ConsoleLink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the port; safe to call twice."""
        with contextlib.suppress(OSError, serial.SerialException):
            self._serial.close()

    def script(self, timeout_s: float = 3.0) -> None:
        """Switch echo and prompt off. The empty line first ends whatever was half typed."""
        self.ask("", "mode script", timeout_s=timeout_s)

    def ask(self, *lines: str, timeout_s: float = 10.0) -> Answer:
        """Send lines and return the answer to the last; PartError when none comes in time."""
        try:
            for line in lines:
                self._serial.write(line.encode() + b"\r")
            return self._answer(timeout_s)
        except (OSError, serial.SerialException) as error:
            raise PartError(f"{self.port}: the console is gone: {error}") from None

    def _answer(self, timeout_s: float) -> Answer:
        deadline = time.monotonic() + timeout_s
        pending = b""
        lines: list[str] = []
        while time.monotonic() < deadline:
            pending += self._serial.read(max(1, self._serial.in_waiting))
            *complete, pending = pending.split(b"\n")
            for raw in complete:
                line = raw.decode(errors="replace").strip("\r")
                word, _, rest = line.partition(" ")
                if word in ("OK", "ERR"):
                    return Answer(word == "OK", rest, lines)
                lines.append(line)
        raise PartError(
            f"{self.port}: no answer within {timeout_s:g} s; does the firmware run there? Reset the board, or flash it."
        )

    @property
    def raw(self) -> serial.SerialBase:
        """The open serial port, for an interactive session."""
        return self._serial
