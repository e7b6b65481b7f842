# SPDX-License-Identifier: MIT
"""Plays sessions through the whole firmware on the virtual board, in lockstep against the plant."""

from __future__ import annotations

import math
import random
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path

from backfeed import firmware_ask
from backfeed.errors import PartError
from backfeed.report.model import Check
from backfeed.workers import workers
from hil.evidence.judge import BEGINS_CLOSED, LEAVE_OPEN, NEED_POWER, Span, Trip, check
from hil.evidence.model import Case, Facts, Move, Session
from hil.evidence.watch import Watch
from hil.plant.config import InverterConfig, StationConfig
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard, VirtualBoardError

STIFF = 1000.0  # short-circuit ratio: what a grid simulator is to a charger
CLOSE_LIMIT_S = 30.0  # for vehicle and contactor after the first wait
SETTLE_S = 3.0  # of exporting before the first case
EXPORT_W = {1: 2500, 3: 7500}  # what the smallest nominal voltage can carry on 32 A
LEASE_S = 3600  # of the setpoint
REST_S = 0.1  # between two cases: what a case set off late is seen
OPEN_MS = 20.0  # contactor: the slowest that the limit of delay + 100 ms allows for
POWER_LIMIT_S = 60.0  # for the power to flow, beside the code's ramp after connection
REACTIVE_SHARE, APPARENT_SHARE = 0.44, 1.1  # of a rated inverter, or more where the code's curve asks for more
ISLAND_QUALITY = 1.0
CEASED_SHARE = 0.05  # of rated current: what IEEE 1547.1 takes for ended
TRIP_LINE = re.compile(r"^ *\d+ .*? (\w+) +(?:L(\d)|--) (\S+) .+? limit (\S+) .+? open ", re.MULTILINE)
HASH_LINE = re.compile(r"profile=\w+ hash=([0-9a-f]{8})")


@dataclass
class Result:
    """A played session. checks: in the order of its cases."""

    session: Session
    checks: list[Check] = field(default_factory=list)
    hash: str = ""
    virtual_s: float = 0.0
    boards: int = 0


class NotInServiceError(PartError):
    """A board did not begin to export: none of its cases was played."""


def _failed(case: Case, why: str) -> Check:
    """Return the check of a case that was not played."""
    return Check(case.name, case.text, None, "", case.low, case.high, why)


def _opened_after(case: Case, check: Check) -> Check:
    """Return the failed check of a case that held, but after which the contactor opened."""
    if case.judge == "stays":
        return replace(check, value=(check.value or 0.0) + 1)
    return replace(check, value=None, why="the contactor opened after it")


def play(session: Session, seed: int = 1, firmware: str = "firmware") -> Result:
    """Play a session. A board that left service against its case is replaced by a new one for the rest."""
    result = Result(session)
    left = list(session.cases)
    while left:
        try:
            done = _board(replace(session, cases=tuple(left)), seed + result.boards, firmware, result)
        except NotInServiceError as error:
            result.checks += [_failed(case, error.message) for case in left]
            done = len(left)
        result.boards += 1
        left = left[done:]
    return result


def _board(session: Session, seed: int, firmware: str, result: Result) -> int:
    """Play cases on one board; return how many, at least one."""
    facts = Facts(session.profile, session.changes)
    station = Station(_config(session, facts, seed))
    station.vehicle.plug()
    with tempfile.TemporaryDirectory(prefix="backfeed-evidence-") as folder:
        fram = Path(folder) / "fram.bin"
        wanted = {"profile": session.profile, "phases": session.phases, "profile_changes": session.changes}
        if session.rated_w:
            wanted |= {"export_rating_w": session.rated_w, "import_rating_w": session.rated_w}
        firmware_ask.write_settings(fram, {**wanted, **session.settings})
        watch = Watch(station)
        try:
            with VirtualBoard(station, fram_path=fram, seed=seed, firmware=firmware) as board:
                board.hooks.append(watch)
                return Player(session, facts, station, board, watch, seed, result).play()
        except VirtualBoardError as error:
            raise PartError(f"{session.profile} {session.name}: {error}") from error


