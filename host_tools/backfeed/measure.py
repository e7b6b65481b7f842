# SPDX-License-Identifier: MIT
"""Turn a scenario's expectations into checks, from the traces and events of its run."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from typing import Any

from backfeed.report.model import Check, Run, Trace
from hil.scenario import Expect


def check(run: Run, expect: Expect) -> Check:
    """Measure one expectation."""
    value, why = _events(run, expect) if expect.measure == "events" else _signal(run, expect)
    if value is not None and math.isnan(value):
        value, why = None, "no value there"
    return Check(expect.name, expect.text, value, expect.unit, expect.low, expect.high, why)


def _signal(run: Run, expect: Expect) -> tuple[float | None, str]:
    name = str(expect.values["signal"])
    trace = run.traces.get(name)
    if trace is None:
        return None, f"no signal {name}"
    if expect.measure == "delay":
        return _delay(trace, expect)
    if expect.measure == "at":
        return trace.at(expect.since_s), ""
    values = trace.between(expect.since_s, expect.since_s + float(expect.values["for_s"]))
    if trace.codes:  # a state is kept where it changes, so the one it came in with counts too
        values = [value for value in [trace.at(expect.since_s)] if not math.isnan(value)] + values
    if not values:
        return None, f"no sample of {name} in that time"
    reducers: dict[str, Callable[[list[float]], float]] = {"min": min, "max": max, "mean": statistics.fmean}
    return float(reducers[expect.measure](values)), ""


def _delay(trace: Trace, expect: Expect) -> tuple[float | None, str]:
    """Return ms (or s, as the unit says) from since_s until the signal is beyond above or below."""
    above = expect.values.get("above", -math.inf)
    below = expect.values.get("below", math.inf)
    end_s = expect.since_s + float(expect.values.get("within_s", math.inf))
    for t_s, value in zip(trace.t_s, trace.values, strict=True):
        if expect.since_s <= t_s <= end_s and above < value < below:
            return (t_s - expect.since_s) * (1000 if expect.unit == "ms" else 1), ""
    return None, "never happened"


def _events(run: Run, expect: Expect) -> tuple[float | None, str]:
    """Return how many matching events there were; since_s and for_s in plant time."""
    end_s = expect.since_s + float(expect.values["for_s"])
    found = [event for event in run.events if matches(event, expect.values) and expect.since_s <= event["t_s"] <= end_s]
    return float(len(found)), ""


def matches(event: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether an event is of the wanted kind and, where one is named, about the wanted element."""
    if event["t_s"] is None or event["event"] != wanted["event"]:
        return False
    elements = wanted.get("element")
    if elements is None:
        return True
    return event["element"] in (elements if isinstance(elements, list) else [elements])
