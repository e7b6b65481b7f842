# SPDX-License-Identifier: MIT
"""Start the tasks alone on the unix VM (plain/station_app.py) and wait for what they report."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backfeed import vm

HERE = Path(__file__).parent
FIRMWARE = HERE.parents[1] / "firmware"
PATIENCE_S = 20  # only how long a failing test takes


def vm_environment(**extra: str) -> dict[str, str]:
    """Return the environment for a VM that sees the plain board and the firmware."""
    return dict(os.environ, MICROPYPATH=f"{HERE / 'plain'}:{FIRMWARE}:.frozen", **extra)


class PlainStation:
    """One VM process. settings: {name: value}; fast: the client's time limits divided by ten."""

    def __init__(
        self, folder: Path, settings: dict[str, Any], emit_ms: int = 0, fast: bool = True, **extra: str
    ) -> None:
        self.folder = folder
        self.report_path = folder / "report.json"
        pairs = ";".join(f"{name}={value}" for name, value in settings.items())
        self._environment = vm_environment(
            PLAIN_SETTINGS=pairs, PLAIN_EMIT=str(emit_ms), PLAIN_REPORT=str(self.report_path), **extra
        )
        if fast:
            self._environment["PLAIN_FAST"] = "1"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PlainStation:
        command = [*vm.unix_vm(), "-X", "heapsize=1m", str(HERE / "plain" / "station_app.py")]
        self._log = (self.folder / "log").open("wb")
        self._process = subprocess.Popen(
            command,
            env=self._environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._log.close()

    def kill(self) -> None:
        """End the VM as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def report(self) -> dict[str, Any]:
        """Return the newest report, {} before the first."""
        try:
            found: dict[str, Any] = json.loads(self.report_path.read_text())
        except FileNotFoundError:
            return {}
        return found

    def wait(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Return the first report for which the condition holds."""
        deadline = time.monotonic() + PATIENCE_S
        report: dict[str, Any] = {}
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                raise AssertionError(f"the VM ended: {(self.folder / 'log').read_text()[-2000:]}")
            report = self.report()
            if report and condition(report):
                return report
            time.sleep(0.02)
        raise AssertionError(f"not within {PATIENCE_S} s; last report {report}")
