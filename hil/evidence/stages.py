# SPDX-License-Identifier: MIT
"""T-V and T-F: every stage of a profile, by its threshold on either side and by its time on either side.

Voltage stages are met by a step from nominal; frequency stages by a slow ramp to the inner side of the threshold and
a step across it, so that no ROCOF element answers instead. A stage whose neighbour acts sooner at the same value is
shown with the neighbour changed, inside the code's own range.
"""

from __future__ import annotations

from hil.evidence.model import Case, Facts, Move, Recorded, Session, Stage

LEVEL_EXTRA_S = 0.5  # a level hold lasts this much longer than the delay ...
LEVEL_MOST_S = 25.0  # ... but not longer than this: a value that does not pick up in that time never does
NEIGHBOUR_S = 0.08  # a neighbouring stage's timer may start this much before or after the step
SETTLE_S = 0.15
HOLD_EARLY_S = 0.05  # T-V, T-F: an excursion ends this long before the delay
DEAD_V = 0.0


def sessions(facts: Facts) -> list[Session]:
    """Return one session a stage: level, time, trip; and for the outermost a step far beyond."""
    found = []
    for stage in facts.stages:
        changes = neighbours_changed(facts, stage)
        at = Facts(facts.name, changes) if changes else facts
        mine = next(row for row in at.stages if row.element == stage.element)
        cases = [case for case in (level(at, mine), held(at, mine), tripped(at, mine)) if case is not None]
        found.append(Session(facts.name, stage.element, tuple(cases), changes=changes, kind="stages"))
    return found + [far(facts, kind) for kind in ("uv", "ov")] + mean(facts)


def neighbours_changed(facts: Facts, stage: Stage) -> str:
    """Return changes that slow a neighbour down which would act first at this stage's own value."""
    changes = []
    for other in facts.reaching(stage.beyond, stage.of_voltage):
        key = f"{other.element}.delay_ms"
        too_soon = other.relay_ms < approach_s(facts, stage) * 1000 + stage.relay_ms + 150
        if other.element != stage.element and too_soon and key in facts.ranges:
            changes.append(f"{key}={facts.ranges[key][1]}")
    return ",".join(changes)


def approach_s(facts: Facts, stage: Stage) -> float:
    """Return how long the frequency is beyond the nearer neighbours on its way to this stage."""
    if stage.of_voltage:
        return 0.0
    nearer = [row.threshold for row in facts.reaching(stage.inside, False) if row.element != stage.element]
    first = (min(nearer) if stage.over else max(nearer)) if nearer else stage.inside
    return abs(stage.inside - first) / facts.slow_hz_s + SETTLE_S


def approach(facts: Facts, stage: Stage) -> tuple[list[Move], float]:
    """Return the moves to just before the threshold, and when they are done."""
    if stage.of_voltage:
        return [], 0.1
    ramp_s = abs(stage.inside - facts.nominal_hz) / facts.slow_hz_s
    return [Move(0.0, frequency_hz=stage.inside, ramp_s=ramp_s)], ramp_s + SETTLE_S


def to(stage: Stage, at_s: float, value: float, ramp_s: float = 0.0) -> Move:
    """Return the move to a value of the stage's quantity."""
    if stage.of_voltage:
        return Move(at_s, voltage_v=value, ramp_s=ramp_s)
    return Move(at_s, frequency_hz=value, ramp_s=ramp_s)


def back(facts: Facts, stage: Stage, at_s: float) -> tuple[list[Move], float]:
    """Return the moves back to nominal, and when the grid is quiet again."""
    if stage.of_voltage:
        return [to(stage, at_s, facts.nominal_v)], at_s + 1.0
    ramp_s = abs(stage.inside - facts.nominal_hz) / facts.slow_hz_s
    inside = to(stage, at_s, stage.inside)
    return [inside, to(stage, at_s + SETTLE_S, facts.nominal_hz, ramp_s)], at_s + SETTLE_S + ramp_s + 1.0


def level(facts: Facts, stage: Stage) -> Case | None:
    """Return the hold just inside the threshold; None where a neighbour acts before the delay is over."""
    spare_s = [row.relay_ms / 1000 - NEIGHBOUR_S for row in facts.reaching(stage.inside, stage.of_voltage)]
    wish_s = min(stage.relay_ms / 1000 + LEVEL_EXTRA_S, LEVEL_MOST_S)
    hold_s = min([wish_s, *(spare - 2 * approach_s(facts, stage) for spare in spare_s)])  # there and back
    if hold_s < min(wish_s, stage.relay_ms / 1000 + 0.05):
        return None
    moves, at_s = approach(facts, stage)
    returned, end_s = back(facts, stage, at_s + hold_s)
    text = f"{stage.inside:.2f} {stage.unit} for {hold_s:.2f} s, inside {stage.element} {stage.threshold:g}: stays"
    begin = [to(stage, at_s, stage.inside)]
    return Case(code(stage, "level"), text, "stays", (*moves, *begin, *returned), end_s)


