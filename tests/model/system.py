# SPDX-License-Identifier: MIT
"""Latch, session and contactor put together; pilot and protection are whatever their own search found them to hand on.

A state is three numbers, each the place of a stage's kept values. `successors` does not walk through the letters: at
each stage it keeps what differs, with one letter that leads there, so that it costs what the outcomes cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evse import faults
from tests.model.invariants import judge_box, judge_latch, judge_whole
from tests.model.letters import BOXES, INVERTERS, PEOPLE
from tests.model.machine import BoxStage, LatchStage, PermitStage, SessionStage
from tests.model.shared import Broken

Told = tuple[Any, ...]  # what pilot or protection hand on
Letter = tuple[Told, Told, int, int, int]  # pilot, grid, and the places in PEOPLE, INVERTERS, BOXES
State = tuple[int, int, int]
LATCH, SESSION, BOX = range(3)
HEARD = ((0, 3), (1,), (2, 4))  # inverter letters that the session cannot tell apart
BEGIN: tuple[Told, ...] = (
    ((0, 0, 0), 0),
    (faults.SESSION_BOOT, 0, 1000, 0, 0),
    (0, 0, 0, 0, 0, (0, 0, 0), 0, 0),
)


class Violation(Exception):
    """An invariant does not hold after a letter; what the letter leaves open is None."""

    def __init__(self, why: str, **letter: Any) -> None:
        super().__init__(why)
        self.why = why
        self.letter = letter


class Numbers:
    """Gives each distinct value a number."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[Any, int] = {}

    def place(self, value: Any) -> int:
        """Return the number of a value."""
        place = self._places.get(value)
        if place is None:
            place = self._places[value] = len(self.values)
            self.values.append(value)
        return place


