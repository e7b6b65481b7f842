# SPDX-License-Identifier: MIT
"""Run one case: a fresh board and plant, the steps to the state, the fault, the provocations, the questions."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from backfeed import firmware_ask
from backfeed.stimuli import ACTIONS, Bench
from hil.campaign.invariants import Times, Watch
from hil.campaign.plan import Case, Plan
from hil.plant.config import StationConfig
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard, VirtualBoardError

ANSWER_S = 0.5
QUESTIONS = ("why", "faults", "trips")


@dataclass
class Result:
    """What a case showed. problem: it could not be run as planned."""

    name: str
    state: str
    fault: str
    violations: list[tuple[float, str]] = field(default_factory=list)
    problem: str = ""
    said: str = ""
    unsaid: bool = False
    times: Times = field(default_factory=Times)
    virtual_s: float = 0.0
    wall_s: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether nothing unsafe happened, it ran as planned and the console named the cause."""
        return not self.violations and not self.problem and not self.unsaid

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "passed": self.passed}


class Unreached(Exception):
    """A state was not reached in time."""


class Run:
    """A board and its plant, watched, at work on steps."""

    def __init__(self, settings: dict[str, Any], plant: StationConfig, fram: Path, **options: Any):
        """settings: those in fram. options: of the virtual board."""
        self.station = Station(plant)
        self.board = VirtualBoard(self.station, fram_path=fram, seed=1, **options)
        rating_w = max(settings.get("import_rating_w", 7360), settings.get("export_rating_w", 7360))
        self.watch = Watch(self.station, rating_w, settings.get("soc_floor_permille", 200) / 1000)
        self.board.hooks.append(self.watch)
        self._bench = Bench(self.station, self.board, "backfeed", [])
        self.asked: list[str] = []

    def step(self, step: dict[str, Any]) -> None:
        """Do one step of a list."""
        if "until" in step:
            self._until(step)
        elif "wait_s" in step:
            self.board.run(step["wait_s"])
        elif step["do"] == "ask":
            self.ask()
        else:
            values = {key: value for key, value in step.items() if key != "do"}
            action = BOARD.get(step["do"])
            if action is not None:
                action(self.board, self.station, **values)
            else:
                ACTIONS[step["do"]](self._bench, **values)

    def _until(self, step: dict[str, Any]) -> None:
        signal, above, below = step["until"], step.get("above"), step.get("below")

        def waits() -> bool:
            value = self.watch.signals.get(signal, 0.0)
            return not ((above is not None and value > above) or (below is not None and value < below))

        if not self.board.run_while(waits, step.get("within_s", 60.0), step.get("look_s", 0.01)):
            raise Unreached(
                f"{signal} did not pass {above if above is not None else below} within {step.get('within_s', 60)} s"
            )

    def ask(self) -> None:
        """Ask the console what a person would ask."""
        for question in QUESTIONS:
            before = len(self.board.console.text)
            self.board.console_write(question + "\r")
            self.board.run(ANSWER_S)
            self.asked.append(self.board.console.text[before:])


@contextmanager
def powered(settings: dict[str, Any], plant: StationConfig, **options: Any) -> Iterator[Run]:
    """A fresh board with these settings, from power-up to the end of `with`. options: of the virtual board."""
    with tempfile.TemporaryDirectory(prefix="backfeed-run-") as folder:
        fram = Path(folder) / "fram.bin"
        firmware_ask.write_settings(fram, settings)
        run = Run(settings, plant, fram, **options)
        with run.board:
            yield run


def _stall(board: VirtualBoard, station: Station, ms: float) -> None:
    board.faults.stall(board.now_us, ms)


def _board_fault(board: VirtualBoard, station: Station, name: str, value: Any) -> None:
    setattr(board.faults, name, value)


def _stuck_input(board: VirtualBoard, station: Station, name: str, level: int) -> None:
    board.faults.stuck_inputs[name] = level


def _power_cut(board: VirtualBoard, station: Station, off_s: float = 1.0) -> None:
    board.power_cut(off_s)


def _restart(board: VirtualBoard, station: Station) -> None:
    board.restart()


def _vehicle_d(board: VirtualBoard, station: Station) -> None:
    station.vehicle.ready(True, ventilation=True)


BOARD: dict[str, Callable[..., None]] = {
    "stall": _stall,
    "board_fault": _board_fault,
    "stuck_input": _stuck_input,
    "power_cut": _power_cut,
    "restart": _restart,
    "vehicle_d": _vehicle_d,
}


def run_case(case: Case, plan: Plan, fram_image: Path) -> Result:
    """Run one case from power-up. fram_image: the settings, copied."""
    result = Result(case.name, case.state.name, case.trouble.name)
    started_s = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="backfeed-case-") as folder:
        fram = Path(folder) / "fram.bin"
        shutil.copy(fram_image, fram)
        run = Run(plan.settings, plan.plant, fram)
        try:
            with run.board:
                for step in case.state.steps:
                    run.step(step)
                run.watch.begin(case.trouble, run.board.now_us)
                for step in (*case.trouble.do, *case.state.after):
                    run.step(step)
                if run.board.finished:
                    result.problem = f"the firmware ended: {run.board.console.tail()[-200:]}"
        except (VirtualBoardError, Unreached) as error:
            result.problem = f"{type(error).__name__}: {error}"
    result.violations = run.watch.violations
    result.times = run.watch.times
    result.virtual_s = run.board.now_us / 1e6
    result.wall_s = time.perf_counter() - started_s
    result.said = "\n".join(run.asked)
    _judge_words(case, result)
    return result


def _judge_words(case: Case, result: Result) -> None:
    trouble = case.trouble
    if trouble.says and case.state.name not in trouble.silent and not result.problem:
        said = " ".join(result.said.split())  # long lines are wrapped
        result.unsaid = not any(re.search(word, said) for word in trouble.says)
