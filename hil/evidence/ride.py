# SPDX-License-Identifier: MIT
"""Ride-through: each region that the profile states, momentary cessation, and the sequences that a standard lists."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

from backfeed.checkout import HIL
from hil.evidence.model import Case, Facts, Move, Session, joined, quick_ramp
from hil.evidence.rates import WITHSTAND

SEQUENCES = HIL / "scenarios" / "grid"
CEASE_MS = 160.0  # Rule 21: momentary cessation within 0.16 s
LONGEST_S = 600.0  # "unlimited" regions are held for this; they hold no timer
RECOVER_S = 3.0
KEPT_PERCENT = 80.0  # IEEE 1547.1: of the current before, in mandatory operation
KEPT_S = 3.0  # watched for so long at most
SETTLED_S = 0.1  # from a step until the inverter's current has settled
HOLD_EARLY_S = 0.05
FULL = -1.0


def sessions(facts: Facts, changes: str) -> list[Session]:
    """Return a session of every region and one a listed sequence. changes: waits shortened inside the code's ranges."""
    powered = joined(changes, quick_ramp(facts))
    cases = [case for region in facts.regions for case in _region(facts, *region)]
    found = []
    if cases:
        found.append(Session(facts.name, "regions", tuple(cases), changes=changes, kind="ride"))
    cease = _cessation(facts)
    if cease:
        found.append(Session(facts.name, "cessation", tuple(cease), changes=powered, kind="ride"))
    for path in sorted(SEQUENCES.glob("*.toml")):
        listed = tomllib.loads(path.read_text(encoding="utf-8"))
        if listed["kind"] != "sequence":
            continue
        rows = [row for row in listed["case"] if facts.name in row["profiles"]]
        if rows:
            sequences = tuple(_sequence(facts, row) for row in rows)
            found.append(Session(facts.name, path.stem, sequences, changes=changes, kind="ride"))
            if listed.get("at_full_power"):
                whole = tuple(replace(case, name=f"{case.name}-full", setpoint=FULL) for case in sequences)
                found.append(Session(facts.name, f"{path.stem}-full", whole, 1, powered, {}, "ride", facts.rated_w))
    kept = _kept(facts)
    if kept:
        found.append(Session(facts.name, "current-kept", tuple(kept), 1, powered, {}, "ride", facts.rated_w))
    return found


def _kept(facts: Facts) -> list[Case]:
    """Return the low-voltage regions of mandatory operation, where the current may fall by a fifth at most."""
    cases = []
    for quantity, low, high, least_ms, mode in facts.regions:
        if quantity != "v" or mode != "mandatory" or high / 1000 > facts.nominal_v:
            continue
        volts = low / 1000 + facts.margin_v
        hold_s = min(least_ms / 1000 - HOLD_EARLY_S, KEPT_S)
        if hold_s <= SETTLED_S:
            continue
        moves = (Move(0.1, voltage_v=volts), Move(0.1 + hold_s, voltage_v=facts.nominal_v))
        text = f"{volts:.1f} V for {hold_s:.2f} s at full power: least current, from {SETTLED_S:g} s after the step on"
        watched_ms = 1000 * (hold_s - SETTLED_S)
        case = Case(
            f"RT-I-{volts:.0f}",
            text,
            "current_kept",
            moves,
            hold_s + RECOVER_S,
            0.1 + SETTLED_S,
            KEPT_PERCENT,
            delay_ms=watched_ms,
            setpoint=FULL,
        )
        cases.append(case)
    return cases


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
        # The way through the region counts: a stage may act as soon as its time is over.
        inner = min(high / 1e6, facts.nominal_hz) if hertz < facts.nominal_hz else max(low / 1e6, facts.nominal_hz)
        stay_s = hold_s if mode == "continuous" else hold_s - 2 * abs(hertz - inner) / slope
        moves = (
            Move(0.1, frequency_hz=hertz, ramp_s=ramp_s),
            Move(0.1 + ramp_s + stay_s, frequency_hz=facts.nominal_hz, ramp_s=ramp_s),
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
    if "power_kept" in row:
        watched_ms = 1000 * (now_s - 0.1)
        low = float(row["power_kept"])
        return Case(row["name"], row["text"], "power_kept", tuple(moves), now_s + 1.0, 0.1, low, delay_ms=watched_ms)
    return Case(row["name"], row["text"], "stays", tuple(moves), now_s + 1.0)
