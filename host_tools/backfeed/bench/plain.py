# SPDX-License-Identifier: MIT
"""The firmware's tasks alone on the unix VM in real time, for benches and tests: a process that reports on itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from backfeed import vm
from backfeed.checkout import FIRMWARE, ROOT
from backfeed.errors import PartError

PLAIN = ROOT / "tests" / "tasks" / "plain"
PATIENCE_S = 30.0  # only how long a failure takes


def environment(firmware: Path = FIRMWARE, **extra: str) -> dict[str, str]:
    """Return the environment for a VM that sees the plain board and the firmware."""
    return dict(os.environ, MICROPYPATH=f"{PLAIN}:{firmware}:.frozen", **extra)


class Plain:
    """One VM with clock, journal, records and MQTT, from `with` on.

    settings: {name: value}; heap: of the VM, such as "512k"; firmware: sources, or what was compiled of them; under:
    a program that runs the VM, such as valgrind with its options; extra: what station_app.py reads besides.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        heap: str = "1m",
        folder: Path | None = None,
        firmware: Path = FIRMWARE,
        under: tuple[str, ...] = (),
        emit_ms: int = 200,
        **extra: str,
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="backfeed-plain-")
        self.folder = folder or Path(self._temporary.name)
        self._report = self.folder / "report.json"
        self._environment = environment(
            firmware,
            PLAIN_SETTINGS=";".join(f"{name}={value}" for name, value in settings.items()),
            PLAIN_REPORT=str(self._report),
            PLAIN_EMIT=str(emit_ms),
            **extra,
        )
        self._command = [*under, *vm.unix_vm(), "-X", f"heapsize={heap}", str(PLAIN / "station_app.py")]

    def __enter__(self) -> Plain:
        self._log = (self.folder / "log").open("wb")
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._log.close()
        self._temporary.cleanup()

    def kill(self) -> None:
        """End the VM as a power cut would."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Interrupt the VM and wait until it has ended by itself."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(2 * PATIENCE_S)

    def report(self) -> dict[str, Any]:
        """Return the newest report, {} before the first."""
        if self._process.poll() is not None:
            raise PartError(f"the VM ended: {(self.folder / 'log').read_text(errors='replace')[-2000:]}")
        try:
            found: dict[str, Any] = json.loads(self._report.read_text())
        except FileNotFoundError:
            return {}
        return found

    def wait(self, condition: Callable[[dict[str, Any]], object], patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """Return the first report for which the condition holds."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            report = self.report()
            if report and condition(report):
                return report
            time.sleep(0.02)
        raise PartError(f"not within {patience_s:g} s; last report {self.report()}")
