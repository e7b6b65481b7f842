# SPDX-License-Identifier: MIT
"""Ride-through: each region that the profile states, momentary cessation, and the sequences that a standard lists."""

from __future__ import annotations

import tomllib
from typing import Any

from backfeed.checkout import HIL
from hil.evidence.model import Case, Facts, Move, Session
from hil.evidence.rates import WITHSTAND

SEQUENCES = HIL / "scenarios" / "grid"
CEASE_MS = 160.0  # Rule 21: momentary cessation within 0.16 s
LONGEST_S = 600.0  # "unlimited" regions are held for this; they hold no timer
RECOVER_S = 3.0
RAMP = "enter_ramp_permille_min"  # at its fastest for cessation: there must be a current to end


def sessions(facts: Facts, changes: str) -> list[Session]:
    """Return a session of every region and one a listed sequence. changes: waits shortened inside the code's ranges."""
    cases = [case for region in facts.regions for case in _region(facts, *region)]
    found = []
    if cases:
        found.append(Session(facts.name, "regions", tuple(cases), changes=changes, kind="ride"))
    cease = _cessation(facts)
    if cease:
        quick = f"{RAMP}={facts.ranges[RAMP][1]}" if RAMP in facts.ranges else ""
        both = ",".join(part for part in (changes, quick) if part)
        found.append(Session(facts.name, "cessation", tuple(cease), changes=both, kind="ride"))
    for path in sorted(SEQUENCES.glob("*.toml")):
        listed = [_sequence(facts, row) for row in _rows(path) if facts.name in row["profiles"]]
        if listed:
            found.append(Session(facts.name, path.stem, tuple(listed), changes=changes, kind="ride"))
    return found


def _region(facts: Facts, quantity: str, low: int, high: int, least_ms: int, mode: str) -> list[Case]:
    """Return the stay at the region's outer edge, inside by the test margin, for all of its time."""
    hold_s = min(least_ms / 1000, 30.0 if mode == "continuous" else LONGEST_S)
    if quantity == "v":
        low_v, high_v = low / 1000, high / 1000
        outer = high_v - facts.margin_v if high_v > facts.nominal_v else low_v + facts.margin_v
        moves = (Move(0.1, voltage_v=outer), Move(0.1 + hold_s, voltage_v=facts.nominal_v))
        text = f"{outer:.1f} V for {hold_s:g} s, {mode} region {low_v:g}..{high_v:g} V: stays"
        return [Case(f"RT-V-{outer:.0f}", text, "stays", moves, hold_s + RECOVER_S)]
    edges = [low / 1e6 + facts.margin_hz] if low / 1e6 < facts.nominal_hz else []
    if high / 1e6 > facts.nominal_hz:
        edges.append(high / 1e6 - facts.margin_hz)
    slope = WITHSTAND.get(facts.name, (1.0, 0.0))[0]
    cases = []
    for hertz in edges:
        ramp_s = abs(hertz - facts.nominal_hz) / slope
        moves = (
            Move(0.1, frequency_hz=hertz, ramp_s=ramp_s),
            Move(0.1 + ramp_s + hold_s, frequency_hz=facts.nominal_hz, ramp_s=ramp_s),
        )
        text = f"{hertz:.2f} Hz for {hold_s:g} s, reached at {slope:g} Hz/s, {mode} region: stays"
        cases.append(Case(f"RT-F-{hertz:.2f}", text, "stays", moves, hold_s + 2 * ramp_s + RECOVER_S))
    return cases


def _cessation(facts: Facts) -> list[Case]:
    p = facts.profile
    edges = []
    if p.cessation_low_mv:
        edges.append(("low", p.cessation_low_mv / 1000 - facts.margin_v))
    if p.cessation_high_mv:
        edges.append(("high", p.cessation_high_mv / 1000 + facts.margin_v))
    return [
        Case(
            f"MC-{name}",
            f"{volts:.1f} V for 0.8 s: current ends within {CEASE_MS:g} ms, contactor stays closed",
            "ceases",
            (Move(0.1, voltage_v=volts), Move(0.9, voltage_v=facts.nominal_v)),
            RECOVER_S + 5,
            0.1,
            0.0,
            CEASE_MS,
            delay_ms=800.0,
        )
        for name, volts in edges
    ]


def _rows(path: Any) -> list[dict[str, Any]]:
    return list(tomllib.loads(path.read_text(encoding="utf-8"))["case"])


def _sequence(facts: Facts, row: dict[str, Any]) -> Case:
    """Return a listed sequence: steps of [value, seconds, ramp in s], in pu, V or Hz, with one repeat count."""
    moves, now_s = [], 0.1
    for _ in range(int(row.get("repeat", 1))):
        for value, seconds, *ramp in row["steps"]:
            ramp_s = float(ramp[0]) if ramp else 0.0
            if row["quantity"] == "hz":
                moves.append(Move(now_s, frequency_hz=value, ramp_s=ramp_s))
            else:
                volts = value * facts.nominal_v if row["quantity"] == "pu" else value
                moves.append(Move(now_s, voltage_v=volts, ramp_s=ramp_s))
            now_s += ramp_s + seconds
    return Case(row["name"], row["text"], "stays", tuple(moves), now_s + 1.0)
