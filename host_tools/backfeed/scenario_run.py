# SPDX-License-Identifier: MIT
"""Run a scenario on the virtual board in lockstep: broker, firmware, plant, stimuli, recording, checks."""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backfeed import firmware_ask
from backfeed.broker import Broker
from backfeed.errors import PartError
from backfeed.measure import check
from backfeed.recorder import Telemetry, Truth
from backfeed.report.model import Note, Run
from backfeed.stimuli import ACTIONS, Bench
from hil.plant.station import Station
from hil.scenario import Scenario, Step
from hil.virtual_board import VirtualBoard, VirtualBoardError

SLICE_US = 1_000_000  # between two looks at the status line
DEVICE_ID = "backfeed"


@dataclass
class Progress:
    """What a status line may show. told: a step's words, else ""."""

    t_s: float
    duration_s: float
    told: str
    latest: dict[str, Any]


Hook = Callable[[int, Any, Any], None]
Watcher = Callable[[Progress], None]


@dataclass
class Outcome:
    """A finished run, how long it took, and what the console said."""

    run: Run
    wall_s: float
    virtual_s: float
    console: str

    @property
    def speed(self) -> float:
        """Virtual over real time."""
        return self.virtual_s / self.wall_s


def run_scenario(
    scenario: Scenario, watch: Watcher = lambda progress: None, extra_hook: Callable[[Station], Hook] | None = None
) -> Outcome:
    """Run a scenario from power-up to its end; PartError when a part dies on the way.

    extra_hook: given the station, returns one more sync hook of the virtual board.
    """
    run = Run(scenario.name, scenario.title)
    with tempfile.TemporaryDirectory(prefix="backfeed-run-") as folder, Broker() as broker:
        fram = Path(folder) / "fram.bin"
        network = {"mqtt_host": broker.host, "mqtt_port": broker.port, "device_id": DEVICE_ID}
        firmware_ask.write_settings(fram, {**scenario.settings, **network})
        try:
            return _run(scenario, run, broker, fram, watch, extra_hook)
        except VirtualBoardError as error:
            raise PartError(f"{scenario.name}: {error}") from error


def _run(
    scenario: Scenario,
    run: Run,
    broker: Broker,
    fram: Path,
    watch: Watcher,
    extra_hook: Callable[[Station], Hook] | None,
) -> Outcome:
    from hil.virtual_board.board import BOOT_US

    station = Station(scenario.plant)
    telemetry = Telemetry(run, broker, DEVICE_ID, BOOT_US / 1e6)
    board = VirtualBoard(
        station, board=scenario.board, fram_path=fram, broker=(broker.host, broker.port), seed=scenario.seed
    )
    truth = Truth(run, station)
    board.hooks.append(truth)
    if extra_hook is not None:
        board.hooks.append(extra_hook(station))
    finished = False
    started_s = time.monotonic()
    try:
        with board:
            bench = Bench(station, board, DEVICE_ID, [])
            for step in scenario.steps:
                _run_to(board, step.at_s, scenario, telemetry, watch)
                _do(step, bench, run, truth, watch, scenario)
            _run_to(board, scenario.duration_s, scenario, telemetry, watch)
            truth.end(board.now_us)
            wall_s = time.monotonic() - started_s
            console = board.console.text
        finished = True
    finally:
        telemetry.close(quietly=not finished)
    run.events.sort(key=lambda event: event["t_s"])
    run.checks = [check(run, expect) for expect in scenario.expects]
    outcome = Outcome(run, wall_s, scenario.duration_s, console)
    run.facts = _facts(scenario, broker, outcome, telemetry)
    return outcome


def _run_to(board: VirtualBoard, t_s: float, scenario: Scenario, telemetry: Telemetry, watch: Watcher) -> None:
    end_us = round(t_s * 1e6)
    while board.now_us < end_us and not board.finished:
        board.run_until(min(end_us, board.now_us + SLICE_US))
        watch(Progress(board.now_us / 1e6, scenario.duration_s, "", telemetry.latest))
    if board.finished:
        ended = f"the firmware ended at {board.now_us / 1e6:.3f} s (code {board.exit_code})"
        raise PartError(f"{scenario.name}: {ended}; it said:\n{board.console.tail()}")


def _do(step: Step, bench: Bench, run: Run, truth: Truth, watch: Watcher, scenario: Scenario) -> None:
    truth.stimulus(bench.board.now_us)
    ACTIONS[step.action](bench, **step.values)
    told = ". ".join([step.say, *bench.told]) if step.say else ""
    bench.told.clear()
    if told:
        run.story.append(Note(step.at_s, told))
        watch(Progress(step.at_s, scenario.duration_s, told, {}))


def _facts(scenario: Scenario, broker: Broker, outcome: Outcome, telemetry: Telemetry) -> dict[str, str]:
    profile = firmware_ask.profile(str(scenario.settings.get("profile", "uk_g98")))
    unverified = f"; {len(profile['unverified'])} of its numbers not verified" if profile["unverified"] else ""
    return {
        "Board": f"{scenario.board}, MicroPython unix VM in lockstep virtual time",
        "Grid code": f"{profile['title']}, {profile['edition']} (hash {profile['hash']}{unverified})",
        "Time": f"{outcome.virtual_s:.0f} s in {outcome.wall_s:.1f} s, {outcome.speed:.0f} times real time",
        "Broker": f"{broker.name}, {telemetry.messages} messages from the firmware",
        "Seed": str(scenario.seed),
        "Host": f"Python {platform.python_version()}, {platform.machine()}",
    }
