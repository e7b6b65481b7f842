# SPDX-License-Identifier: MIT
"""Soak: one board, unrestarted, lives through visit after visit of soak.toml, with a fault and a lost broker in each.

Whole firmware at its 10 ms cycle, inverter and MQTT included; the campaign's invariants are watched at every step of
the world, and heap, lateness, events, clocks and energy are told each minute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backfeed.bench.online import SETTINGS, publish, serve
from backfeed.bench.tally import CountingBroker, Tally
from backfeed.checkout import HIL
from backfeed.errors import InputError
from hil.campaign.case import QUESTIONS, Run, Unreached, powered
from hil.campaign.long_run import LongRun, Show, silent
from hil.campaign.plan import Trouble, document_of, step_of
from hil.campaign.plan import load as load_cases
from hil.plant.config import StationConfig

SOAK = Path(__file__).with_name("soak.toml")
TELL_S = 60
CREEP_US = 20  # each look at the clock: the cycle waits until a task yields, as on a port with a scheduled ticker
BEGIN_S = 1792764000  # 2026-10-23T14:00:00Z
BROKER_PATIENCE_S = 120
STEPS_HERE = ("trouble", "broker_away")
GROWTH_BYTES = 4096
WARM_H = 0.9  # before that some names and buffers are met for the first time
LATE_US = 1000
ENERGY_SHARE = 0.02  # front end and inverter, and what faults of the front end hide
ENERGY_WH = 20

# How the cause of a step of a fault is taken away.
UNDO: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "fault": lambda step: {"do": "clear_fault", "name": step["name"]},
    "board_fault": lambda step: {"do": "board_fault", "name": step["name"], "value": 0},
    "open_mains": lambda _step: {"do": "close_mains"},
    "grid": lambda _step: {"do": "grid", "voltage_v": 230.0, "frequency_hz": 50.0},
}


@dataclass(frozen=True)
class Soak:
    """What a visit is, and the faults that take turns."""

    settings: dict[str, Any]
    plant: StationConfig
    visit: tuple[dict[str, Any], ...]
    troubles: tuple[Trouble, ...]
    trouble_s: float


@dataclass
class SoakResult(LongRun):
    """Heap in bytes, after a collection each minute."""

    visits: int = 0
    board_restarts: int = 0
    task_restarts: int = 0
    broker_restarts: int = 0
    heap_floor_bytes: int = 0
    heap_growth_bytes: int = 0
    late_worst_us: int = 0
    overruns: int = 0
    events: int = 0
    telemetry: int = 0


def load(path: Path = SOAK) -> Soak:
    """Read and check soak.toml."""
    document = document_of("soak", path)
    cases = load_cases()
    rows = {trouble.name: trouble for trouble in cases.troubles}
    for name in document["troubles"]:
        if name not in rows or any(step.get("do") not in UNDO for step in rows[name].do):
            raise InputError(f"soak {path}: trouble '{name}' is no row of cases.toml that can be taken back.")
    return Soak(
        {**cases.settings, **SETTINGS, **document["settings"]},
        cases.plant,
        tuple(step_of(path, "visit", step, STEPS_HERE) for step in document["visit"]),
        tuple(rows[name] for name in document["troubles"]),
        float(document["trouble_s"]),
    )


class Visits:
    """One board at work, visit by visit."""

    def __init__(self, soak: Soak, run: Run, show: Show) -> None:
        self._soak = soak
        self._show = show
        self.run = run
        self.tally = Tally()
        self.result = SoakResult()
        self._broker = CountingBroker(self.tally)
        serve(run.board, self._broker)

    def live(self, hours: float) -> SoakResult:
        """Boot, set the clock, then visits until so much time has passed."""
        board = self.run.board
        board.run(10)
        self._console("mode script")
        self._mqtt("command/time", {"id": 0, "unix_s": BEGIN_S})
        while board.now_us < hours * 3.6e9 and not board.finished:
            self._visit()
        board.run(TELL_S + 2)
        self._judge()
        return self.result

    def _visit(self) -> None:
        trouble = self._soak.troubles[self.result.visits % len(self._soak.troubles)]
        self.result.visits += 1
        hour = self.run.board.now_us / 3.6e9
        try:
            for step in self._soak.visit:
                self._step(step, trouble)
            self._show(hour, f"visit {self.result.visits}, {trouble.name}")
        except Unreached as error:
            self.run.ask()
            said = " ".join(self.run.asked[-len(QUESTIONS)].split())  # why
            self.result.failed.append(f"visit {self.result.visits}, {trouble.name}: {error}; {said}")
            self._show(hour, self.result.failed[-1])
            self.run.step({"do": "unplug"})
            self._clear()

    def _step(self, step: dict[str, Any], trouble: Trouble) -> None:
        if step.get("do") == "trouble":
            self._trouble(trouble)
        elif step.get("do") == "broker_away":
            self._broker_away(step["s"])
        elif step.get("do") == "mqtt":
            self._mqtt(step["topic"], step["payload"])
        else:
            self.run.step(step)

    def _trouble(self, trouble: Trouble) -> None:
        """Let a fault come, stay and go; a person clears what has to be cleared."""
        run = self.run
        run.watch.begin(trouble, run.board.now_us)
        for step in trouble.do:
            run.step(step)
        run.board.run(self._soak.trouble_s)
        for step in trouble.do:
            run.step(UNDO[step["do"]](step))
        run.watch.end()
        self._clear()

    def _clear(self) -> None:
        self.run.board.run(3)
        for line in ("unlock installer", "clear", "lock"):
            self._console(line)

    def _console(self, line: str) -> None:
        self.run.board.console_write(line + "\r")
        self.run.board.run(1)

    def _mqtt(self, topic: str, payload: dict[str, Any]) -> None:
        """Send a command once the board is seen online."""
        board, heard = self.run.board, self.tally.telemetry
        if not board.run_while(lambda: self.tally.telemetry == heard, BROKER_PATIENCE_S, 0.1):
            raise Unreached(f"no telemetry within {BROKER_PATIENCE_S} s")
        publish(board, self._broker, topic, payload)
        self.tally.sent += 1
        board.run(1)

    def _broker_away(self, s: float) -> None:
        board = self.run.board
        self._broker.listening = False
        self._broker.hang_up(board.now_us)
        self.tally.broker_restarts += 1
        board.run(s)
        self._broker.listening = True

    def _judge(self) -> None:
        """Turn what was told and heard into figures and complaints."""
        result, tally, board = self.result, self.tally, self.run.board
        result.end(self.run)
        tally.read(str(board.console.text), int(result.hours * 3600 / TELL_S) - 1)
        last = tally.lines[-1]
        result.board_restarts = len(board.resets) - 1
        result.task_restarts, result.broker_restarts = last["restarts"], tally.broker_restarts
        result.heap_floor_bytes = min(line["heap_free"] for line in tally.lines)
        result.heap_growth_bytes = tally.growth_bytes()
        result.late_worst_us, result.overruns = last["late_worst_us"], last["overruns"]
        result.events, result.telemetry = len(tally.events), tally.telemetry
        result.failed += tally.complaints()
        if result.board_restarts:
            result.failed.append(f"the board restarted {result.board_restarts} times: {board.resets[1:]}")
        if result.overruns or result.late_worst_us > LATE_US:
            result.failed.append(f"{result.overruns} cycles too long, the latest began {result.late_worst_us} us late")
        if result.heap_growth_bytes > GROWTH_BYTES and result.hours > WARM_H:
            result.failed.append(f"the heap grew by {result.heap_growth_bytes} B, {GROWTH_BYTES} B are allowed")
        for name, truth_wh in (("import_wh", result.charged_wh), ("export_wh", result.discharged_wh)):
            if abs(last[name] - truth_wh) > ENERGY_SHARE * truth_wh + ENERGY_WH:
                result.failed.append(f"{name} is {last[name]}, the plant's is {truth_wh:.0f} Wh")


def run_soak(hours: float, show: Show = silent, soak: Soak | None = None) -> SoakResult:
    """Live through so many virtual hours of visits (soak.toml, or another soak); the last visit is ended."""
    soak = soak or load()
    options = {"entry": HIL / "on_board" / "reporting.py", "arguments": (str(TELL_S),), "creep_us": CREEP_US}
    with powered(soak.settings, soak.plant, **options) as run:
        return Visits(soak, run, show).live(hours)
