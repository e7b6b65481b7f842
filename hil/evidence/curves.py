# SPDX-License-Identifier: MIT
"""T-D, voltage: reactive power along the profile's volt-var curve, export along its volt-watt curve, and how soon.

A function that the profile has switched off is switched on where the code lets an installer do so. What is expected is
read off the profile's points here, not asked of the firmware.
"""

from __future__ import annotations

from hil.evidence.droop import LEAD_S, TOLERANCE, said
from hil.evidence.model import Case, Facts, Move, Session, joined, quick_ramp

HOLD_S = 2.0  # at a level, after twice the response time
HALF = -0.5  # of the rating, exported while reactive power is tried: room for current at low voltage
FULL = -1.0
LATE = 1.02  # AS/NZS 4777.2's test allows 10.2 s for 10 s
Curve = tuple[int, tuple[int, ...], tuple[int, ...]]  # enabled, mV, permille


def sessions(facts: Facts, changes: str) -> list[Session]:
    """Return the session of a profile that has a curve. changes: waits shortened inside the code's ranges."""
    on = enabled(facts)
    at = Facts(facts.name, on) if on else facts
    cases = [*_volt_var(at), *_volt_watt(at)]
    if not cases:
        return []
    all_changes = joined(on, changes, quick_ramp(facts))
    return [Session(facts.name, "curves", tuple(cases), changes=all_changes, kind="curves", rated_w=facts.rated_w)]


def enabled(facts: Facts) -> str:
    """Return changes that switch on the curves which the profile has and the code lets switch."""
    changes = []
    for key, curve in (("volt_var", facts.profile.volt_var), ("volt_watt", facts.profile.volt_watt)):
        if curve[1] and not curve[0] and facts.ranges.get(f"{key}_enabled", (0, 0))[1]:
            changes.append(f"{key}_enabled=1")
    return ",".join(changes)


def read_off(curve: Curve, volts: float) -> float:
    """Return the share that a curve gives at a voltage, straight between its points and flat beyond them."""
    points = [(mv / 1000, share / 1000) for mv, share in zip(curve[1], curve[2], strict=True)]
    if volts <= points[0][0]:
        return points[0][1]
    for (v0, s0), (v1, s1) in zip(points, points[1:], strict=False):
        if volts <= v1:
            return s0 + (s1 - s0) * (volts - v0) / (v1 - v0)
    return points[-1][1]


def _points(facts: Facts, curve: Curve) -> list[float]:
    """Return the curve's corners and the middles of its slopes, as far as the stages leave room."""
    low, high = facts.room_v
    volts = [mv / 1000 for mv in curve[1]]
    sloped = zip(zip(volts, curve[2], strict=True), zip(volts[1:], curve[2][1:], strict=True), strict=False)
    volts += [(v0 + v1) / 2 for (v0, s0), (v1, s1) in sloped if s0 != s1]
    return sorted({round(min(max(v, low), high), 2) for v in volts})


def _volt_var(facts: Facts) -> list[Case]:
    curve = facts.profile.volt_var
    if not curve[0]:
        return []
    points = _points(facts, curve)
    levels = [_level(facts, "q", volts, read_off(curve, volts), "reactive", HALF) for volts in points]
    return [*levels, _answered(facts, "q", points[-1], "reactive_answers", HALF)]


def _volt_watt(facts: Facts) -> list[Case]:
    curve = facts.profile.volt_watt
    if not curve[0]:
        return []
    points = _points(facts, curve)
    levels = [_level(facts, "w", volts, FULL * read_off(curve, volts), "power", FULL) for volts in points]
    return [*levels, _answered(facts, "w", points[-1], "power_answers", FULL)]


def _level(facts: Facts, kind: str, volts: float, share: float, judge: str, base: float) -> Case:
    until_s = 2 * facts.profile.volt_response_ms / 1000 + HOLD_S
    moves = (Move(0.1, voltage_v=volts), Move(until_s, voltage_v=facts.nominal_v))
    told = said(share) if kind == "w" else _reactive(share)
    text = f"{volts:.1f} V at {said(base)}: {told}"
    low, high = 100 * share - TOLERANCE, 100 * share + TOLERANCE
    return Case(
        f"T-D-{kind}-{volts:.1f}", text, judge, moves, until_s + 1, until_s, low, high, setpoint=base, lead_s=LEAD_S
    )


def _answered(facts: Facts, kind: str, volts: float, judge: str, base: float) -> Case:
    limit_ms = facts.profile.volt_response_ms * LATE
    hold_ms = 4.0 * facts.profile.volt_response_ms
    until_s = 0.1 + hold_ms / 1000
    # From nominal, after the answer to the case before has died away.
    settle_s = 2 * facts.profile.volt_response_ms / 1000
    moves = (Move(settle_s + 0.1, voltage_v=volts), Move(settle_s + until_s, voltage_v=facts.nominal_v))
    text = f"{facts.nominal_v:.0f} V to {volts:.1f} V at {said(base)}: nine tenths of the answer"
    return Case(
        f"T-D-{kind}-time",
        text,
        judge,
        moves,
        settle_s + until_s + 1,
        settle_s + 0.1,
        None,
        limit_ms,
        delay_ms=hold_ms,
        setpoint=base,
        lead_s=LEAD_S,
    )


def _reactive(share: float) -> str:
    if abs(share) < 0.0005:
        return "no reactive power"
    return f"{abs(100 * share):.3g} % of the rating {'absorbed' if share > 0 else 'fed in'}"