class System:
    """The machine. A stage's number stands for (what it keeps, what it last handed on)."""

    def __init__(self, pilots: list[Told], grids: list[Told]) -> None:
        self._pilots, self._grids = pilots, grids
        self._permit = PermitStage()
        self.stages = (LatchStage(), SessionStage(), BoxStage())
        self._numbers = tuple(Numbers() for _ in self.stages)
        self._asked: dict[Any, Any] = {}
        self._decided: dict[Any, Any] = {}
        self._moved: dict[Any, Any] = {}
        self.letters = len(pilots) * len(grids) * len(PEOPLE) * len(INVERTERS) * len(BOXES)

    @property
    def runs(self) -> int:
        """Distinct cases for which the firmware's code ran."""
        return self._permit.runs + sum(stage.runs for stage in self.stages)

    def start(self) -> State:
        """Return the state at power-up."""
        latch, session, box = (
            numbers.place((stage.start(), told))
            for stage, numbers, told in zip(self.stages, self._numbers, BEGIN, strict=True)
        )
        return latch, session, box

    def told(self, state: State) -> tuple[Told, Told, Told]:
        """Return what each stage handed on in this state."""
        latch, session, box = (numbers.values[place][1] for numbers, place in zip(self._numbers, state, strict=True))
        return latch, session, box

    def _run(self, which: int, place: int, given: tuple[Any, ...]) -> int:
        numbers = self._numbers[which]
        return numbers.place(self.stages[which].run(numbers.values[place][0], given))

    # --- one cycle ---

    def _latch(self, state: State, pilot: Told, people: int) -> int:
        estop, clear, _ = PEOPLE[people]
        _, session, box = self.told(state)
        causes = (
            1 if pilot[2][0] or session[4] or box[5][0] else 0,
            1 if pilot[2][1] or estop or box[5][1] else 0,
            1 if pilot[2][2] or box[5][2] else 0,
        )
        latched = self._run(LATCH, state[LATCH], (clear, *causes))
        values = self._numbers[LATCH].values
        why = judge_latch(values[state[LATCH]][1][0], values[latched][1][0], clear, causes)
        if why:
            raise Violation(why, pilot=pilot, people=people)
        return latched

    def _speak(self, state: State, latched: int, pilot: Told, grid: Told, people: int, inverter: int) -> int:
        """Run the session."""
        now, count = self._numbers[LATCH].values[latched][1]
        box = self.told(state)[2]
        trip, inhibit, service, _, afe_ok = grid
        _, answers, power_w, _, _ = INVERTERS[inverter]
        given = (pilot[0], pilot[1], afe_ok, answers, trip, inhibit, service, count, box[4], box[2])
        return self._run(SESSION, state[SESSION], (*given, PEOPLE[people][2], power_w, now))

    def _given(self, latched: int, spoken: int, pilot: Told, grid: Told) -> tuple[Any, ...]:
        """Return what the contactor's stage is given by the others."""
        key = (latched, spoken, pilot[0], grid)
        given = self._asked.get(key)
        if given is None:
            given = self._asked[key] = self._give(latched, spoken, pilot, grid)
        return given

    def _give(self, latched: int, spoken: int, pilot: Told, grid: Told) -> tuple[Any, ...]:
        now, count = self._numbers[LATCH].values[latched][1]
        _, close, _, allowed_w, _ = self._numbers[SESSION].values[spoken][1]
        trip, inhibit, _, may_close, afe_ok = grid
        asked = (close, trip, inhibit, count, afe_ok, pilot[0])
        permits = tuple(self._permit.run((), (*asked, tested))[1][0] for tested in (0, 1))
        unplugged = faults.PILOT_A if pilot[0] == faults.PILOT_A else faults.PILOT_C
        return (may_close, unplugged, afe_ok, allowed_w, permits, now[1])

    def _move(self, box: int, given: tuple[Any, ...], inverter: int, letter: int) -> int:
        """Run the contactor's stage."""
        *first, permits, person = given
        felt = (*BOXES[letter], *INVERTERS[inverter][1:])
        values = self._numbers[BOX].values
        try:
            after = self._run(BOX, box, (*first, *felt, permits, person))
            why = judge_box(values[box][1], values[after][1], felt, given[0])
        except Broken as broken:
            why = str(broken)
        if why:
            raise Violation(why, inverter=inverter, box=letter)
        return after

    def step(self, state: State, letter: Letter) -> State:
        """Return the state after one letter, stage by stage."""
        pilot, grid, people, inverter, box = letter
        latched = self._latch(state, pilot, people)
        spoken = self._speak(state, latched, pilot, grid, people, inverter)
        return latched, spoken, self._move(state[BOX], self._given(latched, spoken, pilot, grid), inverter, box)

    # --- every letter at once ---

    def successors(self, state: State) -> Iterator[tuple[State, Letter]]:
        """Yield every state that some letter leads to, with such a letter. Violation when an invariant breaks."""
        box = self.told(state)[2]
        key = (state[LATCH], state[SESSION], box[2], box[4], box[5])
        decided = self._decided.get(key)
        if decided is None:
            decided = self._decided[key] = self._decide(state)
        values = self._numbers[BOX].values
        for latched, spoken, given, (pilot, grid, people), inverters, forbidden in decided:
            for after, inverter, letter in self._moves(state[BOX], given, inverters):
                if forbidden and (values[after][1][0] or values[after][1][1]):
                    where = {"pilot": pilot, "grid": grid, "people": people, "inverter": inverter, "box": letter}
                    raise Violation(forbidden, **where)
                yield (latched, spoken, after), (pilot, grid, people, inverter, letter)

    def _decide(self, state: State) -> list[Any]:
        """Return what latch and session make of every letter, each outcome once."""
        heard: dict[Any, Any] = {}  # what differs for the session: level, diode, faults, stop
        for pilot in self._pilots:
            for people, (_, _, stop) in enumerate(PEOPLE):
                latched = self._latch(state, pilot, people)
                heard.setdefault((latched, pilot[0], pilot[1], stop), (pilot, people))
        found: dict[Any, Any] = {}
        for (latched, *_), (pilot, people) in heard.items():
            count = self._numbers[LATCH].values[latched][1][1]
            for grid in self._grids:
                for inverters in HEARD:
                    inverter = inverters[0]
                    spoken = self._speak(state, latched, pilot, grid, people, inverter)
                    given = self._given(latched, spoken, pilot, grid)
                    forbidden = judge_whole(pilot, grid, count, self._numbers[SESSION].values[spoken][1][0])
                    outcome = (latched, spoken, given, forbidden)
                    found.setdefault(outcome, ((pilot, grid, people), set()))[1].update(inverters)
        return [
            (latched, spoken, given, letter, tuple(sorted(inverters)), forbidden)
            for (latched, spoken, given, forbidden), (letter, inverters) in found.items()
        ]

    def _moves(self, box: int, given: tuple[Any, ...], inverters: tuple[int, ...]) -> list[tuple[int, int, int]]:
        """Return (new place, inverter, box letter) of each outcome of the contactor's stage."""
        key = (box, given, inverters)
        moves = self._moved.get(key)
        if moves is None:
            found: dict[int, tuple[int, int]] = {}
            for inverter in inverters:
                for letter in range(len(BOXES)):
                    found.setdefault(self._move(box, given, inverter, letter), (inverter, letter))
            moves = self._moved[key] = [(after, *letters) for after, letters in found.items()]
        return moves
