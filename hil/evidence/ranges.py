# SPDX-License-Identifier: MIT
"""T-V and T-F at the ends of what a code lets an installer set: each adjustable stage at its lowest and highest value.

IEEE 1547.1 asks for both ends of value and time. A stage cannot act beyond a quicker neighbour, so its value stops
short of that one; a time is set to no more than LONGEST_MS, which the report shows as the change in force.
"""

from __future__ import annotations

from dataclasses import replace

from hil.evidence.model import Facts, Session, Stage, firmware, joined
from hil.evidence.stages import neighbours_changed, tripped

LONGEST_MS = 30_000
APART = 3.0  # test margins between a stage and a quicker neighbour
LEAST_SHARE = 0.22  # of nominal voltage: below it no frequency is believed, and an inverter cannot run


def sessions(facts: Facts, changes: str) -> list[Session]:
    """Return a session for each end of each adjustable stage. changes: waits shortened inside the code's ranges."""
    found = []
    for stage in facts.stages:
        for end, name in ((0, "lowest"), (1, "highest")):
            wish = _wish(facts, stage, end)
            if wish:
                session = _session(facts, stage.element, name, wish, changes)
                found += [session] if session else []
    return found


def _wish(facts: Facts, stage: Stage, end: int) -> dict[str, int]:
    """Return the changes that take a stage to an end of its ranges, as far as its neighbours leave room."""
    changes = {}
    key = f"{stage.element}.delay_ms"
    if key in facts.ranges:
        low, high = facts.ranges[key]
        changes[key] = low if end == 0 else max(low, min(high, LONGEST_MS))
    key = f"{stage.element}.threshold"
    if key in facts.ranges:
        scale = 1000 if stage.of_voltage else 1_000_000
        value = facts.ranges[key][end] / scale
        changes[key] = round(_kept_inside(facts, stage, value, changes) * scale)
        low, high = facts.ranges[key]
        if not low <= changes[key] <= high:
            return {}
    return changes


def _kept_inside(facts: Facts, stage: Stage, value: float, changes: dict[str, int]) -> float:
    """Return the value, drawn inside those neighbours that would act sooner."""
    delay_ms = changes.get(f"{stage.element}.delay_ms", stage.relay_ms)
    gap = APART * stage.margin
    for other in facts.stages:
        same = other.of_voltage == stage.of_voltage and other.over == stage.over
        if same and other.element != stage.element and other.relay_ms <= delay_ms + 150:
            value = min(value, other.threshold - gap) if stage.over else max(value, other.threshold + gap)
    if stage.of_voltage and not stage.over:
        value = max(value, LEAST_SHARE * facts.nominal_v)
    nominal = facts.nominal_v if stage.of_voltage else facts.nominal_hz
    return max(value, nominal + gap) if stage.over else min(value, nominal - gap)


def _session(facts: Facts, element: str, name: str, wish: dict[str, int], waits: str) -> Session | None:
    """Return the session of one end; None where the code's relations or a quicker neighbour leave no room for it."""
    own = [f"{key}={value}" for key, value in wish.items()]
    others = ""
    at = _allowed(facts, own)
    if at:
        others = neighbours_changed(at, _named(at, element))
        at = _allowed(facts, [*own, others])
    if not at:
        return None
    stage = _named(at, element)
    reached = at.reaching(stage.beyond, stage.of_voltage)
    if any(row.element != element and row.relay_ms <= stage.relay_ms for row in reached):
        return None
    trip = tripped(at, stage)
    case = replace(trip, name=f"{trip.name}-{name}", text=f"set to its {name}: {trip.text}")
    changes = joined(*own, others, waits)
    return Session(facts.name, f"{element}-{name}", (case,), changes=changes, kind="ranges")


def _allowed(facts: Facts, changes: list[str]) -> Facts | None:
    """Return the profile with changes, or None where its relations forbid them."""
    try:
        return Facts(facts.name, joined(*changes))
    except firmware("evse.profiles.loader").ProfileError:
        return None


def _named(facts: Facts, element: str) -> Stage:
    return next(row for row in facts.stages if row.element == element)
