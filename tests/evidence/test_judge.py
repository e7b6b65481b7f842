# SPDX-License-Identifier: MIT
"""Each judge of the evidence passes what holds and refuses what does not, on histories written by hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest

from backfeed.report.model import Check
from hil.evidence.judge import BEGINS_CLOSED, JUDGES, Span, Trip, check
from hil.evidence.model import Case, Move, Recorded
from hil.evidence.watch import SAMPLE_US, Sample, Watch

RATING_W = 10_000.0
START_US, END_US = 10_000_000, 20_000_000
RIGHT = Trip("ov2", 2, 275.7, 273.7)
EXPORT = (START_US - 2_000_000, -RATING_W)  # from before the case on


def powered(*steps: tuple[int, float], volts: float = 230.0) -> list[Sample]:
    """Return samples to the case's end of a power that steps to each value at its instant (us, W); var: minus half."""
    samples, left = [], list(steps)
    power_w = 0.0
    for t_us in range(steps[0][0], END_US + 1, SAMPLE_US):
        while left and left[0][0] <= t_us:
            power_w = left.pop(0)[1]
        samples.append(Sample(t_us, power_w, -power_w / 2, volts))
    return samples


def judged(
    judge: str,
    opened: Iterable[int] = (),
    closed: Iterable[int] = (0,),
    samples: list[Sample] | None = None,
    trip: Trip | None = RIGHT,
    cease_us: int = 0,
    **case: object,
) -> Check:
    """Judge a case of 10 s whose times count from 1 s after its start; instants in us."""
    watch = Watch(SimpleNamespace(truth=SimpleNamespace(contactor_closed=True)))
    watch.opened_us, watch.closed_us, watch.samples = list(opened), list(closed), samples or []
    span = Span(START_US, END_US, trip, RATING_W, cease_us)
    given = {"moves": (Move(1.0),), "since_s": 1.0, **case}
    return check(Case("T", "", judge, duration_s=10.0, **given), span, watch)


def after(ms: float) -> int:
    """Return the instant so long after the one that times count from."""
    return START_US + 1_000_000 + round(ms * 1000)


def test_staying_is_no_opening_but_the_bounce_of_a_closing() -> None:
    assert judged("stays", high=0.0).passed
    assert judged("stays", opened=[after(5)], closed=[after(0)], high=0.0).passed
    late = judged("stays", opened=[after(6)], closed=[after(0)], high=0.0)
    assert (late.passed, late.value) == (False, 1)


def test_opening_counts_from_the_step_and_names_element_and_phase() -> None:
    bounds = {"low": 500.0, "high": 600.0, "element": "ov2", "phase": 2}
    for ms, passed in ((500, True), (600, True), (499.9, False), (600.1, False)):
        assert judged("opens", opened=[after(ms)], **bounds).passed == passed, ms
    assert judged("opens", **bounds).why == "never opened"


def test_the_firmwares_record_of_a_trip_must_be_right() -> None:
    bounds = {"low": 500.0, "high": 600.0, "element": "ov2", "phase": 2, "recorded": Recorded(275.7, 1.0, 273.7)}
    for trip, wrong in (
        (RIGHT, ""),
        (RIGHT._replace(value=274.8, limit=273.6), ""),
        (RIGHT._replace(element="ov1"), "by ov1, not by ov2"),
        (RIGHT._replace(phase=1), "naming L1, not L2"),
        (RIGHT._replace(limit=262.2), "recording the limit 262.2, not 273.7"),
        (RIGHT._replace(value=230.0), "recording 230, not 275.7"),
        (None, "without a record of a trip"),
    ):
        found = judged("opens", opened=[after(550)], trip=trip, **bounds)
        assert found.passed == (not wrong) and found.why.endswith(wrong)


def test_off_is_no_closing() -> None:
    assert judged("off", closed=[], high=0.0).passed
    assert not judged("off", closed=[after(0)], high=0.0).passed


def test_closing_neither_early_nor_late_nor_never() -> None:
    for closed, passed in (([after(2000)], True), ([after(1900)], False), ([after(2600)], False), ([], False)):
        assert judged("closes", closed=closed, low=1970.0, high=2500.0).passed == passed
    assert not judged("closes", closed=[after(-1), after(2000)], low=1970.0, high=2500.0).passed, "closed before"


