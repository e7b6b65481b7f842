# SPDX-License-Identifier: MIT
"""Turns what was watched into one measured value with its bounds. Contact bounce on closing counts as one closing."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from backfeed.report.model import Check
from hil.evidence.model import Case
from hil.evidence.watch import Sample, Watch

BOUNCE_US = 5_000
REACHED_SHARE = 0.95
ANSWERED_SHARE = 0.9  # IEEE 1547: the open-loop response time ends there
LEAST_CHANGE = 0.02  # of the rating: less is no answer, and no power
SHOWN_SHARE = 0.25  # of a record's tolerance: what the decimals of the list of trips cut off
LEVEL_US = 1_000_000  # a level is the mean of so long: five periods of the quiet square of anti-islanding


class Trip(NamedTuple):
    """The firmware's own record of a trip, in V, Hz or the element's unit. phase: 0 = none or all."""

    element: str
    phase: int
    value: float
    limit: float


@dataclass
class Span:
    """A played case: its start and end in us, the last trip record of the firmware, the rating in W."""

    start_us: int
    end_us: int
    trip: Trip | None = None
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
    wrong = _wrongly_recorded(case, span.trip)
    return value, "ms", case.low, case.high, f"opened after {value:.1f} ms {wrong}" if wrong else ""


def _wrongly_recorded(case: Case, trip: Trip | None) -> str:
    """Return what the firmware's record of a trip says otherwise than the case, or ""."""
    if trip is None:
        return "without a record of a trip"
    if case.element and trip.element != case.element:
        return f"by {trip.element}, not by {case.element}"
    if case.phase and trip.phase != case.phase:
        return f"naming L{trip.phase}, not L{case.phase}"
    if case.recorded and abs(trip.limit - case.recorded.limit) > SHOWN_SHARE * case.recorded.tolerance:
        return f"recording the limit {trip.limit:g}, not {case.recorded.limit:g}"
    if case.recorded and abs(trip.value - case.recorded.value) > case.recorded.tolerance:
        return f"recording {trip.value:g}, not {case.recorded.value:g}"
    return ""


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
    return _rise(case, span, watch, closings[0])


def _rises(case: Case, span: Span, watch: Watch) -> Measured:
    """Judge the ramp of a closing before the case."""
    if _real_openings(span, watch):
        return None, "% of rating", None, case.high, "the contactor opened"
    return _rise(case, span, watch, watch.closings(0, span.end_us)[-1])


def _rise(case: Case, span: Span, watch: Watch, closed_us: int) -> Measured:
    full_us = case.delay_ms * 1000
    excess, reached = -100.0, 0.0
    for sample in watch.between(closed_us, span.end_us):
        share = abs(sample.power_w) / span.rating_w
        excess = max(excess, 100 * (share - min((sample.t_us - closed_us) / full_us, 1.0)))
        reached = max(reached, share)
    why = "" if reached >= REACHED_SHARE else f"power reached only {100 * reached:.0f} % of the rating"
    return excess, "% of rating", None, case.high, why


def _ceases(case: Case, span: Span, watch: Watch) -> Measured:
    since_us = span.start_us + round(case.since_s * 1e6)
    if _real_openings(span, watch):
        return None, "ms", case.low, case.high, "the contactor opened"
    back = [abs(sample.power_w) for sample in watch.between(span.end_us - 200_000, span.end_us)]
    if not back or max(back) < LEAST_CHANGE * span.rating_w:
        return None, "ms", case.low, case.high, "power did not come back afterwards"
    why = "" if span.cease_us > since_us else "no current flowed before the step"
    return (span.cease_us - since_us) / 1000, "ms", case.low, case.high, why


def _ends(case: Case, span: Span, watch: Watch) -> Measured:
    """Return how long current flowed after the mains were lost; the contactor must be open in the end."""
    run_on_ms = (span.cease_us - span.start_us) / 1000 - case.since_s * 1000
    why = (
        "" if _real_openings(span, watch) else f"current flowed for {run_on_ms:.0f} ms, and the contactor stays closed"
    )
    return max(run_on_ms, 0.0), "ms", case.low, case.high, why


