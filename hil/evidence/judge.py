# SPDX-License-Identifier: MIT
"""Turns what was watched into one measured value with its bounds. Contact bounce on closing counts as one closing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from backfeed.report.model import Check
from hil.evidence.model import Case
from hil.evidence.watch import Watch

BOUNCE_US = 5_000
REACHED_SHARE = 0.95


@dataclass
class Span:
    """A played case: its start and end in us, the last trip record of the firmware, the rating in W."""

    start_us: int
    end_us: int
    trip: dict[str, Any] = field(default_factory=dict)  # element, phase
    rating_w: float = 0.0
    cease_us: int = 0  # when the current ended, looked at before it came back


Measured = tuple[float | None, str, float | None, float | None, str]  # value, unit, low, high, why


def check(case: Case, span: Span, watch: Watch) -> Check:
    """Return the case's check."""
    value, unit, low, high, why = JUDGES[case.judge](case, span, watch)
    return Check(case.name, case.text, None if why else value, unit, low, high, why)


def _real_openings(span: Span, watch: Watch) -> list[int]:
    """Return the openings that are no bounce of a closing."""
    return [
        t_us
        for t_us in watch.openings(span.start_us, span.end_us)
        if not any(0 <= t_us - closed_us <= BOUNCE_US for closed_us in watch.closed_us)
    ]


def _stays(case: Case, span: Span, watch: Watch) -> Measured:
    return float(len(_real_openings(span, watch))), "openings", None, 0.0, ""


def _opens(case: Case, span: Span, watch: Watch) -> Measured:
    since_us = span.start_us + round(case.since_s * 1e6)
    openings = _real_openings(span, watch)
    if not openings:
        return None, "ms", case.low, case.high, "never opened"
    value = (openings[0] - since_us) / 1000
    element, phase = span.trip.get("element", ""), span.trip.get("phase", 0)
    why = ""
    if case.element and element != case.element:
        why = f"opened after {value:.1f} ms by {element or 'no element'}, not by {case.element}"
    elif case.phase and phase != case.phase:
        why = f"opened after {value:.1f} ms naming L{phase}, not L{case.phase}"
    return value, "ms", case.low, case.high, why


def _off(case: Case, span: Span, watch: Watch) -> Measured:
    return float(len(watch.closings(span.start_us, span.end_us))), "closings", None, 0.0, ""


def _closes(case: Case, span: Span, watch: Watch) -> Measured:
    since_us = span.start_us + round(case.since_s * 1e6)
    closings = watch.closings(span.start_us, span.end_us)
    if not closings:
        return None, "ms", case.low, case.high, "never closed"
    return (closings[0] - since_us) / 1000, "ms", case.low, case.high, ""


def _ramps(case: Case, span: Span, watch: Watch) -> Measured:
    closings = watch.closings(span.start_us, span.end_us)
    if not closings:
        return None, "% of rating", None, case.high, "never closed"
    full_us = case.delay_ms * 1000
    excess, reached = -100.0, 0.0
    for t_us, power_w in watch.power:
        if closings[0] <= t_us <= span.end_us:
            share = abs(power_w) / span.rating_w
            excess = max(excess, 100 * (share - min((t_us - closings[0]) / full_us, 1.0)))
            reached = max(reached, share)
    why = "" if reached >= REACHED_SHARE else f"power reached only {100 * reached:.0f} % of the rating"
    return excess, "% of rating", None, case.high, why


def _ceases(case: Case, span: Span, watch: Watch) -> Measured:
    since_us = span.start_us + round(case.since_s * 1e6)
    if _real_openings(span, watch):
        return None, "ms", case.low, case.high, "the contactor opened"
    back = [abs(power_w) for t_us, power_w in watch.power if span.end_us - 200_000 <= t_us <= span.end_us]
    if not back or max(back) < 0.02 * span.rating_w:
        return None, "ms", case.low, case.high, "power did not come back afterwards"
    why = "" if span.cease_us > since_us else "no current flowed before the step"
    return (span.cease_us - since_us) / 1000, "ms", case.low, case.high, why


JUDGES: dict[str, Callable[[Case, Span, Watch], Measured]] = {
    "stays": _stays,
    "opens": _opens,
    "off": _off,
    "closes": _closes,
    "ramps": _ramps,
    "ceases": _ceases,
}
# Whether a case begins in service (contactor closed) or not.
BEGINS_CLOSED = {"stays": True, "opens": True, "ceases": True, "off": False, "closes": False, "ramps": False}
