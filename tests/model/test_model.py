# SPDX-License-Identifier: MIT
"""The exhaustive check holds, and finds planted faults: a check that cannot fail proves nothing."""

from __future__ import annotations

from evse.actuate.contactor import Contactor
from evse.decide.latch import FaultLatch
from tests.model import explore


def test_every_invariant_in_every_reachable_state():
    result = explore.explore()
    assert not result.violation, result.violation
    assert result.dead_ends == 0
    assert result.states > 1000 and result.transitions == result.states * len(explore.ALPHABET)
    print(f"{result.states} states, {result.transitions} transitions, {result.seconds:.1f} s")


def test_a_contactor_that_ignores_the_pilot_is_found(monkeypatch):
    def permitted(self):
        protection = self._protection
        return bool(self._request.close_contactor and not protection.trip and not protection.inhibit)

    monkeypatch.setattr(Contactor, "permitted", permitted)
    monkeypatch.setattr("evse.decide.session.CLOSES", (0, 0, 1, 1, 1, 1, 1, 0, 0))
    result = explore.explore()
    assert "VIOLATED" in result.violation and "pilot" in result.violation
    assert len(result.violation.splitlines()) < 20, "a trace that a person can read"


def test_a_closing_without_the_rcd_test_is_found(monkeypatch):
    def test_passes_by_itself(self):
        self._outputs.rcd_test = 0
        self._go(explore.contactor.RELEASE)

    monkeypatch.setattr(Contactor, "_test", test_passes_by_itself)
    assert "without RCD test" in explore.explore().violation


def test_a_fault_that_clears_itself_is_found(monkeypatch):
    monkeypatch.setattr(FaultLatch, "_judge", lambda self, status, code: status.cause[code])
    assert "ended without a person" in explore.explore().violation