@pytest.mark.parametrize("judge", ["ramps", "rises"])
def test_a_ramp_is_never_exceeded_and_gets_there(judge: str) -> None:
    closed_us = after(0)

    def ramp(full_s: float, most: float = 1.0) -> list[Sample]:
        times = range(closed_us, END_US + 1, SAMPLE_US)
        return [Sample(t, -RATING_W * min((t - closed_us) / 1e6 / full_s, most), 0.0, 230.0) for t in times]

    def of(samples: list[Sample], **more: object) -> Check:
        return judged(judge, closed=[closed_us], samples=samples, high=1.0, delay_ms=5000.0, **more)

    assert of(ramp(5.0)).passed and of(ramp(8.0)).passed
    assert not of(ramp(4.8)).passed, "4 % above at the end"
    assert "only 90 %" in of(ramp(5.0, 0.9)).why


def test_a_ramp_needs_its_closing_and_no_opening() -> None:
    assert judged("ramps", closed=[], high=1.0, delay_ms=5000.0).why == "never closed"
    assert judged("rises", opened=[after(100)], high=1.0, delay_ms=5000.0).why == "the contactor opened"


def test_a_cessation_ends_the_current_in_time_and_gives_it_back() -> None:
    samples = powered(EXPORT)
    bounds = {"low": 0.0, "high": 160.0, "samples": samples}
    assert judged("ceases", cease_us=after(160), **bounds).passed
    assert not judged("ceases", cease_us=after(161), **bounds).passed
    assert judged("ceases", cease_us=after(-1), **bounds).why == "no current flowed before the step"
    assert judged("ceases", cease_us=after(100), opened=[after(90)], **bounds).why == "the contactor opened"
    bounds["samples"] = powered(EXPORT, (after(0), 0.0))
    assert judged("ceases", cease_us=after(100), **bounds).why == "power did not come back afterwards"


def test_an_island_ends_in_time_and_opens_the_contactor() -> None:
    bounds = {"low": 0.0, "high": 1000.0}
    assert judged("ends", opened=[after(900)], cease_us=after(880), **bounds).passed
    assert not judged("ends", opened=[after(1100)], cease_us=after(1080), **bounds).passed
    assert not judged("ends", cease_us=after(300), **bounds).passed, "the contactor stays closed"


@pytest.mark.parametrize(("judge", "share"), [("power", -50.0), ("reactive", 25.0)])
def test_a_level_is_the_mean_of_the_last_second(judge: str, share: float) -> None:
    samples = powered(EXPORT, (START_US + 1_000_000, -5000.0))
    found = judged(judge, samples=samples, since_s=3.0, low=share - 1, high=share + 1)
    assert found.passed and found.value == pytest.approx(share)
    assert not judged(judge, samples=powered(EXPORT), since_s=3.0, low=share - 1, high=share + 1).passed
    assert not judged(judge, samples=samples, since_s=3.0, low=share - 1, high=share + 1, opened=[after(0)]).passed


@pytest.mark.parametrize("judge", ["power_answers", "reactive_answers"])
def test_an_answer_is_timed_to_nine_tenths(judge: str) -> None:
    def answer(seconds: float) -> Check:
        samples = powered(EXPORT, (after(0), -9000.0), (after(1000 * seconds), -5500.0))
        return judged(judge, samples=samples, high=2000.0, delay_ms=6000.0)

    assert answer(1.9).passed
    assert not answer(2.1).passed
    still = judged(judge, samples=powered(EXPORT), high=2000.0, delay_ms=6000.0)
    assert "only" in still.why


@pytest.mark.parametrize("judge", ["power_kept", "current_kept"])
def test_what_is_kept_is_the_least_of_what_flowed_before(judge: str) -> None:
    def kept(watts: float, **more: object) -> Check:
        samples = powered(EXPORT, (after(2000), -watts), (after(2100), -RATING_W))
        return judged(judge, samples=samples, low=80.0, delay_ms=4000.0, **more)

    assert kept(8100).passed and not kept(7900).passed
    assert not kept(RATING_W, opened=[after(0)]).passed
    idle = judged(judge, samples=powered((EXPORT[0], -100.0)), low=80.0, delay_ms=4000.0)
    assert idle.why == "nothing flowed before"


def test_every_judge_is_tried_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in JUDGES if f'"{name}"' not in here] == []
    assert [name for name, closed in BEGINS_CLOSED.items() if not closed] == ["off", "closes", "ramps"]
