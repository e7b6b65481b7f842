# SPDX-License-Identifier: MIT
"""What must hold after every cycle of latch, session and contactor; each returns what is broken, or ""."""

from __future__ import annotations

from typing import Any

from evse import faults

MAY_CLOSE = (faults.SESSION_CLOSING, faults.SESSION_ENERGISED, faults.SESSION_STOPPING)


def judge_latch(before: tuple[int, ...], now: tuple[int, ...], clear: int, causes: tuple[int, ...]) -> str:
    """Judge faults by the way they clear: by itself, by a person, after a repair."""
    for rule in range(3):
        if causes[rule] and not now[rule]:
            return "a cause is present and is no fault"
        if rule and before[rule] and not now[rule] and clear < rule:
            return f"a fault that needs '{faults.CLEARS[rule]}' to clear ended without a person"
    return ""


def judge_box(before: tuple[Any, ...], now: tuple[Any, ...], felt: tuple[Any, ...], may_close: int) -> str:
    """now: (coil, gate, closed, RCD test, self-test, causes, step, tested)."""
    coil, gate, closed, rcd_test, selftest, _, _, tested = now
    mirror_open, gate_up, rcd, _, _, terminal_mv, _ = felt
    if (coil or gate) and selftest != 1:
        return "contactor or gate on before the self-test has passed"
    if (coil or gate) and rcd and not rcd_test:
        return "contactor or gate on with residual current"
    if coil and not gate:
        return "coil driven with the gate not armed"
    if closed and not coil:
        return "closed is claimed with the coil off"
    if coil and not before[0]:
        if not (tested and mirror_open and gate_up):
            return "coil switched on without RCD test, proven open contacts or gate"
        if not may_close:
            return "coil switched on while the grid is outside the window"
    if rcd_test and not before[3] and terminal_mv:
        return "closing begun with live terminals behind the open contactor"
    return ""


def judge_whole(pilot: tuple[Any, ...], grid: tuple[Any, ...], count: int, session_state: int) -> str:
    """Judge contactor or gate on against everything that may forbid it."""
    trip, inhibit, service, _, afe_ok = grid
    if pilot[0] not in (faults.PILOT_C, faults.PILOT_D):
        return "contactor or gate on with pilot not C/D"
    if count or trip or inhibit or not service or not afe_ok:
        return "contactor or gate on with fault, trip, inhibit or stale AFE"
    if session_state not in MAY_CLOSE:
        return "contactor or gate on in a session state that does not close"
    return ""
