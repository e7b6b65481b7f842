# SPDX-License-Identifier: MIT
"""T-D, frequency: what the unit feeds in or draws at frequencies along the profile's droop, and how soon it answers.

What is expected is worked out here from the profile's start and droop, not asked of the firmware. The frequency goes
slowly, so that no ROCOF element answers instead; a narrow stage in the way is moved aside inside the code's own range.
"""

from __future__ import annotations

import tomllib

from backfeed.checkout import HIL
from hil.evidence.model import IEEE_1547, Case, Facts, Move, Session, joined, quick_ramp
from hil.evidence.rates import WITHSTAND

LFSM_O = HIL / "scenarios" / "grid" / "g98_lfsm_o.toml"
TOLERANCE = 5.0  # % of the rating: IEEE 1547's accuracy of a steady power
LEAD_S = 15.0  # for the ramps of setpoints: 10 s from nothing to everything
HOLD_S = 3.0  # at a level, beside the time that the answer may take
ANSWER_SLACK_MS = 50.0  # a sample of the watch
BASES = (-1.0, -0.66, -0.2)  # of the rating: IEEE 1547.1's 100, 66 and 20 %
IMPORT_BASE = 0.6
PARTS = (0.35, 1.0)  # of the way from the droop's start to where stages leave no more room
QUICK_SHARE = 0.9  # of the ROCOF setting: the quickest change that the code must ride
LIMITS = (-0.66, -0.33, 0.0)  # IEEE 1547.1, limit active power


def sessions(facts: Facts, changes: str) -> list[Session]:
    """Return the session of a profile that answers frequency. changes: waits shortened inside the code's ranges."""
    aside = _aside(facts)
    at = Facts(facts.name, aside) if aside else facts
    cases = [*_over(at), *_under(at), *_listed(at)]
    if facts.name.startswith(IEEE_1547):
        cases += [_limited(at, share) for share in LIMITS]
    if not cases:
        return []
    all_changes = joined(aside, changes, quick_ramp(facts))
    return [Session(facts.name, "droop", tuple(cases), changes=all_changes, kind="droop", rated_w=facts.rated_w)]


def _aside(facts: Facts) -> str:
    """Return changes that move a stage outwards which would act before the droop begins."""
    p, changes = facts.profile, []
    low, high = facts.room_hz
    for key, away, end in (
        ("of1.threshold", p.over_droop_permille and p.over_start_uhz / 1e6 > high, 1),
        ("uf1.threshold", p.under_droop_permille and p.under_start_uhz / 1e6 < low, 0),
    ):
        if away and key in facts.ranges:
            changes.append(f"{key}={facts.ranges[key][end]}")
    return ",".join(changes)


def expected(facts: Facts, base: float, hertz: float) -> float:
    """Return the share of the rating that a profile asks for at a frequency, - = export."""
    p = facts.profile
    share = base
    if p.over_droop_permille and hertz > p.over_start_uhz / 1e6:
        share += (hertz - p.over_start_uhz / 1e6) / (facts.nominal_hz * p.over_droop_permille / 1000)
    elif p.under_droop_permille and hertz < p.under_start_uhz / 1e6:
        moved = (p.under_start_uhz / 1e6 - hertz) / (facts.nominal_hz * p.under_droop_permille / 1000)
        share = max(share - moved, min(base, 0.0)) if p.under_import_only else share - moved
    return min(max(share, -1.0), 1.0)


def _listed(facts: Facts) -> list[Case]:
    """Return the steps of the UK's LFSM-O form, each from where the step before left the frequency."""
    form = tomllib.loads(LFSM_O.read_text(encoding="utf-8"))
    if facts.name not in form["profiles"]:
        return []
    cases = []
    for base in form["bases"]:
        before = facts.nominal_hz
        for k, hertz in enumerate(form["hertz"]):
            ramp_s = abs(hertz - before) / facts.slow_hz_s
            until_s = ramp_s + facts.profile.droop_response_ms / 1000 + HOLD_S
            share = expected(facts, base, hertz)
            low, high = 100 * share - form["tolerance"], 100 * share + form["tolerance"]
            name = f"G98-LFSM-O{100 * base:+.0f}-{k + 1}-{hertz:.2f}"
            text = f"{before:.2f} to {hertz:.2f} Hz from {said(base)}: {said(share)}"
            move = (Move(0.0, frequency_hz=hertz, ramp_s=ramp_s),)
            cases.append(Case(name, text, "power", move, until_s, until_s, low, high, setpoint=base, lead_s=LEAD_S))
            before = hertz
    return cases


