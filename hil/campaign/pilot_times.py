# SPDX-License-Identifier: MIT
"""Pilot times and the stalled processor, many times in one life of the board, at every phase of the 10 ms cycle."""

from __future__ import annotations

from hil.campaign.case import Run, powered
from hil.campaign.invariants import Times
from hil.campaign.plan import load

PHASES = 20  # of the cycle, half a millisecond apart
GO = {"until": "power", "above": 1500, "within_s": 40}


def measure() -> tuple[Times, float, list[tuple[float, str]]]:
    """Return the worst pilot times, the worst time from a stall's begin to a lowered gate (ms), and violations."""
    plan = load()
    with powered(plan.settings, plan.plant) as run:
        _leave(run)
        times, violations = run.watch.times, run.watch.violations
    with powered(plan.settings, plan.plant) as run:
        gate_ms = _stall(run)
        violations += run.watch.violations
    return times, gate_ms, violations


def _leave(run: Run) -> None:
    for phase in range(PHASES):
        run.step({"do": "plug"})
        run.step(GO)
        run.board.run(0.2 + phase * 0.0005)
        run.step({"do": "unplug"} if phase % 2 else {"do": "vehicle_ready", "wants": False})
        run.board.run(1.5)
        run.step({"do": "unplug"})
        run.board.run(1.0)


def _stall(run: Run) -> float:
    worst_ms = -1.0
    truth = run.station.truth
    run.step({"do": "plug"})
    for phase in range(PHASES // 2):
        run.step(GO)
        run.board.run(0.2 + phase * 0.001)
        begun_us = run.board.now_us
        run.step({"do": "stall", "ms": 300})
        run.board.run(0.2)
        if truth.gate_up or truth.contactor_closed:
            run.watch.violations.append((begun_us / 1e6, "gate or contacts up 200 ms into a stall"))
        worst_ms = max(worst_ms, (truth.gate_dropped_us - begun_us) / 1000)
        run.board.run(1.0)
        run.step({"do": "console", "line": "clear"})
        run.board.run(1.0)
    return worst_ms