Quantity = Callable[[Sample], float]


def _power(sample: Sample) -> float:
    return sample.power_w


def _reactive(sample: Sample) -> float:
    return sample.reactive_var


def _current(sample: Sample) -> float:
    return abs(sample.power_w) / max(sample.voltage_v, 1.0)


def _level(quantity: Quantity, case: Case, span: Span, watch: Watch) -> Measured:
    """Return the mean over the last LEVEL_US before since_s, in % of rating."""
    if _real_openings(span, watch):
        return None, "% of rating", case.low, case.high, "the contactor opened"
    until_us = span.start_us + round(case.since_s * 1e6)
    value = _mean(quantity, watch, until_us - LEVEL_US, until_us)
    return 100 * value / span.rating_w, "% of rating", case.low, case.high, ""


def _answer(quantity: Quantity, case: Case, span: Span, watch: Watch) -> Measured:
    """Return how long after since_s nine tenths of the change, which begins with the first move, were done."""
    if _real_openings(span, watch):
        return None, "ms", case.low, case.high, "the contactor opened"
    since_us = span.start_us + round(case.since_s * 1e6)
    until_us = since_us + round(case.delay_ms * 1000)
    moved_us = span.start_us + round(case.moves[0].at_s * 1e6)
    before = _mean(quantity, watch, moved_us - LEVEL_US, moved_us)
    after = _mean(quantity, watch, until_us - LEVEL_US, until_us)
    if abs(after - before) < LEAST_CHANGE * span.rating_w:
        return None, "ms", case.low, case.high, f"it went from {before:.0f} to {after:.0f} only"
    for sample in watch.between(moved_us, until_us):
        if (quantity(sample) - before) / (after - before) >= ANSWERED_SHARE:
            return max((sample.t_us - since_us) / 1000, 0.0), "ms", case.low, case.high, ""
    return None, "ms", case.low, case.high, "no answer"


def _kept(quantity: Quantity, case: Case, span: Span, watch: Watch) -> Measured:
    """Return the least between since_s and delay_ms later, in % of what it was before the case."""
    if _real_openings(span, watch):
        return None, "% of before", case.low, case.high, "the contactor opened"
    since_us = span.start_us + round(case.since_s * 1e6)
    before = abs(_mean(quantity, watch, span.start_us - LEVEL_US, span.start_us))
    if abs(_mean(_power, watch, span.start_us - LEVEL_US, span.start_us)) < LEAST_CHANGE * span.rating_w:
        return None, "% of before", case.low, case.high, "nothing flowed before"
    least = min(abs(quantity(sample)) for sample in watch.between(since_us, since_us + case.delay_ms * 1000))
    return 100 * least / before, "% of before", case.low, case.high, ""


def _mean(quantity: Quantity, watch: Watch, from_us: int, to_us: int) -> float:
    return statistics.fmean(quantity(sample) for sample in watch.between(from_us, to_us))


JUDGES: dict[str, Callable[[Case, Span, Watch], Measured]] = {
    "stays": _stays,
    "opens": _opens,
    "off": _off,
    "closes": _closes,
    "ramps": _ramps,
    "rises": _rises,
    "ceases": _ceases,
    "ends": _ends,
    "power": partial(_level, _power),
    "reactive": partial(_level, _reactive),
    "power_answers": partial(_answer, _power),
    "reactive_answers": partial(_answer, _reactive),
    "power_kept": partial(_kept, _power),
    "current_kept": partial(_kept, _current),
}
# Those that begin before the contactor closed; all others begin in service.
BEGIN_OPEN = ("off", "closes", "ramps")
BEGINS_CLOSED = {name: name not in BEGIN_OPEN for name in JUDGES}
# Those after which it is open.
LEAVE_OPEN = ("off", "opens", "ends")
# Those that need the power asked for to flow before they begin.
NEED_POWER = ("ceases", "power", "reactive", "power_answers", "reactive_answers", "power_kept", "current_kept")