def held(facts: Facts, stage: Stage) -> Case:
    """Return the excursion beyond the threshold that ends before the delay."""
    hold_s = max(stage.relay_ms / 1000 - HOLD_EARLY_S, stage.relay_ms / 2000)
    moves, at_s = approach(facts, stage)
    returned, end_s = back(facts, stage, at_s + hold_s)
    text = f"{stage.beyond:.2f} {stage.unit} for {hold_s:.3f} s of {stage.element}'s {stage.relay_ms / 1000:g} s: stays"
    return Case(code(stage, "time"), text, "stays", (*moves, to(stage, at_s, stage.beyond), *returned), end_s)


def tripped(facts: Facts, stage: Stage) -> Case:
    """Return the excursion that must open the contactor after the delay."""
    moves, at_s = approach(facts, stage)
    text = f"{stage.beyond:.2f} {stage.unit} lasting: {stage.element} opens the contactor"
    return Case(
        code(stage, "trip"),
        text,
        "opens",
        (*moves, to(stage, at_s, stage.beyond)),
        at_s + stage.relay_ms / 1000 + 0.5,
        at_s,
        stage.relay_ms,
        stage.latest_ms,
        stage.element,
        delay_ms=stage.relay_ms,
        recorded=stage.recorded(stage.beyond),
    )


def code(stage: Stage, what: str) -> str:
    """Return a case's name: T-V-ov1-trip."""
    return f"T-{'V' if stage.of_voltage else 'F'}-{stage.element}-{what}"


def far(facts: Facts, kind: str) -> Session:
    """Return a step far beyond every stage of a kind: a dead bus, or 8 % above the highest threshold."""
    rows = [stage for stage in facts.stages if stage.element.startswith(kind)]
    volts = DEAD_V if kind == "uv" else max(stage.threshold for stage in rows) * 1.08
    first = min(rows, key=lambda stage: stage.relay_ms)
    text = f"{volts:.1f} V at once: {first.element} opens the contactor"
    moves = (Move(0.1, voltage_v=volts),)
    end_s = 0.6 + first.relay_ms / 1000
    element = "" if sum(row.relay_ms == first.relay_ms for row in rows) > 1 else first.element
    case = Case(
        f"T-V-{kind}-far", text, "opens", moves, end_s, 0.1, first.relay_ms, first.latest_ms, element, 0, first.relay_ms
    )
    return Session(facts.name, f"{kind}-far", (case,), kind="stages")


def mean(facts: Facts) -> list[Session]:
    """Return the 10-minute mean: 1 V below the limit for a whole window; above it, at the instant that it passes."""
    limit_v = facts.profile.mean_mv / 1000
    if not limit_v:
        return []
    changes = ""
    if "ov1.threshold" in facts.ranges and facts.reaching(limit_v + 2 * facts.margin_v, True):
        other = min(row.threshold for row in facts.stages if row.element == "ov2")
        changes = f"ov1.threshold={round((other - 0.1) * 1000)}"
    at = Facts(facts.name, changes) if changes else facts
    ceiling_v = min(row.threshold for row in at.stages if row.over and row.of_voltage)
    volts = (limit_v + ceiling_v) / 2
    share = (limit_v**2 - facts.nominal_v**2) / (volts**2 - facts.nominal_v**2)
    below = Case(
        "T-V-ov_mean-level",
        f"{limit_v - 1:.1f} V for 620 s, below the mean's {limit_v:g} V: stays",
        "stays",
        (Move(0.1, voltage_v=limit_v - 1), Move(620.1, voltage_v=facts.nominal_v)),
        622.0,
    )
    text = f"{volts:.1f} V: the 10-minute mean passes {limit_v:g} V after {600 * share:.1f} s"
    # One slot late at most; one early, as the slot under way at the step counts whole.
    low_ms, high_ms = 600e3 * share - 2500, 600e3 * share + 3000
    above = Case(
        "T-V-ov_mean-trip",
        text,
        "opens",
        (Move(0.1, voltage_v=volts),),
        0.1 + high_ms / 1000 + 1,
        0.1,
        low_ms,
        high_ms,
        "ov_mean",
        recorded=Recorded(limit_v, facts.margin_v / 2, limit_v),
    )
    return [
        Session(facts.name, "ov_mean-level", (below,), changes=changes, kind="stages"),
        Session(facts.name, "ov_mean-trip", (above,), changes=changes, kind="stages"),
    ]
