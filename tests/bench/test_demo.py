# SPDX-License-Identifier: MIT
"""The demo holds all its checks, repeats itself exactly, and its inputs make the cycle allocate nothing."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
from pathlib import Path

import pytest

from backfeed.bench import NotHere, cycle_alloc
from backfeed.bench.inputs import CYCLES, InputRows
from backfeed.checkout import FIRMWARE, HIL
from backfeed.demo import SCENARIO, write_reports
from backfeed.errors import PartError
from backfeed.scenario_run import Outcome, run_scenario
from backfeed.vm import unix_vm
from hil.scenario import Scenario, load


def short(end_s: float) -> Scenario:
    """Return the demo's first end_s seconds, without its checks."""
    scenario = load(SCENARIO)
    steps = [step for step in scenario.steps if step.at_s < end_s]
    return dataclasses.replace(scenario, duration_s=end_s, steps=steps, expects=[])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    """Run the demo once; return its outcome and the file of its inputs."""
    kept: list[InputRows] = []
    scenario = load(SCENARIO)

    def hook(station: object) -> InputRows:
        kept.append(InputRows(scenario, station))
        return kept[-1]

    outcome = run_scenario(scenario, extra_hook=hook)
    rows = tmp_path_factory.mktemp("rows") / "rows.bin"
    assert kept[0].write(rows) >= CYCLES
    return outcome, rows


def test_every_check_of_the_demo_holds(demo: tuple[Outcome, Path]) -> None:
    failed = [(check.name, check.value, check.allowed) for check in demo[0].run.checks if not check.passed]
    assert not failed


def test_the_report_is_one_offline_page(demo: tuple[Outcome, Path], tmp_path: Path) -> None:
    write_reports(demo[0], tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "Loss of mains to contactor open" in page
    assert '<script src="http' not in page
    assert (tmp_path / "results.json").is_file() and (tmp_path / "junit.xml").is_file()


def test_the_cycle_allocates_nothing_on_the_unix_vm(demo: tuple[Outcome, Path]) -> None:
    script = cycle_alloc.script().replace("/rows/rows.bin", str(demo[1])).replace("/on_board", str(HIL / "on_board"))
    environment = dict(os.environ, MICROPYPATH=f"{FIRMWARE}:.frozen")
    run = subprocess.run(
        [*unix_vm(), "-X", "heapsize=16m", "-c", script], capture_output=True, text=True, env=environment
    )
    assert run.returncode == 0, run.stderr + run.stdout
    _, energised, trips, _ = (int(word) for word in run.stdout.split())
    assert energised and trips


def test_the_cycle_allocates_nothing_on_the_31_bit_vm(
    demo: tuple[Outcome, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cycle_alloc, "ROWS", demo[1])
    try:
        assert cycle_alloc.measure("cycle_alloc_bytes_31bit") == 0
    except NotHere as reason:
        pytest.skip(str(reason))


def test_same_seed_same_events() -> None:
    one, other = (run_scenario(short(100)).run.events for _ in range(2))
    assert len(one) > 20
    assert one == other


@pytest.mark.parametrize("victim", ["_launch.py", "broker.conf"])
def test_a_killed_part_ends_the_run_with_one_clear_error(victim: str) -> None:
    killed = []

    def kill(progress: object) -> None:
        if progress.t_s > 5 and not killed:  # type: ignore[attr-defined]
            killed.extend(_children(victim))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(PartError, match="demo: the (MicroPython process was killed by signal 9|broker)"):
        run_scenario(short(60), kill)
    assert killed


def _children(name: str) -> list[int]:
    """Return our own child processes that have name on their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == os.getpid() and name in (entry / "cmdline").read_text():
                found.append(int(entry.name))
        except (OSError, IndexError):
            continue
    return found