def _over(facts: Facts) -> list[Case]:
    p, top = facts.profile, facts.room_hz[1]
    start = p.over_start_uhz / 1e6
    if not p.over_droop_permille or start > top:
        return []
    points = [start - facts.margin_hz, *(start + part * (top - start) for part in PARTS)]
    levels = [_level(facts, "over", base, hertz) for base in BASES for hertz in points]
    return [*levels, _answered(facts, "over", BASES[0], top)]


def _under(facts: Facts) -> list[Case]:
    p, bottom = facts.profile, facts.room_hz[0]
    start = p.under_start_uhz / 1e6
    if not p.under_droop_permille or start < bottom:
        return []
    points = [start + facts.margin_hz, *(start + part * (bottom - start) for part in PARTS)]
    bases = (IMPORT_BASE, BASES[-1])
    levels = [_level(facts, "under", base, hertz) for base in bases for hertz in points]
    return [*levels, _answered(facts, "under", IMPORT_BASE, bottom)]


def _level(facts: Facts, kind: str, base: float, hertz: float) -> Case:
    share = expected(facts, base, hertz)
    ramp_s = abs(hertz - facts.nominal_hz) / facts.slow_hz_s
    until_s = ramp_s + facts.profile.droop_response_ms / 1000 + HOLD_S
    moves = (
        Move(0.0, frequency_hz=hertz, ramp_s=ramp_s),
        Move(until_s, frequency_hz=facts.nominal_hz, ramp_s=ramp_s),
    )
    text = f"{hertz:.2f} Hz from {said(base)}: {said(share)}"
    end_s = until_s + ramp_s + facts.profile.droop_response_ms / 1000 + 0.5
    low, high = 100 * share - TOLERANCE, 100 * share + TOLERANCE
    name = f"T-D-{kind}{100 * base:+.0f}-{hertz:.2f}"
    return Case(name, text, "power", moves, end_s, until_s, low, high, setpoint=base, lead_s=LEAD_S)


def _answered(facts: Facts, kind: str, base: float, hertz: float) -> Case:
    slope = QUICK_SHARE * facts.rocof_hz_s or WITHSTAND.get(facts.name, (1.0, 0.0))[0]
    since_s = abs(hertz - facts.nominal_hz) / slope
    limit_ms = float(facts.profile.droop_response_ms)
    hold_ms = limit_ms + 1000 * HOLD_S
    until_s = since_s + hold_ms / 1000
    moves = (
        Move(0.0, frequency_hz=hertz, ramp_s=since_s),
        Move(until_s, frequency_hz=facts.nominal_hz, ramp_s=since_s),
    )
    text = (
        f"from {said(base)} to {hertz:.2f} Hz at {slope:.3g} Hz/s: nine tenths of the answer once the frequency stands"
    )
    end_s = until_s + since_s + limit_ms / 1000 + 0.5
    return Case(
        f"T-D-{kind}-time",
        text,
        "power_answers",
        moves,
        end_s,
        since_s,
        None,
        limit_ms + ANSWER_SLACK_MS,
        delay_ms=hold_ms,
        setpoint=base,
        lead_s=LEAD_S,
    )


def _limited(facts: Facts, share: float) -> Case:
    text = f"export limited to {abs(100 * share):.0f} %, from 100 %: {said(share)} within 30 s"
    low, high = 100 * share - TOLERANCE, 100 * share + TOLERANCE
    return Case(
        f"T-D-limit-{abs(100 * share):.0f}", text, "power", (), 2.0, 2.0, low, high, setpoint=share, lead_s=LEAD_S
    )


def said(share: float) -> str:
    """Return a share of the rating in words."""
    if abs(share) < 0.0005:
        return "nothing"
    return f"{'export' if share < 0 else 'import'} of {abs(100 * share):.3g} %"