def _config(session: Session, facts: Facts, seed: int) -> StationConfig:
    config = StationConfig(
        phases=session.phases,
        nominal_v=facts.nominal_v,
        nominal_hz=facts.nominal_hz,
        short_circuit_ratio=STIFF,
        open_ms=OPEN_MS,
        seed=seed,
    )
    if not session.rated_w:
        return config
    reactive = max(REACTIVE_SHARE, *(abs(share) / 1000 for share in (0, *facts.profile.volt_var[2])))
    inverter = InverterConfig(
        rated_w=session.rated_w,
        rated_va=session.rated_w * max(APPARENT_SHARE, math.hypot(1.0, reactive)),
        rated_var=session.rated_w * reactive,
    )
    return replace(config, inverter=inverter)


class Player:
    """One board and the cases it plays."""

    def __init__(
        self,
        session: Session,
        facts: Facts,
        station: Station,
        board: VirtualBoard,
        watch: Watch,
        seed: int,
        result: Result,
    ) -> None:
        self._session, self._facts, self._station = session, facts, station
        self._board, self._watch, self._result = board, watch, result
        self._random = random.Random(f"{session.profile} {session.name} {seed}")
        # Shares of a case are of what the session exports at most.
        self._rating_w = float(
            session.rated_w or session.settings.get("export_rating_w", 0) or EXPORT_W[session.phases]
        )
        self._asked = 0.0  # share of it, - = export

    def play(self) -> int:
        """Enter service, export, play; return how many cases were played."""
        try:
            self._enter()
            done = self._cases()
        finally:
            self._result.virtual_s += self._board.now_us / 1e6
        return done

    def _cases(self) -> int:
        """Play the cases until one needs a new board; return how many were played."""
        cases, checks = self._session.cases, self._result.checks
        for done, case in enumerate(cases):
            start_us = self._lead(case)
            closed = bool(self._station.truth.contactor_closed)
            if closed == BEGINS_CLOSED[case.judge]:
                checks.append(self._case(case, start_us))
            elif closed or not done:
                checks.append(_failed(case, f"the contactor was {'closed' if closed else 'open'} before it began"))
            else:
                if cases[done - 1].judge not in LEAVE_OPEN:
                    checks[-1] = _opened_after(cases[done - 1], checks[-1])
                return done
        return len(cases)

    def _enter(self) -> None:
        p = self._facts.profile
        limit_s = (p.first_wait_ms + p.enter_random_ms) / 1000 + CLOSE_LIMIT_S
        board, truth = self._board, self._station.truth
        if not board.run_while(lambda: not truth.contactor_closed, limit_s, 0.1):
            raise NotInServiceError(
                f"{self._session.profile} {self._session.name}: the contactor did not close within {limit_s:g} s"
                f" of power-up; the console says:\n{board.console.tail()}"
            )
        self._say("mode script", "unlock installer")
        first = self._session.cases[0].setpoint
        self._ask(-1.0 if first is None else first)
        self._result.hash = self._result.hash or self._hash()
        board.run(SETTLE_S)
        if needs_power(self._session):
            ramp_s = 60_000 / p.enter_ramp_permille_min if p.enter_ramp_permille_min else 0.0
            wanted_w = 0.99 * abs(self._asked) * self._rating_w
            board.run_while(lambda: abs(truth.power_w) < wanted_w, POWER_LIMIT_S + ramp_s, 0.1)
            board.run(SETTLE_S)

    def _ask(self, share: float) -> None:
        """Ask for a share of the rating, - = export."""
        self._asked = share
        self._say(f"setpoint {round(share * self._rating_w)} {LEASE_S}")

    def _say(self, *lines: str) -> str:
        """Type lines; return what the console says to them."""
        board = self._board
        before = len(board.console.text)
        for line in lines:
            board.console_write(line + "\r")
            board.run(0.3)
        return board.console.text[before:]

    def _hash(self) -> str:
        found = HASH_LINE.search(self._say("profile"))
        if not found or found.group(1) != self._facts.profile.hash:
            said = found.group(1) if found else "none"
            raise PartError(
                f"{self._session.profile}: the board's profile hash is {said}, ours {self._facts.profile.hash}"
            )
        return found.group(1)

    def _lead(self, case: Case) -> int:
        """Ask for a case's power and rest; return when it begins, us: a moment from now."""
        board = self._board
        if case.setpoint is not None and case.setpoint != self._asked:
            self._ask(case.setpoint)
            board.run(case.lead_s)
        board.run(REST_S)
        # A stimulus may fall anywhere in the line cycle and in the firmware's cycle.
        return board.now_us + self._random.randrange(0, 20_000, 50)

    def _case(self, case: Case, start_us: int) -> Check:
        board = self._board
        end_us = start_us + round(case.duration_s * 1e6)
        for move in case.moves:
            self._schedule(start_us + round(move.at_s * 1e6), move)
        span = Span(start_us, end_us, rating_w=self._rating_w)
        if case.judge == "ceases":
            self._station.world["current_floor_a"][0] = CEASED_SHARE * self._station.world["rated_a"][0] * math.sqrt(2)
            board.run_until(start_us + round((case.since_s + case.delay_ms / 1000 - 0.02) * 1e6))
            span.cease_us = self._watch.current_end_us
        board.run_until(end_us)
        if case.judge == "ends":
            span.cease_us = self._watch.current_end_us
        if case.judge == "opens":
            span.trip = self._trip()
        return check(case, span, self._watch)

    def _trip(self) -> Trip | None:
        """Return the newest of the firmware's own records."""
        found = TRIP_LINE.findall(self._say("trips"))
        if not found:
            return None
        element, phase, value, limit = found[-1]
        return Trip(element, int(phase or 0), float(value), float(limit))

    def _schedule(self, t_us: int, move: Move) -> None:
        at, grid = self._station.at, self._station.grid
        if move.voltage_v is not None or move.frequency_hz is not None:
            at(
                t_us,
                grid.set,
                voltage_v=move.voltage_v,
                frequency_hz=move.frequency_hz,
                ramp_s=move.ramp_s,
                phase=move.phase,
            )
        if move.jump_deg is not None:
            at(t_us, grid.jump, move.jump_deg, phase=move.phase)
        if move.thd is not None:
            at(t_us, grid.distort, move.thd)
        if move.noise is not None:
            at(t_us, grid.noise, move.noise)
        if move.island is not None:
            at(t_us, self._balance, *move.island)
        if move.opens:
            at(t_us, grid.open)

    def _balance(self, dp: float, dq: float) -> None:
        """Put a resonant load (quality factor 1) beside the charger that takes what it feeds in now."""
        truth = self._station.truth
        self._station.grid.island_load(-truth.power_w, ISLAND_QUALITY, dp, dq, -truth.reactive_var)


def needs_power(session: Session) -> bool:
    """Whether the power asked for must flow before the first case."""
    return any(case.judge in NEED_POWER or any(move.island for move in case.moves) for case in session.cases)


def lasts_s(session: Session) -> float:
    """Return about how much virtual time a session takes, s."""
    profile = Facts(session.profile, session.changes).profile
    ramps = needs_power(session) and profile.enter_ramp_permille_min
    ramp_s = 60_000 / profile.enter_ramp_permille_min if ramps else 0.0
    wait_s = (profile.first_wait_ms + profile.enter_random_ms) / 1000
    return wait_s + ramp_s + 8.0 + sum(case.duration_s + case.lead_s + 0.6 for case in session.cases)


def play_all(sessions: list[Session], jobs: int, seed: int = 1, firmware: str = "firmware") -> Iterator[Result]:
    """Play sessions in worker processes, longest first; yield results as they come."""
    ordered = sorted(sessions, key=lambda session: -lasts_s(session))
    if jobs < 2:
        for session in ordered:
            yield play(session, seed, firmware)
        return
    with workers(jobs) as pool:
        waiting = [pool.submit(play, session, seed, firmware) for session in ordered]
        for future in as_completed(waiting):
            yield future.result()
