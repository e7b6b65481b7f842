# SPDX-License-Identifier: MIT
"""The supervisor on the real VM: failing, ending and silent tasks come back, a standing cycle starves the watchdog."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from typing import Any

from backfeed import vm
from backfeed.bench.plain import PLAIN, environment


@cache
def outcome() -> dict[str, Any]:
    command = [*vm.unix_vm(), str(PLAIN / "supervisor_app.py")]
    run = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_a_running_cycle_feeds_and_a_standing_one_does_not() -> None:
    assert outcome()["fed"] >= 10
    assert outcome()["fed_while_standing"] == 0


def test_each_task_is_restarted_and_its_end_is_told() -> None:
    assert all(runs >= 2 for runs in outcome()["runs"])
    said = " ".join(outcome()["notes"])
    assert "failed with ValueError: broken 1; restarting" in said
    assert "gave no sign of life for 20 ms" in said
    assert "ended, restarting" in said


def test_only_a_critical_task_stops_power() -> None:
    assert outcome()["cause_optional"] == 0
    assert outcome()["cause_critical"] == 1
