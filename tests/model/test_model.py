# SPDX-License-Identifier: MIT
"""The exhaustive check holds, and finds planted faults: a check that cannot fail proves nothing."""

from __future__ import annotations

from itertools import product

import pytest

from evse.actuate.across import Across
from evse.actuate.contactor import Contactor
from evse.decide.latch import FaultLatch
from evse.protect import Protect
from evse.protect.enter_service import EnterService
from evse.sense.pilot import Pilot
from tests.model import alone, explore
from tests.model.inward import PilotStage, ProtectStage
from tests.model.letters import BOXES, INVERTERS
from tests.model.limits import short_times
from tests.model.machine import PASSING, PERSON_CODE, BoxStage, PermitStage
from tests.model.stage import Undeclared

READABLE_LINES = 20


@pytest.fixture(scope="module")
def whole() -> explore.Result:
    return explore.explore()


def test_every_invariant_in_every_reachable_state(whole: explore.Result) -> None:
    assert not whole.violation, whole.violation
    assert whole.dead_ends == 0
    assert whole.states > 20000 and whole.outcomes > 1_000_000
    print(f"{whole.states} states, {whole.transitions} transitions, {whole.seconds:.1f} s")


def found(whole: explore.Result, words: str) -> None:
    """The search with what is planted names it, in a trace that a person can read."""
    violation = explore.explore(whole.hands).violation
    assert "VIOLATED" in violation and words in violation, violation
    assert len(violation.splitlines()) < READABLE_LINES


def test_a_contactor_that_ignores_the_pilot_is_found(whole, monkeypatch):
    def permitted(self):
        protection = self._protection
        return bool(self._request.close_contactor and not protection.trip and not protection.inhibit)

    monkeypatch.setattr(Contactor, "permitted", permitted)
    monkeypatch.setattr("evse.decide.session.CLOSES", (0, 0, 1, 1, 1, 1, 1, 0, 0))
    found(whole, "pilot not C/D")


def test_a_closing_without_the_rcd_test_is_found(whole, monkeypatch):
    def test_passes_by_itself(self):
        self._outputs.rcd_test = 0
        self._go(explore.contactor.RELEASE)

    monkeypatch.setattr(Contactor, "_test", test_passes_by_itself)
    found(whole, "without RCD test")


def test_a_fault_that_clears_itself_is_found(whole, monkeypatch):
    monkeypatch.setattr(FaultLatch, "_judge", lambda self, status, code: status.cause[code])
    found(whole, "ended without a person")


def test_a_clear_that_wins_over_a_cause_is_found(whole, monkeypatch):
    """Only an alphabet in which a person clears while the emergency stop is pressed shows it."""
    judge = FaultLatch._judge

    def forgets(self, status, code):
        return 0 if status.clear_request else judge(self, status, code)

    monkeypatch.setattr(FaultLatch, "_judge", forgets)
    found(whole, "a cause is present and is no fault")


def test_a_trip_that_a_stale_measurement_hides_is_found(monkeypatch):
    """Trip and stale AFE together: each alone is obeyed."""
    run = Protect.run

    def forgets(self):
        run(self)
        if self._protection.trip and not self._inputs.afe_ok:
            self._protection.inhibit = 0

    monkeypatch.setattr(Protect, "run", forgets)
    with short_times():
        violation = alone.search(ProtectStage()).violation
    assert "VIOLATED" in violation and "AFE stale" in violation.splitlines()[-1]


def test_closing_onto_live_terminals_is_found(whole, monkeypatch):
    monkeypatch.setattr(Across, "_known", lambda self: False)
    found(whole, "live terminals")


def test_closing_outside_the_window_is_found(monkeypatch):
    monkeypatch.setattr(EnterService, "outside", lambda self, low, high: 0)
    with short_times():
        assert "outside the window" in alone.search(ProtectStage()).violation


def test_service_that_survives_a_trip_is_found(monkeypatch):
    run = Protect.run

    def keeps(self):
        service = self._protection.service
        run(self)
        self._protection.service = service or self._protection.service

    monkeypatch.setattr(Protect, "run", keeps)
    with short_times():
        assert "still in service" in alone.search(ProtectStage()).violation


def test_a_pilot_that_never_gives_up_a_gap_is_found(monkeypatch):
    def moving(self, inputs, high_mv, elapsed_ms):
        if 7000 < high_mv < 8000:
            return
        original(self, inputs, high_mv, elapsed_ms)

    original = Pilot._moving
    monkeypatch.setattr(Pilot, "_moving", moving)
    with short_times():
        violation = alone.search(PilotStage()).violation
    assert "long after its level has left" in violation and "between B and C" in violation


def test_reading_what_a_stage_does_not_declare_is_refused(monkeypatch):
    monkeypatch.setattr(Contactor, "permitted", lambda self: bool(self._inputs.soc_permille))
    with short_times(), pytest.raises(Undeclared):
        PermitStage().run((), (1, 0, 0, 0, 1, 3, 1))


def test_causes_that_the_model_puts_together_are_overwritten_in_the_next_cycle():
    """Whatever a passing cause was, the cycle after it is the same."""
    with short_times():
        stage = BoxStage()
        names = [row[1] for row in stage.KEEPS]
        start = list(stage.start())
        start[names.index("selftest")] = 1
        for felt, permits, voltage in product(BOXES, ((False, False), (False, True)), range(len(INVERTERS))):
            _, *inverter = INVERTERS[voltage]
            given = (1, 3, 1, 0, *felt, *inverter, permits, 1)
            results = set()
            for code in (*PASSING[:-1], PERSON_CODE):
                cause = bytearray(len(start[names.index("cause")]))
                cause[code] = 1
                kept = [*start[:-1], bytes(cause)]
                results.add(stage.run(tuple(kept), given))
            assert len(results) == 1, (felt, permits, voltage)
