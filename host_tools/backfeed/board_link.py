# SPDX-License-Identifier: MIT
"""The service channel to a MicroPython board: its raw REPL, through mpremote's transport.

The only module that knows mpremote, whose API is not stable between versions. Entering the raw
REPL stops the application; the console (console.py) is the channel that is safe while power flows.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from backfeed.errors import InputError, PartError

READ_TIMEOUT_S = 5.0  # of one read: mpremote blocks on a PTY that says nothing
ENTER_TRIES = 3
ENTER_TIMEOUT_S = 4.0
CHUNK_BYTES = 512
FEED_EVERY_S = 1.0
# boot.py starts a watchdog that no port can stop. Once firmware of ours is there it may run, so it is fed while we
# work; a blank board has none and gets none. Opening it again keeps a running one running.
TAKE_WATCHDOG = """
import os
try:
 os.stat('evse')
 import machine
 _watchdog = machine.WDT(timeout=8000)
except (OSError, ImportError):
 _watchdog = None
"""
LOCKED = ("exclusively lock", "failed to access")  # how pyserial and mpremote word a port that somebody has
DIRECTORY = 0x4000  # in the mode that MicroPython's stat and ilistdir return


def check_port(port: str) -> None:
    """Refuse a device path that is missing or no character device, before anything is compiled."""
    if "://" in port:
        return
    if not os.path.exists(port):
        raise InputError(f"PORT {port}: no such device; plug the board in and see `mpremote connect list`.")
    if not stat.S_ISCHR(os.stat(port).st_mode):
        raise InputError(f"PORT {port}: not a serial device; give one like /dev/ttyACM0.")


def why_not_open(error: Exception) -> str:
    """Return in words why a port could not be opened, and what to do."""
    number = getattr(error, "errno", None)
    if number in (errno.EAGAIN, errno.EBUSY) or any(part in str(error) for part in LOCKED):
        return "another program has it open; close that one (a terminal, another backfeed) and try again."
    if number == errno.EACCES:
        return "you may not open it; join its group (often dialout) and log in again."
    if number == errno.ENOTTY or "ioctl" in str(error):
        return "no serial device; give one like /dev/ttyACM0."
    return f"cannot be opened ({error}); plug it out and in."


class BoardLink:
    """One open raw REPL. Use as a context manager; every method raises PartError with one line when the board fails."""

    def __init__(self, port: str) -> None:
        check_port(port)
        self.port = port
        self._fed_s = time.monotonic()
        try:
            self._transport = SerialTransport(port, timeout=READ_TIMEOUT_S)
        except (TransportError, OSError, serial.SerialException) as error:
            raise PartError(f"{port}: {why_not_open(error)}") from None

    def __enter__(self) -> BoardLink:
        try:
            self._enter()
            self.run(TAKE_WATCHDOG)
        except PartError:
            self.close()
            raise
        return self

    def _enter(self) -> None:
        """Enter the raw REPL; a board that is just starting does not hear the first try."""
        for left in range(ENTER_TRIES - 1, -1, -1):
            try:
                with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what it got instead
                    self._transport.enter_raw_repl(soft_reset=False, timeout_overall=ENTER_TIMEOUT_S)
                return
            except (TransportError, OSError, serial.SerialException) as error:
                if not left or not isinstance(error, TransportError):
                    raise self._lost(error) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the port; safe to call twice."""
        with contextlib.suppress(OSError, serial.SerialException):
            self._transport.close()

    def run(self, code: str) -> str:
        """Run code on the board and return what it printed."""
        out: bytes = self._do(self._transport.exec, code)
        return out.decode(errors="replace")

    def feed(self) -> None:
        """Hold the board's watchdog off, about once a second; call between any two steps of a long job."""
        if time.monotonic() - self._fed_s >= FEED_EVERY_S:
            self._fed_s = time.monotonic()
            self.run("if _watchdog: _watchdog.feed()")

    def eval(self, expression: str) -> Any:
        """Return the value of an expression whose repr is a Python literal."""
        return self._do(self._transport.eval, expression)

    def identity(self) -> dict[str, Any]:
        """Return the board's own word on itself: platform, release, machine, free_bytes."""
        self.run("import os, sys\n_s = os.statvfs(os.getcwd())")
        platform, release, machine, free = self.eval(
            "(sys.platform, '.'.join(str(n) for n in sys.implementation[1][:3]), "
            "getattr(sys.implementation, '_machine', ''), _s[0] * _s[3])"
        )
        return {"platform": platform, "release": release, "machine": machine, "free_bytes": free}

    def sha256(self, path: str) -> str | None:
        """Return the SHA-256 of a file on the board in hex, or None where there is no such file."""
        try:
            digest: bytes = self._transport.fs_hashfile(path, "sha256", CHUNK_BYTES)
        except FileNotFoundError:
            return None
        except (TransportError, OSError, serial.SerialException) as error:
            raise self._lost(error) from None
        return digest.hex()

    def write_file(self, path: str, content: bytes, wrote: Callable[[int], None] = lambda size: None) -> None:
        """Write a file beside its place, then rename it there: a cut leaves the old file whole."""
        self.make_folders(path)
        fresh = path + ".new"

        def progress(done: int, _total: int) -> None:
            self.feed()
            wrote(done)

        self._do(self._transport.fs_writefile, fresh, content, CHUNK_BYTES, progress)
        self.run(f"import os\nos.rename({fresh!r}, {path!r})")

    def make_folders(self, path: str) -> None:
        """Create the folders above path that are missing."""
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            self.run(f"import os\ntry:\n os.mkdir({folder!r})\nexcept OSError as e:\n if e.errno != 17: raise")

    def list_files(self, folder: str) -> list[str]:
        """Return every file below folder on the board, as folder/...; none when there is no such folder."""
        found = []
        self.feed()
        try:
            entries = self._transport.fs_listdir(folder)
        except FileNotFoundError:
            return []
        except (TransportError, OSError, serial.SerialException) as error:
            raise self._lost(error) from None
        for entry in entries:
            path = f"{folder}/{entry.name}"
            if entry.st_mode & DIRECTORY:
                found += self.list_files(path)
            else:
                found.append(path)
        return found

    def remove(self, path: str) -> None:
        """Remove a file on the board."""
        self.feed()
        self._do(self._transport.fs_rmfile, path)

    def reset(self) -> None:
        """Reset the board as its reset pin would; the link is of no use afterwards but for wait_for_line."""
        self._do(self._transport.exec_raw_no_follow, "import machine\nmachine.reset()")

    def wait_for_line(self, text: str, timeout_s: float, heard: Callable[[str], None] = lambda line: None) -> str:
        """Return the first line holding text that the board sends; every line goes to heard.

        A board on native USB vanishes during its reset and comes back: the port is opened again.
        """
        deadline = time.monotonic() + timeout_s
        pending = b""
        while time.monotonic() < deadline:
            pending += self._read_or_reopen()
            *lines, pending = pending.split(b"\n")
            for raw in lines:
                line = raw.decode(errors="replace").strip()
                heard(line)
                if text in line:
                    return line
        raise PartError(f"{self.port}: no line with '{text}' within {timeout_s:g} s after the reset; open the console.")

    def _read_or_reopen(self) -> bytes:
        port = self._transport.serial
        try:
            if not port.is_open:
                port.open()
            port.timeout = 0.1
            data: bytes = port.read(max(1, port.in_waiting))
            return data
        except (OSError, serial.SerialException):
            with contextlib.suppress(OSError, serial.SerialException):
                port.close()
            time.sleep(0.1)
            return b""

    def _do(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        try:
            return call(*arguments, **options)
        except (TransportError, OSError, serial.SerialException) as error:
            raise self._lost(error) from None

    def _lost(self, error: Exception) -> PartError:
        if isinstance(error, TransportExecError):
            lines = error.error_output.strip().splitlines()
            return PartError(f"{self.port}: the board refused: {lines[-1] if lines else 'no reason given'}")
        return PartError(f"{self.port}: the board does not answer as a MicroPython REPL ({error}); reset it and retry.")
