# SPDX-License-Identifier: MIT
"""Breadth-first search: pilot alone, protection alone, then everything behind them, every letter, every invariant.

python -m tests.model        prints states, transitions, seconds; a counterexample as a trace
"""

from __future__ import annotations

import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

for _folder in ("firmware", "tests/cpython", "tests/core"):
    _path = str(Path(__file__).resolve().parents[2] / _folder)
    if _path not in sys.path:
        sys.path.insert(0, _path)

from evse import faults  # noqa: E402
from evse.actuate import contactor  # noqa: E402
from tests.model import alone  # noqa: E402
from tests.model.inward import PilotStage, ProtectStage  # noqa: E402
from tests.model.letters import BOXES, text  # noqa: E402
from tests.model.limits import short_times  # noqa: E402
from tests.model.system import Letter, State, System, Told, Violation  # noqa: E402

CLEARING, GOING = 4, 0  # in PEOPLE: the installer clears; nobody does anything
UNPLUGGED, PLUGGED = (faults.PILOT_A, 0, (0, 0, 0)), (faults.PILOT_C, 1, (0, 0, 0))
HEALTHY = (0, 0, 1, 1, 1)
MOST_STATES = 200000
REST_CYCLES = 8
WAY_CYCLES = 60

Hands = dict[Told, str]  # -> the letter that made a stage hand it on
Parents = dict[State, "tuple[State, Letter] | None"]


@dataclass
class Result:
    """What the search found. transitions: states times letters; outcomes: those that differ."""

    states: int = 0
    transitions: int = 0
    outcomes: int = 0
    runs: int = 0
    dead_ends: int = 0
    seconds: float = 0.0
    violation: str = ""
    parts: list[str] = field(default_factory=list)
    hands: tuple[Hands, Hands] = field(default_factory=lambda: ({}, {}))


def explore(hands: tuple[Hands, Hands] | None = None) -> Result:
    """Search everything; stop at the first violation. hands: what pilot and protection hand on, where it is known."""
    started = time.perf_counter()
    result = Result()
    with short_times():
        pilots, grids = hands or (_alone(result, "pilot", PilotStage()), _alone(result, "protection", ProtectStage()))
        result.hands = pilots, grids
        if not result.violation:
            _together(result, pilots, grids)
    result.seconds = time.perf_counter() - started
    return result


def _alone(result: Result, name: str, stage: PilotStage | ProtectStage) -> Hands:
    found = alone.search(stage)
    result.violation = result.violation or found.violation
    result.states += found.states
    result.transitions += found.transitions
    result.outcomes += found.transitions
    result.runs += stage.runs
    result.parts.append(f"{name}: {found.states} states, {len(found.hands)} things to hand on")
    return found.hands


def _together(result: Result, pilots: Hands, grids: Hands) -> None:
    system = System(list(pilots), list(grids))
    start = system.start()
    parents: Parents = {start: None}
    queue = deque([start])
    while queue and not result.violation:
        state = queue.popleft()
        try:
            for following, letter in system.successors(state):
                result.outcomes += 1
                if following not in parents:
                    parents[following] = (state, letter)
                    queue.append(following)
        except Violation as broken:
            result.violation = trace(system, parents, state, broken)
        if len(parents) > MOST_STATES:
            raise RuntimeError(f"more than {MOST_STATES} states: the model is not finite any more")
    result.dead_ends = 0 if result.violation else dead_ends(system, parents)
    result.states += len(parents)
    result.transitions += len(parents) * system.letters
    result.runs += system.runs
    result.parts.append(f"latch, session, contactor: {len(parents)} states, {system.letters} letters")


def trace(system: System, parents: Parents, state: State, broken: Violation) -> str:
    """Return the way from the start to a violation, one line a cycle."""
    way = []
    at = state
    while (step := parents[at]) is not None:
        way.append(f"{said(step[1])}  ->  {shown(system, at)}")
        at = step[0]
    way.reverse()
    last = broken.letter
    pilot, grid = last.get("pilot", PLUGGED), last.get("grid", HEALTHY)
    letter = (pilot, grid, last.get("people", GOING), last.get("inverter", 0), last.get("box", 0))
    way.append(f"{said(letter)}  ->  VIOLATED")
    lines = [f"  {number:3d}  {line}" for number, line in enumerate(way, 1)]
    return "\n".join([f"VIOLATED: {broken.why}", f"after {len(lines)} cycles:", *lines])


def said(letter: Letter) -> str:
    """Return a letter for a person."""
    (state, diode, causes), (trip, _, service, may_close, afe_ok), *rest = letter
    pilot = f"pilot {faults.PILOT_STATES[state]}{'' if diode else ' unproven'}{' faulty' if any(causes) else ''}"
    grid = "AFE stale" if not afe_ok else "tripped" if trip else "in service" if service else "waiting"
    return text(pilot, grid + ("" if may_close or not service else ", counting down"), *rest)


def shown(system: System, state: State) -> str:
    """Return a state for a person."""
    latch, session, box = system.told(state)
    where = f"{faults.SESSION_STATES[session[0]]}, {contactor.STEPS[box[6]]}"
    return f"{where}, coil {box[0]}, gate {box[1]}, ways to clear {latch[0]}"


def dead_ends(system: System, parents: Parents) -> int:
    """Return from how many states a healthy world and one `clear` do not bring the machine to power."""
    good: set[State] = set()
    bad: set[State] = set()
    count = 0
    for state in parents:
        at = state
        for _ in range(REST_CYCLES):
            at = system.step(at, world(system, at, UNPLUGGED, CLEARING))
        count += not reaches_power(system, at, good, bad)
    return count


def world(system: System, state: State, pilot: Told, people: int) -> Letter:
    """Return the letter of a world that does what it is told."""
    box = system.told(state)[2]
    return (pilot, HEALTHY, people, 0, BOXES.index((0 if box[0] else 1, box[1], box[3])))


def reaches_power(system: System, state: State, good: set[State], bad: set[State]) -> bool:
    """Return whether a plugged-in vehicle comes to a closed contactor from here."""
    way = []
    for _ in range(WAY_CYCLES):
        if state in good or state in bad:
            break
        way.append(state)
        _, session, box = system.told(state)
        if box[2] and session[0] == faults.SESSION_ENERGISED:
            good.update(way)
            break
        state = system.step(state, world(system, state, PLUGGED, GOING))
    found = state in good
    (good if found else bad).update(way)
    return found


def main() -> int:
    result = explore()
    if result.violation:
        print(result.violation)
    for part in result.parts:
        print(part)
    print(
        f"{result.states} reachable states, {result.transitions} transitions ({result.outcomes} that differ) in "
        f"{result.seconds:.1f} s; the code ran {result.runs} cases; "
        f"{result.dead_ends} states without a way back to power"
    )
    return 1 if result.violation or result.dead_ends else 0
