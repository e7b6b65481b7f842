# SPDX-License-Identifier: MIT
"""An MQTT broker on a free port of this machine: Mosquitto where installed, else amqtt.

    with Broker() as broker:
        print(broker.name, broker.port)

It listens on 127.0.0.1 only and dies with its owner, also when the owner is killed.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from backfeed.errors import PartError

HOST = "127.0.0.1"
START_TIMEOUT_S = 15
STOP_TIMEOUT_S = 3
TRIES = 3  # another program may take the free port between our look and the broker's bind

AMQTT_CONFIG = """\
listeners:
  default:
    type: tcp
    bind: {host}:{port}
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""
# Mosquitto started by root would change to its own user, which need not be there.
MOSQUITTO_CONFIG = """\
listener {port} {host}
allow_anonymous true
persistence false
set_tcp_nodelay true
user {user}
"""


def free_port() -> int:
    """Return a TCP port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def mosquitto() -> str | None:
    """Return the path of Mosquitto, or None; Debian installs it where a user's PATH does not look."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


# The watcher sees its stdin end when our process dies, however it dies, and takes the broker with it.
DIES_WITH_US = 'exec 3<&0; (cat <&3 >/dev/null; kill $$) & exec "$@" </dev/null 3<&-'


class Broker:
    """A broker process and its port. `kind`: mosquitto or amqtt; None takes what is installed."""

    def __init__(self, kind: str | None = None, port: int = 0) -> None:
        self.name = kind or ("mosquitto" if mosquitto() else "amqtt")
        self.host = HOST
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Broker:
        wanted = self.port
        if wanted and _answers(wanted):
            raise PartError(f"port {wanted} is taken by another program; choose another, or 0 for a free one.")
        for attempt in range(TRIES):
            self.port = wanted or free_port()
            self._start()
            try:
                self._wait()
                return self
            except PartError:
                self.stop()
                if wanted or attempt == TRIES - 1:
                    raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        """Whether the broker's process still runs."""
        return self._process is not None and self._process.poll() is None

    def check(self) -> None:
        """Raise PartError with the broker's last words when it has died."""
        if not self.alive:
            code = self._process.returncode if self._process else "none"
            raise PartError(f"the broker {self.name} on port {self.port} died (code {code}): {self._last_words()}")

    def stop(self) -> None:
        """End the broker; safe to call twice."""
        if self._process is not None:
            self._signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _signal(self, number: signal.Signals) -> None:
        """Signal the broker and its watcher, which are a process group of their own."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _start(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="backfeed-broker-")
        folder = Path(self._folder.name)
        text = MOSQUITTO_CONFIG if self.name == "mosquitto" else AMQTT_CONFIG
        config = folder / "broker.conf"
        config.write_text(text.format(host=HOST, port=self.port, user=getpass.getuser()))
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", DIES_WITH_US, "sh", *self._command(config)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, PYTHONUNBUFFERED="1"),
                start_new_session=True,  # a Ctrl-C at the terminal reaches us first, we end the broker
            )

    def _command(self, config: Path) -> list[str]:
        if self.name == "mosquitto":
            path = mosquitto()
            if path is None:
                raise PartError("no mosquitto on this machine: apt install mosquitto, or let amqtt serve.")
            return [path, "-c", str(config)]
        return [sys.executable, "-m", "amqtt.scripts.broker_script", "-c", str(config)]

    def _wait(self) -> None:
        """Return when the port answers."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            self.check()
            if _answers(self.port):
                return
            time.sleep(0.02)
        raise PartError(f"the broker {self.name} did not listen on port {self.port} within {START_TIMEOUT_S} s")

    def _last_words(self) -> str:
        if self._folder is None:
            return "no log"
        lines = (Path(self._folder.name) / "log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"
