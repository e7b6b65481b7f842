# SPDX-License-Identifier: MIT
"""T-N: after a trip nothing closes outside the window or before the wait; a glitch restarts the wait; then a ramp."""

from __future__ import annotations

from hil.evidence.model import Case, Facts, Move, Session, Stage

SHORT_WAIT_MS = 20_000  # waits are shortened to this where the code's own range allows it
CLOSING_S = 4.0  # pilot, vehicle and contactor sequence after the wait
OFF_EXTRA_S = 3.0
GLITCH_S, GLITCH_EARLY_S = 0.1, 0.1
RAMP_W = 2500  # rating of the ramp's session, all of which is exported: one phase of 100 V can carry it


def shortened(facts: Facts) -> str:
    """Return changes that shorten the waits as far as the code allows, to SHORT_WAIT_MS."""
    changes = []
    for key in ("enter_wait_ms", "first_wait_ms"):
        low, high = facts.ranges.get(key, (0, -1))
        wait_ms = max(low, SHORT_WAIT_MS)
        if low <= wait_ms <= high and wait_ms < getattr(facts.profile, key):
            changes.append(f"{key}={wait_ms}")
    return ",".join(changes)


def sessions(facts: Facts) -> list[Session]:
    """Return the reconnection cases and the ramp's."""
    changes = shortened(facts)
    at = Facts(facts.name, changes)
    found = [Session(facts.name, "reconnect", tuple(_reconnect(at)), changes=changes, kind="reconnect")]
    if at.profile.enter_ramp_permille_min:
        rating = {"export_rating_w": RAMP_W, "import_rating_w": RAMP_W}
        found.append(Session(facts.name, "ramp", tuple(_ramp(at)), changes=changes, settings=rating, kind="reconnect"))
    return found


def _quickest(facts: Facts) -> Stage:
    """Return the voltage stage that acts first."""
    return min((stage for stage in facts.stages if stage.of_voltage), key=lambda stage: stage.relay_ms)


def first_trip(facts: Facts) -> Case:
    """Return the trip that a reconnection begins with: the quickest voltage stage."""
    stage = _quickest(facts)
    text = f"{stage.beyond:.1f} V: trips, so that reconnection can be tried"
    end_s = 0.1 + stage.relay_ms / 1000 + 0.5
    moves = (Move(0.1, voltage_v=stage.beyond),)
    return Case("T-N-trip", text, "opens", moves, end_s, 0.1, stage.relay_ms, stage.latest_ms, "", 0, stage.relay_ms)


def _off(facts: Facts) -> list[Case]:
    """Return a stay just outside each edge of the window, and on a dead bus."""
    p = facts.profile
    wait_s = p.enter_wait_ms / 1000 + OFF_EXTRA_S
    edges = (
        ("low-voltage", p.enter_low_mv / 1000 - facts.margin_v, facts.nominal_hz),
        ("high-voltage", p.enter_high_mv / 1000 + facts.margin_v, facts.nominal_hz),
        ("low-frequency", facts.nominal_v, p.enter_low_uhz / 1e6 - facts.margin_hz),
        ("high-frequency", facts.nominal_v, p.enter_high_uhz / 1e6 + facts.margin_hz),
        ("dead-bus", 0.0, facts.nominal_hz),
    )
    return [
        Case(
            f"T-N-off-{name}",
            f"{volts:.1f} V, {hertz:.2f} Hz for {wait_s:g} s after the trip: stays off",
            "off",
            (Move(0.0, voltage_v=volts, frequency_hz=hertz),),
            wait_s,
        )
        for name, volts, hertz in edges
    ]


def _reconnect(facts: Facts) -> list[Case]:
    p = facts.profile
    wait_s = p.enter_wait_ms / 1000
    good_s = max(wait_s - GLITCH_EARLY_S, 0.2)
    outside_v = p.enter_low_mv / 1000 - facts.margin_v
    glitch_end_s = good_s + GLITCH_S
    glitch = Case(
        "T-N-1",
        f"healthy for {good_s:g} s, {outside_v:.1f} V for {GLITCH_S} s, healthy again: waits {wait_s:g} s from there",
        "closes",
        (
            Move(0.0, voltage_v=facts.nominal_v, frequency_hz=facts.nominal_hz),
            Move(good_s, voltage_v=outside_v),
            Move(glitch_end_s, voltage_v=facts.nominal_v),
        ),
        glitch_end_s + wait_s + p.enter_random_ms / 1000 + CLOSING_S,
        glitch_end_s,
        wait_s * 1000,
        (wait_s + CLOSING_S) * 1000 + p.enter_random_ms,
    )
    return [first_trip(facts), *_off(facts), glitch]


def _ramp(facts: Facts) -> list[Case]:
    p = facts.profile
    wait_s = p.enter_wait_ms / 1000
    full_s = 60_000 / p.enter_ramp_permille_min
    share = p.enter_ramp_permille_min / 10
    return [
        first_trip(facts),
        Case(
            "T-N-2",
            f"export rises by {share:g} % of rating a minute at most, and gets there: greatest excess",
            "ramps",
            (Move(0.0, voltage_v=facts.nominal_v),),
            wait_s + CLOSING_S + full_s * 1.05 + 10,
            0.0,
            None,
            1.0,
            delay_ms=full_s * 1000,
        ),
    ]
